//! SDP on the wire: plain, or deflated (raw DEFLATE, RFC 1951) and base64.

use crate::error::Refusal;
use crate::protocol::{ErrorCode, Sdp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::io::Read;

// A deflated offer may unfold to this and no further: the media quarter takes no more.
use crate::media::MAX_OFFER_BYTES as MAX_BYTES;

/// The SDP text of an offer.
pub fn unfold(sdp: Sdp) -> Result<String, Refusal> {
    let text = match sdp {
        Sdp::Plain(text) => text,
        Sdp::Deflated(base64) => inflate(&base64)?,
    };
    if text.len() > MAX_BYTES {
        return Err(ErrorCode::OfferTooLarge.into());
    }
    Ok(text)
}

fn inflate(base64: &str) -> Result<String, Refusal> {
    let malformed = Refusal::new(ErrorCode::OfferMalformed);
    let packed = STANDARD.decode(base64).map_err(|_| malformed)?;
    let mut text = String::new();
    // One byte more than allowed tells a bomb from an offer of exactly the limit.
    DeflateDecoder::new(packed.as_slice())
        .take(MAX_BYTES as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|_| malformed)?;
    Ok(text)
}

/// Packs an offer or answer: on a line of 512 kbit/s a plain one takes most of a second.
pub fn fold(text: String) -> Sdp {
    let mut packed = Vec::new();
    match DeflateEncoder::new(text.as_bytes(), Compression::default()).read_to_end(&mut packed) {
        Ok(_) => Sdp::Deflated(STANDARD.encode(packed)),
        Err(_) => Sdp::Plain(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_folded_unfolds() {
        let text = "v=0\r\na=rtpmap:96 VP8/90000\r\n".repeat(100);
        let folded = fold(text.clone());
        let Sdp::Deflated(packed) = &folded else {
            panic!("packed");
        };
        assert!(packed.len() < text.len() / 10);
        assert_eq!(unfold(folded), Ok(text));
    }

    #[test]
    fn bombs_and_rubbish_are_refused() {
        let bomb = fold("a".repeat(MAX_BYTES * 20));
        assert_eq!(unfold(bomb), Err(ErrorCode::OfferTooLarge.into()));
        let exact = "a".repeat(MAX_BYTES);
        assert_eq!(unfold(fold(exact.clone())), Ok(exact));
        for rubbish in ["%%%", "AAAA", "////"] {
            let sdp = Sdp::Deflated(rubbish.to_owned());
            assert_eq!(unfold(sdp), Err(ErrorCode::OfferMalformed.into()));
        }
    }
}
