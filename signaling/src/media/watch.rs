//! Workers that hang: they are named, and their meetings go on elsewhere.

use super::{Bridge, Effect, MediaPath, Stall};
use crate::ids::MeetingId;
use protocol::{ServerMessage, SiteId};
use std::time::{Duration, Instant};

/// A meeting leaves a worker that has hung for so long. Moving costs each of its sites a new connection, about a
/// second; a site that has received nothing for five gains by it, and a thread that was only held up for a moment has
/// come back by then.
const MOVE_AFTER: Duration = Duration::from_secs(5);

/// When no worker at all turns for so long, only a new process helps.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);

impl Bridge {
    /// Looks at the workers, about twice a second.
    pub fn watch(&mut self, now: Instant) {
        let before = std::mem::replace(&mut self.stalls, self.plane.stalled(now));
        let is_in = |stalls: &[Stall], worker| stalls.iter().any(|stall| stall.worker == worker);
        for Stall { worker, .. } in self.stalls.iter().filter(|stall| !is_in(&before, stall.worker)) {
            tracing::error!(worker, "media worker does not turn");
        }
        for Stall { worker, lasts } in before.iter().filter(|stall| !is_in(&self.stalls, stall.worker)) {
            tracing::warn!(worker, ?lasts, "media worker turns again");
            self.told.remove(worker);
        }
        let long = self.stalls.iter().filter(|stall| stall.lasts >= MOVE_AFTER);
        let long: Vec<usize> = long.map(|stall| stall.worker).collect();
        let none_turns = self.none_turns();
        for worker in long {
            match none_turns {
                true => self.tell_stalled(worker),
                false => self.move_meetings(worker),
            }
        }
    }

    /// Workers whose threads hang.
    pub fn stuck(&self) -> Vec<usize> {
        self.stalls.iter().map(|stall| stall.worker).collect()
    }

    /// A worker that has ended by itself, or one of many that all hang.
    pub fn lost_worker(&self) -> Option<usize> {
        let hung = self.stalls.iter().find(|stall| stall.lasts >= GIVE_UP_AFTER);
        self.plane.lost().or_else(|| hung.filter(|_| self.none_turns()).map(|stall| stall.worker))
    }

    fn none_turns(&self) -> bool {
        self.stalls.len() >= self.plane.workers()
    }

    fn meetings_on(&self, worker: usize) -> Vec<MeetingId> {
        let there = self.rooms.iter().filter(|(_, room)| room.worker == worker);
        there.map(|(meeting, _)| *meeting).collect()
    }

    /// There is nowhere to go: sites learn why nothing moves.
    fn tell_stalled(&mut self, worker: usize) {
        if !self.told.insert(worker) {
            return;
        }
        for meeting in self.meetings_on(worker) {
            for site in self.sites_of(meeting) {
                self.send(meeting, site, ServerMessage::MediaStalled);
            }
        }
    }

    fn move_meetings(&mut self, worker: usize) {
        for meeting in self.meetings_on(worker) {
            self.effects.push(Effect::Moved { meeting, from: worker });
            self.move_away(meeting);
        }
    }

    /// A new room in place of the old one, which is closed should its worker ever turn again. Its sites make new
    /// connections; they know no other way to another port.
    fn move_away(&mut self, meeting: MeetingId) {
        let sites = self.sites_of(meeting);
        let stage = self.rooms.get(&meeting).map(|room| room.stage.clone());
        self.close(meeting);
        self.room(meeting).stage = stage.unwrap_or_default();
        for site in sites {
            self.effects.push(Effect::Path { meeting, site, path: MediaPath::Pending });
            self.send(meeting, site, ServerMessage::no_slots());
            self.send(meeting, site, ServerMessage::MediaMoved);
        }
    }

    fn sites_of(&self, meeting: MeetingId) -> Vec<SiteId> {
        self.rooms.get(&meeting).map(|room| room.sites.keys().copied().collect()).unwrap_or_default()
    }
}
