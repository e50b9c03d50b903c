//! What we promise behind which line, as far as a simulation can tell. Speech is judged by the share of time a listener
//! conceals, since no sound is simulated. Intelligibility (STOI) follows it: of speech of which a share was silenced, in pieces
//! of 20 ms and of 60 ms, `tests/browser/lib/stoi.mjs` says
//!
//! | silenced | 2 % | 4 % | 8 % | 10 % | 15 % | 30 % | 45 % |
//! |---|---|---|---|---|---|---|---|
//! | 20 ms | .96 | .95 | .91 | .92 | .87 | .69 | .54 |
//! | 60 ms | .94 | .95 | .93 | .86 | .85 | | |

use super::cell::{Cell, Limit, Loss};
use super::measure::Measured;
use super::promise::Bound::{AtLeast, AtMost};
use super::promise::{Bound, Metric, Promise};

/// Per cent that may be concealed where this STOI is promised.
const STOI_97: f64 = 2.5;
const STOI_95: f64 = 4.0;
const STOI_90: f64 = 8.0;
const STOI_85: f64 = 15.0;
/// For what never came.
const NEVER: f64 = 999_999.0;

type Clause = (Metric, Bound);

fn per_cent(name: &'static str, of: fn(&Measured) -> f64, most: f64) -> Clause {
    (Metric { name, unit: "%", of }, AtMost(most))
}

fn within(name: &'static str, of: fn(&Measured) -> f64, most: f64) -> Clause {
    (Metric { name, unit: "ms", of }, AtMost(most))
}

/// Speech in both directions.
fn speech(most: f64) -> [Clause; 2] {
    [
        per_cent("speech concealed, down", |m| m.down.unplayable * 100.0, most),
        per_cent("speech concealed, up", |m| m.up.unplayable * 100.0, most),
    ]
}

fn buffer(most: f64) -> [Clause; 2] {
    [
        within("listener's buffer here, p95", |m| m.down.buffer_p95, most),
        within("listener's buffer in the hall, p95", |m| m.up.buffer_p95, most),
    ]
}

fn no_flood() -> [Clause; 2] {
    let ratio = |name, of| Metric { name, unit: "×", of };
    [
        (
            ratio("offered ÷ carried, worst 2 s", |m| m.flood.map_or(0.0, |flood| flood.two_seconds)),
            AtMost(1.2),
        ),
        (ratio("offered ÷ carried, worst 1 s", |m| m.flood.map_or(0.0, |flood| flood.second)), AtMost(1.5)),
    ]
}

fn not_black() -> Clause {
    (Metric { name: "places that stay black", unit: "", of: |m| m.black as f64 }, AtMost(0.0))
}

fn queue(most: f64) -> Clause {
    within("queue we cause, p95", |m| m.queue_p95, most)
}

fn loss(loss: Loss) -> Cell {
    Cell { loss, rtt_ms: 60, ..Cell::default() }
}

fn narrow(kbit: u32, sites: usize) -> Cell {
    Cell { limit: Limit::Rate(kbit), sites, content: true, rtt_ms: 60, ..Cell::default() }
}

fn known(kbit: u32) -> Cell {
    Cell { known: true, ..narrow(kbit, 11) }
}

fn promise<const N: usize>(line: &'static str, cells: Vec<Cell>, clauses: [&[Clause]; N]) -> Promise {
    Promise { line, cells, clauses: clauses.concat() }
}

/// Every one, in the order of the sheet.
pub fn promises() -> Vec<Promise> {
    let mut all = clean_and_lossy();
    all.extend(bursty());
    all.extend(narrow_lines());
    all.extend(coming_back());
    all
}

fn clean_and_lossy() -> Vec<Promise> {
    let slight = Cell { loss: Loss::Random(5), rtt_ms: 100, ..Cell::default() };
    let big = |name, of| Metric { name, unit: "", of };
    let smooth = [
        (
            Metric { unit: "/s", ..big("frames on the big screen", |m| m.big.frames_per_second) },
            AtLeast(24.0),
        ),
        (Metric { unit: "%", ..big("of them 720p", |m| m.big.tallest * 100.0) }, AtLeast(95.0)),
        within("longest freeze", |m| m.big.freeze, 400.0),
    ];
    let voice =
        (Metric { name: "a voice, with its protection", unit: "kbit/s", of: |m| m.voice }, AtMost(96.0));
    vec![
        promise("a clean line", vec![Cell::default()], [&speech(0.5), &buffer(100.0), &smooth]),
        promise("5 % random, RTT 100", vec![slight], [&speech(STOI_97), &smooth]),
        promise("30 % random", vec![loss(Loss::Random(30))], [&speech(3.0), &buffer(300.0)]),
        promise("45 % random", vec![loss(Loss::Random(45))], [&speech(STOI_85), &[voice]]),
        promise(FULL_AND_LOSSY, full_and_lossy(), [&speech(3.0)]),
    ]
}

const FULL_AND_LOSSY: &str = "512 kbit/s to 2 Mbit/s, 15 and 30 % random";

/// Lines that pictures fill and that lose packets for another reason.
fn full_and_lossy() -> Vec<Cell> {
    let lines = [512, 1000, 2000].into_iter().flat_map(|kbit| [15, 30].map(|loss| (kbit, loss)));
    let cell = |(kbit, loss)| Cell { limit: Limit::Rate(kbit), loss: Loss::Random(loss), ..Cell::default() };
    let delays = [(20, 0), (100, 10)]
        .map(|(rtt_ms, jitter_ms)| lines.clone().map(move |line| Cell { rtt_ms, jitter_ms, ..cell(line) }));
    delays.into_iter().flatten().collect()
}

fn bursty() -> Vec<Promise> {
    let gaps = [
        within("99 % of gaps, down", |m| m.down.gap_p99, 200.0),
        within("longest gap, down", |m| m.down.longest_gap, 400.0),
        within("99 % of gaps, up", |m| m.up.gap_p99, 200.0),
        within("longest gap, up", |m| m.up.longest_gap, 400.0),
    ];
    let voice =
        (Metric { name: "a voice, with its protection", unit: "kbit/s", of: |m| m.voice }, AtMost(96.0));
    let ends = Cell { loss_ends: true, ..loss(Loss::Random(30)) };
    let last = [
        within("listener's buffer here, at the end", |m| m.down.buffer_last, 150.0),
        within("listener's buffer in the hall, at the end", |m| m.up.buffer_last, 150.0),
    ];
    vec![
        promise("20 % in bursts", vec![loss(Loss::Bursts(20))], [&speech(STOI_90), &gaps]),
        promise("30 % in bursts", vec![loss(Loss::Bursts(30))], [&speech(STOI_85), &[voice]]),
        promise("30 % random that ends, after 12 s", vec![ends], [&last]),
    ]
}

fn narrow_lines() -> Vec<Promise> {
    let slides = within("a page after it was turned", |m| m.page.unwrap_or(NEVER), 3000.0);
    let stills = within("longest time without a new large picture", |m| m.big.freeze, 3000.0);
    let radio = |limit| Cell { limit, rtt_ms: 60, jitter_ms: 10, queue_ms: 3000, ..Cell::default() };
    let lte = [1, 2, 3].map(|seed| radio(Limit::Lte(seed)));
    let starlink = [1, 2, 3].map(|seed| radio(Limit::Starlink(seed)));
    let halves =
        [Limit::Rate(2000), Limit::Rate(1000)].map(|limit| Cell { limit, rtt_ms: 60, ..Cell::default() });
    vec![
        promise(
            "1 and 2 Mbit/s",
            halves.into(),
            [&speech(STOI_97), &no_flood(), &[queue(200.0), not_black(), stills]],
        ),
        promise(
            "512 kbit/s, ten others",
            vec![narrow(512, 11)],
            [&speech(STOI_95), &no_flood(), &[queue(200.0), not_black(), slides]],
        ),
        promise(
            "128 kbit/s, ten others",
            vec![narrow(128, 11)],
            [&speech(STOI_95), &no_flood(), &[queue(200.0), not_black(), stills]],
        ),
        promise("128 kbit/s, ten others, known from before", vec![known(128)], [&no_flood()]),
        promise("64 kbit/s", vec![narrow(64, 4)], [&speech(STOI_95), &no_flood(), &[queue(300.0), slides]]),
        promise(
            "LTE traces, outside their outages",
            lte.into(),
            [&speech(STOI_85)[..1], &no_flood(), &[queue(200.0)]],
        ),
        promise(
            "Starlink traces, outside their outages",
            starlink.into(),
            [&speech(STOI_85)[..1], &no_flood(), &[queue(200.0)]],
        ),
    ]
}

fn coming_back() -> Vec<Promise> {
    let dead = |blackout_s| Cell { blackout_s, rtt_ms: 60, ..Cell::default() };
    let speech = within("speech both ways again after", |m| m.speech_back.unwrap_or(NEVER), 2000.0);
    let picture = within("large picture again after", |m| m.picture_back.unwrap_or(NEVER), 2000.0);
    vec![
        promise("dead for 2, 5 and 10 s", [2, 5, 10].map(dead).into(), [&[speech, picture]]),
        promise("dead for 20, 45 and 90 s", [20, 45, 90].map(dead).into(), [&[speech, picture]]),
    ]
}
