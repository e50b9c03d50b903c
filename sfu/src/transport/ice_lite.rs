//! ICE-lite (RFC 8445 section 2.5): we answer checks, the client chooses the path.
//!
//! The last USE-CANDIDATE wins, at once and from any address that knows our password: that is how a
//! site moves from Wi-Fi to 4G. `rtc-ice`'s lite mode never switches, so this is ours.

use super::{Path, stun};
use crate::discard::DropReason;
use crate::limits;
use arrayvec::ArrayVec;
use rtc_crypto::{HmacAlgorithm, Mac, RTCCrypto};
use std::fmt;
use std::time::{Duration, Instant};

/// Paths remembered per peer: two addresses of two networks, over UDP and TCP.
const MAX_PATHS: usize = 8;
/// Media is taken from a path this long after its last check. Clients check every 2.5 s or more
/// often; consent ends after the same time (RFC 7675).
const PATH_LIFETIME: Duration = limits::CONSENT_EXPIRY;

/// Username fragment and password of one side (RFC 8445 section 5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    pub ufrag: String,
    pub pwd: String,
}

/// Does not show the password.
impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceCredentials({})", self.ufrag)
    }
}

/// What a check that authenticated brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// The answer is an error: the client thinks that we are in control, or demands something we do
    /// not know. Nothing else changes.
    Refused,
    /// The path works. `moved` when it is from now on the nominated one and was not before.
    Valid { moved: bool },
}

pub(super) struct IceLite {
    local: IceCredentials,
    remote: IceCredentials,
    /// Keyed with our password. `None` only if the provider refused the key: then nobody gets in.
    mac: Option<Box<dyn Mac>>,
    paths: ArrayVec<KnownPath, MAX_PATHS>,
    nominated: Option<Path>,
}

#[derive(Debug, Clone, Copy)]
struct KnownPath {
    path: Path,
    checked: Instant,
}

impl IceLite {
    pub fn new(crypto: &dyn RTCCrypto, local: IceCredentials, remote: IceCredentials) -> IceLite {
        IceLite { mac: mac(crypto, &local), local, remote, paths: ArrayVec::new(), nominated: None }
    }

    pub fn local(&self) -> &IceCredentials {
        &self.local
    }

    pub fn nominated(&self) -> Option<Path> {
        self.nominated
    }

    /// New credentials (RFC 8445 section 9). What worked goes on working until the client nominates.
    pub fn restart(&mut self, crypto: &dyn RTCCrypto, local: IceCredentials, remote: IceCredentials) {
        self.mac = mac(crypto, &local);
        self.local = local;
        self.remote = remote;
    }

    /// Takes in a STUN datagram. Nothing changes and nothing is answered before MESSAGE-INTEGRITY
    /// has been checked.
    pub fn handle(
        &mut self,
        now: Instant,
        crypto: &dyn RTCCrypto,
        path: Path,
        data: &[u8],
    ) -> Result<(Check, Vec<u8>), DropReason> {
        let request = stun::Request::parse(data).ok_or(DropReason::MalformedStun)?;
        if !self.is_our_pair(request.username) {
            return Err(DropReason::UnknownUfrag);
        }
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
        self.remember(now, path);
        let moved = request.use_candidate && self.nominated != Some(path);
        if moved {
            self.nominated = Some(path);
        }
        Ok((Check::Valid { moved }, reply))
    }

    /// USERNAME is "ours:theirs" (RFC 8445 section 7.2.2).
    fn is_our_pair(&self, username: &[u8]) -> bool {
        let rest = username.strip_prefix(self.local.ufrag.as_bytes());
        let theirs = rest.and_then(|rest| rest.strip_prefix(b":"));
        theirs == Some(self.remote.ufrag.as_bytes())
    }

    /// The path checked longest ago makes room; never the nominated one.
    fn remember(&mut self, now: Instant, path: Path) {
        if let Some(known) = self.paths.iter_mut().find(|known| known.path == path) {
            known.checked = now;
            return;
        }
        if self.paths.is_full() {
            let others = self.paths.iter().enumerate();
            let oldest = others
                .filter(|(_, known)| Some(known.path) != self.nominated)
                .min_by_key(|(_, known)| known.checked)
                .map(|(place, _)| place);
            if let Some(place) = oldest {
                self.paths.swap_remove(place);
            }
        }
        let checked = now;
        let _room_was_made = self.paths.try_push(KnownPath { path, checked });
    }

    /// Whether something may be taken from `path` now.
    #[inline]
    pub fn is_valid(&self, now: Instant, path: &Path) -> bool {
        let mut known = self.paths.iter();
        known.any(|known| known.path == *path && now.saturating_duration_since(known.checked) < PATH_LIFETIME)
    }

    /// A TCP connection is gone. Answers the path that takes its place if it was the nominated one:
    /// the one checked last.
    pub fn forget(&mut self, path: &Path) -> Option<Path> {
        self.paths.retain(|known| known.path != *path);
        if self.nominated != Some(*path) {
            return None;
        }
        let newest = self.paths.iter().max_by_key(|known| known.checked);
        self.nominated = newest.map(|known| known.path);
        self.nominated
    }
}

fn mac(crypto: &dyn RTCCrypto, local: &IceCredentials) -> Option<Box<dyn Mac>> {
    crypto.new_hmac(HmacAlgorithm::Sha1, local.pwd.as_bytes()).ok()
}
