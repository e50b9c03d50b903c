use super::*;

fn desk() -> Desk<Marks> {
    let mut desk = Desk::new(MARKS);
    desk.order(room(&[ANNA, BINH], &[wanted(None, 16_000), wanted(Some(ANNA), 16_000)]));
    desk
}

#[test]
fn who_says_nothing_costs_nothing() {
    let mut desk = desk();
    desk.run(2_000);
    assert!(desk.sent.is_empty());
}

#[test]
fn a_mix_ends_400_ms_after_its_last_sound_and_goes_on_in_its_timeline() {
    let mut desk = desk();
    desk.speak(&[ANNA], 400);
    // Packet 20 is played at 420 and is the last one.
    desk.run(2_000);
    assert_eq!(desk.heard(None, ANNA).last(), Some(&20));
    let (at, last) = desk.sent.last().unwrap();
    assert_eq!((*at, last.timestamp), (780, 760 / 20 * 960));
    desk.speak(&[ANNA], 2_200);
    assert_eq!(desk.timestamps(None)[19], 2_040 / 20 * 960);
    assert_eq!(desk.heard(None, ANNA)[20..], [101, 102, 103, 104, 105, 106, 107, 108]);
}

#[test]
fn the_own_voice_is_no_sound_in_a_mix_without_it() {
    let mut desk = desk();
    desk.speak(&[ANNA], 1_000);
    assert!(!desk.mix(None).is_empty());
    assert!(desk.mix(Some(ANNA)).is_empty());
    desk.speak(&[ANNA, BINH], 1_200);
    assert_eq!(desk.mix(Some(ANNA)).len(), 4);
}

#[test]
fn packets_that_carry_silence_are_silence() {
    let mut desk = desk();
    for number in 0..100 {
        desk.voice(ANNA, number * 960, mark(ANNA.0 as u8, 0));
        desk.run(desk.now + 20);
    }
    assert!(desk.sent.is_empty());
}
