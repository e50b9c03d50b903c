//! Meetings told step by step, in virtual time.

mod acts;
mod facts;
mod seats;

use super::*;
use protocol::{ActionKind, ErrorCode, MeetingView, MicrophoneState, Presence, SiteView};

pub const CHAIR: SiteId = SiteId(0);
pub const AN_PHUOC: SiteId = SiteId(1);
pub const BINH_SON: SiteId = SiteId(2);
pub const PHUOC_THAI: SiteId = SiteId(3);

pub fn invitation(max_seats: usize) -> Invitation {
    let site = |site, name: &str, role| Invited { site, name: name.to_owned(), role };
    Invitation {
        title: "Giao ban".to_owned(),
        sites: vec![
            site(CHAIR, "Huyện Long Thành", Role::Chair),
            site(AN_PHUOC, "An Phước", Role::Site),
            site(BINH_SON, "Bình Sơn", Role::Site),
            site(PHUOC_THAI, "Phước Thái", Role::Site),
        ],
        max_seats,
    }
}

/// A meeting and everything it ordered.
pub struct Story {
    pub meeting: Meeting,
    now: Now,
    connections: u64,
    pub orders: Vec<Output>,
    /// All records so far.
    pub journal: Vec<Record>,
}

impl Story {
    pub fn begins(max_seats: usize) -> Story {
        Story {
            meeting: Meeting::new(invitation(max_seats)),
            now: Now { instant: Instant::now(), unix_ms: 1_000_000 },
            connections: 0,
            orders: Vec::new(),
            journal: Vec::new(),
        }
    }

    pub fn passes(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.unix_ms += time.as_millis() as u64;
        self.happens(Input::Wake);
    }

    /// Something happens; `orders` holds the outputs.
    pub fn happens(&mut self, input: Input) {
        self.orders.clear();
        self.meeting.handle_input(self.now, input);
        loop {
            match self.meeting.poll_output(self.now) {
                Output::Timeout(_) => break,
                order => self.orders.push(order),
            }
        }
        self.journal.extend(self.records().into_iter().cloned().collect::<Vec<_>>());
    }

    /// A new connection sends hello.
    pub fn knocks(&mut self, site: SiteId) -> ConnectionId {
        self.hello(site, None, false)
    }

    pub fn hello(&mut self, site: SiteId, seat: Option<Secret>, takeover: bool) -> ConnectionId {
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        self.happens(Input::Hello {
            connection,
            site,
            seat,
            takeover,
            fresh_seat: format!("secret {}", self.connections).into(),
        });
        connection
    }

    /// Comes in and has media.
    pub fn enters(&mut self, site: SiteId) -> ConnectionId {
        let connection = self.knocks(site);
        assert_eq!(self.refusal(connection), None, "{site:?} comes in");
        self.path(site, MediaPath::Up);
        connection
    }

    pub fn path(&mut self, site: SiteId, path: MediaPath) {
        self.happens(Input::Path { site, path });
    }

    /// Its microphone and its camera begin to arrive.
    pub fn sends(&mut self, site: SiteId) {
        for kind in [SourceKind::Microphone, SourceKind::Camera] {
            self.happens(Input::Publishing { site, kind, active: true });
        }
    }

    /// A source does not come any more.
    pub fn stops(&mut self, site: SiteId, kind: SourceKind) {
        self.happens(Input::Publishing { site, kind, active: false });
    }

    pub fn vanishes(&mut self, connection: ConnectionId) {
        self.happens(Input::Disconnected { connection });
    }

    pub fn asks(&mut self, connection: ConnectionId, request: Request) {
        self.happens(Input::Request { connection, request });
    }

    pub fn acts(&mut self, connection: ConnectionId, action: Action) {
        self.asks(connection, Request::Act(action));
    }

    pub fn told(&self, connection: ConnectionId) -> impl Iterator<Item = &ServerMessage> {
        self.orders.iter().filter_map(move |order| match order {
            Output::Send { connection: to, message } if *to == connection => Some(message),
            Output::Broadcast { connections, message } if connections.contains(&connection) => Some(message),
            _ => None,
        })
    }

    pub fn refusal(&self, connection: ConnectionId) -> Option<ErrorCode> {
        self.told(connection).find_map(|message| match message {
            ServerMessage::Refused { code, .. } | ServerMessage::Error { code, .. } => Some(*code),
            _ => None,
        })
    }

    pub fn goodbye(&self, connection: ConnectionId) -> Option<GoodbyeReason> {
        assert!(self.told(connection).count() <= 2);
        self.told(connection).find_map(|message| match message {
            ServerMessage::Goodbye { reason } => Some(*reason),
            _ => None,
        })
    }

    pub fn records(&self) -> Vec<&Record> {
        let records = self.orders.iter().filter_map(|order| match order {
            Output::Record(record) => Some(record),
            _ => None,
        });
        records.collect()
    }

    pub fn is_closed(&self, connection: ConnectionId) -> bool {
        self.orders.contains(&Output::Close { connection })
    }

    /// The secret in the welcome.
    pub fn seat(&self, connection: ConnectionId) -> Secret {
        let seat = self.told(connection).find_map(|message| match message {
            ServerMessage::Welcome { seat, .. } => Some(seat.clone()),
            _ => None,
        });
        seat.expect("welcomed")
    }

    /// The secret that the holder of the seat was given.
    pub fn meeting_seat(&self, site: SiteId) -> Secret {
        self.meeting.lasting.of(site).seat.clone().expect("seated")
    }

    /// Comes back to its seat, and has media.
    pub fn returns(&mut self, site: SiteId) -> ConnectionId {
        let connection = self.hello(site, Some(self.meeting_seat(site)), false);
        assert_eq!(self.refusal(connection), None, "{site:?} comes back");
        self.path(site, MediaPath::Up);
        connection
    }

    pub fn site(&self, site: SiteId) -> SiteView {
        self.meeting.view(Role::Chair).sites[site.0 as usize].clone()
    }

    pub fn presence(&self, site: SiteId) -> Presence {
        self.site(site).presence
    }

    pub fn microphone(&self, site: SiteId) -> MicrophoneState {
        self.site(site).microphone
    }

    pub fn may_speak(&self, site: SiteId) -> bool {
        let stage = self.meeting.stage();
        let found = stage.sites.iter().find(|s| s.site == site);
        found.expect("seated").microphone_open
    }
}

#[test]
fn changes_in_a_row_are_shown_together() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    story.passes(CALM);
    for site in [AN_PHUOC, BINH_SON, PHUOC_THAI] {
        story.happens(Input::Hello {
            connection: ConnectionId(90 + u64::from(site.0)),
            site,
            seat: None,
            takeover: false,
            fresh_seat: "s".into(),
        });
    }
    assert_eq!(story.told(chair).count(), 0, "the spacing holds it back");
    story.passes(SNAPSHOT_SPACING);
    let shown: Vec<_> = story.told(chair).collect();
    assert_eq!(shown.len(), 1, "one snapshot for three sites");
    story.passes(Duration::from_secs(60));
    assert_eq!(story.orders, [], "nothing new, nothing sent");
}

#[test]
fn a_site_that_flaps_does_not_flood_the_others() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    let flapping = story.enters(AN_PHUOC);
    story.path(AN_PHUOC, MediaPath::Up);
    let steps = 100;
    let mut seen = 0;
    for step in 0..steps {
        let media = Request::Media { microphone: step % 2 == 0, camera: true, content: true };
        story.asks(flapping, media);
        seen += story.told(chair).count();
        story.passes(SNAPSHOT_SPACING);
        seen += story.told(chair).count();
    }
    let longest = (SNAPSHOT_SPACING * steps).div_duration_f64(LONGEST_SPACING) as usize;
    assert!((longest..longest + 5).contains(&seen), "{seen} snapshots");
    story.passes(LONGEST_SPACING);
    story.passes(CALM);
    story.acts(chair, Action::Lock { locked: true });
    assert_eq!(story.told(chair).count(), 1, "when it is calm again a click is seen at once");
}

#[test]
fn what_changes_nothing_is_not_sent() {
    let mut story = Story::begins(10);
    let site = story.enters(AN_PHUOC);
    let wish = SlotWish { site: CHAIR, kind: SourceKind::Camera, max_height: 360 };
    for request in [
        Request::Media { microphone: false, camera: true, content: false },
        Request::Wishes(vec![Some(wish), None]),
    ] {
        story.asks(site, request.clone());
        assert!(story.orders.contains(&Output::Restage), "{request:?}");
        story.passes(CALM);
        story.asks(site, request);
        assert_eq!(story.orders, []);
    }
}

#[test]
fn every_site_learns_what_it_may_do() {
    let mut story = Story::begins(10);
    let chair = story.knocks(CHAIR);
    let actions = |story: &Story, connection| {
        story.told(connection).find_map(|m| match m {
            ServerMessage::Welcome { actions, .. } => Some(actions.clone()),
            _ => None,
        })
    };
    assert_eq!(actions(&story, chair).expect("welcomed").len(), 10);
    let site = story.knocks(AN_PHUOC);
    assert_eq!(actions(&story, site), Some(vec![ActionKind::ShareContent]));
}

fn seen_by(story: &Story, connection: ConnectionId) -> Option<MeetingView> {
    story.told(connection).find_map(|message| match message {
        ServerMessage::Meeting { meeting } => Some(meeting.clone()),
        _ => None,
    })
}

#[test]
fn every_site_sees_the_meeting_as_its_role_may() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    let site = story.knocks(AN_PHUOC);
    let view = |role, story: &Story| Some(story.meeting.view(role));
    assert_eq!(seen_by(&story, site), view(Role::Site, &story), "a newcomer sees it at once");
    assert_eq!(seen_by(&story, chair), None, "the others with the next snapshot");
    story.passes(LONGEST_SPACING);
    story.passes(CALM);
    story.acts(chair, Action::Lock { locked: true });
    assert_eq!(seen_by(&story, chair), view(Role::Chair, &story));
    assert_eq!(seen_by(&story, site), view(Role::Site, &story));
    assert_ne!(view(Role::Chair, &story), view(Role::Site, &story));
}
