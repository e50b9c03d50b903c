//! The rate that really arrived: bytes acknowledged over a sliding window of the peer's clock
//! (R_hat of draft-ietf-rmcat-gcc-02 section 5.5, which asks for 0.5 to 1 s).

use super::history::Acknowledged;
use std::collections::VecDeque;

const WINDOW_US: i64 = 500_000;
const WINDOW_S: f64 = 0.5;
/// As many as the history remembers.
const MAX_PACKETS: usize = 2048;

#[derive(Debug, Default)]
pub struct AckedRate {
    packets: VecDeque<(i64, u32)>,
    bytes: u64,
    /// First arrival since a silence of a whole window.
    since: Option<i64>,
    newest: i64,
}

impl AckedRate {
    pub fn on_packets(&mut self, packets: &[Acknowledged]) {
        for packet in packets {
            let at = packet.received_us;
            if self.since.is_none() || at.saturating_sub(self.newest).saturating_abs() > WINDOW_US {
                *self = AckedRate { since: Some(at), newest: at, ..AckedRate::default() };
            }
            self.newest = self.newest.max(at);
            self.packets.push_back((at, packet.bytes));
            self.bytes = self.bytes.saturating_add(u64::from(packet.bytes));
            self.forget();
        }
    }

    /// Bits per second; `None` until a whole window has been seen.
    pub fn bps(&self) -> Option<f64> {
        let seen = self.newest.saturating_sub(self.since?);
        (seen >= WINDOW_US).then(|| self.bytes as f64 * 8.0 / WINDOW_S)
    }

    fn forget(&mut self) {
        let end = self.newest.saturating_sub(WINDOW_US);
        while let Some((at, bytes)) = self.packets.front().copied() {
            if at > end && self.packets.len() <= MAX_PACKETS {
                return;
            }
            self.packets.pop_front();
            self.bytes = self.bytes.saturating_sub(u64::from(bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(received_us: i64) -> Acknowledged {
        Acknowledged { sent_us: 0, received_us, bytes: 1000 }
    }

    #[test]
    fn a_rate_needs_a_whole_window_and_begins_anew_after_silence() {
        let mut rate = AckedRate::default();
        (0..50).for_each(|n| rate.on_packets(&[packet(n * 10_000)]));
        assert_eq!(rate.bps(), None, "490 ms");
        rate.on_packets(&[packet(500_000)]);
        assert_eq!(rate.bps(), Some(800_000.0));
        rate.on_packets(&[packet(5_000_000)]);
        assert_eq!(rate.bps(), None);
    }
}
