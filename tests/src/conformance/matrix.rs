//! The cells of the sheet: every combination of what matters.

use super::cell::{Cell, Limit, Loss, Sides};

const LIMITS: [Limit; 8] = [
    Limit::Free,
    Limit::Rate(4000),
    Limit::Rate(2000),
    Limit::Rate(1000),
    Limit::Rate(512),
    Limit::Rate(256),
    Limit::Rate(128),
    Limit::Rate(64),
];
const LOSSES: [Loss; 7] = [
    Loss::None,
    Loss::Random(5),
    Loss::Random(15),
    Loss::Random(30),
    Loss::Random(45),
    Loss::Bursts(20),
    Loss::Bursts(30),
];
/// Round trips and jitter, in milliseconds: near, national, over a satellite, and a bad radio.
const DELAYS: [(u32, u32); 4] = [(20, 0), (100, 10), (300, 0), (100, 40)];

/// Each group with its heading.
pub fn matrix() -> Vec<(&'static str, Vec<Cell>)> {
    let mut all = Vec::new();
    for (heading, (rtt_ms, jitter_ms)) in
        ["RTT 20 ms", "RTT 100 ms, jitter 10 ms", "RTT 300 ms", "RTT 100 ms, jitter 40 ms"]
            .into_iter()
            .zip(DELAYS)
    {
        let cells = LIMITS.into_iter().flat_map(|limit| LOSSES.map(|loss| (limit, loss)));
        let cell = |(limit, loss)| Cell { limit, loss, rtt_ms, jitter_ms, ..Cell::default() };
        all.push((heading, cells.map(cell).collect()));
    }
    all.push(("Loss in one direction", one_sided()));
    all.push(("Blackouts", blackouts()));
    all.push(("Radio traces", radio()));
    all.push(("A queue of a second", long_queues()));
    all.push(("Ten others, and content", large()));
    all
}

fn one_sided() -> Vec<Cell> {
    let losses = [Loss::Random(15), Loss::Random(30), Loss::Bursts(20)];
    let sides = [Sides::Up, Sides::Down];
    let cells = losses.into_iter().flat_map(|loss| sides.map(|sides| (loss, sides)));
    cells.map(|(loss, sides)| Cell { loss, sides, rtt_ms: 100, ..Cell::default() }).collect()
}

fn blackouts() -> Vec<Cell> {
    let limits = [Limit::Free, Limit::Rate(1000), Limit::Rate(256)];
    let cells = limits.into_iter().flat_map(|limit| [1, 3, 8, 20, 45].map(|blackout_s| (limit, blackout_s)));
    cells.map(|(limit, blackout_s)| Cell { limit, blackout_s, rtt_ms: 100, ..Cell::default() }).collect()
}

fn radio() -> Vec<Cell> {
    let limits = [1, 2, 3].into_iter().flat_map(|seed| [Limit::Lte(seed), Limit::Starlink(seed)]);
    let cells = limits.flat_map(|limit| [300, 3000].map(|queue_ms| (limit, queue_ms)));
    cells
        .map(|(limit, queue_ms)| Cell { limit, queue_ms, rtt_ms: 60, jitter_ms: 10, ..Cell::default() })
        .collect()
}

fn long_queues() -> Vec<Cell> {
    let limits = [Limit::Rate(2000), Limit::Rate(1000), Limit::Rate(512), Limit::Rate(128)];
    limits.map(|limit| Cell { limit, queue_ms: 1000, rtt_ms: 60, ..Cell::default() }).into()
}

fn large() -> Vec<Cell> {
    let cell = |limit| Cell { limit, sites: 11, content: true, rtt_ms: 60, ..Cell::default() };
    [Limit::Rate(2000), Limit::Rate(512), Limit::Rate(256), Limit::Rate(128), Limit::Rate(64)]
        .map(cell)
        .into()
}
