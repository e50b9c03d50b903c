//! The two transforms: AES-GCM (RFC 7714) and AES-CM with HMAC-SHA1-80 (RFC 3711 section 4).

use super::{AUTH_KEY_BYTES, KEY_BYTES, SALT_BYTES};
use crate::discard::DropReason;
use rtc_crypto::{
    AeadAlgorithm, AeadCipher, CryptoError, HmacAlgorithm, Mac, RTCCrypto, StreamCipher,
    StreamCipherAlgorithm, constant_time_eq,
};

pub(super) const GCM_TAG_BYTES: usize = 16;
/// HMAC-SHA1 gives 160 bits, of which 80 are sent.
pub(super) const CM_TAG_BYTES: usize = 10;
const SHA1_BYTES: usize = 20;

/// Keys of one direction of RTP or RTCP.
pub(super) enum Cipher {
    Gcm(Gcm),
    Cm(Cm),
}

pub(super) struct Gcm {
    aead: Box<dyn AeadCipher>,
    /// Twelve bytes, in the upper part.
    salt: u128,
}

pub(super) struct Cm {
    stream: Box<dyn StreamCipher>,
    mac: Box<dyn Mac>,
    salt: [u8; SALT_BYTES],
}

impl Cipher {
    pub(super) fn gcm(
        crypto: &dyn RTCCrypto,
        key: &[u8; KEY_BYTES],
        salt: &[u8; SALT_BYTES],
    ) -> Result<Cipher, CryptoError> {
        let [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, ..] = *salt;
        let salt = u128::from_be_bytes([s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, 0, 0, 0, 0]);
        let aead = crypto.new_aead(AeadAlgorithm::Aes128Gcm, key)?;
        Ok(Cipher::Gcm(Gcm { aead, salt }))
    }

    pub(super) fn cm(
        crypto: &dyn RTCCrypto,
        key: &[u8; KEY_BYTES],
        auth: &[u8; AUTH_KEY_BYTES],
        salt: &[u8; SALT_BYTES],
    ) -> Result<Cipher, CryptoError> {
        Ok(Cipher::Cm(Cm {
            stream: crypto.new_stream_cipher(StreamCipherAlgorithm::Aes128Ctr, key)?,
            mac: crypto.new_hmac(HmacAlgorithm::Sha1, auth)?,
            salt: *salt,
        }))
    }

    pub(super) fn tag_bytes(&self) -> usize {
        match self {
            Cipher::Gcm(_) => GCM_TAG_BYTES,
            Cipher::Cm(_) => CM_TAG_BYTES,
        }
    }
}

/// Which packet: its SSRC, and the 48-bit index of RTP or the 31-bit one of RTCP.
pub(super) type PacketId = (u32, u64);

impl Gcm {
    #[inline]
    pub(super) fn seal(
        &mut self,
        id: PacketId,
        aad: &[u8],
        payload: &mut [u8],
        tag: &mut [u8],
    ) -> Result<(), DropReason> {
        let [nonce @ .., _, _, _, _] = &gcm_nonce(self.salt, id);
        let sealed = self.aead.seal_in_place(nonce, aad, payload, tag);
        sealed.map_err(|_| DropReason::SrtpAuth)
    }

    #[inline]
    pub(super) fn open(
        &mut self,
        id: PacketId,
        aad: &[u8],
        payload: &mut [u8],
        tag: &[u8],
    ) -> Result<(), DropReason> {
        let [nonce @ .., _, _, _, _] = &gcm_nonce(self.salt, id);
        let opened = self.aead.open_in_place(nonce, aad, payload, tag);
        opened.map_err(|_| DropReason::SrtpAuth)
    }
}

impl Cm {
    /// Encrypts what follows the first `header` bytes and returns the tag over all of it and `trailer`: the roll-over
    /// counter for RTP, E and the index for RTCP.
    pub(super) fn seal(
        &mut self,
        id: PacketId,
        packet: &mut [u8],
        header: usize,
        trailer: [u8; 4],
    ) -> Result<[u8; CM_TAG_BYTES], DropReason> {
        self.apply(id, packet, header)?;
        self.tag(packet, trailer)
    }

    pub(super) fn open(
        &mut self,
        id: PacketId,
        packet: &mut [u8],
        header: usize,
        (tag, trailer): (&[u8], [u8; 4]),
    ) -> Result<(), DropReason> {
        if !constant_time_eq(&self.tag(packet, trailer)?, tag) {
            return Err(DropReason::SrtpAuth);
        }
        self.apply(id, packet, header)
    }

    fn apply(&mut self, id: PacketId, packet: &mut [u8], header: usize) -> Result<(), DropReason> {
        let payload = packet.get_mut(header..).ok_or(DropReason::MalformedRtp)?;
        let applied = self.stream.apply_keystream(&cm_iv(&self.salt, id), payload);
        applied.map_err(|_| DropReason::SrtpAuth)
    }

    fn tag(&mut self, packet: &[u8], trailer: [u8; 4]) -> Result<[u8; CM_TAG_BYTES], DropReason> {
        let mut full = [0; SHA1_BYTES];
        let signed = self.mac.sign(&[packet, &trailer], &mut full);
        signed.map_err(|_| DropReason::SrtpAuth)?;
        let [tag @ .., _, _, _, _, _, _, _, _, _, _] = full;
        Ok(tag)
    }
}

/// RFC 7714 sections 8.1 and 9.1; twelve bytes, and four unused. As one number, because the cipher reads it in words:
/// written byte by byte, each read would wait for the store buffer (5 % of the whole cost of forwarding).
#[inline]
fn gcm_nonce(salt: u128, (ssrc, index): PacketId) -> [u8; 16] {
    (salt ^ (u128::from(ssrc) << 80) ^ (u128::from(index) << 32)).to_be_bytes()
}

/// RFC 3711 section 4.1.1; the last two bytes are AES's block counter.
fn cm_iv(salt: &[u8; SALT_BYTES], (ssrc, index): PacketId) -> [u8; 16] {
    let [_, _, i0, i1, i2, i3, i4, i5] = index.to_be_bytes();
    let [s0, s1, s2, s3] = ssrc.to_be_bytes();
    let mixed = xor(salt, [0, 0, 0, 0, s0, s1, s2, s3, i0, i1, i2, i3, i4, i5]);
    let mut iv = [0; 16];
    iv.iter_mut().zip(mixed).for_each(|(iv, m)| *iv = m);
    iv
}

#[inline]
fn xor<const N: usize>(a: &[u8; N], mut b: [u8; N]) -> [u8; N] {
    b.iter_mut().zip(a).for_each(|(b, a)| *b ^= a);
    b
}
