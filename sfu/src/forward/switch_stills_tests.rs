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
        let arrived = now + Duration::from_secs(sequence);
        let packet = PacketMeta { timestamp: sequence as u32 * 3000, arrived, ..packet };
        slot.offer(now, origin(), at(sequence), &packet)
    };
    assert!(matches!(offer(&mut slot, 1, key(now)), Ok(Decision::Forward(_))));
    slot.show_stills(Some(Duration::from_secs(4)));
    assert_eq!(offer(&mut slot, 2, frame(now, 0)), Ok(Decision::Ignore));
    assert_eq!(slot.needs_key(), None, "the next still is asked for when it is due");
    assert_eq!(offer(&mut slot, 3, key(now)), Ok(Decision::Switch(at(3))));
    slot.switch(at(3), &PacketMeta { arrived: now + Duration::from_secs(3), ..key(now) }, 9000);
    assert!(matches!(offer(&mut slot, 3, key(now)), Ok(Decision::Forward(_))));
    assert_eq!(offer(&mut slot, 4, frame(now, 0)), Ok(Decision::Ignore));
    assert_eq!(offer(&mut slot, 5, key(now)), Ok(Decision::Ignore), "somebody else has asked for it");
    assert_eq!(offer(&mut slot, 6, key(now)), Ok(Decision::Switch(at(6))), "a little early");
    slot.show_stills(None);
    assert_eq!(offer(&mut slot, 7, frame(now, 0)), Ok(Decision::Ignore), "nothing continues the still");
    assert_eq!(slot.needs_key(), Some(origin()));
}
