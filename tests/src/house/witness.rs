//! What engines and meetings said, for whoever compares it with what sites see.

use sfu::event::Event;
use sfu::ids::{PeerId, SlotId, Source};
use signaling::ids::MeetingId;
use signaling::meeting::{Fact, Record};
use std::collections::BTreeMap;
use std::time::Instant;

/// What a slot was said to carry, and since when, oldest first.
type Names = Vec<(Instant, Option<Source>)>;

/// See the module. It is born with a process, and knows nothing of the one before.
pub struct Witness {
    pub born: Instant,
    told: BTreeMap<(PeerId, SlotId), Names>,
    /// Who was on each worker a second ago.
    peers: BTreeMap<usize, Vec<PeerId>>,
    /// Facts that nobody has looked at yet.
    pub facts: Vec<(MeetingId, Fact)>,
    /// How often a meeting has left a worker that hangs.
    pub moves: usize,
    pub faults: Vec<String>,
}

impl Witness {
    pub fn new(born: Instant) -> Witness {
        Witness {
            born,
            told: BTreeMap::new(),
            peers: BTreeMap::new(),
            facts: Vec::new(),
            moves: 0,
            faults: Vec::new(),
        }
    }

    pub fn hear(&mut self, now: Instant, worker: usize, event: &Event) {
        match event {
            Event::SlotShows { peer, slot, source } => {
                self.told.entry((*peer, *slot)).or_default().push((now, *source));
            }
            Event::Stats { peers, .. } => {
                self.peers.insert(worker, peers.iter().map(|stats| stats.peer).collect());
            }
            Event::Failed { .. } => self.faults.push(format!("{event:?}")),
            _ => {}
        }
    }

    pub fn record(&mut self, meeting: MeetingId, record: &Record) {
        self.facts.push((meeting, record.fact.clone()));
    }

    /// Everybody whom an engine has, as it said last.
    pub fn peers(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.peers.values().flatten().copied()
    }

    /// What a slot carries by now.
    pub fn shown(&self, peer: PeerId, slot: SlotId) -> Option<Source> {
        self.told.get(&(peer, slot))?.last()?.1
    }

    /// What a slot may have been said to carry at this moment. What was said in the very moment may be of either side
    /// of it.
    pub fn names(&self, peer: PeerId, slot: SlotId, at: Instant) -> impl Iterator<Item = Source> + '_ {
        let names = self.told.get(&(peer, slot)).map(Vec::as_slice).unwrap_or_default();
        let since = names.iter().rposition(|(since, _)| *since < at).unwrap_or(0);
        names.iter().skip(since).take_while(move |(since, _)| *since <= at).filter_map(|(_, told)| *told)
    }
}
