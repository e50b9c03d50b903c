//! Where a slot stands on its ladder, and since when.

use crate::room::share::Given;
use crate::room::shed::Measure;
use std::time::{Duration, Instant};

/// After it was lowered a slot stays where it is for so long: nobody wants to see a picture change all the time.
const AFTER_LOWERING: Duration = Duration::from_secs(5);
/// One whose picture does not move at all is raised sooner.
const AFTER_STOPPING: Duration = Duration::from_secs(2);
/// But not one that has just begun: what its line carries is only being found.
const BEGINS: Duration = Duration::from_secs(3);
/// And after it was raised, until it shows what that costs.
const AFTER_RAISING: Duration = Duration::from_millis(400);

/// What the viewer's line is given for one slot.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ladder {
    given: Option<Given>,
    began: Option<Instant>,
    lowered_at: Option<Instant>,
    /// Or lowered while it began.
    raised_at: Option<Instant>,
}

impl Ladder {
    pub fn given(&self) -> Option<Given> {
        self.given
    }

    pub fn give(&mut self, now: Instant, given: Option<Given>) {
        let before = std::mem::replace(&mut self.given, given);
        let Some((before, given)) = before.zip(given).filter(|(a, b)| a.origin.is_of_the_source_of(b.origin))
        else {
            *self = Ladder { given, began: Some(now), ..Ladder::default() };
            return;
        };
        let begins = self.began.is_some_and(|began| now.saturating_duration_since(began) < BEGINS);
        match (given.is_less_than(&before), before.is_less_than(&given)) {
            (true, _) if !begins => self.lowered_at = Some(now),
            (false, false) => {}
            _ => self.raised_at = Some(now),
        }
    }

    /// Whether it may be raised already.
    pub fn may_rise(&self, now: Instant) -> bool {
        let passed =
            |at: Option<Instant>, time| at.is_none_or(|at| now.saturating_duration_since(at) >= time);
        let stopped = self.given.is_some_and(|given| given.measure >= Measure::Stills);
        let rest = if stopped { AFTER_STOPPING } else { AFTER_LOWERING };
        passed(self.lowered_at, rest) && passed(self.raised_at, AFTER_RAISING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::packet::Origin;
    use crate::ids::{PeerIndex, SourceKind};
    use crate::time::test_start;

    fn given(place: u32, layer: u8, measure: Measure) -> Option<Given> {
        let publisher = PeerIndex { place, generation: 1 };
        Some(Given { origin: Origin { publisher, kind: SourceKind::Camera, layer }, measure })
    }

    #[test]
    fn a_slot_that_was_lowered_waits_before_it_is_raised() {
        let (start, mut ladder) = (test_start(), Ladder::default());
        ladder.give(start, given(1, 2, Measure::Whole));
        assert!(ladder.may_rise(start), "it has just begun");
        ladder.give(start, given(1, 1, Measure::Whole));
        assert!(!ladder.may_rise(start));
        assert!(ladder.may_rise(start + AFTER_RAISING), "its line was not known yet");
        let later = start + BEGINS;
        ladder.give(later, given(1, 0, Measure::Whole));
        assert!(!ladder.may_rise(later + AFTER_LOWERING / 2));
        assert!(ladder.may_rise(later + AFTER_LOWERING));
        ladder.give(later, given(1, 0, Measure::Stills));
        assert!(!ladder.may_rise(later + AFTER_STOPPING / 2));
        assert!(ladder.may_rise(later + AFTER_STOPPING));
        ladder.give(later + AFTER_LOWERING, given(1, 0, Measure::Thin));
        assert!(!ladder.may_rise(later + AFTER_LOWERING), "it was raised just now");
        assert!(ladder.may_rise(later + AFTER_LOWERING + AFTER_RAISING));
    }

    #[test]
    fn another_source_begins_anew() {
        let (start, mut ladder) = (test_start(), Ladder::default());
        ladder.give(start, given(1, 2, Measure::Whole));
        ladder.give(start, given(1, 0, Measure::Held));
        ladder.give(start, given(2, 0, Measure::Held));
        assert!(ladder.may_rise(start));
    }
}
