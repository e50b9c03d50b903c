//! A thread that hangs, looked at in time that the test makes up.

use super::*;
use crate::machine::{Machine, WorkerContext};
use crate::{STALLED_AFTER, Stall};
use sfu::command::Command;
use sfu::engine::{Input, Output};
use sfu::ids::{PeerId, RoomId};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

const LOOK: Duration = Duration::from_millis(500);

/// An [`Echo`] that hangs at an order until it is let go.
struct Sticky {
    echo: Echo,
    hangs: Sender<()>,
    gate: Receiver<()>,
}

impl Machine for Sticky {
    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        if let Input::Command(Command::RemovePeer { .. }) = &input {
            self.hangs.send(()).unwrap();
            self.gate.recv().unwrap();
        }
        self.echo.handle_input(now, input);
    }

    fn poll_output(&mut self, now: Instant) -> Output<'_> {
        self.echo.poll_output(now)
    }
}

/// Two sticky workers, how they are let go, and their notice that they hang.
fn sticky_workers() -> (Workers, Vec<Sender<()>>, Receiver<()>) {
    let (hangs, word) = channel();
    let (gates, made): (Vec<_>, Vec<_>) = (0..2).map(|_| channel()).unzip();
    let made = std::sync::Arc::new(Mutex::new(made));
    let make = move |context: WorkerContext| {
        let gate = made.lock().unwrap().pop().unwrap();
        Sticky { echo: Echo::new(context), hangs: hangs.clone(), gate }
    };
    let config = WorkersConfig { workers: 2, ..one_worker() };
    (Workers::start_with(&config, make, |_, _| Ok(())).unwrap(), gates, word)
}

#[test]
fn a_thread_that_hangs_is_named_and_gets_no_rooms_until_it_turns_again() {
    let (mut workers, gates, word) = sticky_workers();
    let clients: Vec<_> =
        workers.addresses().iter().map(|a| client(SocketAddr::new(LOOPBACK, a.port))).collect();
    let start = Instant::now();
    assert_eq!(workers.stalled(start), []);

    let room = RoomId(1);
    assert_eq!(workers.place(room), WorkerId(0));
    workers.send(room, Command::RemovePeer { peer: PeerId(0) }).unwrap();
    word.recv_timeout(PATIENCE).unwrap();
    let looks = (STALLED_AFTER.as_millis() / LOOK.as_millis()) as u32;
    let mut seen = Vec::new();
    // The first look may see that it turned to take the order. The other turns when it is asked.
    for look in 1..=looks + 1 {
        ask(&clients[1], &echo::ECHO);
        seen = workers.stalled(start + LOOK * look);
    }
    let [Stall { worker: WorkerId(0), lasts }] = seen[..] else { panic!("{seen:?}") };
    assert!(lasts >= STALLED_AFTER, "{lasts:?}");
    for n in 2..6 {
        assert_eq!(workers.place(RoomId(n)), WorkerId(1), "whatever the other has");
    }

    gates.iter().for_each(|gate| gate.send(()).unwrap());
    ask(&clients[0], &echo::ECHO);
    assert_eq!(workers.stalled(start + LOOK * (looks + 2)), []);
    assert_eq!(workers.place(RoomId(6)), WorkerId(0));
    assert_eq!(workers.stop(), []);
}
