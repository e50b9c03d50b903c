//! Redundant audio, RFC 2198: the primary block of a payload.

use crate::error::Malformed;
use std::ops::Range;

/// Payload type and place of the primary encoding, the last block.
pub fn primary(payload: &[u8]) -> Result<(u8, Range<usize>), Malformed> {
    locate(payload).ok_or(Malformed::Payload)
}

fn locate(payload: &[u8]) -> Option<(u8, Range<usize>)> {
    let mut at = 0usize;
    let mut redundant = 0usize;
    while payload.get(at)? & 0x80 != 0 {
        let header: &[u8; 4] = payload.get(at..)?.first_chunk()?;
        let [_, _, high, low] = *header;
        redundant = redundant.wrapping_add(usize::from(u16::from_be_bytes([high & 0x03, low])));
        at = at.wrapping_add(4);
    }
    let payload_type = *payload.get(at)? & 0x7f;
    let start = at.wrapping_add(1).wrapping_add(redundant);
    (start <= payload.len()).then_some((payload_type, start..payload.len()))
}
