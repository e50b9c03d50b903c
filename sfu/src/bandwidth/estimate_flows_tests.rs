//! A line shared with another flow.

use super::*;

#[test]
fn two_of_a_kind_share_a_line() {
    for seed in 0..4 {
        let mut first = Line::new(2_000_000.0);
        first.run(20);
        let mut second = Line::new(2_000_000.0);
        (second.now, second.receiver.start) = (first.now, first.now);
        (second.free_at, second.rng) = (first.free_at.clone(), StdRng::seed_from_u64(seed));
        second.ticks = seed * 7;
        let mut shares = [0.0; 2];
        for second_of_run in 0..90 {
            (first.arrived, second.arrived) = (0, 0);
            (0..1000).for_each(|_| {
                first.step();
                second.step();
            });
            if second_of_run >= 30 {
                shares[0] += first.arrived as f64;
                shares[1] += second.arrived as f64;
            }
        }
        let (sum, squares) =
            (shares.iter().sum::<f64>(), shares.iter().map(|share| share * share).sum::<f64>());
        let jain = sum * sum / (2.0 * squares);
        assert!(jain >= 0.9, "Jain {jain:.2}: {shares:?}");
        let used = sum * 8000.0 / 60.0 / 2e6;
        assert!(used >= 0.7, "{used:.2} of the line is used");
    }
}

/// A flow that fills the queue until something is lost, then goes on with 0.7 of its window (RFC 9438).
struct Cubic {
    window: f64,
    at_loss: f64,
    since: Instant,
    in_flight: VecDeque<(Instant, bool)>,
    arrived: u64,
}

impl Cubic {
    fn new(now: Instant) -> Cubic {
        Cubic { window: 10.0, at_loss: 40.0, since: now, in_flight: VecDeque::new(), arrived: 0 }
    }

    fn step(&mut self, now: Instant, free_at: &Cell<Instant>, rate_bps: f64) {
        while let Some((_, came)) = self.in_flight.pop_front_if(|(at, _)| *at <= now) {
            if came {
                self.arrived += 1;
                let passed = (now - self.since).as_secs_f64();
                let k = (self.at_loss * 0.3 / 0.4).cbrt();
                self.window = (0.4 * (passed - k).powi(3) + self.at_loss).max(2.0);
            } else if now - self.since > Duration::from_millis(350) {
                (self.at_loss, self.since) = (self.window, now);
            }
        }
        while (self.in_flight.len() as f64) < self.window {
            let queue = free_at.get().saturating_duration_since(now);
            if queue > QUEUE {
                self.in_flight.push_back((now + QUEUE + 2 * DELAY, false));
                break;
            }
            free_at.set(free_at.get().max(now) + Duration::from_secs_f64((PACKET * 8) as f64 / rate_bps));
            self.in_flight.push_back((free_at.get() + 2 * DELAY, true));
        }
    }
}

#[test]
fn beside_one_cubic_flow_a_third_is_left() {
    let mut line = Line::new(2_000_000.0);
    line.run(20);
    let mut cubic = Cubic::new(line.now);
    for second in 0..120 {
        if second == 30 {
            (line.arrived, cubic.arrived) = (0, 0);
        }
        (0..1000).for_each(|_| {
            line.step();
            cubic.step(line.now, &line.free_at, line.rate_bps);
        });
    }
    let share = line.arrived as f64 / (line.arrived + cubic.arrived) as f64;
    assert!(share >= 0.3, "{share:.2} of what came, {} beside {}", line.arrived, cubic.arrived);
}
