//! What a worker measures of itself: whether it keeps up, and how busy it is.

use std::time::{Duration, Instant};

/// Being behind for this long is worth telling.
const BACKLOG_TOLD: Duration = Duration::from_millis(2);

/// How long every batch has held datagrams that had waited too long.
#[derive(Default)]
pub(super) struct Backlog {
    since: Option<Instant>,
    told: bool,
}

impl Backlog {
    /// What to tell the machine after a batch: more than `BACKLOG_TOLD`, then once zero.
    pub fn after_batch(&mut self, now: Instant, behind: bool) -> Option<Duration> {
        if !behind {
            self.since = None;
            return std::mem::take(&mut self.told).then_some(Duration::ZERO);
        }
        let since = *self.since.get_or_insert(now);
        let backlog = now.saturating_duration_since(since);
        self.told |= backlog > BACKLOG_TOLD;
        (backlog > BACKLOG_TOLD).then_some(backlog)
    }
}

/// The busy share of the time between two reports.
pub(super) struct Busy {
    since: Instant,
    slept: Duration,
}

impl Busy {
    pub fn new(now: Instant) -> Busy {
        Busy { since: now, slept: Duration::ZERO }
    }

    pub fn slept(&mut self, duration: Duration) {
        self.slept = self.slept.saturating_add(duration);
    }

    /// 0–1, and begins again.
    pub fn share(&mut self, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(self.since).as_secs_f64();
        let slept = self.slept.as_secs_f64();
        *self = Busy::new(now);
        match elapsed > 0.0 {
            true => (1.0 - slept / elapsed).clamp(0.0, 1.0),
            false => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_told_while_it_lasts_and_its_end_once() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let mut backlog = Backlog::default();
        let steps = [
            ("empty from the start", 0, false, None),
            ("a full batch is no backlog yet", 10, true, None),
            ("nor are two milliseconds", 12, true, None),
            ("but three are", 13, true, Some(ms(3))),
            ("and it grows", 20, true, Some(ms(10))),
            ("until the socket is empty", 21, false, Some(ms(0))),
            ("which is told once", 22, false, None),
            ("a short one is never told", 30, true, None),
            ("nor its end", 31, false, None),
        ];
        for (step, at, left_behind, told) in steps {
            assert_eq!(backlog.after_batch(start + ms(at), left_behind), told, "{step}");
        }
    }

    #[test]
    fn the_load_is_the_share_not_slept() {
        let start = Instant::now();
        let mut busy = Busy::new(start);
        busy.slept(Duration::from_millis(250));
        let later = start + Duration::from_secs(1);
        assert_eq!(busy.share(later), 0.75);
        busy.slept(Duration::from_secs(2));
        assert_eq!(busy.share(later + Duration::from_secs(2)), 0.0);
    }
}
