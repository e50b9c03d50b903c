//! Delay-based rate control: additive or multiplicative increase, multiplicative decrease
//! (draft-ietf-rmcat-gcc-02 section 5.5).

use super::MIN_BPS;
use super::trend::Usage;
use std::time::{Duration, Instant};

/// Section 5.5: decrease to this share of what arrives.
const BETA: f64 = 0.85;
/// A queue that has jumped is 50 ms long and more: what arrives is lowered so that it is gone within a few hundred.
const BETA_JUMP: f64 = 0.7;
/// Queues that jump again and again are filled by somebody else, to whom nothing is left by giving way so far.
const JUMPS_APART: Duration = Duration::from_secs(5);
/// Section 5.5: grow by 8 % a second while far from convergence.
const GROWTH_PER_S: f64 = 1.08;
/// Section 5.5: time between two updates that counts.
const MAX_STEP: Duration = Duration::from_secs(1);
/// Section 5.5: response time is 100 ms above the round trip.
const RESPONSE: Duration = Duration::from_millis(100);
const MAX_RTT: Duration = Duration::from_secs(1);
/// Section 5.5: frames a second and bits of a packet assumed of the media.
const FRAMES_PER_S: f64 = 30.0;
const PACKET_BITS: f64 = 1200.0 * 8.0;
/// Near convergence grow at least this much a second (libwebrtc, AimdRateControl).
const MIN_GROWTH_BPS: f64 = 4_000.0;
/// A decrease shows after a round trip: none before (libwebrtc bounds it like this).
const MIN_WAIT: Duration = Duration::from_millis(10);
const MAX_WAIT: Duration = Duration::from_millis(200);
/// A queue that has jumped is not waited for: what was measured before it was of another line.
const MAX_WAIT_JUMP: Duration = Duration::from_millis(50);
/// Section 5.5: weight of history in the average of rates at decrease, and how far from it is near.
const MEMORY: f64 = 0.95;
const NEAR_DEVIATIONS: f64 = 3.0;

/// Rate at which the line was full: exponential mean and relative variance.
#[derive(Debug, Clone, Copy)]
struct Full {
    mean_bps: f64,
    /// Variance over the mean, in bit/s. Kept between the bounds of libwebrtc's
    /// LinkCapacityEstimator: 0.4 and 2.5 kbit/s.
    variance_bps: f64,
}

impl Full {
    fn deviation_bps(self) -> f64 {
        (self.variance_bps * self.mean_bps).sqrt()
    }

    fn is_near(self, bps: f64) -> bool {
        (bps - self.mean_bps).abs() <= NEAR_DEVIATIONS * self.deviation_bps()
    }
}

#[derive(Debug)]
pub struct RateControl {
    bps: f64,
    full: Option<Full>,
    updated: Option<Instant>,
    decreased: Option<Instant>,
    jumped: Option<Instant>,
}

impl RateControl {
    pub fn new(start_bps: f64) -> RateControl {
        RateControl { bps: start_bps.max(MIN_BPS), full: None, updated: None, decreased: None, jumped: None }
    }

    pub fn bps(&self) -> f64 {
        self.bps
    }

    /// The line carries no more than this, and nothing was learnt of it yet.
    pub fn begin(&mut self, bps: f64) {
        self.bps = self.bps.min(bps).max(MIN_BPS);
    }

    /// A probe came through at this rate.
    pub fn is_proved(&mut self, bps: f64) {
        self.bps = self.bps.max(bps);
    }

    /// What was believed long ago is believed less.
    pub fn age(&mut self, share: f64, least_bps: f64) {
        self.bps = (self.bps * share).max(least_bps).min(self.bps);
    }

    /// One feedback: the trend's verdict, what arrives (if known), the ceiling of growth.
    pub fn update(
        &mut self,
        now: Instant,
        usage: Usage,
        acked_bps: Option<f64>,
        ceiling_bps: f64,
        rtt: Duration,
    ) {
        let before = self.updated.replace(now).unwrap_or(now);
        let step = now.saturating_duration_since(before).min(MAX_STEP);
        match usage {
            Usage::Over => self.decrease(now, BETA, acked_bps, rtt.clamp(MIN_WAIT, MAX_WAIT)),
            Usage::Jump => self.on_jump(now, acked_bps, rtt.clamp(MIN_WAIT, MAX_WAIT_JUMP)),
            // The queue is emptying: growing now would fill it again.
            Usage::Under => {}
            Usage::Normal => self.increase(step, acked_bps, ceiling_bps, rtt),
        }
    }

    fn on_jump(&mut self, now: Instant, acked_bps: Option<f64>, wait: Duration) {
        let before = self.jumped.replace(now);
        let again = before.is_some_and(|at| now.saturating_duration_since(at) < JUMPS_APART);
        self.decrease(now, if again { BETA } else { BETA_JUMP }, acked_bps, wait);
    }

    fn decrease(&mut self, now: Instant, beta: f64, acked_bps: Option<f64>, wait: Duration) {
        let since = self.decreased.map(|at| now.saturating_duration_since(at));
        if since.is_some_and(|since| since < wait) {
            return;
        }
        self.decreased = Some(now);
        if let Some(acked) = acked_bps {
            self.note_full(acked);
        }
        let carried = acked_bps.unwrap_or(self.bps);
        self.bps = self.bps.min(beta * carried).max(MIN_BPS);
    }

    fn increase(&mut self, step: Duration, acked_bps: Option<f64>, ceiling: f64, rtt: Duration) {
        let Some(acked) = acked_bps else {
            return;
        };
        // More arrives than ever fitted: the line has changed, and what was learnt is void.
        let outgrown = |full: &Full| acked > full.mean_bps && !full.is_near(acked);
        self.full = self.full.filter(|full| !outgrown(full));
        let step_s = step.as_secs_f64();
        let grown = if self.full.is_some_and(|full| full.is_near(acked)) {
            self.bps + self.additive_bps(rtt) * step_s
        } else {
            self.bps * GROWTH_PER_S.powf(step_s)
        };
        self.bps = grown.min(ceiling).max(self.bps);
    }

    /// A packet per response time.
    fn additive_bps(&self, rtt: Duration) -> f64 {
        let frame_bits = self.bps / FRAMES_PER_S;
        let packets = (frame_bits / PACKET_BITS).ceil().max(1.0);
        let response = rtt.min(MAX_RTT).saturating_add(RESPONSE);
        (frame_bits / packets / response.as_secs_f64()).max(MIN_GROWTH_BPS)
    }

    fn note_full(&mut self, acked: f64) {
        let full = self.full.filter(|full| full.is_near(acked));
        let Some(full) = full else {
            let variance_bps = 400.0;
            self.full = Some(Full { mean_bps: acked, variance_bps });
            return;
        };
        let mean_bps = MEMORY * full.mean_bps + (1.0 - MEMORY) * acked;
        let error = (acked - mean_bps).powi(2) / mean_bps.max(1.0);
        let variance = MEMORY * full.variance_bps + (1.0 - MEMORY) * error;
        self.full = Some(Full { mean_bps, variance_bps: variance.clamp(400.0, 2_500.0) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::test_start;

    const RTT: Duration = Duration::from_millis(50);

    /// Ten updates a second of one verdict.
    fn run(control: &mut RateControl, from: Instant, seconds: u64, usage: Usage, acked: f64) {
        for n in 1..=seconds * 10 {
            let now = from + Duration::from_millis(n * 100);
            control.update(now, usage, Some(acked), acked * 1.5, RTT);
        }
    }

    #[test]
    fn far_from_convergence_it_grows_eight_percent_a_second() {
        let mut control = RateControl::new(1_000_000.0);
        let start = test_start();
        control.update(start, Usage::Normal, Some(1e6), 2e6, RTT);
        run(&mut control, start, 1, Usage::Normal, 1e6);
        assert!((control.bps() - 1_080_000.0).abs() < 1_000.0, "{}", control.bps());
    }

    #[test]
    fn near_the_rate_that_was_too_much_it_grows_by_packets() {
        let mut control = RateControl::new(600_000.0);
        let start = test_start();
        control.update(start, Usage::Over, Some(6e5), 9e5, RTT);
        assert_eq!(control.bps(), 510_000.0);
        run(&mut control, start, 1, Usage::Normal, 5.9e5);
        // A frame is two packets, and one packet in 150 ms is a ninth of the rate a second:
        // (1 + 0.1 / 9)^10 after ten steps.
        let bps = control.bps();
        assert!((bps - 569_600.0).abs() < 500.0, "{bps}");
        let later = start + Duration::from_secs(1);
        run(&mut control, later, 1, Usage::Normal, 2e6);
        let grown = control.bps() / bps;
        assert!((grown - 1.08).abs() < 0.001, "the line has changed: {grown}");
    }

    #[test]
    fn it_holds_while_the_queue_empties_and_where_nothing_arrives() {
        let mut control = RateControl::new(500_000.0);
        let start = test_start();
        run(&mut control, start, 5, Usage::Under, 500_000.0);
        control.update(start + Duration::from_secs(9), Usage::Normal, None, 1e9, RTT);
        assert_eq!(control.bps(), 500_000.0);
    }

    #[test]
    fn an_application_that_sends_little_proves_little() {
        let mut control = RateControl::new(600_000.0);
        run(&mut control, test_start(), 60, Usage::Normal, 100_000.0);
        assert_eq!(control.bps(), 600_000.0, "neither raised nor taken back");
    }

    #[test]
    fn overuse_never_ends_below_the_floor() {
        let mut control = RateControl::new(600_000.0);
        run(&mut control, test_start(), 60, Usage::Over, 100.0);
        assert_eq!(control.bps(), MIN_BPS);
    }
}
