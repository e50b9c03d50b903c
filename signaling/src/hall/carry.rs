//! Carries out what the machines order: meetings to connections and media, media to meetings.

use super::outbox::Pushed;
use super::{Hall, RETRY_INTERVAL, now};
use crate::ids::MeetingId;
use crate::log::few;
use crate::media::{Effect, WorkerEvent};
use crate::meeting::{ConnectionId, Fact, Input, Output, Record};
use crate::metrics::SiteRow;
use crate::outgoing::Outgoing;
use crate::protocol::{ServerMessage, SiteId};
use sfu::time::after;
use std::time::Instant;
use tokio::sync::mpsc;

/// Media events taken in one go before sites hear of them: one `slots` then tells of many.
const EVENT_BATCH: usize = 256;

impl Hall {
    /// Carries out until nothing is left to do; answers when to wake at the latest.
    pub(super) fn settle(&mut self) -> Instant {
        self.turn_lights(Instant::now());
        let mut wake = self.lights.wake_at();
        loop {
            for meeting in self.meetings.keys().copied().collect::<Vec<_>>() {
                if let Some(at) = self.settle_meeting(meeting) {
                    wake = wake.min(at);
                }
            }
            let effects = self.bridge.take_effects();
            if effects.is_empty() {
                break;
            }
            effects.into_iter().for_each(|effect| self.effect(effect));
        }
        if self.bridge.retry() {
            wake = wake.min(after(Instant::now(), RETRY_INTERVAL));
        }
        self.lost.send_if_modified(|lost| {
            let known = lost.is_some();
            *lost = lost.or_else(|| self.bridge.lost_worker());
            lost.is_some() != known
        });
        wake
    }

    fn settle_meeting(&mut self, id: MeetingId) -> Option<Instant> {
        loop {
            let now = now();
            let output = self.meetings.get_mut(&id)?.poll_output(now);
            match output {
                Output::Send { connection, message } => self.deliver(connection, message),
                Output::Broadcast { connections, message } => {
                    let message = Outgoing::of(&message);
                    connections.into_iter().for_each(|to| self.push(to, message.clone()));
                }
                Output::Close { connection } => self.close(connection),
                Output::DropMedia { site } => {
                    self.reports.remove(&(id, site));
                    self.bridge.remove_site(id, site);
                }
                Output::CloseMedia => {
                    self.reports.retain(|(meeting, _), _| *meeting != id);
                    self.lights.forget(id);
                    self.bridge.close(id);
                }
                Output::Record(record) => self.log_record(id, &record),
                Output::Restage => {
                    let stage = self.meetings.get(&id)?.stage();
                    self.bridge.restage(id, stage);
                }
                Output::Attached { site } => {
                    self.bridge.attached(id, site);
                    let links = self.lights.whole(id);
                    self.push_to_site(id, site, links);
                }
                Output::Timeout(at) => return at,
            }
        }
    }

    /// Acts on the meeting and takeovers, for the operations log. Nobody keeps the journal yet.
    fn log_record(&self, meeting: MeetingId, record: &Record) {
        let Some(meeting) = self.meetings.get(&meeting) else {
            return;
        };
        let (title, site) = (meeting.title(), meeting.name_of(record.by));
        let connection = meeting.connection_of(record.by);
        match &record.fact {
            Fact::TakenOver { .. } => {
                let guest = connection.and_then(|connection| self.guests.get(&connection));
                let address = guest.map(|guest| guest.arrival.address);
                few::TAKEOVER.tell(|unsaid| {
                    tracing::warn!(meeting = title, site, ?address, unsaid, "seat taken over");
                });
            }
            fact if fact.is_act() => {
                few::ACT.tell(|unsaid| tracing::info!(meeting = title, site, ?fact, unsaid, "act"));
            }
            _ => {}
        }
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Send { meeting, site, message } => self.push_to_site(meeting, site, message.into()),
            Effect::Refuse { meeting, site, refusal } => self.deliver_to_site(meeting, site, refusal.error()),
            Effect::Broadcast { meeting, message } => {
                let message = Outgoing::of(&message);
                let seated = self.meetings.get(&meeting).map(|m| m.connections().collect::<Vec<_>>());
                seated.into_iter().flatten().for_each(|to| self.push(to, message.clone()));
            }
            Effect::Path { meeting, site, path } => {
                if let Some(machine) = self.meetings.get(&meeting) {
                    let name = machine.name_of(site);
                    few::MEDIA_PATH.tell(|unsaid| {
                        tracing::info!(meeting = machine.title(), site = name, ?path, unsaid, "media path");
                    });
                }
                self.tell(meeting, Input::Path { site, path });
            }
            Effect::Publishing { meeting, site, kind, active } => {
                self.tell(meeting, Input::Publishing { site, kind, active })
            }
            Effect::Worker { worker, stats } => {
                self.board.worker(worker, *stats);
                self.measured = true;
            }
            Effect::Moved { meeting, from } => {
                if let Some(machine) = self.meetings.get(&meeting) {
                    let meeting = machine.title();
                    tracing::warn!(meeting, from, "meeting moved to another media worker");
                }
            }
        }
    }

    pub(super) fn media_events(&mut self, first: WorkerEvent, more: &mut mpsc::Receiver<WorkerEvent>) {
        self.bridge.handle_event(first);
        for _ in 0..EVENT_BATCH {
            match more.try_recv() {
                Ok(event) => self.bridge.handle_event(event),
                Err(_) => break,
            }
        }
        self.bridge.flush();
    }

    /// Link lights: looks at the lines when it is time, and sends what is due of what has changed.
    fn turn_lights(&mut self, now: Instant) {
        if self.lights.begins_round(now) {
            for id in self.meetings.keys().copied().collect::<Vec<_>>() {
                self.look_at_links(now, id);
            }
            self.lights.spread(now);
            self.measured = true;
        }
        for (meeting, site, message) in self.lights.due(now) {
            self.push_to_site(meeting, site, message);
        }
    }

    fn look_at_links(&mut self, now: Instant, id: MeetingId) {
        let Some(meeting) = self.meetings.get(&id) else {
            return;
        };
        let links = meeting.seats().map(|seat| {
            let stats = self.bridge.stats(id, seat.site).filter(|_| seat.connected);
            self.grader.link(now, (id, seat.site), stats, seat.flow)
        });
        let links = links.collect();
        self.lights.measured(now, id, links, meeting.seats().map(|seat| seat.site));
    }

    /// Puts the newest state of every seat up for Prometheus, if there is news. All seats are copied: that is done
    /// at most as often as the hall looks at its workers, and not once for each worker that has measured.
    pub(super) fn post_rows(&mut self) {
        if !std::mem::take(&mut self.measured) {
            return;
        }
        let mut rows = Vec::new();
        for (id, meeting) in &self.meetings {
            for seat in meeting.seats() {
                let place = (*id, seat.site);
                rows.push(SiteRow {
                    meeting: meeting.title().to_owned(),
                    stats: self.bridge.stats(place.0, place.1).cloned(),
                    report: self.reports.get(&place).copied(),
                    seat,
                });
            }
        }
        self.board.sites(rows, self.guests.len());
    }

    fn deliver_to_site(&mut self, meeting: MeetingId, site: SiteId, message: ServerMessage) {
        let machine = self.meetings.get(&meeting);
        if let Some(connection) = machine.and_then(|m| m.connection_of(site)) {
            self.deliver(connection, message);
        }
    }

    /// Hands over what a connection gets for something it asked for: refusals are counted.
    pub(super) fn deliver(&mut self, id: ConnectionId, message: ServerMessage) {
        let Some(guest) = self.guests.get(&id) else {
            return;
        };
        let refused = match &message {
            ServerMessage::Refused { code, .. } => Some((&few::REFUSED, *code)),
            ServerMessage::Error { code, .. } => Some((&few::NOT_DONE, *code)),
            _ => None,
        };
        if let Some((kind, code)) = refused {
            self.board.refused(code);
            kind.tell(|unsaid| {
                tracing::info!(connection = id.0, address = %guest.arrival.address, %code, unsaid, "refused");
            });
        }
        self.push(id, message.into());
    }

    fn push_to_site(&mut self, meeting: MeetingId, site: SiteId, message: Outgoing) {
        let machine = self.meetings.get(&meeting);
        if let Some(connection) = machine.and_then(|m| m.connection_of(site)) {
            self.push(connection, message);
        }
    }

    fn push(&mut self, id: ConnectionId, message: Outgoing) {
        let Some(guest) = self.guests.get(&id) else {
            return;
        };
        let place = guest.place.map(|(meeting, _)| meeting);
        let mut pushed = guest.arrival.outbox.push(message);
        if let (Ok(Pushed::NeedsLinks), Some(meeting)) = (&pushed, place) {
            pushed = guest.arrival.outbox.push(self.lights.whole(meeting));
        }
        if pushed.is_err() {
            few::TOO_SLOW.tell(|unsaid| {
                tracing::warn!(connection = id.0, address = %guest.arrival.address, unsaid, "too slow, closed");
            });
            if let Some(meeting) = place {
                self.tell(meeting, Input::Disconnected { connection: id });
            }
        }
    }

    pub(super) fn close(&mut self, id: ConnectionId) {
        if let Some(guest) = self.guests.get(&id) {
            guest.arrival.outbox.close();
        }
    }
}
