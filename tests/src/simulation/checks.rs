//! What must hold at every moment of a simulated meeting; what does not is a fault of the world.

use super::client::{Client, Seen};
use super::world::{World, index};
use sfu::event::Event;
use sfu::ids::{PeerId, SlotId, Source};
use std::collections::BTreeMap;
use std::time::Duration;

/// Lips and voice of one site may be apart by so much (ITU-R BT.1359: 45 ms early, 125 ms late).
const LIPS_S: f64 = 0.1;
/// A switch moves a slot's time line, and the next sender report, a second later at most, says so.
const LIPS_SETTLE: Duration = Duration::from_millis(1500);

impl World {
    /// A packet shows whom its slot was said to show when it left the bridge.
    pub(super) fn check_names(&mut self, viewer: usize) {
        for seen in std::mem::take(&mut self.sites[viewer].client.seen) {
            let Seen { slot, site, kind, sent_at } = seen;
            let source = Some(Source { peer: PeerId(u64::from(site)), kind });
            let names = self.told.get(&(viewer, slot)).map(Vec::as_slice).unwrap_or_default();
            let since = names.iter().rposition(|(at, _)| *at < sent_at);
            // What was said in the very moment of sending may be of either side of it.
            let fits = names.iter().skip(since.unwrap_or(0)).take_while(|(at, _)| *at <= sent_at);
            if !fits.into_iter().any(|(_, told)| *told == source) {
                let names = names.iter().map(|(at, told)| (*at - self.epoch, *told));
                let names: Vec<_> = names.collect();
                let at = sent_at - self.epoch;
                self.faults.push(format!("{at:?}: site {viewer} {slot:?} shows {source:?}, told {names:?}"));
            }
        }
    }

    pub(super) fn check(&mut self) {
        let at = self.now - self.epoch;
        for viewer in 0..self.sites.len() {
            let mut found = std::mem::take(&mut self.sites[viewer].client.faults);
            let Client { video, audio, .. } = &mut self.sites[viewer].client;
            for (slot, view) in video.iter_mut() {
                found.extend(view.faults.drain(..).map(|fault| format!("video {slot}: {fault}")));
            }
            for (slot, view) in audio.iter_mut() {
                found.extend(view.faults.drain(..).map(|fault| format!("audio {slot}: {fault}")));
            }
            found.extend(self.check_voices(viewer));
            found.extend(self.check_repairs(viewer));
            found.extend(self.check_lips(viewer));
            self.faults.extend(found.into_iter().map(|fault| format!("{at:?}: site {viewer} {fault}")));
        }
    }

    /// Nobody is heard in two slots at once.
    fn check_voices(&self, viewer: usize) -> Option<String> {
        let is_voice = |slot: &SlotId| matches!(slot, SlotId::Audio(_));
        let carried = self.shown.iter().filter(|((site, slot), _)| *site == viewer && is_voice(slot));
        let mut voices: Vec<Source> = carried.filter_map(|(_, source)| *source).collect();
        let count = voices.len();
        voices.sort_unstable();
        voices.dedup();
        let inside = self.sites[viewer].in_room;
        (inside && voices.len() < count).then(|| "hears somebody twice".to_owned())
    }

    /// Nobody is resent more than its budget (`forward/resend.rs`), whatever happens: a quarter of the video it
    /// gets, the floor, and what a fresh budget holds.
    fn check_repairs(&self, viewer: usize) -> Option<String> {
        let traffic = self.sites[viewer].client.traffic;
        let floor = 12_500.0 * self.age().as_secs_f64() + 25_000.0;
        let most = traffic.video.bytes as f64 / 4.0 + floor;
        let resent = traffic.resent.bytes;
        (resent as f64 > most).then(|| format!("was resent {resent} bytes of at most {most:.0}"))
    }

    fn check_lips(&mut self, viewer: usize) -> Vec<String> {
        let Client { video, audio, .. } = &self.sites[viewer].client;
        let mut found = Vec::new();
        let mut apart = BTreeMap::new();
        for ((a, seen), (b, heard)) in video
            .values()
            .filter_map(|view| view.lag)
            .flat_map(|seen| audio.values().filter_map(move |view| view.lag.map(|heard| (seen, heard))))
        {
            if a != b || (seen - heard).abs() <= LIPS_S {
                continue;
            }
            let since = self.apart.get(&(viewer, a)).copied().unwrap_or(self.now);
            apart.insert((viewer, a), since);
            if self.now - since > LIPS_SETTLE {
                found.push(format!("lips of site {a}: seen {seen:.3} s late, heard {heard:.3} s late"));
            }
        }
        self.apart.retain(|(site, _), _| *site != viewer);
        self.apart.extend(apart);
        found
    }

    /// Whoever is told of must be here.
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
            self.faults.push(format!("{:?}: somebody who left is named: {event:?}", self.now - self.epoch));
        }
    }
}
