//! The hall's machine: which sites are connected, which meeting gets which input, and what media is to do. No socket,
//! clock, randomness or task; the workers are behind the port that [`Bridge`] was given.
//!
//! **Drive [`Core`] like this: pass it what happened and when with `handle_input`, then carry out what `poll_output`
//! orders until it returns [`Output::Timeout`]; call again by then.**
//!
//! What has happened to a meeting makes it *dirty*, and only dirty meetings are asked for what they order.

mod carry;
mod entry;
mod register;

#[cfg(test)]
mod stories;

use super::site_message::SiteMessage;
use crate::config::{Config, MeetingConfig};
use crate::ids::{Link, MeetingId};
use crate::links::{KnownLines, Links};
use crate::media::{Bridge, MediaPlane, WorkerEvent, WorkerStats};
use crate::meeting::{self, ConnectionId, Invitation, Invited, MediaPath, Meeting, Now, Record};
use crate::metrics::SiteRow;
use crate::net::LinkBudget;
use crate::outgoing::Outgoing;
use protocol::{ErrorCode, SiteId};
use register::Register;
use sfu::time::after;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How soon a worker whose queue was full is asked again.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// How often the media workers are looked at, whether they turn, and Prometheus' numbers are brought up to date.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How often what is known of lines is written down, if it has changed.
const KEEP_INTERVAL: Duration = Duration::from_secs(60);

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// A new connection.
    Arrived {
        connection: ConnectionId,
        address: IpAddr,
    },
    Message {
        connection: ConnectionId,
        message: SiteMessage,
    },
    /// The connection could not take what it was sent, and is closed.
    TooSlow {
        connection: ConnectionId,
    },
    /// Changes of links were thrown away on their way to this connection: it needs all of them.
    NeedsLinks {
        connection: ConnectionId,
    },
    /// A worker reports.
    Media(WorkerEvent),
    /// The server goes down.
    Drain,
}

/// What the host is to do.
#[derive(Debug)]
pub enum Output {
    Send {
        connection: ConnectionId,
        message: Outgoing,
    },
    /// Closes the connection after what was sent to it.
    Close {
        connection: ConnectionId,
    },
    /// The connection is no stranger any more: it got the seat of this link, which has this budget.
    Admitted {
        connection: ConnectionId,
        link: Link,
        budget: LinkBudget,
    },
    /// The connection got the reason why it does not come in.
    Refused {
        connection: ConnectionId,
        code: ErrorCode,
    },
    /// It got the reason why it does not get what it asked for.
    NotDone {
        connection: ConnectionId,
        code: ErrorCode,
    },
    /// A fact of a meeting, which lasts.
    Record {
        meeting: MeetingId,
        record: Record,
    },
    /// A site's media came up, moved or went.
    Path {
        meeting: MeetingId,
        site: SiteId,
        path: MediaPath,
    },
    /// The meeting has left a worker that hangs.
    Moved {
        meeting: MeetingId,
        from: usize,
    },
    /// A worker's newest numbers.
    Worker {
        worker: usize,
        stats: Box<WorkerStats>,
    },
    /// The newest numbers of all seats.
    Rows {
        rows: Vec<SiteRow>,
        connections: usize,
    },
    /// The workers were looked at, and these hang.
    Looked {
        stuck: Vec<usize>,
    },
    /// Without this worker the server cannot go on.
    Lost {
        worker: usize,
    },
    /// What is known of the lines of all sites, to be kept for their next meetings.
    Lines {
        text: String,
    },
    /// The last connection of a server that goes down has gone.
    Drained,
    /// Nothing more until then, or until the next input.
    Timeout(Instant),
}

/// One open connection.
#[derive(Debug)]
struct Connection {
    address: IpAddr,
    /// Where its link leads.
    place: Option<Link>,
}

/// The hall. See the module's documentation for how to drive it.
pub struct Core {
    meetings: BTreeMap<MeetingId, Meeting>,
    register: Register,
    connections: BTreeMap<ConnectionId, Connection>,
    bridge: Bridge,
    links: Links,
    /// Meetings that may have something to order.
    dirty: BTreeSet<MeetingId>,
    /// When meetings have something to order by themselves.
    due: BTreeMap<MeetingId, Instant>,
    next_look: Instant,
    next_keep: Instant,
    /// Orders wait for workers whose queues were full.
    backlog: bool,
    /// There are numbers that Prometheus has not got yet.
    measured: bool,
    lost: Option<usize>,
    draining: bool,
    outputs: VecDeque<Output>,
}

impl Core {
    pub fn new(config: &Config, plane: Box<dyn MediaPlane>, known: KnownLines, now: Instant) -> Core {
        let max_seats = config.limits.sites_per_meeting;
        let meetings = config.meetings.iter();
        Core {
            meetings: meetings.map(|m| (m.id(), Meeting::new(invitation(m, max_seats)))).collect(),
            register: Register::new(config, now),
            connections: BTreeMap::new(),
            bridge: Bridge::new(plane),
            links: Links::new(now, known),
            dirty: BTreeSet::new(),
            due: BTreeMap::new(),
            next_look: now,
            next_keep: after(now, KEEP_INTERVAL),
            backlog: false,
            measured: false,
            lost: None,
            draining: false,
            outputs: VecDeque::new(),
        }
    }

    /// Something happened.
    pub fn handle_input(&mut self, now: Now, input: Input) {
        match input {
            Input::Arrived { connection, address } => {
                self.connections.insert(connection, Connection { address, place: None });
            }
            Input::Message { connection, message } => self.take(now, connection, message),
            Input::TooSlow { connection } => self.disconnected(now, connection),
            Input::NeedsLinks { connection } => {
                if let Some((meeting, _)) = self.place_of(connection) {
                    let message = self.links.whole(meeting);
                    self.send(connection, message);
                }
            }
            Input::Media(event) => self.bridge.handle_event(event),
            Input::Drain => {
                self.keep_lines(now);
                self.drain();
            }
        }
    }

    /// What the host is to do next. [`Output::Timeout`] comes last.
    pub fn poll_output(&mut self, now: Now) -> Output {
        if self.outputs.is_empty() {
            self.settle(now);
        }
        self.outputs.pop_front().unwrap_or_else(|| Output::Timeout(self.wake_at(now.instant)))
    }

    /// For log lines about a meeting: titles, names.
    pub fn meeting(&self, meeting: MeetingId) -> Option<&Meeting> {
        self.meetings.get(&meeting)
    }

    fn take(&mut self, now: Now, connection: ConnectionId, message: SiteMessage) {
        match message {
            SiteMessage::Hello { token, seat, takeover, fresh_seat } => {
                let hello = entry::Hello { connection, seat, takeover, fresh_seat };
                self.hello(now, &token, hello);
            }
            SiteMessage::Offer(offer) => match self.seat_of(connection) {
                Some((meeting, site)) => {
                    let name = self.meetings.get(&meeting).map_or("", |meeting| meeting.name_of(site));
                    let known_bps = self.links.known().down_bps(name);
                    self.bridge.line_is_known((meeting, site), known_bps);
                    self.bridge.offer(meeting, site, offer);
                }
                None => self.refuse(connection, ErrorCode::OutOfOrder),
            },
            SiteMessage::Request(request) => {
                if let Some((meeting, _)) = self.place_of(connection) {
                    self.tell(now, meeting, meeting::Input::Request { connection, request });
                }
            }
            SiteMessage::Report(report) => {
                if let Some(link) = self.seat_of(connection) {
                    self.links.reported(link, report);
                }
            }
            SiteMessage::Gone => self.gone(now, connection),
        }
    }

    fn tell(&mut self, now: Now, meeting: MeetingId, input: meeting::Input) {
        if let Some(machine) = self.meetings.get_mut(&meeting) {
            machine.handle_input(now, input);
            self.dirty.insert(meeting);
        }
    }

    /// Polls all that may have something to order, until none has.
    fn settle(&mut self, now: Now) {
        self.look(now);
        self.turn_lights(now.instant);
        let due = self.due.iter().filter(|(_, at)| **at <= now.instant);
        self.dirty.extend(due.map(|(meeting, _)| *meeting));
        self.bridge.flush();
        loop {
            while let Some(meeting) = self.dirty.pop_first() {
                let due = self.settle_meeting(now, meeting);
                match due {
                    Some(at) => self.due.insert(meeting, at),
                    None => self.due.remove(&meeting),
                };
            }
            let effects = self.bridge.take_effects();
            if effects.is_empty() {
                break;
            }
            effects.into_iter().for_each(|effect| self.effect(now, effect));
        }
        self.backlog = self.bridge.retry();
        self.look_for_loss();
    }

    fn wake_at(&self, now: Instant) -> Instant {
        let retry = self.backlog.then(|| after(now, RETRY_INTERVAL));
        let due = self.due.values().copied();
        due.chain(retry).chain([self.links.wake_at()]).fold(self.next_look, Instant::min)
    }

    /// Looks at the media workers, and puts up the newest numbers of every seat, if there are any. All seats are
    /// copied: that is done at most as often as this, and not once for each worker that has measured.
    fn look(&mut self, now: Now) {
        if now.instant < self.next_look {
            return;
        }
        self.next_look = after(now.instant, LOOK_INTERVAL);
        if now.instant >= self.next_keep {
            self.next_keep = after(now.instant, KEEP_INTERVAL);
            self.keep_lines(now);
        }
        self.bridge.watch(now.instant);
        self.outputs.push_back(Output::Looked { stuck: self.bridge.stuck() });
        if std::mem::take(&mut self.measured) {
            let rows = self.rows();
            self.outputs.push_back(Output::Rows { rows, connections: self.connections.len() });
        }
    }

    fn keep_lines(&mut self, now: Now) {
        let text = self.links.known().to_keep(now.unix_ms);
        self.outputs.extend(text.map(|text| Output::Lines { text }));
    }

    fn rows(&self) -> Vec<SiteRow> {
        let seats =
            self.meetings.iter().flat_map(|(id, meeting)| meeting.seats().map(move |s| (*id, meeting, s)));
        let rows = seats.map(|(id, meeting, seat)| SiteRow {
            meeting: meeting.title().to_owned(),
            sample: self.links.newest((id, seat.site)),
            seat,
        });
        rows.collect()
    }

    /// Link lights: grades the lines when it is time, and sends what is due of what has changed.
    fn turn_lights(&mut self, now: Instant) {
        if self.links.begins_round(now) {
            for (id, meeting) in &self.meetings {
                let seats: Vec<_> = meeting.seats().collect();
                self.links.look(now, *id, &seats);
            }
            self.links.spread(now);
            self.measured = true;
        }
        for (meeting, site, message) in self.links.due(now) {
            self.send_to_site(meeting, site, message);
        }
    }

    /// Reported once: nothing brings a worker back.
    fn look_for_loss(&mut self) {
        if self.lost.is_none()
            && let Some(worker) = self.bridge.lost_worker()
        {
            self.lost = Some(worker);
            self.outputs.push_back(Output::Lost { worker });
        }
    }
}

fn invitation(meeting: &MeetingConfig, max_seats: usize) -> Invitation {
    let sites = meeting.sites.iter();
    let sites = sites.map(|s| Invited { site: s.id(), name: s.name.clone(), role: s.role });
    Invitation { title: meeting.title.clone(), sites: sites.collect(), max_seats }
}
