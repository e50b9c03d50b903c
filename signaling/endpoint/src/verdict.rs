//! How good the line is by the numbers, in the words and by the bounds of the meeting's lights ([`Measure`]): one grade
//! and one sentence.
//!
//! Up is what the bridge reports of what was sent (RTCP). Down is this site's own picture, which the bridge sends back:
//! it is there in an empty meeting too, and no other site's line is in it. Its jitter is that of both ways together.

use serde::Serialize;

use super::JoinError;
use super::stats::{Statistics, TrackStatistics};
use protocol::LinkGrade;
use protocol::measure::Measure;

/// With fewer, one lost packet is more than the 1 % that still counts as good.
const FEWEST_PACKETS: u64 = 100;

/// What a line is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub grade: LinkGrade,
    /// A sentence for people.
    pub reason: String,
}

/// One number of a line.
struct Finding {
    measure: Measure,
    what: &'static str,
    value: f64,
}

impl Finding {
    fn grade(&self) -> LinkGrade {
        self.measure.grade(self.value)
    }

    fn unit(&self) -> &'static str {
        match self.measure {
            Measure::LossPercent => "%",
            Measure::JitterMs | Measure::RoundTripMs => "ms",
        }
    }

    fn phrase(&self) -> String {
        format!("{} {} {}", self.what, decimal(self.value), self.unit())
    }

    /// How far beyond good it is; compares numbers of one grade.
    fn excess(&self) -> f64 {
        self.value / self.measure.bounds().good
    }
}

/// The verdict, or why there is none.
pub fn verdict(statistics: &Statistics) -> Result<Verdict, JoinError> {
    if !statistics.connected {
        let reached = statistics.reached.sentence();
        return Err(JoinError::media(format!("{reached}, nhưng không kết nối được")));
    }
    if !statistics.received.iter().any(|track| track.packets > 0) {
        return Err(JoinError::new(
            "nothing_received",
            "Đã kết nối nhưng không nhận được hình hay tiếng nào.",
        ));
    }
    if !statistics.flowed_both_ways() {
        return Err(JoinError::new("nothing_sent", "Đã kết nối nhưng không gửi được hình và tiếng."));
    }
    let findings = findings(statistics).ok_or_else(|| {
        JoinError::new("not_measured", "Chưa đủ số liệu để đánh giá đường truyền; đo lâu hơn bằng --seconds.")
    })?;
    Ok(match statistics.reconnections {
        0 => judge(&findings),
        times => Verdict {
            grade: LinkGrade::Poor,
            reason: format!("Đường truyền kém: mất kết nối {times} lần trong lúc đo."),
        },
    })
}

/// The worst number decides, as for the lights.
fn judge(findings: &[Finding]) -> Verdict {
    let worse =
        |a: &&Finding, b: &&Finding| a.grade().cmp(&b.grade()).then(a.excess().total_cmp(&b.excess()));
    let worst = findings.iter().max_by(worse).filter(|worst| worst.grade() > LinkGrade::Good);
    let Some(worst) = worst else {
        let phrases: Vec<_> = findings.iter().map(Finding::phrase).collect();
        return Verdict {
            grade: LinkGrade::Good,
            reason: format!("Đường truyền tốt: {}.", phrases.join(", ")),
        };
    };
    let (bounds, unit) = (worst.measure.bounds(), worst.unit());
    let limits =
        format!("tốt: đến {} {unit}, kém: trên {} {unit}", decimal(bounds.good), decimal(bounds.fair));
    Verdict {
        grade: worst.grade(),
        reason: format!(
            "Đường truyền {}: {} ({limits}).",
            word(worst.grade()).to_lowercase(),
            worst.phrase()
        ),
    }
}

/// As the lights are called.
pub fn word(grade: LinkGrade) -> &'static str {
    match grade {
        LinkGrade::Good => "Tốt",
        LinkGrade::Fair => "Trung bình",
        LinkGrade::Poor => "Kém",
        LinkGrade::Disconnected => "Mất kết nối",
    }
}

/// None where too little flowed, or the bridge has not reported yet.
fn findings(statistics: &Statistics) -> Option<Vec<Finding>> {
    let reported = statistics.sent.iter().filter(|track| track.jitter_ms.is_some());
    let up: Vec<_> = reported.filter(|track| track.packets >= FEWEST_PACKETS).collect();
    let came = statistics.received.iter().filter(|track| track.own);
    let down: Vec<_> =
        came.filter(|track| track.packets.saturating_add(track.lost) >= FEWEST_PACKETS).collect();
    if up.is_empty() || down.is_empty() {
        return None;
    }
    let loss_up = worst(&up, |track| percent(track.lost, track.packets));
    let loss_down = worst(&down, |track| percent(track.lost, track.packets.saturating_add(track.lost)));
    let jitter = |tracks: &[&TrackStatistics]| worst(tracks, |track| track.jitter_ms.unwrap_or_default());
    let finding = |measure, what, value| Finding { measure, what, value };
    let mut findings = vec![
        finding(Measure::LossPercent, "mất gói chiều lên", loss_up),
        finding(Measure::LossPercent, "mất gói chiều xuống", loss_down),
        finding(Measure::JitterMs, "biến động trễ chiều lên", jitter(&up)),
        finding(Measure::JitterMs, "biến động trễ cả hai chiều", jitter(&down)),
    ];
    findings.extend(statistics.rtt_ms.map(|rtt| finding(Measure::RoundTripMs, "trễ khứ hồi", rtt)));
    Some(findings)
}

fn worst(tracks: &[&TrackStatistics], value: impl Fn(&TrackStatistics) -> f64) -> f64 {
    tracks.iter().map(|track| value(track)).fold(0.0, f64::max)
}

fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}

/// With a comma, and a digit after it where there is one.
fn decimal(value: f64) -> String {
    let rounded = format!("{value:.1}");
    rounded.strip_suffix(".0").map_or_else(|| rounded.replace('.', ","), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::probe::{Reach, TransportKind};
    use super::*;

    fn track(own: bool, packets: u64, lost: u64, jitter_ms: f64) -> TrackStatistics {
        TrackStatistics {
            kind: "video",
            site: None,
            own,
            packets,
            frames: packets,
            lost,
            jitter_ms: Some(jitter_ms),
            bitrate_bps: 0.0,
        }
    }

    fn statistics(sent: TrackStatistics, received: Vec<TrackStatistics>, rtt_ms: f64) -> Statistics {
        Statistics {
            connected: true,
            time_to_first_frame_ms: None,
            rtt_ms: Some(rtt_ms),
            transport: Some(TransportKind::Udp),
            reached: Reach { udp: Some(true), tcp: Some(false) },
            reconnections: 0,
            received,
            sent: vec![sent],
        }
    }

    #[test]
    fn the_worst_number_decides_and_is_named_with_its_bounds() {
        let table = [
            (
                (1_000, 10, 3.0),
                (990, 10, 12.0),
                20.0,
                LinkGrade::Good,
                "mất gói chiều lên 1 %, mất gói chiều xuống 1 %",
            ),
            (
                (1_000, 15, 3.0),
                (1_000, 0, 3.0),
                20.0,
                LinkGrade::Fair,
                "trung bình: mất gói chiều lên 1,5 % (tốt: đến 1 %, kém: trên 5 %)",
            ),
            ((1_000, 0, 3.0), (900, 100, 3.0), 20.0, LinkGrade::Poor, "kém: mất gói chiều xuống 10 %"),
            ((1_000, 0, 51.0), (1_000, 0, 3.0), 20.0, LinkGrade::Poor, "biến động trễ chiều lên 51 ms"),
            ((1_000, 0, 3.0), (1_000, 0, 31.0), 20.0, LinkGrade::Fair, "biến động trễ cả hai chiều 31 ms"),
            (
                (1_000, 0, 3.0),
                (1_000, 0, 3.0),
                700.0,
                LinkGrade::Poor,
                "trễ khứ hồi 700 ms (tốt: đến 150 ms, kém: trên 300 ms)",
            ),
        ];
        for (up, down, rtt, grade, says) in table {
            let numbers =
                statistics(track(true, up.0, up.1, up.2), vec![track(true, down.0, down.1, down.2)], rtt);
            let found = verdict(&numbers).expect("measured");
            assert_eq!(found.grade, grade, "{says}");
            assert!(found.reason.contains(says), "{} / {says}", found.reason);
        }
    }

    #[test]
    fn others_lines_do_not_count_and_a_break_does() {
        let received = vec![track(true, 1_000, 0, 3.0), track(false, 500, 500, 300.0)];
        let mut numbers = statistics(track(true, 1_000, 0, 3.0), received, 20.0);
        assert_eq!(verdict(&numbers).expect("measured").grade, LinkGrade::Good);
        numbers.reconnections = 2;
        let broken = verdict(&numbers).expect("measured");
        assert_eq!(
            (broken.grade, broken.reason.as_str()),
            (LinkGrade::Poor, "Đường truyền kém: mất kết nối 2 lần trong lúc đo.")
        );
    }

    #[test]
    fn without_enough_there_is_no_verdict_but_a_reason() {
        let good = || track(true, 1_000, 0, 3.0);
        let unreported = TrackStatistics { jitter_ms: None, ..good() };
        for (sent, received, connected, code) in [
            (good(), vec![good()], false, "media_failed"),
            (good(), vec![], true, "nothing_received"),
            (track(true, 0, 0, 0.0), vec![good()], true, "nothing_sent"),
            (unreported, vec![good()], true, "not_measured"),
            (good(), vec![track(false, 1_000, 0, 3.0)], true, "not_measured"),
            (good(), vec![track(true, 99, 0, 3.0)], true, "not_measured"),
        ] {
            let numbers = Statistics { connected, ..statistics(sent, received, 20.0) };
            assert_eq!(verdict(&numbers).expect_err(code).code, code);
        }
        let lost = Statistics { connected: false, ..statistics(good(), vec![], 20.0) };
        let said = verdict(&lost).expect_err("not connected").text;
        assert!(said.contains("UDP: tới được; TCP: không tới được"), "{said}");
    }
}
