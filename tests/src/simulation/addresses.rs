//! Where sites are seen: NATs that assign other addresses, lines that change, and datagrams forged from there.

use super::wire::End;
use super::world::{Site, World};
use sfu::engine::Input;
use sfu::net::{Path, PathKind};
use std::net::SocketAddr;

impl Site {
    pub(super) fn note(&mut self, datagram: &[u8]) {
        let use_candidate = [0, 0x25, 0, 0];
        if datagram.starts_with(&[0, 1]) {
            let nominates = datagram.windows(4).any(|window| window == use_candidate);
            let newest = if nominates { &mut self.nomination } else { &mut self.check };
            *newest = datagram.to_vec();
        }
    }
}

impl World {
    /// The site's NAT gives it another address, or it goes another way: what is sent to the old address is
    /// lost, and the client does not know. Returns the old one.
    pub fn rebind(&mut self, index: usize, kind: PathKind) -> SocketAddr {
        let (_, before) = self.sites[index].seen_at;
        let next = SocketAddr::new(before.ip(), before.port() + 1);
        self.sites[index].seen_at = (kind, next);
        self.wire.connect(index, (kind, next));
        if kind == PathKind::Tcp {
            // A connection begins with a check (RFC 6544).
            let Site { check, nomination, .. } = &self.sites[index];
            let first = if check.is_empty() { nomination } else { check }.clone();
            self.put_on_wire(index, first);
        }
        before
    }

    /// The site's client nominates where it is now, as it did before: Chromium does with every check.
    pub fn nominate_again(&mut self, index: usize) {
        self.put_on_wire(index, self.sites[index].nomination.clone());
    }

    /// The TCP connection from there has ended, and the bridge knows.
    pub fn hang_up(&mut self, remote: SocketAddr) {
        let path = Path { kind: PathKind::Tcp, local: self.server.ip(), remote };
        self.engine.handle_input(self.now, Input::PathClosed { path });
        self.drain_engine();
    }

    fn put_on_wire(&mut self, index: usize, datagram: Vec<u8>) {
        if !datagram.is_empty() {
            let to = End::Engine { from: index, seen_at: self.sites[index].seen_at };
            self.wire.send(self.now, to, &datagram);
        }
    }

    /// A datagram that claims to come from `remote`.
    pub fn forge(&mut self, remote: SocketAddr, mut bytes: Vec<u8>) {
        let path = Path { kind: PathKind::Udp, local: self.server.ip(), remote };
        let input = Input::Datagram { path, data: &mut bytes, arrived: self.now };
        self.engine.handle_input(self.now, input);
        self.drain_engine();
    }
}
