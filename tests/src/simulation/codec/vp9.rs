//! VP9 (RFC 9628) as one spatial and three temporal layers, in the mode that is not flexible: what a frame refers to
//! follows from its place in the pattern.

use super::{Descriptor, Payload, VideoCodec};
use crate::simulation::frame::Frame;

const ID: u8 = 0x80;
const INTER: u8 = 0x40;
const LAYERS: u8 = 0x20;
const BEGINS: u8 = 0x08;
const ENDS: u8 = 0x04;
const STRUCTURE: u8 = 0x02;
const WIDTH: u16 = 320;

pub fn pack(frame: &Frame, index: usize) -> Payload {
    let structure = frame.key && index == 0;
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    let flags = ID
        | LAYERS
        | flag(!frame.key, INTER)
        | flag(index == 0, BEGINS)
        | flag(index + 1 == frame.packets, ENDS)
        | flag(structure, STRUCTURE);
    let [high, low] = frame.number.to_be_bytes();
    let layers = (frame.step.temporal << 5) | (u8::from(frame.step.opens) << 4);
    let mut bytes = vec![flags, 0x80 | high, low, layers, frame.tl0];
    if structure {
        // One spatial layer, its size, no description of a group of pictures.
        bytes.push(0x10);
        bytes.extend_from_slice(&WIDTH.to_be_bytes());
        bytes.extend_from_slice(&frame.lines.to_be_bytes());
    }
    Payload::from(frame.fill(bytes))
}

pub fn read(payload: &[u8]) -> Option<Descriptor> {
    let [flags, high, low, layers, tl0, ..] = *payload else {
        return None;
    };
    let start = flags & BEGINS != 0;
    Some(Descriptor {
        codec: VideoCodec::Vp9,
        start,
        key: start && flags & INTER == 0,
        temporal: layers >> 5,
        number: Some(u16::from_be_bytes([high & 0x7f, low])),
        refers_to: None,
        tl0: Some(tl0),
    })
}
