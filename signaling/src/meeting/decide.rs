//! Decisions: what an input changes for good, or why it is refused. Everything here looks at the meeting and changes
//! nothing; what is decided are facts, and `apply.rs` applies them.

use super::claim::{Claim, Entry};
use super::fact::{Fact, Record};
use super::seat::Site;
use super::{Input, Meeting, Now, Request, rules};
use crate::error::Refusal;
use protocol::Secret;
use protocol::{Action, ErrorCode, SiteId};
use std::time::Duration;

/// The chair who opens an ended meeting within this time goes on with it: after a slip of the hand, a break, or the
/// midday rest between two sessions, and a site that was removed in the morning stays outside in the afternoon.
/// Meetings that repeat under the same links are a night apart at least. What was kept the chair sees on its page and
/// ends with one press; what was forgotten is not visible. By the wall clock, which goes on over a restart.
pub(super) const GOES_ON_WITHIN: Duration = Duration::from_hours(4);

impl Meeting {
    /// The facts that an input brings about, none for most.
    pub(super) fn decide(&self, now: Now, input: &Input) -> Result<Vec<Record>, Refusal> {
        let (by, facts) = match input {
            Input::Hello { site, seat, takeover, fresh_seat, .. } => {
                let entry = if *takeover { Entry::Takeover } else { Entry::Ordinary };
                (*site, self.entry(now, *site, seat.as_ref(), entry, fresh_seat)?)
            }
            Input::Request { connection, request } => {
                let by = self.site_of(*connection).ok_or(ErrorCode::OutOfOrder)?;
                (by, self.requested(by, request)?)
            }
            Input::Disconnected { .. } | Input::Path { .. } | Input::Publishing { .. } | Input::Wake => {
                return Ok(Vec::new());
            }
        };
        Ok(facts.into_iter().map(|fact| Record { at_ms: now.unix_ms, by, fact }).collect())
    }

    fn requested(&self, by: SiteId, request: &Request) -> Result<Vec<Fact>, Refusal> {
        match request {
            Request::Act(action) => Ok(vec![self.act(by, action)?]),
            Request::Leave => Ok(vec![Fact::Left { site: by }]),
            Request::Wishes(_) | Request::Hearing { .. } | Request::Media { .. } => Ok(Vec::new()),
        }
    }

    /// Whether a site gets in, and what has happened then.
    fn entry(
        &self,
        now: Now,
        site: SiteId,
        secret: Option<&Secret>,
        entry: Entry,
        fresh_seat: &Secret,
    ) -> Result<Vec<Fact>, Refusal> {
        let place = self.invited(site)?;
        self.check_entry(place)?;
        let claim = place.claim(now, self.lasting.of(site), secret, entry)?;
        let seat = fresh_seat.clone();
        let seated = match claim {
            Claim::Holder => None,
            Claim::Free => Some(Fact::Seated { site, seat }),
            Claim::Takeover => Some(Fact::TakenOver { site, seat }),
        };
        Ok(self.beginning(now).into_iter().chain(seated).collect())
    }

    /// Whether the site may come in at all just now.
    fn check_entry(&self, place: &Site) -> Result<(), ErrorCode> {
        let standing = self.lasting.of(place.id);
        match () {
            // The chair's link opens an ended meeting again: the same links serve every week.
            () if place.is_chair() => Ok(()),
            () if self.lasting.ended_at_ms.is_some() => Err(ErrorCode::MeetingEnded),
            () if standing.removed => Err(ErrorCode::SiteRemoved),
            () if self.lasting.locked && !standing.was_inside => Err(ErrorCode::MeetingLocked),
            () if standing.seat.is_none() && self.lasting.held() >= self.max_seats => {
                Err(ErrorCode::MeetingFull)
            }
            () => Ok(()),
        }
    }

    /// A site is let in, and the meeting may not have begun, or had ended. Then it goes on with what the chair had
    /// decided; or it is the next one under the same title, and nothing of the last one is left.
    fn beginning(&self, now: Now) -> Option<Fact> {
        match (self.lasting.started_at_ms, self.lasting.ended_at_ms) {
            (_, Some(ended)) => {
                let pause = Duration::from_millis(now.unix_ms.saturating_sub(ended));
                Some(if pause < GOES_ON_WITHIN { Fact::GoesOn {} } else { Fact::Begun {} })
            }
            (None, None) => Some(Fact::Begun {}),
            (Some(_), None) => None,
        }
    }

    fn act(&self, by: SiteId, action: &Action) -> Result<Fact, Refusal> {
        if !self.may_act(by, action) {
            return Err(ErrorCode::Forbidden.into());
        }
        Ok(match *action {
            Action::Mute { site } => Fact::Muted { sites: vec![self.subordinate(site)?] },
            Action::AllowUnmute { site } => Fact::Unmuted { sites: vec![self.invited(site)?.id] },
            Action::MuteAll {} => Fact::Muted { sites: self.ids(|site| !site.is_chair()) },
            Action::AllowUnmuteAll {} => Fact::Unmuted { sites: self.ids(|_| true) },
            Action::BigScreen { site } => {
                if let Some(site) = site {
                    self.invited(site)?;
                }
                Fact::BigScreen { site }
            }
            Action::Remove { site } => Fact::Removed { site: self.subordinate(site)? },
            Action::Readmit { site } => Fact::Readmitted { site: self.invited(site)?.id },
            Action::Lock { locked } => Fact::Locked { locked },
            Action::End {} => Fact::Ended {},
        })
    }

    /// Whether the role of a site allows an act.
    pub fn may_act(&self, site: SiteId, action: &Action) -> bool {
        self.invited(site).is_ok_and(|site| rules::may(site.role, rules::kind_of(action)))
    }

    /// A site the chair may act on: any but the chair's own.
    fn subordinate(&self, site: SiteId) -> Result<SiteId, ErrorCode> {
        match self.invited(site)?.is_chair() {
            true => Err(ErrorCode::Forbidden),
            false => Ok(site),
        }
    }

    fn ids(&self, which: impl Fn(&&Site) -> bool) -> Vec<SiteId> {
        self.sites.iter().filter(which).map(|site| site.id).collect()
    }

    fn invited(&self, site: SiteId) -> Result<&Site, ErrorCode> {
        self.site(site).ok_or(ErrorCode::UnknownSite)
    }
}
