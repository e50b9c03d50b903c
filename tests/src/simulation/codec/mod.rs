//! The codecs of simulated frames: payloads that a forwarder reads as those of the codec, around bytes that say which
//! site sent them, when they were captured, and which frame they depend on.

mod av1;
mod h264;
mod vp8;
mod vp9;

use super::frame::Frame;
use super::outgoing::{DEPENDENCY, rtx_payload_type};
use rtc::rtp;

/// One packet of a frame.
#[derive(Debug, Default)]
pub struct Payload {
    pub bytes: Vec<u8>,
    /// The dependency descriptor.
    pub dependency: Option<Vec<u8>>,
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Payload {
        Payload { bytes, dependency: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoCodec {
    Vp8,
    H264,
    Vp9,
    Av1,
}

/// A place in the pattern in which an encoder's temporal layers follow each other.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub temporal: u8,
    /// The temporal layer on whose newest frame this one depends.
    pub base: u8,
    /// Nothing but the lowest layer is needed for it: a receiver of the layers below may go up here.
    pub sync: bool,
    /// No later frame of the layers above depends on an earlier one of the layers above: a receiver of the layers up to
    /// this one may go up after it.
    pub opens: bool,
}

const fn step(temporal: u8, base: u8, sync: bool, opens: bool) -> Step {
    Step { temporal, base, sync, opens }
}

/// Three temporal layers, 0 2 1 2 0 2 1 2, in which the second frame of layer 1 depends on the first.
const THREE_LAYERS: [Step; 8] = [
    step(0, 0, true, true),
    step(2, 0, true, false),
    step(1, 0, true, true),
    step(2, 1, false, false),
    step(0, 0, true, false),
    step(2, 0, true, false),
    step(1, 1, false, true),
    step(2, 1, false, false),
];

/// As Chromium numbers three layers: 0 2 1 2, and nothing across.
const THREE_LAYERS_EACH_ANEW: [Step; 4] =
    [step(0, 0, true, true), step(2, 0, true, false), step(1, 0, true, true), step(2, 1, false, false)];

/// Each frame depends on the one before, as encoders without temporal layers do.
const ONE_LAYER: [Step; 1] = [step(0, 0, false, false)];

/// What a packet says of its frame in its codec's descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    pub codec: VideoCodec,
    pub start: bool,
    pub key: bool,
    pub temporal: u8,
    /// Of the frame, where the codec numbers them.
    pub number: Option<u16>,
    pub tl0: Option<u8>,
    /// The number of the frame this one depends on, where the packet has it.
    pub refers_to: Option<u16>,
}

impl Descriptor {
    /// `None` for what is no video.
    pub fn read(packet: &rtp::Packet) -> Option<Descriptor> {
        match VideoCodec::of(packet.header.payload_type)? {
            VideoCodec::Vp8 => vp8::read(&packet.payload),
            VideoCodec::H264 => h264::read(&packet.payload),
            VideoCodec::Vp9 => vp9::read(&packet.payload),
            VideoCodec::Av1 => av1::read(&packet.payload, &packet.header.get_extension(DEPENDENCY)?),
        }
    }

    /// Whether the numbers of this frame are the next after the last one's. Another codec begins to count again.
    pub fn follows(&self, last: &Descriptor) -> bool {
        let next = |number: u16| number.wrapping_add(1) & self.codec.number_mask();
        let tl0 = |tl0: u8| tl0.wrapping_add(u8::from(self.temporal == 0));
        let counted = self.number == last.number.map(next) && self.tl0 == last.tl0.map(tl0);
        counted || self.codec != last.codec
    }
}

impl VideoCodec {
    pub const ALL: [VideoCodec; 4] = [VideoCodec::Vp8, VideoCodec::H264, VideoCodec::Vp9, VideoCodec::Av1];

    pub fn payload_type(self) -> u8 {
        match self {
            VideoCodec::Vp8 => 96,
            VideoCodec::H264 => 102,
            VideoCodec::Vp9 => 98,
            VideoCodec::Av1 => 45,
        }
    }

    /// Of its retransmissions.
    pub fn rtx_payload_type(self) -> u8 {
        rtx_payload_type(self.payload_type())
    }

    pub fn of(payload_type: u8) -> Option<VideoCodec> {
        VideoCodec::ALL.into_iter().find(|codec| codec.payload_type() == payload_type)
    }

    /// The codec these are retransmissions of.
    pub fn repaired_by(payload_type: u8) -> Option<VideoCodec> {
        VideoCodec::ALL.into_iter().find(|codec| codec.rtx_payload_type() == payload_type)
    }

    /// Its cameras send layers of several sizes; the others' send one.
    pub(super) fn is_simulcast(self) -> bool {
        matches!(self, VideoCodec::Vp8 | VideoCodec::H264)
    }

    /// The pattern of temporal layers, which begins with each key frame.
    pub(super) fn pattern(self) -> &'static [Step] {
        match self {
            VideoCodec::Vp8 | VideoCodec::Vp9 => &THREE_LAYERS,
            VideoCodec::H264 => &ONE_LAYER,
            VideoCodec::Av1 => &THREE_LAYERS_EACH_ANEW,
        }
    }

    /// The bits of a frame's number.
    pub(super) fn number_mask(self) -> u16 {
        match self {
            VideoCodec::Vp8 | VideoCodec::H264 | VideoCodec::Vp9 => 0x7fff,
            VideoCodec::Av1 => u16::MAX,
        }
    }

    pub(super) fn pack(self, frame: &Frame, index: usize) -> Payload {
        match self {
            VideoCodec::Vp8 => vp8::pack(frame, index),
            VideoCodec::H264 => h264::pack(frame, index),
            VideoCodec::Vp9 => vp9::pack(frame, index),
            VideoCodec::Av1 => av1::pack(frame, index),
        }
    }
}
