//! Our sender over a line with a rate, a drop-tail queue and seeded loss, and a receiver that reports as
//! browsers do, in virtual time.

use super::*;
use crate::bandwidth::history::SendHistory;
use crate::time::test_start;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rtp::rtcp::TransportReport;
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

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
    /// When all that waits has passed; flows that share a line share this.
    free_at: Rc<Cell<Instant>>,
    rate_bps: f64,
    loss: f64,
    /// What arrives within so many milliseconds is let go at their end, together: a radio line. 1 lets all pass.
    bunch_ms: u32,
    /// Milliseconds between frames, each sent as one burst; 1 is an even stream.
    frame_ms: u64,
    wanted_bps: u64,
    /// Packets of a probe that are still to be sent, and how fast.
    probing: Option<(Probe, f64, usize)>,
    probe_bytes: u64,
    is_without_probes: bool,
    rng: StdRng,
    credit_bits: f64,
    ticks: u64,
    history: SendHistory,
    estimator: Estimator,
    receiver: Receiver,
    media: VecDeque<(Instant, u16)>,
    reports: VecDeque<(Instant, TransportReport)>,
    longest_queue: Duration,
    /// Packets.
    arrived: u64,
}

impl Line {
    fn new(rate_bps: f64) -> Line {
        let now = test_start();
        let history = SendHistory::new();
        let receiver = Receiver { start: now, arrived: VecDeque::new(), next: history.peek(), due: None };
        Line {
            now,
            free_at: Rc::new(Cell::new(now)),
            rate_bps,
            loss: 0.0,
            bunch_ms: 1,
            frame_ms: 33,
            wanted_bps: u64::MAX,
            probing: None,
            probe_bytes: 0,
            is_without_probes: false,
            rng: StdRng::seed_from_u64(7),
            credit_bits: 0.0,
            ticks: 0,
            history,
            estimator: Estimator::new(600_000),
            receiver,
            media: VecDeque::new(),
            reports: VecDeque::new(),
            longest_queue: Duration::ZERO,
            arrived: 0,
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
            // What may not leave waits; what has waited for longer than a frame is no burst of its own.
            self.credit_bits = self.credit_bits.min(rate as f64 * 0.1);
            while self.credit_bits >= (PACKET * 8) as f64
                && self.history.in_flight() < self.estimator.most_in_flight()
            {
                self.credit_bits -= (PACKET * 8) as f64;
                self.send(0);
            }
        }
        self.probe();
        while let Some((_, number)) = self.media.pop_front_if(|(at, _)| *at <= self.now) {
            self.arrived += 1;
            self.receiver.record(self.now, number);
        }
        if let Some(report) = self.receiver.report(self.now) {
            self.reports.push_back((self.now + DELAY, report));
        }
        while let Some((_, report)) = self.reports.pop_front_if(|(at, _)| *at <= self.now) {
            let summary = self.history.on_feedback(self.now, &report);
            self.estimator.on_feedback(self.now, &summary, false);
        }
    }

    /// Sends what is due of a probe.
    fn probe(&mut self) {
        if self.probing.is_none() && !self.is_without_probes {
            let wanted = self.wanted_bps.min(10_000_000) as f64;
            self.probing = self.estimator.poll_probe(self.now, wanted, false).map(|probe| (probe, 0.0, 0));
        }
        let Some((probe, mut credit, mut sent)) = self.probing.take() else {
            return;
        };
        credit += probe.bps / 1000.0;
        while credit >= (PACKET * 8) as f64 && (sent * PACKET < probe.bytes || sent < probe.packets) {
            credit -= (PACKET * 8) as f64;
            sent += 1;
            self.probe_bytes += PACKET as u64;
            self.send(probe.id);
        }
        let more = sent * PACKET < probe.bytes || sent < probe.packets;
        self.probing = more.then_some((probe, credit, sent));
    }

    fn send(&mut self, probe: u8) {
        let number = self.history.peek();
        let stamp = self.history.stamp(self.now);
        self.history.record(stamp, PACKET, probe);
        let queue = self.free_at.get().saturating_duration_since(self.now);
        self.longest_queue = self.longest_queue.max(queue);
        if queue > QUEUE || self.rng.random::<f64>() < self.loss {
            return;
        }
        let seconds = (PACKET * 8) as f64 / self.rate_bps;
        self.free_at.set(self.free_at.get().max(self.now) + Duration::from_secs_f64(seconds));
        let passed = (self.free_at.get() + DELAY - self.receiver.start).as_millis() as u32;
        let bunches = passed.div_ceil(self.bunch_ms);
        self.media.push_back((self.receiver.start + MS * self.bunch_ms * bunches, number));
    }
}

#[test]
fn there_is_no_estimate_before_feedback() {
    let mut estimator = Estimator::new(600_000);
    assert_eq!(estimator.estimate_bps(), None);
    estimator.on_feedback(test_start(), &Summary::default(), false);
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
        assert_eq!(line.estimator.loss.inherent(), 0.0);
    }
}

/// When the estimate is first at least `bps`, looked at for so many seconds.
fn reaches(line: &mut Line, bps: u64, seconds: u64) -> Option<Duration> {
    let begin = line.now;
    (0..seconds * 100).find_map(|_| {
        (0..10).for_each(|_| line.step());
        let there = line.estimator.estimate_bps().is_some_and(|estimate| estimate >= bps);
        there.then(|| line.now - begin)
    })
}

#[test]
fn a_line_of_two_megabits_is_found_within_three_seconds() {
    let mut line = Line::new(2_000_000.0);
    let found = reaches(&mut line, 1_700_000, 10);
    assert!(found.is_some_and(|found| found <= Duration::from_secs(3)), "{found:?}");
    assert!(line.longest_queue <= Duration::from_millis(200), "{:?}", line.longest_queue);
}

/// A line of so many bits per second that is used for twenty seconds and some milliseconds more: when a change comes, of
/// the frame or the probe that is on its way, should not matter.
fn used(rate_bps: f64, phase: u64) -> Line {
    let mut line = Line::new(rate_bps);
    (0..20_000 + phase * 7).for_each(|_| line.step());
    line
}

#[test]
fn half_a_line_is_known_within_half_a_second() {
    let halve = |phase| {
        let mut line = used(2_000_000.0, phase);
        line.rate_bps = 1_000_000.0;
        line.longest_queue = Duration::ZERO;
        (0..500).for_each(|_| line.step());
        let estimate = line.estimator.estimate_bps().unwrap();
        assert!(estimate <= 1_200_000, "{estimate}");
        (0..500).for_each(|_| line.step());
        let queue = line.free_at.get().saturating_duration_since(line.now);
        assert!(queue <= Duration::from_millis(110), "{queue:?}");
        line.longest_queue
    };
    let mut longest: Vec<Duration> = (0..12).map(halve).collect();
    longest.sort();
    // Every frame is a burst of 33 ms of the line here, and stands on it twice as long when that is halved.
    assert!(longest[6] <= Duration::from_millis(250), "{longest:?}");
    assert!(longest[11] <= Duration::from_millis(285), "{longest:?}: less than the line's queue of 300 ms");
}

#[test]
fn a_line_that_comes_back_is_used_within_three_seconds() {
    for (rate, narrow, seconds) in [(2e6, 5e5, 1), (2e6, 5e5, 10), (2e6, 5e5, 30), (5e6, 3e5, 5)] {
        for phase in 0..6 {
            let mut line = used(rate, phase);
            line.rate_bps = narrow;
            line.run(seconds);
            let estimate = line.estimator.estimate_bps().unwrap();
            assert!(estimate as f64 <= 1.2 * narrow, "{narrow}: {estimate}");
            line.rate_bps = rate;
            let back = reaches(&mut line, (0.9 * rate) as u64, 10);
            let in_time = back.is_some_and(|back| back <= Duration::from_secs(3));
            assert!(in_time, "{rate} after {seconds} s, {phase}: {back:?}");
        }
    }
}

/// A key frame that comes at once on a line of which little is used makes a queue, and says what the line carries.
#[test]
fn a_frame_that_waits_for_itself_lowers_little() {
    for packets in 3..8 {
        let mut line = used(500_000.0, 0);
        line.wanted_bps = 100_000;
        line.run(5);
        let before = line.estimator.estimate_bps().unwrap();
        for _ in 0..3 {
            (0..packets).for_each(|_| line.send(0));
            let least = line.run(1).0;
            assert!(least * 10 >= before * 7, "{packets} packets: {before} to {least}");
        }
    }
}

#[test]
fn what_is_not_proved_any_more_is_believed_less() {
    let mut line = Line::new(5_000_000.0);
    line.run(20);
    line.wanted_bps = 100_000;
    line.is_without_probes = true;
    line.run(90);
    let estimate = line.estimator.estimate_bps().unwrap();
    assert!(estimate < 500_000, "{estimate}");
}

#[test]
fn probes_cost_little() {
    let mut line = Line::new(2_000_000.0);
    line.run(10);
    line.probe_bytes = 0;
    line.run(60);
    let share = line.probe_bytes as f64 * 8.0 / 60.0 / 2e6;
    assert!(share < 0.05, "{share}");
}

#[test]
fn a_line_that_lets_packets_go_in_bunches_is_used() {
    for bunch_ms in [10, 20, 40] {
        let mut line = Line::new(2_000_000.0);
        line.bunch_ms = bunch_ms;
        line.run(20);
        let means = (0..20).map(|_| line.run(1).0 as f64);
        let mean = means.sum::<f64>() / 20.0;
        assert!((1.3e6..=2.2e6).contains(&mean), "{bunch_ms} ms: {mean}");
    }
}

/// The mean estimate of ten seconds, after thirty.
fn settled(rate_bps: f64, loss: f64) -> f64 {
    let mut line = Line::new(rate_bps);
    line.loss = loss;
    line.run(30);
    let estimates = (0..10).map(|_| line.run(1).0 as f64);
    estimates.sum::<f64>() / 10.0
}

#[test]
fn random_loss_costs_no_rate() {
    for rate in [1e6, 2e6] {
        let clean = settled(rate, 0.0);
        let lossy = settled(rate, 0.05);
        assert!(lossy >= 0.9 * clean, "{rate}: {lossy} of {clean}");
    }
}

#[test]
fn heavy_loss_leaves_a_rate_and_its_end_raises_it() {
    let mut line = Line::new(2_000_000.0);
    line.run(20);
    line.loss = 0.2;
    line.run(30);
    let lossy = line.estimator.estimate_bps().unwrap();
    assert!(lossy >= 300_000, "{lossy}");
    line.loss = 0.0;
    line.run(20);
    let after = line.estimator.estimate_bps().unwrap();
    assert!(after > 1_400_000, "{lossy} to {after}");
}

#[test]
fn an_application_limited_line_is_not_believed_to_be_endless() {
    let mut line = Line::new(100_000_000.0);
    line.wanted_bps = 600_000;
    line.run(120);
    let (low, high) = line.run(10);
    assert!(low >= 600_000 && high <= 1_300_000, "{low} to {high}");
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

#[path = "estimate_flows_tests.rs"]
mod flows;

#[test]
fn a_queue_stands_where_nothing_comes_sooner_for_half_a_second() {
    let (start, ms) = (test_start(), Duration::from_millis);
    let waits = |responses: &dyn Fn(u64) -> u64| {
        let mut response = Response::default();
        (0..100).for_each(|step| response.on_response(start + ms(step * 50), ms(responses(step))));
        response.wait()
    };
    assert_eq!(waits(&|step| if step < 50 { 40 } else { 340 }), ms(300));
    assert_eq!(waits(&|step| if step % 5 == 0 { 40 } else { 340 }), ms(0), "late now and then");
    assert_eq!(waits(&|step| if (50..90).contains(&step) { 340 } else { 40 }), ms(0), "and gone again");
}
