//! Bytes that are not what they should be.

/// What does not parse. Details are not kept: a sender of broken packets gets no diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The header of an RTP packet (RFC 3550 section 5.1).
    #[error("not an RTP packet")]
    Rtp,
    /// The packets of a compound (RFC 3550 section 6.1).
    #[error("not an RTCP compound")]
    Rtcp,
    /// What a codec puts before its data.
    #[error("not a payload of its codec")]
    Payload,
}
