//! The foreign stack of a simulated site: what a peer connection of the `rtc` crate is told about codecs, tracks
//! and candidates.

use super::outgoing::{OPUS, RTX, VP8};
use super::port::{self, Port};
use rtc::interceptor::{Registry, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MediaEngine,
};
use rtc::peer_connection::transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use std::net::SocketAddr;
use std::time::Instant;

fn codec(mime: &str, clock_rate: u32, channels: u16, fmtp: &str, feedback: &[(&str, &str)]) -> RTCRtpCodec {
    let feedback = feedback
        .iter()
        .map(|(typ, parameter)| RTCPFeedback { typ: (*typ).to_owned(), parameter: (*parameter).to_owned() });
    RTCRtpCodec {
        mime_type: mime.to_owned(),
        clock_rate,
        channels,
        sdp_fmtp_line: fmtp.to_owned(),
        rtcp_feedback: feedback.collect(),
    }
}

pub(super) fn vp8() -> RTCRtpCodec {
    codec(
        MIME_TYPE_VP8,
        90_000,
        0,
        "",
        &[("nack", ""), ("nack", "pli"), ("ccm", "fir"), ("transport-cc", "")],
    )
}

pub(super) fn opus() -> RTCRtpCodec {
    codec(MIME_TYPE_OPUS, 48_000, 2, "minptime=10;useinbandfec=1", &[("transport-cc", "")])
}

fn media_engine() -> MediaEngine {
    let mut media = MediaEngine::default();
    let rtx = codec(MIME_TYPE_RTX, 90_000, 0, "apt=96", &[]);
    let all = [
        (opus(), OPUS, RtpCodecKind::Audio),
        (vp8(), VP8, RtpCodecKind::Video),
        (rtx, RTX, RtpCodecKind::Video),
    ];
    for (rtp_codec, payload_type, kind) in all {
        let parameters = RTCRtpCodecParameters { rtp_codec, payload_type };
        media.register_codec(parameters, kind).expect("a fixed codec");
    }
    for (uri, kinds) in [
        ("urn:ietf:params:rtp-hdrext:sdes:mid", &[RtpCodecKind::Audio, RtpCodecKind::Video][..]),
        ("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", &[RtpCodecKind::Video]),
        ("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", &[RtpCodecKind::Video]),
        ("urn:ietf:params:rtp-hdrext:ssrc-audio-level", &[RtpCodecKind::Audio]),
    ] {
        for kind in kinds {
            let capability = RTCRtpHeaderExtensionCapability { uri: uri.to_owned() };
            media.register_header_extension(capability, *kind, None).expect("a fixed extension");
        }
    }
    media
}

pub(super) fn peer_connection(now: Instant, port: &Port) -> RTCPeerConnection {
    let registry = Registry::new().with(Slot::from(port::SLOT), port.clone());
    RTCPeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_media_engine(media_engine())
        .with_interceptor_registry(registry)
        .build(now)
        .expect("a peer connection")
}

pub(super) fn encoding(rid: &str, ssrc: u32, codec: RTCRtpCodec) -> RTCRtpEncodingParameters {
    let rtp_coding_parameters =
        RTCRtpCodingParameters { rid: rid.to_owned(), ssrc: Some(ssrc), ..Default::default() };
    RTCRtpEncodingParameters { rtp_coding_parameters, codec, ..Default::default() }
}

pub(super) fn sendonly() -> Option<RTCRtpTransceiverInit> {
    let direction = RTCRtpTransceiverDirection::Sendonly;
    Some(RTCRtpTransceiverInit { direction, streams: vec![], send_encodings: vec![] })
}

pub(super) fn track(
    name: &str,
    kind: RtpCodecKind,
    encodings: Vec<RTCRtpEncodingParameters>,
) -> MediaStreamTrack {
    MediaStreamTrack::new(name.to_owned(), name.to_owned(), name.to_owned(), kind, encodings)
}

/// The only address this side knows.
pub(super) fn add_candidate(peer: &mut RTCPeerConnection, address: SocketAddr) {
    let base_config = CandidateConfig {
        network: "udp".to_owned(),
        address: address.ip().to_string(),
        port: address.port(),
        component: 1,
        ..Default::default()
    };
    let host = CandidateHostConfig { base_config, ..Default::default() };
    let candidate = host.new_candidate_host().expect("a host candidate");
    let json = RTCIceCandidate::from(&candidate).to_json().expect("a candidate line");
    peer.add_local_candidate(json).expect("a local candidate");
}
