//! VP8 (RFC 7741): a payload descriptor with all fields, and the frame header of key frames (RFC 6386 section 9.1).

use super::{Descriptor, Payload, VideoCodec};
use crate::simulation::frame::Frame;

/// After the descriptor: frame tag and start code; width and height follow.
const KEY_HEAD: [u8; 6] = [0x10, 0, 0, 0x9d, 0x01, 0x2a];
const WIDTH: u16 = 320;

pub fn pack(frame: &Frame, index: usize) -> Payload {
    let [high, low] = frame.number.to_be_bytes();
    let start = if index == 0 { 0x90 } else { 0x80 };
    let third = (frame.step.temporal << 6) | (u8::from(frame.step.sync) << 5);
    let mut bytes = vec![start, 0xe0, 0x80 | high, low, frame.tl0, third];
    if index == 0 && frame.key {
        bytes.extend_from_slice(&KEY_HEAD);
        bytes.extend_from_slice(&WIDTH.to_le_bytes());
        bytes.extend_from_slice(&frame.lines.to_le_bytes());
    } else {
        bytes.push(0x11);
    }
    Payload::from(frame.fill(bytes))
}

pub fn read(payload: &[u8]) -> Option<Descriptor> {
    let [first, _, high, low, tl0, third, tag, ..] = *payload else {
        return None;
    };
    let start = first & 0x10 != 0;
    Some(Descriptor {
        codec: VideoCodec::Vp8,
        start,
        key: start && tag & 1 == 0,
        temporal: third >> 6,
        number: Some(u16::from_be_bytes([high & 0x7f, low])),
        refers_to: None,
        tl0: Some(tl0),
    })
}
