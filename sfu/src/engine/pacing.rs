//! Subscribers for whose lines something waits: what may leave now, and when they are visited again.

use super::Engine;
use super::work::Work;
use crate::ids::PeerIndex;
use crate::peer::queue::SendRank;
use crate::peer::subscriber::Subscriber;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// A queue with lazy removal: `Subscriber::visit_at` says which entry counts.
#[derive(Debug, Default)]
pub(super) struct Visits(BinaryHeap<Reverse<(Instant, PeerIndex)>>);

/// What may leave now: so many bytes of a rank of a subscriber's queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    pub index: PeerIndex,
    pub rank: SendRank,
    pub most: usize,
}

/// How many bytes of a rank may leave now, or when to ask again. Speech waits for nothing.
#[inline]
fn permit(now: Instant, subscriber: &Subscriber, rank: SendRank) -> Result<usize, Instant> {
    let line = match rank {
        SendRank::Audio => None,
        SendRank::Padding => return subscriber.pacer.permit_padding(now),
        SendRank::Resend | SendRank::Video => subscriber.line(),
    };
    line.map_or(Ok(usize::MAX), |line| subscriber.pacer.permit(now, line))
}

/// Whether so many bytes of video may leave now.
pub(super) fn fits(now: Instant, subscriber: &Subscriber, bytes: usize) -> bool {
    permit(now, subscriber, SendRank::Video).is_ok_and(|most| bytes <= most)
}

/// So many bytes of a rank have left.
#[inline]
pub(super) fn on_sent(now: Instant, subscriber: &mut Subscriber, rank: SendRank, bytes: usize) {
    let Some(line) = subscriber.line() else {
        return;
    };
    if rank == SendRank::Audio {
        return subscriber.pacer.on_speech(now, bytes, line.bps);
    }
    subscriber.pacer.on_sent(now, bytes, line.bps);
    match rank {
        SendRank::Video => subscriber.pacer.on_video(now),
        SendRank::Padding => subscriber.pacer.on_padding(now, bytes),
        SendRank::Audio | SendRank::Resend => {}
    }
}

impl Engine {
    /// How many bytes of a rank of a subscriber's queue may leave now; where none may, it is visited again when some may.
    #[inline]
    pub(super) fn permitted(&mut self, now: Instant, index: PeerIndex, rank: SendRank) -> Option<Turn> {
        match permit(now, self.peers.subscribers.get(index)?, rank) {
            Ok(most) => Some(Turn { index, rank, most }),
            Err(at) => {
                self.at_work.begin(Work::Peer(index));
                self.wait_for_line(index, rank, at);
                self.take_back(now, index);
                None
            }
        }
    }

    /// What waits in this rank of a subscriber's queue waits until then.
    fn wait_for_line(&mut self, index: PeerIndex, rank: SendRank, at: Instant) {
        let Some(subscriber) = self.peers.subscribers.get_mut(index) else {
            return;
        };
        subscriber.queue.is_done(rank);
        if subscriber.visit_at.is_none_or(|before| at < before) {
            subscriber.visit_at = Some(at);
            self.visits.0.push(Reverse((at, index)));
        }
    }

    /// When the next subscriber is to be visited.
    pub(super) fn next_visit(&self) -> Option<Instant> {
        self.visits.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Subscribers whose time has come get their turns.
    pub(super) fn visit_due(&mut self, now: Instant) {
        while let Some(Reverse((at, index))) = self.visits.0.peek().copied().filter(|due| due.0.0 <= now) {
            self.visits.0.pop();
            let subscriber = self.peers.subscribers.get_mut(index);
            if subscriber.is_some_and(|subscriber| subscriber.visit_at == Some(at)) {
                self.visit(now, index);
            }
        }
    }

    /// All that waits for a subscriber's line gets its turn.
    pub(super) fn visit(&mut self, now: Instant, index: PeerIndex) {
        let before = self.at_work.interrupt(Work::Peer(index));
        self.take_back(now, index);
        if let Some(subscriber) = self.peers.subscribers.get_mut(index) {
            subscriber.visit_at = None;
            for rank in SendRank::ALL {
                self.dirty.mark(rank, &mut subscriber.queue, index);
            }
        }
        self.at_work.resume(before);
    }
}
