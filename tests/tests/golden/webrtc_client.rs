//! The `webrtc` crate as a client with the sections of our page.

use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::interceptor_registry::{
    configure_nack, configure_rtcp_reports, configure_simulcast_extension_headers, configure_twcc,
};
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use std::sync::Arc;
use webrtc::error::Error;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCSessionDescription, Registry,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};

struct NoHandler;

#[async_trait::async_trait]
impl PeerConnectionEventHandler for NoHandler {}

pub struct Client {
    peer: Arc<dyn PeerConnection>,
}

impl Client {
    pub async fn new(pairs: usize, voices: usize) -> Result<Client, Error> {
        let mut media = MediaEngine::default();
        media.register_default_codecs()?;
        configure_simulcast_extension_headers(&mut media)?;
        let registry = configure_nack(Registry::new(), &mut media);
        let registry = configure_rtcp_reports(configure_twcc(registry, &mut media)?);
        let peer = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(media)
            .with_interceptor_registry(registry)
            .with_handler(Arc::new(NoHandler))
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .build()
            .await?;
        let client = Client { peer: Arc::new(peer) };
        client.send(RtpCodecKind::Audio, MIME_TYPE_OPUS, &[""]).await?;
        client.send(RtpCodecKind::Video, MIME_TYPE_VP8, &["l", "m", "h"]).await?;
        client.send(RtpCodecKind::Video, MIME_TYPE_VP8, &[""]).await?;
        for slot in 0..pairs + voices {
            client.peer.add_transceiver_from_kind(RtpCodecKind::Audio, None).await?;
            if slot < pairs {
                client.peer.add_transceiver_from_kind(RtpCodecKind::Video, None).await?;
            }
        }
        Ok(client)
    }

    async fn send(&self, kind: RtpCodecKind, mime_type: &str, rids: &[&str]) -> Result<(), Error> {
        let encodings: Vec<_> = rids.iter().map(|rid| encoding(kind, mime_type, rid)).collect();
        let name = format!("{kind}-{}", rids.join(""));
        let track = MediaStreamTrack::new(name.clone(), name.clone(), name, kind, encodings.clone());
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            streams: vec![],
            send_encodings: encodings,
        };
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        self.peer.add_transceiver_from_track(track, Some(init)).await.map(|_| ())
    }

    pub async fn offer(&self) -> Result<String, Error> {
        let offer = self.peer.create_offer(None).await?;
        self.peer.set_local_description(offer).await?;
        let local = self.peer.local_description().await;
        Ok(local.map(|description| description.sdp).unwrap_or_default())
    }

    pub async fn accept(&self, answer: String) -> Result<(), Error> {
        self.peer.set_remote_description(RTCSessionDescription::answer(answer)?).await
    }

    pub async fn close(&self) {
        // Closing twice is the only way it fails.
        let _ = self.peer.close().await;
    }
}

fn encoding(kind: RtpCodecKind, mime_type: &str, rid: &str) -> RTCRtpEncodingParameters {
    let (clock_rate, channels) = match kind {
        RtpCodecKind::Audio => (48_000, 2),
        _ => (90_000, 0),
    };
    RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            rid: rid.to_owned(),
            ssrc: Some(rand::random::<u32>().max(1)),
            ..Default::default()
        },
        codec: RTCRtpCodec { mime_type: mime_type.to_owned(), clock_rate, channels, ..Default::default() },
        ..Default::default()
    }
}
