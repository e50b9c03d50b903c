//! What a line may carry, read from frames that left as one burst: how far apart their packets arrive. That is no proof,
//! for a radio line holds packets back and lets them go together, but a reason to look (`probe.rs`).

use super::history::Acknowledged;
use std::collections::VecDeque;

/// Packets sent within this of each other are a train.
const GAP_US: i64 = 1_500;
/// The slowest of so many trains counts: what other traffic or a radio line did to one of them is no reason.
const TRAINS: usize = 6;

#[derive(Debug, Clone, Copy)]
struct Train {
    sent_us: i64,
    received: (i64, i64),
    /// After its first packet.
    packets: usize,
    bytes: u64,
}

impl Train {
    fn bps(&self) -> f64 {
        let seconds = self.received.1.saturating_sub(self.received.0).max(1) as f64 / 1e6;
        self.bytes as f64 * 8.0 / seconds
    }
}

#[derive(Debug, Default)]
pub struct Trains {
    current: Option<Train>,
    rates: VecDeque<f64>,
}

impl Trains {
    pub fn on_packets(&mut self, packets: &[Acknowledged]) {
        for packet in packets {
            match &mut self.current {
                Some(train) if (0..GAP_US).contains(&packet.sent_us.saturating_sub(train.sent_us)) => {
                    train.sent_us = packet.sent_us;
                    train.received.1 = train.received.1.max(packet.received_us);
                    train.packets = train.packets.saturating_add(1);
                    train.bytes = train.bytes.saturating_add(u64::from(packet.bytes));
                }
                _ => self.begin(packet),
            }
        }
    }

    fn begin(&mut self, packet: &Acknowledged) {
        let received = (packet.received_us, packet.received_us);
        let first = Train { sent_us: packet.sent_us, received, packets: 0, bytes: 0 };
        let Some(train) = self.current.replace(first).filter(|train| train.bytes > 0) else {
            return;
        };
        if self.rates.len() == TRAINS {
            self.rates.pop_front();
        }
        self.rates.push_back(train.bps());
    }

    /// The faster of the last two trains, one that goes on among them: while a queue grows, it is what the line carries.
    pub fn newest_bps(&self) -> Option<f64> {
        self.newest().take(2).reduce(f64::max)
    }

    /// The last train, or the one that goes on.
    pub fn last_bps(&self) -> Option<f64> {
        self.newest().next()
    }

    fn newest(&self) -> impl Iterator<Item = f64> {
        let going_on = self.current.filter(|train| train.packets >= 2).map(|train| train.bps());
        going_on.into_iter().chain(self.rates.iter().rev().copied())
    }

    /// Bits per second that all of the last trains went at; `None` where there were too few.
    pub fn bps(&self) -> Option<f64> {
        (self.rates.len() == TRAINS).then(|| self.rates.iter().copied().fold(f64::INFINITY, f64::min))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of `packets` of 1,000 bytes, 30 a second, on a line of 1 Mbit/s: 8 ms each.
    fn trains(frames: i64, packets: i64) -> Trains {
        let mut trains = Trains::default();
        for frame in 0..frames {
            for n in 0..packets {
                let received_us = frame * 33_000 + (n + 1) * 8_000;
                let sent_us = frame * 33_000 + n * 100;
                trains.on_packets(&[Acknowledged { sent_us, received_us, bytes: 1000, probe: 0 }]);
            }
        }
        trains
    }

    #[test]
    fn frames_are_measured_by_how_far_apart_they_arrive() {
        assert_eq!(trains(6, 3).bps(), None, "the last one is not over");
        assert_eq!(trains(7, 3).bps(), Some(1e6));
        assert_eq!(trains(50, 1).bps(), None, "single packets have no distance");
    }

    #[test]
    fn the_slowest_counts() {
        let mut trains = trains(7, 3);
        let slow = [(900_000, 900_000), (900_100, 980_000), (950_000, 990_000)];
        for (sent_us, received_us) in slow {
            trains.on_packets(&[Acknowledged { sent_us, received_us, bytes: 1000, probe: 0 }]);
        }
        assert_eq!(trains.bps(), Some(100_000.0));
        assert_eq!((trains.newest_bps(), trains.last_bps()), (Some(1e6), Some(100_000.0)));
    }
}
