//! A client's end of the line: ICE, DTLS and SRTP, without I/O. **Hand in datagrams and the time it
//! asked for, then send what `poll_transmit` has.**

use crate::stun;
use bytes::BytesMut;
use rtc_crypto::{RTCCryptoProvider, providers::AwsLcRsProvider};
use rtc_dtls::config::{ConfigBuilder, HandshakeConfig};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use sfu::net::IceCredentials;
use sfu::time::earliest;
use sfu::transport::srtp::{Master, OpenContext, Profile, SealContext};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Contexts to open with: 8 × 24 SSRCs are more than 50 pairs of slots with repair streams need.
const OPENS: usize = 8;

/// Until the first answer (RFC 8445 section 14.3 allows 50 ms with few candidates).
const CHECK_AGAIN: Duration = Duration::from_millis(50);
/// Chromium's.
const CONSENT_EVERY: Duration = Duration::from_millis(2500);
/// Only the key that `rtc-dtls` wants for its table of connections.
const REMOTE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// The certificate all clients show: making one for each would cost the machine seconds.
pub struct Identity {
    provider: Arc<dyn RTCCryptoProvider>,
    config: Arc<HandshakeConfig>,
    /// The value of `a=fingerprint`.
    pub fingerprint: String,
}

impl Default for Identity {
    fn default() -> Identity {
        Identity::new()
    }
}

impl Identity {
    pub fn new() -> Identity {
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let names = vec!["load".to_owned()];
        let own = rtc_dtls::crypto::Certificate::generate_self_signed(names, provider.crypto())
            .expect("a certificate");
        let der = own.certificate.first().expect("a certificate");
        let hash = provider.crypto().hash(rtc_crypto::HashAlgorithm::Sha256, der).expect("SHA-256");
        let hex: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider.clone())
            .with_certificates(vec![own])
            // As browsers list them.
            .with_srtp_protection_profiles(vec![
                SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
                SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
                SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            ])
            .with_insecure_skip_verify(true)
            .build(true, None)
            .expect("a fixed configuration");
        Identity { provider, config: Arc::new(config), fingerprint: format!("sha-256 {}", hex.join(":")) }
    }
}

pub struct Line {
    identity: Arc<Identity>,
    own: IceCredentials,
    server: IceCredentials,
    checks: u32,
    next_check: Instant,
    answered: bool,
    dtls: Endpoint,
    /// Its timer, as it was after its last input.
    dtls_due: Option<Instant>,
    pub srtp: Option<Srtp>,
    transmits: VecDeque<Vec<u8>>,
}

pub struct Srtp {
    pub seal: SealContext,
    /// For RTCP.
    pub open: OpenContext,
    /// For RTP, each for as many SSRCs as fit into one: a server has to bound what a peer brings, and here
    /// it is the server that brings more.
    opens: Vec<OpenContext>,
}

impl Srtp {
    /// Opens a packet of the track or repair stream number `place`.
    pub fn open_rtp(&mut self, place: usize, data: &mut [u8]) -> Option<usize> {
        self.opens[place % OPENS].open_rtp(data).ok()
    }
}

impl Line {
    pub fn new(now: Instant, identity: Arc<Identity>, own: IceCredentials, server: IceCredentials) -> Line {
        let dtls = Endpoint::new(REMOTE, TransportProtocol::UDP, None);
        Line {
            identity,
            own,
            server,
            checks: 0,
            next_check: now,
            answered: false,
            dtls,
            dtls_due: None,
            srtp: None,
            transmits: VecDeque::new(),
        }
    }

    /// An answer names the server's credentials, new ones after a restart of ICE. Checks go on with them.
    pub fn answered(&mut self, server: IceCredentials) {
        self.server = server;
    }

    /// Offers with other credentials from now on, which is a restart of ICE.
    pub fn restarts(&mut self, now: Instant, own: IceCredentials) {
        self.own = own;
        self.next_check = now;
    }

    pub fn handle_stun(&mut self, now: Instant, datagram: &[u8]) {
        if stun::is_check(datagram) {
            let crypto = self.identity.provider.crypto();
            self.transmits.push_back(stun::answer(crypto, &self.own, datagram));
            return;
        }
        if !stun::is_success(datagram) {
            return;
        }
        if !std::mem::replace(&mut self.answered, true) {
            self.next_check = now + CONSENT_EVERY;
            let config = self.identity.config.clone();
            self.dtls.connect(now, REMOTE, config, None).expect("a handshake begins");
            self.collect();
        }
    }

    pub fn handle_dtls(&mut self, now: Instant, datagram: &[u8]) {
        let events = self.dtls.read(now, REMOTE, None, BytesMut::from(datagram)).unwrap_or_default();
        if events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete)) {
            self.srtp = self.keys();
        }
        self.collect();
    }

    fn keys(&self) -> Option<Srtp> {
        let crypto = self.identity.provider.crypto();
        let state = self.dtls.get_connection_state(REMOTE)?;
        let profile = Profile::AeadAes128Gcm;
        let exported =
            state.export_keying_material("EXTRACTOR-dtls_srtp", &[], profile.exported_bytes()).ok()?;
        let (client, server) = Master::split(profile, exported.as_ref())?;
        Some(Srtp {
            seal: SealContext::new(crypto, profile, &client).ok()?,
            open: OpenContext::new(crypto, profile, &server).ok()?,
            opens: (0..OPENS)
                .map(|_| OpenContext::new(crypto, profile, &server).ok())
                .collect::<Option<_>>()?,
        })
    }

    pub fn poll_timeout(&self) -> Instant {
        earliest(self.dtls_due, Some(self.next_check)).unwrap_or(self.next_check)
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if self.next_check <= now {
            self.next_check = now + if self.answered { CONSENT_EVERY } else { CHECK_AGAIN };
            self.checks += 1;
            let crypto = self.identity.provider.crypto();
            self.transmits.push_back(stun::check(crypto, &self.own, &self.server, self.checks));
        }
        if self.dtls_due.is_some_and(|at| at <= now) {
            // A handshake that gives up never has keys, which is what callers look at.
            let _given_up = self.dtls.handle_timeout(REMOTE, now);
            self.collect();
        }
    }

    fn collect(&mut self) {
        let flight = std::iter::from_fn(|| self.dtls.poll_transmit());
        self.transmits.extend(flight.map(|datagram| datagram.message.to_vec()));
        self.dtls_due = self.dtls.poll_timeout(&REMOTE);
    }

    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmits.pop_front()
    }
}
