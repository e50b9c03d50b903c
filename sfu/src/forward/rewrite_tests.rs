use super::*;
use crate::ids::{PeerIndex, SourceKind};
use rtp::codec::Codec;

#[path = "rewrite_model_tests.rs"]
mod model;

fn at(index: u64) -> Sequence {
    Sequence::from_index(index)
}

fn origin(layer: u8) -> Origin {
    let publisher = PeerIndex { place: 0, generation: 1 };
    Origin { publisher, kind: SourceKind::Camera, layer }
}

fn packet(now: Instant, timestamp: u32, id: u16) -> PacketMeta {
    PacketMeta {
        timestamp,
        picture_id: Some(id),
        tl0_pic_idx: Some(id as u8),
        ..PacketMeta::whole_frame(now, Codec::Vp8)
    }
}

struct Slot {
    now: Instant,
    rewriter: Rewriter,
}

impl Slot {
    fn new() -> Slot {
        Slot { now: Instant::now(), rewriter: Rewriter::new(90_000, 1000) }
    }

    fn begin(&mut self, layer: u8, sequence: u64, id: u16, timestamp_out: u32) {
        let packet = packet(self.now, u32::from(id) * 3000, id);
        self.rewriter.begin(origin(layer), at(sequence), &packet, timestamp_out);
    }

    /// Output number relative to the first one, and picture id.
    fn send(&mut self, layer: u8, sequence: u64, id: u16) -> Option<(u64, u16)> {
        let packet = packet(self.now, u32::from(id) * 3000, id);
        let mapped = self.rewriter.map(self.now, origin(layer), at(sequence), &packet)?;
        Some((mapped.sequence_out.index()? - 1000, id.wrapping_add(mapped.offsets.picture)))
    }

    fn skip(&mut self, sequence: u64, id: u16) {
        let packet = packet(self.now, u32::from(id) * 3000, id);
        self.rewriter.skip(origin(0), at(sequence), &packet);
    }
}

#[test]
fn in_order_late_and_missing_packets_keep_their_distance() {
    let mut slot = Slot::new();
    slot.begin(0, 500, 7, 0);
    assert_eq!(slot.send(0, 500, 7), Some((0, 7)));
    assert_eq!(slot.send(0, 503, 8), Some((3, 8)));
    assert_eq!(slot.send(0, 501, 7), Some((1, 7)));
    assert_eq!(slot.send(0, 499, 6), None, "before the switch nothing was promised");
}

#[test]
fn a_switch_continues_all_numbers() {
    let mut slot = Slot::new();
    slot.begin(0, 500, 7, 0);
    slot.send(0, 500, 7);
    slot.send(0, 501, 8);
    slot.begin(1, 90_000, 2000, 123_456);
    assert_eq!(slot.send(1, 90_000, 2000), Some((2, 9)));
    assert_eq!(slot.rewriter.last.map(|l| l.timestamp), Some(123_456));
    assert_eq!(slot.send(0, 500, 7), Some((0, 7)), "the old layer's late packet has its old number");
    assert_eq!(slot.send(0, 502, 9), None, "what the old layer sends on is not forwarded");
}

#[test]
fn time_never_goes_backwards_over_a_switch() {
    for (wanted, gets) in [(4000, 5001), (5000, 5001), (5001, 5001), (5002, 5002)] {
        let mut slot = Slot::new();
        slot.begin(0, 500, 7, 5000);
        slot.send(0, 500, 7);
        slot.begin(1, 10, 1, wanted);
        slot.send(1, 10, 1);
        assert_eq!(slot.rewriter.last.map(|l| l.timestamp), Some(gets), "{wanted}");
    }
}

#[test]
fn left_out_frames_leave_no_gap() {
    let mut slot = Slot::new();
    slot.begin(0, 100, 1, 0);
    let mut out = Vec::new();
    for (sequence, id) in (100..108u64).zip(1u16..) {
        if id % 2 == 0 {
            slot.skip(sequence, id);
        } else {
            out.extend(slot.send(0, sequence, id));
        }
    }
    assert_eq!(out, [(0, 1), (1, 2), (2, 3), (3, 4)]);
}

#[test]
fn a_left_out_frame_of_several_packets_counts_once() {
    let mut slot = Slot::new();
    slot.begin(0, 100, 1, 0);
    slot.send(0, 100, 1);
    for sequence in 101..104 {
        slot.skip(sequence, 2);
    }
    assert_eq!(slot.send(0, 104, 3), Some((1, 2)));
}

#[test]
fn a_gap_after_left_out_packets_stays_open_for_its_packet() {
    let mut slot = Slot::new();
    slot.begin(0, 100, 1, 0);
    slot.send(0, 100, 1);
    slot.skip(101, 2);
    assert_eq!(slot.send(0, 103, 3), Some((2, 2)));
    assert_eq!(slot.send(0, 102, 3), Some((1, 2)));
    assert_eq!(slot.send(0, 101, 2), None, "what was left out stays out");
}

#[test]
fn a_frame_lost_between_left_out_ones_finds_its_place() {
    let mut slot = Slot::new();
    slot.begin(0, 100, 1, 0);
    slot.send(0, 100, 1);
    slot.skip(101, 2);
    // 102 and 103, id 3, are late.
    slot.skip(104, 4);
    assert_eq!(slot.send(0, 102, 3), Some((1, 2)));
    slot.skip(106, 6);
    assert_eq!(slot.send(0, 103, 3), Some((2, 2)));
    // 105, id 5, never comes: its number is kept.
    assert_eq!(slot.send(0, 107, 7), Some((4, 4)));
    assert_eq!(slot.send(0, 105, 5), Some((3, 3)));
}

#[test]
fn left_out_packets_that_change_places_leave_no_gap() {
    let mut slot = Slot::new();
    slot.begin(0, 100, 1, 0);
    slot.send(0, 100, 1);
    for sequence in [103, 101, 102, 105, 104] {
        slot.skip(sequence, if sequence < 104 { 2 } else { 3 });
    }
    assert_eq!(slot.send(0, 106, 4), Some((1, 2)));
}

#[test]
fn a_timeline_of_another_encoder_is_not_believed() {
    let mut slot = Slot::new();
    slot.begin(0, 500, 7, 5000);
    slot.send(0, 500, 7);
    slot.begin(0, 9000, 1, 1 << 30);
    slot.send(0, 9000, 1);
    assert_eq!(slot.rewriter.last.map(|l| l.timestamp), Some(5001));
}

#[test]
fn numbers_lead_back_to_packets() {
    let mut slot = Slot::new();
    slot.begin(0, 100, 1, 0);
    slot.send(0, 100, 1);
    slot.skip(101, 2);
    slot.send(0, 102, 3);
    slot.begin(1, 7000, 9, 90_000);
    slot.send(1, 7000, 9);
    let back = |out: u64| slot.rewriter.invert(at(1000 + out)).map(|(o, s, _)| (o.layer, s));
    assert_eq!(back(0), Some((0, at(100))));
    assert_eq!(back(1), Some((0, at(102))));
    assert_eq!(back(2), Some((1, at(7000))));
    assert_eq!(back(3), None, "not sent yet");
}

#[test]
fn the_list_is_bounded() {
    let mut slot = Slot::new();
    slot.begin(0, 0, 0, 0);
    slot.send(0, 0, 0);
    for n in 0..1000u16 {
        slot.skip(u64::from(n) * 2 + 1, n * 2 + 1);
        slot.send(0, u64::from(n) * 2 + 2, n * 2 + 2);
    }
    assert_eq!(slot.rewriter.segments.len(), MAX_SEGMENTS);
    assert_eq!(slot.rewriter.invert(at(1000)), None);
}

/// Input numbers with or without a picture id, and the output of the first; the slot has sent up to 100.
#[test]
fn a_run_is_whole_and_in_order_or_decides_nothing() {
    type Row = (&'static str, &'static [(u64, bool)], Option<u64>);
    let table: [Row; 9] = [
        ("one", &[(101, true)], Some(1)),
        ("several", &[(101, true), (102, true), (103, true)], Some(1)),
        ("without ids", &[(101, false), (102, false)], Some(1)),
        ("after a gap", &[(102, true), (103, true)], None),
        ("late", &[(100, true)], None),
        ("with a hole", &[(101, true), (103, true)], None),
        ("out of order, but whole", &[(101, true), (103, true), (102, true), (104, true)], None),
        (
            "out of order, but whole, with one twice",
            &[(101, true), (102, true), (102, true), (104, true)],
            None,
        ),
        ("with and without ids", &[(101, true), (102, false)], None),
    ];
    for (why, run, expected) in table {
        let mut slot = Slot::new();
        slot.begin(0, 100, 1, 0);
        slot.send(0, 100, 1);
        let next = slot.rewriter.next_out();
        let metas: Vec<(Sequence, PacketMeta)> = run
            .iter()
            .map(|(sequence, has_id)| {
                let meta = packet(slot.now, 6000, 2);
                (at(*sequence), PacketMeta { picture_id: meta.picture_id.filter(|_| *has_id), ..meta })
            })
            .collect();
        let packets: Vec<(Sequence, &PacketMeta)> =
            metas.iter().map(|(sequence, meta)| (*sequence, meta)).collect();
        let mapped = slot.rewriter.map_run(slot.now, origin(0), &packets);
        assert_eq!(mapped.map(|mapped| mapped.sequence_out.index().unwrap() - 1000), expected, "{why}");
        let sent = expected.map_or(0, |_| run.len() as u64);
        assert_eq!(slot.rewriter.next_out(), next.plus(sent), "{why}");
        assert_eq!(slot.rewriter.map_run(slot.now, origin(1), &packets), None, "another layer");
    }
}

/// Gaps among left-out frames wait for their packets, sixteen at most; one more, and the first has its numbers
/// reserved. Its packet finds them all the same.
#[test]
fn gaps_among_left_out_frames_are_bounded() {
    let mut slot = Slot::new();
    slot.begin(0, 100, 1, 0);
    slot.send(0, 100, 1);
    // Every other frame is left out; those between are late.
    let late = |n: u64| (101 + 2 * n, 2 + 2 * n as u16);
    for n in 0..MAX_GAPS as u64 {
        slot.skip(102 + 2 * n, 3 + 2 * n as u16);
        assert_eq!(slot.rewriter.left_out.gaps.len() as u64, n + 1);
    }
    assert_eq!(slot.rewriter.segments.len(), 1, "nothing is reserved yet");
    for n in MAX_GAPS as u64..40 {
        slot.skip(102 + 2 * n, 3 + 2 * n as u16);
        assert_eq!(slot.rewriter.left_out.gaps.len(), MAX_GAPS);
    }
    for n in 0..40 {
        let (sequence, id) = late(n);
        assert_eq!(slot.send(0, sequence, id), Some((1 + n, 2 + n as u16)), "gap {n}");
    }
}

/// After left-out packets numbers do not just go on: each packet is looked at.
#[test]
fn a_run_after_left_out_packets_decides_nothing() {
    let mut slot = Slot::new();
    slot.begin(0, 100, 1, 0);
    slot.send(0, 100, 1);
    slot.skip(101, 2);
    let next = packet(slot.now, 9000, 3);
    assert_eq!(slot.rewriter.map_run(slot.now, origin(0), &[(at(102), &next)]), None);
    assert_eq!(slot.send(0, 102, 3), Some((1, 2)));
}

#[test]
fn what_was_left_out_stays_out_though_it_comes_again() {
    let mut slot = Slot::new();
    slot.begin(0, 100, 1, 0);
    slot.send(0, 100, 1);
    slot.skip(101, 2);
    assert_eq!(slot.send(0, 101, 2), None);
    assert_eq!(slot.send(0, 102, 3), Some((1, 2)), "and takes no number");
}

#[test]
fn a_packet_that_comes_again_is_no_sign_of_life() {
    let mut slot = Slot::new();
    slot.begin(0, 100, 1, 0);
    assert_eq!(slot.rewriter.idle(slot.now), None, "nothing was sent");
    slot.send(0, 100, 1);
    slot.now += Duration::from_millis(5);
    assert_eq!(slot.send(0, 100, 1), Some((0, 1)));
    assert_eq!(slot.rewriter.idle(slot.now), Some(Duration::from_millis(5)));
}

/// What a slot showed before has numbers that mean nothing among those of what it shows now.
#[test]
fn another_layer_opens_nothing_after_left_out_packets() {
    let mut slot = Slot::new();
    slot.begin(1, 90_000, 1, 0);
    slot.send(1, 90_000, 1);
    slot.begin(0, 100, 2, 6000);
    slot.send(0, 100, 2);
    slot.skip(101, 3);
    assert_eq!(slot.send(1, 90_001, 2), None);
    assert_eq!(slot.send(0, 102, 4), Some((2, 3)));
}

/// The slot shows layer 0 up to number 5000: what is late, and what is a leap.
#[test]
fn numbers_are_late_or_leap_within_one_layer_only() {
    let mut slot = Slot::new();
    assert!(!slot.rewriter.leaps(origin(0), at(90_000)), "nothing was sent that it could leap from");
    slot.begin(0, 5000, 1, 0);
    slot.send(0, 5000, 1);
    let table = [
        (2000, true, false),
        (4999, true, false),
        (5000, true, false),
        (5001, false, false),
        (5000 + MAX_LEAP, false, false),
        (5001 + MAX_LEAP, false, true),
        (90_000, false, true),
    ];
    for (sequence, late, leaps) in table {
        let seen =
            (slot.rewriter.is_late(origin(0), at(sequence)), slot.rewriter.leaps(origin(0), at(sequence)));
        assert_eq!(seen, (late, leaps), "{sequence}");
        let other =
            (slot.rewriter.is_late(origin(1), at(sequence)), slot.rewriter.leaps(origin(1), at(sequence)));
        assert_eq!(other, (false, false), "{sequence} of another layer");
    }
}

/// A leap is not left out like other packets: its stream has restarted, and what comes after it is no gap.
#[test]
fn what_leaps_is_not_left_out() {
    let mut slot = Slot::new();
    slot.begin(0, 100, 1, 0);
    slot.send(0, 100, 1);
    slot.skip(90_000, 2);
    assert_eq!(slot.send(0, 101, 2), Some((1, 2)));
}

/// Sender reports are about what the slot shows, and on the slot's own timeline.
#[test]
fn the_newest_segment_is_what_sender_reports_are_about() {
    let mut slot = Slot::new();
    assert_eq!((slot.rewriter.origin(), slot.rewriter.timestamp_offset()), (None, None));
    slot.begin(0, 500, 7, 5000);
    let offset = 5000u32.wrapping_sub(21_000);
    assert_eq!((slot.rewriter.origin(), slot.rewriter.timestamp_offset()), (Some(origin(0)), Some(offset)));
    slot.send(0, 500, 7);
    slot.begin(1, 10, 1, 6000);
    assert_eq!((slot.rewriter.origin(), slot.rewriter.timestamp_offset()), (Some(origin(1)), Some(3000)));
}

#[test]
fn a_new_packet_runs_ahead_when_it_is_further_than_the_time_that_passed_allows() {
    let mut slot = Slot::new();
    slot.begin(0, 500, 0, 0);
    assert!(slot.send(0, 500, 0).is_some());
    let most = (90_000 * MAX_DISAGREEMENT_S) as i32;
    let table = [
        ("as far as may be", 0, 501, most, false),
        ("further", 0, 501, most + 1, true),
        ("a little", 0, 501, 1, false),
        ("as far back", 0, 501, -most - 1, false),
        ("another layer's", 1, 501, most + 1, false),
        ("the same packet", 0, 500, most + 1, false),
        ("one before", 0, 499, most + 1, false),
    ];
    for (what, layer, sequence, ahead, expected) in table {
        let packet = packet(slot.now, ahead as u32, 1);
        let found = slot.rewriter.runs_ahead(slot.now, origin(layer), at(sequence), &packet);
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn numbers_that_were_taken_back_are_given_again() {
    let mut slot = Slot::new();
    slot.begin(0, 500, 7, 0);
    for sequence in 500..505 {
        slot.send(0, sequence, 7);
    }
    slot.rewriter.rewind(at(1002));
    assert_eq!(slot.rewriter.next_out(), at(1002));
    assert_eq!(slot.rewriter.invert(at(1001)).map(|(_, sequence, _)| sequence), Some(at(501)));
    assert_eq!(slot.rewriter.invert(at(1002)), None, "nothing has it now");
    slot.begin(1, 900, 40, 90_000);
    assert_eq!(slot.send(1, 900, 40).map(|(number, _)| number), Some(2));
    slot.rewriter.rewind(at(1001));
    assert_eq!(slot.rewriter.origin(), Some(origin(0)), "the switch is taken back as well");
    slot.rewriter.rewind(at(5000));
    assert_eq!(slot.rewriter.next_out(), at(1001), "what was never given is not taken back");
}
