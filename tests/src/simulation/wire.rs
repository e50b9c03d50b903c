//! The wire between the engine and its clients.

use super::seeds::{Draws, rng};
use super::stream::{REPEAT_AFTER, Stream};
use crate::lab::{Direction, Line};
use rand::Rng;
use rand::rngs::StdRng;
use sfu::net::PathKind;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// One line, the same in both directions.
#[derive(Debug, Clone, Copy)]
pub struct LinkModel {
    pub delay: Duration,
    /// Added at random; packets may overtake each other.
    pub jitter: Duration,
    /// Share of datagrams lost in good times, and how likely a burst of losses begins.
    pub loss: f64,
    pub burst: f64,
    pub duplicate: f64,
    pub rate: Option<Rate>,
    /// The line carries nothing at all.
    pub cut: bool,
}

/// What a line carries at most, each way.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    pub bits_per_second: u32,
    /// So long a datagram waits for its turn at most; what comes when more waits is lost.
    pub queue: Duration,
}

impl LinkModel {
    /// The default of all tests: a poor line on a bad day.
    pub fn hardened() -> LinkModel {
        LinkModel {
            delay: Duration::from_millis(25),
            jitter: Duration::from_millis(8),
            loss: 0.01,
            burst: 0.002,
            duplicate: 0.005,
            rate: None,
            cut: false,
        }
    }

    pub fn clean() -> LinkModel {
        let nothing = Duration::ZERO;
        LinkModel {
            delay: Duration::from_millis(5),
            jitter: nothing,
            loss: 0.0,
            burst: 0.0,
            duplicate: 0.0,
            rate: None,
            cut: false,
        }
    }
}

/// Which end a datagram goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It comes from this client, as seen there.
    Engine {
        from: usize,
        seen_at: (PathKind, SocketAddr),
    },
    Client(usize),
}

impl End {
    fn line(self) -> usize {
        match self {
            End::Engine { from, .. } => from,
            End::Client(client) => client,
        }
    }

    fn way(self) -> usize {
        usize::from(matches!(self, End::Client(_)))
    }

    fn direction(self) -> Direction {
        if self.way() == 0 { Direction::Up } else { Direction::Down }
    }
}

/// A datagram on its way: earliest first, and of those the one sent first.
struct Flight {
    arrives: Instant,
    number: u64,
    sent_at: Instant,
    to: End,
    bytes: Vec<u8>,
}

impl Ord for Flight {
    fn cmp(&self, other: &Flight) -> Ordering {
        (self.arrives, self.number).cmp(&(other.arrives, other.number))
    }
}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Flight) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Flight {
    fn eq(&self, other: &Flight) -> bool {
        self.number == other.number
    }
}

impl Eq for Flight {}

/// One direction of a line.
#[derive(Default)]
struct Way {
    /// Until then a line with a limit carries what was sent before.
    busy_until: Option<Instant>,
    /// Where the line is a TCP connection, and where it leads.
    stream: Option<(End, Stream)>,
}

/// Datagrams on their way.
pub struct Wire {
    rng: StdRng,
    queue: BinaryHeap<Reverse<Flight>>,
    sent: u64,
    /// Datagrams a burst still swallows, per client.
    bursts: Vec<u32>,
    /// Datagrams of DTLS that were lost, per client.
    pub handshakes_lost: Vec<u32>,
    ways: Vec<[Way; 2]>,
    pub links: Vec<LinkModel>,
    /// By client, where the laboratory laid one: it does all that the link would.
    lines: BTreeMap<usize, Line>,
}

impl Wire {
    pub fn new(seed: u64) -> Wire {
        Wire {
            rng: rng(seed, Draws::Wire),
            queue: BinaryHeap::new(),
            sent: 0,
            bursts: Vec::new(),
            handshakes_lost: Vec::new(),
            ways: Vec::new(),
            links: Vec::new(),
            lines: BTreeMap::new(),
        }
    }

    pub fn add(&mut self, link: LinkModel) {
        self.links.push(link);
        self.bursts.push(0);
        self.handshakes_lost.push(0);
        self.ways.push(Default::default());
    }

    /// From now on the line is a new connection of this kind. What was on its way on an old TCP connection is lost.
    pub fn connect(&mut self, line: usize, seen_at: (PathKind, SocketAddr)) {
        for (way, to) in
            self.ways[line].iter_mut().zip([End::Engine { from: line, seen_at }, End::Client(line)])
        {
            way.stream = (seen_at.0 == PathKind::Tcp).then(|| (to, Stream::default()));
        }
    }

    /// From now on this line of the laboratory is what the client has, which draws from a seed of its own.
    pub fn lay(&mut self, client: usize, line: Line) {
        self.lines.insert(client, line);
    }

    /// What the laboratory laid.
    pub fn laid(&mut self, client: usize) -> Option<&mut Line> {
        self.lines.get_mut(&client)
    }

    /// The next datagrams of a line are lost, either way.
    pub fn swallow(&mut self, line: usize, datagrams: u32) {
        self.bursts[line] = datagrams;
    }

    pub fn send(&mut self, now: Instant, to: End, bytes: &[u8]) {
        if self.ways[to.line()][to.way()].stream.is_some() {
            return self.send_framed(now, to, bytes);
        }
        let line = to.line();
        if let Some(laid) = self.lines.get_mut(&line) {
            let arrivals = laid.way(to.direction()).send(now, counted_length(bytes));
            self.handshakes_lost[line] += u32::from(arrivals.is_empty() && is_dtls(bytes));
            return arrivals.into_iter().for_each(|arrives| self.fly((now, arrives), to, bytes));
        }
        let link = self.links[line];
        if link.cut || self.is_lost(line, link) {
            self.handshakes_lost[line] += u32::from(is_dtls(bytes));
            return;
        }
        let full = |rate: Rate, leaves: Instant| leaves - now > rate.queue;
        let leaves = self.leaves(now, to, bytes.len());
        if link.rate.is_some_and(|rate| full(rate, leaves)) {
            self.ways[line][to.way()].busy_until = Some(leaves - duration(link.rate, bytes.len()));
            return;
        }
        let copies = if self.rng.random_bool(link.duplicate) { 2 } else { 1 };
        for _ in 0..copies {
            let extra = link.jitter.mul_f64(self.rng.random::<f64>());
            self.fly((now, leaves + link.delay + extra), to, bytes);
        }
    }

    fn fly(&mut self, (sent_at, arrives): (Instant, Instant), to: End, bytes: &[u8]) {
        self.sent += 1;
        let (number, bytes) = (self.sent, bytes.to_vec());
        self.queue.push(Reverse(Flight { arrives, number, sent_at, to, bytes }));
    }

    /// When the last bit of so many bytes has left, after what was sent before.
    fn leaves(&mut self, now: Instant, to: End, bytes: usize) -> Instant {
        let rate = self.links[to.line()].rate;
        let busy = &mut self.ways[to.line()][to.way()].busy_until;
        let leaves = busy.map_or(now, |until| until.max(now)) + duration(rate, bytes);
        *busy = rate.map(|_| leaves);
        leaves
    }

    fn send_framed(&mut self, now: Instant, to: End, bytes: &[u8]) {
        let (line, way) = (to.line(), to.way());
        let Some((end, mut stream)) = self.ways[line][way].stream.take() else { return };
        let link = self.links[line];
        stream.send(now, bytes, |segment| {
            if let Some(laid) = self.lines.get_mut(&line) {
                return laid.way(to.direction()).send_reliably(now, segment, REPEAT_AFTER);
            }
            let repeats = if self.is_lost(line, link) { REPEAT_AFTER } else { Duration::ZERO };
            let extra = link.jitter.mul_f64(self.rng.random::<f64>());
            self.leaves(now, to, segment) + link.delay + extra + repeats
        });
        self.ways[line][way].stream = Some((end, stream));
    }

    fn is_lost(&mut self, line: usize, link: LinkModel) -> bool {
        if self.bursts[line] > 0 {
            self.bursts[line] -= 1;
            return true;
        }
        if self.rng.random_bool(link.burst) {
            self.bursts[line] = self.rng.random_range(2..8);
        }
        self.rng.random_bool(link.loss)
    }

    pub fn next(&self) -> Option<Instant> {
        let datagram = self.queue.peek().map(|Reverse(flight)| flight.arrives);
        let framed = self.ways.iter().flatten().filter_map(|way| way.stream.as_ref()?.1.next());
        datagram.into_iter().chain(framed).min()
    }

    /// What has arrived, and when it was sent.
    pub fn pop(&mut self, now: Instant) -> Option<(End, Instant, Vec<u8>)> {
        if self.queue.peek().is_some_and(|Reverse(flight)| flight.arrives <= now) {
            return self.queue.pop().map(|Reverse(flight)| (flight.to, flight.sent_at, flight.bytes));
        }
        let Wire { ways, links, lines, .. } = self;
        let is_cut = |line: usize| links[line].cut && !lines.contains_key(&line);
        let ways = ways.iter_mut().enumerate();
        ways.flat_map(|(line, ways)| ways.iter_mut().map(move |way| (way, is_cut(line)))).find_map(
            |(way, cut)| {
                let (end, stream) = way.stream.as_mut()?;
                let (sent_at, bytes) = stream.pop(now, cut)?;
                Some((*end, sent_at, bytes))
            },
        )
    }
}

/// By its first byte, as RFC 7983 section 7 tells what shares a port apart.
fn is_dtls(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| (20..64).contains(first))
}

/// Bytes a line of the laboratory carries for it. Signatures of a handshake differ by some bytes from run to run, which
/// would give all that is behind them another time.
fn counted_length(datagram: &[u8]) -> usize {
    if is_dtls(datagram) { datagram.len().next_multiple_of(256) } else { datagram.len() }
}

/// How long a line takes for so many bytes.
fn duration(rate: Option<Rate>, bytes: usize) -> Duration {
    let seconds = |rate: Rate| bytes as f64 * 8.0 / f64::from(rate.bits_per_second);
    rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(seconds(rate)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{LineModel, WayModel};

    /// 1 Mbit/s carries a datagram of 1,250 bytes in 10 ms, and holds ten that wait.
    #[test]
    fn a_narrow_line_delays_and_then_loses() {
        let mut wire = Wire::new(1);
        let rate = Some(Rate { bits_per_second: 1_000_000, queue: Duration::from_millis(100) });
        wire.add(LinkModel { delay: Duration::ZERO, rate, ..LinkModel::clean() });
        let now = Instant::now();
        for _ in 0..30 {
            wire.send(now, End::Client(0), &[0; 1250]);
        }
        let came = (0..40).map(|step| {
            let at = now + Duration::from_millis(10 * step);
            std::iter::from_fn(|| wire.pop(at)).count()
        });
        assert_eq!(came.collect::<Vec<_>>()[..13], [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
        wire.send(now + Duration::from_secs(1), End::Client(0), &[0; 1250]);
        assert_eq!(wire.next(), Some(now + Duration::from_millis(1010)), "an idle line is empty");
    }

    #[test]
    fn a_line_of_the_laboratory_takes_the_place_of_the_link() {
        let (mut wire, now) = (Wire::new(1), Instant::now());
        wire.add(LinkModel { cut: true, ..LinkModel::clean() });
        let way = |ms| WayModel { delay: Duration::from_millis(ms), ..Default::default() };
        wire.lay(0, Line::new(now, LineModel { up: way(10), down: way(20) }, 1));
        wire.send(now, End::Client(0), &[1]);
        let arrived =
            |wire: &mut Wire, ms| wire.pop(now + Duration::from_millis(ms)).map(|(_, _, bytes)| bytes);
        assert_eq!((arrived(&mut wire, 19), arrived(&mut wire, 20)), (None, Some(vec![1])));
        let seen_at = (PathKind::Tcp, SocketAddr::from(([10, 0, 0, 1], 4000)));
        wire.connect(0, seen_at);
        let later = now + Duration::from_secs(1);
        wire.send(later, End::Engine { from: 0, seen_at }, &[2]);
        assert_eq!((arrived(&mut wire, 1009), arrived(&mut wire, 1010)), (None, Some(vec![2])));
    }
}
