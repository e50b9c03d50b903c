//! What a worker reports. Plain values; ids and SDP strings, never RTP.

use crate::ids::{PeerId, RoomId, SlotId, Source, SourceKind};
use crate::net::{DisconnectReason, PathKind};
use crate::sdp::OfferError;
use crate::stats::{PeerStats, WorkerStats};

/// One report. Events are control: the host may delay them, never drop them.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The answer to a `Command::Offer`.
    Answer { peer: PeerId, sdp: String },
    /// The offer cannot be taken; the peer stays as it was (a new peer is not admitted).
    OfferRefused { peer: PeerId, reason: OfferError },
    /// DTLS is up on a path, for the first time or after an ICE restart.
    Connected { peer: PeerId, path: PathKind },
    /// The peer moved to another nominated address.
    PathChanged { peer: PeerId, path: PathKind },
    /// Nothing valid has come from the peer for `limits::QUIET_AFTER`; it may come back by itself.
    Quiet { peer: PeerId },
    /// Something valid came after `Quiet`.
    Restored { peer: PeerId },
    /// Consent expired (RFC 7675) or the transport failed; the peer is still known and may offer
    /// an ICE restart.
    Disconnected { peer: PeerId, reason: DisconnectReason },
    /// Work for this peer panicked, which is a fault of ours; `cause` is what the panic said. The engine knows the
    /// peer no more, and nobody else is touched. The same client may come again as another peer.
    Failed { peer: PeerId, cause: String },
    /// A source sends (first packet after a pause) or is silent (nothing for `limits::SOURCE_IDLE_AFTER`,
    /// or no longer permitted). Silence is not the same as off: slots that show it keep it.
    Publishing { source: Source, active: bool },
    /// What a slot carries from now on. For video it is reported when the first packet of the
    /// key frame is forwarded, so that name and picture change together.
    SlotShows { peer: PeerId, slot: SlotId, source: Option<Source> },
    /// Who is heard, loudest first; reported when it changes (RFC 6464 levels, with hysteresis).
    Speakers { room: RoomId, peers: Vec<PeerId> },
    /// Which simulcast layers of `peer`'s source somebody watches, lowest first, in the order of
    /// the offer's `a=simulcast`; one entry for a source without simulcast. The publisher should
    /// stop sending the others.
    LayersWanted { peer: PeerId, kind: SourceKind, layers: Vec<bool> },
    /// Once a second per worker.
    Stats { worker: Box<WorkerStats>, peers: Vec<PeerStats> },
}
