//! Order, loss and jitter of one received SSRC (RFC 3550 appendix A.1, A.3, A.8).

use super::rate::RateMeter;
use crate::discard::DropReason;
use rtp::ids::Ssrc;
use rtp::ntp::NtpTime;
use rtp::rtcp::ReportBlock;
use rtp::sequence::Sequence;
use std::time::{Duration, Instant};

/// Numbers that are known to have come or not, one bit each: as many as the largest slab holds. No packet may come
/// further behind the newest than its own slab reaches (`Stream::new`), or it would be accepted and not kept.
const WINDOW: usize = 64 * WORDS;
const WORDS: usize = 8;
/// RFC 3550 A.1 MAX_DROPOUT. A larger jump either way is an encoder that restarted, or noise.
const MAX_JUMP: u16 = 3000;
/// A jump in transit time of more than this is a changed clock, not jitter (libwebrtc: 5 s).
const MAX_TRANSIT_JUMP_S: u32 = 5;

/// What an accepted packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Never decreases over a restart, so a number never names two packets.
    pub sequence: Sequence,
    /// Newer than everything before it.
    pub newest: bool,
    /// The stream restarted with this packet: nothing before it belongs to it.
    pub restarted: bool,
}

/// Totals since the stream began, and readings of now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    pub packets: u64,
    pub bytes: u64,
    /// Never arrived, not even as a retransmission.
    pub lost: u64,
    /// Over the last report interval, 0–1.
    pub loss_fraction: f64,
    pub jitter: Duration,
    pub bitrate_bps: u64,
}

/// Numbers that exist from the first packet on.
#[derive(Debug)]
struct Numbers {
    highest: Sequence,
    /// First number; moved by restarts, so that their gap counts as no loss.
    base: Sequence,
    timestamp: u32,
    transit: u32,
}

/// The receiving end of one SSRC.
#[derive(Debug)]
pub struct Stream {
    clock_rate: u32,
    /// How far behind the newest a packet may come.
    reach: u64,
    began: Instant,
    numbers: Option<Numbers>,
    /// One bit per number of the window, at number mod `WINDOW`.
    seen: [u64; WORDS],
    /// The number that would confirm a jump.
    suspect: Option<u16>,
    /// Another SSRC carries on: its first number is believed whatever it is.
    anew: bool,
    /// In 1/16 of a timestamp unit (A.8).
    jitter_q4: u32,
    packets: u64,
    bytes: u64,
    rate: RateMeter,
    /// When the newest sender report came, and its time.
    sender_report: Option<(Instant, NtpTime)>,
    /// (expected, received) at the last report.
    reported: (u64, u64),
    loss_fraction: f64,
}

impl Stream {
    /// `clock_rate` in Hz. `reach` is how many packets this stream's slab keeps, at most `WINDOW`: the newest and
    /// `reach - 1` before it are accepted.
    pub fn new(clock_rate: u32, reach: usize, now: Instant) -> Stream {
        Stream {
            clock_rate,
            reach: reach.min(WINDOW) as u64,
            began: now,
            numbers: None,
            seen: [0; WORDS],
            suspect: None,
            anew: false,
            jitter_q4: 0,
            packets: 0,
            bytes: 0,
            rate: RateMeter::new(now),
            sender_report: None,
            reported: (0, 0),
            loss_fraction: 0.0,
        }
    }

    /// The layer comes under another SSRC from now on: nothing continues, and the next packet restarts the stream.
    pub fn begin_anew(&mut self) {
        self.anew = self.numbers.is_some();
        self.sender_report = None;
    }

    /// Takes in a packet, original or retransmitted (with its original number).
    ///
    /// Fails with `Duplicate`, or with `TooOld` for one as far behind as the reach and for the first
    /// packet of a jump of more than 3,000, which only its successor makes believable.
    pub fn on_packet(
        &mut self,
        now: Instant,
        number: u16,
        timestamp: u32,
        bytes: usize,
    ) -> Result<Arrival, DropReason> {
        let arrival = self.place(number)?;
        (self.suspect, self.anew) = (None, false);
        self.note(now, arrival, timestamp);
        self.packets = self.packets.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.rate.add(now, bytes);
        Ok(arrival)
    }

    /// Decides what a number is, changing nothing but `suspect`.
    fn place(&mut self, number: u16) -> Result<Arrival, DropReason> {
        let Some(numbers) = &self.numbers else {
            return Ok(Arrival { sequence: Sequence::first(number), newest: true, restarted: false });
        };
        let highest = numbers.highest;
        let ahead = number.wrapping_sub(highest.number());
        if self.anew {
            // Far enough ahead that the users of these numbers notice the leap (`Rewriter::leaps`).
            let cycle = if ahead > MAX_JUMP { 0 } else { Sequence::CYCLE };
            let sequence = highest.plus(u64::from(ahead)).plus(cycle);
            return Ok(Arrival { sequence, newest: true, restarted: true });
        }
        if ahead > MAX_JUMP && ahead.wrapping_neg() > MAX_JUMP {
            if self.suspect != Some(number) {
                self.suspect = Some(number.wrapping_add(1));
                return Err(DropReason::TooOld);
            }
            let sequence = highest.plus(u64::from(ahead));
            return Ok(Arrival { sequence, newest: true, restarted: true });
        }
        let sequence = highest.nearest(number);
        if highest.since(sequence) >= self.reach {
            return Err(DropReason::TooOld);
        }
        let newest = sequence > highest;
        if !newest && self.is_seen(sequence) {
            return Err(DropReason::Duplicate);
        }
        Ok(Arrival { sequence, newest, restarted: false })
    }

    fn note(&mut self, now: Instant, arrival: Arrival, timestamp: u32) {
        let sequence = arrival.sequence;
        let transit = self.arrival_ticks(now).wrapping_sub(timestamp);
        match self.numbers.take() {
            Some(mut numbers) if !arrival.newest => {
                numbers.base = numbers.base.min(sequence);
                self.numbers = Some(numbers);
            }
            Some(numbers) => {
                let skipped = sequence.since(numbers.highest).saturating_sub(1);
                let base = if arrival.restarted {
                    self.seen = [0; WORDS];
                    numbers.base.plus(skipped)
                } else {
                    self.forget_seen(numbers.highest, sequence);
                    self.update_jitter(&numbers, timestamp, transit);
                    numbers.base
                };
                self.numbers = Some(Numbers { highest: sequence, base, timestamp, transit });
            }
            None => {
                self.numbers = Some(Numbers { highest: sequence, base: sequence, timestamp, transit });
            }
        }
        self.mark_seen(sequence);
    }

    /// A.8, over the first packet of each frame in order: packets of one frame leave together
    /// whatever their common timestamp says, and a retransmission is late by a round trip.
    fn update_jitter(&mut self, before: &Numbers, timestamp: u32, transit: u32) {
        if timestamp == before.timestamp {
            return;
        }
        let d = (transit.wrapping_sub(before.transit) as i32).unsigned_abs();
        if d > self.clock_rate.saturating_mul(MAX_TRANSIT_JUMP_S) {
            return;
        }
        let decay = self.jitter_q4.saturating_add(8) >> 4;
        self.jitter_q4 = self.jitter_q4.saturating_add(d).saturating_sub(decay);
    }

    /// `now` on a clock of timestamp units, wrapping like a timestamp.
    fn arrival_ticks(&self, now: Instant) -> u32 {
        let since = now.saturating_duration_since(self.began);
        let rate = u64::from(self.clock_rate);
        let part = u64::from(since.subsec_nanos()).saturating_mul(rate);
        let whole = since.as_secs().wrapping_mul(rate);
        whole.wrapping_add(part.wrapping_div(1_000_000_000)) as u32
    }

    pub fn on_sender_report(&mut self, now: Instant, ntp: NtpTime, _rtp: u32) {
        self.sender_report = Some((now, ntp));
    }

    /// A report block on what came since the last one, and the start of the next interval. An interval in which nothing
    /// came is one without loss: it is not known whether anything was sent.
    pub fn report(&mut self, now: Instant, ssrc: Ssrc) -> ReportBlock {
        let (expected_before, received_before) = self.reported;
        let expected = self.expected();
        let interval = expected.saturating_sub(expected_before);
        let lost = interval.saturating_sub(self.packets.saturating_sub(received_before));
        let fraction = (lost << 8).checked_div(interval).unwrap_or_default();
        self.reported = (expected, self.packets);
        self.loss_fraction = lost as f64 / interval.max(1) as f64;
        let (last_sr, delay_since_last_sr) = self.since_sender_report(now);
        let highest = self.numbers.as_ref().map_or(0, |numbers| numbers.highest.reported());
        ReportBlock {
            ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            cumulative_lost: self.lost().clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_sequence: highest,
            jitter: self.jitter_q4 >> 4,
            last_sr,
            delay_since_last_sr,
        }
    }

    fn since_sender_report(&self, now: Instant) -> (u32, u32) {
        self.sender_report.map_or((0, 0), |(at, ntp)| {
            let delay = now.saturating_duration_since(at).as_secs_f64() * 65_536.0;
            (ntp.middle(), delay as u32)
        })
    }

    pub fn totals(&self, now: Instant) -> Totals {
        let jitter = f64::from(self.jitter_q4 >> 4) / f64::from(self.clock_rate.max(1));
        Totals {
            packets: self.packets,
            bytes: self.bytes,
            lost: u64::try_from(self.lost()).unwrap_or_default(),
            loss_fraction: self.loss_fraction,
            jitter: Duration::from_secs_f64(jitter),
            bitrate_bps: self.rate.bps(now),
        }
    }

    /// A.3.
    fn expected(&self) -> u64 {
        self.numbers.as_ref().map_or(0, |numbers| numbers.highest.next().since(numbers.base))
    }

    fn lost(&self) -> i64 {
        (self.expected() as i64).saturating_sub(self.packets as i64)
    }

    fn is_seen(&self, sequence: Sequence) -> bool {
        let (word, bit) = seat(sequence);
        self.seen.get(word).is_some_and(|bits| bits & bit != 0)
    }

    fn mark_seen(&mut self, sequence: Sequence) {
        let (word, bit) = seat(sequence);
        if let Some(bits) = self.seen.get_mut(word) {
            *bits |= bit;
        }
    }

    /// Frees the places of the numbers after `from` up to `to`.
    fn forget_seen(&mut self, from: Sequence, to: Sequence) {
        if to.since(from) >= WINDOW as u64 {
            self.seen = [0; WORDS];
            return;
        }
        for sequence in from.next().until(to.next()) {
            let (word, bit) = seat(sequence);
            if let Some(bits) = self.seen.get_mut(word) {
                *bits &= !bit;
            }
        }
    }
}

fn seat(sequence: Sequence) -> (usize, u64) {
    let place = sequence.place(WINDOW);
    (place >> 6, 1 << (place & 63))
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
