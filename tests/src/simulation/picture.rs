//! Pictures that are no pictures: VP8 payload descriptors around bytes that say who sent them, when
//! they were taken, and which picture they build upon.

/// Marks a payload as ours.
const MAGIC: [u8; 4] = *b"NCau";
/// Behind the descriptor: frame tag and, for key frames, start code; width and height follow.
const KEY_HEAD: [u8; 6] = [0x10, 0, 0, 0x9d, 0x01, 0x2a];
const WIDTH: u16 = 320;
/// Lines of a picture, unless a story says otherwise.
const LINES: u16 = 180;
/// The layer number of the content; cameras have 0 to 2.
pub const CONTENT: u8 = 9;

/// What every packet of ours tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub site: u8,
    pub layer: u8,
    /// Milliseconds of virtual time.
    pub captured_ms: u32,
    /// Number of the picture, and of the one a decoder needs for it: itself for a key frame.
    pub picture: u32,
    pub needs: u32,
}

impl Told {
    pub fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[self.site, self.layer]);
        for word in [self.captured_ms, self.picture, self.needs] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
    }

    pub fn read(payload: &[u8]) -> Option<Told> {
        let at = payload.windows(MAGIC.len()).take(40).position(|window| window == MAGIC)?;
        let bytes: &[u8; 18] = payload.get(at..)?.first_chunk()?;
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (captured_ms, picture, needs) = (word(6), word(10), word(14));
        Some(Told { site: bytes[4], layer: bytes[5], captured_ms, picture, needs })
    }
}

/// The numbers of a VP8 payload descriptor as the encoder here writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    pub start: bool,
    pub key: bool,
    pub picture_id: u16,
    pub tl0: u8,
    pub temporal: u8,
}

impl Descriptor {
    pub fn read(payload: &[u8]) -> Option<Descriptor> {
        let [first, _, high, low, tl0, third, tag, ..] = *payload else {
            return None;
        };
        let start = first & 0x10 != 0;
        Some(Descriptor {
            start,
            key: start && tag & 1 == 0,
            picture_id: u16::from_be_bytes([high & 0x7f, low]),
            tl0,
            temporal: third >> 6,
        })
    }
}

/// The encoder of one layer: three temporal layers in the pattern 0 2 1 2 0 2 1 2, in which the second
/// picture of layer 1 builds upon the first.
#[derive(Debug, Clone)]
pub struct Encoder {
    pub site: u8,
    pub layer: u8,
    picture_id: u16,
    tl0: u8,
    count: u32,
    picture: u32,
    /// Newest picture of each temporal layer.
    newest: [u32; 3],
    key_wanted: bool,
    lines: u16,
}

/// Temporal layer, the layer built upon, and whether one may climb here.
const PATTERN: [(u8, u8, bool); 8] = [
    (0, 0, true),
    (2, 0, true),
    (1, 0, true),
    (2, 1, false),
    (0, 0, true),
    (2, 0, true),
    (1, 1, false),
    (2, 1, false),
];

impl Encoder {
    pub fn new(site: u8, layer: u8) -> Encoder {
        // Near the wrap, so that every run goes over it.
        Encoder {
            site,
            layer,
            picture_id: 0x7ff0,
            tl0: 250,
            count: 0,
            picture: 0,
            newest: [0; 3],
            key_wanted: true,
            lines: LINES,
        }
    }

    pub fn want_key(&mut self) {
        self.key_wanted = true;
    }

    /// The pictures have so many lines from here on: the camera was turned, or is another one.
    pub fn resize(&mut self, lines: u16) {
        (self.lines, self.key_wanted) = (lines, true);
    }

    /// The encoder is another one: its numbers begin somewhere else.
    pub fn restart(&mut self, picture_id: u16, tl0: u8) {
        (self.picture_id, self.tl0, self.key_wanted) = (picture_id & 0x7fff, tl0, true);
    }

    /// The payloads of the next picture.
    pub fn next_picture(&mut self, captured_ms: u32) -> Vec<Vec<u8>> {
        let key = std::mem::take(&mut self.key_wanted);
        self.count = if key { 0 } else { self.count + 1 };
        let (temporal, base, sync) = PATTERN[(self.count % 8) as usize];
        self.picture += 1;
        let needs = if key { self.picture } else { self.newest[usize::from(base)] };
        self.newest[usize::from(temporal)] = self.picture;
        if key {
            self.newest = [self.picture; 3];
        }
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        if temporal == 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
        let packets = if key { 4 } else { 1 + usize::from(self.layer.min(2)) };
        let told = Told { site: self.site, layer: self.layer, captured_ms, picture: self.picture, needs };
        (0..packets).map(|index| self.payload(key, (temporal, sync), index, told)).collect()
    }

    fn payload(&self, key: bool, (temporal, sync): (u8, bool), index: usize, told: Told) -> Vec<u8> {
        let [high, low] = self.picture_id.to_be_bytes();
        let start = if index == 0 { 0x90 } else { 0x80 };
        let third = (temporal << 6) | (u8::from(sync) << 5);
        let mut bytes = vec![start, 0xe0, 0x80 | high, low, self.tl0, third];
        if index == 0 && key {
            bytes.extend_from_slice(&KEY_HEAD);
            bytes.extend_from_slice(&WIDTH.to_le_bytes());
            bytes.extend_from_slice(&self.lines.to_le_bytes());
        } else {
            bytes.push(0x11);
        }
        told.write(&mut bytes);
        bytes.resize(200 + 300 * usize::from(self.layer.min(2)), 0xaa);
        bytes
    }
}

/// A voice packet: Opus by name, a site's number by content.
pub fn voice(site: u8, captured_ms: u32) -> Vec<u8> {
    let mut bytes = vec![0xf8];
    Told { site, layer: 0, captured_ms, picture: 0, needs: 0 }.write(&mut bytes);
    bytes.resize(80, 0);
    bytes
}
