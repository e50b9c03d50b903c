//! What a whole `nhipcau serve` costs and holds, over real sockets: one server on one core, one load
//! client on another, in a network namespace of their own. Prints the table of BENCHMARKS.md.
//!
//! `cargo bench -p tests --bench load`

mod capacity;
mod cost;
mod crowd;
mod figures;
mod floor;
mod hills;
mod host;
mod joins;
mod measure;
mod meeting;
mod net;
mod options;
mod overload;
mod peer;
mod place;
mod publisher;
mod receiver;
mod report;
mod rooms;
mod sdp;
mod server;
mod signaling;
mod window;

use clap::Parser;
use options::{Options, Part};
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

fn measure_all(options: &Options) -> Result<(), String> {
    let program = options.server()?;
    eprintln!("load: measuring {}", program.display());
    place::furnish()?;
    let mut results = Results::default();
    let done = (1..=options.rounds()).try_for_each(|round| {
        eprintln!("load: round {round} of {}", options.rounds());
        results.add_round(options)
    });
    // What was measured before a failure is printed, too.
    report::print(options, &results.lines(options));
    done
}

#[derive(Default)]
struct Results {
    costs: [Vec<cost::Cost>; 2],
    meetings: Vec<meeting::Meeting>,
    joins: Vec<joins::Joins>,
    capacities: Vec<capacity::Capacity>,
    hosts: Vec<host::Host>,
}

impl Results {
    /// All parts in turn, so that other work of the machine affects all of them.
    fn add_round(&mut self, options: &Options) -> Result<(), String> {
        if options.wants(Part::Cost) {
            for (runs, receivers) in self.costs.iter_mut().zip(cost::sizes(options)) {
                runs.push(cost::run(options, receivers)?);
            }
        }
        if options.wants(Part::Meeting) {
            self.meetings.push(meeting::run(options)?);
        }
        if options.wants(Part::Joins) {
            self.joins.push(joins::run(options)?);
        }
        if options.wants(Part::Capacity) {
            let known = self.capacities.last().map(capacity::Capacity::held).filter(|held| *held > 0);
            self.capacities.push(capacity::run(options, known)?);
        }
        if options.wants(Part::Host) {
            self.hosts.push(host::run(options)?);
        }
        Ok(())
    }

    fn lines(&self, options: &Options) -> Vec<Line> {
        let mut lines = Vec::new();
        for (runs, receivers) in self.costs.iter().zip(cost::sizes(options)) {
            if !runs.is_empty() {
                lines.extend(cost::lines(receivers, runs));
            }
        }
        if !self.meetings.is_empty() {
            lines.extend(meeting::lines(meeting::sites(options), &self.meetings));
        }
        if !self.capacities.is_empty() {
            lines.extend(capacity::lines(&self.capacities));
        }
        if !self.hosts.is_empty() {
            lines.extend(host::lines(&self.hosts));
        }
        if !self.joins.is_empty() {
            lines.extend(joins::lines(&self.joins));
        }
        lines
    }
}
