//! What a whole `nhipcau serve` costs and holds, over real sockets: one server on one core, one load
//! client on another, in a network namespace of their own. Prints the table of BENCHMARKS.md.
//!
//! `cargo bench -p tests --bench load`

mod capacity;
mod cost;
mod crowd;
mod figures;
mod floor;
mod joins;
mod line;
mod measure;
mod meeting;
mod net;
mod options;
mod peer;
mod place;
mod publisher;
mod receiver;
mod report;
mod rooms;
mod sdp;
mod server;
mod signaling;
mod stun;
mod window;

use clap::Parser;
use options::Options;
use report::Line;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    if !options.inside {
        return place::enter();
    }
    let done = match &options.floor {
        Some(rhythm) => floor::send(rhythm),
        None => measure_all(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Rounds go over all parts in turn, so that what else the machine does meets all of them.
fn measure_all(options: &Options) -> Result<(), String> {
    place::furnish()?;
    let [few, many] = cost::sizes(options);
    let (mut costs, mut meetings) = ([Vec::new(), Vec::new()], Vec::new());
    let (mut joins, mut capacities) = (Vec::new(), Vec::<capacity::Capacity>::new());
    for round in 1..=options.rounds() {
        eprintln!("load: round {round} of {}", options.rounds());
        if options.wants("cost") {
            costs[0].push(cost::run(options, few)?);
            costs[1].push(cost::run(options, many)?);
        }
        if options.wants("meeting") {
            meetings.push(meeting::run(options)?);
        }
        if options.wants("joins") {
            joins.push(joins::run(options)?);
        }
        if options.wants("capacity") {
            let known = capacities.last().map(capacity::Capacity::held).filter(|held| *held > 0);
            capacities.push(capacity::run(options, known)?);
        }
    }
    let mut lines: Vec<Line> = Vec::new();
    for (receivers, runs) in [few, many].into_iter().zip(&costs).filter(|(_, runs)| !runs.is_empty()) {
        lines.extend(cost::lines(receivers, runs));
    }
    if !meetings.is_empty() {
        lines.extend(meeting::lines(meeting::sites(options), &meetings));
    }
    if !capacities.is_empty() {
        lines.extend(capacity::lines(&capacities));
    }
    if !joins.is_empty() {
        lines.extend(joins::lines(&joins));
    }
    report::print(options, &lines);
    Ok(())
}
