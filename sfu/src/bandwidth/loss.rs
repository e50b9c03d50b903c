//! What loss allows. Some of it is *inherent*: a radio line loses packets at any rate, and sending less mends nothing. Some
//! says that more was sent than the line carries. The rate that explains best what was lost at which rates is taken,
//! after the second version of libwebrtc's loss-based estimator (`LossBasedBweV2`), which has the same spans and the same
//! bound of what is inherent. Steps, fading and preference are ours.
//!
//! A line of `b` bit/s that loses the share `i` of everything loses of `s` bit/s the share `i + (1 − i) × (s − b) / s` where
//! `s > b`, and `i` where not. For a candidate `b` the most likely `i` is looked for; of the candidates the one under which
//! the losses seen are most likely is taken, and of those that differ little the highest.

use super::MIN_BPS;
use super::history::Summary;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// One observation covers at least this.
const OBSERVATION: Duration = Duration::from_millis(250);
/// Fewer packets say little: one lost of four is no quarter.
const MIN_PACKETS: u32 = 10;
/// Observations remembered; the oldest has a fiftieth of the newest's weight.
const REMEMBERED: usize = 18;
/// Weight of an observation beside the next.
const FADING: f64 = 0.8;
/// Rates that are tried beside those measured, as shares of the present one.
const STEPS: [f64; 3] = [1.08, 1.0, 0.95];
/// More than this share is inherent only on a line so narrow that less could not be sent either: at 2 Mbit/s
/// 8.75 %, at 300 kbit/s 30 %.
const INHERENT: f64 = 0.05;
const INHERENT_BPS: f64 = 75_000.0;
/// What a higher rate is preferred by, for each packet and per the rate's logarithm: enough to choose between rates that
/// explain what was lost equally well.
const PREFERENCE: f64 = 0.02;
/// Shares nearer to 0 and 1 have no logarithm to speak of.
const TINY: f64 = 1e-4;
const NEWTON_STEPS: usize = 3;
/// After the rate was lowered it does not rise for so long: what was sent before is still reported.
const HOLD: Duration = Duration::from_millis(300);

/// What was sent and lost in one span.
#[derive(Debug, Clone, Copy, Default)]
struct Observation {
    packets: f64,
    lost: f64,
    sent_bps: f64,
}

/// An observation to be.
#[derive(Debug, Default)]
struct Span {
    since_us: Option<i64>,
    until_us: i64,
    arrived: u32,
    lost: u32,
    bytes: u64,
}

impl Span {
    fn add(&mut self, summary: &Summary) {
        let Some(newest) = summary.newest_sent_us else {
            return;
        };
        self.since_us.get_or_insert(newest);
        self.until_us = self.until_us.max(newest);
        self.arrived = self.arrived.saturating_add(summary.acknowledged.len() as u32);
        self.lost = self.lost.saturating_add(summary.lost).saturating_sub(summary.late);
        let arrived: u64 = summary.acknowledged.iter().map(|packet| u64::from(packet.bytes)).sum();
        self.bytes = self.bytes.saturating_add(arrived).saturating_add(summary.lost_bytes);
    }

    /// The observation, when enough was seen; the next span begins where it ends.
    fn take(&mut self) -> Option<Observation> {
        let passed = self.until_us.saturating_sub(self.since_us?);
        let packets = self.arrived.saturating_add(self.lost);
        if passed < OBSERVATION.as_micros() as i64 || packets < MIN_PACKETS {
            return None;
        }
        let sent_bps = self.bytes as f64 * 8.0 / (passed as f64 / 1e6);
        let observation = Observation { packets: f64::from(packets), lost: f64::from(self.lost), sent_bps };
        *self = Span { since_us: Some(self.until_us), until_us: self.until_us, ..Span::default() };
        Some(observation)
    }
}

/// A line that would explain what was seen.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    bps: f64,
    inherent: f64,
    /// Logarithm of how likely what was seen is, with what a higher rate is preferred by.
    worth: f64,
}

#[derive(Debug)]
pub struct LossControl {
    bps: f64,
    span: Span,
    seen: VecDeque<Observation>,
    held_until: Option<Instant>,
    /// A queue stands on the line.
    is_full: bool,
    /// Share of what was sent that the line loses at any rate, 0–1.
    inherent: f64,
}

impl LossControl {
    pub fn new(start_bps: f64) -> LossControl {
        LossControl {
            bps: start_bps.max(MIN_BPS),
            span: Span::default(),
            seen: VecDeque::with_capacity(REMEMBERED),
            held_until: None,
            is_full: false,
            inherent: 0.0,
        }
    }

    pub fn bps(&self) -> f64 {
        self.bps
    }

    /// Share that the line loses at any rate, 0–1, as far as is known.
    #[cfg(test)]
    pub fn inherent(&self) -> f64 {
        self.inherent
    }

    /// Whether a queue stands on the line: what is lost then is what does not fit.
    pub fn queue_stands(&mut self, stands: bool) {
        self.is_full = stands;
    }

    /// A probe came through at this rate.
    pub fn is_proved(&mut self, bps: f64) {
        self.bps = self.bps.max(bps);
    }

    /// One feedback. `delay_bps` is what delay allows, `acked_bps` what arrives, `ceiling_bps` the end of growth.
    pub fn on_feedback(
        &mut self,
        now: Instant,
        summary: &Summary,
        acked_bps: Option<f64>,
        delay_bps: f64,
        ceiling_bps: f64,
    ) {
        self.span.add(summary);
        let Some(observation) = self.span.take() else {
            return;
        };
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(observation);
        if self.seen.iter().all(|observation| observation.lost == 0.0) {
            (self.inherent, self.bps) = (0.0, delay_bps.max(MIN_BPS));
            return;
        }
        let Some(best) = self.best(acked_bps, delay_bps) else {
            return;
        };
        self.inherent = best.inherent;
        self.follow(now, best.bps, ceiling_bps);
    }

    fn follow(&mut self, now: Instant, bps: f64, ceiling_bps: f64) {
        if bps < self.bps {
            self.held_until = Some(crate::time::after(now, HOLD));
            self.bps = bps.max(MIN_BPS);
        } else if self.held_until.is_none_or(|until| now >= until) {
            self.bps = bps.min(ceiling_bps).max(self.bps);
        }
    }

    fn best(&self, acked_bps: Option<f64>, delay_bps: f64) -> Option<Candidate> {
        let from = self.bps.min(delay_bps.max(MIN_BPS));
        let steps = STEPS.into_iter().map(|step| from * step);
        // What arrives is what the line carries, when more was sent; and it carries that in any case.
        let measured = acked_bps.filter(|acked| *acked < from);
        let most = delay_bps.max(MIN_BPS);
        let least = acked_bps.unwrap_or(MIN_BPS).clamp(MIN_BPS, most);
        let rates = steps.chain(measured).map(|bps| bps.clamp(least, most));
        rates.map(|bps| self.judge(bps)).max_by(|a, b| a.worth.total_cmp(&b.worth))
    }

    fn judge(&self, bps: f64) -> Candidate {
        let narrow = if self.is_full { 0.0 } else { INHERENT_BPS / bps };
        let most = (INHERENT + narrow).min(1.0 - TINY);
        let mut inherent = self.mean_lost().clamp(TINY, most);
        for _ in 0..NEWTON_STEPS {
            let (slope, bend) = self.weighed().fold((0.0, 0.0), |(slope, bend), (weight, observation)| {
                let lost = share_lost(inherent, bps, observation.sent_bps);
                let came = observation.packets - observation.lost;
                (
                    slope + weight * (observation.lost / lost - came / (1.0 - lost)),
                    bend + weight * (observation.lost / lost.powi(2) + came / (1.0 - lost).powi(2)),
                )
            });
            if bend > 0.0 {
                inherent = (inherent + slope / bend).clamp(TINY, most);
            }
        }
        let preferred = PREFERENCE * bps.max(MIN_BPS).ln();
        let worth = self.weighed().map(|(weight, observation)| {
            let lost = share_lost(inherent, bps, observation.sent_bps);
            let came = observation.packets - observation.lost;
            weight
                * (observation.lost * lost.ln() + came * (1.0 - lost).ln() + preferred * observation.packets)
        });
        Candidate { bps, inherent, worth: worth.sum() }
    }

    fn mean_lost(&self) -> f64 {
        let sums = self.weighed().fold((0.0, 0.0), |(lost, packets), (weight, observation)| {
            (lost + weight * observation.lost, packets + weight * observation.packets)
        });
        sums.0 / sums.1.max(1.0)
    }

    /// Observations with their weights, the newest first.
    fn weighed(&self) -> impl Iterator<Item = (f64, &Observation)> {
        self.seen.iter().rev().scan(1.0, |weight, observation| {
            let now = *weight;
            *weight *= FADING;
            Some((now, observation))
        })
    }
}

/// What a line of `bps` that loses `inherent` of everything loses of `sent_bps`.
fn share_lost(inherent: f64, bps: f64, sent_bps: f64) -> f64 {
    let too_much = if sent_bps > bps { (sent_bps - bps) / sent_bps } else { 0.0 };
    (inherent + (1.0 - inherent) * too_much).clamp(TINY, 1.0 - TINY)
}

#[cfg(test)]
#[path = "loss_tests.rs"]
mod tests;
