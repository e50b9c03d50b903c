//! A bitrate over the last second, in 44 bytes of counters.

use std::time::Instant;

/// Width of a bucket.
const BUCKET_MS: u128 = 100;
/// Ten whole buckets are the last second; the eleventh is being filled and not counted, so that a
/// steady stream reads the same at every moment. The price is a reading up to 100 ms old.
const BUCKETS: u64 = 11;

/// Counts bytes; returns bits per second.
#[derive(Debug, Clone)]
pub struct RateMeter {
    origin: Instant,
    /// Number of the bucket being filled, counted from `origin`.
    current: u64,
    bytes: [u32; BUCKETS as usize],
}

impl RateMeter {
    pub fn new(now: Instant) -> RateMeter {
        RateMeter { origin: now, current: 0, bytes: [0; BUCKETS as usize] }
    }

    pub fn add(&mut self, now: Instant, bytes: usize) {
        let bucket = self.bucket(now).max(self.current);
        if bucket.saturating_sub(self.current) >= BUCKETS {
            self.bytes = [0; BUCKETS as usize];
        } else {
            for passed in self.current..bucket {
                self.set(passed.saturating_add(1), 0);
            }
        }
        self.current = bucket;
        let sum = self.get(bucket).saturating_add(bytes as u32);
        self.set(bucket, sum);
    }

    /// Bits in the last second that ended at a tenth of a second.
    pub fn bps(&self, now: Instant) -> u64 {
        let end = self.bucket(now).max(self.current);
        let first = end.saturating_sub(BUCKETS.saturating_sub(1));
        let oldest = self.current.saturating_sub(BUCKETS.saturating_sub(1));
        let kept = first.max(oldest)..end.min(self.current.saturating_add(1));
        let bytes: u64 = kept.map(|bucket| u64::from(self.get(bucket))).sum();
        bytes.saturating_mul(8)
    }

    fn bucket(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.origin).as_millis();
        u64::try_from(since.wrapping_div(BUCKET_MS)).unwrap_or(u64::MAX)
    }

    fn get(&self, bucket: u64) -> u32 {
        let place = bucket.wrapping_rem(BUCKETS) as usize;
        self.bytes.get(place).copied().unwrap_or_default()
    }

    fn set(&mut self, bucket: u64, bytes: u32) {
        let place = bucket.wrapping_rem(BUCKETS) as usize;
        if let Some(slot) = self.bytes.get_mut(place) {
            *slot = bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// 100 bytes every 10 ms are 80 kbit/s at every moment after the first second.
    #[test]
    fn a_steady_stream_reads_the_same_at_every_moment() {
        let start = crate::time::test_start();
        let mut meter = RateMeter::new(start);
        for step in 0..500u64 {
            let now = start + ms(step * 10);
            if step > 110 {
                assert_eq!(meter.bps(now), 80_000, "at {step}");
            }
            meter.add(now, 100);
        }
    }

    #[test]
    fn silence_lowers_the_rate_and_long_silence_leaves_nothing() {
        let start = crate::time::test_start();
        let mut meter = RateMeter::new(start);
        meter.add(start, 1000);
        assert_eq!(meter.bps(start), 0, "the bucket being filled does not count");
        assert_eq!(meter.bps(start + ms(100)), 8000);
        assert_eq!(meter.bps(start + ms(1099)), 8000);
        assert_eq!(meter.bps(start + ms(1100)), 0);
        meter.add(start + ms(1_000_000), 500);
        assert_eq!(meter.bps(start + ms(1_000_100)), 4000);
    }

    #[test]
    fn time_that_runs_backwards_is_taken_as_now() {
        let start = crate::time::test_start();
        let mut meter = RateMeter::new(start);
        meter.add(start + ms(500), 10);
        meter.add(start + ms(100), 10);
        assert_eq!(meter.bps(start + ms(600)), 160);
    }
}
