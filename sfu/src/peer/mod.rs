//! One endpoint in four parts that are borrowed separately: its identity, its line, what it publishes, and its slots.
//! The same place in four tables, so that a packet can be read from one peer's slab while another peer's slot is
//! written.

pub mod identity;
pub mod ladder;
pub mod layer;
pub mod line;
pub mod publisher;
pub mod queue;
pub mod subscriber;

use crate::forward::packet::Origin;
use crate::forward::parameters::RtpCodec;
use crate::ids::{PeerId, PeerIndex};
use crate::sdp::NegotiatedCodec;
use identity::Identity;
use layer::Layer;
use line::Line;
use publisher::Publisher;
use std::collections::BTreeMap;
use std::time::Duration;
use subscriber::Subscriber;

/// The round trip assumed until it is measured: a line within the country.
const DEFAULT_RTT: Duration = Duration::from_millis(60);

/// A table whose places are handed out by [`Peers`].
#[derive(Debug)]
pub struct Table<T>(Vec<Option<(u32, T)>>);

impl<T> Table<T> {
    #[inline]
    pub fn get(&self, index: PeerIndex) -> Option<&T> {
        match self.0.get(index.place as usize) {
            Some(Some((generation, value))) if *generation == index.generation => Some(value),
            _ => None,
        }
    }

    #[inline]
    pub fn get_mut(&mut self, index: PeerIndex) -> Option<&mut T> {
        match self.0.get_mut(index.place as usize) {
            Some(Some((generation, value))) if *generation == index.generation => Some(value),
            _ => None,
        }
    }

    fn put(&mut self, index: PeerIndex, value: T) {
        let place = index.place as usize;
        if self.0.len() <= place {
            self.0.resize_with(place.saturating_add(1), || None);
        }
        if let Some(slot) = self.0.get_mut(place) {
            *slot = Some((index.generation, value));
        }
    }

    fn clear(&mut self, index: PeerIndex) {
        if self.get(index).is_some()
            && let Some(slot) = self.0.get_mut(index.place as usize)
        {
            *slot = None;
        }
    }
}

impl Table<Publisher> {
    /// The layer that packets of `origin` belong to.
    #[inline]
    pub fn layer(&self, origin: Origin) -> Option<&Layer> {
        self.get(origin.publisher)?.layer(origin.kind, origin.layer)
    }
}

/// All peers of a worker.
#[derive(Debug)]
pub struct Peers {
    by_id: BTreeMap<PeerId, PeerIndex>,
    free: Vec<u32>,
    /// Places that have ever been given.
    places: u32,
    generation: u32,
    pub identities: Table<Identity>,
    pub lines: Table<Line>,
    pub publishers: Table<Publisher>,
    pub subscribers: Table<Subscriber>,
}

impl Default for Peers {
    fn default() -> Self {
        Peers {
            by_id: BTreeMap::new(),
            free: Vec::new(),
            places: 0,
            generation: 0,
            identities: Table(Vec::new()),
            lines: Table(Vec::new()),
            publishers: Table(Vec::new()),
            subscribers: Table(Vec::new()),
        }
    }
}

impl Peers {
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn index(&self, peer: PeerId) -> Option<PeerIndex> {
        self.by_id.get(&peer).copied()
    }

    /// Round trip to a peer: from its reports, before that from the handshake.
    pub fn rtt(&self, index: PeerIndex) -> Option<Duration> {
        let reported = self.identities.get(index)?.reported_rtt();
        reported.or_else(|| self.lines.get(index)?.initial_rtt())
    }

    pub fn rtt_or_default(&self, index: PeerIndex) -> Duration {
        self.rtt(index).unwrap_or(DEFAULT_RTT)
    }

    pub fn is_up(&self, index: PeerIndex) -> bool {
        self.lines.get(index).is_some_and(Line::is_up)
    }

    pub fn indices(&self) -> impl Iterator<Item = PeerIndex> + '_ {
        self.by_id.values().copied()
    }

    pub fn insert(
        &mut self,
        identity: Identity,
        line: Line,
        publisher: Publisher,
        subscriber: Subscriber,
    ) -> PeerIndex {
        let (index, id) = (self.next_index(), identity.peer);
        self.identities.put(index, identity);
        self.lines.put(index, line);
        self.publishers.put(index, publisher);
        self.subscribers.put(index, subscriber);
        self.by_id.insert(id, index);
        index
    }

    fn next_index(&mut self) -> PeerIndex {
        let place = self.free.pop().unwrap_or_else(|| {
            let unused = self.places;
            self.places = self.places.saturating_add(1);
            unused
        });
        self.generation = self.generation.wrapping_add(1);
        PeerIndex { place, generation: self.generation }
    }

    /// A publisher from inside the process, which is no endpoint: it has no line and no slots.
    pub fn insert_inside(&mut self, publisher: Publisher) -> PeerIndex {
        let index = self.next_index();
        self.publishers.put(index, publisher);
        index
    }

    pub fn remove_inside(&mut self, index: PeerIndex) {
        if self.identities.get(index).is_none() && self.publishers.get(index).is_some() {
            self.publishers.clear(index);
            self.free.push(index.place);
        }
    }

    /// Removes the publishers from inside the process that are not to be kept.
    pub fn retain_inside(&mut self, keep: impl Fn(PeerIndex) -> bool) {
        let places = (0..).zip(&self.publishers.0);
        let indices = places.filter_map(|(place, slot)| {
            let (generation, _) = slot.as_ref()?;
            Some(PeerIndex { place, generation: *generation })
        });
        let gone: Vec<PeerIndex> = indices.filter(|index| !keep(*index)).collect();
        gone.into_iter().for_each(|index| self.remove_inside(index));
    }

    pub fn remove(&mut self, id: PeerId) -> Option<PeerIndex> {
        let index = self.by_id.remove(&id)?;
        self.identities.clear(index);
        self.lines.clear(index);
        self.publishers.clear(index);
        self.subscribers.clear(index);
        self.free.push(index.place);
        Some(index)
    }
}

/// What packets of a negotiated codec look like.
fn rtp_codec(codec: &NegotiatedCodec) -> RtpCodec {
    RtpCodec {
        codec: codec.codec,
        payload_type: codec.payload_type,
        rtx_payload_type: codec.rtx_payload_type,
    }
}
