//! Arrival times of a publisher's packets, for its congestion control: transport-wide feedback,
//! draft-holmer-rmcat-transport-wide-cc-extensions-01.
//!
//! Reports join without a hole: each begins where the last one ended, or earlier where a packet it reported as missing
//! has come after all. Beginning at the first arrival instead would hide every loss between two reports: with two
//! packets a report (audio) that is half of all losses.

use crate::time::after;
use rtp::rtcp::TransportReport;
use rtp::sequence::Sequence;
use std::time::{Duration, Instant};

/// Between reports, as in libwebrtc's own receivers: 50 ms where much comes, since faster reacts faster, and 250 where
/// little does. 20 reports of 75 bytes a second are 12 kbit/s of a line down that may carry 64.
const LEAST_INTERVAL: Duration = Duration::from_millis(50);
const MOST_INTERVAL: Duration = Duration::from_millis(250);
/// So many bytes pay for a report: it is a twentieth of them.
const PAY_FOR_A_REPORT: usize = 1_500;
/// Numbers remembered, and the most one report covers: 50 ms of 100 Mbit/s. A report of so many, each with a two-byte
/// delta, is 1,200 bytes and still one datagram.
const WINDOW: usize = 512;
/// Deltas count 250 µs, the reference time 64 ms: 256 of them.
const TICK_US: u128 = 250;
const REFERENCE_TICKS: i64 = 256;

/// When a number arrived, in ticks since the start.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    sequence: Sequence,
    ticks: i64,
}

#[derive(Debug)]
pub struct ArrivalRecorder {
    start: Instant,
    /// Of number n at n mod `WINDOW`. Taken with the first packet, then kept.
    arrivals: Vec<Option<Arrival>>,
    newest: Option<Sequence>,
    /// First number of the next report.
    next: Sequence,
    due: Option<Instant>,
    /// When it is due at the soonest, and how many bytes have come since the last one.
    soonest: Instant,
    bytes: usize,
    count: u8,
}

impl ArrivalRecorder {
    /// Reference times count from `start`.
    pub fn new(start: Instant) -> ArrivalRecorder {
        ArrivalRecorder {
            start,
            arrivals: Vec::new(),
            newest: None,
            next: Sequence::START,
            due: None,
            soonest: start,
            bytes: 0,
            count: 0,
        }
    }

    /// A packet of so many bytes has come.
    #[inline]
    pub fn record(&mut self, now: Instant, number: u16, bytes: usize) {
        let newest = *self.newest.get_or_insert_with(|| {
            self.next = Sequence::first(number);
            self.next
        });
        let sequence = newest.nearest(number);
        if self.find(sequence).is_some() || newest.since(sequence) >= WINDOW as u64 {
            return;
        }
        let newest = newest.max(sequence);
        self.newest = Some(newest);
        self.next = self.next.min(sequence);
        self.next = self.next.max(newest.next().minus(WINDOW as u64));
        self.put(now, sequence);
        if self.due.is_none() {
            (self.soonest, self.bytes) = (after(now, LEAST_INTERVAL), 0);
            self.due = Some(after(now, MOST_INTERVAL));
        }
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes >= PAY_FOR_A_REPORT {
            self.due = self.due.min(Some(self.soonest));
        }
    }

    /// Reports a packet as lost that was recorded.
    pub fn forget(&mut self, number: u16) {
        let sequence = self.newest.map(|newest| newest.nearest(number));
        let arrival =
            sequence.and_then(|sequence| Some((sequence, self.arrivals.get_mut(sequence.place(WINDOW))?)));
        if let Some((sequence, arrival)) = arrival {
            *arrival = arrival.filter(|arrival| arrival.sequence != sequence);
        }
    }

    /// When to `take`; `None` while nothing new has come.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// The report that is due, if any packet has come since the last one.
    pub fn take(&mut self, now: Instant) -> Option<TransportReport> {
        self.due.filter(|due| *due <= now)?;
        self.due = None;
        let (first, last) = (self.next, self.newest?);
        let mut arrivals = first.until(last.next()).filter_map(|sequence| self.find(sequence));
        let reference = arrivals.next()?.ticks.div_euclid(REFERENCE_TICKS);
        let mut report = TransportReport {
            base_sequence: first.number(),
            reference_time: (reference & 0xff_ffff) as u32,
            feedback_count: self.count,
            arrivals: Vec::with_capacity(last.next().since(first) as usize),
        };
        self.next = self.fill(&mut report, reference.saturating_mul(REFERENCE_TICKS), last);
        if self.next <= last {
            self.due = Some(now);
        }
        self.count = self.count.wrapping_add(1);
        Some(report)
    }

    /// Appends arrivals up to `last` as deltas; returns the number after the last one the report covers. It ends early
    /// where a delta does not fit 16 bits (8 s), which begins the next report.
    fn fill(&self, report: &mut TransportReport, reference_ticks: i64, last: Sequence) -> Sequence {
        let mut before = reference_ticks;
        for sequence in self.next.until(last.next()) {
            let Some(arrival) = self.find(sequence) else {
                report.arrivals.push(None);
                continue;
            };
            let Ok(delta) = i16::try_from(arrival.ticks.saturating_sub(before)) else {
                return sequence;
            };
            report.arrivals.push(Some(delta));
            before = arrival.ticks;
        }
        last.next()
    }

    fn find(&self, sequence: Sequence) -> Option<Arrival> {
        let arrival = self.arrivals.get(sequence.place(WINDOW)).copied().flatten();
        arrival.filter(|arrival| arrival.sequence == sequence)
    }

    fn put(&mut self, now: Instant, sequence: Sequence) {
        if self.arrivals.is_empty() {
            self.arrivals.resize(WINDOW, None);
        }
        let since = now.saturating_duration_since(self.start).as_micros();
        let ticks = i64::try_from(since.wrapping_div(TICK_US)).unwrap_or(i64::MAX);
        if let Some(arrival) = self.arrivals.get_mut(sequence.place(WINDOW)) {
            *arrival = Some(Arrival { sequence, ticks });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::test_start;

    struct Line {
        start: Instant,
        recorder: ArrivalRecorder,
    }

    impl Line {
        fn new() -> Line {
            let start = test_start();
            let recorder = ArrivalRecorder::new(start);
            Line { start, recorder }
        }

        fn at(&self, ms: u64) -> Instant {
            self.start + Duration::from_millis(ms)
        }

        fn record(&mut self, arrivals: &[(u64, u16)]) {
            for (ms, sequence) in arrivals {
                self.recorder.record(self.at(*ms), *sequence, PAY_FOR_A_REPORT);
            }
        }
    }

    #[test]
    fn a_report_has_holes_reordering_and_times() {
        let mut line = Line::new();
        line.record(&[(100, 65_534), (101, 0), (103, 65_535), (104, 2)]);
        assert_eq!(line.recorder.take(line.at(149)), None);
        assert_eq!(line.recorder.next_timeout(), Some(line.at(150)));
        let report = line.recorder.take(line.at(150)).unwrap();
        assert_eq!((report.base_sequence, report.reference_time), (65_534, 1));
        // 100 ms − 64 ms = 144 ticks; then +12, −8, a hole, +12.
        let reported = [Some(144), Some(12), Some(-8), None, Some(12)];
        assert_eq!(report.arrivals, reported);
        assert_eq!(line.recorder.next_timeout(), None, "silence needs no reports");
    }

    #[test]
    fn a_report_begins_where_the_last_one_ended() {
        let mut line = Line::new();
        line.record(&[(0, 10), (20, 11)]);
        line.recorder.take(line.at(50)).unwrap();
        line.record(&[(80, 14)]);
        let report = line.recorder.take(line.at(130)).unwrap();
        assert_eq!((report.base_sequence, report.feedback_count), (12, 1));
        assert_eq!(report.arrivals, [None, None, Some(64)], "80 ms − 64 ms");
    }

    #[test]
    fn a_packet_reported_missing_is_reported_again_when_it_comes() {
        let mut line = Line::new();
        line.record(&[(0, 1), (1, 3)]);
        line.recorder.take(line.at(50)).unwrap();
        line.record(&[(60, 2), (61, 3)]);
        let report = line.recorder.take(line.at(110)).unwrap();
        assert_eq!(report.base_sequence, 2);
        assert_eq!(report.arrivals, [Some(240), Some(-236)]);
        line.record(&[(120, 2), (120, 3)]);
        assert_eq!(line.recorder.next_timeout(), None, "duplicates are no news");
    }

    #[test]
    fn what_is_forgotten_is_reported_as_lost() {
        let mut line = Line::new();
        line.record(&[(0, 1), (10, 2), (20, 3)]);
        line.recorder.forget(2);
        line.recorder.forget(700);
        let report = line.recorder.take(line.at(50)).unwrap();
        assert_eq!((report.base_sequence, report.arrivals.as_slice()), (1, &[Some(0), None, Some(80)][..]));
        line.record(&[(60, 4)]);
        line.recorder.forget(4);
        assert_eq!(line.recorder.take(line.at(110)), None, "nothing came");
        line.record(&[(120, 5)]);
        assert_eq!(line.recorder.take(line.at(170)).unwrap().arrivals.len(), 2);
    }

    #[test]
    fn a_pause_longer_than_a_delta_begins_another_report() {
        let mut line = Line::new();
        line.record(&[(0, 1), (9_000, 2)]);
        let first = line.recorder.take(line.at(9_000)).unwrap();
        assert_eq!(first.arrivals, [Some(0)]);
        assert_eq!(line.recorder.next_timeout(), Some(line.at(9_000)));
        let second = line.recorder.take(line.at(9_000)).unwrap();
        assert_eq!((second.base_sequence, second.reference_time), (2, 140));
        assert_eq!(second.arrivals, [Some(160)], "9,000 ms − 140 × 64 ms");
    }

    #[test]
    fn a_hostile_jump_is_bounded() {
        let mut line = Line::new();
        line.record(&[(0, 0), (0, 30_000)]);
        let report = line.recorder.take(line.at(50)).unwrap();
        assert_eq!(report.arrivals.len(), WINDOW);
        assert_eq!(report.base_sequence, 30_000 - 511);
        line.record(&[(60, 0)]);
        assert_eq!(line.recorder.next_timeout(), None, "too old to be reported");
    }

    /// Speech is reported four times a second and frames twenty times, each from its first packet on.
    #[test]
    fn reports_are_as_frequent_as_what_comes_pays_for() {
        let reports = |packets: u64, bytes: usize| {
            let mut line = Line::new();
            let came = (0..packets).filter(|n| {
                let now = line.at(n.saturating_mul(10_000) / packets);
                line.recorder.record(now, *n as u16, bytes);
                line.recorder.take(now).is_some()
            });
            came.count()
        };
        assert_eq!(reports(500, 80), 35, "a voice at 32 kbit/s: 250 ms and the next packet");
        assert_eq!(reports(500, 240), 71, "with two copies of each packet: 125 ms");
        assert_eq!(reports(3_000, 1_000), 187, "2.4 Mbit/s: 50 ms and the next packet");
    }

    #[test]
    fn a_frame_after_silence_is_reported_as_soon_as_frames_are() {
        let mut line = Line::new();
        line.recorder.record(line.at(0), 1, 60);
        assert_eq!(line.recorder.next_timeout(), Some(line.at(250)));
        line.recorder.record(line.at(30), 2, 1_500);
        assert_eq!(line.recorder.next_timeout(), Some(line.at(50)));
    }

    /// Speech with a fifth of it lost: every loss is reported, also one between two reports.
    #[test]
    fn the_losses_reported_are_the_losses_there_were() {
        let mut line = Line::new();
        let (mut lost, mut reported) = (0, 0);
        for n in 0..3000u32 {
            let now = line.at(u64::from(n) * 20);
            if let Some(report) = line.recorder.take(now) {
                reported += report.arrivals.iter().filter(|a| a.is_none()).count();
            }
            // The first and the last arrive, so that all others are between two arrivals.
            if n != 0 && n < 2970 && (n.wrapping_mul(2_654_435_761) >> 16).is_multiple_of(5) {
                lost += 1;
            } else {
                line.recorder.record(now, n as u16, 60);
            }
        }
        assert!(lost > 500);
        assert_eq!(reported, lost);
    }
}
