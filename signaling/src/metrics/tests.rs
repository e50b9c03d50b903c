use super::*;
use crate::media::PeerStats;
use crate::meeting::Flow;
use protocol::ClientReport;
use protocol::SiteId;
use sfu::ids::{PeerId, RoomId};
use sfu::net::PathKind;
use sfu::stats::DirectionStats;
use std::collections::BTreeSet;
use std::time::Duration;

fn row(name: &str, connected: bool) -> SiteRow {
    let down = DirectionStats {
        packets: 1_000,
        packets_lost: 20,
        loss_fraction: 0.02,
        jitter: Duration::from_millis(12),
        bitrate_bps: 1_500_000,
        ..DirectionStats::default()
    };
    SiteRow {
        meeting: "Giao ban \"tuần\"".to_owned(),
        seat: SeatRow {
            site: SiteId(1),
            name: name.to_owned(),
            connected,
            reconnections: 2,
            flow: Flow::Steady,
        },
        sample: Sample {
            stats: Some(PeerStats {
                peer: PeerId(1),
                room: RoomId(1),
                path: Some(PathKind::Tcp),
                rtt: Some(Duration::from_millis(45)),
                estimated_bandwidth_bps: Some(2_000_000),
                up: DirectionStats::default(),
                down,
            }),
            report: Some(ClientReport {
                freezes: 3,
                freeze_seconds: 1.5,
                available_outgoing_bps: Some(f64::NAN),
                ..ClientReport::default()
            }),
        },
    }
}

fn full_board() -> Board {
    let board = Board::default();
    board.sites(vec![row("An Phước", true), row("Bình Sơn", false)], 2);
    let mut worker = WorkerStats::default();
    worker.forward_delay.receive_to_ready.record(Duration::from_micros(70));
    worker.forward_delay.receive_to_ready.record(Duration::from_secs(1));
    worker.drops.count(sfu::discard::DropReason::Replay);
    board.worker(0, worker);
    board.refused(ErrorCode::MeetingFull);
    board
}

#[test]
fn numbers_are_under_their_labels() {
    let text = render(&full_board()).expect("text");
    let site = r#"meeting="Giao ban \"tuần\"",site="An Phước""#;
    for line in [
        format!("nhipcau_site_packet_loss_ratio{{{site},direction=\"down\"}} 0.02"),
        format!("nhipcau_site_rtt_seconds{{{site}}} 0.045"),
        format!("nhipcau_site_connected{{{site}}} 1"),
        format!("nhipcau_site_freeze_seconds_total{{{site}}} 1.5"),
        format!("nhipcau_site_transport_info{{{site},transport=\"tcp\"}} 1"),
        r#"nhipcau_worker_forward_delay_seconds_bucket{worker="0",stage="receive_to_ready",le="0.0001"} 1"#
            .to_owned(),
        r#"nhipcau_worker_forward_delay_seconds_bucket{worker="0",stage="receive_to_ready",le="+Inf"} 2"#
            .to_owned(),
        r#"nhipcau_worker_dropped_packets_total{worker="0",reason="replay"} 1"#.to_owned(),
        r#"nhipcau_refusals_total{code="meeting_full"} 1"#.to_owned(),
        "nhipcau_connections 2".to_owned(),
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("NaN"), "nonsense of a page is left out");
}

#[test]
fn a_lost_site_keeps_its_totals_and_shows_no_old_moment() {
    let text = render(&full_board()).expect("text");
    let lost: Vec<_> = text.lines().filter(|l| l.contains("Bình Sơn")).collect();
    let told: BTreeSet<_> = lost.iter().filter_map(|l| l.split('{').next()).collect();
    assert!(told.contains("nhipcau_site_connected") && told.contains("nhipcau_site_packets_lost_total"));
    assert!(
        told.iter().all(|name| name.ends_with("_total") || *name == "nhipcau_site_connected"),
        "{told:?}"
    );
}

#[test]
fn series_of_sites_that_have_left_disappear() {
    let board = full_board();
    board.sites(vec![row("Bình Sơn", true)], 1);
    let text = render(&board).expect("text");
    assert!(!text.contains("An Phước") && text.contains("Bình Sơn"));
    board.sites(Vec::new(), 0);
    let text = render(&board).expect("text");
    assert!(!text.contains("nhipcau_site_"), "no family without series");
}

/// Prometheus's own judgement of names and format.
#[test]
fn promtool_accepts_it() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, of the package prometheus");
    let text = render(&full_board()).expect("text");
    let mut input = promtool.stdin.take().expect("piped");
    input.write_all(text.as_bytes()).expect("written");
    drop(input);
    let verdict = promtool.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&verdict.stderr).into_owned();
    assert!(verdict.status.success() && said.is_empty(), "{said}");
}
