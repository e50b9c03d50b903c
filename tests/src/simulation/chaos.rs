//! A meeting in which anything happens, drawn from a seed.

use super::client::PathState;
use super::codec::VideoCodec;
use super::seeds::{Draws, rng};
use super::wire::Rate;
use super::world::{Site, World};
use super::{LinkModel, Publishes};
use rand::Rng;
use rand::rngs::StdRng;
use sfu::command::Permissions;
use sfu::ids::SourceKind;
use sfu::net::PathKind;
use std::time::Duration;

const SITE: Publishes = Publishes { layers: 3, voice: true };
const SLOTS: usize = 3;
const MOST_SITES: usize = 7;
/// Half seconds to settle in, beyond eight seconds, and those after which a lost path is looked for again.
const PATIENCE: usize = 24;
const TRY_AGAIN: usize = 8;

/// What may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Wish,
    Unwish,
    Join,
    Leave,
    Mute,
    Unmute,
    Dark,
    Content,
    Quiet,
    Floor,
    Cut,
    RestartIce,
    Voice,
    RestartLayer,
    RestartVoice,
    Overload,
    Rebind,
    OtherKind,
    Narrow,
    Widen,
}

impl Operation {
    /// What happens in every meeting.
    pub const ORDINARY: &'static [Operation] = &[
        Operation::Wish,
        Operation::Wish,
        Operation::Wish,
        Operation::Unwish,
        Operation::Join,
        Operation::Leave,
        Operation::Dark,
        Operation::Content,
        Operation::Quiet,
        Operation::Floor,
        Operation::Voice,
        Operation::Cut,
        Operation::RestartIce,
        Operation::Overload,
    ];
    /// And what happens in some.
    pub const RARE: &'static [Operation] = &[
        Operation::Wish,
        Operation::Wish,
        Operation::Mute,
        Operation::Unmute,
        Operation::RestartLayer,
        Operation::RestartVoice,
    ];
    /// What happens to sites whose lines differ: TCP, NATs, narrow lines.
    pub const ANYWHERE: &'static [Operation] = &[
        Operation::Wish,
        Operation::Wish,
        Operation::Wish,
        Operation::Wish,
        Operation::Unwish,
        Operation::Join,
        Operation::Leave,
        Operation::Mute,
        Operation::Unmute,
        Operation::Dark,
        Operation::Content,
        Operation::Quiet,
        Operation::Voice,
        Operation::Cut,
        Operation::RestartIce,
        Operation::RestartLayer,
        Operation::Overload,
        Operation::Rebind,
        Operation::Rebind,
        Operation::OtherKind,
        Operation::Narrow,
        Operation::Narrow,
        Operation::Widen,
    ];
}

/// Which sites are in the meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sites {
    /// Over UDP, all on the same line.
    Alike,
    /// Over UDP or TCP.
    Varied,
    /// As those, each with a codec of its own.
    Mixed,
}

pub struct Chaos {
    pub world: World,
    seed: u64,
    rng: StdRng,
    codecs: StdRng,
    link: LinkModel,
    who: Sites,
}

impl Chaos {
    pub fn new(seed: u64, link: LinkModel, who: Sites) -> Chaos {
        let (codecs, rng) = (rng(seed, Draws::Codecs), rng(seed, Draws::Story));
        let mut chaos = Chaos { world: World::new(seed), seed, rng, codecs, link, who };
        for _ in 0..4 {
            chaos.join();
        }
        chaos.world.run(Duration::from_secs(2));
        chaos
    }

    /// Prints what it does, for the reader of a failure.
    pub fn run(&mut self, steps: usize, operations: &[Operation]) {
        for _ in 0..steps {
            let operation = operations[self.rng.random_range(0..operations.len())];
            let what = self.happen(operation);
            println!("{:?} {operation:?} {what}", self.world.age());
            let pause = [3, 20, 60, 200, 700, 1500, 4000][self.rng.random_range(0..7)];
            self.world.run(Duration::from_millis(pause));
        }
    }

    /// Everything is well again: lines carry, cameras are on, no site is muted.
    pub fn settle(&mut self) {
        for index in 0..self.world.sites.len() {
            self.world.wire.links[index] = self.link;
            let site = &mut self.world.sites[index];
            site.may = Permissions::all();
            (site.client.dark, site.client.muted) = (false, false);
            site.client.layers.iter_mut().for_each(|layer| layer.quiet = false);
            let gone = |source: sfu::ids::Source, shares: bool| source.kind == SourceKind::Content && !shares;
            let wishes = self.world.sites[index].wishes.clone();
            for (slot, wish) in wishes.into_iter().enumerate() {
                let Some(wish) = wish else { continue };
                let target = &self.world.sites[wish.source.peer.0 as usize - 1];
                if !target.in_room || gone(wish.source, target.client.shares_content()) {
                    self.world.sites[index].wishes[slot] = None;
                }
            }
        }
        self.world.reconcile();
        self.restart(|_| true);
        self.world.run(Duration::from_secs(8));
        // A handshake that was cut off goes on when the client's timer is due: up to 8 s later.
        for step in 0..PATIENCE {
            if self.world.disagreements().is_empty() {
                break;
            }
            // What a narrow line had kept back made the checks too late; the client's stack gives up after some.
            if step.is_multiple_of(TRY_AGAIN) {
                self.restart(|site| site.client.path != PathState::Up);
            }
            self.world.run(Duration::from_millis(500));
        }
    }

    /// Sites inside for which this holds restart ICE.
    fn restart(&mut self, whom: impl Fn(&Site) -> bool) {
        for index in 0..self.world.sites.len() {
            let site = &mut self.world.sites[index];
            if site.in_room && whom(site) {
                site.client.restart_ice();
                self.world.offer(index);
            }
        }
    }

    /// Stops the test where something was violated.
    pub fn judge(&self) {
        let violated = [self.world.faults.as_slice(), &self.world.disagreements()].concat();
        assert!(violated.is_empty(), "seed {} violated:\n{}", self.seed, violated.join("\n"));
    }

    fn inside(&mut self) -> usize {
        let inside: Vec<usize> =
            (0..self.world.sites.len()).filter(|i| self.world.sites[*i].in_room).collect();
        inside[self.rng.random_range(0..inside.len())]
    }

    fn happen(&mut self, operation: Operation) -> String {
        let (site, other, number) = (self.inside(), self.inside(), self.rng.random_range(0..3usize));
        let now = self.world.now;
        match operation {
            Operation::Wish => {
                let kind = if self.rng.random_bool(0.2) { SourceKind::Content } else { SourceKind::Camera };
                let height = [90, 200, 360, 720, 1080][self.rng.random_range(0..5)];
                if other != site {
                    self.world.wish_for(site, number, Some((other, kind)), height);
                }
                return format!("{site} slot {number}: {other} {kind:?} {height}");
            }
            Operation::Unwish => self.world.wish(site, number, None, 0),
            Operation::Join if self.world.sites.len() < MOST_SITES => return self.join(),
            Operation::Leave if self.world.present() > 3 => self.world.leave(site),
            Operation::Mute | Operation::Unmute | Operation::Floor => self.on_rights(operation, site, number),
            Operation::Cut => {
                self.world.wire.links[site].cut = true;
                self.world.run(Duration::from_millis([100, 900, 5000][number]));
                self.world.wire.links[site].cut = false;
            }
            Operation::RestartIce => {
                self.world.wire.links[site].cut = false;
                self.world.sites[site].client.restart_ice();
                self.world.offer(site);
            }
            Operation::Rebind | Operation::OtherKind | Operation::Narrow | Operation::Widen => {
                self.on_line(operation, site, number);
            }
            Operation::Overload => {
                self.world.overload(Duration::from_millis(160));
                self.world.run(Duration::from_millis([300, 500, 900][number]));
                self.world.relieve();
            }
            _ => self.on_client(operation, site, number, now),
        }
        format!("{site} {number}")
    }

    fn join(&mut self) -> String {
        if self.who == Sites::Alike {
            return format!("{}", self.world.join(SITE, SLOTS, self.link));
        }
        let kind = if self.rng.random_bool(0.3) { PathKind::Tcp } else { PathKind::Udp };
        let codec = match self.who {
            Sites::Mixed => VideoCodec::ALL[self.codecs.random_range(0..VideoCodec::ALL.len())],
            _ => VideoCodec::Vp8,
        };
        let site = self.world.join_coded((SITE, codec), SLOTS, self.link);
        self.world.rebind(site, kind);
        format!("{site} {kind:?} {codec:?}")
    }

    /// Another address: silently, with a client that nominates again, or twice within a moment.
    fn rebind(&mut self, site: usize, kind: PathKind, number: usize) {
        let (before, _) = self.world.sites[site].seen_at;
        let old = self.world.rebind(site, kind);
        match number {
            0 => {}
            1 => self.world.nominate_again(site),
            _ => {
                self.world.run(Duration::from_millis(150));
                self.world.rebind(site, kind);
            }
        }
        // Of a dead connection the bridge may learn at once, or never.
        if before == PathKind::Tcp && number > 0 {
            self.world.hang_up(old);
        }
    }

    fn on_line(&mut self, operation: Operation, site: usize, number: usize) {
        let (kind, _) = self.world.sites[site].seen_at;
        match (operation, kind) {
            (Operation::Rebind, _) => self.rebind(site, kind, number),
            (Operation::OtherKind, PathKind::Udp) => self.rebind(site, PathKind::Tcp, number),
            (Operation::OtherKind, PathKind::Tcp) => self.rebind(site, PathKind::Udp, number),
            (Operation::Narrow, _) => {
                let bits_per_second = [200_000, 600_000, 1_500_000][number];
                let queue = Duration::from_millis([60, 300][self.rng.random_range(0..2)]);
                self.world.wire.links[site].rate = Some(Rate { bits_per_second, queue });
            }
            _ => self.world.wire.links[site].rate = None,
        }
    }

    fn on_rights(&mut self, operation: Operation, site: usize, number: usize) {
        let sites = &mut self.world.sites;
        match operation {
            Operation::Mute => {
                let (microphone, camera) = (number == 0, number == 1);
                sites[site].may = Permissions { microphone, camera, content: true };
            }
            Operation::Unmute => sites.iter_mut().for_each(|site| site.may = Permissions::all()),
            _ => self.world.floor = (number > 0).then_some(site),
        }
        self.world.reconcile();
    }

    fn on_client(&mut self, operation: Operation, site: usize, number: usize, now: std::time::Instant) {
        let client = &mut self.world.sites[site].client;
        match operation {
            Operation::Dark => client.dark = !client.dark,
            Operation::Content => client.share_content(now, !client.shares_content()),
            Operation::Quiet => {
                if let Some(layer) = client.layers.get_mut(number) {
                    layer.quiet = !layer.quiet;
                }
            }
            Operation::Voice => (client.muted, client.level) = (number == 0, [20, 40, 90][number]),
            Operation::RestartLayer => client.restart_layer(number),
            Operation::RestartVoice => client.restart_voice(),
            _ => {}
        }
    }
}
