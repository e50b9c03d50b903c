//! Whether a thread turns. It counts its turns, of which an idle one makes two a second; the watcher looks at the
//! number and is passed the time.

use super::placement::WorkerId;
use std::time::{Duration, Instant};

/// A thread with nothing to do turns this often, only to show that it lives.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(500);

/// A thread that has not turned for so long hangs: four heartbeats, and a turn takes a few milliseconds. Its sites have
/// received nothing since then.
pub const STALLED_AFTER: Duration = Duration::from_secs(2);

/// Of the time between two looks no more than this counts. When more has passed, the watcher was stopped itself, and
/// most likely the whole machine: that proves nothing about the thread.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// A thread that hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    pub worker: WorkerId,
    /// How long it has been seen not to turn; at least [`STALLED_AFTER`].
    pub lasts: Duration,
}

/// What was seen of one thread.
pub(super) struct Watch {
    turns: u64,
    looked: Instant,
    still: Duration,
}

impl Watch {
    pub fn new(now: Instant) -> Watch {
        Watch { turns: 0, looked: now, still: Duration::ZERO }
    }

    /// Looks at the number of turns. Do it about as often as the thread's heart beats.
    pub fn look(&mut self, now: Instant, turns: u64) {
        let passed = now.saturating_duration_since(self.looked).min(LONGEST_LOOK);
        self.looked = now;
        self.still = match self.turns == turns {
            true => self.still.saturating_add(passed),
            false => Duration::ZERO,
        };
        self.turns = turns;
    }

    /// How long the thread hangs, if it does.
    pub fn stalled(&self) -> Option<Duration> {
        (self.still >= STALLED_AFTER).then_some(self.still)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Looks every 500 ms at a thread that has made so many turns each time.
    fn watch(looks: &[u64]) -> Vec<Option<Duration>> {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        let look = |(n, turns): (usize, &u64)| {
            watch.look(start + MS * 500 * (n as u32 + 1), *turns);
            watch.stalled()
        };
        looks.iter().enumerate().map(look).collect()
    }

    #[test]
    fn a_thread_that_does_not_turn_is_noticed_after_two_seconds_and_forgiven_at_its_next_turn() {
        let seen = watch(&[1, 2, 2, 2, 2, 2, 2, 3, 4]);
        let hangs = |ms| Some(MS * ms);
        let none = None;
        assert_eq!(seen, [none, none, none, none, none, hangs(2_000), hangs(2_500), none, none]);
    }

    #[test]
    fn a_thread_that_never_began_is_noticed_too() {
        assert_eq!(watch(&[0, 0, 0, 0]), [None, None, None, Some(MS * 2_000)]);
    }

    #[test]
    fn a_watcher_that_was_stopped_itself_reports_no_thread() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        watch.look(start + MS * 500, 7);
        // The machine was suspended for an hour, and the watcher wakes first.
        watch.look(start + Duration::from_secs(3_600), 7);
        assert_eq!(watch.stalled(), None);
        watch.look(start + Duration::from_secs(3_600) + MS * 500, 8);
        assert_eq!(watch.stalled(), None);
    }
}
