use super::*;
use proptest::prelude::*;

fn at(index: u64) -> Sequence {
    Sequence::from_index(index)
}

const RTT: Duration = Duration::from_millis(50);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_number_is_resent_once_per_round_trip() {
    let start = Instant::now();
    let mut resent = Resent::new(512);
    assert!(!resent.is_on_its_way(start, at(7), RTT), "nothing was resent");
    resent.remember(start, at(7));
    assert!(resent.is_on_its_way(start + ms(49), at(7), RTT));
    assert!(!resent.is_on_its_way(start + ms(49), at(8), RTT));
    assert!(!resent.is_on_its_way(start + ms(49), at(7 + 512), RTT), "another number of the same place");
    assert!(!resent.is_on_its_way(start + RTT, at(7), RTT));
}

/// All that can be resent is remembered: a receiver that asks for the whole slab in turn gets nothing twice.
#[test]
fn the_memory_is_as_large_as_the_slab() {
    let start = Instant::now();
    let mut resent = Resent::new(512);
    let newest = 100_000;
    (newest - 512..newest).for_each(|number| resent.remember(start, at(number)));
    assert!((newest - 512..newest).all(|number| resent.is_on_its_way(start, at(number), RTT)));
    assert_eq!(resent.answers.len(), 512);
    assert_eq!(size_of::<Option<Answer>>(), 8);
    let table = [(newest - 513, false), (newest - 512, true), (newest - 1, true), (newest, false)];
    for (number, reached) in table {
        assert_eq!(resent.reaches(at(newest), at(number)), reached, "{number}");
    }
}

#[test]
fn a_turn_has_one_answer_in_however_many_nacks_it_is_asked_for() {
    let start = Instant::now();
    let mut resent = Resent::new(512);
    assert_eq!(resent.open_turn(start, 100), 100);
    assert_eq!(resent.open_turn(start, 100), 28);
    assert_eq!(resent.open_turn(start, 100), 0);
    assert_eq!(resent.open_turn(start + ms(1), 500), 128);
}

#[test]
fn rtx_has_numbers_of_its_own() {
    let mut resent = Resent::new(4);
    let first = resent.peek_sequence();
    assert_eq!(first, at(1), "the first packet of an SSRC has roll-over counter 0");
    assert_eq!(resent.peek_sequence(), first, "a look uses nothing up");
    resent.next_sequence();
    assert_eq!(resent.peek_sequence(), at(2));
}

/// Takes packets of 952 bytes (1,000 on the wire) until it is refused.
fn drain(budget: &mut ResendBudget) -> u64 {
    let taken = (0..1_000_000).take_while(|_| budget.take_packet(1000 - OVERHEAD)).count() as u64;
    taken * 1000
}

#[test]
fn an_outage_of_half_a_second_is_repaired_at_once() {
    let start = Instant::now();
    let mut budget = ResendBudget::new(start);
    // 2 Mbit/s for a minute, looked at every 20 ms.
    for step in 1..3000u64 {
        budget.refill(start + ms(step * 20), step * 5000, None);
    }
    let held = drain(&mut budget);
    assert!((125_000..155_000).contains(&held), "{held}: half a second of 250 kB/s, and the floor");
    budget.refill(start + ms(60_000), 15_000_000, None);
    assert!(drain(&mut budget) < 3000, "and nothing more");
}

#[test]
fn a_receiver_that_gets_nothing_is_resent_the_floor() {
    let start = Instant::now();
    let mut budget = ResendBudget::new(start);
    assert_eq!(drain(&mut budget), 25_000);
    let later = (1..=100).map(|step| {
        budget.refill(start + ms(step * 100), 0, None);
        drain(&mut budget)
    });
    assert!((110_000..=125_000).contains(&later.sum::<u64>()), "12.5 kB/s for ten seconds");
}

#[test]
fn a_budget_that_was_unused_for_long_is_no_larger() {
    let start = Instant::now();
    let mut budget = ResendBudget::new(start);
    budget.refill(start + Duration::from_secs(3600), 900_000_000, None);
    let held = drain(&mut budget);
    assert!((145_000..=150_000).contains(&held), "{held}: two seconds' share of 250 kB/s, and the floor");
}

#[test]
fn questions_are_counted_whatever_the_answer() {
    let start = Instant::now();
    let mut budget = ResendBudget::new(start);
    let ask = |budget: &mut ResendBudget| (0..100_000).filter(|_| budget.take_question()).count();
    assert_eq!(ask(&mut budget), 1024);
    budget.refill(start + ms(125), 0, None);
    assert_eq!(ask(&mut budget), 512);
    budget.refill(start + Duration::from_secs(3600), 0, None);
    assert_eq!(ask(&mut budget), 1024, "no more at once");
}

proptest! {
    /// The promise, whatever is sent and asked for, and when.
    #[test]
    fn never_more_than_the_share_the_floor_and_what_was_saved(
        steps in prop::collection::vec((0u64..5000, 0u64..2_000_000, any::<bool>()), 1..200),
    ) {
        let start = Instant::now();
        let mut budget = ResendBudget::new(start);
        let (mut now, mut sent, mut resent) = (start, 0u64, 0u64);
        for (pause, bytes, asks) in steps {
            (now, sent) = (now + ms(pause), sent + bytes);
            if asks {
                budget.refill(now, sent, None);
                resent += drain(&mut budget);
            }
            let seconds = (now - start).as_secs_f64();
            let most = sent as f64 * SHARE + FLOOR * seconds + 25_000.0;
            prop_assert!(resent as f64 <= most, "{resent} of at most {most}");
        }
    }
}
