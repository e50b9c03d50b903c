//! Carries out a room's plan: which slots get which layer's packets. Runs when something changed, never per packet.

use super::Engine;
use super::backlog;
use super::forwarding::whole_key;
use crate::command::Permissions;
use crate::event::Event;
use crate::forward::packet::Origin;
use crate::forward::switch::ALL_TEMPORAL;
use crate::ids::{PeerId, PeerIndex, RoomId, SlotId, Source, SourceKind};
use crate::peer::layer::Route;
use crate::room::Room;
use crate::room::audio::Carried;
use crate::room::plan::{MemberPlan, Plan, SlotPlan, plan};
use crate::room::shed::Measure;
use std::time::{Duration, Instant};

/// A key frame that is younger than this will still be young enough to be played from the slab when a handshake has
/// ended.
const AHEAD_MAX_AGE: Duration = Duration::from_millis(250);
/// Of a slot that is thinned because the worker cannot keep up: the frames that all others depend on.
const THIN_TEMPORAL: u8 = 0;

impl Engine {
    /// Makes a room's routes and slots those of the desired state. Idempotent.
    pub(super) fn reconcile(&mut self, now: Instant, id: RoomId) {
        let Some(mut room) = self.rooms.remove(&id) else {
            return;
        };
        let survey = self.survey(now, &room);
        let plan = plan(&survey, &self.shedding);
        let heard = survey.heard;
        self.apply_mixes(now, &mut room, &heard, &plan);
        self.apply(now, &room, &plan);
        self.rooms.insert(id, room);
    }

    fn apply(&mut self, now: Instant, room: &Room, plan: &Plan) {
        for (peer, index) in &room.members {
            self.begin_member(*index, room.permissions_of(*peer));
        }
        self.mark_mixed(room);
        for origin in &plan.wanted {
            if let Some(publisher) = self.peers.publishers.get_mut(origin.publisher)
                && let Some(layer) = publisher.layer_mut(origin.kind, origin.layer)
            {
                layer.want();
            }
        }
        for member in &plan.members {
            self.apply_member(now, room, member);
        }
        for (peer, index) in &room.members {
            self.report_wanted(now, *peer, *index);
        }
    }

    /// Permissions take effect, and the routes of what a member publishes are cleared.
    fn begin_member(&mut self, index: PeerIndex, permissions: Permissions) {
        let Some(publisher) = self.peers.publishers.get_mut(index) else {
            return;
        };
        publisher.permissions = permissions;
        for track in publisher.tracks.iter_mut().flatten() {
            for (number, layer) in track.layers.iter_mut().enumerate() {
                layer.routes.clear();
                layer.is_mixed = false;
                layer.begin_wanted();
                // The lowest layer is always wanted: a camera that has no viewer just now must still show that it is
                // on.
                if number == 0 {
                    layer.want();
                }
            }
            if track.kind == SourceKind::Microphone && !permissions.microphone {
                track.layers.iter_mut().for_each(|layer| layer.active = false);
            }
        }
    }

    fn apply_member(&mut self, now: Instant, room: &Room, plan: &MemberPlan) {
        let MemberPlan { peer, index: subscriber, video, audio, share, speech } = plan;
        if let Some(subscriber) = self.peers.subscribers.get_mut(*subscriber) {
            (subscriber.share, subscriber.shared_at) = (*share, Some(now));
            subscriber.mixing.set(now, speech.mix, speech.is_short);
        }
        for (slot, slot_plan) in (0..).zip(video) {
            self.apply_video(now, *peer, Route { subscriber: *subscriber, slot }, slot_plan);
        }
        for (slot, carried) in (0..).zip(audio) {
            self.apply_audio(now, room, *peer, Route { subscriber: *subscriber, slot }, *carried);
        }
    }

    fn apply_video(&mut self, now: Instant, peer: PeerId, route: Route, plan: &SlotPlan) {
        if let Some(origin) = plan.ahead {
            self.ask_ahead(now, origin, route);
        }
        if let Some((origin, _)) = plan.wished.filter(|_| plan.shed == Measure::Held) {
            self.count_still(origin);
        }
        let subscriber = self.peers.subscribers.get_mut(route.subscriber);
        let Some(video) = subscriber.and_then(|s| s.video.get_mut(usize::from(route.slot))) else {
            return;
        };
        video.slot.aim(plan.target(), plan.keeps);
        (video.measure, video.shed) = (plan.measure, plan.shed);
        video.ladder.give(now, plan.given);
        if std::mem::replace(&mut video.limit, plan.limit) != plan.limit {
            let (slot, limit) = (route.slot, plan.limit);
            self.events.push_back(Event::SlotLimited { peer, slot, limit });
        }
        video.wanted = plan.wished;
        video.slot.show_stills(plan.measure.stills_every());
        video.slot.limit_temporal(if plan.measure == Measure::Thin { THIN_TEMPORAL } else { ALL_TEMPORAL });
        let (current, target) = (video.slot.current(), video.slot.target());
        // Of a source whose last still is young enough none is needed, although the slot was held meanwhile.
        let is_due = plan.measure.stills_every().is_none() || video.slot.still_due(now).is_some();
        let needs_key = video.slot.needs_key().filter(|_| is_due);
        // A slot that is held keeps its last frame, also while it waits for the key frame with which it goes on.
        let stands = plan.wished.is_some() && plan.source == video.shown;
        if current.is_none() && !stands && video.shown.take().is_some() {
            let slot = SlotId::Video(route.slot);
            self.events.push_back(Event::SlotShows { peer, slot, source: None });
            if let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber) {
                subscriber.forget(route.slot);
            }
        }
        self.add_route(current, route);
        self.add_route(target.filter(|_| target != current), route);
        if let Some(origin) = needs_key {
            self.begin_at_key(now, origin, route);
        }
    }

    /// A slot begins with a key frame: one that is there already, or one that is asked for. While older frames wait for
    /// the line it would only wait behind them.
    fn begin_at_key(&mut self, now: Instant, origin: Origin, route: Route) {
        if let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber)
            && backlog::stands(now, subscriber)
        {
            subscriber.waits_for_key = true;
            return;
        }
        if !self.replay_key(now, origin, route)
            && !self.request_key_for(now, route.subscriber, origin)
            && let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber)
        {
            subscriber.waits_for_key = true;
        }
    }

    fn count_still(&mut self, origin: Origin) {
        let publisher = self.peers.publishers.get_mut(origin.publisher);
        if let Some(layer) = publisher.and_then(|p| p.layer_mut(origin.kind, origin.layer)) {
            layer.shed = layer.shed.saturating_add(1);
        }
    }

    /// A peer whose handshake is going on needs a key frame when that is done: requested now, it comes meanwhile and is
    /// played from the slab. Once for a slot, however often the room changes; a path must have been proved, and it is
    /// charged to the receiver's budget, so that a peer gets no more of them than by connecting.
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

    fn apply_audio(
        &mut self,
        now: Instant,
        room: &Room,
        peer: PeerId,
        route: Route,
        carried: Option<Carried>,
    ) {
        let origin = carried.and_then(|carried| room.publisher_of(carried)).map(|publisher| Origin {
            publisher,
            kind: SourceKind::Microphone,
            layer: 0,
        });
        let subscriber = self.peers.subscribers.get_mut(route.subscriber);
        let Some(audio) = subscriber.and_then(|s| s.audio.get_mut(usize::from(route.slot))) else {
            return;
        };
        let begins = audio.slot.aim(origin);
        let before = std::mem::replace(&mut audio.carries, carried);
        self.report_carried(peer, route.slot, before, carried);
        self.add_route(origin, route);
        // The newest packet of a mix may have the receiver's own voice in it.
        let is_mix = carried.is_some_and(|carried| carried.is_mix());
        if let Some(origin) = origin.filter(|_| begins && !is_mix) {
            self.replay_voice(now, origin, route);
        }
    }

    /// Reports what an audio slot carries, when that changed. Whose voice a mix leaves out is nobody's business.
    fn report_carried(&mut self, peer: PeerId, slot: u16, before: Option<Carried>, now: Option<Carried>) {
        let source = |carried| match carried {
            Some(Carried::Voice(peer)) => Some(Source { peer, kind: SourceKind::Microphone }),
            Some(Carried::Mix { .. }) | None => None,
        };
        if source(before) != source(now) {
            self.events.push_back(Event::SlotShows { peer, slot: SlotId::Audio(slot), source: source(now) });
        }
        let is_mix = |carried: Option<Carried>| carried.is_some_and(|carried| carried.is_mix());
        if is_mix(before) != is_mix(now) {
            self.events.push_back(Event::SlotMixes { peer, slot, mixes: is_mix(now) });
        }
    }

    /// Reports which layers of a publisher are watched, when that changed.
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
