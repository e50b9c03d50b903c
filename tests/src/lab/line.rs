//! A line with its two directions.

use super::way::{Way, WayModel};
use std::time::{Duration, Instant};

/// Which way along a site's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the site to the bridge.
    Up,
    Down,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LineModel {
    pub up: WayModel,
    pub down: WayModel,
}

impl LineModel {
    pub fn both(way: &WayModel) -> LineModel {
        LineModel { up: way.clone(), down: way.clone() }
    }

    /// From `from` until `until`, counted from the beginning of the line, nothing passes.
    pub fn black(mut self, from: Duration, until: Duration) -> LineModel {
        self.up.blackouts.push(from..until);
        self.down.blackouts.push(from..until);
        self
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Line {
    pub up: Way,
    pub down: Way,
}

impl Line {
    pub fn new(began: Instant, model: LineModel, seed: u64) -> Line {
        // The directions lose independently.
        Line { up: Way::new(began, model.up, seed), down: Way::new(began, model.down, !seed) }
    }

    /// It is another one from now on; what is in its queues stays there.
    pub fn change(&mut self, now: Instant, model: LineModel) {
        self.up.change(now, model.up);
        self.down.change(now, model.down);
    }

    pub fn way(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }
}
