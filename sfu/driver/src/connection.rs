//! One ICE-TCP connection (RFC 6544, passive side): a carried-over part frame in, a bounded queue out.

use super::frame::take_frames;
use super::outgoing::Outgoing;
use mio::net::TcpStream;
use sfu::limits::CONSENT_EXPIRY;
use sfu::net::Path;
use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

/// A client that has not proved itself by then will not: a check is the first thing it sends.
pub(super) const OPENING_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes worth a system call of their own in the middle of a turn.
const FLUSH_BYTES: usize = 64 * 1024;

/// The result of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There may be more to read.
    More,
    /// Nothing more until the kernel reports it.
    Dry,
    /// The other side closed, or sent what is no protocol of ours.
    Over,
}

pub(super) struct Connection {
    pub stream: TcpStream,
    pub path: Path,
    accepted: Instant,
    /// The machine has answered it, and it answers only what authenticates.
    pub proven: bool,
    opening: bool,
    /// Since it was accepted, or since its last complete frame.
    silent_since: Instant,
    /// Since when the queue has not become shorter.
    stuck_since: Option<Instant>,
    /// Beginning of a frame whose end has not come; shorter than the largest frame.
    carry: Vec<u8>,
    outgoing: Outgoing,
}

impl Connection {
    pub fn new(now: Instant, stream: TcpStream, path: Path) -> Connection {
        Connection {
            stream,
            path,
            accepted: now,
            proven: false,
            opening: true,
            silent_since: now,
            stuck_since: None,
            carry: Vec::new(),
            outgoing: Outgoing::default(),
        }
    }

    /// Whether its time is over: to prove itself, to send a complete frame, or to read. The latter two are bounded like
    /// consent (RFC 7675): after that the path is dead for the machine, too.
    pub fn is_overdue(&self, now: Instant) -> bool {
        let since = |start: Instant| now.saturating_duration_since(start);
        let unproven = !self.proven && since(self.accepted) >= OPENING_TIMEOUT;
        let stuck = self.stuck_since.is_some_and(|start| since(start) >= CONSENT_EXPIRY);
        unproven || stuck || since(self.silent_since) >= CONSENT_EXPIRY
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
            // Counted as what it is: a datagram of no protocol.
            each(path, &mut []);
            return Progress::Over;
        };
        if used > 0 {
            self.silent_since = now;
        }
        self.carry.clear();
        self.carry.extend_from_slice(stream.get(used..).unwrap_or_default());
        Progress::More
    }

    /// Queues one frame; returns how many were dropped, it or older ones.
    pub fn queue(&mut self, now: Instant, frame: &[u8]) -> usize {
        self.proven = true;
        self.stuck_since.get_or_insert(now);
        self.outgoing.push(now, frame)
    }

    /// Frames that are lost if it ends now.
    pub fn waiting(&self) -> usize {
        self.outgoing.frames()
    }

    /// Whether enough waits to be written before the turn ends.
    pub fn wants_flush(&self) -> bool {
        self.outgoing.len() >= FLUSH_BYTES
    }

    /// Writes what the kernel takes. An error means that the connection is gone.
    pub fn flush(&mut self, now: Instant) -> io::Result<()> {
        let written = self.outgoing.write_to(&mut self.stream)?;
        if self.outgoing.len() == 0 {
            self.stuck_since = None;
        } else if written > 0 {
            self.stuck_since = Some(now);
        }
        Ok(())
    }
}
