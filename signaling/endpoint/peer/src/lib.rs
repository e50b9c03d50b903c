//! Peer connections of the `webrtc` crate as headless sites have them: one codec of each kind, no STUN servers, keys
//! that cost little, and how long a silent path counts as alive.
//!
//! A crate of its own because the `webrtc` crate's connection is generic over its interceptors: a crate that builds one
//! compiles most of that stack. Here that is done once. Sites hold a `dyn PeerConnection`, and nothing of the protocol
//! between sites and bridge is known here, so that a changed message does not recompile it.

// Nothing that comes from outside can panic us. Tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod codecs;

use codecs::media_engine;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::configuration::interceptor_registry::{
    configure_nack, configure_rtcp_reports, configure_twcc,
};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use webrtc::error::Error;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder, Registry,
    SettingEngineBuilder, SrtpProtectionProfile,
};

/// Silence of the path after which it counts as disconnected, and from then until it is given up and a new connection
/// is made; the crate's own 25 s would leave a site dark for half a minute.
const MEDIA_DISCONNECTED: Duration = Duration::from_secs(5);
const MEDIA_FAILED: Duration = Duration::from_secs(5);

/// A connection in the making. Boxed, or a crate that awaits it would compile it.
pub type Building = Pin<Box<dyn Future<Output = Result<Arc<dyn PeerConnection>, Error>> + Send>>;

/// A connection that may use these addresses of this machine, and reports its events to `handler`.
pub fn build(
    udp: Vec<SocketAddr>,
    tcp: Vec<SocketAddr>,
    handler: Arc<dyn PeerConnectionEventHandler>,
) -> Building {
    Box::pin(async move {
        let mut media = media_engine()?;
        let registry = configure_nack(Registry::new(), &mut media);
        let registry = configure_twcc(registry, &mut media)?;
        let registry = configure_rtcp_reports(registry);
        // AES-128-GCM costs a fifth of AES-CM with SHA-1, on both sides.
        let settings = SettingEngineBuilder::new()
            .with_srtp_protection_profiles(vec![
                SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
                SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
            ])
            .with_include_loopback_candidate(true)
            .with_ice_timeouts(Some(MEDIA_DISCONNECTED), Some(MEDIA_FAILED), None)
            // The bridge has no `.local` names, and a host with nothing but `lo` cannot join multicast.
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .build();
        let peer = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(media)
            .with_interceptor_registry(registry)
            .with_setting_engine(settings)
            .with_handler(handler)
            .with_udp_addrs(udp)
            .with_tcp_addrs(tcp)
            .build()
            .await?;
        let peer: Arc<dyn PeerConnection> = Arc::new(peer);
        Ok(peer)
    })
}
