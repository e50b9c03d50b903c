//! Link lights: Tốt, Trung bình, Kém, Mất kết nối.

use crate::ids::Link;
use crate::media::PeerStats;
use crate::meeting::Flow;
use protocol::measure::Measure;
use protocol::{LinkGrade, SiteId, SiteLink};
use sfu::stats::DirectionStats;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A light changes only after this long: a shorter change is ignored.
const SUSTAINED: Duration = Duration::from_secs(5);

/// Remembers every site's light.
#[derive(Debug, Default)]
pub struct Grader {
    lights: BTreeMap<Link, Light>,
}

#[derive(Debug)]
struct Light {
    shown: LinkGrade,
    /// Another grade measured, and since when.
    other: Option<(LinkGrade, Instant)>,
}

impl Grader {
    /// The link of a site whose newest numbers are `stats`; `None`: not connected. A site whose sources are on and have
    /// stopped coming has a poor line, whatever the numbers of the last packets.
    pub fn link(&mut self, now: Instant, link: Link, stats: Option<&PeerStats>, flow: Flow) -> SiteLink {
        let site = link.1;
        let Some(stats) = stats else {
            self.lights.remove(&link);
            return disconnected(site);
        };
        let (up, down) = (Numbers::of(&stats.up), Numbers::of(&stats.down));
        let rtt_ms = stats.rtt.map(|rtt| rtt.as_secs_f64() * 1_000.0);
        let measured = match flow {
            Flow::Steady => measure(&up, &down, rtt_ms),
            Flow::Stopped => LinkGrade::Poor,
        };
        let light = self.lights.entry(link).or_insert(Light { shown: measured, other: None });
        SiteLink {
            site,
            grade: light.see(now, measured),
            loss_percent: tenths(up.loss_percent.max(down.loss_percent)),
            rtt_ms: rtt_ms.map(|rtt| rtt.round() as u32),
        }
    }
}

impl Light {
    fn see(&mut self, now: Instant, measured: LinkGrade) -> LinkGrade {
        self.other = match self.other {
            _ if measured == self.shown => None,
            // Good to bad may pass through fair; any other grade counts from when it was left.
            Some((_, since)) => Some((measured, since)),
            None => Some((measured, now)),
        };
        if let Some((grade, since)) = self.other
            && now.saturating_duration_since(since) >= SUSTAINED
        {
            self.shown = grade;
            self.other = None;
        }
        self.shown
    }
}

fn disconnected(site: SiteId) -> SiteLink {
    SiteLink { site, grade: LinkGrade::Disconnected, loss_percent: 0.0, rtt_ms: None }
}

/// One direction of a line, in the units of the bounds.
struct Numbers {
    loss_percent: f64,
    jitter_ms: f64,
}

impl Numbers {
    fn of(stats: &DirectionStats) -> Numbers {
        Numbers { loss_percent: stats.loss_fraction * 100.0, jitter_ms: stats.jitter.as_secs_f64() * 1_000.0 }
    }
}

/// As people read them.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The grade of the worse direction.
fn measure(up: &Numbers, down: &Numbers, rtt_ms: Option<f64>) -> LinkGrade {
    let of =
        |n: &Numbers| Measure::LossPercent.grade(n.loss_percent).max(Measure::JitterMs.grade(n.jitter_ms));
    let round_trip = rtt_ms.map_or(LinkGrade::Good, |rtt| Measure::RoundTripMs.grade(rtt));
    of(up).max(of(down)).max(round_trip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::MeetingId;
    use sfu::net::PathKind;

    fn numbers(loss_percent: f64, jitter_ms: f64) -> Numbers {
        Numbers { loss_percent, jitter_ms }
    }

    #[test]
    fn the_worst_number_decides() {
        let good = || numbers(1.0, 30.0);
        let table = [
            (numbers(0.0, 0.0), None, LinkGrade::Good),
            (good(), Some(150.0), LinkGrade::Good),
            (good(), Some(151.0), LinkGrade::Fair),
            (numbers(1.1, 0.0), Some(10.0), LinkGrade::Fair),
            (numbers(0.0, 51.0), Some(10.0), LinkGrade::Poor),
            (good(), Some(301.0), LinkGrade::Poor),
        ];
        for (down, rtt, expected) in table {
            assert_eq!(
                measure(&good(), &down, rtt),
                expected,
                "{} % {} ms {rtt:?}",
                down.loss_percent,
                down.jitter_ms
            );
        }
    }

    #[test]
    fn a_light_changes_only_when_it_lasts() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut light = Light { shown: LinkGrade::Good, other: None };
        assert_eq!(light.see(at(0), LinkGrade::Poor), LinkGrade::Good);
        assert_eq!(light.see(at(2), LinkGrade::Good), LinkGrade::Good);
        assert_eq!(light.see(at(4), LinkGrade::Poor), LinkGrade::Good);
        assert_eq!(light.see(at(8), LinkGrade::Poor), LinkGrade::Good);
        assert_eq!(light.see(at(9), LinkGrade::Poor), LinkGrade::Poor);
    }

    #[test]
    fn what_has_stopped_coming_is_a_poor_line_once_it_lasts() {
        let start = Instant::now();
        let link = (MeetingId(0), SiteId(1));
        let stats = PeerStats {
            peer: sfu::ids::PeerId(1),
            room: sfu::ids::RoomId(1),
            path: Some(PathKind::Udp),
            rtt: None,
            estimated_bandwidth_bps: None,
            up: DirectionStats::default(),
            down: DirectionStats::default(),
        };
        let mut grader = Grader::default();
        let mut at = |second, flow| {
            let now = start + Duration::from_secs(second);
            grader.link(now, link, Some(&stats), flow).grade
        };
        assert_eq!(at(0, Flow::Steady), LinkGrade::Good);
        assert_eq!(at(2, Flow::Stopped), LinkGrade::Good);
        assert_eq!(at(6, Flow::Stopped), LinkGrade::Good);
        assert_eq!(at(8, Flow::Stopped), LinkGrade::Poor);
        assert_eq!(at(10, Flow::Steady), LinkGrade::Poor);
        assert_eq!(at(16, Flow::Steady), LinkGrade::Good);
    }
}
