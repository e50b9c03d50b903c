use super::*;
use crate::forward::parameters::RtpCodec;
use crate::ids::{PeerIndex, SourceKind};
use arrayvec::ArrayVec;
use rtp::codec::Codec;
use rtp::ids::{Mid, Ssrc};

fn at(index: u64) -> Sequence {
    Sequence::from_index(index)
}

#[path = "switch_stills_tests.rs"]
mod stills;
#[path = "switch_voice_tests.rs"]
mod voices;

fn origin() -> Origin {
    let publisher = PeerIndex { place: 0, generation: 1 };
    Origin { publisher, kind: SourceKind::Camera, layer: 0 }
}

fn frame(now: Instant, temporal: u8) -> PacketMeta {
    PacketMeta { temporal, ..PacketMeta::whole_frame(now, Codec::Av1) }
}

/// A slot that shows the base layer only, and may show all from now on.
fn released(now: Instant) -> VideoSlot {
    let line = RtpParameters { ssrc: Ssrc(1), rtx_ssrc: None, mid: Mid::new(), codecs: ArrayVec::new() };
    let mut slot = VideoSlot::new(line, Rewriter::new(90_000, 0));
    slot.limit_temporal(0);
    slot.aim(Some(origin()), true);
    slot.switch(at(0), &frame(now, 0), 0);
    slot.limit_temporal(ALL_TEMPORAL);
    slot
}

fn switches_to_70(decision: Result<Decision, DropReason>) -> bool {
    matches!(decision, Ok(Decision::ForwardThenSwitch(_, key)) if key == at(70))
}

fn sent(slot: &mut VideoSlot, now: Instant, sequence: u64, packet: &PacketMeta) -> bool {
    let packet = PacketMeta { timestamp: sequence as u32 * 3000, ..*packet };
    slot.offer(now, origin(), at(sequence), &packet).is_ok_and(|decision| decision != Decision::Ignore)
}

#[test]
fn goes_up_after_a_frame_that_opens_the_upper_layers() {
    let now = Instant::now();
    let mut slot = released(now);
    let opening = |temporal| PacketMeta { opens_upper: true, ..frame(now, temporal) };
    assert!(!sent(&mut slot, now, 1, &frame(now, 2)), "not opened yet");
    assert!(!sent(&mut slot, now, 2, &opening(1)), "opened by a frame it does not get");
    assert!(sent(&mut slot, now, 3, &opening(0)));
    assert!(sent(&mut slot, now, 4, &frame(now, 2)));
    assert!(sent(&mut slot, now, 5, &frame(now, 1)));
}

#[test]
fn goes_up_step_by_step_at_frames_that_need_the_base_layer_only() {
    let now = Instant::now();
    let mut slot = released(now);
    let sync = |temporal| PacketMeta { switching_point: true, ..frame(now, temporal) };
    assert!(sent(&mut slot, now, 1, &sync(1)));
    assert!(!sent(&mut slot, now, 2, &frame(now, 2)));
    assert!(sent(&mut slot, now, 3, &sync(2)));
    assert!(sent(&mut slot, now, 4, &frame(now, 2)));
}

#[test]
fn a_lost_head_decides_nothing_when_it_comes_late() {
    let now = Instant::now();
    let mut slot = released(now);
    let part =
        |timestamp, temporal, frame_start| PacketMeta { timestamp, frame_start, ..frame(now, temporal) };
    let mut sent = |sequence, packet| slot.offer(now, origin(), sequence, &packet).is_ok();
    assert!(sent(at(2), PacketMeta { switching_point: true, ..part(3000, 1, false) }), "the head is missing");
    assert!(sent(at(1), PacketMeta { switching_point: true, ..part(3000, 1, true) }), "and comes");
    assert!(!sent(at(3), part(6000, 2, true)));
    assert!(sent(at(4), part(9000, 1, true)));
}

#[test]
fn what_a_slot_does_not_get_has_a_reason() {
    let now = Instant::now();
    let mut slot = released(now);
    slot.limit_temporal(0);
    assert_eq!(slot.offer(now, origin(), at(1), &frame(now, 1)), Err(DropReason::Overload));
    slot.switch(at(100), &frame(now, 0), 0);
    assert_eq!(
        slot.offer(now, origin(), at(99), &frame(now, 0)),
        Err(DropReason::TooOld),
        "before the key frame"
    );
    let other = Origin { layer: 1, ..origin() };
    assert_eq!(
        slot.offer(now, other, at(7), &frame(now, 0)),
        Ok(Decision::Ignore),
        "a packet of another source is no loss"
    );

    let line = RtpParameters { ssrc: Ssrc(2), rtx_ssrc: None, mid: Mid::new(), codecs: ArrayVec::new() };
    let mut voice = AudioSlot::new(line, Rewriter::new(48_000, 0));
    assert_eq!(voice.offer(now, origin(), at(1), &frame(now, 0)), Ok(None));
    voice.aim(Some(origin()));
    assert!(matches!(voice.offer(now, origin(), at(5), &frame(now, 0)), Ok(Some((_, true)))));
    assert_eq!(
        voice.offer(now, origin(), at(4), &frame(now, 0)),
        Err(DropReason::TooOld),
        "before the spurt"
    );
}

#[test]
fn a_layer_that_restarts_waits_for_its_key_frame() {
    let now = Instant::now();
    let mut slot = released(now);
    assert!(sent(&mut slot, now, 1, &frame(now, 0)));
    assert!(!sent(&mut slot, now, 50_000, &frame(now, 0)));
    assert_eq!(slot.needs_key(), Some(origin()));
    let key = PacketMeta { keyframe: true, ..frame(now, 0) };
    assert_eq!(slot.offer(now, origin(), at(50_001), &key), Ok(Decision::Switch(at(50_001))));
    let before = slot.rewriter.next_out();
    slot.switch(at(50_001), &key, 0);
    assert_eq!(slot.rewriter.next_out(), before, "numbers go on");
    assert_eq!(slot.needs_key(), None);
    assert!(sent(&mut slot, now, 50_002, &frame(now, 0)));
}

fn other(layer: u8) -> Origin {
    Origin { layer, ..origin() }
}

/// Shows all of layer 0.
fn showing(now: Instant) -> VideoSlot {
    let line = RtpParameters { ssrc: Ssrc(1), rtx_ssrc: None, mid: Mid::new(), codecs: ArrayVec::new() };
    let mut slot = VideoSlot::new(line, Rewriter::new(90_000, 0));
    slot.aim(Some(origin()), true);
    slot.switch(at(0), &frame(now, 0), 0);
    slot
}

/// Shows layer 0, waits for layer 1.
fn switching(now: Instant) -> VideoSlot {
    let mut slot = showing(now);
    slot.aim(Some(other(1)), true);
    slot
}

#[test]
fn a_run_is_not_forwarded_whole_while_a_key_frame_waits_for_its_end() {
    let now = Instant::now();
    let mut slot = switching(now);
    let open = PacketMeta { frame_end: false, ..frame(now, 0) };
    let end = frame(now, 0);
    assert!(matches!(slot.offer(now, origin(), at(1), &open), Ok(Decision::Forward(_))));
    let key = PacketMeta { keyframe: true, ..frame(now, 0) };
    assert_eq!(
        slot.offer(now, other(1), at(70), &key),
        Ok(Decision::Ignore),
        "waits for the end of the frame"
    );
    assert_eq!(slot.offer_run(now, origin(), &[(at(2), &end)]), None, "the end decides more than itself");
    assert!(switches_to_70(slot.offer(now, origin(), at(2), &end)));
}

#[test]
fn a_frame_that_does_not_end_is_given_up_after_60_ms() {
    let now = Instant::now();
    let key = PacketMeta { keyframe: true, ..frame(now, 0) };
    let table = [
        ("between two frames", true, 0, Decision::Switch(at(70))),
        ("in the middle", false, 0, Decision::Ignore),
        ("just before", false, 59, Decision::Ignore),
        ("given up", false, 60, Decision::Switch(at(70))),
        ("long since", false, 500, Decision::Switch(at(70))),
    ];
    for (why, frame_end, ms, expected) in table {
        let mut slot = switching(now);
        let sent = slot.offer(now, origin(), at(1), &PacketMeta { frame_end, ..frame(now, 0) });
        assert!(matches!(sent, Ok(Decision::Forward(_))), "{why}");
        assert_eq!(
            slot.offer(now + Duration::from_millis(ms), other(1), at(70), &key),
            Ok(expected),
            "{why}"
        );
    }
}

/// The opening of an older frame is no opening for what comes after a newer one.
#[test]
fn a_late_frame_opens_nothing() {
    let now = Instant::now();
    let opening = PacketMeta { opens_upper: true, ..frame(now, 0) };
    for (late, opens) in [(true, false), (false, true)] {
        let mut slot = released(now);
        let order =
            if late { [(2, frame(now, 0)), (1, opening)] } else { [(1, opening), (2, frame(now, 0))] };
        for (sequence, packet) in order {
            assert!(sent(&mut slot, now, sequence, &packet));
        }
        assert_eq!(sent(&mut slot, now, 3, &frame(now, 2)), opens, "late: {late}");
    }
}

/// An upper frame has begun (packet 1), then the slot is thinned, and what else was sent comes in any order: the
/// middle and end of that frame (2 and 3), one of the base layer (4), and one that is left out (5).
#[test]
fn a_frame_that_has_begun_is_ended_though_the_slot_is_thinned_meanwhile() {
    let now = Instant::now();
    let part = |number: u16, temporal, frame_end| PacketMeta {
        codec: Codec::Vp8,
        timestamp: u32::from(number) * 3000,
        picture_id: Some(number),
        frame_end,
        ..frame(now, temporal)
    };
    let orders = [[5, 2, 3, 4], [5, 3, 2, 4], [5, 2, 4, 3], [5, 4, 3, 2], [4, 5, 2, 3], [4, 3, 5, 2]];
    for order in orders {
        let mut slot = showing(now);
        let mut offer = |sequence: u64| {
            let packet = match sequence {
                0 => part(0, 0, true),
                1 | 2 => part(1, 2, false),
                3 => part(1, 2, true),
                4 => part(2, 0, true),
                _ => part(3, 1, true),
            };
            let decision = slot.offer(now, origin(), at(sequence), &packet);
            slot.limit_temporal(if sequence == 0 { ALL_TEMPORAL } else { 0 });
            let Ok(Decision::Forward(mapped)) = decision else { return None };
            let id = packet.picture_id.map(|id| id.wrapping_add(mapped.offsets.picture));
            Some((mapped.sequence_out.index().unwrap(), id))
        };
        assert_eq!([0, 1].map(&mut offer), [Some((0, Some(0))), Some((1, Some(1)))]);
        let sent: Vec<_> = order.into_iter().filter_map(&mut offer).collect();
        let whole = [(2, Some(1)), (3, Some(1)), (4, Some(2))];
        assert!(
            sent.contains(&whole[2]) && sent.iter().all(|one| whole.contains(one)),
            "{order:?}: {sent:?}"
        );
        // What does not leave at once keeps its number: its receiver asks for it.
        assert!(order != [5, 2, 3, 4] || sent == whole, "{sent:?}");
    }
}

/// A late packet of an upper frame of which nothing was sent is left out with the rest of it.
#[test]
fn a_frame_that_has_not_begun_is_not_begun_once_the_slot_is_thinned() {
    let now = Instant::now();
    let mut slot = showing(now);
    assert!(sent(&mut slot, now, 0, &frame(now, 0)));
    slot.limit_temporal(0);
    assert!(!sent(&mut slot, now, 3, &frame(now, 1)));
    assert!(!sent(&mut slot, now, 1, &frame(now, 2)));
    assert!(sent(&mut slot, now, 4, &frame(now, 0)));
}

#[test]
fn a_slot_goes_on_showing_until_it_is_aimed_elsewhere() {
    let now = Instant::now();
    let state = |slot: &VideoSlot| (slot.current(), slot.target(), slot.needs_key());
    let shown = Some(origin());
    let table = [
        ("the same", shown, true, shown, None),
        ("the same, and nothing old", shown, false, shown, None),
        ("another", Some(other(1)), true, shown, Some(other(1))),
        ("another, and nothing old", Some(other(1)), false, None, Some(other(1))),
        ("nothing", None, true, None, None),
    ];
    for (why, target, keep, current, needs_key) in table {
        let mut slot = showing(now);
        assert_eq!(state(&slot), (shown, shown, None), "{why}");
        slot.aim(target, keep);
        assert_eq!(state(&slot), (current, target, needs_key), "{why}");
    }
}

/// What was cut short does not hold up what is shown next.
#[test]
fn a_slot_that_fell_silent_begins_at_the_first_key_frame() {
    let now = Instant::now();
    let key = PacketMeta { keyframe: true, ..frame(now, 0) };
    let mut slot = showing(now);
    let open = PacketMeta { frame_end: false, ..frame(now, 0) };
    assert!(sent(&mut slot, now, 1, &open));
    slot.aim(None, true);
    slot.aim(Some(other(1)), true);
    assert_eq!(slot.offer(now, other(1), at(70), &frame(now, 0)), Ok(Decision::Ignore));
    assert_eq!(slot.offer(now, other(1), at(71), &key), Ok(Decision::Switch(at(71))));
}

#[test]
fn the_key_frame_that_waits_is_kept_or_forgotten() {
    let now = Instant::now();
    let key = PacketMeta { keyframe: true, ..frame(now, 0) };
    let open = PacketMeta { frame_end: false, ..frame(now, 0) };
    let table: [(_, fn(&mut VideoSlot), _); 4] = [
        ("nothing happens", |_| {}, true),
        ("aimed at the same again", |slot| slot.aim(Some(other(1)), true), true),
        (
            "aimed at something else meanwhile",
            |slot| [2, 1].iter().for_each(|n| slot.aim(Some(other(*n)), true)),
            false,
        ),
        ("it is out of the slab", |slot| slot.forget_key(), false),
    ];
    for (why, happens, kept) in table {
        let mut slot = switching(now);
        assert!(sent(&mut slot, now, 1, &open), "{why}");
        assert_eq!(slot.offer(now, other(1), at(70), &key), Ok(Decision::Ignore), "{why}");
        happens(&mut slot);
        let end = slot.offer(now, origin(), at(2), &frame(now, 0));
        assert_eq!(switches_to_70(end), kept, "{why}");
        assert_eq!(matches!(end, Ok(Decision::Forward(_))), !kept, "{why}");
    }
}

#[test]
fn a_run_of_what_a_slot_shows_is_forwarded_whole() {
    let now = Instant::now();
    let key = PacketMeta { keyframe: true, ..frame(now, 0) };
    let open = PacketMeta { frame_end: false, ..frame(now, 0) };
    let end = frame(now, 0);
    let table =
        [("a whole frame", &end, Decision::Switch(at(70))), ("a part of one", &open, Decision::Ignore)];
    for (why, last, then) in table {
        let mut slot = showing(now);
        assert!(sent(&mut slot, now, 0, &end));
        let run = [(at(1), &open), (at(2), last)];
        assert_eq!(slot.offer_run(now, other(1), &run), None, "{why}, of another layer");
        let (mapped, first) = slot.offer_run(now, origin(), &run).expect("nothing is to change");
        assert_eq!((mapped.sequence_out, first, slot.rewriter.next_out()), (at(1), at(1), at(3)), "{why}");
        slot.aim(Some(other(1)), true);
        assert_eq!(slot.offer(now, other(1), at(70), &key), Ok(then), "{why}");
    }
    let mut thinned = showing(now);
    assert!(sent(&mut thinned, now, 0, &end));
    thinned.limit_temporal(0);
    assert_eq!(thinned.offer_run(now, origin(), &[(at(1), &end)]), None, "it is to be thinned from here");
    assert!(sent(&mut thinned, now, 1, &end));
    thinned.limit_temporal(ALL_TEMPORAL);
    assert_eq!(thinned.offer_run(now, origin(), &[(at(2), &end)]), None, "it is thinned still");
}

/// The last layer has restarted, so nothing of it continues what was sent, however many packets come at once.
#[test]
fn a_run_does_not_restart() {
    let now = Instant::now();
    let mut slot = showing(now);
    assert!(sent(&mut slot, now, 0, &frame(now, 0)));
    assert!(!sent(&mut slot, now, 50_000, &frame(now, 0)));
    assert_eq!(slot.offer_run(now, origin(), &[(at(1), &frame(now, 0))]), None);
    slot.aim(Some(other(1)), true);
    let key = PacketMeta { keyframe: true, ..frame(now, 0) };
    assert_eq!(slot.offer(now, origin(), at(50_001), &key), Ok(Decision::Ignore), "another is to be shown");
}

#[test]
fn goes_up_at_a_key_frame() {
    let now = Instant::now();
    let mut slot = released(now);
    assert!(!sent(&mut slot, now, 1, &frame(now, 2)));
    assert!(sent(&mut slot, now, 2, &PacketMeta { keyframe: true, ..frame(now, 0) }));
    assert!(sent(&mut slot, now, 3, &frame(now, 2)));
}

#[test]
fn a_slot_has_the_payload_type_its_receiver_negotiated() {
    let negotiated = |codec, payload_type| RtpCodec { codec, payload_type, rtx_payload_type: None };
    let codecs = [negotiated(Codec::Vp8, 96), negotiated(Codec::H264, 102)].into_iter().collect();
    let line = RtpParameters { ssrc: Ssrc(1), rtx_ssrc: None, mid: Mid::new(), codecs };
    let payload_type = |codec| line.codec(codec).map(|found| found.payload_type);
    let codecs = [Codec::Vp8, Codec::H264, Codec::Av1];
    assert_eq!(codecs.map(payload_type), [Some(96), Some(102), None]);
}
