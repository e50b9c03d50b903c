//! A recorder in place of the workers, for stories.

use super::*;
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Default)]
pub(crate) struct Recorded {
    pub commands: Vec<(RoomId, Command)>,
    /// Where each room is; new ones go round the two workers.
    pub placed: BTreeMap<RoomId, usize>,
    /// Workers whose queues are full; with a number, after so many more orders.
    pub full: BTreeMap<usize, usize>,
    pub stalls: Vec<Stall>,
}

#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Recorded>>);

impl Recorder {
    pub fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().expect("whole")
    }
}

impl MediaPlane for Recorder {
    fn place(&mut self, room: RoomId) -> usize {
        let mut recorded = self.recorded();
        let next = recorded.placed.len() % 2;
        let hangs = |worker| recorded.stalls.iter().any(|stall| stall.worker == worker);
        let worker = if hangs(next) { 1 - next } else { next };
        *recorded.placed.entry(room).or_insert(worker)
    }

    fn send(&mut self, room: RoomId, command: Command) -> Result<(), Command> {
        let mut recorded = self.recorded();
        let worker = recorded.placed[&room];
        match recorded.full.get_mut(&worker) {
            Some(0) => return Err(command),
            Some(left) => *left -= 1,
            None => {}
        }
        recorded.commands.push((room, command));
        Ok(())
    }

    fn forget(&mut self, room: RoomId) {
        self.recorded().placed.remove(&room);
    }

    fn lost(&self) -> Option<usize> {
        None
    }

    fn workers(&self) -> usize {
        2
    }

    fn stalled(&mut self, _: Instant) -> Vec<Stall> {
        self.recorded().stalls.clone()
    }
}

/// A page's offer under these ICE credentials.
pub(crate) fn offer(ufrag: &str) -> Box<Offer> {
    let recorded = include_str!("../../../tests/golden/chromium-limited.offer.sdp");
    let lines = recorded.lines().map(|line| match line.starts_with("a=ice-ufrag:") {
        true => format!("a=ice-ufrag:{ufrag}\r\n"),
        false => format!("{line}\r\n"),
    });
    read_offer(&lines.collect::<String>()).expect("an offer")
}
