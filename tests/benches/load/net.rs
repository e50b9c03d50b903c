//! UDP as the receivers have it: a socket each, batches of datagrams by one system call, stamped by
//! the kernel.

use mio::event::Source;
use nix::sys::socket::{setsockopt, sockopt::UdpGroSegment};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use socket2::SockRef;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// One frame for one receiver is 9 KB; this is what a client that was away for half a second finds.
const RECEIVE_BUFFER: usize = 512 * 1024;
/// Longer than any datagram here.
const DATAGRAM: usize = 2048;

pub struct Port {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
}

impl Port {
    /// Without GRO: the kernel cuts a run into datagrams at the sender's cost, as a network card
    /// without segmentation would have it, and as it was when other servers were measured.
    pub fn bind(ip: IpAddr) -> io::Result<Port> {
        let socket = std::net::UdpSocket::bind((ip, 0))?;
        SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER)?;
        let state = UdpSocketState::new((&socket).into())?;
        setsockopt(&socket, UdpGroSegment, &false)?;
        Ok(Port { socket: mio::net::UdpSocket::from_std(socket), state })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub fn source(&mut self) -> &mut impl Source {
        &mut self.socket
    }

    /// Fills the batch; returns whether there may be more.
    pub fn receive(&self, batch: &mut Batch) -> bool {
        let mut chunks = batch.storage.chunks_mut(DATAGRAM);
        let mut buffers: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        // "Empty", or an ICMP error of an earlier send: both end the batch.
        let received = self.state.recv((&self.socket).into(), &mut buffers, &mut batch.metas);
        batch.filled = received.unwrap_or(0);
        batch.filled == BATCH_SIZE
    }

    /// What the kernel does not take is lost, as on any line.
    pub fn send(&self, to: SocketAddr, contents: &[u8], segment_size: Option<usize>) -> bool {
        let transmit = Transmit { destination: to, ecn: None, contents, segment_size, src_ip: None };
        self.state.try_send((&self.socket).into(), &transmit).is_ok()
    }
}

pub struct Batch {
    storage: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
    filled: usize,
}

impl Batch {
    pub fn new() -> Batch {
        let metas = [RecvMeta::default(); BATCH_SIZE];
        Batch { storage: vec![0; DATAGRAM * BATCH_SIZE], metas, filled: 0 }
    }

    /// Each datagram, and when the kernel had it: time since 1970.
    pub fn datagrams(&mut self) -> impl Iterator<Item = (&mut [u8], Duration)> {
        let filled = self.metas.iter().take(self.filled);
        filled
            .zip(self.storage.chunks_mut(DATAGRAM))
            .map(|(meta, buffer)| (&mut buffer[..meta.len], meta.timestamp.unwrap_or_default()))
    }
}
