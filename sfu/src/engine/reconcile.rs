//! Desired state in, difference out: who gets whose packets. Runs when something changed, never
//! per packet.

use super::Engine;
use super::forwarding::whole_key;
use crate::command::{Desired, DesiredPeer, Priority, Wish};
use crate::event::Event;
use crate::forward::packet::Origin;
use crate::forward::select::choose;
use crate::forward::switch::ALL_TEMPORAL;
use crate::ids::{PeerId, PeerIndex, RoomId, SlotId, Source, SourceKind};
use crate::peer::Table;
use crate::peer::publisher::{Layer, Publisher, Route};
use crate::peer::subscriber::Video;
use crate::room::Room;
use crate::room::audio::{AudioPlace, assign};
use crate::room::shed::{Class, Measure};
use std::time::{Duration, Instant};

/// A key frame that is younger than this will still be young enough to be played from the slab when a handshake has
/// ended.
const AHEAD_MAX_AGE: Duration = Duration::from_millis(250);
/// Of a slot that is thinned because the worker cannot keep up: the pictures that all others rest upon.
const THIN_TEMPORAL: u8 = 0;

impl Engine {
    /// Makes a room look as desired. Idempotent.
    pub(super) fn reconcile(&mut self, now: Instant, id: RoomId) {
        let Some(room) = self.rooms.remove(&id) else {
            return;
        };
        for (_, index) in &room.members {
            self.begin_member(&room, *index);
        }
        for (peer, index) in &room.members {
            self.aim_video(now, &room, *peer, *index);
            self.aim_audio(now, &room, *peer, *index);
        }
        for (peer, index) in &room.members {
            self.report_wanted(now, *peer, *index);
        }
        self.rooms.insert(id, room);
    }

    /// Permissions take effect, and the routes of what a member publishes start anew.
    fn begin_member(&mut self, room: &Room, index: PeerIndex) {
        let Some(link) = self.peers.links.get(index) else {
            return;
        };
        let desired = desired_of(&room.desired, link.peer);
        if let Some(subscriber) = self.peers.subscribers.get_mut(index) {
            subscriber.priority = desired.map(|d| d.priority).unwrap_or_default();
        }
        let Some(publisher) = self.peers.publishers.get_mut(index) else {
            return;
        };
        publisher.permissions = desired.map(|d| d.may_publish).unwrap_or_default();
        let permissions = publisher.permissions;
        for track in publisher.tracks.iter_mut().flatten() {
            for (number, layer) in track.layers.iter_mut().enumerate() {
                layer.routes.clear();
                layer.begin_wanted();
                // The lowest layer is always wanted: a camera nobody watches just now must still
                // be seen to be on.
                if number == 0 {
                    layer.want();
                }
            }
            if track.kind == SourceKind::Microphone && !permissions.microphone {
                track.layers.iter_mut().for_each(|layer| layer.active = false);
            }
        }
    }

    fn aim_video(&mut self, now: Instant, room: &Room, peer: PeerId, index: PeerIndex) {
        let slots = self.peers.subscribers.get(index).map_or(0, |s| s.video.len());
        let desired = desired_of(&room.desired, peer);
        for slot in 0..slots {
            let wish = desired.and_then(|d| d.video_slots.get(slot).copied().flatten());
            let route = Route { subscriber: index, slot: slot as u16 };
            self.aim_slot(now, room, peer, route, wish);
        }
    }

    fn aim_slot(&mut self, now: Instant, room: &Room, peer: PeerId, route: Route, wish: Option<Wish>) {
        let wished = wish.and_then(|wish| self.target_of(now, room, route, wish));
        let judged = wish.zip(wished).map(|(wish, wished)| {
            let (rank, measure) = self.judge(class_of(room, wish.source), wished, route.subscriber);
            (wished, rank, measure)
        });
        let measure = judged.map(|(_, _, measure)| measure).unwrap_or_default();
        let target = wished.filter(|_| measure != Measure::Still);
        let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber) else {
            return;
        };
        let Some(video) = subscriber.video.get_mut(usize::from(route.slot)) else {
            return;
        };
        let keep = target.is_some() && is_current_good(&self.peers.publishers, room, video);
        video.slot.aim(target, keep);
        video.measure = measure;
        video.wanted = judged.map(|(wished, rank, _)| (wished, rank));
        video.slot.limit_temporal(if measure == Measure::Thin { THIN_TEMPORAL } else { ALL_TEMPORAL });
        let (current, target, needs_key) =
            (video.slot.current(), video.slot.target(), video.slot.needs_key());
        // A shed slot keeps its last picture: it is thinned, not gone.
        let stands = measure == Measure::Still && wish.map(|wish| wish.source) == video.shown;
        if current.is_none() && !stands && video.shown.take().is_some() {
            let slot = SlotId::Video(route.slot);
            self.events.push_back(Event::SlotShows { peer, slot, source: None });
        }
        self.add_route(current, route);
        self.add_route(target.filter(|_| target != current), route);
        if let Some(origin) = needs_key
            && !self.replay_key(now, origin, route)
            && !self.request_key_for(now, route.subscriber, origin)
            && let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber)
        {
            subscriber.waits_for_key = true;
        }
    }

    /// The layer a wish leads to now, if the source is there and permitted. One that is silent is not off:
    /// a slot keeps its last picture.
    fn target_of(&mut self, now: Instant, room: &Room, route: Route, wish: Wish) -> Option<Origin> {
        let Source { peer, kind } = wish.source;
        let index = room.index_of(peer)?;
        let slot = self.peers.subscribers.get(route.subscriber)?.video.get(usize::from(route.slot))?;
        if slot.slot.line.codecs.is_empty() {
            return None;
        }
        let shown = slot.slot.current().filter(|shown| shown.publisher == index && shown.kind == kind);
        let publisher = self.peers.publishers.get_mut(index)?;
        if !publisher.may_publish(kind) || kind == SourceKind::Microphone {
            return None;
        }
        let track = publisher.track_mut(kind)?;
        let choice = choose(&track.layer_states(), wish.max_height)?;
        let available = choice.available.or_else(|| track.while_silent(shown.map(|shown| shown.layer)));
        // Until the best one comes, those on the way to it are the best there is.
        let from = available.unwrap_or(choice.wanted).min(choice.wanted);
        track.layers.iter_mut().take(choice.wanted.saturating_add(1)).skip(from).for_each(Layer::want);
        let origin = Origin { publisher: index, kind, layer: available? as u8 };
        let transport = &self.peers.links.get(route.subscriber)?.transport;
        // A key frame for somebody without a path is lost, and the slot would believe it was sent.
        let connected = transport.is_connected();
        if transport.is_about_to_connect() {
            self.ask_ahead(now, origin, route);
        }
        connected.then_some(origin)
    }

    /// Whoever is shaking hands needs a key frame when that is done: asked for now, it comes meanwhile and is
    /// played from the slab. Once for a slot, however often the room changes; a path must have been proved, and
    /// it is on the receiver's account, so that nobody draws more of them than by connecting.
    fn ask_ahead(&mut self, now: Instant, origin: Origin, route: Route) {
        let subscriber = self.peers.subscribers.get_mut(route.subscriber);
        let video = subscriber.and_then(|subscriber| subscriber.video.get_mut(usize::from(route.slot)));
        let asked = video.is_none_or(|video| video.asked_ahead.replace(origin) == Some(origin));
        let layer = self.peers.publishers.layer(origin);
        let lies_there = layer.is_some_and(|layer| whole_key(layer, now, AHEAD_MAX_AGE).is_some());
        if !asked && !lies_there {
            self.request_key_for(now, route.subscriber, origin);
        }
    }

    fn add_route(&mut self, origin: Option<Origin>, route: Route) {
        let Some(origin) = origin else { return };
        let Some(publisher) = self.peers.publishers.get_mut(origin.publisher) else {
            return;
        };
        if let Some(layer) = publisher.layer_mut(origin.kind, origin.layer)
            && layer.routes.last() != Some(&route)
        {
            layer.routes.push(route);
        }
    }

    pub(super) fn request_key(&mut self, now: Instant, origin: Origin) {
        let Some(publisher) = self.peers.publishers.get_mut(origin.publisher) else {
            return;
        };
        if let Some(layer) = publisher.layer_mut(origin.kind, origin.layer) {
            layer.keyframe.request(now);
            self.touch(origin.publisher);
        }
    }

    fn aim_audio(&mut self, now: Instant, room: &Room, peer: PeerId, index: PeerIndex) {
        let mut heard: Vec<PeerId> = room.desired.floor.into_iter().collect();
        heard.extend(room.speakers.heard().filter(|voice| Some(*voice) != room.desired.floor));
        // As for pictures: for a seat without a path every packet would be decided and thrown away.
        let connected = self.peers.links.get(index).is_some_and(|link| link.transport.is_connected());
        heard.retain(|voice| connected && *voice != peer && self.is_audible(room, *voice));
        let places = self.audio_places(room, peer, index);
        for (slot, voice) in assign(&places, &heard).into_iter().enumerate() {
            self.aim_audio_slot(now, room, peer, Route { subscriber: index, slot: slot as u16 }, voice);
        }
    }

    fn is_audible(&self, room: &Room, voice: PeerId) -> bool {
        let publisher = room.index_of(voice).and_then(|index| self.peers.publishers.get(index));
        publisher.is_some_and(|p| p.permissions.microphone && p.track(SourceKind::Microphone).is_some())
    }

    fn audio_places(&self, room: &Room, peer: PeerId, index: PeerIndex) -> Vec<AudioPlace> {
        let wishes = desired_of(&room.desired, peer).map(|d| d.video_slots.as_slice()).unwrap_or_default();
        let camera = |wish: &Wish| (wish.source.kind == SourceKind::Camera).then_some(wish.source.peer);
        let slots = self.peers.subscribers.get(index).map(|s| s.audio.as_slice()).unwrap_or_default();
        let pairs = self.peers.links.get(index).map_or(0, |link| usize::from(link.negotiated.pairs));
        let place = |(slot, audio): (usize, &crate::peer::subscriber::Audio)| AudioPlace {
            partner: wishes
                .get(slot)
                .filter(|_| slot < pairs)
                .and_then(|wish| wish.as_ref())
                .and_then(camera)
                .filter(|p| *p != peer),
            carries: audio.shown.map(|source| source.peer),
        };
        slots.iter().enumerate().map(place).collect()
    }

    fn aim_audio_slot(
        &mut self,
        now: Instant,
        room: &Room,
        peer: PeerId,
        route: Route,
        voice: Option<PeerId>,
    ) {
        let origin = voice.and_then(|voice| room.index_of(voice)).map(|publisher| Origin {
            publisher,
            kind: SourceKind::Microphone,
            layer: 0,
        });
        let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber) else {
            return;
        };
        let Some(audio) = subscriber.audio.get_mut(usize::from(route.slot)) else {
            return;
        };
        let begins = audio.slot.aim(origin);
        let shown = voice.map(|peer| Source { peer, kind: SourceKind::Microphone });
        if audio.shown != shown {
            audio.shown = shown;
            let slot = SlotId::Audio(route.slot);
            self.events.push_back(Event::SlotShows { peer, slot, source: shown });
        }
        self.add_route(origin, route);
        if let Some(origin) = origin.filter(|_| begins) {
            self.replay_voice(now, origin, route);
        }
    }

    /// Tells the publisher which layers are watched, when that changed.
    fn report_wanted(&mut self, now: Instant, peer: PeerId, index: PeerIndex) {
        let Some(publisher) = self.peers.publishers.get_mut(index) else {
            return;
        };
        for track in publisher.tracks.iter_mut().flatten() {
            if track.kind == SourceKind::Microphone {
                continue;
            }
            let layers: Vec<bool> = track.layers.iter_mut().map(|layer| layer.settle_wanted(now)).collect();
            if track.reported_wanted != layers {
                track.reported_wanted.clone_from(&layers);
                self.events.push_back(Event::LayersWanted { peer, kind: track.kind, layers });
            }
        }
    }
}

pub(super) fn desired_of(desired: &Desired, peer: PeerId) -> Option<&DesiredPeer> {
    desired.peers.iter().find(|desired| desired.peer == peer)
}

/// What a source is worth when video must be thinned: the floor before content, the chair and others.
fn class_of(room: &Room, source: Source) -> Class {
    if room.desired.floor == Some(source.peer) {
        return Class::Floor;
    }
    if source.kind == SourceKind::Content {
        return Class::Content;
    }
    match desired_of(&room.desired, source.peer).map(|d| d.priority) {
        Some(Priority::Chair) => Class::Chair,
        Some(Priority::Other) | None => Class::Other,
    }
}

/// Whether what a slot shows may stay until the next picture is there.
fn is_current_good(publishers: &Table<Publisher>, room: &Room, video: &Video) -> bool {
    let Some(current) = video.slot.current() else {
        return false;
    };
    let in_room = room.members.iter().any(|(_, index)| *index == current.publisher);
    let permitted = publishers.get(current.publisher).is_some_and(|p| p.may_publish(current.kind));
    in_room && permitted
}
