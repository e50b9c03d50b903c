//! Attributes of STUN messages as a client writes them (RFC 8489 section 14).

/// Bytes of the header.
const HEADER: usize = 20;

/// Appends an attribute, padded, and sets the header's length.
pub fn attribute(raw: &mut Vec<u8>, kind: u16, value: &[u8]) {
    raw.extend_from_slice(&kind.to_be_bytes());
    raw.extend_from_slice(&(value.len() as u16).to_be_bytes());
    raw.extend_from_slice(value);
    raw.resize(raw.len().next_multiple_of(4), 0);
    set_length(raw, 0);
}

/// The header's length, with so many bytes that are still to come.
pub fn set_length(raw: &mut [u8], more: usize) {
    let length = (raw.len() - HEADER + more) as u16;
    raw[2..4].copy_from_slice(&length.to_be_bytes());
}
