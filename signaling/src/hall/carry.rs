//! Carries out what the machines order: meetings to connections and media, media to meetings.

use super::{Hall, LINKS_INTERVAL, MeetingId, RETRY_INTERVAL, now};
use crate::log::few;
use crate::media::{Effect, WorkerEvent};
use crate::meeting::{ConnectionId, Input, Output};
use crate::metrics::SiteRow;
use crate::protocol::{ServerMessage, SiteId};
use std::time::Instant;
use tokio::sync::mpsc;

/// Media events taken in one go before sites hear of them: one `slots` then tells of many.
const EVENT_BATCH: usize = 256;

impl Hall {
    /// Carries out until nothing is left to do; answers when to wake at the latest.
    pub(super) fn settle(&mut self) -> Instant {
        let mut wake = Instant::now() + LINKS_INTERVAL;
        loop {
            for meeting in (0..self.meetings.len()).map(MeetingId) {
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
            wake = wake.min(Instant::now() + RETRY_INTERVAL);
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
            let output = self.meetings.get_mut(id.0)?.poll_output(now);
            match output {
                Output::Send { connection, message } => self.deliver(connection, message),
                Output::Close { connection } => self.close(connection),
                Output::Offer { site, sdp } => self.bridge.offer(id, site, sdp),
                Output::DropMedia { site } => {
                    self.reports.remove(&(id, site));
                    self.bridge.remove_site(id, site);
                }
                Output::CloseMedia => {
                    self.reports.retain(|(meeting, _), _| *meeting != id);
                    self.bridge.close(id);
                }
                Output::Restage => {
                    let stage = self.meetings.get(id.0)?.stage();
                    self.bridge.restage(id, stage);
                }
                Output::Attached { site } => self.bridge.attached(id, site),
                Output::Timeout(at) => return at,
            }
        }
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Send { meeting, site, message } => self.deliver_to_site(meeting, site, message),
            Effect::Path { meeting, site, path } => {
                if let Some(machine) = self.meetings.get(meeting.0) {
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
                self.post_rows();
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

    pub(super) fn send_links(&mut self) {
        let now = Instant::now();
        for id in (0..self.meetings.len()).map(MeetingId) {
            let Some(meeting) = self.meetings.get(id.0) else {
                continue;
            };
            let seats: Vec<_> = meeting.seats().collect();
            let links: Vec<_> = seats
                .iter()
                .map(|seat| {
                    let stats = self.bridge.stats(id, seat.site).filter(|_| seat.connected);
                    self.grader.link(now, (id, seat.site), stats, seat.flow)
                })
                .collect();
            for seat in seats {
                let links = links.clone();
                self.deliver_to_site(id, seat.site, ServerMessage::Links { links });
            }
        }
        self.post_rows();
    }

    /// Puts the newest state of every seat up for Prometheus.
    fn post_rows(&self) {
        let mut rows = Vec::new();
        for (m, meeting) in self.meetings.iter().enumerate() {
            for seat in meeting.seats() {
                let place = (MeetingId(m), seat.site);
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
        let machine = self.meetings.get(meeting.0);
        if let Some(connection) = machine.and_then(|m| m.connection_of(site)) {
            self.deliver(connection, message);
        }
    }

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
                tracing::info!(connection = id.0, address = %guest.address, %code, unsaid, "refused");
            });
        }
        if guest.outbox.push(message).is_err() {
            few::TOO_SLOW.tell(|unsaid| {
                tracing::warn!(connection = id.0, address = %guest.address, unsaid, "too slow, closed");
            });
            if let Some((meeting, _)) = guest.place {
                self.tell(meeting, Input::Disconnected { connection: id });
            }
        }
    }

    pub(super) fn close(&mut self, id: ConnectionId) {
        if let Some(guest) = self.guests.get(&id) {
            guest.outbox.close();
        }
    }
}
