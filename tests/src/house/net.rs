//! What lies between sites and the house: a line for each site, which carries media and WebSockets, and where each is
//! seen.

use super::socket::{Frame, Side, Socket};
use crate::simulation::{Draws, End, LinkModel, Wire, rng};
use rand::rngs::StdRng;
use sfu::net::PathKind;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

/// One WebSocket of the house's life; none is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketId(pub u64);

/// How and where the house sees a site.
pub type SeenAt = (PathKind, SocketAddr);

/// Something that has arrived.
pub enum Arrival {
    Frame(SocketId, Side, Frame),
    /// For a site: when it left the house.
    ToSite(usize, Instant, Vec<u8>),
    ToWorker {
        worker: SocketAddr,
        from: SeenAt,
        bytes: Vec<u8>,
    },
}

/// See the module.
pub struct Net {
    pub wire: Wire,
    rng: StdRng,
    sockets: BTreeMap<SocketId, Socket>,
    last_socket: u64,
    /// How the house sees each site, by its newest peer connection.
    seen_at: Vec<SeenAt>,
    /// Where each address a site was seen at sends to.
    leads_to: BTreeMap<SocketAddr, SocketAddr>,
}

impl Net {
    pub fn new(seed: u64) -> Net {
        Net {
            wire: Wire::new(seed),
            rng: rng(seed, Draws::Sockets),
            sockets: BTreeMap::new(),
            last_socket: 0,
            seen_at: Vec::new(),
            leads_to: BTreeMap::new(),
        }
    }

    pub fn add_line(&mut self, link: LinkModel, kind: PathKind) {
        let number = self.seen_at.len() as u8 + 1;
        self.wire.add(link);
        self.seen_at.push((kind, SocketAddr::from(([10, 9, 0, number], 10_000))));
    }

    /// A new peer connection of the site has a socket of its own, which a NAT shows as another port.
    pub fn open_port(&mut self, site: usize) {
        let (kind, before) = self.seen_at[site];
        self.seen_at[site] = (kind, SocketAddr::new(before.ip(), before.port() + 1));
        self.wire.connect(site, self.seen_at[site]);
    }

    /// The site's NAT gives it another port, and its client does not know. A TCP connection would be lost by it.
    pub fn rebind(&mut self, site: usize) {
        if self.seen_at[site].0 == PathKind::Tcp {
            return;
        }
        let worker = self.leads_to.get(&self.seen_at[site].1).copied();
        self.open_port(site);
        self.leads_to.extend(worker.map(|worker| (self.seen_at[site].1, worker)));
    }

    /// The site's peer connection sends there.
    pub fn lead(&mut self, site: usize, worker: SocketAddr) {
        self.leads_to.insert(self.seen_at[site].1, worker);
    }

    pub fn send_to_worker(&mut self, now: Instant, site: usize, datagram: &[u8]) {
        let to = End::Engine { from: site, seen_at: self.seen_at[site] };
        self.wire.send(now, to, datagram);
    }

    pub fn send_to_site(&mut self, now: Instant, to: SeenAt, datagram: &[u8]) {
        if let Some(site) = self.seen_at.iter().position(|seen_at| *seen_at == to) {
            self.wire.send(now, End::Client(site), datagram);
        }
    }

    pub fn open(&mut self, now: Instant, site: usize) -> SocketId {
        self.last_socket += 1;
        let id = SocketId(self.last_socket);
        self.sockets.insert(id, Socket::of(site));
        self.say(now, id, Side::Server, Frame::Open);
        id
    }

    pub fn say(&mut self, now: Instant, id: SocketId, to: Side, frame: Frame) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            let link = self.wire.links[socket.site];
            socket.send(now, to, frame, (&link, &mut self.rng));
        }
    }

    /// This end has closed: the other one notices, and nothing is read here any more.
    pub fn close(&mut self, now: Instant, id: SocketId, here: Side) {
        let other = if here == Side::Site { Side::Server } else { Side::Site };
        self.say(now, id, other, Frame::Close);
        self.fall_silent(id, here);
    }

    /// This end is gone, and the other does not notice.
    pub fn fall_silent(&mut self, id: SocketId, here: Side) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.deafen(here);
        }
        self.sockets.retain(|_, socket| !socket.is_over());
    }

    pub fn site_of(&self, id: SocketId) -> Option<usize> {
        Some(self.sockets.get(&id)?.site)
    }

    pub fn unread(&self, id: SocketId) -> usize {
        self.sockets.get(&id).map_or(0, Socket::unread)
    }

    pub fn next(&self) -> Option<Instant> {
        let carries = |socket: &&Socket| !self.wire.links[socket.site].cut;
        let sockets = self.sockets.values().filter(carries).filter_map(Socket::next);
        sockets.chain(self.wire.next()).min()
    }

    /// The next that has arrived by now.
    pub fn pop(&mut self, now: Instant) -> Option<Arrival> {
        if let Some(framed) = self.pop_frame(now) {
            return Some(framed);
        }
        while let Some((to, sent_at, bytes)) = self.wire.pop(now) {
            match to {
                End::Client(site) => return Some(Arrival::ToSite(site, sent_at, bytes)),
                End::Engine { seen_at: from, .. } => {
                    if let Some(worker) = self.leads_to.get(&from.1).copied() {
                        return Some(Arrival::ToWorker { worker, from, bytes });
                    }
                }
            }
        }
        None
    }

    fn pop_frame(&mut self, now: Instant) -> Option<Arrival> {
        for (id, socket) in &mut self.sockets {
            if self.wire.links[socket.site].cut {
                continue;
            }
            for side in [Side::Server, Side::Site] {
                if let Some(frame) = socket.pop(now, side) {
                    return Some(Arrival::Frame(*id, side, frame));
                }
            }
        }
        None
    }
}
