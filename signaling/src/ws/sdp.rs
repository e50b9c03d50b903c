//! SDP on the wire: plain, or deflated (raw DEFLATE, RFC 1951) and base64.

use crate::error::Refusal;
use crate::media::MAX_OFFER_BYTES;
use crate::protocol::{ErrorCode, Sdp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::io::Read;

/// An answer to the largest offer has a third more: our candidates stand in each of its sections.
const MAX_ANSWER_BYTES: usize = 512 * 1024;

/// The SDP text of an offer. It unfolds to as much as the media quarter takes and no further.
pub fn unfold_offer(sdp: Sdp) -> Result<String, Refusal> {
    unfold_within(sdp, MAX_OFFER_BYTES)
}

/// The SDP text of an answer, for whoever offered.
pub fn unfold(sdp: Sdp) -> Result<String, Refusal> {
    unfold_within(sdp, MAX_ANSWER_BYTES)
}

fn unfold_within(sdp: Sdp, most: usize) -> Result<String, Refusal> {
    let text = match sdp {
        Sdp::Plain(text) => text,
        Sdp::Deflated(base64) => inflate(&base64, most)?,
    };
    if text.len() > most {
        return Err(ErrorCode::OfferTooLarge.into());
    }
    Ok(text)
}

fn inflate(base64: &str, most: usize) -> Result<String, Refusal> {
    let malformed = Refusal::new(ErrorCode::OfferMalformed);
    let packed = STANDARD.decode(base64).map_err(|_| malformed)?;
    let mut text = String::new();
    // One byte more than allowed tells a bomb from an offer of exactly the limit.
    DeflateDecoder::new(packed.as_slice())
        .take((most as u64).saturating_add(1))
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
        let bomb = fold("a".repeat(MAX_OFFER_BYTES * 20));
        assert_eq!(unfold_offer(bomb), Err(ErrorCode::OfferTooLarge.into()));
        let exact = "a".repeat(MAX_OFFER_BYTES);
        assert_eq!(unfold_offer(fold(exact.clone())), Ok(exact));
        for rubbish in ["%%%", "AAAA", "////"] {
            let sdp = Sdp::Deflated(rubbish.to_owned());
            assert_eq!(unfold_offer(sdp), Err(ErrorCode::OfferMalformed.into()));
        }
    }
}
