//! Delay trend: is a queue on the line growing? draft-ietf-rmcat-gcc-02 sections 5.1, 5.2 and 5.4,
//! with the least-squares line libwebrtc (TrendlineEstimator) has in place of the Kalman filter.

use super::history::Acknowledged;
use std::collections::VecDeque;

/// Packets sent within this belong to one group (section 5.2).
const BURST_US: i64 = 5_000;
/// What a radio line held back and lets go at once comes together, faster than it was sent (libwebrtc, InterArrivalDelta):
/// so near to each other, and for so long at most.
const BUNCH_US: i64 = 5_000;
const BUNCH_MAX_US: i64 = 100_000;
/// Groups in the regression: about half a second of video.
const WINDOW: usize = 20;
const SMOOTHING: f64 = 0.9;
/// Scale the slope to the threshold's unit, ms, as libwebrtc does.
const GAIN: f64 = 4.0;
const MAX_SAMPLES: f64 = 60.0;
/// Section 5.4: the threshold adapts between these, in ms. Steps are libwebrtc's, fit to `GAIN`.
const THRESHOLD_START_MS: f64 = 12.5;
const THRESHOLD_MIN_MS: f64 = 6.0;
const THRESHOLD_MAX_MS: f64 = 600.0;
const THRESHOLD_UP: f64 = 0.0087;
const THRESHOLD_DOWN: f64 = 0.039;
/// Section 5.4: a spike further off than this does not move the threshold.
const SPIKE_MS: f64 = 15.0;
const MAX_STEP_MS: f64 = 100.0;
/// Section 5.4, overuse_time_th: so long above the threshold, and still rising, is overuse.
const OVERUSE_TIME_MS: f64 = 10.0;
/// A variation beyond this is a clock that was set, not a queue (libwebrtc: 3 s).
const MAX_VARIATION_MS: f64 = 3_000.0;

/// A delay that is longer by this than it was within the last half second, in so many groups one after the other, is a
/// queue that grows fast: the regression over `WINDOW` frames sees it when it is 300 ms long.
const JUMP_MS: f64 = 50.0;
const JUMP_GROUPS: usize = 2;
const JUMP_WITHIN_MS: f64 = 500.0;
/// Groups looked at, whatever times of arrival a receiver invents: bursts are 5 ms apart.
const JUMP_WITHIN_GROUPS: usize = 100;

/// Section 5.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    Normal,
    Over,
    /// The queue grows so fast that it would be long before the rate was lowered by small steps.
    Jump,
    Under,
}

/// Packets that left together. Both times are those of the *last* one: a burst spreads out on a
/// slow line, and measured from its last packet to the first of the next every burst would look as
/// if the queue were emptying.
#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent_us: i64,
    first_received_us: i64,
    sent_us: i64,
    received_us: i64,
}

impl Group {
    /// Whether a packet left with this group, or was let go by the line together with it.
    fn takes(&self, packet: &Acknowledged) -> bool {
        if packet.sent_us.saturating_sub(self.first_sent_us) < BURST_US {
            return true;
        }
        let gap = packet.received_us.saturating_sub(self.received_us);
        let closer = gap < packet.sent_us.saturating_sub(self.sent_us);
        let length = packet.received_us.saturating_sub(self.first_received_us);
        closer && gap.saturating_abs() <= BUNCH_US && length < BUNCH_MAX_US
    }
}

#[derive(Debug)]
pub struct Trend {
    current: Option<Group>,
    previous: Option<Group>,
    /// Sums over all groups, in ms.
    delay_ms: f64,
    smoothed_ms: f64,
    elapsed_ms: f64,
    /// (arrival, smoothed delay), in ms.
    samples: VecDeque<(f64, f64)>,
    /// (arrival, delay) of the last half second, in ms.
    lately: VecDeque<(f64, f64)>,
    count: f64,
    slope: f64,
    threshold_ms: f64,
    above_ms: f64,
    usage: Usage,
}

impl Trend {
    pub fn new() -> Trend {
        Trend {
            current: None,
            previous: None,
            delay_ms: 0.0,
            smoothed_ms: 0.0,
            elapsed_ms: 0.0,
            samples: VecDeque::with_capacity(WINDOW),
            lately: VecDeque::new(),
            count: 0.0,
            slope: 0.0,
            threshold_ms: THRESHOLD_START_MS,
            above_ms: 0.0,
            usage: Usage::Normal,
        }
    }

    /// Takes in packets in order of departure; one that is out of order is ignored.
    pub fn on_packets(&mut self, packets: &[Acknowledged]) -> Usage {
        for packet in packets {
            self.on_packet(packet);
        }
        self.usage
    }

    fn on_packet(&mut self, packet: &Acknowledged) {
        let alone = Group {
            first_sent_us: packet.sent_us,
            first_received_us: packet.received_us,
            sent_us: packet.sent_us,
            received_us: packet.received_us,
        };
        let Some(group) = &mut self.current else {
            self.current = Some(alone);
            return;
        };
        let after_first = packet.sent_us.saturating_sub(group.first_sent_us);
        if after_first < 0 {
            return;
        }
        if group.takes(packet) {
            group.sent_us = group.sent_us.max(packet.sent_us);
            group.received_us = group.received_us.max(packet.received_us);
            return;
        }
        let complete = *group;
        self.current = Some(alone);
        if let Some(previous) = self.previous.replace(complete) {
            let sent_ms = ms(complete.sent_us.saturating_sub(previous.sent_us));
            let received_ms = ms(complete.received_us.saturating_sub(previous.received_us));
            self.on_sample(received_ms - sent_ms, sent_ms, received_ms);
        }
    }

    fn on_sample(&mut self, variation_ms: f64, sent_ms: f64, received_ms: f64) {
        if variation_ms.abs() > MAX_VARIATION_MS {
            let threshold_ms = self.threshold_ms;
            *self = Trend { current: self.current, threshold_ms, ..Trend::new() };
            return;
        }
        self.delay_ms += variation_ms;
        self.smoothed_ms = SMOOTHING * self.smoothed_ms + (1.0 - SMOOTHING) * self.delay_ms;
        self.elapsed_ms += received_ms;
        if self.samples.len() == WINDOW {
            self.samples.pop_front();
        }
        self.samples.push_back((self.elapsed_ms, self.smoothed_ms));
        self.count = (self.count + 1.0).min(MAX_SAMPLES);
        let before = self.slope;
        if self.samples.len() == WINDOW {
            self.slope = slope(&self.samples);
        }
        self.judge(before, sent_ms);
        if self.has_jumped() {
            self.usage = Usage::Jump;
        }
        self.adapt(received_ms);
    }

    /// Takes the newest delay into the last half second and looks at it.
    fn has_jumped(&mut self) -> bool {
        self.lately.push_back((self.elapsed_ms, self.delay_ms));
        let begin = self.elapsed_ms - JUMP_WITHIN_MS;
        while self.lately.len() > JUMP_WITHIN_GROUPS || self.lately.front().is_some_and(|(at, _)| *at < begin)
        {
            self.lately.pop_front();
        }
        let newest = self.lately.iter().rev().take(JUMP_GROUPS);
        let now = newest.map(|(_, delay)| *delay).fold(f64::INFINITY, f64::min);
        let jumped = self.lately.len() > JUMP_GROUPS && now - self.least_lately() > JUMP_MS;
        if jumped {
            // What it has grown by since is looked at next.
            self.lately.clear();
        }
        jumped
    }

    /// By how much the newest delay is longer than the shortest of the last half second, in ms.
    pub fn waits_ms(&self) -> f64 {
        let low = self.least_lately();
        if low.is_finite() { self.delay_ms - low } else { 0.0 }
    }

    /// The shortest delay of the last half second, in ms; infinite where there is none.
    fn least_lately(&self) -> f64 {
        self.lately.iter().map(|(_, delay)| *delay).fold(f64::INFINITY, f64::min)
    }

    fn trend_ms(&self) -> f64 {
        self.slope * self.count * GAIN
    }

    fn judge(&mut self, slope_before: f64, sent_ms: f64) {
        let trend_ms = self.trend_ms();
        if trend_ms > self.threshold_ms {
            self.above_ms += sent_ms;
            if self.above_ms > OVERUSE_TIME_MS && self.slope >= slope_before {
                self.above_ms = 0.0;
                self.usage = Usage::Over;
            }
            return;
        }
        self.above_ms = 0.0;
        self.usage = if trend_ms < -self.threshold_ms { Usage::Under } else { Usage::Normal };
    }

    /// Section 5.4: the threshold adapts to the delay variation of the line, or a competing TCP would starve us.
    fn adapt(&mut self, elapsed_ms: f64) {
        let distance = self.trend_ms().abs() - self.threshold_ms;
        if distance > SPIKE_MS {
            return;
        }
        let step = if distance < 0.0 { THRESHOLD_DOWN } else { THRESHOLD_UP };
        self.threshold_ms += step * distance * elapsed_ms.clamp(0.0, MAX_STEP_MS);
        self.threshold_ms = self.threshold_ms.clamp(THRESHOLD_MIN_MS, THRESHOLD_MAX_MS);
    }
}

/// Of the least-squares line through the samples; 0 where all are of one moment.
fn slope(samples: &VecDeque<(f64, f64)>) -> f64 {
    let n = samples.len().max(1) as f64;
    let mean_x = samples.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = samples.iter().map(|(_, y)| y).sum::<f64>() / n;
    let covariance = samples.iter().map(|(x, y)| (x - mean_x) * (y - mean_y));
    let over: f64 = covariance.sum();
    let under: f64 = samples.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    if under > 0.0 { over / under } else { 0.0 }
}

fn ms(us: i64) -> f64 {
    us as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Usage after each frame of `burst` packets of 1,000 bytes, 30 a second, over a line.
    fn frames(line_bps: f64, burst: i64, count: i64) -> Vec<Usage> {
        let mut trend = Trend::new();
        let mut free_us = 0.0f64;
        let frame = |n: i64| {
            let packets = (0..burst).map(|i| {
                let sent_us = n * 33_333 + i * 30;
                free_us = free_us.max(sent_us as f64) + 8_000.0 / line_bps * 1e6;
                Acknowledged { sent_us, received_us: 7_000_000 + free_us as i64, bytes: 1000, probe: 0 }
            });
            trend.on_packets(&packets.collect::<Vec<_>>())
        };
        (0..count).map(frame).collect()
    }

    #[test]
    fn bursts_on_a_free_line_are_normal() {
        let usages = frames(4_000_000.0, 4, 300);
        assert!(usages.iter().all(|usage| *usage == Usage::Normal));
    }

    #[test]
    fn bursts_on_a_line_that_is_too_slow_are_overuse() {
        // 5 × 8,000 bits × 30 are 1.2 Mbit/s.
        let usages = frames(1_000_000.0, 5, 100);
        let first = usages.iter().position(|usage| *usage == Usage::Over);
        assert!(first.is_some_and(|n| n < 40), "{first:?}");
    }

    #[test]
    fn a_queue_that_empties_is_underuse() {
        let mut trend = Trend::new();
        let emptying = |n: i64| Acknowledged {
            sent_us: n * 20_000,
            received_us: 1_000_000 + n * 18_000,
            bytes: 100,
            probe: 0,
        };
        let packets: Vec<_> = (0..60).map(emptying).collect();
        assert_eq!(trend.on_packets(&packets), Usage::Under);
    }

    #[test]
    fn a_burst_that_spreads_out_is_delay_though_its_first_packet_is_not() {
        let mut trend = Trend::new();
        // (sent, received) in ms: the last packet takes 10 ms, then 30 ms.
        for (sent, received) in [(0, 0), (1, 11), (33, 33), (34, 64), (66, 70)] {
            trend.on_packet(&Acknowledged {
                sent_us: sent * 1000,
                received_us: received * 1000,
                bytes: 1000,
                probe: 0,
            });
        }
        assert_eq!(trend.delay_ms, 20.0);
    }

    #[test]
    fn a_queue_that_has_begun_to_shrink_is_not_overuse() {
        let mut trend = Trend { slope: 1.0, count: MAX_SAMPLES, ..Trend::new() };
        trend.judge(2.0, 20.0);
        assert_eq!(trend.usage, Usage::Normal, "above the threshold, but falling");
        trend.judge(1.0, 20.0);
        assert_eq!(trend.usage, Usage::Over);
    }

    #[test]
    fn times_that_do_not_go_on_take_no_memory() {
        let mut trend = Trend::new();
        for n in 0..10_000 {
            // Arrivals 10 ms apart, there and back.
            let received_us = 1_000_000 + n % 2 * 10_000;
            trend.on_packets(&[Acknowledged { sent_us: n * 20_000, received_us, bytes: 100, probe: 0 }]);
        }
        assert!(trend.count > 50.0, "they were groups");
        assert!(trend.lately.len() <= JUMP_WITHIN_GROUPS, "{}", trend.lately.len());
    }

    #[test]
    fn a_clock_that_was_set_is_no_queue() {
        let mut trend = Trend::new();
        let jumping = |n: i64| Acknowledged {
            sent_us: n * 20_000,
            received_us: n * 20_000 + if n < 50 { 0 } else { 60_000_000 },
            bytes: 100,
            probe: 0,
        };
        for n in 0..200 {
            assert_eq!(trend.on_packets(&[jumping(n)]), Usage::Normal, "at {n}");
        }
    }
}
