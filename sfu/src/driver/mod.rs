//! The host of the machine: sockets, threads, clocks and randomness. The only code of this crate
//! that touches the world.
//!
//! [`Workers::start`] binds one port (UDP and TCP of the same number) per worker and starts its
//! thread. A worker turns like this: wait until something is readable, a command came or the
//! machine's time has come; read the clock once; hand in one batch of datagrams, a bounded part of
//! TCP and of the commands; carry out what the machine orders; again. Each source gets its bounded
//! share of every turn, so none can starve another. A thread that hangs is named by [`Workers::stalled`].

// The core is told the time and given its randomness: by this directory, which therefore may ask.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod bind;
mod connection;
pub mod frame;
mod gso;
mod interfaces;
mod measure;
mod outbox;
mod outgoing;
mod overflow;
mod placement;
pub mod priority;
pub mod probe;
mod tcp;
mod udp;
mod watch;
mod worker;
mod workers;

#[cfg(test)]
mod tests;

pub use bind::{BindError, Protocol, listen};
pub use overflow::Overflows;
pub use placement::WorkerId;
pub use tcp::MAX_UNPROVEN as MAX_UNPROVEN_TCP;
pub use udp::canonical;
pub use watch::{STALLED_AFTER, Stall};
pub use worker::WorkerHandle;
pub use workers::{StartError, WorkerAddresses, Workers, WorkersConfig};

use crate::engine::{Engine, Input, Output};
use crate::net::Candidate;
use crate::time::Clock;
use std::time::Instant;

/// A machine a worker can host: `handle_input`, then `poll_output` until `Output::Timeout`.
pub trait Machine {
    fn handle_input(&mut self, now: Instant, input: Input<'_>);
    fn poll_output(&mut self, now: Instant) -> Output<'_>;
}

impl Machine for Engine {
    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        Engine::handle_input(self, now, input);
    }

    fn poll_output(&mut self, now: Instant) -> Output<'_> {
        Engine::poll_output(self, now)
    }
}

/// What the host knows when a worker's machine is born, on the worker's own thread.
pub struct Birth {
    pub now: Instant,
    pub clock: Clock,
    /// From the system's random source.
    pub seed: [u8; 32],
    /// Where the worker can be reached, best first.
    pub candidates: Vec<Candidate>,
}
