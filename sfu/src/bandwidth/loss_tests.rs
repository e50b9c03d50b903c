use super::*;
use crate::bandwidth::history::Acknowledged;
use crate::time::test_start;

const EVERY: Duration = Duration::from_millis(50);

/// Feeds feedback for so many seconds in which `sent_bps` leave in packets of 1,000 bytes and `lost` of a hundred do not
/// come, evenly.
struct Feed {
    control: LossControl,
    at: Duration,
    credit: f64,
    sent: u64,
    gone: u64,
}

impl Feed {
    fn new(start_bps: f64) -> Feed {
        Feed { control: LossControl::new(start_bps), at: Duration::ZERO, credit: 0.0, sent: 0, gone: 0 }
    }

    fn run(&mut self, seconds: u64, sent_bps: f64, lost: u64, delay_bps: f64) {
        for _ in 0..seconds * 20 {
            self.at += EVERY;
            self.credit += sent_bps / 20.0 / 8000.0;
            let mut summary =
                Summary { newest_sent_us: Some(self.at.as_micros() as i64), ..Summary::default() };
            while self.credit >= 1.0 {
                self.credit -= 1.0;
                self.sent += 1;
                if self.sent * lost / 100 > self.gone {
                    self.gone += 1;
                    (summary.lost, summary.lost_bytes) = (summary.lost + 1, summary.lost_bytes + 1000);
                    continue;
                }
                let sent_us = self.at.as_micros() as i64;
                summary.acknowledged.push(Acknowledged {
                    sent_us,
                    received_us: sent_us,
                    bytes: 1000,
                    probe: 0,
                });
            }
            let acked = sent_bps * (100 - lost) as f64 / 100.0;
            let now = test_start() + self.at;
            self.control.on_feedback(now, &summary, Some(acked), delay_bps, acked * 1.5);
        }
        (self.sent, self.gone) = (0, 0);
    }
}

#[test]
fn without_loss_delay_alone_decides() {
    let mut feed = Feed::new(600_000.0);
    feed.run(1, 1e6, 0, 3e6);
    assert_eq!((feed.control.bps(), feed.control.inherent()), (3e6, 0.0));
}

/// What a line loses at any rate is no reason to send less.
#[test]
fn random_loss_is_inherent() {
    for (lost, sent) in
        [(1, 10e6), (3, 10e6), (5, 10e6), (5, 2e6), (8, 1e6), (15, 500e3), (30, 200e3), (45, 120e3)]
    {
        let mut feed = Feed::new(sent);
        feed.run(30, sent, lost, sent);
        let (bps, inherent) = (feed.control.bps(), feed.control.inherent());
        assert!(bps >= 0.95 * sent, "{lost} % of {sent}: {bps}");
        assert!((inherent - lost as f64 / 100.0).abs() < 0.02, "{lost} % of {sent}: {inherent}");
    }
}

/// Of 1.25 × what a line carries a fifth is lost; the rate goes to what arrives, whatever delay says.
#[test]
fn loss_that_comes_with_the_rate_lowers_it() {
    let mut feed = Feed::new(5e6);
    feed.run(5, 5e6, 0, 5e6);
    feed.run(3, 5e6, 20, 5e6);
    let bps = feed.control.bps();
    assert!((3.8e6..=4.4e6).contains(&bps), "{bps}");
}

#[test]
fn what_came_late_was_not_lost() {
    let mut control = LossControl::new(1e6);
    let summary = |at_ms: i64, lost, late| Summary {
        newest_sent_us: Some(at_ms * 1000),
        lost,
        lost_bytes: u64::from(lost) * 1000,
        late,
        acknowledged: vec![Acknowledged { sent_us: at_ms * 1000, received_us: 0, bytes: 1000, probe: 0 }; 20],
        ..Summary::default()
    };
    let now = test_start();
    control.on_feedback(now, &summary(0, 8, 0), Some(1e6), 2e6, 2e6);
    control.on_feedback(now, &summary(300, 0, 8), Some(1e6), 2e6, 2e6);
    assert_eq!((control.bps(), control.inherent()), (2e6, 0.0));
}

#[test]
fn little_says_little_and_nothing_panics() {
    let mut feed = Feed::new(600_000.0);
    feed.run(5, 1e4, 50, 6e5);
    assert!(feed.control.bps() >= MIN_BPS);
    feed.run(20, 1e6, 100, 6e5);
    assert_eq!(feed.control.bps(), MIN_BPS, "nothing arrives");
    feed.control.on_feedback(test_start(), &Summary::default(), None, 0.0, 0.0);
    assert!(feed.control.bps().is_finite());
}
