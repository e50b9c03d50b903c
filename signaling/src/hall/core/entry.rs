//! Connections that come and go.

use super::register::KnownLink;
use super::{Core, Output};
use crate::error::Refusal;
use crate::ids::Link;
use crate::meeting::{ConnectionId, Input, Now};
use crate::outgoing::Outgoing;
use protocol::Secret;
use protocol::{ErrorCode, ServerMessage};

/// How long sites are to wait before they come back to a server that goes down.
const RETRY_AFTER_MS: u32 = 1_000;

/// A hello, but for the secret of its link.
pub(super) struct Hello {
    pub connection: ConnectionId,
    pub seat: Option<Secret>,
    pub takeover: bool,
    pub fresh_seat: Secret,
}

impl Core {
    pub(super) fn hello(&mut self, now: Now, token: &Secret, hello: Hello) {
        let Hello { connection, seat, takeover, fresh_seat } = hello;
        match self.known(now, connection, token) {
            Ok(KnownLink { place: (meeting, site), budget }) => {
                self.tell(now, meeting, Input::Hello { connection, site, seat, takeover, fresh_seat });
                if let Some(link) = self.seat_of(connection) {
                    self.outputs.push_back(Output::Admitted { connection, link, budget });
                }
            }
            Err(code) => {
                self.deliver(connection, Refusal::new(code).refused());
                self.outputs.push_back(Output::Close { connection });
            }
        }
    }

    /// Where the connection's link leads.
    fn known(&mut self, now: Now, connection: ConnectionId, token: &Secret) -> Result<KnownLink, ErrorCode> {
        let known = self.connections.get_mut(&connection).ok_or(ErrorCode::Internal)?;
        if self.draining {
            return Err(ErrorCode::Draining);
        }
        let link = self.register.find(now.instant, token, known.address)?;
        known.place = Some(link.place);
        Ok(link)
    }

    pub(super) fn gone(&mut self, now: Now, connection: ConnectionId) {
        self.disconnected(now, connection);
        self.connections.remove(&connection);
        self.report_drained();
    }

    pub(super) fn disconnected(&mut self, now: Now, connection: ConnectionId) {
        if let Some((meeting, _)) = self.place_of(connection) {
            self.tell(now, meeting, Input::Disconnected { connection });
        }
    }

    /// Announces that the server goes down; no site comes in any more.
    pub(super) fn drain(&mut self) {
        self.draining = true;
        let message = Outgoing::of(&ServerMessage::Draining { retry_after_ms: RETRY_AFTER_MS });
        for connection in self.connections.keys().copied().collect::<Vec<_>>() {
            self.send(connection, message.clone());
        }
        self.report_drained();
    }

    fn report_drained(&mut self) {
        if self.draining && self.connections.is_empty() {
            self.outputs.push_back(Output::Drained);
        }
    }

    /// Where the link of a connection leads, whether or not it holds the seat.
    pub(super) fn place_of(&self, connection: ConnectionId) -> Option<Link> {
        self.connections.get(&connection)?.place
    }

    /// The seat this connection holds, if it does hold one.
    pub(super) fn seat_of(&self, connection: ConnectionId) -> Option<Link> {
        let (meeting, _) = self.place_of(connection)?;
        let site = self.meetings.get(&meeting)?.site_of(connection)?;
        Some((meeting, site))
    }
}
