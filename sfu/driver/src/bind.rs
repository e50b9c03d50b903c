//! One port number per worker, for UDP and TCP, on every address listened on.

use super::udp::UdpSocket;
use mio::net::TcpListener;
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An ephemeral number free for UDP may be taken for TCP. On a machine whose ephemeral range is
/// half taken, all of so many tries fail once in 65,000 starts.
const EPHEMERAL_TRIES: usize = 16;

/// Connections the kernel completes ahead of `accept`: a whole meeting that reconnects at once.
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

/// A port that cannot be bound, most often because another program has it.
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
        let tcp = bind_tcp(address, only_v6, TCP_BACKLOG).map_err(|source| BindError {
            protocol: Protocol::Tcp,
            address,
            source,
        })?;
        bound.tcp.push(TcpListener::from_std(tcp));
    }
    Ok(bound)
}

pub(super) fn bind_udp(address: SocketAddr, only_v6: bool) -> io::Result<UdpSocket> {
    let socket = open(address, Type::DGRAM, only_v6)?;
    socket.bind(&address.into())?;
    UdpSocket::new(socket)
}

/// A listener beside the workers' own. `[::]` takes IPv4, too, whatever the system's default is, and is `0.0.0.0` on a
/// machine without IPv6.
pub fn listen(address: SocketAddr, backlog: i32) -> io::Result<std::net::TcpListener> {
    let only_v6 = !address.ip().is_unspecified();
    match bind_tcp(address, only_v6, backlog) {
        Err(e) if !only_v6 && address.is_ipv6() && lacks_ipv6(&e) => {
            bind_tcp(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())), false, backlog)
        }
        bound => bound,
    }
}

fn bind_tcp(address: SocketAddr, only_v6: bool, backlog: i32) -> io::Result<std::net::TcpListener> {
    let socket = open(address, Type::STREAM, only_v6)?;
    // A restart must not wait for the connections of the process before; two listeners stay impossible.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn open(address: SocketAddr, kind: Type, only_v6: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(only_v6)?;
    }
    Ok(socket)
}

/// Whether an error means that the machine has no IPv6: built without it, or switched off.
fn lacks_ipv6(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable
        || error.kind() == ErrorKind::Unsupported
        || error.raw_os_error() == Some(EAFNOSUPPORT)
}

/// Linux; the standard library has no `ErrorKind` for it.
const EAFNOSUPPORT: i32 = 97;

#[cfg(test)]
mod tests {
    use super::*;

    /// The errors of `socket`, `setsockopt` and `bind` on kernels without IPv6 or with it switched off, and for a port
    /// that is taken.
    #[test]
    fn a_machine_without_ipv6_is_distinguished_from_a_taken_port() {
        let lacks = |raw| lacks_ipv6(&io::Error::from_raw_os_error(raw));
        let (eaddrinuse, eaddrnotavail, eacces) = (98, 99, 13);
        assert!([EAFNOSUPPORT, eaddrnotavail].into_iter().all(lacks));
        assert!(![eaddrinuse, eacces].into_iter().any(lacks));
    }

    #[test]
    fn a_listener_on_all_addresses_takes_both_families() {
        let listener = listen("[::]:0".parse().unwrap(), 1).unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(false).unwrap();
        for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let client = std::net::TcpStream::connect((ip, address.port()));
            let Ok(client) = client.inspect_err(|_| assert!(ip.is_ipv6() && address.is_ipv4())) else {
                continue;
            };
            let (_, peer) = listener.accept().unwrap();
            assert_eq!(crate::udp::canonical(peer), client.local_addr().unwrap());
        }
    }
}
