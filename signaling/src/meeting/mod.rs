//! The meeting machine: who may come in, who is here, who may do what. No I/O, no clock, no randomness, no media types.
//!
//! **Drive [`Meeting`] like this: pass it what happened and when with `handle_input`, then carry out what `poll_output`
//! orders until it returns [`Output::Timeout`]; nothing else changes it.**
//!
//! An input is decided first (`decide.rs`, which only looks), what lasts of the decision is a list of facts (`fact.rs`),
//! and facts alone change what lasts (`apply.rs`). What follows from them for connections and media is in `effect.rs`,
//! and what comes and goes without a fact in `seat.rs`.
//!
//! ```
//! # use {protocol::{Role, Secret, SiteId}, signaling::meeting::*, std::time::Instant};
//! # let now = Now { instant: Instant::now(), unix_ms: 0 };
//! let chair = Invited { site: SiteId(1), name: "Huyện".into(), role: Role::Chair };
//! let mut meeting = Meeting::new(Invitation { title: "Giao ban".into(), sites: vec![chair], max_seats: 2 });
//! let (connection, site, fresh_seat) = (ConnectionId(1), SiteId(1), Secret::fresh());
//! meeting.handle_input(now, Input::Hello { connection, site, seat: None, takeover: false, fresh_seat });
//! while !matches!(meeting.poll_output(now), Output::Timeout(_)) { /* to connections and to media */ }
//! assert_eq!(meeting.site_of(connection), Some(site));
//! ```

mod apply;
mod claim;
mod decide;
mod effect;
mod fact;
mod rules;
mod seat;
mod told;
mod view;

#[cfg(test)]
mod stories;

use crate::error::Refusal;
use apply::Lasting;
pub use fact::{Fact, Record};
use protocol::Secret;
use protocol::{Action, GoodbyeReason, Role, ServerMessage, SiteId, SlotWish, SourceKind};
pub use seat::Flow;
use seat::Site;
use sfu::time::after;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
pub use view::SeatRow;

/// A click of the chair's must be seen everywhere within a second; a storm of sixty
/// sites coming back at once must not become sixty times sixty snapshots. 50 ms serves both.
const SNAPSHOT_SPACING: Duration = Duration::from_millis(50);
/// While changes do not end the spacing doubles up to this: one site that flaps twenty times a second
/// must not fill the weak lines of all others, and a click is still seen within the second.
const LONGEST_SPACING: Duration = Duration::from_millis(400);
/// After a snapshot so long ago the next change is shown at once again.
const CALM: Duration = Duration::from_secs(1);

/// The host's two clocks, read together.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub instant: Instant,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

/// One WebSocket connection. Never reused by the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// What the meeting is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Invitation {
    pub title: String,
    /// Sites in the order they are shown, the chair's first.
    pub sites: Vec<Invited>,
    /// Seats that may be held at the same time; the chair always finds one.
    pub max_seats: usize,
}

/// A site that may come. Facts name it by `site`, which must mean the same site for as long as they are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Invited {
    pub site: SiteId,
    pub name: String,
    pub role: Role,
}

/// State of a site's media path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaPath {
    /// None, or a new one not yet up.
    Pending,
    Up,
    /// Was up, and is silent.
    Down,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A connection with the link of `site` asks to come in.
    Hello {
        connection: ConnectionId,
        site: SiteId,
        seat: Option<Secret>,
        takeover: bool,
        /// A fresh secret, used when this hello gets a new seat.
        fresh_seat: Secret,
    },
    /// The connection is gone, for whatever reason.
    Disconnected {
        connection: ConnectionId,
    },
    /// What the site in this connection asks for.
    Request {
        connection: ConnectionId,
        request: Request,
    },
    /// The media quarter reports.
    Path {
        site: SiteId,
        path: MediaPath,
    },
    Publishing {
        site: SiteId,
        kind: SourceKind,
        active: bool,
    },
    /// Time went by.
    Wake,
}

/// What a site inside asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    Wishes(Vec<Option<SlotWish>>),
    /// One mix in place of each voice.
    Hearing {
        mixed: bool,
    },
    Media {
        microphone: bool,
        camera: bool,
        content: bool,
    },
    Act(Action),
    Leave,
}

/// What the host is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    Send {
        connection: ConnectionId,
        message: ServerMessage,
    },
    /// The same to many.
    Broadcast {
        connections: Vec<ConnectionId>,
        message: ServerMessage,
    },
    /// Closes the connection after what was sent to it.
    Close {
        connection: ConnectionId,
    },
    /// This site's media ends.
    DropMedia {
        site: SiteId,
    },
    /// The media of all sites ends.
    CloseMedia,
    /// A fact, which lasts: for a host that keeps a journal.
    Record(Record),
    /// [`Meeting::stage`] has changed.
    Restage,
    /// This connection got the seat: send it what its slots carry.
    Attached {
        site: SiteId,
    },
    /// Nothing more until then, or until the next input.
    Timeout(Option<Instant>),
}

/// What the media quarter needs to know of the meeting.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stage {
    /// Whom everybody sees in the first slot.
    pub big_screen: Option<SiteId>,
    /// Who is heard however loud others are.
    pub floor: Option<SiteId>,
    /// Every site that holds a seat.
    pub sites: Vec<StageSite>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct StageSite {
    pub site: SiteId,
    pub is_chair: bool,
    /// The server lets this microphone through.
    pub microphone_open: bool,
    /// The site reports that its camera is on. What it calls off is not forwarded, whatever it sends.
    pub camera_open: bool,
    pub content_open: bool,
    pub content_active: bool,
    pub wishes: Vec<Option<SlotWish>>,
    pub asks_for_mix: bool,
}

/// One meeting. See the module's documentation for how to drive it.
#[derive(Debug)]
pub struct Meeting {
    title: String,
    sites: Vec<Site>,
    max_seats: usize,
    lasting: Lasting,
    outputs: VecDeque<Output>,
    /// Some site's view is older than the state.
    unseen: bool,
    last_snapshot: Option<Instant>,
    spacing: Duration,
}

impl Meeting {
    pub fn new(invitation: Invitation) -> Meeting {
        Meeting {
            title: invitation.title,
            sites: invitation.sites.into_iter().map(Site::new).collect(),
            max_seats: invitation.max_seats,
            lasting: Lasting::default(),
            outputs: VecDeque::new(),
            unseen: false,
            last_snapshot: None,
            spacing: SNAPSHOT_SPACING,
        }
    }

    /// The meeting of which these records were kept, in their order: no site is connected, and seats wait.
    pub fn restored(invitation: Invitation, records: impl IntoIterator<Item = Record>) -> Meeting {
        let mut meeting = Meeting::new(invitation);
        records.into_iter().for_each(|record| meeting.lasting.apply(&record));
        for site in &mut meeting.sites {
            let standing = meeting.lasting.of(site.id);
            site.sit(standing.muted);
            site.presence = site.presence_of(standing);
        }
        meeting
    }

    /// Something happened.
    pub fn handle_input(&mut self, now: Now, input: Input) {
        match self.decide(now, &input) {
            Ok(records) => {
                records.into_iter().for_each(|record| self.establish(now, record));
                self.follow(now, input);
            }
            Err(refusal) => self.refuse(&input, refusal),
        }
    }

    /// What the host is to do next. [`Output::Timeout`] comes last.
    pub fn poll_output(&mut self, now: Now) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        if self.unseen {
            let due = self.last_snapshot.map(|at| after(at, self.spacing));
            if let Some(due) = due.filter(|due| *due > now.instant) {
                return Output::Timeout(Some(due));
            }
            self.unseen = false;
            self.pace(now.instant);
            self.broadcast_view();
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
        }
        Output::Timeout(None)
    }

    /// A snapshot goes out now: when may the next one?
    fn pace(&mut self, now: Instant) {
        let calm = self.last_snapshot.is_none_or(|at| now.saturating_duration_since(at) >= CALM);
        self.spacing = match calm {
            true => SNAPSHOT_SPACING,
            false => self.spacing.saturating_mul(2).min(LONGEST_SPACING),
        };
        self.last_snapshot = Some(now);
    }

    /// What an input changes of what does not last. Facts have taken effect already.
    fn follow(&mut self, now: Now, input: Input) {
        match input {
            Input::Hello { connection, site, .. } => self.attach(now, connection, site),
            Input::Disconnected { connection } => self.disconnected(now, connection),
            Input::Request { connection, request } => {
                if let Some(site) = self.site_of(connection) {
                    self.requested_of(site, request);
                }
            }
            Input::Path { site, path } => self.path_changed(now, site, path),
            Input::Publishing { site, kind, active } => self.publishing(now, site, kind, active),
            Input::Wake => {}
        }
    }

    fn path_changed(&mut self, now: Now, site: SiteId, path: MediaPath) {
        if let Some(place) = self.site_mut(site) {
            place.path = path;
            if path == MediaPath::Pending {
                place.begin_media();
            }
            self.update_presence(now, site);
            self.unseen = true;
        }
    }

    fn publishing(&mut self, now: Now, site: SiteId, kind: SourceKind, active: bool) {
        if let Some(site) = self.site_mut(site) {
            site.receive(kind, active);
        }
        self.update_presence(now, site);
        self.changed();
    }

    /// Both the view and the desired media may differ from before.
    fn changed(&mut self) {
        self.unseen = true;
        self.restage();
    }

    fn restage(&mut self) {
        // One that directly follows another adds nothing.
        if self.outputs.back() != Some(&Output::Restage) {
            self.outputs.push_back(Output::Restage);
        }
    }

    fn send(&mut self, connection: ConnectionId, message: ServerMessage) {
        self.outputs.push_back(Output::Send { connection, message });
    }

    fn refuse(&mut self, input: &Input, refusal: Refusal) {
        match *input {
            Input::Hello { connection, .. } => {
                self.send(connection, refusal.refused());
                self.outputs.push_back(Output::Close { connection });
            }
            Input::Request { connection, .. } => self.send(connection, refusal.error()),
            // Nothing was asked for.
            Input::Disconnected { .. } | Input::Path { .. } | Input::Publishing { .. } | Input::Wake => {}
        }
    }

    fn dismiss(&mut self, connection: ConnectionId, reason: GoodbyeReason) {
        self.send(connection, ServerMessage::Goodbye { reason });
        self.outputs.push_back(Output::Close { connection });
    }

    fn site(&self, site: SiteId) -> Option<&Site> {
        self.sites.iter().find(|s| s.id == site)
    }

    fn site_mut(&mut self, site: SiteId) -> Option<&mut Site> {
        self.sites.iter_mut().find(|s| s.id == site)
    }

    /// The site that holds its seat through this connection.
    pub fn site_of(&self, connection: ConnectionId) -> Option<SiteId> {
        let holder = self.sites.iter().find(|s| s.connection == Some(connection));
        holder.map(|s| s.id)
    }

    pub fn connection_of(&self, site: SiteId) -> Option<ConnectionId> {
        self.site(site)?.connection
    }

    /// All connections that hold a seat.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        self.sites.iter().filter_map(|s| s.connection)
    }
}
