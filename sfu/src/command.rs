//! What the meeting quarter may ask of a worker. Plain values; desired state, not steps.
#![warn(missing_docs)]

use crate::ids::{PeerId, RoomId, Source};
use crate::net::Candidate;
use crate::sdp::Offer;

/// One order to the engine. Orders about ids the engine does not know are ignored: the meeting may be removing a peer
/// that the engine has removed just now.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A room is created by the first peer that names it and lives until this.
    CloseRoom {
        /// The room to close; its peers are removed.
        room: RoomId,
    },
    /// Takes an offer. The first offer of a peer admits it; later ones restart ICE or add slots. Answered by
    /// `Event::Answer` or `Event::OfferRefused`.
    Offer {
        /// Where the peer is admitted.
        room: RoomId,
        /// The peer that offers.
        peer: PeerId,
        /// Parsed outside the worker, where there is time (`sdp::Offer::read`).
        offer: Box<Offer>,
        /// What the line towards the peer carried when it was here before, in bit/s. A careful share of it is assumed
        /// until feedback comes.
        known_bps: Option<u64>,
    },
    /// Its slots and sources are gone with it.
    RemovePeer {
        /// The peer that has left.
        peer: PeerId,
    },
    /// The machine's addresses have changed. Answers to later offers carry the new ones.
    Advertise {
        /// Where the worker is reached from now on, best first.
        candidates: Vec<Candidate>,
    },
    /// The whole desired state of a room. Idempotent; the engine turns it into differences.
    Reconcile {
        /// Which room.
        room: RoomId,
        /// What replaces all that was desired of it before.
        desired: Desired,
    },
}

/// The desired state of a room. Peers not named may publish nothing and receive nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desired {
    /// Each peer once, in any order.
    pub peers: Vec<DesiredPeer>,
}

/// What one peer may publish and is to receive.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredPeer {
    /// The peer.
    pub peer: PeerId,
    /// What the server lets this peer publish; everything else it sends is dropped at the door.
    pub may_publish: Permissions,
    /// What its sources are worth when a worker cannot forward all video.
    pub ranks: Ranks,
    /// It is heard however loud others are: among the voices that are forwarded it comes first.
    pub has_floor: bool,
    /// It asks for one mix in place of each voice, however wide its line is.
    pub asks_for_mix: bool,
    /// One entry per video slot, in the order of the offer; missing entries are empty slots.
    pub video_slots: Vec<Option<Wish>>,
}

/// Sources a peer may publish; by default none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Its voice, and the sound of what it shows.
    pub microphone: bool,
    /// Its camera.
    pub camera: bool,
    /// A shared screen or a document camera.
    pub content: bool,
}

impl Permissions {
    /// Everything.
    pub fn all() -> Permissions {
        Permissions { microphone: true, camera: true, content: true }
    }
}

/// What a video source is worth: where video must be thinned, sources of the lowest rank are thinned first. Audio
/// stands above all ranks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(
    /// Greater is worth more.
    pub u8,
);

/// The ranks of what one peer publishes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ranks {
    /// Of its camera.
    pub camera: Rank,
    /// Of its content.
    pub content: Rank,
}

/// What one video slot is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// The peer that publishes it, and which of its sources.
    pub source: Source,
    /// Tallest picture worth sending, in pixels; the engine takes the best layer not above it, or
    /// the lowest there is.
    pub max_height: u16,
}
