//! Whether the parts of the server that others wait for still turn. Asked by `/healthz`, which must answer also when
//! the hall does not.

use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// The hall looks at its workers every half second; ten of these missed is more than a busy moment.
const HALL_SILENT_AFTER: Duration = Duration::from_secs(5);

/// What the hall last reported of itself and of the media workers.
#[derive(Debug)]
pub struct Pulse(Mutex<Beat>);

#[derive(Debug)]
struct Beat {
    at: Instant,
    stuck: Vec<usize>,
}

/// A part that does not turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stuck {
    Hall,
    MediaWorker(usize),
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stuck::Hall => write!(f, "the hall does not turn"),
            Stuck::MediaWorker(worker) => write!(f, "media worker {worker} does not turn"),
        }
    }
}

impl Pulse {
    pub(super) fn new(now: Instant) -> Pulse {
        Pulse(Mutex::new(Beat { at: now, stuck: Vec::new() }))
    }

    /// The hall turns, and these workers do not.
    pub(super) fn beat(&self, now: Instant, stuck: Vec<usize>) {
        *self.lock() = Beat { at: now, stuck };
    }

    /// Everything that does not turn.
    pub fn stuck(&self, now: Instant) -> Vec<Stuck> {
        let beat = self.lock();
        let hall = now.saturating_duration_since(beat.at) >= HALL_SILENT_AFTER;
        let workers = beat.stuck.iter().map(|worker| Stuck::MediaWorker(*worker));
        hall.then_some(Stuck::Hall).into_iter().chain(workers).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Beat> {
        // A beat is one assignment: what a panic left is still whole.
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_turn_is_named_and_silence_of_the_hall_too() {
        let start = Instant::now();
        let pulse = Pulse::new(start);
        assert_eq!(pulse.stuck(start), []);
        pulse.beat(start, vec![1]);
        assert_eq!(pulse.stuck(start), [Stuck::MediaWorker(1)]);
        let late = start + HALL_SILENT_AFTER;
        assert_eq!(pulse.stuck(late), [Stuck::Hall, Stuck::MediaWorker(1)]);
        pulse.beat(late, Vec::new());
        assert_eq!(pulse.stuck(late), []);
    }
}
