use super::*;

fn key(now: Instant) -> PacketMeta {
    PacketMeta { keyframe: true, ..frame(now, 0) }
}

/// Of a slot that shows stills every key frame is shown, and nothing between them.
#[test]
fn stills_are_key_frames_alone() {
    let now = Instant::now();
    let mut slot = released(now);
    let offer = |slot: &mut VideoSlot, sequence: u64, packet: PacketMeta| {
        let packet = PacketMeta { timestamp: sequence as u32 * 3000, ..packet };
        slot.offer(now, origin(), at(sequence), &packet)
    };
    assert!(matches!(offer(&mut slot, 1, key(now)), Ok(Decision::Forward(_))));
    slot.show_stills(true);
    assert_eq!(offer(&mut slot, 2, frame(now, 0)), Ok(Decision::Ignore));
    assert_eq!(slot.needs_key(), None, "the next still is asked for when it is due");
    assert_eq!(offer(&mut slot, 3, key(now)), Ok(Decision::Switch(at(3))));
    slot.switch(at(3), &key(now), 9000);
    assert!(matches!(offer(&mut slot, 3, key(now)), Ok(Decision::Forward(_))));
    assert_eq!(offer(&mut slot, 4, frame(now, 0)), Ok(Decision::Ignore));
    slot.show_stills(false);
    assert_eq!(offer(&mut slot, 5, frame(now, 0)), Ok(Decision::Ignore), "nothing continues the still");
    assert_eq!(slot.needs_key(), Some(origin()));
}
