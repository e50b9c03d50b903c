use super::echo::ECHO;
use super::*;
use sfu::command::Command;
use sfu::ids::{PeerId, RoomId};
use sfu::transport::Certificate;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

fn two_workers() -> WorkersConfig {
    WorkersConfig { workers: 2, ..one_worker() }
}

#[test]
fn orders_reach_the_worker_their_room_was_placed_on() {
    let (mut workers, events) = start(&two_workers(), 16);
    let placed: Vec<WorkerId> = (1..=4).map(|n| workers.place(RoomId(n))).collect();
    assert_eq!(placed, [0, 1, 0, 1].map(WorkerId), "idle workers fill in turn");
    for n in [2, 1, 4, 3] {
        let room = RoomId(n);
        workers.send(room, Command::CloseRoom { room }).unwrap();
        let (worker, event) = events.recv_timeout(PATIENCE).unwrap();
        let peers = Vec::new();
        assert_eq!((worker, event), (placed[n as usize - 1], Event::Speakers { room, peers }));
    }
    workers.forget(RoomId(2));
    workers.forget(RoomId(4));
    assert_eq!(workers.place(RoomId(5)), WorkerId(1), "it has the fewest rooms");
}

#[test]
fn any_thread_may_order_through_a_handle() {
    let (workers, events) = start(&two_workers(), 16);
    let handle = workers.handle(WorkerId(1)).unwrap();
    assert!(workers.handle(WorkerId(2)).is_none());
    let order = Command::RemovePeer { peer: PeerId(0) };
    let sent = std::thread::spawn(move || handle.send(order)).join();
    assert_eq!(sent.unwrap(), Ok(()));
    let (worker, event) = events.recv_timeout(PATIENCE).unwrap();
    assert_eq!((worker, event), (WorkerId(1), Event::Quiet { peer: PeerId(0) }));
}

#[test]
fn the_load_of_the_thread_is_filled_in_as_statistics_pass() {
    let (mut workers, events) = start(&one_worker(), 16);
    let room = RoomId(0);
    workers.send(room, Command::CloseRoom { room }).unwrap();
    for _ in 0..3 {
        let (_, event) = events.recv_timeout(PATIENCE).unwrap();
        let Event::Stats { worker, .. } = event else {
            panic!("{event:?}");
        };
        assert!((0.0..=1.0).contains(&worker.load), "{}", worker.load);
    }
}

#[test]
fn stopping_ends_the_threads_and_frees_the_ports() {
    let (workers, _events) = start(&two_workers(), 16);
    let handle = workers.handle(WorkerId(0)).unwrap();
    let client = client(SocketAddr::new(LOOPBACK, port(&workers)));
    assert_eq!(ask(&client, &ECHO), ECHO);
    let ports: Vec<u16> = workers.addresses().iter().map(|a| a.port).collect();

    assert_eq!(workers.stop(), []);
    for port in ports {
        UdpSocket::bind((LOOPBACK, port)).unwrap();
        TcpListener::bind((LOOPBACK, port)).unwrap();
    }
    let order = Command::RemovePeer { peer: PeerId(0) };
    assert_eq!(handle.send(order.clone()), Err(order), "the worker is gone");
}

#[test]
fn a_worker_that_died_is_named() {
    let make = |context: crate::WorkerContext| match context.candidates.len() {
        0 => Echo::new(context),
        _ => panic!("a machine that is meant to die"),
    };
    let (living, _events) = start(&two_workers(), 16);
    assert_eq!(living.lost(), None);
    let workers = Workers::start_with(&one_worker(), make, |_, _| Ok(())).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while workers.lost().is_none() {
        assert!(Instant::now() < deadline, "not noticed");
        std::thread::yield_now();
    }
    assert_eq!(workers.lost(), Some(WorkerId(0)));
    assert_eq!(workers.stop(), [WorkerId(0)]);
}

#[test]
fn an_engine_lives_on_a_worker_and_reports_what_came() {
    let (sender, events) = sync_channel(16);
    let sink = move |_, event| sender.try_send(event).map_err(|_| panic!("16 are enough"));
    let certificate = Arc::new(Certificate::generate().unwrap());
    let workers = Workers::start(&one_worker(), certificate, sink).unwrap();
    let client = client(SocketAddr::new(LOOPBACK, port(&workers)));
    client.send(b"of no known peer").unwrap();
    loop {
        let Event::Stats { worker, .. } = events.recv_timeout(PATIENCE).unwrap() else {
            continue;
        };
        if worker.datagrams_received > 0 {
            assert_eq!((worker.datagrams_received, worker.drops.total()), (1, 1));
            break;
        }
    }
    assert_eq!(workers.stop(), []);
}
