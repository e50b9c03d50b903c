//! What the machines order of each other: meetings of connections and media, media of meetings.

use super::{Core, Output};
use crate::error::Refusal;
use crate::ids::MeetingId;
use crate::media::Effect;
use crate::meeting::{self, ConnectionId, Input, Now};
use crate::outgoing::Outgoing;
use protocol::{ErrorCode, ServerMessage, SiteId};
use std::time::Instant;

impl Core {
    /// Carries out what a meeting orders; returns when it has something to order by itself.
    pub(super) fn settle_meeting(&mut self, now: Now, id: MeetingId) -> Option<Instant> {
        loop {
            let output = self.meetings.get_mut(&id)?.poll_output(now);
            match output {
                meeting::Output::Send { connection, message } => self.deliver(connection, message),
                meeting::Output::Broadcast { connections, message } => {
                    let message = Outgoing::of(&message);
                    connections.into_iter().for_each(|to| self.send(to, message.clone()));
                }
                meeting::Output::Close { connection } => self.outputs.push_back(Output::Close { connection }),
                meeting::Output::DropMedia { site } => {
                    self.links.forget((id, site));
                    self.bridge.remove_site(id, site);
                }
                meeting::Output::CloseMedia => {
                    self.links.forget_meeting(id);
                    self.bridge.close(id);
                }
                meeting::Output::Record(record) => {
                    self.outputs.push_back(Output::Record { meeting: id, record });
                }
                meeting::Output::Restage => {
                    let stage = self.meetings.get(&id)?.stage();
                    self.bridge.restage(id, stage);
                }
                meeting::Output::Attached { site } => {
                    self.bridge.attached(id, site);
                    let links = self.links.whole(id);
                    self.send_to_site(id, site, links);
                }
                meeting::Output::Timeout(at) => return at,
            }
        }
    }

    pub(super) fn effect(&mut self, now: Now, effect: Effect) {
        match effect {
            Effect::Send { meeting, site, message } => self.send_to_site(meeting, site, message.into()),
            Effect::Refuse { meeting, site, refusal } => {
                if let Some(connection) = self.connection_of(meeting, site) {
                    self.deliver(connection, refusal.error());
                }
            }
            Effect::Broadcast { meeting, message } => {
                let message = Outgoing::of(&message);
                let seated = self.meetings.get(&meeting).map(|m| m.connections().collect::<Vec<_>>());
                seated.into_iter().flatten().for_each(|to| self.send(to, message.clone()));
            }
            Effect::Path { meeting, site, path } => {
                self.outputs.push_back(Output::Path { meeting, site, path });
                self.tell(now, meeting, Input::Path { site, path });
            }
            Effect::Publishing { meeting, site, kind, active } => {
                self.tell(now, meeting, Input::Publishing { site, kind, active });
            }
            Effect::Line { meeting, site, stats } => {
                if let Some((stats, meeting)) = stats.as_ref().zip(self.meetings.get(&meeting)) {
                    self.links.learn(meeting.name_of(site), stats, now.unix_ms);
                }
                self.links.measured((meeting, site), stats.map(|stats| *stats));
            }
            Effect::Worker { worker, stats } => {
                self.outputs.push_back(Output::Worker { worker, stats });
                self.measured = true;
            }
            Effect::Moved { meeting, from } => self.outputs.push_back(Output::Moved { meeting, from }),
        }
    }

    pub(super) fn refuse(&mut self, connection: ConnectionId, code: ErrorCode) {
        self.deliver(connection, Refusal::new(code).error());
    }

    /// Sends what a connection gets for something it asked for: refusals are reported, too.
    pub(super) fn deliver(&mut self, connection: ConnectionId, message: ServerMessage) {
        if !self.connections.contains_key(&connection) {
            return;
        }
        match message {
            ServerMessage::Refused { code, .. } => {
                self.outputs.push_back(Output::Refused { connection, code });
            }
            ServerMessage::Error { code, .. } => self.outputs.push_back(Output::NotDone { connection, code }),
            _ => {}
        }
        self.send(connection, message);
    }

    pub(super) fn send_to_site(&mut self, meeting: MeetingId, site: SiteId, message: Outgoing) {
        if let Some(connection) = self.connection_of(meeting, site) {
            self.send(connection, message);
        }
    }

    pub(super) fn send(&mut self, connection: ConnectionId, message: impl Into<Outgoing>) {
        if self.connections.contains_key(&connection) {
            self.outputs.push_back(Output::Send { connection, message: message.into() });
        }
    }

    fn connection_of(&self, meeting: MeetingId, site: SiteId) -> Option<ConnectionId> {
        self.meetings.get(&meeting)?.connection_of(site)
    }
}
