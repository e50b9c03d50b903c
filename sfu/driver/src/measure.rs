//! What a worker measures of itself: how much it works and sleeps.

use rustix::time::{ClockId, clock_gettime};
use sfu::stats::Effort;
use std::time::{Duration, Instant};

/// How often the machine gets an `Effort`. It must notice that it cannot keep up before a listener does, and several
/// frames of each source must have come meanwhile, or frames that coincide would be taken for a queue.
const EFFORT_EVERY: Duration = Duration::from_millis(100);

/// CPU time of the calling thread since it began.
pub(super) fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or_default());
    seconds.saturating_add(Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or_default()))
}

/// What was done since the last `Effort`.
pub(super) struct Diligence {
    since: Instant,
    worked_before: Duration,
    slept: Duration,
}

impl Diligence {
    /// `worked` is the thread's CPU time so far.
    pub fn new(now: Instant, worked: Duration) -> Diligence {
        Diligence { since: now, worked_before: worked, slept: Duration::ZERO }
    }

    pub fn slept(&mut self, duration: Duration) {
        self.slept = self.slept.saturating_add(duration);
    }

    pub fn is_due(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= EFFORT_EVERY
    }

    /// Returns what was done, and begins again.
    pub fn take(&mut self, now: Instant, worked: Duration) -> Effort {
        let effort = Effort {
            span: now.saturating_duration_since(self.since),
            worked: worked.saturating_sub(self.worked_before),
            slept: self.slept,
        };
        *self = Diligence::new(now, worked);
        effort
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_reported_once() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let mut diligence = Diligence::new(start, ms(5));
        diligence.slept(ms(40));
        diligence.slept(ms(20));
        assert!(!diligence.is_due(start + ms(99)));
        assert!(diligence.is_due(start + ms(100)));
        let effort = diligence.take(start + ms(100), ms(35));
        assert_eq!(effort, Effort { span: ms(100), worked: ms(30), slept: ms(60) });
        let effort = diligence.take(start + ms(250), ms(45));
        assert_eq!(effort, Effort { span: ms(150), worked: ms(10), slept: ms(0) });
    }

    #[test]
    fn the_clock_is_that_of_this_thread() {
        let before = worked();
        let other = std::thread::spawn(worked);
        let sum = (0..1_000_000u64).fold(0, |sum, n| std::hint::black_box(sum ^ n));
        assert!(worked() > before, "{sum} was computed");
        assert!(other.join().unwrap() < worked(), "another thread has a clock of its own");
    }
}
