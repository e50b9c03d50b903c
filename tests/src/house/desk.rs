//! The bridge's port in virtual time: where rooms are, what waits for each worker, and what was last desired.

use sfu::command::{Command, Desired};
use sfu::ids::{PeerId, RoomId};
use signaling::media::{MediaPlane, Stall};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// As many orders wait for a worker as for a real one (`sfu/driver`).
const CAPACITY: usize = 256;
/// A worker that has not turned for so long is said to hang, as the driver does.
const STALLED_AFTER: Duration = driver::STALLED_AFTER;

/// What lies on the desk.
pub struct Papers {
    placed: BTreeMap<RoomId, usize>,
    orders: Vec<VecDeque<Command>>,
    /// Since when each worker hangs.
    pub hangs_since: Vec<Option<Instant>>,
    /// The newest that was ordered of each room.
    pub desired: BTreeMap<RoomId, Desired>,
    /// The ICE user fragment each peer last offered with, and its room.
    pub offered: BTreeMap<PeerId, (RoomId, String)>,
}

/// One end is the bridge's, the other one the process's.
#[derive(Clone)]
pub struct Desk(Arc<Mutex<Papers>>);

impl Desk {
    pub fn of(workers: usize) -> Desk {
        Desk(Arc::new(Mutex::new(Papers {
            placed: BTreeMap::new(),
            orders: vec![VecDeque::new(); workers],
            hangs_since: vec![None; workers],
            desired: BTreeMap::new(),
            offered: BTreeMap::new(),
        })))
    }

    pub fn papers(&self) -> MutexGuard<'_, Papers> {
        self.0.lock().expect("one thread")
    }

    /// The next order of a worker, if it takes orders.
    pub fn take(&self, worker: usize) -> Option<Command> {
        let mut papers = self.papers();
        let hangs = papers.hangs_since[worker].is_some();
        if hangs { None } else { papers.orders[worker].pop_front() }
    }
}

impl Papers {
    /// Where a room without a place belongs: of the workers that turn, to the one with the fewest.
    fn best(&self) -> usize {
        let rooms = |worker: usize| self.placed.values().filter(|at| **at == worker).count();
        let workers = 0..self.orders.len();
        let best = workers.min_by_key(|worker| (self.hangs_since[*worker].is_some(), rooms(*worker)));
        best.expect("a worker")
    }

    fn note(&mut self, command: &Command) {
        match command {
            Command::Reconcile { room, desired } => {
                self.desired.insert(*room, desired.clone());
            }
            Command::Offer { room, peer, offer, .. } => {
                self.offered.insert(*peer, (*room, offer.credentials().ufrag.clone()));
            }
            Command::RemovePeer { .. } | Command::CloseRoom { .. } | Command::Advertise { .. } => {}
        }
    }
}

impl MediaPlane for Desk {
    fn place(&mut self, room: RoomId) -> usize {
        let mut papers = self.papers();
        let best = papers.best();
        *papers.placed.entry(room).or_insert(best)
    }

    fn send(&mut self, room: RoomId, command: Command) -> Result<(), Command> {
        let worker = self.place(room);
        let mut papers = self.papers();
        if papers.orders[worker].len() >= CAPACITY {
            return Err(command);
        }
        papers.note(&command);
        papers.orders[worker].push_back(command);
        Ok(())
    }

    fn forget(&mut self, room: RoomId) {
        let mut papers = self.papers();
        papers.placed.remove(&room);
        papers.desired.remove(&room);
    }

    fn lost(&self) -> Option<usize> {
        None
    }

    fn workers(&self) -> usize {
        self.papers().orders.len()
    }

    fn stalled(&mut self, now: Instant) -> Vec<Stall> {
        let papers = self.papers();
        let hangs = papers.hangs_since.iter().enumerate();
        let stalls = hangs.filter_map(|(worker, since)| Some(Stall { worker, lasts: now - (*since)? }));
        stalls.filter(|stall| stall.lasts >= STALLED_AFTER).collect()
    }
}
