//! What this machine gives a worker, for `nhipcau doctor`.

use super::bind::bind_udp;
use super::udp::BUFFER_BYTES;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

/// What the kernel grants a UDP socket of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketProbe {
    /// Bytes asked for in each direction.
    pub wanted_buffer: usize,
    /// Bytes granted; bounded by `net.core.rmem_max` and `net.core.wmem_max`.
    pub receive_buffer: usize,
    pub send_buffer: usize,
    /// Datagrams one send may carry; 1 is "no GSO".
    pub gso_segments: usize,
    /// Datagrams one receive may carry; 1 is "no GRO".
    pub gro_segments: usize,
}

/// Opens a socket on a free loopback port and looks at what it got.
pub fn socket() -> io::Result<SocketProbe> {
    let socket = bind_udp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), true)?;
    let (receive_buffer, send_buffer) = socket.buffer_sizes()?;
    Ok(SocketProbe {
        wanted_buffer: BUFFER_BYTES,
        receive_buffer,
        send_buffer,
        gso_segments: socket.max_gso_segments(),
        gro_segments: socket.gro_segments(),
    })
}

/// Cores this process may use, at least one (cgroup quotas and affinity counted).
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_grants_something_and_never_more_than_asked() {
        let probe = socket().unwrap();
        assert!(probe.receive_buffer > 0 && probe.receive_buffer <= probe.wanted_buffer);
        assert!(probe.send_buffer > 0 && probe.send_buffer <= probe.wanted_buffer);
        assert!(probe.gso_segments >= 1 && probe.gro_segments >= 1);
        assert!(cores() >= 1);
    }
}
