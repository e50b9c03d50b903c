//! SRTP and SRTCP in place: RFC 3711 (AES-CM with HMAC-SHA1-80) and RFC 7714 (AES-128-GCM).
//!
//! For sealing, the caller numbers its packets with 64 bits, and the roll-over counter is in there. Opening
//! guesses it, and knows an SSRC only after a packet of it authenticated. Both directions remember which
//! indices of an SSRC were used: opening against replays, sealing because an index used twice gives away
//! the key stream, and with GCM the key of its tags. Neither allocates for an RTP packet of an SSRC it knows.

mod cipher;
mod keys;
mod replay;
#[cfg(test)]
mod tests;

use crate::discard::DropReason;
use crate::limits;
use arrayvec::ArrayVec;
use cipher::Cipher;
use keys::{RTCP_LABELS, RTP_LABELS};
use replay::{RTCP_WORDS, RTP_WORDS, ReplayWindow, SENT_WORDS, guess_index};
use rtc_crypto::{CryptoError, RTCCrypto};
use rtp::ids::Ssrc;

pub use keys::{Master, Profile};

/// Most that sealing adds to an RTP packet, in bytes: the tag of GCM.
pub const SRTP_OVERHEAD: usize = cipher::GCM_TAG_BYTES;

const KEY_BYTES: usize = 16;
/// RFC 3711's salt; the 96-bit one of GCM is used with two zero bytes after it (RFC 7714 section 11).
const SALT_BYTES: usize = 14;
const AUTH_KEY_BYTES: usize = 20;
/// Fixed part of an RTP header.
const RTP_HEADER_BYTES: usize = 12;
/// First header and SSRC of a compound RTCP packet, which stay in the clear (RFC 3711 section 3.4).
const RTCP_HEADER_BYTES: usize = 8;
/// E flag and SRTCP index.
const RTCP_INDEX_BYTES: usize = 4;
const ENCRYPTED_FLAG: u32 = 1 << 31;
/// RFC 3711 section 9.2: the packet index has 48 bits.
const INDEX_MASK: u64 = (1 << 48) - 1;
/// SSRCs we send on: each video slot has media and RTX, each audio slot media.
const MAX_SENT_SSRCS: usize = 2 * limits::MAX_VIDEO_SLOTS + limits::MAX_AUDIO_SLOTS;

/// Seals what we send.
pub struct SealContext {
    profile: Profile,
    rtp: Cipher,
    rtcp: Cipher,
    rtcp_index: u32,
    /// Which indices have left.
    sent: Windows<MAX_SENT_SSRCS, SENT_WORDS>,
}

/// Opens what the peer sends.
pub struct OpenContext {
    rtp: Cipher,
    rtcp: Cipher,
    rtp_windows: Windows<{ limits::MAX_REMOTE_SSRCS }, RTP_WORDS>,
    rtcp_windows: Windows<{ limits::MAX_RTCP_SSRCS }, RTCP_WORDS>,
    /// Replaced by others: no window is kept of them, so nothing of theirs is opened any more.
    ended: Vec<u32>,
}

impl SealContext {
    pub fn new(
        crypto: &dyn RTCCrypto,
        profile: Profile,
        master: &Master,
    ) -> Result<SealContext, CryptoError> {
        Ok(SealContext {
            profile,
            rtp: master.cipher(crypto, profile, &RTP_LABELS)?,
            rtcp: master.cipher(crypto, profile, &RTCP_LABELS)?,
            rtcp_index: 0,
            sent: Windows::default(),
        })
    }

    /// Bytes `seal_rtp` adds: 16 or 10.
    pub fn rtp_overhead(&self) -> usize {
        self.profile.rtp_overhead()
    }

    /// Seals `packet[..plain_len]`, of which the first `header_len` bytes (extensions included) stay readable; the tag
    /// is appended. `index` is the packet's (RFC 3711 section 3.3.1), whose low 16 bits are in the header. Returns the
    /// sealed length.
    ///
    /// Fails with `IndexReused` for a number that was used before on this SSRC, or that is too old to know whether it
    /// was: sealing it would repeat a nonce (RFC 3711 section 9.1, RFC 7714 section 10.1).
    #[inline]
    pub fn seal_rtp(
        &mut self,
        packet: &mut [u8],
        header_len: usize,
        plain_len: usize,
        index: u64,
    ) -> Result<usize, DropReason> {
        let index = index & INDEX_MASK;
        let total = plain_len.saturating_add(self.rtp.tag_bytes());
        let sealed = packet.get_mut(..total).ok_or(DropReason::Oversized)?;
        let ssrc = read_u32(sealed, 8).ok_or(DropReason::MalformedRtp)?;
        let (plain, tag) = sealed.split_at_mut_checked(plain_len).ok_or(DropReason::Oversized)?;
        let place = self.sent.find(ssrc, &[])?;
        self.sent.check(place, index).map_err(|_| DropReason::IndexReused)?;
        self.sent.mark(place, ssrc, index);
        match &mut self.rtp {
            Cipher::Gcm(gcm) => {
                let (header, payload) =
                    plain.split_at_mut_checked(header_len).ok_or(DropReason::MalformedRtp)?;
                gcm.seal((ssrc, index), header, payload, tag)?;
            }
            Cipher::Cm(cm) => {
                let computed = cm.seal((ssrc, index), plain, header_len, roc_bytes(index))?;
                tag.copy_from_slice(&computed);
            }
        }
        Ok(total)
    }

    /// Seals a compound RTCP packet and appends tag and index (RFC 3711 section 3.4).
    pub fn seal_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), DropReason> {
        let ssrc = read_u32(packet, 4).ok_or(DropReason::MalformedRtcp)?;
        let index = self.rtcp_index;
        let next = index.checked_add(1).filter(|next| *next < ENCRYPTED_FLAG);
        self.rtcp_index = next.ok_or(DropReason::SrtpAuth)?;
        let trailer = (ENCRYPTED_FLAG | index).to_be_bytes();
        let id = (ssrc, u64::from(index));
        match &mut self.rtcp {
            Cipher::Gcm(gcm) => {
                let (header, payload) =
                    packet.split_at_mut_checked(RTCP_HEADER_BYTES).ok_or(DropReason::MalformedRtcp)?;
                let aad = rtcp_aad(header, trailer).ok_or(DropReason::MalformedRtcp)?;
                let mut tag = [0; cipher::GCM_TAG_BYTES];
                gcm.seal(id, &aad, payload, &mut tag)?;
                packet.extend_from_slice(&tag);
                packet.extend_from_slice(&trailer);
            }
            Cipher::Cm(cm) => {
                let tag = cm.seal(id, packet, RTCP_HEADER_BYTES, trailer)?;
                packet.extend_from_slice(&trailer);
                packet.extend_from_slice(&tag);
            }
        }
        Ok(())
    }
}

impl OpenContext {
    pub fn new(
        crypto: &dyn RTCCrypto,
        profile: Profile,
        master: &Master,
    ) -> Result<OpenContext, CryptoError> {
        Ok(OpenContext {
            rtp: master.cipher(crypto, profile, &RTP_LABELS)?,
            rtcp: master.cipher(crypto, profile, &RTCP_LABELS)?,
            rtp_windows: Windows::default(),
            rtcp_windows: Windows::default(),
            ended: Vec::new(),
        })
    }

    /// The peer sends with another SSRC in place of this one, which makes room for it. Once `MAX_ENDED_SSRCS` have ended
    /// they make no room any more.
    pub fn end_ssrc(&mut self, ssrc: u32) {
        if !self.ended.contains(&ssrc) && self.ended.len() < limits::MAX_ENDED_SSRCS {
            self.ended.push(ssrc);
            self.rtp_windows.remove(ssrc);
            self.rtcp_windows.remove(ssrc);
        }
    }

    /// How many SSRCs have authenticated. One more after a packet was its first.
    #[inline]
    pub fn ssrcs(&self) -> usize {
        self.rtp_windows.ssrcs.len().saturating_add(self.rtcp_windows.ssrcs.len())
    }

    /// Opens an SRTP packet in place and returns the length of the RTP packet in `data`.
    #[inline]
    pub fn open_rtp(&mut self, data: &mut [u8]) -> Result<usize, DropReason> {
        let header = rtp_header_len(data).ok_or(DropReason::MalformedRtp)?;
        let ssrc = read_u32(data, 8).ok_or(DropReason::MalformedRtp)?;
        let sequence = read_u16(data, 2).ok_or(DropReason::MalformedRtp)?;
        let place = self.rtp_windows.find(ssrc, &self.ended)?;
        let index = self.rtp_windows.guess(place, sequence)?;
        let length = data.len().saturating_sub(self.rtp.tag_bytes());
        let (packet, tag) = data
            .split_at_mut_checked(length)
            .filter(|(packet, _)| packet.len() >= header)
            .ok_or(DropReason::MalformedRtp)?;
        match &mut self.rtp {
            Cipher::Gcm(gcm) => {
                let (header, payload) =
                    packet.split_at_mut_checked(header).ok_or(DropReason::MalformedRtp)?;
                gcm.open((ssrc, index), header, payload, tag)?;
            }
            Cipher::Cm(cm) => cm.open((ssrc, index), packet, header, (tag, roc_bytes(index)))?,
        }
        self.rtp_windows.mark(place, ssrc, index);
        Ok(length)
    }

    /// Opens an SRTCP packet in place and returns the length of the compound packet in `data`. What is not encrypted (E
    /// = 0) is refused.
    pub fn open_rtcp(&mut self, data: &mut [u8]) -> Result<usize, DropReason> {
        let overhead = self.rtcp.tag_bytes().saturating_add(RTCP_INDEX_BYTES);
        let length = data.len().saturating_sub(overhead);
        let ssrc = read_u32(data, 4).ok_or(DropReason::MalformedRtcp)?;
        let (packet, trailer_and_tag) = data
            .split_at_mut_checked(length)
            .filter(|(packet, _)| packet.len() >= RTCP_HEADER_BYTES)
            .ok_or(DropReason::MalformedRtcp)?;
        let (tag, trailer) = self.rtcp.split_trailer(trailer_and_tag)?;
        let word = u32::from_be_bytes(trailer);
        if word & ENCRYPTED_FLAG == 0 {
            return Err(DropReason::SrtpAuth);
        }
        let index = u64::from(word & !ENCRYPTED_FLAG);
        let place = self.rtcp_windows.find(ssrc, &self.ended)?;
        self.rtcp_windows.check(place, index)?;
        match &mut self.rtcp {
            Cipher::Gcm(gcm) => {
                let (header, payload) =
                    packet.split_at_mut_checked(RTCP_HEADER_BYTES).ok_or(DropReason::MalformedRtcp)?;
                let aad = rtcp_aad(header, trailer).ok_or(DropReason::MalformedRtcp)?;
                gcm.open((ssrc, index), &aad, payload, tag)?;
            }
            Cipher::Cm(cm) => {
                cm.open((ssrc, index), packet, RTCP_HEADER_BYTES, (tag, trailer))?;
            }
        }
        self.rtcp_windows.mark(place, ssrc, index);
        Ok(length)
    }
}

impl super::Transport {
    /// The peer sends with another SSRC in place of this one.
    pub fn end_ssrc(&mut self, ssrc: Ssrc) {
        if let Some(srtp) = &mut self.srtp {
            srtp.open.end_ssrc(ssrc.0);
        }
    }
}

impl Cipher {
    /// Tag and index word: GCM puts the index last (RFC 7714 section 9.1), AES-CM the tag.
    fn split_trailer<'a>(&self, trailer_and_tag: &'a [u8]) -> Result<(&'a [u8], [u8; 4]), DropReason> {
        let split = match self {
            Cipher::Gcm(_) => trailer_and_tag.split_last_chunk(),
            Cipher::Cm(_) => trailer_and_tag.split_first_chunk().map(|(word, tag)| (tag, word)),
        };
        let (tag, word) = split.ok_or(DropReason::MalformedRtcp)?;
        Ok((tag, *word))
    }
}

/// Replay windows by SSRC. A scan of at most `SSRCS` numbers, starting where the last packet was: its
/// worst case does not depend on what SSRCs a peer chooses.
#[derive(Default)]
struct Windows<const SSRCS: usize, const WORDS: usize> {
    ssrcs: ArrayVec<u32, SSRCS>,
    windows: Vec<ReplayWindow<WORDS>>,
    last: usize,
}

impl<const SSRCS: usize, const WORDS: usize> Windows<SSRCS, WORDS> {
    /// Where `ssrc` is, `None` for a new one; an error when it is among those that `ended` or there is no place for it.
    #[inline]
    fn find(&self, ssrc: u32, ended: &[u32]) -> Result<Option<usize>, DropReason> {
        if self.ssrcs.get(self.last) == Some(&ssrc) {
            return Ok(Some(self.last));
        }
        let place = self.ssrcs.iter().position(|known| *known == ssrc);
        if place.is_none() && (self.ssrcs.is_full() || ended.contains(&ssrc)) {
            return Err(DropReason::UnknownSsrc);
        }
        Ok(place)
    }

    fn remove(&mut self, ssrc: u32) {
        if let Some(place) = self.ssrcs.iter().position(|known| *known == ssrc) {
            self.ssrcs.swap_remove(place);
            self.windows.swap_remove(place);
        }
    }

    /// The index of the packet with this sequence number, if that was not seen yet.
    #[inline]
    fn guess(&self, place: Option<usize>, sequence: u16) -> Result<u64, DropReason> {
        let window = place.and_then(|place| self.windows.get(place));
        let index = guess_index(window.and_then(ReplayWindow::top), sequence)
            .filter(|index| *index <= INDEX_MASK)
            .ok_or(DropReason::Replay)?;
        self.check(place, index)?;
        Ok(index)
    }

    #[inline]
    fn check(&self, place: Option<usize>, index: u64) -> Result<(), DropReason> {
        let window = place.and_then(|place| self.windows.get(place));
        window.map_or(Ok(()), |window| window.check(index))
    }

    /// Of what comes in, called after a packet authenticated, and only then does an SSRC enter the table.
    #[inline]
    fn mark(&mut self, place: Option<usize>, ssrc: u32, index: u64) {
        let place = place.unwrap_or_else(|| {
            self.ssrcs.push(ssrc);
            self.windows.push(ReplayWindow::new());
            self.ssrcs.len().saturating_sub(1)
        });
        self.last = place;
        if let Some(window) = self.windows.get_mut(place) {
            window.mark(index);
        }
    }
}

/// The roll-over counter, which the tag of AES-CM covers (RFC 3711 section 4.2).
fn roc_bytes(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// RFC 7714 section 9.2: the clear header and the index word.
fn rtcp_aad(header: &[u8], trailer: [u8; 4]) -> Option<[u8; 12]> {
    let [h0, h1, h2, h3, h4, h5, h6, h7] = *header.first_chunk()?;
    let [t0, t1, t2, t3] = trailer;
    Some([h0, h1, h2, h3, h4, h5, h6, h7, t0, t1, t2, t3])
}

/// Header with CSRCs and extension (RFC 3550 section 5.1), which SRTP leaves in the clear.
#[inline]
fn rtp_header_len(data: &[u8]) -> Option<usize> {
    let first = *data.first()?;
    let csrcs = usize::from(first & 0x0f).wrapping_mul(4);
    let fixed = RTP_HEADER_BYTES.wrapping_add(csrcs);
    if first & 0x10 == 0 {
        return Some(fixed);
    }
    let words = read_u16(data, fixed.wrapping_add(2))?;
    let extension = usize::from(words).wrapping_mul(4).wrapping_add(4);
    Some(fixed.wrapping_add(extension))
}

#[inline]
fn read_u16(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*data.get(at..)?.first_chunk()?))
}

#[inline]
fn read_u32(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*data.get(at..)?.first_chunk()?))
}
