//! Stories on real sockets of loopback. Nothing sleeps: every wait is a read with a time-out.

mod backpressure;
mod echo;
mod fairness;
mod overflow;
mod ports;
mod stall;
mod tcp;
mod turn;
mod udp;
mod workers;

use super::{WorkerId, Workers, WorkersConfig};
use echo::Echo;
use sfu::event::Event;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, TrySendError, sync_channel};
use std::time::Duration;

/// Nothing here takes so long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(10);

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// One worker on a free loopback port, not pinned: tests run beside each other.
fn one_worker() -> WorkersConfig {
    WorkersConfig { workers: 1, listen: vec![LOOPBACK], pin: false, ..WorkersConfig::default() }
}

/// Echo machines whose events come in a channel of `capacity`.
fn start(config: &WorkersConfig, capacity: usize) -> (Workers, Receiver<(WorkerId, Event)>) {
    let (sender, events) = sync_channel(capacity);
    let sink = move |worker, event| {
        sender.try_send((worker, event)).map_err(|e| match e {
            TrySendError::Full((_, event)) | TrySendError::Disconnected((_, event)) => event,
        })
    };
    let workers = Workers::start_with(config, Echo::new, sink).unwrap();
    (workers, events)
}

fn port(workers: &Workers) -> u16 {
    workers.addresses()[0].port
}

/// A UDP client of `server`, bound to the wildcard of its family.
fn client(server: SocketAddr) -> UdpSocket {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => "127.0.0.1:0".parse().unwrap(),
        SocketAddr::V6(_) => "[::1]:0".parse().unwrap(),
    };
    let socket = UdpSocket::bind(any).unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let length = socket.recv(&mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}

fn ask(socket: &UdpSocket, question: &[u8]) -> Vec<u8> {
    socket.send(question).unwrap();
    receive(socket)
}

/// The failed sends reported to the machine so far: (buffer full, other errors).
fn failures(socket: &UdpSocket) -> (u32, u32) {
    let answer = ask(socket, &echo::COUNT);
    let number = |at: usize| u32::from_be_bytes(answer[at..at + 4].try_into().unwrap());
    (number(0), number(4))
}
