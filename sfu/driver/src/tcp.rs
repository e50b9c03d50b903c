//! ICE-TCP for where UDP does not come through (RFC 6544, passive; frames of RFC 4571).

use super::connection::{Connection, Progress};
use super::udp::{Failures, canonical};
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use sfu::engine::Transmit;
use sfu::net::{Path, PathKind};
use socket2::SockRef;
use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Connections of one worker. TCP is the exception; 512 KiB may wait for each.
pub(super) const MAX_CONNECTIONS: usize = 1024;

/// Connections from one address: the sites of a district behind one NAT, some with two networks.
pub(super) const MAX_PER_ADDRESS: usize = 64;

/// Of those, connections that have not proved themselves yet, which takes a client one round trip.
pub(super) const MAX_UNPROVEN_PER_ADDRESS: usize = 16;

/// Unproven connections of all addresses; past that the oldest gives way, so that no one can block others for long.
pub const MAX_UNPROVEN: usize = 128;

/// Bytes the kernel takes before it has sent what it has (TCP_NOTSENT_LOWAT); left to itself it takes
/// megabytes, which on a slow line are seconds that nothing can overtake. A quarter of a second at
/// 512 kbit/s; on a fast line it costs a wake-up now and then.
const NOTSENT_BYTES: u32 = 16 * 1024;

/// Accepted, and read from, per turn: a storm of connections must not hold up media.
const ACCEPTS_PER_TURN: usize = 16;
const READS_PER_TURN: usize = 16;

/// Read by one system call: 30 frames of media, so that one line cannot hold the turn for long.
const SCRATCH_BYTES: usize = 32 * 1024;

/// How often overdue connections are looked for, and a failed `accept` is tried again.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Tokens from here on are connections; those below belong to the worker.
pub(super) const FIRST_CONNECTION: usize = 1 << 16;

/// The listeners of a worker and what came in through them.
pub(super) struct Tcp {
    listeners: Vec<TcpListener>,
    registry: Registry,
    connections: HashMap<Token, Connection>,
    by_path: HashMap<Path, Token>,
    next_token: usize,
    /// Listeners and connections that may have something for us.
    acceptable: bool,
    readable: VecDeque<Token>,
    unflushed: Vec<Token>,
    closed: Vec<Path>,
    /// Frames that waited on connections which ended.
    lost: usize,
    /// Of the turn.
    now: Instant,
    next_sweep: Instant,
    scratch: Vec<u8>,
}

/// The counts of connections that decide whether one more from some address is let in.
#[derive(Default)]
struct Census {
    of_address: usize,
    unproven_of_address: usize,
    unproven: usize,
    /// Tokens grow from connection to connection.
    oldest_unproven: Option<Token>,
}

impl Tcp {
    pub fn new(now: Instant, listeners: Vec<TcpListener>, registry: Registry) -> Tcp {
        Tcp {
            listeners,
            registry,
            connections: HashMap::new(),
            by_path: HashMap::new(),
            next_token: FIRST_CONNECTION,
            acceptable: true,
            readable: VecDeque::new(),
            unflushed: Vec::new(),
            closed: Vec::new(),
            lost: 0,
            now,
            next_sweep: now,
            scratch: vec![0; SCRATCH_BYTES],
        }
    }

    /// A listener has connections.
    pub fn on_acceptable(&mut self) {
        self.acceptable = true;
    }

    /// Something happened to a connection.
    pub fn on_event(&mut self, event: &Event) {
        let token = event.token();
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            self.mark_readable(token);
        }
        if event.is_writable() {
            self.unflushed.push(token);
        }
    }

    fn mark_readable(&mut self, token: Token) {
        if !self.readable.contains(&token) {
            self.readable.push_back(token);
        }
    }

    /// Whether the next turn has work here without anything new happening.
    pub fn is_ready(&self) -> bool {
        self.acceptable || !self.readable.is_empty() || !self.closed.is_empty()
    }

    /// When `turn` must be called at the latest.
    pub fn wake_at(&self) -> Instant {
        self.next_sweep
    }

    /// Accepts, reads and sweeps a bounded amount; complete frames go to `each`.
    pub fn turn(&mut self, now: Instant, mut each: impl FnMut(Path, &mut [u8])) {
        self.now = now;
        if now >= self.next_sweep {
            self.sweep(now);
        }
        if self.acceptable {
            self.accept(now);
        }
        for _ in 0..READS_PER_TURN.min(self.readable.len()) {
            let Some(token) = self.readable.pop_front() else {
                return;
            };
            let Some(connection) = self.connections.get_mut(&token) else {
                continue;
            };
            match connection.read(now, &mut self.scratch, &mut each) {
                Progress::More => self.readable.push_back(token),
                Progress::Dry => {}
                Progress::Over => self.close(token),
            }
        }
    }

    fn accept(&mut self, now: Instant) {
        self.acceptable = false;
        let mut arrived = Vec::new();
        for listener in &self.listeners {
            for _ in 0..ACCEPTS_PER_TURN {
                match listener.accept() {
                    Ok((stream, remote)) => arrived.push((stream, remote)),
                    Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                    Err(e) if transient(&e) => self.acceptable = true,
                    // No descriptor left: the sweep tries again.
                    Err(_) => break,
                }
            }
        }
        self.acceptable |= arrived.len() >= ACCEPTS_PER_TURN;
        for (stream, remote) in arrived {
            // A connection that fails here is gone already; dropping it is all there is to do.
            let _ = self.admit(now, stream, canonical(remote));
        }
    }

    fn admit(&mut self, now: Instant, mut stream: TcpStream, remote: SocketAddr) -> io::Result<()> {
        if !self.make_room(remote.ip()) {
            return Ok(());
        }
        let path = Path { kind: PathKind::Tcp, local: stream.local_addr()?.ip().to_canonical(), remote };
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_notsent_lowat(NOTSENT_BYTES)?;
        let token = Token(self.next_token);
        self.next_token = self.next_token.saturating_add(1);
        self.registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        self.connections.insert(token, Connection::new(now, stream, path));
        self.by_path.insert(path, token);
        self.mark_readable(token);
        Ok(())
    }

    /// Whether one more from `ip` is let in; one that has not proved itself may have to be closed for it.
    fn make_room(&mut self, ip: IpAddr) -> bool {
        let census = self.census(ip);
        if census.of_address >= MAX_PER_ADDRESS || census.unproven_of_address >= MAX_UNPROVEN_PER_ADDRESS {
            return false;
        }
        if census.unproven < MAX_UNPROVEN && self.connections.len() < MAX_CONNECTIONS {
            return true;
        }
        if let Some(token) = census.oldest_unproven {
            self.close(token);
        }
        census.oldest_unproven.is_some()
    }

    fn census(&self, ip: IpAddr) -> Census {
        let mut census = Census::default();
        for (token, connection) in &self.connections {
            let same = usize::from(connection.path.remote.ip() == ip);
            census.of_address = census.of_address.saturating_add(same);
            if !connection.proven {
                census.unproven = census.unproven.saturating_add(1);
                census.unproven_of_address = census.unproven_of_address.saturating_add(same);
                let oldest = census.oldest_unproven.map_or(*token, |oldest| oldest.min(*token));
                census.oldest_unproven = Some(oldest);
            }
        }
        census
    }

    fn sweep(&mut self, now: Instant) {
        self.next_sweep = now.checked_add(SWEEP_EVERY).unwrap_or(now);
        self.acceptable = true;
        let overdue: Vec<Token> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.is_overdue(now))
            .map(|(token, _)| *token)
            .collect();
        overdue.into_iter().for_each(|token| self.close(token));
    }

    fn close(&mut self, token: Token) {
        let Some(mut connection) = self.connections.remove(&token) else {
            return;
        };
        let _ = self.registry.deregister(&mut connection.stream);
        self.lost = self.lost.saturating_add(connection.waiting());
        // The same remote may be back already, under another token.
        if self.by_path.get(&connection.path) == Some(&token) {
            self.by_path.remove(&connection.path);
            self.closed.push(connection.path);
        }
    }

    /// A path that ended since the last call.
    pub fn next_closed(&mut self) -> Option<Path> {
        self.closed.pop()
    }

    /// What was lost with connections that ended since the last call.
    pub fn take_lost(&mut self) -> Failures {
        Failures { error: std::mem::take(&mut self.lost), ..Failures::default() }
    }

    /// Queues each datagram as one frame; returns what was dropped, of these or of older ones.
    pub fn send(&mut self, transmit: &Transmit<'_>) -> Failures {
        let mut failures = Failures::default();
        let token = self.by_path.get(&transmit.path).copied();
        let found = token.and_then(|t| Some((t, self.connections.get_mut(&t)?)));
        let Some((token, connection)) = found else {
            return Failures::unsendable(transmit);
        };
        for frame in transmit.datagrams() {
            let dropped = connection.queue(self.now, frame);
            failures.buffer_full = failures.buffer_full.saturating_add(dropped);
        }
        if self.unflushed.last() != Some(&token) {
            self.unflushed.push(token);
        }
        if connection.wants_flush() && connection.flush(self.now).is_err() {
            self.close(token);
        }
        failures
    }

    /// Writes what was queued in this turn, and what the kernel has room for again.
    pub fn flush(&mut self) {
        while let Some(token) = self.unflushed.pop() {
            let Some(connection) = self.connections.get_mut(&token) else {
                continue;
            };
            if connection.flush(self.now).is_err() {
                self.close(token);
            }
        }
    }
}

/// Whether an error of `accept` concerns one connection only.
fn transient(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
