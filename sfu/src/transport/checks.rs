//! The transport's part in ICE: the client's checks are answered, its paths are checked by us, and come and go.

use super::ice_lite::Check;
use super::paths::Answered;
use super::{Received, Transport, TransportEvent, stun};
use crate::discard::DropReason;
use crate::net::{IceCredentials, Path};
use std::time::Instant;

impl Transport {
    /// Media can be sent in a round trip or two: there is a path, and the first handshake is going on.
    pub fn is_about_to_connect(&self) -> bool {
        self.srtp.is_none() && !self.dtls.is_over() && self.selected().is_some()
    }

    pub(super) fn handle_stun(
        &mut self,
        now: Instant,
        path: Path,
        data: &[u8],
    ) -> Result<Received, DropReason> {
        if let Some(answer) = stun::Answer::parse(data) {
            return self.handle_answer(now, path, &answer);
        }
        let crypto = self.certificate.crypto();
        let (check, reply) = self.ice.handle(crypto, path, data)?;
        if let Check::Valid { nominates } = check {
            let moved = self.paths.on_check(now, path, data.len(), nominates);
            // It may be a copy, sent by anyone from elsewhere.
            if self.paths.is_proved(now, &path) {
                self.refresh(now);
            }
            if self.selected() == Some(path) {
                self.report(moved);
            }
        }
        self.send(now, path, reply);
        self.send_checks(now);
        Ok(Received::Consumed)
    }

    fn handle_answer(
        &mut self,
        now: Instant,
        path: Path,
        answer: &stun::Answer<'_>,
    ) -> Result<Received, DropReason> {
        match self.paths.answers(&path, answer.transaction) {
            Answered::Nothing => return Err(DropReason::UnknownTransaction),
            // A check that was repeated is answered twice.
            Answered::Again => return Ok(Received::Consumed),
            Answered::Check => {}
        }
        if !self.ice.verifies(self.certificate.crypto(), answer) {
            return Err(DropReason::StunIntegrity);
        }
        if self.consent.renew(now) {
            self.events.push_back(TransportEvent::Restored);
        }
        let moved = self.paths.on_answer(now, path);
        if self.selected() == Some(path) {
            self.report(moved);
        }
        Ok(Received::Consumed)
    }

    /// Media came on another path than the selected one: after a NAT has given the peer another address, or because it
    /// changed to another way without nominating it.
    pub(super) fn media_elsewhere(&mut self, now: Instant, path: Path, bytes: usize) {
        let (new, moved) = self.paths.on_media_elsewhere(now, path, bytes);
        if moved {
            self.report(true);
        }
        self.send_checks(now);
        if new {
            self.events.push_back(TransportEvent::PathFound { path });
        }
    }

    /// Sends checks to the paths that are due.
    pub(super) fn send_checks(&mut self, now: Instant) {
        while let Some((path, transaction)) = self.paths.next_check(now) {
            let check = self.ice.check(self.certificate.crypto(), transaction);
            if !check.is_some_and(|check| self.send(now, path, check)) {
                self.paths.on_unsent(&path);
            }
        }
    }

    /// A TCP connection is gone. If media went over it, from now on it goes over the proved path that was active last.
    pub fn path_closed(&mut self, now: Instant, path: Path) {
        let waiting = self.transmits.len();
        self.transmits.retain(|(to, _)| *to != path);
        let gone = waiting.saturating_sub(self.transmits.len());
        self.overflow = self.overflow.saturating_add(gone as u64);
        if self.dtls_path == Some(path) {
            self.dtls_path = None;
        }
        if self.paths.forget(now, &path) {
            self.report(true);
        }
    }

    /// ICE restart (RFC 8445 section 9): only checks with the new credentials count from now on. DTLS
    /// and SRTP keep running, and media keeps its path until the client nominates again.
    pub fn restart(&mut self, now: Instant, local: IceCredentials, remote: IceCredentials) {
        self.ice.restart(self.certificate.crypto(), local, remote);
        self.paths.restart();
        self.consent.extend(now);
        self.announce = true;
    }
}
