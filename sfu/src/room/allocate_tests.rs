use super::*;
use proptest::prelude::*;

/// 100, 400 and 1,500 kbit/s, half of each in upper temporal layers.
fn camera(rank: u8) -> Demand {
    let costs = [100_000, 400_000, 1_500_000].map(|whole| Cost { whole, upper: whole / 2 });
    Demand::new(Rank(rank), &costs)
}

fn shown(bps: u64, demands: &[Demand]) -> Vec<(u8, Measure)> {
    let rungs = allocate(bps, demands).into_iter().zip(demands);
    rungs.map(|(rung, demand)| (demand.rungs[rung].layer, demand.rungs[rung].measure)).collect()
}

#[test]
fn a_ladder_leads_from_the_last_picture_to_what_is_wished_for() {
    let ladder: Vec<(u8, Measure, u64)> =
        camera(0).rungs.iter().map(|rung| (rung.layer, rung.measure, rung.bps)).collect();
    let expected = [
        (0, Measure::Held, 0),
        (0, Measure::Rare, 3_000),
        (0, Measure::Stills, 12_000),
        (0, Measure::Thin, 50_000),
        (0, Measure::Whole, 100_000),
        (1, Measure::Whole, 400_000),
        (2, Measure::Whole, 1_500_000),
    ];
    assert_eq!(ladder, expected);
    let slides = Demand::new(Rank(0), &[Cost { whole: 5_000, upper: 0 }]);
    assert!(slides.rungs.is_sorted_by_key(|rung| rung.bps), "what hardly moves costs no less whole");
}

#[test]
fn the_more_a_line_carries_the_more_is_shown() {
    let one = |kbps: u64| shown(kbps * 1000, &[camera(0)])[0];
    assert_eq!(one(0), (0, Measure::Held));
    assert_eq!(one(10), (0, Measure::Rare));
    assert_eq!(one(20), (0, Measure::Stills));
    assert_eq!(one(60), (0, Measure::Thin));
    assert_eq!(one(120), (0, Measure::Whole));
    assert_eq!(one(450), (1, Measure::Whole));
    assert_eq!(one(1_500), (2, Measure::Whole));
}

#[test]
fn the_highest_rank_is_served_first_and_the_others_shrink_evenly() {
    let demands = [camera(0), camera(3), camera(0), camera(1)];
    let thin = (0, Measure::Thin);
    let (rare, stills, low) = ((0, Measure::Rare), (0, Measure::Stills), (0, Measure::Whole));
    assert_eq!(shown(9_000, &demands), [rare, rare, (0, Measure::Held), rare], "not even one");
    assert_eq!(shown(18_000, &demands), [rare, stills, (0, Measure::Held), rare]);
    assert_eq!(shown(24_000, &demands), [rare, stills, rare, rare]);
    assert_eq!(shown(30_000, &demands), [rare, stills, rare, stills]);
    assert_eq!(shown(150_000, &demands), [stills, low, stills, stills]);
    assert_eq!(shown(300_000, &demands), [thin, low, thin, low]);
    assert_eq!(shown(2_150_000, &demands), [low, (2, Measure::Whole), low, (1, Measure::Whole)]);
}

#[test]
fn a_slot_is_raised_only_with_room_to_spare_and_lowered_only_when_it_must() {
    let stands = |rung, may_rise| Demand { stands: Some(rung), may_rise, ..camera(0) };
    let at = |kbps: u64, demand: Demand| allocate(kbps * 1000, &[demand])[0];
    assert_eq!(at(110, stands(3, true)), 3, "100 kbit/s and 15 % are asked");
    assert_eq!(at(120, stands(3, true)), 4);
    assert_eq!(at(400, stands(3, false)), 3, "it was lowered a moment ago");
    assert_eq!(at(96, stands(4, true)), 4, "a little less does not lower it");
    assert_eq!(at(90, stands(4, true)), 3);
    assert_eq!(at(5, stands(4, true)), 1);
}

#[test]
fn speech_and_control_are_taken_off_first() {
    assert_eq!(for_video(60_000, reserve(1)), 0);
    assert_eq!(for_video(1_000_000, reserve(2)), 900_000 - 2 * 48_000 - 12_000);
    assert_eq!(reserve(0), reserve(1), "somebody will speak");
}

fn demands() -> impl Strategy<Value = Vec<Demand>> {
    let demand = (0u8..4, prop::collection::vec(1u64..3_000_000, 1..=3), 0usize..7, any::<bool>());
    let demand = demand.prop_map(|(rank, layers, stands, may_rise)| {
        let costs: Vec<Cost> = layers.into_iter().map(|whole| Cost { whole, upper: whole / 3 }).collect();
        let demand = Demand::new(Rank(rank), &costs);
        let stands = (stands < demand.rungs.len()).then_some(stands);
        Demand { stands, may_rise, ..demand }
    });
    prop::collection::vec(demand, 0..20)
}

proptest! {
    #[test]
    fn no_more_is_given_than_is_there(bps in 0u64..10_000_000, demands in demands()) {
        let rungs = allocate(bps, &demands);
        let taken: u64 = rungs.iter().zip(&demands).map(|(rung, demand)| demand.bps(*rung)).sum();
        prop_assert!(taken <= percent(bps, STAYS_UP_TO), "{taken} of {bps}");
        for (rung, demand) in rungs.iter().zip(&demands) {
            prop_assert!(*rung < demand.rungs.len());
            let stays = |stands: usize| *rung <= stands.max(STILLS);
            prop_assert!(demand.may_rise || demand.stands.is_none_or(stays));
        }
    }

    /// What is divided again at once, on the same line, stays as it is.
    #[test]
    fn a_steady_line_is_divided_once(bps in 0u64..10_000_000, demands in demands()) {
        let stands = |rungs: Vec<usize>, demands: &[Demand]| -> Vec<Demand> {
            let stands = rungs.into_iter().zip(demands);
            stands.map(|(rung, demand)| Demand { stands: Some(rung), ..demand.clone() }).collect()
        };
        let first = stands(allocate(bps, &demands), &demands);
        let second = allocate(bps, &first);
        let third = allocate(bps, &stands(second.clone(), &first));
        prop_assert_eq!(second, third);
    }
}
