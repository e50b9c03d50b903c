//! What crosses from one thread to another: in order, and each thing a little later, so that orders and reports pass each
//! other on their way.

use rand::Rng;
use rand::rngs::StdRng;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A thread that is not alone on its core wakes within this.
pub const LONGEST: Duration = Duration::from_millis(10);

/// See the module.
#[derive(Debug)]
pub struct Crossing<T> {
    waiting: VecDeque<(Instant, T)>,
}

impl<T> Crossing<T> {
    pub fn new() -> Crossing<T> {
        Crossing { waiting: VecDeque::new() }
    }

    pub fn push(&mut self, now: Instant, thing: T, rng: &mut StdRng) {
        let arrives = now + LONGEST.mul_f64(rng.random::<f64>());
        let before = self.waiting.back().map_or(arrives, |(at, _)| *at);
        self.waiting.push_back((arrives.max(before), thing));
    }

    pub fn pop(&mut self, now: Instant) -> Option<T> {
        self.next().filter(|at| *at <= now)?;
        self.waiting.pop_front().map(|(_, thing)| thing)
    }

    pub fn next(&self) -> Option<Instant> {
        self.waiting.front().map(|(at, _)| *at)
    }
}
