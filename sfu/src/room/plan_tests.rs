use super::super::shed::Cost;
use super::*;
use crate::stats::Effort;
use std::time::Duration;

const VIEWER: u64 = 1;
const SPEAKER: u64 = 2;

fn index(peer: u64) -> PeerIndex {
    PeerIndex { place: peer as u32, generation: 1 }
}

fn layers(spec: &[(bool, u16)]) -> ArrayVec<LayerState, { limits::MAX_LAYERS }> {
    spec.iter().map(|(active, height)| LayerState { active: *active, height: Some(*height) }).collect()
}

fn camera(spec: &[(bool, u16)]) -> PublishedTrack {
    let costs = [150_000, 500_000, 1_700_000].map(|whole| Cost { whole, upper: whole / 2 });
    let costs = costs.into_iter().take(spec.len()).collect();
    PublishedTrack { kind: SourceKind::Camera, rank: Rank(0), layers: layers(spec), costs, has_sent: true }
}

fn whole_camera() -> PublishedTrack {
    camera(&[(true, 180), (true, 360), (true, 720)])
}

fn member(peer: u64) -> Member<'static> {
    Member {
        peer: PeerId(peer),
        index: index(peer),
        line: LineState::Up,
        line_bps: None,
        protection: Protection::default(),
        hearing: Hearing::default(),
        audible: true,
        tracks: ArrayVec::new(),
        wishes: &[],
        video: vec![VideoPlace { has_codec: true, may_rise: true, ..VideoPlace::default() }],
        audio: vec![None],
        pairs: 0,
    }
}

fn wish(max_height: u16) -> [Option<Wish>; 1] {
    let source = Source { peer: PeerId(SPEAKER), kind: SourceKind::Camera };
    [Some(Wish { source, max_height })]
}

fn origin(layer: u8) -> Origin {
    Origin { publisher: index(SPEAKER), kind: SourceKind::Camera, layer }
}

/// The plan for the one slot of a viewer who wishes for the speaker's camera.
fn planned(
    viewer: Member<'_>,
    track: Option<PublishedTrack>,
    shedding: &Shedding,
) -> (SlotPlan, Vec<Origin>) {
    let speaker = Member { tracks: track.into_iter().collect(), ..member(SPEAKER) };
    let survey = Survey { members: vec![viewer, speaker], heard: Vec::new() };
    let plan = plan(&survey, shedding);
    (plan.members[0].video[0], plan.wanted)
}

/// A worker that is to leave out all video work.
fn overloaded(slots: &[(Standing, Cost)]) -> Shedding {
    let mut shedding = Shedding::default();
    let span = Duration::from_millis(100);
    let busy = Effort { span, worked: span, slept: Duration::ZERO };
    (0..200).for_each(|_| {
        if shedding.on_effort(busy, Duration::from_secs(1)) {
            shedding.plan(slots.iter().copied());
        }
    });
    shedding
}

#[test]
fn a_slot_shows_what_its_viewer_wishes_for_and_says_why_if_not() {
    let no_codec = || vec![VideoPlace::default()];
    let upper_off = || camera(&[(true, 180), (false, 360), (false, 720)]);
    let never_sent = || PublishedTrack { has_sent: false, ..camera(&[(false, 180)]) };
    let viewer = |line, video| Member { line, video, ..member(VIEWER) };
    let up = || member(VIEWER);
    let cases = [
        ("all is there", up(), Some(whole_camera()), Some(2), Why::Choice),
        ("the best layer does not come", up(), Some(upper_off()), Some(0), Why::Publisher),
        ("nothing has ever come", up(), Some(never_sent()), None, Why::Publisher),
        ("not there, or not permitted", up(), None, None, Why::Publisher),
        ("no codec in common", viewer(LineState::Up, no_codec()), Some(whole_camera()), None, Why::Viewer),
        ("no line", viewer(LineState::Down, up().video), Some(whole_camera()), None, Why::Viewer),
    ];
    let wishes = wish(720);
    for (what, viewer, track, layer, why) in cases {
        let (slot, _) = planned(Member { wishes: &wishes, ..viewer }, track, &Shedding::default());
        assert_eq!((slot.target(), slot.why), (layer.map(origin), why), "{what}");
    }
}

#[test]
fn nothing_is_wished_for_and_nothing_is_shown() {
    let (slot, wanted) = planned(member(VIEWER), Some(whole_camera()), &Shedding::default());
    assert_eq!((slot.source, slot.target(), slot.why), (None, None, Why::Choice));
    assert_eq!(wanted, []);
}

#[test]
fn layers_on_the_way_to_the_best_are_wanted_until_it_comes() {
    let wishes = wish(720);
    let viewer = || Member { wishes: &wishes, ..member(VIEWER) };
    let wanted = |track| {
        let (_, wanted) = planned(viewer(), Some(track), &Shedding::default());
        let mut layers: Vec<u8> = wanted.iter().map(|origin| origin.layer).collect();
        layers.sort_unstable();
        layers.dedup();
        layers
    };
    assert_eq!(wanted(whole_camera()), [2]);
    assert_eq!(wanted(camera(&[(true, 180), (false, 360), (false, 720)])), [0, 1, 2]);
}

#[test]
fn a_handshake_asks_for_its_key_frame_ahead_and_aims_at_nothing() {
    let wishes = wish(360);
    let viewer = Member { wishes: &wishes, line: LineState::Arriving, ..member(VIEWER) };
    let (slot, _) = planned(viewer, Some(whole_camera()), &Shedding::default());
    assert_eq!((slot.ahead, slot.target()), (Some(origin(1)), None));
}

#[test]
fn a_silent_source_keeps_the_layer_that_is_shown() {
    let wishes = wish(720);
    let silent = camera(&[(false, 180), (false, 360), (false, 720)]);
    let video = vec![VideoPlace { has_codec: true, shows: Some(origin(1)), ..VideoPlace::default() }];
    let viewer = Member { wishes: &wishes, video, ..member(VIEWER) };
    let (slot, _) = planned(viewer, Some(silent.clone()), &Shedding::default());
    assert_eq!((slot.target(), slot.keeps), (Some(origin(1)), true));
    let viewer = Member { wishes: &wishes, ..member(VIEWER) };
    let (slot, _) = planned(viewer, Some(silent), &Shedding::default());
    assert_eq!(
        (slot.target(), slot.why),
        (Some(origin(0)), Why::Publisher),
        "the lowest brings the first frame"
    );
}

#[test]
fn a_silent_source_is_not_shown_by_the_layer_of_another_one() {
    let wishes = wish(720);
    let silent = || camera(&[(false, 180), (false, 360), (false, 720)]);
    let others =
        [Origin { publisher: index(3), ..origin(1) }, Origin { kind: SourceKind::Content, ..origin(1) }];
    for shows in others {
        let video = vec![VideoPlace { has_codec: true, shows: Some(shows), ..VideoPlace::default() }];
        let viewer = Member { wishes: &wishes, video, ..member(VIEWER) };
        let (slot, _) = planned(viewer, Some(silent()), &Shedding::default());
        assert_eq!(slot.target(), Some(origin(0)), "{shows:?} says nothing of it");
    }
}

/// Three audio slots, of which so many are beside video slots; the viewer wishes for `wished` in all of them.
fn audio_beside(pairs: usize, wished: Source) -> Vec<Option<Carried>> {
    let wishes = [Some(Wish { source: wished, max_height: 360 }); 3];
    let viewer = Member { wishes: &wishes, audio: vec![None; 3], pairs, ..member(VIEWER) };
    let survey =
        Survey { members: vec![viewer, member(SPEAKER), member(3)], heard: vec![PeerId(SPEAKER), PeerId(3)] };
    plan(&survey, &Shedding::default()).members.swap_remove(0).audio
}

#[test]
fn a_voice_is_beside_its_own_camera_and_others_are_in_slots_of_their_own() {
    let source = |peer, kind| Source { peer: PeerId(peer), kind };
    let [speaker, third] = [SPEAKER, 3].map(|voice| Some(Carried::Voice(PeerId(voice))));
    let camera = source(SPEAKER, SourceKind::Camera);
    assert_eq!(audio_beside(1, camera), [speaker, None, third], "one pair");
    assert_eq!(audio_beside(2, camera), [speaker, None, third], "two pairs, and one slot alone");
    assert_eq!(audio_beside(3, camera), [speaker, None, None], "no slot is alone");
    assert_eq!(audio_beside(0, camera), [None, third, speaker], "none is beside a camera");
    let content = source(SPEAKER, SourceKind::Content);
    assert_eq!(audio_beside(3, content), [None, third, speaker], "content has no voice");
    let own = source(VIEWER, SourceKind::Camera);
    assert_eq!(audio_beside(3, own), [None, third, speaker], "nor has one's own camera here");
}

#[test]
fn what_may_no_longer_be_published_does_not_stay_until_the_next_source_comes() {
    let wishes = wish(720);
    let content = Origin { kind: SourceKind::Content, ..origin(0) };
    let video = vec![VideoPlace { has_codec: true, shows: Some(content), ..VideoPlace::default() }];
    let viewer = Member { wishes: &wishes, video, ..member(VIEWER) };
    let (slot, _) = planned(viewer, Some(whole_camera()), &Shedding::default());
    assert_eq!((slot.target(), slot.keeps), (Some(origin(2)), false));
}

#[test]
fn an_overloaded_worker_leaves_the_last_frame_and_says_so() {
    let wishes = wish(720);
    let viewer = || Member { wishes: &wishes, ..member(VIEWER) };
    let (slot, _) = planned(viewer(), Some(whole_camera()), &Shedding::default());
    let (_, standing) = slot.wished.unwrap();
    let cost = Cost { whole: 1_000, upper: 300 };
    let (slot, wanted) = planned(viewer(), Some(whole_camera()), &overloaded(&[(standing, cost)]));
    assert_eq!((slot.measure, slot.why, slot.target()), (Measure::Held, Why::Server, None));
    assert!(wanted.contains(&origin(2)), "its layer stays wanted, for when there is time again");
}

#[test]
fn a_receiver_gets_neither_its_own_voice_nor_a_muted_one_and_without_a_line_nothing() {
    let heard = vec![PeerId(SPEAKER), PeerId(VIEWER), PeerId(3)];
    let muted = || Member { audible: false, ..member(3) };
    let carried = |line| {
        let viewer = Member { line, audio: vec![None, None, None], ..member(VIEWER) };
        let survey = Survey { members: vec![viewer, member(SPEAKER), muted()], heard: heard.clone() };
        let plan = plan(&survey, &Shedding::default());
        plan.members[0].audio.iter().copied().flatten().collect::<Vec<_>>()
    };
    assert_eq!(carried(LineState::Up), [Carried::Voice(PeerId(SPEAKER))]);
    assert!(carried(LineState::Arriving).is_empty());
}

#[test]
fn a_line_too_narrow_for_the_voices_carries_a_mix_without_its_own_and_leaves_the_rest_to_pictures() {
    let wishes = wish(720);
    let carried = |line_bps, heard: &[u64]| {
        let hearing = Hearing { may_mix: true, ..Hearing::default() };
        let audio = vec![None; 2];
        let viewer = Member { wishes: &wishes, line_bps: Some(line_bps), hearing, audio, ..member(VIEWER) };
        let speaker = Member { tracks: [whole_camera()].into_iter().collect(), ..member(SPEAKER) };
        let heard = heard.iter().map(|voice| PeerId(*voice)).collect();
        let survey = Survey { members: vec![viewer, speaker, member(3)], heard };
        let MemberPlan { audio, speech, share, .. } =
            plan(&survey, &Shedding::default()).members.swap_remove(0);
        (audio.last().copied().flatten(), speech.mix.map(|mix| mix.bps), share)
    };
    let (carries, mix_bps, share) = carried(64_000, &[SPEAKER, 3]);
    assert_eq!((carries, mix_bps), (Some(Carried::Mix { without: None }), Some(12_000)));
    assert_eq!((share.reserved_bps, share.there_bps), (39_000, 18_600));
    assert!(share.is_short && share.useful_bps() > 180_000, "a wider line is looked for, for the voices too");
    let own = Some(Carried::Mix { without: Some(PeerId(VIEWER)) });
    assert_eq!(carried(64_000, &[SPEAKER, VIEWER]).0, own);
    assert_eq!(carried(64_000, &[VIEWER]).0, None, "nobody else is heard");
    assert_eq!(carried(640_000, &[SPEAKER]).0, Some(Carried::Voice(PeerId(SPEAKER))));
}

/// 1.7 Mbit/s are wished for, and a voice and control are left of each line.
#[test]
fn a_line_that_carries_less_shows_less_and_says_so() {
    let wishes = wish(720);
    let on = |line_bps| {
        let viewer = Member { wishes: &wishes, line_bps, ..member(VIEWER) };
        let (slot, _) = planned(viewer, Some(whole_camera()), &Shedding::default());
        (slot.target().map(|origin| origin.layer), slot.measure, slot.limit)
    };
    let viewer = |shows| Some(Limit { shows, by: LimitedBy::Viewer });
    assert_eq!(on(None), (Some(2), Measure::Whole, None), "nothing is known of it");
    assert_eq!(on(Some(3_000_000)), (Some(2), Measure::Whole, None));
    assert_eq!(on(Some(1_000_000)), (Some(1), Measure::Whole, viewer(Less::Lower)));
    assert_eq!(on(Some(160_000)), (Some(0), Measure::Thin, viewer(Less::Fewer)));
    assert_eq!(on(Some(90_000)), (Some(0), Measure::Stills, viewer(Less::Stills)));
    assert_eq!(on(Some(40_000)), (None, Measure::Held, viewer(Less::Held)));
}

#[test]
fn a_line_is_divided_again_when_it_has_become_another() {
    let share = Share {
        speech_bps: 60_000,
        there_bps: 540_000,
        taken_bps: 500_000,
        reserved_bps: 60_000,
        wanted_bps: 900_000,
        mixes_below_bps: 120_000,
        is_short: true,
    };
    for (line_bps, outdated) in [(667_000, false), (600_000, false), (590_000, true), (700_000, true)] {
        assert_eq!(share.is_outdated(line_bps), outdated, "{line_bps}");
    }
    let content = Share { is_short: false, ..share };
    assert!(!content.is_outdated(9_000_000), "all that is wished for is shown");
    assert_eq!(share.useful_bps(), 960_000);
    let voices = Share { taken_bps: 0, ..content };
    assert_eq!([119_000, 121_000].map(|line_bps| voices.is_outdated(line_bps)), [true, false]);
}
