//! RFC 4571 framing: each packet after its length, 16 bits in network order. Bytes in, frames out.

use sfu::limits::MAX_DATAGRAM_BYTES;

/// Bytes of the length in front of a frame.
const HEADER_BYTES: usize = 2;

/// Why a stream cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// Longer than `MAX_DATAGRAM_BYTES`.
    Oversized,
    /// ICE-TCP (RFC 6544) opens with a STUN check, whose first byte is 0 or 1 (RFC 7983).
    NotStun,
}

/// Hands the complete frames at the front of `stream` to `each`, in place; empty ones are skipped. `opening` says that
/// the first frame has not yet been seen, and is cleared by it. Returns how many bytes were consumed.
pub fn take_frames(
    stream: &mut [u8],
    opening: &mut bool,
    mut each: impl FnMut(&mut [u8]),
) -> Result<usize, FrameError> {
    let mut rest = stream;
    let mut consumed = 0_usize;
    loop {
        let Some((header, body)) = rest.split_first_chunk_mut::<HEADER_BYTES>() else {
            return Ok(consumed);
        };
        let length = usize::from(u16::from_be_bytes(*header));
        check(length, body.first().copied(), *opening)?;
        let Some((frame, after)) = body.split_at_mut_checked(length) else {
            return Ok(consumed);
        };
        consumed = consumed.saturating_add(HEADER_BYTES).saturating_add(length);
        *opening = false;
        if !frame.is_empty() {
            each(frame);
        }
        rest = after;
    }
}

/// Judges a frame as early as its first byte is there.
fn check(length: usize, first: Option<u8>, opening: bool) -> Result<(), FrameError> {
    if length > MAX_DATAGRAM_BYTES {
        return Err(FrameError::Oversized);
    }
    if opening && (length == 0 || first.is_some_and(|byte| byte > 1)) {
        return Err(FrameError::NotStun);
    }
    Ok(())
}

/// The length of a frame that can be framed.
pub(super) fn fits_frame(frame: &[u8]) -> Option<u16> {
    u16::try_from(frame.len()).ok()
}

/// Begins a frame of `length` bytes.
pub(super) fn push_header(out: &mut Vec<u8>, length: u16) {
    out.extend_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for frame in frames {
            push_header(&mut bytes, fits_frame(frame).unwrap());
            bytes.extend_from_slice(frame);
        }
        bytes
    }

    #[test]
    fn the_first_byte_of_a_stream_decides() {
        let cases: [(&[u8], Result<usize, FrameError>); 7] = [
            (&[], Ok(0)),
            (&[0], Ok(0)),
            (&[0, 4], Ok(0)),
            (&[0, 4, 1, 9], Ok(0)),
            (&[0, 1, 0], Ok(3)),
            (&[0, 4, 22], Err(FrameError::NotStun)),
            (b"GET / HTTP/1.1", Err(FrameError::Oversized)),
        ];
        for (bytes, expected) in cases {
            let taken = take_frames(&mut bytes.to_vec(), &mut true, |_| {});
            assert_eq!(taken, expected, "{bytes:?}");
        }
        let mut later = vec![0, 1, 22];
        assert_eq!(take_frames(&mut later, &mut false, |_| {}), Ok(3));
    }

    #[test]
    fn the_largest_frame_passes_and_one_byte_more_does_not() {
        let mut stream = framed(&[vec![0; MAX_DATAGRAM_BYTES]]);
        let whole = stream.len();
        assert_eq!(take_frames(&mut stream, &mut true, |_| {}), Ok(whole));
        let mut stream = framed(&[vec![0; MAX_DATAGRAM_BYTES + 1]]);
        assert_eq!(take_frames(&mut stream, &mut true, |_| {}), Err(FrameError::Oversized));
    }

    proptest! {
        #[test]
        fn any_cut_of_the_stream_gives_the_same_frames(
            frames in prop::collection::vec(prop::collection::vec(0_u8..2, 1..40), 1..20),
            cuts in prop::collection::vec(1_usize..30, 1..40),
        ) {
            let bytes = framed(&frames);
            let (mut carry, mut got, mut opening) = (Vec::new(), Vec::new(), true);
            let mut rest = bytes.as_slice();
            for cut in cuts.iter().cycle() {
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                carry.extend_from_slice(piece);
                let used = take_frames(&mut carry, &mut opening, |f| got.push(f.to_vec())).unwrap();
                carry.drain(..used);
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert!(carry.is_empty());
            prop_assert_eq!(got, frames);
        }
    }
}
