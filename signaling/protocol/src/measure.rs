//! What a [`LinkGrade`] means in numbers.

use super::LinkGrade;

/// What a line is judged by, for the lights and for `nhipcau join` alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    LossPercent,
    JitterMs,
    RoundTripMs,
}

/// The largest numbers that are still good, and still fair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub good: f64,
    pub fair: f64,
}

impl Measure {
    /// `ops/guide/quy-tac.md` says where they come from.
    pub fn bounds(self) -> Bounds {
        match self {
            Measure::LossPercent => Bounds { good: 1.0, fair: 5.0 },
            Measure::JitterMs => Bounds { good: 30.0, fair: 50.0 },
            Measure::RoundTripMs => Bounds { good: 150.0, fair: 300.0 },
        }
    }

    pub fn grade(self, value: f64) -> LinkGrade {
        let bounds = self.bounds();
        match () {
            () if value <= bounds.good => LinkGrade::Good,
            () if value <= bounds.fair => LinkGrade::Fair,
            () => LinkGrade::Poor,
        }
    }
}
