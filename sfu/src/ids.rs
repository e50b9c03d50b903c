//! Names of things. Ids of peers and rooms are chosen by the caller; what the wire names is in `rtp::ids`.
#![warn(missing_docs)]

/// One endpoint: one PeerConnection, one seat in a meeting. Never reused by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// One meeting's media on one worker. Never reused by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub u64);

/// A peer's place in the engine's tables. The generation makes a stale index find nothing, so a
/// packet of one meeting can never be taken for one of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerIndex {
    /// Given to another peer after this one.
    pub place: u32,
    /// Of no other peer, until the count wraps.
    pub generation: u32,
}

/// What a peer publishes. A peer has at most one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SourceKind {
    /// Sound.
    Microphone,
    /// The people in front of it.
    Camera,
    /// A shared screen or a document camera.
    Content,
}

impl SourceKind {
    /// Every kind, in the order of [`SourceKind::index`].
    pub const ALL: [SourceKind; 3] = [SourceKind::Microphone, SourceKind::Camera, SourceKind::Content];

    /// Position in tables of three, in the order of [`SourceKind::ALL`].
    pub fn index(self) -> usize {
        match self {
            SourceKind::Microphone => 0,
            SourceKind::Camera => 1,
            SourceKind::Content => 2,
        }
    }
}

/// One published track: the peer and what it publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source {
    /// The publisher.
    pub peer: PeerId,
    /// Which of its sources.
    pub kind: SourceKind,
}

/// The position of a slot among those of its peer. Video slots and audio slots are counted apart, in the order of the
/// offer's receive-only sections; audio slot *i* is the partner of video slot *i* for every *i* below the number of
/// pairs, and the rest are audio only (see `sdp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SlotId {
    /// Shows a camera or content.
    Video(u16),
    /// Carries a voice.
    Audio(u16),
}
