//! How many receivers of 2 Mbit/s one core holds, how late packets are when it is well loaded, and
//! what happens when it is asked for half as much again.

use crate::figures::{grouped, median, percent, percentile};
use crate::options::Options;
use crate::report::Line;
use crate::rooms::{Delivered, Rooms};

/// What "held" means (design.md section 5).
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

/// design.md section 5.
const WELL_LOADED: f64 = 0.7;
const OVERLOAD: f64 = 1.5;
const DELAY_P99_MS: f64 = 2.0;
const AUDIO_LOSS: f64 = 0.001;
const AUDIO_P99_MS: f64 = 50.0;

pub struct Capacity {
    held: usize,
    /// Even the most that was tried was held.
    open_ended: bool,
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
    let (held, open_ended) = search(options, known)?;
    Ok(Capacity {
        held,
        open_ended,
        at_load: well_loaded(options, (held as f64 * WELL_LOADED) as usize)?,
        overload: overload(options, ((held as f64 * OVERLOAD) as usize).min(MOST)),
    })
}

impl Capacity {
    pub fn held(&self) -> usize {
        self.held
    }
}

/// Upward until it fails (or downward until it holds), then between the two.
fn search(options: &Options, known: Option<usize>) -> Result<(usize, bool), String> {
    let (first, most) = if options.quick { (20, 40) } else { (400, MOST) };
    let step = if known.is_some() { LATER_STEP } else { FIRST_STEP };
    let mut next = known.map_or(first, |known| (known as f64 * LATER_START) as usize).max(1);
    let (mut held, mut failed) = (0usize, usize::MAX);
    while failed as f64 > held as f64 * CLOSE && failed - held > 1 {
        match holds(options, next) {
            Ok(true) => held = next,
            Ok(false) => failed = next,
            // Fewer came in, so it is their number that is too large.
            Err(error) if held > 0 => {
                eprintln!("load: {next} receivers not held: {error}");
                failed = next;
            }
            Err(error) => return Err(error),
        }
        if held >= most {
            return Ok((held, true));
        }
        next = match (held, failed) {
            (_, usize::MAX) => ((held as f64 * step) as usize).clamp(held + 1, most),
            (0, _) => (failed as f64 / step) as usize,
            _ => (held + failed) / 2,
        };
        if next == 0 {
            break;
        }
    }
    Ok((held, false))
}

/// Whether so many are held. A failure while others had the machine does not decide.
fn holds(options: &Options, receivers: usize) -> Result<bool, String> {
    let (held, calm) = attempt(options, receivers)?;
    if held || calm || options.quick {
        return Ok(held);
    }
    let (held, _) = attempt(options, receivers)?;
    Ok(held)
}

/// A server that was overloaded a moment ago has still emptied slots: each attempt has a new one.
fn attempt(options: &Options, receivers: usize) -> Result<(bool, bool), String> {
    let mut rooms = Rooms::open(options, receivers, options.room())?;
    let window = rooms.window(options)?;
    let (loss, p99) = rooms.quality(&window);
    let held = loss < MAX_LOSS && p99 <= MAX_P99_MS;
    let word = if held { "held" } else { "not held" };
    window.tell(&format!("{receivers} receivers {word}: loss {:.2} %, p99 {p99:.1} ms", loss * 100.0));
    Ok((held, window.is_calm()))
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
    let held = median(runs, |run| run.held as f64);
    let more = if runs.iter().any(|run| run.open_ended) { "at least " } else { "" };
    vec![
        Line::goal(
            "receivers of 2 Mbit/s held by one core: loss < 1 %, delay p99 ≤ 50 ms".to_owned(),
            format!("{more}{}", grouped(held)),
            format!("≥ {}", grouped(TARGET)),
            held >= TARGET,
        ),
        delay_line(runs),
        overload_line(runs),
    ]
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
    let (audio_loss, audio_p99) = (of(|run| (1.0 - run.all.audio).max(0.0)), of(|run| run.audio_p99_ms));
    let ours = format!(
        "audio: lost {}, p99 {audio_p99:.1} ms; video: {} came (of chairs {}, of others {}), p99 {:.1} ms; {:.0} WebSockets lost",
        percent(audio_loss, 3),
        percent(of(|run| run.all.video), 0),
        percent(of(|run| run.chair.video), 0),
        percent(of(|run| run.others.video), 0),
        of(|run| run.video_p99_ms),
        of(|run| run.closed as f64),
    );
    let what = format!("offered 150 % of that ({} receivers)", grouped(of(|run| run.receivers as f64)));
    Line::goal(what, ours, target, audio_loss <= AUDIO_LOSS && audio_p99 <= AUDIO_P99_MS)
}
