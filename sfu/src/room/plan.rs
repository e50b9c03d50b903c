//! What every slot of a room is to show, and why. Pure: [`plan`] reads a [`Survey`] of the room and returns a [`Plan`];
//! `engine/apply.rs` carries out what differs from before.

use super::audio::{AudioPlace, assign};
use super::shed::{Measure, Shedding, Standing};
use crate::command::{Rank, Wish};
use crate::forward::packet::Origin;
use crate::forward::select::{LayerState, choose};
use crate::ids::{PeerId, PeerIndex, Source, SourceKind};
use crate::limits;
use arrayvec::ArrayVec;
use std::collections::BTreeMap;

/// All that is known of a room when its plan is made.
#[derive(Debug, Default)]
pub struct Survey<'a> {
    /// In the order in which they came.
    pub members: Vec<Member<'a>>,
    /// The voices to be heard: the peer with the floor, then the loudest.
    pub heard: Vec<PeerId>,
}

/// One endpoint: what it publishes, what it wishes for, and what its slots show now.
#[derive(Debug)]
pub struct Member<'a> {
    pub peer: PeerId,
    pub index: PeerIndex,
    pub line: LineState,
    /// Its microphone is there and permitted.
    pub audible: bool,
    /// Camera and content, where they are there and permitted.
    pub tracks: ArrayVec<PublishedTrack, 2>,
    /// One for each video slot; missing ones are no wishes.
    pub wishes: &'a [Option<Wish>],
    pub video: Vec<VideoPlace>,
    /// The peer whose voice each audio slot carries.
    pub audio: Vec<Option<PeerId>>,
    /// So many video slots have an audio slot beside them, which carries the same source.
    pub pairs: usize,
}

/// Whether packets reach an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineState {
    /// A packet would be lost, and its slot would believe that it was sent.
    Down,
    /// The handshake is going on: what is asked for now comes in time.
    Arriving,
    Up,
}

/// A published video source.
#[derive(Debug, Clone)]
pub struct PublishedTrack {
    pub kind: SourceKind,
    pub rank: Rank,
    /// Lowest first.
    pub layers: ArrayVec<LayerState, { limits::MAX_LAYERS }>,
    /// At least one packet of it has come, however long ago.
    pub has_sent: bool,
}

/// A video slot before the plan.
#[derive(Debug, Clone, Copy, Default)]
pub struct VideoPlace {
    /// Its section carries a codec of ours.
    pub has_codec: bool,
    pub shows: Option<Origin>,
}

/// What every slot is to carry, in the order of the survey's members.
#[derive(Debug, Default, PartialEq)]
pub struct Plan {
    pub members: Vec<MemberPlan>,
    /// Layers that slots would show, and those that serve until the best one comes; one may be named several times.
    pub wanted: Vec<Origin>,
}

/// What the slots of one endpoint are to carry.
#[derive(Debug, PartialEq)]
pub struct MemberPlan {
    pub peer: PeerId,
    pub index: PeerIndex,
    pub video: Vec<SlotPlan>,
    pub audio: Vec<Option<PeerId>>,
}

/// What one video slot is to show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlotPlan {
    /// The source its viewer wishes for.
    pub source: Option<Source>,
    /// The layer that it shows when the worker can keep up, and its position in the order in which video is shed.
    pub wished: Option<(Origin, Standing)>,
    pub measure: Measure,
    /// A key frame of this layer is requested before the line is up.
    pub ahead: Option<Origin>,
    /// What it shows now may stay until the first key frame of the layer wished for.
    pub keeps: bool,
    pub why: Why,
}

/// What decides that a slot shows what it shows, and not more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The viewer: it has what it wishes for.
    Choice,
    /// The viewer's line, or what it can decode.
    Viewer,
    /// The publisher: it sends nothing, or not the layer wished for, or may not.
    Publisher,
    /// The server, which cannot keep up.
    Server,
}

impl SlotPlan {
    /// What the slot is aimed at; nothing while its last frame stands.
    pub fn target(&self) -> Option<Origin> {
        self.wished.map(|(origin, _)| origin).filter(|_| self.measure != Measure::Still)
    }

    fn nothing(source: Option<Source>, why: Why) -> SlotPlan {
        SlotPlan { source, wished: None, measure: Measure::Whole, ahead: None, keeps: false, why }
    }
}

/// Makes the plan of a room. `shedding` says what an overloaded worker leaves out.
pub fn plan(survey: &Survey<'_>, shedding: &Shedding) -> Plan {
    let mut planner = Planner::new(survey, shedding);
    let members = survey.members.iter().map(|viewer| MemberPlan {
        peer: viewer.peer,
        index: viewer.index,
        video: planner.video(viewer),
        audio: planner.audio(viewer),
    });
    let members = members.collect();
    Plan { members, wanted: planner.wanted }
}

struct Planner<'a> {
    survey: &'a Survey<'a>,
    shedding: &'a Shedding,
    by_peer: BTreeMap<PeerId, &'a Member<'a>>,
    by_index: BTreeMap<PeerIndex, &'a Member<'a>>,
    wanted: Vec<Origin>,
}

impl<'a> Planner<'a> {
    fn new(survey: &'a Survey<'a>, shedding: &'a Shedding) -> Planner<'a> {
        let members = || survey.members.iter();
        Planner {
            survey,
            shedding,
            by_peer: members().map(|member| (member.peer, member)).collect(),
            by_index: members().map(|member| (member.index, member)).collect(),
            wanted: Vec::new(),
        }
    }

    fn video(&mut self, viewer: &Member<'_>) -> Vec<SlotPlan> {
        let wish_of = |slot: usize| viewer.wishes.get(slot).copied().flatten();
        let places = viewer.video.iter().enumerate();
        places.map(|(slot, place)| self.slot(viewer, *place, wish_of(slot))).collect()
    }

    /// The first row that applies:
    ///
    /// | | the slot shows | [`Why`] |
    /// |---|---|---|
    /// | nothing is wished for | nothing | `Choice` |
    /// | the viewer has no codec of ours | nothing | `Viewer` |
    /// | no such source, or it has never sent | nothing | `Publisher` |
    /// | no line | nothing | `Viewer` |
    /// | the handshake goes on | nothing; a key frame is requested ahead | `Viewer` |
    /// | the worker sheds the slot | its base layer (`Thin`), or its last frame (`Still`) | `Server` |
    /// | the best layer does not come | the nearest one that does, or the one it showed | `Publisher` |
    /// | otherwise | the layer wished for | `Choice` |
    fn slot(&mut self, viewer: &Member<'_>, place: VideoPlace, wish: Option<Wish>) -> SlotPlan {
        let Some(wish) = wish else {
            return SlotPlan::nothing(None, Why::Choice);
        };
        let nothing = |why| SlotPlan::nothing(Some(wish.source), why);
        if !place.has_codec {
            return nothing(Why::Viewer);
        }
        let Some((publisher, track)) = self.published(wish.source) else {
            return nothing(Why::Publisher);
        };
        let Some((origin, is_best)) = self.layer(publisher.index, track, place, wish.max_height) else {
            return nothing(Why::Publisher);
        };
        match viewer.line {
            LineState::Down => return nothing(Why::Viewer),
            LineState::Arriving => return SlotPlan { ahead: Some(origin), ..nothing(Why::Viewer) },
            LineState::Up => {}
        }
        let standing = standing_of(track, publisher.peer, viewer.index);
        let measure = self.shedding.measure(standing);
        self.wanted.push(origin);
        SlotPlan {
            source: Some(wish.source),
            wished: Some((origin, standing)),
            measure,
            ahead: None,
            keeps: measure != Measure::Still && self.may_stay(place),
            why: match (measure, is_best) {
                (Measure::Thin | Measure::Still, _) => Why::Server,
                (Measure::Whole, false) => Why::Publisher,
                (Measure::Whole, true) => Why::Choice,
            },
        }
    }

    fn published(&self, source: Source) -> Option<(&'a Member<'a>, &'a PublishedTrack)> {
        let publisher = *self.by_peer.get(&source.peer)?;
        let track = publisher.tracks.iter().find(|track| track.kind == source.kind)?;
        Some((publisher, track))
    }

    /// The layer a wish leads to now, and whether it is the one wished for. A source that is silent is not off: its
    /// slot keeps the layer it has, and a new one waits for the lowest.
    fn layer(
        &mut self,
        publisher: PeerIndex,
        track: &PublishedTrack,
        place: VideoPlace,
        max_height: u16,
    ) -> Option<(Origin, bool)> {
        let origin = |layer: usize| Origin { publisher, kind: track.kind, layer: layer as u8 };
        let choice = choose(&track.layers, max_height)?;
        let shown = place.shows.filter(|shown| shown.publisher == publisher && shown.kind == track.kind);
        let silent = || track.has_sent.then_some(shown.map_or(0, |shown| usize::from(shown.layer)));
        let available = choice.available.or_else(silent);
        // Until the best one comes, those on the way to it are the best there is.
        let from = available.unwrap_or(choice.wanted).min(choice.wanted);
        self.wanted.extend((from..=choice.wanted).map(origin));
        let is_best = choice.available == Some(choice.wanted);
        available.map(|layer| (origin(layer), is_best))
    }

    /// Whether what a slot shows may stay until the next source's key frame is there.
    fn may_stay(&self, place: VideoPlace) -> bool {
        place.shows.is_some_and(|shown| {
            let publisher = self.by_index.get(&shown.publisher);
            publisher.is_some_and(|member| member.tracks.iter().any(|track| track.kind == shown.kind))
        })
    }

    fn audio(&self, viewer: &Member<'_>) -> Vec<Option<PeerId>> {
        // As for video: for an endpoint without a path every packet would be decided and thrown away.
        let is_up = viewer.line == LineState::Up;
        let is_audible = |voice: &PeerId| self.by_peer.get(voice).is_some_and(|member| member.audible);
        let others = self.survey.heard.iter().filter(|voice| **voice != viewer.peer && is_audible(voice));
        let heard: Vec<PeerId> = others.filter(|_| is_up).copied().collect();
        let place = |(slot, carries): (usize, &Option<PeerId>)| {
            let beside = viewer.wishes.get(slot).copied().flatten().filter(|_| slot < viewer.pairs);
            let camera = beside.filter(|wish| wish.source.kind == SourceKind::Camera);
            let partner = camera.map(|wish| wish.source.peer).filter(|partner| *partner != viewer.peer);
            AudioPlace { partner, carries: *carries }
        };
        let places: Vec<AudioPlace> = viewer.audio.iter().enumerate().map(place).collect();
        assign(&places, &heard)
    }
}

/// The position of a track, for this viewer, in the order in which video is shed.
fn standing_of(track: &PublishedTrack, publisher: PeerId, viewer: PeerIndex) -> Standing {
    let source = publisher.0.wrapping_mul(4).wrapping_add(track.kind.index() as u64);
    Standing::new(track.rank, source, viewer.place)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
