//! What a room's plan is made from, read out of the tables.

use super::Engine;
use crate::command::{Desired, DesiredPeer, Permissions, Priority};
use crate::ids::{PeerId, PeerIndex, Source, SourceKind};
use crate::peer::publisher::{Publisher, Track};
use crate::peer::subscriber::Subscriber;
use crate::room::Room;
use crate::room::plan::{LineState, Member, PublishedTrack, Survey, VideoPlace};
use crate::room::shed::Class;
use std::collections::BTreeMap;

impl Engine {
    pub(super) fn survey<'a>(&self, room: &'a Room) -> Survey<'a> {
        let mut desired: BTreeMap<PeerId, &DesiredPeer> = BTreeMap::new();
        for one in &room.desired.peers {
            desired.entry(one.peer).or_insert(one);
        }
        let member = |(peer, index): &(PeerId, PeerIndex)| {
            self.member(&room.desired, *peer, *index, desired.get(peer).copied())
        };
        let mut heard: Vec<PeerId> = room.desired.floor.into_iter().collect();
        heard.extend(room.speakers.heard().filter(|voice| Some(*voice) != room.desired.floor));
        Survey { members: room.members.iter().filter_map(member).collect(), heard }
    }

    fn member<'a>(
        &self,
        room: &Desired,
        peer: PeerId,
        index: PeerIndex,
        desired: Option<&'a DesiredPeer>,
    ) -> Option<Member<'a>> {
        let link = self.peers.links.get(index)?;
        let publisher = self.peers.publishers.get(index)?;
        let subscriber = self.peers.subscribers.get(index)?;
        let may = desired.map(|desired| desired.may_publish).unwrap_or_default();
        let class = |kind| class_of(room, desired, Source { peer, kind });
        Some(Member {
            peer,
            index,
            line: match (link.transport.is_connected(), link.transport.is_about_to_connect()) {
                (true, _) => LineState::Up,
                (false, true) => LineState::Arriving,
                (false, false) => LineState::Down,
            },
            audible: may.microphone && publisher.track(SourceKind::Microphone).is_some(),
            tracks: video_tracks(publisher, may).map(|track| published(track, class(track.kind))).collect(),
            wishes: desired.map(|desired| desired.video_slots.as_slice()).unwrap_or_default(),
            video: video_places(subscriber),
            audio: subscriber.audio.iter().map(|audio| audio.shown.map(|source| source.peer)).collect(),
            pairs: usize::from(link.negotiated.pairs),
        })
    }
}

fn video_tracks(publisher: &Publisher, may: Permissions) -> impl Iterator<Item = &Track> {
    let permitted = [(SourceKind::Camera, may.camera), (SourceKind::Content, may.content)];
    permitted.into_iter().filter(|(_, may)| *may).filter_map(|(kind, _)| publisher.track(kind))
}

fn published(track: &Track, class: Class) -> PublishedTrack {
    let has_sent = track.layers.iter().any(|layer| layer.last_packet.is_some());
    PublishedTrack { kind: track.kind, class, layers: track.layer_states(), has_sent }
}

fn video_places(subscriber: &Subscriber) -> Vec<VideoPlace> {
    let slots = subscriber.video.iter().map(|video| &video.slot);
    slots.map(|slot| VideoPlace { has_codec: !slot.line.codecs.is_empty(), shows: slot.current() }).collect()
}

/// What a source is worth when video must be thinned: the floor before content, the chair and others.
fn class_of(room: &Desired, publisher: Option<&DesiredPeer>, source: Source) -> Class {
    if room.floor == Some(source.peer) {
        return Class::Floor;
    }
    if source.kind == SourceKind::Content {
        return Class::Content;
    }
    match publisher.map(|desired| desired.priority) {
        Some(Priority::Chair) => Class::Chair,
        Some(Priority::Other) | None => Class::Other,
    }
}
