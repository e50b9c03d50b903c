//! What packets of one kind have in common on one slot.

use crate::forward::parameters::RtpParameters;
use rtp::codec::Codec;
use rtp::ids::Ssrc;

/// How they go out.
#[derive(Clone, Copy)]
pub(super) struct Wire {
    pub slot: u16,
    pub codec: Codec,
    pub rtx: bool,
    pub ssrc: Ssrc,
    pub payload_type: u8,
    /// Of redundant audio (RFC 2198), where the receiver has that.
    pub red: Option<u8>,
    /// Packets name their section (RFC 9143 section 15) until the receiver has reported on the SSRC: a receiver that
    /// goes by MID learns where it belongs, and from then on it costs nothing. RTX is never reported on.
    pub names_section: bool,
}

impl Wire {
    /// `None` where the receiver cannot take the codec.
    pub fn of(parameters: &RtpParameters, (slot, codec, rtx): (u16, Codec, bool)) -> Option<Wire> {
        let found = parameters.codec(codec)?;
        let red = (codec == Codec::Opus).then(|| parameters.codec(Codec::Red)).flatten();
        let red = red.map(|red| red.payload_type);
        let (ssrc, payload_type) = match rtx {
            false => (parameters.ssrc, found.payload_type),
            true => parameters.rtx_ssrc.zip(found.rtx_payload_type)?,
        };
        Some(Wire { slot, codec, rtx, ssrc, payload_type, red, names_section: false })
    }
}
