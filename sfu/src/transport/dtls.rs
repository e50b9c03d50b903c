//! DTLS 1.2 as server (RFC 6347) over `rtc-dtls`, up to the keys of SRTP (RFC 5764).
//!
//! 1. ClientHello, perhaps in fragments: `hello.rs` picks the SRTP profile, then an `Endpoint` begins.
//! 2. HelloVerifyRequest → second ClientHello: the time between is our first measure of the line.
//! 3. Server's flight → client's certificate, key exchange and Finished.
//! 4. The certificate is compared with the offer's fingerprints, the keys are exported.
//!
//! Lost flights are repeated by us and not by the `Endpoint`: it disarms its timer whenever anything
//! of a handshake comes in, also a repeated ClientHello, and would then wait for ever for a client that
//! never got its flight; and it gives up after seven. A repeated flight is the same datagrams again.
//! After the end it is the `Endpoint` that repeats its last flight when the client repeats its own.

use super::certificate::{Certificate, fingerprint_of};
use super::hello::{self, HelloBuffer};
use super::srtp::Profile;
use crate::discard::DropReason;
use crate::limits;
use crate::net::{DisconnectReason, Fingerprint};
use bytes::BytesMut;
use rtc_crypto::SecretVec;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The `Endpoint` wants an address and distinguishes associations by it; ours has one association, and which path
/// carries it is not its business.
const THE_PEER: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9));
/// RFC 5764 section 4.2.
const EXPORTER_LABEL: &str = "EXTRACTOR-dtls_srtp";
/// A flight is repeated after two round trips, when one is known; otherwise after half a second,
/// which covers 3G. Browsers begin at 50 ms. Then the pause doubles.
const FIRST_REPEAT: Duration = Duration::from_millis(500);
const MIN_REPEAT: Duration = Duration::from_millis(200);
const MAX_REPEAT: Duration = Duration::from_secs(3);
/// Handshake bytes taken in over the whole life of an association. A handshake has 4 KB; each of its
/// flights may be repeated a dozen times. It bounds what a peer can make `rtc-dtls` keep.
const MAX_INPUT_BYTES: usize = 128 * 1024;
/// Handshake records taken in over the whole life. `rtc-dtls` looks for the next fragment among all,
/// for each that comes: 5,000 of one byte held a worker for seconds. A handshake over a line of 300
/// bytes has 20, and each of its flights may be repeated a dozen times.
const MAX_HANDSHAKE_RECORDS: usize = 512;

pub(super) struct Dtls {
    certificate: Arc<Certificate>,
    fingerprints: Vec<Fingerprint>,
    stage: Stage,
    /// When the first datagram came.
    started: Option<Instant>,
    input_bytes: usize,
    handshake_records: usize,
    outgoing: Vec<Vec<u8>>,
    repeat: Repeat,
    hello_verify_sent: Option<Instant>,
    round_trip: Option<Duration>,
}

enum Stage {
    Hello(HelloBuffer),
    Handshake(Profile, Box<Endpoint>),
    Done(Box<Endpoint>),
    /// Failed or closed.
    Over,
}

/// The flight that has not been answered yet.
#[derive(Default)]
struct Repeat {
    flight: Vec<Vec<u8>>,
    at: Option<Instant>,
    pause: Duration,
}

/// The result of a datagram.
pub(super) enum Progress {
    Nothing,
    /// The handshake is over and the certificate is the one the offer announced. Keying material for `Master::split`.
    Keys(Profile, SecretVec),
    Failed(DisconnectReason),
}

impl Dtls {
    pub fn new(certificate: Arc<Certificate>, fingerprints: Vec<Fingerprint>) -> Dtls {
        Dtls {
            certificate,
            fingerprints,
            stage: Stage::Hello(HelloBuffer::default()),
            started: None,
            input_bytes: 0,
            handshake_records: 0,
            outgoing: Vec::new(),
            repeat: Repeat::default(),
            hello_verify_sent: None,
            round_trip: None,
        }
    }

    /// HelloVerifyRequest → second ClientHello.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Datagrams to send, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Vec<u8>> {
        self.outgoing.drain(..)
    }

    pub fn handle(&mut self, now: Instant, data: &[u8]) -> Result<Progress, DropReason> {
        let records = hello::handshake_records(data).ok_or(DropReason::Dtls)?;
        self.input_bytes = self.input_bytes.saturating_add(data.len());
        self.handshake_records = self.handshake_records.saturating_add(records);
        if self.input_bytes > MAX_INPUT_BYTES || self.handshake_records > MAX_HANDSHAKE_RECORDS {
            return Err(DropReason::Dtls);
        }
        self.started.get_or_insert(now);
        if let Stage::Hello(buffer) = &mut self.stage {
            let Some(hello) = buffer.push(data) else {
                return Ok(Progress::Nothing);
            };
            let config = self.certificate.config(hello.profile);
            let endpoint = Endpoint::new(THE_PEER, TransportProtocol::UDP, Some(config));
            self.stage = Stage::Handshake(hello.profile, Box::new(endpoint));
            return self.read(now, &hello.datagram);
        }
        self.read(now, data)
    }

    /// An error of the `Endpoint` is not the end: anyone may have sent the datagram that caused it, and a client that
    /// gave up does not come back within `limits::DTLS_TIMEOUT`.
    fn read(&mut self, now: Instant, data: &[u8]) -> Result<Progress, DropReason> {
        let (Stage::Handshake(_, endpoint) | Stage::Done(endpoint)) = &mut self.stage else {
            return Err(DropReason::Dtls);
        };
        let events = endpoint.read(now, THE_PEER, None, BytesMut::from(data));
        let sent: Vec<Vec<u8>> = std::iter::from_fn(|| endpoint.poll_transmit())
            .map(|transmit| transmit.message.to_vec())
            .collect();
        self.on_sent(now, &sent);
        self.outgoing.extend(sent);
        for event in events.map_err(|_| DropReason::Dtls)? {
            match event {
                EndpointEvent::HandshakeComplete => return Ok(self.complete()),
                EndpointEvent::PeerClosed if matches!(self.stage, Stage::Done(_)) => {
                    self.end();
                    return Ok(Progress::Failed(DisconnectReason::Closed));
                }
                _ => {}
            }
        }
        Ok(Progress::Nothing)
    }

    /// A HelloVerifyRequest is never repeated (RFC 6347 section 4.2.1): the client repeats its hello.
    fn on_sent(&mut self, now: Instant, sent: &[Vec<u8>]) {
        let Some(first) = sent.first().filter(|first| hello::is_handshake(first)) else {
            return;
        };
        if hello::is_hello_verify(first) {
            self.hello_verify_sent.get_or_insert(now);
            return;
        }
        if let Some(sent) = self.hello_verify_sent.take() {
            self.round_trip = Some(now.saturating_duration_since(sent));
        }
        let pause =
            self.round_trip.map_or(FIRST_REPEAT, |rtt| rtt.saturating_mul(2).clamp(MIN_REPEAT, MAX_REPEAT));
        self.repeat = Repeat { flight: sent.to_vec(), at: now.checked_add(pause), pause };
    }

    /// The client has proved that it has the key of its certificate. Is it the one of the offer?
    fn complete(&mut self) -> Progress {
        self.repeat = Repeat::default();
        let Stage::Handshake(profile, endpoint) = std::mem::replace(&mut self.stage, Stage::Over) else {
            return Progress::Nothing;
        };
        let Some(state) = endpoint.get_connection_state(THE_PEER) else {
            return Progress::Failed(DisconnectReason::Dtls);
        };
        let der = state.peer_certificates.first();
        let shown = der.and_then(|der| fingerprint_of(self.certificate.crypto(), der));
        if !shown.is_some_and(|shown| self.fingerprints.contains(&shown)) {
            return Progress::Failed(DisconnectReason::WrongFingerprint);
        }
        let agreed = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => Some(Profile::AeadAes128Gcm),
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => Some(Profile::Aes128CmSha1_80),
            _ => None,
        };
        let length = profile.exported_bytes();
        let keys = state.export_keying_material(EXPORTER_LABEL, &[], length);
        match keys {
            Ok(keys) if agreed == Some(profile) => {
                self.stage = Stage::Done(endpoint);
                Progress::Keys(profile, keys)
            }
            _ => Progress::Failed(DisconnectReason::Dtls),
        }
    }

    /// Failed, or closed by the client.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    fn end(&mut self) {
        self.stage = Stage::Over;
        self.repeat = Repeat::default();
    }

    fn deadline(&self) -> Option<Instant> {
        let running = matches!(self.stage, Stage::Hello(_) | Stage::Handshake(..));
        let started = self.started.filter(|_| running)?;
        started.checked_add(limits::DTLS_TIMEOUT)
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        crate::time::earliest(self.deadline(), self.repeat.at)
    }

    /// Repeats a flight that is due; `Some` when the handshake has taken too long.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<DisconnectReason> {
        if self.deadline().is_some_and(|deadline| now >= deadline) {
            self.end();
            return Some(DisconnectReason::Dtls);
        }
        if self.repeat.at.is_some_and(|at| now >= at) {
            self.outgoing.extend(self.repeat.flight.iter().cloned());
            let pause = self.repeat.pause.saturating_mul(2).min(MAX_REPEAT);
            self.repeat.pause = pause;
            self.repeat.at = now.checked_add(pause);
        }
        None
    }
}
