//! The engine, its clients and the wire, driven in virtual time.

use super::client::{Client, Publishes};
use super::codec::VideoCodec;
use super::mixing::Mixing;
use super::offered::Offered;
use super::outgoing::SiteClock;
use super::seeds::engine_seed;
use super::stage;
use super::traffic::media_ssrc;
use super::wire::{End, LinkModel, Wire};
use sfu::command::{Command, Permissions, Wish};
use sfu::engine::{Engine, EngineConfig, Input, Output};
use sfu::event::Event;
use sfu::ids::{PeerId, RoomId, SlotId, Source, SourceKind};
use sfu::net::{Candidate, Path, PathKind};
use sfu::sdp::Offer;
use sfu::stats::Effort;
use sfu::time::Clock;
use sfu::transport::Certificate;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub const ROOM: RoomId = RoomId(1);

/// A site as the test thinks of it.
pub struct Site {
    pub client: Client,
    pub wishes: Vec<Option<Wish>>,
    pub asks_for_mix: bool,
    pub may: Permissions,
    pub in_room: bool,
    /// How and where the bridge sees it.
    pub seen_at: (PathKind, SocketAddr),
    /// The newest check it sent that nominates, and the newest that does not.
    pub nomination: Vec<u8>,
    pub check: Vec<u8>,
    /// Until when its line may have been so slow that what it sends is old: it is a stream, or was narrow.
    pub slow_until: Option<Instant>,
    /// When its line last was cut or narrow.
    pub hindered_at: Option<Instant>,
    pub(super) offered: Offered,
}

/// What a slot was reported to show, and when.
type Names = Vec<(Instant, Option<Source>)>;

pub struct World {
    pub now: Instant,
    pub engine: Engine,
    pub(super) mixing: Mixing,
    pub sites: Vec<Site>,
    pub wire: Wire,
    pub floor: Option<usize>,
    pub chair: Option<usize>,
    /// What the engine last reported of each slot, and all its events.
    pub shown: BTreeMap<(usize, SlotId), Option<Source>>,
    pub events: Vec<Event>,
    /// What must never happen and did.
    pub faults: Vec<String>,
    /// Peers the engine gave up for a fault of its own, where a story expects that.
    pub failed: Option<Vec<usize>>,
    pub speakers: Vec<PeerId>,
    /// Each slot's names, oldest first.
    pub(super) names: BTreeMap<(usize, SlotId), Names>,
    pub(super) epoch: Instant,
    engine_wake: Instant,
    next_check: Instant,
    next_effort: Instant,
    /// While the worker is overloaded: how long datagrams wait for it at most, and since when they do.
    overloaded: Option<(Duration, Instant)>,
    /// Since when a site's lips have been apart for a viewer.
    pub(super) apart: BTreeMap<(usize, u8), Instant>,
    /// The longest that a line has kept back what a site sent.
    pub(super) kept_back: Duration,
    /// Sites that join do not offer to report what arrives: so their lines are neither paced nor divided.
    pub hides_arrivals: bool,
    /// What the lines of sites that offer carried when they were last here.
    pub known_bps: Option<u64>,
    /// How often the engine sent something to a site.
    pub sends: u64,
    /// Bytes that went to where no site is.
    pub strays: BTreeMap<SocketAddr, usize>,
    pub(super) server: SocketAddr,
}

/// A client repeats a flight of its handshake so often; the wire may lose one datagram of each.
const HANDSHAKE_REPEATS: u32 = 7;
/// A client's handshake lasts so long at most, those repeats and a little.
const HANDSHAKE: Duration = Duration::from_secs(9);
/// How often voices and video are compared.
const CHECK_EVERY: Duration = Duration::from_millis(100);
/// How often a worker's thread reports what it does.
const EFFORT_EVERY: Duration = Duration::from_millis(100);

impl World {
    pub fn new(seed: u64) -> World {
        let now = Instant::now();
        let server = SocketAddr::from(([10, 0, 1, 1], 5000));
        let config = EngineConfig {
            certificate: Arc::new(Certificate::generate().expect("a certificate")),
            candidates: vec![Candidate { kind: PathKind::Udp, address: server }],
            clock: Clock::new(now, SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)),
            seed: engine_seed(seed),
        };
        World {
            now,
            engine: Engine::new(now, config),
            mixing: Mixing::new(now),
            sites: Vec::new(),
            wire: Wire::new(seed),
            floor: None,
            chair: None,
            shown: BTreeMap::new(),
            events: Vec::new(),
            faults: Vec::new(),
            failed: None,
            speakers: Vec::new(),
            names: BTreeMap::new(),
            epoch: now,
            engine_wake: now,
            next_check: now,
            next_effort: now,
            overloaded: None,
            apart: BTreeMap::new(),
            kept_back: Duration::ZERO,
            hides_arrivals: false,
            known_bps: None,
            sends: 0,
            strays: BTreeMap::new(),
            server,
        }
    }

    /// A site joins: its offer is answered at once, its media flows when the handshake is done.
    pub fn join(&mut self, publishes: Publishes, slots: usize, link: LinkModel) -> usize {
        self.join_coded((publishes, VideoCodec::Vp8), slots, link)
    }

    pub fn join_coded(&mut self, sends: (Publishes, VideoCodec), slots: usize, link: LinkModel) -> usize {
        let index = self.sites.len();
        let clock = SiteClock { epoch: self.epoch, wrong_s: index as f64 * 0.37 - 0.5 };
        let client = Client::coded(self.now, index as u8 + 1, sends, slots, clock);
        self.admit(client, slots, link)
    }

    /// The same for a client there is.
    pub(super) fn admit(&mut self, client: Client, slots: usize, link: LinkModel) -> usize {
        let index = self.sites.len();
        self.wire.add(link);
        self.sites.push(Site {
            wishes: vec![None; slots],
            asks_for_mix: false,
            may: Permissions::all(),
            in_room: true,
            seen_at: (PathKind::Udp, client.address),
            nomination: Vec::new(),
            check: Vec::new(),
            slow_until: None,
            hindered_at: None,
            offered: Offered::default(),
            client,
        });
        self.offer(index);
        self.sites[index].client.start_media(self.now);
        self.reconcile();
        index
    }

    /// (Re-)offers; with `restart_ice` before, this restarts ICE.
    pub fn offer(&mut self, index: usize) {
        let mut sdp = self.sites[index].client.offer(self.now);
        if self.hides_arrivals {
            let kept = |line: &&str| !line.contains("transport-wide-cc");
            sdp = sdp.split_inclusive('\n').filter(kept).collect();
        }
        let (offer, known_bps) = (Box::new(Offer::read(&sdp).expect("an offer")), self.known_bps);
        self.command(Command::Offer { room: ROOM, peer: peer(index), offer, known_bps });
    }

    /// A site that gives its handshake up leaves, as a page does before it joins again. A fault, unless its line was
    /// such that no handshake could be.
    fn on_giving_up(&mut self, index: usize) {
        let hindered = self.sites[index].hindered_at.is_some_and(|at| self.now - at < HANDSHAKE);
        let unlucky = self.wire.handshakes_lost[index] >= HANDSHAKE_REPEATS;
        if !hindered && !unlucky {
            self.faults.push(format!("{:?}: site {index} gave its handshake up", self.age()));
        }
        self.leave(index);
    }

    pub fn leave(&mut self, index: usize) {
        self.sites[index].in_room = false;
        self.command(Command::RemovePeer { peer: peer(index) });
        self.reconcile();
    }

    /// Site `viewer` wants to see `target` in `slot`.
    pub fn wish(&mut self, viewer: usize, slot: usize, target: Option<usize>, max_height: u16) {
        self.wish_for(viewer, slot, target.map(|target| (target, SourceKind::Camera)), max_height);
    }

    pub fn wish_for(
        &mut self,
        viewer: usize,
        slot: usize,
        target: Option<(usize, SourceKind)>,
        max_height: u16,
    ) {
        let wish = |(target, kind)| Wish { source: Source { peer: peer(target), kind }, max_height };
        self.sites[viewer].wishes[slot] = target.map(wish);
        self.reconcile();
    }

    /// The engine is told what signaling would tell it of such a meeting.
    pub fn reconcile(&mut self) {
        let desired = stage::desired(self);
        self.command(Command::Reconcile { room: ROOM, desired });
    }

    /// How long the meeting has lasted.
    pub fn age(&self) -> Duration {
        self.now - self.epoch
    }

    pub fn present(&self) -> usize {
        self.sites.iter().filter(|site| site.in_room).count()
    }

    /// From now on the worker has too much to do: what comes in waits for it, so long in the end.
    pub fn overload(&mut self, wait: Duration) {
        self.overloaded = Some((wait, self.now));
    }

    /// The worker keeps up again.
    pub fn relieve(&mut self) {
        self.overloaded = None;
    }

    /// When the kernel had received what the worker takes now.
    fn arrived(&self) -> Instant {
        let waits = |(wait, since): (Duration, Instant)| self.now - wait.min(self.now - since);
        self.overloaded.map_or(self.now, waits)
    }

    fn tell_effort(&mut self) {
        if self.next_effort > self.now {
            return;
        }
        self.next_effort = self.now + EFFORT_EVERY;
        let busy = if self.overloaded.is_some() { EFFORT_EVERY } else { Duration::ZERO };
        let effort = Effort { span: EFFORT_EVERY, worked: busy, slept: EFFORT_EVERY - busy };
        self.engine.handle_input(self.now, Input::Effort(effort));
        self.drain_engine();
    }

    pub fn command(&mut self, command: Command) {
        self.engine.handle_input(self.now, Input::Command(command));
        self.drain_engine();
    }

    /// Lets virtual time pass.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let inside = self.sites.iter_mut().filter(|site| site.in_room);
            let clients = inside.filter_map(|site| site.client.next_wake()).min();
            let next = [Some(self.engine_wake), self.mixing.wake_at(), self.wire.next(), clients];
            let next = next.into_iter().flatten().min();
            let next = next.unwrap_or(end).max(self.now);
            if next > end {
                self.now = end;
                return;
            }
            self.now = next;
            self.step();
        }
    }

    fn step(&mut self) {
        while let Some((to, sent_at, mut bytes)) = self.wire.pop(self.now) {
            match to {
                End::Client(index) => {
                    self.sites[index].client.receive(self.now, sent_at, self.server, &bytes);
                    self.check_names(index);
                }
                End::Engine { seen_at: (kind, remote), .. } => {
                    if media_ssrc(&bytes).is_some() {
                        self.kept_back = self.kept_back.max(self.now - sent_at);
                    }
                    let path = Path { kind, local: self.server.ip(), remote };
                    let arrived = self.arrived();
                    let data = &mut bytes;
                    self.engine.handle_input(self.now, Input::Datagram { path, data, arrived });
                }
            }
        }
        if self.engine_wake <= self.now {
            self.engine.handle_input(self.now, Input::Timeout);
        }
        for mixed in self.mixing.take(self.now) {
            self.engine.handle_input(self.now, Input::Mixed(mixed));
        }
        self.drain_engine();
        self.tell_effort();
        self.run_clients();
        if self.next_check <= self.now {
            self.next_check = self.now + CHECK_EVERY;
            self.check();
        }
    }

    /// What is due at those inside goes onto the wire.
    fn run_clients(&mut self) {
        for index in 0..self.sites.len() {
            if !self.sites[index].in_room {
                continue;
            }
            for datagram in self.sites[index].client.run(self.now) {
                self.sites[index].client.sent.add(&datagram);
                self.sites[index].note(&datagram);
                let to = End::Engine { from: index, seen_at: self.sites[index].seen_at };
                self.wire.send(self.now, to, &datagram);
            }
            if self.sites[index].client.gave_up {
                self.on_giving_up(index);
            }
        }
    }

    pub(super) fn drain_engine(&mut self) {
        loop {
            let event = match self.engine.poll_output(self.now) {
                Output::Timeout(at) => return self.engine_wake = at,
                Output::Transmit(transmit) => {
                    let Path { kind, remote, .. } = transmit.path;
                    let Some(to) = self.sites.iter().position(|site| site.seen_at == (kind, remote)) else {
                        *self.strays.entry(remote).or_default() += transmit.data.len();
                        continue;
                    };
                    self.sends += 1;
                    for datagram in transmit.datagrams() {
                        self.sites[to].client.count(datagram);
                        self.wire.send(self.now, End::Client(to), datagram);
                    }
                    continue;
                }
                Output::Event(event) => event,
                Output::Mix(order) => {
                    self.mixing.order(self.now, order);
                    continue;
                }
            };
            self.take(event);
        }
    }

    fn take(&mut self, event: Event) {
        self.check_present(&event);
        match &event {
            Event::Answer { peer, sdp } => {
                let now = self.now;
                self.sites[index(*peer)].client.take_answer(now, sdp);
            }
            Event::OfferRefused { peer, reason } => match &self.failed {
                Some(_) => {}
                None => panic!("{peer:?}: {reason}"),
            },
            Event::Failed { peer, cause } => {
                let failed = self.failed.as_mut().unwrap_or_else(|| panic!("{peer:?}: {cause}"));
                failed.push(index(*peer));
                self.sites[index(*peer)].in_room = false;
            }
            Event::SlotShows { peer, slot, source } => {
                self.shown.insert((index(*peer), *slot), *source);
                self.names.entry((index(*peer), *slot)).or_default().push((self.now, *source));
            }
            Event::Speakers { peers, .. } => self.speakers.clone_from(peers),
            Event::LayersWanted { peer, kind, layers } => {
                let client = &mut self.sites[index(*peer)].client;
                let of_content = *kind == SourceKind::Content;
                if of_content { &mut client.wanted_content } else { &mut client.wanted }.clone_from(layers);
            }
            _ => {}
        }
        self.events.push(event);
    }
}

/// Site number *n* of the wire's addresses is peer *n* + 1.
pub fn peer(index: usize) -> PeerId {
    PeerId(index as u64 + 1)
}

pub(super) fn index(peer: PeerId) -> usize {
    peer.0 as usize - 1
}
