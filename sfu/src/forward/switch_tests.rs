use super::*;
use crate::forward::packet::PeerIndex;
use crate::ids::SourceKind;
use crate::rtp::codec::PictureId;

fn origin() -> Origin {
    let publisher = PeerIndex { place: 0, generation: 1 };
    Origin { publisher, kind: SourceKind::Camera, layer: 0 }
}

fn picture(now: Instant, temporal: u8) -> PacketMeta {
    PacketMeta { temporal, ..PacketMeta::whole_frame(now, Codec::Av1) }
}

/// A slot that shows the base layer only, and may show all from now on.
fn released(now: Instant) -> VideoSlot {
    let line = SlotLine { ssrc: Ssrc(1), rtx_ssrc: None, mid: Mid::new(), codecs: ArrayVec::new() };
    let mut slot = VideoSlot::new(line, Rewriter::new(90_000, 0));
    slot.limit_temporal(0);
    slot.aim(Some(origin()), true);
    slot.switch(0, &picture(now, 0), 0);
    slot.limit_temporal(ALL_TEMPORAL);
    slot
}

fn sent(slot: &mut VideoSlot, now: Instant, sequence: u64, packet: &PacketMeta) -> bool {
    let packet = PacketMeta { timestamp: sequence as u32 * 3000, ..*packet };
    slot.offer(now, origin(), sequence, &packet).is_ok_and(|decision| decision != Decision::Ignore)
}

#[test]
fn goes_up_behind_a_picture_that_opens_the_upper_layers() {
    let now = Instant::now();
    let mut slot = released(now);
    let opening = |temporal| PacketMeta { opens_upper: true, ..picture(now, temporal) };
    assert!(!sent(&mut slot, now, 1, &picture(now, 2)), "not opened yet");
    assert!(!sent(&mut slot, now, 2, &opening(1)), "opened by a picture it does not get");
    assert!(sent(&mut slot, now, 3, &opening(0)));
    assert!(sent(&mut slot, now, 4, &picture(now, 2)));
    assert!(sent(&mut slot, now, 5, &picture(now, 1)));
}

#[test]
fn goes_up_step_by_step_at_pictures_that_need_the_base_layer_only() {
    let now = Instant::now();
    let mut slot = released(now);
    let sync = |temporal| PacketMeta { switching_point: true, ..picture(now, temporal) };
    assert!(sent(&mut slot, now, 1, &sync(1)));
    assert!(!sent(&mut slot, now, 2, &picture(now, 2)));
    assert!(sent(&mut slot, now, 3, &sync(2)));
    assert!(sent(&mut slot, now, 4, &picture(now, 2)));
}

#[test]
fn a_lost_head_decides_nothing_when_it_comes_late() {
    let now = Instant::now();
    let mut slot = released(now);
    let part =
        |timestamp, temporal, frame_start| PacketMeta { timestamp, frame_start, ..picture(now, temporal) };
    let mut sent = |sequence, packet| slot.offer(now, origin(), sequence, &packet).is_ok();
    assert!(sent(2, PacketMeta { switching_point: true, ..part(3000, 1, false) }), "the head is missing");
    assert!(sent(1, PacketMeta { switching_point: true, ..part(3000, 1, true) }), "and comes");
    assert!(!sent(3, part(6000, 2, true)));
    assert!(sent(4, part(9000, 1, true)));
}

#[test]
fn what_a_slot_goes_without_has_a_reason() {
    let now = Instant::now();
    let mut slot = released(now);
    slot.limit_temporal(0);
    assert_eq!(slot.offer(now, origin(), 1, &picture(now, 1)), Err(DropReason::Overload));
    slot.switch(100, &picture(now, 0), 0);
    assert_eq!(
        slot.offer(now, origin(), 99, &picture(now, 0)),
        Err(DropReason::TooOld),
        "before the key frame"
    );
    let other = Origin { layer: 1, ..origin() };
    assert_eq!(
        slot.offer(now, other, 7, &picture(now, 0)),
        Ok(Decision::Ignore),
        "of no interest is no loss"
    );

    let line = SlotLine { ssrc: Ssrc(2), rtx_ssrc: None, mid: Mid::new(), codecs: ArrayVec::new() };
    let mut voice = AudioSlot::new(line, Rewriter::new(48_000, 0));
    assert_eq!(voice.offer(now, origin(), 1, &picture(now, 0)), Ok(None));
    voice.aim(Some(origin()));
    assert!(matches!(voice.offer(now, origin(), 5, &picture(now, 0)), Ok(Some((_, true)))));
    assert_eq!(voice.offer(now, origin(), 4, &picture(now, 0)), Err(DropReason::TooOld), "before the spurt");
}

#[test]
fn a_layer_that_begins_anew_waits_for_its_key_frame() {
    let now = Instant::now();
    let mut slot = released(now);
    assert!(sent(&mut slot, now, 1, &picture(now, 0)));
    assert!(!sent(&mut slot, now, 50_000, &picture(now, 0)));
    assert_eq!(slot.needs_key(), Some(origin()));
    let key = PacketMeta { keyframe: true, ..picture(now, 0) };
    assert_eq!(slot.offer(now, origin(), 50_001, &key), Ok(Decision::Switch(50_001)));
    let before = slot.rewriter.next_out();
    slot.switch(50_001, &key, 0);
    assert_eq!(slot.rewriter.next_out(), before, "numbers go on");
    assert_eq!(slot.needs_key(), None);
    assert!(sent(&mut slot, now, 50_002, &picture(now, 0)));
}

fn other(layer: u8) -> Origin {
    Origin { layer, ..origin() }
}

/// Shows all of layer 0.
fn showing(now: Instant) -> VideoSlot {
    let line = SlotLine { ssrc: Ssrc(1), rtx_ssrc: None, mid: Mid::new(), codecs: ArrayVec::new() };
    let mut slot = VideoSlot::new(line, Rewriter::new(90_000, 0));
    slot.aim(Some(origin()), true);
    slot.switch(0, &picture(now, 0), 0);
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
    let open = PacketMeta { frame_end: false, ..picture(now, 0) };
    let end = picture(now, 0);
    assert!(matches!(slot.offer(now, origin(), 1, &open), Ok(Decision::Forward(_))));
    let key = PacketMeta { keyframe: true, ..picture(now, 0) };
    assert_eq!(slot.offer(now, other(1), 70, &key), Ok(Decision::Ignore), "waits for the end of the picture");
    assert_eq!(slot.offer_run(now, origin(), &[(2, &end)]), None, "the end decides more than itself");
    assert!(matches!(slot.offer(now, origin(), 2, &end), Ok(Decision::ForwardThenSwitch(_, 70))));
}

#[test]
fn a_picture_that_does_not_end_is_given_up_after_60_ms() {
    let now = Instant::now();
    let key = PacketMeta { keyframe: true, ..picture(now, 0) };
    let table = [
        ("between two pictures", true, 0, Decision::Switch(70)),
        ("in the middle", false, 0, Decision::Ignore),
        ("just before", false, 59, Decision::Ignore),
        ("given up", false, 60, Decision::Switch(70)),
        ("long since", false, 500, Decision::Switch(70)),
    ];
    for (why, frame_end, ms, expected) in table {
        let mut slot = switching(now);
        let sent = slot.offer(now, origin(), 1, &PacketMeta { frame_end, ..picture(now, 0) });
        assert!(matches!(sent, Ok(Decision::Forward(_))), "{why}");
        assert_eq!(slot.offer(now + Duration::from_millis(ms), other(1), 70, &key), Ok(expected), "{why}");
    }
}

/// The opening of an older picture is no opening for what comes behind a newer one.
#[test]
fn a_late_picture_opens_nothing() {
    let now = Instant::now();
    let opening = PacketMeta { opens_upper: true, ..picture(now, 0) };
    for (late, opens) in [(true, false), (false, true)] {
        let mut slot = released(now);
        let order =
            if late { [(2, picture(now, 0)), (1, opening)] } else { [(1, opening), (2, picture(now, 0))] };
        for (sequence, packet) in order {
            assert!(sent(&mut slot, now, sequence, &packet));
        }
        assert_eq!(sent(&mut slot, now, 3, &picture(now, 2)), opens, "late: {late}");
    }
}

/// An upper picture has begun (packet 1), then the slot is thinned, and what else was sent comes in any order: the
/// middle and end of that picture (2 and 3), one of the base layer (4), and one that is left out (5).
#[test]
fn a_picture_that_has_begun_is_ended_though_the_slot_is_thinned_meanwhile() {
    let now = Instant::now();
    let part = |number: u16, temporal, frame_end| PacketMeta {
        codec: Codec::Vp8,
        timestamp: u32::from(number) * 3000,
        picture_id: Some(PictureId { value: number, bits: 15 }),
        frame_end,
        ..picture(now, temporal)
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
            let decision = slot.offer(now, origin(), sequence, &packet);
            slot.limit_temporal(if sequence == 0 { ALL_TEMPORAL } else { 0 });
            let Ok(Decision::Forward(mapped)) = decision else { return None };
            let id = packet.picture_id.map(|id| id.value.wrapping_add(mapped.offsets.picture));
            Some((mapped.sequence_out - 65_536, id))
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

/// A late packet of an upper picture of which nothing was sent is left out with the rest of it.
#[test]
fn a_picture_that_has_not_begun_is_not_begun_once_the_slot_is_thinned() {
    let now = Instant::now();
    let mut slot = showing(now);
    assert!(sent(&mut slot, now, 0, &picture(now, 0)));
    slot.limit_temporal(0);
    assert!(!sent(&mut slot, now, 3, &picture(now, 1)));
    assert!(!sent(&mut slot, now, 1, &picture(now, 2)));
    assert!(sent(&mut slot, now, 4, &picture(now, 0)));
}

/// Who speaks in a slot ten seconds after site 0 has, at which number, and the timestamp that goes out: a known
/// source's own, where the other ones are placed by their arrival.
#[test]
fn a_voice_keeps_its_time_line_only_where_it_is_known() {
    let voice = |place| Origin {
        publisher: PeerIndex { place, generation: 1 },
        kind: SourceKind::Microphone,
        layer: 0,
    };
    let begins = Instant::now();
    let after_10_s = begins + Duration::from_secs(10);
    let (timestamp, by_arrival) = (5_000 + 480_000 + 1_000, 5_000 + 480_000);
    let table = [
        ("the same after a pause", voice(0), 101, Some(timestamp)),
        ("the same, whose numbers have leapt", voice(0), 90_000, Some(by_arrival)),
        ("another", voice(1), 101, Some(by_arrival)),
    ];
    for (why, origin, sequence, expected) in table {
        let line = SlotLine { ssrc: Ssrc(1), rtx_ssrc: None, mid: Mid::new(), codecs: ArrayVec::new() };
        let mut slot = AudioSlot::new(line, Rewriter::new(48_000, 0));
        let packet =
            |timestamp, at| PacketMeta { arrived: at, timestamp, codec: Codec::Opus, ..picture(at, 0) };
        slot.aim(Some(voice(0)));
        let first = slot.offer(begins, voice(0), 100, &packet(5_000, begins)).ok().flatten();
        assert!(first.is_some_and(|(_, begins)| begins), "a talk spurt begins");
        slot.aim(None);
        assert_eq!(slot.offer(begins, voice(0), 101, &packet(5_960, begins)), Ok(None));
        slot.aim(Some(origin));
        let heard = slot.offer(after_10_s, origin, sequence, &packet(timestamp, after_10_s));
        let out = heard.ok().flatten().map(|(mapped, begins)| {
            assert!(begins, "{why}");
            timestamp.wrapping_add(mapped.offsets.timestamp)
        });
        assert_eq!(out, expected, "{why}");
    }
}
