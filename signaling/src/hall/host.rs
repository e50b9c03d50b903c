//! The one task that drives the hall's machine: clock, channels, outboxes, the operations log and the board of numbers.

use super::core::{Core, Input, Output};
use super::door::{DoorMessage, HallDoor, NewConnection};
use super::lines_file::LinesFile;
use super::outbox::Pushed;
use super::pulse::Pulse;
use super::site_message::SiteMessage;
use crate::config::Config;
use crate::ids::MeetingId;
use crate::log::few::{self, Few};
use crate::media::{MediaPort, WorkerEvent};
use crate::meeting::{ConnectionId, Fact, MediaPath, Now, Record};
use crate::metrics::Board;
use crate::outgoing::Outgoing;
use protocol::{ErrorCode, SiteId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot, watch};

/// Waiting requests of all connections together; when it is full, connections wait, not the hall.
const QUEUE: usize = 1024;
/// Media events taken in one go before sites are notified: one `slots` then covers many.
const EVENT_BATCH: usize = 256;

struct Host {
    core: Core,
    connections: BTreeMap<ConnectionId, NewConnection>,
    board: Arc<Board>,
    /// Completed when the last connection of a draining hall has gone.
    drained: Option<oneshot::Sender<()>>,
    /// Set to a media worker that has ended by itself.
    lost: watch::Sender<Option<usize>>,
    pulse: Arc<Pulse>,
    lines: LinesFile,
}

/// Starts the hall's task; it lives until the last door is dropped.
pub fn open(config: &Config, media: MediaPort, board: Arc<Board>) -> HallDoor {
    let (sender, received) = mpsc::channel(QUEUE);
    let (lost, news_of_loss) = watch::channel(None);
    let now = Instant::now();
    let pulse = Arc::new(Pulse::new(now));
    let messages = config.limits.messages_per_second;
    let door = HallDoor::new(sender, messages, board.clone(), news_of_loss, pulse.clone());
    let MediaPort { plane, events, .. } = media;
    board.overflows(plane.overflows());
    let lines = LinesFile::in_folder(&config.data);
    let core = Core::new(config, plane, lines.read(), now);
    let host = Host { core, connections: BTreeMap::new(), board, drained: None, lost, pulse, lines };
    tokio::spawn(host.run(received, events));
    door
}

impl Host {
    async fn run(
        mut self,
        mut messages: mpsc::Receiver<DoorMessage>,
        mut events: mpsc::Receiver<WorkerEvent>,
    ) {
        loop {
            let wake = self.settle();
            tokio::select! {
                message = messages.recv() => match message {
                    Some(message) => self.take(message),
                    None => break,
                },
                Some(event) = events.recv() => self.media_events(event, &mut events),
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
        self.connections.values().for_each(|known| known.outbox.close());
    }

    /// Carries out until nothing is left to do; returns when to wake at the latest.
    fn settle(&mut self) -> Instant {
        loop {
            match self.core.poll_output(now()) {
                Output::Timeout(at) => return at,
                output => self.carry_out(output),
            }
        }
    }

    fn take(&mut self, message: DoorMessage) {
        match message {
            DoorMessage::Arrived(connection, new) => {
                let address = new.address;
                self.connections.insert(connection, new);
                self.core.handle_input(now(), Input::Arrived { connection, address });
            }
            DoorMessage::Message(connection, message) => {
                if matches!(message, SiteMessage::Gone) {
                    self.connections.remove(&connection);
                }
                self.core.handle_input(now(), Input::Message { connection, message });
            }
            DoorMessage::Drain(done) => {
                self.drained = Some(done);
                self.core.handle_input(now(), Input::Drain);
            }
        }
    }

    fn media_events(&mut self, first: WorkerEvent, more: &mut mpsc::Receiver<WorkerEvent>) {
        self.core.handle_input(now(), Input::Media(first));
        for _ in 0..EVENT_BATCH {
            match more.try_recv() {
                Ok(event) => self.core.handle_input(now(), Input::Media(event)),
                Err(_) => break,
            }
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Send { connection, message } => self.push(connection, message),
            Output::Close { connection } => self.close(connection),
            Output::Admitted { connection, link, budget } => {
                if let Some(known) = self.connections.get(&connection) {
                    known.place.seat(link);
                    // Only a first hello comes here.
                    let _ = known.admission.set(budget);
                }
            }
            Output::Refused { connection, code } => self.refused(&few::REFUSED, connection, code),
            Output::NotDone { connection, code } => self.refused(&few::NOT_DONE, connection, code),
            Output::Record { meeting, record } => self.log_record(meeting, &record),
            Output::Path { meeting, site, path } => self.log_path(meeting, site, path),
            Output::Moved { meeting, from } => {
                let meeting = self.core.meeting(meeting).map(|meeting| meeting.title());
                tracing::warn!(meeting, from, "meeting moved to another media worker");
            }
            Output::Worker { worker, stats } => self.board.worker(worker, *stats),
            Output::Rows { rows, connections } => self.board.sites(rows, connections),
            Output::Looked { stuck } => {
                self.board.stuck(&stuck);
                self.pulse.beat(Instant::now(), stuck);
            }
            Output::Lost { worker } => {
                self.lost.send_replace(Some(worker));
            }
            Output::Lines { text } => self.lines.write(text),
            Output::Drained => {
                // No one waits any more when the time for draining is over.
                self.drained.take().map(|done| done.send(()).is_ok());
            }
            // The loop in `settle` ends with it.
            Output::Timeout(_) => {}
        }
    }

    fn close(&self, connection: ConnectionId) {
        if let Some(known) = self.connections.get(&connection) {
            known.outbox.close();
        }
    }

    fn push(&mut self, connection: ConnectionId, message: Outgoing) {
        let Some(known) = self.connections.get(&connection) else {
            return;
        };
        match known.outbox.push(message) {
            Ok(Pushed::Queued) => {}
            Ok(Pushed::NeedsLinks) => self.core.handle_input(now(), Input::NeedsLinks { connection }),
            Err(_) => {
                few::TOO_SLOW.tell(|unsaid| {
                    tracing::warn!(connection = connection.0, address = %known.address, unsaid, "too slow, closed");
                });
                self.core.handle_input(now(), Input::TooSlow { connection });
            }
        }
    }

    fn refused(&self, kind: &Few, connection: ConnectionId, code: ErrorCode) {
        self.board.refused(code);
        let address = self.connections.get(&connection).map(|known| known.address);
        kind.tell(|unsaid| {
            tracing::info!(connection = connection.0, address = address.map(tracing::field::display), %code, unsaid, "refused");
        });
    }

    /// Acts on the meeting and takeovers. The journal is not stored yet.
    fn log_record(&self, meeting: MeetingId, record: &Record) {
        let Some(meeting) = self.core.meeting(meeting) else {
            return;
        };
        let (title, site) = (meeting.title(), meeting.name_of(record.by));
        match &record.fact {
            Fact::TakenOver { .. } => {
                let known =
                    meeting.connection_of(record.by).and_then(|connection| self.connections.get(&connection));
                let address = known.map(|known| tracing::field::display(known.address));
                few::TAKEOVER.tell(|unsaid| {
                    tracing::warn!(meeting = title, site, address, unsaid, "seat taken over");
                });
            }
            fact if fact.is_act() => {
                few::ACT.tell(|unsaid| tracing::info!(meeting = title, site, ?fact, unsaid, "act"));
            }
            _ => {}
        }
    }

    fn log_path(&self, meeting: MeetingId, site: SiteId, path: MediaPath) {
        if let Some(meeting) = self.core.meeting(meeting) {
            let (title, site) = (meeting.title(), meeting.name_of(site));
            few::MEDIA_PATH.tell(|unsaid| {
                tracing::info!(meeting = title, site, ?path, unsaid, "media path");
            });
        }
    }
}

/// Both clocks, read together.
fn now() -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH);
    Now { instant: Instant::now(), unix_ms: wall.unwrap_or_default().as_millis() as u64 }
}
