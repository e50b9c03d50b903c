//! UDP in batches: GRO on the way in, GSO on the way out, source addresses kept (`quinn-udp`).

use super::gso::Refusals;
use mio::event::Source;
use nix::sys::socket::{setsockopt, sockopt::Ipv6DontFrag};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
};
use sfu::discard::DropReason;
use sfu::engine::Transmit;
use sfu::limits::MAX_DATAGRAM_BYTES;
use sfu::net::{Path, PathKind};
use socket2::{SockRef, Socket};
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::AsFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Asked of the kernel in each direction: 1,800 receivers of 2 Mbit/s are 450 MB/s, so this is 9 ms
/// of a full core. What it grants is bounded by `net.core.rmem_max`; `doctor` shows it.
pub(super) const BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// One buffer of a batch: the largest run GRO hands over is 64 KiB. The odd 20 cache lines keep the
/// first packets of all buffers out of the same cache sets.
const RECEIVE_BYTES: usize = 65_536 + 1_280;

/// A datagram that seems to have waited longer was stamped by another clock: the wall clock was set meanwhile.
const MAX_AGE: Duration = Duration::from_secs(1);

/// Largest run of one GSO send: a UDP payload, less the headers of IPv6.
const MAX_RUN_BYTES: usize = 65_000;

/// Datagrams received by one system call, and room for them.
pub(super) struct Batch {
    storage: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
    filled: usize,
}

impl Batch {
    pub fn new() -> Batch {
        Batch {
            storage: vec![0; RECEIVE_BYTES.saturating_mul(BATCH_SIZE)],
            metas: [RecvMeta::default(); BATCH_SIZE],
            filled: 0,
        }
    }

    /// Whether the socket may hold more than this batch took.
    pub fn is_full(&self) -> bool {
        self.filled >= BATCH_SIZE
    }

    /// Each datagram with the path it took and when the kernel took it in. Longer ones than `MAX_DATAGRAM_BYTES` are cut there:
    /// nothing we speak is as long, and what is cut does not authenticate.
    pub fn datagrams(&mut self, now: Instant, bound: IpAddr, mut each: impl FnMut(Path, &mut [u8], Instant)) {
        let wall = wall();
        let filled = self.metas.iter().take(self.filled);
        for (meta, buffer) in filled.zip(self.storage.chunks_mut(RECEIVE_BYTES)) {
            let path = Path {
                kind: PathKind::Udp,
                local: meta.dst_ip.unwrap_or(bound).to_canonical(),
                remote: canonical(meta.addr),
            };
            let Some(run) = buffer.get_mut(..meta.len) else {
                continue;
            };
            let age = meta.timestamp.map_or(Duration::ZERO, |at| wall.saturating_sub(at));
            let arrived = now.checked_sub(age.min(MAX_AGE)).unwrap_or(now);
            for datagram in run.chunks_mut(meta.stride.max(1)) {
                let length = datagram.len().min(MAX_DATAGRAM_BYTES);
                if let Some(datagram) = datagram.get_mut(..length) {
                    each(path, datagram, arrived);
                }
            }
        }
    }
}

fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Datagrams that did not leave.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Failures {
    pub buffer_full: usize,
    pub error: usize,
}

impl Failures {
    fn count(&mut self, datagrams: usize, error: &io::Error) {
        let counter = match error.kind() {
            ErrorKind::WouldBlock => &mut self.buffer_full,
            _ => &mut self.error,
        };
        *counter = counter.saturating_add(datagrams);
    }

    /// Of what goes nowhere.
    pub fn unsendable(transmit: &Transmit<'_>) -> Failures {
        Failures { error: transmit.datagrams().len(), ..Failures::default() }
    }

    /// By reason, those that happened.
    pub fn reasons(&self) -> impl Iterator<Item = (usize, DropReason)> + use<> {
        [(self.buffer_full, DropReason::SendBufferFull), (self.error, DropReason::SendError)]
            .into_iter()
            .filter(|(datagrams, _)| *datagrams > 0)
    }
}

/// One bound socket, perhaps of both families.
pub(super) struct UdpSocket {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
    bound: SocketAddr,
    /// Off where configuration says so; what the kernel can do is in `state`, what the paths can do in `refusals`.
    pub gso: bool,
    refusals: Refusals,
}

impl UdpSocket {
    pub fn new(socket: Socket) -> io::Result<UdpSocket> {
        // Refused sizes are no reason not to start; `doctor` reports them.
        let _ = socket.set_recv_buffer_size(BUFFER_BYTES);
        let _ = socket.set_send_buffer_size(BUFFER_BYTES);
        let socket: std::net::UdpSocket = socket.into();
        let bound = socket.local_addr()?;
        let state = fragmenting(&socket)?;
        let socket = mio::net::UdpSocket::from_std(socket);
        Ok(UdpSocket { socket, state, bound, gso: true, refusals: Refusals::default() })
    }

    pub fn port(&self) -> u16 {
        self.bound.port()
    }

    pub fn ip(&self) -> IpAddr {
        self.bound.ip()
    }

    /// The socket itself, for questions to the kernel about it.
    pub fn plain(&self) -> &mio::net::UdpSocket {
        &self.socket
    }

    /// For `Poll`'s registry.
    pub fn source(&mut self) -> &mut impl Source {
        &mut self.socket
    }

    /// How the kernel cuts datagrams that are too long: for IPv4, and for IPv6 with "may it at all".
    #[cfg(test)]
    pub fn cutting(&self) -> (i32, Option<(i32, bool)>) {
        use rustix::net::sockopt::{ip_mtu_discover, ipv6_mtu_discover};
        let v4 = ip_mtu_discover(&self.socket).unwrap().as_raw();
        let forbidden = || nix::sys::socket::getsockopt(&self.socket, Ipv6DontFrag).unwrap();
        let v6 = ipv6_mtu_discover(&self.socket).ok().filter(|_| self.bound.is_ipv6());
        (v4, v6.map(|v6| (v6.as_raw(), !forbidden())))
    }

    pub fn max_gso_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    pub fn gro_segments(&self) -> usize {
        self.state.gro_segments()
    }

    /// Granted sizes of the kernel's buffers in bytes: receive, send. Linux counts its own
    /// book-keeping and reports twice what was asked for.
    pub fn buffer_sizes(&self) -> io::Result<(usize, usize)> {
        let socket = SockRef::from(&self.socket);
        let half = |reported: usize| reported / 2;
        Ok((half(socket.recv_buffer_size()?), half(socket.send_buffer_size()?)))
    }

    /// Fills the batch by one system call. An empty socket gives an empty batch.
    pub fn receive(&self, batch: &mut Batch) {
        let mut chunks = batch.storage.chunks_mut(RECEIVE_BYTES);
        let mut buffers: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        // An error here is of an earlier send (ICMP) or means "empty"; both end the batch.
        batch.filled = self.state.recv((&self.socket).into(), &mut buffers, &mut batch.metas).unwrap_or(0);
    }

    /// Whether a path came in here.
    pub fn serves(&self, local: IpAddr) -> bool {
        let bound = self.bound.ip();
        bound == local || bound.is_unspecified() && (bound.is_ipv6() || local.is_ipv4())
    }

    /// Sends a datagram or a run of them; what the kernel refuses is counted and given up.
    pub fn send(&mut self, now: Instant, transmit: &Transmit<'_>) -> Failures {
        let mut failures = Failures::default();
        let size = transmit.datagram_bytes();
        let run_of = self.run_of(now, transmit.path.remote.ip(), size);
        for run in transmit.data.chunks(size.saturating_mul(run_of)) {
            self.send_run(now, transmit.path, run, size, &mut failures);
        }
        failures
    }

    /// How many datagrams of `size` bytes one system call may carry to a destination.
    pub fn run_of(&mut self, now: Instant, to: IpAddr, size: usize) -> usize {
        if !self.gso || self.refusals.has(now, to) {
            return 1;
        }
        let fit = MAX_RUN_BYTES.checked_div(size).unwrap_or(1);
        self.state.max_gso_segments().min(fit).max(1)
    }

    pub fn send_run(&mut self, now: Instant, path: Path, run: &[u8], size: usize, failures: &mut Failures) {
        let had_gso = self.state.max_gso_segments() > 1;
        let datagrams = run.len().div_ceil(size.max(1));
        match self.try_send(path, run, Some(size)) {
            Ok(()) => {}
            // GSO may be what the interface or the path lacks, and shows only when it is used.
            Err(e) if datagrams > 1 && e.kind() != ErrorKind::WouldBlock => {
                if self.send_singly(path, run, size, failures) {
                    self.refusals.add(now, path.remote.ip());
                }
            }
            Err(e) => failures.count(datagrams, &e),
        }
        if had_gso {
            self.believe_in_gso_again();
        }
    }

    /// Whether any datagram left. Where none did, the destination is at fault (an address of ours that is gone) and
    /// not GSO.
    fn send_singly(&self, path: Path, run: &[u8], size: usize, failures: &mut Failures) -> bool {
        let mut left = false;
        for datagram in run.chunks(size) {
            match self.try_send(path, datagram, None) {
                Ok(()) => left = true,
                Err(e) => failures.count(1, &e),
            }
        }
        left
    }

    fn try_send(&self, path: Path, contents: &[u8], segment: Option<usize>) -> io::Result<()> {
        let transmit = quinn_udp::Transmit {
            destination: self.native(path.remote),
            ecn: None,
            contents,
            segment_size: segment,
            src_ip: self.bound.ip().is_unspecified().then_some(path.local),
        };
        self.state.try_send((&self.socket).into(), &transmit)
    }

    /// `quinn-udp` gives up GSO for good and for all destinations at the first EINVAL or EIO.
    fn believe_in_gso_again(&mut self) {
        if self.state.max_gso_segments() > 1 {
            return;
        }
        if let Ok(state) = fragmenting(&self.socket) {
            self.state = state;
        }
    }

    /// A dual-stack socket knows an IPv4 address as an IPv6 one.
    fn native(&self, remote: SocketAddr) -> SocketAddr {
        match (self.bound, remote) {
            (SocketAddr::V6(_), SocketAddr::V4(v4)) => {
                let mapped: Ipv6Addr = v4.ip().to_ipv6_mapped();
                SocketAddr::V6(SocketAddrV6::new(mapped, v4.port(), 0, 0))
            }
            _ => remote,
        }
    }
}

/// `quinn-udp` forbids fragments and ignores what routers report of their MTU, since QUIC finds it out by itself. We do
/// not: behind a VPN of 1,100 bytes frames would never arrive. With IPv4 the router at the narrow line cuts, also where
/// no ICMP comes through and whatever a forged one claims; with IPv6 it is the kernel that cuts, after the router has
/// reported its MTU.
fn fragmenting<S: AsFd>(socket: &S) -> io::Result<UdpSocketState>
where
    for<'a> &'a S: Into<UdpSockRef<'a>>,
{
    let state = UdpSocketState::new(socket.into())?;
    set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::OMIT)?;
    // A socket of IPv4 alone has none of these.
    if set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::WANT).is_ok() {
        setsockopt(socket, Ipv6DontFrag, &false)?;
    }
    Ok(state)
}

/// IPv4 as IPv4; without a flow label, which is not part of an address.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    match (address.ip().to_canonical(), address) {
        (IpAddr::V6(ip), SocketAddr::V6(v6)) => {
            SocketAddr::V6(SocketAddrV6::new(ip, v6.port(), 0, v6.scope_id()))
        }
        (ip, _) => SocketAddr::new(ip, address.port()),
    }
}
