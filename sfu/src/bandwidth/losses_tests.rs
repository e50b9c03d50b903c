use super::*;
use crate::bandwidth::history::SendHistory;
use crate::time::test_start;
use rtp::rtcp::TransportReport;

const STEP: Duration = Duration::from_millis(20);

/// A line with feedback on each ten packets, 20 ms apart, of which `arrives` says what became of them.
fn fed(packets: u32, arrives: impl Fn(u32) -> bool) -> (Instant, Losses) {
    let (mut now, mut history, mut losses) = (test_start(), SendHistory::new(), Losses::default());
    for first in (0..packets).step_by(10) {
        let arrivals = (first..first + 10).map(|n| {
            let stamp = history.stamp(now);
            history.record(stamp, 100, 0);
            now += STEP;
            arrives(n).then_some(80)
        });
        let arrivals = arrivals.collect();
        let report =
            TransportReport { base_sequence: first as u16, reference_time: 0, feedback_count: 0, arrivals };
        losses.on_feedback(now, &history.on_feedback(now, &report));
    }
    (now, losses)
}

#[test]
fn a_clean_line_loses_nothing_and_one_loss_is_an_accident() {
    assert_eq!(fed(500, |_| true).1.share(), 0.0);
    assert_eq!(fed(500, |n| n != 490).1.share(), 0.0);
}

#[test]
fn what_a_probe_loses_says_nothing_of_the_line() {
    let start = test_start();
    let (mut history, mut losses) = (SendHistory::new(), Losses::default());
    (0..40).for_each(|n| {
        let stamp = history.stamp(start);
        history.record(stamp, 100, u8::from(n >= 20));
    });
    let arrivals = (0..40).map(|n| (n < 20 || n % 2 == 0).then_some(4)).collect();
    let report = TransportReport { base_sequence: 0, reference_time: 0, feedback_count: 0, arrivals };
    let summary = history.on_feedback(start, &report);
    losses.on_feedback(start, &summary);
    assert_eq!((summary.lost, losses.share()), (10, 0.0));
}

#[test]
fn single_losses_have_no_length() {
    let (_, losses) = fed(500, |n| n % 5 != 2);
    assert!((losses.share() - 0.2).abs() < 0.01, "{}", losses.share());
    assert_eq!(losses.burst(), Duration::ZERO);
}

#[test]
fn a_burst_is_as_long_as_from_its_first_loss_to_its_last() {
    let (_, losses) = fed(500, |n| !(3..6).contains(&(n % 10)));
    assert!((losses.share() - 0.3).abs() < 0.01, "{}", losses.share());
    assert_eq!(losses.burst().as_millis(), 40);
}

#[test]
fn what_was_lost_is_forgotten() {
    let (_, losses) = fed(1000, |n| n >= 500 || n % 2 == 0);
    assert_eq!(losses.share(), 0.0, "ten seconds later");
}

#[test]
fn what_comes_late_was_not_lost() {
    let start = test_start();
    let (mut history, mut losses) = (SendHistory::new(), Losses::default());
    (0..20).for_each(|n| {
        let stamp = history.stamp(start + STEP * n);
        history.record(stamp, 100, 0);
    });
    let mut take = |base, arrivals: Vec<Option<i16>>| {
        let report = TransportReport { base_sequence: base, reference_time: 0, feedback_count: 0, arrivals };
        losses.on_feedback(start, &history.on_feedback(start, &report));
        losses.share()
    };
    assert_eq!(take(0, [[None; 4], [Some(4); 4]].concat()), 0.5);
    assert_eq!(take(0, [[Some(4); 4], [Some(4); 4]].concat()), 0.0);
}

#[test]
fn reports_speak_where_there_is_no_feedback() {
    let start = test_start();
    let mut losses = Losses::default();
    losses.on_report(start, 50, 15);
    assert_eq!(losses.share(), 0.3);
    let (now, mut losses) = fed(100, |_| true);
    losses.on_report(now + STEP, 50, 15);
    assert_eq!(losses.share(), 0.0, "feedback knows better");
    losses.on_report(now + FEEDBACK_RULES, 50, 15);
    assert!(losses.share() > 0.2, "no feedback any more: {}", losses.share());
}
