//! ICE-lite (RFC 8445 section 2.5): we answer checks, the client chooses the path.
//!
//! The last USE-CANDIDATE wins, from any address: that is how a site moves from Wi-Fi to 4G. But first the address has
//! to answer a check of ours (`paths.rs`). A lite agent does not have to send any; without them, an address would be no
//! more than a claim. `rtc-ice`'s lite mode never switches, so this is ours.

use super::stun;
use crate::discard::DropReason;
use crate::net::{IceCredentials, Path};
use rtc_crypto::{HmacAlgorithm, Mac, RTCCrypto};

/// The result of a check that authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// The answer is an error: the client thinks that we are in control, or demands something we do
    /// not know. Nothing else changes.
    Refused,
    /// The client is there, and perhaps nominates the path for media.
    Valid { nominates: bool },
    /// Somebody who knows our password, under a name that the client has told nobody: its page, which looks whether we
    /// can be reached again. It is answered (RFC 8445 section 7.3), and moves nothing.
    Unannounced,
}

pub(super) struct IceLite {
    local: IceCredentials,
    remote: IceCredentials,
    /// Keyed with our password. `None` only if the provider refused the key: then no check authenticates.
    mac: Option<Box<dyn Mac>>,
}

impl IceLite {
    pub fn new(crypto: &dyn RTCCrypto, local: IceCredentials, remote: IceCredentials) -> IceLite {
        IceLite { mac: mac(crypto, &local), local, remote }
    }

    pub fn local(&self) -> &IceCredentials {
        &self.local
    }

    /// New credentials (RFC 8445 section 9).
    pub fn restart(&mut self, crypto: &dyn RTCCrypto, local: IceCredentials, remote: IceCredentials) {
        self.mac = mac(crypto, &local);
        self.local = local;
        self.remote = remote;
    }

    /// Takes in a check, whose USERNAME is "ours:theirs" (RFC 8445 section 7.2.2). Nothing changes and nothing is answered
    /// before MESSAGE-INTEGRITY has been checked.
    pub fn handle(
        &mut self,
        crypto: &dyn RTCCrypto,
        path: Path,
        data: &[u8],
    ) -> Result<(Check, Vec<u8>), DropReason> {
        let request = stun::Request::parse(data).ok_or(DropReason::MalformedStun)?;
        let theirs = self.names_us(request.username).ok_or(DropReason::UnknownUfrag)?;
        let announced = theirs == self.remote.ufrag.as_bytes();
        let mac = self.mac.as_mut().ok_or(DropReason::StunIntegrity)?;
        if !request.verify(mac.as_mut()) {
            return Err(DropReason::StunIntegrity);
        }
        let (id, pwd) = (request.transaction, &self.local.pwd);
        let refusal = if !request.unknown.is_empty() {
            Some(stun::unknown_attributes(crypto, pwd, id, &request.unknown))
        } else if request.controlled {
            Some(stun::role_conflict(crypto, pwd, id))
        } else {
            None
        };
        if let Some(reply) = refusal {
            return Ok((Check::Refused, reply.ok_or(DropReason::MalformedStun)?));
        }
        let reply = stun::success(crypto, pwd, id, &path).ok_or(DropReason::MalformedStun)?;
        Ok((
            if announced { Check::Valid { nominates: request.use_candidate } } else { Check::Unannounced },
            reply,
        ))
    }

    /// A check of ours.
    pub fn check(&self, crypto: &dyn RTCCrypto, transaction: [u8; 12]) -> Option<Vec<u8>> {
        stun::check(crypto, (&self.local, &self.remote), transaction)
    }

    /// Whether an answer is the client's.
    pub fn verifies(&self, crypto: &dyn RTCCrypto, answer: &stun::Answer<'_>) -> bool {
        mac(crypto, &self.remote).is_some_and(|mut mac| answer.verify(mac.as_mut()))
    }

    /// The sender's part of a USERNAME that begins with ours.
    fn names_us<'a>(&self, username: &'a [u8]) -> Option<&'a [u8]> {
        username.strip_prefix(self.local.ufrag.as_bytes())?.strip_prefix(b":")
    }
}

fn mac(crypto: &dyn RTCCrypto, side: &IceCredentials) -> Option<Box<dyn Mac>> {
    crypto.new_hmac(HmacAlgorithm::Sha1, side.pwd.as_bytes()).ok()
}
