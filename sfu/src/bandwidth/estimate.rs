//! The estimate: the smaller of what delay and what loss allow (draft-ietf-rmcat-gcc-02), never
//! grown far above what really arrived.

use super::acked::AckedRate;
use super::aimd::RateControl;
use super::history::Summary;
use super::loss::LossControl;
use super::trend::Trend;
use std::time::{Duration, Instant};

/// Growth ends at 1.5 × what arrives + 10 kbit/s (section 5.5): what an application-limited line has
/// not carried is not believed.
const HEADROOM: f64 = 1.5;
const HEADROOM_BPS: f64 = 10_000.0;
/// Assumed before the first acknowledgement.
const DEFAULT_RESPONSE: Duration = Duration::from_millis(100);

/// What the line towards one peer can carry.
#[derive(Debug)]
pub struct Estimator {
    acked: AckedRate,
    trend: Trend,
    delay: RateControl,
    loss: LossControl,
    response: Duration,
    fed: bool,
}

impl Estimator {
    /// Begins at `start_bps`, which stands until feedback moves it.
    pub fn new(start_bps: u64) -> Estimator {
        Estimator {
            acked: AckedRate::default(),
            trend: Trend::new(),
            delay: RateControl::new(start_bps as f64),
            loss: LossControl::new(start_bps as f64),
            response: DEFAULT_RESPONSE,
            fed: false,
        }
    }

    pub fn on_feedback(&mut self, now: Instant, summary: &Summary) {
        let arrived = summary.acknowledged.len() as u32;
        if arrived == 0 && summary.lost == 0 {
            return;
        }
        self.fed = true;
        self.response = summary.response.unwrap_or(self.response);
        self.acked.on_packets(&summary.acknowledged);
        let usage = self.trend.on_packets(&summary.acknowledged);
        let acked = self.acked.bps();
        // While nothing is known of the rate, growth stays below what stands.
        let ceiling = acked.map_or(0.0, |bps| bps * HEADROOM + HEADROOM_BPS);
        self.delay.update(now, usage, acked, ceiling, self.response);
        self.loss.count(arrived, summary.lost, summary.late);
        self.loss.update(now, self.delay.bps(), ceiling, self.response);
    }

    /// Bits per second; `None` before the first feedback.
    pub fn estimate_bps(&self) -> Option<u64> {
        let bps = self.delay.bps().min(self.loss.bps());
        self.fed.then_some(bps as u64)
    }
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
mod tests;
