use super::*;
use crate::forward::packet::PeerIndex;
use crate::ids::SourceKind;

fn origin() -> Origin {
    let publisher = PeerIndex { place: 0, generation: 1 };
    Origin { publisher, kind: SourceKind::Camera, layer: 0 }
}

fn picture(now: Instant, temporal: u8) -> PacketMeta {
    PacketMeta {
        arrived: now,
        timestamp: 0,
        codec: Codec::Av1,
        marker: true,
        keyframe: false,
        frame_start: true,
        frame_end: true,
        temporal,
        switching_point: false,
        opens_upper: false,
        picture_id: None,
        tl0_pic_idx: None,
        frame_number: None,
        dependency_len: 0,
        capture_time_len: 0,
    }
}

/// A slot that shows the base layer only, and may show all from now on.
fn released(now: Instant) -> VideoSlot {
    let line = SlotLine { ssrc: Ssrc(1), rtx_ssrc: None, codecs: ArrayVec::new() };
    let mut slot = VideoSlot::new(line, Rewriter::new(90_000, 0));
    slot.limit_temporal(0);
    slot.aim(Some(origin()), true);
    slot.switch(0, &picture(now, 0), 0);
    slot.limit_temporal(ALL_TEMPORAL);
    slot
}

fn sent(slot: &mut VideoSlot, now: Instant, sequence: u64, packet: &PacketMeta) -> bool {
    slot.offer(now, origin(), sequence, packet) != Decision::Ignore
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
