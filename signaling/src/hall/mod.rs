//! The hall: one task that owns all meetings, all connections and the bridge to media. Nobody else
//! touches them, so there is no lock and no order of events but the one seen here. A meeting costs
//! it a few messages a second; what is heavy, media, is elsewhere.

mod carry;
mod door;
mod outbox;
mod pulse;

pub use door::{Admission, Arrival, Broken, HallDoor, Said};
pub use outbox::{Next, Outbox};
pub use pulse::Stuck;

use crate::config::{Config, MeetingConfig};
use crate::error::Refusal;
use crate::ids::{Link, MeetingId};
use crate::links::{Grader, Lights};
use crate::media::{Bridge, MediaPort};
use crate::meeting::{ConnectionId, Input, Invitation, Invited, Meeting, Now, Request};
use crate::metrics::Board;
use crate::net::{JoinLimit, LinkBudget};
use crate::protocol::{ClientReport, ErrorCode, ServerMessage, SiteId};
use crate::secret::Secret;
use door::Knock;
use pulse::Pulse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};

/// How soon a worker whose queue was full is asked again.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// How often the media workers are looked at, whether they turn, and Prometheus' numbers are brought up to date.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);
/// What sites are told to wait before they come back to a server that goes down.
const RETRY_AFTER_MS: u32 = 1_000;
/// Waiting requests of all connections together; when it is full, connections wait, not the hall.
const QUEUE: usize = 1024;

/// One open connection.
#[derive(Debug)]
struct Guest {
    arrival: Arrival,
    /// Where its link leads.
    place: Option<(MeetingId, SiteId)>,
}

/// What a link is for.
#[derive(Debug, Clone)]
struct KnownLink {
    place: Link,
    budget: LinkBudget,
}

pub struct Hall {
    meetings: BTreeMap<MeetingId, Meeting>,
    links: HashMap<Secret, KnownLink>,
    guests: HashMap<ConnectionId, Guest>,
    bridge: Bridge,
    joins: JoinLimit,
    grader: Grader,
    lights: Lights,
    reports: HashMap<(MeetingId, SiteId), ClientReport>,
    /// There are numbers that Prometheus has not got yet.
    measured: bool,
    board: Arc<Board>,
    /// Told when the last connection of a draining hall has gone.
    drained: Option<oneshot::Sender<()>>,
    /// Told of a media worker that has ended by itself.
    lost: watch::Sender<Option<usize>>,
    pulse: Arc<Pulse>,
}

/// Starts the hall's task; it lives until the last door is dropped.
pub fn open(config: &Config, media: MediaPort, board: Arc<Board>) -> HallDoor {
    let (sender, knocks) = mpsc::channel(QUEUE);
    let (lost, news_of_loss) = watch::channel(None);
    let pulse = Arc::new(Pulse::new(Instant::now()));
    let messages = config.limits.messages_per_second;
    let door = HallDoor::new(sender, messages, board.clone(), news_of_loss, pulse.clone());
    let MediaPort { plane, events, .. } = media;
    board.overflows(plane.overflows());
    let hall = Hall {
        meetings: meetings(config),
        links: links(config),
        guests: HashMap::new(),
        bridge: Bridge::new(plane),
        joins: JoinLimit::new(config.limits.failed_joins_per_address_per_minute),
        grader: Grader::default(),
        lights: Lights::new(Instant::now()),
        reports: HashMap::new(),
        measured: false,
        board,
        drained: None,
        lost,
        pulse,
    };
    tokio::spawn(hall.run(knocks, events));
    door
}

fn meetings(config: &Config) -> BTreeMap<MeetingId, Meeting> {
    let max_seats = config.limits.sites_per_meeting;
    let all = config.meetings.iter();
    all.map(|meeting| (meeting.id(), Meeting::new(invitation(meeting, max_seats)))).collect()
}

fn invitation(meeting: &MeetingConfig, max_seats: usize) -> Invitation {
    let sites = meeting.sites.iter();
    let sites = sites.map(|s| Invited { site: s.id(), name: s.name.clone(), role: s.role });
    Invitation { title: meeting.title.clone(), sites: sites.collect(), max_seats }
}

fn links(config: &Config) -> HashMap<Secret, KnownLink> {
    let (mut links, now) = (HashMap::new(), Instant::now());
    for meeting in &config.meetings {
        for site in &meeting.sites {
            let budget = LinkBudget::new(config.limits.messages_per_second, now);
            links.insert(site.token.clone(), KnownLink { place: (meeting.id(), site.id()), budget });
        }
    }
    links
}

impl Hall {
    async fn run(
        mut self,
        mut knocks: mpsc::Receiver<Knock>,
        mut events: mpsc::Receiver<crate::media::WorkerEvent>,
    ) {
        let mut looks = interval(WATCH_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let wake = self.settle();
            tokio::select! {
                knock = knocks.recv() => match knock {
                    Some(knock) => self.knocked(knock),
                    None => break,
                },
                Some(event) = events.recv() => self.media_events(event, &mut events),
                _ = looks.tick() => self.look(Instant::now()),
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
        self.guests.values().for_each(|guest| guest.arrival.outbox.close());
    }

    /// Looks at the media workers, and shows that the hall itself turns.
    fn look(&mut self, now: Instant) {
        self.bridge.watch(now);
        let stuck = self.bridge.stuck();
        self.board.stuck(&stuck);
        self.post_rows();
        self.pulse.beat(now, stuck);
    }

    fn knocked(&mut self, knock: Knock) {
        match knock {
            Knock::Arrived(id, arrival) => {
                self.guests.insert(id, Guest { arrival, place: None });
            }
            Knock::Said(id, said) => self.said(id, said),
            Knock::Drain(done) => self.drain(done),
        }
    }

    fn said(&mut self, id: ConnectionId, said: Said) {
        match said {
            Said::Hello { token, seat, takeover } => {
                if let Err(refusal) = self.hello(id, &token, seat, takeover) {
                    self.refuse_entry(id, refusal);
                }
            }
            Said::Offer(offer) => match self.seat_of(id) {
                Some((meeting, site)) => self.bridge.offer(meeting, site, offer),
                None => self.deliver(id, Refusal::new(ErrorCode::OutOfOrder).error()),
            },
            Said::Request(request) => self.request(id, request),
            Said::Report(report) => {
                if let Some(place) = self.seat_of(id) {
                    self.reports.insert(place, report);
                }
            }
            Said::Gone => {
                if let Some(guest) = self.guests.remove(&id)
                    && let Some((meeting, _)) = guest.place
                {
                    self.tell(meeting, Input::Disconnected { connection: id });
                }
                self.report_drained();
            }
        }
    }

    fn hello(
        &mut self,
        connection: ConnectionId,
        token: &Secret,
        seat: Option<Secret>,
        takeover: bool,
    ) -> Result<(), Refusal> {
        let internal = Refusal::new(ErrorCode::Internal);
        let guest = self.guests.get_mut(&connection).ok_or(internal)?;
        if self.drained.is_some() {
            return Err(ErrorCode::Draining.into());
        }
        let now = Instant::now();
        let Some(KnownLink { place, budget }) = self.links.get(token).cloned() else {
            return Err(match self.joins.admit(now, guest.arrival.address) {
                true => ErrorCode::UnknownLink.into(),
                false => ErrorCode::TooManyJoins.into(),
            });
        };
        if !budget.take_join(now) {
            return Err(ErrorCode::TooManyJoins.into());
        }
        let (meeting, site) = place;
        guest.place = Some(place);
        self.tell(meeting, Input::Hello { connection, site, seat, takeover, fresh_seat: Secret::fresh() });
        self.admit(connection, budget);
        Ok(())
    }

    /// Who got its seat is no stranger any more.
    fn admit(&self, connection: ConnectionId, budget: LinkBudget) {
        if let (Some(link), Some(guest)) = (self.seat_of(connection), self.guests.get(&connection)) {
            guest.arrival.place.seat(link);
            // Only a first hello comes here.
            let _ = guest.arrival.admission.set(budget);
        }
    }

    fn request(&mut self, connection: ConnectionId, request: Request) {
        let place = self.guests.get(&connection).and_then(|g| g.place);
        if let Some((meeting, _)) = place {
            self.tell(meeting, Input::Request { connection, request });
        }
    }

    fn refuse_entry(&mut self, id: ConnectionId, refusal: Refusal) {
        self.deliver(id, refusal.refused());
        self.close(id);
    }

    /// The seat this connection holds, if it does hold one.
    fn seat_of(&self, id: ConnectionId) -> Option<(MeetingId, SiteId)> {
        let (meeting, _) = self.guests.get(&id)?.place?;
        let site = self.meetings.get(&meeting)?.site_of(id)?;
        Some((meeting, site))
    }

    fn tell(&mut self, meeting: MeetingId, input: Input) {
        if let Some(machine) = self.meetings.get_mut(&meeting) {
            machine.handle_input(now(), input);
        }
    }

    /// Says that the server goes down; nobody comes in any more.
    fn drain(&mut self, done: oneshot::Sender<()>) {
        self.drained = Some(done);
        for guest in self.guests.values() {
            // Who is too slow for this message finds out by the closed socket.
            let _ = guest.arrival.outbox.push(ServerMessage::Draining { retry_after_ms: RETRY_AFTER_MS });
        }
        self.report_drained();
    }

    fn report_drained(&mut self) {
        if self.guests.is_empty()
            && let Some(done) = self.drained.take()
        {
            // Nobody waits any more when the time for draining is over.
            let _ = done.send(());
        }
    }
}

/// Both clocks, read together.
fn now() -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH);
    Now { instant: Instant::now(), unix_ms: wall.unwrap_or_default().as_millis() as u64 }
}
