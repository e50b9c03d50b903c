//! What flowed, as numbers with units; `nhipcau join --report json` prints it.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::Serialize;
use webrtc::peer_connection::{RTCStatsReport, RTCStatsReportEntry};

use super::probe::{Reach, TransportKind};
use super::receive::{Count, Kind, average_bps};
use super::send::Outlet;
use protocol::SiteId;

/// One endpoint's view of its media.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// Signaling and media were both up at least once.
    pub connected: bool,
    /// From the start of the WebSocket connection to the first whole received video frame.
    pub time_to_first_frame_ms: Option<f64>,
    pub rtt_ms: Option<f64>,
    pub transport: Option<TransportKind>,
    /// Which of both reached the bridge when media was last set up, each tried by itself.
    pub reached: Reach,
    /// How often the endpoint came back after a loss.
    pub reconnections: u32,
    pub received: Vec<TrackStatistics>,
    pub sent: Vec<TrackStatistics>,
}

impl Statistics {
    /// Packets went out, and packets and whole frames came in.
    pub fn flowed_both_ways(&self) -> bool {
        self.connected && has_packets(&self.received) && has_packets(&self.sent)
    }
}

fn has_packets(tracks: &[TrackStatistics]) -> bool {
    tracks.iter().any(|track| track.packets > 0)
}

/// One track in one direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrackStatistics {
    /// `"audio"` or `"video"`.
    pub kind: &'static str,
    /// Name of the site it comes from; `null` while the bridge has not named it.
    pub site: Option<String>,
    /// A received track: this site's own picture, come back. What is sent is always one's own.
    pub own: bool,
    pub packets: u64,
    /// Video: frames. Audio: packets.
    pub frames: u64,
    /// Packets that never came. Of sent tracks as the bridge reports it by RTCP.
    pub lost: u64,
    /// RFC 3550 section 6.4.1. Of sent tracks as the bridge reports it; `null` before its report.
    pub jitter_ms: Option<f64>,
    /// Payload bits a second, averaged over the time it flowed.
    pub bitrate_bps: f64,
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Audio => "audio",
        Kind::Video => "video",
    }
}

/// A received track's line.
pub fn received(count: &Count, you: Option<SiteId>, names: &HashMap<SiteId, String>) -> TrackStatistics {
    TrackStatistics {
        kind: kind_name(count.kind),
        site: count.site.and_then(|site| names.get(&site).cloned()),
        own: count.site.is_some() && count.site == you,
        packets: count.packets,
        frames: count.frames,
        lost: count.lost(),
        jitter_ms: Some(count.jitter_s * 1000.0),
        bitrate_bps: count.bitrate_bps(),
    }
}

/// A sent track's line; loss and jitter come from the bridge's receiver reports.
pub fn sent(outlet: &Outlet, own_name: Option<&str>, report: &RTCStatsReport) -> TrackStatistics {
    let remote = report.iter().find_map(|entry| match entry {
        RTCStatsReportEntry::RemoteInboundRtp(remote)
            if remote.received_rtp_stream_stats.rtp_stream_stats.ssrc == outlet.ssrc =>
        {
            Some(&remote.received_rtp_stream_stats)
        }
        _ => None,
    });
    let bytes = outlet.sums.bytes.load(Ordering::Relaxed);
    let first = *outlet.sums.first_at.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let time = first.map_or(Duration::ZERO, |first| Instant::now().duration_since(first));
    TrackStatistics {
        kind: kind_name(outlet.kind),
        site: own_name.map(str::to_owned),
        own: true,
        packets: outlet.sums.packets.load(Ordering::Relaxed),
        frames: outlet.sums.frames.load(Ordering::Relaxed),
        lost: remote.map_or(0, |remote| u64::try_from(remote.packets_lost).unwrap_or(0)),
        jitter_ms: remote.map(|remote| remote.jitter * 1000.0),
        bitrate_bps: average_bps(bytes, time),
    }
}

/// Round trip of the pair in use, milliseconds.
pub fn rtt_ms(report: &RTCStatsReport) -> Option<f64> {
    let pair = report.candidate_pairs().filter(|pair| pair.nominated).max_by_key(|pair| pair.packets_sent)?;
    (pair.current_round_trip_time > 0.0).then_some(pair.current_round_trip_time * 1000.0)
}
