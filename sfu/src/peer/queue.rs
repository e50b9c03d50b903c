//! What waits to be sent to one subscriber.
//!
//! A packet in here has been given a number on its slot, and what has a number leaves: a receiver takes a missing
//! number for a loss and asks for it. So nothing is ever taken out to make room. To send less, forward fewer packets;
//! the queue is cleared only when there is no line any more.

use crate::forward::packet::Pending;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What is sealed before what. Each rank is a queue of its own, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SendRank {
    Audio,
    /// An answer to a NACK: a frame waits for it, and so do those that depend on that frame.
    Resend,
    Video,
    /// Sent once more to probe what a line carries; of use only when nothing else is to be sent.
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

    /// How long the oldest packet in a rank has waited since it was decided.
    pub fn age(&self, now: Instant, rank: SendRank) -> Option<Duration> {
        let oldest = self.waiting.get(rank.index())?.front()?;
        Some(now.saturating_duration_since(oldest.decided))
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
