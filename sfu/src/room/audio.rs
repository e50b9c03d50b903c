//! Which audio slot carries which voice, or the mix, for one subscriber. Pure, and stable: a voice that has a
//! slot keeps it as long as that slot is right for it.

use crate::ids::PeerId;

/// What an audio slot carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    Voice(PeerId),
    /// All voices that are heard, but for this one.
    Mix {
        without: Option<PeerId>,
    },
}

impl Carried {
    pub fn is_mix(&self) -> bool {
        matches!(self, Carried::Mix { .. })
    }

    fn is_of(&self, voice: PeerId) -> bool {
        *self == Carried::Voice(voice)
    }
}

/// One audio slot as the assignment sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioPlace {
    /// The peer whose camera the partner video slot shows; the two share a stream id, so the browser keeps lips in
    /// sync. `None` for audio-only slots and for pairs that show no camera.
    pub partner: Option<PeerId>,
    pub carries: Option<Carried>,
}

/// What each slot is to carry: every voice once, however often its camera is shown. `heard` is loudest first: where
/// slots run out the quietest go without, also those that have one now. A pair that shows a peer's camera carries only
/// that peer's voice.
pub fn assign(places: &[AudioPlace], heard: &[PeerId]) -> Vec<Option<PeerId>> {
    let mut result = vec![None; places.len()];
    for (slot, place) in places.iter().enumerate() {
        let beside = place.partner.filter(|partner| heard.contains(partner) && !carried(&result, *partner));
        put(&mut result, slot, beside);
    }
    let free = places.iter().filter(|place| place.partner.is_none()).count();
    let alone = heard.iter().copied().filter(|voice| !carried(&result, *voice));
    let admitted: Vec<PeerId> = alone.take(free).collect();
    for (slot, place) in places.iter().enumerate().filter(|(_, place)| place.partner.is_none()) {
        let is_here = |voice: &&PeerId| place.carries.is_some_and(|carries| carries.is_of(**voice));
        let stays = admitted.iter().find(is_here).copied().filter(|voice| !carried(&result, *voice));
        put(&mut result, slot, stays);
    }
    for voice in admitted {
        if carried(&result, voice) {
            continue;
        }
        let free =
            places.iter().zip(&result).rposition(|(place, taken)| place.partner.is_none() && taken.is_none());
        if let Some(slot) = free {
            put(&mut result, slot, Some(voice));
        }
    }
    result
}

/// As [`assign`], for a mix: where it is, or in the last slot that belongs to no camera; a mix has no lips.
pub fn assign_mix(places: &[AudioPlace], without: Option<PeerId>) -> Vec<Option<Carried>> {
    let is_mix = |place: &AudioPlace| place.carries.is_some_and(|carries| carries.is_mix());
    let free = || places.iter().rposition(|place| place.partner.is_none());
    let slot = places.iter().position(is_mix).or_else(free).or(places.len().checked_sub(1));
    let mix = |place| (Some(place) == slot).then_some(Carried::Mix { without });
    (0..places.len()).map(mix).collect()
}

fn carried(result: &[Option<PeerId>], voice: PeerId) -> bool {
    result.contains(&Some(voice))
}

fn put(result: &mut [Option<PeerId>], slot: usize, voice: Option<PeerId>) {
    if let Some(place) = result.get_mut(slot) {
        *place = voice;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(spec: &[(u64, u64)]) -> Vec<AudioPlace> {
        let some = |n: u64| (n != 0).then_some(PeerId(n));
        let carries = |n| some(n).map(Carried::Voice);
        spec.iter().map(|(p, c)| AudioPlace { partner: some(*p), carries: carries(*c) }).collect()
    }

    fn run(spec: &[(u64, u64)], heard: &[u64]) -> Vec<u64> {
        let heard: Vec<PeerId> = heard.iter().map(|n| PeerId(*n)).collect();
        assign(&places(spec), &heard).iter().map(|p| p.map_or(0, |p| p.0)).collect()
    }

    /// Places as (partner, carries now), the voices that are heard, and what each place is to carry; 0 is none.
    #[test]
    fn table() {
        // A voice goes beside its camera.
        assert_eq!(run(&[(1, 0), (2, 0), (0, 0)], &[2]), [0, 2, 0]);
        // A voice whose camera is not shown goes to an audio-only slot, from the end.
        assert_eq!(run(&[(1, 0), (0, 0), (0, 0)], &[7, 1]), [1, 0, 7]);
        // It stays where it is.
        assert_eq!(run(&[(1, 1), (0, 7), (0, 0)], &[1, 7]), [1, 7, 0]);
        // When its camera appears it moves beside it.
        assert_eq!(run(&[(7, 0), (0, 7)], &[7]), [7, 0]);
        // Where slots run out the quietest goes without.
        assert_eq!(run(&[(0, 0), (0, 0)], &[1, 2, 3]), [2, 1]);
        // The peer with the floor, first of those heard, takes the place of a quieter one.
        assert_eq!(run(&[(0, 5)], &[1, 5]), [1]);
        assert_eq!(run(&[(0, 5), (0, 6)], &[1, 6, 5]), [1, 6]);
        // One source in two slots is heard once.
        assert_eq!(run(&[(1, 0), (1, 1), (0, 0)], &[1]), [1, 0, 0]);
        // Silence empties.
        assert_eq!(run(&[(1, 1), (0, 2)], &[]), [0, 0]);
    }

    #[test]
    fn a_mix_has_one_slot_without_a_camera_and_stays_there() {
        let mix = Carried::Mix { without: Some(PeerId(9)) };
        let slot_of = |places: &[AudioPlace]| {
            let assigned = assign_mix(places, Some(PeerId(9)));
            assert_eq!(assigned.iter().flatten().collect::<Vec<_>>(), [&mix]);
            assigned.iter().position(Option::is_some)
        };
        assert_eq!(slot_of(&places(&[(1, 1), (0, 2), (0, 0), (3, 0)])), Some(2));
        let mut there = places(&[(0, 0), (0, 0)]);
        there[0].carries = Some(Carried::Mix { without: None });
        assert_eq!(slot_of(&there), Some(0), "it is there already, with one voice more");
        assert_eq!(slot_of(&places(&[(1, 1), (2, 0)])), Some(1), "better beside a camera than not at all");
        assert_eq!(assign_mix(&[], None), []);
    }
}
