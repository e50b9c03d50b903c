//! Datagrams onto loopback, a run per system call where the kernel has UDP GSO.

use quinn_udp::{Transmit, UdpSocketState};
use std::net::{SocketAddr, UdpSocket};

pub struct Loopback {
    socket: UdpSocket,
    state: UdpSocketState,
    /// It is never read: what does not fit is dropped by the kernel, for floor and engine alike.
    sink: UdpSocket,
    to: SocketAddr,
}

impl Loopback {
    pub fn new() -> Loopback {
        let bind = || UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
        let (socket, sink) = (bind(), bind());
        let state = UdpSocketState::new((&socket).into()).expect("a UDP socket");
        let to = sink.local_addr().expect("a bound socket");
        Loopback { socket, state, sink, to }
    }

    pub fn send(&mut self, contents: &[u8], segment_size: Option<usize>) {
        let most = segment_size.map_or(1, |_| self.state.max_gso_segments());
        let size = segment_size.unwrap_or(contents.len()).max(1);
        for run in contents.chunks(size * most) {
            let transmit =
                Transmit { destination: self.to, ecn: None, contents: run, segment_size, src_ip: None };
            self.state.try_send((&self.socket).into(), &transmit).expect("loopback takes it");
        }
        debug_assert!(self.sink.local_addr().is_ok());
    }
}
