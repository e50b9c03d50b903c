//! Answers to NACK (RFC 4585) from the publisher's slab, on the RTX stream (RFC 4588).
//!
//! Without RTX nothing is resent: the same SRTP packet with another transport-wide number would
//! reuse a nonce.

use std::time::{Duration, Instant};

/// Numbers remembered to refuse a second resend within a round trip; a receiver asks for at most a
/// few dozen at a time.
const REMEMBERED: usize = 64;

/// Which numbers of a slot were resent lately.
#[derive(Debug, Default)]
pub struct Resent {
    ring: Vec<(u64, Instant)>,
    next: usize,
    /// Counts RTX packets: their own sequence number space.
    sequence: u64,
}

impl Resent {
    /// Whether `sequence_out` may be resent now; remembers it if so. `patience` is about a round
    /// trip: before that the last answer may still be on its way.
    pub fn allow(&mut self, now: Instant, sequence_out: u64, patience: Duration) -> bool {
        let recent = |(sequence, at): &(u64, Instant)| {
            *sequence == sequence_out && now.saturating_duration_since(*at) < patience
        };
        if self.ring.iter().any(recent) {
            return false;
        }
        match self.ring.get_mut(self.next) {
            Some(place) => *place = (sequence_out, now),
            None => self.ring.push((sequence_out, now)),
        }
        self.next = self.next.wrapping_add(1) % REMEMBERED;
        true
    }

    /// The extended sequence number of the next RTX packet, from 2^16 on.
    pub fn peek_sequence(&self) -> u64 {
        self.sequence.max(65_536).saturating_add(1)
    }

    /// Uses that number up.
    pub fn next_sequence(&mut self) {
        self.sequence = self.peek_sequence();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_resent_once_per_round_trip() {
        let start = Instant::now();
        let rtt = Duration::from_millis(50);
        let mut resent = Resent::default();
        assert!(resent.allow(start, 7, rtt));
        assert!(!resent.allow(start + Duration::from_millis(49), 7, rtt));
        assert!(resent.allow(start + Duration::from_millis(49), 8, rtt));
        assert!(resent.allow(start + rtt, 7, rtt));
    }

    #[test]
    fn the_memory_is_bounded() {
        let start = Instant::now();
        let mut resent = Resent::default();
        for n in 0..1000 {
            resent.allow(start, n, Duration::from_secs(1));
        }
        assert_eq!(resent.ring.len(), REMEMBERED);
    }
}
