//! A room: its voices, their sum, and its mixes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sfu::ids::{PeerId, RoomId};
use sfu::mix::{MixFormat, MixId, Mixed, WantedMix};

use crate::codec::{Codec, FRAME};
use crate::grid::Tick;
use crate::mix::Mix;
use crate::voice::Voice;

/// Voices of a room that are mixed, at most; more people at once nobody understands, and each costs a decoder.
pub const MAX_VOICES: usize = 16;
/// Mixes of a room, at most: one for each voice would do. Each costs an encoder.
pub const MAX_MIXES: usize = 16;

const FORGOTTEN_AFTER: Duration = Duration::from_secs(5);

/// What is heard in a room, and by whom.
pub struct Room<C: Codec> {
    ordered_at: Instant,
    voices: BTreeMap<PeerId, Voice<C>>,
    mixes: BTreeMap<Option<PeerId>, Mix<C>>,
}

impl<C: Codec> Room<C> {
    /// An empty room.
    pub fn new(now: Instant) -> Room<C> {
        Room { ordered_at: now, voices: BTreeMap::new(), mixes: BTreeMap::new() }
    }

    /// Makes voices and mixes those that are named, up to the bounds. Those that were there go on.
    pub fn arrange(&mut self, now: Instant, codec: &C, voices: &[PeerId], mixes: &[WantedMix]) {
        self.ordered_at = now;
        let named: BTreeSet<PeerId> = voices.iter().copied().take(MAX_VOICES).collect();
        self.voices.retain(|voice, _| named.contains(voice));
        for voice in named {
            if !self.voices.contains_key(&voice) {
                self.voices.extend(Voice::new(codec).map(|new| (voice, new)));
            }
        }
        let wanted = mixes.iter().map(|mix| (mix.without, mix.format)).take(MAX_MIXES);
        let wanted: BTreeMap<Option<PeerId>, MixFormat> = wanted.collect();
        self.mixes.retain(|without, _| wanted.contains_key(without));
        for (without, format) in wanted {
            match self.mixes.get_mut(&without) {
                Some(mix) => mix.set_format(codec, format),
                None => self.mixes.extend(Mix::new(codec, format).map(|new| (without, new))),
            }
        }
    }

    /// Orders are repeated each second: a room whose order has not come for long is over, and the word of that was lost.
    pub fn is_wanted(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.ordered_at) < FORGOTTEN_AFTER
    }

    /// A packet that came at `now`. Those of others than the room's voices are ignored.
    pub fn receive(&mut self, codec: &C, now: Instant, voice: PeerId, timestamp: u32, payload: Vec<u8>) {
        if let Some(voice) = self.voices.get_mut(&voice) {
            voice.receive(codec, now, timestamp, payload);
        }
    }

    /// Takes 20 ms of each voice and gives the packets of mixes that are complete.
    pub fn tick(&mut self, codec: &C, room: RoomId, tick: Tick, ready: &mut impl Extend<Mixed>) {
        self.voices.values_mut().for_each(|voice| voice.tick(codec, tick.at));
        let total = self.total();
        let silence = [0.0; FRAME];
        for (without, mix) in &mut self.mixes {
            let own = without.and_then(|own| self.voices.get(&own)).map_or(&silence, Voice::frame);
            let is_heard = self.voices.iter().any(|(id, voice)| Some(*id) != *without && voice.is_heard());
            let others = total.iter().zip(own).map(|(total, own)| total - own);
            let packet = mix.take(codec, tick, others, is_heard);
            let mix = MixId { room, without: *without };
            ready.extend(packet.map(|(timestamp, payload)| Mixed { mix, timestamp, payload }));
        }
    }

    fn total(&self) -> [f32; FRAME] {
        let mut total = [0.0; FRAME];
        for voice in self.voices.values() {
            total.iter_mut().zip(voice.frame()).for_each(|(total, sample)| *total += sample);
        }
        total
    }
}
