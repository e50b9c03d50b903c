//! The bridge to the media quarter: the only place that names `sfu`'s commands and events. Meetings and sites on one
//! side, rooms and peers on the other; SDP passes through unread.
//!
//! **Drive [`Bridge`] like this: hand it what the meetings want and what the workers report, with the time where it
//! counts, then [`Bridge::flush`] and carry out [`Bridge::take_effects`].** Its orders leave through [`MediaPlane`], a
//! port that holds the workers, a recorder, or engines in virtual time.

mod desired;
mod events;
mod orders;
mod plane;
mod watch;

pub use desired::desired;
pub use plane::{MediaPort, start};

#[cfg(test)]
pub(crate) mod recorder;
#[cfg(test)]
mod stories;

pub use driver::Overflows;
pub use sfu::command::Command;
pub use sfu::event::Event;
pub use sfu::ids::RoomId;
pub use sfu::limits::{MAX_OFFER_BYTES, MAX_VIDEO_SLOTS};
pub use sfu::sdp::Offer;
pub use sfu::stats::{PeerStats, WorkerStats};

use crate::error::Refusal;
use crate::ids::{Link, MeetingId};
use crate::meeting::{MediaPath, Stage};
use orders::{Room, SiteMedia};
use protocol::{ErrorCode, ServerMessage, SiteId, SourceKind};
use sfu::ids::PeerId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// Reads an offer. Done by each connection for itself: neither the hall nor a worker has time for it.
pub fn read_offer(text: &str) -> Result<Box<Offer>, Refusal> {
    Offer::read(text).map(Box::new).map_err(|reason| events::code_of(reason).into())
}

/// The workers as the bridge sees them. Tests put a recorder here.
pub trait MediaPlane: Send {
    /// The worker of a room, chosen when the room is first named: the least loaded of those that turn.
    fn place(&mut self, room: RoomId) -> usize;
    /// Queues an order for the worker of a room. Gives the order back when the worker's queue is full.
    fn send(&mut self, room: RoomId, command: Command) -> Result<(), Command>;
    /// The room is closed; its worker is free for others.
    fn forget(&mut self, room: RoomId);
    /// A worker that has ended by itself. Its rooms are silent and its orders come back for ever.
    fn lost(&self) -> Option<usize>;
    fn workers(&self) -> usize;
    /// Looks at the threads of all workers, about twice a second, and names those that hang.
    fn stalled(&mut self, now: Instant) -> Vec<Stall>;
    /// What the kernel dropped before a worker saw it. Of no plane but the real one.
    fn overflows(&self) -> Overflows {
        Overflows::default()
    }
}

/// A worker whose thread does not turn, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    pub worker: usize,
    pub lasts: Duration,
}

/// What a worker reports, and which worker.
#[derive(Debug)]
pub struct WorkerEvent {
    pub worker: usize,
    pub event: Event,
}

/// What the hall is to do with a report.
#[derive(Debug, PartialEq)]
pub enum Effect {
    Send {
        meeting: MeetingId,
        site: SiteId,
        message: ServerMessage,
    },
    /// The site does not get what it asked for.
    Refuse {
        meeting: MeetingId,
        site: SiteId,
        refusal: Refusal,
    },
    /// To all sites in the meeting.
    Broadcast {
        meeting: MeetingId,
        message: ServerMessage,
    },
    Path {
        meeting: MeetingId,
        site: SiteId,
        path: MediaPath,
    },
    Publishing {
        meeting: MeetingId,
        site: SiteId,
        kind: SourceKind,
        active: bool,
    },
    /// The newest numbers of a site's line; `None`: its media connection has ended.
    Line {
        meeting: MeetingId,
        site: SiteId,
        stats: Option<Box<PeerStats>>,
    },
    Worker {
        worker: usize,
        stats: Box<WorkerStats>,
    },
    /// The meeting left a worker that hangs.
    Moved {
        meeting: MeetingId,
        from: usize,
    },
}

/// Translates between meetings and rooms.
pub struct Bridge {
    plane: Box<dyn MediaPlane>,
    rooms: BTreeMap<MeetingId, Room>,
    peers: BTreeMap<PeerId, Link>,
    /// What the lines of sites carried when they were last here.
    known_bps: BTreeMap<Link, u64>,
    /// Meetings with orders that their worker has not taken yet; the next to be served first.
    behind: VecDeque<MeetingId>,
    /// Rooms that are over and whose workers do not know it yet. A worker that takes no orders gets no new
    /// rooms either, so these are never more than its queue has places.
    closing: BTreeSet<RoomId>,
    /// Workers that hang, as last seen.
    stalls: Vec<Stall>,
    /// Those of them whose sites were notified.
    told: BTreeSet<usize>,
    effects: Vec<Effect>,
    last_id: u64,
}

impl Bridge {
    pub fn new(plane: Box<dyn MediaPlane>) -> Bridge {
        Bridge {
            plane,
            rooms: BTreeMap::new(),
            peers: BTreeMap::new(),
            known_bps: BTreeMap::new(),
            behind: VecDeque::new(),
            closing: BTreeSet::new(),
            stalls: Vec::new(),
            told: BTreeSet::new(),
            effects: Vec::new(),
            last_id: 0,
        }
    }

    /// What the hall is to do by now.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// What a site's line carried before: its next peer begins with that.
    pub fn line_is_known(&mut self, link: Link, bps: Option<u64>) {
        match bps {
            Some(bps) => self.known_bps.insert(link, bps),
            None => self.known_bps.remove(&link),
        };
    }

    /// Takes an offer. The first one of a new connection may restart ICE on a PeerConnection the
    /// engine still knows, so it goes to the same peer; if the engine then says that it is another
    /// PeerConnection, a new peer takes the place.
    pub fn offer(&mut self, meeting: MeetingId, site: SiteId, offer: Box<Offer>) {
        if self.rooms.get(&meeting).is_some_and(|room| !room.has_space_for(site, &offer)) {
            return self.refuse(meeting, site, ErrorCode::WorkerFull);
        }
        let known = self.rooms.get(&meeting);
        if known.is_none_or(|room| !room.sites.contains_key(&site)) {
            self.add_peer(meeting, site);
        }
        if let Some(media) = self.site_mut(meeting, site) {
            media.waiting = Some(offer);
            self.serve(meeting);
        }
    }

    /// A fresh peer for a site, in place of any it had.
    fn add_peer(&mut self, meeting: MeetingId, site: SiteId) {
        self.remove_site(meeting, site);
        let peer = PeerId(self.fresh_id());
        let known_bps = self.known_bps.get(&(meeting, site)).copied();
        self.room(meeting).sites.insert(site, SiteMedia::new(peer, known_bps));
        self.peers.insert(peer, (meeting, site));
        self.effects.push(Effect::Path { meeting, site, path: MediaPath::Pending });
    }

    /// A meeting's room, opened where it has none.
    fn room(&mut self, meeting: MeetingId) -> &mut Room {
        let fresh = RoomId(self.fresh_id());
        let plane = &mut self.plane;
        self.rooms.entry(meeting).or_insert_with(|| Room::new(fresh, plane.place(fresh)))
    }

    /// Ends a site's media.
    pub fn remove_site(&mut self, meeting: MeetingId, site: SiteId) {
        let Some(room) = self.rooms.get_mut(&meeting) else {
            return;
        };
        if let Some(peer) = room.remove(site) {
            self.peers.remove(&peer);
            self.effects.push(Effect::Line { meeting, site, stats: None });
            self.serve(meeting);
        }
    }

    /// Ends a meeting's media.
    pub fn close(&mut self, meeting: MeetingId) {
        if let Some(room) = self.rooms.remove(&meeting) {
            self.behind.retain(|other| *other != meeting);
            self.peers.retain(|_, (of, _)| *of != meeting);
            self.known_bps.retain(|(of, _), _| *of != meeting);
            let ended = room.sites.keys().map(|site| Effect::Line { meeting, site: *site, stats: None });
            self.effects.extend(ended);
            self.end_room(&room);
        }
    }

    /// The meeting wants its media like this.
    pub fn restage(&mut self, meeting: MeetingId, stage: Stage) {
        if let Some(room) = self.rooms.get_mut(&meeting) {
            room.stage = stage;
        }
        self.reconcile(meeting);
    }

    fn reconcile(&mut self, meeting: MeetingId) {
        if let Some(room) = self.rooms.get_mut(&meeting) {
            room.stale = true;
            self.serve(meeting);
        }
    }

    /// A connection took the seat: it learns what it may have missed.
    pub fn attached(&mut self, meeting: MeetingId, site: SiteId) {
        if let Some(media) = self.site_mut(meeting, site) {
            media.slots_changed = true;
            let layers: Vec<_> = media.layers.values().cloned().collect();
            for (kind, layers) in layers {
                let message = ServerMessage::Layers { kind, layers };
                self.send(meeting, site, message);
            }
            let sites = self.rooms.get(&meeting).map(|room| room.speakers.clone()).unwrap_or_default();
            self.send(meeting, site, ServerMessage::Speakers { sites });
            self.flush();
        }
    }

    fn send(&mut self, meeting: MeetingId, site: SiteId, message: ServerMessage) {
        self.effects.push(Effect::Send { meeting, site, message });
    }

    fn refuse(&mut self, meeting: MeetingId, site: SiteId, code: ErrorCode) {
        self.effects.push(Effect::Refuse { meeting, site, refusal: code.into() });
    }

    fn site_mut(&mut self, meeting: MeetingId, site: SiteId) -> Option<&mut SiteMedia> {
        self.rooms.get_mut(&meeting)?.sites.get_mut(&site)
    }

    fn fresh_id(&mut self) -> u64 {
        self.last_id = self.last_id.saturating_add(1);
        self.last_id
    }
}
