//! A house in which anything happens, drawn from a seed.

use super::building::House;
use crate::simulation::{Draws, LinkModel, Rate, rng};
use protocol::{Action, SiteId, SlotWish, SourceKind};
use rand::Rng;
use rand::rngs::StdRng;
use std::time::Duration;

/// Sites of each meeting.
const MEETINGS: [usize; 3] = [3, 3, 2];
/// All is well again within this. A page waits ten seconds at most before it tries again, a handshake on a poor line
/// takes up to 5.5 s, and the one before may have failed.
const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(500);

/// What may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Wish,
    Unwish,
    /// The chair's.
    Mute,
    Allow,
    MuteAll,
    Lock,
    Unlock,
    Remove,
    Readmit,
    BigScreen,
    End,
    /// A site's own.
    Microphone,
    Camera,
    Content,
    Leave,
    Come,
    Reload,
    OtherMachine,
    /// Nobody's.
    Vanish,
    Cut,
    Narrow,
    Rebind,
    Hang,
    Die,
}

impl Act {
    /// What happens in every house.
    pub const ORDINARY: &'static [Act] = &[
        Act::Wish,
        Act::Wish,
        Act::Wish,
        Act::Unwish,
        Act::Mute,
        Act::Allow,
        Act::MuteAll,
        Act::Lock,
        Act::Unlock,
        Act::Remove,
        Act::Readmit,
        Act::BigScreen,
        Act::BigScreen,
        Act::Microphone,
        Act::Camera,
        Act::Content,
        Act::Leave,
        Act::Come,
        Act::Come,
        Act::Come,
    ];
    /// And what happens in some.
    pub const DISASTERS: &'static [Act] = &[
        Act::Wish,
        Act::Wish,
        Act::Mute,
        Act::Lock,
        Act::BigScreen,
        Act::Microphone,
        Act::Content,
        Act::Come,
        Act::Come,
        Act::End,
        Act::Reload,
        Act::OtherMachine,
        Act::Vanish,
        Act::Cut,
        Act::Cut,
        Act::Narrow,
        Act::Rebind,
        Act::Rebind,
        Act::Hang,
        Act::Die,
    ];
}

/// See the module.
pub struct HouseChaos {
    pub house: House,
    seed: u64,
    rng: StdRng,
    link: LinkModel,
}

impl HouseChaos {
    /// All sites have come.
    pub fn new(seed: u64, link: LinkModel) -> HouseChaos {
        let house = House::new(seed, &MEETINGS, link);
        let mut chaos = HouseChaos { house, seed, rng: rng(seed, Draws::Story), link };
        (0..chaos.house.sites.len()).for_each(|site| chaos.house.come(site, true, false));
        chaos.house.run(Duration::from_secs(2));
        chaos
    }

    /// Prints what it does, for the reader of a failure.
    pub fn run(&mut self, steps: usize, acts: &[Act]) {
        for _ in 0..steps {
            let act = acts[self.rng.random_range(0..acts.len())];
            let site = self.rng.random_range(0..self.house.sites.len());
            let number = self.rng.random_range(0..3usize);
            println!("{:?} {act:?} {site} {number}", self.house.age());
            self.happen(act, site, number);
            let pause = [3, 20, 60, 200, 700, 1500, 4000][self.rng.random_range(0..7)];
            self.house.run(Duration::from_millis(pause));
        }
    }

    /// Everything is well again, and all sites come.
    pub fn settle(&mut self) {
        self.house.net.wire.links.iter_mut().for_each(|link| *link = self.link);
        (0..2).for_each(|worker| self.house.hang(worker, false));
        let end = self.house.now + PATIENCE;
        while self.house.now < end {
            (0..self.house.sites.len()).for_each(|site| self.make_well(site));
            self.house.run(STEP);
            if self.house.disagreements().is_empty() {
                return;
            }
        }
    }

    /// Stops the test where something was violated.
    pub fn judge(&self) {
        let violated = [self.house.faults.as_slice(), &self.house.disagreements()].concat();
        assert!(violated.is_empty(), "seed {} violated:\n{}", self.seed, violated.join("\n"));
    }

    /// The chair takes back what keeps a site out or silent, and the site turns everything on.
    fn make_well(&mut self, index: usize) {
        let House { now, .. } = self.house;
        let site = &self.house.sites[index];
        let is_chair = site.is_chair();
        if site.page.is_none() {
            return self.house.come(index, true, true);
        }
        let Some(view) = site.known.meeting.clone() else { return };
        let net = &mut self.house.net;
        if is_chair {
            let chair = &mut self.house.sites[index];
            if view.locked {
                chair.act(now, net, Action::Lock { locked: false });
            }
            chair.act(now, net, Action::AllowUnmuteAll {});
            let removed = view.sites.iter().filter(|site| site.presence == protocol::Presence::Removed);
            removed.for_each(|site| chair.act(now, net, Action::Readmit { site: site.id }));
        }
        let site = &mut self.house.sites[index];
        if !(site.device.microphone && site.device.camera) {
            (site.device.microphone, site.device.camera) = (true, true);
            site.tell_device(now, net);
        }
    }

    fn happen(&mut self, act: Act, site: usize, number: usize) {
        match act {
            Act::Wish | Act::Unwish => self.on_wishes(act, site, number),
            Act::Microphone | Act::Camera | Act::Content => self.on_device(act, site),
            Act::Leave | Act::Come | Act::Reload | Act::OtherMachine | Act::Vanish => {
                self.on_presence(act, site, number);
            }
            Act::Cut | Act::Narrow | Act::Rebind | Act::Hang | Act::Die => {
                self.on_disaster(act, site, number)
            }
            _ => self.by_chair(act, site, number),
        }
    }

    /// Another site of the same meeting, or this one.
    fn other(&mut self, site: usize) -> SiteId {
        let meeting = self.house.sites[site].meeting;
        let all: Vec<SiteId> =
            self.house.sites.iter().filter(|other| other.meeting == meeting).map(|other| other.id).collect();
        all[self.rng.random_range(0..all.len())]
    }

    fn on_wishes(&mut self, act: Act, site: usize, number: usize) {
        let other = self.other(site);
        let kind = if self.rng.random_bool(0.2) { SourceKind::Content } else { SourceKind::Camera };
        let max_height = [90, 200, 360, 720, 1080][self.rng.random_range(0..5)];
        let now = self.house.now;
        let viewer = &mut self.house.sites[site];
        if other != viewer.id {
            let wish = Some(SlotWish { site: other, kind, max_height }).filter(|_| act == Act::Wish);
            let is_same =
                |slot: &Option<SlotWish>| slot.is_some_and(|slot| slot.site == other && slot.kind == kind);
            // A page has no source in two slots.
            viewer.wishes.iter_mut().filter(|slot| is_same(slot)).for_each(|slot| *slot = None);
            viewer.wishes[number] = wish;
            viewer.tell_wishes(now, &mut self.house.net);
        }
    }

    fn on_device(&mut self, act: Act, site: usize) {
        let now = self.house.now;
        let site = &mut self.house.sites[site];
        let button = match act {
            Act::Microphone => &mut site.device.microphone,
            Act::Camera => &mut site.device.camera,
            _ => &mut site.device.content,
        };
        *button = !*button;
        site.tell_device(now, &mut self.house.net);
    }

    fn on_presence(&mut self, act: Act, site: usize, number: usize) {
        let is_here = self.house.sites[site].page.is_some();
        let now = self.house.now;
        match act {
            Act::Leave => self.house.sites[site].leave(now, &mut self.house.net),
            Act::Vanish => self.house.sites[site].vanish(&mut self.house.net),
            Act::Come if !is_here => self.house.come(site, number > 0, number == 1),
            Act::Reload if is_here => self.house.come(site, true, false),
            Act::OtherMachine => self.house.come(site, false, true),
            _ => {}
        }
    }

    fn on_disaster(&mut self, act: Act, site: usize, number: usize) {
        match act {
            Act::Cut => {
                self.house.net.wire.links[site].cut = true;
                self.house.run(Duration::from_millis([300, 5000, 20_000][number]));
                self.house.net.wire.links[site].cut = false;
            }
            Act::Hang => {
                let worker = site % 2;
                self.house.hang(worker, true);
                self.house.run(Duration::from_millis([800, 4000, 9000][number]));
                self.house.hang(worker, false);
            }
            Act::Narrow => {
                let bits_per_second = [200_000, 600_000, 1_500_000][number];
                let rate = Rate { bits_per_second, queue: Duration::from_millis(300) };
                let rate = Some(rate).filter(|_| self.rng.random_bool(0.5));
                self.house.net.wire.links[site].rate = rate;
            }
            Act::Rebind => self.house.net.rebind(site),
            _ => self.house.die(),
        }
    }

    fn by_chair(&mut self, act: Act, site: usize, number: usize) {
        let meeting = self.house.sites[site].meeting;
        let whom = self.other(site);
        let action = match act {
            Act::Mute => Action::Mute { site: whom },
            Act::Allow => Action::AllowUnmute { site: whom },
            Act::MuteAll => Action::MuteAll {},
            Act::Lock => Action::Lock { locked: true },
            Act::Unlock => Action::Lock { locked: false },
            Act::Remove => Action::Remove { site: whom },
            Act::Readmit => Action::Readmit { site: whom },
            Act::BigScreen => Action::BigScreen { site: (number > 0).then_some(whom) },
            _ => Action::End {},
        };
        let now = self.house.now;
        let chair = self.house.sites.iter_mut().find(|site| site.meeting == meeting && site.is_chair());
        chair.expect("a chair").act(now, &mut self.house.net, action);
    }
}
