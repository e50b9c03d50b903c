//! What a stream is sent with, as offer and answer agreed: SSRCs, payload types, codecs.

use arrayvec::ArrayVec;
use rtp::codec::Codec;
use rtp::ids::{Mid, Ssrc};

/// A codec and the payload types it has in one section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpCodec {
    pub codec: Codec,
    pub payload_type: u8,
    /// Of its retransmissions (RFC 4588).
    pub rtx_payload_type: Option<u8>,
}

/// What a slot sends with, by the newest answer; only the codecs may differ from the first one's.
#[derive(Debug, Clone)]
pub struct RtpParameters {
    pub ssrc: Ssrc,
    pub rtx_ssrc: Option<Ssrc>,
    /// Of the section the slot sends in.
    pub mid: Mid,
    pub codecs: ArrayVec<RtpCodec, 8>,
}

impl RtpParameters {
    pub fn codec(&self, codec: Codec) -> Option<RtpCodec> {
        self.codecs.iter().find(|c| c.codec == codec).copied()
    }
}
