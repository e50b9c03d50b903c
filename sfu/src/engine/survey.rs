//! Collects what a room's plan is made from, out of the tables of peers.

use super::Engine;
use crate::command::{DesiredPeer, Permissions, Ranks};
use crate::ids::{PeerId, PeerIndex, SourceKind};
use crate::peer::publisher::{Publisher, Track};
use crate::peer::subscriber::Subscriber;
use crate::room::Room;
use crate::room::plan::{Member, PublishedTrack, Survey, VideoPlace};
use std::collections::BTreeMap;

impl Engine {
    pub(super) fn survey<'a>(&self, room: &'a Room) -> Survey<'a> {
        let mut desired: BTreeMap<PeerId, &DesiredPeer> = BTreeMap::new();
        for one in &room.desired.peers {
            desired.entry(one.peer).or_insert(one);
        }
        let has_floor = |voice: &PeerId| desired.get(voice).is_some_and(|desired| desired.has_floor);
        let floor = room.desired.peers.iter().map(|desired| desired.peer).filter(has_floor);
        let others = room.speakers.heard().filter(|voice| !has_floor(voice));
        let member =
            |(peer, index): &(PeerId, PeerIndex)| self.member(*peer, *index, desired.get(peer).copied());
        Survey {
            members: room.members.iter().filter_map(member).collect(),
            heard: floor.chain(others).collect(),
        }
    }

    fn member<'a>(
        &self,
        peer: PeerId,
        index: PeerIndex,
        desired: Option<&'a DesiredPeer>,
    ) -> Option<Member<'a>> {
        let line = self.peers.lines.get(index)?;
        let publisher = self.peers.publishers.get(index)?;
        let subscriber = self.peers.subscribers.get(index)?;
        let may = desired.map(|desired| desired.may_publish).unwrap_or_default();
        let ranks = desired.map(|desired| desired.ranks).unwrap_or_default();
        Some(Member {
            peer,
            index,
            line: line.state(),
            audible: may.microphone && publisher.track(SourceKind::Microphone).is_some(),
            tracks: video_tracks(publisher, may).map(|track| published(track, ranks)).collect(),
            wishes: desired.map(|desired| desired.video_slots.as_slice()).unwrap_or_default(),
            video: video_places(subscriber),
            audio: subscriber.audio.iter().map(|audio| audio.shown.map(|source| source.peer)).collect(),
            pairs: subscriber.pairs,
        })
    }
}

fn video_tracks(publisher: &Publisher, may: Permissions) -> impl Iterator<Item = &Track> {
    let permitted = [(SourceKind::Camera, may.camera), (SourceKind::Content, may.content)];
    permitted.into_iter().filter(|(_, may)| *may).filter_map(|(kind, _)| publisher.track(kind))
}

fn published(track: &Track, ranks: Ranks) -> PublishedTrack {
    let has_sent = track.layers.iter().any(|layer| layer.last_packet.is_some());
    let rank = if track.kind == SourceKind::Content { ranks.content } else { ranks.camera };
    PublishedTrack { kind: track.kind, rank, layers: track.layer_states(), has_sent }
}

fn video_places(subscriber: &Subscriber) -> Vec<VideoPlace> {
    let slots = subscriber.video.iter().map(|video| &video.slot);
    slots.map(|slot| VideoPlace { has_codec: !slot.rtp.codecs.is_empty(), shows: slot.current() }).collect()
}
