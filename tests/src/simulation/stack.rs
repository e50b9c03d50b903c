//! The foreign stack of a simulated site: how a peer connection of the `rtc` crate is configured with codecs, tracks
//! and candidates.

use super::codec::VideoCodec;
use super::outgoing::{OPUS, RED};
use super::port::{self, Port};
use rtc::interceptor::{Registry, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_AV1, MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MIME_TYPE_VP9, MediaEngine,
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

pub(super) fn video(of: VideoCodec) -> RTCRtpCodec {
    let (mime, fmtp) = match of {
        VideoCodec::Vp8 => (MIME_TYPE_VP8, ""),
        VideoCodec::Vp9 => (MIME_TYPE_VP9, "profile-id=0"),
        VideoCodec::Av1 => (MIME_TYPE_AV1, "level-idx=5;profile=0;tier=0"),
        VideoCodec::H264 => {
            (MIME_TYPE_H264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f")
        }
    };
    codec(mime, 90_000, 0, fmtp, &[("nack", ""), ("nack", "pli"), ("ccm", "fir"), ("transport-cc", "")])
}

pub(super) fn opus() -> RTCRtpCodec {
    codec(MIME_TYPE_OPUS, 48_000, 2, "minptime=10;useinbandfec=1", &[("transport-cc", "")])
}

fn media_engine(has_red: bool) -> MediaEngine {
    let mut media = MediaEngine::default();
    let mut register = |rtp_codec, payload_type, kind| {
        let parameters = RTCRtpCodecParameters { rtp_codec, payload_type };
        media.register_codec(parameters, kind).expect("a fixed codec");
    };
    register(opus(), OPUS, RtpCodecKind::Audio);
    if has_red {
        let red = codec("audio/red", 48_000, 2, &format!("{OPUS}/{OPUS}"), &[]);
        register(red, RED, RtpCodecKind::Audio);
    }
    for of in VideoCodec::ALL {
        let rtx = codec(MIME_TYPE_RTX, 90_000, 0, &format!("apt={}", of.payload_type()), &[]);
        register(video(of), of.payload_type(), RtpCodecKind::Video);
        register(rtx, of.rtx_payload_type(), RtpCodecKind::Video);
    }
    for (uri, kinds) in [
        ("urn:ietf:params:rtp-hdrext:sdes:mid", &[RtpCodecKind::Audio, RtpCodecKind::Video][..]),
        ("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", &[RtpCodecKind::Video]),
        ("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", &[RtpCodecKind::Video]),
        ("urn:ietf:params:rtp-hdrext:ssrc-audio-level", &[RtpCodecKind::Audio]),
        (
            "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
            &[RtpCodecKind::Video],
        ),
        (
            "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            &[RtpCodecKind::Audio, RtpCodecKind::Video],
        ),
    ] {
        for kind in kinds {
            let capability = RTCRtpHeaderExtensionCapability { uri: uri.to_owned() };
            media.register_header_extension(capability, *kind, None).expect("a fixed extension");
        }
    }
    media
}

pub(super) fn peer_connection(now: Instant, port: &Port, has_red: bool) -> RTCPeerConnection {
    let registry = Registry::new().with(Slot::from(port::SLOT), port.clone());
    RTCPeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_media_engine(media_engine(has_red))
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

/// A section that sends video. As in browsers it offers every codec, the one that is sent first: of codecs that its
/// first section lacks, this stack believes they are negotiated nowhere, and does not offer them again.
pub(super) fn add_video(
    peer: &mut RTCPeerConnection,
    name: &str,
    of: VideoCodec,
    encodings: Vec<RTCRtpEncodingParameters>,
) {
    let track = track(name, RtpCodecKind::Video, encodings);
    let section = peer.add_transceiver_from_track(track, sendonly()).expect("a section");
    let others = VideoCodec::ALL.into_iter().filter(|codec| *codec != of);
    let parameters =
        |of: VideoCodec| RTCRtpCodecParameters { rtp_codec: video(of), payload_type: of.payload_type() };
    let all = [of].into_iter().chain(others).map(parameters).collect();
    let mut section = peer.rtp_transceiver(section).expect("a section");
    section.set_codec_preferences(all).expect("known codecs");
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
