//! One thread, one machine, one turn after the other.

use super::bind::Bound;
use super::machine::Machine;
use super::measure::{Diligence, worked};
use super::mixing::Mixing;
use super::outbox::Outbox;
use super::placement::WorkerId;
use super::tcp::{FIRST_CONNECTION, Tcp};
use super::udp::{Batch, Failures, UdpSocket};
use super::watch::HEARTBEAT;
use mio::{Events, Interest, Poll, Token, Waker};
use sfu::command::Command;
use sfu::discard::DropReason;
use sfu::engine::{Input, Output, Transmit};
use sfu::event::Event;
use sfu::mix::MixOrder;
use sfu::net::PathKind;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

/// Commands that may wait for a worker. A meeting that reconnects at once brings some hundred offers, which were parsed
/// before and have 20 KB each. What does not fit the bridge keeps (`signaling/src/media/`), and can merge there.
pub(super) const COMMAND_CAPACITY: usize = 256;

/// Part of a turn for commands, from when they begin: what came before them in the turn does not count, or a worker
/// that is busy with datagrams would take one command a turn. Media waits meanwhile.
const COMMAND_BUDGET: Duration = Duration::from_millis(1);

/// When events that were refused are offered again.
const EVENT_RETRY: Duration = Duration::from_millis(5);

/// Part of a turn for datagrams that have come: what a busy worker gets in a millisecond is a few dozen of them, and a
/// flood must not keep it from sending.
const RECEIVE_BUDGET: Duration = Duration::from_millis(1);

/// Part of a turn for sending. Then the sockets are read: a voice that has come meanwhile overtakes the frames that
/// wait, however many these are.
const SEND_BUDGET: Duration = Duration::from_millis(1);

const WAKER: Token = Token(0);
const FIRST_UDP: usize = 1;
const FIRST_LISTENER: usize = 1 << 8;

/// What both sides of a worker share: a flag to stop, its turns and the last known load.
#[derive(Default)]
pub(super) struct Shared {
    stop: AtomicBool,
    turns: AtomicU64,
    /// Bits of an `f64`, 0–1.
    load: AtomicU64,
}

impl Shared {
    pub fn load(&self) -> f64 {
        f64::from_bits(self.load.load(Ordering::Relaxed))
    }

    /// How often the thread has turned so far.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }
}

/// The way to a worker, for any thread.
#[derive(Clone)]
pub struct WorkerHandle {
    pub(super) commands: SyncSender<Command>,
    pub(super) waker: Arc<Waker>,
    pub(super) shared: Arc<Shared>,
}

impl WorkerHandle {
    /// Never blocks: gives the command back if the worker's queue is full or the worker is gone.
    pub fn send(&self, command: Command) -> Result<(), Command> {
        use std::sync::mpsc::TrySendError::{Disconnected, Full};
        match self.commands.try_send(command) {
            Ok(()) => {
                // Fails only where the worker is gone, and with it the command.
                let _ = self.waker.wake();
                Ok(())
            }
            Err(Full(command) | Disconnected(command)) => Err(command),
        }
    }

    pub(super) fn stop(&self) {
        self.shared.stop.store(true, Ordering::Release);
        let _ = self.waker.wake();
    }
}

/// Everything of a worker that is made before its thread is.
pub(super) struct Parts {
    pub id: WorkerId,
    pub poll: Poll,
    pub bound: Bound,
    pub commands: Receiver<Command>,
    pub waker: Arc<Waker>,
    pub shared: Arc<Shared>,
}

impl Parts {
    /// Binds nothing itself: registers what is bound.
    pub fn new(
        id: WorkerId,
        mut bound: Bound,
        commands: Receiver<Command>,
    ) -> io::Result<(Parts, Arc<Waker>, Arc<Shared>)> {
        let poll = Poll::new()?;
        let registry = poll.registry();
        let waker = Arc::new(Waker::new(registry, WAKER)?);
        for (token, socket) in (FIRST_UDP..).zip(&mut bound.udp) {
            registry.register(socket.source(), Token(token), Interest::READABLE)?;
        }
        for (token, listener) in (FIRST_LISTENER..).zip(&mut bound.tcp) {
            registry.register(listener, Token(token), Interest::READABLE)?;
        }
        let shared = Arc::new(Shared::default());
        let parts = Parts { id, poll, bound, commands, waker: waker.clone(), shared: shared.clone() };
        Ok((parts, waker, shared))
    }
}

/// A socket and whether it may hold something.
struct UdpPort {
    socket: UdpSocket,
    readable: bool,
}

pub(super) struct Worker<M, S, C> {
    id: WorkerId,
    clock: C,
    machine: M,
    sink: S,
    poll: Poll,
    occurred: Events,
    udp: Vec<UdpPort>,
    batch: Batch,
    tcp: Tcp,
    commands: Receiver<Command>,
    commanded: bool,
    mixing: Mixing,
    outbox: Outbox,
    wake_at: Instant,
    /// The machine had more to send when the turn's time for it was over.
    unsent: bool,
    /// For the machine, and for the statistics of each second.
    diligence: [Diligence; 2],
    shared: Arc<Shared>,
}

impl<M, S, C> Worker<M, S, C>
where
    M: Machine,
    S: Fn(WorkerId, Event) -> Result<(), Event>,
    C: Fn() -> Instant,
{
    pub fn new(clock: C, parts: Parts, machine: M, sink: S) -> io::Result<Worker<M, S, C>> {
        let now = clock();
        let registry = parts.poll.registry().try_clone()?;
        let port = |socket| UdpPort { socket, readable: true };
        Ok(Worker {
            id: parts.id,
            clock,
            machine,
            sink,
            poll: parts.poll,
            occurred: Events::with_capacity(256),
            udp: parts.bound.udp.into_iter().map(port).collect(),
            batch: Batch::new(),
            tcp: Tcp::new(now, parts.bound.tcp, registry),
            commands: parts.commands,
            commanded: true,
            mixing: Mixing::new(now, parts.id, parts.waker),
            outbox: Outbox::default(),
            wake_at: now,
            unsent: false,
            diligence: [(); 2].map(|()| Diligence::new(now, worked())),
            shared: parts.shared,
        })
    }

    /// Turns until it is to stop.
    pub fn run(&mut self) {
        while !self.shared.stop.load(Ordering::Acquire) {
            self.shared.turns.fetch_add(1, Ordering::Relaxed);
            let now = self.wait();
            self.turn(now);
        }
    }

    /// Sleeps until there is something to do; returns the time.
    fn wait(&mut self) -> Instant {
        let before = (self.clock)();
        let timeout = self.sleep_from(before);
        // The only error in practice is an interruption by a signal, and that is a wake-up too.
        if self.poll.poll(&mut self.occurred, Some(timeout)).is_err() {
            return (self.clock)();
        }
        for event in &self.occurred {
            match event.token() {
                WAKER => self.commanded = true,
                Token(FIRST_CONNECTION..) => self.tcp.on_event(event),
                Token(FIRST_LISTENER..) => self.tcp.on_acceptable(),
                Token(udp) => {
                    if let Some(port) = self.udp.get_mut(udp.saturating_sub(FIRST_UDP)) {
                        port.readable = true;
                    }
                }
            }
        }
        let now = (self.clock)();
        if !timeout.is_zero() {
            let slept = now.saturating_duration_since(before);
            self.diligence.iter_mut().for_each(|diligence| diligence.slept(slept));
        }
        now
    }

    fn sleep_from(&self, now: Instant) -> Duration {
        if self.outbox.is_full() {
            return EVENT_RETRY;
        }
        let readable = self.udp.iter().any(|port| port.readable);
        let commanded = self.commanded && self.outbox.is_empty();
        if self.unsent || readable || commanded || self.tcp.is_ready() {
            return Duration::ZERO;
        }
        let due = self.wake_at.min(self.tcp.wake_at());
        let sleep = due.saturating_duration_since(now).min(HEARTBEAT);
        match self.outbox.is_empty() {
            true => sleep,
            false => sleep.min(EVENT_RETRY),
        }
    }

    pub(super) fn turn(&mut self, now: Instant) {
        self.outbox.deliver(|event| (self.sink)(self.id, event));
        if self.outbox.is_full() {
            return;
        }
        let now = self.receive_udp(now);
        self.tell_effort(now);
        self.receive_tcp(now);
        self.take_commands(now);
        self.take_mixed(now);
        if now >= self.wake_at {
            self.machine.handle_input(now, Input::Timeout);
        }
        self.drain();
        self.tcp.flush();
    }

    /// A batch of each socket that may hold something, and again while there is time; returns what time it is then.
    fn receive_udp(&mut self, begun: Instant) -> Instant {
        let mut now = begun;
        while self.udp.iter().any(|port| port.readable)
            && now.saturating_duration_since(begun) < RECEIVE_BUDGET
        {
            self.receive_batches(now);
            now = (self.clock)();
        }
        now
    }

    fn receive_batches(&mut self, now: Instant) {
        for port in self.udp.iter_mut().filter(|port| port.readable) {
            port.socket.receive(&mut self.batch);
            port.readable = self.batch.is_full();
            let machine = &mut self.machine;
            self.batch.datagrams(now, port.socket.ip(), |path, data, arrived| {
                machine.handle_input(now, Input::Datagram { path, data, arrived });
            });
        }
    }

    fn tell_effort(&mut self, now: Instant) {
        let [diligence, _] = &mut self.diligence;
        if diligence.is_due(now) {
            let effort = diligence.take(now, worked());
            self.machine.handle_input(now, Input::Effort(effort));
        }
    }

    fn receive_tcp(&mut self, now: Instant) {
        let machine = &mut self.machine;
        self.tcp.turn(now, |path, data| {
            machine.handle_input(now, Input::Datagram { path, data, arrived: now });
        });
        while let Some(path) = self.tcp.next_closed() {
            self.machine.handle_input(now, Input::PathClosed { path });
        }
        let lost = self.tcp.take_lost();
        self.tell_failures(now, &lost);
    }

    /// Takes none while events wait: a meeting quarter that takes no events may give no orders.
    fn take_commands(&mut self, now: Instant) {
        let begun = (self.clock)();
        while self.commanded && self.outbox.is_empty() {
            match self.commands.try_recv() {
                Ok(command) => self.machine.handle_input(now, Input::Command(command)),
                Err(_) => self.commanded = false,
            }
            if (self.clock)().saturating_duration_since(begun) >= COMMAND_BUDGET {
                return;
            }
        }
    }

    /// As many as there are: a mixer makes no more than 50 packets a second of a mix.
    fn take_mixed(&mut self, now: Instant) {
        while let Some(mixed) = self.mixing.next_mixed() {
            self.machine.handle_input(now, Input::Mixed(mixed));
        }
    }

    /// Carries out what the machine orders, for as long as a turn may. A send takes time, so the clock is read
    /// before each.
    fn drain(&mut self) {
        let begun = (self.clock)();
        let mut now = begun;
        loop {
            self.unsent = now.saturating_duration_since(begun) >= SEND_BUDGET;
            if self.unsent {
                // Timers that came meanwhile are looked at in the next turn, which follows at once.
                self.wake_at = now;
                return;
            }
            let failures = match self.machine.poll_output(now) {
                Output::Transmit(transmit) => send(now, &mut self.udp, &mut self.tcp, &transmit),
                Output::Event(event) => {
                    self.report(now, event);
                    Failures::default()
                }
                Output::Mix(order) => {
                    self.mix(now, order);
                    Failures::default()
                }
                Output::Timeout(at) => {
                    self.wake_at = at;
                    return;
                }
            };
            self.tell_failures(now, &failures);
            now = (self.clock)();
        }
    }

    fn mix(&mut self, now: Instant, order: MixOrder) {
        if !self.mixing.order(order) {
            self.machine.handle_input(now, Input::SendFailed { datagrams: 1, reason: DropReason::Overload });
        }
    }

    fn tell_failures(&mut self, now: Instant, failures: &Failures) {
        for (datagrams, reason) in failures.reasons() {
            let failed = Input::SendFailed { datagrams, reason };
            self.machine.handle_input(now, failed);
        }
    }

    fn report(&mut self, now: Instant, mut event: Event) {
        if let Event::Stats { worker, .. } = &mut event {
            let [_, diligence] = &mut self.diligence;
            worker.load = diligence.take(now, worked()).used();
            let bits = worker.load.to_bits();
            self.shared.load.store(bits, Ordering::Relaxed);
        }
        self.outbox.push(event, |event| (self.sink)(self.id, event));
    }
}

/// Through the socket the path came in by.
fn send(now: Instant, udp: &mut [UdpPort], tcp: &mut Tcp, transmit: &Transmit<'_>) -> Failures {
    match transmit.path.kind {
        PathKind::Tcp => tcp.send(transmit),
        PathKind::Udp => {
            let local = transmit.path.local;
            match udp.iter_mut().find(|port| port.socket.serves(local)) {
                Some(port) => port.socket.send(now, transmit),
                None => Failures::unsendable(transmit),
            }
        }
    }
}
