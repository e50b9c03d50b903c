//! Link lights on their way to the sites: a whole table for a site that comes, then what has changed, the same text for
//! all of a meeting, and spread over the time until the next round. So a meeting of a hundred costs a hundred short
//! messages every two seconds and not ten thousand links in one moment, in which media would wait for the core.

use crate::ids::MeetingId;
use crate::outgoing::Outgoing;
use protocol::{ServerMessage, SiteId, SiteLink};
use sfu::time::after;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How often links are looked at. A light changes only after five seconds anyway.
pub const ROUND: Duration = Duration::from_secs(2);
/// What is due within so much is sent together: at 1,000 sites these are ten messages, a tenth of a millisecond.
const STEP: Duration = Duration::from_millis(20);
/// A round's messages are out before the next begins, also when the hall is late.
const SPREAD: Duration = Duration::from_millis(1800);
/// Links sent in one round: with 24 of 62 bytes a site gets 6 kbit/s at most, of a line that may have 100. In a meeting
/// of a hundred where every link changes all the time each is sent every ten seconds; lights go first.
const MOST_CHANGES: usize = 24;
/// Numbers nearer than this to those last sent look the same at a glance.
const SAME_LOSS_PERCENT: f64 = 0.5;
const SAME_RTT_MS: f64 = 10.0;
/// The same for large numbers.
const SAME_SHARE: f64 = 0.2;
/// Differences too small for that are sent when the numbers are this old.
const REFRESH: Duration = Duration::from_secs(30);

/// What one meeting's sites know.
#[derive(Default)]
struct Told {
    links: BTreeMap<SiteId, (SiteLink, Instant)>,
    /// All links as one message, until the next change.
    whole: Option<Outgoing>,
}

/// All meetings' lights.
pub struct Lights {
    told: BTreeMap<MeetingId, Told>,
    /// Sites that have not got this round's changes yet.
    waiting: VecDeque<(MeetingId, SiteId, Outgoing)>,
    per_step: usize,
    next_round: Instant,
    next_step: Instant,
}

impl Lights {
    pub fn new(now: Instant) -> Lights {
        Lights {
            told: BTreeMap::new(),
            waiting: VecDeque::new(),
            per_step: 0,
            next_round: after(now, ROUND),
            next_step: now,
        }
    }

    /// When to call next at the latest.
    pub fn wake_at(&self) -> Instant {
        match self.waiting.is_empty() {
            true => self.next_round,
            false => self.next_round.min(self.next_step),
        }
    }

    /// Whether it is time for [`Lights::measured`], meeting by meeting, and then [`Lights::spread`].
    pub fn begins_round(&mut self, now: Instant) -> bool {
        let begins = now >= self.next_round;
        if begins {
            self.next_round = after(now, ROUND);
        }
        begins
    }

    /// The links of all seats of a meeting as they are now; `receivers` get what has changed.
    pub fn measured(
        &mut self,
        now: Instant,
        meeting: MeetingId,
        links: Vec<SiteLink>,
        receivers: impl Iterator<Item = SiteId>,
    ) {
        let told = self.told.entry(meeting).or_default();
        let changes = told.take(now, links);
        if changes.is_empty() {
            return;
        }
        let message = Outgoing::of(&ServerMessage::LinkChanges { links: changes });
        self.waiting.extend(receivers.map(|site| (meeting, site, message.clone())));
    }

    /// Divides what the round has brought over the time until the next.
    pub fn spread(&mut self, now: Instant) {
        let steps = SPREAD.div_duration_f64(STEP) as usize;
        self.per_step = self.waiting.len().div_ceil(steps);
        self.next_step = now;
    }

    /// What is due now.
    pub fn due(&mut self, now: Instant) -> Vec<(MeetingId, SiteId, Outgoing)> {
        if now < self.next_step {
            return Vec::new();
        }
        self.next_step = after(now, STEP);
        let count = self.per_step.min(self.waiting.len());
        self.waiting.drain(..count).collect()
    }

    /// Everything that sites know by now, for one that has just come.
    pub fn whole(&mut self, meeting: MeetingId) -> Outgoing {
        let told = self.told.entry(meeting).or_default();
        let links = &told.links;
        let make = || {
            let links = links.values().map(|(link, _)| link.clone()).collect();
            Outgoing::of(&ServerMessage::Links { links })
        };
        told.whole.get_or_insert_with(make).clone()
    }

    /// The meeting is over.
    pub fn forget(&mut self, meeting: MeetingId) {
        self.told.remove(&meeting);
        self.waiting.retain(|(of, _, _)| *of != meeting);
    }
}

impl Told {
    /// Takes what is worth sending of the newest links.
    fn take(&mut self, now: Instant, links: Vec<SiteLink>) -> Vec<SiteLink> {
        let seated = |site: &SiteId| links.iter().any(|link| link.site == *site);
        let before = self.links.len();
        self.links.retain(|site, _| seated(site));
        let mut changes: Vec<_> = links.into_iter().filter_map(|link| self.weigh(now, link)).collect();
        changes.sort_by_key(|(urgency, link)| (Reverse(*urgency), link.site));
        changes.truncate(MOST_CHANGES);
        if !changes.is_empty() || self.links.len() != before {
            self.whole = None;
        }
        for (_, link) in &changes {
            self.links.insert(link.site, (link.clone(), now));
        }
        changes.into_iter().map(|(_, link)| link).collect()
    }

    /// How urgent it is to send a link: another light first, then what was sent longest ago.
    fn weigh(&self, now: Instant, link: SiteLink) -> Option<(Urgency, SiteLink)> {
        let Some((known, at)) = self.links.get(&link.site) else {
            return Some((Urgency::Light, link));
        };
        let age = now.saturating_duration_since(*at);
        let urgency = match () {
            () if known.grade != link.grade => Urgency::Light,
            () if differs(known, &link) || (*known != link && age >= REFRESH) => Urgency::Numbers(age),
            () => return None,
        };
        Some((urgency, link))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    Numbers(Duration),
    Light,
}

/// Whether the difference is noticeable.
fn differs(known: &SiteLink, link: &SiteLink) -> bool {
    let far = |a: f64, b: f64, same: f64| (a - b).abs() >= same.max(SAME_SHARE * a.max(b));
    let rtt = match (known.rtt_ms, link.rtt_ms) {
        (Some(a), Some(b)) => far(f64::from(a), f64::from(b), SAME_RTT_MS),
        (a, b) => a != b,
    };
    rtt || far(known.loss_percent, link.loss_percent, SAME_LOSS_PERCENT)
}

#[cfg(test)]
#[path = "lights_tests.rs"]
mod tests;
