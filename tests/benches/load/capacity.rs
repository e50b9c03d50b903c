//! How many receivers of 2 Mbit/s one core holds, how late packets are when it is well loaded, and what happens at one
//! and a half times that.

use crate::figures::{grouped, median, percent, percentile};
use crate::hills::Hills;
use crate::options::Options;
use crate::overload::{self, Overload};
use crate::report::Line;
use crate::rooms::Rooms;

/// What "held" means: hardly a loss, and no delay that a listener notices.
const MAX_LOSS: f64 = 0.01;
const MAX_P99_MS: f64 = 50.0;
const TARGET: f64 = 1_800.0;
/// The search ends when it knows as closely as this.
const CLOSE: f64 = 1.05;
/// Steps of the first search, and of later ones, which begin below what the first has found.
const FIRST_STEP: f64 = 1.25;
const LATER_STEP: f64 = 1.06;
const LATER_START: f64 = 0.9;
/// `limits::MAX_PEERS_PER_WORKER` less the publishers.
const MOST: usize = 4_000;

/// What is asked of a core that is well loaded, and of one that is offered more than it can carry.
const WELL_LOADED: f64 = 0.7;
const OVERLOAD: f64 = 1.5;
const DELAY_P99_MS: f64 = 2.0;
/// Signaling, statistics and link lights may hold media up for this long.
const HILL_MS: f64 = 2.0;

pub struct Capacity {
    found: Search,
    at_load: Delay,
    overload: Result<Overload, String>,
}

struct Delay {
    receivers: usize,
    p50_ms: f64,
    p99_ms: f64,
    busy: f64,
    hills: Hills,
}

/// `known` is what an earlier round has found.
pub fn run(options: &Options, known: Option<usize>) -> Result<Capacity, String> {
    let found = match options.held {
        Some(held) => Search { held, failed: held, open_ended: true, at_failure: None },
        None => search(options, known)?,
    };
    let held = found.held;
    Ok(Capacity {
        found,
        at_load: well_loaded(options, (held as f64 * WELL_LOADED) as usize)?,
        overload: overload::run(options, ((held as f64 * OVERLOAD) as usize).min(MOST)),
    })
}

impl Capacity {
    pub fn held(&self) -> usize {
        self.found.held
    }
}

/// What the search knows.
struct Search {
    held: usize,
    failed: usize,
    /// The most that was tried was held.
    open_ended: bool,
    /// Parts of their cores that server and client had when it failed last.
    at_failure: Option<[f64; 2]>,
}

/// Upward until it fails (or downward until it holds), then between the two.
fn search(options: &Options, known: Option<usize>) -> Result<Search, String> {
    let (first, most) = (options.start(), if options.quick { 40 } else { MOST });
    let step = if known.is_some() { LATER_STEP } else { FIRST_STEP };
    let mut next = known.map_or(first, |known| (known as f64 * LATER_START) as usize).max(1);
    let mut search = Search { held: 0, failed: usize::MAX, open_ended: false, at_failure: None };
    while next > 0 && search.failed as f64 > search.held as f64 * CLOSE {
        search.try_out(options, next)?;
        let Search { held, failed, .. } = search;
        if held >= most {
            search.open_ended = true;
            break;
        }
        next = match (held, failed) {
            (_, usize::MAX) => ((held as f64 * step) as usize).clamp(held + 1, most),
            (0, _) => (failed as f64 / step) as usize,
            _ if failed - held < 2 => 0,
            _ => (held + failed) / 2,
        };
    }
    Ok(search)
}

impl Search {
    fn try_out(&mut self, options: &Options, receivers: usize) -> Result<(), String> {
        match holds(options, receivers) {
            Ok(attempt) if attempt.held => self.held = receivers,
            Ok(attempt) => {
                self.failed = receivers;
                self.at_failure = Some(attempt.busy);
            }
            // Fewer came in, so their number is what is too large.
            Err(error) if self.held > 0 => {
                eprintln!("load: {receivers} receivers not held: {error}");
                self.failed = receivers;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

struct Attempt {
    held: bool,
    calm: bool,
    /// Of server and client.
    busy: [f64; 2],
}

/// Whether so many are held. A failure while others had the machine does not decide.
fn holds(options: &Options, receivers: usize) -> Result<Attempt, String> {
    let attempt = try_once(options, receivers)?;
    if attempt.held || attempt.calm || options.quick {
        return Ok(attempt);
    }
    try_once(options, receivers)
}

/// A server that was overloaded a moment ago has still emptied slots: each attempt has a new one.
fn try_once(options: &Options, receivers: usize) -> Result<Attempt, String> {
    let mut rooms = Rooms::open(options, receivers, options.room())?;
    let window = rooms.window(options)?;
    let (loss, p99) = rooms.quality(&window);
    let held = loss < MAX_LOSS && p99 <= MAX_P99_MS;
    let word = if held { "held" } else { "not held" };
    let hills = window.hills;
    window.print(&format!(
        "{receivers} receivers {word}: loss {:.2} %, p99 {p99:.1} ms, {:.0} % published, worst tenth {:.1} ms and {:.1} ms every 2 s",
        loss * 100.0,
        rooms.published(&window) * 100.0,
        hills.ordinary_ms,
        hills.worst_ms
    ));
    let busy = [window.share(window.spent.server.total()), window.share(window.spent.client)];
    Ok(Attempt { held, calm: window.is_calm(), busy })
}

fn well_loaded(options: &Options, receivers: usize) -> Result<Delay, String> {
    let mut rooms = Rooms::open(options, receivers, options.room())?;
    let window = rooms.window(options)?;
    window.print(&format!("{receivers} receivers, 70 % of that"));
    let delays = window.delays();
    Ok(Delay {
        receivers,
        p50_ms: percentile(&delays, 50.0),
        p99_ms: percentile(&delays, 99.0),
        busy: window.share(window.spent.server.total()),
        hills: window.hills,
    })
}

pub fn lines(runs: &[Capacity]) -> Vec<Line> {
    let overloads: Vec<_> = runs.iter().map(|run| &run.overload).collect();
    [held_line(runs), delay_line(runs), hills_line(runs)]
        .into_iter()
        .chain(overload::lines(&overloads))
        .collect()
}

fn held_line(runs: &[Capacity]) -> Line {
    let held = median(runs, |run| run.found.held as f64);
    let more = if runs.iter().any(|run| run.found.open_ended) { "at least " } else { "" };
    let failures: Vec<[f64; 2]> = runs.iter().filter_map(|run| run.found.at_failure).collect();
    let busy = |end: usize| percent(median(&failures, |busy| busy[end]), 0);
    Line::goal(
        "receivers of 2 Mbit/s held by one core: loss < 1 %, delay p99 ≤ 50 ms".to_owned(),
        format!(
            "{more}{} (where it failed, the server had {} of its core and the client {})",
            grouped(held),
            busy(0),
            busy(1)
        ),
        format!("≥ {}", grouped(TARGET)),
        held >= TARGET,
    )
}

fn delay_line(runs: &[Capacity]) -> Line {
    let p99 = median(runs, |run| run.at_load.p99_ms);
    let receivers = grouped(median(runs, |run| run.at_load.receivers as f64));
    Line::goal(
        format!("forwarding delay at 70 % of that ({receivers} receivers)"),
        format!(
            "p50 {:.2} ms, p99 {p99:.2} ms; server {} of its core",
            median(runs, |run| run.at_load.p50_ms),
            percent(median(runs, |run| run.at_load.busy), 0)
        ),
        format!("p99 ≤ {DELAY_P99_MS} ms inside the process; this is publisher → receiver's kernel"),
        p99 <= DELAY_P99_MS,
    )
}

fn hills_line(runs: &[Capacity]) -> Line {
    let ordinary = median(runs, |run| run.at_load.hills.ordinary_ms);
    let worst = median(runs, |run| run.at_load.hills.worst_ms);
    Line::goal(
        "what comes back every 2 s, at that load: worst delay of a tenth of a second".to_owned(),
        format!("{worst:.1} ms at the worst place of the 2 s, {ordinary:.1} ms at an ordinary one"),
        format!("≤ {HILL_MS} ms more"),
        worst - ordinary <= HILL_MS,
    )
}
