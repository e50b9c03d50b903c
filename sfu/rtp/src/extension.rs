//! RTP header extensions, RFC 8285: one-byte and two-byte elements.

use super::packet::Header;
use crate::ids::{Mid, Rid};
use arrayvec::ArrayVec;
use std::ops::Range;

/// The extensions this bridge understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtensionKind {
    /// RFC 9143.
    Mid,
    /// RFC 8852.
    Rid,
    RepairedRid,
    /// RFC 6464.
    AudioLevel,
    /// draft-holmer-rmcat-transport-wide-cc-extensions-01.
    TransportSequence,
    /// Absolute capture time, as Chromium documents it.
    AbsCaptureTime,
    /// AV1 RTP specification, appendix A.
    DependencyDescriptor,
}

const KINDS: [(ExtensionKind, &str); 7] = [
    (ExtensionKind::Mid, "urn:ietf:params:rtp-hdrext:sdes:mid"),
    (ExtensionKind::Rid, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"),
    (ExtensionKind::RepairedRid, "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"),
    (ExtensionKind::AudioLevel, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
    (
        ExtensionKind::TransportSequence,
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    ),
    (ExtensionKind::AbsCaptureTime, "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"),
    (
        ExtensionKind::DependencyDescriptor,
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    ),
];

impl ExtensionKind {
    pub fn uri(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, uri)| *uri)
    }

    pub fn from_uri(uri: &str) -> Option<ExtensionKind> {
        KINDS.iter().find(|(_, known)| *known == uri).map(|(kind, _)| *kind)
    }
}

/// Ids negotiated for a peer; ids are the same in all sections of a BUNDLE (RFC 8843 section 9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExtensionMap {
    /// In the order of `KINDS`; 0 is "not negotiated", which no id is (RFC 8285 section 4.2).
    ids: [u8; KINDS.len()],
}

impl ExtensionMap {
    /// Ties `kind` to `id`; false when that contradicts what is there, or the id is not usable.
    #[must_use]
    pub fn insert(&mut self, kind: ExtensionKind, id: u8) -> bool {
        if id == 0 || id == 15 || self.kind(id).is_some_and(|known| known != kind) {
            return false;
        }
        let Some(place) = self.ids.get_mut(kind as usize) else {
            return false;
        };
        let free = *place == 0 || *place == id;
        *place = if free { id } else { *place };
        free
    }

    #[inline]
    pub fn id(&self, kind: ExtensionKind) -> Option<u8> {
        self.ids.get(kind as usize).copied().filter(|id| *id != 0)
    }

    #[inline]
    pub fn kind(&self, id: u8) -> Option<ExtensionKind> {
        let place = self.ids.iter().position(|known| *known == id && id != 0)?;
        KINDS.get(place).map(|(kind, _)| *kind)
    }
}

/// The values of a packet's extensions. Ranges are offsets into the datagram.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extensions {
    pub mid: Option<Mid>,
    pub rid: Option<Rid>,
    pub repaired_rid: Option<Rid>,
    /// In −dBov, 0 is loudest and 127 silence (RFC 6464).
    pub audio_level: Option<u8>,
    pub transport_sequence: Option<u16>,
    pub abs_capture_time: Option<Range<usize>>,
    pub dependency_descriptor: Option<Range<usize>>,
}

impl Extensions {
    /// Reads the elements that were negotiated. A malformed element ends the reading: what came
    /// before it counts.
    pub fn parse(datagram: &[u8], header: &Header, map: &ExtensionMap) -> Extensions {
        let mut extensions = Extensions::default();
        let two_byte = match header.extension_profile {
            Some(0xbede) => false,
            Some(profile) if profile & 0xfff0 == 0x1000 => true,
            _ => return extensions,
        };
        let mut at = header.extensions.start;
        while let Some((id, value, next)) = element(datagram, at, header.extensions.end, two_byte) {
            at = next;
            if let Some(kind) = map.kind(id) {
                extensions.take(kind, datagram, value);
            }
        }
        extensions
    }

    fn take(&mut self, kind: ExtensionKind, datagram: &[u8], range: Range<usize>) {
        let Some(bytes) = datagram.get(range.clone()) else {
            return;
        };
        let text = || {
            std::str::from_utf8(bytes)
                .ok()
                .filter(|text| !text.is_empty())
                .and_then(|text| Mid::from(text).ok())
        };
        match kind {
            ExtensionKind::Mid => self.mid = text(),
            ExtensionKind::Rid => self.rid = text(),
            ExtensionKind::RepairedRid => self.repaired_rid = text(),
            ExtensionKind::AudioLevel => {
                self.audio_level = bytes.first().map(|byte| byte & 0x7f);
            }
            ExtensionKind::TransportSequence => {
                self.transport_sequence = bytes.first_chunk().map(|pair| u16::from_be_bytes(*pair));
            }
            ExtensionKind::AbsCaptureTime => {
                self.abs_capture_time = matches!(bytes.len(), 8 | 16).then_some(range);
            }
            ExtensionKind::DependencyDescriptor => {
                self.dependency_descriptor = (bytes.len() >= 3).then_some(range);
            }
        }
    }
}

/// The element at or after `at`: id, value and where the next one may begin. Skips padding bytes.
#[inline]
fn element(datagram: &[u8], mut at: usize, end: usize, two_byte: bool) -> Option<(u8, Range<usize>, usize)> {
    while at < end && *datagram.get(at)? == 0 {
        at = at.wrapping_add(1);
    }
    if at >= end {
        return None;
    }
    let first = *datagram.get(at)?;
    let (id, length, start) = if two_byte {
        let length = *datagram.get(at.wrapping_add(1))?;
        (first, usize::from(length), at.wrapping_add(2))
    } else {
        (first >> 4, usize::from(first & 0x0f).wrapping_add(1), at.wrapping_add(1))
    };
    let next = start.wrapping_add(length);
    // Id 15, and id 0 with a length, end a one-byte block (RFC 8285 section 4.2).
    let stops = next > end || (!two_byte && matches!(id, 0 | 15));
    (!stops).then_some((id, start..next, next))
}

/// Writes extension blocks.
pub struct ExtensionWriter;

impl ExtensionWriter {
    /// Writes a block with `elements` (id, value) and returns its length in bytes: one-byte elements
    /// where all fit, two-byte elements otherwise. No elements, no block. `None` when `out` is too
    /// small, an element too long or an id 0.
    #[inline]
    pub fn write(out: &mut [u8], elements: &[(u8, &[u8])]) -> Option<usize> {
        if elements.is_empty() {
            return Some(0);
        }
        let short = |(id, value): &(u8, &[u8])| *id < 15 && (1..=16).contains(&value.len());
        let one_byte = elements.iter().all(short);
        let mut at = 4usize;
        for (id, value) in elements {
            let length = u8::try_from(value.len()).ok().filter(|_| *id != 0)?;
            let head: ArrayVec<u8, 2> = if one_byte {
                [(id << 4) | length.wrapping_sub(1)].into_iter().collect()
            } else {
                [*id, length].into_iter().collect()
            };
            at = put(out, at, &head)?;
            at = put(out, at, value)?;
        }
        while !at.is_multiple_of(4) {
            at = put(out, at, &[0])?;
        }
        let words = u16::try_from(at / 4).ok()?.wrapping_sub(1).to_be_bytes();
        let profile: [u8; 2] = if one_byte { [0xbe, 0xde] } else { [0x10, 0x00] };
        put(out, 0, &profile)?;
        put(out, 2, &words)?;
        Some(at)
    }
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) -> Option<usize> {
    let end = at.wrapping_add(bytes.len());
    out.get_mut(at..end)?.copy_from_slice(bytes);
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn map(ids: &[(ExtensionKind, u8)]) -> ExtensionMap {
        let mut map = ExtensionMap::default();
        ids.iter().for_each(|(kind, id)| assert!(map.insert(*kind, *id)));
        map
    }

    fn read(elements: &[(u8, &[u8])], map: &ExtensionMap) -> (Vec<u8>, Extensions) {
        let mut bytes = vec![0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
        bytes.resize(600, 0);
        let length = ExtensionWriter::write(&mut bytes[12..], elements).unwrap();
        bytes.truncate(12 + length);
        let header = Header::parse(&bytes).unwrap();
        let extensions = Extensions::parse(&bytes, &header, map);
        (bytes, extensions)
    }

    #[test]
    fn one_byte_elements() {
        let map = map(&[
            (ExtensionKind::Mid, 4),
            (ExtensionKind::Rid, 10),
            (ExtensionKind::AudioLevel, 1),
            (ExtensionKind::TransportSequence, 3),
        ]);
        let (bytes, read) = read(&[(4, b"1"), (10, b"hi"), (1, &[0x80 | 30]), (3, &[1, 2]), (9, b"?")], &map);
        assert_eq!(&bytes[12..14], [0xbe, 0xde]);
        assert_eq!(read.mid.as_deref(), Some("1"));
        assert_eq!(read.rid.as_deref(), Some("hi"));
        assert_eq!(read.audio_level, Some(30));
        assert_eq!(read.transport_sequence, Some(0x0102));
    }

    #[test]
    fn a_long_element_needs_two_byte_form() {
        let map = map(&[(ExtensionKind::DependencyDescriptor, 12), (ExtensionKind::TransportSequence, 3)]);
        let long = [7u8; 40];
        let (bytes, read) = read(&[(3, &[1, 2]), (12, &long)], &map);
        assert_eq!(&bytes[12..14], [0x10, 0x00]);
        assert_eq!(&bytes[read.dependency_descriptor.unwrap()], long);
        assert_eq!(read.transport_sequence, Some(0x0102));
    }

    #[test]
    fn ids_may_not_contradict() {
        let mut map = map(&[(ExtensionKind::Mid, 4)]);
        assert!(map.insert(ExtensionKind::Mid, 4));
        assert!(!map.insert(ExtensionKind::Mid, 5));
        assert!(!map.insert(ExtensionKind::Rid, 4));
        assert!(!map.insert(ExtensionKind::Rid, 0));
        assert_eq!(map.kind(4), Some(ExtensionKind::Mid));
        assert_eq!(map.kind(0), None);
    }

    #[test]
    fn the_reserved_ids_end_a_one_byte_block() {
        let map = map(&[(ExtensionKind::AudioLevel, 1)]);
        for reserved in [0xf0, 0x01] {
            let block = [0xbe, 0xde, 0, 1, reserved, 0x10, 0x10, 0x05];
            let mut bytes = vec![0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
            bytes.extend_from_slice(&block);
            let header = Header::parse(&bytes).unwrap();
            let read = Extensions::parse(&bytes, &header, &map);
            assert_eq!(read, Extensions::default(), "{reserved:#x}");
        }
    }

    #[test]
    fn blocks_as_they_are_on_the_wire() {
        let long = [7u8; 17];
        type Case<'a> = (&'a str, &'a [(u8, &'a [u8])], &'a [u8]);
        let table: [Case; 3] = [
            ("short", &[(3, &[1, 2]), (4, b"0")], &[0xbe, 0xde, 0, 2, 0x31, 1, 2, 0x40, b'0', 0, 0, 0]),
            ("a high id", &[(16, &[1])], &[0x10, 0, 0, 1, 16, 1, 1, 0]),
            ("long", &[(3, &long)], &[0x10, 0, 0, 5, 3, 17, 7, 7]),
        ];
        for (what, elements, start) in table {
            let mut out = [0xee; 64];
            let length = ExtensionWriter::write(&mut out, elements).unwrap();
            assert_eq!(length, 4 + 4 * usize::from(out[3]), "{what}");
            assert_eq!(&out[..start.len()], start, "{what}");
            assert_eq!(ExtensionWriter::write(&mut out[..length - 1], elements), None, "{what}");
        }
        let mut out = [0; 300];
        assert_eq!(ExtensionWriter::write(&mut out, &[(0, &[1])]), None);
        assert_eq!(ExtensionWriter::write(&mut out, &[(1, &[0; 256])]), None);
    }

    #[test]
    fn a_broken_element_ends_the_reading() {
        let map = map(&[(ExtensionKind::Mid, 4), (ExtensionKind::AudioLevel, 1)]);
        let mut bytes = vec![0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xbe, 0xde, 0, 1];
        bytes.extend_from_slice(&[0x10, 0x05, 0x4f, b'x']);
        let header = Header::parse(&bytes).unwrap();
        let read = Extensions::parse(&bytes, &header, &map);
        assert_eq!(read.audio_level, Some(5));
        assert_eq!(read.mid, None);
    }

    proptest! {
        #[test]
        fn random_blocks_never_panic(block in proptest::collection::vec(any::<u8>(), 0..64), two in any::<bool>()) {
            let all: Vec<_> = KINDS.iter().zip(1u8..).map(|((kind, _), id)| (*kind, id)).collect();
            let map = map(&all);
            let words = (block.len() / 4) as u8;
            let profile = if two { [0x10, 0] } else { [0xbe, 0xde] };
            let mut bytes = vec![0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, profile[0], profile[1], 0, words];
            bytes.extend_from_slice(&block);
            let header = Header::parse(&bytes).unwrap();
            let _read = Extensions::parse(&bytes, &header, &map);
        }
    }
}
