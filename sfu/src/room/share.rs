//! What a viewer's line is given for its slots, and how much of it that is.

use super::allocate::{Demand, STAYS_UP_TO, for_video, percent};
use super::shed::{Cost, Measure};
use crate::command::Rank;
use crate::forward::packet::Origin;

/// A line is divided again when it carries so much more than before, in hundredths.
const MORE: u64 = 105;

/// What a viewer's line is given for one slot: frames of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    pub origin: Origin,
    pub measure: Measure,
}

impl Given {
    /// Whether this is less than that, of the same source.
    pub fn is_less_than(&self, other: &Given) -> bool {
        let quality = |of: &Given| (std::cmp::Reverse(of.measure), of.origin.layer);
        quality(self) < quality(other)
    }
}

/// How the line of an endpoint is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// What there was for video when the plan was made.
    pub there_bps: u64,
    /// What its slots take of that.
    pub taken_bps: u64,
    /// What speech and control are left of the line, and with their redundancy.
    pub speech_bps: u64,
    pub reserved_bps: u64,
    /// What its slots would take if all that is wished for were shown.
    pub wanted_bps: u64,
    /// A line that carries less than this gets a mix in place of its voices; 0 where it has one.
    pub mixes_below_bps: u64,
    /// A slot shows less than is wished for, or voices are mixed.
    pub is_short: bool,
}

impl Share {
    /// Whether the line is to be divided again, now that it is believed to carry so much.
    pub fn is_outdated(&self, line_bps: u64) -> bool {
        let there = for_video(line_bps, self.reserved_bps);
        let more = there > percent(self.there_bps, MORE);
        let is_full = self.taken_bps > percent(there, STAYS_UP_TO) || line_bps < self.mixes_below_bps;
        is_full || (self.is_short && more)
    }

    /// As much of the line as could be made use of.
    pub fn useful_bps(&self) -> u64 {
        self.wanted_bps.saturating_add(self.reserved_bps)
    }
}

/// The ladder of a slot whose layers, up to the one wished for, cost so much, and where it stands. `of` is its source.
pub(super) fn demand_of(of: Origin, rank: Rank, costs: &[Cost], given: Option<Given>) -> Demand {
    let demand = Demand::new(rank, costs);
    let given = given.filter(|given| given.origin.is_of_the_source_of(of));
    // A smaller tile than before stands on what is enough for it now.
    let rung = |given: Given| demand.rung_of(given.origin.layer, given.measure);
    let stands = given.map(|given| rung(given).unwrap_or(demand.rungs.len().saturating_sub(1)));
    Demand { stands, ..demand }
}

/// What these rungs take.
pub(super) fn share_of(demands: &[Demand], rungs: &[usize]) -> Share {
    let taken = |(demand, rung): (&Demand, &usize)| demand.rungs.get(*rung).map_or(0, |rung| rung.bps);
    Share {
        taken_bps: demands.iter().zip(rungs).map(taken).sum(),
        wanted_bps: demands.iter().map(Demand::wanted_bps).fold(0, u64::saturating_add),
        is_short: demands.iter().zip(rungs).any(|(demand, rung)| rung.saturating_add(1) < demand.rungs.len()),
        ..Share::default()
    }
}
