//! Sequences of everything that can happen to a meeting, and what must hold after each of them.

use super::reader::Reader;
use protocol::Secret;
use protocol::{
    Action, ErrorCode, MeetingView, MicrophoneState, Presence, Role, ServerMessage, SiteId, SlotWish,
    SourceKind,
};
use signaling::meeting::{
    ConnectionId, Input, Invitation, Invited, MediaPath, Meeting, Now, Output, Request,
};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const SITES: u32 = 5;
/// Fewer than sites, so that the last seat is fought for.
const MAX_SEATS: usize = 3;
/// `meeting/mod.rs`: between two snapshots, at least and at most.
const SPACING: Duration = Duration::from_millis(50);
const LONGEST_SPACING: Duration = Duration::from_millis(400);
/// More outputs than one input can cause.
const MAX_OUTPUTS: usize = 100;

/// A sequence of steps, each led by a byte that chooses it.
pub fn meeting(data: &[u8]) {
    let mut host = Host::new();
    let mut input = Reader(data);
    while let Some(step) = input.step() {
        host.step(step, &mut input);
    }
    // Time enough for the last snapshot.
    host.passes(LONGEST_SPACING);
    host.check_views();
}

/// The host between a meeting and its connections.
struct Host {
    meeting: Meeting,
    now: Now,
    /// By number; none is used twice.
    connections: Vec<Connection>,
    /// Secrets that were handed out, the newest last.
    secrets: Vec<Secret>,
    ever_inside: BTreeSet<SiteId>,
    /// Whose media came, by the last report.
    media: BTreeSet<SiteId>,
    last_snapshot: Option<Instant>,
    due: Option<Instant>,
}

#[derive(Default)]
struct Connection {
    is_welcomed: bool,
    is_closed: bool,
    /// The newest snapshot it was sent.
    view: Option<MeetingView>,
}

/// The outcome of one input.
#[derive(Default)]
struct Outcome {
    errors: Vec<(ConnectionId, ErrorCode)>,
    welcomed: Option<ConnectionId>,
}

impl Host {
    fn new() -> Host {
        let role = |number| if number == 0 { Role::Chair } else { Role::Site };
        let invited =
            |number| Invited { site: SiteId(number), name: format!("site {number}"), role: role(number) };
        let sites = (0..SITES).map(invited).collect();
        let invitation = Invitation { title: "Giao ban".to_owned(), sites, max_seats: MAX_SEATS };
        Host {
            meeting: Meeting::new(invitation),
            now: Now { instant: Instant::now(), unix_ms: 1_000_000 },
            connections: Vec::new(),
            secrets: Vec::new(),
            ever_inside: BTreeSet::new(),
            media: BTreeSet::new(),
            last_snapshot: None,
            due: None,
        }
    }

    fn step(&mut self, step: u8, input: &mut Reader<'_>) {
        match step % 16 {
            0..=2 => self.hello(input),
            3 => self.vanishes(input),
            4..=7 => self.acts(input),
            8 => {
                let bits = input.byte();
                let [microphone, camera, content] = [1, 2, 4].map(|bit| bits & bit != 0);
                self.asks(input, Request::Media { microphone, camera, content });
            }
            9 => {
                let wishes = input.byte() % 8;
                let wishes = (0..wishes).map(|_| wish(input.byte())).collect();
                self.asks(input, Request::Wishes(wishes));
            }
            10 => self.asks(input, Request::Leave),
            11 | 12 => {
                let path =
                    [MediaPath::Up, MediaPath::Down, MediaPath::Pending][usize::from(input.byte() % 3)];
                let site = site(input.byte());
                self.media.remove(&site);
                self.media.extend((path == MediaPath::Up).then_some(site));
                self.happens(Input::Path { site, path });
            }
            13 => {
                let (kind, active) = (kind(input.byte()), input.byte() & 1 == 1);
                self.happens(Input::Publishing { site: site(input.byte()), kind, active });
            }
            14 => self.passes(Duration::from_millis(u64::from(input.byte()) * 4)),
            _ => self.passes(Duration::from_secs(u64::from(input.byte()).pow(2))),
        }
    }

    /// Joins with a secret it was given, or with a guess, or with none.
    fn hello(&mut self, input: &mut Reader<'_>) {
        let (site, choice) = (site(input.byte()), input.byte());
        let known = self.secrets.iter().rev().nth(usize::from(choice >> 4)).cloned();
        let (seat, takeover) = match choice & 3 {
            0 => (None, false),
            1 => (None, true),
            2 => (known, choice & 4 != 0),
            _ => (Some("a guess".into()), choice & 4 != 0),
        };
        let connection = ConnectionId(self.connections.len() as u64);
        self.connections.push(Connection::default());
        let before = self.meeting.view(Role::Chair);
        let held = self.meeting.connection_of(site).is_some();
        let fresh_seat = format!("secret {}", connection.0).into();
        let is_bare = !takeover && choice & 3 != 2;
        let outcome = self.happens(Input::Hello { connection, site, seat, takeover, fresh_seat });
        if outcome.welcomed == Some(connection) {
            let was_inside = !self.ever_inside.insert(site);
            let place = before.sites.get(site.0 as usize).expect("an invited site");
            let is_chair = place.role == Role::Chair;
            assert!(place.presence != Presence::Removed, "a site that was removed stays outside");
            assert!(is_chair || was_inside || !before.locked, "a lock keeps strangers out");
            assert!(!(held && is_bare), "a link without a secret takes no seat away");
        } else {
            let refused = outcome.errors.iter().any(|(to, _)| *to == connection);
            assert!(refused && self.connections[connection.0 as usize].is_closed);
        }
    }

    fn vanishes(&mut self, input: &mut Reader<'_>) {
        let connection = self.connection(input);
        if let Some(gone) = self.connections.get_mut(connection.0 as usize) {
            gone.is_closed = true;
        }
        self.happens(Input::Disconnected { connection });
        assert_eq!(self.meeting.site_of(connection), None);
    }

    /// Acts of the chair, and of sites that may not.
    fn acts(&mut self, input: &mut Reader<'_>) {
        let action = action(input.byte(), site(input.byte()));
        let connection = self.connection(input);
        let by = self.meeting.site_of(connection);
        let (view, stage) = (self.meeting.view(Role::Chair), self.meeting.stage());
        let allowed = by.is_some_and(|by| self.meeting.may_act(by, &action));
        let outcome = self.happens(Input::Request { connection, request: Request::Act(action.clone()) });
        if !allowed {
            let code = if by.is_some() { ErrorCode::Forbidden } else { ErrorCode::OutOfOrder };
            assert_eq!(outcome.errors, [(connection, code)], "{action:?}");
            assert!(view == self.meeting.view(Role::Chair) && stage == self.meeting.stage(), "{action:?}");
        }
    }

    fn asks(&mut self, input: &mut Reader<'_>, request: Request) {
        let connection = self.connection(input);
        let inside = self.meeting.site_of(connection).is_some();
        let outcome = self.happens(Input::Request { connection, request });
        assert_eq!(outcome.errors.is_empty(), inside, "only a site that is inside may act");
    }

    /// One of the newest, or one that never was.
    fn connection(&self, input: &mut Reader<'_>) -> ConnectionId {
        let ago = u64::from(input.byte() & 0x0f);
        ConnectionId((self.connections.len() as u64).wrapping_sub(ago))
    }

    fn passes(&mut self, time: Duration) {
        let end = self.now.instant + time;
        while let Some(due) = self.due.filter(|due| *due <= end) {
            self.set(due);
            self.happens(Input::Wake);
        }
        self.set(end);
        self.happens(Input::Wake);
    }

    fn set(&mut self, instant: Instant) {
        self.now.unix_ms += (instant - self.now.instant).as_millis() as u64;
        self.now.instant = instant;
    }

    fn happens(&mut self, input: Input) -> Outcome {
        self.meeting.handle_input(self.now, input);
        let mut outcome = Outcome::default();
        for _ in 0..MAX_OUTPUTS {
            let output = self.meeting.poll_output(self.now);
            if let Output::Timeout(due) = output {
                self.due = due;
                let soon = self.now.instant + LONGEST_SPACING;
                assert!(
                    due.is_none_or(|due| due > self.now.instant && due <= soon),
                    "a snapshot is due soon"
                );
                self.check();
                return outcome;
            }
            self.carry_out(output, &mut outcome);
        }
        panic!("poll_output does not come to an end");
    }

    fn carry_out(&mut self, output: Output, outcome: &mut Outcome) {
        match output {
            Output::Send { connection, message } => self.deliver(connection, message, outcome),
            Output::Broadcast { connections, message } => {
                let apart = self.last_snapshot.map(|at| self.now.instant - at);
                // The chair's and the sites' go out together.
                assert!(apart.is_none_or(|apart| apart.is_zero() || apart >= SPACING), "{apart:?}");
                self.last_snapshot = Some(self.now.instant);
                for connection in connections {
                    assert!(
                        self.meeting.site_of(connection).is_some(),
                        "a snapshot is for sites that are inside"
                    );
                    self.deliver(connection, message.clone(), outcome);
                }
            }
            Output::Close { connection } => {
                assert_eq!(self.meeting.site_of(connection), None, "a closed connection has no seat");
                self.connections[connection.0 as usize].is_closed = true;
            }
            _ => {}
        }
    }

    fn deliver(&mut self, to: ConnectionId, message: ServerMessage, outcome: &mut Outcome) {
        if let ServerMessage::Refused { code, .. } | ServerMessage::Error { code, .. } = message {
            outcome.errors.push((to, code));
            return;
        }
        let connection = &mut self.connections[to.0 as usize];
        assert!(!connection.is_closed, "nothing is sent to a connection that is gone: {message:?}");
        match message {
            ServerMessage::Welcome { seat, .. } => {
                assert!(!connection.is_welcomed, "welcomed once");
                connection.is_welcomed = true;
                outcome.welcomed = Some(to);
                self.secrets.push(seat);
            }
            ServerMessage::Meeting { meeting } => connection.view = Some(meeting),
            _ => {}
        }
    }

    /// What holds at every moment.
    fn check(&self) {
        let (view, stage) = (self.meeting.view(Role::Chair), self.meeting.stage());
        let connections: Vec<ConnectionId> = self.meeting.connections().collect();
        let different: BTreeSet<_> = connections.iter().collect();
        assert_eq!(different.len(), connections.len(), "a connection has one seat");
        assert!(stage.sites.len() <= MAX_SEATS + 1, "the chair finds one where all are taken");
        assert_eq!(view.big_screen, stage.big_screen);
        for site in &view.sites {
            let connection = self.meeting.connection_of(site.id);
            assert_eq!(
                connection.and_then(|connection| self.meeting.site_of(connection)),
                connection.map(|_| site.id)
            );
            assert!(connection.is_none_or(|it| !self.connections[it.0 as usize].is_closed));
            let seat = stage.sites.iter().find(|seat| seat.site == site.id);
            let is_outside = matches!(site.presence, Presence::Away | Presence::Removed);
            assert_eq!(seat.is_none(), is_outside, "{:?} {:?}", site.id, site.presence);
            let is_there = match site.presence {
                Presence::Joining => connection.is_some(),
                Presence::Present => connection.is_some() || self.media.contains(&site.id),
                Presence::Away | Presence::Lost | Presence::Removed => true,
            };
            assert!(is_there, "{:?} {:?}", site.id, site.presence);
            let is_muted = site.microphone == MicrophoneState::MutedByChair;
            assert!(!is_muted || site.role == Role::Site, "the chair is never muted");
            assert!(
                !is_muted || seat.is_none_or(|seat| !seat.microphone_open),
                "a muted microphone is closed"
            );
        }
        if self.due.is_none() {
            self.check_views();
        }
    }

    /// Every site inside has received the meeting as it is.
    fn check_views(&self) {
        for connection in self.meeting.connections() {
            let site = self.meeting.site_of(connection).expect("seated");
            let role = if site == SiteId(0) { Role::Chair } else { Role::Site };
            assert_eq!(self.connections[connection.0 as usize].view.as_ref(), Some(&self.meeting.view(role)));
        }
    }
}

fn site(byte: u8) -> SiteId {
    SiteId(u32::from(byte) % SITES)
}

fn kind(byte: u8) -> SourceKind {
    [SourceKind::Microphone, SourceKind::Camera, SourceKind::Content][usize::from(byte % 3)]
}

fn wish(byte: u8) -> Option<SlotWish> {
    let wish = SlotWish { site: site(byte), kind: kind(byte >> 3), max_height: u16::from(byte) * 8 };
    (byte & 0x80 == 0).then_some(wish)
}

fn action(choice: u8, site: SiteId) -> Action {
    match choice % 10 {
        0 => Action::Mute { site },
        1 => Action::AllowUnmute { site },
        2 => Action::MuteAll {},
        3 => Action::AllowUnmuteAll {},
        4 => Action::BigScreen { site: (choice < 128).then_some(site) },
        5 => Action::Remove { site },
        6 => Action::Readmit { site },
        7 => Action::Lock { locked: true },
        8 => Action::Lock { locked: false },
        _ => Action::End {},
    }
}
