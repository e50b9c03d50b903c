//! A video slot decides about packets and switches: from the slab, on a time line that goes on.

use super::forwarding::{layer_of, pending};
use crate::forward::packet::{Origin, PacketMeta, Pending};
use crate::forward::switch::Decision;
use crate::forward::write::Parts;
use crate::peer::Table;
use crate::peer::publisher::{Publisher, Route};
use crate::peer::subscriber::Subscriber;
use crate::stats::Drops;
use crate::time::NtpTime;
use std::time::Instant;

/// What a video slot needs around it to decide and to switch.
pub(super) struct Ways<'a> {
    pub publishers: &'a Table<Publisher>,
    pub drops: &'a mut Drops,
    pub now: Instant,
    pub route: Route,
}

impl Ways<'_> {
    /// By far the most bursts: a picture of what the slot shows, in order. False when each packet has to
    /// be looked at.
    #[inline]
    pub fn offer_run(
        &self,
        subscriber: &mut Subscriber,
        origin: Origin,
        packets: &[(u64, &PacketMeta)],
    ) -> bool {
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
    pub fn offer_video(
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
