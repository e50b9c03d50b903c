//! Loss-based rate control, draft-ietf-rmcat-gcc-02 section 6.

use super::MIN_BPS;
use std::time::{Duration, Instant};

/// Section 6: below it grow, above the other shrink by half of the loss, between them hold.
const LOW: f64 = 0.02;
const HIGH: f64 = 0.10;
/// Section 6 grows by 5 % a report, with a report about each second; libwebrtc by 8 % a second.
const GROWTH_PER_S: f64 = 1.08;
/// Loss is judged over this and a round trip (libwebrtc), so that a decrease has shown before the
/// next, and over so many packets that one lost is not above the lower bound by much.
const INTERVAL: Duration = Duration::from_millis(300);
const MAX_RTT: Duration = Duration::from_secs(1);
const MIN_PACKETS: u32 = 20;

#[derive(Debug)]
pub struct LossControl {
    bps: f64,
    since: Option<Instant>,
    arrived: u32,
    lost: u32,
    /// 0–1, over the last interval judged.
    pub(super) fraction: f64,
}

impl LossControl {
    pub fn new(start_bps: f64) -> LossControl {
        LossControl { bps: start_bps.max(MIN_BPS), since: None, arrived: 0, lost: 0, fraction: 0.0 }
    }

    pub fn bps(&self) -> f64 {
        self.bps
    }

    /// Counts what one feedback reports; `late` packets were reported as lost before.
    pub fn count(&mut self, arrived: u32, lost: u32, late: u32) {
        self.arrived = self.arrived.saturating_add(arrived);
        self.lost = self.lost.saturating_add(lost).saturating_sub(late);
    }

    /// Judges when enough was counted. A decrease starts from `delay_bps` where that is lower: from
    /// above it, shrinking would change nothing for a while.
    pub fn update(&mut self, now: Instant, delay_bps: f64, ceiling_bps: f64, rtt: Duration) {
        let since = *self.since.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        let total = self.arrived.saturating_add(self.lost);
        if total < MIN_PACKETS || elapsed < INTERVAL.saturating_add(rtt.min(MAX_RTT)) {
            return;
        }
        self.fraction = f64::from(self.lost) / f64::from(total);
        (self.arrived, self.lost, self.since) = (0, 0, Some(now));
        if self.fraction > HIGH {
            let from = self.bps.min(delay_bps);
            self.bps = (from * (1.0 - 0.5 * self.fraction)).max(MIN_BPS);
        } else if self.fraction < LOW {
            let step = elapsed.min(Duration::from_secs(1)).as_secs_f64();
            let grown = self.bps * GROWTH_PER_S.powf(step);
            self.bps = grown.min(ceiling_bps).max(self.bps);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::test_start;

    /// (lost of 100, rate after one judgement of 1 s from 1 Mbit/s)
    const ROWS: [(u32, f64); 6] = [
        (0, 1_080_000.0),
        (1, 1_080_000.0),
        (2, 1_000_000.0),
        (10, 1_000_000.0),
        (20, 900_000.0),
        (100, 500_000.0),
    ];

    #[test]
    fn the_rate_follows_the_table_of_section_6() {
        for (lost, expected) in ROWS {
            let start = test_start();
            let mut control = LossControl::new(1_000_000.0);
            control.update(start, 1e6, 2e6, Duration::ZERO);
            control.count(100 - lost, lost, 0);
            control.update(start + Duration::from_secs(1), 1e6, 2e6, Duration::ZERO);
            assert!((control.bps() - expected).abs() < 1.0, "{lost}: {}", control.bps());
            assert_eq!(control.fraction, f64::from(lost) / 100.0);
        }
    }

    #[test]
    fn too_little_or_too_early_is_not_judged_and_late_is_not_lost() {
        let start = test_start();
        let mut control = LossControl::new(1_000_000.0);
        control.update(start, 1e6, 2e6, Duration::ZERO);
        control.count(0, 19, 0);
        control.update(start + Duration::from_secs(1), 1e6, 2e6, Duration::ZERO);
        assert_eq!(control.bps(), 1e6);
        control.count(100, 0, 19);
        control.update(start + Duration::from_secs(2), 1e6, 1e6, Duration::ZERO);
        assert_eq!((control.bps(), control.fraction), (1e6, 0.0), "and under the ceiling");
    }
}
