//! When a page tries to reach the house (`web/src/session/attempts.ts`). Nobody answers here but to a WebSocket, and no
//! scout is sent: what comes back is found by media, or by the next attempt.

use super::media_line::backoff;
use rand::Rng;
use rand::rngs::StdRng;
use std::time::{Duration, Instant};

const OPENING: Duration = Duration::from_secs(5);
const OPENING_TRIPS: u32 = 6;
const OPENING_SPARE: Duration = Duration::from_secs(2);
const OF_ONE_LENGTH: u32 = 2;
const LONGEST_OPENING: Duration = Duration::from_secs(30);
const CUT: Duration = Duration::from_secs(1);
const SPREAD: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Opening { since: Instant },
    Waiting { not_before: Instant },
}

/// What the page is to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Begin,
    GiveUp,
}

/// See the module.
pub struct Attempts {
    phase: Phase,
    due: Option<Instant>,
    hung: u32,
    is_cued: bool,
    round_trip: Option<Duration>,
}

impl Attempts {
    pub fn new() -> Attempts {
        Attempts { phase: Phase::Idle, due: None, hung: 0, is_cued: false, round_trip: None }
    }

    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    pub fn is_opening(&self) -> bool {
        matches!(self.phase, Phase::Opening { .. })
    }

    pub fn begin(&mut self, now: Instant) {
        (self.phase, self.due) = (Phase::Opening { since: now }, Some(now + self.patience()));
    }

    pub fn opened(&mut self) {
        self.stop();
        (self.is_cued, self.hung) = (false, 0);
    }

    pub fn learn(&mut self, round_trip: Duration) {
        self.round_trip = Some(round_trip);
    }

    /// The next one after its turn to wait, and not before the house has asked for it.
    pub fn failed(
        &mut self,
        now: Instant,
        failures: u32,
        longest: Duration,
        held: Duration,
        rng: &mut StdRng,
    ) {
        let has_hung = self.is_opening() && self.due.is_some_and(|due| due <= now);
        self.hung = if has_hung { self.hung + 1 } else { 0 };
        self.is_cued = false;
        let turn = match has_hung {
            true => SPREAD.mul_f64(rng.random::<f64>()),
            false => backoff(failures, rng, longest),
        };
        (self.phase, self.due) = (Phase::Waiting { not_before: now + held }, Some(now + turn.max(held)));
    }

    /// The house itself has refused: nothing shortens the wait.
    pub fn hold(&mut self) {
        if let Some(due) = self.due {
            self.phase = Phase::Waiting { not_before: due };
        }
    }

    /// Something says that the house may be reached.
    pub fn cue(&mut self, now: Instant) {
        let ends = match self.phase {
            Phase::Waiting { not_before } => not_before <= now,
            Phase::Opening { since } => !self.is_cued && now - since >= CUT,
            Phase::Idle => false,
        };
        if ends {
            self.is_cued = true;
            (self.phase, self.due) = (Phase::Waiting { not_before: now }, Some(now));
        }
    }

    pub fn poll(&mut self, now: Instant) -> Option<Step> {
        self.due.filter(|due| *due <= now)?;
        Some(if self.is_opening() { Step::GiveUp } else { Step::Begin })
    }

    pub fn stop(&mut self) {
        (self.phase, self.due) = (Phase::Idle, None);
    }

    fn patience(&self) -> Duration {
        let Some(round_trip) = self.round_trip else { return LONGEST_OPENING };
        let once = OPENING.max(OPENING_SPARE + round_trip * OPENING_TRIPS);
        (once * 2u32.pow((self.hung / OF_ONE_LENGTH).min(4))).min(LONGEST_OPENING)
    }
}
