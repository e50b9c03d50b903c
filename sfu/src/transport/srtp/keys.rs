//! Session keys from a DTLS export: RFC 5764 section 4.2 (which side gets what), RFC 3711 section 4.3 (KDF).

use super::cipher::Cipher;
use super::{AUTH_KEY_BYTES, KEY_BYTES, SALT_BYTES};
use rtc_crypto::{CryptoError, RTCCrypto, StreamCipher, StreamCipherAlgorithm};

/// The two profiles we speak (RFC 5764 section 4.1.2, RFC 7714 section 14.2). GCM costs a fifth of
/// AES-CM with SHA-1 and is preferred where the client has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    AeadAes128Gcm,
    Aes128CmSha1_80,
}

/// Index of the label within the 112-bit value that is mixed with the salt (RFC 3711 section 4.3.1).
const LABEL_AT: usize = 7;

/// RFC 3711 section 4.3.2: labels of the encryption key, the authentication key and the salt.
pub(super) struct Labels {
    encryption: u8,
    authentication: u8,
    salt: u8,
}

pub(super) const RTP_LABELS: Labels = Labels { encryption: 0, authentication: 1, salt: 2 };
pub(super) const RTCP_LABELS: Labels = Labels { encryption: 3, authentication: 4, salt: 5 };

impl Profile {
    fn salt_bytes(self) -> usize {
        match self {
            Profile::AeadAes128Gcm => 12,
            Profile::Aes128CmSha1_80 => SALT_BYTES,
        }
    }

    /// Bytes SRTP adds to a packet.
    pub fn rtp_overhead(self) -> usize {
        match self {
            Profile::AeadAes128Gcm => 16,
            Profile::Aes128CmSha1_80 => 10,
        }
    }

    /// Length of the exported keying material in bytes: two keys and two salts.
    pub fn exported_bytes(self) -> usize {
        KEY_BYTES.saturating_add(self.salt_bytes()).saturating_mul(2)
    }
}

/// The master key and salt of one direction.
#[derive(Clone)]
pub struct Master {
    pub(super) key: [u8; KEY_BYTES],
    pub(super) salt: [u8; SALT_BYTES],
}

impl Master {
    /// Splits the DTLS export: client key, server key, client salt, server salt. `None` when it has not
    /// `Profile::exported_bytes`. Returns the client's and the server's half.
    pub fn split(profile: Profile, exported: &[u8]) -> Option<(Master, Master)> {
        if exported.len() != profile.exported_bytes() {
            return None;
        }
        let (client_key, rest) = exported.split_at_checked(KEY_BYTES)?;
        let (server_key, rest) = rest.split_at_checked(KEY_BYTES)?;
        let (client_salt, server_salt) = rest.split_at_checked(profile.salt_bytes())?;
        Some((Master::new(client_key, client_salt)?, Master::new(server_key, server_salt)?))
    }

    /// A salt shorter than 112 bits is filled up with zeros.
    pub(super) fn new(key: &[u8], salt: &[u8]) -> Option<Master> {
        let mut padded = [0; SALT_BYTES];
        padded.get_mut(..salt.len())?.copy_from_slice(salt);
        Some(Master { key: key.try_into().ok()?, salt: padded })
    }

    /// The cipher of RTP or of RTCP, by its labels.
    pub(super) fn cipher(
        &self,
        crypto: &dyn RTCCrypto,
        profile: Profile,
        labels: &Labels,
    ) -> Result<Cipher, CryptoError> {
        let mut kdf = crypto.new_stream_cipher(StreamCipherAlgorithm::Aes128Ctr, &self.key)?;
        let key: [u8; KEY_BYTES] = self.derive(kdf.as_mut(), labels.encryption)?;
        let salt: [u8; SALT_BYTES] = self.derive(kdf.as_mut(), labels.salt)?;
        match profile {
            Profile::AeadAes128Gcm => Cipher::gcm(crypto, &key, &salt),
            Profile::Aes128CmSha1_80 => {
                let auth: [u8; AUTH_KEY_BYTES] = self.derive(kdf.as_mut(), labels.authentication)?;
                Cipher::cm(crypto, &key, &auth, &salt)
            }
        }
    }

    /// AES in counter mode over zeros, from `(label ‖ 0) XOR salt`; no key derivation rate.
    pub(super) fn derive<const N: usize>(
        &self,
        kdf: &mut dyn StreamCipher,
        label: u8,
    ) -> Result<[u8; N], CryptoError> {
        let mut iv = [0; 16];
        for (at, (out, salt)) in iv.iter_mut().zip(self.salt).enumerate() {
            *out = if at == LABEL_AT { salt ^ label } else { salt };
        }
        let mut output = [0; N];
        kdf.apply_keystream(&iv, &mut output)?;
        Ok(output)
    }
}
