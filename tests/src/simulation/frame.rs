//! Frames without a picture: bytes that say which site sent them, when they were captured, and which frame they depend
//! on.

use super::codec::{Payload, Step, VideoCodec};
use super::outgoing::OPUS;
use rtp::codec::red::{self, Block};

/// Marks a payload as ours.
const MAGIC: [u8; 4] = *b"NCau";
/// Height of a frame in pixels, unless a story sets another.
const LINES: u16 = 180;
/// The layer number of the content; cameras have 0 to 2.
pub const CONTENT: u8 = 9;

/// What every packet of ours carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub site: u8,
    pub layer: u8,
    /// Milliseconds of virtual time.
    pub captured_ms: u32,
    /// Number of the frame, and of the one a decoder needs for it: itself for a key frame.
    pub frame: u32,
    pub needs: u32,
}

impl Stamp {
    pub fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[self.site, self.layer]);
        for word in [self.captured_ms, self.frame, self.needs] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
    }

    pub fn read(payload: &[u8]) -> Option<Stamp> {
        let at = payload.windows(MAGIC.len()).take(40).position(|window| window == MAGIC)?;
        let bytes: &[u8; 18] = payload.get(at..)?.first_chunk()?;
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (captured_ms, frame, needs) = (word(6), word(10), word(14));
        Some(Stamp { site: bytes[4], layer: bytes[5], captured_ms, frame, needs })
    }
}

/// What an encoder has produced.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    pub key: bool,
    pub step: Step,
    pub number: u16,
    pub tl0: u8,
    pub lines: u16,
    pub packets: usize,
    pub stamp: Stamp,
}

impl Frame {
    /// Our stamp after the codec's own bytes, filled up to the length that packets of the layer have.
    pub fn fill(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        self.stamp.write(&mut bytes);
        bytes.resize(200 + 300 * usize::from(self.stamp.layer.min(2)), 0xaa);
        bytes
    }
}

/// The encoder of one layer.
#[derive(Debug, Clone)]
pub struct Encoder {
    pub site: u8,
    pub layer: u8,
    codec: VideoCodec,
    number: u16,
    tl0: u8,
    count: usize,
    frame: u32,
    /// Newest frame of each temporal layer.
    newest: [u32; 3],
    key_wanted: bool,
    lines: u16,
}

impl Encoder {
    pub fn new(site: u8, layer: u8, codec: VideoCodec) -> Encoder {
        // Near the wrap, so that every run goes over it.
        Encoder {
            site,
            layer,
            codec,
            number: codec.number_mask() - 15,
            tl0: 250,
            count: 0,
            frame: 0,
            newest: [0; 3],
            key_wanted: true,
            lines: LINES,
        }
    }

    pub fn want_key(&mut self) {
        self.key_wanted = true;
    }

    /// The frames have this height from here on: the camera was turned, or is another one.
    pub fn resize(&mut self, lines: u16) {
        (self.lines, self.key_wanted) = (lines, true);
    }

    /// Another encoder: its numbers begin somewhere else.
    pub fn restart(&mut self, number: u16, tl0: u8) {
        (self.number, self.tl0, self.key_wanted) = (number & self.codec.number_mask(), tl0, true);
    }

    /// The packets of the next frame.
    pub fn next_frame(&mut self, captured_ms: u32) -> Vec<Payload> {
        let key = std::mem::take(&mut self.key_wanted);
        self.count = if key { 0 } else { self.count + 1 };
        let pattern = self.codec.pattern();
        let step = pattern[self.count % pattern.len()];
        self.frame += 1;
        let needs = if key { self.frame } else { self.newest[usize::from(step.base)] };
        self.newest[usize::from(step.temporal)] = self.frame;
        if key {
            self.newest = [self.frame; 3];
        }
        self.number = self.number.wrapping_add(1) & self.codec.number_mask();
        if step.temporal == 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
        let stamp = Stamp { site: self.site, layer: self.layer, captured_ms, frame: self.frame, needs };
        let Encoder { number, tl0, lines, .. } = *self;
        let packets = if key { 4 } else { 1 + usize::from(self.layer.min(2)) };
        let frame = Frame { key, step, number, tl0, lines, packets, stamp };
        (0..packets).map(|index| self.codec.pack(&frame, index)).collect()
    }
}

/// A voice packet with the one before in it (RFC 2198).
pub fn with_copy((captured_ms, said): (u32, &[u8]), (before_ms, before): &(u32, Vec<u8>)) -> Vec<u8> {
    let block = |offset, data| Block { payload_type: OPUS, offset, data };
    let offset = captured_ms.wrapping_sub(*before_ms) * 48;
    let copies = [block(offset, before.as_slice())];
    let copies = if offset <= red::MAX_OFFSET { &copies[..] } else { &[] };
    let mut bytes = vec![0; 300];
    let length = red::write(&mut bytes, copies, block(0, said)).expect("room for two");
    bytes.truncate(length);
    bytes
}

/// A voice packet: Opus by name, a site's number by content.
pub fn voice(site: u8, captured_ms: u32) -> Vec<u8> {
    let mut bytes = vec![0xf8];
    Stamp { site, layer: 0, captured_ms, frame: 0, needs: 0 }.write(&mut bytes);
    bytes.resize(80, 0);
    bytes
}
