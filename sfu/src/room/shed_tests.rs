use super::*;

const OTHER: Rank = Rank(0);
const CHAIR: Rank = Rank(1);
const FLOOR: Rank = Rank(3);

const SPAN: Duration = Duration::from_millis(100);

/// Frames of a source to all eight parts of its viewers; a third of them is upper temporal layers.
fn viewers(rank: Rank, source: u64) -> impl Iterator<Item = (Standing, Cost)> {
    (0..8).map(move |place| (Standing::new(rank, source, place), Cost { whole: 900, upper: 300 }))
}

fn meeting() -> Vec<(Standing, Cost)> {
    let others = (1..=4).flat_map(|source| viewers(OTHER, source));
    others.chain(viewers(CHAIR, 5)).chain(viewers(FLOOR, 6)).collect()
}

fn planned(share: f64, slots: &[(Standing, Cost)]) -> Shedding {
    let mut shedding = Shedding { due: share, ..Shedding::default() };
    shedding.plan(slots.iter().copied());
    shedding
}

fn saved(shedding: &Shedding, slots: &[(Standing, Cost)]) -> f64 {
    let of = |(rank, cost): &(Standing, Cost)| match shedding.measure(*rank) {
        Measure::Whole => 0,
        Measure::Thin => cost.upper,
        Measure::Stills | Measure::Rare | Measure::Held => cost.whole,
    };
    let total: u64 = slots.iter().map(|(_, cost)| cost.whole).sum();
    slots.iter().map(of).sum::<u64>() as f64 / total as f64
}

#[test]
fn as_much_as_needed_is_saved_and_not_much_more() {
    let slots = meeting();
    for percent in 0..=100 {
        let share = f64::from(percent) / 100.0;
        let saved = saved(&planned(share, &slots), &slots);
        // One step is an eighth of one source's frames.
        assert!((share..share + 0.02).contains(&saved), "{share} wanted, {saved} saved");
    }
}

#[test]
fn lower_ranks_are_thinned_then_shed_before_a_higher_one_loses_anything() {
    let slots = meeting();
    for percent in 0..=100 {
        let shedding = planned(f64::from(percent) / 100.0, &slots);
        let of = |rank: Rank| {
            let measures = slots.iter().filter(|(standing, _)| standing.rank == rank);
            let measures: Vec<Measure> = measures.map(|(standing, _)| shedding.measure(*standing)).collect();
            (measures.iter().copied().min().unwrap(), measures.iter().copied().max().unwrap())
        };
        for (lower, higher) in [(OTHER, CHAIR), (CHAIR, FLOOR)] {
            let ((worst_off, most), (_, touched)) = (of(lower), of(higher));
            assert!(touched == Measure::Whole || worst_off == Measure::Held, "{percent} %: {lower:?}");
            assert!(most != Measure::Held || worst_off >= Measure::Thin, "{percent} %: thinned first");
        }
    }
}

#[test]
fn a_little_more_concerns_one_source() {
    let slots = meeting();
    let stills = |shedding: &Shedding| -> Vec<Standing> {
        let standings = slots.iter().map(|(standing, _)| *standing);
        standings.filter(|standing| shedding.measure(*standing) == Measure::Held).collect()
    };
    for percent in 23..60 {
        let before = stills(&planned(f64::from(percent) / 100.0, &slots));
        let after = stills(&planned(f64::from(percent + 1) / 100.0, &slots));
        assert!(before.iter().all(|standing| after.contains(standing)), "no slot comes back for it");
        let mut sources: Vec<u16> = after.iter().map(|standing| standing.source).collect();
        sources.dedup();
        let whole = sources.iter().filter(|source| {
            after.iter().filter(|standing| standing.source == **source).count() == usize::from(PARTS)
        });
        assert!(whole.count() + 1 >= sources.len(), "{percent} %: one source is shed in part");
    }
}

#[test]
fn a_source_without_temporal_layers_saves_nothing_by_thinning() {
    let whole = |source| viewers(OTHER, source).map(|(rank, _)| (rank, Cost { whole: 900, upper: 0 }));
    let slots: Vec<_> = (1..=4).flat_map(whole).collect();
    let shedding = planned(0.25, &slots);
    let stills = slots.iter().filter(|(rank, _)| shedding.measure(*rank) == Measure::Held);
    assert_eq!(stills.count(), 8, "a quarter of them is shed at once");
}

#[test]
fn parts_of_the_viewers_are_shed_in_turn() {
    let ranks: Vec<Standing> = (0..8).map(|place| Standing::new(OTHER, 7, place)).collect();
    let mut parts: Vec<u8> = ranks.iter().map(|rank| rank.part).collect();
    parts.sort_unstable();
    assert_eq!(parts, [0, 1, 2, 3, 4, 5, 6, 7]);
    let first = |source| (0..8).min_by_key(|place| Standing::new(OTHER, source, *place));
    let firsts: std::collections::BTreeSet<_> = (0..32).map(first).collect();
    assert!(firsts.len() > 1, "not the same viewer loses every source first");
}

#[test]
fn a_plan_is_due_at_once_for_more_and_in_some_measure_for_less() {
    let mut shedding = Shedding::default();
    let busy = Effort { span: SPAN, worked: SPAN, slept: Duration::ZERO };
    let wait = |ms| Duration::from_millis(ms);
    assert!(!shedding.on_effort(busy, wait(0)), "nothing is shed, nothing is due");
    let begun = (1..20).find(|n| shedding.on_effort(busy, wait(30 + 60 * n)));
    assert!(begun.is_some_and(|spans| (2..6).contains(&spans)), "{begun:?}");
    shedding.plan(meeting().into_iter());
    let at_first = shedding.planned;
    assert!(at_first > 0.0);
    let little = Effort { span: SPAN, worked: SPAN.mul_f64(0.92), slept: SPAN.mul_f64(0.08) };
    assert!(!shedding.on_effort(little, wait(0)), "a hundredth is not given back by itself");
    assert!(shedding.on_effort(little, wait(0)) || shedding.on_effort(little, wait(0)), "three are");
    shedding.plan(meeting().into_iter());
    let idle = Effort { span: SPAN, worked: Duration::ZERO, slept: SPAN };
    let ended = (0..30).find(|_| {
        if shedding.on_effort(idle, wait(0)) {
            shedding.plan(meeting().into_iter());
        }
        shedding.last.is_none()
    });
    assert!(ended.is_some_and(|spans| spans <= 10), "{ended:?}");
    assert!(!shedding.on_effort(idle, wait(0)), "nothing is shed, nothing is due");
}

/// Others cost more all of a sudden, so that fewer steps would do.
#[test]
fn rates_that_change_bring_nothing_back() {
    let slots = meeting();
    let dearer = |slots: &[(Standing, Cost)]| -> Vec<(Standing, Cost)> {
        let times = |(rank, cost): &(Standing, Cost)| match rank.rank {
            OTHER => (*rank, Cost { whole: cost.whole * 4, upper: cost.upper * 4 }),
            _ => (*rank, *cost),
        };
        slots.iter().map(times).collect()
    };
    let steps = |due, slots: &[(Standing, Cost)]| planned(due, slots).last;
    assert!(steps(0.3, &dearer(&slots)) < steps(0.3, &slots), "fewer would do");
    for (due, comes_back) in [(0.3, false), (0.31, false), (0.29, true)] {
        let mut shedding = planned(0.3, &slots);
        let before = shedding.last;
        shedding.due = due;
        shedding.plan(dearer(&slots).into_iter());
        assert_eq!(shedding.last < before, comes_back, "{due}");
    }
}
