//! Speech that was lost on the publisher's way and comes as redundancy of a later packet (RFC 2198).
//!
//! A block says when it was spoken and not which number it had. Where the packets around it are equally far apart its
//! number follows from its time; elsewhere, at the edges of silence, it is left.

use crate::forward::packet::PacketMeta;
use crate::limits::SPEECH_MAX_AGE;
use crate::peer::layer::Layer;
use crate::receive::cache::Slab;
use arrayvec::ArrayVec;
use rtp::codec::red;
use rtp::sequence::Sequence;
use std::time::Instant;

/// Packets that one may bring back. Browsers put one or two earlier ones into each.
pub(super) const MAX_RECOVERED: usize = 5;
/// So many numbers back a packet that came is looked for.
const REACH: u64 = 8;
/// Opus packets of 120 ms are the longest (RFC 6716 section 2.1.4), in units of the timestamp.
const LONGEST_PACKET: u32 = 5760;

/// Puts into the slab what is missing before the packet `sequence`, which is there, and is in its payload; returns
/// their numbers, in order. What its publisher was not asked for is not missing: it was muted.
pub(super) fn recover(
    now: Instant,
    layer: &mut Layer,
    (sequence, meta): (Sequence, &PacketMeta),
    payload: &[u8],
) -> ArrayVec<Sequence, MAX_RECOVERED> {
    let mut recovered = ArrayVec::new();
    for block in red::blocks(payload).into_iter().flatten().filter(|block| block.offset > 0) {
        let Some(number) = number_of(&layer.slab, sequence, meta.timestamp, block.offset) else {
            continue;
        };
        let meta = PacketMeta {
            timestamp: meta.timestamp.wrapping_sub(block.offset),
            marker: false,
            dependency_len: 0,
            capture_time_len: 0,
            ..*meta
        };
        let wanted = layer.nack.is_missing(number) && !block.data.is_empty();
        if !wanted || recovered.is_full() || layer.age(now, &meta) > SPEECH_MAX_AGE {
            continue;
        }
        if layer.slab.insert(number, block.data, meta).is_ok() {
            layer.nack.fill(number);
            recovered.push(number);
        }
    }
    recovered
}

/// The number of what was spoken `offset` before a packet.
fn number_of(slab: &Slab<PacketMeta>, sequence: Sequence, timestamp: u32, offset: u32) -> Option<Sequence> {
    let spoken_at = |sequence: Sequence| slab.get(sequence).map(|(meta, _)| meta.timestamp);
    let before = |back: u64| Some((back as u32, spoken_at(sequence.minus(back))?));
    let (back, earlier) = (1..=REACH).find_map(before)?;
    let (span, length) =
        (timestamp.wrapping_sub(earlier), timestamp.wrapping_sub(earlier).checked_div(back)?);
    let even = length > 0 && length <= LONGEST_PACKET && length.saturating_mul(back) == span;
    let distance = u64::from(offset.checked_div(length).filter(|_| even && offset.is_multiple_of(length))?);
    let number = sequence.minus(distance);
    let spoken = timestamp.wrapping_sub(offset);
    let is_later = |a: u32, b: u32| (a.wrapping_sub(b) as i32) > 0;
    let fits = spoken_at(number.previous()).is_none_or(|at| is_later(spoken, at))
        && spoken_at(number.next()).is_none_or(|at| is_later(at, spoken));
    (fits && (1..=REACH).contains(&distance)).then_some(number)
}

#[cfg(test)]
#[path = "recover_tests.rs"]
mod tests;
