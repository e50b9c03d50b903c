//! A meeting in which every site sends a small picture and a voice, and watches all others.

use crate::crowd::{Crowd, Seat};
use crate::figures::{grouped, median, percentile};
use crate::floor::Floor;
use crate::options::Options;
use crate::publisher::Camera;
use crate::report::Line;
use crate::server::{self, Server};
use crate::window::Window;
use ::protocol::{SlotWish, SourceKind};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
/// Target, nanoseconds.
const TARGET: f64 = 1_700.0;

pub struct Meeting {
    process: f64,
    media: f64,
    pictures: f64,
    p99_ms: f64,
    client: f64,
    floor: f64,
}

pub fn sites(options: &Options) -> usize {
    if options.quick { 6 } else { 24 }
}

pub fn run(options: &Options) -> Result<Meeting, String> {
    let sites = sites(options);
    let floor = Floor::of_meeting(options, sites)?;
    let server = Server::start(&options.server()?, &[sites])?;
    let mut crowd = Crowd::new(server::HTTP)?;
    let seats = (0..sites).map(|site| seat(site, sites)).collect();
    crowd.join_all(seats, PATIENCE).map_err(|e| server.explain(e))?;
    let window = Window::take(options, &server, &mut crowd)?;
    window.print(&format!("a meeting of {sites}"));
    let sent: u64 = window.peers.iter().map(|tally| tally.sent.video).sum();
    let received: u64 = window.peers.iter().map(|tally| tally.received.video).sum();
    Ok(Meeting {
        process: window.per_packet(window.spent.server.total()),
        media: window.per_packet(window.spent.server.media),
        pictures: received as f64 / (sent * (sites as u64 - 1)).max(1) as f64,
        p99_ms: percentile(&window.delays(), 99.0),
        client: window.share(window.spent.client),
        floor,
    })
}

fn seat(site: usize, sites: usize) -> Seat {
    let others = (0..sites).filter(|other| *other != site);
    let wish = |other: usize| SlotWish { site: server::id(other), kind: SourceKind::Camera, max_height: 180 };
    Seat {
        token: server::token(0, site),
        camera: Some(Camera::SMALL),
        wishes: others.map(wish).collect(),
        act: None,
    }
}

pub fn lines(sites: usize, runs: &[Meeting]) -> Vec<Line> {
    let process = median(runs, |run| run.process);
    let floor = median(runs, |run| run.floor);
    let ours = format!(
        "{} ns (media thread {} ns) = {:.2} × floor; {:.2} % of all pictures' packets came, delay p99 {:.1} ms; client {:.0} % of its core",
        grouped(process),
        grouped(median(runs, |run| run.media)),
        median(runs, |run| run.process / run.floor),
        median(runs, |run| run.pictures) * 100.0,
        median(runs, |run| run.p99_ms),
        median(runs, |run| run.client) * 100.0,
    );
    vec![
        Line::fact(
            format!("floor of this path in a meeting of {sites}: sendto of 625 bytes, AES-128-GCM included"),
            format!("{} ns", grouped(floor)),
        ),
        Line::goal(
            format!("process CPU per packet, meeting of {sites}, all to all"),
            ours,
            format!("≤ {} ns", grouped(TARGET)),
            process <= TARGET,
        ),
    ]
}
