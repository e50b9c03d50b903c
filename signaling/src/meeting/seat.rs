//! Which sites are here, as far as it does not last: connections, media paths, what sites report of their sources and
//! what arrives of them. A seat waits for its site without limit.

use super::apply::Standing;
use super::{ConnectionId, Invited, MediaPath, Meeting, Now, Output, rules};
use protocol::{GoodbyeReason, Presence, Role, ServerMessage, SiteId, SlotWish, SourceKind, VERSION};
use std::time::Instant;

const KINDS: [SourceKind; 3] = [SourceKind::Microphone, SourceKind::Camera, SourceKind::Content];
/// What sends all the time while it is on; of a document nothing need come between two pages.
const LIVE: [SourceKind; 2] = [SourceKind::Microphone, SourceKind::Camera];

/// One flag per source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sources {
    pub microphone: bool,
    pub camera: bool,
    pub content: bool,
}

impl Sources {
    pub const NONE: Sources = Sources { microphone: false, camera: false, content: false };
    /// What a site that has reported nothing is taken to send.
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

/// Whether what a site reports as on also arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Steady,
    Stopped,
}

/// One invited site, and what is known of it just now. What lasts is its [`Standing`].
#[derive(Debug)]
pub(super) struct Site {
    pub id: SiteId,
    pub name: String,
    pub role: Role,
    pub connection: Option<ConnectionId>,
    pub path: MediaPath,
    pub presence: Presence,
    pub since_ms: Option<u64>,
    pub reconnections: u32,
    /// When another device last took the seat, by a clock that is never set.
    pub last_takeover: Option<Instant>,
    pub said: Sources,
    /// Whether the site has reported its sources at all; foreign clients may not.
    pub has_said: bool,
    /// What comes from it just now.
    pub received: Sources,
    /// What has come since the site turned it on, on this connection.
    pub seen: Sources,
    pub wishes: Vec<Option<SlotWish>>,
    pub asks_for_mix: bool,
}

impl Site {
    pub fn new(invited: Invited) -> Site {
        Site {
            id: invited.site,
            name: invited.name,
            role: invited.role,
            connection: None,
            path: MediaPath::Pending,
            presence: Presence::Away,
            since_ms: None,
            reconnections: 0,
            last_takeover: None,
            said: Sources::ALL,
            has_said: false,
            received: Sources::NONE,
            seen: Sources::NONE,
            wishes: Vec::new(),
            asks_for_mix: false,
        }
    }

    /// A site whose media arrives is seen and heard: its WebSocket, which shares a narrow line with that media and may
    /// stand still for longer than it is waited for, does not make it lost.
    pub fn presence_of(&self, standing: &Standing) -> Presence {
        match (self.connection, self.path) {
            _ if standing.removed => Presence::Removed,
            _ if standing.seat.is_none() => Presence::Away,
            (None, MediaPath::Up) if !self.stands_still() => Presence::Present,
            (None, _) | (_, MediaPath::Down) => Presence::Lost,
            (Some(_), MediaPath::Pending) => Presence::Joining,
            (Some(_), MediaPath::Up) => Presence::Present,
        }
    }

    /// Recomputes the presence and notes when it changed.
    pub fn update_presence(&mut self, standing: &Standing, unix_ms: u64) {
        let presence = self.presence_of(standing);
        if presence != self.presence {
            let came_back =
                self.presence == Presence::Lost && matches!(presence, Presence::Joining | Presence::Present);
            self.reconnections = self.reconnections.saturating_add(u32::from(came_back));
            self.presence = presence;
            self.since_ms = Some(unix_ms);
        }
    }

    /// The seat is free.
    pub fn vacate(&mut self) {
        self.path = MediaPath::Pending;
        self.begin_media();
        self.wishes.clear();
        self.asks_for_mix = false;
    }

    /// Another device gets the seat. A microphone that the chair has closed is closed from the start.
    pub fn sit(&mut self, muted: bool) {
        self.vacate();
        self.said = Sources { microphone: !muted, ..Sources::ALL };
        self.has_said = false;
    }

    /// A new media connection has brought nothing yet.
    pub fn begin_media(&mut self) {
        self.received = Sources::NONE;
        self.seen = Sources::NONE;
    }

    /// What the site reports of its sources; true when that is a change.
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

    /// A source of the site begins to arrive, or has stopped.
    pub fn receive(&mut self, kind: SourceKind, active: bool) {
        self.received.set(kind, active);
        if active {
            self.seen.set(kind, true);
        }
    }

    /// Whether a source is on is what its site reports, whatever its line carries; for a site that reports nothing it
    /// is what arrives, or what arrived before all of it stood still.
    pub fn is_on(&self, kind: SourceKind) -> bool {
        let comes = || self.received.get(kind) || (self.seen.get(kind) && self.stands_still());
        self.said.get(kind) && (self.has_said || comes())
    }

    /// Nothing comes any more of the microphone and the camera that did: a line that carries nothing. Of a site that has
    /// turned one of them off, the other still comes.
    fn stands_still(&self) -> bool {
        let mut expected =
            LIVE.into_iter().filter(|kind| self.said.get(*kind) && self.seen.get(*kind)).peekable();
        expected.peek().is_some() && expected.all(|kind| !self.received.get(kind))
    }

    /// Content is shown with its first picture, and then for as long as it is on: between two pages of a document
    /// nothing need arrive.
    pub fn shows_content(&self) -> bool {
        self.is_on(SourceKind::Content) && self.seen.content
    }

    /// A microphone or a camera that is on and was there has stopped coming: its line stands still.
    pub fn flow(&self) -> Flow {
        let stopped =
            LIVE.into_iter().any(|kind| self.is_on(kind) && self.seen.get(kind) && !self.received.get(kind));
        if stopped { Flow::Stopped } else { Flow::Steady }
    }

    pub fn is_chair(&self) -> bool {
        self.role == Role::Chair
    }
}

impl Meeting {
    /// From now on the site uses this connection.
    pub(super) fn attach(&mut self, now: Now, connection: ConnectionId, site: SiteId) {
        let Some(place) = self.site_mut(site) else {
            return;
        };
        let role = place.role;
        let previous = place.connection.replace(connection);
        self.update_presence(now, site);
        if let Some(previous) = previous {
            self.dismiss(previous, GoodbyeReason::TakenOver);
        }
        let welcome = ServerMessage::Welcome {
            version: VERSION,
            you: site,
            role,
            seat: self.lasting.of(site).seat.clone().unwrap_or_default(),
            actions: rules::allowed(role),
        };
        self.send(connection, welcome);
        // The newcomer sees the meeting at once; the others with the next snapshot.
        self.send(connection, ServerMessage::Meeting { meeting: self.view(role) });
        self.outputs.push_back(Output::Attached { site });
        self.changed();
    }

    /// The seat stays; where no media comes either, the chair sees since when the site is lost.
    pub(super) fn disconnected(&mut self, now: Now, connection: ConnectionId) {
        if let Some(site) = self.site_of(connection) {
            if let Some(place) = self.site_mut(site) {
                place.connection = None;
            }
            self.update_presence(now, site);
            self.changed();
        }
    }
}
