//! What waits for a line too long is taken back: a picture that would be seen seconds late is in the way of what is now.

use super::Engine;
use crate::forward::packet::{Origin, Pending};
use crate::ids::PeerIndex;
use crate::peer::Peers;
use crate::peer::Table;
use crate::peer::publisher::Publisher;
use crate::peer::queue::SendRank;
use crate::peer::subscriber::{Subscriber, Video};
use crate::room::shed::Standing;
use std::time::{Duration, Instant};

/// Younger than this nothing is looked at: a key frame is spread over as much.
const WAITS: Duration = Duration::from_millis(100);
/// So long the line may take for what waits.
const MOST: Duration = Duration::from_millis(400);
/// A frame that has waited for so long is given up as well, unless a part of it has left and video still leaves.
const STALE: Duration = Duration::from_secs(1);

impl Engine {
    /// Takes back frames of a subscriber's slots, those of the lowest rank first, until its line can carry what waits. Of
    /// each slot the frame that comes next still leaves, unless it is stale. Slots that lost frames go on with a key frame,
    /// which they ask for when they are planned again.
    pub(super) fn take_back(&mut self, now: Instant, index: PeerIndex) {
        let Peers { subscribers, publishers, .. } = &mut self.peers;
        let Some(subscriber) = subscribers.get_mut(index) else {
            return;
        };
        let Some(line) = subscriber.line().filter(|_| stands(now, subscriber)) else {
            return;
        };
        let most = (line.bps / 8.0 * MOST.as_secs_f64()) as usize;
        let mut slots: Vec<(Option<Standing>, u16)> =
            subscriber.video.iter().zip(0..).map(standing).collect();
        slots.sort_unstable();
        let stalled = subscriber.pacer.still_for(now) > STALE;
        let mut changed = false;
        for (_, slot) in &slots {
            if is_stale(now, publishers, subscriber, *slot, stalled) {
                changed |= take_back_of(publishers, subscriber, *slot, 0);
            }
        }
        for (_, slot) in slots {
            if waiting(publishers, subscriber) <= most {
                break;
            }
            changed |= take_back_of(publishers, subscriber, slot, 1);
        }
        if changed {
            self.stale_room_of(index);
        }
    }
}

/// Frames have waited for the line for longer than a frame should.
pub(super) fn stands(now: Instant, subscriber: &Subscriber) -> bool {
    subscriber.queue.age(now, SendRank::Video).is_some_and(|age| age > WAITS)
}

/// What comes next of a slot would be shown too late.
fn is_stale(
    now: Instant,
    publishers: &Table<Publisher>,
    subscriber: &Subscriber,
    slot: u16,
    stalled: bool,
) -> bool {
    let next = subscriber.queue.waiting(SendRank::Video).find(|pending| pending.slot == slot);
    let old = next.filter(|next| now.saturating_duration_since(next.decided) > STALE);
    let begins = |next: &Pending| {
        let layer = publishers.layer(next.origin);
        layer.and_then(|layer| layer.slab.get(next.sequence_in)).is_none_or(|(meta, _)| meta.frame_start)
    };
    old.is_some_and(|next| stalled || begins(next))
}

fn standing((video, slot): (&Video, u16)) -> (Option<Standing>, u16) {
    (video.wanted.map(|(_, standing)| standing), slot)
}

/// Bytes of video that wait.
pub(super) fn waiting(publishers: &Table<Publisher>, subscriber: &Subscriber) -> usize {
    let size = |pending: &Pending| {
        let Some(layer) = publishers.layer(pending.origin) else { return 0 };
        let packets = pending.sequence_in.until(pending.sequence_in.plus(u64::from(pending.count)));
        packets.filter_map(|sequence| Some(layer.slab.get(sequence)?.1.len())).sum()
    };
    subscriber.queue.waiting(SendRank::Video).map(size).fold(0, usize::saturating_add)
}

/// All frames of a slot but the first so many, none or one; true when there were any.
fn take_back_of(
    publishers: &Table<Publisher>,
    subscriber: &mut Subscriber,
    slot: u16,
    frames: usize,
) -> bool {
    let timestamp =
        |origin: Origin, sequence| Some(publishers.layer(origin)?.slab.get(sequence)?.0.timestamp);
    let mut first = None;
    let taken = subscriber.withdraw(slot, |pending| {
        let (origin, count) = (pending.origin, u64::from(pending.count));
        let frame = *first.get_or_insert((origin, timestamp(origin, pending.sequence_in)));
        let packets = pending.sequence_in.until(pending.sequence_in.plus(count));
        let stay = packets.take_while(|sequence| (origin, timestamp(origin, *sequence)) == frame).count();
        stay.saturating_mul(frames) as u16
    });
    if taken && let Some(video) = subscriber.video.get_mut(usize::from(slot)) {
        video.slot.rest();
        if frames == 0 {
            video.slot.miss_still();
        }
    }
    taken
}
