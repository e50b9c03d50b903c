//! When what waits for one line may leave, so that it does not wait there.
//!
//! A line is used [`BURST`] ahead of its time at most: a frame of average size leaves as one burst, and a larger one, a
//! key frame, is spread. And no more is on its way than the line carries in a response and a short queue; on a line that
//! says nothing any more, one packet at a time looks whether it is back.

use super::probe::Probe;
use crate::time::after;
use std::time::{Duration, Instant};

/// At 30 frames a second the average frame takes less of a line that its video fills.
const BURST: Duration = Duration::from_millis(40);
/// Speech that takes so much more of a line than has passed is not paid back by what leaves after it.
const SPEECH_AHEAD: Duration = Duration::from_millis(100);
/// A visit is worth it when so much of that is free again.
const STEP: Duration = Duration::from_millis(10);
/// What waits leaves a little faster than the line is believed to carry, so that it ends.
const DRAIN: f64 = 1.1;
/// A line that says nothing is tried so often.
const TRY_AGAIN: Duration = Duration::from_millis(500);
/// Header, transport-wide number and tag of a packet of padding.
const PACKET_OVERHEAD: usize = 36;
/// A packet is no smaller on a narrow line.
const LEAST_PADDING: u8 = 16;
/// 15 ms of 50 Mbit/s.
const MOST_PACKETS: usize = 320;
/// A probe's packets leave in portions of this length.
const PORTION: Duration = Duration::from_millis(5);

/// What a line is believed to carry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Believed {
    pub bps: f64,
    /// Bytes that may be on their way, and those that are.
    pub most_in_flight: u64,
    pub in_flight: u64,
}

#[derive(Debug, Default)]
pub struct Pacer {
    /// When the line has carried all that has left.
    free_at: Option<Instant>,
    last: Option<Instant>,
    last_video: Option<Instant>,
    probe: Option<RunningProbe>,
}

/// A probe that is being sent.
#[derive(Debug, Clone, Copy)]
struct RunningProbe {
    bps: f64,
    id: u8,
    /// Bytes of padding in each packet.
    padding: u8,
    next_at: Instant,
}

impl Pacer {
    /// How many bytes may leave now, or when to ask again.
    #[inline]
    pub fn permit(&self, now: Instant, line: Believed) -> Result<usize, Instant> {
        if line.in_flight >= line.most_in_flight {
            let at = self.last.map_or(now, |last| after(last, TRY_AGAIN));
            return if at <= now { Ok(1) } else { Err(at) };
        }
        let Some(free_at) = self.free_at.filter(|at| *at > now) else {
            return Ok(bytes(line.bps, BURST));
        };
        let ahead = free_at.saturating_duration_since(now);
        match BURST.checked_sub(ahead).filter(|free| *free >= STEP) {
            Some(free) => Ok(bytes(line.bps, free)),
            None => Err(after(now, ahead.saturating_add(STEP).saturating_sub(BURST))),
        }
    }

    /// So many bytes have left.
    #[inline]
    pub fn on_sent(&mut self, now: Instant, sent: usize, bps: f64) {
        let takes = Duration::from_secs_f64(sent as f64 * 8.0 / (bps.max(1.0) * DRAIN));
        self.free_at = Some(after(self.free_at.map_or(now, |at| at.max(now)), takes));
        self.last = Some(now);
    }

    /// So many bytes have left that wait for nothing. They take their part of the line, and what they take beyond
    /// [`SPEECH_AHEAD`] nobody else pays back.
    #[inline]
    pub fn on_speech(&mut self, now: Instant, sent: usize, bps: f64) {
        let before = self.free_at;
        self.on_sent(now, sent, bps);
        self.free_at = self.free_at.map(|at| at.min(after(now, SPEECH_AHEAD))).max(before);
    }

    /// Video has left.
    #[inline]
    pub fn on_video(&mut self, now: Instant) {
        self.last_video = Some(now);
    }

    /// How long no video has left.
    pub fn still_for(&self, now: Instant) -> Duration {
        self.last_video.map_or(Duration::ZERO, |last| now.saturating_duration_since(last))
    }

    /// What is sent as padding from now on is this probe, at its rate; returns in how many packets.
    pub fn begin_probe(&mut self, now: Instant, probe: Probe) -> u16 {
        let share = probe.bytes.checked_div(probe.packets).unwrap_or(0).saturating_sub(PACKET_OVERHEAD);
        let padding = u8::try_from(share).unwrap_or(u8::MAX).max(LEAST_PADDING);
        self.probe = Some(RunningProbe { bps: probe.bps, id: probe.id, padding, next_at: now });
        let packets = probe.bytes.div_ceil(usize::from(padding).saturating_add(PACKET_OVERHEAD));
        packets.clamp(probe.packets, MOST_PACKETS) as u16
    }

    /// Bytes of padding in each packet of the probe.
    pub fn padding(&self) -> u8 {
        self.probe.map_or(LEAST_PADDING, |probe| probe.padding)
    }

    /// The probe that padding belongs to; 0: none.
    pub fn probe_id(&self) -> u8 {
        self.probe.map_or(0, |probe| probe.id)
    }

    /// How many bytes of padding may leave now, or when to ask again.
    pub fn permit_padding(&self, now: Instant) -> Result<usize, Instant> {
        let Some(probe) = self.probe else {
            return Ok(usize::MAX);
        };
        if probe.next_at > now { Err(probe.next_at) } else { Ok(bytes(probe.bps, PORTION)) }
    }

    /// So many bytes of padding have left.
    pub fn on_padding(&mut self, now: Instant, sent: usize) {
        if let Some(probe) = &mut self.probe {
            let takes = Duration::from_secs_f64(sent as f64 * 8.0 / probe.bps.max(1.0));
            probe.next_at = after(probe.next_at.max(now), takes);
        }
    }
}

fn bytes(bps: f64, time: Duration) -> usize {
    (bps / 8.0 * time.as_secs_f64()).max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::test_start;

    const MS: Duration = Duration::from_millis(1);

    fn line(bps: f64) -> Believed {
        Believed { bps, most_in_flight: u64::MAX, in_flight: 0 }
    }

    /// Sends packets of 1,000 bytes whenever it may; returns when, in milliseconds.
    fn departures(pacer: &mut Pacer, start: Instant, bps: f64, packets: usize) -> Vec<u128> {
        let (mut now, mut left) = (start, Vec::new());
        while left.len() < packets {
            match pacer.permit(now, line(bps)) {
                Ok(mut most) => loop {
                    pacer.on_sent(now, 1000, bps);
                    left.push((now - start).as_millis());
                    most = most.saturating_sub(1000);
                    if most == 0 || left.len() == packets {
                        break;
                    }
                },
                Err(at) => now = at,
            }
        }
        left
    }

    #[test]
    fn on_a_wide_line_a_frame_leaves_at_once() {
        let left = departures(&mut Pacer::default(), test_start(), 10e6, 40);
        assert!(left.iter().all(|at| *at == 0), "{left:?}");
    }

    /// 40 packets of 8,000 bits are 320 ms of a line with 1 Mbit/s; 40 ms of them leave at once.
    #[test]
    fn a_large_frame_is_spread_over_a_narrow_line() {
        let left = departures(&mut Pacer::default(), test_start(), 1e6, 40);
        assert_eq!(left.iter().filter(|at| **at == 0).count(), 5);
        let last = *left.last().expect("packets");
        assert!((230..=300).contains(&last), "{last}: 280 ms, a tenth faster");
        let visits = left.chunk_by(|a, b| a == b).count();
        assert!(visits <= 35, "{visits} visits");
    }

    /// Six voices of 48 kbit/s and as much video as may leave, on a line of 600 kbit/s.
    #[test]
    fn video_leaves_room_for_speech() {
        let (start, mut pacer, mut sent) = (test_start(), Pacer::default(), 0);
        for step in 0..1000 {
            let now = start + MS * 2 * step;
            if step % 10 == 0 {
                pacer.on_speech(now, 720, 600e3);
                sent += 720;
            }
            while pacer.permit(now, line(600e3)).is_ok() {
                pacer.on_sent(now, 1000, 600e3);
                sent += 1000;
            }
        }
        let carried = 600_000 / 8 * 2;
        assert!(sent < carried * 113 / 100, "{sent} bytes in two seconds, the line carries {carried}");
    }

    /// 100 kbit/s of speech on a line that is believed to carry 50, and then carries 1,000.
    #[test]
    fn speech_that_is_too_much_is_not_paid_back() {
        let (start, mut pacer) = (test_start(), Pacer::default());
        for step in 0..500 {
            pacer.on_speech(start + MS * 20 * step, 250, 50e3);
        }
        assert!(pacer.permit(start + MS * 10_060, line(1e6)).is_ok(), "nothing was sent for 80 ms");
    }

    #[test]
    fn nothing_more_leaves_while_enough_is_on_its_way() {
        let (now, mut pacer) = (test_start(), Pacer::default());
        let full = Believed { most_in_flight: 5000, in_flight: 5000, ..line(1e6) };
        pacer.on_sent(now, 1000, 1e6);
        assert_eq!(pacer.permit(now + MS, full), Err(now + TRY_AGAIN));
        assert_eq!(pacer.permit(now + TRY_AGAIN, full), Ok(1), "one packet looks whether the line is back");
        let room = Believed { in_flight: 4999, ..full };
        assert!(pacer.permit(now + MS, room).is_ok());
    }

    #[test]
    fn a_probe_of_a_narrow_line_has_small_packets() {
        let probe = Probe { id: 1, bps: 128e3, bytes: 240, packets: 5 };
        let mut pacer = Pacer::default();
        assert_eq!((pacer.begin_probe(test_start(), probe), pacer.padding()), (5, LEAST_PADDING));
    }

    /// 3,750 bytes at 2 Mbit/s are 15 ms.
    #[test]
    fn a_probe_leaves_at_its_rate() {
        let (start, mut pacer) = (test_start(), Pacer::default());
        let probe = Probe { id: 7, bps: 2e6, bytes: 3750, packets: 5 };
        assert_eq!((pacer.begin_probe(start, probe), pacer.padding()), (13, 255));
        assert_eq!(pacer.probe_id(), 7);
        let (mut now, mut left) = (start, 0);
        while left < 3750 {
            match pacer.permit_padding(now) {
                Ok(most) => {
                    pacer.on_padding(now, most);
                    left += most;
                }
                Err(at) => now = at,
            }
        }
        assert_eq!(now - start, MS * 10, "the third portion of 5 ms leaves then");
    }
}
