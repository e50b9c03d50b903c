//! One port number per worker, for UDP and TCP, on every address listened on.

use super::udp::UdpSocket;
use mio::net::TcpListener;
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An ephemeral number free for UDP may be taken for TCP. On a machine whose ephemeral range is
/// half taken, all of so many tries fail once in 65,000 starts.
const EPHEMERAL_TRIES: usize = 16;

/// Connections the kernel completes ahead of `accept`: a hall that reconnects at once.
const TCP_BACKLOG: i32 = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Udp,
    Tcp,
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Protocol::Udp => "UDP",
            Protocol::Tcp => "TCP",
        })
    }
}

/// A port that cannot be had, most often because another program has it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {protocol} {address}: {source}")]
pub struct BindError {
    pub protocol: Protocol,
    pub address: SocketAddr,
    pub source: io::Error,
}

/// The sockets of one worker.
pub(super) struct Bound {
    pub port: u16,
    pub udp: Vec<UdpSocket>,
    pub tcp: Vec<TcpListener>,
}

/// Binds UDP and TCP on `port` of every address of `listen`; of all addresses if it is empty. Port
/// 0 takes a number that is free for both.
pub(super) fn bind(listen: &[IpAddr], port: u16) -> Result<Bound, BindError> {
    if !listen.is_empty() {
        return bind_number(listen, port);
    }
    match bind_number(&[IpAddr::V6(Ipv6Addr::UNSPECIFIED)], port) {
        Err(e) if lacks_ipv6(&e.source) => bind_number(&[IpAddr::V4(Ipv4Addr::UNSPECIFIED)], port),
        bound => bound,
    }
}

fn bind_number(listen: &[IpAddr], port: u16) -> Result<Bound, BindError> {
    let tries = if port == 0 { EPHEMERAL_TRIES } else { 1 };
    let mut tried = try_bind(listen, port);
    for _ in 1..tries {
        match &tried {
            Err(e) if e.source.kind() == ErrorKind::AddrInUse => tried = try_bind(listen, port),
            _ => break,
        }
    }
    tried
}

fn try_bind(listen: &[IpAddr], port: u16) -> Result<Bound, BindError> {
    let mut bound = Bound { port, udp: Vec::new(), tcp: Vec::new() };
    for ip in listen {
        let only_v6 = !ip.is_unspecified() || listen.iter().any(IpAddr::is_ipv4);
        let address = SocketAddr::new(*ip, bound.port);
        let udp = bind_udp(address, only_v6).map_err(|source| BindError {
            protocol: Protocol::Udp,
            address,
            source,
        })?;
        bound.port = udp.port();
        bound.udp.push(udp);
        let address = SocketAddr::new(*ip, bound.port);
        let tcp = bind_tcp(address, only_v6).map_err(|source| BindError {
            protocol: Protocol::Tcp,
            address,
            source,
        })?;
        bound.tcp.push(tcp);
    }
    Ok(bound)
}

pub(super) fn bind_udp(address: SocketAddr, only_v6: bool) -> io::Result<UdpSocket> {
    let socket = open(address, Type::DGRAM, only_v6)?;
    socket.bind(&address.into())?;
    UdpSocket::new(socket)
}

fn bind_tcp(address: SocketAddr, only_v6: bool) -> io::Result<TcpListener> {
    let socket = open(address, Type::STREAM, only_v6)?;
    // A restart must not wait for the last life's connections; two listeners stay impossible.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(TCP_BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

fn open(address: SocketAddr, kind: Type, only_v6: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(only_v6)?;
    }
    Ok(socket)
}

/// Whether an error says that the machine has no IPv6: built without it, or switched off.
fn lacks_ipv6(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable
        || error.kind() == ErrorKind::Unsupported
        || error.raw_os_error() == Some(EAFNOSUPPORT)
}

/// Linux; the standard library has no `ErrorKind` for it.
const EAFNOSUPPORT: i32 = 97;
