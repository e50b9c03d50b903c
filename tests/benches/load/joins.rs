//! How long a site waits for its first packet and its first picture.

use crate::crowd::{Crowd, Seat};
use crate::figures::percentile;
use crate::options::Options;
use crate::publisher::Camera;
use crate::report::Line;
use crate::server::{self, Server};
use ::protocol::{SlotWish, SourceKind};
use std::time::{Duration, Instant};

/// For one site's first picture; a publisher sends a key frame every 10 s unasked.
const PATIENCE: Duration = Duration::from_secs(15);
/// Of all rounds together.
const SITES: usize = 60;
/// Longer than the server remembers pictures (512 packets): most sites need a key frame made for them,
/// and are not shown the one that the site before them has asked for.
const APART: Duration = Duration::from_millis(2_500);
/// Targets, 95th percentile, milliseconds.
const FIRST_PACKET: f64 = 15.0;
const FIRST_KEY: f64 = 40.0;

/// Milliseconds from the beginning of the WebSocket, one of each for each site that came.
#[derive(Default)]
pub struct Joins {
    packets: Vec<f64>,
    keys: Vec<f64>,
}

pub fn run(options: &Options) -> Result<Joins, String> {
    let (times, apart) = match options.quick {
        true => (8, APART / 10),
        false => (SITES.div_ceil(options.rounds()), APART),
    };
    let server = Server::start(&options.server()?, &[times + 1])?;
    let mut crowd = Crowd::new(server::HTTP)?;
    let token = server::token(0, 0);
    crowd.join_all(
        vec![Seat { token, camera: Some(Camera::FULL), wishes: Vec::new(), act: None }],
        PATIENCE,
    )?;
    crowd.run(options.settling())?;
    let mut joins = Joins::default();
    for site in 1..=times {
        let (packet, key) = join(&mut crowd, site).map_err(|e| server.explain(e))?;
        joins.packets.push(packet);
        joins.keys.push(key);
        // At another moment of the publisher's frame each time.
        crowd.run(apart + Duration::from_millis(site as u64 * 7 % 33))?;
    }
    eprintln!("load: {times} sites joined one after the other");
    Ok(joins)
}

fn join(crowd: &mut Crowd, site: usize) -> Result<(f64, f64), String> {
    let wish = SlotWish { site: server::id(0), kind: SourceKind::Camera, max_height: 720 };
    let number =
        crowd.join(Seat { token: server::token(0, site), camera: None, wishes: vec![wish], act: None })?;
    crowd.run_while(PATIENCE, "a first picture", |crowd| waits(crowd, number).is_none())?;
    let waited = waits(crowd, number).ok_or("the site is gone")?;
    crowd.leave(number);
    Ok(waited)
}

/// To the first packet and to the first key frame, once both are there.
fn waits(crowd: &Crowd, number: usize) -> Option<(f64, f64)> {
    let peer = crowd.peer(number)?;
    let (opened, receiver) = (peer.opened?, peer.receiver()?);
    let since = |at: Instant| at.saturating_duration_since(opened).as_secs_f64() * 1e3;
    Some((since(receiver.first_packet?), since(receiver.first_key?)))
}

pub fn lines(runs: &[Joins]) -> Vec<Line> {
    let all = |values: fn(&Joins) -> &[f64]| runs.iter().flat_map(values).copied().collect::<Vec<f64>>();
    let (packets, keys) = (all(|joins| &joins.packets), all(|joins| &joins.keys));
    let line = |what: &str, values: &[f64], target: f64| {
        let p95 = percentile(values, 95.0);
        Line::goal(
            format!("joining: WebSocket begun → {what}, p95 of {}", values.len()),
            format!("{p95:.1} ms (median {:.1} ms)", percentile(values, 50.0)),
            format!("≤ {target:.0} ms"),
            p95 <= target,
        )
    };
    vec![line("first media packet", &packets, FIRST_PACKET), line("first key frame", &keys, FIRST_KEY)]
}
