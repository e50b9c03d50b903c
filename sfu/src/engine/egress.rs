//! What leaves: control first, then what waits in send queues, rank by rank. A run of packets of one subscriber that
//! are of one size is sealed into one buffer and leaves as one UDP GSO send.

use super::pacing::{self, Turn};
use super::seal::{BUFFER, Receiver, Run, Sealer};
use super::work::Work;
use super::{Engine, Transmit};
use crate::discard::DropReason;
use crate::forward::packet::Pending;
use crate::ids::PeerIndex;
use crate::net::Path;
use crate::peer::line::Line;
use crate::peer::queue::SendRank;
use std::collections::VecDeque;
use std::time::Instant;

/// Buffers that live as long as the engine.
pub(super) struct Scratch {
    buffer: Box<[u8]>,
    rtcp: VecDeque<(PeerIndex, Vec<u8>)>,
    control: Vec<u8>,
    /// What is being sealed and for which subscriber: so that it is not lost should that fail.
    waiting: VecDeque<Pending>,
    waiting_of: Option<(PeerIndex, SendRank)>,
}

/// What is ready to be sent.
pub(super) struct Sealed {
    path: Path,
    /// `Some`: a run in the media buffer; `None`: the control datagram.
    media: Option<Run>,
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch {
            buffer: vec![0; BUFFER].into_boxed_slice(),
            rtcp: VecDeque::new(),
            control: Vec::new(),
            waiting: VecDeque::new(),
            waiting_of: None,
        }
    }
}

impl Scratch {
    pub fn queue_rtcp(&mut self, peer: PeerIndex, packet: Vec<u8>) {
        if !packet.is_empty() {
            self.rtcp.push_back((peer, packet));
        }
    }

    pub fn transmit(&self, sealed: Sealed) -> Transmit<'_> {
        let Sealed { path, media } = sealed;
        match media {
            None => Transmit { path, data: &self.control, segment_size: None },
            Some(run) => Transmit {
                path,
                data: self.buffer.get(..run.length).unwrap_or_default(),
                segment_size: (run.packets > 1).then_some(run.segment),
            },
        }
    }
}

impl Engine {
    /// Seals what is next.
    pub(super) fn next_sealed(&mut self, now: Instant) -> Option<Sealed> {
        let sealed = self.next_control().or_else(|| self.next_media(now));
        if let Some(sealed) = &sealed {
            let datagrams = sealed.media.map_or(1, |run| run.packets) as u64;
            self.stats.datagrams_sent = self.stats.datagrams_sent.saturating_add(datagrams);
        }
        sealed
    }

    fn next_control(&mut self) -> Option<Sealed> {
        while let Some((index, mut packet)) = self.scratch.rtcp.pop_front() {
            let line = self.peers.lines.get_mut(index);
            let Some((line, path)) = line.and_then(|line| line.path().map(|path| (line, path))) else {
                self.stats.drops.count(DropReason::ReceiverGone);
                continue;
            };
            self.at_work.begin(Work::Peer(index));
            match line.seal_rtcp(&mut packet) {
                Ok(()) => {
                    self.scratch.control = packet;
                    return Some(Sealed { path, media: None });
                }
                Err(reason) => self.stats.drops.count(reason),
            }
        }
        while let Some(index) = self.dirty.control.front().copied() {
            self.at_work.begin(Work::Peer(index));
            let transmit = self.peers.lines.get_mut(index).and_then(Line::poll_transmit);
            if let Some((path, packet)) = transmit {
                self.scratch.control = packet;
                return Some(Sealed { path, media: None });
            }
            self.dirty.control.pop_front();
            let drops = self.peers.lines.get_mut(index).map(Line::take_drops);
            drops.into_iter().flatten().for_each(|(reason, lost)| self.stats.drops.add(reason, lost));
            self.schedule(index);
        }
        None
    }

    fn next_media(&mut self, now: Instant) -> Option<Sealed> {
        SendRank::ALL.into_iter().find_map(|rank| self.next_of_rank(now, rank))
    }

    fn next_of_rank(&mut self, now: Instant, rank: SendRank) -> Option<Sealed> {
        loop {
            let index = self.dirty.first_of(rank)?;
            let Some(turn) = self.permitted(now, index, rank) else {
                self.dirty.is_done(rank);
                continue;
            };
            let (sealed, more) = self.seal_next(now, turn);
            if !more {
                self.dirty.is_done(rank);
            }
            if sealed.is_some() {
                return sealed;
            }
        }
    }

    /// Seals the next run of what waits in a rank of a subscriber's queue, of little more than `most` bytes; also returns
    /// whether more waits there.
    fn seal_next(&mut self, now: Instant, turn: Turn) -> (Option<Sealed>, bool) {
        let Turn { index, rank, most } = turn;
        let Some(subscriber) = self.peers.subscribers.get_mut(index) else {
            return (None, false);
        };
        let begins = subscriber.queue.begin_turn(rank);
        let Scratch { buffer, waiting, waiting_of, .. } = &mut self.scratch;
        *waiting = subscriber.queue.take(rank);
        *waiting_of = Some((index, rank));
        let mut needs_key = None;
        let sealed = self.peers.lines.get_mut(index).and_then(|line| {
            let path = line.path().filter(|_| line.is_up())?;
            let receiver = Receiver { index, line, subscriber };
            let mut sealer = Sealer::new(now, rank, receiver, &self.peers.publishers, &mut self.at_work);
            let run = sealer.seal_run(waiting, (buffer, most), &mut self.stats);
            needs_key = sealer.needs_key;
            let (run, oldest, arrived) = (run?, sealer.oldest, sealer.arrived);
            if let (SendRank::Video, true, Some(oldest)) = (rank, begins, oldest) {
                self.waits.on_turn(now.saturating_duration_since(oldest));
            }
            pacing::on_sent(now, subscriber, rank, run.length);
            let counts = (run.packets as u64, self.stats.packets_forwarded);
            self.delay.on_run(now, arrived.unwrap_or(now), counts, &mut self.stats.forward_delay);
            Some(Sealed { path, media: Some(run) })
        });
        let more = sealed.is_some() && !waiting.is_empty();
        if !more {
            // Without a path nothing can leave. Cleared even if empty: its memory is then used from the start again,
            // and stays in the cache.
            self.stats.drops.add(DropReason::ReceiverGone, subscriber.throw_away(rank, waiting));
            subscriber.queue.is_done(rank);
        }
        *waiting_of = None;
        subscriber.queue.give_back(rank, std::mem::take(waiting));
        if let Some(origin) = needs_key {
            self.request_key(now, origin);
        }
        (sealed, more)
    }

    /// Sealing has failed: what is left goes back to its subscriber, but for the packet it failed at.
    pub(super) fn restore_waiting(&mut self) {
        let mut waiting = std::mem::take(&mut self.scratch.waiting);
        let Some((index, rank)) = self.scratch.waiting_of.take() else {
            return;
        };
        if waiting.front_mut().is_some_and(Pending::advance) {
            waiting.pop_front();
        }
        if let Some(subscriber) = self.peers.subscribers.get_mut(index) {
            subscriber.queue.give_back(rank, waiting);
        }
    }

    /// Queues a peer in each rank in which it has something waiting. The ranks must be empty before.
    pub(super) fn mark_ranks(&mut self, index: PeerIndex) {
        let Some(subscriber) = self.peers.subscribers.get_mut(index) else {
            return;
        };
        subscriber.visit_at = None;
        for rank in SendRank::ALL {
            subscriber.queue.is_done(rank);
            self.dirty.mark(rank, &mut subscriber.queue, index);
        }
    }
}
