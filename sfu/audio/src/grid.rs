//! When all mixes tick.

use std::time::{Duration, Instant};

use crate::codec::FRAME;

/// Milliseconds between two ticks.
const STEP: u64 = 20;
/// A host that is late catches up so many ticks at once, 100 ms: about what listeners' buffers hold. What is older they
/// have concealed already.
const CATCH_UP: u64 = 5;

/// A moment at which each voice gives 20 ms and each mix takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    number: u64,
    /// When it was due.
    pub at: Instant,
}

impl Tick {
    /// The first of the two ticks of a long packet.
    pub fn is_even(self) -> bool {
        self.number.is_multiple_of(2)
    }

    /// Of the RTP timeline of all mixes, at 48 kHz.
    pub fn timestamp(self) -> u32 {
        self.number.wrapping_mul(FRAME as u64) as u32
    }
}

/// Tick *n* is *n* · 20 ms after the epoch. No tick comes twice, and none goes back.
#[derive(Debug)]
pub struct Grid {
    epoch: Instant,
    next: u64,
}

impl Grid {
    /// Tick 0 is at `epoch`.
    pub fn new(epoch: Instant) -> Grid {
        Grid { epoch, next: 0 }
    }

    /// The next tick that is due, once. What cannot be caught up is skipped, up to the beginning of a packet.
    pub fn due(&mut self, now: Instant) -> Option<Tick> {
        let since = now.checked_duration_since(self.epoch)?.as_millis() as u64;
        let newest = since / STEP;
        if newest.saturating_sub(self.next) >= CATCH_UP {
            self.next = newest.saturating_sub(CATCH_UP).saturating_add(1).next_multiple_of(2);
        }
        if self.next > newest {
            return None;
        }
        let tick = Tick { number: self.next, at: self.next_at() };
        self.next = self.next.saturating_add(1);
        Some(tick)
    }

    /// When the next tick is due.
    pub fn next_at(&self) -> Instant {
        let since = STEP.saturating_mul(self.next);
        self.epoch.checked_add(Duration::from_millis(since)).unwrap_or(self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn due(grid: &mut Grid, now: Instant) -> Vec<u64> {
        std::iter::from_fn(|| grid.due(now)).map(|tick| tick.number).collect()
    }

    #[test]
    fn ticks_are_due_at_their_time_once() {
        let epoch = Instant::now();
        let mut grid = Grid::new(epoch);
        assert_eq!(grid.next_at(), epoch);
        assert_eq!(due(&mut grid, epoch), [0]);
        assert!(due(&mut grid, epoch + ms(19)).is_empty());
        assert_eq!(due(&mut grid, epoch + ms(20)), [1]);
        assert!(due(&mut grid, epoch + ms(20)).is_empty());
        assert_eq!(grid.next_at(), epoch + ms(40));
        assert!(due(&mut grid, epoch).is_empty());
    }

    #[test]
    fn a_late_host_catches_up_five_ticks_and_skips_what_is_more() {
        let epoch = Instant::now();
        let mut grid = Grid::new(epoch);
        assert_eq!(due(&mut grid, epoch + ms(4 * 20)), [0, 1, 2, 3, 4]);
        assert_eq!(due(&mut grid, epoch + ms(9 * 20)), [5, 6, 7, 8, 9]);
        assert_eq!(due(&mut grid, epoch + ms(15 * 20)), [12, 13, 14, 15]);
        assert_eq!(due(&mut grid, epoch + ms(1_000 * 20)), [996, 997, 998, 999, 1_000]);
    }

    #[test]
    fn timestamps_count_samples_and_wrap() {
        let at = Instant::now();
        assert_eq!(Tick { number: 3, at }.timestamp(), 2_880);
        assert_eq!(Tick { number: (1 << 32) + 1, at }.timestamp(), 960);
        assert_eq!(Tick { number: 4_473_925, at }.timestamp(), 704);
    }
}
