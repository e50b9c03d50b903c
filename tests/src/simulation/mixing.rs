//! The mixer beside an engine, in virtual time: voices are marks, so what is heard in a mix can be counted.

use super::frame::{Stamp, mix};
use super::world::World;
use audio::{Marks, Mixer, Output};
use sfu::mix::{MixOrder, Mixed};
use std::time::Instant;

/// See the module.
pub struct Mixing {
    mixer: Mixer<Marks>,
    wake_at: Option<Instant>,
}

impl Mixing {
    pub fn new(epoch: Instant) -> Mixing {
        let read = |packet: &[u8]| Stamp::read(packet).map(|stamp| (stamp.site, stamp.captured_ms));
        Mixing { mixer: Mixer::new(epoch, Marks { read, write: mix }), wake_at: None }
    }

    pub fn order(&mut self, now: Instant, order: MixOrder) {
        self.mixer.handle_order(now, order);
        self.wake_at = Some(now);
    }

    /// When it has something to do; never before the first order.
    pub fn wake_at(&self) -> Option<Instant> {
        self.wake_at
    }

    /// What is ready by now.
    pub fn take(&mut self, now: Instant) -> Vec<Mixed> {
        let mut taken = Vec::new();
        while self.wake_at.is_some_and(|at| at <= now) {
            match self.mixer.poll_output(now) {
                Output::Mixed(mixed) => taken.push(mixed),
                Output::Timeout(at) => self.wake_at = Some(at),
            }
        }
        taken
    }
}

impl World {
    /// The mixer has died, and another one begins.
    pub fn restart_mixer(&mut self) {
        self.mixing = Mixing::new(self.epoch);
    }

    pub fn mixer_wakes_at(&self) -> Option<Instant> {
        self.mixing.wake_at()
    }
}
