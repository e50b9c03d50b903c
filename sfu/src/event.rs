//! What a worker reports. Plain values; ids and SDP strings, never RTP.
#![warn(missing_docs)]

use crate::ids::{PeerId, RoomId, SlotId, Source, SourceKind};
use crate::net::{DisconnectReason, PathKind};
use crate::sdp::OfferError;
use crate::shortfall::Limit;
use crate::stats::{PeerStats, WorkerStats};

/// One report. Events are control: the host may delay them, never drop them.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The answer to a `Command::Offer`.
    Answer {
        /// The peer that offered.
        peer: PeerId,
        /// RFC 8866.
        sdp: String,
    },
    /// The offer cannot be taken; the peer stays as it was (a new peer is not admitted).
    OfferRefused {
        /// The peer that offered.
        peer: PeerId,
        /// What is wrong with it, or with us.
        reason: OfferError,
    },
    /// DTLS is up on a path, for the first time or after an ICE restart.
    Connected {
        /// The peer, which can send and receive media now.
        peer: PeerId,
        /// Of the path that was nominated.
        path: PathKind,
    },
    /// The peer moved to another nominated address.
    PathChanged {
        /// The peer.
        peer: PeerId,
        /// Of the new path.
        path: PathKind,
    },
    /// Nothing valid has come from the peer for `limits::QUIET_AFTER`; it may come back by itself.
    Quiet {
        /// The peer.
        peer: PeerId,
    },
    /// Something valid came after `Quiet`.
    Restored {
        /// The peer.
        peer: PeerId,
    },
    /// Consent expired (RFC 7675) or the transport failed; the peer is still known and may offer
    /// an ICE restart.
    Disconnected {
        /// The peer, whose line is gone.
        peer: PeerId,
        /// Why.
        reason: DisconnectReason,
    },
    /// Work for this peer panicked, which is a fault of ours. The engine has removed the peer; no other peer is
    /// affected. The same client may come again as another peer.
    Failed {
        /// The peer.
        peer: PeerId,
        /// The panic's message.
        cause: String,
    },
    /// A source sends (first packet after a pause) or is silent (nothing for `limits::SOURCE_IDLE_AFTER`,
    /// or no longer permitted). Silence is not the same as off: slots that show it keep it.
    Publishing {
        /// The peer and the kind of its source.
        source: Source,
        /// Whether it sends.
        active: bool,
    },
    /// What a slot carries from now on. For video it is reported when the first packet of the
    /// key frame is forwarded, so that name and picture change together.
    SlotShows {
        /// The receiver.
        peer: PeerId,
        /// Which of its slots.
        slot: SlotId,
        /// `None` where it carries nothing.
        source: Option<Source>,
    },
    /// An audio slot carries a mix of all voices that are heard, or no longer.
    SlotMixes {
        /// The receiver.
        peer: PeerId,
        /// Which of its audio slots.
        slot: u16,
        /// Whether it carries a mix.
        mixes: bool,
    },
    /// A video slot shows less than its viewer wishes for, or what it shows less of or why has changed; `None`: it shows
    /// all of it again.
    SlotLimited {
        /// The receiver.
        peer: PeerId,
        /// Which of its video slots.
        slot: u16,
        /// What is less, and why.
        limit: Option<Limit>,
    },
    /// Which peers speak: those that are forwarded and whose level is high (RFC 6464, with hysteresis). Reported when
    /// it changes; `SlotShows` says which others are forwarded.
    Speakers {
        /// Of which room.
        room: RoomId,
        /// Loudest first.
        peers: Vec<PeerId>,
    },
    /// Which simulcast layers of a source have a viewer. The publisher should stop sending the others.
    LayersWanted {
        /// The publisher.
        peer: PeerId,
        /// Which of its sources.
        kind: SourceKind,
        /// Lowest first, in the order of the offer's `a=simulcast`; one entry for a source without simulcast.
        layers: Vec<bool>,
    },
    /// Once a second.
    Stats {
        /// This worker.
        worker: Box<WorkerStats>,
        /// All peers on it.
        peers: Vec<PeerStats>,
    },
}
