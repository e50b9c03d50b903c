//! A machine that never ends sending must still hear, and be told how it does.

use super::*;
use crate::Machine;
use sfu::engine::{Input, Output, Transmit};
use sfu::ids::PeerId;
use sfu::net::Path;
use std::time::Instant;

/// Sends to whoever spoke first until it hears something else, or was told so often how hard it works.
struct Torrent {
    to: Option<Path>,
    heard: Option<u8>,
    efforts: u64,
    enough: u64,
    told: bool,
}

impl Torrent {
    fn start(enough: u64) -> (Workers, Receiver<Event>) {
        let (sender, events) = sync_channel(16);
        let sink = move |_, event| sender.send(event).map_err(|e| e.0);
        let make = move |_| Torrent { to: None, heard: None, efforts: 0, enough, told: false };
        (Workers::start_with(&one_worker(), make, sink).unwrap(), events)
    }
}

impl Machine for Torrent {
    fn handle_input(&mut self, _now: Instant, input: Input<'_>) {
        match input {
            Input::Datagram { path, .. } if self.to.is_none() => self.to = Some(path),
            Input::Datagram { data, .. } => self.heard = data.first().copied(),
            Input::Effort(effort) if self.to.is_some() && effort.used() > 0.0 => self.efforts += 1,
            _ => {}
        }
    }

    fn poll_output(&mut self, now: Instant) -> Output<'_> {
        let heard = self.heard.map(u64::from).or((self.efforts >= self.enough).then_some(self.efforts));
        match (self.to, heard) {
            (Some(path), None) => Output::Transmit(Transmit { path, data: &[0; 100], segment_size: None }),
            (_, Some(heard)) if !std::mem::replace(&mut self.told, true) => {
                Output::Event(Event::Quiet { peer: PeerId(heard) })
            }
            _ => Output::Timeout(now + PATIENCE),
        }
    }
}

#[test]
fn whoever_never_ends_sending_hears_all_the_same() {
    let (workers, events) = Torrent::start(u64::MAX);
    let client = client(SocketAddr::new(LOOPBACK, port(&workers)));
    assert_eq!(ask(&client, &[1]), [0; 100], "it has begun");
    client.send(&[7]).unwrap();
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Quiet { peer: PeerId(7) }));
}

#[test]
fn whoever_never_ends_sending_is_told_how_hard_it_works_ten_times_a_second() {
    let begun = Instant::now();
    let (workers, events) = Torrent::start(3);
    let client = client(SocketAddr::new(LOOPBACK, port(&workers)));
    client.send(&[1]).unwrap();
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Quiet { peer: PeerId(3) }));
    assert!(begun.elapsed() >= Duration::from_millis(200), "and not more often");
}
