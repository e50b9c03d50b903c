//! The chair's acts.

use super::{Meeting, Now, Output, rules};
use crate::error::Refusal;
use crate::protocol::{Action, ErrorCode, GoodbyeReason, SiteId};
use std::time::{Duration, Instant};

/// The chair who opens an ended meeting within this time goes on with it: after a slip of the hand, a break,
/// or the midday rest between two sessions, and whoever was asked to leave in the morning stays outside
/// in the afternoon. Meetings that repeat under the same links are a night apart at least. What was
/// kept the chair sees on its page and ends with one press; what was forgotten nobody sees.
pub(super) const GOES_ON_WITHIN: Duration = Duration::from_hours(4);

impl Meeting {
    pub(super) fn act(&mut self, now: Now, by: SiteId, action: Action) -> Result<(), Refusal> {
        let role = self.site_mut(by)?.role;
        if !rules::may(role, rules::kind_of(&action)) {
            return Err(ErrorCode::Forbidden.into());
        }
        match action {
            Action::Mute { site } => self.subordinate(site)?.mute(),
            Action::AllowUnmute { site } => self.site_mut(site)?.muted = false,
            Action::MuteAll {} => {
                let others = self.sites.iter_mut().filter(|s| !s.is_chair());
                others.for_each(|site| site.mute());
            }
            Action::AllowUnmuteAll {} => self.sites.iter_mut().for_each(|site| site.muted = false),
            Action::BigScreen { site } => {
                if let Some(site) = site {
                    self.site_mut(site)?;
                }
                self.big_screen = site;
            }
            Action::Remove { site } => self.remove(now, site)?,
            Action::Readmit { site } => {
                let place = self.site_mut(site)?;
                place.removed = false;
                place.update_presence(now.unix_ms);
            }
            Action::Lock { locked } => self.locked = locked,
            Action::End {} => self.end(now),
        }
        self.changed();
        Ok(())
    }

    /// A site the chair may act on: any but the chair's own.
    fn subordinate(&mut self, site: SiteId) -> Result<&mut super::Site, Refusal> {
        let place = self.site_mut(site)?;
        if place.is_chair() {
            return Err(ErrorCode::Forbidden.into());
        }
        Ok(place)
    }

    fn remove(&mut self, now: Now, site: SiteId) -> Result<(), Refusal> {
        self.subordinate(site)?.removed = true;
        if let Some(connection) = self.empty_seat(now, site)? {
            self.dismiss(connection, GoodbyeReason::Removed);
        }
        Ok(())
    }

    fn end(&mut self, now: Now) {
        self.ended = Some(now.instant);
        self.big_screen = None;
        let mut present = Vec::new();
        for site in &mut self.sites {
            present.extend(site.connection);
            site.vacate(now.unix_ms);
        }
        for connection in present {
            self.dismiss(connection, GoodbyeReason::Ended);
        }
        self.outputs.push_back(Output::CloseMedia);
    }

    /// The chair is back in a meeting that had `ended`. It goes on with what the chair had decided; or it is the
    /// next one under the same title, and nothing of the last one is left.
    pub(super) fn reopen(&mut self, now: Now, ended: Instant) {
        self.ended = None;
        if now.instant.saturating_duration_since(ended) < GOES_ON_WITHIN {
            return;
        }
        self.locked = false;
        self.started_at_ms = Some(now.unix_ms);
        for site in &mut self.sites {
            site.removed = false;
            site.muted = false;
            site.was_inside = false;
            site.reconnections = 0;
            site.takeovers = 0;
            site.taken_over_ms = None;
            site.update_presence(now.unix_ms);
        }
    }
}

impl super::Site {
    /// Closes the microphone; after `AllowUnmute` the site itself must open it.
    fn mute(&mut self) {
        self.muted = true;
        self.said.microphone = false;
    }
}
