//! Our identity: the certificate, and its fingerprint (RFC 8122).

use super::srtp::Profile;
use crate::net::Fingerprint;
use rtc_crypto::{HashAlgorithm, RTCCrypto, RTCCryptoProvider, providers::AwsLcRsProvider};
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, HandshakeConfig};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use std::fmt;
use std::sync::Arc;

/// Handshake messages are cut into pieces of this size, in bytes. With the headers of record and
/// fragment, tag and nonce it stays below 1,200, which passes any line that carries media.
const FRAGMENT_BYTES: usize = 1_100;

/// Our certificate in all the forms that DTLS needs: one per process, shared by all peers. ECDSA on P-256, self-signed;
/// the fingerprint in the answer authenticates it.
///
/// Its key, and the randomness of every handshake, come from the system's random source by way of
/// `rtc-dtls` and not from the engine's seed: a simulation does not need to repeat them, and keys
/// must never come from a seed.
pub struct Certificate {
    fingerprint: Fingerprint,
    provider: Arc<dyn RTCCryptoProvider>,
    gcm: Arc<HandshakeConfig>,
    cm: Arc<HandshakeConfig>,
}

/// The certificate could not be made; nothing can be served then.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a DTLS certificate: {0}")]
pub struct CertificateError(String);

impl Certificate {
    pub fn generate() -> Result<Certificate, CertificateError> {
        let fail = |error: &dyn fmt::Display| CertificateError(error.to_string());
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let own = rtc_dtls::crypto::Certificate::generate_self_signed(
            vec!["nhipcau".to_owned()],
            provider.crypto(),
        )
        .map_err(|error| fail(&error))?;
        let der = own.certificate.first().ok_or(fail(&"no certificate"))?;
        let fingerprint = fingerprint_of(provider.crypto(), der).ok_or(fail(&"no SHA-256"))?;
        let config = |profile| handshake_config(&provider, &own, profile);
        Ok(Certificate {
            fingerprint,
            gcm: config(Profile::AeadAes128Gcm).map_err(|error| fail(&error))?,
            cm: config(Profile::Aes128CmSha1_80).map_err(|error| fail(&error))?,
            provider,
        })
    }

    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// "AB:CD:…"
    pub fn fingerprint_sha256(&self) -> String {
        self.fingerprint.hex()
    }

    pub(super) fn crypto(&self) -> &dyn RTCCrypto {
        self.provider.crypto()
    }

    pub(super) fn config(&self, profile: Profile) -> Arc<HandshakeConfig> {
        match profile {
            Profile::AeadAes128Gcm => self.gcm.clone(),
            Profile::Aes128CmSha1_80 => self.cm.clone(),
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.fingerprint)
    }
}

/// `None` when the provider has no SHA-256.
pub(super) fn fingerprint_of(crypto: &dyn RTCCrypto, der: &[u8]) -> Option<Fingerprint> {
    let hash = crypto.hash(HashAlgorithm::Sha256, der).ok()?;
    Some(Fingerprint(hash.try_into().ok()?))
}

/// What all handshakes with one SRTP profile share. The chain is not verified: the fingerprint is
/// compared when the handshake is over (`dtls.rs`), and the client must prove that it has the key.
fn handshake_config(
    provider: &Arc<dyn RTCCryptoProvider>,
    own: &rtc_dtls::crypto::Certificate,
    profile: Profile,
) -> Result<Arc<HandshakeConfig>, rtc_shared::error::Error> {
    let srtp = match profile {
        Profile::AeadAes128Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
        Profile::Aes128CmSha1_80 => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
    };
    let builder = ConfigBuilder::default()
        .with_crypto_provider(provider.clone())
        .with_certificates(vec![own.clone()])
        .with_cipher_suites(vec![
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
        ])
        .with_srtp_protection_profiles(vec![srtp])
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        .with_insecure_skip_verify(true)
        .with_mtu(FRAGMENT_BYTES);
    Ok(Arc::new(builder.build(false, None)?))
}
