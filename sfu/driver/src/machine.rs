//! What a worker hosts, and what it is made with.

use sfu::engine::{Engine, Input, Output};
use sfu::net::Candidate;
use sfu::time::Clock;
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

/// What the host knows when a worker's machine is made, on the worker's own thread.
pub struct WorkerContext {
    pub now: Instant,
    pub clock: Clock,
    /// From the system's random source.
    pub seed: [u8; 32],
    /// Where the worker can be reached, best first.
    pub candidates: Vec<Candidate>,
}
