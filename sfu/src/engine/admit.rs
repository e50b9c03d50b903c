//! Commands: a peer's first offer admits it, offers are answered, peers are removed.

use super::Engine;
use super::work::Work;
use crate::command::{Command, Desired};
use crate::event::Event;
use crate::ids::{PeerId, PeerIndex, RoomId};
use crate::limits;
use crate::net::IceCredentials;
use crate::peer::identity::Identity;
use crate::peer::line::Line;
use crate::peer::publisher::Publisher;
use crate::peer::subscriber::Subscriber;
use crate::room::Room;
use crate::sdp::{self, LocalDescription, Negotiated, Offer, OfferError};
use crate::transport::{CheckNumbers, Transport};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rtp::ids::Ssrc;
use std::time::Instant;

impl Engine {
    pub(super) fn handle_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Offer { room, peer, offer, known_bps } => {
                self.handle_offer(now, (room, peer), &offer, known_bps);
            }
            Command::RemovePeer { peer } => self.remove_peer(peer),
            Command::CloseRoom { room } => self.close_room(room),
            Command::Advertise { candidates } => self.config.candidates = candidates,
            Command::Reconcile { room, desired } => self.set_desired(room, desired),
        }
    }

    fn handle_offer(
        &mut self,
        now: Instant,
        (room, peer): (RoomId, PeerId),
        offer: &Offer,
        known_bps: Option<u64>,
    ) {
        self.at_work.begin(Work::Offer(peer));
        let answer = match self.peers.index(peer) {
            Some(index) => self.answer_again(now, index, offer),
            None => self.admit(now, (room, peer), offer, known_bps),
        };
        self.events.push_back(match answer {
            Ok(sdp) => Event::Answer { peer, sdp },
            Err(reason) => Event::OfferRefused { peer, reason },
        });
    }

    fn admit(
        &mut self,
        now: Instant,
        (room, peer): (RoomId, PeerId),
        offer: &Offer,
        known_bps: Option<u64>,
    ) -> Result<String, OfferError> {
        if self.peers.len() >= limits::MAX_PEERS_PER_WORKER {
            return Err(OfferError::Full);
        }
        let ice = self.fresh_credentials();
        let (negotiated, answer) = self.negotiate(offer, None, &ice)?;
        let numbers = self.check_numbers();
        let tag = numbers.tag();
        let transport = Transport::new(
            now,
            self.config.certificate.clone(),
            ice.clone(),
            negotiated.remote_ice.clone(),
            negotiated.fingerprints.clone(),
            numbers,
        );
        let publisher = Publisher::new(now, &negotiated);
        let subscriber = Subscriber::new(now, &negotiated, known_bps, &mut self.rng);
        let identity = Identity::new(now, peer, room);
        let line = Line::web_rtc(transport, negotiated);
        let index = self.peers.insert(identity, line, publisher, subscriber);
        self.demux.set_ufrag(&ice.ufrag, index);
        self.demux.add_tag(tag, index);
        let room = self.rooms.entry(room).or_insert_with(|| Room::new(room));
        room.members.push((peer, index));
        let id = room.id;
        self.stale(id);
        self.touch(index);
        Ok(answer)
    }

    /// A later offer: new ICE credentials restart ICE, sections at the end are new slots.
    fn answer_again(&mut self, now: Instant, index: PeerIndex, offer: &Offer) -> Result<String, OfferError> {
        let Line::WebRtc(line) = self.peers.lines.get(index).ok_or(OfferError::Changed)?;
        let previous = line.negotiated.clone();
        let local = line.transport.local_credentials().clone();
        let restarts = *offer.credentials() != previous.remote_ice;
        let ice = if restarts { self.fresh_credentials() } else { local };
        let (negotiated, answer) = self.negotiate(offer, Some(&previous), &ice)?;
        if let Some(subscriber) = self.peers.subscribers.get_mut(index) {
            subscriber.extend(&negotiated, &mut self.rng);
        }
        if let Some(publisher) = self.peers.publishers.get_mut(index) {
            publisher.renegotiate(&negotiated);
        }
        if restarts {
            self.demux.set_ufrag(&ice.ufrag, index);
        }
        if let Some(Line::WebRtc(line)) = self.peers.lines.get_mut(index) {
            line.renegotiate(now, restarts.then_some(ice), negotiated);
        }
        self.stale_room_of(index);
        self.touch(index);
        Ok(answer)
    }

    fn negotiate(
        &mut self,
        offer: &Offer,
        previous: Option<&Negotiated>,
        ice: &IceCredentials,
    ) -> Result<(Negotiated, String), OfferError> {
        let session_id = self.rng.random::<u64>() >> 2;
        let rng = &mut self.rng;
        // Also against the slots that exist: two of one SSRC would share its SRTP indices.
        let slots = previous.map(|previous| previous.sections.as_slice()).unwrap_or_default();
        let known = slots.iter().filter_map(|section| section.slot_ssrc);
        let mut used: Vec<u32> =
            known.flat_map(|(ssrc, rtx)| [Some(ssrc), rtx]).flatten().map(|s| s.0).collect();
        let mut slot_ssrcs = || loop {
            let ssrc = rng.random::<u32>();
            if ssrc > 1 && !used.contains(&ssrc) {
                used.push(ssrc);
                return Ssrc(ssrc);
            }
        };
        let local = LocalDescription {
            ice,
            fingerprint: self.config.certificate.fingerprint(),
            candidates: &self.config.candidates,
            session_id,
            cname: "nhipcau",
            slot_ssrcs: &mut slot_ssrcs,
        };
        sdp::answer(offer, previous, local)
    }

    fn check_numbers(&mut self) -> CheckNumbers {
        let tag = loop {
            let tag = self.rng.random();
            if self.demux.is_free(tag) {
                break tag;
            }
        };
        CheckNumbers::new(tag, StdRng::from_rng(&mut self.rng))
    }

    fn fresh_credentials(&mut self) -> IceCredentials {
        let rng = &mut self.rng;
        let mut text = |length: usize| -> String {
            (0..length).map(|_| char::from(rng.sample(rand::distr::Alphanumeric))).collect()
        };
        IceCredentials { ufrag: text(crate::demux::UFRAG_BYTES), pwd: text(32) }
    }

    pub(super) fn remove_peer(&mut self, peer: PeerId) {
        let Some(index) = self.peers.index(peer) else {
            return;
        };
        if let Some(room) = self.room_of(index) {
            let changes = self.rooms.get_mut(&room).map(|room| {
                room.members.retain(|(id, _)| *id != peer);
                room.speakers.remove(peer)
            });
            self.on_speaker_changes(room, changes.unwrap_or_default());
            self.stale(room);
        }
        self.drop_waiting(index);
        self.demux.forget(index);
        self.peers.remove(peer);
    }

    fn close_room(&mut self, room: RoomId) {
        let Some(closed) = self.rooms.get(&room) else {
            return;
        };
        let members: Vec<PeerId> = closed.members.iter().map(|(peer, _)| *peer).collect();
        members.into_iter().for_each(|peer| self.remove_peer(peer));
        self.end_mixes(room);
        self.rooms.remove(&room);
        self.stale_rooms.retain(|stale| *stale != room);
    }

    /// A room may be described before its first peer has offered.
    fn set_desired(&mut self, room: RoomId, desired: Desired) {
        let entry = self.rooms.entry(room).or_insert_with(|| Room::new(room));
        if entry.desired != desired {
            entry.desired = desired;
            self.stale(room);
        }
    }
}
