//! What was measured of one cell, at the far ends.

use super::pictures::Pictures;
use super::playout::Playout;
use crate::lab::{Flood, percentile};

/// Of voices that one site hears, the worst of each.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Speech {
    /// Share of the time without speech where there should be some.
    pub unplayable: f64,
    /// Milliseconds: gaps, and how far behind the listener plays.
    pub longest_gap: f64,
    pub gap_p99: f64,
    pub buffer_p95: f64,
    pub buffer_max: f64,
    /// At the end.
    pub buffer_last: f64,
}

impl Speech {
    pub fn of(playout: &Playout) -> Speech {
        let mut buffer = playout.buffer.clone();
        buffer.sort_by(f64::total_cmp);
        Speech {
            unplayable: playout.unplayable(),
            longest_gap: playout.gaps.last().copied().unwrap_or_default().into(),
            gap_p99: percentile(&playout.gaps, 0.99).into(),
            buffer_p95: percentile(&buffer, 0.95),
            buffer_max: percentile(&buffer, 1.0),
            buffer_last: playout.buffer.last().copied().unwrap_or_default(),
        }
    }

    pub fn worse(self, other: Speech) -> Speech {
        Speech {
            unplayable: self.unplayable.max(other.unplayable),
            longest_gap: self.longest_gap.max(other.longest_gap),
            gap_p99: self.gap_p99.max(other.gap_p99),
            buffer_p95: self.buffer_p95.max(other.buffer_p95),
            buffer_max: self.buffer_max.max(other.buffer_max),
            buffer_last: self.buffer_last.max(other.buffer_last),
        }
    }
}

/// See the module. The site behind the line is "this site".
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// What this site hears of the others, and the hall of this site.
    pub down: Speech,
    pub up: Speech,
    /// Its large picture, the worst of its small ones, the content where there is some, and its own picture in the hall.
    pub big: Pictures,
    pub tiles: Pictures,
    pub content: Option<Pictures>,
    pub in_hall: Pictures,
    /// Milliseconds until this site sees the page that was turned to.
    pub page: Option<f64>,
    /// Places that never showed anything.
    pub black: usize,
    /// Towards this site: of the whole time, handshake and all.
    pub flood: Option<Flood>,
    /// Milliseconds that what was sent to it waited.
    pub queue_p95: f64,
    pub queue_max: f64,
    /// kbit/s, and those of each voice it hears.
    pub offered: f64,
    pub carried: f64,
    pub voice: f64,
    /// Milliseconds from the end of the blackout to the last of both directions' speech, and to the large picture.
    pub speech_back: Option<f64>,
    pub picture_back: Option<f64>,
    /// The meeting could not be held, and why.
    pub broken: Option<String>,
}
