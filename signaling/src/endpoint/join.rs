//! `nhipcau join LINK --seconds N --report json`: is this line good enough, in numbers.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::options::{Options, Trust};
use super::stats::Statistics;
use super::{Endpoint, JoinError};
use crate::error::StartError;
use crate::{log, output};

/// Arguments of the subcommand.
#[derive(Debug, Clone, Args)]
pub struct JoinArgs {
    /// Liên kết họp: http(s)://máy-chủ:cổng/#mã
    #[arg(value_name = "LIÊN KẾT")]
    pub link: String,
    /// Thời gian ở trong cuộc họp, tính bằng giây
    #[arg(long, value_name = "GIÂY", default_value_t = 10)]
    pub seconds: u64,
    /// In kết quả dưới dạng nào
    #[arg(long, value_name = "DẠNG", value_enum, default_value_t = ReportFormat::Text)]
    pub report: ReportFormat,
    /// Chấp nhận mọi chứng thư của máy chủ (chỉ dùng trong mạng của mình)
    #[arg(long)]
    pub insecure: bool,
    /// Chỉ tin chứng thư gốc trong tệp PEM này
    #[arg(long, value_name = "TỆP", conflicts_with = "insecure")]
    pub ca: Option<PathBuf>,
    /// Số ô hình nhận về
    #[arg(long, value_name = "SỐ", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub slots: u8,
    /// Vào thay thiết bị khác đang giữ chỗ của điểm cầu này
    #[arg(long)]
    pub takeover: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Text,
    Json,
}

impl JoinArgs {
    fn options(&self) -> Options {
        let trust = match (&self.ca, self.insecure) {
            (_, true) => Trust::Anybody,
            (Some(file), false) => Trust::Authority(file.clone()),
            (None, false) => Trust::System,
        };
        Options {
            slots: usize::from(self.slots),
            takeover: self.takeover,
            trust,
            reconnect: true,
            ..Options::default()
        }
    }
}

/// Runs the subcommand. Success means: it was connected and media flowed both ways.
pub async fn run(args: JoinArgs) -> Result<ExitCode, StartError> {
    match measure(&args).await {
        Ok(statistics) => {
            output::print(&report(&statistics, args.report))?;
            Ok(match verdict(&statistics) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(&error),
            })
        }
        Err(error) => {
            if args.report == ReportFormat::Json {
                output::print(&not_connected(&error).to_string())?;
            }
            Ok(fail(&error))
        }
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

async fn measure(args: &JoinArgs) -> Result<Statistics, JoinError> {
    let endpoint = Endpoint::connect(args.link.parse()?, args.options()).await?;
    tokio::time::sleep(Duration::from_secs(args.seconds)).await;
    let statistics = endpoint.stats().await;
    match endpoint.stop().await {
        Some(reason) => Err(reason),
        None => Ok(statistics),
    }
}

fn verdict(statistics: &Statistics) -> Result<(), JoinError> {
    if !statistics.connected {
        return Err(JoinError::media("UDP và TCP đều không tới được máy chủ"));
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
    Ok(())
}

fn report(statistics: &Statistics, format: ReportFormat) -> String {
    match format {
        ReportFormat::Json => serde_json::to_string(statistics).unwrap_or_default(),
        ReportFormat::Text => text(statistics),
    }
}

fn text(statistics: &Statistics) -> String {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.1}"));
    let mut lines = vec![format!(
        "Hình đầu tiên sau {} ms, trễ khứ hồi {} ms",
        number(statistics.time_to_first_frame_ms),
        number(statistics.rtt_ms)
    )];
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
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::stats::TrackStatistics;
    use super::*;

    fn track(packets: u64) -> TrackStatistics {
        TrackStatistics {
            kind: "audio",
            site: None,
            packets,
            frames: packets,
            lost: 0,
            jitter_ms: None,
            bitrate_bps: 0.0,
        }
    }

    #[test]
    fn success_needs_a_connection_and_both_directions() {
        for (connected, received, sent, code) in [
            (true, 5, 5, None),
            (false, 5, 5, Some("media_failed")),
            (true, 0, 5, Some("nothing_received")),
            (true, 5, 0, Some("nothing_sent")),
        ] {
            let statistics = Statistics {
                connected,
                time_to_first_frame_ms: None,
                rtt_ms: None,
                transport: None,
                reconnections: 0,
                received: vec![track(received)],
                sent: vec![track(sent)],
            };
            assert_eq!(verdict(&statistics).err().map(|error| error.code).as_deref(), code);
        }
    }

    #[test]
    fn the_report_has_the_keys_scripts_rely_on() {
        let statistics = Statistics {
            connected: true,
            time_to_first_frame_ms: Some(12.0),
            rtt_ms: None,
            transport: Some(crate::endpoint::stats::TransportKind::Udp),
            reconnections: 0,
            received: vec![track(1)],
            sent: vec![],
        };
        let json = serde_json::to_value(&statistics).unwrap();
        assert_eq!(json["transport"], "udp");
        for key in ["kind", "site", "packets", "frames", "lost", "jitter_ms", "bitrate_bps"] {
            assert!(json["received"][0].get(key).is_some(), "{key}");
        }
        assert!(json["rtt_ms"].is_null());
    }
}
