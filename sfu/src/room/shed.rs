//! Which video is thinned when the worker cannot keep up, and how: sources of the lowest rank first, by their upper
//! temporal layers, then whole; of one source after the other. Audio and control are never shed.

use super::relief::Relief;
use crate::command::Rank;
use crate::stats::Effort;
use std::collections::BTreeMap;
use std::time::Duration;

/// A source that hundreds watch is shed for an eighth of them at a time: its video may be all there is.
const PARTS: u8 = 8;
/// Less than this is given back together with what comes next: each time costs key frames.
const SMALLEST_RETURN: f64 = 1.0 / 32.0;

/// What is left of a slot's video.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    #[default]
    Whole,
    /// The lowest temporal layer alone: fewer frames, and no key frame is needed to come back.
    Thin,
    /// Key frames alone, four seconds apart.
    Stills,
    /// The same, sixteen seconds apart: so that no place stays dark where stills of all would take too much.
    Rare,
    /// The last frame stays.
    Held,
}

impl Measure {
    /// Time between key frames, where these are all that is shown.
    pub fn stills_every(self) -> Option<Duration> {
        match self {
            Measure::Stills => Some(Duration::from_secs(4)),
            Measure::Rare => Some(Duration::from_secs(16)),
            Measure::Whole | Measure::Thin | Measure::Held => None,
        }
    }
}

/// The position of a slot in the order in which video is shed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    rank: Rank,
    source: u16,
    part: u8,
}

impl Standing {
    pub fn rank(self) -> Rank {
        self.rank
    }

    /// Of what `source` sends to the subscriber at `place`. Sources are shed in an arbitrary order that never changes,
    /// so that a little more or less concerns few of them: what comes back needs a key frame, and a key frame goes to
    /// every viewer.
    pub fn new(rank: Rank, source: u64, place: u32) -> Standing {
        // Fibonacci hashing: consecutive numbers end up far apart.
        let source = (source.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as u16;
        let part = place.wrapping_add(u32::from(source)) as u8 & PARTS.wrapping_sub(1);
        Standing { rank, source, part }
    }
}

/// What a slot costs, as bits per second, and the part of it that thinning would save.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    pub whole: u64,
    pub upper: u64,
}

/// One step of thinning; in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    rank: Rank,
    measure: Measure,
    standing: Standing,
}

impl Step {
    fn new(measure: Measure, standing: Standing) -> Step {
        Step { rank: standing.rank, measure, standing }
    }
}

/// How much is shed now, and of which slots.
#[derive(Debug, Default)]
pub struct Shedding {
    relief: Relief,
    /// Share of the video work that was to be left out when the plan was made.
    planned: f64,
    due: f64,
    /// Every step up to this one is taken.
    last: Option<Step>,
}

impl Shedding {
    /// Takes what the worker did, and the least that frames had waited for any turn. True when a new plan is due.
    pub fn on_effort(&mut self, effort: Effort, waited: Duration) -> bool {
        self.due = self.relief.on_effort(effort, waited);
        let ended = self.due == 0.0 && self.planned > 0.0;
        self.due > self.planned || self.planned - self.due >= SMALLEST_RETURN || ended
    }

    /// Takes as many steps as are needed, given all slots that would show something.
    pub fn plan(&mut self, slots: impl Iterator<Item = (Standing, Cost)>) {
        let less = self.due < self.planned;
        self.planned = self.due;
        let last = self.last_step(slots);
        // Rates fluctuate: when more is to be left out, no slot comes back because of a changed rate.
        self.last = if less { last } else { self.last.max(last) };
    }

    fn last_step(&self, slots: impl Iterator<Item = (Standing, Cost)>) -> Option<Step> {
        let mut steps: BTreeMap<Step, u64> = BTreeMap::new();
        let mut add = |step, saves: u64| {
            let sum = steps.entry(step).or_default();
            *sum = sum.saturating_add(saves);
        };
        let mut total = 0u64;
        for (standing, cost) in slots {
            let upper = cost.upper.min(cost.whole);
            add(Step::new(Measure::Thin, standing), upper);
            add(Step::new(Measure::Held, standing), cost.whole.saturating_sub(upper));
            total = total.saturating_add(cost.whole);
        }
        let goal = (total as f64 * self.due).ceil() as u64;
        let mut saved = 0u64;
        let needed = steps.into_iter().take_while(|(_, saves)| {
            let enough = saved >= goal;
            saved = saved.saturating_add(*saves);
            !enough
        });
        needed.last().map(|(step, _)| step)
    }

    /// What is done to the slot at this position.
    pub fn measure(&self, standing: Standing) -> Measure {
        let taken = |measure: &Measure| self.last.is_some_and(|last| Step::new(*measure, standing) <= last);
        [Measure::Held, Measure::Thin].into_iter().find(taken).unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "shed_tests.rs"]
mod tests;
