//! Link quality of every seat, labelled by meeting and site, and where it has one by direction: `up`
//! is from the site to the bridge.

use super::SiteRow;
use super::family::{Family, Kind};
use crate::media::PeerStats;
use protocol::ClientReport;
use sfu::net::PathKind;
use sfu::stats::DirectionStats;

/// A number of one direction: how it is called and where it is found.
struct ByDirection(Kind, &'static str, &'static str, fn(&DirectionStats) -> f64);

const BY_DIRECTION: [ByDirection; 10] = [
    ByDirection(
        Kind::Gauge,
        "nhipcau_site_packet_loss_ratio",
        "Part of the packets lost over the last report interval, 0 to 1.",
        |d| d.loss_fraction,
    ),
    ByDirection(
        Kind::Gauge,
        "nhipcau_site_jitter_seconds",
        "Interarrival jitter of the worst stream (RFC 3550).",
        |d| d.jitter.as_secs_f64(),
    ),
    ByDirection(
        Kind::Gauge,
        "nhipcau_site_throughput_bytes_per_second",
        "Bytes carried over the last second, without UDP and IP headers.",
        |d| d.bitrate_bps as f64 / 8.0,
    ),
    ByDirection(
        Kind::Counter,
        "nhipcau_site_packets_total",
        "Packets carried since the site's media connection was made.",
        |d| d.packets as f64,
    ),
    ByDirection(
        Kind::Counter,
        "nhipcau_site_bytes_total",
        "Bytes carried since the site's media connection was made.",
        |d| d.bytes as f64,
    ),
    ByDirection(
        Kind::Counter,
        "nhipcau_site_packets_lost_total",
        "Packets lost since the site's media connection was made.",
        |d| d.packets_lost as f64,
    ),
    ByDirection(
        Kind::Counter,
        "nhipcau_site_frames_total",
        "Pictures carried since the site's media connection was made.",
        |d| d.frames as f64,
    ),
    ByDirection(Kind::Counter, "nhipcau_site_nacked_packets_total", "Packets asked for again.", |d| {
        d.nacks as f64
    }),
    ByDirection(
        Kind::Counter,
        "nhipcau_site_keyframe_requests_total",
        "Key frames asked for (PLI and FIR).",
        |d| d.plis as f64,
    ),
    ByDirection(Kind::Counter, "nhipcau_site_rtx_packets_total", "Packets sent again (RTX).", |d| {
        d.rtx_packets as f64
    }),
];

/// A number the site's page reports.
struct ByPage(&'static str, &'static str, fn(&ClientReport) -> f64);

const BY_PAGE: [ByPage; 4] = [
    ByPage("nhipcau_site_frames_decoded_total", "Pictures the site's page has decoded.", |r| {
        f64::from(r.frames_decoded)
    }),
    ByPage(
        "nhipcau_site_frames_dropped_total",
        "Pictures the site's page has dropped undecoded or unshown.",
        |r| f64::from(r.frames_dropped),
    ),
    ByPage("nhipcau_site_freezes_total", "Times a picture stood still at the site.", |r| {
        f64::from(r.freezes)
    }),
    ByPage("nhipcau_site_freeze_seconds_total", "How long pictures stood still at the site.", |r| {
        r.freeze_seconds.max(0.0)
    }),
];

/// All families of the seats.
pub(super) fn families(rows: &[SiteRow]) -> Vec<Family> {
    let mut families = seats(rows);
    families.extend(BY_DIRECTION.iter().map(|what| by_direction(what, rows)));
    families.extend(BY_PAGE.iter().map(|what| by_page(what, rows)));
    families.push(rtt(rows));
    families.push(bandwidth(rows));
    families.push(transport(rows));
    families
}

fn seats(rows: &[SiteRow]) -> Vec<Family> {
    let mut connected = Family::new(
        Kind::Gauge,
        "nhipcau_site_connected",
        "1 while the site is in the meeting with media, 0 while its seat waits.",
    );
    let mut reconnections = Family::new(
        Kind::Counter,
        "nhipcau_site_reconnections_total",
        "How often the site came back after a loss.",
    );
    for row in rows {
        connected.add(&named(row), f64::from(u8::from(row.seat.connected)));
        reconnections.add(&named(row), f64::from(row.seat.reconnections));
    }
    vec![connected, reconnections]
}

fn by_direction(what: &ByDirection, rows: &[SiteRow]) -> Family {
    let ByDirection(kind, name, help, value) = what;
    let mut family = Family::new(*kind, name, help);
    for row in rows {
        let Some(stats) = numbers_of(*kind, row) else { continue };
        for (direction, numbers) in [("up", &stats.up), ("down", &stats.down)] {
            family.add(&directed(row, direction), value(numbers));
        }
    }
    family
}

/// The numbers of a site. Momentary values are not shown for a site that is lost: its last jitter would be in every
/// chart for as long as the seat waits. Totals stay.
fn numbers_of(kind: Kind, row: &SiteRow) -> Option<&PeerStats> {
    row.sample.stats.as_ref().filter(|_| row.seat.connected || kind == Kind::Counter)
}

fn rtt(rows: &[SiteRow]) -> Family {
    let mut family = Family::new(
        Kind::Gauge,
        "nhipcau_site_rtt_seconds",
        "Round trip between the bridge and the site (RFC 3550), smoothed.",
    );
    for row in rows {
        if let Some(rtt) = numbers_of(Kind::Gauge, row).and_then(|s| s.rtt) {
            family.add(&named(row), rtt.as_secs_f64());
        }
    }
    family
}

fn by_page(what: &ByPage, rows: &[SiteRow]) -> Family {
    let ByPage(name, help, value) = what;
    let mut family = Family::new(Kind::Counter, name, help);
    for row in rows {
        if let Some(report) = &row.sample.report {
            family.add(&named(row), value(report));
        }
    }
    family
}

/// Down is the bridge's estimate, up is the page's.
fn bandwidth(rows: &[SiteRow]) -> Family {
    let mut family = Family::new(
        Kind::Gauge,
        "nhipcau_site_estimated_bandwidth_bytes_per_second",
        "What the line is estimated to carry; up is the estimate of the site's browser.",
    );
    for row in rows {
        let up = row.sample.report.filter(|_| row.seat.connected).and_then(|r| r.available_outgoing_bps);
        let down = numbers_of(Kind::Gauge, row).and_then(|s| s.estimated_bandwidth_bps);
        for (direction, value) in [("up", up), ("down", down.map(|bps| bps as f64))] {
            if let Some(value) = value.filter(|v| v.is_finite() && *v >= 0.0) {
                family.add(&directed(row, direction), value / 8.0);
            }
        }
    }
    family
}

fn transport(rows: &[SiteRow]) -> Family {
    let mut family =
        Family::new(Kind::Gauge, "nhipcau_site_transport_info", "Always 1; how the site's media travels.");
    for row in rows {
        let path = numbers_of(Kind::Gauge, row).and_then(|s| s.path);
        if let Some(path) = path {
            let transport = match path {
                PathKind::Udp => "udp",
                PathKind::Tcp => "tcp",
            };
            let [meeting, site] = named(row);
            family.add(&[meeting, site, ("transport", transport)], 1.0);
        }
    }
    family
}

fn named(row: &SiteRow) -> [(&str, &str); 2] {
    [("meeting", &row.meeting), ("site", &row.seat.name)]
}

fn directed<'a>(row: &'a SiteRow, direction: &'a str) -> [(&'a str, &'a str); 3] {
    let [meeting, site] = named(row);
    [meeting, site, ("direction", direction)]
}
