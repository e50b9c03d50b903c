//! `nhipcau join LINK --seconds N --report json`: is this line good enough, in numbers and one word.

use crate::cli::{JoinArgs, ReportFormat};
use crate::error::StartError;
use crate::{log, output};
use endpoint::verdict::{Verdict, verdict, word};
use endpoint::{Endpoint, JoinError, Options, Statistics, TransportKind, Trust, Watch};
use protocol::LinkGrade;
use serde::Serialize;
use std::process::ExitCode;
use std::time::Duration;

/// Exit code of a poor line: beyond those of `StartCode`, which stand for the reason why there was no measurement.
const POOR: u8 = 20;

/// Runs the subcommand. [`code`] explains the exit code.
pub async fn run(args: JoinArgs) -> Result<ExitCode, StartError> {
    match measure(&args).await {
        Ok(statistics) => {
            let verdict = verdict(&statistics);
            output::print(&report(&statistics, verdict.as_ref().ok(), args.report))?;
            Ok(verdict.map_or_else(|error| fail(&error), |verdict| code(verdict.grade)))
        }
        Err(error) => {
            if args.report == ReportFormat::Json {
                output::print(&not_connected(&error).to_string())?;
            }
            Ok(fail(&error))
        }
    }
}

/// A line to meet over: 0. A poor one: [`POOR`]. No verdict (not in, or too little measured): 1.
fn code(grade: LinkGrade) -> ExitCode {
    match grade {
        LinkGrade::Good | LinkGrade::Fair => ExitCode::SUCCESS,
        LinkGrade::Poor | LinkGrade::Disconnected => ExitCode::from(POOR),
    }
}

/// What scripts read of a join that never was: one JSON object all the same.
fn not_connected(error: &JoinError) -> serde_json::Value {
    serde_json::json!({"connected": false, "error": {"code": error.code, "text": error.text}})
}

fn fail(error: &JoinError) -> ExitCode {
    log::say(&error.to_string());
    ExitCode::FAILURE
}

fn options(args: &JoinArgs) -> Options {
    let trust = match (&args.ca, args.insecure) {
        (_, true) => Trust::Anybody,
        (Some(file), false) => Trust::Authority(file.clone()),
        (None, false) => Trust::System,
    };
    Options {
        slots: usize::from(args.slots),
        takeover: args.takeover,
        trust,
        reconnect: true,
        watch: Watch::OthersAndOneself,
        ..Options::default()
    }
}

async fn measure(args: &JoinArgs) -> Result<Statistics, JoinError> {
    let endpoint = Endpoint::connect(args.link.parse()?, options(args)).await?;
    tokio::time::sleep(Duration::from_secs(args.seconds)).await;
    endpoint.reach_is_known().await;
    let statistics = endpoint.stats().await;
    match endpoint.stop().await {
        Some(reason) => Err(reason),
        None => Ok(statistics),
    }
}

/// The statistics, and what they say.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    statistics: &'a Statistics,
    verdict: Option<&'a Verdict>,
}

fn report(statistics: &Statistics, verdict: Option<&Verdict>, format: ReportFormat) -> String {
    match format {
        ReportFormat::Json => serde_json::to_string(&Report { statistics, verdict }).unwrap_or_default(),
        ReportFormat::Text => text(statistics, verdict),
    }
}

fn text(statistics: &Statistics, verdict: Option<&Verdict>) -> String {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.1}"));
    let mut lines = vec![
        reached(statistics),
        format!(
            "Hình đầu tiên sau {} ms, trễ khứ hồi {} ms",
            number(statistics.time_to_first_frame_ms),
            number(statistics.rtt_ms)
        ),
    ];
    for (direction, tracks) in [("nhận", &statistics.received), ("gửi", &statistics.sent)] {
        for track in tracks {
            lines.push(format!(
                "{direction} {} {}: {} gói, mất {}, biến động trễ {} ms, {:.0} kbit/s",
                track.kind,
                track.site.as_deref().unwrap_or("?"),
                track.packets,
                track.lost,
                number(track.jitter_ms),
                track.bitrate_bps / 1000.0
            ));
        }
    }
    lines.extend(verdict.map(|verdict| format!("{}. {}", word(verdict.grade), verdict.reason)));
    lines.join("\n")
}

fn reached(statistics: &Statistics) -> String {
    let by = match statistics.transport {
        Some(TransportKind::Udp) => "; hình và tiếng đi qua UDP",
        Some(TransportKind::Tcp) => "; hình và tiếng đi qua TCP",
        None => "",
    };
    format!("{}{by}", statistics.reached.sentence())
}

#[cfg(test)]
mod tests {
    use super::*;
    use endpoint::{Reach, TrackStatistics};

    fn statistics() -> Statistics {
        Statistics {
            connected: true,
            time_to_first_frame_ms: Some(12.0),
            rtt_ms: None,
            transport: Some(TransportKind::Tcp),
            reached: Reach { udp: Some(false), tcp: Some(true) },
            reconnections: 0,
            received: vec![TrackStatistics {
                kind: "audio",
                site: None,
                own: false,
                packets: 1,
                frames: 1,
                lost: 0,
                jitter_ms: None,
                bitrate_bps: 0.0,
            }],
            sent: vec![],
        }
    }

    fn verdict() -> Verdict {
        Verdict {
            grade: LinkGrade::Poor, reason: "Đường truyền kém: trễ khứ hồi 700 ms.".to_owned()
        }
    }

    #[test]
    fn the_report_has_the_keys_scripts_rely_on() {
        let text = report(&statistics(), Some(&verdict()), ReportFormat::Json);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&json["transport"], &json["connected"]), (&"tcp".into(), &true.into()));
        assert_eq!((&json["reached"]["udp"], &json["reached"]["tcp"]), (&false.into(), &true.into()));
        assert_eq!(json["verdict"]["grade"], "poor");
        for key in ["kind", "site", "own", "packets", "frames", "lost", "jitter_ms", "bitrate_bps"] {
            assert!(json["received"][0].get(key).is_some(), "{key}");
        }
        assert!(json["rtt_ms"].is_null());
        let text = report(&statistics(), None, ReportFormat::Json);
        assert!(text.ends_with(r#""verdict":null}"#), "{text}");
    }

    #[test]
    fn the_text_begins_with_what_was_reached_and_ends_with_the_verdict() {
        let text = report(&statistics(), Some(&verdict()), ReportFormat::Text);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"UDP: không tới được; TCP: tới được; hình và tiếng đi qua TCP"));
        assert_eq!(lines.last(), Some(&"Kém. Đường truyền kém: trễ khứ hồi 700 ms."));
    }

    #[test]
    fn the_exit_code_is_that_of_the_grade() {
        let all = [LinkGrade::Good, LinkGrade::Fair, LinkGrade::Poor, LinkGrade::Disconnected];
        let codes = all.map(|grade| format!("{:?}", code(grade)));
        let expected = [0, 0, POOR, POOR].map(|number| format!("{:?}", ExitCode::from(number)));
        assert_eq!(codes, expected);
    }

    #[tokio::test]
    async fn who_is_not_let_in_gets_a_failure() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        drop(listener);
        let args = JoinArgs {
            link: format!("http://{address}/#x"),
            seconds: 1,
            report: ReportFormat::Json,
            insecure: false,
            ca: None,
            slots: 1,
            takeover: false,
        };
        let code = run(args).await.expect("printed");
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
    }
}
