//! Peers and rooms of one worker; the only way in.
//!
//! The engine is an index, never a warehouse: what is known of a peer is in `peer`, of a meeting in `room`, of a packet
//! in the publisher's slab. The modules below are the steps a packet takes (ARCHITECTURE.md,
//! "follow one packet").

mod account;
mod admit;
mod apply;
mod backlog;
mod control;
mod delay;
mod egress;
mod feedback;
mod forwarding;
mod ingress;
mod lines;
mod mixes;
mod overload;
mod pacing;
mod recover;
mod reports;
mod rescue;
mod seal;
mod speech;
mod survey;
mod switching;
mod timers;
mod wire;
mod work;

use crate::command::Command;
use crate::demux::Demux;
use crate::discard::DropReason;
use crate::event::Event;
use crate::ids::{PeerIndex, RoomId};
use crate::mix::{MixOrder, Mixed};
use crate::net::{Candidate, Path};
use crate::peer::Peers;
use crate::peer::queue::{SendQueue, SendRank};
use crate::room::Room;
use crate::room::shed::Shedding;
use crate::stats::{Effort, WorkerStats};
use crate::time::{Clock, after, earliest};
use crate::transport::Certificate;
use ingress::Times;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use timers::Timers;
use work::{AtWork, Work};

#[cfg(debug_assertions)]
pub use work::Fault;

/// What the engine is made with. Everything else it learns through `handle_input`.
#[derive(Clone)]
pub struct EngineConfig {
    /// One per process; every answer carries its fingerprint.
    pub certificate: Arc<Certificate>,
    /// Written into every answer, best first.
    pub candidates: Vec<Candidate>,
    pub clock: Clock,
    /// Seeds SSRCs and ICE credentials. The driver takes it from the system's random source; a
    /// simulation from its own seed.
    pub seed: [u8; 32],
}

/// Something happened.
pub enum Input<'a> {
    /// A datagram, or one frame of RFC 4571; opened in place, so the buffer is scratch afterwards.
    Datagram {
        path: Path,
        data: &'a mut [u8],
        /// When the kernel received it, where the kernel reports that; not after `now`.
        arrived: Instant,
    },
    /// A TCP connection is gone.
    PathClosed {
        path: Path,
    },
    Command(Command),
    /// What the worker's thread did since the last `Effort`, some ten times a second: whether it keeps up.
    Effort(Effort),
    /// A transmit that could not be sent; counted, not repeated.
    SendFailed {
        datagrams: usize,
        reason: DropReason,
    },
    /// What a mixer made of voices it was given by `Output::Mix`.
    Mixed(Mixed),
    /// The time asked for by `Output::Timeout` has come. Harmless at any other time.
    Timeout,
}

/// What the host is to do.
pub enum Output<'a> {
    Transmit(Transmit<'a>),
    Event(Event),
    /// For a mixer (the crate `audio`), in order. It may lose some where it cannot keep up.
    Mix(MixOrder),
    /// Nothing more until then, or until the next input.
    Timeout(Instant),
}

/// One or more datagrams to one destination.
pub struct Transmit<'a> {
    pub path: Path,
    pub data: &'a [u8],
    /// With `Some(n)`, `data` is a run of datagrams of `n` bytes, the last one perhaps shorter (UDP
    /// GSO). On TCP each becomes one RFC 4571 frame.
    pub segment_size: Option<usize>,
}

impl<'a> Transmit<'a> {
    /// Bytes of each datagram, the last one perhaps excepted.
    pub fn datagram_bytes(&self) -> usize {
        self.segment_size.unwrap_or(self.data.len()).max(1)
    }

    /// Each datagram; none where there is no data.
    pub fn datagrams(&self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        self.data.chunks(self.datagram_bytes())
    }
}

/// The next output, before it borrows the engine's buffers for the host.
enum Next {
    Transmit(egress::Sealed),
    Event(Event),
    Mix(MixOrder),
    Timeout(Instant),
}

/// The media quarter's machine: `handle_input`, then `poll_output` until `Output::Timeout`.
///
/// ```
/// # use sfu::engine::{Engine, EngineConfig, Input, Output};
/// # use sfu::{event::Event, time::Clock, transport::Certificate};
/// # use std::{sync::Arc, time::{Instant, SystemTime}};
/// let mut now = Instant::now();
/// let config = EngineConfig {
///     certificate: Arc::new(Certificate::generate()?),
///     candidates: Vec::new(),
///     clock: Clock::new(now, SystemTime::now()),
///     seed: [0; 32],
/// };
/// let mut engine = Engine::new(now, config);
/// let worker = loop {
///     match engine.poll_output(now) {
///         Output::Transmit(_) => {} // to the network
///         Output::Event(Event::Stats { worker, .. }) => break worker,
///         Output::Event(_) => {} // to the meeting quarter
///         Output::Mix(_) => {} // to a mixer
///         Output::Timeout(at) => {
///             now = at; // a host waits until then, or for a datagram or a command; a test jumps
///             engine.handle_input(now, Input::Timeout);
///         }
///     }
/// };
/// assert_eq!(worker.peers, 0);
/// # Ok::<(), sfu::transport::CertificateError>(())
/// ```
pub struct Engine {
    config: EngineConfig,
    rng: StdRng,
    peers: Peers,
    demux: Demux,
    rooms: BTreeMap<RoomId, Room>,
    timers: Timers,
    visits: pacing::Visits,
    shedding: Shedding,
    waits: overload::Waits,
    events: VecDeque<Event>,
    mix_orders: mixes::Orders,
    /// Peers whose transport, reports or queues have something to send.
    dirty: Dirty,
    burst: forwarding::Burst,
    at_work: AtWork,
    /// Rooms whose routes are to be computed again.
    stale_rooms: Vec<RoomId>,
    /// Plaintext RTCP built here before it is sealed, and the datagram being handed out.
    scratch: egress::Scratch,
    stats: WorkerStats,
    delay: delay::DelayMeter,
    next_stats: Instant,
    last_stats: Instant,
}

/// Which peers have something to send, in the order in which they are served: control first, then send queues, rank by
/// rank.
#[derive(Default)]
struct Dirty {
    control: VecDeque<PeerIndex>,
    media: [VecDeque<PeerIndex>; 4],
}

impl Dirty {
    /// Queues a subscriber in a rank, once: it is queued exactly while something of that rank waits.
    #[inline]
    fn mark(&mut self, rank: SendRank, queue: &mut SendQueue, subscriber: PeerIndex) {
        if queue.announce(rank)
            && let Some(turns) = self.media.get_mut(rank.index())
        {
            turns.push_back(subscriber);
        }
    }

    fn first_of(&self, rank: SendRank) -> Option<PeerIndex> {
        self.media.get(rank.index())?.front().copied()
    }

    fn is_done(&mut self, rank: SendRank) {
        if let Some(turns) = self.media.get_mut(rank.index()) {
            turns.pop_front();
        }
    }
}

/// How often `Event::Stats` is reported.
const STATS_EVERY: Duration = Duration::from_secs(1);

impl Engine {
    pub fn new(now: Instant, config: EngineConfig) -> Engine {
        Engine {
            rng: StdRng::from_seed(config.seed),
            config,
            peers: Peers::default(),
            demux: Demux::default(),
            rooms: BTreeMap::new(),
            timers: Timers::default(),
            visits: pacing::Visits::default(),
            shedding: Shedding::default(),
            waits: overload::Waits::default(),
            events: VecDeque::new(),
            mix_orders: mixes::Orders::default(),
            dirty: Dirty::default(),
            burst: forwarding::Burst::default(),
            at_work: AtWork::default(),
            stale_rooms: Vec::new(),
            scratch: egress::Scratch::default(),
            stats: WorkerStats::default(),
            delay: delay::DelayMeter::default(),
            next_stats: after(now, STATS_EVERY),
            last_stats: now,
        }
    }

    /// Takes in what happened at `now`. Follow with `poll_output` until it returns `Timeout`; a host may hand in a
    /// whole batch of datagrams before that, so that packets to one destination leave together.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.take_in(now, input))) {
            self.rescue(panic);
        }
    }

    fn take_in(&mut self, now: Instant, input: Input<'_>) {
        self.at_work.resume(Work::Own);
        if !matches!(input, Input::Datagram { .. }) {
            self.decide_burst(now);
        }
        match input {
            Input::Datagram { path, data, arrived } => {
                self.delay.on_datagram();
                self.stats.datagrams_received = self.stats.datagrams_received.saturating_add(1);
                if let Err(reason) = self.handle_datagram(Times { now, arrived }, path, data) {
                    self.stats.drops.count(reason);
                }
            }
            Input::PathClosed { path } => self.handle_path_closed(now, path),
            Input::Command(command) => self.handle_command(now, command),
            Input::Effort(effort) => self.handle_effort(now, effort),
            Input::SendFailed { datagrams, reason } => {
                (0..datagrams).for_each(|_| self.stats.drops.count(reason));
            }
            Input::Mixed(mixed) => {
                if let Err(reason) = self.take_mixed(now, &mixed) {
                    self.stats.drops.count(reason);
                }
            }
            Input::Timeout => self.handle_timeouts(now),
        }
    }

    /// What the host is to do next. The closer `now` is to the real time, the better departures and delays are known: a
    /// host reads its clock again after each transmit.
    pub fn poll_output(&mut self, now: Instant) -> Output<'_> {
        let next = loop {
            match catch_unwind(AssertUnwindSafe(|| self.next(now))) {
                Ok(next) => break next,
                Err(panic) => self.rescue(panic),
            }
        };
        match next {
            Next::Transmit(sealed) => Output::Transmit(self.scratch.transmit(sealed)),
            Next::Event(event) => Output::Event(event),
            Next::Mix(order) => Output::Mix(order),
            Next::Timeout(at) => Output::Timeout(at),
        }
    }

    fn next(&mut self, now: Instant) -> Next {
        self.at_work.begin(Work::Own);
        self.delay.on_poll(now, &mut self.stats.forward_delay);
        let held = self.holds_burst(now);
        if held.is_none() {
            self.decide_burst(now);
        }
        if now >= self.next_stats {
            self.report_stats(now);
        }
        self.refresh_rooms(now);
        if let Some(event) = self.events.pop_front() {
            return Next::Event(event);
        }
        if let Some(order) = self.mix_orders.next() {
            return Next::Mix(order);
        }
        self.visit_due(now);
        if let Some(sealed) = self.next_sealed(now) {
            return Next::Transmit(sealed);
        }
        // Serving a slot may have moved a room: its routes are refreshed before anything else is.
        let due = earliest(earliest(self.timers.next(&self.peers), self.next_visit()), held);
        Next::Timeout(due.map_or(self.next_stats, |due| due.min(self.next_stats)))
    }

    fn all_stale(&mut self) {
        let rooms: Vec<RoomId> = self.rooms.keys().copied().collect();
        self.stale_rooms.extend(rooms);
    }

    fn stale(&mut self, room: RoomId) {
        if !self.stale_rooms.contains(&room) {
            self.stale_rooms.push(room);
        }
    }

    /// Marks that a peer's transport or reports have something to send, and looks at its timers.
    fn touch(&mut self, index: PeerIndex) {
        if !self.dirty.control.contains(&index) {
            self.dirty.control.push_back(index);
        }
        self.schedule(index);
    }
}
