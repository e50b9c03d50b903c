//! Mixes of a room's voices: which are wanted, what a mixer is told and given, and what it makes of that. A mix is a
//! publisher from inside the process: slots show it, and protect it, as they do any microphone.

use super::Engine;
use crate::discard::DropReason;
use crate::forward::packet::{Origin, PacketMeta};
use crate::forward::write::Parts;
use crate::ids::{PeerId, PeerIndex, RoomId, SourceKind};
use crate::mix::{MixFormat, MixOrder, Mixed, WantedMix};
use crate::peer::publisher::Publisher;
use crate::peer::subscriber::Audio;
use crate::room::Room;
use crate::room::audio::Carried;
use crate::room::plan::Plan;
use rtp::sequence::Sequence;
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// Packets of voices that may wait for the host: six voices of a second.
const MAX_WAITING: usize = 300;

/// On their way to the mixer. Voices that nobody fetches are lost; what is desired is not, and stands here at most once for
/// each room and second.
#[derive(Debug, Default)]
pub(super) struct Orders(VecDeque<MixOrder>);

impl Orders {
    fn push(&mut self, order: MixOrder) {
        self.0.push_back(order);
    }

    fn takes_voices(&self) -> bool {
        self.0.len() < MAX_WAITING
    }

    pub fn next(&mut self) -> Option<MixOrder> {
        self.0.pop_front()
    }
}

impl Engine {
    /// Makes the mixes of a room those that its plan has listeners for.
    pub(super) fn apply_mixes(&mut self, now: Instant, room: &mut Room, heard: &[PeerId], plan: &Plan) {
        let wanted = wanted(plan);
        let gone = room.mixes.extract_if(.., |without, _| !wanted.contains_key(without));
        gone.for_each(|(_, index)| self.peers.remove_inside(index));
        for without in wanted.keys() {
            let peers = &mut self.peers;
            room.mixes.entry(*without).or_insert_with(|| peers.insert_inside(Publisher::inside(now)));
        }
        for index in room.mixes.values() {
            let layer =
                self.peers.publishers.get_mut(*index).and_then(|p| p.layer_mut(SourceKind::Microphone, 0));
            if let Some(layer) = layer {
                layer.routes.clear();
            }
        }
        let mixes = wanted.into_iter().map(|(without, format)| WantedMix { without, format }).collect();
        let may_speak = |voice: &&PeerId| room.permissions_of(**voice).microphone;
        let voices = heard.iter().filter(may_speak).copied().collect();
        self.order_mixes(MixOrder::Room { room: room.id, voices, mixes }, room);
    }

    fn order_mixes(&mut self, order: MixOrder, room: &mut Room) {
        let is_none = room.mixes.is_empty();
        if (is_none && room.mix_order.is_none()) || room.mix_order.as_ref() == Some(&order) {
            return;
        }
        room.mix_order = (!is_none).then(|| order.clone());
        self.mix_orders.push(order);
    }

    /// The voices of a room that has mixes, after `begin_member` has forgotten which these were.
    pub(super) fn mark_mixed(&mut self, room: &Room) {
        let Some(MixOrder::Room { voices, .. }) = &room.mix_order else {
            return;
        };
        for index in voices.iter().filter_map(|voice| room.index_of(*voice)) {
            let publisher = self.peers.publishers.get_mut(index);
            if let Some(layer) = publisher.and_then(|p| p.layer_mut(SourceKind::Microphone, 0)) {
                layer.is_mixed = true;
            }
        }
    }

    /// A mixer that has begun anew knows nothing.
    pub(super) fn repeat_mix_orders(&mut self) {
        let orders = self.rooms.values().filter_map(|room| room.mix_order.clone());
        orders.for_each(|order| self.mix_orders.push(order));
    }

    pub(super) fn count_mixes(&mut self) {
        self.stats.mixes = self.rooms.values().map(|room| room.mixes.len()).sum();
        let subscribers = self.peers.indices().filter_map(|index| self.peers.subscribers.get(index));
        let is_mix = |audio: &Audio| audio.carries.is_some_and(|carries| carries.is_mix());
        self.stats.mixed_peers = subscribers.filter(|subscriber| subscriber.audio.iter().any(is_mix)).count();
    }

    pub(super) fn end_mixes(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else {
            return;
        };
        let had_mixes = room.mix_order.take().is_some();
        let mixes = std::mem::take(&mut room.mixes);
        mixes.into_values().for_each(|index| self.peers.remove_inside(index));
        if had_mixes {
            self.mix_orders.push(MixOrder::Room { room: id, voices: Vec::new(), mixes: Vec::new() });
        }
    }

    /// Work for a mix has panicked: it ends, and its room's next plan makes another. False where that is no mix.
    pub(super) fn end_mix_at(&mut self, index: PeerIndex) -> bool {
        let is_it = |place: &&mut Room| place.mixes.values().any(|mix| *mix == index);
        let Some(room) = self.rooms.values_mut().find(is_it) else {
            return false;
        };
        room.mixes.retain(|_, mix| *mix != index);
        self.peers.remove_inside(index);
        true
    }

    /// A room was lost while its plan was carried out, and nobody knows its mixes any more.
    pub(super) fn sweep_mixes(&mut self) {
        let known: Vec<PeerIndex> =
            self.rooms.values().flat_map(|room| room.mixes.values().copied()).collect();
        self.peers.retain_inside(|index| known.contains(&index));
    }

    /// A stored packet of a voice that is mixed.
    #[inline]
    pub(super) fn give_to_mixer(&mut self, origin: Origin, sequence: Sequence) {
        let layer = self.peers.publishers.layer(origin).filter(|layer| layer.is_mixed);
        let Some((meta, stored)) = layer.and_then(|layer| layer.slab.get(sequence)) else {
            return;
        };
        let Some(identity) = self.peers.identities.get(origin.publisher) else {
            return;
        };
        if !self.mix_orders.takes_voices() {
            return self.stats.drops.count(DropReason::Overload);
        }
        let payload = Parts::of(meta, stored).payload.to_vec();
        let (room, voice, timestamp) = (identity.room, identity.peer, meta.timestamp);
        self.mix_orders.push(MixOrder::Voice { room, voice, timestamp, payload });
    }

    /// A packet of a mix is stored and offered to its slots, like any microphone's. One of a mix that is over is too late.
    pub(super) fn take_mixed(&mut self, now: Instant, mixed: &Mixed) -> Result<(), DropReason> {
        let room = self.rooms.get(&mixed.mix.room);
        let index = room.and_then(|room| room.mixes.get(&mixed.mix.without)).ok_or(DropReason::TooLate)?;
        let origin = Origin { publisher: *index, kind: SourceKind::Microphone, layer: 0 };
        let publisher = self.peers.publishers.get_mut(*index).ok_or(DropReason::TooLate)?;
        publisher.clock_offset_s = Some(0.0);
        let layer = publisher.layer_mut(origin.kind, 0).ok_or(DropReason::TooLate)?;
        layer.last_report = Some((self.config.clock.ntp(now), mixed.timestamp));
        let sequence = layer.newest.next();
        layer.slab.insert(sequence, &mixed.payload, PacketMeta::of_speech(now, mixed.timestamp))?;
        (layer.newest, layer.last_packet, layer.active) = (sequence, Some(now), true);
        self.forward(origin, sequence);
        Ok(())
    }
}

/// The mixes that somebody is to hear, each as good as its poorest listener's line allows.
fn wanted(plan: &Plan) -> BTreeMap<Option<PeerId>, MixFormat> {
    let mut wanted: BTreeMap<Option<PeerId>, MixFormat> = BTreeMap::new();
    for member in &plan.members {
        for carried in member.audio.iter().flatten() {
            if let (Carried::Mix { without }, Some(mix)) = (carried, member.speech.mix) {
                wanted.entry(*without).and_modify(|of_all| *of_all = of_all.poorer(mix)).or_insert(mix);
            }
        }
    }
    wanted
}
