//! Frames without a picture: bytes that say which site sent them, when they were captured, and which frame they depend
//! on.

use super::codec::{Payload, Step, VideoCodec};
use super::outgoing::OPUS;
use rtp::codec::red::{self, Block};

/// Marks a payload as ours.
const MAGIC: [u8; 4] = *b"NCau";
const MIX_MAGIC: [u8; 4] = *b"NMix";
/// Height of a frame in pixels, unless a story sets another.
const LINES: u16 = 180;
/// The number of the content's first layer; cameras have 0 to 2.
pub const CONTENT: u8 = 8;

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
    /// Of each packet.
    pub bytes: usize,
    pub stamp: Stamp,
}

/// How large frames are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// Small, so that meetings are simulated fast: 48 kbit/s to 0.6 Mbit/s.
    Small,
    /// As the page's encoders make them (`web/src/media/encodings.ts`).
    Camera,
}

/// Bits per second of the page's layers, lowest first.
const LAYER_BITS: [usize; 3] = [150_000, 500_000, 1_800_000];
/// Bytes of a key frame of a page with 400 letters, at half the size and whole, as Chromium was seen to make them; and of
/// the frames after it, in which nothing moves.
const PAGE: [usize; 2] = [18_000, 80_000];
const UNMOVED: usize = 150;
/// A key frame is so many times as large as another one, and so many after it are half as large: a rate is kept.
const KEY_FACTOR: usize = 6;
const AFTER_KEY: usize = 10;
/// Bytes of a packet at most: what browsers send.
const LARGEST: usize = 1100;
const FRAMES_PER_SECOND: usize = 30;

impl Sizes {
    /// Packets of a frame that is so many after one in which all was new, and bytes of each.
    fn of(self, layer: u8, since_new: usize) -> (usize, usize) {
        let key = since_new == 0;
        let low = usize::from(layer.min(2));
        match self {
            Sizes::Small => (if key { 4 } else { 1 + low }, 200 + 300 * low),
            Sizes::Camera => {
                let halves = if key { 2 * KEY_FACTOR } else { 2 - usize::from(since_new <= AFTER_KEY) };
                let frame = match layer.checked_sub(CONTENT) {
                    Some(content) if key => PAGE[usize::from(content)],
                    Some(_) => UNMOVED,
                    None => LAYER_BITS[low] / 8 / FRAMES_PER_SECOND * halves / 2,
                };
                let packets = frame.div_ceil(LARGEST);
                (packets, frame / packets)
            }
        }
    }
}

impl Frame {
    /// Our stamp after the codec's own bytes, filled up to the length that packets of the layer have.
    pub fn fill(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        self.stamp.write(&mut bytes);
        bytes.resize(self.bytes, 0xaa);
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
    page_turned: bool,
    lines: u16,
    sizes: Sizes,
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
            page_turned: false,
            lines: LINES,
            sizes: Sizes::Small,
        }
    }

    pub fn want_key(&mut self) {
        self.key_wanted = true;
    }

    /// Nothing in the next frame was in the one before.
    pub fn turn_page(&mut self) {
        self.page_turned = true;
    }

    /// The frames have this height from here on: the camera was turned, or is another one.
    pub fn resize(&mut self, lines: u16) {
        (self.lines, self.key_wanted) = (lines, true);
    }

    pub fn set_sizes(&mut self, sizes: Sizes) {
        self.sizes = sizes;
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
        let since_new = if std::mem::take(&mut self.page_turned) { 0 } else { self.count };
        let (packets, bytes) = self.sizes.of(self.layer, since_new);
        let frame = Frame { key, step, number, tl0, lines, packets, bytes, stamp };
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

/// A packet of a mix (`audio::Marks`): who is heard in it, and when that was spoken. As many bytes as asked for, if it has
/// room for that.
pub fn mix(marks: &[(u8, u32)], bytes: usize) -> Vec<u8> {
    let mut packet = MIX_MAGIC.to_vec();
    packet.push(marks.len() as u8);
    for (site, captured_ms) in marks {
        packet.push(*site);
        packet.extend_from_slice(&captured_ms.to_be_bytes());
    }
    packet.resize(bytes.max(packet.len()), 0);
    packet
}

/// What is heard in a packet of a mix.
pub fn read_mix(packet: &[u8]) -> Option<Vec<(u8, u32)>> {
    let (count, marks) = packet.strip_prefix(&MIX_MAGIC)?.split_first()?;
    let mark = |mark: &[u8]| (mark[0], u32::from_be_bytes([mark[1], mark[2], mark[3], mark[4]]));
    Some(marks.chunks_exact(5).take(usize::from(*count)).map(mark).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_keeps_its_rate_whatever_key_frames_are_asked_for() {
        for (layer, bits) in [(0, 150_000), (1, 500_000), (2, 1_800_000)] {
            let mut encoder = Encoder::new(1, layer, VideoCodec::Vp8);
            encoder.set_sizes(Sizes::Camera);
            let mut sent = 0;
            for frame in 0..300 {
                if frame % 30 == 0 {
                    encoder.want_key();
                }
                let packets = encoder.next_frame(frame * 33);
                assert!(packets.iter().all(|packet| packet.bytes.len() <= LARGEST));
                sent += packets.iter().map(|packet| packet.bytes.len()).sum::<usize>();
            }
            let rate = sent * 8 / 10;
            assert!((bits * 9 / 10..=bits).contains(&rate), "{rate} for {bits}");
        }
    }
}
