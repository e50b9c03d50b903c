//! The lines of all sites: what was last measured of each, how good it is, and what is sent to sites of it. All
//! measurements are handed in here, once; the lights and Prometheus read them here. The time is passed in.

mod grade;
mod known;
mod lights;

use crate::ids::{Link, MeetingId};
use crate::media::PeerStats;
use crate::meeting::SeatRow;
use crate::outgoing::Outgoing;
use grade::Grader;
pub use known::KnownLines;
use lights::Lights;
use protocol::{ClientReport, SiteId};
use std::collections::BTreeMap;
use std::time::Instant;

/// What was last measured of one site's line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// By the bridge; none without a media connection.
    pub stats: Option<PeerStats>,
    /// By the site's page.
    pub report: Option<ClientReport>,
}

/// The lines of all sites.
pub struct Links {
    samples: BTreeMap<Link, Sample>,
    known: KnownLines,
    grader: Grader,
    lights: Lights,
}

impl Links {
    pub fn new(now: Instant, known: KnownLines) -> Links {
        Links { samples: BTreeMap::new(), known, grader: Grader::default(), lights: Lights::new(now) }
    }

    /// The bridge has measured a line; `None`: its media connection has ended.
    pub fn measured(&mut self, link: Link, stats: Option<PeerStats>) {
        if stats.is_some() {
            self.samples.entry(link).or_default().stats = stats;
        } else if let Some(sample) = self.samples.get_mut(&link) {
            sample.stats = None;
        }
    }

    /// The same, for the site's next meeting.
    pub fn learn(&mut self, site: &str, stats: &PeerStats, unix_ms: u64) {
        self.known.learn(site, stats, unix_ms);
    }

    /// What is known of the lines of earlier meetings.
    pub fn known(&mut self) -> &mut KnownLines {
        &mut self.known
    }

    /// The page has.
    pub fn reported(&mut self, link: Link, report: ClientReport) {
        self.samples.entry(link).or_default().report = Some(report);
    }

    /// The site has given its seat up, or another device has it.
    pub fn forget(&mut self, link: Link) {
        self.samples.remove(&link);
    }

    /// The meeting is over.
    pub fn forget_meeting(&mut self, meeting: MeetingId) {
        self.samples.retain(|(of, _), _| *of != meeting);
        self.lights.forget(meeting);
    }

    pub fn newest(&self, link: Link) -> Sample {
        self.samples.get(&link).cloned().unwrap_or_default()
    }

    /// When to call [`Links::begins_round`] and [`Links::due`] at the latest.
    pub fn wake_at(&self) -> Instant {
        self.lights.wake_at()
    }

    /// Whether it is time to [`Links::look`] at each meeting, and then to [`Links::spread`].
    pub fn begins_round(&mut self, now: Instant) -> bool {
        self.lights.begins_round(now)
    }

    /// Grades the lines of a meeting's seats.
    pub fn look(&mut self, now: Instant, meeting: MeetingId, seats: &[SeatRow]) {
        let links = seats.iter().map(|seat| {
            let link = (meeting, seat.site);
            let stats = self.samples.get(&link).and_then(|sample| sample.stats.as_ref());
            self.grader.link(now, link, stats.filter(|_| seat.connected), seat.flow)
        });
        let links = links.collect();
        self.lights.measured(now, meeting, links, seats.iter().map(|seat| seat.site));
    }

    /// Divides what a round has brought over the time until the next.
    pub fn spread(&mut self, now: Instant) {
        self.lights.spread(now);
    }

    /// What is due to be sent now.
    pub fn due(&mut self, now: Instant) -> Vec<(MeetingId, SiteId, Outgoing)> {
        self.lights.due(now)
    }

    /// Everything that the sites of a meeting know by now, for one that has just come.
    pub fn whole(&mut self, meeting: MeetingId) -> Outgoing {
        self.lights.whole(meeting)
    }
}
