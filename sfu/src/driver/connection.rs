//! One ICE-TCP connection (RFC 6544, passive side): a carried-over part frame in, a bounded queue out.

use super::frame::{push_frame, take_frames};
use crate::limits::CONSENT_EXPIRY;
use crate::transport::Path;
use mio::net::TcpStream;
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// A connection that has said nothing complete by then says nothing: a check is its first act.
pub(super) const OPENING_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes waiting for a slow line: two key frames of a full picture. More would only be older.
pub(super) const OUTGOING_BYTES: usize = 512 * 1024;

/// Bytes worth a system call of their own in the middle of a turn.
const FLUSH_BYTES: usize = 64 * 1024;

/// What a read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There may be more to read.
    More,
    /// Nothing more until the kernel says so.
    Dry,
    /// The other side closed, or spoke something that is not ours.
    Over,
}

pub(super) struct Connection {
    pub stream: TcpStream,
    pub path: Path,
    opening: bool,
    /// Since it was accepted, or since its last complete frame.
    silent_since: Instant,
    /// Beginning of a frame whose end has not come; shorter than the largest frame.
    carry: Vec<u8>,
    outgoing: Vec<u8>,
    sent: usize,
}

impl Connection {
    pub fn new(now: Instant, stream: TcpStream, path: Path) -> Connection {
        Connection {
            stream,
            path,
            opening: true,
            silent_since: now,
            carry: Vec::new(),
            outgoing: Vec::new(),
            sent: 0,
        }
    }

    /// Whether the time for a next complete frame is over. Later silence is bounded by consent
    /// (RFC 7675): after that the path is dead for the machine, too.
    pub fn is_overdue(&self, now: Instant) -> bool {
        let silent = now.saturating_duration_since(self.silent_since);
        let allowed = if self.opening { OPENING_TIMEOUT } else { CONSENT_EXPIRY };
        silent >= allowed
    }

    /// Reads once, through `scratch`, and hands over the frames that are complete.
    pub fn read(
        &mut self,
        now: Instant,
        scratch: &mut [u8],
        mut each: impl FnMut(Path, &mut [u8]),
    ) -> Progress {
        let Some((front, space)) = scratch.split_at_mut_checked(self.carry.len()) else {
            return Progress::Over;
        };
        front.copy_from_slice(&self.carry);
        let read = match self.stream.read(space) {
            Ok(0) => return Progress::Over,
            Ok(read) => read,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Progress::Dry,
            Err(e) if e.kind() == ErrorKind::Interrupted => return Progress::More,
            Err(_) => return Progress::Over,
        };
        let filled = self.carry.len().saturating_add(read);
        let Some(stream) = scratch.get_mut(..filled) else {
            return Progress::Over;
        };
        let path = self.path;
        let Ok(used) = take_frames(stream, &mut self.opening, |frame| each(path, frame)) else {
            return Progress::Over;
        };
        if used > 0 {
            self.silent_since = now;
        }
        self.carry.clear();
        self.carry.extend_from_slice(stream.get(used..).unwrap_or_default());
        Progress::More
    }

    /// Queues one frame; `false` if it was dropped because the queue is full.
    pub fn queue(&mut self, frame: &[u8]) -> bool {
        let sent = std::mem::take(&mut self.sent);
        self.outgoing.drain(..sent.min(self.outgoing.len()));
        push_frame(&mut self.outgoing, frame, OUTGOING_BYTES)
    }

    /// Whether enough waits to be written before the turn ends.
    pub fn wants_flush(&self) -> bool {
        self.outgoing.len().saturating_sub(self.sent) >= FLUSH_BYTES
    }

    /// Writes what the kernel takes. An error means that the connection is gone.
    pub fn flush(&mut self) -> io::Result<()> {
        while let Some(rest) = self.outgoing.get(self.sent..).filter(|r| !r.is_empty()) {
            match self.stream.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.sent = self.sent.saturating_add(written),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.outgoing.clear();
        self.sent = 0;
        Ok(())
    }
}
