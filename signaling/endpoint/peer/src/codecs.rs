//! What a headless site negotiates: Opus with audio levels, VP8 with retransmission, nothing else.

use rtc::peer_connection::configuration::interceptor_registry::configure_simulcast_extension_headers;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MediaEngine,
};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};

const OPUS_PAYLOAD_TYPE: u8 = 111;
const VP8_PAYLOAD_TYPE: u8 = 96;
const RTX_PAYLOAD_TYPE: u8 = 97;
pub const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";

/// Everything a headless site can send and receive.
pub fn media_engine() -> Result<MediaEngine, webrtc::error::Error> {
    let mut media = MediaEngine::default();
    let codec = |rtp_codec, payload_type| RTCRtpCodecParameters { rtp_codec, payload_type };
    media.register_codec(codec(opus_codec(), OPUS_PAYLOAD_TYPE), RtpCodecKind::Audio)?;
    media.register_codec(codec(vp8_codec(), VP8_PAYLOAD_TYPE), RtpCodecKind::Video)?;
    media.register_codec(codec(rtx_codec(), RTX_PAYLOAD_TYPE), RtpCodecKind::Video)?;
    configure_simulcast_extension_headers(&mut media)?;
    for uri in [AUDIO_LEVEL_URI, MID_URI] {
        let extension = RTCRtpHeaderExtensionCapability { uri: uri.to_owned() };
        media.register_header_extension(extension, RtpCodecKind::Audio, None)?;
    }
    Ok(media)
}

pub fn opus_codec() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1;usedtx=1".to_owned(),
        rtcp_feedback: vec![],
    }
}

pub fn vp8_codec() -> RTCRtpCodec {
    let feedback =
        |typ: &str, parameter: &str| RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() };
    RTCRtpCodec {
        mime_type: MIME_TYPE_VP8.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![feedback("ccm", "fir")],
    }
}

fn rtx_codec() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_RTX.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: format!("apt={VP8_PAYLOAD_TYPE}"),
        rtcp_feedback: vec![],
    }
}
