//! How much of one stream is taken in. What a site publishes goes to all its viewers, so it has a ceiling: far above
//! what any camera sends, far below what hurts the viewers.

use crate::ids::SourceKind;
use std::time::{Duration, Instant};

/// A packet counts as this many bytes at least: forwarding it costs the same whatever its length. So one bucket
/// bounds bits and packets: a megabit per second is 250 packets.
const LEAST_COST: u32 = 500;
/// A bucket holds what comes in this time: a key frame is a third of a second of its layer, and after an outage a line
/// delivers everything at once.
const BURST: Duration = Duration::from_secs(1);
/// Below this a refill would be rounded away.
const REFILL_EVERY: Duration = Duration::from_millis(1);

/// Bytes per second of a source, all layers together.
///
/// The page sends a camera of 2.5 Mbit/s and a screen of 2.5; endpoints in meeting rooms send 1080 lines at 4 to
/// 6 Mbit/s, a screen of 2160 at up to 15. RTX we asked for comes on top. Opus has 510 kbit/s at most, twice with
/// RED, and 50 packets a second (400 in frames of 2.5 ms).
const fn source_rate(kind: SourceKind) -> u32 {
    match kind {
        SourceKind::Microphone => 1_600_000 / 8,
        SourceKind::Camera => 16_000_000 / 8,
        SourceKind::Content => 20_000_000 / 8,
    }
}

/// Bytes per second of the highest layer of a source. Each layer below has a quarter of the pixels, and half of the
/// rate: a viewer of a small tile has a narrow line.
const fn layer_rate(kind: SourceKind) -> u32 {
    match kind {
        SourceKind::Camera => 12_000_000 / 8,
        SourceKind::Microphone | SourceKind::Content => source_rate(kind),
    }
}

/// A token bucket that is looked at without the clock while anything is in it.
#[derive(Debug)]
pub struct Cap {
    /// Bytes per second.
    rate: u32,
    left: u32,
    refilled: Instant,
}

impl Cap {
    pub fn of_source(now: Instant, kind: SourceKind) -> Cap {
        Cap::new(now, source_rate(kind))
    }

    /// Of a layer with so many `above` it.
    pub fn of_layer(now: Instant, kind: SourceKind, above: usize) -> Cap {
        Cap::new(now, layer_rate(kind).checked_shr(above as u32).unwrap_or(0))
    }

    fn new(now: Instant, rate: u32) -> Cap {
        Cap { rate, left: holds(rate), refilled: now }
    }

    /// Whether a packet of so many bytes may pass; takes it from the bucket.
    #[inline]
    pub fn take(&mut self, now: Instant, bytes: usize) -> bool {
        let cost = (bytes as u32).max(LEAST_COST);
        let left = self.left.checked_sub(cost).or_else(|| {
            self.refill(now);
            self.left.checked_sub(cost)
        });
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    /// Adds what was earned since the last refill, up to a full bucket, so it does not matter how seldom this is
    /// called.
    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.refilled);
        if elapsed >= REFILL_EVERY {
            let earned = elapsed.min(BURST).as_micros().saturating_mul(u128::from(self.rate));
            let earned = u32::try_from(earned.wrapping_div(1_000_000)).unwrap_or(u32::MAX);
            self.left = self.left.saturating_add(earned).min(holds(self.rate));
            self.refilled = now;
        }
    }
}

fn holds(rate: u32) -> u32 {
    u32::try_from(u128::from(rate).saturating_mul(BURST.as_millis()).wrapping_div(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::test_start;

    /// Packets and bytes that pass when `per_ms` packets of `bytes` come in each millisecond.
    fn passes(mut cap: Cap, start: Instant, (seconds, per_ms, bytes): (u64, usize, usize)) -> (u64, u64) {
        let mut packets = 0;
        for ms in 0..seconds * 1000 {
            let now = start + Duration::from_millis(ms);
            packets += (0..per_ms).filter(|_| cap.take(now, bytes)).count() as u64;
        }
        (packets, packets * bytes as u64)
    }

    /// What a flood is cut down to over ten seconds: the rate, and the burst once.
    #[test]
    fn a_flood_is_cut_down_to_the_rate() {
        let start = test_start();
        let table = [
            (SourceKind::Camera, 0, 12.0),
            (SourceKind::Camera, 1, 6.0),
            (SourceKind::Camera, 2, 3.0),
            (SourceKind::Content, 0, 20.0),
            (SourceKind::Microphone, 0, 1.6),
        ];
        for (kind, above, mbit) in table {
            let cap = || Cap::of_layer(start, kind, above);
            let most = mbit * 1e6 / 8.0 * 11.0;
            let (_, bytes) = passes(cap(), start, (10, 60, 1200));
            assert!((0.98 * most..=most).contains(&(bytes as f64)), "{kind:?} {above}: {bytes} of {most}");
            let (packets, _) = passes(cap(), start, (10, 60, 40));
            let most = most / f64::from(LEAST_COST);
            assert!(
                (0.98 * most..=most).contains(&(packets as f64)),
                "{kind:?} {above}: {packets} of {most}"
            );
        }
        let (_, bytes) = passes(Cap::of_source(start, SourceKind::Camera), start, (10, 60, 1200));
        assert!((21_500_000..=22_000_000).contains(&bytes), "16 Mbit/s and a second of it: {bytes}");
    }

    /// What must pass untouched: the richest that is known to be sent, with its key frames, for a minute.
    #[test]
    fn what_a_camera_or_a_screen_sends_passes() {
        let start = test_start();
        // Kind, layers above, bytes a frame, bytes of a key frame each second; 30 frames/s.
        let table = [
            (SourceKind::Camera, 0, 25_000, 250_000),
            (SourceKind::Camera, 1, 5_000, 60_000),
            (SourceKind::Camera, 2, 2_000, 25_000),
            (SourceKind::Content, 0, 40_000, 1_200_000),
        ];
        for (kind, above, frame, key) in table {
            let mut cap = Cap::of_layer(start, kind, above);
            for number in 0..1800u32 {
                let now = start + Duration::from_millis(33) * number;
                let bytes: usize = if number % 30 == 0 { key } else { frame };
                for packet in 0..bytes.div_ceil(1200) {
                    assert!(cap.take(now, 1200), "{kind:?} {above}: packet {packet} of frame {number}");
                }
            }
        }
        let mut voice = Cap::of_source(start, SourceKind::Microphone);
        for number in 0..24_000u64 {
            assert!(
                voice.take(start + Duration::from_micros(2500 * number), 400),
                "Opus in frames of 2.5 ms"
            );
        }
    }

    #[test]
    fn a_line_delivers_everything_at_once_after_an_outage() {
        let start = test_start();
        let mut cap = Cap::of_layer(start, SourceKind::Camera, 0);
        let mut now = start;
        for _ in 0..20 {
            now += Duration::from_secs(2);
            // Two seconds of 6 Mbit/s.
            assert!((0..1250).all(|_| cap.take(now, 1200)));
        }
    }

    #[test]
    fn time_that_stands_still_gives_nothing() {
        let start = test_start();
        let mut cap = Cap::of_layer(start, SourceKind::Microphone, 0);
        let passed = (0..100_000).filter(|_| cap.take(start, 100)).count();
        assert_eq!(passed, 400);
        assert_eq!((0..10).filter(|_| cap.take(start + Duration::from_millis(5), 100)).count(), 2);
    }
}
