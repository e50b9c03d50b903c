//! Which worker a room lives on. Decided once, when the room is first named.

use sfu::ids::RoomId;
use std::collections::HashMap;

/// One worker of the process, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(pub usize);

/// Loads closer than this are equal: a second's measurement of an idle thread is noise, and all
/// rooms opened within that second would go to one worker.
const LOAD_STEP: f64 = 0.1;

#[derive(Default)]
pub(super) struct Placement {
    rooms: HashMap<RoomId, WorkerId>,
}

impl Placement {
    /// The room's worker: where it is, or the least loaded of `loads`, or of equals the one with the
    /// fewest rooms.
    pub fn place(&mut self, room: RoomId, loads: impl Iterator<Item = f64>) -> WorkerId {
        if let Some(worker) = self.find(room) {
            return worker;
        }
        let best = loads
            .map(|load| (load / LOAD_STEP) as u32)
            .enumerate()
            .min_by_key(|(index, step)| (*step, self.rooms_on(WorkerId(*index)), *index));
        let worker = WorkerId(best.map_or(0, |(index, _)| index));
        self.rooms.insert(room, worker);
        worker
    }

    pub fn find(&self, room: RoomId) -> Option<WorkerId> {
        self.rooms.get(&room).copied()
    }

    pub fn forget(&mut self, room: RoomId) {
        self.rooms.remove(&room);
    }

    fn rooms_on(&self, worker: WorkerId) -> usize {
        self.rooms.values().filter(|w| **w == worker).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_go_to_the_least_loaded_worker_and_stay_there() {
        let mut placement = Placement::default();
        let mut place = |room, loads: [f64; 3]| placement.place(RoomId(room), loads.into_iter()).0;
        let steps = [
            ("idle workers fill in turn", 1, [0.0, 0.0, 0.0], 0),
            ("noise does not count", 2, [0.01, 0.04, 0.02], 1),
            ("the third", 3, [0.01, 0.0, 0.05], 2),
            ("a loaded worker gets none", 4, [0.8, 0.3, 0.5], 1),
            ("a room stays, whatever the loads", 1, [0.9, 0.0, 0.0], 0),
            ("fewest rooms among equals", 5, [0.2, 0.2, 0.9], 0),
        ];
        for (step, room, loads, expected) in steps {
            assert_eq!(place(room, loads), expected, "{step}");
        }
    }

    #[test]
    fn a_forgotten_room_is_placed_again() {
        let mut placement = Placement::default();
        assert_eq!(placement.place(RoomId(1), [0.0, 0.9].into_iter()), WorkerId(0));
        placement.forget(RoomId(1));
        assert_eq!(placement.find(RoomId(1)), None);
        assert_eq!(placement.place(RoomId(1), [0.9, 0.0].into_iter()), WorkerId(1));
    }
}
