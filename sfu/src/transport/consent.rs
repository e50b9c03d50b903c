//! Whether the peer is there, and whether it still consents to receive from us (RFC 7675): something valid must come
//! now and then, and answers to our checks.

use crate::limits;
use crate::time::{after, earliest};
use std::time::{Duration, Instant};

/// What silence has led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// `limits::QUIET_AFTER` without anything valid.
    Quiet,
    /// `limits::CONSENT_EXPIRY` without an answer to a check of ours, on any path.
    Expired,
}

#[derive(Debug)]
pub(super) struct Consent {
    last_valid: Instant,
    last_answer: Instant,
    state: Option<Silence>,
}

impl Consent {
    pub fn new(now: Instant) -> Consent {
        Consent { last_valid: now, last_answer: now, state: None }
    }

    pub fn is_expired(&self) -> bool {
        self.state == Some(Silence::Expired)
    }

    /// The peer is there: media authenticated, or a check on a proved path. Returns whether it had been quiet.
    #[inline]
    pub fn refresh(&mut self, now: Instant) -> bool {
        self.last_valid = now;
        let was_quiet = self.state == Some(Silence::Quiet);
        self.state = self.state.filter(|_| !was_quiet);
        was_quiet
    }

    /// It answered a check of ours. Returns whether it had been quiet.
    pub fn renew(&mut self, now: Instant) -> bool {
        self.last_answer = now;
        let was_quiet = self.refresh(now);
        self.state = None;
        was_quiet
    }

    /// Signaling brought a sign of life: the clocks start again, the state stays.
    pub fn extend(&mut self, now: Instant) {
        (self.last_valid, self.last_answer) = (now, now);
    }

    /// `Quiet` is only of interest for a peer that is `connected`.
    pub fn poll_timeout(&self, connected: bool) -> Option<Instant> {
        let quiet = (connected && self.state.is_none()).then(|| after(self.last_valid, limits::QUIET_AFTER));
        let expired = (!self.is_expired()).then(|| after(self.last_answer, limits::CONSENT_EXPIRY));
        earliest(quiet, expired)
    }

    /// What silence has led to by `now`, once each. A late call returns only the last.
    pub fn handle_timeout(&mut self, now: Instant, connected: bool) -> Option<Silence> {
        let silent = |since: Instant, limit: Duration| now.saturating_duration_since(since) >= limit;
        if !self.is_expired() && silent(self.last_answer, limits::CONSENT_EXPIRY) {
            self.state = Some(Silence::Expired);
            return self.state;
        }
        if connected && self.state.is_none() && silent(self.last_valid, limits::QUIET_AFTER) {
            self.state = Some(Silence::Quiet);
            return self.state;
        }
        None
    }
}
