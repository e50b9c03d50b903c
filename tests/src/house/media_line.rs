//! What a page does to keep media flowing (`web/src/session/mediaLine.ts`): never more than one offer at a time, an ICE
//! restart first, with the first sign of a gap, a new peer connection after that, slower and slower.

use super::pulse::{LOOK, News, Pulse};
use rand::Rng;
use rand::rngs::StdRng;
use std::time::{Duration, Instant};

const ANSWER: Duration = Duration::from_secs(10);
const MEDIA: Duration = Duration::from_secs(6);
const RESTART: Duration = Duration::from_secs(3);
const ROUND_TRIPS: u32 = 6;
const LONGEST_MEDIA: Duration = Duration::from_secs(60);
const GAP: Duration = Duration::from_millis(2500);
const STABLE: Duration = Duration::from_secs(10);
const UNUSABLE_TRIES: u32 = 4;
/// What is lost is found within this, and what is full or busy within that.
pub const SOON: Duration = Duration::from_secs(10);
pub const SLOWLY: Duration = Duration::from_secs(60);
const FIRST: Duration = Duration::from_millis(500);

/// How long to wait before attempt `attempt` (from 1): between half and all of its turn.
pub fn backoff(attempt: u32, rng: &mut StdRng, longest: Duration) -> Duration {
    let full = longest.min(FIRST * 2u32.pow(attempt.saturating_sub(1).min(10)));
    full.mul_f64(0.5 + rng.random::<f64>() / 2.0)
}

/// The state a peer connection reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineState {
    New,
    Connected,
    Disconnected,
    Failed,
}

/// What the page is to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Order {
    /// Offers; `fresh`: of a new peer connection.
    Offer {
        fresh: bool,
    },
    Up,
    Down,
    /// Media stands still: is the server still there?
    Stopped,
    /// Something comes again.
    Came,
    /// What there was goes on over a new connection.
    Kept,
    /// The server does not answer offers on this connection.
    Unanswered,
    GaveUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Waiting,
    Offering,
    Connecting,
    Up,
}

/// What happens when a phase has lasted too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Negotiate { fresh: bool },
    Unanswered,
    NoMedia,
    Stable,
    StandsStill,
}

/// How patient the page is with what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    FewTries,
    ForEver,
}

/// See the module.
pub struct MediaLine {
    phase: Phase,
    due: Option<(Instant, Then)>,
    /// When a gap is told.
    gap_at: Option<Instant>,
    pulse: Pulse,
    look_at: Option<Instant>,
    /// An offer is under way, or was lost.
    is_unanswered: bool,
    failures: u32,
    unusable: u32,
    is_restarting: bool,
    round_trip: Duration,
    /// Of the peer connection there is.
    state: Option<LineState>,
    pub orders: Vec<Order>,
}

impl MediaLine {
    pub fn new() -> MediaLine {
        MediaLine {
            phase: Phase::Closed,
            due: None,
            gap_at: None,
            pulse: Pulse::default(),
            look_at: None,
            is_unanswered: false,
            failures: 0,
            unusable: 0,
            is_restarting: false,
            round_trip: Duration::ZERO,
            state: None,
            orders: Vec::new(),
        }
    }

    pub fn is_offering(&self) -> bool {
        self.phase == Phase::Offering
    }

    pub fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    pub fn due(&self) -> Option<Instant> {
        [self.due.map(|(at, _)| at), self.gap_at, self.look_at].into_iter().flatten().min()
    }

    /// `fresh`: the server knows nothing of the peer connection there was.
    pub fn open(&mut self, now: Instant, round_trip: Duration, fresh: bool) {
        self.round_trip = round_trip;
        if fresh || !self.pulse.beats() || self.is_unanswered {
            return self.negotiate(now, fresh);
        }
        self.connected(now);
        self.orders.push(Order::Kept);
    }

    pub fn close(&mut self) {
        self.gap_at = None;
        self.enter(Phase::Closed, None);
    }

    pub fn moved(&mut self, now: Instant) {
        if self.phase != Phase::Closed {
            self.negotiate(now, true);
        }
    }

    /// The answer came, and could be applied or not.
    pub fn answered(&mut self, now: Instant, is_usable: bool, rng: &mut StdRng) {
        self.is_unanswered = false;
        if !is_usable {
            return self.fail_unusable(now, rng);
        }
        self.unusable = 0;
        let trips = self.round_trip * ROUND_TRIPS;
        let patience = match self.is_restarting {
            true => RESTART + trips,
            false => ((MEDIA + trips) * 2u32.pow(self.failures.min(4))).min(LONGEST_MEDIA),
        };
        self.enter(Phase::Connecting, Some((now + patience, Then::NoMedia)));
        self.may_be_up(now);
    }

    pub fn refused(&mut self, now: Instant, patience: Patience, rng: &mut StdRng) {
        match (self.phase, patience) {
            (Phase::Offering, Patience::FewTries) => self.fail_unusable(now, rng),
            (Phase::Offering, Patience::ForEver) => self.fail(now, SLOWLY, rng),
            _ => {}
        }
    }

    /// So much has come on the line altogether.
    pub fn look(&mut self, now: Instant, arrived: u64) {
        if self.look_at.is_some_and(|at| now < at) {
            return;
        }
        self.look_at = Some(now + LOOK);
        match self.pulse.look(now, arrived) {
            Some(News::Stopped) if self.phase == Phase::Up => self.doubt(now),
            Some(News::Came) => {
                self.may_be_up(now);
                self.came_back();
            }
            _ => {}
        }
    }

    pub fn tick(&mut self, now: Instant, rng: &mut StdRng) {
        if self.gap_at.take_if(|at| *at <= now).is_some() {
            self.orders.push(Order::Down);
        }
        let Some((_, then)) = self.due.take_if(|(at, _)| *at <= now) else { return };
        match then {
            Then::Negotiate { fresh } => self.negotiate(now, fresh),
            Then::Unanswered => self.orders.push(Order::Unanswered),
            Then::NoMedia => self.fail(now, SOON, rng),
            Then::Stable => self.failures = 0,
            Then::StandsStill => self.stands_still(now, rng),
        }
    }

    /// The peer connection reports a new state.
    pub fn changed(&mut self, now: Instant, state: LineState, rng: &mut StdRng) {
        if self.state.replace(state) == Some(state) {
            return;
        }
        if !self.flows() {
            if state == LineState::Connected {
                self.came_back();
            }
            return;
        }
        match state {
            LineState::Connected => self.may_be_up(now),
            LineState::Failed => self.stands_still(now, rng),
            LineState::Disconnected if self.phase == Phase::Up => self.doubt(now),
            LineState::Disconnected | LineState::New => {}
        }
    }

    fn flows(&self) -> bool {
        matches!(self.phase, Phase::Connecting | Phase::Up)
    }

    fn enter(&mut self, phase: Phase, due: Option<(Instant, Then)>) {
        (self.phase, self.due) = (phase, due);
    }

    fn negotiate(&mut self, now: Instant, fresh: bool) {
        let is_usable = self.state.is_some_and(|state| state != LineState::Failed);
        let fresh = fresh || !is_usable;
        if fresh {
            self.state = Some(LineState::New);
            self.pulse = Pulse::default();
        }
        (self.is_unanswered, self.is_restarting) = (true, !fresh);
        self.enter(Phase::Offering, Some((now + ANSWER + self.round_trip, Then::Unanswered)));
        self.orders.push(Order::Offer { fresh });
    }

    fn may_be_up(&mut self, now: Instant) {
        if self.flows() && !self.pulse.is_silent() && self.state == Some(LineState::Connected) {
            self.connected(now);
        }
    }

    fn connected(&mut self, now: Instant) {
        self.gap_at = None;
        self.enter(Phase::Up, Some((now + STABLE, Then::Stable)));
        self.orders.push(Order::Up);
    }

    fn came_back(&mut self) {
        self.gap_at = None;
        self.orders.push(Order::Came);
    }

    /// The first sign of a gap.
    fn doubt(&mut self, now: Instant) {
        self.orders.push(Order::Stopped);
        if self.failures > 0 {
            return self.enter(Phase::Up, Some((now + GAP, Then::StandsStill)));
        }
        self.failures = 1;
        self.gap_at = Some(now + GAP);
        self.negotiate(now, false);
    }

    fn stands_still(&mut self, now: Instant, rng: &mut StdRng) {
        self.orders.push(Order::Stopped);
        self.fail(now, SOON, rng);
    }

    fn fail_unusable(&mut self, now: Instant, rng: &mut StdRng) {
        self.unusable += 1;
        match self.unusable < UNUSABLE_TRIES {
            true => self.fail(now, SLOWLY, rng),
            false => self.orders.push(Order::GaveUp),
        }
    }

    fn fail(&mut self, now: Instant, longest: Duration, rng: &mut StdRng) {
        self.gap_at = None;
        self.failures += 1;
        let restart = longest == SOON && self.failures == 1;
        let wait = if restart { Duration::ZERO } else { backoff(self.failures, rng, longest) };
        self.enter(Phase::Waiting, Some((now + wait, Then::Negotiate { fresh: !restart })));
        self.orders.push(Order::Down);
    }
}
