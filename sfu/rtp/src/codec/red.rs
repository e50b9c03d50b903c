//! Redundant audio, RFC 2198 section 3: earlier packets' payloads, copied in front of a packet's own.
//!
//! ```text
//!  0                   1                    2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3  4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |F|   block PT  |  timestamp offset         |   block length    |   of each redundant block (F = 1)
//! |0|   block PT  |                                                   of the primary block
//! ```

use crate::error::Malformed;

/// Of a redundant block: how much earlier it was spoken, in units of the timestamp (14 bits), and its bytes (10 bits).
pub const MAX_OFFSET: u32 = (1 << 14) - 1;
pub const MAX_BLOCK: usize = (1 << 10) - 1;
/// In front of each redundant block, and of the primary one.
pub const BLOCK_HEADER: usize = 4;
pub const PRIMARY_HEADER: usize = 1;

/// One block of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    pub payload_type: u8,
    /// So much earlier than the packet's timestamp; 0 of the primary block.
    pub offset: u32,
    pub data: &'a [u8],
}

/// Blocks in the order of a payload, the primary one last.
#[derive(Debug, Clone, Copy)]
pub struct Blocks<'a> {
    headers: &'a [u8],
    data: &'a [u8],
}

/// Reads a payload; fails where a header or a block is cut off.
pub fn blocks(payload: &[u8]) -> Result<Blocks<'_>, Malformed> {
    locate(payload).ok_or(Malformed::Payload)
}

/// The primary block, the last one.
pub fn primary(payload: &[u8]) -> Result<Block<'_>, Malformed> {
    blocks(payload)?.last().ok_or(Malformed::Payload)
}

fn locate(payload: &[u8]) -> Option<Blocks<'_>> {
    let (mut at, mut redundant) = (0usize, 0usize);
    while payload.get(at)? & 0x80 != 0 {
        let [_, _, high, low] = *payload.get(at..)?.first_chunk()?;
        redundant = redundant.wrapping_add(length(high, low));
        at = at.wrapping_add(BLOCK_HEADER);
    }
    let (headers, data) = payload.split_at_checked(at.wrapping_add(PRIMARY_HEADER))?;
    (redundant <= data.len()).then_some(Blocks { headers, data })
}

fn length(high: u8, low: u8) -> usize {
    usize::from(u16::from_be_bytes([high & 0x03, low]))
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        let first = *self.headers.first()?;
        let payload_type = first & 0x7f;
        if first & 0x80 == 0 {
            self.headers = &[];
            return Some(Block { payload_type, offset: 0, data: self.data });
        }
        let ([_, middle, high, low], headers) = self.headers.split_first_chunk()?;
        let offset = u32::from(u16::from_be_bytes([*middle, *high]) >> 2);
        let (data, rest) = self.data.split_at_checked(length(*high, *low))?;
        (self.headers, self.data) = (headers, rest);
        Some(Block { payload_type, offset, data })
    }
}

/// Writes a payload of these redundant blocks, in their order, and the primary one; returns its length. `None` where
/// it does not fit, or a block has more bytes or is from longer ago than its header can say.
pub fn write(out: &mut [u8], redundant: &[Block<'_>], primary: Block<'_>) -> Option<usize> {
    let mut at = 0usize;
    let mut put = |bytes: &[u8]| {
        let end = at.wrapping_add(bytes.len());
        out.get_mut(at..end)?.copy_from_slice(bytes);
        at = end;
        Some(end)
    };
    for block in redundant {
        if block.offset > MAX_OFFSET || block.data.len() > MAX_BLOCK {
            return None;
        }
        let [_, top, middle, low] = (block.offset << 10 | block.data.len() as u32).to_be_bytes();
        put(&[0x80 | block.payload_type, top, middle, low])?;
    }
    put(&[primary.payload_type & 0x7f])?;
    redundant.iter().try_for_each(|block| put(block.data).map(|_| ()))?;
    put(primary.data)
}

#[cfg(test)]
#[path = "red_tests.rs"]
mod tests;
