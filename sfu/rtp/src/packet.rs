//! The RTP header, RFC 3550 section 5.1.

use crate::error::Malformed;
use crate::ids::Ssrc;
use std::ops::Range;

/// Length of the fixed header in bytes.
pub const FIXED_HEADER: usize = 12;

/// A parsed header. Ranges are offsets into the datagram it was parsed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: Ssrc,
    /// Profile of the extension block (RFC 3550 section 5.3.1), and its elements.
    pub extension_profile: Option<u16>,
    pub extensions: Range<usize>,
    /// Without padding.
    pub payload: Range<usize>,
}

/// Distinguishes RTCP from RTP on one port: packet types 192–223 are RTCP (RFC 5761 section 4).
#[inline]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram.get(1), Some(192..=223))
}

/// Bytes before the payload: fixed header, CSRCs and extension block. What SRTP leaves in the clear.
#[inline]
pub fn header_len(datagram: &[u8]) -> Option<usize> {
    let first = *datagram.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let sources = usize::from(first & 0x0f).wrapping_mul(4);
    let mut length = FIXED_HEADER.wrapping_add(sources);
    if first & 0x10 != 0 {
        let words = u16_at(datagram, length.wrapping_add(2))?;
        length = length.wrapping_add(4).wrapping_add(usize::from(words).wrapping_mul(4));
    }
    (length <= datagram.len()).then_some(length)
}

impl Header {
    /// Parses a plaintext packet. Everything that is not RTP of version 2 with lengths that add up is
    /// `MalformedRtp`.
    pub fn parse(datagram: &[u8]) -> Result<Header, Malformed> {
        Self::parse_checked(datagram).ok_or(Malformed::Rtp)
    }

    #[inline]
    fn parse_checked(datagram: &[u8]) -> Option<Header> {
        let length = header_len(datagram)?;
        let [first, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3] =
            *datagram.first_chunk::<FIXED_HEADER>()?;
        let block = FIXED_HEADER.wrapping_add(usize::from(first & 0x0f).wrapping_mul(4));
        let extended = first & 0x10 != 0;
        let padding = if first & 0x20 != 0 {
            // The last byte counts itself.
            usize::from(*datagram.last().filter(|count| **count != 0)?)
        } else {
            0
        };
        let end = datagram.len().checked_sub(padding).filter(|end| *end >= length)?;
        Some(Header {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: Ssrc(u32::from_be_bytes([i0, i1, i2, i3])),
            extension_profile: if extended { u16_at(datagram, block) } else { None },
            extensions: if extended { block.wrapping_add(4)..length } else { length..length },
            payload: length..end,
        })
    }
}

#[inline]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at.wrapping_add(2))?;
    Some(u16::from_be_bytes([*pair.first()?, *pair.get(1)?]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first, 0x80 | 111, 0x12, 0x34, 0, 0, 0, 9, 0, 0, 0, 7];
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn a_plain_packet() {
        let bytes = packet(0x80, b"voice");
        let header = Header::parse(&bytes).unwrap();
        assert_eq!((header.marker, header.payload_type, header.sequence), (true, 111, 0x1234));
        assert_eq!((header.timestamp, header.ssrc), (9, Ssrc(7)));
        assert_eq!(&bytes[header.payload], b"voice");
        assert_eq!(header.extension_profile, None);
    }

    #[test]
    fn sources_extension_and_padding() {
        let rest = [1, 1, 1, 1, 0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0, b'x', b'y', 0, 0, 3];
        let bytes = packet(0x80 | 0x20 | 0x10 | 1, &rest);
        let header = Header::parse(&bytes).unwrap();
        assert_eq!(header.extension_profile, Some(0xbede));
        assert_eq!(&bytes[header.extensions.clone()], [0x10, 0xaa, 0, 0]);
        assert_eq!(&bytes[header.payload], b"xy");
        assert_eq!(header_len(&bytes), Some(24));
    }

    #[test]
    fn a_packet_of_padding_has_an_empty_payload() {
        let bytes = packet(0xa0, &[0, 0, 3]);
        assert_eq!(Header::parse(&bytes).unwrap().payload, 12..12);
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        for bytes in [
            vec![],
            vec![0x80; 11],
            packet(0x40, b"version 1"),
            packet(0x81, b"abc"),
            packet(0x90, &[0xbe, 0xde, 0, 9]),
            packet(0xa0, &[1, 2, 200]),
            packet(0xa0, &[1, 2, 0]),
            packet(0xa0, &[]),
        ] {
            assert_eq!(Header::parse(&bytes), Err(Malformed::Rtp), "{bytes:?}");
        }
    }

    #[test]
    fn rtcp_is_distinguished() {
        assert!(is_rtcp(&[0x80, 200]) && is_rtcp(&[0x80, 206]));
        assert!(!is_rtcp(&[0x80, 111]) && !is_rtcp(&[0x80, 0x80 | 111]) && !is_rtcp(&[0x80]));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(header) = Header::parse(&bytes) {
                prop_assert!(header.payload.end <= bytes.len());
            }
        }
    }
}
