//! Is a queue on the line growing, where the line is a TCP connection? What is lost there comes a retransmission later, and
//! all that is behind it waits: single delays say nothing. But between two such stalls packets come as soon as the line
//! lets them, so the least delay of a while does.

use super::history::Acknowledged;
use super::trend::Usage;
use std::collections::VecDeque;

/// Longer than the least retransmission timeout of Linux, 200 ms.
const WINDOW_US: i64 = 400_000;
/// Windows whose least delay is that of an empty line: 10 s of them.
const REMEMBERED: usize = 25;
/// A queue that stands is at least so long, and one that has to go.
const STANDS_US: i64 = 60_000;
const LONG_US: i64 = 200_000;
/// It grows when the least delay of one window is so much longer than that of the one before.
const GROWS_US: i64 = 10_000;

#[derive(Debug, Default)]
pub struct StreamTrend {
    /// When the window began, on the peer's clock, and its least delay. The clocks have nothing in common, which cancels.
    window: Option<(i64, i64)>,
    least: VecDeque<i64>,
}

impl StreamTrend {
    /// Takes in packets; says once for each window what became of the queue.
    pub fn on_packets(&mut self, packets: &[Acknowledged]) -> Usage {
        packets.iter().fold(Usage::Normal, |usage, packet| self.on_packet(packet).unwrap_or(usage))
    }

    fn on_packet(&mut self, packet: &Acknowledged) -> Option<Usage> {
        let delay = packet.received_us.saturating_sub(packet.sent_us);
        let (since, least) = self.window.unwrap_or((packet.received_us, delay));
        if packet.received_us.saturating_sub(since) < WINDOW_US {
            self.window = Some((since, least.min(delay)));
            return None;
        }
        self.window = Some((packet.received_us, delay));
        let before = self.least.back().copied();
        if self.least.len() == REMEMBERED {
            self.least.pop_front();
        }
        self.least.push_back(least);
        let base = self.least.iter().min().copied().unwrap_or(least);
        Some(judge(least.saturating_sub(base), least.saturating_sub(before.unwrap_or(least))))
    }
}

/// By how long the queue is and by how much it has grown.
fn judge(queue_us: i64, grown_us: i64) -> Usage {
    match (queue_us, grown_us) {
        (queue, grown) if queue > LONG_US && grown > -GROWS_US => Usage::Jump,
        (queue, grown) if queue > STANDS_US && grown > GROWS_US => Usage::Over,
        (queue, _) if queue > STANDS_US => Usage::Under,
        _ => Usage::Normal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet every 20 ms, each so many milliseconds on its way.
    fn usage(delays_ms: impl Iterator<Item = i64>) -> Vec<Usage> {
        let mut trend = StreamTrend::default();
        let packets = (0..).zip(delays_ms).map(|(n, delay_ms)| Acknowledged {
            sent_us: n * 20_000,
            received_us: n * 20_000 + delay_ms * 1000 + 777_000_000,
            bytes: 100,
            probe: 0,
        });
        packets.map(|packet| trend.on_packets(&[packet])).collect()
    }

    /// Each 25th packet is lost and comes after 200 ms, and those behind it with it.
    #[test]
    fn stalls_are_no_queue() {
        let all = usage((0..500).map(|n| 30 + (200 - (n % 25) * 20).max(0)));
        assert!(all.iter().all(|usage| *usage == Usage::Normal), "{all:?}");
    }

    #[test]
    fn a_queue_that_grows_is_seen_within_a_second() {
        let all = usage((0..150).map(|n| 30 + (n - 100).max(0) * 4));
        assert!(all[..100].iter().all(|usage| *usage == Usage::Normal));
        assert!(all[100..].iter().any(|usage| matches!(usage, Usage::Over | Usage::Jump)), "{all:?}");
    }

    #[test]
    fn a_queue_that_empties_is_left_alone() {
        let all = usage((0..300).map(|n| if n < 100 { 30 } else { (330 - (n - 100) * 3).max(30) }));
        let after: Vec<&Usage> = all[125..].iter().filter(|usage| **usage != Usage::Normal).collect();
        assert!(!after.is_empty() && after.iter().all(|usage| **usage == Usage::Under), "{after:?}");
    }
}
