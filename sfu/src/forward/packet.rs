//! What is known of a received packet, and what is decided about a packet to send. `Copy` values.

use crate::ids::{PeerIndex, SourceKind};
use rtp::codec::Codec;
use rtp::sequence::Sequence;
use std::time::Instant;

/// One layer of one published track: the slab a packet is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub publisher: PeerIndex,
    pub kind: SourceKind,
    pub layer: u8,
}

impl Origin {
    /// Whether both are layers of one source.
    pub fn is_of_the_source_of(self, other: Origin) -> bool {
        self.publisher == other.publisher && self.kind == other.kind
    }
}

/// Kept in the slab beside the payload. The stored bytes are the dependency descriptor, the abs-capture-time and the
/// RTP payload, one after the other.
#[derive(Debug, Clone, Copy)]
pub struct PacketMeta {
    pub arrived: Instant,
    pub timestamp: u32,
    pub codec: Codec,
    pub marker: bool,
    /// A decoder can begin here: first packet of a key frame.
    pub keyframe: bool,
    pub frame_start: bool,
    pub frame_end: bool,
    pub temporal: u8,
    pub switching_point: bool,
    pub opens_upper: bool,
    pub picture_id: Option<u16>,
    pub tl0_pic_idx: Option<u8>,
    pub frame_number: Option<u16>,
    pub dependency_len: u8,
    pub capture_time_len: u8,
}

impl PacketMeta {
    /// Of plain Opus, which is a frame in each packet.
    pub fn of_speech(arrived: Instant, timestamp: u32) -> PacketMeta {
        PacketMeta {
            arrived,
            timestamp,
            codec: Codec::Opus,
            marker: false,
            keyframe: false,
            frame_start: true,
            frame_end: true,
            temporal: 0,
            switching_point: false,
            opens_upper: false,
            picture_id: None,
            tl0_pic_idx: None,
            frame_number: None,
            dependency_len: 0,
            capture_time_len: 0,
        }
    }
}

/// Added, wrapping, to the numbers of a packet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offsets {
    pub timestamp: u32,
    pub picture: u16,
    pub tl0: u8,
    pub frame: u16,
}

/// What a packet becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapped {
    pub sequence_out: Sequence,
    pub offsets: Offsets,
}

/// Packets decided for one slot, waiting for their turn to be sealed: `count` of them, one number after
/// the other, with the same offsets.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    pub origin: Origin,
    /// Index of the slot among the subscriber's video or audio slots.
    pub slot: u16,
    pub count: u16,
    /// Of the first in the slab of `origin`.
    pub sequence_in: Sequence,
    /// Of the first on the slot's SSRC.
    pub sequence_out: Sequence,
    /// Added to what header and payload say.
    pub offsets: Offsets,
    /// Of audio: a talk spurt begins here.
    pub begins: bool,
    /// When it was given its number.
    pub decided: Instant,
}

impl Pending {
    /// The packet `sequence_in` of `origin`, with what it becomes on a slot.
    #[inline]
    pub fn one(now: Instant, origin: Origin, sequence_in: Sequence, slot: u16, mapped: Mapped) -> Pending {
        let Mapped { sequence_out, offsets } = mapped;
        Pending { origin, slot, count: 1, sequence_in, sequence_out, offsets, begins: false, decided: now }
    }

    /// Packets of padding on a slot's RTX stream.
    pub fn padding(now: Instant, slot: u16, timestamp: u32) -> Pending {
        let publisher = PeerIndex { place: u32::MAX, generation: 0 };
        let origin = Origin { publisher, kind: SourceKind::Camera, layer: 0 };
        let offsets = Offsets { timestamp, ..Offsets::default() };
        Pending::one(now, origin, Sequence::START, slot, Mapped { sequence_out: Sequence::START, offsets })
    }

    /// Removes the first packet; true when it was the last one.
    #[inline]
    pub fn advance(&mut self) -> bool {
        self.count = self.count.saturating_sub(1);
        self.sequence_in = self.sequence_in.next();
        self.sequence_out = self.sequence_out.next();
        self.count == 0
    }
}

#[cfg(test)]
impl PacketMeta {
    /// A delta frame of one packet; tests change what they are about.
    pub fn whole_frame(arrived: Instant, codec: Codec) -> PacketMeta {
        PacketMeta { codec, marker: true, ..PacketMeta::of_speech(arrived, 0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(index: u64) -> Sequence {
        Sequence::from_index(index)
    }

    #[test]
    fn a_run_is_done_with_its_last_packet() {
        let publisher = PeerIndex { place: 0, generation: 1 };
        let mut pending = Pending {
            origin: Origin { publisher, kind: SourceKind::Camera, layer: 0 },
            slot: 0,
            count: 2,
            sequence_in: at(10),
            sequence_out: at(70_000),
            offsets: Offsets::default(),
            begins: false,
            decided: Instant::now(),
        };
        assert!(!pending.advance());
        assert_eq!((pending.count, pending.sequence_in, pending.sequence_out), (1, at(11), at(70_001)));
        assert!(pending.advance());
    }
}
