//! What a forwarder must know of a payload: where frames and key frames begin, which layer a
//! packet belongs to, and the numbers that must stay continuous.

mod av1;
mod bits;
pub mod dependency;
mod h264;
pub mod red;
mod vp8;
mod vp9;

use crate::error::Malformed;
pub use dependency::TemplateStructure;

/// A codec that may be negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    Opus,
    /// Redundant audio, RFC 2198, around Opus.
    Red,
    Vp8,
    Vp9,
    H264,
    Av1,
}

impl Codec {
    /// Encoding name of `a=rtpmap`, compared without case.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Opus => "opus",
            Codec::Red => "red",
            Codec::Vp8 => "VP8",
            Codec::Vp9 => "VP9",
            Codec::H264 => "H264",
            Codec::Av1 => "AV1",
        }
    }

    /// RTP clock rate in Hz.
    #[inline]
    pub fn clock_rate(self) -> u32 {
        if self.is_video() { 90_000 } else { 48_000 }
    }

    #[inline]
    pub fn is_video(self) -> bool {
        !matches!(self, Codec::Opus | Codec::Red)
    }
}

/// What one video packet says of its frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// A decoder can begin at this packet.
    pub keyframe: bool,
    pub frame_start: bool,
    pub frame_end: bool,
    pub temporal: u8,
    /// This frame needs nothing above the base layer: a receiver of lower temporal layers may go
    /// up to this one here (VP8's Y, RFC 7741).
    pub switching_point: bool,
    /// After this frame, no upper temporal layer needs anything older: a receiver of this one may go up to any (VP9's
    /// U, RFC 9628; the switch indication of the dependency descriptor).
    pub opens_upper: bool,
    /// Of 7 or 15 bits (RFC 7741, RFC 9628).
    pub picture_id: Option<u16>,
    pub tl0_pic_idx: Option<u8>,
    /// From the dependency descriptor.
    pub frame_number: Option<u16>,
    /// Picture height in pixels, where a key frame has it.
    pub height: Option<u16>,
}

/// Reads a video payload. `dependency` is the dependency descriptor where the packet has one, and
/// `structure` the template structure its stream last announced.
pub fn describe(
    codec: Codec,
    marker: bool,
    payload: &[u8],
    dependency: Option<&[u8]>,
    structure: &mut Option<TemplateStructure>,
) -> Result<Descriptor, Malformed> {
    let descriptor = match codec {
        Codec::Vp8 => vp8::describe(marker, payload),
        Codec::Vp9 => vp9::describe(marker, payload),
        Codec::H264 => h264::describe(marker, payload),
        Codec::Av1 => av1::describe(marker, payload),
        Codec::Opus | Codec::Red => Some(Descriptor::default()),
    };
    let mut descriptor = descriptor.ok_or(Malformed::Payload)?;
    if let Some(bytes) = dependency {
        dependency::refine(bytes, codec, structure, &mut descriptor);
    }
    Ok(descriptor)
}

/// Rewrites picture id and TL0PICIDX in place, in the widths they have. Other codecs have none.
#[inline]
pub fn patch_ids(codec: Codec, payload: &mut [u8], picture_id: Option<u16>, tl0: Option<u8>) {
    let places = match codec {
        Codec::Vp8 => vp8::ids(payload),
        Codec::Vp9 => vp9::ids(payload),
        Codec::Opus | Codec::Red | Codec::H264 | Codec::Av1 => None,
    };
    let Some(places) = places else {
        return;
    };
    if let (Some(at), Some(value)) = (places.picture_id, picture_id) {
        patch_picture_id(payload, at, value);
    }
    if let (Some(at), Some(value)) = (places.tl0, tl0) {
        put(payload, at, value);
    }
}

/// Where a payload has its numbers.
#[derive(Debug, Clone, Copy, Default)]
struct Ids {
    picture_id: Option<usize>,
    tl0: Option<usize>,
}

/// Rewrites the frame number of a dependency descriptor in place.
#[inline]
pub fn patch_frame_number(descriptor: &mut [u8], number: u16) {
    if let Some(place) = descriptor.get_mut(1..3) {
        place.copy_from_slice(&number.to_be_bytes());
    }
}

/// A picture id of 7 or 15 bits at `at`, its first bit tells which (RFC 7741, RFC 9628).
#[inline]
fn picture_id_at(payload: &[u8], at: usize) -> Option<u16> {
    let first = *payload.get(at)?;
    if first & 0x80 == 0 {
        return Some(u16::from(first));
    }
    let low = *payload.get(at.wrapping_add(1))?;
    Some(u16::from_be_bytes([first & 0x7f, low]))
}

#[inline]
fn patch_picture_id(payload: &mut [u8], at: usize, value: u16) {
    let Some(first) = payload.get(at).copied() else {
        return;
    };
    let [high, low] = value.to_be_bytes();
    if first & 0x80 == 0 {
        put(payload, at, low & 0x7f);
    } else {
        put(payload, at, 0x80 | high);
        put(payload, at.wrapping_add(1), low);
    }
}

#[inline]
fn put(payload: &mut [u8], at: usize, value: u8) {
    if let Some(place) = payload.get_mut(at) {
        *place = value;
    }
}

#[cfg(test)]
mod dependency_tests;
#[cfg(test)]
mod tests;
