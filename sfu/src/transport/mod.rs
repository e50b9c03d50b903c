//! One machine per peer: ciphertext ↔ plaintext. STUN and DTLS stay here; SRTP is opened in place.
//!
//! **Drive [`Transport`] like this: hand in datagrams and the time it asked for, then take
//! `poll_event` and `poll_transmit` until both are empty.** Media is sealed into the caller's buffer
//! and goes to `nominated`.
//!
//! | what came | may come from | does |
//! |---|---|---|
//! | STUN that authenticates | anywhere | is answered, validates its path, nominates, refreshes consent |
//! | DTLS | a valid path | is fed to the handshake |
//! | SRTP, SRTCP | a valid path | is opened in place, refreshes consent |

mod certificate;
mod consent;
mod dtls;
mod hello;
mod ice_lite;
pub mod srtp;
pub mod stun;
#[cfg(test)]
mod tests;

use crate::discard::DropReason;
use crate::event::{DisconnectReason, PathKind};
use crate::time::earliest;
use consent::{Consent, Silence};
use dtls::{Dtls, Progress};
use ice_lite::{Check, IceLite};
use srtp::{Master, OpenContext, Profile, SealContext};
use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use certificate::{Certificate, CertificateError, Fingerprint, FingerprintError};
pub use ice_lite::IceCredentials;
pub use srtp::SRTP_OVERHEAD;

/// STUN answers and DTLS flights waiting to be sent; the oldest give way. A flight has at most four.
const MAX_TRANSMITS: usize = 32;

/// The way a datagram travels: protocol, our address and theirs. For TCP the remote address names
/// the connection. Addresses are canonical: an IPv4 peer of a dual-stack socket is an IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    pub kind: PathKind,
    /// The local address the datagram came to, and ours must leave from.
    pub local: IpAddr,
    pub remote: SocketAddr,
}

/// What a datagram was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// STUN or DTLS; there may be something to send, and events.
    Consumed,
    /// `data[..n]` is now an RTP packet.
    Rtp(usize),
    /// `data[..n]` is now a compound RTCP packet.
    Rtcp(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportEvent {
    /// Media can flow: for the first time, after an ICE restart, or after consent had expired.
    Connected { path: Path },
    /// Media goes another way from now on.
    PathChanged { path: Path },
    /// Nothing valid for `limits::QUIET_AFTER`.
    Quiet,
    /// Something valid after `Quiet`.
    Restored,
    /// Nothing is sent any more. After `ConsentExpired` a check brings the peer back without a new
    /// handshake; the other reasons are final.
    Disconnected(DisconnectReason),
}

/// The line to one peer.
pub struct Transport {
    certificate: Arc<Certificate>,
    ice: IceLite,
    dtls: Dtls,
    srtp: Option<Srtp>,
    consent: Consent,
    connected: bool,
    /// The next word about a working path is `Connected` and not `PathChanged`.
    announce: bool,
    transmits: VecDeque<(Path, Vec<u8>)>,
    /// How many of those had to give way since this was asked last.
    overflow: u64,
    events: VecDeque<TransportEvent>,
    /// Where DTLS came from last: before a path is nominated, its answers go there.
    dtls_path: Option<Path>,
}

struct Srtp {
    seal: SealContext,
    open: OpenContext,
}

/// RFC 7983, and RFC 5761 section 4 for RTCP.
enum Protocol {
    Stun,
    Dtls,
    Rtp,
    Rtcp,
}

impl Protocol {
    #[inline]
    fn of(datagram: &[u8]) -> Option<Protocol> {
        match *datagram {
            [0..=3, ..] => Some(Protocol::Stun),
            [20..=63, ..] => Some(Protocol::Dtls),
            [128..=191, 192..=223, ..] => Some(Protocol::Rtcp),
            [128..=191, ..] => Some(Protocol::Rtp),
            _ => None,
        }
    }
}

impl Transport {
    /// A transport that waits for the client's first check. `remote_fingerprints` are those of the
    /// offer: the client's certificate must have one of them.
    pub fn new(
        now: Instant,
        certificate: Arc<Certificate>,
        local: IceCredentials,
        remote: IceCredentials,
        remote_fingerprints: Vec<Fingerprint>,
    ) -> Transport {
        Transport {
            ice: IceLite::new(certificate.crypto(), local, remote),
            dtls: Dtls::new(certificate.clone(), remote_fingerprints),
            certificate,
            srtp: None,
            consent: Consent::new(now),
            connected: false,
            announce: true,
            transmits: VecDeque::new(),
            overflow: 0,
            events: VecDeque::new(),
            dtls_path: None,
        }
    }

    pub fn local_credentials(&self) -> &IceCredentials {
        self.ice.local()
    }

    /// Media can be sent.
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Where media goes; `None` before the first nomination and while consent is missing.
    #[inline]
    pub fn nominated(&self) -> Option<Path> {
        self.ice.nominated().filter(|_| !self.consent.is_expired())
    }

    /// Round trip as the handshake showed it; too long if a flight of it was lost.
    pub fn initial_rtt(&self) -> Option<Duration> {
        self.dtls.round_trip()
    }

    /// Takes in a datagram that was found to be this peer's. Media is opened within `data`.
    #[inline]
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        path: Path,
        data: &mut [u8],
    ) -> Result<Received, DropReason> {
        match Protocol::of(data).ok_or(DropReason::UnknownProtocol)? {
            Protocol::Stun => self.handle_stun(now, path, data),
            _ if !self.ice.is_valid(now, &path) => Err(DropReason::NotConnected),
            Protocol::Dtls => self.handle_dtls(now, path, data),
            Protocol::Rtp => self.open(now, |open| open.open_rtp(data)).map(Received::Rtp),
            Protocol::Rtcp => self.open(now, |open| open.open_rtcp(data)).map(Received::Rtcp),
        }
    }

    #[inline]
    fn open(
        &mut self,
        now: Instant,
        open: impl FnOnce(&mut OpenContext) -> Result<usize, DropReason>,
    ) -> Result<usize, DropReason> {
        let srtp = self.srtp.as_mut().ok_or(DropReason::NotConnected)?;
        if self.consent.is_expired() {
            return Err(DropReason::NotConnected);
        }
        let length = open(&mut srtp.open)?;
        self.refresh(now);
        Ok(length)
    }

    #[inline]
    fn refresh(&mut self, now: Instant) {
        if self.consent.refresh(now) == Some(Silence::Quiet) {
            self.events.push_back(TransportEvent::Restored);
        }
    }

    fn handle_stun(&mut self, now: Instant, path: Path, data: &[u8]) -> Result<Received, DropReason> {
        let crypto = self.certificate.crypto();
        let (check, reply) = self.ice.handle(now, crypto, path, data)?;
        self.send(path, reply);
        if let Check::Valid { moved } = check {
            self.refresh(now);
            if self.ice.nominated() == Some(path) {
                self.report(moved);
            }
        }
        Ok(Received::Consumed)
    }

    /// Says which path carries media, if that is news.
    fn report(&mut self, moved: bool) {
        let Some(path) = self.nominated().filter(|_| self.srtp.is_some()) else {
            return;
        };
        if std::mem::take(&mut self.announce) {
            self.connected = true;
            self.events.push_back(TransportEvent::Connected { path });
        } else if moved {
            self.events.push_back(TransportEvent::PathChanged { path });
        }
    }

    fn handle_dtls(&mut self, now: Instant, path: Path, data: &[u8]) -> Result<Received, DropReason> {
        self.dtls_path = Some(path);
        let progress = self.dtls.handle(now, data);
        self.send_dtls();
        match progress? {
            Progress::Nothing => {}
            Progress::Failed(reason) => self.disconnect(reason),
            Progress::Keys(profile, exported) => match self.keys(profile, exported.as_ref()) {
                Some(srtp) => {
                    self.srtp = Some(srtp);
                    self.report(false);
                }
                None => self.disconnect(DisconnectReason::Dtls),
            },
        }
        Ok(Received::Consumed)
    }

    /// We are the server: the client's half opens, ours seals.
    fn keys(&self, profile: Profile, exported: &[u8]) -> Option<Srtp> {
        let crypto = self.certificate.crypto();
        let (client, server) = Master::split(profile, exported)?;
        Some(Srtp {
            seal: SealContext::new(crypto, profile, &server).ok()?,
            open: OpenContext::new(crypto, profile, &client).ok()?,
        })
    }

    /// The end of this association. Checks are still answered, so that the client learns of it by
    /// signaling and not by silence.
    fn disconnect(&mut self, reason: DisconnectReason) {
        self.srtp = None;
        self.connected = false;
        self.events.push_back(TransportEvent::Disconnected(reason));
    }

    fn send(&mut self, path: Path, datagram: Vec<u8>) {
        if self.transmits.len() >= MAX_TRANSMITS {
            self.transmits.pop_front();
            self.overflow = self.overflow.saturating_add(1);
        }
        self.transmits.push_back((path, datagram));
    }

    /// STUN and DTLS that had to give way since the last call.
    pub fn take_overflow(&mut self) -> u64 {
        std::mem::take(&mut self.overflow)
    }

    fn send_dtls(&mut self) {
        let datagrams: Vec<Vec<u8>> = self.dtls.drain().collect();
        if let Some(path) = self.nominated().or(self.dtls_path) {
            datagrams.into_iter().for_each(|datagram| self.send(path, datagram));
        }
    }

    /// STUN and DTLS to send.
    pub fn poll_transmit(&mut self) -> Option<(Path, Vec<u8>)> {
        self.transmits.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        self.events.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        earliest(self.dtls.poll_timeout(), self.consent.poll_timeout(self.connected))
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(reason) = self.dtls.handle_timeout(now) {
            self.disconnect(reason);
        }
        self.send_dtls();
        match self.consent.handle_timeout(now, self.connected) {
            Some(Silence::Quiet) => self.events.push_back(TransportEvent::Quiet),
            Some(Silence::Expired) => {
                self.connected = false;
                self.announce = true;
                // What has failed for good cannot expire.
                let expired = TransportEvent::Disconnected(DisconnectReason::ConsentExpired);
                self.events.extend(Some(expired).filter(|_| !self.dtls.is_over()));
            }
            None => {}
        }
    }

    /// A TCP connection is gone. If media went over it, it goes over the path checked last from now on.
    pub fn path_closed(&mut self, path: Path) {
        let waiting = self.transmits.len();
        self.transmits.retain(|(to, _)| *to != path);
        let gone = waiting.saturating_sub(self.transmits.len());
        self.overflow = self.overflow.saturating_add(gone as u64);
        if self.dtls_path == Some(path) {
            self.dtls_path = None;
        }
        if self.ice.forget(&path).is_some() {
            self.report(true);
        }
    }

    /// ICE restart (RFC 8445 section 9): only checks with the new credentials count from now on. DTLS
    /// and SRTP keep running, and media keeps its path until the client nominates again.
    pub fn restart(&mut self, now: Instant, local: IceCredentials, remote: IceCredentials) {
        self.ice.restart(self.certificate.crypto(), local, remote);
        self.consent.extend(now);
        self.announce = true;
    }

    /// Bytes `seal_rtp` adds, at most `SRTP_OVERHEAD`; 0 before there are keys.
    pub fn srtp_overhead(&self) -> usize {
        self.srtp.as_ref().map_or(0, |srtp| srtp.seal.rtp_overhead())
    }

    /// Seals the RTP packet `packet[..plain_len]` in place; the first `header_len` bytes, extensions
    /// included, stay readable, and the tag needs `srtp_overhead` bytes behind. `extended` is the
    /// sequence number with its roll-over counter above. One that was used on this SSRC is refused, and the
    /// first one of an SSRC is below 65,536. Answers the sealed length.
    #[inline]
    pub fn seal_rtp(
        &mut self,
        packet: &mut [u8],
        header_len: usize,
        plain_len: usize,
        extended: u64,
    ) -> Result<usize, DropReason> {
        let srtp = self.srtp.as_mut().filter(|_| self.connected);
        let seal = &mut srtp.ok_or(DropReason::NotConnected)?.seal;
        seal.seal_rtp(packet, header_len, plain_len, extended)
    }

    /// Seals a compound RTCP packet in place.
    pub fn seal_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), DropReason> {
        let srtp = self.srtp.as_mut().filter(|_| self.connected);
        srtp.ok_or(DropReason::NotConnected)?.seal.seal_rtcp(packet)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("local", self.ice.local())
            .field("nominated", &self.nominated())
            .field("connected", &self.connected)
            .finish_non_exhaustive()
    }
}
