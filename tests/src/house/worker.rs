//! One worker: an engine and, while its thread hangs, what waits for it in its socket.

use super::net::SeenAt;
use crate::simulation::{Mixing, SiteClock};
use sfu::command::Command;
use sfu::engine::{Engine, EngineConfig, Input, Output};
use sfu::event::Event;
use sfu::net::{Candidate, Path, PathKind};
use sfu::stats::Effort;
use sfu::time::Clock;
use sfu::transport::Certificate;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How often a worker's thread reports what it does.
const EFFORT_EVERY: Duration = Duration::from_millis(100);
/// Datagrams that a socket keeps: of 4 MiB, as the driver asks for, what comes first.
const SOCKET_HOLDS: usize = 3_000;
/// Seconds since 1970 at which the house begins.
pub const EPOCH_S: u64 = 1_800_000_000;

/// An output of an engine.
pub enum Said {
    Datagram { to: SeenAt, bytes: Vec<u8> },
    Event(Event),
}

/// See the module.
pub struct Worker {
    engine: Engine,
    mixing: Mixing,
    pub address: SocketAddr,
    pub hangs: bool,
    waiting: VecDeque<(Instant, SeenAt, Vec<u8>)>,
    wake: Instant,
    next_effort: Instant,
}

impl Worker {
    pub fn new(now: Instant, number: usize, clock: SiteClock, seed: [u8; 32]) -> Worker {
        let address = SocketAddr::from(([10, 0, 1, 1], 5000 + number as u16));
        let wall = Duration::from_secs(EPOCH_S) + (now - clock.epoch);
        let config = EngineConfig {
            certificate: Arc::new(Certificate::generate().expect("a certificate")),
            candidates: [PathKind::Udp, PathKind::Tcp].map(|kind| Candidate { kind, address }).to_vec(),
            clock: Clock::new(now, SystemTime::UNIX_EPOCH + wall),
            seed,
        };
        let engine = Engine::new(now, config);
        let mixing = Mixing::new(now);
        Worker {
            engine,
            mixing,
            address,
            hangs: false,
            waiting: VecDeque::new(),
            wake: now,
            next_effort: now,
        }
    }

    pub fn command(&mut self, now: Instant, command: Command) {
        self.engine.handle_input(now, Input::Command(command));
    }

    pub fn datagram(&mut self, now: Instant, from: SeenAt, bytes: Vec<u8>) {
        if self.waiting.len() < SOCKET_HOLDS {
            self.waiting.push_back((now, from, bytes));
        }
    }

    /// When it has something to do by itself.
    pub fn wake_at(&self) -> Option<Instant> {
        let wake = self.mixing.wake_at().map_or(self.wake, |at| at.min(self.wake));
        (!self.hangs).then(|| wake.min(self.next_effort))
    }

    /// Does what is due, and returns the outputs.
    pub fn turn(&mut self, now: Instant) -> Vec<Said> {
        if self.hangs {
            return Vec::new();
        }
        for (arrived, (kind, remote), mut bytes) in std::mem::take(&mut self.waiting) {
            let path = Path { kind, local: self.address.ip(), remote };
            self.engine.handle_input(now, Input::Datagram { path, data: &mut bytes, arrived });
        }
        if self.next_effort <= now {
            self.next_effort = now + EFFORT_EVERY;
            let effort = Effort { span: EFFORT_EVERY, worked: Duration::ZERO, slept: EFFORT_EVERY };
            self.engine.handle_input(now, Input::Effort(effort));
        }
        if self.wake <= now {
            self.engine.handle_input(now, Input::Timeout);
        }
        for mixed in self.mixing.take(now) {
            self.engine.handle_input(now, Input::Mixed(mixed));
        }
        self.drain(now)
    }

    fn drain(&mut self, now: Instant) -> Vec<Said> {
        let mut said = Vec::new();
        loop {
            match self.engine.poll_output(now) {
                Output::Timeout(at) => {
                    self.wake = at;
                    return said;
                }
                Output::Transmit(transmit) => {
                    let to = (transmit.path.kind, transmit.path.remote);
                    let copy = |bytes: &[u8]| Said::Datagram { to, bytes: bytes.to_vec() };
                    said.extend(transmit.datagrams().map(copy));
                }
                Output::Event(event) => said.push(Said::Event(event)),
                Output::Mix(order) => self.mixing.order(now, order),
            }
        }
    }
}
