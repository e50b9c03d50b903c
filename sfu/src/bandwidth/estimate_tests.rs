//! Our sender over a line with a rate, a drop-tail queue and seeded loss, and a receiver that reports as
//! browsers do, in virtual time.

use super::*;
use crate::bandwidth::history::SendHistory;
use crate::time::test_start;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rtp::rtcp::TransportReport;
use std::collections::VecDeque;

const MS: Duration = Duration::from_millis(1);
/// Each way.
const DELAY: Duration = Duration::from_millis(20);
const QUEUE: Duration = Duration::from_millis(300);
const PACKET: usize = 1000;

/// Between reports.
const INTERVAL: Duration = Duration::from_millis(50);

/// The far end of a line that keeps the order.
struct Receiver {
    start: Instant,
    /// Numbers with their times in units of 250 µs.
    arrived: VecDeque<(u16, i64)>,
    next: u16,
    due: Option<Instant>,
}

impl Receiver {
    fn record(&mut self, now: Instant, number: u16) {
        self.arrived.push_back((number, (now - self.start).as_micros() as i64 / 250));
        self.due.get_or_insert(now + INTERVAL);
    }

    /// All numbers up to the newest that came.
    fn report(&mut self, now: Instant) -> Option<TransportReport> {
        self.due.take_if(|due| *due <= now)?;
        let end = self.arrived.back()?.0.wrapping_add(1);
        let reference = self.arrived.front()?.1 / 256;
        let mut report = TransportReport {
            base_sequence: self.next,
            reference_time: reference as u32,
            ..TransportReport::default()
        };
        let mut before = reference * 256;
        while self.next != end {
            let arrival = self.arrived.pop_front_if(|(number, _)| *number == self.next);
            let delta = |(_, at)| (at - std::mem::replace(&mut before, at)) as i16;
            report.arrivals.push(arrival.map(delta));
            self.next = self.next.wrapping_add(1);
        }
        Some(report)
    }
}

struct Line {
    now: Instant,
    free_at: Instant,
    rate_bps: f64,
    loss: f64,
    /// Milliseconds between frames, each sent as one burst; 1 is an even stream.
    frame_ms: u64,
    wanted_bps: u64,
    rng: StdRng,
    credit_bits: f64,
    ticks: u64,
    history: SendHistory,
    estimator: Estimator,
    receiver: Receiver,
    media: VecDeque<(Instant, u16)>,
    reports: VecDeque<(Instant, TransportReport)>,
    longest_queue: Duration,
}

impl Line {
    fn new(rate_bps: f64) -> Line {
        let now = test_start();
        let history = SendHistory::new();
        let receiver = Receiver { start: now, arrived: VecDeque::new(), next: history.peek(), due: None };
        Line {
            now,
            free_at: now,
            rate_bps,
            loss: 0.0,
            frame_ms: 33,
            wanted_bps: u64::MAX,
            rng: StdRng::seed_from_u64(7),
            credit_bits: 0.0,
            ticks: 0,
            history,
            estimator: Estimator::new(600_000),
            receiver,
            media: VecDeque::new(),
            reports: VecDeque::new(),
            longest_queue: Duration::ZERO,
        }
    }

    /// Sends at the estimate, as far as wanted; returns the lowest and highest estimate on the way.
    fn run(&mut self, seconds: u64) -> (u64, u64) {
        let (mut low, mut high) = (u64::MAX, 0);
        self.longest_queue = Duration::ZERO;
        for _ in 0..seconds * 1000 {
            self.step();
            let estimate = self.estimator.estimate_bps().unwrap_or(600_000);
            (low, high) = (low.min(estimate), high.max(estimate));
        }
        (low, high)
    }

    fn step(&mut self) {
        self.now += MS;
        self.ticks += 1;
        let rate = self.estimator.estimate_bps().unwrap_or(600_000);
        self.credit_bits += rate.min(self.wanted_bps) as f64 / 1000.0;
        if self.ticks.is_multiple_of(self.frame_ms) {
            while self.credit_bits >= (PACKET * 8) as f64 {
                self.credit_bits -= (PACKET * 8) as f64;
                self.send();
            }
        }
        while let Some((_, number)) = self.media.pop_front_if(|(at, _)| *at <= self.now) {
            self.receiver.record(self.now, number);
        }
        if let Some(report) = self.receiver.report(self.now) {
            self.reports.push_back((self.now + DELAY, report));
        }
        while let Some((_, report)) = self.reports.pop_front_if(|(at, _)| *at <= self.now) {
            let summary = self.history.on_feedback(self.now, &report);
            self.estimator.on_feedback(self.now, &summary);
        }
    }

    fn send(&mut self) {
        let number = self.history.peek();
        let stamp = self.history.stamp(self.now);
        self.history.record(stamp, PACKET);
        let queue = self.free_at.saturating_duration_since(self.now);
        self.longest_queue = self.longest_queue.max(queue);
        if queue > QUEUE || self.rng.random::<f64>() < self.loss {
            return;
        }
        let seconds = (PACKET * 8) as f64 / self.rate_bps;
        self.free_at = self.free_at.max(self.now) + Duration::from_secs_f64(seconds);
        self.media.push_back((self.free_at + DELAY, number));
    }
}

#[test]
fn there_is_no_estimate_before_feedback() {
    let mut estimator = Estimator::new(600_000);
    assert_eq!(estimator.estimate_bps(), None);
    estimator.on_feedback(test_start(), &Summary::default());
    assert_eq!(estimator.estimate_bps(), None, "feedback about nothing");
}

#[test]
fn a_full_line_is_found_and_kept() {
    for frame_ms in [1, 33] {
        let mut line = Line::new(1_000_000.0);
        line.frame_ms = frame_ms;
        line.run(30);
        let (low, high) = line.run(60);
        assert!(low >= 700_000 && high <= 1_100_000, "{frame_ms} ms: {low} to {high}");
        assert!(line.longest_queue < QUEUE, "found by delay, before the queue overflows");
        assert_eq!(line.estimator.loss.fraction, 0.0);
    }
}

#[test]
fn a_line_that_narrows_and_widens_is_followed() {
    let mut line = Line::new(2_000_000.0);
    line.run(40);
    line.rate_bps = 500_000.0;
    line.run(10);
    let (_, high) = line.run(20);
    assert!(high <= 600_000, "narrow: {high}");
    line.rate_bps = 2_000_000.0;
    line.run(40);
    let (low, _) = line.run(10);
    assert!(low >= 1_200_000, "wide again: {low}");
}

#[test]
fn heavy_loss_lowers_the_estimate_and_its_end_raises_it() {
    let mut line = Line::new(5_000_000.0);
    line.run(20);
    let before = line.estimator.estimate_bps().unwrap();
    line.loss = 0.2;
    line.run(10);
    let lossy = line.estimator.estimate_bps().unwrap();
    assert!(lossy < before / 2, "{before} to {lossy}");
    assert!(line.estimator.loss.fraction > 0.05);
    line.loss = 0.0;
    line.run(40);
    let after = line.estimator.estimate_bps().unwrap();
    assert!(after > lossy * 2, "{lossy} to {after}");
}

#[test]
fn a_tenth_lost_lowers_the_estimate_and_a_hundredth_does_not() {
    let estimate = |loss: f64| {
        let mut line = Line::new(5_000_000.0);
        line.loss = loss;
        line.run(30);
        line.estimator.estimate_bps().unwrap()
    };
    assert!(estimate(0.10) < 600_000, "{}", estimate(0.10));
    assert!(estimate(0.005) > 900_000, "{}", estimate(0.005));
}

#[test]
fn an_application_limited_line_is_not_believed_to_be_endless() {
    let mut line = Line::new(100_000_000.0);
    line.wanted_bps = 600_000;
    line.run(120);
    let (low, high) = line.run(10);
    assert!(low >= 600_000 && high <= 1_000_000, "{low} to {high}");
}

#[test]
fn the_same_seed_gives_the_same_estimate() {
    let run = || {
        let mut line = Line::new(1_000_000.0);
        line.loss = 0.05;
        line.run(20)
    };
    assert_eq!(run(), run());
}
