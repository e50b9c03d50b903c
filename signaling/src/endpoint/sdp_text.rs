//! SDP as it travels: raw DEFLATE (RFC 1951) in base64.

use std::io::{Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::JoinError;
use crate::protocol::{MAX_MESSAGE_BYTES, Sdp};

pub fn deflate(sdp: &str) -> Sdp {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(sdp.as_bytes()).and_then(|()| encoder.finish());
    match written {
        Ok(bytes) => Sdp::Deflated(STANDARD.encode(bytes)),
        Err(_) => Sdp::Plain(sdp.to_owned()),
    }
}

/// At most [`MAX_MESSAGE_BYTES`] come out, whatever went in.
pub fn inflate(sdp: Sdp) -> Result<String, JoinError> {
    let malformed = || JoinError::new("bad_answer", "Máy chủ gửi phần mô tả phiên không đọc được.");
    let text = match sdp {
        Sdp::Plain(text) => return Ok(text),
        Sdp::Deflated(text) => text,
    };
    let bytes = STANDARD.decode(text).map_err(|_| malformed())?;
    let mut out = String::new();
    DeflateDecoder::new(bytes.as_slice())
        .take(MAX_MESSAGE_BYTES as u64)
        .read_to_string(&mut out)
        .map_err(|_| malformed())?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_description_travels_small_and_comes_back_whole() {
        let text = "a=rtpmap:96 VP8/90000\r\n".repeat(500);
        let Sdp::Deflated(packed) = deflate(&text) else { panic!("not deflated") };
        assert!(packed.len() < text.len() / 10);
        assert_eq!(inflate(Sdp::Deflated(packed)), Ok(text));
    }

    #[test]
    fn rubbish_is_an_error_with_a_code() {
        for rubbish in ["%%%", "AAAA"] {
            let error = inflate(Sdp::Deflated(rubbish.into())).expect_err(rubbish);
            assert_eq!(error.code, "bad_answer");
        }
    }
}
