//! More receivers than a core can serve: what happens to voices, to the pictures of which sender, and to the core.

use crate::figures::{grouped, median, percent, percentile};
use crate::options::Options;
use crate::report::Line;
use crate::rooms::{Delivered, Rooms, Sender};

/// What is asked of a core that is offered half as much again as it holds.
const AUDIO_LOSS: f64 = 0.001;
/// Voices that end altogether leave nothing between which they could be missing. A window begins
/// and ends somewhere in 20 ms, so this cannot be measured to a tenth of a per cent.
const AUDIO_CAME: f64 = 0.99;
const AUDIO_P99_MS: f64 = 50.0;
const CORE_USED: f64 = 0.9;
/// What "whole" means for pictures: a window begins and ends somewhere in a frame.
const WHOLE: f64 = 0.99;

pub struct Overload {
    receivers: usize,
    all: Delivered,
    /// By sender, in the order of [`SENDERS`].
    pictures: [f64; 3],
    audio_p99_ms: f64,
    video_p99_ms: f64,
    used: f64,
    media: f64,
    client: f64,
    closed: usize,
}

const SENDERS: [Sender; 3] = [Sender::Chair, Sender::Floor, Sender::Other];

pub fn run(options: &Options, receivers: usize) -> Result<Overload, String> {
    let mut rooms = Rooms::open(options, receivers, options.room())?;
    let window = rooms.window(options)?;
    window.print(&format!("{receivers} receivers, 150 % of that"));
    Ok(Overload {
        receivers,
        all: rooms.delivered(&window, None),
        pictures: SENDERS.map(|sender| rooms.delivered(&window, Some(sender)).video),
        audio_p99_ms: percentile(&window.audio_delays, 99.0),
        video_p99_ms: percentile(&window.video_delays, 99.0),
        used: window.share(window.spent.server.total()),
        media: window.share(window.spent.server.media),
        client: window.share(window.spent.client),
        closed: window.closed,
    })
}

pub fn lines(runs: &[&Result<Overload, String>]) -> Vec<Line> {
    let error = runs.iter().find_map(|run| run.as_ref().err());
    if let Some(error) = error {
        let what = "offered 150 % of that".to_owned();
        return vec![Line::goal(what, format!("failed: {error}"), "voices whole".to_owned(), false)];
    }
    let done: Vec<&Overload> = runs.iter().flat_map(|run| run.iter()).collect();
    vec![voices(&done), pictures(&done), core(&done)]
}

fn voices(runs: &[&Overload]) -> Line {
    let of = |value: fn(&Overload) -> f64| median(runs, |run| value(run));
    let (lost, came, p99) =
        (of(|run| run.all.audio_lost), of(|run| run.all.audio), of(|run| run.audio_p99_ms));
    Line::goal(
        format!("offered 150 % of that ({} receivers): voices", grouped(of(|run| run.receivers as f64))),
        format!(
            "{} came, {} missing between, p99 {p99:.1} ms; {:.0} WebSockets lost",
            percent(came, 1),
            percent(lost, 3),
            of(|run| run.closed as f64)
        ),
        format!("lost ≤ {}, p99 ≤ {AUDIO_P99_MS} ms", percent(AUDIO_LOSS, 1)),
        lost <= AUDIO_LOSS && came >= AUDIO_CAME && p99 <= AUDIO_P99_MS,
    )
}

fn pictures(runs: &[&Overload]) -> Line {
    let of = |value: fn(&Overload) -> f64| median(runs, |run| value(run));
    let [chair, floor, other] =
        [of(|run| run.pictures[0]), of(|run| run.pictures[1]), of(|run| run.pictures[2])];
    Line::goal(
        "… pictures".to_owned(),
        format!(
            "{} came: of the chair {}, of the floor {}, of others {}; p99 {:.1} ms",
            percent(of(|run| run.all.video), 0),
            percent(chair, 1),
            percent(floor, 1),
            percent(other, 0),
            of(|run| run.video_p99_ms)
        ),
        "of the chair and the floor whole".to_owned(),
        chair >= WHOLE && floor >= WHOLE,
    )
}

fn core(runs: &[&Overload]) -> Line {
    let used = median(runs, |run| run.used);
    Line::goal(
        "… the core".to_owned(),
        format!(
            "{} used, {} by media; client {}",
            percent(used, 0),
            percent(median(runs, |run| run.media), 0),
            percent(median(runs, |run| run.client), 0)
        ),
        format!("≥ {}", percent(CORE_USED, 0)),
        used >= CORE_USED,
    )
}
