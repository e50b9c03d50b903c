//! H.264 (RFC 6184) as browsers send it: parameter sets in a STAP-A before each key frame, slices whole or in FU-A
//! fragments. Frames have no numbers and no temporal layers.

use super::{Descriptor, Payload, VideoCodec};
use crate::simulation::frame::Frame;

const SLICE: u8 = 0x41;
const IDR: u8 = 0x65;
const SEI: u8 = 0x06;
const STAP_A: u8 = 0x78;
const FU_A: u8 = 28;
/// The first byte of a slice header, when its first macroblock is the frame's.
const FIRST_MACROBLOCK: u8 = 0x88;
/// Each after its length.
const PARAMETER_SETS: [u8; 10] = [0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 2, 0x68, 0xce];

pub fn pack(frame: &Frame, index: usize) -> Payload {
    // A key frame's first packet has its parameter sets, and our stamp in a message after them.
    let slices = frame.packets - usize::from(frame.key);
    let bytes = match (frame.key, index) {
        (true, 0) => aggregate(frame),
        (true, _) => slice(frame, IDR, index - 1, slices),
        (false, _) => slice(frame, SLICE, index, slices),
    };
    Payload::from(bytes)
}

fn aggregate(frame: &Frame) -> Vec<u8> {
    let message = frame.fill(vec![SEI]);
    let length = u16::try_from(message.len()).expect("a short message");
    [&[STAP_A][..], &PARAMETER_SETS, &length.to_be_bytes(), &message].concat()
}

fn slice(frame: &Frame, unit: u8, index: usize, count: usize) -> Vec<u8> {
    if count == 1 {
        return frame.fill(vec![unit, FIRST_MACROBLOCK]);
    }
    let (begins, ends) = (u8::from(index == 0) << 7, u8::from(index + 1 == count) << 6);
    frame.fill(vec![(unit & 0x60) | FU_A, begins | ends | (unit & 0x1f), FIRST_MACROBLOCK])
}

pub fn read(payload: &[u8]) -> Option<Descriptor> {
    let (first, second) = (*payload.first()?, *payload.get(1)?);
    let is_fragment = first & 0x1f == FU_A;
    let unit = if is_fragment { second & 0x1f } else { first & 0x1f };
    let key = first == STAP_A;
    let begins_slice = unit == SLICE & 0x1f && (!is_fragment || second & 0x80 != 0);
    Some(Descriptor {
        codec: VideoCodec::H264,
        start: key || begins_slice,
        key,
        temporal: 0,
        number: None,
        refers_to: None,
        tl0: None,
    })
}
