//! Is the clock right? Certificates and minutes depend on it. Without a network the time cannot be verified, so only
//! what can be known is judged.

use super::{Finding, Verdict, words};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// This program was not written before then.
const BUILT_UNIX_S: u64 = 1_767_225_600; // 2026-01-01
/// A clock later than this was set by mistake.
const ABSURD_UNIX_S: u64 = 4_102_444_800; // 2100-01-01
/// How long both clocks are compared, and how far they may drift apart in that time. Slewing by NTP
/// stays below 0.05 %.
const COMPARED: Duration = Duration::from_millis(200);
const TOLERATED: Duration = Duration::from_millis(20);

pub(super) fn examine() -> Vec<Finding> {
    vec![year(SystemTime::now()), pace(), synchronised(ntp_state())]
}

fn year(now: SystemTime) -> Finding {
    let unix_s = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if (BUILT_UNIX_S..ABSURD_UNIX_S).contains(&unix_s) {
        return Finding::good(
            "clock_year",
            words("Đồng hồ chỉ một năm hợp lý.", "The clock shows a plausible year."),
        );
    }
    Finding::bad(
        "clock_year",
        Verdict::Broken,
        words("Đồng hồ chỉ sai năm.", "The clock shows an impossible year."),
        words("Đặt lại ngày giờ của máy.", "Set the machine's date and time."),
    )
}

fn pace() -> Finding {
    let (steady, wall) = (Instant::now(), SystemTime::now());
    sleep(COMPARED);
    let wall = wall.elapsed().unwrap_or_default();
    if steady.elapsed().abs_diff(wall) <= TOLERATED {
        return Finding::good("clock_pace", words("Đồng hồ chạy đều.", "The clock runs evenly."));
    }
    Finding::bad(
        "clock_pace",
        Verdict::Warning,
        words("Đồng hồ đang bị chỉnh nhảy.", "The clock is being moved in jumps."),
        words(
            "Đợi đồng bộ giờ xong rồi chạy lại.",
            "Wait until time synchronisation has finished and run again.",
        ),
    )
}

/// What the system reports of NTP; `None` when it does not.
fn ntp_state() -> Option<bool> {
    if std::path::Path::new("/run/systemd/timesync/synchronized").exists() {
        return Some(true);
    }
    let asked =
        Command::new("timedatectl").args(["show", "--property=NTPSynchronized", "--value"]).output().ok()?;
    match String::from_utf8_lossy(&asked.stdout).trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn synchronised(state: Option<bool>) -> Finding {
    let advice = words(
        "Cho máy đồng bộ giờ với máy chủ NTP của cơ quan.",
        "Let the machine take its time from your NTP server.",
    );
    match state {
        Some(true) => {
            Finding::good("clock_ntp", words("Giờ được đồng bộ qua NTP.", "The time is synchronised by NTP."))
        }
        Some(false) => Finding::bad(
            "clock_ntp",
            Verdict::Warning,
            words("Giờ chưa được đồng bộ.", "The time is not synchronised."),
            advice,
        ),
        None => Finding::bad(
            "clock_ntp",
            Verdict::Warning,
            words(
                "Không biết giờ có được đồng bộ hay không.",
                "Whether the time is synchronised is unknown.",
            ),
            advice,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_judged_and_ntp_is_honest() {
        let at = |s| UNIX_EPOCH + Duration::from_secs(s);
        assert_eq!(year(at(0)).verdict, Verdict::Broken);
        assert_eq!(year(at(BUILT_UNIX_S)).verdict, Verdict::Good);
        assert_eq!(year(at(ABSURD_UNIX_S)).verdict, Verdict::Broken);
        let unknown = synchronised(None);
        assert!(unknown.found.en.contains("unknown"));
        assert_eq!(unknown.verdict, Verdict::Warning);
    }
}
