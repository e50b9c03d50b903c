use super::*;
use crate::{MAX_MIXES, MAX_VOICES};

const ALL: WantedMix = WantedMix { without: None, format: MixFormat { bps: 16_000, is_long: true } };

#[test]
fn a_mix_has_all_voices_but_its_listeners_own() {
    let mut desk = Desk::new(MARKS);
    desk.order(room(&[ANNA, BINH], &[ALL, wanted(Some(ANNA), 16_000), wanted(Some(BINH), 16_000)]));
    desk.speak(&[ANNA, BINH], 1_000);
    let spoken: Vec<u32> = (1..=48).collect();
    for (without, anna, binh) in [(None, true, true), (Some(ANNA), false, true), (Some(BINH), true, false)] {
        for (voice, is_there) in [(ANNA, anna), (BINH, binh)] {
            let expected = if is_there { spoken.clone() } else { Vec::new() };
            assert_eq!(desk.heard(without, voice), expected, "without {without:?}: {voice:?}");
        }
    }
}

#[test]
fn packets_are_of_40_ms_on_the_grid_of_all_mixes() {
    let mut desk = Desk::new(MARKS);
    // Ordered in the middle of a packet, which is not sent.
    desk.run(61);
    desk.order(room(&[ANNA], &[ALL]));
    desk.run(80);
    desk.speak(&[ANNA], 400);
    assert_eq!(desk.timestamps(None), [5_760, 7_680, 9_600, 11_520, 13_440, 15_360, 17_280]);
    let at: Vec<u64> = desk.sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(at, [140, 180, 220, 260, 300, 340, 380]);
    assert!(desk.sent.iter().all(|(_, mixed)| mixed.payload.len() == 80));
}

#[test]
fn a_format_changes_between_packets_and_nothing_is_heard_twice() {
    let mut desk = Desk::new(MARKS);
    let of =
        |is_long| room(&[ANNA], &[WantedMix { without: None, format: MixFormat { bps: 16_000, is_long } }]);
    desk.order(of(false));
    desk.speak(&[ANNA], 300);
    let expected: Vec<u32> = (2..16).map(|tick| tick * 960).collect();
    assert_eq!(desk.timestamps(None), expected);
    assert!(desk.sent.iter().all(|(_, mixed)| mixed.payload.len() == 40));
    for (is_long, until) in [(true, 500), (false, 720), (true, 1_000)] {
        desk.order(of(is_long));
        desk.speak(&[ANNA], until);
    }
    // What would begin in the middle of a long packet is left out.
    let heard = desk.heard(None, ANNA);
    assert!(heard.is_sorted_by(|a, b| a < b) && heard.len() + 2 >= 48, "{heard:?}");
    let sizes: Vec<usize> = desk.sent.iter().map(|(_, mixed)| mixed.payload.len()).collect();
    assert_eq!(sizes, [[40; 14].as_slice(), &[80; 5], &[40; 11], &[80; 6]].concat());
}

#[test]
fn a_mix_that_is_ordered_within_a_packet_begins_with_the_next() {
    let mut desk = Desk::new(MARKS);
    desk.order(room(&[ANNA], &[ALL]));
    desk.speak(&[ANNA], 200);
    desk.order(room(&[ANNA], &[ALL, wanted(Some(BINH), 16_000)]));
    desk.speak(&[ANNA], 400);
    assert_eq!(desk.timestamps(Some(BINH)), [240, 280, 320, 360].map(|at| at * 48));
}

#[test]
fn packets_of_others_and_of_unknown_rooms_are_ignored() {
    let mut desk = Desk::new(MARKS);
    desk.speak(&[ANNA], 100);
    desk.order(room(&[ANNA], &[ALL]));
    desk.speak(&[ANNA, BINH], 500);
    assert_eq!(desk.heard(None, BINH), [0u32; 0]);
    assert_eq!(desk.heard(None, ANNA).first(), Some(&6));
}

#[test]
fn an_order_that_is_repeated_changes_nothing() {
    let told = [1, 7].map(|every| {
        let mut desk = Desk::new(MARKS);
        let order = room(&[ANNA, BINH], &[ALL, wanted(Some(ANNA), 8_000)]);
        for step in 0..100 {
            if step == 0 || step % every == 0 {
                desk.order(order.clone());
            }
            desk.speak(&[ANNA, BINH], (step + 1) * 20);
        }
        desk.sent
    });
    assert!(told[0].len() > 90);
    assert_eq!(told[0], told[1]);
}

#[test]
fn another_bitrate_holds_from_the_next_packet_on() {
    let mut desk = Desk::new(MARKS);
    desk.order(room(&[ANNA], &[ALL]));
    desk.speak(&[ANNA], 400);
    desk.order(room(&[ANNA], &[wanted(None, 24_000)]));
    desk.speak(&[ANNA], 600);
    let sizes: Vec<usize> = desk.sent.iter().map(|(_, mixed)| mixed.payload.len()).collect();
    assert_eq!(sizes, [[80; 9].as_slice(), &[120; 5]].concat());
    assert_eq!(desk.heard(None, ANNA), (1..=28).collect::<Vec<u32>>());
}

#[test]
fn what_is_not_named_is_over() {
    let mut desk = Desk::new(MARKS);
    desk.order(room(&[ANNA, BINH], &[ALL, wanted(Some(ANNA), 16_000)]));
    desk.speak(&[ANNA, BINH], 400);
    desk.order(room(&[BINH], &[ALL]));
    desk.speak(&[ANNA, BINH], 800);
    assert_eq!(desk.mix(Some(ANNA)).len(), 9);
    assert_eq!(desk.heard(None, ANNA).last(), Some(&19), "Anna is no voice any more");
    assert_eq!(desk.heard(None, BINH).last(), Some(&38));
}

#[test]
fn a_room_without_mixes_is_forgotten() {
    let mut desk = Desk::new(MARKS);
    assert_eq!(desk.poll(), 3_600_000);
    desk.order(room(&[ANNA], &[ALL]));
    desk.speak(&[ANNA], 400);
    assert_eq!(desk.poll(), 420);
    desk.order(room(&[ANNA], &[]));
    assert_eq!(desk.poll(), 3_600_400);
    let sent = desk.sent.len();
    desk.now = 10_000;
    desk.order(room(&[ANNA], &[ALL]));
    desk.speak(&[ANNA], 10_200);
    assert_eq!(desk.sent[sent].1.timestamp, 10_040 / 20 * 960, "the timeline went on");
    assert_eq!(desk.heard(None, ANNA)[17..19], [18, 501], "what waited was forgotten");
}

#[test]
fn rooms_do_not_hear_each_other() {
    let mut desk = Desk::new(MARKS);
    desk.order(room(&[ANNA], &[ALL]));
    desk.order(MixOrder::Room { room: RoomId(2), voices: vec![ANNA], mixes: vec![ALL] });
    desk.speak(&[ANNA], 400);
    assert_eq!(desk.mixes().keys().map(|mix| mix.room).collect::<Vec<_>>(), [ROOM]);
}

#[test]
fn a_room_has_no_more_voices_and_mixes_than_the_bounds() {
    let mut desk = Desk::new(MARKS);
    let many: Vec<PeerId> = (1..=40).map(PeerId).collect();
    let mixes: Vec<WantedMix> = many.iter().map(|peer| wanted(Some(*peer), 16_000)).collect();
    desk.order(room(&many, &mixes));
    desk.speak(&many, 200);
    assert_eq!(desk.mixes().len(), MAX_MIXES);
    let heard = marks(&desk.mix(Some(PeerId(1)))[1]);
    assert_eq!(heard.len(), 2 * (MAX_VOICES - 1));
}

#[test]
fn a_room_that_nobody_orders_any_more_is_over() {
    let mut desk = Desk::new(MARKS);
    desk.order(room(&[ANNA], &[ALL]));
    desk.speak(&[ANNA], 1_000);
    desk.standing = None;
    desk.speak(&[ANNA], 8_000);
    let last = desk.sent.last().map(|(at, _)| *at);
    assert!(last.is_some_and(|at| (4_800..5_000).contains(&at)), "{last:?}");
    assert!(desk.poll() > 60_000, "it rests");
}
