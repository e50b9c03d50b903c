//! What each room's worker is to do and has not been sent yet. One destination, one backlog: nothing waits behind
//! another meeting, let alone another worker, and what waits is a state, not a queue: of a site at most one offer and
//! one removal, of a room at most one desired state. So it is bounded however long a worker takes nothing.

use super::Bridge;
use super::desired::desired;
use crate::ids::MeetingId;
use crate::meeting::Stage;
use protocol::{SiteId, SlotLimit, SourceKind};
use sfu::command::{Command, Desired};
use sfu::ids::{PeerId, RoomId, Source};
use sfu::sdp::Offer;
use std::collections::BTreeMap;

/// Offers of one meeting that wait for a worker. The largest there may be have 240 KB when they were read, so a meeting
/// of 64 sites that all came with these fits; real ones have 20 KB. Beyond it a site is refused because the worker is
/// full, and comes back later.
pub(super) const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// One meeting's media.
pub(super) struct Room {
    pub id: RoomId,
    pub worker: usize,
    pub stage: Stage,
    pub sites: BTreeMap<SiteId, SiteMedia>,
    pub speakers: Vec<SiteId>,
    /// The desired state is to be sent.
    pub stale: bool,
    /// Peers that the worker knows and is to remove.
    gone: Vec<PeerId>,
    /// The worker knows of this room.
    opened: bool,
}

/// One site's PeerConnection.
pub(super) struct SiteMedia {
    pub peer: PeerId,
    /// The engine has admitted the peer.
    pub answered: bool,
    /// With the worker and not answered yet; kept in case the answer is that it is another PeerConnection's.
    pub asked: Option<Box<Offer>>,
    /// Not with the worker yet. A newer one takes its place: the page waits for the answer to its newest.
    pub waiting: Option<Box<Offer>>,
    /// What its line carried when it was last here.
    pub known_bps: Option<u64>,
    pub video: Vec<Option<Source>>,
    pub audio: Vec<Option<Source>>,
    /// Of its video slots: what they show less of.
    pub limits: Vec<Option<SlotLimit>>,
    /// The audio slot that carries a mix.
    pub mix: Option<u16>,
    /// `slots` is to be sent.
    pub slots_changed: bool,
    pub layers: BTreeMap<usize, (SourceKind, Vec<bool>)>,
}

impl SiteMedia {
    pub fn new(peer: PeerId, known_bps: Option<u64>) -> SiteMedia {
        SiteMedia {
            peer,
            answered: false,
            asked: None,
            waiting: None,
            known_bps,
            video: Vec::new(),
            audio: Vec::new(),
            limits: Vec::new(),
            mix: None,
            slots_changed: false,
            layers: BTreeMap::new(),
        }
    }
}

impl Room {
    pub fn new(id: RoomId, worker: usize) -> Room {
        Room {
            id,
            worker,
            stage: Stage::default(),
            sites: BTreeMap::new(),
            speakers: Vec::new(),
            stale: false,
            gone: Vec::new(),
            opened: false,
        }
    }

    /// Whether one more offer may wait here. The one it replaces no longer counts.
    pub fn has_space_for(&self, site: SiteId, offer: &Offer) -> bool {
        let others = self.sites.iter().filter(|(other, _)| **other != site);
        let waiting = others.filter_map(|(_, media)| media.waiting.as_ref());
        waiting.map(|offer| offer.bytes()).fold(offer.bytes(), usize::saturating_add) <= MAX_WAITING_BYTES
    }

    /// Takes a site out, and names the peer it was.
    pub fn remove(&mut self, site: SiteId) -> Option<PeerId> {
        let media = self.sites.remove(&site)?;
        self.speakers.retain(|s| *s != site);
        // What never went to the worker need not be taken back.
        if media.answered || media.asked.is_some() {
            self.gone.push(media.peer);
        }
        Some(media.peer)
    }

    /// The next order, as if it had been taken.
    fn next_order(&mut self) -> Option<Command> {
        if let Some(peer) = self.gone.pop() {
            return Some(Command::RemovePeer { peer });
        }
        let mut due = self.sites.values_mut().filter(|media| media.asked.is_none());
        let room = self.id;
        let offer = due.find_map(|media| {
            let offer = media.asked.insert(media.waiting.take()?).clone();
            Some(Command::Offer { room, peer: media.peer, offer, known_bps: media.known_bps })
        });
        if offer.is_some() {
            return offer;
        }
        let stale = std::mem::take(&mut self.stale);
        stale.then(|| Command::Reconcile { room: self.id, desired: self.desired() })
    }

    fn desired(&self) -> Desired {
        desired(&self.stage, |site| self.sites.get(&site).map(|media| media.peer))
    }

    /// The order was not taken.
    fn put_back(&mut self, order: Command) {
        match order {
            Command::RemovePeer { peer } => self.gone.push(peer),
            Command::Offer { peer, .. } => {
                if let Some(media) = self.sites.values_mut().find(|media| media.peer == peer) {
                    media.waiting = media.asked.take();
                }
            }
            Command::Reconcile { .. } => self.stale = true,
            // Neither is a room's own order.
            Command::CloseRoom { .. } | Command::Advertise { .. } => {}
        }
    }
}

/// How it went with one order.
#[derive(Debug, PartialEq, Eq)]
enum Served {
    Taken,
    /// The worker's queue is full.
    Full,
    /// There was none.
    Nothing,
}

impl Bridge {
    /// Sends a meeting's worker its orders, as far as it takes them. The rest waits for [`Bridge::retry`].
    pub(super) fn serve(&mut self, meeting: MeetingId) {
        if self.behind.contains(&meeting) {
            return;
        }
        loop {
            match self.serve_one(meeting) {
                Served::Taken => {}
                Served::Full => return self.behind.push_back(meeting),
                Served::Nothing => return,
            }
        }
    }

    fn serve_one(&mut self, meeting: MeetingId) -> Served {
        let Some(room) = self.rooms.get_mut(&meeting) else {
            return Served::Nothing;
        };
        let Some(order) = room.next_order() else {
            return Served::Nothing;
        };
        match self.plane.send(room.id, order) {
            Ok(()) => {
                room.opened = true;
                Served::Taken
            }
            Err(order) => {
                room.put_back(order);
                Served::Full
            }
        }
    }

    /// Offers waiting orders again; true while some are left. Meetings take turns, an order each.
    pub fn retry(&mut self) -> bool {
        let closing: Vec<RoomId> = self.closing.iter().copied().collect();
        closing.into_iter().for_each(|room| self.close_room(room));
        let mut refused = 0usize;
        while refused < self.behind.len() {
            let Some(meeting) = self.behind.pop_front() else {
                break;
            };
            match self.serve_one(meeting) {
                Served::Nothing => {}
                Served::Taken => {
                    refused = 0;
                    self.behind.push_back(meeting);
                }
                Served::Full => {
                    refused = refused.saturating_add(1);
                    self.behind.push_back(meeting);
                }
            }
        }
        !self.behind.is_empty() || !self.closing.is_empty()
    }

    /// The room is over: its worker gets the order to close it, if it knows the room.
    pub(super) fn end_room(&mut self, room: &Room) {
        match room.opened {
            true => self.close_room(room.id),
            false => self.plane.forget(room.id),
        }
    }

    fn close_room(&mut self, room: RoomId) {
        match self.plane.send(room, Command::CloseRoom { room }) {
            Ok(()) => {
                self.closing.remove(&room);
                self.plane.forget(room);
            }
            Err(_) => {
                self.closing.insert(room);
            }
        }
    }
}
