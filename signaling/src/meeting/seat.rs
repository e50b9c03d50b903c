//! Seats: coming in, coming back, being taken over, leaving. A seat waits for its site without limit.

use super::claim::{Claim, Entry};
use super::{ConnectionId, MediaPath, Meeting, Now, Output, rules};
use crate::error::Refusal;
use crate::protocol::{
    ErrorCode, GoodbyeReason, Presence, Role, ServerMessage, SiteId, SlotWish, SourceKind, VERSION,
};
use crate::secret::Secret;
use std::time::Instant;

const KINDS: [SourceKind; 3] = [SourceKind::Microphone, SourceKind::Camera, SourceKind::Content];

/// One flag per source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sources {
    pub microphone: bool,
    pub camera: bool,
    pub content: bool,
}

impl Sources {
    pub const NONE: Sources = Sources { microphone: false, camera: false, content: false };
    /// What a site that has not said otherwise is taken to send.
    pub const ALL: Sources = Sources { microphone: true, camera: true, content: true };

    pub fn get(self, kind: SourceKind) -> bool {
        match kind {
            SourceKind::Microphone => self.microphone,
            SourceKind::Camera => self.camera,
            SourceKind::Content => self.content,
        }
    }

    pub fn set(&mut self, kind: SourceKind, active: bool) {
        match kind {
            SourceKind::Microphone => self.microphone = active,
            SourceKind::Camera => self.camera = active,
            SourceKind::Content => self.content = active,
        }
    }
}

/// Whether what a site says is on also comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Steady,
    Stopped,
}

/// One invited site and its seat.
#[derive(Debug)]
pub(super) struct Site {
    pub id: SiteId,
    pub name: String,
    pub role: Role,
    /// The secret of whoever holds the seat; `None`: the seat is free.
    pub seat: Option<Secret>,
    pub connection: Option<ConnectionId>,
    pub path: MediaPath,
    pub presence: Presence,
    pub since_ms: Option<u64>,
    pub reconnections: u32,
    /// When another device last took the seat, by a clock that is never set.
    pub last_takeover: Option<Instant>,
    /// The same for people.
    pub taken_over_ms: Option<u64>,
    pub takeovers: u32,
    /// Closed by the chair.
    pub muted: bool,
    pub removed: bool,
    /// Was inside this meeting at any time: a lock does not keep it out.
    pub was_inside: bool,
    pub said: Sources,
    /// Whether the site has said anything of its sources at all; foreign clients may not.
    pub has_said: bool,
    /// What comes from it just now.
    pub received: Sources,
    /// What has come since the site turned it on, on this connection.
    pub seen: Sources,
    pub wishes: Vec<Option<SlotWish>>,
}

impl Site {
    pub fn new(id: SiteId, name: String, role: Role) -> Site {
        Site {
            id,
            name,
            role,
            seat: None,
            connection: None,
            path: MediaPath::Pending,
            presence: Presence::Away,
            since_ms: None,
            reconnections: 0,
            last_takeover: None,
            taken_over_ms: None,
            takeovers: 0,
            muted: false,
            removed: false,
            was_inside: false,
            said: Sources::ALL,
            has_said: false,
            received: Sources::NONE,
            seen: Sources::NONE,
            wishes: Vec::new(),
        }
    }

    /// Works out the presence anew and notes when it changed.
    pub fn update_presence(&mut self, unix_ms: u64) {
        let presence = if self.removed {
            Presence::Removed
        } else if self.seat.is_none() {
            Presence::Away
        } else {
            match (self.connection, self.path) {
                (None, _) | (_, MediaPath::Down) => Presence::Lost,
                (Some(_), MediaPath::Pending) => Presence::Joining,
                (Some(_), MediaPath::Up) => Presence::Present,
            }
        };
        if presence != self.presence {
            let came_back =
                self.presence == Presence::Lost && matches!(presence, Presence::Joining | Presence::Present);
            self.reconnections = self.reconnections.saturating_add(u32::from(came_back));
            self.presence = presence;
            self.since_ms = Some(unix_ms);
        }
    }

    /// Gives the seat up.
    pub fn vacate(&mut self, unix_ms: u64) {
        self.seat = None;
        self.connection = None;
        self.path = MediaPath::Pending;
        self.begin_media();
        self.wishes.clear();
        self.update_presence(unix_ms);
    }

    /// Sits down under a new secret. What the chair has decided stays.
    fn sit(&mut self, secret: Secret) {
        self.seat = Some(secret);
        self.path = MediaPath::Pending;
        self.said = Sources { microphone: !self.muted, ..Sources::ALL };
        self.has_said = false;
        self.begin_media();
        self.wishes.clear();
        self.was_inside = true;
    }

    /// A new media connection has brought nothing yet.
    pub fn begin_media(&mut self) {
        self.received = Sources::NONE;
        self.seen = Sources::NONE;
    }

    /// What the site says of its sources; true when that is news.
    pub fn say(&mut self, said: Sources) -> bool {
        let news = self.said != said || !self.has_said;
        for kind in KINDS {
            // What is turned on again has not been seen yet, unless it has never stopped coming.
            let seen = if self.said.get(kind) { self.seen } else { self.received };
            self.seen.set(kind, said.get(kind) && seen.get(kind));
        }
        self.said = said;
        self.has_said = true;
        news
    }

    /// A source of the site begins to come, or has fallen silent.
    pub fn receive(&mut self, kind: SourceKind, active: bool) {
        self.received.set(kind, active);
        if active {
            self.seen.set(kind, true);
        }
    }

    /// Whether a source is on is what its site says, however its line stands; of a site that says nothing
    /// it is what comes.
    pub fn is_on(&self, kind: SourceKind) -> bool {
        self.said.get(kind) && (self.has_said || self.received.get(kind))
    }

    /// Content is shown with its first picture, and then for as long as it is on: between two pages of a
    /// document nothing need come.
    pub fn shows_content(&self) -> bool {
        self.is_on(SourceKind::Content) && self.seen.content
    }

    /// A microphone or a camera that is on and was there has stopped coming: its line stands still.
    pub fn flow(&self) -> Flow {
        let stopped = [SourceKind::Microphone, SourceKind::Camera]
            .into_iter()
            .any(|kind| self.is_on(kind) && self.seen.get(kind) && !self.received.get(kind));
        if stopped { Flow::Stopped } else { Flow::Steady }
    }

    pub fn is_chair(&self) -> bool {
        self.role == Role::Chair
    }
}

impl Meeting {
    /// Lets a site in, or says why not.
    pub(super) fn admit(
        &mut self,
        now: Now,
        connection: ConnectionId,
        site: SiteId,
        seat: Option<Secret>,
        entry: Entry,
        fresh_seat: Secret,
    ) -> Result<(), Refusal> {
        self.check_entry(now, site)?;
        let place = self.site_mut(site)?;
        let claim = place.claim(now, seat.as_ref(), entry)?;
        let previous = place.connection.replace(connection);
        if claim != Claim::Holder {
            place.sit(fresh_seat);
        }
        if claim == Claim::Takeover {
            place.note_takeover(now);
        }
        place.update_presence(now.unix_ms);
        if let Some(previous) = previous {
            self.dismiss(previous, GoodbyeReason::TakenOver);
        }
        if claim == Claim::Takeover {
            self.outputs.push_back(Output::DropMedia { site });
            self.outputs.push_back(Output::TakenOver { site, connection });
        }
        self.started_at_ms.get_or_insert(now.unix_ms);
        self.welcome(connection, site)
    }

    /// Whether the site may come in at all just now.
    fn check_entry(&mut self, now: Now, site: SiteId) -> Result<(), Refusal> {
        let held = self.sites.iter().filter(|s| s.seat.is_some()).count();
        let (ended, locked, max_seats) = (self.ended, self.locked, self.max_seats);
        let place = self.site_mut(site)?;
        if place.is_chair() {
            // The chair's link opens an ended meeting again: the same links serve every week.
            if let Some(ended) = ended {
                self.reopen(now, ended);
            }
            return Ok(());
        }
        if ended.is_some() {
            return Err(ErrorCode::MeetingEnded.into());
        }
        if place.removed {
            return Err(ErrorCode::SiteRemoved.into());
        }
        if locked && !place.was_inside {
            return Err(ErrorCode::MeetingLocked.into());
        }
        if place.seat.is_none() && held >= max_seats {
            return Err(ErrorCode::MeetingFull.into());
        }
        Ok(())
    }

    fn welcome(&mut self, connection: ConnectionId, site: SiteId) -> Result<(), Refusal> {
        let place = self.site_mut(site)?;
        let welcome = ServerMessage::Welcome {
            version: VERSION,
            you: site,
            role: place.role,
            seat: place.seat.clone().unwrap_or_default(),
            actions: rules::allowed(place.role),
        };
        self.send(connection, welcome);
        // The newcomer sees the meeting at once; the others with the next snapshot.
        self.send_view(connection, site);
        self.outputs.push_back(Output::Attached { site });
        self.changed();
        Ok(())
    }

    /// The seat stays; the chair sees since when the site is lost.
    pub(super) fn disconnected(&mut self, now: Now, connection: ConnectionId) {
        if let Some(site) = self.site_of(connection)
            && let Ok(place) = self.site_mut(site)
        {
            place.connection = None;
            place.update_presence(now.unix_ms);
            self.changed();
        }
    }

    /// A site goes by itself.
    pub(super) fn leave(&mut self, now: Now, site: SiteId) -> Result<(), Refusal> {
        let connection = self.empty_seat(now, site)?;
        if let Some(connection) = connection {
            self.outputs.push_back(Output::Close { connection });
        }
        Ok(())
    }

    /// Ends a site's media and frees its seat; answers the connection that held it.
    pub(super) fn empty_seat(&mut self, now: Now, site: SiteId) -> Result<Option<ConnectionId>, Refusal> {
        let place = self.site_mut(site)?;
        let connection = place.connection;
        place.vacate(now.unix_ms);
        if self.big_screen == Some(site) {
            self.big_screen = None;
        }
        self.outputs.push_back(Output::DropMedia { site });
        self.changed();
        Ok(connection)
    }
}
