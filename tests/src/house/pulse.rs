//! Whether anything comes on a site's line (`web/src/session/pulse.ts`).

use std::time::{Duration, Instant};

pub const LOOK: Duration = Duration::from_millis(400);
const STEADY_LOOKS: u32 = 4;
const SILENT: Duration = Duration::from_millis(1500);

/// What a look has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    Stopped,
    Came,
}

/// See the module.
#[derive(Default)]
pub struct Pulse {
    count: Option<u64>,
    came_at: Option<Instant>,
    steady: u32,
    is_missing: bool,
}

impl Pulse {
    pub fn beats(&self) -> bool {
        !self.is_missing && self.steady >= STEADY_LOOKS
    }

    pub fn is_silent(&self) -> bool {
        self.is_missing
    }

    pub fn look(&mut self, now: Instant, count: u64) -> Option<News> {
        let before = self.count.replace(count)?;
        if count > before {
            self.came_at = Some(now);
            self.steady += 1;
            return std::mem::take(&mut self.is_missing).then_some(News::Came);
        }
        if self.is_missing || self.steady < STEADY_LOOKS {
            self.steady = 0;
            return None;
        }
        let is_silent = self.came_at.is_some_and(|at| now - at >= SILENT);
        is_silent.then(|| {
            (self.steady, self.is_missing) = (0, true);
            News::Stopped
        })
    }
}
