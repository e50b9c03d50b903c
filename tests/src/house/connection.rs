//! The server's end of one WebSocket, as `ws/connection.rs` has it: limits, pings, and what the hall puts into the
//! outbox.

use super::net::SocketId;
use protocol::{ClientMessage, ErrorCode, Secret, ServerMessage};
use signaling::hall::{Outbox, SiteMessage};
use signaling::net::LinkBudget;
use signaling::ws::{Due, Timeouts};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_secs(1);

/// See the module.
pub struct Connection {
    pub socket: SocketId,
    pub outbox: Outbox,
    /// Since its hello was accepted.
    pub budget: Option<LinkBudget>,
    timeouts: Timeouts,
    pub next_tick: Instant,
}

/// What comes of a message or of a second.
pub enum Step {
    Nothing,
    Tell(SiteMessage),
    Reply(ServerMessage),
    End,
}

impl Connection {
    pub fn new(now: Instant, socket: SocketId) -> Connection {
        let (outbox, timeouts) = (Outbox::default(), Timeouts::new(now));
        Connection { socket, outbox, budget: None, timeouts, next_tick: now + TICK }
    }

    pub fn hear(&mut self, now: Instant, text: &str, fresh_seat: Secret) -> Step {
        self.timeouts.hear(now);
        if self.budget.as_ref().is_some_and(|budget| !budget.take_message(now)) {
            return refusal(ErrorCode::RateLimited);
        }
        match serde_json::from_str(text).expect("a site speaks the protocol") {
            ClientMessage::Ping { n } => Step::Reply(ServerMessage::Pong { n }),
            ClientMessage::Pong { .. } => Step::Nothing,
            ClientMessage::Offer { .. } if !self.may_offer(now) => refusal(ErrorCode::RateLimited),
            message => {
                self.timeouts.greet();
                SiteMessage::read(message, || fresh_seat).map_or_else(|no| refusal(no.code), Step::Tell)
            }
        }
    }

    fn may_offer(&self, now: Instant) -> bool {
        self.budget.as_ref().is_some_and(|budget| budget.take_offer(now))
    }

    pub fn tick(&mut self, now: Instant) -> Step {
        self.next_tick = now + TICK;
        match self.timeouts.look(now) {
            Due::Nothing => Step::Nothing,
            Due::Ping(n) => Step::Reply(ServerMessage::Ping { n }),
            Due::NoHello | Due::Silent => Step::End,
        }
    }
}

fn refusal(code: ErrorCode) -> Step {
    Step::Reply(signaling::error::Refusal::new(code).error())
}
