//! H.264 payloads, RFC 6184: single NAL units, STAP-A and FU-A.
//!
//! A decoder begins at the parameter sets and nowhere else: RFC 7742 section 6.2 has them sent in band, in front of the
//! IDR picture. The IDR slices after them, often in packets of their own, do not count as key frame starts: a decoder
//! that begins there has no parameter sets and shows nothing.

use super::Descriptor;

const SLICE: u8 = 1;
const IDR: u8 = 5;
const SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

pub fn describe(marker: bool, payload: &[u8]) -> Option<Descriptor> {
    let kind = payload.first()? & 0x1f;
    let (keyframe, frame_start) = match kind {
        STAP_A => {
            let holds = |test: fn(&[u8]) -> bool| units(payload).any(test);
            (holds(is_sps), holds(begins_picture))
        }
        FU_A => (false, fragment_begins_picture(payload)?),
        1..=23 => (is_sps(payload), begins_picture(payload)),
        _ => return None,
    };
    Some(Descriptor { keyframe, frame_start, frame_end: marker, ..Descriptor::default() })
}

fn is_sps(unit: &[u8]) -> bool {
    unit.first().is_some_and(|header| header & 0x1f == SPS)
}

/// A parameter set, or the slice with the picture's first macroblock: `first_mb_in_slice` is 0
/// where the slice header's first bit is set (ITU-T H.264 section 7.3.3).
fn begins_picture(unit: &[u8]) -> bool {
    match unit {
        [header, first, ..] => {
            let slice = matches!(header & 0x1f, SLICE | IDR);
            is_sps(unit) || (slice && first & 0x80 != 0)
        }
        _ => false,
    }
}

/// FU-A, RFC 6184 section 5.8: indicator, header, then the unit without its first byte.
fn fragment_begins_picture(payload: &[u8]) -> Option<bool> {
    let [_, header, first, ..] = payload else {
        return None;
    };
    let starts = header & 0x80 != 0;
    Some(starts && begins_picture(&[header & 0x1f, *first]))
}

/// The units of a STAP-A, RFC 6184 section 5.7.1; a broken length ends them.
fn units(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = payload.get(1..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (unit, after) = after.split_at_checked(length)?;
        rest = after;
        Some(unit)
    })
}
