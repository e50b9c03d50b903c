//! Events of the engine, translated for meetings and sites.

use super::desired::kind_for_sites;
use super::{Bridge, Effect, SiteMedia, WorkerEvent};
use crate::error::Refusal;
use crate::ids::MeetingId;
use crate::meeting::MediaPath;
use protocol::{ErrorCode, LimitedBy, Sdp, ServerMessage, SiteId, SlotLimit, SlotShows, SlotSource};
use sfu::event::Event;
use sfu::ids::{PeerId, RoomId, SlotId, Source};
use sfu::limits::{MAX_AUDIO_SLOTS, MAX_VIDEO_SLOTS};
use sfu::sdp::OfferError;
use sfu::shortfall::{self, Less, Limit};
use sfu::stats::PeerStats;

impl Bridge {
    /// Takes an event. Events of peers that have gone are ignored.
    pub fn handle_event(&mut self, report: WorkerEvent) {
        match report.event {
            Event::Answer { peer, sdp } => self.answered(peer, sdp),
            Event::OfferRefused { peer, reason } => self.offer_refused(peer, reason),
            Event::Connected { peer, .. } | Event::Restored { peer } => {
                self.path(peer, MediaPath::Up);
            }
            // Where to is in the statistics.
            Event::PathChanged { .. } => {}
            Event::Quiet { peer } => self.path(peer, MediaPath::Down),
            Event::Disconnected { peer, reason } => {
                tracing::debug!(peer = peer.0, ?reason, "media disconnected");
                self.path(peer, MediaPath::Down);
            }
            Event::Failed { peer, cause } => self.failed(peer, &cause),
            Event::Publishing { source, active } => self.publishing(source, active),
            Event::SlotShows { peer, slot, source } => self.slot_shows(peer, slot, source),
            Event::SlotMixes { peer, slot, mixes } => self.slot_mixes(peer, slot, mixes),
            Event::SlotLimited { peer, slot, limit } => self.slot_limited(peer, slot, limit),
            Event::Speakers { room, peers } => self.speakers(room, &peers),
            Event::LayersWanted { peer, kind, layers } => {
                if let Some((meeting, site, media)) = self.media_of(peer) {
                    let shown = kind_for_sites(kind);
                    media.layers.insert(kind.index(), (shown, layers.clone()));
                    let message = ServerMessage::Layers { kind: shown, layers };
                    self.send(meeting, site, message);
                }
            }
            Event::Stats { worker, peers } => {
                self.stats_arrived(peers);
                self.effects.push(Effect::Worker { worker: report.worker, stats: worker });
            }
        }
    }

    /// Sends `slots` to those whose slots have changed.
    pub fn flush(&mut self) {
        let mut changed = Vec::new();
        for (meeting, room) in &mut self.rooms {
            for (site, media) in &mut room.sites {
                if std::mem::take(&mut media.slots_changed) {
                    let slots = (media.video.clone(), media.audio.clone());
                    changed.push((*meeting, *site, slots, media.limits.clone(), media.mix.is_some()));
                }
            }
        }
        for (meeting, site, (video, audio), limits, mixed) in changed {
            let (video, audio) = (self.slot_sources(&video), self.slot_sources(&audio));
            let message = ServerMessage::Slots { video, audio, limits, mixed };
            self.send(meeting, site, message);
        }
    }

    fn answered(&mut self, peer: PeerId, sdp: String) {
        if let Some((meeting, site, media)) = self.media_of(peer) {
            media.answered = true;
            media.asked = None;
            // The page has offered again meanwhile: this answer would not fit what it has now.
            if media.waiting.is_none() {
                self.send(meeting, site, ServerMessage::Answer { sdp: Sdp::Plain(sdp) });
            }
            // The engine ignores wishes of peers it did not know when they came.
            self.reconcile(meeting);
        }
    }

    fn offer_refused(&mut self, peer: PeerId, reason: OfferError) {
        let Some((meeting, site, media)) = self.media_of(peer) else {
            return;
        };
        let was_known = media.answered;
        let (asked, newer) = (media.asked.take(), media.waiting.take());
        let superseded = newer.is_some();
        match (reason, newer.or(asked)) {
            (OfferError::Changed, Some(offer)) if was_known => {
                self.add_peer(meeting, site);
                self.offer(meeting, site, offer);
            }
            (_, Some(offer)) if superseded => self.offer(meeting, site, offer),
            _ => {
                if !was_known {
                    self.remove_site(meeting, site);
                }
                self.refuse(meeting, site, code_of(reason));
            }
        }
    }

    /// The engine has given a peer up for a fault of its own: the site builds a new connection.
    fn failed(&mut self, peer: PeerId, cause: &str) {
        let Some((meeting, site, _)) = self.media_of(peer) else {
            return;
        };
        tracing::error!(
            peer = peer.0,
            meeting = meeting.0,
            site = site.0,
            cause,
            "a media connection was given up"
        );
        self.remove_site(meeting, site);
        self.effects.push(Effect::Path { meeting, site, path: MediaPath::Down });
        self.send(meeting, site, Refusal::new(ErrorCode::OfferChanged).error());
    }

    fn path(&mut self, peer: PeerId, path: MediaPath) {
        if let Some((meeting, site, _)) = self.media_of(peer) {
            self.effects.push(Effect::Path { meeting, site, path });
        }
    }

    fn publishing(&mut self, source: Source, active: bool) {
        if let Some((meeting, site, _)) = self.media_of(source.peer) {
            self.effects.push(Effect::Publishing {
                meeting,
                site,
                kind: kind_for_sites(source.kind),
                active,
            });
        }
    }

    fn slot_shows(&mut self, peer: PeerId, slot: SlotId, source: Option<Source>) {
        let Some((_, _, media)) = self.media_of(peer) else {
            return;
        };
        let (slots, index) = match slot {
            SlotId::Video(i) => (&mut media.video, usize::from(i)),
            SlotId::Audio(i) => (&mut media.audio, usize::from(i)),
        };
        if index < MAX_AUDIO_SLOTS {
            if slots.len() <= index {
                slots.resize(index.saturating_add(1), None);
            }
            if let Some(slot) = slots.get_mut(index) {
                *slot = source;
            }
            media.slots_changed = true;
        }
    }

    fn slot_mixes(&mut self, peer: PeerId, slot: u16, mixes: bool) {
        let Some((_, _, media)) = self.media_of(peer) else {
            return;
        };
        if mixes {
            media.mix = Some(slot);
        } else if media.mix == Some(slot) {
            media.mix = None;
        }
        media.slots_changed = true;
    }

    fn slot_limited(&mut self, peer: PeerId, slot: u16, limit: Option<Limit>) {
        let Some((_, _, media)) = self.media_of(peer) else {
            return;
        };
        let index = usize::from(slot);
        if index < MAX_VIDEO_SLOTS {
            if media.limits.len() <= index {
                media.limits.resize(index.saturating_add(1), None);
            }
            if let Some(slot) = media.limits.get_mut(index) {
                *slot = limit.map(limit_for_sites);
            }
            media.slots_changed = true;
        }
    }

    fn speakers(&mut self, room: RoomId, peers: &[PeerId]) {
        let found = self.rooms.iter().find(|(_, r)| r.id == room);
        if let Some(meeting) = found.map(|(meeting, _)| *meeting) {
            let named = peers.iter().filter_map(|peer| self.peers.get(peer));
            let speakers: Vec<SiteId> = named.map(|(_, site)| *site).collect();
            if let Some(room) = self.rooms.get_mut(&meeting) {
                room.speakers.clone_from(&speakers);
            }
            let message = ServerMessage::Speakers { sites: speakers };
            self.effects.push(Effect::Broadcast { meeting, message });
        }
    }

    fn stats_arrived(&mut self, peers: Vec<PeerStats>) {
        for stats in peers {
            if let Some((meeting, site)) = self.peers.get(&stats.peer).copied() {
                self.effects.push(Effect::Line { meeting, site, stats: Some(Box::new(stats)) });
            }
        }
    }

    fn slot_sources(&self, slots: &[Option<Source>]) -> Vec<Option<SlotSource>> {
        let named = slots.iter().map(|source| {
            let source = source.as_ref()?;
            let (_, site) = self.peers.get(&source.peer)?;
            Some(SlotSource { site: *site, kind: kind_for_sites(source.kind) })
        });
        named.collect()
    }

    fn media_of(&mut self, peer: PeerId) -> Option<(MeetingId, SiteId, &mut SiteMedia)> {
        let (meeting, site) = *self.peers.get(&peer)?;
        Some((meeting, site, self.site_mut(meeting, site)?))
    }
}

pub(super) fn code_of(reason: OfferError) -> ErrorCode {
    match reason {
        OfferError::Malformed => ErrorCode::OfferMalformed,
        OfferError::TooLarge => ErrorCode::OfferTooLarge,
        OfferError::Unsupported => ErrorCode::OfferUnsupported,
        OfferError::Changed => ErrorCode::OfferChanged,
        OfferError::Full => ErrorCode::WorkerFull,
        OfferError::Internal => ErrorCode::Internal,
    }
}

fn limit_for_sites(limit: Limit) -> SlotLimit {
    let shows = match limit.shows {
        Less::Lower => SlotShows::Lower,
        Less::Fewer => SlotShows::Fewer,
        Less::Stills => SlotShows::Stills,
        Less::Held => SlotShows::Held,
    };
    let by = match limit.by {
        shortfall::LimitedBy::Viewer => LimitedBy::Viewer,
        shortfall::LimitedBy::Publisher => LimitedBy::Publisher,
        shortfall::LimitedBy::Server => LimitedBy::Server,
    };
    SlotLimit { shows, by }
}
