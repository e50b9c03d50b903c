//! The bandwidth estimator: packets leave, time goes by, and a receiver reports of them what it likes.

use super::reader::Reader;
use rtp::rtcp::TransportReport;
use sfu::bandwidth::estimate::Estimator;
use sfu::bandwidth::history::SendHistory;
use std::time::{Duration, Instant};

const START_BPS: u64 = 300_000;
/// `bandwidth/estimate.rs`: no estimate is lower.
const LEAST_BPS: u64 = 30_000;
/// Of one report: half, where more arrived than was believed to fit, and 8 %; and a packet of 9,600 bits in 100 ms at
/// the least.
const GROWTH: f64 = 1.5 * 1.08;
const GROWTH_BPS: f64 = 96_000.0;

/// A sequence of steps, each led by a byte that chooses it.
pub fn estimator(data: &[u8]) {
    let mut input = Reader(data);
    let mut line = Line {
        now: Instant::now(),
        history: SendHistory::new(),
        estimator: Estimator::new(START_BPS),
        left: Vec::new(),
    };
    let mut before = None;
    while let Some(step) = input.step() {
        match step % 4 {
            0 => line.now += Duration::from_micros(u64::from(input.byte()).pow(2) * 50),
            1 => line.send(&mut input),
            2 => line.report_anything(&mut input),
            _ => line.report_truth(&mut input),
        }
        let now = line.estimator.estimate_bps();
        assert!(before.is_none() || now.is_some(), "an estimate is not forgotten");
        assert!(now.is_none_or(|bps| bps >= LEAST_BPS), "{now:?}");
        let most = before.unwrap_or(START_BPS) as f64 * GROWTH + GROWTH_BPS;
        assert!(now.is_none_or(|bps| bps as f64 <= most), "{now:?} follows {before:?}");
        before = now.or(before);
    }
}

struct Line {
    now: Instant,
    history: SendHistory,
    estimator: Estimator,
    /// What has left since the last true report.
    left: Vec<(u16, Instant)>,
}

impl Line {
    fn send(&mut self, input: &mut Reader<'_>) {
        let (count, bytes, apart) = (input.byte(), input.word(), input.byte());
        for _ in 0..=count & 0x3f {
            self.now += Duration::from_micros(u64::from(apart) * 100);
            self.left.push((self.history.peek(), self.now));
            let stamp = self.history.stamp(self.now);
            self.history.record(stamp, usize::from(bytes), 0);
        }
    }

    /// A report of anything: numbers never sent, times that go back, more than there was.
    fn report_anything(&mut self, input: &mut Reader<'_>) {
        let base_sequence = self.history.peek().wrapping_sub(input.word());
        let reference_time = u32::from(input.word()) << (input.byte() % 9);
        let (count, scale) = (input.byte(), i16::from(input.byte()) + 1);
        let arrivals = input.bytes(count).iter().map(|byte| match byte {
            0 => None,
            byte => Some(i16::from(*byte as i8).wrapping_mul(scale)),
        });
        let report = TransportReport {
            base_sequence,
            reference_time,
            feedback_count: 0,
            arrivals: arrivals.collect(),
        };
        self.take(&report);
    }

    /// Of what has left, some is lost, and the rest came later and later or sooner and sooner.
    fn report_truth(&mut self, input: &mut Reader<'_>) {
        let (lost, drift) = (input.byte(), i64::from(input.byte() as i8));
        let Some((base_sequence, mut at)) = self.left.first().copied() else { return };
        let mut arrivals = Vec::new();
        for (place, (_, left)) in self.left.drain(..).enumerate() {
            let ticks = (left - at).as_micros() as i64 / 250 + drift;
            at = left;
            let is_lost = lost > 0 && place as u64 % 256 < u64::from(lost) && place % 2 == 1;
            arrivals.push((!is_lost).then_some(ticks.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16));
        }
        self.take(&TransportReport { base_sequence, reference_time: 1, feedback_count: 0, arrivals });
    }

    fn take(&mut self, report: &TransportReport) {
        let summary = self.history.on_feedback(self.now, report);
        self.estimator.on_feedback(self.now, &summary, report.feedback_count % 2 == 1);
    }
}
