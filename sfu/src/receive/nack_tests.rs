use super::*;
use crate::time::test_start;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

fn at(index: u64) -> Sequence {
    Sequence::from_index(index)
}

const RTT: Duration = Duration::from_millis(50);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn asked(nack: &mut NackGenerator, now: Instant) -> Vec<u16> {
    let mut out = Vec::new();
    let _ = nack.poll(now, RTT, &mut out);
    out
}

fn feed(nack: &mut NackGenerator, now: Instant, numbers: &[u64]) -> bool {
    let arrive = |n: &u64| nack.on_arrival(now, at(*n), false);
    numbers.iter().map(arrive).fold(false, |a, b| a | b)
}

#[test]
fn a_neighbour_that_was_only_overtaken_is_never_asked_for() {
    let start = test_start();
    let mut nack = NackGenerator::video();
    feed(&mut nack, start, &[10, 12]);
    assert_eq!(nack.next_timeout(), Some(start + GRACE));
    assert_eq!(asked(&mut nack, start + ms(9)), [0u16; 0]);
    feed(&mut nack, start + ms(9), &[11]);
    assert_eq!(nack.next_timeout(), None);
    assert_eq!(asked(&mut nack, start + ms(100)), [0u16; 0]);
}

#[test]
fn the_second_packet_after_a_gap_ends_the_grace() {
    let start = test_start();
    let mut nack = NackGenerator::video();
    feed(&mut nack, start, &[65_534, 65_537]);
    assert_eq!(asked(&mut nack, start), [0u16; 0]);
    feed(&mut nack, start + ms(1), &[65_538]);
    assert_eq!(nack.next_timeout(), Some(start + ms(1)));
    assert_eq!(asked(&mut nack, start + ms(1)), [65_535, 0]);
}

#[test]
fn a_retransmission_does_not_end_the_grace() {
    let start = test_start();
    let mut nack = NackGenerator::video();
    feed(&mut nack, start, &[1, 3]);
    let _ = nack.on_arrival(start, at(4), true);
    assert_eq!(nack.next_timeout(), Some(start + GRACE));
}

/// Asked ten times, 55 ms apart, then given up.
#[test]
fn questions_follow_the_round_trip_and_end() {
    let start = test_start();
    let mut nack = NackGenerator::video();
    feed(&mut nack, start, &[1, 3]);
    let mut at = Vec::new();
    let mut hurts = false;
    while let Some(now) = nack.next_timeout() {
        let mut out = Vec::new();
        hurts = nack.poll(now, RTT, &mut out);
        at.extend(out.iter().map(|_| (now - start).as_millis()));
    }
    assert_eq!(at, [10, 65, 120, 175, 230, 285, 340, 395, 450, 505]);
    assert!(hurts, "what is given up needs a key frame");
}

#[test]
fn age_ends_questions_before_their_number_does() {
    let rows = [(NackGenerator::video(), 1000, true), (NackGenerator::audio(), 250, false)];
    for (mut nack, age, key_frame) in rows {
        let start = test_start();
        feed(&mut nack, start, &[1, 3]);
        let (mut last, mut hurts, mut tries) = (start, false, 0);
        while let Some(now) = nack.next_timeout() {
            let mut out = Vec::new();
            hurts = nack.poll(now, ms(180), &mut out);
            tries += out.len();
            last = now;
        }
        assert_eq!(last, start + ms(age));
        assert_eq!(hurts, key_frame);
        assert!(tries < 10);
    }
}

#[test]
fn what_a_key_frame_repaired_needs_no_other() {
    let start = test_start();
    let mut nack = NackGenerator::video();
    feed(&mut nack, start, &[1, 3, 4]);
    nack.on_keyframe(at(4));
    let mut out = Vec::new();
    assert!(!nack.poll(start + ms(1), RTT, &mut out));
    assert_eq!(out, [2], "still worth asking for");
    assert!(!nack.poll(start + ms(1000), RTT, &mut out), "given up without harm");
    assert_eq!(nack.next_timeout(), None);
}

#[test]
fn a_gap_too_large_is_a_key_frame_not_a_flood() {
    let start = test_start();
    let mut nack = NackGenerator::video();
    assert!(!feed(&mut nack, start, &[1000, 1257]), "256 fit");
    assert!(feed(&mut nack, start, &[1259]), "one more does not");
    assert_eq!(nack.next_timeout(), None);
    let mut audio = NackGenerator::audio();
    assert!(!feed(&mut audio, start, &[1, 5000]), "audio has no key frames");
}

#[test]
fn where_a_stream_begins_old_gaps_are_gone() {
    let start = test_start();
    let mut nack = NackGenerator::video();
    feed(&mut nack, start, &[1, 9, 10]);
    nack.begin_at(at(90_000));
    assert_eq!(nack.next_timeout(), None);
    assert!(!feed(&mut nack, start, &[90_000]), "the first packet opens no gap");
    assert_eq!(asked(&mut nack, start + ms(500)), [0u16; 0]);
    feed(&mut nack, start, &[90_002, 90_003]);
    assert_eq!(asked(&mut nack, start + ms(500)), [90_001u64 as u16], "the next gap is one");
}

/// While a site is muted its numbers are used up unseen. When it is forwarded again, the answer to an old question
/// comes first.
#[test]
fn a_late_packet_from_before_opens_no_gap_over_what_was_passed_over() {
    let start = test_start();
    let mut nack = NackGenerator::video();
    feed(&mut nack, start, &[100, 102]);
    nack.begin_at(at(140));
    assert!(!nack.on_arrival(start, at(101), true));
    feed(&mut nack, start, &[141, 142]);
    assert_eq!(asked(&mut nack, start + ms(500)), [0u16; 0]);
}

#[test]
fn an_absurd_round_trip_is_harmless() {
    let start = test_start();
    let mut nack = NackGenerator::video();
    feed(&mut nack, start, &[1, 3, 4]);
    assert!(!nack.poll(start, Duration::MAX, &mut Vec::new()));
    assert_eq!(nack.next_timeout(), Some(start + VIDEO_MAX_AGE));
}

/// (ms, number) in order of arrival. Number 70,000 + n leaves at 4n ms and arrives up to 49 ms later,
/// or (fate 0, one in ten) never.
fn arrivals(fates: &[(u8, u64)]) -> Vec<(u64, u64)> {
    let numbered = (0u64..).zip(fates);
    let arrive = numbered.filter(|(_, (fate, _))| *fate != 0);
    let mut arrivals: Vec<_> = arrive.map(|(n, (_, late))| (4 * n + late * late, 70_000 + n)).collect();
    arrivals.sort();
    arrivals
}

proptest! {
    /// Over a line that loses and reorders: nothing that arrived is asked for, nothing twice within
    /// a round trip, never more than the bound; and what stays missing long enough was asked for.
    #[test]
    fn questions_are_sparing_and_complete(
        fates in prop::collection::vec((0u8..10, 0u64..8), 2..300),
        rtt_ms in 1u64..200,
    ) {
        let start = test_start();
        let mut nack = NackGenerator::video();
        let arrivals = arrivals(&fates);
        let mut arrived = HashSet::new();
        let mut last_asked: HashMap<u16, Instant> = HashMap::new();
        let mut next = arrivals.iter().copied().peekable();
        let end = 4 * fates.len() as u64 + 80;
        for t in 0..=end {
            let now = start + ms(t);
            while let Some((_, n)) = next.next_if(|(at, _)| *at <= t) {
                prop_assert!(!nack.on_arrival(now, at(n), false));
                arrived.insert(n as u16);
            }
            if nack.next_timeout().is_some_and(|due| due <= now) {
                let mut out = Vec::new();
                let _ = nack.poll(now, ms(rtt_ms), &mut out);
                prop_assert!(out.len() <= MAX_OUTSTANDING);
                for n in out {
                    prop_assert!(!arrived.contains(&n), "{n} is here");
                    let before = last_asked.insert(n, now);
                    prop_assert!(before.is_none_or(|before| now - before >= ms(rtt_ms)), "{n} too soon");
                }
                prop_assert!(nack.next_timeout().is_none_or(|due| due > now));
            }
        }
        let first = arrivals.first().map(|(_, n)| *n);
        let newest = arrivals.iter().map(|(_, n)| *n).max();
        if let (Some(first), Some(newest)) = (first, newest) {
            for n in first..newest {
                let known = arrived.contains(&(n as u16)) || last_asked.contains_key(&(n as u16));
                prop_assert!(known, "{n} was never asked for");
            }
        }
    }
}

#[test]
fn speech_whose_answer_would_be_too_late_is_not_asked_for() {
    let start = test_start();
    let far = ms(220);
    let mut nack = NackGenerator::audio();
    feed(&mut nack, start, &[10, 12]);
    let mut out = Vec::new();
    let _ = nack.poll(start + ms(29), far, &mut out);
    assert_eq!(out, [11]);
    let mut nack = NackGenerator::audio();
    feed(&mut nack, start, &[10, 12]);
    let mut out = Vec::new();
    let _ = nack.poll(start + ms(30), far, &mut out);
    assert_eq!(out, [0u16; 0]);
    assert!(nack.is_missing(at(11)), "it may come by itself, or as redundancy");
    assert_eq!(nack.next_timeout(), Some(start + SPEECH_MAX_AGE));
    let _ = nack.poll(start + SPEECH_MAX_AGE, far, &mut out);
    assert!(!nack.is_missing(at(11)));
}
