//! What each site's line carried when it was last here, so that its next meeting does not begin with a guess. Lines are
//! known by the name of the site: a commune has the same line in every meeting.

use crate::media::PeerStats;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A line that carries less for a moment is not forgotten: what is known of it halves in this.
const HALVES_IN_MS: f64 = 60_000.0;
/// Time that passes between meetings tells nothing.
const MOST_PASSED_MS: u64 = 5_000;
/// What is older is of another line by now.
const KEPT_FOR_MS: u64 = 180 * 24 * 3600 * 1000;
/// More than a province has communes, fivefold.
const MOST_LINES: usize = 5_000;

/// What was measured of a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct KnownLine {
    /// Towards the site, as estimated.
    down_bps: u64,
    /// From the site, as it came.
    up_bps: u64,
    rtt_ms: u64,
    /// Of packets towards the site, 0–1.
    loss: f64,
    seen_unix_ms: u64,
}

/// All lines that are known.
#[derive(Debug, Default)]
pub struct KnownLines {
    by_site: BTreeMap<String, KnownLine>,
    changed: bool,
}

impl KnownLines {
    /// From the text of the file.
    pub fn read(text: &str) -> Result<KnownLines, serde_json::Error> {
        let mut by_site: BTreeMap<String, KnownLine> = serde_json::from_str(text)?;
        while by_site.len() > MOST_LINES {
            by_site.pop_last();
        }
        Ok(KnownLines { by_site, changed: false })
    }

    /// What the line towards a site carried.
    pub fn down_bps(&self, site: &str) -> Option<u64> {
        self.by_site.get(site).map(|line| line.down_bps)
    }

    pub(super) fn learn(&mut self, site: &str, stats: &PeerStats, unix_ms: u64) {
        let Some(now_bps) = stats.estimated_bandwidth_bps else {
            return;
        };
        let known = self.by_site.get(site);
        if known.is_none() && self.by_site.len() >= MOST_LINES {
            return;
        }
        let down_bps = known.map_or(now_bps, |line| {
            let passed = unix_ms.saturating_sub(line.seen_unix_ms).min(MOST_PASSED_MS) as f64;
            now_bps.max((line.down_bps as f64 * 0.5f64.powf(passed / HALVES_IN_MS)) as u64)
        });
        let line = KnownLine {
            down_bps,
            up_bps: stats.up.bitrate_bps,
            rtt_ms: stats.rtt.map_or(0, |rtt| rtt.as_millis() as u64),
            loss: stats.down.loss_fraction,
            seen_unix_ms: unix_ms,
        };
        self.changed |= known != Some(&line);
        self.by_site.insert(site.to_owned(), line);
    }

    /// The text of the file, if it is to be written anew.
    pub fn to_keep(&mut self, unix_ms: u64) -> Option<String> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        self.by_site.retain(|_, line| unix_ms.saturating_sub(line.seen_unix_ms) < KEPT_FOR_MS);
        serde_json::to_string_pretty(&self.by_site).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sfu::ids::{PeerId, RoomId};
    use sfu::stats::DirectionStats;

    fn measured(bps: Option<u64>) -> PeerStats {
        PeerStats {
            peer: PeerId(1),
            room: RoomId(1),
            path: None,
            rtt: None,
            estimated_bandwidth_bps: bps,
            up: DirectionStats::default(),
            down: DirectionStats::default(),
        }
    }

    #[test]
    fn a_line_is_known_by_its_site_and_comes_back_from_its_text() {
        let mut lines = KnownLines::default();
        assert_eq!(lines.to_keep(0), None, "nothing is known");
        lines.learn("Tân Phú", &measured(Some(400_000)), 1_000);
        lines.learn("An Phước", &measured(None), 1_000);
        let text = lines.to_keep(2_000).expect("it has changed");
        assert_eq!(lines.to_keep(3_000), None, "and not again");
        let again = KnownLines::read(&text).expect("our own text");
        assert_eq!((again.down_bps("Tân Phú"), again.down_bps("An Phước")), (Some(400_000), None));
        assert!(KnownLines::read("{\"Tân Phú\": 3}").is_err(), "whatever is no line");
    }

    #[test]
    fn a_bad_minute_halves_what_is_known_and_a_night_does_not() {
        let mut lines = KnownLines::default();
        lines.learn("A", &measured(Some(4_000_000)), 0);
        lines.learn("A", &measured(Some(30_000)), 36_000_000);
        assert!(lines.down_bps("A") > Some(3_700_000), "{:?}", lines.down_bps("A"));
        for second in 0..60 {
            lines.learn("A", &measured(Some(30_000)), 36_000_000 + second * 1000);
        }
        let known = lines.down_bps("A").expect("known");
        assert!((1_700_000..2_100_000).contains(&known), "{known}");
        lines.learn("A", &measured(Some(5_000_000)), 36_060_000);
        assert_eq!(lines.down_bps("A"), Some(5_000_000), "more is believed at once");
    }

    #[test]
    fn no_more_lines_are_kept_than_there_are_places_nor_longer_than_half_a_year() {
        let mut lines = KnownLines::default();
        for site in 0..=MOST_LINES {
            lines.learn(&site.to_string(), &measured(Some(1)), site as u64);
        }
        assert_eq!(lines.by_site.len(), MOST_LINES);
        assert!(lines.to_keep(KEPT_FOR_MS + 2).is_some());
        assert_eq!(lines.by_site.len(), MOST_LINES - 3);
    }
}
