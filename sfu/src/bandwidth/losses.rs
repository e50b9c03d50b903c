//! What share of packets a line loses, and how long it does so at a time: by transport-wide feedback, or by reception
//! reports where a receiver sends no feedback.

use super::history::Summary;
use std::time::{Duration, Instant};

/// What was seen so long ago counts half. At 50 packets a second, one voice, 72 count: a line that begins to lose 30 %
/// is known to lose 20 % within two seconds.
const HALF_LIFE: Duration = Duration::from_secs(1);
/// Fewer losses than this, old ones counted in part, are an accident.
const LEAST_LOST: f64 = 1.5;
/// Reception reports are left aside while feedback comes: they say the same again, and less of it.
const FEEDBACK_RULES: Duration = Duration::from_secs(3);

/// The losses of one line, lately.
#[derive(Debug, Default)]
pub struct Losses {
    at: Option<Instant>,
    sent: f64,
    lost: f64,
    runs: f64,
    spans_s: f64,
    feedback: Option<Instant>,
}

impl Losses {
    pub fn on_feedback(&mut self, now: Instant, summary: &Summary) {
        // A probe asks for more than may fit.
        let arrived = summary.acknowledged.iter().filter(|packet| packet.probe == 0).count() as f64;
        let (lost, late) = (f64::from(summary.runs.lost), f64::from(summary.late));
        self.feedback = Some(now);
        self.fade(now);
        self.sent += arrived + lost - late;
        self.lost = (self.lost + lost - late).max(0.0);
        self.runs += f64::from(summary.runs.count);
        self.spans_s += Duration::from_micros(summary.runs.spans_us).as_secs_f64();
    }

    /// Of so many packets that a report is about so many were lost (RFC 3550 appendix A.3).
    pub fn on_report(&mut self, now: Instant, expected: u32, lost: i64) {
        let rules = |at: Instant| now.saturating_duration_since(at) < FEEDBACK_RULES;
        if self.feedback.is_some_and(rules) {
            return;
        }
        self.fade(now);
        self.sent += f64::from(expected);
        self.lost = (self.lost + lost as f64).clamp(0.0, self.sent);
    }

    /// 0 to 1.
    pub fn share(&self) -> f64 {
        if self.lost < LEAST_LOST { 0.0 } else { self.lost / self.sent.max(self.lost) }
    }

    /// From the first to the last packet of a run of losses, on average.
    pub fn burst(&self) -> Duration {
        Duration::from_secs_f64(self.spans_s / self.runs.max(1.0))
    }

    fn fade(&mut self, now: Instant) {
        let before = self.at.replace(now).unwrap_or(now);
        let passed = now.saturating_duration_since(before).as_secs_f64() / HALF_LIFE.as_secs_f64();
        let left = 0.5f64.powf(passed);
        for sum in [&mut self.sent, &mut self.lost, &mut self.runs, &mut self.spans_s] {
            *sum *= left;
        }
    }
}

#[cfg(test)]
#[path = "losses_tests.rs"]
mod tests;
