//! When each peer is to be visited. A peer without a due timer is never visited.

use super::Engine;
use super::work::Work;
use crate::ids::{PeerIndex, RoomId};
use crate::peer::Peers;
use crate::peer::line::Line;
use crate::time::earliest;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// A queue with lazy removal: `Identity::wake_at` says which entry of a peer counts.
#[derive(Debug, Default)]
pub struct Timers {
    queue: BinaryHeap<Reverse<(Instant, PeerIndex)>>,
}

impl Timers {
    fn push(&mut self, at: Instant, peer: PeerIndex) {
        self.queue.push(Reverse((at, peer)));
    }

    /// The earliest entry that still counts.
    pub fn next(&mut self, peers: &Peers) -> Option<Instant> {
        loop {
            let Reverse((at, peer)) = *self.queue.peek()?;
            if peers.identities.get(peer).is_some_and(|identity| identity.wake_at == Some(at)) {
                return Some(at);
            }
            self.queue.pop();
        }
    }

    fn pop_due(&mut self, now: Instant) -> Option<(Instant, PeerIndex)> {
        let Reverse((at, peer)) = *self.queue.peek()?;
        if at > now {
            return None;
        }
        self.queue.pop();
        Some((at, peer))
    }
}

impl Engine {
    /// Queues a visit for a peer's next timer, unless an earlier one is queued.
    pub(super) fn schedule(&mut self, index: PeerIndex) {
        let Some(identity) = self.peers.identities.get_mut(index) else {
            return;
        };
        let line = self.peers.lines.get(index);
        let publisher = self.peers.publishers.get(index);
        let due = earliest(
            earliest(
                line.and_then(Line::next_timeout),
                earliest(Some(identity.report_at), identity.hurry_at),
            ),
            publisher.and_then(|publisher| publisher.next_timeout()),
        );
        let Some(due) = due else { return };
        if identity.wake_at.is_none_or(|at| due < at) {
            identity.wake_at = Some(due);
            self.timers.push(due, index);
        }
    }

    /// Visits every peer whose timer is due.
    pub(super) fn handle_timeouts(&mut self, now: Instant) {
        // Taken out first: a peer that is due again at once is visited at the next turn, not in this one.
        let due: Vec<(Instant, PeerIndex)> = std::iter::from_fn(|| self.timers.pop_due(now)).collect();
        for (at, index) in due {
            let identity =
                self.peers.identities.get_mut(index).filter(|identity| identity.wake_at == Some(at));
            let Some(identity) = identity else {
                continue;
            };
            identity.wake_at = None;
            self.at_work.begin(Work::Peer(index));
            if let Some(line) = self.peers.lines.get_mut(index) {
                line.handle_timeout(now);
            }
            self.take_transport_events(now, index);
            self.send_due_feedback(now, index);
            self.send_due_reports(now, index);
            self.touch(index);
        }
    }

    pub(super) fn refresh_rooms(&mut self, now: Instant) {
        while let Some(room) = self.stale_rooms.pop() {
            self.at_work.begin(Work::Room(room));
            self.reconcile(now, room);
        }
        self.at_work.resume(Work::Own);
    }

    /// The routes of a peer's room are to be computed again.
    pub(super) fn stale_room_of(&mut self, index: PeerIndex) {
        if let Some(room) = self.room_of(index) {
            self.stale(room);
        }
    }

    pub(super) fn room_of(&self, index: PeerIndex) -> Option<RoomId> {
        self.peers.identities.get(index).map(|identity| identity.room)
    }
}
