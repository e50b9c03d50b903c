//! Two clocks: `Instant`, which is passed in, and NTP at the same moment (`rtp::ntp`).

use rtp::ntp::NtpTime;
use std::time::{Duration, Instant, SystemTime};

/// Ties `Instant` to NTP once, so that the machine never asks for the wall clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    instant: Instant,
    ntp: NtpTime,
}

impl Clock {
    pub fn new(instant: Instant, wall: SystemTime) -> Clock {
        Clock { instant, ntp: NtpTime::from_system_time(wall) }
    }

    /// NTP time at `now`. A `now` before the clock's origin gives the origin.
    pub fn ntp(&self, now: Instant) -> NtpTime {
        self.ntp.wrapping_add(now.saturating_duration_since(self.instant))
    }
}

/// The earlier of two wake-ups, where `None` is "nothing pending".
pub fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// `now + d`; `now` where that is beyond the clock's range.
pub fn after(now: Instant, d: Duration) -> Instant {
    now.checked_add(d).unwrap_or(now)
}

/// A moment to count from; which one does not matter to a machine that is passed the time.
#[cfg(test)]
pub(crate) fn test_start() -> std::time::Instant {
    #[allow(clippy::disallowed_methods)]
    std::time::Instant::now()
}
