use super::*;
use rtp::codec::Codec;
use std::time::Instant;

fn at(index: u64) -> Sequence {
    Sequence::from_index(index)
}

fn delta() -> PacketMeta {
    PacketMeta::whole_frame(Instant::now(), Codec::Vp8)
}

fn key() -> PacketMeta {
    PacketMeta { keyframe: true, ..delta() }
}

/// A frame whose last packet has not left yet.
fn open() -> PacketMeta {
    PacketMeta { frame_end: false, ..key() }
}

/// A slot that has sent number 1000 at time 5000.
fn began(meta: &PacketMeta) -> Guard {
    let mut guard = Guard::default();
    assert_eq!(guard.check(at(1000), 5000, meta, true), Ok(()));
    guard
}

#[test]
fn video_begins_with_a_key_frame_and_audio_anywhere() {
    let begins_wrong = Err("the first video packet begins no key frame");
    assert_eq!(Guard::default().check(at(1), 0, &delta(), true), begins_wrong);
    assert_eq!(Guard::default().check(at(1), 0, &delta(), false), Ok(()));
    let mut given_up = Guard::default();
    given_up.give_up();
    assert_eq!(given_up.check(at(1), 0, &delta(), true), Ok(()), "the key frame itself was given up");
}

#[test]
fn a_number_is_used_once_for_as_long_as_it_is_remembered() {
    let mut guard = began(&key());
    let twice = Err("a sequence number is used twice");
    assert_eq!(guard.check(at(1000), 5000, &key(), true), twice);
    for number in 1001..1000 + WINDOW as u64 {
        assert_eq!(guard.check(at(number), 5000, &delta(), true), Ok(()));
    }
    assert_eq!(guard.check(at(1000), 5000, &delta(), true), twice, "512 numbers are remembered");
    assert_eq!(guard.check(at(1000 + WINDOW as u64), 5000, &delta(), true), Ok(()));
    assert_eq!(guard.check(at(1000), 5000, &delta(), true), Ok(()), "and no more");
}

#[test]
fn time_goes_forward_by_less_than_half_its_circle() {
    let backwards = Err("time goes backwards");
    for (timestamp, verdict) in [
        (5000, Ok(())),
        (5001, Ok(())),
        (4999, backwards),
        (4999 + (1 << 31), Ok(())),
        (5000 + (1 << 31), backwards),
    ] {
        assert_eq!(began(&key()).check(at(1001), timestamp, &delta(), true), verdict, "{timestamp}");
    }
    assert_eq!(began(&key()).check(at(999), 4000, &delta(), true), Ok(()), "a late one is of its own time");
}

#[test]
fn a_late_packet_moves_nothing() {
    let mut guard = began(&key());
    assert_eq!(guard.check(at(999), 0, &open(), true), Ok(()));
    assert_eq!(
        guard.check(at(1001), 5001, &delta(), true),
        Ok(()),
        "no frame is open, and time is as it was"
    );
}

#[test]
fn a_frame_is_whole_before_the_next_one_begins() {
    let torn = Err("a frame is torn");
    assert_eq!(began(&open()).check(at(1001), 5001, &delta(), true), torn);
    assert_eq!(began(&open()).check(at(1001), 5000, &delta(), true), Ok(()), "of the same frame");
    assert_eq!(
        began(&open()).check(at(1002), 5001, &delta(), true),
        Ok(()),
        "its end may be lost on the way in"
    );
    assert_eq!(began(&open()).check(at(1001), 5001, &key(), true), Ok(()), "a key frame needs no other");
    assert_eq!(began(&open()).check(at(1001), 5001, &delta(), false), Ok(()), "audio has no frames");
    assert_eq!(began(&key()).check(at(1001), 5001, &delta(), true), Ok(()));
}

#[test]
fn what_was_given_up_may_be_torn_until_a_key_frame() {
    let mut guard = began(&open());
    guard.give_up();
    assert_eq!(guard.check(at(1001), 5001, &PacketMeta { frame_end: false, ..delta() }, true), Ok(()));
    assert_eq!(
        guard.check(at(1002), 5002, &PacketMeta { frame_end: false, ..delta() }, true),
        Ok(()),
        "still"
    );
    assert_eq!(guard.check(at(1003), 5003, &open(), true), Ok(()), "the key frame");
    assert_eq!(guard.check(at(1004), 5004, &delta(), true), Err("a frame is torn"));
}
