//! What waits to be sent to one connection: bounded, and never more than one of each kind of
//! snapshot. A client that does not keep up is closed; its seat stays.

use crate::protocol::ServerMessage;
use std::collections::VecDeque;
use std::mem::discriminant;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// A page that reads at all is never this far behind: snapshots take one place each, and the rest
/// are answers to what it has sent itself.
pub const CAPACITY: usize = 64;

/// The hall's end puts messages in, the connection's task takes them out.
#[derive(Debug, Clone)]
pub struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<ServerMessage>,
    closing: bool,
}

/// What the connection's task shall do next.
#[derive(Debug, PartialEq)]
pub enum Next {
    Send(Box<ServerMessage>),
    Close,
}

/// The client is too far behind.
#[derive(Debug, PartialEq, Eq)]
pub struct TooSlow;

impl Default for Outbox {
    fn default() -> Outbox {
        Outbox(Arc::new(Shared { inner: Mutex::default(), changed: Notify::new() }))
    }
}

impl Outbox {
    /// Queues a message. A snapshot takes the place of an older one of its kind.
    pub fn push(&self, message: ServerMessage) -> Result<(), TooSlow> {
        let mut inner = self.lock();
        if inner.closing {
            return Ok(());
        }
        let kind = discriminant(&message);
        let full = inner.queue.len() >= CAPACITY;
        let older = inner.queue.iter_mut().find(|m| discriminant(*m) == kind);
        match older.filter(|_| is_snapshot(&message)) {
            Some(older) => *older = message,
            None if full => {
                inner.queue.clear();
                inner.closing = true;
                self.0.changed.notify_one();
                return Err(TooSlow);
            }
            None => inner.queue.push_back(message),
        }
        self.0.changed.notify_one();
        Ok(())
    }

    /// Closes after what is queued.
    pub fn close(&self) {
        self.lock().closing = true;
        self.0.changed.notify_one();
    }

    /// Waits for something to do. Dropping the future loses nothing.
    pub async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.0.changed.notified().await;
        }
    }

    fn take(&self) -> Option<Next> {
        let mut inner = self.lock();
        let message = inner.queue.pop_front();
        match message {
            Some(message) => Some(Next::Send(Box::new(message))),
            None => inner.closing.then_some(Next::Close),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds the lock; and a queue is whole after any of its operations.
        self.0.inner.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Messages of which only the newest is true.
fn is_snapshot(message: &ServerMessage) -> bool {
    matches!(
        message,
        ServerMessage::Meeting { .. }
            | ServerMessage::Slots { .. }
            | ServerMessage::Speakers { .. }
            | ServerMessage::Links { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::SiteId;

    fn speakers(site: u32) -> ServerMessage {
        ServerMessage::Speakers { sites: vec![SiteId(site)] }
    }

    #[tokio::test]
    async fn only_the_newest_snapshot_waits() {
        let outbox = Outbox::default();
        for n in 0..1000 {
            outbox.push(speakers(n)).expect("snapshots take one place");
        }
        outbox.push(ServerMessage::Pong { n: 1 }).expect("room");
        outbox.close();
        assert_eq!(outbox.next().await, Next::Send(Box::new(speakers(999))));
        let pong = ServerMessage::Pong { n: 1 };
        assert_eq!(outbox.next().await, Next::Send(Box::new(pong)));
        assert_eq!(outbox.next().await, Next::Close);
    }

    #[tokio::test]
    async fn who_does_not_read_is_closed() {
        let outbox = Outbox::default();
        let n = 1;
        for _ in 0..CAPACITY {
            outbox.push(ServerMessage::Pong { n }).expect("room");
        }
        assert_eq!(outbox.push(ServerMessage::Pong { n }), Err(TooSlow));
        assert_eq!(outbox.next().await, Next::Close, "at once, without the rest");
    }
}
