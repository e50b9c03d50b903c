use super::*;
use crate::time::test_start;

const QUIET: Losing = Losing {
    share: 0.0,
    burst: Duration::ZERO,
    bps: 2_000_000.0,
    room_bps: 1_900_000.0,
    congested: false,
    packet: PACKET,
};

fn losing(share: f64) -> Losing {
    Losing { share, ..QUIET }
}

fn distances(copies: usize, burst_ms: u64) -> Vec<u8> {
    RedPlan::of(copies, Duration::from_millis(burst_ms), PACKET).distances.to_vec()
}

#[test]
fn copies_leave_a_hundredth_missing_where_they_can() {
    let copies = [0.0, 0.01, 0.02, 0.09, 0.11, 0.21, 0.22, 0.3, 0.45, 1.0].map(copies_for);
    assert_eq!(copies, [0, 0, 1, 1, 2, 2, 3, 3, 3, 3]);
}

#[test]
fn copies_are_spread_over_a_burst() {
    assert_eq!(distances(0, 60), [0u8; 0]);
    assert_eq!(distances(1, 0), [1], "single losses: as early as can be");
    assert_eq!(distances(3, 9), [3, 2, 1]);
    assert_eq!(distances(2, 60), [4, 2], "60 ms are four packets when the first and the last are lost");
    assert_eq!(distances(1, 60), [4]);
    assert_eq!(distances(3, 60), [4, 3, 2]);
    assert_eq!(distances(3, 1000), [5, 4, 2], "no farther than a jitter buffer waits");
}

#[test]
fn redundancy_begins_at_once_and_ends_after_a_while() {
    let (start, mut red) = (test_start(), Redundancy::default());
    red.follow(start, losing(0.0));
    assert!(red.is_off());
    red.follow(start, losing(0.3));
    assert_eq!(red.plan().distances.len(), 3);
    red.follow(start + HOLD / 2, losing(0.02));
    assert_eq!(red.plan().distances.len(), 3, "not yet");
    red.follow(start + HOLD / 2 + HOLD, losing(0.02));
    assert_eq!(red.plan().distances.len(), 1);
    red.follow(start + HOLD * 2, losing(0.0));
    red.follow(start + HOLD * 3, losing(0.0));
    assert!(red.is_off());
}

/// A share that moves about a threshold does not switch to and fro.
#[test]
fn a_little_less_loss_changes_nothing() {
    let (start, mut red) = (test_start(), Redundancy::default());
    for second in 0..60 {
        let share = if second % 2 == 0 { 0.23 } else { 0.2 };
        red.follow(start + Duration::from_secs(second), losing(share));
        assert_eq!(red.plan().distances.len(), 3);
    }
    for second in 60..120 {
        let share = if second % 6 == 0 { 0.2 } else { 0.1 };
        red.follow(start + Duration::from_secs(second), losing(share));
        assert_eq!(red.plan().distances.len(), 3, "it comes again within the hold");
    }
}

/// What may be sent in a second of a line that has been like this for some time.
fn bps_after(seconds: u64, losing: Losing) -> f64 {
    let (start, mut red) = (test_start(), Redundancy::default());
    (0..=seconds).for_each(|second| red.follow(start + Duration::from_secs(second), losing));
    let mut spent = 0;
    for packet in 0..100u32 {
        red.begin_turn(start + PACKET * packet);
        let bytes = red.budget();
        spent += if packet >= 50 { bytes } else { 0 };
        red.spend(bytes);
    }
    spent as f64 * 8.0
}

#[test]
fn bytes_stay_within_a_third_of_the_line() {
    let close = |bps: f64, to: f64| (bps / to - 1.0).abs() < 0.02;
    assert!(close(bps_after(0, losing(0.3)), FIRST_BPS));
    assert!(close(bps_after(60, losing(0.3)), 2_000_000.0 / 3.0));
    assert!(close(bps_after(60, Losing { bps: 30_000.0, ..losing(0.3) }), TWO_VOICES_BPS));
}

/// Pictures make room for what protects speech.
#[test]
fn a_queue_leaves_redundancy_what_speech_leaves() {
    let congested = |room_bps| Losing { congested: true, room_bps, ..losing(0.3) };
    assert!(bps_after(60, congested(400_000.0)) > 390_000.0);
    assert!(bps_after(6, congested(0.0)) <= FIRST_BPS / 64.0, "nothing, where it leaves nothing");
    assert_eq!(bps_after(0, congested(10_000.0)), 10_000.0, "and no more at the start");
}

/// More bytes do not help where packets are lost for the bytes that are sent.
#[test]
fn after_a_queue_redundancy_comes_back_slowly() {
    let losing = |share| Losing { room_bps: 0.0, ..losing(share) };
    let congested = Losing { congested: true, ..losing(0.3) };
    let (start, mut red) = (test_start(), Redundancy::default());
    let mut at = |second: u64, losing| {
        red.follow(start + Duration::from_secs(second), losing);
        red.bps
    };
    assert_eq!(at(0, Losing { room_bps: FIRST_BPS, ..losing(0.3) }), FIRST_BPS);
    (1..=2).for_each(|second| assert!(at(second, congested) > 0.0));
    assert_eq!(at(3, losing(0.3)), FIRST_BPS / 4.0 + CAREFUL_BPS_PER_S * 0.3);
    let before = at(31, losing(0.3));
    assert_eq!(before, FIRST_BPS / 4.0 + CAREFUL_BPS_PER_S * 0.3 * 29.0);
    assert_eq!(at(32, losing(0.1)) - before, GROWTH_BPS_PER_S, "after half a minute as before");
}

#[test]
fn what_was_not_used_for_long_does_not_add_up() {
    let (start, mut red) = (test_start(), Redundancy::default());
    red.follow(start, losing(0.3));
    red.begin_turn(start);
    red.begin_turn(start + Duration::from_secs(100));
    assert_eq!(red.budget(), 2000, "a quarter of a second of 64 kbit/s");
    red.spend(2500);
    assert_eq!(red.budget(), 0);
}
