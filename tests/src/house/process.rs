//! The process: the hall, its bridge and the workers, and the hosts around them. Dropping it kills it.

use super::connection::{Connection, Step};
use super::crossing::Crossing;
use super::desk::Desk;
use super::net::{Net, SeenAt, SocketId};
use super::socket::{Frame, Side};
use super::witness::Witness;
use super::worker::{self, EPOCH_S, Worker};
use crate::simulation::SiteClock;
use protocol::Secret;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sfu::command::Command;
use signaling::config::Config;
use signaling::hall::{Core, Input, Next, Output, Pushed, SiteMessage};
use signaling::links::KnownLines;
use signaling::media::WorkerEvent;
use signaling::meeting::{ConnectionId, Now};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

const WORKERS: usize = 2;
/// Bytes a socket's buffers hold before its connection waits.
const SOCKET_HOLDS: usize = 64 * 1024;

/// See the module.
pub struct Process {
    pub core: Core,
    pub desk: Desk,
    workers: Vec<Worker>,
    /// Orders on their way to each worker, and reports on their way back.
    orders: Vec<Crossing<Command>>,
    reports: Crossing<WorkerEvent>,
    connections: BTreeMap<ConnectionId, Connection>,
    last_connection: u64,
    secrets: StdRng,
    latency: StdRng,
    clock: SiteClock,
    wake: Instant,
    /// Something was handed to the hall, or to a connection, that it has not dealt with.
    is_stirred: bool,
    /// Outboxes hold what has not gone out.
    is_full: bool,
    /// Without this worker it cannot go on.
    pub lost: Option<usize>,
}

impl Process {
    pub fn start(now: Instant, config: &Config, clock: SiteClock, mut rng: StdRng) -> Process {
        let desk = Desk::of(WORKERS);
        let worker = |number| Worker::new(now, number, clock, rng.random());
        Process {
            workers: (0..WORKERS).map(worker).collect(),
            orders: (0..WORKERS).map(|_| Crossing::new()).collect(),
            reports: Crossing::new(),
            core: Core::new(config, Box::new(desk.clone()), KnownLines::default(), now),
            desk,
            connections: BTreeMap::new(),
            last_connection: 0,
            secrets: StdRng::from_rng(&mut rng),
            latency: StdRng::from_rng(&mut rng),
            clock,
            wake: now,
            is_stirred: true,
            is_full: false,
            lost: None,
        }
    }

    /// The kernel closes what the process had open.
    pub fn die(self, now: Instant, net: &mut Net) {
        self.connections.values().for_each(|connection| net.close(now, connection.socket, Side::Server));
    }

    /// This worker's thread hangs from now on, or turns again.
    pub fn hang(&mut self, now: Instant, worker: usize, hangs: bool) {
        self.workers[worker].hangs = hangs;
        self.desk.papers().hangs_since[worker] = hangs.then_some(now);
    }

    pub fn hangs(&self, worker: usize) -> bool {
        self.workers[worker].hangs
    }

    pub fn next_wake(&self) -> Option<Instant> {
        let workers = self.workers.iter().filter_map(Worker::wake_at);
        let ticks = self.connections.values().map(|connection| connection.next_tick);
        let crossing = self.orders.iter().zip(&self.workers).filter(|(_, worker)| !worker.hangs);
        let crossing = crossing.filter_map(|(orders, _)| orders.next()).chain(self.reports.next());
        workers.chain(ticks).chain(crossing).chain([self.wake]).min()
    }

    pub fn datagram(&mut self, now: Instant, to: SocketAddr, from: SeenAt, bytes: Vec<u8>) {
        if let Some(worker) = self.workers.iter_mut().find(|worker| worker.address == to) {
            worker.datagram(now, from, bytes);
        }
    }

    pub fn frame(&mut self, now: Instant, net: &mut Net, socket: SocketId, frame: &Frame) {
        let found = self.connections.iter_mut().find(|(_, connection)| connection.socket == socket);
        match (frame, found) {
            (Frame::Open, _) => self.accept(now, net, socket),
            (Frame::Close, Some((id, _))) => {
                let id = *id;
                self.end(now, net, id);
            }
            (Frame::Text(text), Some((id, connection))) => {
                let secret: u128 = self.secrets.random();
                let step = connection.hear(now, text, Secret::from(format!("{secret:032x}")));
                let id = *id;
                self.follow(now, net, id, step);
            }
            // What comes to a connection that was closed here.
            (_, None) => net.fall_silent(socket, Side::Server),
        }
    }

    fn accept(&mut self, now: Instant, net: &mut Net, socket: SocketId) {
        self.last_connection += 1;
        let connection = ConnectionId(self.last_connection);
        self.connections.insert(connection, Connection::new(now, socket));
        let line = net.site_of(socket).expect("a socket of a site") as u8;
        let address = IpAddr::from([10, 9, 0, line]);
        net.say(now, socket, Side::Site, Frame::Open);
        self.tell(now, Input::Arrived { connection, address });
    }

    fn follow(&mut self, now: Instant, net: &mut Net, connection: ConnectionId, step: Step) {
        match step {
            Step::Nothing => {}
            Step::Tell(message) => self.tell(now, Input::Message { connection, message }),
            Step::Reply(message) => {
                if let Some(to) = self.connections.get(&connection) {
                    let text = serde_json::to_string(&message).expect("a message");
                    net.say(now, to.socket, Side::Site, Frame::Text(text));
                }
            }
            Step::End => self.end(now, net, connection),
        }
    }

    fn end(&mut self, now: Instant, net: &mut Net, connection: ConnectionId) {
        if let Some(ended) = self.connections.remove(&connection) {
            net.close(now, ended.socket, Side::Server);
            self.tell(now, Input::Message { connection, message: SiteMessage::Gone });
        }
    }

    fn tell(&mut self, now: Instant, input: Input) {
        self.core.handle_input(self.both_clocks(now), input);
        self.is_stirred = true;
    }

    fn both_clocks(&self, now: Instant) -> Now {
        Now { instant: now, unix_ms: EPOCH_S * 1000 + u64::from(self.clock.ms(now)) }
    }

    /// Does all that is due, in the hall, the workers and the connections. True where meetings may have changed.
    pub fn turn(&mut self, now: Instant, net: &mut Net, witness: &mut Witness) -> bool {
        let mut changed = false;
        self.tick(now, net);
        while let Some(report) = self.reports.pop(now) {
            self.tell(now, Input::Media(report));
        }
        loop {
            if std::mem::take(&mut self.is_stirred) || self.wake <= now {
                self.settle(now, witness);
                self.is_full = true;
                changed = true;
            }
            if self.is_full {
                self.flush(now, net);
            }
            if !self.is_stirred && self.wake > now {
                break;
            }
        }
        (0..WORKERS).for_each(|worker| self.turn_worker(now, worker, net, witness));
        changed
    }

    fn tick(&mut self, now: Instant, net: &mut Net) {
        let due = self.connections.iter_mut().filter(|(_, connection)| connection.next_tick <= now);
        let steps: Vec<_> = due.map(|(id, connection)| (*id, connection.tick(now))).collect();
        steps.into_iter().for_each(|(id, step)| self.follow(now, net, id, step));
    }

    fn turn_worker(&mut self, now: Instant, worker: usize, net: &mut Net, witness: &mut Witness) {
        while let Some(command) = self.desk.take(worker) {
            self.orders[worker].push(now, command, &mut self.latency);
        }
        if self.workers[worker].hangs {
            return;
        }
        while let Some(command) = self.orders[worker].pop(now) {
            self.workers[worker].command(now, command);
        }
        for said in self.workers[worker].turn(now) {
            match said {
                worker::Said::Datagram { to, bytes } => net.send_to_site(now, to, &bytes),
                worker::Said::Event(event) => {
                    witness.hear(now, worker, &event);
                    self.reports.push(now, WorkerEvent { worker, event }, &mut self.latency);
                }
            }
        }
    }

    /// Carries out what the hall orders until it orders nothing.
    fn settle(&mut self, now: Instant, witness: &mut Witness) {
        loop {
            match self.core.poll_output(self.both_clocks(now)) {
                Output::Timeout(at) => {
                    self.wake = at;
                    return;
                }
                Output::Send { connection, message } => {
                    let Some(to) = self.connections.get(&connection) else { continue };
                    match to.outbox.push(message) {
                        Ok(Pushed::Queued) => {}
                        Ok(Pushed::NeedsLinks) => self.tell(now, Input::NeedsLinks { connection }),
                        Err(_) => self.tell(now, Input::TooSlow { connection }),
                    }
                }
                Output::Close { connection } => {
                    if let Some(to) = self.connections.get(&connection) {
                        to.outbox.close();
                    }
                }
                Output::Admitted { connection, budget, .. } => {
                    if let Some(admitted) = self.connections.get_mut(&connection) {
                        admitted.budget = Some(budget);
                    }
                }
                Output::Record { meeting, record } => witness.record(meeting, &record),
                Output::Moved { .. } => witness.moves += 1,
                Output::Lost { worker } => self.lost = Some(worker),
                _ => {}
            }
        }
    }

    /// What the outboxes hold goes out, as far as the sockets take it.
    fn flush(&mut self, now: Instant, net: &mut Net) {
        self.is_full = false;
        let mut over = Vec::new();
        for (id, connection) in &self.connections {
            loop {
                if net.unread(connection.socket) >= SOCKET_HOLDS {
                    self.is_full = true;
                    break;
                }
                match connection.outbox.take() {
                    Some(Next::Send(message)) => {
                        let text = Frame::Text(message.text().to_string());
                        net.say(now, connection.socket, Side::Site, text);
                    }
                    Some(Next::Close) => {
                        over.push(*id);
                        break;
                    }
                    None => break,
                }
            }
        }
        over.into_iter().for_each(|id| self.end(now, net, id));
    }
}
