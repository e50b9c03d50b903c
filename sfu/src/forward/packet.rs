//! What is known of a received packet, and what is decided about a packet to send. `Copy` values.

use crate::ids::SourceKind;
use crate::rtp::codec::{Codec, PictureId};
use std::time::Instant;

/// A peer's place in the engine's tables. The generation makes a stale index find nothing, so a
/// packet of one meeting can never be taken for one of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerIndex {
    pub place: u32,
    pub generation: u32,
}

/// One layer of one published track: the slab a packet lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub publisher: PeerIndex,
    pub kind: SourceKind,
    pub layer: u8,
}

/// Kept in the slab beside the payload. The stored bytes are the dependency descriptor, the
/// abs-capture-time and the RTP payload, one behind the other.
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
    pub picture_id: Option<PictureId>,
    pub tl0_pic_idx: Option<u8>,
    pub frame_number: Option<u16>,
    pub dependency_len: u8,
    pub capture_time_len: u8,
}

/// A packet decided for one slot, waiting for its turn to be sealed.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    pub origin: Origin,
    /// Extended sequence number in the slab of `origin`.
    pub sequence_in: u64,
    /// Extended sequence number on the slot's SSRC; the low 16 bits go on the wire.
    pub sequence_out: u64,
    pub timestamp: u32,
    /// Added to what the payload says.
    pub picture_offset: u16,
    pub tl0_offset: u8,
    pub frame_offset: u16,
    /// Index of the slot among the subscriber's video or audio slots.
    pub slot: u16,
    pub marker: bool,
    pub retransmission: bool,
}
