//! The bridge to the media quarter: the only place that names `sfu`. Meetings and sites on one side,
//! rooms and peers on the other; SDP passes through unread.

mod desired;
mod events;
pub mod grade;
mod plane;

pub use plane::start;

#[cfg(test)]
mod stories;

pub use sfu::command::Command;
pub use sfu::event::Event;
pub use sfu::ids::RoomId;
pub use sfu::limits::{MAX_OFFER_BYTES, MAX_VIDEO_SLOTS};
pub use sfu::stats::{PeerStats, WorkerStats};

use crate::hall::MeetingId;
use crate::meeting::{MediaPath, Stage};
use crate::protocol::{ErrorCode, ServerMessage, SiteId, SourceKind};
use sfu::ids::{PeerId, Source};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use tokio::sync::mpsc;

/// The workers as the bridge sees them. Tests put a recorder here.
pub trait MediaPlane: Send {
    /// Queues an order for the worker of a room, which is chosen when the room is first named. Gives
    /// the order back when the worker's queue is full.
    fn send(&mut self, room: RoomId, command: Command) -> Result<(), Command>;
    /// The room is closed; its worker is free for others.
    fn forget(&mut self, room: RoomId);
    /// A worker that has ended by itself. Its rooms are silent and its orders come back for ever.
    fn lost(&self) -> Option<usize>;
}

/// What a worker reports, and which worker.
#[derive(Debug)]
pub struct WorkerEvent {
    pub worker: usize,
    pub event: Event,
}

/// Both directions of the bridge. The plane stops when it is dropped.
pub struct MediaPort {
    pub plane: Box<dyn MediaPlane>,
    pub events: mpsc::Receiver<WorkerEvent>,
    /// What sites are told to send media to.
    pub addresses: Vec<SocketAddr>,
}

/// What the hall shall do with a report.
#[derive(Debug, PartialEq)]
pub enum Effect {
    Send {
        meeting: MeetingId,
        site: SiteId,
        message: ServerMessage,
    },
    /// To everybody in the meeting.
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
    Worker {
        worker: usize,
        stats: Box<WorkerStats>,
    },
}

/// Translates between meetings and rooms.
pub struct Bridge {
    plane: Box<dyn MediaPlane>,
    rooms: BTreeMap<MeetingId, Room>,
    peers: HashMap<PeerId, (MeetingId, SiteId)>,
    /// Orders a full worker has not taken yet, in order.
    backlog: VecDeque<(RoomId, Command)>,
    effects: Vec<Effect>,
    last_id: u64,
}

/// One meeting's media.
struct Room {
    id: RoomId,
    stage: Stage,
    sites: BTreeMap<SiteId, SiteMedia>,
    speakers: Vec<SiteId>,
}

/// One site's PeerConnection.
struct SiteMedia {
    peer: PeerId,
    /// The engine has admitted the peer.
    answered: bool,
    /// Offers without an answer yet, oldest first.
    waiting: VecDeque<String>,
    video: Vec<Option<Source>>,
    audio: Vec<Option<Source>>,
    /// `slots` is to be sent.
    slots_changed: bool,
    layers: BTreeMap<usize, (SourceKind, Vec<bool>)>,
    stats: Option<PeerStats>,
}

impl SiteMedia {
    fn new(peer: PeerId) -> SiteMedia {
        SiteMedia {
            peer,
            answered: false,
            waiting: VecDeque::new(),
            video: Vec::new(),
            audio: Vec::new(),
            slots_changed: false,
            layers: BTreeMap::new(),
            stats: None,
        }
    }
}

impl Bridge {
    pub fn new(plane: Box<dyn MediaPlane>) -> Bridge {
        Bridge {
            plane,
            rooms: BTreeMap::new(),
            peers: HashMap::new(),
            backlog: VecDeque::new(),
            effects: Vec::new(),
            last_id: 0,
        }
    }

    /// What the hall shall do by now.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Takes an offer. The first one of a new connection may restart ICE on a PeerConnection the
    /// engine still knows, so it goes to the same peer; if the engine then says that it is another
    /// PeerConnection, a new peer takes the place.
    pub fn offer(&mut self, meeting: MeetingId, site: SiteId, sdp: String) {
        let known = self.rooms.get(&meeting);
        if known.is_none_or(|room| !room.sites.contains_key(&site)) {
            self.add_peer(meeting, site);
        }
        let Some((room, media)) = self.site_mut(meeting, site) else {
            return;
        };
        media.waiting.push_back(sdp.clone());
        let peer = media.peer;
        self.order(room, Command::Offer { room, peer, sdp });
    }

    /// A fresh peer for a site, in place of any it had.
    fn add_peer(&mut self, meeting: MeetingId, site: SiteId) {
        self.remove_site(meeting, site);
        let peer = PeerId(self.fresh_id());
        let fresh = self.fresh_id();
        let room = self.rooms.entry(meeting).or_insert_with(|| Room {
            id: RoomId(fresh),
            stage: Stage::default(),
            sites: BTreeMap::new(),
            speakers: Vec::new(),
        });
        room.sites.insert(site, SiteMedia::new(peer));
        self.peers.insert(peer, (meeting, site));
        self.effects.push(Effect::Path { meeting, site, path: MediaPath::Pending });
    }

    /// Ends a site's media.
    pub fn remove_site(&mut self, meeting: MeetingId, site: SiteId) {
        let Some(room) = self.rooms.get_mut(&meeting) else {
            return;
        };
        let id = room.id;
        if let Some(media) = room.sites.remove(&site) {
            room.speakers.retain(|s| *s != site);
            self.peers.remove(&media.peer);
            self.order(id, Command::RemovePeer { peer: media.peer });
        }
    }

    /// Ends a meeting's media.
    pub fn close(&mut self, meeting: MeetingId) {
        if let Some(room) = self.rooms.remove(&meeting) {
            self.peers.retain(|_, (of, _)| *of != meeting);
            self.order(room.id, Command::CloseRoom { room: room.id });
            if !self.backlog.iter().any(|(waiting, _)| *waiting == room.id) {
                self.plane.forget(room.id);
            }
        }
    }

    /// A worker that has ended by itself.
    pub fn lost_worker(&self) -> Option<usize> {
        self.plane.lost()
    }

    /// The meeting wants its media like this.
    pub fn restage(&mut self, meeting: MeetingId, stage: Stage) {
        if let Some(room) = self.rooms.get_mut(&meeting) {
            room.stage = stage;
        }
        self.reconcile(meeting);
    }

    fn reconcile(&mut self, meeting: MeetingId) {
        if let Some(room) = self.rooms.get(&meeting) {
            let id = room.id;
            let desired = desired::desired(room);
            self.order(id, Command::Reconcile { room: id, desired });
        }
    }

    /// A connection took the seat: it learns what it may have missed.
    pub fn attached(&mut self, meeting: MeetingId, site: SiteId) {
        if let Some((_, media)) = self.site_mut(meeting, site) {
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

    /// The newest numbers of a site's line.
    pub fn stats(&self, meeting: MeetingId, site: SiteId) -> Option<&PeerStats> {
        self.rooms.get(&meeting)?.sites.get(&site)?.stats.as_ref()
    }

    /// Offers waiting orders again; true while some are left.
    pub fn retry(&mut self) -> bool {
        while let Some((room, command)) = self.backlog.pop_front() {
            let closes = matches!(command, Command::CloseRoom { .. });
            if let Err(command) = self.plane.send(room, command) {
                self.backlog.push_front((room, command));
                return true;
            }
            if closes {
                self.plane.forget(room);
            }
        }
        false
    }

    /// Sends an order, behind those that wait already. Of two desired states the newer is the truth.
    fn order(&mut self, room: RoomId, command: Command) {
        if matches!(command, Command::Reconcile { .. }) {
            let older = |(r, c): &(RoomId, Command)| *r == room && matches!(c, Command::Reconcile { .. });
            self.backlog.retain(|waiting| !older(waiting));
        }
        if self.backlog.is_empty() {
            if let Err(command) = self.plane.send(room, command) {
                self.backlog.push_back((room, command));
            }
        } else {
            self.backlog.push_back((room, command));
        }
    }

    fn send(&mut self, meeting: MeetingId, site: SiteId, message: ServerMessage) {
        self.effects.push(Effect::Send { meeting, site, message });
    }

    fn send_error(&mut self, meeting: MeetingId, site: SiteId, code: ErrorCode) {
        self.send(meeting, site, crate::error::Refusal::new(code).error());
    }

    fn site_mut(&mut self, meeting: MeetingId, site: SiteId) -> Option<(RoomId, &mut SiteMedia)> {
        let room = self.rooms.get_mut(&meeting)?;
        Some((room.id, room.sites.get_mut(&site)?))
    }

    fn fresh_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}
