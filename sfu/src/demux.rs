//! Which peer a datagram belongs to: by address, for a STUN check by the ufrag it names, for an answer to
//! a check of ours by the tag in its number, for media from an unknown address by its SSRC. At most two
//! lookups, no allocation.

use crate::discard::DropReason;
use crate::ids::PeerIndex;
use crate::net::Path;
use crate::transport::stun;
use arrayvec::ArrayVec;
use rtp::packet::is_rtcp;
use std::collections::HashMap;

/// ICE username fragments are of our making and of this length.
pub const UFRAG_BYTES: usize = 8;

/// Paths a peer has proved, and as many that it claims: as many as its transport knows. A check from one address more,
/// which anyone can send again under any address, evicts the oldest claim.
const MAX_PATHS: usize = 8;

/// SSRCs by which a peer is found again at a new address: its microphone, camera and content, with some
/// of their layers and repair streams. One that goes on sending is enough.
const MAX_SSRCS: usize = 8;

#[derive(Debug, Default)]
pub struct Demux {
    by_path: HashMap<Path, PeerIndex>,
    by_ufrag: HashMap<[u8; UFRAG_BYTES], PeerIndex>,
    by_tag: HashMap<u32, PeerIndex>,
    /// The peer that authenticated under it first. Browsers draw them from 32 bits, but for 1, under which Chromium
    /// reports when it sends nothing.
    by_ssrc: HashMap<u32, PeerIndex>,
    names: HashMap<PeerIndex, Names>,
}

/// What leads to one peer.
#[derive(Debug, Default)]
struct Names {
    /// The one seen last at the end.
    proved: ArrayVec<Path, MAX_PATHS>,
    claimed: ArrayVec<Path, MAX_PATHS>,
    ssrcs: ArrayVec<u32, MAX_SSRCS>,
    tag: Option<u32>,
    ufrag: Option<[u8; UFRAG_BYTES]>,
}

impl Demux {
    /// The peer of a datagram. STUN is always asked for what it names: behind a NAT an address may pass
    /// from one peer to another.
    pub fn find(&self, path: &Path, datagram: &[u8]) -> Result<PeerIndex, DropReason> {
        if !stun::is_stun(datagram) {
            let found = self.by_path.get(path).or_else(|| self.by_ssrc.get(&ssrc_of(datagram)?));
            return found.copied().ok_or(DropReason::UnknownAddress);
        }
        if let Some(tag) = stun::tag_of_answer(datagram) {
            return self.by_tag.get(&tag).copied().ok_or(DropReason::UnknownTransaction);
        }
        let ufrag = stun::ufrag_of(datagram).ok_or(DropReason::MalformedStun)?;
        let ufrag = ufrag.try_into().map_err(|_| DropReason::UnknownUfrag)?;
        self.by_ufrag.get::<[u8; UFRAG_BYTES]>(ufrag).copied().ok_or(DropReason::UnknownUfrag)
    }

    /// The peer's credentials; after an ICE restart only the newest count.
    pub fn set_ufrag(&mut self, ufrag: &str, peer: PeerIndex) {
        let Ok(ufrag) = ufrag.as_bytes().try_into() else {
            return;
        };
        let before = self.names.entry(peer).or_default().ufrag.replace(ufrag);
        before.map(|before| self.by_ufrag.remove(&before));
        self.by_ufrag.insert(ufrag, peer);
    }

    pub fn is_free(&self, tag: u32) -> bool {
        !self.by_tag.contains_key(&tag)
    }

    pub fn add_tag(&mut self, tag: u32, peer: PeerIndex) {
        self.by_tag.insert(tag, peer);
        self.names.entry(peer).or_default().tag = Some(tag);
    }

    /// A packet authenticated under this SSRC.
    pub fn add_ssrc(&mut self, ssrc: u32, peer: PeerIndex) {
        let ssrcs = &mut self.names.entry(peer).or_default().ssrcs;
        if !ssrcs.is_full() && !self.by_ssrc.contains_key(&ssrc) {
            self.by_ssrc.insert(ssrc, peer);
            ssrcs.push(ssrc);
        }
    }

    /// The peer claims to be at `path`: believed as long as no other peer is there.
    pub fn claim_path(&mut self, path: Path, peer: PeerIndex) {
        if self.by_path.get(&path).is_some_and(|holder| *holder != peer) {
            return;
        }
        let names = self.names.entry(peer).or_default();
        if !names.proved.contains(&path) {
            let oldest = push_newest(&mut names.claimed, path);
            self.by_path.insert(path, peer);
            oldest.map(|oldest| self.by_path.remove(&oldest));
        }
    }

    /// The peer has proved that it is at `path`: it takes the path from a peer that was there before.
    pub fn add_path(&mut self, path: Path, peer: PeerIndex) {
        if let Some(before) = self.by_path.insert(path, peer).filter(|before| *before != peer) {
            self.drop_path(&path, before);
        }
        let names = self.names.entry(peer).or_default();
        names.claimed.retain(|known| *known != path);
        if let Some(oldest) = push_newest(&mut names.proved, path) {
            self.by_path.remove(&oldest);
        }
    }

    pub fn remove_path(&mut self, path: &Path) -> Option<PeerIndex> {
        let peer = self.by_path.remove(path)?;
        self.drop_path(path, peer);
        Some(peer)
    }

    fn drop_path(&mut self, path: &Path, peer: PeerIndex) {
        if let Some(names) = self.names.get_mut(&peer) {
            names.proved.retain(|known| known != path);
            names.claimed.retain(|known| known != path);
        }
    }

    pub fn forget(&mut self, peer: PeerIndex) {
        let names = self.names.remove(&peer).unwrap_or_default();
        for path in names.proved.iter().chain(&names.claimed) {
            self.by_path.remove(path);
        }
        for ssrc in &names.ssrcs {
            self.by_ssrc.remove(ssrc);
        }
        names.tag.map(|tag| self.by_tag.remove(&tag));
        names.ufrag.map(|ufrag| self.by_ufrag.remove(&ufrag));
    }
}

/// Puts `path` at the end; returns the oldest one if that had to make room.
fn push_newest(paths: &mut ArrayVec<Path, MAX_PATHS>, path: Path) -> Option<Path> {
    paths.retain(|known| *known != path);
    let oldest = paths.is_full().then(|| paths.remove(0));
    paths.push(path);
    oldest
}

/// Where SRTP and SRTCP have the sender's SSRC, in the clear.
fn ssrc_of(datagram: &[u8]) -> Option<u32> {
    if !matches!(datagram.first(), Some(128..=191)) {
        return None;
    }
    let at = if is_rtcp(datagram) { 4 } else { 8 };
    Some(u32::from_be_bytes(*datagram.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::PathKind;
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};

    const A: PeerIndex = PeerIndex { place: 1, generation: 0 };
    const B: PeerIndex = PeerIndex { place: 2, generation: 0 };
    const MEDIA: &[u8] = &[0x80, 96];

    fn path(port: u16) -> Path {
        let remote = SocketAddr::from(([203, 0, 113, 5], port));
        Path { kind: PathKind::Udp, local: IpAddr::V4(Ipv4Addr::LOCALHOST), remote }
    }

    #[test]
    fn checks_from_ever_new_addresses_evict_the_oldest_claim_and_no_proved_path() {
        let mut demux = Demux::default();
        demux.add_path(path(1), A);
        for port in 2..10_000 {
            demux.claim_path(path(port), A);
        }
        assert_eq!(demux.by_path.len(), 1 + MAX_PATHS);
        assert_eq!(demux.find(&path(1), MEDIA), Ok(A));
        assert_eq!(demux.find(&path(9_999), MEDIA), Ok(A));
        assert_eq!(demux.find(&path(9_000), MEDIA), Err(DropReason::UnknownAddress));
        for port in 9_990..10_020 {
            demux.add_path(path(port), A);
        }
        assert!(demux.by_path.len() <= 2 * MAX_PATHS, "and proved paths are bounded, too");
    }

    #[test]
    fn a_claim_takes_no_address_from_another_peer_a_proof_does() {
        let mut demux = Demux::default();
        demux.add_path(path(1), A);
        demux.claim_path(path(2), A);
        for port in [1, 2, 3] {
            demux.claim_path(path(port), B);
        }
        let found = |demux: &Demux| [1, 2, 3].map(|port| demux.find(&path(port), MEDIA));
        assert_eq!(found(&demux), [Ok(A), Ok(A), Ok(B)]);
        demux.add_path(path(1), B);
        assert_eq!(found(&demux), [Ok(B), Ok(A), Ok(B)]);
        demux.forget(A);
        let none = Err(DropReason::UnknownAddress);
        assert_eq!(found(&demux), [Ok(B), none, Ok(B)]);
        assert_eq!(demux.remove_path(&path(1)), Some(B));
        assert_eq!(demux.remove_path(&path(1)), None);
        demux.forget(B);
        assert!(demux.by_path.is_empty() && demux.names.is_empty());
    }

    #[test]
    fn a_peer_is_called_by_its_newest_ufrag_only() {
        let mut demux = Demux::default();
        demux.set_ufrag("aaaaaaaa", A);
        demux.set_ufrag("bbbbbbbb", B);
        demux.set_ufrag("cccccccc", A);
        let known = |demux: &Demux| {
            let mut known: Vec<_> = demux.by_ufrag.iter().map(|(ufrag, peer)| (*ufrag, *peer)).collect();
            known.sort_by_key(|(ufrag, _)| *ufrag);
            known
        };
        assert_eq!(known(&demux), [(*b"bbbbbbbb", B), (*b"cccccccc", A)]);
        demux.forget(A);
        assert_eq!(known(&demux), [(*b"bbbbbbbb", B)]);
        demux.forget(B);
        assert!(demux.by_ufrag.is_empty() && demux.names.is_empty());
    }

    #[test]
    fn media_from_an_unknown_address_is_found_by_its_ssrc() {
        let mut demux = Demux::default();
        let rtp = [&[0x80, 96, 0, 1, 0, 0, 0, 1][..], &7u32.to_be_bytes(), &[0; 20]].concat();
        let rtcp = [&[0x81, 201, 0, 7][..], &7u32.to_be_bytes(), &[0; 20]].concat();
        let none = Err(DropReason::UnknownAddress);
        assert_eq!(demux.find(&path(1), &rtp), none);
        demux.add_ssrc(7, A);
        demux.add_ssrc(7, B);
        for datagram in [&rtp, &rtcp] {
            assert_eq!(demux.find(&path(1), datagram), Ok(A), "the peer that was first");
        }
        assert_eq!(demux.find(&path(1), &rtp[..11]), none);
        assert_eq!(demux.find(&path(1), &[22, 254, 253, 0, 0, 0, 0, 7, 0, 0, 0, 7]), none, "DTLS has none");
        (8..1_000).for_each(|ssrc| demux.add_ssrc(ssrc, A));
        assert_eq!(demux.by_ssrc.len(), MAX_SSRCS);
        demux.forget(A);
        assert_eq!(demux.find(&path(1), &rtp), none);
        assert!(demux.by_ssrc.is_empty());
    }
}
