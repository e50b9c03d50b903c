//! What an audio slot carries, and when.

use super::*;
use arrayvec::ArrayVec;
use rtp::codec::Codec;
use rtp::ids::{Mid, Ssrc};

/// Which source speaks in a slot ten seconds after source 0 has, at which number, and the timestamp that goes out: a
/// known source continues its own, others are placed by their arrival.
#[test]
fn a_voice_keeps_its_timeline_only_where_it_is_known() {
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
        let line = RtpParameters { ssrc: Ssrc(1), rtx_ssrc: None, mid: Mid::new(), codecs: ArrayVec::new() };
        let mut slot = AudioSlot::new(line, Rewriter::new(48_000, 0));
        let packet =
            |timestamp, at| PacketMeta { arrived: at, timestamp, codec: Codec::Opus, ..frame(at, 0) };
        slot.aim(Some(voice(0)));
        let first = slot.offer(begins, voice(0), at(100), &packet(5_000, begins)).ok().flatten();
        assert!(first.is_some_and(|(_, begins)| begins), "a talk spurt begins");
        slot.aim(None);
        assert_eq!(slot.offer(begins, voice(0), at(101), &packet(5_960, begins)), Ok(None));
        slot.aim(Some(origin));
        let decided = slot.offer(after_10_s, origin, at(sequence), &packet(timestamp, after_10_s));
        let out = decided.ok().flatten().map(|(mapped, begins)| {
            assert!(begins, "{why}");
            timestamp.wrapping_add(mapped.offsets.timestamp)
        });
        assert_eq!(out, expected, "{why}");
    }
}

#[test]
fn a_voice_is_what_a_slot_carries_from_its_first_packet_on() {
    let now = Instant::now();
    let line = RtpParameters { ssrc: Ssrc(2), rtx_ssrc: None, mid: Mid::new(), codecs: ArrayVec::new() };
    let mut voice = AudioSlot::new(line, Rewriter::new(48_000, 0));
    voice.aim(Some(origin()));
    assert_eq!(voice.current(), None, "nothing has come that a report could be about");
    let carried = |voice: &mut AudioSlot, sequence| {
        voice.offer(now, origin(), sequence, &frame(now, 0)).ok().flatten().map(|(_, begins)| begins)
    };
    assert_eq!(carried(&mut voice, at(5)), Some(true));
    assert_eq!(carried(&mut voice, at(6)), Some(false));
    assert_eq!(voice.current(), Some(origin()));
    voice.aim(Some(origin()));
    assert_eq!(carried(&mut voice, at(7)), Some(false), "aimed at the same again it goes on");
    voice.aim(None);
    assert_eq!((voice.current(), carried(&mut voice, at(8))), (None, None));
}

/// A voice is queued before a narrow line: five seconds late it is played as if it were spoken now. When the queue is
/// thrown away its time goes on by what has passed, and not five seconds further each time that happens.
#[test]
fn a_queue_on_the_way_does_not_move_the_time_of_a_slot() {
    const TICKS: u32 = 48_000;
    let begins = Instant::now();
    let line = RtpParameters { ssrc: Ssrc(1), rtx_ssrc: None, mid: Mid::new(), codecs: ArrayVec::new() };
    let mut slot = AudioSlot::new(line, Rewriter::new(TICKS, 0));
    // Second in which a packet comes, second in which it was recorded, and whether the slot has just been given the
    // voice.
    let packets =
        [(0, 0, true), (10, 5, true), (11, 6, false), (12, 12, false), (20, 13, true), (21, 21, false)];
    for (number, (comes, recorded, given)) in (100..).zip(packets) {
        if given {
            slot.aim(None);
            slot.aim(Some(origin()));
        }
        let now = begins + Duration::from_secs(u64::from(comes));
        let packet = PacketMeta { timestamp: recorded * TICKS, codec: Codec::Opus, ..frame(now, 0) };
        let (mapped, _) = slot.offer(now, origin(), at(number), &packet).unwrap().unwrap();
        let out = packet.timestamp.wrapping_add(mapped.offsets.timestamp);
        assert_eq!(out, comes * TICKS, "in second {comes}");
    }
}
