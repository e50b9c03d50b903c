//! Whether a voice waits longer than it must.

use crate::codec::FRAME;

/// Ticks over which it is judged: a second. Jitter that comes less often costs a concealed frame when it does.
const WINDOW: u32 = 50;
/// So much may wait at all times, in samples: what a voice's start delay gives, 40 to 60 ms.
const ENOUGH: usize = FRAME * 3;

/// The least that waited since the window began.
#[derive(Debug)]
pub struct Slack {
    ticks: u32,
    least: usize,
}

impl Slack {
    /// A window that begins now.
    pub fn new() -> Slack {
        Slack { ticks: 0, least: usize::MAX }
    }

    /// Notes how many samples wait at a tick before they are played. Says whether a frame is to be left out: after a
    /// second in which 60 ms were never needed.
    pub fn note(&mut self, waiting: usize) -> bool {
        self.least = self.least.min(waiting);
        self.ticks = self.ticks.saturating_add(1);
        if self.ticks < WINDOW {
            return false;
        }
        let is_more = self.least >= ENOUGH;
        *self = Slack::new();
        is_more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many frames were left out while so much waited.
    fn left_out(waiting: impl Iterator<Item = usize>) -> usize {
        let mut slack = Slack::new();
        waiting.filter(|waiting| slack.note(*waiting)).count()
    }

    #[test]
    fn a_frame_a_second_is_left_out_while_more_waits_than_is_needed() {
        assert_eq!(left_out((0..49).map(|_| ENOUGH)), 0);
        assert_eq!(left_out((0..50).map(|_| ENOUGH)), 1);
        assert_eq!(left_out((0..150).map(|_| ENOUGH * 4)), 3);
    }

    #[test]
    fn what_was_needed_once_in_the_second_is_kept() {
        assert_eq!(left_out((0..50).map(|tick| if tick == 20 { ENOUGH - 1 } else { ENOUGH * 4 })), 0);
        assert_eq!(left_out((0..100).map(|tick| if tick == 20 { 0 } else { ENOUGH })), 1);
    }
}
