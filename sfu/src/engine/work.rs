//! Which peer the engine works for, noted so that a fault can be attributed (`rescue.rs`).

use crate::ids::{PeerId, PeerIndex, RoomId};

/// Which peer the engine works for just now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Work {
    /// For no peer: a fault there ends the worker.
    #[default]
    Own,
    Peer(PeerIndex),
    /// An offer, perhaps of a peer that is not admitted yet.
    Offer(PeerId),
    /// Packets of one are decided for a slot of another.
    Decide {
        publisher: PeerIndex,
        receiver: PeerIndex,
    },
    /// The queue of `receiver` is sealed, just now packets of `publisher`.
    Seal {
        receiver: PeerIndex,
        publisher: PeerIndex,
    },
    Room(RoomId),
}

/// Where [`Work`] is noted: one store to memory for each datagram, each route of a burst and each run.
#[derive(Debug, Default)]
pub(super) struct AtWork {
    work: Work,
    #[cfg(debug_assertions)]
    faults: Vec<(Fault, Option<PeerIndex>)>,
}

/// Work that is to panic, for tests. Release builds do not have it.
#[cfg(debug_assertions)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Work that is for no peer.
    Own,
    /// A datagram, a timer, a report.
    Of(PeerId),
    Offer(PeerId),
    DecideFrom(PeerId),
    DecideTo(PeerId),
    SealFrom(PeerId),
    SealTo(PeerId),
    Room(RoomId),
}

impl AtWork {
    #[inline]
    pub fn begin(&mut self, work: Work) {
        self.work = work;
        #[cfg(debug_assertions)]
        self.trip();
    }

    /// As `begin`; returns what was at work before, for `resume`.
    #[inline]
    pub fn interrupt(&mut self, work: Work) -> Work {
        let before = self.work;
        self.begin(work);
        before
    }

    #[inline]
    pub fn resume(&mut self, work: Work) {
        self.work = work;
    }

    /// What was at work; nothing is any more.
    pub fn take(&mut self) -> Work {
        std::mem::take(&mut self.work)
    }

    /// From now on this work panics; `at` is the peer, where it is work for one.
    #[cfg(debug_assertions)]
    pub fn break_at(&mut self, fault: Fault, at: Option<PeerIndex>) {
        self.faults.push((fault, at));
    }

    #[cfg(debug_assertions)]
    #[allow(clippy::panic)]
    fn trip(&self) {
        if let Some((fault, _)) = self.faults.iter().find(|(fault, at)| self.fits(*fault, *at)) {
            panic!("a fault for a test: {fault:?}");
        }
    }

    #[cfg(debug_assertions)]
    fn fits(&self, fault: Fault, at: Option<PeerIndex>) -> bool {
        match (fault, self.work) {
            (Fault::Own, Work::Own) => true,
            (Fault::Of(_), Work::Peer(peer))
            | (Fault::DecideFrom(_), Work::Decide { publisher: peer, .. })
            | (Fault::DecideTo(_), Work::Decide { receiver: peer, .. })
            | (Fault::SealFrom(_), Work::Seal { publisher: peer, .. })
            | (Fault::SealTo(_), Work::Seal { receiver: peer, .. }) => at == Some(peer),
            (Fault::Offer(a), Work::Offer(b)) => a == b,
            (Fault::Room(a), Work::Room(b)) => a == b,
            _ => false,
        }
    }
}
