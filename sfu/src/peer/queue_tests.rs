use super::*;
use crate::forward::packet::{Mapped, Offsets, Origin};
use crate::ids::{PeerIndex, SourceKind};
use proptest::prelude::*;
use rtp::sequence::Sequence;

fn pending(at: Instant, number: u64) -> Pending {
    let publisher = PeerIndex { place: 0, generation: 1 };
    let origin = Origin { publisher, kind: SourceKind::Camera, layer: 0 };
    let number = Sequence::from_index(number);
    Pending::one(at, origin, number, 0, Mapped { sequence_out: number, offsets: Offsets::default() })
}

#[test]
fn ranks_are_reported_once_until_they_are_done() {
    let (mut queue, now) = (SendQueue::default(), Instant::now());
    assert!(!queue.announce(SendRank::Video), "nothing waits");
    queue.push(SendRank::Video, pending(now, 1));
    assert!(queue.announce(SendRank::Video));
    queue.push(SendRank::Video, pending(now, 2));
    assert!(!queue.announce(SendRank::Video), "the engine knows");
    assert!(!queue.announce(SendRank::Resend));
    queue.is_done(SendRank::Video);
    assert!(queue.announce(SendRank::Video), "something waits still");
}

#[test]
fn a_turn_begins_once_for_all_that_waits() {
    let (mut queue, now) = (SendQueue::default(), Instant::now());
    assert!(!queue.begin_turn(SendRank::Video), "nothing waits");
    queue.push(SendRank::Video, pending(now, 1));
    assert!(queue.announce(SendRank::Video));
    assert!(!queue.begin_turn(SendRank::Audio), "it is another rank's turn");
    assert!(queue.begin_turn(SendRank::Video));
    queue.push(SendRank::Video, pending(now, 2));
    assert!(!queue.announce(SendRank::Video), "it leaves in this turn");
    assert!(!queue.begin_turn(SendRank::Video));
    queue.is_done(SendRank::Video);
    assert!(queue.announce(SendRank::Video) && queue.begin_turn(SendRank::Video));
}

#[test]
fn the_age_is_that_of_what_has_waited_longest_in_a_rank() {
    let (mut queue, begin) = (SendQueue::default(), Instant::now());
    let at = |ms| begin + Duration::from_millis(ms);
    assert_eq!(queue.age(at(5), SendRank::Video), None);
    queue.push(SendRank::Video, pending(at(10), 1));
    queue.push(SendRank::Video, pending(at(20), 2));
    queue.push(SendRank::Audio, pending(at(25), 3));
    assert_eq!(queue.age(at(30), SendRank::Video), Some(Duration::from_millis(20)));
    assert_eq!(queue.age(at(30), SendRank::Audio), Some(Duration::from_millis(5)));
    let mut waiting = queue.take(SendRank::Video);
    waiting.pop_front();
    queue.give_back(SendRank::Video, waiting);
    assert_eq!(queue.age(at(30), SendRank::Video), Some(Duration::from_millis(10)));
}

proptest! {
    /// Whatever comes between, all that is pushed comes out, in the order of its rank.
    #[test]
    fn what_has_a_number_leaves(steps in prop::collection::vec((0usize..4, 0usize..4), 0..200)) {
        let (mut queue, now) = (SendQueue::default(), Instant::now());
        let (mut pushed, mut left): ([Vec<Sequence>; 4], [Vec<Sequence>; 4]) = Default::default();
        let mut leave = |queue: &mut SendQueue, rank: SendRank, most: usize| {
            let mut waiting = queue.take(rank);
            let count = most.min(waiting.len());
            left[rank.index()].extend(waiting.drain(..count).map(|pending| pending.sequence_out));
            queue.give_back(rank, waiting);
        };
        for (number, (rank, most)) in (0u64..).zip(steps) {
            let rank = SendRank::ALL[rank];
            queue.push(rank, pending(now, number));
            pushed[rank.index()].push(Sequence::from_index(number));
            leave(&mut queue, SendRank::ALL[most], most);
        }
        SendRank::ALL.into_iter().for_each(|rank| leave(&mut queue, rank, usize::MAX));
        prop_assert_eq!(left, pushed);
    }
}

#[test]
fn what_waits_for_a_slot_is_taken_out_but_for_what_is_kept() {
    let (mut queue, now) = (SendQueue::default(), Instant::now());
    let of = |slot, number, count| Pending { slot, count, ..pending(now, number) };
    for waits in [of(0, 10, 5), of(1, 70, 1), of(0, 15, 2)] {
        queue.push(SendRank::Video, waits);
    }
    let kept = |pending: &Pending| if pending.sequence_out == Sequence::from_index(10) { 3 } else { 0 };
    let (first, last) = queue.take_out(SendRank::Video, 0, kept);
    assert_eq!((first, last), (Some(Sequence::from_index(13)), Some(Sequence::from_index(12))));
    let left: Vec<(u16, u16)> =
        queue.waiting(SendRank::Video).map(|pending| (pending.slot, pending.count)).collect();
    assert_eq!(left, [(0, 3), (1, 1)]);
    assert_eq!(queue.take_out(SendRank::Audio, 0, |_| 0), (None, None));
}
