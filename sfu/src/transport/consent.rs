//! Whether the peer still wants to hear from us (RFC 7675): something valid must come now and then.

use crate::limits;
use std::time::{Duration, Instant};

/// What silence has led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// `limits::QUIET_AFTER`.
    Quiet,
    /// `limits::CONSENT_EXPIRY`.
    Expired,
}

#[derive(Debug)]
pub(super) struct Consent {
    last_valid: Instant,
    state: Option<Silence>,
}

impl Consent {
    pub fn new(now: Instant) -> Consent {
        Consent { last_valid: now, state: None }
    }

    pub fn is_expired(&self) -> bool {
        self.state == Some(Silence::Expired)
    }

    /// A check or media authenticated. Answers what ends by that.
    #[inline]
    pub fn refresh(&mut self, now: Instant) -> Option<Silence> {
        self.last_valid = now;
        self.state.take()
    }

    /// Signaling brought a sign of life: the clock starts again, the state stays.
    pub fn extend(&mut self, now: Instant) {
        self.last_valid = now;
    }

    /// The next thing silence will lead to, and when. `Quiet` is only of interest for a peer that is
    /// `connected`.
    fn next(&self, connected: bool) -> Option<(Silence, Duration)> {
        match self.state {
            None if connected => Some((Silence::Quiet, limits::QUIET_AFTER)),
            None | Some(Silence::Quiet) => Some((Silence::Expired, limits::CONSENT_EXPIRY)),
            Some(Silence::Expired) => None,
        }
    }

    pub fn poll_timeout(&self, connected: bool) -> Option<Instant> {
        let (_, after) = self.next(connected)?;
        self.last_valid.checked_add(after)
    }

    /// What silence has led to by `now`, once each. Whoever looks late hears only the last.
    pub fn handle_timeout(&mut self, now: Instant, connected: bool) -> Option<Silence> {
        let silent = now.saturating_duration_since(self.last_valid);
        let (next, after) = self.next(connected).filter(|(_, after)| silent >= *after)?;
        let expired = silent >= limits::CONSENT_EXPIRY && after < limits::CONSENT_EXPIRY;
        self.state = Some(if expired { Silence::Expired } else { next });
        self.state
    }
}
