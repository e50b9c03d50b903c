//! Collects what a room's plan is made from, out of the tables of peers.

use super::Engine;
use crate::command::{DesiredPeer, Permissions, Ranks};
use crate::forward::select::assumed_bps;
use crate::ids::{PeerId, PeerIndex, SourceKind};
use crate::limits;
use crate::peer::layer::Layer;
use crate::peer::publisher::{Publisher, Track};
use crate::peer::subscriber::{Subscriber, Video};
use crate::room::Room;
use crate::room::mixing::Hearing;
use crate::room::plan::{Member, PublishedTrack, Survey, VideoPlace};
use crate::room::shed::Cost;
use std::collections::BTreeMap;
use std::time::Instant;

/// A camera is taken to send so many times less than its height lets expect, at least.
const MAY_GROW: u64 = 4;
/// And what is presented, which takes next to nothing until a page is turned: 80 KB at 720 lines, 0.4 s of what a camera of
/// that height sends, are to be there within five seconds.
const MAY_TURN: u64 = 12;

impl Engine {
    pub(super) fn survey<'a>(&self, now: Instant, room: &'a Room) -> Survey<'a> {
        let mut desired: BTreeMap<PeerId, &DesiredPeer> = BTreeMap::new();
        for one in &room.desired.peers {
            desired.entry(one.peer).or_insert(one);
        }
        let has_floor = |voice: &PeerId| desired.get(voice).is_some_and(|desired| desired.has_floor);
        let floor = room.desired.peers.iter().map(|desired| desired.peer).filter(has_floor);
        let others = room.speakers.heard().filter(|voice| !has_floor(voice));
        let member = |(peer, index): &(PeerId, PeerIndex)| {
            self.member(now, (*peer, *index), desired.get(peer).copied())
        };
        Survey {
            members: room.members.iter().filter_map(member).collect(),
            heard: floor.chain(others).collect(),
        }
    }

    fn member<'a>(
        &self,
        now: Instant,
        (peer, index): (PeerId, PeerIndex),
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
            line_bps: subscriber.line().map(|line| line.bps as u64),
            protection: subscriber.redundancy.protection(),
            hearing: Hearing {
                is_mixed: subscriber.mixing.is_forced(),
                may_mix: subscriber.knows_its_line(),
                may_part: subscriber.mixing.may_part(now),
                asks: desired.is_some_and(|desired| desired.asks_for_mix),
            },
            audible: may.microphone && publisher.track(SourceKind::Microphone).is_some(),
            tracks: video_tracks(publisher, may).map(|track| published(now, track, ranks)).collect(),
            wishes: desired.map(|desired| desired.video_slots.as_slice()).unwrap_or_default(),
            video: video_places(now, subscriber),
            audio: subscriber.audio.iter().map(|audio| audio.carries).collect(),
            pairs: subscriber.pairs,
        })
    }
}

fn video_tracks(publisher: &Publisher, may: Permissions) -> impl Iterator<Item = &Track> {
    let permitted = [(SourceKind::Camera, may.camera), (SourceKind::Content, may.content)];
    permitted.into_iter().filter(|(_, may)| *may).filter_map(|(kind, _)| publisher.track(kind))
}

fn published(now: Instant, track: &Track, ranks: Ranks) -> PublishedTrack {
    let has_sent = track.layers.iter().any(|layer| layer.last_packet.is_some());
    let rank = if track.kind == SourceKind::Content { ranks.content } else { ranks.camera };
    let layers = track.layer_states();
    let costs = track.layers.iter().enumerate().take(limits::MAX_LAYERS);
    let costs =
        costs.map(|(index, layer)| cost(now, track.kind, layer, assumed_bps(&layers, index))).collect();
    PublishedTrack { kind: track.kind, rank, layers, costs, has_sent }
}

/// What a layer takes. A camera that has just begun, or is dark, will soon send more than it does, and so will a page.
fn cost(now: Instant, kind: SourceKind, layer: &Layer, assumed: u64) -> Cost {
    if !layer.active {
        return Cost { whole: assumed, upper: assumed.wrapping_div(2) };
    }
    let least = match kind {
        SourceKind::Content => assumed.wrapping_div(MAY_TURN),
        SourceKind::Camera | SourceKind::Microphone => assumed.wrapping_div(MAY_GROW),
    };
    let sends = layer.stream.totals(now).bitrate_bps;
    let whole = sends.max(least);
    let upper = layer.upper_rate.bps(now).min(sends);
    Cost { whole, upper: upper.saturating_mul(whole).checked_div(sends).unwrap_or(whole.wrapping_div(2)) }
}

fn video_places(now: Instant, subscriber: &Subscriber) -> Vec<VideoPlace> {
    let place = |video: &Video| VideoPlace {
        has_codec: !video.slot.rtp.codecs.is_empty(),
        shows: video.slot.current(),
        given: video.ladder.given(),
        may_rise: video.ladder.may_rise(now),
    };
    subscriber.video.iter().map(place).collect()
}
