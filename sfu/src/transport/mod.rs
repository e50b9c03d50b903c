//! One machine per peer: ciphertext ↔ plaintext. STUN and DTLS stay here; SRTP is opened in place.
//!
//! **Drive [`Transport`] like this: hand in datagrams and the time it asked for, then take `poll_event` and
//! `poll_transmit` until both are empty.** Media is sealed into the caller's buffer and goes to `selected`.
//!
//! | what came | may come from | does |
//! |---|---|---|
//! | a check that authenticates | anywhere | is answered, makes us check its path, nominates |
//! | an answer to a check of ours | where that went | proves its path, renews consent, moves media |
//! | DTLS | a path a check came from | is fed to the handshake, which moves where that is proved |
//! | SRTP, SRTCP that opens | anywhere | is taken, makes us check its path, moves media where that is proved |
//! ```
//! # use sfu::{net::*, transport::*};
//! # let (mut now, numbers) = (std::time::Instant::now(), CheckNumbers::new(1, rand::SeedableRng::seed_from_u64(1)));
//! # let names = || IceCredentials { ufrag: "name".into(), pwd: "secret".into() };
//! let certificate = Certificate::generate().unwrap().into();
//! let mut transport = Transport::new(now, certificate, names(), names(), Vec::new(), numbers);
//! let event = loop {
//!     while let Some((_path, _datagram)) = transport.poll_transmit() { /* to the network */ }
//!     if let Some(event) = transport.poll_event() { break event }
//!     now = transport.poll_timeout().unwrap(); // a host waits until then, or for a datagram
//!     transport.handle_timeout(now);
//! };
//! assert_eq!(event, TransportEvent::Disconnected(DisconnectReason::ConsentExpired)); // no client came
//! ```

mod certificate;
mod checks;
mod consent;
mod dtls;
mod hello;
mod ice_lite;
mod numbers;
mod paths;
pub mod srtp;
pub mod stun;
#[cfg(test)]
mod tests;

use crate::discard::DropReason;
use crate::net::{DisconnectReason, Fingerprint, IceCredentials, Path};
use crate::time::earliest;
use consent::{Consent, Silence};
use dtls::{Dtls, Progress};
use ice_lite::IceLite;
use paths::Paths;
use rtp::sequence::Sequence;
use srtp::{Master, OpenContext, Profile, SealContext};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use certificate::{Certificate, CertificateError};
pub use numbers::CheckNumbers;
pub use srtp::SRTP_OVERHEAD;

/// STUN and DTLS flights waiting to be sent; the oldest give way. A flight has at most four.
const MAX_TRANSMITS: usize = 32;

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
    /// Media came on a path not known before: there may be a check to send.
    PathFound { path: Path },
    /// The first packet under this SSRC authenticated.
    NewSsrc { ssrc: u32 },
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
    paths: Paths,
    dtls: Dtls,
    srtp: Option<Srtp>,
    consent: Consent,
    connected: bool,
    /// The next report of a working path is `Connected` and not `PathChanged`.
    announce: bool,
    transmits: VecDeque<(Path, Vec<u8>)>,
    /// How many of those had to give way, and how many an address in question might not get, since the last
    /// `take_drops`.
    overflow: u64,
    withheld: u64,
    events: VecDeque<TransportEvent>,
    /// Where DTLS came from last: before a path is selected, its answers go there.
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
        numbers: CheckNumbers,
    ) -> Transport {
        Transport {
            ice: IceLite::new(certificate.crypto(), local, remote),
            paths: Paths::new(numbers),
            dtls: Dtls::new(certificate.clone(), remote_fingerprints),
            certificate,
            srtp: None,
            consent: Consent::new(now),
            connected: false,
            announce: true,
            transmits: VecDeque::new(),
            overflow: 0,
            withheld: 0,
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

    /// Where media goes; `None` while no path is both wanted by the client and proved.
    #[inline]
    pub fn selected(&self) -> Option<Path> {
        self.paths.selected()
    }

    /// Whether the peer has shown that it receives on `path`.
    pub fn has_proved(&self, now: Instant, path: &Path) -> bool {
        self.paths.is_proved(now, path)
    }

    /// Round trip as the handshake showed it; too long if a flight of it was lost.
    pub fn initial_rtt(&self) -> Option<Duration> {
        self.dtls.round_trip()
    }

    /// Takes in a datagram of this peer. Media is opened within `data`.
    #[inline]
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        path: Path,
        data: &mut [u8],
    ) -> Result<Received, DropReason> {
        match Protocol::of(data).ok_or(DropReason::UnknownProtocol)? {
            Protocol::Stun => self.handle_stun(now, path, data),
            Protocol::Dtls => self.handle_dtls(now, path, data),
            Protocol::Rtp => self.open(now, path, data, 8, OpenContext::open_rtp).map(Received::Rtp),
            Protocol::Rtcp => self.open(now, path, data, 4, OpenContext::open_rtcp).map(Received::Rtcp),
        }
    }

    /// The SSRC is at `ssrc_at`.
    #[inline]
    fn open(
        &mut self,
        now: Instant,
        path: Path,
        data: &mut [u8],
        ssrc_at: usize,
        open: impl FnOnce(&mut OpenContext, &mut [u8]) -> Result<usize, DropReason>,
    ) -> Result<usize, DropReason> {
        let srtp = self.srtp.as_mut().ok_or(DropReason::NotConnected)?;
        if self.consent.is_expired() {
            return Err(DropReason::NotConnected);
        }
        let (received, ssrcs) = (data.len(), srtp.open.ssrcs());
        let length = open(&mut srtp.open, data)?;
        if srtp.open.ssrcs() != ssrcs {
            let ssrc = data.get(ssrc_at..).and_then(|data| data.first_chunk());
            self.events.extend(ssrc.map(|ssrc| TransportEvent::NewSsrc { ssrc: u32::from_be_bytes(*ssrc) }));
        }
        self.refresh(now);
        if !self.paths.on_media(now, path) {
            self.media_elsewhere(now, path, received);
        }
        Ok(length)
    }

    #[inline]
    fn refresh(&mut self, now: Instant) {
        if self.consent.refresh(now) {
            self.events.push_back(TransportEvent::Restored);
        }
    }

    /// Reports which path carries media, if that has changed.
    fn report(&mut self, moved: bool) {
        let Some(path) = self.selected().filter(|_| self.srtp.is_some()) else {
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
        if !self.paths.is_known(now, &path) {
            return Err(DropReason::NotConnected);
        }
        self.dtls_path = Some(path);
        // The client may still wait for our last flight, until a packet of its has been opened.
        let finished = self.srtp.as_ref().is_some_and(|srtp| srtp.open.ssrcs() > 0);
        if !finished && self.paths.on_handshake(now, path, data.len()) {
            self.report(true);
        }
        let progress = self.dtls.handle(now, data);
        self.send_dtls(now);
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

    /// False for what is more than an address in question may get. A flight of DTLS is repeated.
    fn send(&mut self, now: Instant, path: Path, datagram: Vec<u8>) -> bool {
        let may = self.paths.spend(now, &path, datagram.len());
        if may {
            if self.transmits.len() >= MAX_TRANSMITS {
                self.transmits.pop_front();
                self.overflow = self.overflow.saturating_add(1);
            }
            self.transmits.push_back((path, datagram));
        }
        may
    }

    /// STUN and DTLS that were not sent since the last call, by reason.
    pub fn take_drops(&mut self) -> [(DropReason, u64); 2] {
        let (overflow, withheld) = (std::mem::take(&mut self.overflow), std::mem::take(&mut self.withheld));
        [(DropReason::SendBufferFull, overflow), (DropReason::Unproved, withheld)]
    }

    fn send_dtls(&mut self, now: Instant) {
        let datagrams: Vec<Vec<u8>> = self.dtls.drain().collect();
        if let Some(path) = self.selected().or(self.dtls_path) {
            for datagram in datagrams {
                let sent = self.send(now, path, datagram);
                self.withheld = self.withheld.saturating_add(u64::from(!sent));
            }
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
        let silence = self.consent.poll_timeout(self.connected);
        earliest(self.dtls.poll_timeout(), earliest(silence, self.paths.poll_timeout()))
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(reason) = self.dtls.handle_timeout(now) {
            self.disconnect(reason);
        }
        self.send_dtls(now);
        if self.paths.handle_timeout(now) {
            self.report(true);
        }
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
        self.send_checks(now);
    }

    /// Bytes `seal_rtp` adds, at most `SRTP_OVERHEAD`; 0 before there are keys.
    pub fn srtp_overhead(&self) -> usize {
        self.srtp.as_ref().map_or(0, |srtp| srtp.seal.rtp_overhead())
    }

    /// Seals the RTP packet `packet[..plain_len]` in place; the first `header_len` bytes, extensions included, stay
    /// readable, and the tag needs `srtp_overhead` bytes after it. A `sequence` that was used on this SSRC is refused.
    /// Returns the sealed length.
    #[inline]
    pub fn seal_rtp(
        &mut self,
        packet: &mut [u8],
        header_len: usize,
        plain_len: usize,
        sequence: Sequence,
    ) -> Result<usize, DropReason> {
        let srtp = self.srtp.as_mut().filter(|_| self.connected);
        let seal = &mut srtp.ok_or(DropReason::NotConnected)?.seal;
        let index = sequence.index().ok_or(DropReason::IndexReused)?;
        seal.seal_rtp(packet, header_len, plain_len, index)
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
            .field("selected", &self.selected())
            .field("connected", &self.connected)
            .finish_non_exhaustive()
    }
}
