//! Which peer a datagram belongs to: by address, or for a STUN check by the ufrag it names. One
//! lookup, no allocation.

use crate::discard::DropReason;
use crate::forward::packet::PeerIndex;
use crate::transport::{Path, stun};
use std::collections::HashMap;

/// ICE username fragments are of our making and of this length.
pub const UFRAG_BYTES: usize = 8;

#[derive(Debug, Default)]
pub struct Demux {
    by_path: HashMap<Path, PeerIndex>,
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
        self.by_path.insert(path, peer);
    }

    pub fn remove_path(&mut self, path: &Path) -> Option<PeerIndex> {
        self.by_path.remove(path)
    }

    pub fn forget(&mut self, peer: PeerIndex) {
        self.by_path.retain(|_, known| *known != peer);
        self.by_ufrag.retain(|_, known| *known != peer);
    }

    /// After an ICE restart only the newest credentials count.
    pub fn forget_ufrags(&mut self, peer: PeerIndex) {
        self.by_ufrag.retain(|_, known| *known != peer);
    }
}
