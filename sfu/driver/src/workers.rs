//! All workers of the process, as the meeting quarter sees them.

use super::bind::{BindError, Bound, bind};
use super::config::WorkersConfig;
use super::interfaces::{Reach, candidates};
use super::machine::{Machine, WorkerContext};
use super::overflow::Overflows;
use super::placement::{Placement, WorkerId};
use super::priority;
use super::probe::cores;
use super::watch::{Stall, Watch};
use super::worker::{COMMAND_CAPACITY, Parts, Worker, WorkerHandle};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sfu::command::Command;
use sfu::engine::{Engine, EngineConfig};
use sfu::event::Event;
use sfu::ids::RoomId;
use sfu::net::Candidate;
use sfu::time::Clock;
use sfu::transport::Certificate;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

/// A turn takes milliseconds; a thread that has not ended after this hangs, and is abandoned.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Why the media quarter cannot open.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("{workers} workers do not fit above port {port}")]
    PortRange { port: u16, workers: usize },
    #[error("cannot list the network interfaces: {0}")]
    Interfaces(io::Error),
    #[error("cannot set up a media worker: {0}")]
    Setup(io::Error),
}

/// Where one worker is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerAddresses {
    pub worker: WorkerId,
    pub port: u16,
    pub candidates: Vec<Candidate>,
}

/// The media threads. Dropping stops them.
pub struct Workers {
    members: Vec<Member>,
    placement: Placement,
    reach: Reach,
    overflows: Overflows,
}

struct Member {
    handle: WorkerHandle,
    addresses: WorkerAddresses,
    /// A socket takes IPv6.
    ipv6: bool,
    watch: Watch,
    /// `None` once it was waited for.
    thread: Option<JoinHandle<()>>,
    /// Closes when the thread ends, however it ends.
    ended: Receiver<()>,
}

impl Workers {
    /// [`Workers::start_with`] an engine on each worker, all under one certificate.
    pub fn start<S>(
        config: &WorkersConfig,
        certificate: Arc<Certificate>,
        events: S,
    ) -> Result<Workers, StartError>
    where
        S: Fn(WorkerId, Event) -> Result<(), Event> + Send + Clone + 'static,
    {
        let make = move |context: WorkerContext| {
            let config = EngineConfig {
                certificate: certificate.clone(),
                candidates: context.candidates,
                clock: context.clock,
                seed: context.seed,
            };
            Engine::new(context.now, config)
        };
        Workers::start_with(config, make, events)
    }

    /// Binds all ports, then starts the threads; on each, `make` makes the machine it hosts.
    ///
    /// `events` must not block: it gives an event back that it cannot take, and is offered the same
    /// one again soon. Until it takes it the worker reads no commands; media goes on.
    pub fn start_with<M, B, S>(config: &WorkersConfig, make: B, events: S) -> Result<Workers, StartError>
    where
        M: Machine,
        B: Fn(WorkerContext) -> M + Send + Clone + 'static,
        S: Fn(WorkerId, Event) -> Result<(), Event> + Send + Clone + 'static,
    {
        let reach = Reach::read(config).map_err(StartError::Interfaces)?;
        let addresses = reach.known().to_vec();
        let bound = bind_all(config)?;
        let mut workers = Workers::none(reach);
        for (index, bound) in bound.into_iter().enumerate() {
            for socket in &bound.udp {
                workers.overflows.watch(WorkerId(index), socket.plain()).map_err(StartError::Setup)?;
            }
            let member =
                Member::start(WorkerId(index), bound, &addresses, config.pin, make.clone(), events.clone());
            workers.members.push(member.map_err(StartError::Setup)?);
        }
        Ok(workers)
    }

    fn none(reach: Reach) -> Workers {
        let (placement, overflows) = (Placement::default(), Overflows::default());
        Workers { members: Vec::new(), placement, reach, overflows }
    }

    /// What the kernel dropped before a worker saw it, for the metrics.
    pub fn overflows(&self) -> Overflows {
        self.overflows.clone()
    }

    /// The worker of a room: where it was placed, or now the least loaded of those that turn.
    pub fn place(&mut self, room: RoomId) -> WorkerId {
        let loads = self.members.iter().map(Member::load);
        self.placement.place(room, loads)
    }

    /// Sends to the room's worker, placing the room if need be. Gives the command back if that worker's queue is full.
    /// Before an offer the worker gets the machine's present addresses.
    pub fn send(&mut self, room: RoomId, command: Command) -> Result<(), Command> {
        let worker = self.place(room);
        let Some(member) = self.members.get_mut(worker.0) else {
            return Err(command);
        };
        let offer = matches!(command, Command::Offer { .. });
        if offer && !member.advertises(self.reach.addresses(Instant::now())) {
            return Err(command);
        }
        member.handle.send(command)
    }

    /// The room is closed; should its id come again, it is placed again.
    pub fn forget(&mut self, room: RoomId) {
        self.placement.forget(room);
    }

    /// For senders on other threads.
    pub fn handle(&self, worker: WorkerId) -> Option<WorkerHandle> {
        self.members.get(worker.0).map(|m| m.handle.clone())
    }

    /// Ports and candidates really in use, as each worker knows them.
    pub fn addresses(&self) -> Vec<WorkerAddresses> {
        self.members.iter().map(|m| m.addresses.clone()).collect()
    }

    /// A worker whose thread has ended without being stopped: its rooms are gone, and what is sent to it comes back for
    /// ever.
    pub fn lost(&self) -> Option<WorkerId> {
        let ended = |m: &&Member| m.ended.try_recv() == Err(TryRecvError::Disconnected);
        self.members.iter().find(ended).map(|m| m.addresses.worker)
    }

    /// Looks at all threads and names those that hang. Call it about twice a second: the time of a stall is
    /// counted from look to look.
    pub fn stalled(&mut self, now: Instant) -> Vec<Stall> {
        let stalled = self.members.iter_mut().filter_map(|member| {
            member.watch.look(now, member.handle.shared.turns());
            let lasts = member.watch.stalled()?;
            Some(Stall { worker: member.addresses.worker, lasts })
        });
        stalled.collect()
    }

    /// Stops all workers within 2 s; names those that hung or had panicked.
    pub fn stop(mut self) -> Vec<WorkerId> {
        self.stop_all()
    }

    fn stop_all(&mut self) -> Vec<WorkerId> {
        self.members.iter().for_each(|m| m.handle.stop());
        let deadline = Instant::now().checked_add(STOP_TIMEOUT);
        let mut failed = Vec::new();
        for member in &mut self.members {
            let left = deadline.map_or(STOP_TIMEOUT, |d| d.saturating_duration_since(Instant::now()));
            if !member.join(left) {
                failed.push(member.addresses.worker);
            }
        }
        failed
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop_all();
    }
}

impl Member {
    fn start<M, B, S>(
        id: WorkerId,
        bound: Bound,
        addresses: &[IpAddr],
        pin: bool,
        make: B,
        events: S,
    ) -> io::Result<Member>
    where
        M: Machine,
        B: Fn(WorkerContext) -> M + Send + 'static,
        S: Fn(WorkerId, Event) -> Result<(), Event> + Send + 'static,
    {
        let ipv6 = bound.udp.iter().any(|socket| socket.ip().is_ipv6());
        let addresses = WorkerAddresses {
            worker: id,
            port: bound.port,
            candidates: candidates(addresses, bound.port, ipv6),
        };
        let (sender, commands) = sync_channel(COMMAND_CAPACITY);
        let (parts, waker, shared) = Parts::new(id, bound, commands)?;
        let thread = Thread { parts, make, events, pin, candidates: addresses.candidates.clone() };
        let (thread, ended) = thread.start()?;
        Ok(Member {
            handle: WorkerHandle { commands: sender, waker, shared },
            addresses,
            ipv6,
            watch: Watch::new(Instant::now()),
            thread: Some(thread),
            ended,
        })
    }

    /// Sends the thread the addresses it is reached at, if they are new; false if its queue is full.
    fn advertises(&mut self, addresses: &[IpAddr]) -> bool {
        let candidates = candidates(addresses, self.addresses.port, self.ipv6);
        if candidates == self.addresses.candidates {
            return true;
        }
        let sent = self.handle.send(Command::Advertise { candidates: candidates.clone() }).is_ok();
        if sent {
            self.addresses.candidates = candidates;
        }
        sent
    }

    /// For placing rooms: a thread that hangs gets none.
    fn load(&self) -> f64 {
        match self.watch.stalled() {
            Some(_) => f64::INFINITY,
            None => self.handle.shared.load(),
        }
    }

    fn join(&mut self, within: Duration) -> bool {
        let Some(thread) = self.thread.take() else {
            return true;
        };
        match self.ended.recv_timeout(within) {
            Err(RecvTimeoutError::Timeout) => false,
            _ => thread.join().is_ok(),
        }
    }
}

fn bind_all(config: &WorkersConfig) -> Result<Vec<Bound>, StartError> {
    let workers = match config.workers {
        0 => cores(),
        n => n,
    };
    let too_many = || StartError::PortRange { port: config.port, workers };
    let mut all = Vec::new();
    for index in 0..workers {
        let port = match config.port {
            0 => 0,
            base => u16::try_from(index).ok().and_then(|i| base.checked_add(i)).ok_or_else(too_many)?,
        };
        let mut bound = bind(&config.listen, port)?;
        bound.udp.iter_mut().for_each(|s| s.gso = config.gso);
        all.push(bound);
    }
    Ok(all)
}

/// What a worker's thread is started with.
struct Thread<B, S> {
    parts: Parts,
    make: B,
    events: S,
    pin: bool,
    candidates: Vec<Candidate>,
}

impl<M, B, S> Thread<B, S>
where
    M: Machine,
    B: Fn(WorkerContext) -> M + Send + 'static,
    S: Fn(WorkerId, Event) -> Result<(), Event> + Send + 'static,
{
    fn start(self) -> io::Result<(JoinHandle<()>, Receiver<()>)> {
        let mut seed = [0; 32];
        OsRng.try_fill_bytes(&mut seed).map_err(io::Error::other)?;
        let (ended, receiver) = sync_channel(0);
        let name = format!("media-{}", self.parts.id.0);
        let thread = Builder::new().name(name).spawn(move || self.run(seed, ended))?;
        Ok((thread, receiver))
    }

    /// Keeps `_ended` for as long as the thread lives.
    fn run(self, seed: [u8; 32], _ended: SyncSender<()>) {
        priority::take_precedence();
        if self.pin {
            pin(self.parts.id);
        }
        let now = Instant::now();
        let machine = (self.make)(WorkerContext {
            now,
            clock: Clock::new(now, SystemTime::now()),
            seed,
            candidates: self.candidates,
        });
        if let Ok(mut worker) = Worker::new(Instant::now, self.parts, machine, self.events) {
            worker.run();
        }
    }
}

/// Worker *i* to the *i*-th core we may use, so that its caches stay warm; where that is refused it
/// runs all the same.
fn pin(worker: WorkerId) {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    if let Some(core) = cores.into_iter().cycle().nth(worker.0) {
        core_affinity::set_for_current(core);
    }
}
