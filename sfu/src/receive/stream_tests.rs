use super::*;
use crate::time::test_start;
use proptest::prelude::*;
use std::collections::HashSet;

const START: u16 = 65_530;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Number in → (index, newest, restarted), or why not.
type Row = (u16, Result<(u64, bool, bool), DropReason>);

fn check(rows: &[Row]) {
    check_reach(512, rows);
}

fn check_reach(reach: usize, rows: &[Row]) {
    let start = test_start();
    let mut stream = Stream::new(90_000, reach, start);
    for (line, (sequence, expected)) in rows.iter().enumerate() {
        let got = stream.on_packet(start, *sequence, 0, 100);
        let got = got.map(|a| (a.sequence.index().unwrap(), a.newest, a.restarted));
        assert_eq!(got, *expected, "row {line}");
    }
}

#[test]
fn numbers_wrap_and_come_out_of_order() {
    check(&[
        (65_534, Ok((65_534, true, false))),
        (65_535, Ok((65_535, true, false))),
        (1, Ok((65_537, true, false))),
        (0, Ok((65_536, false, false))),
        (0, Err(DropReason::Duplicate)),
        (65_535, Err(DropReason::Duplicate)),
        (65_533, Ok((65_533, false, false))),
        (2, Ok((65_538, true, false))),
    ]);
}

#[test]
fn a_packet_before_number_zero_has_a_number() {
    let start = test_start();
    let mut stream = Stream::new(90_000, 512, start);
    stream.on_packet(start, 0, 0, 1).unwrap();
    let before = stream.on_packet(start, 65_535, 0, 1).unwrap();
    assert_eq!(before.sequence, Sequence::first(0).previous());
    assert!(!before.newest);
    assert_eq!(stream.report(start, Ssrc(9)).cumulative_lost, 0);
    assert_eq!(stream.totals(start).lost, 0);
}

#[test]
fn the_window_ends_where_the_slab_does() {
    check(&[
        (2000, Ok((2000, true, false))),
        (1489, Ok((1489, false, false))),
        (1488, Err(DropReason::TooOld)),
        (5000, Ok((5000, true, false))),
        (4489, Ok((4489, false, false))),
        (4488, Err(DropReason::TooOld)),
        (2000, Err(DropReason::TooOld)),
    ]);
    let voice =
        [(2000, Ok((2000, true, false))), (1937, Ok((1937, false, false))), (1936, Err(DropReason::TooOld))];
    check_reach(64, &voice);
}

#[test]
fn a_jump_is_believed_the_second_time() {
    check(&[
        (10, Ok((10, true, false))),
        (3010, Ok((3010, true, false))),
        (6011, Err(DropReason::TooOld)),
        (3011, Ok((3011, true, false))),
        (6012, Err(DropReason::TooOld)),
        (6013, Ok((6013, true, true))),
        (6012, Ok((6012, false, false))),
        // Backward: the next cycle, never a number used before.
        (100, Err(DropReason::TooOld)),
        (101, Ok((65_637, true, true))),
        (101, Err(DropReason::Duplicate)),
        (102, Ok((65_638, true, false))),
    ]);
}

#[test]
fn the_gap_of_a_restart_is_no_loss() {
    let start = test_start();
    let mut stream = Stream::new(90_000, 512, start);
    for sequence in [1, 2, 4, 20_000, 20_001, 20_002] {
        let _ = stream.on_packet(start, sequence, 0, 1);
    }
    assert_eq!(stream.totals(start).lost, 1, "only number 3");
}

#[test]
fn a_report_tells_the_loss_of_its_interval() {
    let start = test_start();
    let mut stream = Stream::new(90_000, 512, start);
    assert_eq!(stream.report(start, Ssrc(9)).fraction_lost, 0);
    for sequence in (0..100u16).filter(|n| n % 4 != 1) {
        let _ = stream.on_packet(start, START.wrapping_add(sequence), 0, 100);
    }
    stream.on_sender_report(start, NtpTime(0x1122_3344_5566_7788), 7);
    let report = stream.report(start + ms(500), Ssrc(9));
    assert_eq!(report.fraction_lost, 64);
    assert_eq!(report.cumulative_lost, 25);
    assert_eq!(report.highest_sequence, u32::from(START) + 99);
    assert_eq!(report.last_sr, 0x3344_5566);
    assert_eq!(report.delay_since_last_sr, 32_768);
    let idle = stream.report(start + ms(600), Ssrc(9));
    assert_eq!((idle.fraction_lost, idle.cumulative_lost), (0, 25));

    for sequence in 100..200u16 {
        let _ = stream.on_packet(start, START.wrapping_add(sequence), 0, 100);
    }
    let report = stream.report(start + ms(1000), Ssrc(9));
    assert_eq!((report.fraction_lost, report.cumulative_lost), (0, 25));
    let stats = stream.totals(start + ms(100));
    assert_eq!((stats.packets, stats.bytes, stats.lost), (175, 17_500, 25));
    assert_eq!(stats.bitrate_bps, 175 * 800);
}

#[test]
fn what_a_retransmission_brings_back_is_not_lost() {
    let start = test_start();
    let mut stream = Stream::new(90_000, 512, start);
    for sequence in [1, 2, 5, 6, 3, 4] {
        stream.on_packet(start, sequence, 0, 1).unwrap();
    }
    assert_eq!(stream.totals(start).lost, 0);
    assert_eq!(stream.report(start, Ssrc(9)).fraction_lost, 0);
}

/// A frame every 33 ms, arriving alternately 0 and 10 ms late: |D| is 10 ms each time.
#[test]
fn jitter_settles_at_the_mean_deviation() {
    let start = test_start();
    let mut stream = Stream::new(90_000, 512, start);
    for n in 0..400u64 {
        let late = if n % 2 == 0 { 0 } else { 10 };
        let now = start + ms(n * 33 + late);
        let timestamp = (n as u32).wrapping_mul(2970).wrapping_sub(1_000_000);
        stream.on_packet(now, (2 * n) as u16, timestamp, 1).unwrap();
        // The second packet of the frame and a retransmission say nothing about jitter.
        stream.on_packet(now + ms(5), (2 * n + 1) as u16, timestamp, 1).unwrap();
    }
    let jitter = stream.totals(start).jitter;
    assert!(jitter > ms(9) && jitter < ms(11), "{jitter:?}");
}

#[test]
fn a_clock_that_jumps_is_not_jitter() {
    let start = test_start();
    let five_seconds = 48_000 * 5;
    for (jump, is_jitter) in [(five_seconds - 1, true), (five_seconds, true), (five_seconds + 1, false)] {
        let mut stream = Stream::new(48_000, 64, start);
        stream.on_packet(start, 1, 0, 1).unwrap();
        stream.on_packet(start, 2, jump, 1).unwrap();
        assert_eq!(stream.totals(start).jitter > Duration::ZERO, is_jitter, "{jump}");
    }
}

/// As far behind as a stream may jump ahead: late, however often it comes.
#[test]
fn what_is_3000_behind_is_late_and_no_jump() {
    check(&[
        (10_000, Ok((10_000, true, false))),
        (7000, Err(DropReason::TooOld)),
        (7001, Err(DropReason::TooOld)),
        (6999, Err(DropReason::TooOld)),
        (7000, Err(DropReason::TooOld)),
    ]);
}

/// A number is free again once the one 512 before it has left the window.
#[test]
fn a_late_packet_is_not_taken_for_one_a_window_ago() {
    check(&[
        (1000, Ok((1000, true, false))),
        (1510, Ok((1510, true, false))),
        (1513, Ok((1513, true, false))),
        (1512, Ok((1512, false, false))),
        (1509, Ok((1509, false, false))),
        (1510, Err(DropReason::Duplicate)),
        (1512, Err(DropReason::Duplicate)),
        (1513, Err(DropReason::Duplicate)),
    ]);
}

/// The layer comes under another SSRC: its first number leaps, so that the users of the numbers notice.
#[test]
fn another_ssrc_begins_anew_at_any_number() {
    let start = test_start();
    let far = u64::from(MAX_JUMP) + 1;
    for (ahead, leap) in [(1, 65_537), (3000, 68_536), (3001, far), (40_000, 40_000), (65_535, 65_535)] {
        let mut stream = Stream::new(90_000, 512, start);
        stream.begin_anew();
        let first = stream.on_packet(start, 100, 0, 1).unwrap();
        assert!(!first.restarted, "there was nothing before it");
        stream.on_sender_report(start, NtpTime(1 << 32), 7);
        stream.begin_anew();
        assert_eq!(stream.report(start, Ssrc(9)).last_sr, 0, "the report was about the other one");
        let next = stream.on_packet(start, 100u16.wrapping_add(ahead), 0, 1).unwrap();
        let expected = Arrival { sequence: first.sequence.plus(leap), newest: true, restarted: true };
        assert_eq!(next, expected, "{ahead} ahead");
        let next = stream.on_packet(start, 101u16.wrapping_add(ahead), 0, 1).unwrap();
        assert!(!next.restarted, "once");
        assert_eq!(stream.totals(start).lost, 0);
    }
}

#[test]
fn a_report_tells_jitter_and_the_share_that_was_lost() {
    let start = test_start();
    let mut stream = Stream::new(90_000, 512, start);
    for (sequence, timestamp) in [(1, 0), (3, 1600), (4, 3200)] {
        stream.on_packet(start, sequence, timestamp, 1).unwrap();
    }
    // Twice 1600 too early: 1600, and 1600 less its sixteenth, each a sixteenth of the whole (A.8).
    let report = stream.report(start, Ssrc(9));
    assert_eq!((report.jitter, report.fraction_lost), (193, 64));
    let totals = stream.totals(start);
    assert_eq!((totals.loss_fraction, totals.lost), (0.25, 1));
    assert_eq!(totals.jitter, Duration::from_secs_f64(193.0 / 90_000.0));
    stream.report(start, Ssrc(9));
    assert_eq!(stream.totals(start).loss_fraction, 0.0, "nothing came, nothing is known to be lost");
}

proptest! {
    /// Whatever comes, no number is accepted twice, and low bits are the packet's.
    #[test]
    fn no_number_is_given_twice(steps in prop::collection::vec((any::<u16>(), 0u8..8), 1..400)) {
        let start = test_start();
        let mut stream = Stream::new(90_000, 512, start);
        let mut given = HashSet::new();
        let mut last = 0u16;
        for (value, kind) in steps {
            let sequence = if kind == 0 { value } else { last.wrapping_add(value % 40).wrapping_sub(10) };
            last = sequence;
            if let Ok(arrival) = stream.on_packet(start, sequence, 0, 1) {
                prop_assert_eq!(arrival.sequence.number(), sequence);
                prop_assert!(given.insert(arrival.sequence), "{:?} twice", arrival.sequence);
            }
        }
    }
}
