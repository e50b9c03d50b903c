//! A connection's bytes, bounded: a client that reads nothing for some seconds is gone, and of a stranger only so much
//! is read.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A line whose round trip is 2.5 s takes something within three of them; a client that reads nothing for this long has
/// asked for more than it reads.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How much more may be read from a connection. Checked before each read, and a read may go beyond it by the
/// reader's buffer.
#[derive(Debug, Clone)]
pub struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    const ANY: usize = usize::MAX;

    fn any() -> Allowance {
        Allowance(Arc::new(AtomicUsize::new(Allowance::ANY)))
    }

    pub fn restrict(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    pub fn lift(&self) {
        self.restrict(Allowance::ANY);
    }

    fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    fn spend(&self, bytes: usize) {
        let left = self.0.load(Ordering::Relaxed);
        if left != Allowance::ANY {
            self.restrict(left.saturating_sub(bytes));
        }
    }
}

/// What a read ends with where the allowance is spent.
#[derive(Debug, thiserror::Error)]
#[error("more was sent than a stranger may say")]
pub struct Spent;

/// The stream of one connection.
pub struct Line<S> {
    stream: S,
    allowance: Allowance,
    patience: Duration,
    /// Runs while the other side takes nothing.
    stall: Option<Pin<Box<Sleep>>>,
}

impl<S> Line<S> {
    pub fn new(stream: S) -> Line<S> {
        Line { stream, allowance: Allowance::any(), patience: WRITE_TIMEOUT, stall: None }
    }

    pub fn allowance(&self) -> Allowance {
        self.allowance.clone()
    }

    /// The outcome of a write.
    fn went<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<Result<T>>) -> Poll<Result<T>> {
        if outcome.is_ready() {
            self.stall = None;
            return outcome;
        }
        let patience = self.patience;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(patience)));
        stall.as_mut().poll(cx).map(|()| Err(Error::new(ErrorKind::TimedOut, "nobody takes what is sent")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        if self.allowance.is_spent() {
            return Poll::Ready(Err(Error::other(Spent)));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.allowance.spend(buf.filled().len().saturating_sub(before));
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.went(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.went(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.went(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.went(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::poll;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn who_takes_nothing_is_given_up() {
        let (ours, _deaf) = duplex(1000);
        let mut line = Line { patience: Duration::from_millis(20), ..Line::new(ours) };
        for _ in 0..2 {
            let error = line.write_all(&[7; 6000]).await.expect_err("the other side does not read");
            assert_eq!(error.kind(), ErrorKind::TimedOut);
        }
    }

    #[tokio::test]
    async fn who_takes_slowly_begins_anew() {
        let (ours, mut theirs) = duplex(1000);
        let mut line = Line::new(ours);
        let mut taken = [0; 500];
        for _ in 0..3 {
            let mut writing = Box::pin(line.write_all(&[7; 2000]));
            assert!(poll!(&mut writing).is_pending(), "the buffer is full");
            drop(writing);
            assert!(line.stall.is_some(), "the clock runs");
            theirs.read_exact(&mut taken).await.expect("full");
            line.write_all(&[7; 500]).await.expect("room");
            assert!(line.stall.is_none(), "something was taken");
        }
    }

    #[tokio::test]
    async fn of_a_stranger_only_so_much_is_read() {
        let (ours, mut theirs) = duplex(10_000);
        let mut line = Line::new(ours);
        let allowance = line.allowance();
        theirs.write_all(&[7; 5000]).await.expect("room");
        let mut part = [0; 1000];
        line.read_exact(&mut part).await.expect("without bounds at first");
        allowance.restrict(1500);
        line.read_exact(&mut part).await.expect("1,000 of 1,500");
        line.read_exact(&mut part).await.expect("500 were left");
        let error = line.read_exact(&mut part).await.expect_err("no more");
        assert!(error.get_ref().is_some_and(|e| e.is::<Spent>()), "{error}");
        allowance.lift();
        line.read_exact(&mut part).await.expect("a known one may say what it likes");
    }
}
