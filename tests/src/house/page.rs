//! What a page does to hold its seat (`web/src/session/connector.ts`, `web/src/protocol/socket.ts`): a WebSocket, and
//! media negotiated over it, for ever. A machine: the time and what happened go in, what is to be done comes out.

use super::attempts::{Attempts, Step};
use super::media_line::{LineState, MediaLine, Order, Patience, SLOWLY, SOON};
use protocol::{
    ClientMessage, ErrorCode, GoodbyeReason, SILENCE_TIMEOUT_S, Sdp, Secret, ServerMessage, VERSION,
};
use rand::rngs::StdRng;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

const SILENCE: Duration = Duration::from_secs(SILENCE_TIMEOUT_S);
const PROBE: Duration = Duration::from_secs(4);
const DOUBT: Duration = Duration::from_millis(300);
const STEADY: Duration = Duration::from_secs(10);

/// What the browser is to do.
#[derive(Debug)]
pub enum Output {
    /// Begins an attempt, perhaps beside the connection there is.
    Connect,
    /// Ends it.
    GiveUp,
    HangUp,
    /// Media goes on, and the house may not know the wishes.
    Kept,
    Say(ClientMessage),
    Offer {
        fresh: bool,
    },
    Answer(String),
    /// The page has stopped; only a person goes on.
    Stop(Stop),
}

/// Why a page stops by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    Goodbye(GoodbyeReason),
    Refused(ErrorCode),
    GaveUp,
}

/// See the module.
pub struct Page {
    token: Secret,
    /// What the tab remembers.
    pub seat: Option<Secret>,
    takeover: bool,
    is_welcome: bool,
    was_inside: bool,
    attempt: u32,
    retry_after: Duration,
    opened_at: Instant,
    round_trip: Duration,
    attempts: Attempts,
    /// An attempt is under way.
    is_opening: bool,
    doubt_at: Option<Instant>,
    /// Of the connection there is.
    silent_at: Option<Instant>,
    steady_at: Option<Instant>,
    pings: u32,
    line: MediaLine,
    rng: StdRng,
    outputs: VecDeque<Output>,
}

impl Page {
    /// Opened by a user who presses the button.
    pub fn open(now: Instant, token: Secret, seat: Option<Secret>, takeover: bool, rng: StdRng) -> Page {
        let mut page = Page {
            token,
            seat,
            takeover,
            is_welcome: false,
            was_inside: false,
            attempt: 0,
            retry_after: Duration::ZERO,
            opened_at: now,
            round_trip: Duration::ZERO,
            attempts: Attempts::new(),
            is_opening: false,
            doubt_at: None,
            silent_at: None,
            steady_at: None,
            pings: 0,
            line: MediaLine::new(),
            rng,
            outputs: VecDeque::new(),
        };
        page.connect(now);
        page
    }

    /// Its media flows and its seat is held.
    pub fn is_online(&self) -> bool {
        self.is_welcome && self.line.is_up()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn wake_at(&self) -> Option<Instant> {
        let own = [self.attempts.due(), self.doubt_at, self.silent_at, self.steady_at];
        own.into_iter().chain([self.line.due()]).flatten().min()
    }

    /// Says something to the meeting, if the page is in it.
    pub fn send(&mut self, message: ClientMessage) {
        if self.is_welcome {
            self.outputs.push_back(Output::Say(message));
        }
    }

    /// Time went by; so much has come on the media line altogether.
    pub fn tick(&mut self, now: Instant, arrived: u64) {
        match self.attempts.poll(now) {
            Some(Step::Begin) => self.connect(now),
            Some(Step::GiveUp) => self.attempt_failed(now),
            None => {}
        }
        if self.doubt_at.take_if(|at| *at <= now).is_some() {
            self.connect(now);
        }
        if self.silent_at.take_if(|at| *at <= now).is_some() {
            self.lost(now);
        }
        if self.steady_at.take_if(|at| *at <= now).is_some() {
            self.attempt = 0;
        }
        self.line.tick(now, &mut self.rng);
        self.line.look(now, arrived);
        self.obey_line(now);
    }

    /// The attempt has come through, and takes the place of the connection there was.
    pub fn opened(&mut self, now: Instant) {
        self.is_opening = false;
        self.leave_socket();
        self.attempts.opened();
        self.opened_at = now;
        self.silent_at = Some(now + SILENCE);
        let (version, token, seat) = (VERSION, self.token.clone(), self.seat.clone());
        let hello = ClientMessage::Hello { version, token, seat, takeover: self.takeover };
        self.outputs.push_back(Output::Say(hello));
    }

    pub fn lost(&mut self, now: Instant) {
        self.retry(now, SOON);
    }

    pub fn attempt_failed(&mut self, now: Instant) {
        self.give_up_attempt();
        match self.silent_at {
            Some(_) => self.attempts.stop(),
            None => self.retry(now, SOON),
        }
    }

    pub fn line_is(&mut self, now: Instant, state: LineState) {
        self.line.changed(now, state, &mut self.rng);
        self.obey_line(now);
    }

    /// An answer could be applied, or not.
    pub fn answered(&mut self, now: Instant, is_usable: bool) {
        self.line.answered(now, is_usable, &mut self.rng);
        self.obey_line(now);
    }

    pub fn receive(&mut self, now: Instant, message: &ServerMessage) {
        self.silent_at = Some(now + SILENCE);
        self.doubt_at = None;
        if self.is_opening {
            self.give_up_attempt();
            self.attempts.stop();
        }
        match message {
            ServerMessage::Ping { n } => self.outputs.push_back(Output::Say(ClientMessage::Pong { n: *n })),
            ServerMessage::Welcome { seat, .. } => self.welcome(now, seat),
            ServerMessage::Answer { sdp: Sdp::Plain(sdp) } if self.line.is_offering() => {
                self.outputs.push_back(Output::Answer(sdp.clone()));
            }
            ServerMessage::Refused { code, .. } => self.refused(now, *code),
            ServerMessage::Error { code, .. } => self.erred(now, *code),
            ServerMessage::MediaMoved => self.line.moved(now),
            ServerMessage::Draining { retry_after_ms } => {
                self.retry_after = Duration::from_millis(u64::from(*retry_after_ms));
            }
            ServerMessage::Goodbye { reason } => self.stop(Stop::Goodbye(*reason)),
            _ => {}
        }
        self.obey_line(now);
    }

    fn welcome(&mut self, now: Instant, seat: &Secret) {
        let is_known = self.seat.replace(seat.clone()).as_ref() == Some(seat);
        self.round_trip = now - self.opened_at;
        self.attempts.learn(self.round_trip);
        (self.is_welcome, self.was_inside, self.takeover) = (true, true, false);
        self.line.open(now, self.round_trip, !is_known);
    }

    fn refused(&mut self, now: Instant, code: ErrorCode) {
        match code {
            ErrorCode::TakeoverTooSoon | ErrorCode::Draining => self.again(now, SOON),
            ErrorCode::MeetingFull if self.was_inside => self.again(now, SLOWLY),
            ErrorCode::TooManyJoins
            | ErrorCode::RateLimited
            | ErrorCode::OutOfOrder
            | ErrorCode::WorkerFull
            | ErrorCode::Internal => self.again(now, SLOWLY),
            _ => self.stop(Stop::Refused(code)),
        }
    }

    fn erred(&mut self, now: Instant, code: ErrorCode) {
        match code {
            ErrorCode::Draining | ErrorCode::OutOfOrder => self.again(now, SOON),
            ErrorCode::OfferMalformed
            | ErrorCode::OfferTooLarge
            | ErrorCode::OfferUnsupported
            | ErrorCode::OfferChanged
            | ErrorCode::MalformedMessage => self.line.refused(now, Patience::FewTries, &mut self.rng),
            ErrorCode::WorkerFull | ErrorCode::Internal | ErrorCode::RateLimited => {
                self.line.refused(now, Patience::ForEver, &mut self.rng);
            }
            _ => {}
        }
    }

    fn connect(&mut self, now: Instant) {
        self.give_up_attempt();
        self.is_opening = true;
        self.attempts.begin(now);
        self.outputs.push_back(Output::Connect);
    }

    fn give_up_attempt(&mut self) {
        if std::mem::take(&mut self.is_opening) {
            self.outputs.push_back(Output::GiveUp);
        }
    }

    fn leave_socket(&mut self) {
        self.is_welcome = false;
        (self.silent_at, self.doubt_at) = (None, None);
        self.line.close();
    }

    fn drop_socket(&mut self) {
        self.leave_socket();
        self.outputs.push_back(Output::HangUp);
    }

    /// What the house has refused is asked for again after its turn to wait, whatever happens.
    fn again(&mut self, now: Instant, longest: Duration) {
        self.retry(now, longest);
        self.attempts.hold();
    }

    /// The next attempt after its turn to wait, if none has begun.
    fn retry(&mut self, now: Instant, longest: Duration) {
        self.drop_socket();
        self.failed();
        if !self.is_opening {
            let held = std::mem::take(&mut self.retry_after);
            self.attempts.failed(now, self.attempt, longest, held, &mut self.rng);
        }
    }

    fn failed(&mut self) {
        self.steady_at = None;
        self.attempt += 1;
    }

    fn stop(&mut self, why: Stop) {
        self.give_up_attempt();
        self.drop_socket();
        self.attempts.stop();
        self.steady_at = None;
        self.outputs.push_back(Output::Stop(why));
    }

    /// Where the house is silent, too, it is looked for beside the connection in doubt.
    fn doubt(&mut self, now: Instant) {
        self.probe(now);
        if !self.is_opening {
            self.doubt_at = Some(now + DOUBT + self.round_trip * 2);
        }
    }

    fn probe(&mut self, now: Instant) {
        self.pings += 1;
        self.send(ClientMessage::Ping { n: self.pings });
        let until = now + PROBE + self.round_trip * 2;
        self.silent_at = self.silent_at.map(|at| at.min(until));
    }

    fn obey_line(&mut self, now: Instant) {
        for order in std::mem::take(&mut self.line.orders) {
            match order {
                Order::Offer { fresh } => self.outputs.push_back(Output::Offer { fresh }),
                Order::Up => self.steady_at = Some(now + STEADY),
                Order::Down => self.failed(),
                Order::Stopped => self.doubt(now),
                Order::Came if self.silent_at.is_none() => self.attempts.cue(now),
                Order::Came => {}
                Order::Kept => self.outputs.push_back(Output::Kept),
                Order::Unanswered => self.again(now, SOON),
                Order::GaveUp => self.stop(Stop::GaveUp),
            }
        }
    }
}
