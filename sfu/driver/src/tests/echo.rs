//! The machine the driver is tested with: does what a datagram asks for.

use crate::machine::{Machine, WorkerContext};
use sfu::command::Command;
use sfu::discard::DropReason;
use sfu::engine::{Input, Output, Transmit};
use sfu::event::Event;
use sfu::ids::{PeerId, RoomId};
use sfu::net::Path;
use sfu::stats::WorkerStats;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Every question begins like STUN, so that it may open a TCP connection.
pub const ECHO: [u8; 2] = [0, b'E'];
/// Answered with the path, as text.
pub const PATH: [u8; 2] = [0, b'P'];
/// Answered with the failed sends.
pub const COUNT: [u8; 2] = [0, b'C'];
/// Answered with nothing: two datagrams go to port 0, which no network takes.
pub const NOWHERE: [u8; 2] = [0, b'N'];

/// Answered with `count` datagrams of `size` bytes, each full of its number, and one of half the size.
pub fn run(count: u8, size: u16) -> Vec<u8> {
    let [high, low] = size.to_be_bytes();
    vec![0, b'R', count, high, low]
}

/// The same, but each begins like RTP; the number is its third byte.
pub fn media(count: u8, size: u16) -> Vec<u8> {
    let [high, low] = size.to_be_bytes();
    vec![0, b'M', count, high, low]
}

/// Events that answer one `Command::RemovePeer`.
pub const EVENTS_PER_COMMAND: u64 = 10;

const STATS_EVERY: Duration = Duration::from_millis(50);

pub struct Echo {
    orders: VecDeque<(Path, Vec<u8>, Option<usize>)>,
    current: Vec<u8>,
    events: VecDeque<Event>,
    buffer_full: u32,
    errors: u32,
    next_stats: Option<Instant>,
}

impl Echo {
    pub fn new(_: WorkerContext) -> Echo {
        Echo {
            orders: VecDeque::new(),
            current: Vec::new(),
            events: VecDeque::new(),
            buffer_full: 0,
            errors: 0,
            next_stats: None,
        }
    }

    fn answer(&mut self, path: Path, question: &[u8]) {
        let order = match question {
            [_, b'E', ..] => (path, question.to_vec(), None),
            [_, b'P', ..] => {
                let text = format!("{} {}", path.local, path.remote);
                (path, text.into_bytes(), None)
            }
            // Filled in when it leaves, so that it counts the sends before it.
            [_, b'C', ..] => (path, Vec::new(), None),
            [_, b'N', ..] => {
                let mut nowhere = path;
                nowhere.remote.set_port(0);
                (nowhere, vec![0; 20], Some(10))
            }
            [_, b'R', count, high, low] => {
                let size = usize::from(u16::from_be_bytes([*high, *low]));
                let full = (0..*count).flat_map(|n| vec![n; size]);
                let half = vec![*count; size / 2];
                (path, full.chain(half).collect(), Some(size))
            }
            [_, b'M', count, high, low] => {
                let size = usize::from(u16::from_be_bytes([*high, *low]));
                let packet = |n: u8| [&[0x80, 96, n][..], &vec![n; size - 3]].concat();
                (path, (0..*count).flat_map(packet).collect(), Some(size))
            }
            _ => return,
        };
        self.orders.push_back(order);
    }

    fn obey(&mut self, now: Instant, command: Command) {
        match command {
            Command::RemovePeer { peer: PeerId(n) } => {
                let first = n * EVENTS_PER_COMMAND;
                let events = (first..first + EVENTS_PER_COMMAND).map(|n| Event::Quiet { peer: PeerId(n) });
                self.events.extend(events);
            }
            // Room 0 asks for statistics from now on.
            Command::CloseRoom { room: RoomId(0) } => self.next_stats = Some(now + STATS_EVERY),
            Command::CloseRoom { room } => self.events.push_back(Event::Speakers { room, peers: Vec::new() }),
            _ => {}
        }
    }

    fn on_time(&mut self, now: Instant) {
        if self.next_stats.is_none_or(|at| now < at) {
            return;
        }
        self.next_stats = Some(now + STATS_EVERY);
        let unfilled = WorkerStats { load: f64::NAN, ..WorkerStats::default() };
        self.events.push_back(Event::Stats { worker: Box::new(unfilled), peers: Vec::new() });
    }
}

impl Machine for Echo {
    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Datagram { path, data, .. } => self.answer(path, data),
            Input::Command(command) => self.obey(now, command),
            Input::Timeout => self.on_time(now),
            Input::SendFailed { datagrams, reason } => match reason {
                DropReason::SendBufferFull => self.buffer_full += datagrams as u32,
                _ => self.errors += datagrams as u32,
            },
            Input::PathClosed { path } => {
                self.events.push_back(Event::Restored { peer: PeerId(u64::from(path.remote.port())) })
            }
            Input::Effort(_) | Input::Mixed(_) => {}
        }
    }

    fn poll_output(&mut self, now: Instant) -> Output<'_> {
        if let Some(event) = self.events.pop_front() {
            return Output::Event(event);
        }
        if let Some((path, data, segment_size)) = self.orders.pop_front() {
            self.current = match data.is_empty() {
                true => [self.buffer_full.to_be_bytes(), self.errors.to_be_bytes()].concat(),
                false => data,
            };
            return Output::Transmit(Transmit { path, data: &self.current, segment_size });
        }
        Output::Timeout(self.next_stats.unwrap_or(now + Duration::from_secs(60)))
    }
}
