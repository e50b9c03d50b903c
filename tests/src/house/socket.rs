//! One WebSocket: two ways on which everything arrives in order, and late where the line is poor.

use crate::simulation::{LinkModel, Rate};
use rand::Rng;
use rand::rngs::StdRng;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A lost segment is repeated after so long.
const REPEATED_AFTER: Duration = Duration::from_millis(300);

/// What crosses a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Up: the upgrade is asked for. Down: it is granted.
    Open,
    Text(String),
    Close,
}

/// Which end a frame goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Server,
    Site,
}

/// A way and what is on it, by when it arrives.
#[derive(Debug, Default)]
struct Way {
    frames: VecDeque<(Instant, Frame)>,
    /// Its end is gone.
    deaf: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Socket {
    pub site: usize,
    up: Way,
    down: Way,
}

impl Socket {
    pub fn of(site: usize) -> Socket {
        Socket { site, up: Way::default(), down: Way::default() }
    }

    pub fn send(&mut self, now: Instant, to: Side, frame: Frame, (link, rng): (&LinkModel, &mut StdRng)) {
        let bytes = if let Frame::Text(text) = &frame { text.len() } else { 100 };
        let carries = |rate: Rate| bytes as f64 * 8.0 / f64::from(rate.bits_per_second);
        let mut late = link.jitter.mul_f64(rng.random::<f64>());
        late += link.rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(carries(rate)));
        if rng.random_bool(link.loss) {
            late += REPEATED_AFTER;
        }
        let way = self.way(to);
        if way.deaf {
            return;
        }
        let before = way.frames.back().map_or(now, |(at, _)| *at);
        way.frames.push_back(((now + link.delay + late).max(before), frame));
    }

    /// What has arrived. The caller asks for nothing while the line is cut.
    pub fn pop(&mut self, now: Instant, to: Side) -> Option<Frame> {
        let way = self.way(to);
        let arrived = way.frames.front().is_some_and(|(at, _)| *at <= now);
        if arrived { way.frames.pop_front().map(|(_, frame)| frame) } else { None }
    }

    /// Bytes on their way down.
    pub fn unread(&self) -> usize {
        let texts = self.down.frames.iter();
        texts.map(|(_, frame)| if let Frame::Text(text) = frame { text.len() } else { 0 }).sum()
    }

    pub fn next(&self) -> Option<Instant> {
        [&self.up, &self.down].into_iter().filter_map(|way| Some(way.frames.front()?.0)).min()
    }

    /// What comes to this end is not read any more.
    pub fn deafen(&mut self, side: Side) {
        let way = self.way(side);
        way.frames.clear();
        way.deaf = true;
    }

    /// Both ends are gone.
    pub fn is_over(&self) -> bool {
        self.up.deaf && self.down.deaf
    }

    fn way(&mut self, to: Side) -> &mut Way {
        match to {
            Side::Server => &mut self.up,
            Side::Site => &mut self.down,
        }
    }
}
