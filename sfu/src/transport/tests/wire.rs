//! The client, and the wire between it and a `Transport`. Time jumps, nothing sleeps.

use crate::net::PathKind;
use crate::transport::srtp::{Master, OpenContext, Profile, SealContext};
use crate::transport::*;
use bytes::BytesMut;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rtc_crypto::{HmacAlgorithm, RTCCryptoProvider, providers::AwsLcRsProvider};
use rtc_dtls::config::ConfigBuilder;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

pub const GCM: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm;
pub const GCM256: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm;
pub const CM: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80;
pub const CM32: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32;
/// As browsers list them.
pub const BROWSER: [SrtpProtectionProfile; 3] = [CM, GCM256, GCM];
/// One way.
pub const DELAY: Duration = Duration::from_millis(40);

pub type DtlsCertificate = rtc_dtls::crypto::Certificate;

#[allow(clippy::disallowed_methods)]
pub fn start() -> Instant {
    Instant::now()
}

pub fn path(port: u16) -> Path {
    Path {
        kind: PathKind::Udp,
        local: "10.0.0.1".parse().unwrap(),
        remote: SocketAddr::new("203.0.113.5".parse().unwrap(), port),
    }
}

pub fn credentials(name: &str) -> IceCredentials {
    IceCredentials { ufrag: format!("{name}-ufrag"), pwd: format!("{name}-password-of-some-length") }
}

pub fn ecdsa() -> DtlsCertificate {
    let names = vec!["client".to_owned()];
    DtlsCertificate::generate_self_signed(names, AwsLcRsProvider::new().crypto()).unwrap()
}

pub fn fingerprint_of(certificate: &DtlsCertificate) -> Fingerprint {
    let crypto = AwsLcRsProvider::new();
    certificate::fingerprint_of(crypto.crypto(), &certificate.certificate[0]).unwrap()
}

/// A binding request as browsers write it; `controlled` asks for a role conflict, `more` are types of
/// attributes of four bytes.
pub struct CheckRequest {
    pub local: IceCredentials,
    pub remote: IceCredentials,
    pub use_candidate: bool,
    pub controlled: bool,
    pub more: Vec<u16>,
}

pub fn check(server: &IceCredentials, client: &IceCredentials, use_candidate: bool) -> Vec<u8> {
    let (local, remote) = (client.clone(), server.clone());
    CheckRequest { local, remote, use_candidate, controlled: false, more: vec![] }.write()
}

impl CheckRequest {
    pub fn write(&self) -> Vec<u8> {
        let username = format!("{}:{}", self.remote.ufrag, self.local.ufrag);
        let role = if self.controlled { 0x8029 } else { 0x802a };
        let mut raw = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        raw.extend(1..=12);
        attribute(&mut raw, 0x0006, username.as_bytes());
        attribute(&mut raw, 0xc057, &[0, 1, 0, 10]);
        attribute(&mut raw, role, &[7; 8]);
        if self.use_candidate {
            attribute(&mut raw, 0x0025, &[]);
        }
        attribute(&mut raw, 0x0024, &[0x6e, 0, 1, 0xff]);
        for kind in &self.more {
            attribute(&mut raw, *kind, &[0; 4]);
        }
        sign(raw, &self.remote.pwd)
    }
}

/// MESSAGE-INTEGRITY and FINGERPRINT.
fn sign(mut raw: Vec<u8>, pwd: &str) -> Vec<u8> {
    let provider = AwsLcRsProvider::new();
    let mut mac = provider.crypto().new_hmac(HmacAlgorithm::Sha1, pwd.as_bytes()).unwrap();
    set_length(&mut raw, 24);
    let mut tag = [0; 20];
    mac.sign(&[&raw], &mut tag).unwrap();
    attribute(&mut raw, 0x0008, &tag);
    set_length(&mut raw, 8);
    let crc = rtc_stun::fingerprint::fingerprint_value(&raw);
    attribute(&mut raw, 0x8028, &crc.to_be_bytes());
    raw
}

/// A success response to a check of the server's, as browsers write it.
pub fn answer(check: &[u8], client: &IceCredentials) -> Vec<u8> {
    let mut raw = [&[1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &check[8..20]].concat();
    attribute(&mut raw, 0x0020, &[0, 1, 0x9a, 0x11, 1, 2, 3, 4]);
    sign(raw, &client.pwd)
}

pub fn is_check(datagram: &[u8]) -> bool {
    datagram.starts_with(&[0, 1])
}

pub fn numbers() -> CheckNumbers {
    CheckNumbers::new(7, StdRng::seed_from_u64(7))
}

fn attribute(raw: &mut Vec<u8>, kind: u16, value: &[u8]) {
    raw.extend_from_slice(&kind.to_be_bytes());
    raw.extend_from_slice(&(value.len() as u16).to_be_bytes());
    raw.extend_from_slice(value);
    raw.resize(raw.len().next_multiple_of(4), 0);
    set_length(raw, 0);
}

fn set_length(raw: &mut [u8], more: usize) {
    let length = (raw.len() - 20 + more) as u16;
    raw[2..4].copy_from_slice(&length.to_be_bytes());
}

pub struct Client {
    endpoint: Endpoint,
    pub done: bool,
}

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5);

impl Client {
    pub fn new(
        now: Instant,
        certificate: &DtlsCertificate,
        profiles: &[SrtpProtectionProfile],
        mtu: usize,
    ) -> Client {
        let config = ConfigBuilder::default()
            .with_crypto_provider(Arc::new(AwsLcRsProvider::new()))
            .with_certificates(vec![certificate.clone()])
            .with_srtp_protection_profiles(profiles.to_vec())
            .with_insecure_skip_verify(true)
            .with_mtu(mtu)
            .build(true, None)
            .unwrap();
        let mut endpoint = Endpoint::new(SERVER, TransportProtocol::UDP, None);
        endpoint.connect(now, SERVER, Arc::new(config), None).unwrap();
        Client { endpoint, done: false }
    }

    pub fn read(&mut self, now: Instant, data: &[u8]) {
        let events = self.endpoint.read(now, SERVER, None, BytesMut::from(data));
        let events = events.unwrap_or_default();
        self.done |= events.iter().any(|e| matches!(e, EndpointEvent::HandshakeComplete));
    }

    pub fn send(&mut self) -> Option<Vec<u8>> {
        Some(self.endpoint.poll_transmit()?.message.to_vec())
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let _given_up = self.endpoint.handle_timeout(SERVER, now);
    }

    pub fn close(&mut self, now: Instant) {
        self.endpoint.close(now).unwrap();
    }

    /// What the client seals with, and opens with.
    pub fn srtp(&self, profile: Profile) -> (SealContext, OpenContext) {
        let state = self.endpoint.get_connection_state(SERVER).unwrap();
        let length = profile.exported_bytes();
        let keys = state.export_keying_material("EXTRACTOR-dtls_srtp", &[], length).unwrap();
        let (client, server) = Master::split(profile, keys.as_ref()).unwrap();
        let provider = AwsLcRsProvider::new();
        (
            SealContext::new(provider.crypto(), profile, &client).unwrap(),
            OpenContext::new(provider.crypto(), profile, &server).unwrap(),
        )
    }
}

/// A datagram on its way.
struct Flying {
    arrives: Instant,
    /// From where, if it goes to the server.
    to_server: Option<Path>,
    data: Vec<u8>,
}

pub struct Wire {
    pub now: Instant,
    pub server: Transport,
    pub client: Client,
    pub events: Vec<TransportEvent>,
    flying: VecDeque<Flying>,
    /// How many datagrams were put on the wire.
    pub sent: usize,
    pub largest_from_server: usize,
    /// The credentials the client answers checks with.
    pub answers_as: IceCredentials,
    /// Port the client sends from.
    pub port: u16,
    /// Ports at which the client does not receive.
    pub deaf: BTreeSet<u16>,
    /// Bytes the server has sent to each port.
    pub received: BTreeMap<u16, usize>,
}

impl Wire {
    /// Server and client know each other's credentials, and the client has checked and nominated
    /// `path(1)`.
    pub fn new(certificate: &DtlsCertificate, profiles: &[SrtpProtectionProfile], mtu: usize) -> Wire {
        let expected = vec![fingerprint_of(certificate)];
        Wire::expecting(expected, certificate, profiles, mtu)
    }

    pub fn expecting(
        expected: Vec<Fingerprint>,
        certificate: &DtlsCertificate,
        profiles: &[SrtpProtectionProfile],
        mtu: usize,
    ) -> Wire {
        let now = start();
        let own = Arc::new(Certificate::generate().unwrap());
        let mut wire = Wire {
            now,
            server: Transport::new(
                now,
                own,
                credentials("server"),
                credentials("client"),
                expected,
                numbers(),
            ),
            client: Client::new(now, certificate, profiles, mtu),
            events: Vec::new(),
            flying: VecDeque::new(),
            sent: 0,
            largest_from_server: 0,
            answers_as: credentials("client"),
            port: 1,
            deaf: BTreeSet::new(),
            received: BTreeMap::new(),
        };
        assert_eq!(wire.check(1, true), Ok(Received::Consumed));
        wire
    }

    /// A usual one: connected, GCM.
    pub fn connected() -> Wire {
        let mut wire = Wire::new(&ecdsa(), &BROWSER, 1200);
        wire.run(Duration::from_secs(1), |_| true);
        assert!(wire.client.done);
        assert_eq!(wire.take_events(), [TransportEvent::Connected { path: path(1) }]);
        wire
    }

    /// A check from `path(port)`, answered.
    pub fn check(&mut self, port: u16, use_candidate: bool) -> Result<Received, DropReason> {
        let mut data = check(&credentials("server"), &credentials("client"), use_candidate);
        self.deliver(path(port), &mut data)
    }

    pub fn deliver(&mut self, path: Path, data: &mut [u8]) -> Result<Received, DropReason> {
        let received = self.server.handle_datagram(self.now, path, data);
        self.events.extend(std::iter::from_fn(|| self.server.poll_event()));
        received
    }

    pub fn take_events(&mut self) -> Vec<TransportEvent> {
        std::mem::take(&mut self.events)
    }

    /// Runs both machines for `time`; `fate` decides for each datagram, by number, whether it arrives.
    pub fn run(&mut self, time: Duration, mut fate: impl FnMut(usize) -> bool) {
        let end = self.now + time;
        loop {
            self.put_on_wire(&mut fate);
            let arrival = self.flying.iter().map(|flying| flying.arrives).min();
            let client = self.client.endpoint.poll_timeout(&SERVER);
            let wakes = [arrival, client, self.server.poll_timeout()];
            let Some(next) = wakes.into_iter().flatten().min().filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            self.arrive();
            self.client.handle_timeout(self.now);
            if self.server.poll_timeout().is_some_and(|at| at <= self.now) {
                self.server.handle_timeout(self.now);
                self.events.extend(std::iter::from_fn(|| self.server.poll_event()));
            }
        }
    }

    fn put_on_wire(&mut self, fate: &mut impl FnMut(usize) -> bool) {
        while let Some((to, data)) = self.server.poll_transmit() {
            *self.received.entry(to.remote.port()).or_default() += data.len();
            if is_check(&data) {
                self.answer(to, &data);
            } else if data[0] >= 4 {
                self.largest_from_server = self.largest_from_server.max(data.len());
                if !self.deaf.contains(&to.remote.port()) {
                    self.launch(None, data, fate);
                }
            }
        }
        while let Some(data) = self.client.send() {
            self.launch(Some(path(self.port)), data, fate);
        }
    }

    /// After there and back; checks and answers are not what is lost here.
    fn answer(&mut self, to: Path, check: &[u8]) {
        if !self.deaf.contains(&to.remote.port()) {
            let data = answer(check, &self.answers_as);
            self.flying.push_back(Flying { arrives: self.now + 2 * DELAY, to_server: Some(to), data });
        }
    }

    /// The next datagram of DTLS from the server; its checks are answered at once.
    pub fn dtls_from_server(&mut self) -> Option<Vec<u8>> {
        loop {
            let (to, data) = self.server.poll_transmit()?;
            if is_check(&data) {
                let mut answer = answer(&data, &self.answers_as);
                self.deliver(to, &mut answer).unwrap();
            } else if data[0] >= 4 {
                return Some(data);
            }
        }
    }

    fn launch(&mut self, to_server: Option<Path>, data: Vec<u8>, fate: &mut impl FnMut(usize) -> bool) {
        if fate(self.sent) {
            self.flying.push_back(Flying { arrives: self.now + DELAY, to_server, data });
        }
        self.sent += 1;
    }

    fn arrive(&mut self) {
        let due = |flying: &Flying, now| flying.arrives <= now;
        while let Some(at) = self.flying.iter().position(|flying| due(flying, self.now)) {
            let Some(mut flying) = self.flying.remove(at) else { return };
            if let Some(from) = flying.to_server {
                let _counted = self.deliver(from, &mut flying.data);
            } else {
                self.client.read(self.now, &flying.data);
            }
        }
    }
}
