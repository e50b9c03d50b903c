//! What leaves: control first, then audio, then video. A run of packets of one subscriber that are
//! of one size is sealed into one buffer and leaves as one UDP GSO send.

use super::forwarding::mark;
use super::seal::{BUFFER, Receiver, Run, Sealer};
use super::work::Work;
use super::{Engine, Transmit};
use crate::discard::DropReason;
use crate::forward::packet::Pending;
use crate::ids::PeerIndex;
use crate::net::Path;
use crate::peer::subscriber::Lane;
use std::collections::VecDeque;
use std::time::Instant;

/// Buffers that live as long as the engine.
pub(super) struct Scratch {
    buffer: Box<[u8]>,
    rtcp: VecDeque<(PeerIndex, Vec<u8>)>,
    control: Vec<u8>,
    /// The lane being sealed, whose it is and whether of audio: so that it is not lost should that fail.
    lane: Lane,
    lane_of: Option<(PeerIndex, bool)>,
}

/// What lies ready to be sent.
pub(super) struct Sealed {
    path: Path,
    /// In the media buffer, or the control datagram.
    media: Option<Run>,
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch {
            buffer: vec![0; BUFFER].into_boxed_slice(),
            rtcp: VecDeque::new(),
            control: Vec::new(),
            lane: Lane::default(),
            lane_of: None,
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
    /// Seals what is next in the order of the lanes.
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
            let link = self.peers.links.get_mut(index);
            let Some((link, path)) = link.and_then(|link| link.transport.selected().map(|path| (link, path)))
            else {
                self.stats.drops.count(DropReason::ReceiverGone);
                continue;
            };
            self.at_work.begin(Work::Peer(index));
            match link.transport.seal_rtcp(&mut packet) {
                Ok(()) => {
                    self.scratch.control = packet;
                    return Some(Sealed { path, media: None });
                }
                Err(reason) => self.stats.drops.count(reason),
            }
        }
        while let Some(index) = self.dirty.control.front().copied() {
            self.at_work.begin(Work::Peer(index));
            let transmit = self.peers.links.get_mut(index).and_then(|link| link.transport.poll_transmit());
            if let Some((path, packet)) = transmit {
                self.scratch.control = packet;
                return Some(Sealed { path, media: None });
            }
            self.dirty.control.pop_front();
            let drops = self.peers.links.get_mut(index).map(|link| link.transport.take_drops());
            drops.into_iter().flatten().for_each(|(reason, lost)| self.stats.drops.add(reason, lost));
            self.schedule(index);
        }
        None
    }

    fn next_media(&mut self, now: Instant) -> Option<Sealed> {
        [true, false].into_iter().find_map(|audio| self.next_of_lane(now, audio))
    }

    fn next_of_lane(&mut self, now: Instant, audio: bool) -> Option<Sealed> {
        loop {
            let lane = if audio { &mut self.dirty.audio } else { &mut self.dirty.video };
            let index = lane.front().copied()?;
            let (sealed, more) = self.seal_lane(now, index, audio);
            if !more {
                let lane = if audio { &mut self.dirty.audio } else { &mut self.dirty.video };
                lane.pop_front();
            }
            if sealed.is_some() {
                return sealed;
            }
        }
    }

    /// Seals the next run of a subscriber's lane; also answers whether more waits there.
    fn seal_lane(&mut self, now: Instant, index: PeerIndex, audio: bool) -> (Option<Sealed>, bool) {
        let Some(subscriber) = self.peers.subscribers.get_mut(index) else {
            return (None, false);
        };
        let Scratch { buffer, lane, lane_of, .. } = &mut self.scratch;
        *lane = std::mem::take(subscriber.lane(audio));
        *lane_of = Some((index, audio));
        let mut needs_key = None;
        let sealed = self.peers.links.get_mut(index).and_then(|link| {
            let path = link.transport.selected().filter(|_| link.transport.is_connected())?;
            let receiver = Receiver { index, link, subscriber };
            let mut sealer = Sealer::new(now, audio, receiver, &self.peers.publishers, &mut self.at_work);
            let run = sealer.seal_run(lane, buffer, &mut self.stats);
            needs_key = sealer.needs_key;
            let (run, arrived) = (run?, sealer.arrived);
            if let (false, Some(arrived)) = (audio, arrived) {
                self.waits.on_picture(now.saturating_duration_since(arrived));
            }
            let counts = (run.packets as u64, self.stats.packets_forwarded);
            self.delay.on_run(now, arrived.unwrap_or(now), counts, &mut self.stats.forward_delay);
            Some(Sealed { path, media: Some(run) })
        });
        let more = sealed.is_some() && !lane.packets.is_empty();
        if !more {
            // Without a path nothing can leave. Cleared also where it is empty: so its memory is used
            // from the start again, and stays warm.
            self.stats.drops.add(DropReason::ReceiverGone, subscriber.throw_away(lane));
            lane.marked = false;
        }
        *lane_of = None;
        *subscriber.lane(audio) = std::mem::take(lane);
        if let Some(origin) = needs_key {
            self.request_key(now, origin);
        }
        (sealed, more)
    }

    /// Sealing has failed: what is left goes back to its subscriber, but for the packet it failed at.
    pub(super) fn restore_lane(&mut self) {
        let mut lane = std::mem::take(&mut self.scratch.lane);
        let Some((index, audio)) = self.scratch.lane_of.take() else {
            return;
        };
        if lane.packets.front_mut().is_some_and(Pending::advance) {
            lane.packets.pop_front();
        }
        if let Some(subscriber) = self.peers.subscribers.get_mut(index) {
            *subscriber.lane(audio) = lane;
        }
    }

    /// Brings a peer into the lanes in which something of its waits, into which nobody has been brought yet.
    pub(super) fn mark_lanes(&mut self, index: PeerIndex) {
        let Some(subscriber) = self.peers.subscribers.get_mut(index) else {
            return;
        };
        let lanes = [
            (&mut self.dirty.audio, &mut subscriber.audio_queue),
            (&mut self.dirty.video, &mut subscriber.video_queue),
        ];
        for (lane, queue) in lanes {
            queue.marked = false;
            mark(lane, queue, index);
        }
    }
}
