//! All sites, on one thread: their sockets, their timers, and what is counted of them.

use crate::net::{Batch, Port};
use crate::peer::{Arrived, Peer};
use crate::place::MEDIA_IP;
use crate::publisher::{Camera, Sent, unix_now};
use crate::receiver::{Counts, Receiver, Sample};
use crate::signaling::{Join, News, Signaling};
use ::protocol::{Action, SlotWish};
use mio::{Events, Interest, Poll, Token, Waker};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::answer::Answer;
use tests::line::Identity;

const NEWS: Token = Token(usize::MAX);
/// Sites that may be between hello and media at the same time.
const AT_ONCE: usize = 16;

/// A site that is to join.
pub struct Seat {
    pub token: String,
    pub camera: Option<Camera>,
    /// Pairs of slots, each for one wish.
    pub wishes: Vec<SlotWish>,
    /// What it does with the meeting when it is in.
    pub act: Option<Action>,
}

/// The packets of one site.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub received: Counts,
    pub sent: Sent,
    /// Voice packets missing in what has been received, by sequence number.
    pub audio_gaps: u64,
    /// Packets that did not authenticate; there must be none.
    pub rejected: u64,
}

impl Tally {
    fn of(peer: &Peer) -> Tally {
        let receiver = peer.receiver();
        Tally {
            received: receiver.map(|receiver| receiver.counts).unwrap_or_default(),
            sent: peer.sent(),
            audio_gaps: receiver.map(Receiver::audio_gaps).unwrap_or_default(),
            rejected: receiver.map(|receiver| receiver.rejected).unwrap_or_default(),
        }
    }

    pub fn since(&self, before: &Tally) -> Tally {
        Tally {
            received: Counts {
                audio: self.received.audio - before.received.audio,
                video: self.received.video - before.received.video,
            },
            sent: Sent {
                audio: self.sent.audio - before.sent.audio,
                video: self.sent.video - before.sent.video,
            },
            audio_gaps: self.audio_gaps.saturating_sub(before.audio_gaps),
            rejected: self.rejected - before.rejected,
        }
    }
}

pub struct Crowd {
    identity: Arc<Identity>,
    signaling: Signaling,
    poll: Poll,
    events: Events,
    peers: Vec<Option<Peer>>,
    timers: BinaryHeap<Reverse<(Instant, usize)>>,
    batch: Batch,
    /// Opened packets, while `sampling`.
    pub samples: Vec<Sample>,
    pub sampling: bool,
    /// An instant and the same moment since 1970.
    epoch: (Instant, Duration),
    /// Sites whose WebSocket the server has closed; their media goes on.
    pub closed: usize,
    ended: Option<String>,
}

impl Crowd {
    pub fn new(server: SocketAddr) -> Result<Crowd, String> {
        let poll = Poll::new().map_err(|e| e.to_string())?;
        let waker = Waker::new(poll.registry(), NEWS).map_err(|e| e.to_string())?;
        Ok(Crowd {
            identity: Arc::new(Identity::new()),
            signaling: Signaling::start(server, waker),
            poll,
            events: Events::with_capacity(1024),
            peers: Vec::new(),
            timers: BinaryHeap::new(),
            batch: Batch::new(),
            samples: Vec::new(),
            sampling: false,
            epoch: (Instant::now(), unix_now()),
            closed: 0,
            ended: None,
        })
    }

    /// Brings a site in; it joins the meeting while the crowd runs.
    pub fn join(&mut self, seat: Seat) -> Result<usize, String> {
        let number = self.peers.len();
        let mut port = Port::bind(MEDIA_IP).map_err(|e| format!("a socket: {e}"))?;
        let registered = self.poll.registry().register(port.source(), Token(number), Interest::READABLE);
        registered.map_err(|e| e.to_string())?;
        // Frames of different publishers do not coincide.
        let phase = Duration::from_millis(number as u64 * 7 % 33);
        let camera = seat.camera.map(|camera| (camera, phase));
        let peer = Peer::new(port, number as u32, camera, seat.wishes.len());
        let offer = peer.offer(&self.identity);
        self.peers.push(Some(peer));
        let wishes = seat.wishes.into_iter().map(Some).collect();
        self.signaling.join(Join { peer: number, token: seat.token, offer, wishes, act: seat.act });
        Ok(number)
    }

    /// Brings all in, a few at a time, and waits until media of each can flow.
    pub fn join_all(&mut self, seats: Vec<Seat>, patience: Duration) -> Result<Vec<usize>, String> {
        let mut numbers = Vec::new();
        for seat in seats {
            numbers.push(self.join(seat)?);
            let crowd_of = |crowd: &Crowd| numbers.iter().filter(|n| !crowd.is_connected(**n)).count();
            self.run_while(patience, "sites to come in", |crowd| crowd_of(crowd) >= AT_ONCE)?;
        }
        let waiting = |crowd: &Crowd| numbers.iter().any(|number| !crowd.is_connected(*number));
        self.run_while(patience, "the last sites to come in", waiting)?;
        Ok(numbers)
    }

    pub fn leave(&mut self, number: usize) {
        self.signaling.leave(number);
        self.peers[number] = None;
    }

    pub fn peer(&self, number: usize) -> Option<&Peer> {
        self.peers.get(number)?.as_ref()
    }

    fn is_connected(&self, number: usize) -> bool {
        self.peer(number).is_some_and(Peer::is_connected)
    }

    /// Of each site in the order they came; of one that has left, nothing.
    pub fn tallies(&self) -> Vec<Tally> {
        self.peers.iter().map(|peer| peer.as_ref().map(Tally::of).unwrap_or_default()).collect()
    }

    /// Runs for as long as `pending`, and fails when that takes too long or a site is turned away before
    /// it had media.
    pub fn run_while(
        &mut self,
        patience: Duration,
        what: &str,
        mut pending: impl FnMut(&Crowd) -> bool,
    ) -> Result<(), String> {
        let end = Instant::now() + patience;
        while pending(self) {
            if Instant::now() >= end {
                return Err(format!("waited {} s for {what}", patience.as_secs()));
            }
            self.turn(end)?;
        }
        Ok(())
    }

    pub fn run(&mut self, time: Duration) -> Result<(), String> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(end)?;
        }
        Ok(())
    }

    /// Waits for something and does what it asks for.
    fn turn(&mut self, end: Instant) -> Result<(), String> {
        let due = self.timers.peek().map_or(end, |Reverse((at, _))| (*at).min(end));
        let sleep = due.saturating_duration_since(Instant::now());
        // Interrupted by a signal is a wake-up too.
        let _ = self.poll.poll(&mut self.events, Some(sleep));
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            match event.token() {
                NEWS => self.take_news(),
                Token(number) => self.receive(number),
            }
        }
        self.events = events;
        self.fire();
        self.ended.take().map_or(Ok(()), Err)
    }

    fn take_news(&mut self) {
        while let Ok(news) = self.signaling.news.try_recv() {
            match news {
                News::Answer { peer, opened, sdp } => self.take_answer(peer, opened, &sdp),
                News::Ended { peer, why } => self.take_end(peer, &why),
            }
        }
    }

    fn take_end(&mut self, number: usize, why: &str) {
        // One that has left itself is no longer here.
        let Some(peer) = self.peer(number) else { return };
        match peer.is_connected() {
            true => self.closed += 1,
            false => self.ended = Some(format!("site {number} was turned away: {why}")),
        }
    }

    fn take_answer(&mut self, number: usize, opened: Instant, sdp: &str) {
        let Some(peer) = self.peers.get_mut(number).and_then(Option::as_mut) else {
            return;
        };
        let now = Instant::now();
        match Answer::read(sdp).and_then(|answer| Some((answer.candidate?, answer))) {
            Some((server, answer)) => peer.take_answer(now, &self.identity, answer, server),
            None => self.ended = Some(format!("an answer without a candidate: {sdp}")),
        }
        if let Some(peer) = self.peers.get_mut(number).and_then(Option::as_mut) {
            peer.opened = Some(opened);
            peer.handle_timeout(now);
        }
        self.schedule(number);
    }

    fn receive(&mut self, number: usize) {
        let Some(peer) = self.peers.get_mut(number).and_then(Option::as_mut) else {
            return;
        };
        loop {
            let may_be_more = peer.port.receive(&mut self.batch);
            for (data, stamp) in self.batch.datagrams() {
                let (then, unix) = self.epoch;
                let arrived = Arrived { at: then + stamp.saturating_sub(unix), stamp };
                let sample = peer.handle_datagram(arrived, data);
                if self.sampling {
                    self.samples.extend(sample);
                }
            }
            if !may_be_more {
                break;
            }
        }
        self.schedule(number);
    }

    /// One entry per peer counts in the heap; others are out of date.
    fn schedule(&mut self, number: usize) {
        if let Some(peer) = self.peers.get_mut(number).and_then(Option::as_mut) {
            let due = peer.poll_timeout();
            if due != peer.due {
                peer.due = due;
                self.timers.extend(due.map(|at| Reverse((at, number))));
            }
        }
    }

    fn fire(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, number))) = self.timers.peek().copied() {
            if at > now {
                return;
            }
            self.timers.pop();
            if let Some(peer) = self.peers.get_mut(number).and_then(Option::as_mut)
                && peer.due == Some(at)
            {
                peer.due = None;
                peer.handle_timeout(now);
                self.schedule(number);
            }
        }
    }
}
