//! A machine that never stops sending must still receive, and get its `Effort`.

use super::*;
use crate::Machine;
use sfu::engine::{Input, Output, Transmit};
use sfu::ids::PeerId;
use sfu::net::Path;
use std::time::Instant;

/// Sends to the first client until it receives something else, or has received `enough` efforts.
struct Torrent {
    to: Option<Path>,
    received: Option<u8>,
    efforts: u64,
    enough: u64,
    done: bool,
}

impl Torrent {
    fn start(enough: u64) -> (Workers, Receiver<Event>) {
        let (sender, events) = sync_channel(16);
        let sink = move |_, event| sender.send(event).map_err(|e| e.0);
        let make = move |_| Torrent { to: None, received: None, efforts: 0, enough, done: false };
        (Workers::start_with(&one_worker(), make, sink).unwrap(), events)
    }
}

impl Machine for Torrent {
    fn handle_input(&mut self, _now: Instant, input: Input<'_>) {
        match input {
            Input::Datagram { path, .. } if self.to.is_none() => self.to = Some(path),
            Input::Datagram { data, .. } => self.received = data.first().copied(),
            Input::Effort(effort) if self.to.is_some() && effort.used() > 0.0 => self.efforts += 1,
            _ => {}
        }
    }

    fn poll_output(&mut self, now: Instant) -> Output<'_> {
        let received = self.received.map(u64::from).or((self.efforts >= self.enough).then_some(self.efforts));
        match (self.to, received) {
            (Some(path), None) => Output::Transmit(Transmit { path, data: &[0; 100], segment_size: None }),
            (_, Some(received)) if !std::mem::replace(&mut self.done, true) => {
                Output::Event(Event::Quiet { peer: PeerId(received) })
            }
            _ => Output::Timeout(now + PATIENCE),
        }
    }
}

#[test]
fn a_machine_that_never_stops_sending_receives_all_the_same() {
    let (workers, events) = Torrent::start(u64::MAX);
    let client = client(SocketAddr::new(LOOPBACK, port(&workers)));
    assert_eq!(ask(&client, &[1]), [0; 100], "it has begun");
    client.send(&[7]).unwrap();
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Quiet { peer: PeerId(7) }));
}

#[test]
fn a_machine_that_never_stops_sending_gets_its_effort_ten_times_a_second() {
    let begun = Instant::now();
    let (workers, events) = Torrent::start(3);
    let client = client(SocketAddr::new(LOOPBACK, port(&workers)));
    client.send(&[1]).unwrap();
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Quiet { peer: PeerId(3) }));
    assert!(begun.elapsed() >= Duration::from_millis(200), "and not more often");
}
