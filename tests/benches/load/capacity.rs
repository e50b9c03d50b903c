//! How many receivers of 2 Mbit/s one core holds, how late packets are when it is well loaded, and
//! what happens when it is asked for half as much again.

use crate::figures::{grouped, median, percent, percentile};
use crate::options::Options;
use crate::report::Line;
use crate::rooms::{Delivered, Rooms};

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
const AUDIO_LOSS: f64 = 0.001;
/// Voices that end altogether leave nothing between which they could be missing. A window begins
/// and ends somewhere in 20 ms, so this cannot be measured to a tenth of a per cent.
const AUDIO_CAME: f64 = 0.99;
const AUDIO_P99_MS: f64 = 50.0;

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
}

struct Overload {
    receivers: usize,
    all: Delivered,
    chair: Delivered,
    others: Delivered,
    audio_p99_ms: f64,
    video_p99_ms: f64,
    closed: usize,
}

/// `known` is what an earlier round has found.
pub fn run(options: &Options, known: Option<usize>) -> Result<Capacity, String> {
    let found = search(options, known)?;
    let held = found.held;
    Ok(Capacity {
        found,
        at_load: well_loaded(options, (held as f64 * WELL_LOADED) as usize)?,
        overload: overload(options, ((held as f64 * OVERLOAD) as usize).min(MOST)),
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
    let (first, most) = if options.quick { (20, 40) } else { (400, MOST) };
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
            // Fewer came in, so it is their number that is too large.
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
    window.tell(&format!("{receivers} receivers {word}: loss {:.2} %, p99 {p99:.1} ms", loss * 100.0));
    let busy = [window.share(window.spent.server.total()), window.share(window.spent.client)];
    Ok(Attempt { held, calm: window.is_calm(), busy })
}

fn well_loaded(options: &Options, receivers: usize) -> Result<Delay, String> {
    let mut rooms = Rooms::open(options, receivers, options.room())?;
    let window = rooms.window(options)?;
    window.tell(&format!("{receivers} receivers, 70 % of that"));
    let delays = window.delays();
    Ok(Delay {
        receivers,
        p50_ms: percentile(&delays, 50.0),
        p99_ms: percentile(&delays, 99.0),
        busy: window.share(window.spent.server.total()),
    })
}

fn overload(options: &Options, receivers: usize) -> Result<Overload, String> {
    let mut rooms = Rooms::open(options, receivers, options.room())?;
    let window = rooms.window(options)?;
    window.tell(&format!("{receivers} receivers, 150 % of that"));
    Ok(Overload {
        receivers,
        all: rooms.delivered(&window, None),
        chair: rooms.delivered(&window, Some(true)),
        others: rooms.delivered(&window, Some(false)),
        audio_p99_ms: percentile(&window.audio_delays, 99.0),
        video_p99_ms: percentile(&window.video_delays, 99.0),
        closed: window.closed,
    })
}

pub fn lines(runs: &[Capacity]) -> Vec<Line> {
    vec![held_line(runs), delay_line(runs), overload_line(runs)]
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

fn overload_line(runs: &[Capacity]) -> Line {
    let target = "audio lost ≤ 0.1 %, audio delay p99 ≤ 50 ms, video thinned by priority".to_owned();
    let (done, failed): (Vec<_>, Vec<_>) = runs.iter().map(|run| &run.overload).partition(|run| run.is_ok());
    let done: Vec<&Overload> = done.into_iter().flatten().collect();
    if let Some(Err(error)) = failed.first() {
        let what = "offered 150 % of that".to_owned();
        return Line::goal(what, format!("failed in {} rounds: {error}", failed.len()), target, false);
    }
    let of = |value: fn(&Overload) -> f64| median(&done, |run| value(run));
    let (audio_lost, audio_p99) = (of(|run| run.all.audio_lost), of(|run| run.audio_p99_ms));
    let audio_came = of(|run| run.all.audio);
    let ours = format!(
        "audio: {} came, {} missing between, p99 {audio_p99:.1} ms; video: {} came (of chairs {}, of others {}), p99 {:.1} ms; {:.0} WebSockets lost",
        percent(audio_came, 1),
        percent(audio_lost, 3),
        percent(of(|run| run.all.video), 0),
        percent(of(|run| run.chair.video), 0),
        percent(of(|run| run.others.video), 0),
        of(|run| run.video_p99_ms),
        of(|run| run.closed as f64),
    );
    let what = format!("offered 150 % of that ({} receivers)", grouped(of(|run| run.receivers as f64)));
    Line::goal(
        what,
        ours,
        target,
        audio_lost <= AUDIO_LOSS && audio_came >= AUDIO_CAME && audio_p99 <= AUDIO_P99_MS,
    )
}
