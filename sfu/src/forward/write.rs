//! Bytes of an outgoing packet: header, the few extensions a receiver needs, payload. Written into
//! the caller's buffer, ready to be sealed in place.

use super::packet::{Offsets, PacketMeta};
use rtp::codec;
use rtp::extension::{ExtensionKind, ExtensionMap, ExtensionWriter};

/// Header extension ids a subscriber negotiated, looked up once.
#[derive(Debug, Clone, Copy, Default)]
pub struct EgressExtensions {
    pub transport_sequence: Option<u8>,
    pub capture_time: Option<u8>,
    pub dependency: Option<u8>,
    pub mid: Option<u8>,
}

impl EgressExtensions {
    pub fn new(map: &ExtensionMap) -> EgressExtensions {
        EgressExtensions {
            transport_sequence: map.id(ExtensionKind::TransportSequence),
            capture_time: map.id(ExtensionKind::AbsCaptureTime),
            dependency: map.id(ExtensionKind::DependencyDescriptor),
            mid: map.id(ExtensionKind::Mid),
        }
    }
}

/// The parts of a stored packet (see `PacketMeta`).
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    pub dependency: &'a [u8],
    pub capture_time: &'a [u8],
    pub payload: &'a [u8],
}

impl<'a> Parts<'a> {
    pub fn of(meta: &PacketMeta, stored: &'a [u8]) -> Parts<'a> {
        let (dependency, rest) = split(stored, usize::from(meta.dependency_len));
        let (capture_time, payload) = split(rest, usize::from(meta.capture_time_len));
        Parts { dependency, capture_time, payload }
    }
}

fn split(bytes: &[u8], at: usize) -> (&[u8], &[u8]) {
    bytes.split_at_checked(at).unwrap_or((bytes, &[]))
}

/// The contents of the header.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    pub payload_type: u8,
    pub ssrc: u32,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    /// RTX (RFC 4588): the original sequence number.
    pub original: Option<u16>,
    pub transport_sequence: Option<u16>,
    /// The section the packet belongs to (RFC 9143 section 15), while the receiver may not know it.
    pub mid: Option<&'a str>,
}

/// Lengths of what was written: the header with extensions, and the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub header: usize,
    pub total: usize,
}

/// Most a header of ours can take: 12 fixed, 4 for the block, and at most 2+2, 2+16, 2+16 and 2+255 for
/// the elements, padded; and 2 for the OSN.
pub const MAX_HEADER_BYTES: usize = 12 + 4 + 4 + 18 + 18 + 257 + 3 + 2;

/// Writes one packet; `None` when it does not fit.
#[inline]
pub fn write_packet(
    out: &mut [u8],
    head: Head<'_>,
    offsets: Offsets,
    meta: &PacketMeta,
    extensions: EgressExtensions,
    parts: Parts<'_>,
) -> Option<Written> {
    let extension = write_extensions(out.get_mut(12..)?, head, offsets, extensions, parts)?;
    let header = 12usize.wrapping_add(extension);
    write_fixed(out.first_chunk_mut()?, head, extension != 0);
    let mut at = header;
    if let Some(original) = head.original {
        out.get_mut(at..at.wrapping_add(2))?.copy_from_slice(&original.to_be_bytes());
        at = at.wrapping_add(2);
    }
    let total = at.wrapping_add(parts.payload.len());
    let payload = out.get_mut(at..total)?;
    payload.copy_from_slice(parts.payload);
    patch_payload(payload, offsets, meta);
    Some(Written { header, total })
}

/// Writes a packet of nothing but padding (RFC 3550 section 5.1), of `padding` bytes; `None` when it does not fit.
pub fn write_padding(
    out: &mut [u8],
    head: Head<'_>,
    extensions: EgressExtensions,
    padding: u8,
) -> Option<Written> {
    let parts = Parts { dependency: &[], capture_time: &[], payload: &[] };
    let extension = write_extensions(out.get_mut(12..)?, head, Offsets::default(), extensions, parts)?;
    let header = 12usize.wrapping_add(extension);
    let fixed = out.first_chunk_mut()?;
    write_fixed(fixed, head, extension != 0);
    let [first, ..] = fixed;
    *first |= 0x20;
    let total = header.wrapping_add(usize::from(padding));
    let bytes = out.get_mut(header..total)?;
    bytes.fill(0);
    *bytes.last_mut()? = padding;
    Some(Written { header, total })
}

#[inline]
fn write_fixed(out: &mut [u8; 12], head: Head<'_>, extended: bool) {
    let [sh, sl] = head.sequence.to_be_bytes();
    let [t0, t1, t2, t3] = head.timestamp.to_be_bytes();
    let [s0, s1, s2, s3] = head.ssrc.to_be_bytes();
    let first = if extended { 0x90 } else { 0x80 };
    let second = (u8::from(head.marker) << 7) | (head.payload_type & 0x7f);
    *out = [first, second, sh, sl, t0, t1, t2, t3, s0, s1, s2, s3];
}

#[inline]
fn write_extensions(
    out: &mut [u8],
    head: Head<'_>,
    offsets: Offsets,
    ids: EgressExtensions,
    parts: Parts<'_>,
) -> Option<usize> {
    let transport = ids.transport_sequence.zip(head.transport_sequence);
    let dependency = ids.dependency.filter(|_| !parts.dependency.is_empty());
    let capture = ids.capture_time.filter(|_| !parts.capture_time.is_empty());
    if dependency.is_none() && capture.is_none() && head.mid.is_none() {
        match transport {
            None => return Some(0),
            // By far the most packets: the transport-wide number alone, in one word (RFC 8285 section 4.2).
            Some((id @ 1..15, number)) => {
                let [high, low] = number.to_be_bytes();
                let block = [0xbe, 0xde, 0, 1, (id << 4) | 1, high, low, 0];
                *out.first_chunk_mut()? = block;
                return Some(block.len());
            }
            Some(_) => {}
        }
    }
    let mid = ids.mid.zip(head.mid);
    let rare = Rare { transport, mid, dependency, capture };
    write_rare_extensions(out, offsets, rare, parts)
}

/// The extensions of a packet, each with its id.
struct Rare<'a> {
    transport: Option<(u8, u16)>,
    mid: Option<(u8, &'a str)>,
    dependency: Option<u8>,
    capture: Option<u8>,
}

fn write_rare_extensions(
    out: &mut [u8],
    offsets: Offsets,
    rare: Rare<'_>,
    parts: Parts<'_>,
) -> Option<usize> {
    let Rare { transport, mid, dependency, capture } = rare;
    let number = transport.map(|(_, number)| number.to_be_bytes());
    let mut descriptor: arrayvec::ArrayVec<u8, 256> = arrayvec::ArrayVec::new();
    if dependency.is_some() {
        descriptor.try_extend_from_slice(parts.dependency).ok()?;
        shift_frame_number(&mut descriptor, offsets.frame);
    }
    let mut elements: arrayvec::ArrayVec<(u8, &[u8]), 4> = arrayvec::ArrayVec::new();
    if let (Some((id, _)), Some(number)) = (transport, number.as_ref()) {
        elements.push((id, number));
    }
    if let Some((id, mid)) = mid {
        elements.push((id, mid.as_bytes()));
    }
    if let Some(id) = capture {
        elements.push((id, parts.capture_time));
    }
    if let Some(id) = dependency {
        elements.push((id, &descriptor));
    }
    ExtensionWriter::write(out, &elements)
}

fn shift_frame_number(descriptor: &mut [u8], offset: u16) {
    if let Some([_, high, low]) = descriptor.first_chunk().copied() {
        let number = u16::from_be_bytes([high, low]).wrapping_add(offset);
        codec::patch_frame_number(descriptor, number);
    }
}

#[inline]
fn patch_payload(payload: &mut [u8], offsets: Offsets, meta: &PacketMeta) {
    if offsets.picture == 0 && offsets.tl0 == 0 {
        return;
    }
    let picture = meta.picture_id.map(|id| id.wrapping_add(offsets.picture));
    let tl0 = meta.tl0_pic_idx.map(|t| t.wrapping_add(offsets.tl0));
    codec::patch_ids(meta.codec, payload, picture, tl0);
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
