//! Which peer a datagram belongs to: by address, or for a STUN check by the ufrag it names. One
//! lookup, no allocation.

use crate::discard::DropReason;
use crate::forward::packet::PeerIndex;
use crate::transport::{Path, stun};
use arrayvec::ArrayVec;
use std::collections::HashMap;

/// ICE username fragments are of our making and of this length.
pub const UFRAG_BYTES: usize = 8;

/// Paths that lead to one peer: twice what its transport takes media from. A check from one address
/// more, which anybody can send again under any address, pushes out the one seen longest ago.
const MAX_PATHS: usize = 16;

#[derive(Debug, Default)]
pub struct Demux {
    by_path: HashMap<Path, PeerIndex>,
    /// Of each peer, the one seen last at the end.
    paths: HashMap<PeerIndex, ArrayVec<Path, MAX_PATHS>>,
    by_ufrag: HashMap<[u8; UFRAG_BYTES], PeerIndex>,
}

impl Demux {
    /// The peer behind `path`. STUN is always asked for its ufrag: behind a NAT an address may pass
    /// from one peer to another.
    pub fn find(&self, path: &Path, datagram: &[u8]) -> Result<PeerIndex, DropReason> {
        if !stun::is_stun(datagram) {
            return self.by_path.get(path).copied().ok_or(DropReason::UnknownAddress);
        }
        let ufrag = stun::ufrag_of(datagram).ok_or(DropReason::MalformedStun)?;
        let ufrag = ufrag.try_into().map_err(|_| DropReason::UnknownUfrag)?;
        self.by_ufrag.get::<[u8; UFRAG_BYTES]>(ufrag).copied().ok_or(DropReason::UnknownUfrag)
    }

    pub fn add_ufrag(&mut self, ufrag: &str, peer: PeerIndex) {
        if let Ok(ufrag) = ufrag.as_bytes().try_into() {
            self.by_ufrag.insert(ufrag, peer);
        }
    }

    /// The peer has proved that it is at `path`.
    pub fn add_path(&mut self, path: Path, peer: PeerIndex) {
        if let Some(before) = self.by_path.insert(path, peer).filter(|before| *before != peer) {
            self.drop_path(&path, before);
        }
        let paths = self.paths.entry(peer).or_default();
        paths.retain(|known| *known != path);
        if let Some(oldest) = paths.is_full().then(|| paths.remove(0)) {
            self.by_path.remove(&oldest);
        }
        paths.push(path);
    }

    pub fn remove_path(&mut self, path: &Path) -> Option<PeerIndex> {
        let peer = self.by_path.remove(path)?;
        self.drop_path(path, peer);
        Some(peer)
    }

    fn drop_path(&mut self, path: &Path, peer: PeerIndex) {
        if let Some(paths) = self.paths.get_mut(&peer) {
            paths.retain(|known| known != path);
        }
    }

    pub fn forget(&mut self, peer: PeerIndex) {
        for path in self.paths.remove(&peer).unwrap_or_default() {
            self.by_path.remove(&path);
        }
        self.forget_ufrags(peer);
    }

    /// After an ICE restart only the newest credentials count.
    pub fn forget_ufrags(&mut self, peer: PeerIndex) {
        self.by_ufrag.retain(|_, known| *known != peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::PathKind;
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};

    const A: PeerIndex = PeerIndex { place: 1, generation: 0 };
    const B: PeerIndex = PeerIndex { place: 2, generation: 0 };
    const MEDIA: &[u8] = &[0x80, 96];

    fn path(port: u16) -> Path {
        let remote = SocketAddr::from(([203, 0, 113, 5], port));
        Path { kind: PathKind::Udp, local: IpAddr::V4(Ipv4Addr::LOCALHOST), remote }
    }

    #[test]
    fn checks_from_ever_new_addresses_push_out_the_oldest() {
        let mut demux = Demux::default();
        demux.add_path(path(1), A);
        for port in 2..10_000 {
            demux.add_path(path(port), A);
            // The one in use is checked again and again.
            demux.add_path(path(1), A);
        }
        assert_eq!(demux.by_path.len(), MAX_PATHS);
        assert_eq!(demux.find(&path(1), MEDIA), Ok(A));
        assert_eq!(demux.find(&path(9_999), MEDIA), Ok(A));
        assert_eq!(demux.find(&path(9_000), MEDIA), Err(DropReason::UnknownAddress));
    }

    #[test]
    fn an_address_that_passes_to_another_peer_stays_there() {
        let mut demux = Demux::default();
        demux.add_path(path(1), A);
        demux.add_path(path(2), A);
        demux.add_path(path(1), B);
        demux.forget(A);
        assert_eq!(demux.find(&path(1), MEDIA), Ok(B));
        assert_eq!(demux.find(&path(2), MEDIA), Err(DropReason::UnknownAddress));
        assert_eq!(demux.remove_path(&path(1)), Some(B));
        assert_eq!(demux.remove_path(&path(1)), None);
        assert!(demux.by_path.is_empty() && demux.paths.values().all(|paths| paths.is_empty()));
    }
}
