//! From one stored packet to the slots that show its layer.

use super::Engine;
use super::rescue::Work;
use crate::discard::DropReason;
use crate::event::Event;
use crate::forward::packet::{Origin, PacketMeta, PeerIndex, Pending};
use crate::forward::rewrite::Mapped;
use crate::forward::switch::Decision;
use crate::forward::write::Parts;
use crate::ids::{SlotId, Source, SourceKind};
use crate::peer::Table;
use crate::peer::publisher::{Layer, Publisher, Route};
use crate::peer::subscriber::{Lane, Subscriber};
use crate::stats::Drops;
use crate::time::NtpTime;
use arrayvec::ArrayVec;
use std::collections::VecDeque;
use std::time::Instant;

/// Packets of one layer that came one after the other, stored but not decided yet: a picture comes as a
/// burst, and so each of its subscribers is visited once instead of once for each packet.
#[derive(Default)]
pub(super) struct Burst {
    origin: Option<Origin>,
    sequences: ArrayVec<u64, 32>,
}

impl Burst {
    /// Whether a packet of this layer joins what waits; otherwise that is decided first.
    pub fn takes(&self, origin: Origin) -> bool {
        self.origin == Some(origin) && !self.sequences.is_full()
    }
}

impl Engine {
    /// Offers a stored packet to every slot on its layer's routes, together with those that follow at
    /// once. Whatever may change a route, a slot or a slab decides the burst first.
    pub(super) fn forward(&mut self, origin: Origin, sequence: u64) {
        self.burst.origin = Some(origin);
        let joined = self.burst.sequences.try_push(sequence);
        debug_assert_eq!(joined, Ok(()), "a full burst is decided before the next packet is stored");
    }

    pub(super) fn decide_burst(&mut self, now: Instant) {
        let Some(origin) = self.burst.origin.take() else {
            return;
        };
        let sequences = std::mem::take(&mut self.burst.sequences);
        let drops = &mut self.stats.drops;
        let Some(layer) = layer_of(&self.peers.publishers, origin) else {
            return drops.add(DropReason::UnknownSsrc, sequences.len() as u64);
        };
        let publisher = origin.publisher;
        let before = self.at_work.interrupt(Work::Peer(publisher));
        let stored = |sequence: &u64| Some((*sequence, layer.slab.get(*sequence)?.0));
        let packets: ArrayVec<(u64, &PacketMeta), 32> = sequences.iter().filter_map(stored).collect();
        let gone = sequences.len().saturating_sub(packets.len());
        drops.add(DropReason::TooOld, gone as u64);
        drops.add(DropReason::Overload, layer.shed.saturating_mul(packets.len() as u64));
        let mut switched: Vec<Route> = Vec::new();
        for route in &layer.routes {
            let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber) else {
                continue;
            };
            self.at_work.begin(Work::Decide { publisher, receiver: route.subscriber });
            if origin.kind == SourceKind::Microphone {
                offer_audio((now, &mut *drops), subscriber, *route, origin, &packets);
                mark(&mut self.dirty.audio, &mut subscriber.audio_queue, route.subscriber);
                continue;
            }
            let mut ways =
                Ways { publishers: &self.peers.publishers, drops: &mut *drops, now, route: *route };
            if !ways.offer_run(subscriber, origin, &packets) {
                // A switch plays all there is from the slab: the rest of this burst with it.
                let mut each = packets.iter();
                if each.any(|(number, meta)| ways.offer_video(subscriber, origin, *number, meta)) {
                    switched.push(*route);
                }
            }
            mark(&mut self.dirty.video, &mut subscriber.video_queue, route.subscriber);
        }
        drop(packets);
        if !switched.is_empty() {
            self.after_switch(now, origin, &switched);
        }
        self.at_work.resume(before);
    }

    /// A padding-only packet takes no number on the slots that show the layer.
    pub(super) fn skip_padding(&mut self, origin: Origin, sequence: u64, meta: &PacketMeta) {
        let Some(layer) = layer_of(&self.peers.publishers, origin) else {
            return;
        };
        for route in &layer.routes {
            let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber) else {
                continue;
            };
            let slot = usize::from(route.slot);
            let rewriter = if origin.kind == SourceKind::Microphone {
                subscriber.audio.get_mut(slot).map(|audio| &mut audio.slot.rewriter)
            } else {
                subscriber.video.get_mut(slot).map(|video| &mut video.slot.rewriter)
            };
            if let Some(rewriter) = rewriter {
                rewriter.skip(origin, sequence, meta);
            }
        }
    }

    /// Name and picture change together: `SlotShows` goes out with the first packet of the new
    /// source, and the routes of the layers left behind are cleared away. The packet offered need not be of
    /// the new source: the last packet of the old one's picture may have opened the way.
    fn after_switch(&mut self, now: Instant, offered: Origin, switched: &[Route]) {
        for route in switched {
            let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber) else {
                continue;
            };
            let Some(video) = subscriber.video.get_mut(usize::from(route.slot)) else {
                continue;
            };
            let source = |origin: Origin| {
                let peer = self.peers.links.get(origin.publisher)?.peer;
                Some(Source { peer, kind: origin.kind })
            };
            let shown = video.slot.current().and_then(source);
            if shown.is_some() && video.shown != shown {
                video.shown = shown;
                let Some(link) = self.peers.links.get(route.subscriber) else {
                    continue;
                };
                let slot = SlotId::Video(route.slot);
                self.events.push_back(Event::SlotShows { peer: link.peer, slot, source: shown });
            }
        }
        self.report_switches(now, switched);
        if let Some(room) = self.room_of(offered.publisher) {
            self.stale(room);
        }
    }

    /// A switch may move the slot's time line against the publisher's clock: sender reports say so at once,
    /// or lips are out of sync for a second.
    fn report_switches(&mut self, now: Instant, switched: &[Route]) {
        for route in switched {
            if let Some(link) = self.peers.links.get_mut(route.subscriber) {
                link.report_at = link.report_at.min(now);
            }
            self.touch(route.subscriber);
        }
    }

    /// Switches a slot to a key frame that lies in the slab already, if it is young enough.
    pub(super) fn replay_key(&mut self, now: Instant, origin: Origin, route: Route) -> bool {
        let Some(layer) = layer_of(&self.peers.publishers, origin) else {
            return false;
        };
        let Some((key, at)) = layer.last_key else {
            return false;
        };
        let young = now.saturating_duration_since(at) < super::reconcile::REPLAY_MAX_AGE;
        if !young || !is_whole(layer, key) {
            return false;
        }
        let Some(subscriber) = self.peers.subscribers.get_mut(route.subscriber) else {
            return false;
        };
        let drops = &mut self.stats.drops;
        let mut ways = Ways { publishers: &self.peers.publishers, drops, now, route };
        let Some((meta, _)) = layer.slab.get(key) else {
            return false;
        };
        let switched = ways.offer_video(subscriber, origin, key, meta);
        if switched {
            mark(&mut self.dirty.video, &mut subscriber.video_queue, route.subscriber);
            self.after_switch(now, origin, &[route]);
        }
        switched
    }
}

/// A key frame can be played from the slab when nothing behind it is missing.
fn is_whole(layer: &Layer, key: u64) -> bool {
    (key..=layer.newest).all(|sequence| layer.slab.get(sequence).is_some())
}

pub(super) fn layer_of(publishers: &Table<Publisher>, origin: Origin) -> Option<&Layer> {
    publishers.get(origin.publisher)?.layer(origin.kind, origin.layer)
}

/// Brings a subscriber into a lane once: it is there exactly while something waits.
pub(super) fn mark(lane: &mut VecDeque<PeerIndex>, queue: &mut Lane, peer: PeerIndex) {
    if !queue.marked && !queue.packets.is_empty() {
        queue.marked = true;
        lane.push_back(peer);
    }
}

fn offer_audio(
    (now, drops): (Instant, &mut Drops),
    subscriber: &mut Subscriber,
    route: Route,
    origin: Origin,
    packets: &[(u64, &PacketMeta)],
) {
    let Some(audio) = subscriber.audio.get_mut(usize::from(route.slot)) else {
        return;
    };
    for (sequence, meta) in packets {
        match audio.slot.offer(now, origin, *sequence, meta) {
            Ok(Some((mapped, begins))) => {
                let pending = pending(origin, *sequence, route.slot, mapped);
                subscriber.audio_queue.packets.push_back(Pending { begins, ..pending });
            }
            Ok(None) => {}
            Err(reason) => drops.count(reason),
        }
    }
}

#[inline]
pub(super) fn pending(origin: Origin, sequence_in: u64, slot: u16, mapped: Mapped) -> Pending {
    let Mapped { sequence_out, offsets } = mapped;
    Pending {
        origin,
        slot,
        count: 1,
        sequence_in,
        sequence_out,
        offsets,
        begins: false,
        retransmission: false,
    }
}

/// What a video slot needs around it to decide and to switch.
struct Ways<'a> {
    publishers: &'a Table<Publisher>,
    drops: &'a mut Drops,
    now: Instant,
    route: Route,
}

impl Ways<'_> {
    /// By far the most bursts: a picture of what the slot shows, in order. False when each packet has to
    /// be looked at.
    #[inline]
    fn offer_run(&self, subscriber: &mut Subscriber, origin: Origin, packets: &[(u64, &PacketMeta)]) -> bool {
        let Some(video) = subscriber.video.get_mut(usize::from(self.route.slot)) else {
            return false;
        };
        let Some((mapped, first)) = video.slot.offer_run(self.now, origin, packets) else {
            return false;
        };
        let pending = pending(origin, first, self.route.slot, mapped);
        subscriber.video_queue.packets.push_back(Pending { count: packets.len() as u16, ..pending });
        true
    }

    /// True when the slot switched.
    #[inline]
    fn offer_video(
        &mut self,
        subscriber: &mut Subscriber,
        origin: Origin,
        sequence: u64,
        meta: &PacketMeta,
    ) -> bool {
        let Some(video) = subscriber.video.get_mut(usize::from(self.route.slot)) else {
            return false;
        };
        let decision = video.slot.offer(self.now, origin, sequence, meta);
        if let Ok(Decision::Forward(mapped) | Decision::ForwardThenSwitch(mapped, _)) = decision {
            subscriber.video_queue.packets.push_back(pending(origin, sequence, self.route.slot, mapped));
        }
        match decision {
            Ok(Decision::Ignore | Decision::Forward(_)) => false,
            Ok(Decision::ForwardThenSwitch(_, key) | Decision::Switch(key)) => self.switch(subscriber, key),
            Err(reason) => {
                self.drops.count(reason);
                false
            }
        }
    }

    /// Begins the target at its key frame and forwards from there what the slab holds.
    fn switch(&mut self, subscriber: &mut Subscriber, key: u64) -> bool {
        let Some(video) = subscriber.video.get_mut(usize::from(self.route.slot)) else {
            return false;
        };
        let Some(target) = video.slot.target() else {
            return false;
        };
        let Some(layer) = layer_of(self.publishers, target) else {
            return false;
        };
        let Some((first, _)) = layer.slab.get(key) else {
            return false;
        };
        let timestamp = self.timestamp(video.slot.current(), &video.slot.rewriter, target, first.timestamp);
        video.slot.switch(key, first, timestamp);
        for sequence in key..=layer.newest {
            let Some((meta, stored)) = layer.slab.get(sequence) else {
                continue;
            };
            if Parts::of(meta, stored).payload.is_empty() {
                video.slot.rewriter.skip(target, sequence, meta);
                continue;
            }
            match video.slot.offer(self.now, target, sequence, meta) {
                Ok(Decision::Forward(mapped)) => {
                    let pending = pending(target, sequence, self.route.slot, mapped);
                    subscriber.video_queue.packets.push_back(pending);
                }
                Ok(_) => {}
                Err(reason) => self.drops.count(reason),
            }
        }
        true
    }

    /// Where the key frame lies on the slot's time line: between layers of one source by their
    /// sender reports, otherwise by arrival.
    fn timestamp(
        &self,
        from: Option<Origin>,
        rewriter: &crate::forward::rewrite::Rewriter,
        to: Origin,
        timestamp: u32,
    ) -> u32 {
        let same_source = from.filter(|f| f.publisher == to.publisher && f.kind == to.kind);
        let report = |origin: Origin| layer_of(self.publishers, origin).and_then(|l| l.last_report);
        let aligned = same_source.and_then(|from| {
            let on_old_line = align(report(from)?, report(to)?, timestamp);
            Some(on_old_line.wrapping_add(rewriter.timestamp_offset()?))
        });
        aligned.unwrap_or_else(|| rewriter.timestamp_by_arrival(self.now, timestamp))
    }
}

/// Video clock rate, the same for all video codecs (RFC 7741 and its kin).
const VIDEO_CLOCK: f64 = 90_000.0;

/// The timestamp on `from`'s line of the capture time that `timestamp` is on `to`'s line.
fn align(from: (NtpTime, u32), to: (NtpTime, u32), timestamp: u32) -> u32 {
    let after_report = timestamp.wrapping_sub(to.1) as i32;
    let between_reports = to.0.seconds_since(from.0) * VIDEO_CLOCK;
    let ticks = f64::from(after_report) + between_reports;
    from.1.wrapping_add(ticks as i64 as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn reports_align_two_layers_of_one_source() {
        let ntp = NtpTime(1 << 40);
        let later = ntp.wrapping_add(Duration::from_secs(1));
        // Layer A: 1000 at `ntp`; layer B: 500_000 one second later. B's 509_000 is 1.1 s after `ntp`.
        assert_eq!(align((ntp, 1000), (later, 500_000), 509_000), 1000 + 99_000);
        assert_eq!(align((later, 500_000), (ntp, 1000), 1000), 500_000 - 90_000);
    }
}
