//! Promises of CONFORMANCE.md that hold, as gates: a row here for each, with the clauses that hold today.

use tests::conformance::{Cell, Promise, Verdict, promises, run_all};
use tests::simulation::seeds;

/// Promises by their line; of each the clauses by name, or all where none is named.
const GATES: &[(&str, &[&str])] = &[
    ("a clean line", &[]),
    ("5 % random, RTT 100", &["speech concealed, down", "frames on the big screen", "of them 720p"]),
    (
        "30 % random",
        &["speech concealed, down", "listener's buffer here, p95", "listener's buffer in the hall, p95"],
    ),
    ("45 % random", &["speech concealed, down"]),
    ("512 kbit/s to 2 Mbit/s, 15 and 30 % random", &["speech concealed, down"]),
    ("20 % in bursts", &["longest gap, down", "longest gap, up"]),
    ("1 and 2 Mbit/s", &[]),
    ("512 kbit/s, ten others", &[]),
    ("128 kbit/s, ten others, known from before", &[]),
    (
        "LTE traces, outside their outages",
        &["speech concealed, down", "offered ÷ carried, worst 2 s", "offered ÷ carried, worst 1 s"],
    ),
    ("Starlink traces, outside their outages", &[]),
    ("dead for 2, 5 and 10 s", &[]),
];

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[test]
fn gates_hold() {
    let promises = promises();
    let gate = |(line, clauses): &(&'static str, &'static [&'static str])| {
        let promise = promises.iter().find(|promise| promise.line == *line);
        (promise.unwrap_or_else(|| panic!("no promise is named {line}")), *clauses)
    };
    let gates: Vec<(&Promise, &[&str])> = GATES.iter().map(gate).collect();
    let cells: Vec<Cell> = gates.iter().flat_map(|(promise, _)| promise.cells.clone()).collect();
    let mut broken = Vec::new();
    for seed in seeds(1..3) {
        let mut measured = run_all(&cells, seed, threads()).into_iter();
        for (promise, clauses) in &gates {
            let own: Vec<_> = measured.by_ref().take(promise.cells.len()).collect();
            let verdicts = promise.judge(&own);
            let names: Vec<&str> = verdicts.iter().map(|verdict| verdict.metric.name).collect();
            assert!(clauses.iter().all(|clause| names.contains(clause)), "{}: {clauses:?}", promise.line);
            let judged = |name: &str| clauses.is_empty() || clauses.contains(&name);
            let failed = verdicts.iter().filter(|verdict| judged(verdict.metric.name) && !verdict.holds);
            let name = |verdict: &Verdict| {
                let Verdict { metric, bound, value, .. } = verdict;
                format!("seed {seed}, {}: {} is {value}, not {bound:?}", promise.line, metric.name)
            };
            broken.extend(failed.map(name));
        }
    }
    assert_eq!(broken, [] as [String; 0]);
}

/// On a line that loses half of all packets one draw in eight hits the speech up twice as hard: it is no gate.
#[test]
fn speech_up_is_understood_at_45_per_cent_loss_in_most_meetings() {
    let promises = promises();
    let lossy = promises.iter().find(|promise| promise.line == "45 % random").expect("a promise");
    let holds = |seed: &u64| {
        let verdicts = lossy.judge(&run_all(&lossy.cells, *seed, threads()));
        verdicts.iter().any(|verdict| verdict.metric.name == "speech concealed, up" && verdict.holds)
    };
    let held = (1..=6).filter(holds).count();
    assert!(held >= 5, "{held} of 6");
}

/// At 64 kbit/s. The whole page would be 80 KB, which the line carries in half a minute.
#[test]
fn a_page_that_was_turned_is_there_within_ten_seconds_in_most_meetings() {
    let promises = promises();
    let narrow = promises.iter().find(|promise| promise.line == "64 kbit/s").expect("a promise");
    let pages: Vec<Option<f64>> = (1..=6)
        .flat_map(|seed| run_all(&narrow.cells, seed, threads()))
        .map(|measured| measured.page)
        .collect();
    let in_time = pages.iter().flatten().filter(|ms| **ms <= 10_000.0).count();
    assert!(in_time >= 4, "{pages:?}");
}

#[test]
fn a_seed_measures_the_same_on_any_number_of_threads() {
    let is_one = |promise: &&Promise| ["30 % random", "64 kbit/s"].contains(&promise.line);
    let cells: Vec<Cell> =
        promises().iter().filter(is_one).flat_map(|promise| promise.cells.clone()).collect();
    assert_eq!(cells.len(), 2);
    assert_eq!(run_all(&cells, 5, 1), run_all(&cells, 5, 2));
}
