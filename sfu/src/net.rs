//! How a peer is reached over the network, and what identifies it there. Values only.
#![warn(missing_docs)]

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// The protocol of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathKind {
    /// Datagrams.
    Udp,
    /// A connection the client opened (ICE-TCP, RFC 6544), with the framing of RFC 4571.
    Tcp,
}

/// The route of a datagram: protocol, our address and theirs. For TCP the remote address names the connection.
/// Addresses are canonical: an IPv4 peer of a dual-stack socket is an IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    /// The protocol.
    pub kind: PathKind,
    /// The local address the datagram came to, and ours must leave from.
    pub local: IpAddr,
    /// Where it came from, and ours goes to.
    pub remote: SocketAddr,
}

/// A host candidate (RFC 8445) a worker listens on, as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The protocol.
    pub kind: PathKind,
    /// Where clients send to.
    pub address: SocketAddr,
}

/// Why nothing is sent to a peer any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectReason {
    /// No consent for `limits::CONSENT_EXPIRY`.
    ConsentExpired,
    /// The certificate is not the one the offer announced.
    WrongFingerprint,
    /// The DTLS handshake failed or timed out.
    Dtls,
    /// The peer closed the connection (DTLS close_notify).
    Closed,
}

/// Username fragment and password of one side (RFC 8445 section 5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// `ice-ufrag`.
    pub ufrag: String,
    /// `ice-pwd`.
    pub pwd: String,
}

/// Does not show the password.
impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceCredentials({})", self.ufrag)
    }
}

/// SHA-256 over a certificate in DER. Other algorithms of RFC 8122 are not taken: every WebRTC
/// client offers this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// Not `sha-256` followed by 32 bytes in hexadecimal, with colons between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 fingerprint")]
pub struct FingerprintError;

impl Fingerprint {
    /// "AB:CD:…", as in `a=fingerprint:sha-256 AB:CD:…`.
    pub fn hex(&self) -> String {
        let bytes: Vec<String> = self.0.iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }
}

/// The value of `a=fingerprint`.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha-256 {}", self.hex())
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Fingerprint, FingerprintError> {
        let (algorithm, hex) = text.trim().split_once(' ').ok_or(FingerprintError)?;
        if !algorithm.eq_ignore_ascii_case("sha-256") {
            return Err(FingerprintError);
        }
        let mut bytes = [0; 32];
        let mut pairs = hex.trim().split(':');
        for byte in &mut bytes {
            let pair = pairs.next().filter(|pair| pair.len() == 2);
            let value = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
            *byte = value.ok_or(FingerprintError)?;
        }
        let rest = pairs.next().map_or(Ok(()), |_| Err(FingerprintError));
        rest.map(|()| Fingerprint(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_they_are_written() {
        let fingerprint = Fingerprint(std::array::from_fn(|n| 0x9a ^ n as u8));
        let text = fingerprint.to_string();
        assert!(text.starts_with("sha-256 9A:9B:98:"), "{text}");
        assert!(text.ends_with(&fingerprint.hex()));
        assert_eq!(text.parse(), Ok(fingerprint));
        assert_eq!(text.to_lowercase().parse(), Ok(fingerprint));
        let cut = &text[..text.len() - 3];
        let wrong = ["", "sha-256", "sha-1 AA:BB", cut, &format!("{text}:00")];
        for text in wrong {
            assert_eq!(text.parse::<Fingerprint>(), Err(FingerprintError), "{text}");
        }
    }
}
