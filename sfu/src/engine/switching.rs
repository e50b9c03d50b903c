//! A video slot decides about packets and switches: from the slab, on a timeline that goes on.

use super::{backlog, pacing};
use crate::forward::packet::{Origin, PacketMeta, Pending};
use crate::forward::rewrite::Rewriter;
use crate::forward::switch::Decision;
use crate::forward::write::Parts;
use crate::peer::Table;
use crate::peer::layer::{KEY_MAX_AGE, Route};
use crate::peer::publisher::Publisher;
use crate::peer::queue::SendRank;
use crate::peer::subscriber::Subscriber;
use crate::stats::Drops;
use rtp::ntp::NtpTime;
use rtp::sequence::Sequence;
use std::time::Instant;

/// What an offer did to a video slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    Stays,
    Switched,
    /// The key frame it waited to begin with is gone or too old.
    NeedsKey(Origin),
}

/// What a slot needs around it to decide and to switch.
pub(super) struct SlotContext<'a> {
    pub publishers: &'a Table<Publisher>,
    pub drops: &'a mut Drops,
    pub now: Instant,
    pub route: Route,
}

impl SlotContext<'_> {
    /// The fast path, which takes by far the most bursts: a frame of what the slot shows, in order. False when each
    /// packet has to be looked at.
    #[inline]
    pub fn offer_run(
        &self,
        subscriber: &mut Subscriber,
        origin: Origin,
        packets: &[(Sequence, &PacketMeta)],
    ) -> bool {
        let Some(video) = subscriber.video.get_mut(usize::from(self.route.slot)) else {
            return false;
        };
        let Some((mapped, first)) = video.slot.offer_run(self.now, origin, packets) else {
            return false;
        };
        let pending = Pending::one(self.now, origin, first, self.route.slot, mapped);
        subscriber.queue.push(SendRank::Video, Pending { count: packets.len() as u16, ..pending });
        true
    }

    pub fn offer_audio(
        &mut self,
        subscriber: &mut Subscriber,
        origin: Origin,
        packets: &[(Sequence, &PacketMeta)],
    ) -> Offered {
        let mut offered = Offered::Stays;
        let slot = self.route.slot;
        let Some(audio) = subscriber.audio.get_mut(usize::from(slot)) else {
            return offered;
        };
        for (sequence, meta) in packets {
            match audio.slot.offer(self.now, origin, *sequence, meta) {
                Ok(Some((mapped, begins))) => {
                    let pending =
                        Pending { begins, ..Pending::one(self.now, origin, *sequence, slot, mapped) };
                    subscriber.queue.push(SendRank::Audio, pending);
                    offered = if begins { Offered::Switched } else { offered };
                }
                Ok(None) => {}
                Err(reason) => self.drops.count(reason),
            }
        }
        offered
    }

    /// As `offer_audio`, for a packet that came before; not for one that this slot has sent.
    pub fn begin_audio(
        &mut self,
        subscriber: &mut Subscriber,
        origin: Origin,
        (sequence, meta): (Sequence, &PacketMeta),
    ) -> Offered {
        let audio = subscriber.audio.get(usize::from(self.route.slot));
        match audio.is_some_and(|audio| audio.slot.rewriter.is_late(origin, sequence)) {
            true => Offered::Stays,
            false => self.offer_audio(subscriber, origin, &[(sequence, meta)]),
        }
    }

    /// Offers a burst of one layer.
    #[inline]
    pub fn offer_burst(
        &mut self,
        subscriber: &mut Subscriber,
        origin: Origin,
        packets: &[(Sequence, &PacketMeta)],
    ) -> Offered {
        let mut offered = Offered::Stays;
        if self.offer_run(subscriber, origin, packets) {
            return offered;
        }
        for (sequence, meta) in packets {
            match self.offer_video(subscriber, origin, *sequence, meta) {
                Offered::Stays => {}
                // A switch plays all there is from the slab, and with it the rest of this burst.
                Offered::Switched => return Offered::Switched,
                needs_key => offered = needs_key,
            }
        }
        offered
    }

    #[inline]
    pub fn offer_video(
        &mut self,
        subscriber: &mut Subscriber,
        origin: Origin,
        sequence: Sequence,
        meta: &PacketMeta,
    ) -> Offered {
        let Some(video) = subscriber.video.get_mut(usize::from(self.route.slot)) else {
            return Offered::Stays;
        };
        let decision = video.slot.offer(self.now, origin, sequence, meta);
        if let Ok(Decision::Forward(mapped) | Decision::ForwardThenSwitch(mapped, _)) = decision {
            let pending = Pending::one(self.now, origin, sequence, self.route.slot, mapped);
            subscriber.queue.push(SendRank::Video, pending);
        }
        match decision {
            Ok(Decision::Ignore | Decision::Forward(_)) => Offered::Stays,
            Ok(Decision::ForwardThenSwitch(_, key) | Decision::Switch(key)) => self.switch(subscriber, key),
            Err(reason) => {
                self.drops.count(reason);
                Offered::Stays
            }
        }
    }

    /// Begins the target at its key frame and forwards from there what the slab holds.
    fn switch(&mut self, subscriber: &mut Subscriber, key: Sequence) -> Offered {
        let Some(video) = subscriber.video.get_mut(usize::from(self.route.slot)) else {
            return Offered::Stays;
        };
        let Some(target) = video.slot.target() else {
            return Offered::Stays;
        };
        let Some(layer) = self.publishers.layer(target) else {
            return Offered::Stays;
        };
        let young = |(first, _): &(&PacketMeta, &[u8])| layer.age(self.now, first) <= KEY_MAX_AGE;
        let Some((first, _)) = layer.slab.get(key).filter(young) else {
            video.slot.forget_key();
            return Offered::NeedsKey(target);
        };
        // What waits for its line is of the source that is shown no more.
        let is_another = video.slot.rewriter.origin().is_some_and(|from| !from.is_of_the_source_of(target));
        let leaves = pacing::fits(self.now, subscriber, backlog::waiting(self.publishers, subscriber));
        if is_another && !leaves {
            subscriber.forget(self.route.slot);
        }
        let Some(video) = subscriber.video.get_mut(usize::from(self.route.slot)) else {
            return Offered::Stays;
        };
        let timestamp = self.timestamp(&video.slot.rewriter, target, first.timestamp);
        video.slot.switch(key, first, timestamp);
        self.forward_from(subscriber, target, key);
        Offered::Switched
    }

    /// Forwards what the slab holds from its first packet on.
    fn forward_from(&mut self, subscriber: &mut Subscriber, target: Origin, first: Sequence) {
        let layer = self.publishers.layer(target);
        let Some((layer, video)) = layer.zip(subscriber.video.get_mut(usize::from(self.route.slot))) else {
            return;
        };
        for sequence in first.until(layer.newest.next()) {
            let Some((meta, stored)) = layer.slab.get(sequence) else {
                continue;
            };
            if Parts::of(meta, stored).payload.is_empty() {
                video.slot.rewriter.skip(target, sequence, meta);
                continue;
            }
            match video.slot.offer(self.now, target, sequence, meta) {
                Ok(Decision::Forward(mapped)) => {
                    let pending = Pending::one(self.now, target, sequence, self.route.slot, mapped);
                    subscriber.queue.push(SendRank::Video, pending);
                }
                Ok(_) => {}
                Err(reason) => self.drops.count(reason),
            }
        }
    }

    /// Where the key frame is on the slot's timeline: by sender reports where the slot shows, or showed last, the same
    /// source, also after a pause; otherwise by arrival.
    fn timestamp(&self, rewriter: &Rewriter, to: Origin, timestamp: u32) -> u32 {
        let same_source = rewriter.origin().filter(|from| from.is_of_the_source_of(to));
        let report = |origin: Origin| self.publishers.layer(origin).and_then(|l| l.last_report);
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
