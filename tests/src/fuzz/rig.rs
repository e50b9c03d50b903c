//! Sites on lines whose keys are known here, and the engine they are connected to, in virtual time.

use super::machine::Machine;
use super::{OFFER, path, redundancy};
use crate::answer::Answer;
use crate::line::{Identity, Line};
use rtp::packet::is_rtcp;
use sfu::command::{Command, Desired, DesiredPeer, Permissions, Ranks, Wish};
use sfu::engine::Output;
use sfu::event::Event;
use sfu::ids::{PeerId, Source, SourceKind};
use sfu::mix::{MixId, MixOrder, Mixed, WantedMix};
use sfu::net::IceCredentials;
use sfu::sdp::{Offer, OfferError};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::machine::ROOM;

/// All clients show the same certificate: making one takes longer than a whole input.
static IDENTITY: LazyLock<Arc<Identity>> = LazyLock::new(|| Arc::new(Identity::new()));

/// SSRCs of the recorded offer: microphone, content and its repairs. The camera's are drawn by the client.
pub(super) const MICROPHONE: u32 = 962_437_725;
pub(super) const CONTENT: u32 = 2_522_230_514;
pub(super) const CONTENT_RTX: u32 = 2_747_931_282;
pub(super) const CAMERA: u32 = 7_000;

/// Rounds of datagrams that one step may cause, back and forth: a handshake takes some twenty.
const MAX_ROUNDS: usize = 64;

pub(super) struct Rig {
    pub machine: Machine,
    pub sites: Vec<Site>,
    /// The results of the offers of the last step.
    pub answers: Vec<Result<(), OfferError>>,
    /// What sites send comes to the engine together, as a batch of datagrams: its outputs are polled by `rest`.
    pub is_held: bool,
    /// The mixes that are wanted, and the timestamp of what was mixed last.
    mixes: Vec<MixId>,
    mixed: u32,
}

pub(super) struct Site {
    pub number: u8,
    pub own: IceCredentials,
    pub line: Line,
    /// The slots' SSRCs, each followed by its repair stream, and those of the newest answer.
    pub slots: Vec<u32>,
    answered: Vec<u32>,
    /// Packets that came with copies of earlier ones.
    pub redundant: u32,
    /// Packets that came in each slot.
    pub shown: BTreeMap<u32, u32>,
    /// The newest number of each SSRC it sends on, with its roll-over counter.
    pub sent: BTreeMap<u32, u64>,
    /// Bytes to the engine and from it.
    pub traffic: (usize, usize),
    /// It never answers the engine's own checks.
    pub is_deaf: bool,
}

impl Site {
    pub fn address(&self) -> SocketAddr {
        super::address(self.number)
    }

    pub fn peer(&self) -> PeerId {
        PeerId(u64::from(self.number))
    }

    /// One datagram of the engine's. Media must open, once, and belong to a slot.
    fn receive(&mut self, now: std::time::Instant, datagram: &[u8]) {
        self.traffic.1 += datagram.len();
        match *datagram {
            [0, 1, ..] if self.is_deaf => {}
            [0..=3, ..] => self.line.handle_stun(now, datagram),
            [20..=63, ..] => self.line.handle_dtls(now, datagram),
            _ => self.hear_media(datagram.to_vec()),
        }
    }

    fn hear_media(&mut self, mut packet: Vec<u8>) {
        // The engine has its keys a flight earlier, and its first packets may come before ours.
        let Some(srtp) = &mut self.line.srtp else { return };
        if is_rtcp(&packet) {
            assert!(srtp.open.open_rtcp(&mut packet).is_ok(), "what the engine seals opens");
            return;
        }
        let ssrc = u32::from_be_bytes(*packet[8..].first_chunk().expect("a header"));
        assert!(self.answered.contains(&ssrc), "media is of a slot that was answered");
        let place = self.slots.iter().position(|slot| *slot == ssrc).expect("an answered slot");
        let opened = srtp.open_rtp(place, &mut packet);
        let length = opened.expect("what the engine seals opens, and only once");
        self.redundant += u32::from(redundancy::check(&packet[..length]));
        *self.shown.entry(ssrc).or_default() += 1;
    }
}

/// The recorded offer as this site makes it.
pub(super) fn offer_of(own: &IceCredentials) -> String {
    let line = |line: &str| {
        let values = [
            ("a=ice-ufrag:", own.ufrag.as_str()),
            ("a=ice-pwd:", own.pwd.as_str()),
            ("a=fingerprint:", IDENTITY.fingerprint.as_str()),
        ];
        let replaced = values.iter().find(|(key, _)| line.starts_with(key));
        replaced.map_or(line.to_owned(), |(key, value)| format!("{key}{value}")) + "\r\n"
    };
    OFFER.lines().map(line).collect()
}

pub(super) fn credentials(name: &str) -> IceCredentials {
    IceCredentials { ufrag: name.to_owned(), pwd: format!("passwordOfTheSite{name}") }
}

impl Rig {
    /// So many sites that have offered and not yet sent a datagram.
    pub fn new(sites: u8) -> Rig {
        let mut rig = Rig {
            machine: Machine::new(),
            sites: Vec::new(),
            answers: Vec::new(),
            is_held: false,
            mixes: Vec::new(),
            mixed: 0,
        };
        for number in 1..=sites {
            let own = credentials(&format!("site{number}"));
            let line = Line::new(rig.machine.now, IDENTITY.clone(), own.clone(), own.clone());
            rig.sites.push(Site {
                number,
                own: own.clone(),
                line,
                slots: Vec::new(),
                answered: Vec::new(),
                redundant: 0,
                shown: BTreeMap::new(),
                sent: BTreeMap::new(),
                traffic: (0, 0),
                is_deaf: false,
            });
            let offer = Offer::read(&offer_of(&own)).expect("a recorded offer");
            rig.offer(usize::from(number) - 1, &offer);
            assert_eq!(rig.answers, [Ok(())]);
        }
        rig
    }

    /// Two sites whose handshakes are done; each shows the other's camera and content.
    pub fn connected() -> Rig {
        let mut rig = Rig::new(2);
        for (viewer, target) in [(0, 1), (1, 0)] {
            rig.wish(viewer, [(target, SourceKind::Camera, 720), (target, SourceKind::Content, 1080)]);
        }
        // Each side's repeats are further apart than this takes.
        for _ in 0..4 {
            rig.exchange();
            rig.passes(Duration::from_millis(20));
        }
        assert!(rig.sites.iter().all(|site| site.line.srtp.is_some()), "two honest handshakes");
        rig
    }

    pub fn offer(&mut self, site: usize, offer: &Offer) {
        self.answers.clear();
        let (peer, own) = (self.sites[site].peer(), offer.credentials().clone());
        self.machine.offer(peer.0, offer);
        let delivered = self.rest();
        assert_eq!(self.answers.len(), 1, "an offer has one answer");
        if self.answers[0].is_ok() && self.sites[site].own != own {
            let now = self.machine.now;
            self.sites[site].line.restarts(now, own.clone());
            self.sites[site].own = own;
        }
        self.deliver(delivered);
    }

    /// What a viewer wants in its first two slots; the other viewers keep what they had.
    pub fn wish(&mut self, viewer: usize, wishes: [(usize, SourceKind, u16); 2]) {
        let wish = |(target, kind, max_height): (usize, SourceKind, u16)| {
            let peer = self.sites[target % self.sites.len()].peer();
            Some(Wish { source: Source { peer, kind }, max_height })
        };
        let slots: Vec<Option<Wish>> = wishes.into_iter().map(wish).collect();
        let all = self.sites.iter().enumerate().map(|(index, site)| DesiredPeer {
            peer: site.peer(),
            may_publish: Permissions::all(),
            ranks: Ranks::default(),
            has_floor: false,
            asks_for_mix: false,
            video_slots: if index == viewer { slots.clone() } else { others(site) },
        });
        let desired = Desired { peers: all.collect() };
        self.machine.command(Command::Reconcile { room: ROOM, desired });
        let delivered = self.rest();
        self.deliver(delivered);
    }

    pub fn passes(&mut self, time: Duration) {
        self.machine.now += time;
        self.mix();
        self.machine.input(sfu::engine::Input::Timeout);
        let delivered = self.rest();
        self.deliver(delivered);
    }

    /// A site's datagram comes to the engine.
    pub fn send(&mut self, site: usize, datagram: &[u8]) {
        self.sites[site].traffic.0 += datagram.len();
        self.machine.datagram(self.sites[site].number, datagram);
        if !self.is_held {
            let delivered = self.rest();
            self.deliver(delivered);
        }
    }

    /// What the lines send goes back and forth until they are silent.
    pub fn exchange(&mut self) {
        for _ in 0..MAX_ROUNDS {
            let mut sent = false;
            for site in 0..self.sites.len() {
                self.sites[site].line.handle_timeout(self.machine.now);
                while let Some(datagram) = self.sites[site].line.poll_transmit() {
                    sent = true;
                    self.send(site, &datagram);
                }
            }
            if !sent {
                return;
            }
        }
        panic!("client and engine do not come to an end");
    }

    /// What the engine orders, for each address.
    pub fn rest(&mut self) -> VecDeque<(SocketAddr, Vec<u8>)> {
        let mut sent = VecDeque::new();
        let mut events = Vec::new();
        let mut wanted = None;
        self.machine.rest_with(|order| match order {
            Output::Transmit(transmit) => {
                let size = transmit.segment_size.unwrap_or(transmit.data.len()).max(1);
                let datagrams = transmit.data.chunks(size).map(|data| (transmit.path.remote, data.to_vec()));
                sent.extend(datagrams);
            }
            Output::Event(event) => events.push(event),
            Output::Mix(MixOrder::Room { room, mixes, .. }) => {
                let mix = |mix: WantedMix| MixId { room, without: mix.without };
                wanted = Some(mixes.into_iter().map(mix).collect());
            }
            Output::Mix(MixOrder::Voice { .. }) => {}
            Output::Timeout(_) => {}
        });
        events.into_iter().for_each(|event| self.take(event));
        self.mixes = wanted.unwrap_or(std::mem::take(&mut self.mixes));
        sent
    }

    /// A mixer's packets, of no voice in particular.
    fn mix(&mut self) {
        self.mixed += 960;
        for mix in self.mixes.clone() {
            let mixed = Mixed { mix, timestamp: self.mixed, payload: vec![0xf8; 40] };
            self.machine.input(sfu::engine::Input::Mixed(mixed));
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Answer { peer, sdp } => {
                self.answers.push(Ok(()));
                let index = peer.0 as usize - 1;
                let answer = Answer::read(&sdp).expect("credentials");
                let site = &mut self.sites[index];
                site.line.answered(answer.ice);
                site.answered =
                    answer.slots.iter().flat_map(|slot| [Some(slot.ssrc), slot.rtx]).flatten().collect();
                // An inactive slot keeps its place.
                let fresh = site.answered.iter().filter(|ssrc| !site.slots.contains(ssrc)).copied();
                let fresh: Vec<u32> = fresh.collect();
                site.slots.extend(fresh);
            }
            Event::OfferRefused { reason, .. } => self.answers.push(Err(reason)),
            _ => {}
        }
    }

    fn deliver(&mut self, mut sent: VecDeque<(SocketAddr, Vec<u8>)>) {
        while let Some((to, datagram)) = sent.pop_front() {
            assert!(path(to).remote == to && datagram.len() <= 1_500, "{} bytes", datagram.len());
            if let Some(site) = self.sites.iter_mut().find(|site| site.address() == to) {
                site.receive(self.machine.now, &datagram);
            }
        }
    }
}

fn others(site: &Site) -> Vec<Option<Wish>> {
    // Of two sites, the other one.
    let peer = PeerId(3 - u64::from(site.number));
    let wish = |kind| Some(Wish { source: Source { peer, kind }, max_height: 720 });
    vec![wish(SourceKind::Camera), wish(SourceKind::Content)]
}
