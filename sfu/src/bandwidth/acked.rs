//! The rate that really arrives: bytes acknowledged in windows of the peer's clock (R_hat of draft-ietf-rmcat-gcc-02
//! section 5.5). The draft asks for 0.5 to 1 s; a line that halves is known sooner with libwebrtc's 150 ms.

use super::history::Acknowledged;

const WINDOW_US: i64 = 150_000;
/// The first one is longer: nothing is known that it could be weighed with.
const FIRST_WINDOW_US: i64 = 300_000;
/// After a longer pause a window begins anew: nothing was sent, which says nothing of the line.
const PAUSE_US: i64 = 500_000;
/// What a window counts beside what was known. Frames come every 33 ms, so a window has four or five of them.
const WEIGHT: f64 = 0.5;

#[derive(Debug, Default)]
pub struct AckedRate {
    bps: Option<f64>,
    /// Of the last window alone.
    newest_bps: Option<f64>,
    /// First and newest arrival of the window.
    since: Option<i64>,
    newest: i64,
    /// After the first arrival: what came with it was sent before the window.
    bytes: u64,
}

impl AckedRate {
    pub fn on_packets(&mut self, packets: &[Acknowledged]) {
        for packet in packets {
            let at = packet.received_us;
            let since = *self.since.get_or_insert(at);
            if at.saturating_sub(self.newest.max(since)) > PAUSE_US || at < since.saturating_sub(PAUSE_US) {
                (self.since, self.newest, self.bytes) = (Some(at), at, 0);
                continue;
            }
            self.newest = self.newest.max(at);
            self.bytes = self.bytes.saturating_add(u64::from(packet.bytes));
            self.close();
        }
    }

    /// Bits per second, as far as something arrived lately; a pause leaves it as it is.
    pub fn bps(&self) -> Option<f64> {
        self.bps
    }

    /// Of the last window alone: while a queue stands it is what the line carries.
    pub fn newest_bps(&self) -> Option<f64> {
        self.newest_bps
    }

    fn close(&mut self) {
        let length = self.newest.saturating_sub(self.since.unwrap_or(self.newest));
        if length < if self.bps.is_some() { WINDOW_US } else { FIRST_WINDOW_US } {
            return;
        }
        let now = self.bytes as f64 * 8.0 / (length as f64 / 1e6);
        self.bps = Some(self.bps.map_or(now, |before| before + (now - before) * WEIGHT));
        (self.since, self.bytes, self.newest_bps) = (Some(self.newest), 0, Some(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(received_us: i64) -> Acknowledged {
        Acknowledged { sent_us: 0, received_us, bytes: 1000, probe: 0 }
    }

    #[test]
    fn a_rate_needs_a_first_window_and_survives_a_pause() {
        let mut rate = AckedRate::default();
        (0..30).for_each(|n| rate.on_packets(&[packet(n * 10_000)]));
        assert_eq!(rate.bps(), None, "290 ms");
        rate.on_packets(&[packet(300_000)]);
        assert!(rate.bps().is_some_and(|bps| (bps - 800_000.0).abs() < 30_000.0), "{:?}", rate.bps());
        rate.on_packets(&[packet(5_000_000), packet(5_010_000)]);
        assert!(rate.bps().is_some_and(|bps| bps > 800_000.0), "a still in 5 s does not halve it");
    }

    #[test]
    fn half_as_much_is_known_after_three_windows() {
        let mut rate = AckedRate::default();
        (0..100).for_each(|n| rate.on_packets(&[packet(n * 10_000)]));
        (0..24).for_each(|n| rate.on_packets(&[packet(1_000_000 + n * 20_000)]));
        assert!(rate.bps().is_some_and(|bps| bps < 500_000.0), "{:?}", rate.bps());
    }
}
