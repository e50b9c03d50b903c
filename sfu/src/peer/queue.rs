//! What waits to be sent to one subscriber.
//!
//! A packet in here has been given a number on its slot, and a receiver takes a missing number for a loss and asks for it.
//! So where something is taken out, all that was numbered after it is as well, and the slot goes on from the last number
//! that has left (`Subscriber::withdraw`). The queue is cleared only when there is no line any more.

use crate::forward::packet::Pending;
use rtp::sequence::Sequence;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What is sealed before what. Each rank is a queue of its own, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SendRank {
    Audio,
    /// An answer to a NACK: a frame waits for it, and so do those that depend on that frame.
    Resend,
    Video,
    /// Probes what a line carries; of use only when nothing else is to be sent.
    Padding,
}

impl SendRank {
    pub const ALL: [SendRank; 4] = [SendRank::Audio, SendRank::Resend, SendRank::Video, SendRank::Padding];

    /// Position in tables of four, in the order of [`SendRank::ALL`].
    #[inline]
    pub fn index(self) -> usize {
        self as usize
    }

    /// Leaves on a slot's RTX stream (RFC 4588), with a number of its own that it is given only when it is sealed.
    #[inline]
    pub fn is_rtx(self) -> bool {
        matches!(self, SendRank::Resend | SendRank::Padding)
    }
}

/// Four queues, and whether the engine knows that something waits in them.
#[derive(Debug, Default)]
pub struct SendQueue {
    waiting: [VecDeque<Pending>; 4],
    turns: [Turn; 4],
}

/// What the engine knows of a rank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Turn {
    /// Nothing waits.
    #[default]
    None,
    /// Something waits for the subscriber's turn.
    Due,
    /// It is the subscriber's turn: all that waits is sealed, also what comes meanwhile.
    Begun,
}

impl SendQueue {
    #[inline]
    pub fn push(&mut self, rank: SendRank, pending: Pending) {
        self.of_rank(rank).push_back(pending);
    }

    #[inline]
    fn of_rank(&mut self, rank: SendRank) -> &mut VecDeque<Pending> {
        let [audio, resend, video, padding] = &mut self.waiting;
        match rank {
            SendRank::Audio => audio,
            SendRank::Resend => resend,
            SendRank::Video => video,
            SendRank::Padding => padding,
        }
    }

    /// True once when something begins to wait in a rank: until [`SendQueue::is_done`] the engine knows of it.
    #[inline]
    pub fn announce(&mut self, rank: SendRank) -> bool {
        let waits = !self.of_rank(rank).is_empty();
        waits && self.turn_from(rank, Turn::None, Turn::Due)
    }

    /// True once when the subscriber's turn begins.
    #[inline]
    pub fn begin_turn(&mut self, rank: SendRank) -> bool {
        self.turn_from(rank, Turn::Due, Turn::Begun)
    }

    #[inline]
    fn turn_from(&mut self, rank: SendRank, from: Turn, to: Turn) -> bool {
        let turn = self.turns.get_mut(rank.index()).filter(|turn| **turn == from);
        turn.map(|turn| *turn = to).is_some()
    }

    /// The engine has forgotten what it knew of a rank.
    pub fn is_done(&mut self, rank: SendRank) {
        if let Some(turn) = self.turns.get_mut(rank.index()) {
            *turn = Turn::None;
        }
    }

    /// All that waits in a rank, to be sealed. What is left goes back with [`SendQueue::give_back`]; nothing is pushed
    /// in between.
    #[inline]
    pub fn take(&mut self, rank: SendRank) -> VecDeque<Pending> {
        std::mem::take(self.of_rank(rank))
    }

    #[inline]
    pub fn give_back(&mut self, rank: SendRank, waiting: VecDeque<Pending>) {
        *self.of_rank(rank) = waiting;
    }

    /// Takes out of a rank what waits for a slot, but for the first packets of each entry that are to be kept. Returns the
    /// first number taken out and the last one kept.
    pub fn take_out(
        &mut self,
        rank: SendRank,
        slot: u16,
        mut kept: impl FnMut(&Pending) -> u16,
    ) -> (Option<Sequence>, Option<Sequence>) {
        let (mut first, mut last) = (None::<Sequence>, None::<Sequence>);
        self.of_rank(rank).retain_mut(|pending| {
            if pending.slot != slot {
                return true;
            }
            let stays = kept(pending).min(pending.count);
            if stays < pending.count {
                let taken = pending.sequence_out.plus(u64::from(stays));
                first = Some(first.map_or(taken, |first| first.min(taken)));
            }
            pending.count = stays;
            if stays > 0 {
                last = last.max(Some(pending.sequence_out.plus(u64::from(stays)).previous()));
            }
            stays > 0
        });
        (first, last)
    }

    /// What waits in a rank, in order.
    pub fn waiting(&self, rank: SendRank) -> impl Iterator<Item = &Pending> {
        self.waiting.get(rank.index()).into_iter().flatten()
    }

    /// Whether anything of a slot waits in a rank.
    pub fn holds(&self, rank: SendRank, slot: usize) -> bool {
        self.waiting(rank).any(|pending| usize::from(pending.slot) == slot)
    }

    /// How long the oldest packet in a rank has waited since it was decided.
    pub fn age(&self, now: Instant, rank: SendRank) -> Option<Duration> {
        let oldest = self.waiting.get(rank.index())?.front()?;
        Some(now.saturating_duration_since(oldest.decided))
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
