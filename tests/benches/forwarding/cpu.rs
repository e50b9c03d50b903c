//! The CPU time of this thread: other work of the machine is not in it.

use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

pub struct CpuTime(Duration);

impl CpuTime {
    pub fn start() -> CpuTime {
        CpuTime(read())
    }

    /// User and system time since the start.
    pub fn elapsed(&self) -> Duration {
        read().saturating_sub(self.0)
    }
}

fn read() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}
