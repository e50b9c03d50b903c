//! What must hold at every moment of a simulated meeting; what does not is a fault of the world.

use super::client::{Client, Seen};
use super::incoming::{Leap, SlotView};
use super::world::{Site, World, index};
use sfu::discard::DropReason;
use sfu::event::Event;
use sfu::ids::{PeerId, SlotId, Source};
use sfu::net::PathKind;
use sfu::stats::WorkerStats;
use std::collections::BTreeMap;
use std::time::Duration;

/// Lips and voice of one site may be apart by so much (ITU-R BT.1359: 45 ms early, 125 ms late).
const LIPS_S: f64 = 0.1;
/// A slot that has shown nothing for so long is not compared: content sends five pictures a second.
const COMES_WITHIN: Duration = Duration::from_millis(500);
/// What a slow line has kept back may come so long after it was repaired.
const SLOW_FOR: Duration = Duration::from_secs(10);
/// A packet is so late where nothing is slow: a line, and what waits for a resent one.
const LATE_S: f64 = 1.0;
/// A source that is late when a slot begins with it catches up, and the slot's time has gained what it was late: of a
/// frame so much at most (`MAX_DISAGREEMENT_S`), unless its line kept its reports back as well, so that the bridge
/// believed another clock.
const GAINED_S: f64 = 2.0;
/// A switch moves a slot's timeline, and the next sender report, a second later at most, reports that.
const LIPS_SETTLE: Duration = Duration::from_millis(1500);

impl World {
    /// A packet is of the site its slot was reported to show when it left the bridge.
    pub(super) fn check_names(&mut self, viewer: usize) {
        for seen in std::mem::take(&mut self.sites[viewer].client.seen) {
            let Seen { slot, site, kind, sent_at } = seen;
            let source = Some(Source { peer: PeerId(u64::from(site)), kind });
            let names = self.names.get(&(viewer, slot)).map(Vec::as_slice).unwrap_or_default();
            let since = names.iter().rposition(|(at, _)| *at < sent_at);
            // What was reported at the very moment of sending may be of either side of it.
            let fits = names.iter().skip(since.unwrap_or(0)).take_while(|(at, _)| *at <= sent_at);
            if !fits.into_iter().any(|(_, name)| *name == source) {
                let names = names.iter().map(|(at, name)| (*at - self.epoch, *name));
                let names: Vec<_> = names.collect();
                let at = sent_at - self.epoch;
                self.faults.push(format!("{at:?}: site {viewer} {slot:?} shows {source:?}, named {names:?}"));
            }
        }
    }

    pub(super) fn check(&mut self) {
        let at = self.now - self.epoch;
        self.note_slow_lines();
        for viewer in 0..self.sites.len() {
            let mut found = self.sites[viewer].client.take_faults();
            found.extend(self.check_times(viewer));
            found.extend(self.check_voices(viewer));
            found.extend(self.check_repairs(viewer));
            found.extend(self.check_lips(viewer));
            found.extend(self.check_offered(viewer));
            self.faults.extend(found.into_iter().map(|fault| format!("{at:?}: site {viewer} {fault}")));
        }
    }

    fn note_slow_lines(&mut self) {
        for (site, link) in self.sites.iter_mut().zip(&self.wire.links) {
            if link.rate.is_some() || site.seen_at.0 == PathKind::Tcp {
                site.slow_until = Some(self.now + SLOW_FOR);
            }
            if link.rate.is_some() || link.cut {
                site.hindered_at = Some(self.now);
            }
        }
    }

    /// The bridge offers a line no more than it carries.
    fn check_offered(&mut self, viewer: usize) -> Option<String> {
        let link = &self.wire.links[viewer];
        let Site { offered, seen_at: (kind, _), client, in_room, .. } = &mut self.sites[viewer];
        offered.look(self.now, link, *kind, client.traffic).filter(|_| *in_room)
    }

    fn is_slow(&self, site: &Site) -> bool {
        site.slow_until.is_some_and(|until| until >= self.now)
    }

    /// A slot's time goes no further than the time that passes, unless the packet before was an old one: what a source
    /// resends after a cut is shown late and in order. An old key frame comes over a slow line only.
    fn check_times(&mut self, viewer: usize) -> Vec<String> {
        let gained = self.kept_back.as_secs_f64();
        let slow: Vec<bool> = self.sites.iter().map(|site| self.is_slow(site)).collect();
        let was_kept_back = |of: Option<u8>| of.is_some_and(|of| slow[usize::from(of) - 1]);
        let Client { video, audio, .. } = &mut self.sites[viewer].client;
        let (mut faults, mut old_keys) = (Vec::new(), Vec::new());
        let pictures = video.iter_mut().map(|(slot, view)| ("video", GAINED_S, slot, view));
        let voices = audio.iter_mut().map(|(slot, view)| ("audio", gained, slot, view));
        for (kind, most, slot, view) in pictures.chain(voices) {
            for Leap { ahead, elapsed, late, of } in view.leaps.drain(..) {
                let gained = if was_kept_back(of) { gained } else { gained.min(most) };
                if ahead < 0.0 || ahead > elapsed + late.max(0.0) + LATE_S + gained {
                    let behind = format!("{late:.3} s behind its capture before");
                    faults.push(format!("{kind} {slot}: time goes {ahead:.3} s in {elapsed:.3} s, {behind}"));
                }
            }
            old_keys.extend(view.old_keys.drain(..).map(|(of, late)| (*slot, of, late)));
        }
        let old_keys = old_keys.into_iter().filter(|(_, of, _)| !was_kept_back(Some(*of)));
        faults
            .extend(old_keys.map(|(slot, _, late)| format!("video {slot}: a key frame of {late:.3} s ago")));
        faults
    }

    /// No voice is in two slots at once.
    fn check_voices(&self, viewer: usize) -> Option<String> {
        let is_voice = |slot: &SlotId| matches!(slot, SlotId::Audio(_));
        let carried = self.shown.iter().filter(|((site, slot), _)| *site == viewer && is_voice(slot));
        let mut voices: Vec<Source> = carried.filter_map(|(_, source)| *source).collect();
        let count = voices.len();
        voices.sort_unstable();
        voices.dedup();
        let inside = self.sites[viewer].in_room;
        (inside && voices.len() < count).then(|| "gets a voice twice".to_owned())
    }

    /// No site is resent more than its budget (`forward/resend.rs`), whatever happens: a quarter of the video it gets,
    /// the floor, and what a fresh budget holds.
    fn check_repairs(&self, viewer: usize) -> Option<String> {
        let traffic = self.sites[viewer].client.traffic;
        let floor = 12_500.0 * self.age().as_secs_f64() + 25_000.0;
        let most = traffic.video.bytes as f64 / 4.0 + floor;
        let resent = traffic.resent.bytes;
        (resent as f64 > most).then(|| format!("was resent {resent} bytes of at most {most:.0}"))
    }

    fn check_lips(&mut self, viewer: usize) -> Vec<String> {
        let Client { video, audio, .. } = &self.sites[viewer].client;
        let comes = |view: &&SlotView| view.last_at.is_some_and(|at| self.now - at < COMES_WITHIN);
        let mut found = Vec::new();
        let mut apart = BTreeMap::new();
        for ((a, seen), (b, heard)) in
            video.values().filter(comes).filter_map(|view| view.lag).flat_map(|seen| {
                audio.values().filter(comes).filter_map(move |view| view.lag.map(|heard| (seen, heard)))
            })
        {
            if a != b || (seen - heard).abs() <= LIPS_S {
                continue;
            }
            let since = self.apart.get(&(viewer, a)).copied().unwrap_or(self.now);
            apart.insert((viewer, a), since);
            let narrow = |site: usize| self.wire.links[site].rate.is_some();
            if narrow(viewer) || narrow(usize::from(a) - 1) {
                apart.insert((viewer, a), self.now);
            } else if self.now - since > LIPS_SETTLE {
                found.push(format!("lips of site {a}: seen {seen:.3} s late, heard {heard:.3} s late"));
            }
        }
        self.apart.retain(|(site, _), _| *site != viewer);
        self.apart.extend(apart);
        found
    }

    /// Engine, meeting and clients agree: every wished slot shows what was wished, is reported to, and the client has
    /// just received it there. Returns what does not agree.
    pub fn disagreements(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (viewer, site) in self.sites.iter().enumerate().filter(|(_, site)| site.in_room) {
            for (slot, wish) in site.wishes.iter().enumerate() {
                let Some(wish) = wish else { continue };
                let named = self.shown.get(&(viewer, SlotId::Video(slot as u16))).copied().flatten();
                let view = site.client.video.get(&slot);
                let seen = view.and_then(|view| view.last).map(|(site, _)| u64::from(site));
                let fresh =
                    view.and_then(|v| v.last_at).is_some_and(|at| self.now - at < Duration::from_millis(500));
                if named != Some(wish.source) || seen != Some(wish.source.peer.0) || !fresh {
                    all.push(format!(
                        "site {viewer} slot {slot}: wished {:?}, named {named:?}, seen {seen:?}, fresh {fresh}",
                        wish.source
                    ));
                }
            }
        }
        all
    }

    /// A site that an event names must be here.
    pub(super) fn check_present(&mut self, event: &Event) {
        let named: Vec<PeerId> = match event {
            Event::Speakers { peers, .. } => peers.clone(),
            Event::SlotShows { peer, source, .. } => {
                [Some(*peer), source.map(|s| s.peer)].into_iter().flatten().collect()
            }
            Event::Publishing { source, .. } => vec![source.peer],
            Event::LayersWanted { peer, .. } | Event::Connected { peer, .. } | Event::Quiet { peer } => {
                vec![*peer]
            }
            Event::Stats { peers, .. } => peers.iter().map(|stats| stats.peer).collect(),
            _ => Vec::new(),
        };
        if named.iter().any(|peer| !self.sites[index(*peer)].in_room) {
            self.faults.push(format!("{:?}: a site that left is named: {event:?}", self.now - self.epoch));
        }
    }

    /// The last statistics.
    pub fn stats(&self) -> WorkerStats {
        let last = self.events.iter().rev().find_map(|event| match event {
            Event::Stats { worker, .. } => Some(worker.as_ref().clone()),
            _ => None,
        });
        last.unwrap_or_default()
    }

    /// Packets dropped for `reason`, by the last statistics.
    pub fn drops(&self, reason: DropReason) -> u64 {
        self.stats().drops.get(reason)
    }
}
