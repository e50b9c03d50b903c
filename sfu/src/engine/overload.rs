//! The worker cannot keep up: which slots are thinned until it can.

use super::Engine;
use crate::ids::{PeerIndex, RoomId};
use crate::peer::Peers;
use crate::peer::layer::Layer;
use crate::peer::queue::SendRank;
use crate::peer::subscriber::{Subscriber, Video};
use crate::room::shed::{Cost, Measure, Standing};
use crate::stats::Effort;
use std::time::{Duration, Instant};

/// Assumed of a layer that has no rate yet: the smallest encodings have 100 kbit/s.
const LEAST_BPS: u64 = 100_000;

/// How long subscribers' frames waited for their turns since the last `take`: from the kernel on, and the oldest of each
/// turn. What comes during a turn leaves in it and has not waited.
#[derive(Debug, Default)]
pub(super) struct Waits {
    least: Option<Duration>,
}

impl Waits {
    /// A turn begins, and the oldest frame has waited for so long.
    pub fn on_turn(&mut self, waited: Duration) {
        self.least = Some(self.least.map_or(waited, |least| least.min(waited)));
    }

    /// The shortest wait since the last call. Where no turn began, it is how long the `next` one has waited.
    fn take(&mut self, next: Option<Duration>) -> Duration {
        self.least.take().or(next).unwrap_or_default()
    }
}

impl Engine {
    pub(super) fn handle_effort(&mut self, now: Instant, effort: Effort) {
        let next = self.dirty.first_of(SendRank::Video).and_then(|index| self.peers.subscribers.get(index));
        let waited = self.waits.take(next.and_then(|next| next.queue.age(now, SendRank::Video)));
        if !self.shedding.on_effort(effort, waited) {
            return;
        }
        self.shedding.plan(costs(now, &self.peers));
        let moved: Vec<RoomId> = self.peers.indices().filter_map(|index| self.moved(index)).collect();
        moved.into_iter().for_each(|room| self.stale(room));
    }

    /// The room of a peer for which shedding has changed something.
    fn moved(&self, index: PeerIndex) -> Option<RoomId> {
        let video = &self.peers.subscribers.get(index)?.video;
        let differs = |video: &Video| {
            let (_, standing) = video.wanted?;
            (self.shedding.measure(standing) != video.shed).then_some(())
        };
        video.iter().find_map(differs)?;
        self.room_of(index)
    }

    /// Slots whose frames are fewer than wished, and those that have none.
    pub(super) fn count_shed(&mut self) {
        let indices: Vec<PeerIndex> = self.peers.indices().collect();
        let subscribers = indices.iter().filter_map(|index| self.peers.subscribers.get(*index));
        let of = |measure| subscribers.clone().map(|s| with(s, measure)).sum();
        (self.stats.thinned_slots, self.stats.shed_slots) = (of(Measure::Thin), of(Measure::Held));
    }
}

fn with(subscriber: &Subscriber, measure: Measure) -> usize {
    subscriber.video.iter().filter(|video| video.shed == measure).count()
}

/// Every slot that would show something, and what it costs.
fn costs(now: Instant, peers: &Peers) -> impl Iterator<Item = (Standing, Cost)> {
    let subscribers = peers.indices().filter_map(|index| peers.subscribers.get(index));
    let wanted = subscribers.flat_map(|s| s.video.iter()).filter_map(|video| video.wanted);
    wanted.filter_map(move |(origin, standing)| {
        let layer = peers.publishers.get(origin.publisher)?.layer(origin.kind, origin.layer)?;
        Some((standing, cost(now, layer)))
    })
}

fn cost(now: Instant, layer: &Layer) -> Cost {
    let whole = layer.stream.totals(now).bitrate_bps.max(LEAST_BPS);
    Cost { whole, upper: layer.upper_rate.bps(now).min(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_wait_counts_and_a_queue_that_stands_still_grows() {
        let ms = Duration::from_millis;
        let mut waits = Waits::default();
        assert_eq!(waits.take(None), ms(0), "no frames, no wait");
        waits.on_turn(ms(30));
        waits.on_turn(ms(10));
        waits.on_turn(ms(20));
        assert_eq!(waits.take(Some(ms(40))), ms(10));
        assert_eq!(waits.take(Some(ms(110))), ms(110), "no frame had its turn");
        assert_eq!(waits.take(None), ms(0));
    }
}
