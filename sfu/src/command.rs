//! What the meeting quarter may ask of a worker. Plain values; desired state, not steps.

use crate::ids::{PeerId, RoomId, Source};
use crate::net::Candidate;
use crate::sdp::Offer;

/// One order to the engine. Orders about ids the engine does not know are ignored: the meeting may
/// have said goodbye to somebody who is just then being removed here.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A room is created by the first peer that names it and lives until this.
    CloseRoom {
        room: RoomId,
    },
    /// Takes an offer, read where there is time (`sdp::Offer::read`). The first offer of a peer admits it; later ones restart ICE or add slots. Answered by `Event::Answer` or
    /// `Event::OfferRefused`.
    Offer {
        room: RoomId,
        peer: PeerId,
        offer: Box<Offer>,
    },
    RemovePeer {
        peer: PeerId,
    },
    /// Where the worker is reached from now on, best first: the machine's addresses have changed. Told in the
    /// answers to later offers.
    Advertise {
        candidates: Vec<Candidate>,
    },
    /// The whole desired state of a room. Idempotent; the engine turns it into differences.
    Reconcile {
        room: RoomId,
        desired: Desired,
    },
}

/// What a room shall look like. Peers not named keep publishing nothing and receive nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desired {
    pub peers: Vec<DesiredPeer>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DesiredPeer {
    pub peer: PeerId,
    /// What the server lets this peer publish; everything else it sends is dropped at the door.
    pub may_publish: Permissions,
    /// What its sources are worth when a worker cannot forward all video.
    pub ranks: Ranks,
    /// It is heard however loud others are: among the voices that are forwarded it comes first.
    pub has_floor: bool,
    /// One entry per video slot, in the order of the offer; missing entries are empty slots.
    pub video_slots: Vec<Option<Wish>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions {
    pub microphone: bool,
    pub camera: bool,
    pub content: bool,
}

impl Permissions {
    pub fn all() -> Permissions {
        Permissions { microphone: true, camera: true, content: true }
    }
}

/// What a video source is worth: where video must be thinned, sources of the lowest rank are thinned first. Audio
/// stands above all ranks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(pub u8);

/// The ranks of what one peer publishes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ranks {
    pub camera: Rank,
    pub content: Rank,
}

/// What one video slot shall show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    pub source: Source,
    /// Tallest picture worth sending, in pixels; the engine takes the best layer not above it, or
    /// the lowest there is.
    pub max_height: u16,
}
