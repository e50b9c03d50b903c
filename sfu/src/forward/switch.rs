//! The state of one slot: what it shows, what it is to show, and the moment between.
//!
//! A video slot changes its layer only at the first packet of a key frame, and not in the middle of
//! a frame it is still sending: then the key frame waits in the publisher's slab until that
//! frame has ended, and is forwarded from there.
//!
//! ```text
//! of A, which the slot shows     a1          a2 (end)
//! of B, which it is aimed at         b1  b2            b3     b1 begins a key frame
//! sent                           a1          a2 b1 b2  b3
//! ```

use super::packet::{Mapped, Origin, PacketMeta};
use super::parameters::RtpParameters;
use super::rewrite::Rewriter;
use crate::discard::DropReason;
use rtp::sequence::Sequence;
use std::time::{Duration, Instant};

/// A frame whose end has not come this long after its last packet is given up. Browsers send a
/// frame within a millisecond (seen in Chromium); a lost tail takes one retransmission.
const FRAME_END_TIMEOUT: Duration = Duration::from_millis(60);
/// Of the time between two stills at least so much passes.
const EARLIEST: f64 = 0.75;
/// A still that was not received, or was taken back for want of room, is repeated after so long.
const MISSED_AFTER: Duration = Duration::from_secs(4);

/// Temporal layers are numbered 0–7 (AV1); this lets all of them pass.
pub const ALL_TEMPORAL: u8 = u8::MAX;

/// What to do with a packet that was offered to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is not what the slot shows, or not yet.
    Ignore,
    Forward(Mapped),
    /// As `Forward`, and then switch to the target from this packet of its slab.
    ForwardThenSwitch(Mapped, Sequence),
    /// Switch to the target, whose key frame begins at this packet of its slab.
    Switch(Sequence),
}

/// One video slot of one subscriber.
#[derive(Debug)]
pub struct VideoSlot {
    pub rtp: RtpParameters,
    pub rewriter: Rewriter,
    target: Option<Origin>,
    current: Option<Origin>,
    /// The frame being sent has not ended.
    frame_open: bool,
    /// First packet of the target's key frame, while the current frame has not ended.
    waiting_key: Option<Sequence>,
    max_temporal: u8,
    temporal: u8,
    /// The current layer restarted, or rests after a still, and no key frame of it has come since: nothing continues
    /// what was sent.
    restarted: bool,
    /// Only key frames are shown, so far apart; and when the last one came.
    stills: Option<Duration>,
    key_at: Option<Instant>,
    missed_still: bool,
    /// Timestamp of the newest frame shown, which `temporal` has been decided for.
    frame: Option<u32>,
}

impl VideoSlot {
    pub fn new(rtp: RtpParameters, rewriter: Rewriter) -> VideoSlot {
        VideoSlot {
            rtp,
            rewriter,
            target: None,
            current: None,
            frame_open: false,
            waiting_key: None,
            max_temporal: ALL_TEMPORAL,
            temporal: ALL_TEMPORAL,
            restarted: false,
            stills: None,
            key_at: None,
            missed_still: false,
            frame: None,
        }
    }

    pub fn current(&self) -> Option<Origin> {
        self.current
    }

    pub fn target(&self) -> Option<Origin> {
        self.target
    }

    /// The origin of which the slot needs a key frame, if any.
    pub fn needs_key(&self) -> Option<Origin> {
        let rests = self.restarted && self.stills.is_none();
        if self.target == self.current && !rests { None } else { self.target }
    }

    /// Sets what to show. Without a target the slot falls silent at once; with another one it goes
    /// on showing what it shows until the target's key frame is there, unless `keep` is false.
    pub fn aim(&mut self, target: Option<Origin>, keep: bool) {
        if self.target != target {
            self.target = target;
            self.waiting_key = None;
        }
        let shown = self.rewriter.origin();
        if target.is_some_and(|target| shown.is_none_or(|shown| !shown.is_of_the_source_of(target))) {
            self.key_at = None;
        }
        if target.is_none() || (!keep && self.current != target) {
            self.current = None;
            self.frame_open = false;
            self.restarted = false;
        }
    }

    /// Upper temporal layers above `max` are left out from the next frame on.
    pub fn limit_temporal(&mut self, max: u8) {
        self.max_temporal = max;
    }

    /// From the next frame on only key frames are shown, so far apart; or all again, from the next key frame on.
    pub fn show_stills(&mut self, every: Option<Duration>) {
        self.stills = every;
    }

    /// How long ago the last key frame came that the slot showed.
    pub fn still_age(&self, now: Instant) -> Option<Duration> {
        self.key_at.map(|at| now.saturating_duration_since(at))
    }

    /// Whether the newest frame it showed is the one with this timestamp.
    pub fn shows_last(&self, origin: Origin, timestamp: u32) -> bool {
        self.rewriter.origin() == Some(origin) && self.frame == Some(timestamp)
    }

    /// The receiver has not got it, or it shows what is no more: the next key frame counts, however soon.
    pub fn miss_still(&mut self) {
        self.missed_still = true;
    }

    /// Where only stills are shown: whether the next one is due, and how old the last one is. One that was missed comes
    /// again after as long as frequent ones do.
    pub fn still_due(&self, now: Instant) -> Option<Duration> {
        let every = self.stills?;
        let every = if self.missed_still { every.min(MISSED_AFTER) } else { every };
        let age = self.still_age(now).unwrap_or(Duration::MAX);
        (age >= every).then_some(age)
    }

    /// Key frames come whenever any receiver needs one, and of some sources nothing else does. Frequent stills take all,
    /// where there is room for them; rare ones do not, but for one that was asked for a little early.
    fn is_too_soon(&self, packet: &PacketMeta) -> bool {
        let Some(every) = self.stills.filter(|every| *every > MISSED_AFTER && !self.missed_still) else {
            return false;
        };
        let since = self.key_at.map(|at| packet.arrived.saturating_duration_since(at));
        // The packet of that still itself is no other one.
        since.is_some_and(|since| !since.is_zero() && since < every.mul_f64(EARLIEST))
    }

    /// Nothing more is shown before the next key frame.
    pub fn rest(&mut self) {
        self.restarted |= self.current.is_some();
        self.frame_open = false;
    }

    /// Forwards several packets at once, if they are whole and in order, of what the slot shows, and nothing is to
    /// change meanwhile; returns the output of the first and its number. `None` decides nothing.
    #[inline]
    pub fn offer_run(
        &mut self,
        now: Instant,
        origin: Origin,
        packets: &[(Sequence, &PacketMeta)],
    ) -> Option<(Mapped, Sequence)> {
        let steady = self.current == Some(origin)
            && self.waiting_key.is_none()
            && !self.restarted
            && self.stills.is_none()
            && self.temporal == ALL_TEMPORAL
            && self.max_temporal == ALL_TEMPORAL;
        let ((first, _), (_, last)) = (packets.first()?, packets.last()?);
        let mapped = steady.then(|| self.rewriter.map_run(now, origin, packets)).flatten()?;
        self.frame_open = !last.frame_end;
        self.frame = Some(last.timestamp);
        Some((mapped, *first))
    }

    /// Decides about the packet `sequence` of `origin`. Fails with `Overload` for the upper temporal layers the slot is
    /// not to get, and with `TooOld` for a late packet for which no number is kept.
    #[inline]
    pub fn offer(
        &mut self,
        now: Instant,
        origin: Origin,
        sequence: Sequence,
        packet: &PacketMeta,
    ) -> Result<Decision, DropReason> {
        // packet of           the slot                                 decision
        // what it shows       has no key frame waiting                 Forward
        //                     a key frame waits, this ends the frame   ForwardThenSwitch
        //                     its encoder restarted                    Ignore; Switch at its next key frame
        //                     is not to get this temporal layer        Err(Overload), and its number is closed up
        //                     no longer keeps a number for it          Err(TooOld)
        // what it is aimed at is within a frame                        Ignore; a key frame waits in the slab
        //                     is between frames, and a key frame waits Switch, from the key frame's first packet
        // anything else                                                Ignore
        if self.current == Some(origin) {
            return self.offer_current(now, origin, sequence, packet);
        }
        if self.target == Some(origin) {
            return Ok(self.offer_target(now, sequence, packet));
        }
        Ok(Decision::Ignore)
    }

    #[inline]
    fn offer_current(
        &mut self,
        now: Instant,
        origin: Origin,
        sequence: Sequence,
        packet: &PacketMeta,
    ) -> Result<Decision, DropReason> {
        self.restarted |= self.rewriter.leaps(origin, sequence);
        let is_new = self.frame.is_some_and(|frame| frame != packet.timestamp);
        let is_still = packet.keyframe && !self.is_too_soon(packet);
        if self.stills.is_some() && is_new && !is_still && !self.rewriter.is_late(origin, sequence) {
            self.rest();
        }
        if self.restarted {
            let begins = is_still && self.target == self.current;
            return Ok(if begins { Decision::Switch(sequence) } else { Decision::Ignore });
        }
        // A late packet decides nothing about the frames after it.
        if !self.rewriter.is_late(origin, sequence) {
            self.follow_temporal(packet);
        }
        // Nor do the frames after it decide about a late one: a frame that was begun is finished.
        if packet.temporal > self.temporal && !self.rewriter.is_owed(origin, sequence, packet) {
            self.rewriter.skip(origin, sequence, packet);
            return Err(DropReason::Overload);
        }
        let newest = self.rewriter.next_out();
        let mapped = self.rewriter.map(now, origin, sequence, packet).ok_or(DropReason::TooOld)?;
        if mapped.sequence_out >= newest {
            self.frame_open = !packet.frame_end;
        }
        Ok(match self.waiting_key.filter(|_| !self.frame_open) {
            Some(key) => Decision::ForwardThenSwitch(mapped, key),
            None => Decision::Forward(mapped),
        })
    }

    fn offer_target(&mut self, now: Instant, sequence: Sequence, packet: &PacketMeta) -> Decision {
        if packet.keyframe {
            // One that was lost and comes late is older than one that waits.
            self.waiting_key = self.waiting_key.max(Some(sequence));
        }
        let Some(key) = self.waiting_key else {
            return Decision::Ignore;
        };
        let idle = self.rewriter.idle(now).unwrap_or(Duration::MAX);
        let in_the_middle = self.current.is_some() && self.frame_open;
        if in_the_middle && idle < FRAME_END_TIMEOUT {
            return Decision::Ignore;
        }
        Decision::Switch(key)
    }

    /// Changes with the first packet that comes of a frame, which need not be its first: down at once, up where the
    /// encoder says a receiver of the lower layers may go up: at a frame of the next layer itself, or after one it gets
    /// anyway.
    #[inline]
    fn follow_temporal(&mut self, packet: &PacketMeta) {
        let same_frame = self.frame.replace(packet.timestamp) == Some(packet.timestamp);
        if same_frame {
            return;
        }
        self.temporal = self.temporal.min(self.max_temporal);
        let opened = packet.opens_upper && packet.temporal <= self.temporal;
        if packet.keyframe || opened {
            self.temporal = self.max_temporal;
        } else if packet.switching_point && self.temporal.checked_add(1) == Some(packet.temporal) {
            self.temporal = packet.temporal.min(self.max_temporal);
        }
    }

    /// The key frame that waited cannot be begun with any more.
    pub fn forget_key(&mut self) {
        self.waiting_key = None;
    }

    /// Makes the target current, beginning with `packet`, the first of a key frame.
    pub fn switch(&mut self, sequence: Sequence, packet: &PacketMeta, timestamp_out: u32) {
        let Some(target) = self.target else { return };
        self.rewriter.begin(target, sequence, packet, timestamp_out);
        self.current = Some(target);
        (self.key_at, self.missed_still) = (Some(packet.arrived), false);
        self.frame = Some(packet.timestamp);
        self.frame_open = false;
        self.waiting_key = None;
        self.restarted = false;
        self.temporal = self.max_temporal;
    }
}

/// One audio slot of one subscriber. Audio needs no key frame: it switches at any packet.
#[derive(Debug)]
pub struct AudioSlot {
    pub rtp: RtpParameters,
    pub rewriter: Rewriter,
    current: Option<Origin>,
    /// The next packet begins a talk spurt: another source, or the same after a pause.
    begins: bool,
    carried_last: Option<Origin>,
}

impl AudioSlot {
    pub fn new(rtp: RtpParameters, rewriter: Rewriter) -> AudioSlot {
        AudioSlot { rtp, rewriter, current: None, begins: true, carried_last: None }
    }

    /// What the slot carries: `None` before the first packet has come, whose offsets sender reports need.
    pub fn current(&self) -> Option<Origin> {
        self.current.filter(|_| !self.begins)
    }

    /// Sets what to carry; true when that is another voice than before.
    pub fn aim(&mut self, target: Option<Origin>) -> bool {
        let changes = self.current != target;
        self.current = target;
        self.begins |= changes;
        changes
    }

    /// The output of a packet, and whether it begins a talk spurt (RFC 3551 section 4.1: marker); nothing when
    /// it is not what the slot carries. `TooOld` is a late packet for which no number is kept.
    pub fn offer(
        &mut self,
        now: Instant,
        origin: Origin,
        sequence: Sequence,
        packet: &PacketMeta,
    ) -> Result<Option<(Mapped, bool)>, DropReason> {
        if self.current != Some(origin) {
            return Ok(None);
        }
        let leaps = self.rewriter.leaps(origin, sequence);
        let runs_ahead = self.rewriter.runs_ahead(now, origin, sequence, packet);
        let begins = std::mem::take(&mut self.begins) || leaps || runs_ahead;
        if begins {
            let known = !leaps && self.carried_last == Some(origin);
            let same_timeline = self.rewriter.timestamp_offset().filter(|_| known);
            let timestamp = match same_timeline {
                Some(offset) => packet.timestamp.wrapping_add(offset),
                None => self.rewriter.timestamp_by_arrival(now, packet.timestamp),
            };
            self.rewriter.begin(origin, sequence, packet, timestamp);
            self.carried_last = Some(origin);
        }
        let mapped = self.rewriter.map(now, origin, sequence, packet).ok_or(DropReason::TooOld)?;
        Ok(Some((mapped, begins)))
    }
}

#[cfg(test)]
#[path = "switch_tests.rs"]
mod tests;
