//! What lasts of a meeting: the fold of its facts. [`Lasting::apply`] is the only code that changes it; all other code
//! only reads, which the compiler enforces.

use super::fact::{Fact, Record};
use protocol::Secret;
use protocol::SiteId;
use std::collections::BTreeMap;
use std::ops::Deref;

/// The lasting state.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct State {
    pub started_at_ms: Option<u64>,
    /// When the chair ended it.
    pub ended_at_ms: Option<u64>,
    pub locked: bool,
    pub big_screen: Option<SiteId>,
    /// Sites that differ from a newcomer.
    sites: BTreeMap<SiteId, Standing>,
}

/// What lasts of one site.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Standing {
    /// The secret of the device that holds the seat; `None`: the seat is free.
    pub seat: Option<Secret>,
    /// Its microphone is closed by the chair.
    pub muted: bool,
    pub removed: bool,
    /// Was inside this meeting at any time: a lock does not keep it out.
    pub was_inside: bool,
    /// How often another device has taken the seat, and when that was last.
    pub takeovers: u32,
    pub taken_over_ms: Option<u64>,
}

/// A site that no fact names: outside, and as it was invited.
static NEWCOMER: Standing = Standing {
    seat: None,
    muted: false,
    removed: false,
    was_inside: false,
    takeovers: 0,
    taken_over_ms: None,
};

impl State {
    pub fn of(&self, site: SiteId) -> &Standing {
        self.sites.get(&site).unwrap_or(&NEWCOMER)
    }

    /// Seats that are held.
    pub fn held(&self) -> usize {
        self.sites.values().filter(|standing| standing.seat.is_some()).count()
    }
}

/// A [`State`] that only facts change.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Lasting(State);

impl Deref for Lasting {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}

impl Lasting {
    /// Makes it so. Facts are not judged here: they have happened, and every state takes every fact.
    pub fn apply(&mut self, record: &Record) {
        let (state, at_ms) = (&mut self.0, record.at_ms);
        match &record.fact {
            Fact::Begun {} => *state = State { started_at_ms: Some(at_ms), ..State::default() },
            Fact::GoesOn {} => state.ended_at_ms = None,
            Fact::Ended {} => state.end(at_ms),
            Fact::Seated { site, seat } => state.sit(*site, seat),
            Fact::TakenOver { site, seat } => {
                state.sit(*site, seat);
                let standing = state.site(*site);
                standing.takeovers = standing.takeovers.saturating_add(1);
                standing.taken_over_ms = Some(at_ms);
            }
            Fact::Left { site } => state.vacate(*site),
            Fact::Removed { site } => {
                state.vacate(*site);
                state.site(*site).removed = true;
            }
            Fact::Readmitted { site } => state.site(*site).removed = false,
            Fact::Muted { sites } => sites.iter().for_each(|site| state.site(*site).muted = true),
            Fact::Unmuted { sites } => sites.iter().for_each(|site| state.site(*site).muted = false),
            Fact::BigScreen { site } => state.big_screen = *site,
            Fact::Locked { locked } => state.locked = *locked,
        }
    }
}

impl State {
    fn site(&mut self, site: SiteId) -> &mut Standing {
        self.sites.entry(site).or_default()
    }

    fn sit(&mut self, site: SiteId, seat: &Secret) {
        let standing = self.site(site);
        standing.seat = Some(seat.clone());
        standing.was_inside = true;
    }

    fn vacate(&mut self, site: SiteId) {
        self.site(site).seat = None;
        if self.big_screen == Some(site) {
            self.big_screen = None;
        }
    }

    fn end(&mut self, at_ms: u64) {
        self.ended_at_ms = Some(at_ms);
        self.big_screen = None;
        self.sites.values_mut().for_each(|standing| standing.seat = None);
    }
}
