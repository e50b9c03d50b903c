use super::*;

fn desk() -> Desk<Marks> {
    let mut desk = Desk::new(MARKS);
    desk.order(room(&[ANNA], &[wanted(None, 16_000)]));
    desk.speak(&[ANNA], 400);
    desk
}

/// The host sleeps; packets wait for it.
fn sleep(desk: &mut Desk<Marks>, until: u64) {
    let first = desk.now / 20;
    desk.now = until;
    for number in first..until / 20 {
        desk.voice(ANNA, number as u32 * 960, mark(ANNA.0 as u8, number as u32 + 1));
    }
}

#[test]
fn a_host_that_is_late_catches_up() {
    let mut desk = desk();
    sleep(&mut desk, 500);
    desk.run(500);
    desk.speak(&[ANNA], 800);
    assert_eq!(desk.timestamps(None), (1..20).map(|n| n * 1_920).collect::<Vec<u32>>());
    assert_eq!(desk.heard(None, ANNA), (1..=38).collect::<Vec<u32>>());
}

#[test]
fn a_host_that_is_too_late_skips() {
    let mut desk = desk();
    sleep(&mut desk, 1_000);
    desk.run(1_000);
    desk.speak(&[ANNA], 1_200);
    let timestamps = desk.timestamps(None);
    // To 360 ms before it slept; of what it missed from 920 ms on.
    assert_eq!(timestamps[8..11], [360 * 48, 920 * 48, 960 * 48]);
    assert!(timestamps[8..].iter().skip(1).zip(&timestamps[10..]).all(|(a, b)| b - a == 1_920));
    // What waited more than 400 ms was left out, but for the newest 60.
    let heard = desk.heard(None, ANNA);
    assert!(heard.windows(2).all(|pair| pair[0] < pair[1]), "{heard:?}");
    assert!(heard.windows(2).filter(|pair| pair[1] - pair[0] > 1).count() == 1, "{heard:?}");
}

#[test]
fn time_that_goes_back_is_no_time() {
    let mut desk = desk();
    let sent = desk.sent.len();
    desk.now = 100;
    assert_eq!(desk.poll(), 420);
    desk.now = 0;
    desk.order(room(&[ANNA], &[]));
    desk.order(room(&[ANNA], &[wanted(None, 16_000)]));
    assert_eq!(desk.poll(), 420);
    assert_eq!(desk.sent.len(), sent);
}
