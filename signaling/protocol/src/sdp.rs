//! SDP on the wire: plain, or deflated (raw DEFLATE, RFC 1951) and base64.

use super::{ErrorCode, Sdp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::io::Read;

/// An answer to the largest offer has a third more: our candidates are in each of its sections.
pub const MAX_ANSWER_BYTES: usize = 512 * 1024;

/// The SDP text. It is inflated to at most this many bytes and no further.
pub fn unfold(sdp: Sdp, most: usize) -> Result<String, ErrorCode> {
    let text = match sdp {
        Sdp::Plain(text) => text,
        Sdp::Deflated(base64) => inflate(&base64, most)?,
    };
    match text.len() > most {
        true => Err(ErrorCode::OfferTooLarge),
        false => Ok(text),
    }
}

fn inflate(base64: &str, most: usize) -> Result<String, ErrorCode> {
    let malformed = ErrorCode::OfferMalformed;
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

    const MOST: usize = 100_000;

    #[test]
    fn what_is_folded_unfolds() {
        let text = "v=0\r\na=rtpmap:96 VP8/90000\r\n".repeat(100);
        let folded = fold(text.clone());
        let Sdp::Deflated(packed) = &folded else {
            panic!("packed");
        };
        assert!(packed.len() < text.len() / 10);
        assert_eq!(unfold(folded, MOST), Ok(text));
    }

    #[test]
    fn bombs_and_rubbish_are_refused() {
        let bomb = fold("a".repeat(MOST * 20));
        assert_eq!(unfold(bomb, MOST), Err(ErrorCode::OfferTooLarge));
        let exact = "a".repeat(MOST);
        assert_eq!(unfold(fold(exact.clone()), MOST), Ok(exact));
        for rubbish in ["%%%", "AAAA", "////"] {
            let sdp = Sdp::Deflated(rubbish.to_owned());
            assert_eq!(unfold(sdp, MOST), Err(ErrorCode::OfferMalformed));
        }
    }
}
