use super::*;
use crate::receive::test_start;
use proptest::prelude::*;
use std::collections::HashSet;

const START: u16 = 65_530;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Sequence in → (extended − 65,536, newest, restarted), or why not.
type Row = (u16, Result<(u64, bool, bool), DropReason>);

fn check(rows: &[Row]) {
    check_reach(512, rows);
}

fn check_reach(reach: usize, rows: &[Row]) {
    let start = test_start();
    let mut stream = Stream::new(90_000, reach, start);
    for (line, (sequence, expected)) in rows.iter().enumerate() {
        let got = stream.on_packet(start, *sequence, 0, 100);
        let got = got.map(|a| (a.extended - FIRST_CYCLE, a.newest, a.restarted));
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
    assert_eq!(before.extended, FIRST_CYCLE - 1);
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

/// A picture every 33 ms, arriving alternately 0 and 10 ms late: |D| is 10 ms each time.
#[test]
fn jitter_settles_at_the_mean_deviation() {
    let start = test_start();
    let mut stream = Stream::new(90_000, 512, start);
    for n in 0..400u64 {
        let late = if n % 2 == 0 { 0 } else { 10 };
        let now = start + ms(n * 33 + late);
        let timestamp = (n as u32).wrapping_mul(2970).wrapping_sub(1_000_000);
        stream.on_packet(now, (2 * n) as u16, timestamp, 1).unwrap();
        // The second packet of the picture and a retransmission say nothing about jitter.
        stream.on_packet(now + ms(5), (2 * n + 1) as u16, timestamp, 1).unwrap();
    }
    let jitter = stream.totals(start).jitter;
    assert!(jitter > ms(9) && jitter < ms(11), "{jitter:?}");
}

#[test]
fn a_clock_that_jumps_is_not_jitter() {
    let start = test_start();
    let mut stream = Stream::new(48_000, 64, start);
    stream.on_packet(start, 1, 0, 1).unwrap();
    stream.on_packet(start, 2, 48_000 * 6, 1).unwrap();
    assert_eq!(stream.totals(start).jitter, Duration::ZERO);
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
                prop_assert_eq!(arrival.extended as u16, sequence);
                prop_assert!(given.insert(arrival.extended), "{} twice", arrival.extended);
            }
        }
    }
}
