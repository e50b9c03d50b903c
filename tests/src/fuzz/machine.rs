//! An engine with one input after another.

use super::{CERTIFICATE, OFFER, address, path};
use sfu::command::{Command, Desired, DesiredPeer, Permissions, Ranks, Wish};
use sfu::engine::{Engine, EngineConfig, Input, Output};
use sfu::event::Event;
use sfu::ids::{PeerId, RoomId, Source, SourceKind};
use sfu::net::{Candidate, PathKind};
use sfu::sdp::{Offer, OfferError};
use sfu::stats::Effort;
use sfu::time::Clock;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

pub(super) const ROOM: RoomId = RoomId(1);
/// More outputs than any input here can cause: past it, `poll_output` does not end.
const MAX_OUTPUTS: usize = 10_000;

/// A sequence of operations, each led by a byte that chooses it.
pub fn engine_operations(data: &[u8]) {
    let mut machine = Machine::new();
    let mut rest = data;
    while let [operation, argument, tail @ ..] = rest {
        let length = usize::from(*argument).min(tail.len());
        let (bytes, next) = tail.split_at(length);
        rest = machine.operate(*operation, *argument, bytes, (tail, next));
        machine.rest();
    }
}

/// An engine in virtual time.
pub(super) struct Machine {
    pub now: Instant,
    pub engine: Engine,
}

impl Machine {
    pub fn new() -> Machine {
        let now = Instant::now();
        let address = SocketAddr::from(([10, 0, 1, 1], 5000));
        let config = EngineConfig {
            certificate: CERTIFICATE.clone(),
            candidates: vec![Candidate { kind: PathKind::Udp, address }],
            clock: Clock::new(now, SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)),
            seed: [1; 32],
        };
        Machine { now, engine: Engine::new(now, config) }
    }

    /// Does one thing and returns what of the input is left; only datagrams use up `bytes`.
    fn operate<'a>(
        &mut self,
        operation: u8,
        argument: u8,
        bytes: &[u8],
        (tail, next): (&'a [u8], &'a [u8]),
    ) -> &'a [u8] {
        let peer = PeerId(u64::from(argument & 3));
        match operation % 9 {
            0 => self.offer(peer.0, &Offer::read(OFFER).expect("a recorded offer")),
            1 => self.command(Command::RemovePeer { peer }),
            2 => self.command(Command::CloseRoom { room: RoomId(u64::from(argument & 1)) }),
            3 => self.reconcile(argument),
            4 => self.now += Duration::from_millis(u64::from(argument) * 20),
            5 => self.input(Input::Timeout),
            6 => self.input(Input::Effort(effort(argument))),
            7 => self.input(Input::PathClosed { path: path(address(argument)) }),
            _ => {
                self.datagram(operation / 9, bytes);
                return next;
            }
        }
        tail
    }

    pub fn input(&mut self, input: Input<'_>) {
        self.engine.handle_input(self.now, input);
    }

    pub fn command(&mut self, command: Command) {
        self.input(Input::Command(command));
    }

    pub fn offer(&mut self, peer: u64, offer: &Offer) {
        self.command(Command::Offer {
            room: ROOM,
            peer: PeerId(peer),
            offer: Box::new(offer.clone()),
            known_bps: None,
        });
    }

    fn reconcile(&mut self, argument: u8) {
        let wish = |peer| Wish {
            source: Source { peer: PeerId(peer), kind: SourceKind::Camera },
            max_height: u16::from(argument) * 8,
        };
        let one = |peer: u64| DesiredPeer {
            peer: PeerId(peer),
            may_publish: Permissions::all(),
            ranks: Ranks::default(),
            has_floor: peer == 1 && argument > 127,
            asks_for_mix: argument % 8 == 7,
            video_slots: vec![Some(wish((peer + 1) % 4)), None, Some(wish(u64::from(argument)))],
        };
        let desired = Desired { peers: (0..u64::from(argument % 5)).map(one).collect() };
        self.command(Command::Reconcile { room: ROOM, desired });
    }

    pub fn datagram(&mut self, from: u8, data: &[u8]) {
        let mut data = data.to_vec();
        self.input(Input::Datagram { path: path(address(from)), data: &mut data, arrived: self.now });
    }

    /// Polls until the engine waits, which it must come to.
    pub fn rest(&mut self) {
        self.rest_with(|_| {});
    }

    /// The same; `take` gets each order.
    pub fn rest_with(&mut self, mut take: impl FnMut(Output<'_>)) {
        for _ in 0..MAX_OUTPUTS {
            match self.engine.poll_output(self.now) {
                Output::Timeout(_) => return,
                // The engine survives a fault of its own; here it is to be found.
                Output::Event(Event::Failed { peer, cause }) => panic!("{peer:?}: {cause}"),
                Output::Event(Event::OfferRefused { reason: OfferError::Internal, .. }) => panic!("an offer"),
                order => take(order),
            }
        }
        panic!("poll_output does not come to an end");
    }
}

fn effort(argument: u8) -> Effort {
    let span = Duration::from_millis(u64::from(argument) * 10);
    Effort { span, worked: span / u32::from(argument % 3 + 1), slept: span / 16 }
}
