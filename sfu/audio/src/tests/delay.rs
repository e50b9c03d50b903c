use super::*;

/// Anna speaks without end over a line that delays packet *n* by so many milliseconds, and those behind it until then.
fn story(until: u64, delay: impl Fn(u64) -> u64) -> Desk<Marks> {
    let mut desk = Desk::new(MARKS);
    desk.order(room(&[ANNA], &[wanted(None, 16_000)]));
    let mut arrival = 0;
    for number in 0..until / 20 {
        arrival = arrival.max(number * 20 + 3 + delay(number));
        desk.run(arrival);
        if number.is_multiple_of(50) {
            desk.repeat();
        }
        desk.voice(ANNA, number as u32 * 960, mark(ANNA.0 as u8, number as u32 + 1));
    }
    desk
}

/// How long after its capture each packet was played, by the tick at which it was.
fn delays(desk: &Desk<Marks>) -> Vec<(u64, u64)> {
    let mut delays = Vec::new();
    for mixed in desk.mix(None) {
        let tick = u64::from(mixed.timestamp) / 48;
        let two = marks(&mixed);
        // Where there is one mark it may be of either frame; the later is the worse.
        for (place, (_, value)) in two.iter().enumerate() {
            let played = if two.len() == 2 { tick + 20 * place as u64 } else { tick + 20 };
            delays.push((played, played - u64::from(value - 1) * 20));
        }
    }
    delays
}

#[test]
fn a_voice_on_a_quiet_line_waits_no_more_than_60_ms_and_loses_at_most_a_frame() {
    let desk = story(20_000, |_| 0);
    assert!(delays(&desk).iter().all(|(_, delay)| (20..=60).contains(delay)), "{:?}", delays(&desk));
    let heard = desk.heard(None, ANNA);
    assert!(heard.windows(2).filter(|pair| pair[1] != pair[0] + 1).count() <= 1);
}

#[test]
fn after_a_stall_the_delay_is_back_within_ten_seconds() {
    // Between 2.0 and 2.2 s nothing comes, then all of it.
    let stall = |n: u64| if n == 100 { 200 } else { 0 };
    let desk = story(14_000, stall);
    let delays = delays(&desk);
    let most = |from: u64, until: u64| {
        let within = delays.iter().filter(|(at, _)| (from..until).contains(at));
        within.map(|(_, delay)| *delay).max().unwrap()
    };
    assert!(most(0, 2_000) <= 60);
    assert!((200..=280).contains(&most(2_200, 4_000)), "{}", most(2_200, 4_000));
    assert!(most(12_200, 14_000) <= 80, "{}", most(12_200, 14_000));
    // Nothing was lost by the stall itself, and no more than a frame a second by making it up.
    let heard = desk.heard(None, ANNA);
    let left_out = 700 - 4 - heard.len();
    assert!(heard.windows(2).all(|pair| (1..=2).contains(&(pair[1] - pair[0]))));
    assert!((7..=11).contains(&left_out), "{left_out}");
}

#[test]
fn jitter_makes_the_delay_as_long_as_it_must_be() {
    let desk = story(20_000, |n| if n % 7 == 0 { 70 } else { 0 });
    let heard = desk.heard(None, ANNA);
    let after: Vec<u32> = heard.into_iter().filter(|value| *value > 50).collect();
    assert!(after.windows(2).all(|pair| pair[1] == pair[0] + 1), "{after:?}");
    let most = delays(&desk).into_iter().map(|(_, delay)| delay).max().unwrap();
    assert!((80..=120).contains(&most), "{most}");
}
