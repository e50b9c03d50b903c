//! The rewriter against a naive model: a list of what has happened, gone through from its beginning each time.

use super::*;
use proptest::prelude::*;

/// What happens to the next packet of the layer that is shown.
#[derive(Debug, Clone, Copy)]
enum Step {
    Forward,
    LeaveOut,
    /// It does not come now.
    Miss,
    /// The slot switches to another layer, whose numbers have nothing to do with these, and forwards.
    Switch(u64),
    /// Of the packets that were missed, this one comes now.
    Late(prop::sample::Index),
}

/// An input packet and its number, where it has got one.
type Packet = (u8, u64, Option<u64>);

/// Which number each packet must get. A number is given to whatever is forwarded, in order; what is missing before a
/// packet that is forwarded keeps its own; what is left out, or was still missing at a switch, never gets one.
#[derive(Default)]
struct Model {
    forwarded: Vec<Packet>,
    missing: Vec<Packet>,
    next: u64,
}

impl Model {
    fn forward(&mut self, layer: u8, sequence: u64) -> u64 {
        let next = &mut self.next;
        let reserved = self.missing.iter_mut().filter(|(of, _, number)| *of == layer && number.is_none());
        reserved.for_each(|(_, _, number)| *number = Some(std::mem::replace(next, *next + 1)));
        self.forwarded.push((layer, sequence, Some(*next)));
        std::mem::replace(next, *next + 1)
    }

    fn switch(&mut self) {
        self.missing.retain(|(_, _, number)| number.is_some());
    }
}

impl Slot {
    fn number(&mut self, layer: u8, sequence: u64) -> Option<u64> {
        self.send(layer, sequence, sequence as u16).map(|(number, _)| number)
    }

    fn skip_of(&mut self, layer: u8, sequence: u64) {
        self.rewriter.skip(
            origin(layer),
            at(sequence),
            &packet(self.now, sequence as u32 * 3_000, sequence as u16),
        );
    }

    fn packet_of(&self, number: u64) -> Option<(Origin, Sequence)> {
        let (origin, sequence, _) = self.rewriter.invert(at(1_000 + number))?;
        Some((origin, sequence))
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Forward),
        3 => Just(Step::LeaveOut),
        2 => Just(Step::Miss),
        1 => (100_u64..60_000).prop_map(Step::Switch),
        2 => any::<prop::sample::Index>().prop_map(Step::Late),
    ]
}

fn check(steps: &[Step]) -> Result<(), TestCaseError> {
    let (mut slot, mut model) = (Slot::new(), Model::default());
    let (mut layer, mut sequence) = (0, 1_000);
    slot.begin(layer, sequence, sequence as u16, 0);
    prop_assert_eq!(slot.number(layer, sequence), Some(model.forward(layer, sequence)));
    for step in steps {
        sequence += 1;
        match step {
            Step::Forward => {
                prop_assert_eq!(slot.number(layer, sequence), Some(model.forward(layer, sequence)));
            }
            Step::LeaveOut => slot.skip_of(layer, sequence),
            Step::Miss => model.missing.push((layer, sequence, None)),
            Step::Switch(first) => {
                model.switch();
                (layer, sequence) = (layer + 1, *first);
                slot.begin(layer, sequence, sequence as u16, 0);
                prop_assert_eq!(slot.number(layer, sequence), Some(model.forward(layer, sequence)));
            }
            Step::Late(which) => {
                sequence -= 1;
                let known: Vec<Packet> =
                    model.missing.iter().copied().filter(|(.., number)| number.is_some()).collect();
                if !known.is_empty() {
                    let (layer, late, number) = known[which.index(known.len())];
                    prop_assert_eq!(slot.number(layer, late), number, "late {}", late);
                }
            }
        }
    }
    for (layer, sequence, number) in model.forwarded {
        prop_assert_eq!(slot.packet_of(number.unwrap()), Some((origin(layer), at(sequence))));
    }
    Ok(())
}

proptest! {
    #[test]
    fn numbers_are_those_of_the_naive_model(steps in prop::collection::vec(step(), 0..60)) {
        check(&steps)?;
    }
}
