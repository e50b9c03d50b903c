//! From one stored packet to the slots that show its layer.

use super::Engine;
use super::reports::HURRIED_REPORTS;
use super::switching::{Offered, SlotContext};
use super::work::Work;
use crate::discard::DropReason;
use crate::event::Event;
use crate::forward::packet::{Origin, PacketMeta};
use crate::forward::write::Parts;
use crate::ids::{SlotId, Source, SourceKind};
use crate::peer::layer::{Layer, Route};
use crate::peer::queue::SendRank;
use crate::time::after;
use arrayvec::ArrayVec;
use rtp::sequence::Sequence;
use std::time::{Duration, Instant};

/// A key frame that is in the slab already is played from there when it is younger than this: the slot shows something
/// at once, and has only a fraction of a second to catch up.
const REPLAY_MAX_AGE: Duration = Duration::from_millis(500);
/// A voice begins with its newest packet when that is younger than this, the longest packet of Opus: after a pause the
/// next one is what is spoken now.
const VOICE_MAX_AGE: Duration = Duration::from_millis(60);

/// A frame that goes to so many slots is waited for, after its first packet so long at most: each of them is visited once,
/// and gets it in one send, although it came over several turns.
const MANY_ROUTES: usize = 16;
const FRAME_COMES_WITHIN: Duration = Duration::from_millis(1);

/// Packets of one layer that came one after the other, stored but not decided yet: a frame comes as a
/// burst, and so each of its subscribers is visited once instead of once for each packet.
#[derive(Default)]
pub(super) struct Burst {
    origin: Option<Origin>,
    sequences: ArrayVec<Sequence, 32>,
}

impl Burst {
    /// Whether so many packets of this layer join the burst; otherwise the burst is decided first.
    pub fn takes(&self, origin: Origin, packets: usize) -> bool {
        self.origin == Some(origin) && self.sequences.remaining_capacity() >= packets
    }
}

impl Engine {
    /// Offers a stored packet to every slot on its layer's routes, together with those that follow at
    /// once. Whatever may change a route, a slot or a slab decides the burst first.
    pub(super) fn forward(&mut self, origin: Origin, sequence: Sequence) {
        if origin.kind == SourceKind::Microphone {
            self.give_to_mixer(origin, sequence);
        }
        self.burst.origin = Some(origin);
        let joined = self.burst.sequences.try_push(sequence);
        debug_assert_eq!(joined, Ok(()), "a full burst is decided before the next packet is stored");
    }

    /// Until when the rest of the burst's frame is waited for; not while anything may change a route or a slot.
    pub(super) fn holds_burst(&self, now: Instant) -> Option<Instant> {
        let origin = self.burst.origin.filter(|origin| origin.kind != SourceKind::Microphone)?;
        let layer = self.peers.publishers.layer(origin).filter(|layer| layer.routes.len() >= MANY_ROUTES)?;
        let (first, last) = self.burst.sequences.first().zip(self.burst.sequences.last())?;
        let ((first, _), (last, _)) = layer.slab.get(*first).zip(layer.slab.get(*last))?;
        let until = after(first.arrived, FRAME_COMES_WITHIN);
        let is_quiet = self.stale_rooms.is_empty()
            && now < self.next_stats
            && self.next_visit().is_none_or(|visit| now < visit);
        (is_quiet && !last.frame_end && now < until).then_some(until)
    }

    pub(super) fn decide_burst(&mut self, now: Instant) {
        let Some(origin) = self.burst.origin.take() else {
            return;
        };
        let sequences = std::mem::take(&mut self.burst.sequences);
        let drops = &mut self.stats.drops;
        let Some(layer) = self.peers.publishers.layer(origin) else {
            return drops.add(DropReason::UnknownSsrc, sequences.len() as u64);
        };
        let publisher = origin.publisher;
        let before = self.at_work.interrupt(Work::Peer(publisher));
        let stored = |sequence: &Sequence| Some((*sequence, layer.slab.get(*sequence)?.0));
        let packets: ArrayVec<(Sequence, &PacketMeta), 32> = sequences.iter().filter_map(stored).collect();
        let gone = sequences.len().saturating_sub(packets.len());
        drops.add(DropReason::TooOld, gone as u64);
        drops.add(DropReason::Overload, layer.shed.saturating_mul(packets.len() as u64));
        let (mut switched, mut voices, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for route in &layer.routes {
            let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber) else {
                continue;
            };
            self.at_work.begin(Work::Decide { publisher, receiver: route.subscriber });
            let mut context =
                SlotContext { publishers: &self.peers.publishers, drops: &mut *drops, now, route: *route };
            if origin.kind == SourceKind::Microphone {
                if context.offer_audio(subscriber, origin, &packets) == Offered::Switched {
                    voices.push(*route);
                }
                self.dirty.mark(SendRank::Audio, &mut subscriber.queue, route.subscriber);
                continue;
            }
            match context.offer_burst(subscriber, origin, &packets) {
                Offered::Stays => {}
                Offered::Switched => switched.push(*route),
                Offered::NeedsKey(origin) => keys.push(origin),
            }
            self.dirty.mark(SendRank::Video, &mut subscriber.queue, route.subscriber);
        }
        drop(packets);
        keys.into_iter().for_each(|origin| self.request_key(now, origin));
        self.report_switches(now, SourceKind::Microphone, &voices);
        if !switched.is_empty() {
            self.after_switch(now, origin, &switched);
        }
        self.at_work.resume(before);
    }

    /// A padding-only packet takes no number on the slots that show the layer.
    pub(super) fn skip_padding(&mut self, origin: Origin, sequence: Sequence, meta: &PacketMeta) {
        let Some(layer) = self.peers.publishers.layer(origin) else {
            return;
        };
        for route in &layer.routes {
            let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber) else {
                continue;
            };
            let slot = usize::from(route.slot);
            let rewriter = if origin.kind == SourceKind::Microphone {
                subscriber.audio.get_mut(slot).map(|audio| &mut audio.slot.rewriter)
            } else {
                subscriber.video.get_mut(slot).map(|video| &mut video.slot.rewriter)
            };
            if let Some(rewriter) = rewriter {
                rewriter.skip(origin, sequence, meta);
            }
        }
    }

    /// Name and picture change together: `SlotShows` goes out with the first packet of the new source, and the routes
    /// of the layers that the slot showed before are removed. The packet offered need not be of the new source: the
    /// last packet of the old one's frame may have made the switch possible.
    fn after_switch(&mut self, now: Instant, offered: Origin, switched: &[Route]) {
        for route in switched {
            let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber) else {
                continue;
            };
            let Some(video) = subscriber.video.get_mut(usize::from(route.slot)) else {
                continue;
            };
            let source = |origin: Origin| {
                let peer = self.peers.identities.get(origin.publisher)?.peer;
                Some(Source { peer, kind: origin.kind })
            };
            let shown = video.slot.current().and_then(source);
            if shown.is_some() && video.shown != shown {
                video.shown = shown;
                let Some(identity) = self.peers.identities.get(route.subscriber) else {
                    continue;
                };
                let slot = SlotId::Video(route.slot);
                self.events.push_back(Event::SlotShows { peer: identity.peer, slot, source: shown });
            }
        }
        self.report_switches(now, offered.kind, switched);
        self.stale_room_of(offered.publisher);
    }

    /// A switch may move the slot's timeline against the publisher's clock: sender reports go out at once, or lips are
    /// out of sync for a second.
    pub(super) fn report_switches(&mut self, now: Instant, kind: SourceKind, switched: &[Route]) {
        for route in switched {
            let subscriber = self.peers.subscribers.get_mut(route.subscriber);
            let account = subscriber.and_then(|subscriber| subscriber.account(kind, route.slot));
            if let Some(account) = account {
                account.hurry = HURRIED_REPORTS;
            }
            if let Some(identity) = self.peers.identities.get_mut(route.subscriber) {
                identity.hurry_at = Some(now);
            }
            self.touch(route.subscriber);
        }
    }

    /// Switches a slot to a key frame that is in the slab already, if it is young enough.
    pub(super) fn replay_key(&mut self, now: Instant, origin: Origin, route: Route) -> bool {
        let Some(layer) = self.peers.publishers.layer(origin) else {
            return false;
        };
        let Some((key, meta)) = whole_key(layer, now, REPLAY_MAX_AGE) else {
            return false;
        };
        let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber) else {
            return false;
        };
        let drops = &mut self.stats.drops;
        let mut context = SlotContext { publishers: &self.peers.publishers, drops, now, route };
        let switched = matches!(context.offer_video(subscriber, origin, key, meta), Offered::Switched);
        if switched {
            self.dirty.mark(SendRank::Video, &mut subscriber.queue, route.subscriber);
            self.after_switch(now, origin, &[route]);
        }
        switched
    }

    /// Plays the newest packet of a voice on a slot that begins to carry it, instead of waiting for the next: a new
    /// receiver hears at once, and no receiver misses the packet that made a voice heard. Its time is when it arrived.
    pub(super) fn replay_voice(&mut self, now: Instant, origin: Origin, route: Route) {
        let Some(layer) = self.peers.publishers.layer(origin) else {
            return;
        };
        let Some((meta, stored)) = layer.slab.get(layer.newest) else {
            return;
        };
        let arrived = meta.arrived;
        let is_old = now.saturating_duration_since(arrived) > VOICE_MAX_AGE;
        if is_old || Parts::of(meta, stored).payload.is_empty() {
            return;
        }
        let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber) else {
            return;
        };
        let drops = &mut self.stats.drops;
        let mut context = SlotContext { publishers: &self.peers.publishers, drops, now: arrived, route };
        let packet = (layer.newest, meta);
        if context.begin_audio(subscriber, origin, packet) == Offered::Switched {
            self.dirty.mark(SendRank::Audio, &mut subscriber.queue, route.subscriber);
            self.report_switches(now, SourceKind::Microphone, &[route]);
        }
    }
}

/// The first packet of the newest key frame, if it is younger than `age` and can be played from the slab: nothing after
/// it is missing.
pub(super) fn whole_key(layer: &Layer, now: Instant, age: Duration) -> Option<(Sequence, &PacketMeta)> {
    let key = layer.last_key?;
    let (meta, _) = layer.slab.get(key)?;
    let is_there = |sequence: Sequence| layer.slab.get(sequence).is_some();
    let is_young = layer.age(now, meta) < age;
    (is_young && key.until(layer.newest.next()).all(is_there)).then_some((key, meta))
}
