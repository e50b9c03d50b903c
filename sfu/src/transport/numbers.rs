//! What is random in our checks.

use rand::Rng;
use rand::rngs::StdRng;
use std::time::Duration;

/// RFC 7675 section 5.1.
const JITTER: f64 = 0.2;

/// Number of one of our checks.
pub(super) type Transaction = [u8; 12];

/// Draws the numbers of one peer's checks: its tag, by which an answer finds it, and 64 bits that only a receiver of
/// the check can know.
pub struct CheckNumbers {
    tag: u32,
    rng: StdRng,
}

impl CheckNumbers {
    pub fn new(tag: u32, rng: StdRng) -> CheckNumbers {
        CheckNumbers { tag, rng }
    }

    pub fn tag(&self) -> u32 {
        self.tag
    }

    pub(super) fn draw(&mut self) -> Transaction {
        let mut transaction = [0; 12];
        let (tag, rest) = transaction.split_at_mut(4);
        tag.copy_from_slice(&self.tag.to_be_bytes());
        self.rng.fill(rest);
        transaction
    }

    /// A little less or more, so that peers that came together are not checked together for ever.
    pub(super) fn around(&mut self, pause: Duration) -> Duration {
        pause.mul_f64(self.rng.random_range(1.0 - JITTER..1.0 + JITTER))
    }
}
