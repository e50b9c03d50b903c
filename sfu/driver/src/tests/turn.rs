//! One turn after the other, with a clock that only the machine moves.

use super::*;
use crate::bind::bind;
use crate::worker::{COMMAND_CAPACITY, Parts, Worker};
use crate::{Machine, WorkerId};
use sfu::command::Command;
use sfu::engine::{Input, Output};
use sfu::ids::RoomId;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

/// What a datagram and a command take.
const DATAGRAM: Duration = Duration::from_millis(5);
const COMMAND: Duration = Duration::from_micros(100);

#[derive(Clone)]
struct Slow {
    now: Rc<Cell<Instant>>,
    datagrams: Rc<Cell<u32>>,
    commands: Rc<Cell<u32>>,
}

impl Slow {
    fn takes(&self, time: Duration, count: &Cell<u32>) {
        self.now.set(self.now.get() + time);
        count.set(count.get() + 1);
    }
}

impl Machine for Slow {
    fn handle_input(&mut self, _: Instant, input: Input<'_>) {
        match input {
            Input::Datagram { .. } => self.takes(DATAGRAM, &self.datagrams),
            Input::Command(_) => self.takes(COMMAND, &self.commands),
            _ => {}
        }
    }

    fn poll_output(&mut self, now: Instant) -> Output<'_> {
        Output::Timeout(now + Duration::from_secs(60))
    }
}

#[test]
fn commands_have_a_millisecond_of_their_own_in_every_turn() {
    let start = Instant::now();
    let count = || Rc::new(Cell::new(0));
    let slow = Slow { now: Rc::new(Cell::new(start)), datagrams: count(), commands: count() };
    let bound = bind(&[LOOPBACK], 0).unwrap();
    let client = client(SocketAddr::new(LOOPBACK, bound.port));
    let (orders, commands) = sync_channel(COMMAND_CAPACITY);
    let (parts, _waker, _shared) = Parts::new(WorkerId(0), bound, commands).unwrap();
    let clock = slow.now.clone();
    let mut worker = Worker::new(move || clock.get(), parts, slow.clone(), |_, _| Ok(())).unwrap();

    for n in 0..25 {
        orders.send(Command::CloseRoom { room: RoomId(n) }).unwrap();
    }
    client.send(b"keeps it busy").unwrap();
    worker.turn(start);
    assert_eq!(slow.datagrams.get(), 1, "the turn was long before the commands' part began");
    assert_eq!(slow.commands.get(), 10);
    worker.turn(slow.now.get());
    assert_eq!(slow.commands.get(), 20);
    worker.turn(slow.now.get());
    assert_eq!(slow.commands.get(), 25);
}
