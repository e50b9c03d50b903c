//! Stories of the mixer in virtual time, told with marks.

mod delay;
mod hostile;
mod lateness;
mod opus;
mod orders;
mod silence;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sfu::ids::{PeerId, RoomId};
use sfu::mix::{MixFormat, MixId, MixOrder, Mixed, WantedMix};

use crate::{Codec, Marks, Mixer, Output};

pub const ROOM: RoomId = RoomId(1);
pub const ANNA: PeerId = PeerId(10);
pub const BINH: PeerId = PeerId(20);

/// A voice's packet: key and value. A mix's: so many of these, and zeros.
pub const MARKS: Marks = Marks { read, write };

fn read(packet: &[u8]) -> Option<(u8, u32)> {
    let (key, value) = packet.split_first()?;
    Some((*key, u32::from_be_bytes(value.try_into().ok()?)))
}

fn write(marks: &[(u8, u32)], bytes: usize) -> Vec<u8> {
    let mut packet: Vec<u8> = marks.iter().flat_map(|(key, value)| mark(*key, *value)).collect();
    packet.resize(packet.len().max(bytes), 0);
    packet
}

pub fn mark(key: u8, value: u32) -> Vec<u8> {
    [&[key][..], &value.to_be_bytes()].concat()
}

pub fn marks(mixed: &Mixed) -> Vec<(u8, u32)> {
    let marks = mixed.payload.chunks_exact(5).filter_map(read);
    marks.filter(|(_, value)| *value > 0).collect()
}

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn wanted(without: Option<PeerId>, bps: u32) -> WantedMix {
    WantedMix { without, format: MixFormat { bps, is_long: true } }
}

pub fn room(voices: &[PeerId], mixes: &[WantedMix]) -> MixOrder {
    MixOrder::Room { room: ROOM, voices: voices.to_vec(), mixes: mixes.to_vec() }
}

/// A mixer, its time in milliseconds, and what it gave.
pub struct Desk<C: Codec> {
    pub mixer: Mixer<C>,
    pub epoch: Instant,
    pub now: u64,
    /// With the time at which it came.
    pub sent: Vec<(u64, Mixed)>,
    /// Is repeated each second while somebody speaks, as an engine does.
    pub standing: Option<MixOrder>,
}

impl<C: Codec> Desk<C> {
    pub fn new(codec: C) -> Desk<C> {
        let epoch = Instant::now();
        Desk { mixer: Mixer::new(epoch, codec), epoch, now: 0, sent: Vec::new(), standing: None }
    }

    /// Polls at the moment; gives the timeout, in milliseconds.
    pub fn poll(&mut self) -> u64 {
        loop {
            match self.mixer.poll_output(self.epoch + ms(self.now)) {
                Output::Mixed(mixed) => self.sent.push((self.now, mixed)),
                Output::Timeout(at) => return (at - self.epoch).as_millis() as u64,
            }
        }
    }

    /// A host that comes whenever it was told to.
    pub fn run(&mut self, until: u64) {
        let mut timeout = self.poll();
        while timeout <= until {
            assert!(timeout > self.now, "it spins");
            self.now = timeout;
            timeout = self.poll();
        }
        self.now = until;
    }

    /// What waits for the next poll.
    pub fn order(&mut self, order: MixOrder) {
        if matches!(order, MixOrder::Room { .. }) {
            self.standing = Some(order.clone());
        }
        self.mixer.handle_order(self.epoch + ms(self.now), order);
    }

    pub fn voice(&mut self, voice: PeerId, timestamp: u32, payload: Vec<u8>) {
        self.order(MixOrder::Voice { room: ROOM, voice, timestamp, payload });
    }

    /// The packets of each mix, and their timestamps.
    pub fn mixes(&self) -> BTreeMap<MixId, Vec<&Mixed>> {
        let mut mixes = BTreeMap::<MixId, Vec<&Mixed>>::new();
        self.sent.iter().for_each(|(_, mixed)| mixes.entry(mixed.mix).or_default().push(mixed));
        mixes
    }

    /// Those of one mix of the room.
    pub fn mix(&self, without: Option<PeerId>) -> Vec<Mixed> {
        let mix = MixId { room: ROOM, without };
        self.sent.iter().map(|(_, mixed)| mixed).filter(|mixed| mixed.mix == mix).cloned().collect()
    }
}

impl Desk<Marks> {
    /// These voices speak for a while, 20 ms a packet, from the tick on that this is; values count packets from 1 on.
    pub fn speak(&mut self, voices: &[PeerId], until: u64) {
        while self.now < until {
            let number = (self.now / 20) as u32;
            if self.now % 1_000 < 20 {
                self.repeat();
            }
            for voice in voices {
                self.voice(*voice, number * 960, mark(voice.0 as u8, number + 1));
            }
            self.run(self.now + 20);
        }
    }

    pub fn repeat(&mut self) {
        if let Some(order) = self.standing.clone() {
            self.order(order);
        }
    }

    /// All values that a mix had of a voice, in their order.
    pub fn heard(&self, without: Option<PeerId>, voice: PeerId) -> Vec<u32> {
        let all = self.mix(without).into_iter().flat_map(|mixed| marks(&mixed));
        all.filter(|(key, _)| *key == voice.0 as u8).map(|(_, value)| value).collect()
    }

    pub fn timestamps(&self, without: Option<PeerId>) -> Vec<u32> {
        self.mix(without).iter().map(|mixed| mixed.timestamp).collect()
    }
}
