//! NTP timestamps, as in RTCP (RFC 3550 section 4).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// NTP timestamp, 32.32 fixed point seconds since 1900.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NtpTime(pub u64);

/// Seconds between 1900-01-01 and 1970-01-01.
const NTP_UNIX_OFFSET_S: u64 = 2_208_988_800;

impl NtpTime {
    /// The wall clock time `t`, wrapping with the NTP era.
    pub fn from_system_time(t: SystemTime) -> NtpTime {
        let since = t.duration_since(UNIX_EPOCH).unwrap_or_default();
        NtpTime((NTP_UNIX_OFFSET_S << 32).wrapping_add(duration_to_ntp(since)))
    }

    /// The middle 32 bits, as carried in LSR and in reports (RFC 3550 section 6.4.1).
    pub fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }

    pub fn wrapping_add(self, d: Duration) -> NtpTime {
        NtpTime(self.0.wrapping_add(duration_to_ntp(d)))
    }

    /// `self − earlier` in seconds; negative when `earlier` is later.
    pub fn seconds_since(self, earlier: NtpTime) -> f64 {
        self.0.wrapping_sub(earlier.0) as i64 as f64 / 4_294_967_296.0
    }
}

/// 32.32 fixed point seconds, saturating.
fn duration_to_ntp(d: Duration) -> u64 {
    let seconds = d.as_secs() << 32;
    let fraction = (u64::from(d.subsec_nanos()) << 32).wrapping_div(1_000_000_000);
    seconds.wrapping_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_seconds_go_both_ways() {
        let a = NtpTime::from_system_time(UNIX_EPOCH);
        let b = a.wrapping_add(Duration::from_millis(1500));
        assert!((b.seconds_since(a) - 1.5).abs() < 1e-6);
        assert!((a.seconds_since(b) + 1.5).abs() < 1e-6);
    }
}
