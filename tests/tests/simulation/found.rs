//! Seeds that failed once. They stay.

use super::seeded::anything;
use tests::simulation::{Operation, Sites};

/// Each with what it showed.
const FOUND: &[(u64, &[Operation], &str)] = &[
    (
        1124,
        Operation::ORDINARY,
        "a packet is stored, played by a switch of the burst before it, and decided again",
    ),
    (2386, Operation::ORDINARY, "the same"),
    (2388, Operation::ORDINARY, "the same"),
    (2450, Operation::ORDINARY, "the same"),
    (2396, Operation::ORDINARY, "a lost key frame of 68 s ago is resent behind a silence and shown"),
    (2065, Operation::ORDINARY, "the same behind a cut"),
    (
        5029,
        Operation::ORDINARY,
        "the same behind a cut of 5 s: of all that is resent, a key frame began the slot",
    ),
    (2239, Operation::ORDINARY, "a source comes back on another time line, and the reports on it are lost"),
];

#[test]
fn what_failed_once_holds() {
    for (seed, operations, showed) in FOUND {
        println!("seed {seed}: {showed}");
        anything(operations, Sites::Alike, *seed);
    }
}
