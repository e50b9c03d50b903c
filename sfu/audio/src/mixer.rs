//! All rooms, on one grid.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use sfu::ids::RoomId;
use sfu::mix::{MixOrder, Mixed};

use crate::codec::Codec;
use crate::grid::Grid;
use crate::room::Room;

/// The timeout of a mixer that has nothing to do: it will be called when an order comes.
const IDLE: Duration = Duration::from_secs(3_600);

/// What the mixer wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// This packet is to be sent.
    Mixed(Mixed),
    /// Nothing until then, or until an order comes.
    Timeout(Instant),
}

/// Mixes the voices of rooms as it is ordered.
///
/// Tick *n* is *n* · 20 ms after the epoch; a packet is of one tick, or of two, the first of them even; its timestamp is
/// *n* · 960 of the first. A host that is late catches up five ticks at once; timestamps leap over what is skipped.
pub struct Mixer<C: Codec> {
    codec: C,
    grid: Grid,
    rooms: BTreeMap<RoomId, Room<C>>,
    ready: VecDeque<Mixed>,
}

impl<C: Codec> Mixer<C> {
    /// A mixer without rooms, whose timeline begins at `epoch`.
    pub fn new(epoch: Instant, codec: C) -> Mixer<C> {
        Mixer { codec, grid: Grid::new(epoch), rooms: BTreeMap::new(), ready: VecDeque::new() }
    }

    /// Does what is ordered at `now`.
    pub fn handle_order(&mut self, now: Instant, order: MixOrder) {
        match order {
            MixOrder::Room { room, mixes, .. } if mixes.is_empty() => {
                self.rooms.remove(&room);
            }
            MixOrder::Room { room, voices, mixes } => {
                let room = self.rooms.entry(room).or_insert_with(|| Room::new(now));
                room.arrange(now, &self.codec, &voices, &mixes);
            }
            MixOrder::Voice { room, voice, timestamp, payload } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.receive(&self.codec, now, voice, timestamp, payload);
                }
            }
        }
    }

    /// The next packet, or when to come again. Catches up ticks that are due at `now`.
    pub fn poll_output(&mut self, now: Instant) -> Output {
        loop {
            if let Some(mixed) = self.ready.pop_front() {
                return Output::Mixed(mixed);
            }
            if self.rooms.is_empty() {
                return Output::Timeout(now.checked_add(IDLE).unwrap_or(now));
            }
            let Some(tick) = self.grid.due(now) else { return Output::Timeout(self.grid.next_at()) };
            self.rooms.retain(|_, room| room.is_wanted(tick.at));
            for (id, room) in &mut self.rooms {
                room.tick(&self.codec, *id, tick, &mut self.ready);
            }
        }
    }
}
