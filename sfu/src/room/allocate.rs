//! How a viewer's line is divided among its slots. Pure.
//!
//! Each slot has a ladder of rungs, from its last picture, which costs nothing, up to what is wished for. What
//! stands out gets stills first, every slot rare stills, then stills; then the slots of the highest rank are raised as
//! far as the line allows, then those of the next. Slots of one rank are raised evenly.

use super::shed::{Cost, Measure};
use crate::command::Rank;
use crate::limits;
use arrayvec::ArrayVec;

/// The last picture, rare stills, stills, fewer frames, and each layer whole.
pub const MAX_RUNGS: usize = 4 + limits::MAX_LAYERS;
/// The rungs of stills.
const RARE: usize = 1;
const STILLS: usize = 2;
/// A key frame of the lowest layer, 6 KB, every sixteen seconds, and every four.
const RARE_BPS: u64 = 3_000;
const STILLS_BPS: u64 = 12_000;
/// Part of the estimate that is divided: it is right on average, and repairs come on top.
pub const USED: f64 = 0.9;
/// A slot is raised when so much more is there than it takes, in hundredths.
const RAISE_AT: u64 = 115;
/// Slots stay where they are while all of them take no more than so much of what is there, in hundredths.
pub const STAYS_UP_TO: u64 = 106;
/// A slot so many rungs below the others of its rank gets its part of what they have.
const FAR_BELOW: usize = 2;
/// Speech with headers, for each voice; and the WebSocket, which shares the line.
const VOICE_BPS: u64 = 48_000;
pub const CONTROL_BPS: u64 = 12_000;

/// One rung of a slot's ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    pub layer: u8,
    pub measure: Measure,
    pub bps: u64,
}

/// One slot that would show something.
#[derive(Debug, Clone)]
pub struct Demand {
    pub rank: Rank,
    /// Lowest first; none costs less than the one below it.
    pub rungs: ArrayVec<Rung, MAX_RUNGS>,
    /// The rung it stands on, and whether it may be raised already.
    pub stands: Option<usize>,
    pub may_rise: bool,
}

impl Demand {
    /// The ladder of a source whose layers cost so much, lowest first, up to the one wished for.
    pub fn new(rank: Rank, layers: &[Cost]) -> Demand {
        let lowest = layers.first().copied().unwrap_or_default();
        let rung = |layer, measure, bps| Rung { layer, measure, bps };
        let thin = lowest.whole.saturating_sub(lowest.upper);
        let low = [
            rung(0, Measure::Held, 0),
            rung(0, Measure::Rare, RARE_BPS),
            rung(0, Measure::Stills, STILLS_BPS),
            rung(0, Measure::Thin, thin),
        ];
        let whole = (0..).zip(layers).map(|(layer, cost)| rung(layer, Measure::Whole, cost.whole));
        let mut least = 0;
        let rungs = low.into_iter().chain(whole).take(MAX_RUNGS).map(|rung| {
            least = rung.bps.max(least);
            Rung { bps: least, ..rung }
        });
        Demand { rank, rungs: rungs.collect(), stands: None, may_rise: true }
    }

    /// The rung that shows this.
    pub fn rung_of(&self, layer: u8, measure: Measure) -> Option<usize> {
        self.rungs.iter().position(|rung| rung.layer == layer && rung.measure == measure)
    }

    fn bps(&self, rung: usize) -> u64 {
        self.rungs.get(rung).map_or(0, |rung| rung.bps)
    }

    /// What has to be there for this rung: above the one it stands on, more than it takes.
    fn asks(&self, rung: usize) -> u64 {
        let bps = self.bps(rung);
        let raised = self.stands.is_some_and(|stands| rung > stands);
        if raised { percent(bps, RAISE_AT) } else { bps }
    }

    /// Stills take next to nothing, and a place without them looks dead: they wait for nothing but room.
    fn may_reach(&self, rung: usize) -> bool {
        let held = self.stands.is_some_and(|stands| rung > stands.max(STILLS) && !self.may_rise);
        rung < self.rungs.len() && !held
    }

    /// What the slot would take if the line carried it.
    pub fn wanted_bps(&self) -> u64 {
        self.rungs.last().map_or(0, |rung| rung.bps)
    }
}

/// What is left for video of a line that is believed to carry so much, after what is reserved.
pub fn for_video(line_bps: u64, reserved_bps: u64) -> u64 {
    let used = (line_bps as f64 * USED) as u64;
    used.saturating_sub(reserved_bps)
}

/// What speech and control take of a line, when so many voices are heard.
pub fn reserve(voices: usize) -> u64 {
    VOICE_BPS.saturating_mul(voices.max(1) as u64).saturating_add(CONTROL_BPS)
}

/// The rung of each slot.
pub fn allocate(bps: u64, demands: &[Demand]) -> Vec<usize> {
    let mut ranks: Vec<Rank> = demands.iter().map(|demand| demand.rank).collect();
    ranks.sort_unstable_by(|a, b| b.cmp(a));
    ranks.dedup();
    let mut division = Division { demands, left: bps, rungs: vec![0; demands.len()] };
    // What stands out, where anything does, is not to stand still so that others have a picture at all.
    if let [top, _, ..] = ranks.as_slice() {
        division.raise_evenly(*top, STILLS);
    }
    for rung in [RARE, STILLS] {
        ranks.iter().for_each(|rank| division.raise_evenly(*rank, rung));
    }
    ranks.iter().for_each(|rank| division.divide(*rank));
    division.rungs
}

struct Division<'a> {
    demands: &'a [Demand],
    left: u64,
    rungs: Vec<usize>,
}

impl Division<'_> {
    /// Divides what is left among the slots of a rank. They stay where they are and are raised from there, unless that
    /// is too much, or leaves one of them far below the others.
    fn divide(&mut self, rank: Rank) {
        let group: Vec<usize> =
            (0..).zip(self.demands).filter(|(_, of)| of.rank == rank).map(|(at, _)| at).collect();
        self.left = self.left.saturating_add(self.taken(&group));
        let (there, before) = (self.left, self.rungs.clone());
        self.stay(&group);
        let stays = self.taken(&group);
        self.left = there.saturating_sub(stays);
        self.raise_evenly(rank, MAX_RUNGS);
        let (kept, left) = (self.rungs.clone(), self.left);
        (self.rungs, self.left) = (before, there);
        group.iter().for_each(|slot| self.set(*slot, 0));
        self.raise_evenly(rank, MAX_RUNGS);
        let least = |rungs: &[usize]| group.iter().filter_map(|slot| rungs.get(*slot)).min().copied();
        let apart = least(&self.rungs).unwrap_or(0) >= least(&kept).unwrap_or(0).saturating_add(FAR_BELOW);
        if stays <= percent(there, STAYS_UP_TO) && !apart {
            (self.rungs, self.left) = (kept, left);
        }
    }

    fn taken(&self, group: &[usize]) -> u64 {
        let of = |slot: &usize| self.demands.get(*slot)?.bps(*self.rungs.get(*slot)?).into();
        group.iter().filter_map(of).sum()
    }

    fn stay(&mut self, group: &[usize]) {
        for slot in group {
            let stands = self.demands.get(*slot).and_then(|demand| demand.stands);
            self.set(*slot, stands.unwrap_or(0));
        }
    }

    fn set(&mut self, slot: usize, to: usize) {
        if let Some(rung) = self.rungs.get_mut(slot) {
            *rung = to;
        }
    }

    /// Raises the slots of a rank, the lowest one first, up to this rung at most.
    fn raise_evenly(&mut self, rank: Rank, most: usize) {
        let mut full = vec![false; self.rungs.len()];
        loop {
            let open = self.rungs.iter().zip(self.demands).zip(&full).enumerate();
            let open = open.filter(|(_, ((rung, demand), full))| {
                demand.rank == rank && !**full && **rung < most && demand.may_reach(rung.saturating_add(1))
            });
            let Some((slot, _)) = open.min_by_key(|(_, ((rung, _), _))| **rung) else {
                return;
            };
            if !self.raise(slot)
                && let Some(full) = full.get_mut(slot)
            {
                *full = true;
            }
        }
    }

    /// Raises one slot by a rung, if that is there.
    fn raise(&mut self, slot: usize) -> bool {
        let Some((rung, demand)) = self.rungs.get_mut(slot).zip(self.demands.get(slot)) else {
            return false;
        };
        let above = rung.saturating_add(1);
        let has = demand.bps(*rung);
        if demand.asks(above).saturating_sub(has) > self.left {
            return false;
        }
        self.left = self.left.saturating_sub(demand.bps(above).saturating_sub(has));
        *rung = above;
        true
    }
}

pub fn percent(bps: u64, hundredths: u64) -> u64 {
    bps.saturating_mul(hundredths).wrapping_div(100)
}

#[cfg(test)]
#[path = "allocate_tests.rs"]
mod tests;
