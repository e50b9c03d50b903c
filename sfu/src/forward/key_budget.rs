//! How often one receiver may make publishers send key frames. A key frame is several times as large as another frame,
//! and every viewer of the layer pays for it: with bytes, or with the quality that the encoder gives up for them. So
//! what one receiver asks for, by PLI and FIR or by changing its wishes, is rationed; what others ask for meanwhile
//! serves it as well.

use super::packet::Origin;
use crate::time::after;
use std::time::{Duration, Instant};

/// For one layer and one receiver: so many at once, then one in this time. A key frame on a poor line may be lost
/// itself, twice; after that the receiver, and not the meeting, pays: its picture stands for up to four seconds.
const EVERY: Duration = Duration::from_secs(4);
const AT_ONCE: u32 = 4;
/// For all layers together: a receiver with a wall of 49 pictures asks for all of them at once when it comes back from
/// an outage, and may turn pages.
const ANY_EVERY: Duration = Duration::from_millis(125);
const ANY_AT_ONCE: u32 = 64;
/// Layers remembered. A receiver that makes us forget one by asking for this many others has used up its whole budget,
/// and gets it back no sooner than the budget of the forgotten layer would have been refilled.
const REMEMBERED: usize = 64;

/// What one receiver has asked for.
#[derive(Debug, Default)]
pub struct KeyBudget {
    /// When each layer's requests will have been paid for.
    layers: Vec<(Origin, Instant)>,
    any: Option<Instant>,
}

impl KeyBudget {
    /// Whether a key frame of `origin` may be asked for now from this receiver's budget; takes it from there.
    pub fn take(&mut self, now: Instant, origin: Origin) -> bool {
        let known = self.layers.iter().position(|(layer, _)| *layer == origin);
        let paid = known.and_then(|place| self.layers.get(place)).map(|(_, paid)| *paid);
        let (Some(paid), Some(any)) =
            (charge(now, paid, EVERY, AT_ONCE), charge(now, self.any, ANY_EVERY, ANY_AT_ONCE))
        else {
            return false;
        };
        self.any = Some(any);
        match known.or_else(|| self.place_for_another()).and_then(|place| self.layers.get_mut(place)) {
            Some(entry) => *entry = (origin, paid),
            None => self.layers.push((origin, paid)),
        }
        true
    }

    /// The one that is paid for first gives way, once all places are taken.
    fn place_for_another(&self) -> Option<usize> {
        let full = self.layers.len() >= REMEMBERED;
        let first = self.layers.iter().enumerate().min_by_key(|(_, (_, paid))| *paid);
        first.map(|(place, _)| place).filter(|_| full)
    }
}

/// A bucket as the time when it will be full again: one more request moves it by `every`, and no further than
/// `at_once` of them ahead.
fn charge(now: Instant, paid: Option<Instant>, every: Duration, at_once: u32) -> Option<Instant> {
    let next = after(paid.map_or(now, |paid| paid.max(now)), every);
    (next <= after(now, every.saturating_mul(at_once))).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{PeerIndex, SourceKind};

    fn layer(place: u32) -> Origin {
        let publisher = PeerIndex { place, generation: 1 };
        Origin { publisher, kind: SourceKind::Camera, layer: 0 }
    }

    fn granted(budget: &mut KeyBudget, now: Instant, layers: impl Iterator<Item = u32>) -> usize {
        layers.filter(|place| budget.take(now, layer(*place))).count()
    }

    #[test]
    fn a_layer_is_asked_four_times_and_then_every_four_seconds() {
        let start = Instant::now();
        let mut budget = KeyBudget::default();
        assert_eq!(granted(&mut budget, start, std::iter::repeat_n(1, 100)), 4);
        assert!(budget.take(start, layer(2)), "another layer has its own");
        let just_before = start + EVERY - Duration::from_millis(1);
        assert!(!budget.take(just_before, layer(1)));
        assert!(budget.take(start + EVERY, layer(1)));
        assert!(!budget.take(start + EVERY, layer(1)));
        assert_eq!(granted(&mut budget, start + EVERY * 60, std::iter::repeat_n(1, 100)), 4);
    }

    #[test]
    fn a_wall_may_ask_for_all_its_pictures_and_then_for_eight_a_second() {
        let start = Instant::now();
        let mut budget = KeyBudget::default();
        assert_eq!(granted(&mut budget, start, 0..200), 64);
        assert_eq!(granted(&mut budget, start + Duration::from_secs(1), 200..400), 8);
    }

    /// Of those remembered the first to be paid for is forgotten, which may be asked for again anyway.
    #[test]
    fn what_is_owed_longest_is_remembered() {
        let start = Instant::now();
        let mut budget = KeyBudget::default();
        assert!(budget.take(start, layer(0)));
        assert_eq!(granted(&mut budget, start, std::iter::repeat_n(1, 4)), 4);
        let later = start + Duration::from_secs(2);
        assert_eq!(granted(&mut budget, later, 2..200), REMEMBERED, "as many as may be asked for at once");
        assert!(!budget.take(later + Duration::from_secs(1), layer(1)));
    }

    /// Asking for many layers in turn does not make one of them cheaper.
    #[test]
    fn forgetting_makes_nothing_cheaper() {
        let start = Instant::now();
        let mut budget = KeyBudget::default();
        let mut of_the_victim = 0;
        for tick in 0..6000u32 {
            let now = start + Duration::from_millis(10) * tick;
            of_the_victim += granted(&mut budget, now, std::iter::repeat_n(0, 5));
            granted(&mut budget, now, 1 + tick * 7..tick * 7 + 8);
        }
        assert!(budget.layers.len() <= REMEMBERED);
        assert!(of_the_victim <= 4 + 60 / 4 + 1, "{of_the_victim} in a minute");
    }
}
