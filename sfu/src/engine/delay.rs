//! Where the time of a forwarded packet goes: three stages, of one packet in `SAMPLE`. The time the host passes to each
//! poll is the only source.

use crate::stats::ForwardDelay;
use std::time::Instant;

/// One packet in this many is timed.
const SAMPLE: u64 = 32;

#[derive(Default)]
pub(super) struct DelayMeter {
    /// The first poll after the newest datagram: everything received has been decided by then.
    ready_at: Option<Instant>,
    /// When a sampled run was handed out; by the next poll it has been sent.
    paced_at: Option<Instant>,
}

impl DelayMeter {
    pub fn on_datagram(&mut self) {
        self.ready_at = None;
    }

    pub fn on_poll(&mut self, now: Instant, delay: &mut ForwardDelay) {
        self.ready_at.get_or_insert(now);
        if let Some(at) = self.paced_at.take() {
            delay.paced_to_sent.record(now.saturating_duration_since(at));
        }
    }

    /// A run of `packets` was sealed, `forwarded` of them in all so far; the kernel received the last one at `arrived`.
    pub fn on_run(
        &mut self,
        now: Instant,
        arrived: Instant,
        (packets, forwarded): (u64, u64),
        delay: &mut ForwardDelay,
    ) {
        if forwarded % SAMPLE >= packets {
            return;
        }
        let ready = self.ready_at.unwrap_or(now);
        delay.receive_to_ready.record(ready.saturating_duration_since(arrived));
        delay.ready_to_paced.record(now.saturating_duration_since(ready));
        self.paced_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_stage_is_counted_once() {
        let (mut meter, mut delay) = (DelayMeter::default(), ForwardDelay::default());
        let arrived = Instant::now();
        let at = |ms| arrived + Duration::from_millis(ms);
        meter.on_datagram();
        meter.on_poll(at(1), &mut delay);
        meter.on_run(at(3), arrived, (7, 64), &mut delay);
        meter.on_poll(at(7), &mut delay);
        meter.on_run(at(7), arrived, (7, 71), &mut delay);
        meter.on_poll(at(9), &mut delay);
        let sums = [delay.receive_to_ready.sum_s, delay.ready_to_paced.sum_s, delay.paced_to_sent.sum_s];
        let ms = sums.map(|sum| (sum * 1000.0).round());
        assert_eq!(ms, [1.0, 2.0, 4.0], "the second run is not in the sample");
    }
}
