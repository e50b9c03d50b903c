//! A fault of ours while working for one peer ends that peer and no other.
//!
//! The engine notes which peer it works for ([`Work`]) and catches a panic in `handle_input` and `poll_output`. What
//! may be inconsistent by then: the peer or mix worked for, which is removed whole; the engine's queues, which are rebuilt
//! from what the peers need; and a receiver whose packets were being decided or sealed when the fault was their
//! publisher's. Of such a receiver some packets may be missing; since a number is used up before its packet is queued
//! or sealed, none is used twice, and what is missing is requested again. Everything else of another peer is only read
//! (`peer`, four tables). So going on after `catch_unwind` is sound, which is what `AssertUnwindSafe` asserts.

use super::forwarding::Burst;
use super::timers::Timers;
#[cfg(debug_assertions)]
use super::work::Fault;
use super::work::Work;
use super::{Dirty, Engine};
use crate::event::Event;
use crate::ids::{PeerId, PeerIndex, RoomId};
use crate::sdp::OfferError;
use std::any::Any;
use std::panic::resume_unwind;

impl Engine {
    /// From now on work of this kind panics.
    #[cfg(debug_assertions)]
    pub fn break_at(&mut self, fault: Fault) {
        let at = match fault {
            Fault::Of(peer)
            | Fault::DecideFrom(peer)
            | Fault::DecideTo(peer)
            | Fault::SealFrom(peer)
            | Fault::SealTo(peer) => self.peers.index(peer),
            Fault::Own | Fault::Offer(_) | Fault::Room(_) => None,
        };
        self.at_work.break_at(fault, at);
    }

    /// Work has panicked: the peer it was for is removed, and the engine goes on.
    pub(super) fn rescue(&mut self, panic: Box<dyn Any + Send>) {
        let cause = text_of(panic.as_ref());
        match self.at_work.take() {
            Work::Own => resume_unwind(panic),
            Work::Peer(peer) => self.fail(peer, &cause),
            Work::Offer(peer) => {
                self.events.push_back(Event::OfferRefused { peer, reason: OfferError::Internal });
                self.fail_id(peer, &cause);
            }
            Work::Decide { publisher, receiver } => self.fail_one_of(publisher, receiver, &cause),
            Work::Seal { receiver, publisher } => self.fail_one_of(receiver, publisher, &cause),
            Work::Room(room) => self.fail_room(room, &cause),
        }
        self.put_in_order();
    }

    /// Ends the first. If the second was part of a fault before, it is what both faults have in common and ends
    /// instead: a publisher whose packets cannot be sent to any receiver, or a receiver that can be sent nothing. A
    /// mix, which is no peer, ends before any receiver does.
    fn fail_one_of(&mut self, first: PeerIndex, second: PeerIndex, cause: &str) {
        if self.end_mix_at(first) || self.end_mix_at(second) {
            return;
        }
        let identity = self.peers.identities.get_mut(second);
        let again = identity.is_some_and(|identity| std::mem::replace(&mut identity.was_at_a_fault, true));
        self.fail(if again { second } else { first }, cause);
    }

    fn fail(&mut self, index: PeerIndex, cause: &str) {
        if let Some(peer) = self.peers.identities.get(index).map(|identity| identity.peer) {
            self.fail_id(peer, cause);
        }
    }

    fn fail_id(&mut self, peer: PeerId, cause: &str) {
        self.stats.failed_peers = self.stats.failed_peers.saturating_add(1);
        if self.peers.index(peer).is_some() {
            self.remove_peer(peer);
            self.events.push_back(Event::Failed { peer, cause: cause.to_owned() });
        }
    }

    /// A room's routes are no single peer's work: all its peers end, and the other rooms go on. A peer that comes back
    /// creates the room again.
    fn fail_room(&mut self, id: RoomId, cause: &str) {
        let members = self.peers.indices().filter(|index| self.room_of(*index) == Some(id));
        let members: Vec<PeerIndex> = members.collect();
        members.into_iter().for_each(|index| self.fail(index, cause));
        self.end_mixes(id);
        self.rooms.remove(&id);
        self.sweep_mixes();
    }

    /// Rebuilds the engine's queues.
    fn put_in_order(&mut self) {
        self.burst = Burst::default();
        self.timers = Timers::default();
        self.dirty = Dirty::default();
        self.restore_waiting();
        let indices: Vec<PeerIndex> = self.peers.indices().collect();
        for index in indices {
            if let Some(identity) = self.peers.identities.get_mut(index) {
                identity.wake_at = None;
            }
            self.touch(index);
            self.mark_ranks(index);
        }
        self.stale_rooms.clear();
        self.all_stale();
    }
}

/// The panic's message.
fn text_of(panic: &(dyn Any + Send)) -> String {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    let text = owned.or_else(|| panic.downcast_ref::<&'static str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}
