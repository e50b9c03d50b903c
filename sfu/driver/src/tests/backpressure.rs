use super::echo::{ECHO, EVENTS_PER_COMMAND};
use super::*;
use crate::worker::COMMAND_CAPACITY;
use sfu::command::Command;
use sfu::ids::{PeerId, RoomId};

fn order(n: u64) -> Command {
    Command::RemovePeer { peer: PeerId(n) }
}

#[test]
fn a_full_channel_stops_orders_but_not_media_and_loses_nothing() {
    let (mut workers, events) = start(&one_worker(), 4);
    let client = client(SocketAddr::new(LOOPBACK, port(&workers)));
    let room = RoomId(1);

    // The answer to this order does not fit the channel; the fifth event stays with the worker.
    workers.send(room, order(0)).unwrap();
    let mut delivered = vec![events.recv_timeout(PATIENCE).unwrap().1];
    assert_eq!(ask(&client, &ECHO), ECHO, "media goes on");

    // No orders are taken now, so exactly the queue's length of them can be given.
    for n in 1..=COMMAND_CAPACITY as u64 {
        workers.send(room, order(n)).unwrap();
    }
    let refused = order(COMMAND_CAPACITY as u64 + 1);
    assert_eq!(workers.send(room, refused.clone()), Err(refused));
    assert_eq!(ask(&client, &ECHO), ECHO, "media still goes on");

    // The meeting takes events again: everything comes, in order.
    let expected = (COMMAND_CAPACITY as u64 + 1) * EVENTS_PER_COMMAND;
    while (delivered.len() as u64) < expected {
        delivered.push(events.recv_timeout(PATIENCE).unwrap().1);
    }
    let in_order: Vec<Event> = (0..expected).map(|n| Event::Quiet { peer: PeerId(n) }).collect();
    assert_eq!(delivered, in_order);
}
