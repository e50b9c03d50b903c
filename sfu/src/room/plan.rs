//! What every slot of a room is to show, and why. Pure: [`plan`] reads a [`Survey`] of the room and returns a [`Plan`];
//! `engine/apply.rs` carries out what differs from before.

use super::allocate::{Demand, allocate, for_video};
use super::audio::{AudioPlace, Carried, assign, assign_mix};
use super::mixing::{Hearing, Speech};
use super::share::{Given, Share, demand_of, share_of};
use super::shed::{Cost, Measure, Shedding, Standing};
use crate::command::{Rank, Wish};
use crate::forward::packet::Origin;
use crate::forward::red::Protection;
use crate::forward::select::{LayerState, choose, wished};
use crate::ids::{PeerId, PeerIndex, Source, SourceKind};
use crate::limits;
use crate::shortfall::{Less, Limit, LimitedBy};
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
    /// What its line is believed to carry; `None` where that is not known.
    pub line_bps: Option<u64>,
    /// Of its voices, and how they come to it.
    pub protection: Protection,
    pub hearing: Hearing,
    /// Its microphone is there and permitted.
    pub audible: bool,
    /// Camera and content, where they are there and permitted.
    pub tracks: ArrayVec<PublishedTrack, 2>,
    /// One for each video slot; missing ones are no wishes.
    pub wishes: &'a [Option<Wish>],
    pub video: Vec<VideoPlace>,
    /// What each audio slot carries.
    pub audio: Vec<Option<Carried>>,
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
    /// What each layer takes, or would take.
    pub costs: ArrayVec<Cost, { limits::MAX_LAYERS }>,
    /// At least one packet of it has come, however long ago.
    pub has_sent: bool,
}

/// A video slot before the plan.
#[derive(Debug, Clone, Copy, Default)]
pub struct VideoPlace {
    /// Its section carries a codec of ours.
    pub has_codec: bool,
    pub shows: Option<Origin>,
    /// What its viewer's line was given for it, and whether it may be given more already.
    pub given: Option<Given>,
    pub may_rise: bool,
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
    pub audio: Vec<Option<Carried>>,
    pub speech: Speech,
    pub share: Share,
}

/// What one video slot is to show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlotPlan {
    /// The source its viewer wishes for.
    pub source: Option<Source>,
    /// The layer that it shows when the worker can keep up, and its position in the order in which video is shed.
    pub wished: Option<(Origin, Standing)>,
    /// What it shows of that, and what the worker would let it show.
    pub measure: Measure,
    pub shed: Measure,
    /// What its viewer's line is given for it.
    pub given: Option<Given>,
    /// A key frame of this layer is requested before the line is up.
    pub ahead: Option<Origin>,
    /// What it shows now may stay until the first key frame of the layer wished for.
    pub keeps: bool,
    pub why: Why,
    /// What of the wish it does not show.
    pub limit: Option<Limit>,
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
        self.wished.map(|(origin, _)| origin).filter(|_| self.measure != Measure::Held)
    }

    fn nothing(source: Option<Source>, why: Why) -> SlotPlan {
        SlotPlan {
            source,
            wished: None,
            measure: Measure::Whole,
            shed: Measure::Whole,
            given: None,
            ahead: None,
            keeps: false,
            why,
            limit: None,
        }
    }
}

/// Makes the plan of a room. `shedding` says what an overloaded worker leaves out.
pub fn plan(survey: &Survey<'_>, shedding: &Shedding) -> Plan {
    let mut planner = Planner::new(survey, shedding);
    let members = survey.members.iter().map(|viewer| {
        let voices: Vec<PeerId> = planner.voices(viewer).collect();
        let speech = Speech::of(voices.len(), viewer.hearing, viewer.line_bps, viewer.protection);
        let (video, share) = planner.video(viewer, speech);
        let audio = planner.audio(viewer, &voices, speech);
        MemberPlan { peer: viewer.peer, index: viewer.index, video, audio, speech, share }
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

    fn video(&mut self, viewer: &Member<'_>, speech: Speech) -> (Vec<SlotPlan>, Share) {
        let wish_of = |slot: usize| viewer.wishes.get(slot).copied().flatten();
        let places = viewer.video.iter().enumerate();
        let looked: Vec<Result<Shown<'a>, SlotPlan>> =
            places.map(|(slot, place)| self.look(viewer, *place, wish_of(slot))).collect();
        let demands: Vec<Demand> = looked.iter().flatten().map(|shown| shown.demand.clone()).collect();
        let there_bps = viewer.line_bps.map_or(u64::MAX, |bps| for_video(bps, speech.reserved_bps));
        let rungs = allocate(there_bps, &demands);
        let share = speech.beside(Share { there_bps, ..share_of(&demands, &rungs) });
        let mut rungs = rungs.into_iter();
        let video = looked.into_iter().map(|shown| match shown {
            Ok(shown) => self.slot(viewer, &shown, rungs.next().unwrap_or(0)),
            Err(nothing) => nothing,
        });
        (video.collect(), share)
    }

    /// What a slot would show. The first row that applies:
    ///
    /// | | the slot shows | [`Why`] |
    /// |---|---|---|
    /// | nothing is wished for | nothing | `Choice` |
    /// | the viewer has no codec of ours | nothing | `Viewer` |
    /// | no such source, or it has never sent | nothing | `Publisher` |
    /// | no line | nothing | `Viewer` |
    /// | the handshake goes on | nothing; a key frame is requested ahead | `Viewer` |
    fn look(
        &mut self,
        viewer: &Member<'_>,
        place: VideoPlace,
        wish: Option<Wish>,
    ) -> Result<Shown<'a>, SlotPlan> {
        let Some(wish) = wish else {
            return Err(SlotPlan::nothing(None, Why::Choice));
        };
        let nothing = |why| SlotPlan::nothing(Some(wish.source), why);
        if !place.has_codec {
            return Err(nothing(Why::Viewer));
        }
        let (publisher, track) = self.published(wish.source).ok_or(nothing(Why::Publisher))?;
        let top = wished(&track.layers, wish.max_height).ok_or(nothing(Why::Publisher))?;
        let (origin, _) = self.layer(publisher.index, track, place, top).ok_or(nothing(Why::Publisher))?;
        match viewer.line {
            LineState::Down => Err(nothing(Why::Viewer)),
            LineState::Arriving => {
                self.want(publisher.index, track, place, top);
                Err(SlotPlan { ahead: Some(origin), ..nothing(Why::Viewer) })
            }
            LineState::Up => {
                let of = Origin { publisher: publisher.index, kind: track.kind, layer: 0 };
                let costs = track.costs.get(..=top).unwrap_or(&track.costs);
                let demand = demand_of(of, track.rank, costs, place.given);
                let demand = Demand { may_rise: place.may_rise, ..demand };
                Ok(Shown { source: wish.source, publisher, track, place, demand })
            }
        }
    }

    /// What a slot shows, given its rung. The first row that applies:
    ///
    /// | | the slot shows | [`Why`] |
    /// |---|---|---|
    /// | the worker sheds the slot | its base layer (`Thin`), or its last frame (`Held`) | `Server` |
    /// | the viewer's line carries no more | a lower layer, fewer frames, stills, or its last frame | `Viewer` |
    /// | the best layer does not come | the nearest one that does, or the one it showed | `Publisher` |
    /// | otherwise | the layer wished for | `Choice` |
    fn slot(&mut self, viewer: &Member<'_>, shown: &Shown<'a>, rung: usize) -> SlotPlan {
        let Shown { source, publisher, track, place, demand } = shown;
        let is_top = rung.saturating_add(1) == demand.rungs.len();
        let (layer, allowed) =
            demand.rungs.get(rung).map_or((0, Measure::Held), |rung| (rung.layer, rung.measure));
        // What a page costs shows only while it is sent: next to nothing, until it is turned.
        let sent =
            if track.kind == SourceKind::Content { demand.rungs.last().map(|top| top.layer) } else { None };
        self.want(publisher.index, track, *place, usize::from(sent.unwrap_or(layer)));
        let Some((origin, is_best)) = self.layer(publisher.index, track, *place, usize::from(layer)) else {
            return SlotPlan::nothing(Some(*source), Why::Publisher);
        };
        let standing = standing_of(track, publisher.peer, viewer.index);
        let shed = self.shedding.measure(standing);
        // A taller layer than the line carries is not shown until the lower one comes.
        let allowed = if origin.layer > layer && !is_top { Measure::Held } else { allowed };
        let measure = shed.max(allowed);
        self.wanted.push(origin);
        let why = match (shed, is_top, is_best) {
            (Measure::Whole, true, true) => Why::Choice,
            (Measure::Whole, true, false) => Why::Publisher,
            (Measure::Whole, false, _) => Why::Viewer,
            _ => Why::Server,
        };
        SlotPlan {
            source: Some(*source),
            wished: Some((origin, standing)),
            measure,
            shed,
            given: Some(Given { origin: Origin { layer, ..origin }, measure: allowed }),
            ahead: None,
            keeps: measure != Measure::Held && self.may_stay(*place),
            why,
            limit: limit_of(why, measure),
        }
    }

    fn published(&self, source: Source) -> Option<(&'a Member<'a>, &'a PublishedTrack)> {
        let publisher = *self.by_peer.get(&source.peer)?;
        let track = publisher.tracks.iter().find(|track| track.kind == source.kind)?;
        Some((publisher, track))
    }

    /// What stands for this layer now, and whether it is this layer. A source that is silent is not off: its slot keeps
    /// the layer it has, and a new one waits for the lowest.
    fn layer(
        &self,
        publisher: PeerIndex,
        track: &PublishedTrack,
        place: VideoPlace,
        wanted: usize,
    ) -> Option<(Origin, bool)> {
        let choice = choose(&track.layers, wanted);
        let available = choice.available.or_else(|| silent(publisher, track, place));
        let origin = |layer: usize| Origin { publisher, kind: track.kind, layer: layer as u8 };
        available.map(|layer| (origin(layer), choice.available == Some(wanted)))
    }

    /// This layer is wanted from its publisher. Until it comes, those on the way to it are the best there is.
    fn want(&mut self, publisher: PeerIndex, track: &PublishedTrack, place: VideoPlace, wanted: usize) {
        let available = choose(&track.layers, wanted).available.or_else(|| silent(publisher, track, place));
        let from = available.unwrap_or(wanted).min(wanted);
        let origin = |layer: usize| Origin { publisher, kind: track.kind, layer: layer as u8 };
        self.wanted.extend((from..=wanted).map(origin));
    }

    /// Whether what a slot shows may stay until the next source's key frame is there.
    fn may_stay(&self, place: VideoPlace) -> bool {
        place.shows.is_some_and(|shown| {
            let publisher = self.by_index.get(&shown.publisher);
            publisher.is_some_and(|member| member.tracks.iter().any(|track| track.kind == shown.kind))
        })
    }

    /// The voices that a viewer is to hear, its own not among them.
    fn voices(&self, viewer: &Member<'_>) -> impl Iterator<Item = PeerId> {
        let peer = viewer.peer;
        let is_audible = |voice: &PeerId| self.by_peer.get(voice).is_some_and(|member| member.audible);
        self.survey.heard.iter().copied().filter(move |voice| *voice != peer && is_audible(voice))
    }

    fn audio(&self, viewer: &Member<'_>, voices: &[PeerId], speech: Speech) -> Vec<Option<Carried>> {
        // As for video: for an endpoint without a path every packet would be decided and thrown away.
        let heard = if viewer.line == LineState::Up { voices } else { &[] };
        let place = |(slot, carries): (usize, &Option<Carried>)| {
            let beside = viewer.wishes.get(slot).copied().flatten().filter(|_| slot < viewer.pairs);
            let camera = beside.filter(|wish| wish.source.kind == SourceKind::Camera);
            let partner = camera.map(|wish| wish.source.peer).filter(|partner| *partner != viewer.peer);
            AudioPlace { partner, carries: *carries }
        };
        let places: Vec<AudioPlace> = viewer.audio.iter().enumerate().map(place).collect();
        let is_heard = viewer.audible && self.survey.heard.contains(&viewer.peer);
        match speech.mix {
            Some(_) if heard.is_empty() => vec![None; places.len()],
            Some(_) => assign_mix(&places, Some(viewer.peer).filter(|_| is_heard)),
            None => assign(&places, heard).into_iter().map(|voice| voice.map(Carried::Voice)).collect(),
        }
    }
}

/// What a slot shows less of, and by whose doing.
fn limit_of(why: Why, measure: Measure) -> Option<Limit> {
    let by = match why {
        Why::Choice => return None,
        Why::Viewer => LimitedBy::Viewer,
        Why::Publisher => LimitedBy::Publisher,
        Why::Server => LimitedBy::Server,
    };
    let shows = match measure {
        Measure::Whole => Less::Lower,
        Measure::Thin => Less::Fewer,
        Measure::Stills | Measure::Rare => Less::Stills,
        Measure::Held => Less::Held,
    };
    Some(Limit { shows, by })
}

/// A source that a slot shows, or would show if its line carried it.
struct Shown<'a> {
    source: Source,
    publisher: &'a Member<'a>,
    track: &'a PublishedTrack,
    place: VideoPlace,
    demand: Demand,
}

fn silent(publisher: PeerIndex, track: &PublishedTrack, place: VideoPlace) -> Option<usize> {
    let of = Origin { publisher, kind: track.kind, layer: 0 };
    let shown = place.shows.filter(|shown| shown.is_of_the_source_of(of));
    track.has_sent.then_some(shown.map_or(0, |shown| usize::from(shown.layer)))
}

/// The position of a track, for this viewer, in the order in which video is shed.
fn standing_of(track: &PublishedTrack, publisher: PeerId, viewer: PeerIndex) -> Standing {
    let source = publisher.0.wrapping_mul(4).wrapping_add(track.kind.index() as u64);
    Standing::new(track.rank, source, viewer.place)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
