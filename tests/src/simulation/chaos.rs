//! A meeting in which anything happens, drawn from a seed.

use super::seeds::{Draws, rng};
use super::world::World;
use super::{LinkModel, Publishes};
use rand::Rng;
use rand::rngs::StdRng;
use sfu::command::Permissions;
use sfu::ids::SourceKind;
use std::time::Duration;

const SITE: Publishes = Publishes { layers: 3, voice: true };
const SLOTS: usize = 3;
const MOST_SITES: usize = 7;

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
}

pub struct Chaos {
    pub world: World,
    seed: u64,
    /// What was done, for whoever reads a failure.
    pub story: Vec<String>,
    rng: StdRng,
    link: LinkModel,
}

impl Chaos {
    pub fn new(seed: u64, link: LinkModel) -> Chaos {
        let rng = rng(seed, Draws::Story);
        let mut chaos = Chaos { world: World::new(seed), seed, story: Vec::new(), rng, link };
        for _ in 0..4 {
            chaos.world.join(SITE, SLOTS, link);
        }
        chaos.world.run(Duration::from_secs(2));
        chaos
    }

    pub fn run(&mut self, steps: usize, operations: &[Operation]) {
        for _ in 0..steps {
            let operation = operations[self.rng.random_range(0..operations.len())];
            let told = self.happen(operation);
            self.story.push(format!("{:?} {operation:?} {told}", self.world.age()));
            let pause = [3, 20, 60, 200, 700, 1500, 4000][self.rng.random_range(0..7)];
            self.world.run(Duration::from_millis(pause));
        }
    }

    /// Everything is well again: lines carry, cameras are on, nobody is muted.
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
        for index in 0..self.world.sites.len() {
            if self.world.sites[index].in_room {
                self.world.sites[index].client.restart_ice();
                self.world.offer(index);
            }
        }
        self.world.run(Duration::from_secs(8));
    }

    /// Stops the test where something was violated.
    pub fn judge(&self) {
        let violated = [self.world.faults.as_slice(), &self.world.disagreements()].concat();
        let (seed, story) = (self.seed, self.story.join("\n"));
        assert!(violated.is_empty(), "seed {seed} violated:\n{}\nin:\n{story}", violated.join("\n"));
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
            Operation::Join if self.world.sites.len() < MOST_SITES => {
                self.world.join(SITE, SLOTS, self.link);
            }
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
            Operation::Overload => {
                self.world.overload(Duration::from_millis(160));
                self.world.run(Duration::from_millis([300, 500, 900][number]));
                self.world.relieve();
            }
            _ => self.on_client(operation, site, number, now),
        }
        format!("{site} {number}")
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
