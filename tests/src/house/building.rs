//! The house and its sites, driven in virtual time.

use super::invitations;
use super::net::{Arrival, Net, SocketId};
use super::process::Process;
use super::promises::Promises;
use super::site::Site;
use super::socket::{Frame, Side};
use super::witness::Witness;
use crate::simulation::{Draws, LinkModel, Seen, SiteClock, rng};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sfu::command::Desired;
use sfu::ids::PeerId;
use sfu::net::PathKind;
use signaling::config::Config;
use signaling::ids::MeetingId;
use signaling::meeting::Meeting;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How often the sites' notes are looked through.
const CHECK_EVERY: Duration = Duration::from_millis(100);
/// Sites whose network lets no UDP through.
const OVER_TCP: f64 = 0.25;
/// A supervisor starts a process that has ended again after so long (`RestartSec` of systemd is 100 ms; starting takes
/// the rest).
const RESTART: Duration = Duration::from_secs(1);

/// See the module.
pub struct House {
    pub now: Instant,
    pub sites: Vec<Site>,
    pub net: Net,
    pub config: Config,
    pub process: Option<Process>,
    pub witness: Witness,
    promises: Promises,
    /// What must never happen and did.
    pub faults: Vec<String>,
    /// Meetings that moved to another worker, in all processes.
    pub moves: usize,
    epoch: Instant,
    secrets: StdRng,
    starts_at: Option<Instant>,
    next_check: Instant,
}

impl House {
    /// So many sites in each meeting. No site has come yet, but the process runs.
    pub fn new(seed: u64, meetings: &[usize], link: LinkModel) -> House {
        let now = Instant::now();
        let config = invitations::config(meetings);
        let mut house = House {
            now,
            sites: Vec::new(),
            net: Net::new(seed),
            config,
            process: None,
            witness: Witness::new(now),
            promises: Promises::default(),
            faults: Vec::new(),
            moves: 0,
            epoch: now,
            secrets: rng(seed, Draws::Secrets),
            starts_at: None,
            next_check: now,
        };
        let mut draws = rng(seed, Draws::Sites);
        for (meeting, sites) in house.config.meetings.iter().enumerate() {
            for (number, invited) in sites.sites.iter().enumerate() {
                let index = house.sites.len();
                house.sites.push(Site::new(index, (meeting, number), invited.id(), now, &mut draws));
                let kind = if draws.random_bool(OVER_TCP) { PathKind::Tcp } else { PathKind::Udp };
                house.net.add_line(link, kind);
            }
        }
        house.start();
        house
    }

    pub fn age(&self) -> Duration {
        self.now - self.epoch
    }

    /// The process starts: it knows the configuration, and nothing else.
    pub fn start(&mut self) {
        self.starts_at = None;
        let clock = SiteClock { epoch: self.epoch, wrong_s: 0.0 };
        let draws = StdRng::from_rng(&mut self.secrets);
        self.process = Some(Process::start(self.now, &self.config, clock, draws));
        (self.witness, self.promises) = (Witness::new(self.now), Promises::default());
    }

    /// The process dies, and with it all it knew. It is started again after a while.
    pub fn die(&mut self) {
        if let Some(process) = self.process.take() {
            process.die(self.now, &mut self.net);
            self.moves += self.witness.moves;
            self.starts_at = Some(self.now + RESTART);
        }
    }

    pub fn hang(&mut self, worker: usize, hangs: bool) {
        if let Some(process) = &mut self.process {
            process.hang(self.now, worker, hangs);
            self.promises.excuse(self.now);
        }
    }

    /// A user opens the link of this site, in the tab that was, or in another browser that asks for the seat.
    pub fn come(&mut self, site: usize, remembers: bool, takeover: bool) {
        self.sites[site].come(self.now, &mut self.net, (remembers, takeover));
    }

    /// Lets virtual time pass.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let process = self.process.as_ref().and_then(Process::next_wake);
            let sites = self.sites.iter_mut().filter_map(Site::next_wake).min();
            let wakes = [process, sites, self.net.next(), self.starts_at, Some(self.next_check)];
            let next = wakes.into_iter().flatten().min().unwrap_or(end).max(self.now);
            if next > end {
                self.now = end;
                return;
            }
            self.now = next;
            self.step();
        }
    }

    fn step(&mut self) {
        if self.starts_at.is_some_and(|at| at <= self.now) {
            self.start();
        }
        while let Some(arrival) = self.net.pop(self.now) {
            self.arrived(arrival);
        }
        self.turn();
        for site in &mut self.sites {
            site.run(self.now, &mut self.net);
        }
        if self.next_check <= self.now {
            self.next_check = self.now + CHECK_EVERY;
            self.check();
        }
    }

    fn turn(&mut self) {
        let Some(process) = &mut self.process else { return };
        if process.turn(self.now, &mut self.net, &mut self.witness) {
            self.keep_promises();
        }
        if self.process.as_ref().is_some_and(|process| process.lost.is_some()) {
            self.die();
        }
    }

    fn arrived(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Frame(socket, Side::Server, frame) => self.frame_for_server(socket, &frame),
            Arrival::Frame(socket, Side::Site, frame) => {
                let site = self.net.site_of(socket).expect("a socket of a site");
                self.sites[site].frame(self.now, &mut self.net, socket, &frame);
            }
            Arrival::ToSite(site, sent_at, bytes) => {
                self.sites[site].datagram(self.now, sent_at, &bytes);
                self.check_seen(site);
            }
            Arrival::ToWorker { worker, from, bytes } => {
                if let Some(process) = &mut self.process {
                    process.datagram(self.now, worker, from, bytes);
                }
            }
        }
    }

    fn frame_for_server(&mut self, socket: SocketId, frame: &Frame) {
        match &mut self.process {
            Some(process) => process.frame(self.now, &mut self.net, socket, frame),
            None => self.net.close(self.now, socket, Side::Server),
        }
    }

    /// A meeting's machine, while there is one.
    pub fn meeting(&self, meeting: usize) -> Option<&Meeting> {
        self.process.as_ref()?.core.meeting(self.meeting_id(meeting))
    }

    fn meeting_id(&self, meeting: usize) -> MeetingId {
        self.config.meetings[meeting].id()
    }

    /// Which site of the house a peer is, by what it offered with.
    pub fn site_of(&self, peer: PeerId) -> Option<usize> {
        let papers = self.process.as_ref()?.desk.papers();
        let (_, fragment) = papers.offered.get(&peer)?;
        self.sites.iter().position(|site| site.fragments.contains(fragment))
    }

    /// The newest peer of a site.
    pub fn peer_of(&self, site: usize) -> Option<PeerId> {
        let papers = self.process.as_ref()?.desk.papers();
        let offered = papers.offered.iter().rev();
        let mut own = offered.filter(|(_, (_, fragment))| self.sites[site].fragments.contains(fragment));
        own.next().map(|(peer, _)| *peer)
    }

    fn fault(&mut self, fault: String) {
        self.faults.push(format!("{:?}: {fault}", self.age()));
    }

    fn check(&mut self) {
        let mut found = std::mem::take(&mut self.witness.faults);
        found.extend(self.mixed_rooms());
        for site in &mut self.sites {
            let index = site.index;
            found.extend(site.take_faults().into_iter().map(|fault| format!("site {index} {fault}")));
        }
        found.into_iter().for_each(|fault| self.fault(fault));
    }

    /// Rooms in which the bridge wants sites of different meetings.
    fn mixed_rooms(&self) -> Vec<String> {
        let Some(process) = &self.process else { return Vec::new() };
        let desired: Vec<_> = process.desk.papers().desired.values().cloned().collect();
        let peers = |desired: &Desired| {
            let wished = desired.peers.iter().flat_map(|peer| peer.video_slots.iter().flatten());
            let named = wished.map(|wish| wish.source.peer).chain(desired.peers.iter().map(|peer| peer.peer));
            named.collect::<Vec<_>>()
        };
        let meeting_of = |peer: PeerId| self.site_of(peer).map(|site| self.sites[site].meeting);
        let is_mixed = |desired: &&Desired| {
            let meetings: BTreeSet<_> = peers(desired).into_iter().filter_map(meeting_of).collect();
            meetings.len() > 1
        };
        desired.iter().filter(is_mixed).map(|desired| format!("sites of two meetings: {desired:?}")).collect()
    }

    fn keep_promises(&mut self) {
        for (id, fact) in std::mem::take(&mut self.witness.facts) {
            let meeting = self.config.meetings.iter().find(|meeting| meeting.id() == id);
            let chair = meeting.expect("a meeting of the house").sites[0].id();
            if let Some(broken) = self.promises.fact(id, chair, &fact) {
                self.fault(broken);
            }
        }
        let Some(process) = &self.process else { return };
        let mut broken = Vec::new();
        for site in &self.sites {
            let id = self.config.meetings[site.meeting].id();
            let meeting = process.core.meeting(id).expect("a meeting of the house");
            broken.extend(self.promises.look(self.now, (site.index, site.id), (id, meeting)));
        }
        broken.into_iter().for_each(|broken| self.fault(broken));
    }

    /// What came in a site's slots may be there, and has the name that its slot was given.
    fn check_seen(&mut self, viewer: usize) {
        let seen = self.sites[viewer].client.as_mut().map(|client| std::mem::take(&mut client.seen));
        for seen in seen.unwrap_or_default() {
            if let Some(fault) = self.wrong(viewer, seen) {
                self.fault(format!("site {viewer} {seen:?}: {fault}"));
            }
        }
    }

    fn wrong(&self, viewer: usize, Seen { slot, site, kind, sent_at }: Seen) -> Option<String> {
        let shown = usize::from(site) - 1;
        if self.sites[shown].meeting != self.sites[viewer].meeting {
            return Some("is of another meeting".to_owned());
        }
        if self.process.is_none() || sent_at <= self.witness.born {
            return None;
        }
        if self.promises.is_closed(shown, kind, sent_at) {
            return Some("is closed".to_owned());
        }
        let peer = self.peer_of(viewer)?;
        let mut names = self.witness.names(peer, slot, sent_at);
        let fits = names.any(|source| source.kind == kind && self.site_of(source.peer) == Some(shown));
        (!fits).then(|| "has another name".to_owned())
    }
}
