//! Stories for many seeds: few of them run here, others by `make sweep`.

use std::ops::Range;
use tests::house::{Act, HouseChaos};
use tests::simulation::{LinkModel, seeds};

const SEEDS: Range<u64> = 0..4;

/// A house in which these things happen; even seeds are on clean lines.
pub fn anything(acts: &[Act], seed: u64) {
    let link = if seed.is_multiple_of(2) { LinkModel::clean() } else { LinkModel::hardened() };
    let mut chaos = HouseChaos::new(seed, link);
    chaos.run(40, acts);
    chaos.settle();
    chaos.judge();
}

#[test]
fn house_in_which_anything_ordinary_happens() {
    seeds(SEEDS).for_each(|seed| anything(Act::ORDINARY, seed));
}

#[test]
fn house_in_which_disasters_happen() {
    seeds(SEEDS).for_each(|seed| anything(Act::DISASTERS, seed));
}
