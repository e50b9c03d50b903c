//! Numbers of a slot: sequence numbers, timestamps and picture ids stay continuous whatever the slot
//! shows (RFC 3550 section 5.1, RFC 7741 section 4.2).
//!
//! A slot's output is a list of *segments*. Within a segment output = input + offset; a new segment begins when the
//! slot switches to another layer or source, and after packets that were left out (upper temporal layers). The list
//! works both ways: it gives the number of a late packet, and the packet of a NACKed number. Its length bounds how far
//! back both reach.
//!
//! Layer A is shown, two packets of it are left out, one is missing, then the slot switches to B:
//!
//! ```text
//! in   A: 10  11  12  (13 14 left out)  15  ?16  17   B: 700  701
//! out     50  51  52                    53   54  55       56   57
//! segment |---- +40 ----|               |-- +38 --|       |- -644 -|
//! ```
//!
//! Packet 16 keeps its number and gets it however late it comes; number 51, asked for again, is packet 11 of A; 13 and
//! 14 have none, and a late 14 is not sent. What is missing *among* left-out packets (`left_out.rs`) is given a number
//! when something after it is forwarded: until then it is not known whether it would have been left out.

use super::left_out::LeftOut;
use super::packet::{Mapped, Offsets, Origin, PacketMeta};
use rtp::sequence::Sequence;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Segments kept per slot. Each left-out frame costs one: at 30 frames/s with half of them left
/// out this reaches back four seconds, longer than the slabs do.
const MAX_SEGMENTS: usize = 64;

/// As many numbers as a stream may leap without having restarted (`receive::stream`, MAX_JUMP).
const MAX_LEAP: u64 = 3000;
/// A timeline that is further than this from the time that has passed is another one: an encoder restarted after a
/// report of the old one, or what was queued before a narrow line is late, or is not any more.
const MAX_DISAGREEMENT_S: u32 = 2;

/// Gaps among left-out packets that wait for their packets; each costs a loss.
const MAX_GAPS: usize = 16;

/// Input to output, for a run of one origin.
#[derive(Debug, Clone, Copy)]
struct Segment {
    origin: Origin,
    first_in: Sequence,
    /// Exclusive; `Sequence::END` while the segment is open.
    end_in: Sequence,
    first_out: Sequence,
    offsets: Offsets,
}

/// The newest packet sent, to continue from.
#[derive(Debug, Clone, Copy)]
struct Last {
    at: Instant,
    timestamp: u32,
    picture: u16,
    tl0: u8,
    frame: u16,
}

/// The rewriting state of one slot.
#[derive(Debug)]
pub struct Rewriter {
    clock_rate: u32,
    segments: VecDeque<Segment>,
    highest_in: Sequence,
    next_out: Sequence,
    last: Option<Last>,
    left_out: LeftOut,
}

impl Rewriter {
    /// `first_out` is random below 2^15, as RFC 3550 section 5.1 wants.
    pub fn new(clock_rate: u32, first_out: u16) -> Rewriter {
        Rewriter {
            clock_rate,
            segments: VecDeque::new(),
            highest_in: Sequence::START,
            next_out: Sequence::first(first_out),
            last: None,
            left_out: LeftOut::default(),
        }
    }

    /// The number the next new packet will get.
    pub fn next_out(&self) -> Sequence {
        self.next_out
    }

    /// The origin of the newest segment: what is shown, or was shown last.
    pub fn origin(&self) -> Option<Origin> {
        self.segments.back().map(|segment| segment.origin)
    }

    /// Timestamp offset in force, for sender reports.
    pub fn timestamp_offset(&self) -> Option<u32> {
        self.segments.back().map(|segment| segment.offsets.timestamp)
    }

    /// Begins a segment with `packet`. `timestamp_out` is its capture time on the slot's timeline; where that is not
    /// later than what was sent, it is moved to just after it.
    pub fn begin(&mut self, origin: Origin, sequence_in: Sequence, packet: &PacketMeta, timestamp_out: u32) {
        self.close(self.highest_in.next());
        let offsets = self.offsets_at(packet, timestamp_out);
        self.push(Segment {
            origin,
            first_in: sequence_in,
            end_in: Sequence::END,
            first_out: self.next_out,
            offsets,
        });
        self.highest_in = sequence_in.previous();
        self.left_out = LeftOut::default();
    }

    fn offsets_at(&self, packet: &PacketMeta, timestamp_out: u32) -> Offsets {
        let Some(last) = self.last else {
            return Offsets { timestamp: timestamp_out.wrapping_sub(packet.timestamp), ..Offsets::default() };
        };
        let expected = self.timestamp_by_arrival(packet.arrived, timestamp_out);
        let disagreement = (timestamp_out.wrapping_sub(expected) as i32).unsigned_abs();
        let believed = disagreement <= self.clock_rate.saturating_mul(MAX_DISAGREEMENT_S);
        let timestamp_out = if believed { timestamp_out } else { expected };
        let ahead = timestamp_out.wrapping_sub(last.timestamp) as i32;
        let out = if ahead > 0 { timestamp_out } else { last.timestamp.wrapping_add(1) };
        let picture = packet.picture_id.unwrap_or(0);
        Offsets {
            timestamp: out.wrapping_sub(packet.timestamp),
            picture: last.picture.wrapping_add(1).wrapping_sub(picture),
            tl0: last.tl0.wrapping_add(1).wrapping_sub(packet.tl0_pic_idx.unwrap_or(0)),
            frame: last.frame.wrapping_add(1).wrapping_sub(packet.frame_number.unwrap_or(0)),
        }
    }

    /// The timeline continued by arrival: for another source, or before sender reports are there.
    pub fn timestamp_by_arrival(&self, now: Instant, fallback: u32) -> u32 {
        let Some(last) = self.last else {
            return fallback;
        };
        let elapsed = now.saturating_duration_since(last.at).as_secs_f64();
        last.timestamp.wrapping_add((elapsed * f64::from(self.clock_rate)) as u32)
    }

    /// How long ago the newest packet was sent.
    pub fn idle(&self, now: Instant) -> Option<Duration> {
        self.last.map(|last| now.saturating_duration_since(last.at))
    }

    /// The output of a packet that is to be forwarded; `None` when it is in no segment: left out, or older than the
    /// list reaches.
    #[inline]
    pub fn map(
        &mut self,
        now: Instant,
        origin: Origin,
        sequence_in: Sequence,
        packet: &PacketMeta,
    ) -> Option<Mapped> {
        let open = self.segments.back()?;
        if open.origin == origin && sequence_in >= open.first_in && sequence_in < open.end_in {
            let mapped = open.map(sequence_in);
            if sequence_in > self.highest_in {
                self.advance(now, sequence_in, packet, mapped);
            }
            return Some(mapped);
        }
        if open.end_in != Sequence::END && open.origin == origin {
            if sequence_in > self.highest_in {
                return Some(self.reopen(now, *open, sequence_in, packet));
            }
            if let Some(gap) = self.left_out.gap_of(sequence_in) {
                return Some(self.fill(now, (*open, gap), sequence_in, packet));
            }
        }
        let holds = |s: &&Segment| s.origin == origin && (s.first_in..s.end_in).contains(&sequence_in);
        self.segments.iter().rev().find(holds).map(|segment| segment.map(sequence_in))
    }

    /// The output of the first of several packets that follow the newest one and each other without a gap; the others
    /// follow it. `None` decides nothing.
    #[inline]
    pub fn map_run(
        &mut self,
        now: Instant,
        origin: Origin,
        packets: &[(Sequence, &PacketMeta)],
    ) -> Option<Mapped> {
        let open = self.segments.back().filter(|s| s.origin == origin && s.end_in == Sequence::END)?;
        let ((first, oldest), (last, newest)) = (packets.first()?, packets.last()?);
        let alike = oldest.picture_id.is_some() == newest.picture_id.is_some();
        let whole = last.next().since(*first) == packets.len() as u64;
        let ordered = packets.is_sorted_by(|(a, _), (b, _)| a < b);
        if *first != self.highest_in.next() || !whole || !ordered || !alike {
            return None;
        }
        let (mapped, end) = (open.map(*first), open.map(*last));
        self.advance(now, *last, newest, end);
        Some(mapped)
    }

    /// Whether a packet is so far ahead that its stream must have restarted: its numbers have nothing to do with those
    /// before, and the receiver's roll-over counter (RFC 3711 section 3.3.1) would not follow.
    pub fn leaps(&self, origin: Origin, sequence_in: Sequence) -> bool {
        let far = sequence_in > self.highest_in.plus(MAX_LEAP);
        far && self.segments.back().is_some_and(|open| open.origin == origin)
    }

    /// Whether a new packet is much further from the one before than the time that has passed: what was late is
    /// not any more, since a queue on the way was thrown away. A slot that began while it was late would go on
    /// as far ahead of the time that passes.
    pub fn runs_ahead(
        &self,
        now: Instant,
        origin: Origin,
        sequence_in: Sequence,
        packet: &PacketMeta,
    ) -> bool {
        let open = self.segments.back().filter(|open| open.origin == origin && sequence_in > self.highest_in);
        let (Some(open), Some(last)) = (open, self.last) else {
            return false;
        };
        let timestamp = packet.timestamp.wrapping_add(open.offsets.timestamp);
        let expected = self.timestamp_by_arrival(now, last.timestamp);
        let ahead = timestamp.wrapping_sub(expected) as i32;
        ahead > 0 && ahead.unsigned_abs() > self.clock_rate.saturating_mul(MAX_DISAGREEMENT_S)
    }

    /// Whether a packet comes after newer ones of the same origin.
    pub fn is_late(&self, origin: Origin, sequence_in: Sequence) -> bool {
        sequence_in <= self.highest_in && self.segments.back().is_some_and(|open| open.origin == origin)
    }

    /// Whether a late packet has to be sent whatever is left out by now: it fills a gap and is of the frame sent last.
    /// Without it that frame would never end, since no receiver could ask for its rest, and would share its id with the
    /// next.
    pub fn is_owed(&self, origin: Origin, sequence_in: Sequence, packet: &PacketMeta) -> bool {
        let Some(open) = self.segments.back().filter(|_| self.is_late(origin, sequence_in)) else {
            return false;
        };
        let timestamp = packet.timestamp.wrapping_add(open.offsets.timestamp);
        let of_the_last = self.last.is_some_and(|last| last.timestamp == timestamp);
        of_the_last && self.left_out.gap_of(sequence_in).is_some()
    }

    /// Leaves out a packet, so that those after it close the gap. What is missing before it may be wanted and may still
    /// come.
    pub fn skip(&mut self, origin: Origin, sequence_in: Sequence, packet: &PacketMeta) {
        let Some(open) = self.segments.back().copied().filter(|open| open.origin == origin) else {
            return;
        };
        if self.leaps(origin, sequence_in) {
            return;
        }
        let first_missing = self.highest_in.next();
        self.left_out.take(sequence_in, first_missing, packet);
        if self.left_out.gaps.len() > MAX_GAPS {
            self.keep_gaps(open, 1);
        }
        if sequence_in >= first_missing {
            self.close(first_missing);
            self.highest_in = sequence_in;
        }
    }

    /// Takes back all numbers from `to` on, with which nothing has left. What continues begins with a key frame.
    pub fn rewind(&mut self, to: Sequence) {
        if to >= self.next_out {
            return;
        }
        while self.segments.back().is_some_and(|segment| segment.first_out >= to) {
            self.segments.pop_back();
        }
        if let Some(last) = self.segments.back_mut() {
            last.end_in = last.end_in.min(last.first_in.plus(to.since(last.first_out)));
            self.highest_in = last.end_in.previous();
        }
        self.next_out = to;
        self.left_out = LeftOut::default();
    }

    /// Whether a slot carries two packets of a source one after the other: nothing was switched or left out between them.
    pub fn are_together(&self, origin: Origin, earlier: Sequence, later: Sequence) -> bool {
        let holds = |segment: &Segment| segment.first_in <= earlier && later < segment.end_in;
        self.segments.iter().rev().any(|segment| segment.origin == origin && holds(segment))
    }

    /// Which packet an output number was: its origin, input number and offsets.
    pub fn invert(&self, sequence_out: Sequence) -> Option<(Origin, Sequence, Offsets)> {
        let segment = self.segments.iter().rev().find(|s| s.first_out <= sequence_out)?;
        let sequence_in = segment.first_in.plus(sequence_out.since(segment.first_out));
        // A segment ends where the next one begins: only the newest may be asked beyond its end.
        (sequence_out < self.next_out).then_some((segment.origin, sequence_in, segment.offsets))
    }

    /// Goes on after left-out packets: same origin and timeline. Gaps in the input before this packet keep their
    /// numbers: they may be the head of this very frame, or a frame of their own.
    fn reopen(
        &mut self,
        now: Instant,
        before: Segment,
        sequence_in: Sequence,
        packet: &PacketMeta,
    ) -> Mapped {
        let before = self.keep_gaps(before, usize::MAX);
        let segment = self.go_on(before, self.highest_in.next(), Sequence::END);
        self.left_out = LeftOut::default();
        let mapped = segment.map(sequence_in);
        self.advance(now, sequence_in, packet, mapped);
        mapped
    }

    /// A packet comes late that belongs between left-out ones.
    fn fill(
        &mut self,
        now: Instant,
        (before, gap): (Segment, usize),
        sequence_in: Sequence,
        packet: &PacketMeta,
    ) -> Mapped {
        let before = self.keep_gaps(before, gap);
        let first = self.left_out.gaps.first().map_or(sequence_in, |(first, _)| *first);
        let segment = self.go_on(before, first, sequence_in.next());
        self.left_out.begin_gap_at(sequence_in.next());
        let mapped = segment.map(sequence_in);
        self.advance(now, sequence_in, packet, mapped);
        mapped
    }

    /// Reserves numbers for the first `count` gaps.
    fn keep_gaps(&mut self, before: Segment, count: usize) -> Segment {
        let kept = count.min(self.left_out.gaps.len());
        let gaps: Vec<(Sequence, Sequence)> = self.left_out.gaps.drain(..kept).collect();
        gaps.into_iter().fold(before, |before, (first, end)| self.go_on(before, first, end))
    }

    /// A segment on the timeline of the last one, after what was left out before it.
    fn go_on(&mut self, before: Segment, first_in: Sequence, end_in: Sequence) -> Segment {
        let ids = self.left_out.forget_before(first_in);
        let mut segment = Segment { first_in, end_in, first_out: self.next_out, ..before };
        segment.offsets.picture = segment.offsets.picture.wrapping_sub(ids);
        self.push(segment);
        if end_in != Sequence::END {
            self.next_out = self.next_out.plus(end_in.since(first_in));
        }
        segment
    }

    #[inline]
    fn advance(&mut self, now: Instant, sequence_in: Sequence, packet: &PacketMeta, mapped: Mapped) {
        self.highest_in = self.highest_in.max(sequence_in);
        self.next_out = mapped.sequence_out.next();
        let before = self.last;
        self.last = Some(Last {
            at: now,
            timestamp: packet.timestamp.wrapping_add(mapped.offsets.timestamp),
            picture: packet
                .picture_id
                .map_or_else(|| before.map_or(0, |l| l.picture), |p| p.wrapping_add(mapped.offsets.picture)),
            tl0: packet
                .tl0_pic_idx
                .map_or_else(|| before.map_or(0, |l| l.tl0), |t| t.wrapping_add(mapped.offsets.tl0)),
            frame: packet
                .frame_number
                .map_or_else(|| before.map_or(0, |l| l.frame), |f| f.wrapping_add(mapped.offsets.frame)),
        });
    }

    /// Ends the open segment before input `end_in`; the numbers up to there stay reserved for
    /// packets that are late.
    fn close(&mut self, end_in: Sequence) {
        let Some(open) = self.segments.back_mut() else {
            return;
        };
        if open.end_in == Sequence::END {
            open.end_in = end_in;
            let length = end_in.since(open.first_in);
            self.next_out = self.next_out.max(open.first_out.plus(length));
        }
    }

    fn push(&mut self, segment: Segment) {
        if self.segments.len() == MAX_SEGMENTS {
            self.segments.pop_front();
        }
        self.segments.push_back(segment);
    }
}

impl Segment {
    #[inline]
    fn map(&self, sequence_in: Sequence) -> Mapped {
        let sequence_out = self.first_out.plus(sequence_in.since(self.first_in));
        Mapped { sequence_out, offsets: self.offsets }
    }
}

#[cfg(test)]
#[path = "rewrite_tests.rs"]
mod tests;
