use super::*;
use crate::time::test_start;

const KNOWN: Known =
    Known { estimate_bps: 1e6, wanted_bps: 1e7, calm: true, limited: false, short: false, train_bps: None };

fn at(ms: u64) -> Instant {
    test_start() + Duration::from_millis(ms)
}

/// The packets of a probe as they come through a line of so many bits per second, sent at its speed.
fn through(probe: &Probe, line_bps: f64) -> Vec<Acknowledged> {
    let count = probe.packets.max(probe.bytes.div_ceil(1000));
    let packet = |n: usize| {
        let time = |bps: f64| (n as f64 * 8000.0 / bps * 1e6) as i64;
        let received_us = time(line_bps.min(probe.bps));
        Acknowledged { sent_us: time(probe.bps), received_us, bytes: 1000, probe: probe.id }
    };
    (0..count).map(packet).collect()
}

/// Sends what is due and returns what was tried, with what was found, until nothing is due.
fn try_line(prober: &mut Prober, from_ms: u64, known: Known, line_bps: f64) -> Vec<(f64, f64)> {
    let mut tried = Vec::new();
    for n in 0..20 {
        let Some(probe) = prober.poll(at(from_ms + n * 100), known) else {
            break;
        };
        let found = prober.on_packets(&through(&probe, line_bps)).expect("enough came");
        tried.push((probe.bps, found));
    }
    tried
}

#[test]
fn a_new_line_is_tried_with_three_and_six_times_and_on_while_it_comes_through() {
    let tried = try_line(&mut Prober::default(), 0, KNOWN, 8e6);
    let speeds: Vec<f64> = tried.iter().map(|(speed, _)| (speed / 1e5).round() / 10.0).collect();
    assert_eq!(speeds, [3.0, 6.0, 12.0], "6 came whole; of 12 two thirds did");
    assert!((tried[1].1 - 6e6).abs() < 2e5 && (tried[2].1 - 0.95 * 8e6).abs() < 2e5, "{tried:?}");
    let tried = try_line(&mut Prober::default(), 0, KNOWN, 2e6);
    assert_eq!(tried.len(), 1, "3 did not come through, 6 is not tried: {tried:?}");
}

#[test]
fn nothing_is_looked_for_above_what_is_wanted() {
    let known = Known { wanted_bps: 1e6, ..KNOWN };
    let tried = try_line(&mut Prober::default(), 0, known, 1e9);
    assert!(tried.iter().all(|(speed, _)| *speed <= 2e6), "{tried:?}");
    let known = Known { wanted_bps: 4e5, ..KNOWN };
    assert_eq!(try_line(&mut Prober::default(), 0, known, 1e9), [], "as much is known");
}

#[test]
fn frames_stand_in_for_a_probe_that_cannot_be_sent() {
    let mut prober = Prober::default();
    assert_eq!(prober.by_frames(Some(1e9)), None, "none is due");
    assert!(prober.poll(at(0), KNOWN).is_some());
    assert_eq!(prober.by_frames(None), None, "no frame has come through");
    assert!(prober.poll(at(0), KNOWN).is_some_and(|probe| probe.bps > 5e6), "the second of the start");
    let found = prober.by_frames(Some(2e6)).expect("a rate");
    assert!((found - 1.9e6).abs() < 1.0, "{found}: no more than came through");
    assert_eq!(prober.poll(at(100), KNOWN), None, "the line's end is known");
}

#[test]
fn later_it_is_tried_only_where_there_is_a_reason_and_no_queue() {
    let limited = Known { limited: true, ..KNOWN };
    let faster = Known { train_bps: Some(1.5e6), ..KNOWN };
    type Row = (&'static str, u64, Known, Option<f64>);
    let short = Known { short: true, ..KNOWN };
    let table: [Row; 8] = [
        ("used up, and frames come through no faster", 30_000, KNOWN, None),
        ("frames come through faster", 600, faster, Some(1.5e6)),
        ("too soon", 400, faster, None),
        ("a queue", 30_000, Known { calm: false, ..faster }, None),
        ("less is sent", 5_000, limited, Some(2e6)),
        ("more is wanted", 2_000, short, Some(2e6)),
        ("more is wanted, but it was tried", 1_900, short, None),
        ("less is sent, but it was tried", 4_900, limited, None),
    ];
    for (why, after_ms, known, expected) in table {
        let mut prober = Prober { began: true, last: Some(at(0)), ..Prober::default() };
        assert_eq!(prober.poll(at(after_ms), known).map(|probe| probe.bps), expected, "{why}");
    }
}

#[test]
fn after_a_drop_the_line_is_tried_with_what_it_carried() {
    for (to, after_ms, expected) in [(5e5, 1_000, Some(1.7e6)), (1.8e6, 1_000, None), (5e5, 11_000, None)] {
        let mut prober = Prober { began: true, last: Some(at(0)), ..Prober::default() };
        prober.on_drop(at(0), 2e6, to);
        let known = Known { estimate_bps: to, ..KNOWN };
        assert!(prober.poll(at(after_ms), Known { calm: false, ..known }).is_none(), "not yet");
        assert_eq!(prober.poll(at(after_ms), known).map(|probe| probe.bps), expected, "{to} {after_ms}");
    }
}

#[test]
fn what_does_not_come_says_nothing_and_is_given_up() {
    let mut prober = Prober::default();
    let probe = prober.poll(at(0), KNOWN).expect("the first");
    let came = through(&probe, 1e7);
    assert_eq!(prober.on_packets(&came[..3]), None, "three of six");
    assert_eq!(prober.poll(at(900), KNOWN), None, "it is on its way");
    assert_eq!(prober.poll(at(1_000), KNOWN), None, "given up, and no reason for another");
    assert_eq!(prober.on_packets(&came[3..]), None, "and nothing comes of it");
}

/// 1 Mbit/s of frames and a probe of 2 on a line of 2: the probe's packets arrive at half their speed.
#[test]
fn what_leaves_between_the_packets_of_a_probe_shares_the_line() {
    let mut prober = Prober { began: true, last: Some(at(0)), ..Prober::default() };
    let probe = prober.poll(at(5_000), Known { limited: true, ..KNOWN }).expect("less is sent");
    let packet = |n: i64| Acknowledged {
        sent_us: n / 2 * 4_000 + n % 2 * 100,
        received_us: n * 4_000,
        bytes: 1000,
        probe: if n % 2 == 0 { probe.id } else { 0 },
    };
    let all: Vec<Acknowledged> = (0..2 * probe.packets as i64).map(packet).collect();
    let found = prober.on_packets(&all).expect("enough came");
    assert!((found - 1.9e6).abs() < 5e4, "{found}");
}
