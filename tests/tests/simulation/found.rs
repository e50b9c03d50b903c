//! Seeds that failed once. They stay.

use super::seeded::anything;
use tests::simulation::{Operation, Sites};

/// Each with what it showed.
const FOUND: &[(u64, &[Operation], Sites, &str)] = &[
    (
        1124,
        Operation::ORDINARY,
        Sites::Alike,
        "a packet is stored, played by a switch of the burst before it, and decided again",
    ),
    (2386, Operation::ORDINARY, Sites::Alike, "the same"),
    (2388, Operation::ORDINARY, Sites::Alike, "the same"),
    (2450, Operation::ORDINARY, Sites::Alike, "the same"),
    (
        2396,
        Operation::ORDINARY,
        Sites::Alike,
        "a lost key frame of 68 s ago is resent after a silence and shown",
    ),
    (2065, Operation::ORDINARY, Sites::Alike, "the same after a cut"),
    (
        5029,
        Operation::ORDINARY,
        Sites::Alike,
        "the same after a cut of 5 s: of all that is resent, a key frame began the slot",
    ),
    (
        2239,
        Operation::ORDINARY,
        Sites::Alike,
        "a source comes back on another timeline, and the reports on it are lost",
    ),
    (
        200_038,
        Operation::ANYWHERE,
        Sites::Varied,
        "a slot is thinned while the end of an upper frame is on its way: the frame is torn",
    ),
    (
        200_056,
        Operation::ANYWHERE,
        Sites::Varied,
        "a TCP connection is gone with a slot's first packets: what leaves first begins no key frame",
    ),
    (
        200_073,
        Operation::ANYWHERE,
        Sites::Varied,
        "a late packet after a mute opens a gap over all that was passed over: asked for 15 times",
    ),
    (
        201_006,
        Operation::ANYWHERE,
        Sites::Varied,
        "a site's address changes in its handshake: the answers go to the old one until the client gives up",
    ),
    (
        300_104,
        Operation::ANYWHERE,
        Sites::Mixed,
        "a layer restarted, and the reports its lips need came up to two seconds later",
    ),
    (
        410_145,
        Operation::ANYWHERE,
        Sites::Mixed,
        "late reports over TCP moved a site's clock, and the one report of ours of that was lost",
    ),
    (
        50,
        Operation::ANYWHERE,
        Sites::Mixed,
        "a client whose checks came too late no longer looked for a path",
    ),
    (
        520_469,
        Operation::ANYWHERE,
        Sites::Mixed,
        "a voice was queued and its queue thrown away twice: its slot ran 13 s ahead of the time that passed",
    ),
    (
        540_645,
        Operation::RARE,
        Sites::Alike,
        "encoders had restarted so often that no SSRC of the site's found a place any more: its camera was gone for good",
    ),
    (
        540_999,
        Operation::ANYWHERE,
        Sites::Mixed,
        "no fault: a frame of 5 s ago began a slot, since its reports were as late, and its line's queue was thrown away",
    ),
    (
        9,
        Operation::RARE,
        Sites::Alike,
        "a slot changed its source in the moment in which a frame of the old one could leave in part only",
    ),
    (
        46,
        Operation::ANYWHERE,
        Sites::Mixed,
        "a key frame that waited for its line while other slots had their turns left after 1.8 s",
    ),
    (242, Operation::ANYWHERE, Sites::Mixed, "the same after 4.5 s"),
    (
        60,
        Operation::ANYWHERE,
        Sites::Mixed,
        "a line that carried all that was wanted was probed without an end, 2 Mbit/s of padding",
    ),
    (
        205,
        Operation::ANYWHERE,
        Sites::Mixed,
        "no fault: what TCP has no room for is offered and dropped before the line",
    ),
];

#[test]
fn what_failed_once_holds() {
    for (seed, operations, who, showed) in FOUND {
        println!("seed {seed}: {showed}");
        anything(operations, *who, *seed);
    }
}
