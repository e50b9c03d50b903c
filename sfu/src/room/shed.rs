//! Thinning video when the worker cannot keep up: first the others, then the chair, then content,
//! then the floor, an eighth of each at a time. Audio and control are never shed.

use std::time::{Duration, Instant};

/// Steps per class: each sheds an eighth of the slots of one class.
const STEPS_PER_CLASS: u8 = 8;
/// `STEPS_PER_CLASS` is a power of two.
const SHARE_MASK: u32 = STEPS_PER_CLASS as u32 - 1;
const MAX_STEP: u8 = STEPS_PER_CLASS * 4;
/// A backlog above this begins it. A machine that is merely busy elsewhere holds a worker up for some 100 ms
/// now and then, and a meeting of three must not lose its pictures for that.
const BACKLOG_FIRST: Duration = Duration::from_millis(150);
/// Once it has begun, a backlog above this goes on with it: the audio delay that may be added is 50 ms.
const BACKLOG_HIGH: Duration = Duration::from_millis(25);
/// One step up per this long while the backlog lasts: all others are shed within a second.
const STEP_UP_EVERY: Duration = Duration::from_millis(100);
/// One step down per this long when there is none: slower than up, or load would swing.
const STEP_DOWN_EVERY: Duration = Duration::from_millis(1000);

/// What is lost first is first here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Other = 0,
    Chair = 1,
    Content = 2,
    Floor = 3,
}

/// How much is shed now.
#[derive(Debug, Default)]
pub struct Shedding {
    step: u8,
    changed_at: Option<Instant>,
    /// As told last: a backlog is told while it lasts, its end once.
    backlog: Duration,
}

impl Shedding {
    /// Tells how long the socket has gone without being empty; true when the step changed.
    pub fn on_backlog(&mut self, now: Instant, backlog: Duration) -> bool {
        self.backlog = backlog;
        let since = self.changed_at.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        let high = if self.is_active() { BACKLOG_HIGH } else { BACKLOG_FIRST };
        let step = if backlog >= high && since >= STEP_UP_EVERY {
            self.step.saturating_add(1).min(MAX_STEP)
        } else if backlog < high && since >= STEP_DOWN_EVERY {
            self.step.saturating_sub(1)
        } else {
            self.step
        };
        let changed = step != self.step;
        if changed {
            self.step = step;
            self.changed_at = Some(now);
        }
        changed
    }

    /// What was shed comes back with time, also when nothing more is told; true when the step changed.
    pub fn on_time(&mut self, now: Instant) -> bool {
        self.is_active() && self.on_backlog(now, self.backlog)
    }

    pub fn is_active(&self) -> bool {
        self.step > 0
    }

    /// Whether the video slots of a source of `class` are shed for the subscriber at `place`.
    pub fn sheds(&self, class: Class, place: u32) -> bool {
        let share = (place & SHARE_MASK) as u8;
        let rank = (class as u8).saturating_mul(STEPS_PER_CLASS).saturating_add(share);
        rank < self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_class_goes_first_and_comes_back_last() {
        let mut now = Instant::now();
        let mut shedding = Shedding::default();
        let overloaded = |shedding: &mut Shedding, now: &mut Instant, steps: u32| {
            for _ in 0..steps {
                *now += STEP_UP_EVERY;
                assert!(shedding.on_backlog(*now, BACKLOG_FIRST));
            }
        };
        overloaded(&mut shedding, &mut now, 4);
        let shed = |s: &Shedding, class| (0..8).filter(|place| s.sheds(class, *place)).count();
        assert_eq!((shed(&shedding, Class::Other), shed(&shedding, Class::Chair)), (4, 0));
        overloaded(&mut shedding, &mut now, 8);
        assert_eq!((shed(&shedding, Class::Other), shed(&shedding, Class::Chair)), (8, 4));
        for _ in 0..12 {
            now += STEP_DOWN_EVERY;
            assert!(shedding.on_backlog(now, Duration::ZERO));
        }
        assert!(!shedding.is_active());
    }

    #[test]
    fn one_word_of_the_end_is_enough_to_recover() {
        let mut now = Instant::now();
        let mut shedding = Shedding::default();
        assert!(shedding.on_backlog(now, BACKLOG_FIRST));
        assert!(shedding.on_backlog(now + STEP_UP_EVERY, BACKLOG_HIGH), "less is enough now");
        now += STEP_UP_EVERY;
        now += Duration::from_millis(20);
        assert!(!shedding.on_backlog(now, Duration::ZERO));
        assert!(shedding.is_active());
        assert!(!shedding.on_time(now + STEP_DOWN_EVERY / 2));
        assert!(shedding.on_time(now + STEP_DOWN_EVERY));
        assert!(shedding.on_time(now + 2 * STEP_DOWN_EVERY));
        assert!(!shedding.is_active());
    }

    #[test]
    fn a_short_burst_sheds_nothing() {
        let mut shedding = Shedding::default();
        assert!(!shedding.on_backlog(Instant::now(), Duration::from_millis(120)));
    }
}
