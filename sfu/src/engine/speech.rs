//! Speech on lines that lose packets: what is known of a receiver's losses, and the redundant payloads (RFC 2198) that
//! are made for it from the publisher's slab when a packet is sealed. Whatever the publisher sent is not looked at here:
//! the slab holds plain Opus.

use crate::forward::packet::{PacketMeta, Pending};
use crate::forward::red::{Losing, MAX_COPIES, Redundancy};
use crate::forward::rewrite::Rewriter;
use crate::forward::write::Parts;
use crate::limits::SPEECH_MAX_AGE;
use crate::net::PathKind;
use crate::peer::Table;
use crate::peer::layer::{Layer, Route};
use crate::peer::line::Line;
use crate::peer::subscriber::{SlotAccount, Subscriber};
use arrayvec::ArrayVec;
use rtp::codec::Codec;
use rtp::codec::red::{self, BLOCK_HEADER, Block, PRIMARY_HEADER};
use rtp::rtcp::ReportBlock;
use std::time::{Duration, Instant};

/// Most bytes of a payload with redundancy. With our largest header of voices (44 bytes), SRTP's tag and those of UDP
/// and IPv6 it stays below 1,200, which every path carries that browsers use.
pub(super) const MAX_PAYLOAD: usize = 1000;
/// A receiver that reports so much at once has begun anew.
const MAX_REPORTED: u32 = 10_000;

/// The redundancy of a receiver's voices follows what its line loses now. TCP loses nothing: what does not come is what
/// was not sent, since it is slow.
pub(super) fn follow(now: Instant, line: Option<&Line>, subscriber: &mut Subscriber) {
    let bps = subscriber.line().map_or(subscriber.estimator.bps(), |line| line.bps);
    let Subscriber { losses, estimator, redundancy, share, mixing, .. } = subscriber;
    let loses = line.and_then(Line::path).is_none_or(|path| path.kind == PathKind::Udp);
    let losing = Losing {
        share: if loses { losses.share() } else { 0.0 },
        burst: losses.burst(),
        bps,
        room_bps: (bps - share.speech_bps as f64).max(0.0),
        congested: estimator.is_congested(),
        packet: mixing.packet(),
    };
    redundancy.follow(now, losing);
}

/// How many packets of a slot were expected since the last report on it, and how many of them did not come (RFC 3550
/// appendix A.3).
pub(super) fn since_last(account: &mut SlotAccount, block: &ReportBlock) -> (u32, i64) {
    let Some(before) = account.reported_highest.replace(block.highest_sequence) else {
        return (0, 0);
    };
    let expected = block.highest_sequence.wrapping_sub(before);
    let lost = i64::from(block.cumulative_lost).saturating_sub(account.reported_lost);
    if expected > MAX_REPORTED { (0, 0) } else { (expected, lost) }
}

/// What a publisher is told of its voice: its own losses, or those of the worst listener that has no RED. Encoders go by
/// it: with in-band FEC (RFC 6716 section 2.1.7) a packet holds the one before, at a lower rate, and every receiver of Opus can
/// use that. The count of losses stays that of the publisher's own line, by which congestion is judged.
pub(super) fn tell_losses(block: &mut ReportBlock, subscribers: &Table<Subscriber>, routes: &[Route]) {
    let unprotected = routes.iter().filter_map(|route| {
        let subscriber = subscribers.get(route.subscriber)?;
        let audio = subscriber.audio.get(usize::from(route.slot))?;
        audio.slot.rtp.codec(Codec::Red).is_none().then(|| subscriber.losses.share())
    });
    let worst = unprotected.fold(0.0, f64::max);
    block.fraction_lost = block.fraction_lost.max((worst * 256.0).min(255.0) as u8);
}

/// The packets of one voice that copies can be taken from.
pub(super) struct Voice<'a, 'b> {
    pub layer: &'a Layer,
    pub rewriter: &'b Rewriter,
    /// What the receiver calls Opus.
    pub payload_type: u8,
}

impl<'a> Voice<'a, '_> {
    /// Writes a payload with copies of earlier packets; returns its length. `None` where there are none.
    pub fn write(
        &self,
        out: &mut [u8; MAX_PAYLOAD],
        redundancy: &Redundancy,
        packet: (&Pending, &PacketMeta),
        payload: &[u8],
    ) -> Option<usize> {
        let copies = self.copies(redundancy, packet, payload.len());
        let primary = Block { payload_type: self.payload_type, offset: 0, data: payload };
        (!copies.is_empty()).then(|| red::write(out, &copies, primary)).flatten()
    }

    /// What is put in front of a packet whose own payload has `primary` bytes, oldest first: what the plan asks for, the
    /// budget allows, and the receiver has been sent.
    fn copies(
        &self,
        redundancy: &Redundancy,
        (pending, meta): (&Pending, &PacketMeta),
        primary: usize,
    ) -> ArrayVec<Block<'a>, MAX_COPIES> {
        let free = MAX_PAYLOAD.saturating_sub(primary.saturating_add(PRIMARY_HEADER));
        let mut left = free.min(redundancy.budget());
        let blocks = redundancy.plan().distances.iter().filter_map(|distance| {
            let block = self.copy(*distance, pending, meta)?;
            left = left.checked_sub(block.data.len().saturating_add(BLOCK_HEADER))?;
            Some(block)
        });
        blocks.collect()
    }

    /// The packet so many before, if the slot carried it just before on the same timeline.
    fn copy(&self, distance: u8, pending: &Pending, meta: &PacketMeta) -> Option<Block<'a>> {
        let earlier = pending.sequence_in.minus(u64::from(distance));
        if !self.rewriter.are_together(pending.origin, earlier, pending.sequence_in) {
            return None;
        }
        let (copied, stored) = self.layer.slab.get(earlier)?;
        let offset = meta.timestamp.wrapping_sub(copied.timestamp);
        let data = Parts::of(copied, stored).payload;
        let is_speech = copied.codec == Codec::Opus && !data.is_empty();
        let in_time = (1..=ticks(SPEECH_MAX_AGE)).contains(&offset);
        (is_speech && in_time).then_some(Block { payload_type: self.payload_type, offset, data })
    }
}

/// In units of audio's timestamps.
fn ticks(time: Duration) -> u32 {
    let ms = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    ms.saturating_mul(Codec::Opus.clock_rate().div_ceil(1000))
}

#[cfg(test)]
#[path = "speech_tests.rs"]
mod tests;
