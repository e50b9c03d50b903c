//! The wire between the engine and its clients.

use super::seeds::{Draws, rng};
use rand::Rng;
use rand::rngs::StdRng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// One line, the same in both directions.
#[derive(Debug, Clone, Copy)]
pub struct LinkModel {
    pub delay: Duration,
    /// Added at random; packets may overtake each other.
    pub jitter: Duration,
    /// Share of datagrams lost in good times, and how likely a burst of losses begins.
    pub loss: f64,
    pub burst: f64,
    pub duplicate: f64,
    /// The line carries nothing at all.
    pub cut: bool,
}

impl LinkModel {
    /// The default of all tests: a poor line on a bad day.
    pub fn hardened() -> LinkModel {
        LinkModel {
            delay: Duration::from_millis(25),
            jitter: Duration::from_millis(8),
            loss: 0.01,
            burst: 0.002,
            duplicate: 0.005,
            cut: false,
        }
    }

    pub fn clean() -> LinkModel {
        let nothing = Duration::ZERO;
        LinkModel {
            delay: Duration::from_millis(5),
            jitter: nothing,
            loss: 0.0,
            burst: 0.0,
            duplicate: 0.0,
            cut: false,
        }
    }
}

/// Which end a datagram goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Engine { from: usize },
    Client(usize),
}

/// When it arrives, in which order and when it was sent, where it goes, and what it is.
type InFlight = (Instant, u64, Instant, End, Vec<u8>);

/// Datagrams on their way, earliest first.
pub struct Wire {
    rng: StdRng,
    queue: BinaryHeap<Reverse<InFlight>>,
    sent: u64,
    /// Datagrams a burst still swallows, per client.
    bursts: Vec<u32>,
    pub links: Vec<LinkModel>,
}

impl Wire {
    pub fn new(seed: u64) -> Wire {
        Wire {
            rng: rng(seed, Draws::Wire),
            queue: BinaryHeap::new(),
            sent: 0,
            bursts: Vec::new(),
            links: Vec::new(),
        }
    }

    pub fn add(&mut self, link: LinkModel) {
        self.links.push(link);
        self.bursts.push(0);
    }

    /// The next datagrams of a line are lost, either way.
    pub fn swallow(&mut self, line: usize, datagrams: u32) {
        self.bursts[line] = datagrams;
    }

    pub fn send(&mut self, now: Instant, to: End, bytes: &[u8]) {
        let line = match to {
            End::Engine { from } => from,
            End::Client(client) => client,
        };
        let link = self.links[line];
        if link.cut || self.is_lost(line, link) {
            return;
        }
        let copies = if self.rng.random_bool(link.duplicate) { 2 } else { 1 };
        for _ in 0..copies {
            let extra = link.jitter.mul_f64(self.rng.random::<f64>());
            self.sent += 1;
            self.queue.push(Reverse((now + link.delay + extra, self.sent, now, to, bytes.to_vec())));
        }
    }

    fn is_lost(&mut self, line: usize, link: LinkModel) -> bool {
        if self.bursts[line] > 0 {
            self.bursts[line] -= 1;
            return true;
        }
        if self.rng.random_bool(link.burst) {
            self.bursts[line] = self.rng.random_range(2..8);
        }
        self.rng.random_bool(link.loss)
    }

    pub fn next(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse((at, ..))| *at)
    }

    /// What has arrived, and when it was sent.
    pub fn pop(&mut self, now: Instant) -> Option<(End, Instant, Vec<u8>)> {
        if self.next()? > now {
            return None;
        }
        self.queue.pop().map(|Reverse((_, _, sent_at, to, bytes))| (to, sent_at, bytes))
    }
}
