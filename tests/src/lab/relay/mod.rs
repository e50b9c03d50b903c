//! A relay between sites and a server, which does to what passes what a line of the laboratory does, by the clock. All that
//! passes shares one line. Datagrams pass as they are; TCP ends here and begins again. The server is told to advertise
//! the relay's address (`media.advertise`), so that media comes through it as well.

mod courier;
mod order;
mod tcp;
mod udp;

pub use order::Order;

use crate::lab::{Direction, Gauge, Line, LineModel, Way, percentile};
use courier::Courier;
use order::{Side, Udp};
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use udp::Door;

/// What all that passes shares.
struct Shared {
    began: Instant,
    state: Mutex<State>,
    courier: Courier,
}

struct State {
    line: Line,
    udp: Udp,
    /// Datagrams that came while it was blocked.
    blocked: u64,
    marked: Duration,
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it is held")
}

impl Shared {
    /// When a datagram arrives that is sent now.
    fn datagram(&self, now: Instant, direction: Direction, bytes: usize) -> Vec<Instant> {
        let mut state = hold(&self.state);
        if state.udp == Udp::Blocked {
            state.blocked += 1;
            return Vec::new();
        }
        state.line.way(direction).send(now, bytes)
    }

    /// The same of a segment of TCP; `None` where it is lost.
    fn segment(&self, now: Instant, direction: Direction, bytes: usize) -> Option<Instant> {
        hold(&self.state).line.way(direction).send(now, bytes).first().copied()
    }
}

/// See the module.
pub struct Relay {
    shared: Arc<Shared>,
    doors: Vec<Arc<Door>>,
}

impl Relay {
    /// With a perfect line. The seed is that of its losses.
    pub fn start(seed: u64) -> Relay {
        let began = Instant::now();
        let line = Line::new(began, LineModel::default(), seed);
        let state = Mutex::new(State { line, udp: Udp::Passes, blocked: 0, marked: Duration::ZERO });
        Relay { shared: Arc::new(Shared { began, state, courier: Courier::start() }), doors: Vec::new() }
    }

    /// Datagrams to `listen` go to `target`; returns where it listens.
    pub async fn open_udp(&mut self, listen: SocketAddr, target: SocketAddr) -> io::Result<SocketAddr> {
        let door = Door::open(listen, target, Arc::clone(&self.shared)).await?;
        let address = door.address()?;
        self.doors.push(door);
        Ok(address)
    }

    /// Connections to `listen` go to `target`; returns where it listens.
    pub async fn open_tcp(&mut self, listen: SocketAddr, target: SocketAddr) -> io::Result<SocketAddr> {
        tcp::open(listen, target, Arc::clone(&self.shared)).await
    }

    /// Does what it is told; what there is to say to that.
    pub fn obey(&self, order: Order) -> Value {
        let now = Instant::now();
        let age = now - self.shared.began;
        let mut state = hold(&self.shared.state);
        match order {
            Order::Set(sides, changes) => {
                for side in sides {
                    let way = state.line.way(if side == Side::Up { Direction::Up } else { Direction::Down });
                    let mut model = way.model().clone();
                    changes.iter().for_each(|change| change.apply(&mut model));
                    way.change(now, model);
                }
            }
            Order::Clean => state.line.change(now, LineModel::default()),
            Order::Black(length) => {
                for direction in [Direction::Up, Direction::Down] {
                    let way = state.line.way(direction);
                    let mut model = way.model().clone();
                    model.blackouts.push(age..age + length);
                    way.change(now, model);
                }
            }
            Order::Rebind => self.doors.iter().for_each(|door| door.rebind()),
            Order::Udp(udp) => state.udp = udp,
            Order::Mark => state.marked = age,
            Order::Report => return report(&state, age),
        }
        json!({ "ok": true })
    }
}

fn report(state: &State, age: Duration) -> Value {
    let from = state.marked;
    let way = |way: &Way| {
        let gauge: &Gauge = way.gauge();
        let (offered, carried) = gauge.rates(from, age);
        let waits = gauge.waits(from, age);
        let ms = |share| percentile(&waits, share).as_secs_f64() * 1000.0;
        let flood = way.flood(from, age);
        json!({
            "offered_bps": offered.round(),
            "carried_bps": carried.round(),
            "carried_packets": waits.len(),
            "offered_packets_ever": gauge.datagrams(),
            "queue_ms": { "p50": ms(0.5), "p95": ms(0.95), "max": ms(1.0) },
            "flood": flood.map(|flood| json!({ "two_seconds": flood.two_seconds, "second": flood.second })),
        })
    };
    let seconds = (age - from).as_secs_f64();
    json!({ "seconds": seconds, "blocked_packets_ever": state.blocked, "up": way(&state.line.up), "down": way(&state.line.down) })
}

#[cfg(test)]
#[path = "relay_tests.rs"]
mod tests;
