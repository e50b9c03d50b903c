//! Departures of one peer's packets by transport-wide sequence number, matched with the arrivals its feedback reports.

use super::runs::Runs;
use rtp::rtcp::TransportReport;
use rtp::sequence::Sequence;
use std::time::{Duration, Instant};

/// Departures remembered: 1.5 s at 15 Mbit/s, longer than any round trip plus feedback interval.
/// With 8 bytes each they are 16 KiB, a sixteenth of what a subscriber may take.
const CAPACITY: usize = 2048;
const TICK_US: i64 = 250;
const REFERENCE_US: i64 = 64_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unknown,
    /// A report was about later packets only: the one about this packet is lost, or comes late.
    Unreported,
    Lost,
    Arrived,
}

#[derive(Debug, Clone, Copy)]
struct Departure {
    /// Since the first departure, in 32 bits: they wrap after 71 minutes, long after it is forgotten.
    sent_us: u32,
    bytes: u16,
    fate: Fate,
    /// Of the probe that it was part of; 0: none.
    probe: u8,
}

/// A time of departure: microseconds since the first one.
#[derive(Debug, Clone, Copy)]
pub struct Stamp(u64);

/// A packet both ends have seen. The two clocks have nothing in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Acknowledged {
    /// On our clock, since the first departure.
    pub sent_us: i64,
    /// On the peer's clock.
    pub received_us: i64,
    pub bytes: u32,
    /// Of the probe that it was part of; 0: none.
    pub probe: u8,
}

/// What one feedback packet reports that no earlier one has.
#[derive(Debug, Default, PartialEq)]
pub struct Summary {
    /// In order of departure.
    pub acknowledged: Vec<Acknowledged>,
    pub lost: u32,
    pub lost_bytes: u64,
    /// When the newest that the feedback is about was sent, on our clock, whatever became of it.
    pub newest_sent_us: Option<i64>,
    /// Arrived after all, having been reported as lost earlier.
    pub late: u32,
    pub runs: Runs,
    /// From departure of the newest to now: the round trip and the peer's wait before reporting.
    pub response: Option<Duration>,
}

#[derive(Debug)]
pub struct SendHistory {
    began: Option<Instant>,
    /// Of number n at n mod `CAPACITY`. Taken with the first departure, then kept.
    departures: Vec<Departure>,
    next: Sequence,
    /// Bytes of what has left and of which nothing is known.
    in_flight: u64,
    /// Every number before this one has been reported on, or passed over.
    told: Sequence,
    /// The last reference time, unwrapped from its 24 bits.
    reference: Option<i64>,
}

impl Default for SendHistory {
    fn default() -> Self {
        SendHistory::new()
    }
}

impl SendHistory {
    pub fn new() -> SendHistory {
        let next = Sequence::first(0);
        SendHistory { began: None, departures: Vec::new(), next, in_flight: 0, told: next, reference: None }
    }

    /// The number the next packet will carry.
    #[inline]
    pub fn peek(&self) -> u16 {
        self.next.number()
    }

    /// `now` in the units of departures: converted once for all packets of one run.
    #[inline]
    pub fn stamp(&mut self, now: Instant) -> Stamp {
        Stamp(micros(now, *self.began.get_or_insert(now)))
    }

    /// A packet of `bytes` is handed to the driver under that number; `probe` is that which it is part of, or 0.
    #[inline]
    pub fn record(&mut self, Stamp(sent_us): Stamp, bytes: usize, probe: u8) {
        let departure = Departure {
            sent_us: sent_us as u32,
            bytes: u16::try_from(bytes).unwrap_or(u16::MAX),
            fate: Fate::Unknown,
            probe,
        };
        if self.departures.is_empty() {
            self.departures.resize(CAPACITY, Departure { fate: Fate::Lost, ..departure });
        }
        if let Some(place) = self.departures.get_mut(self.next.place(CAPACITY)) {
            if place.fate == Fate::Unknown {
                self.in_flight = self.in_flight.saturating_sub(u64::from(place.bytes));
            }
            self.in_flight = self.in_flight.saturating_add(u64::from(departure.bytes));
            *place = departure;
        }
        self.next = self.next.next();
    }

    /// Bytes that have left, are remembered, and of which nothing is known yet.
    #[inline]
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Matches feedback with departures. What was never sent, or is no longer remembered, is ignored.
    pub fn on_feedback(&mut self, now: Instant, report: &TransportReport) -> Summary {
        let mut summary = Summary::default();
        let mut at = self.unwrap(report.reference_time).saturating_mul(REFERENCE_US);
        let first = self.next.nearest(report.base_sequence);
        let now_us = self.began.map_or(0, |began| micros(now, began));
        self.pass_over(first);
        for (sequence, arrival) in first.until(self.next).zip(&report.arrivals) {
            if let Some(delta) = arrival {
                at = at.saturating_add(i64::from(*delta).saturating_mul(TICK_US));
            }
            self.settle(now_us, sequence, arrival.map(|_| at), &mut summary);
        }
        let reported = first.plus(report.arrivals.len() as u64).min(self.next);
        self.told = self.told.max(reported);
        summary.runs.end();
        let newest = summary.acknowledged.last().map(|newest| newest.sent_us);
        summary.response = newest.map(|sent_us| Duration::from_micros(now_us.saturating_sub(sent_us as u64)));
        summary
    }

    /// Reports are sent once: what was sent before `first` and is not reported yet may never be.
    fn pass_over(&mut self, first: Sequence) {
        let remembered = self.next.minus(CAPACITY as u64);
        for sequence in self.told.max(remembered).until(first.min(self.next)) {
            if let Some(departure) = self.departures.get_mut(sequence.place(CAPACITY))
                && departure.fate == Fate::Unknown
            {
                departure.fate = Fate::Unreported;
                self.in_flight = self.in_flight.saturating_sub(u64::from(departure.bytes));
            }
        }
    }

    fn settle(&mut self, now_us: u64, sequence: Sequence, received_us: Option<i64>, summary: &mut Summary) {
        let forgotten = sequence < Sequence::first(0) || self.next.since(sequence) > CAPACITY as u64;
        let Some(departure) = self.departures.get_mut(sequence.place(CAPACITY)) else {
            return;
        };
        if forgotten || departure.fate == Fate::Arrived {
            return;
        }
        let sent_us =
            now_us.saturating_sub(u64::from((now_us as u32).wrapping_sub(departure.sent_us))) as i64;
        if departure.fate == Fate::Unknown {
            self.in_flight = self.in_flight.saturating_sub(u64::from(departure.bytes));
        }
        summary.newest_sent_us = summary.newest_sent_us.max(Some(sent_us));
        let Some(received_us) = received_us else {
            if departure.fate != Fate::Lost {
                departure.fate = Fate::Lost;
                summary.lost = summary.lost.saturating_add(1);
                if departure.probe == 0 {
                    summary.runs.lose(sent_us);
                }
                summary.lost_bytes = summary.lost_bytes.saturating_add(u64::from(departure.bytes));
            }
            return;
        };
        if departure.fate == Fate::Lost {
            summary.late = summary.late.saturating_add(1);
        }
        departure.fate = Fate::Arrived;
        summary.runs.end();
        summary.acknowledged.push(Acknowledged {
            sent_us,
            received_us,
            bytes: u32::from(departure.bytes),
            probe: departure.probe,
        });
    }

    /// The reference time nearest to the last one: 24 bits of 64 ms wrap every twelve days of the
    /// peer's clock, which did not start with the call.
    fn unwrap(&mut self, reference_time: u32) -> i64 {
        let low = i64::from(reference_time & 0xff_ffff);
        let before = self.reference.unwrap_or(low);
        let ahead = low.wrapping_sub(before) & 0xff_ffff;
        let ahead = if ahead < 1 << 23 { ahead } else { ahead.wrapping_sub(1 << 24) };
        let unwrapped = before.saturating_add(ahead);
        self.reference = Some(unwrapped);
        unwrapped
    }
}

fn micros(now: Instant, since: Instant) -> u64 {
    let passed = now.saturating_duration_since(since).as_micros();
    u64::try_from(passed).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::test_start;

    fn sent(count: u64) -> (Instant, SendHistory) {
        let start = test_start();
        let mut history = SendHistory::new();
        for ms in 0..count {
            let stamp = history.stamp(start + Duration::from_millis(ms));
            history.record(stamp, 100, 0);
        }
        (start, history)
    }

    fn report(base: u16, reference: u32, arrivals: &[Option<i16>]) -> TransportReport {
        TransportReport {
            base_sequence: base,
            reference_time: reference,
            feedback_count: 0,
            arrivals: arrivals.to_vec(),
        }
    }

    #[test]
    fn departures_meet_arrivals_once() {
        let (start, mut history) = sent(4);
        assert_eq!(history.peek(), 4);
        let feedback = report(0, 1, &[Some(4), None, Some(8), Some(4), Some(1)]);
        let summary = history.on_feedback(start + Duration::from_millis(53), &feedback);
        let times: Vec<_> = summary.acknowledged.iter().map(|a| (a.sent_us, a.received_us)).collect();
        assert_eq!(times, [(0, 65_000), (2000, 67_000), (3000, 68_000)]);
        assert_eq!((summary.lost, summary.lost_bytes, summary.newest_sent_us), (1, 100, Some(3000)));
        assert_eq!(summary.response, Some(Duration::from_millis(50)));
        let again = history.on_feedback(start, &feedback);
        assert_eq!((again.acknowledged.len(), again.lost), (0, 0), "nothing is new");
        assert_eq!(history.in_flight(), 0);
        let stamp = history.stamp(start);
        history.record(stamp, 70, 0);
        assert_eq!(history.in_flight(), 70);
    }

    #[test]
    fn what_no_report_was_about_is_not_in_flight_any_more() {
        let (start, mut history) = sent(4);
        history.on_feedback(start, &report(2, 0, &[Some(0)]));
        assert_eq!(history.in_flight(), 100, "0 and 1 are passed over, 3 is on its way");
        let late = history.on_feedback(start, &report(0, 0, &[Some(0), None]));
        assert_eq!(
            (late.acknowledged.len(), late.lost, late.late),
            (1, 1, 0),
            "their report comes after all"
        );
        assert_eq!(history.in_flight(), 100);
        let (_, full) = sent(3000);
        assert_eq!(full.in_flight(), 100 * CAPACITY as u64, "what is forgotten is not counted");
    }

    #[test]
    fn a_loss_may_turn_out_to_be_late() {
        let (start, mut history) = sent(3);
        let summary = history.on_feedback(start, &report(0, 0, &[Some(0), None, Some(0)]));
        assert_eq!((summary.lost, summary.late), (1, 0));
        let summary = history.on_feedback(start, &report(1, 0, &[Some(200), Some(-200)]));
        assert_eq!((summary.acknowledged.len(), summary.lost, summary.late), (1, 0, 1));
    }

    #[test]
    fn what_was_never_sent_or_is_forgotten_is_ignored() {
        let (start, mut history) = sent(3000);
        let arrivals = vec![Some(0); 4000];
        let summary = history.on_feedback(start, &report(0, 0, &arrivals));
        assert_eq!(summary.acknowledged.len(), CAPACITY);
        let (start, mut history) = sent(2);
        let summary = history.on_feedback(start, &report(65_530, 0, &arrivals));
        assert_eq!(summary.acknowledged.len(), 2);
        let mut nothing = SendHistory::new();
        assert_eq!(nothing.on_feedback(start, &report(0, 0, &arrivals)), Summary::default());
    }

    #[test]
    fn the_reference_time_wraps() {
        let (start, mut history) = sent(2);
        let before = history.on_feedback(start, &report(0, 0xff_ffff, &[Some(0)]));
        let after = history.on_feedback(start, &report(1, 0, &[Some(0)]));
        let between = after.acknowledged[0].received_us - before.acknowledged[0].received_us;
        assert_eq!(between, REFERENCE_US);
    }
}
