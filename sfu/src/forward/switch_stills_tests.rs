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
    assert_eq!(offer(&mut slot, 5, key(now)), Ok(Decision::Switch(at(5))));
    slot.show_stills(None);
    assert_eq!(offer(&mut slot, 7, frame(now, 0)), Ok(Decision::Ignore), "nothing continues the still");
    assert_eq!(slot.needs_key(), Some(origin()));
}

/// Rare ones pass over those that others ask for, unless the receiver has not got the last one.
#[test]
fn rare_stills_stay_rare() {
    let now = Instant::now();
    let key_at = |second: u64| PacketMeta {
        timestamp: second as u32 * 3000,
        arrived: now + Duration::from_secs(second),
        ..key(now)
    };
    let mut slot = released(now);
    slot.show_stills(Some(Duration::from_secs(16)));
    let offer = |slot: &mut VideoSlot, second: u64| {
        let decision = slot.offer(key_at(second).arrived, origin(), at(second), &key_at(second));
        let switches = decision == Ok(Decision::Switch(at(second)));
        if switches {
            slot.switch(at(second), &key_at(second), second as u32 * 3000);
            assert!(matches!(
                slot.offer(now, origin(), at(second), &key_at(second)),
                Ok(Decision::Forward(_))
            ));
        }
        switches
    };
    slot.rest();
    assert!(offer(&mut slot, 20));
    assert!(!offer(&mut slot, 25) && !offer(&mut slot, 31), "somebody else has asked for them");
    assert!(offer(&mut slot, 33), "a little early");
    assert!(!offer(&mut slot, 35));
    slot.miss_still();
    assert_eq!(slot.still_due(now + Duration::from_secs(36)), None);
    assert_eq!(slot.still_due(now + Duration::from_secs(37)), Some(Duration::from_secs(4)));
    assert!(offer(&mut slot, 38));
}

/// A still counts for its own source only, and as long as nothing else was shown.
#[test]
fn another_source_has_no_still_yet() {
    let now = Instant::now();
    let mut slot = released(now);
    slot.show_stills(Some(Duration::from_secs(16)));
    slot.switch(at(2), &PacketMeta { arrived: now, ..key(now) }, 0);
    let later = now + Duration::from_secs(1);
    assert_eq!(slot.still_due(later), None);
    slot.aim(None, false);
    slot.aim(Some(origin()), false);
    assert_eq!(slot.still_due(later), None, "it was only held");
    let publisher = PeerIndex { place: 7, generation: 1 };
    slot.aim(Some(Origin { publisher, ..origin() }), false);
    assert_eq!(slot.still_due(later), Some(Duration::MAX));
}

/// What a slot has shown last is what a receiver may still ask for.
#[test]
fn the_frame_shown_last_is_known() {
    let now = Instant::now();
    let mut slot = released(now);
    slot.show_stills(Some(Duration::from_secs(16)));
    slot.switch(at(2), &PacketMeta { timestamp: 6000, ..key(now) }, 0);
    let _ = slot.offer(now, origin(), at(2), &PacketMeta { timestamp: 6000, ..key(now) });
    let _ = slot.offer(now, origin(), at(3), &PacketMeta { timestamp: 9000, ..frame(now, 0) });
    assert!(slot.shows_last(origin(), 6000) && !slot.shows_last(origin(), 9000));
    slot.aim(None, false);
    assert!(slot.shows_last(origin(), 6000), "nothing has replaced it");
}
