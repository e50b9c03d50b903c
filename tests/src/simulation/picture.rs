//! Pictures that are no pictures: VP8 payload descriptors around bytes that say who sent them.

/// Marks a payload as ours.
const MAGIC: [u8; 4] = *b"NCau";
/// Behind the descriptor: frame tag and, for key frames, start code and size.
const KEY_HEAD: [u8; 10] = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00];

/// The encoder of one layer: three temporal layers in the pattern 0 2 1 2.
#[derive(Debug, Clone)]
pub struct Encoder {
    pub site: u8,
    pub layer: u8,
    picture: u16,
    tl0: u8,
    count: u32,
    key_wanted: bool,
}

impl Encoder {
    pub fn new(site: u8, layer: u8) -> Encoder {
        // Near the wrap, so that every run goes over it.
        Encoder { site, layer, picture: 0x7ff0, tl0: 250, count: 0, key_wanted: true }
    }

    pub fn want_key(&mut self) {
        self.key_wanted = true;
    }

    /// The payloads of the next picture.
    pub fn next_picture(&mut self) -> Vec<Vec<u8>> {
        let key = std::mem::take(&mut self.key_wanted);
        self.count = if key { 0 } else { self.count + 1 };
        let temporal = [0u8, 2, 1, 2][(self.count % 4) as usize];
        self.picture = (self.picture + 1) & 0x7fff;
        if temporal == 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
        let packets = if key { 4 } else { 1 + usize::from(self.layer) };
        (0..packets).map(|index| self.payload(key, temporal, index)).collect()
    }

    fn payload(&self, key: bool, temporal: u8, index: usize) -> Vec<u8> {
        let [high, low] = self.picture.to_be_bytes();
        let start = if index == 0 { 0x90 } else { 0x80 };
        let mut bytes = vec![start, 0xe0, 0x80 | high, low, self.tl0, (temporal << 6) | 0x20];
        if index == 0 && key {
            bytes.extend_from_slice(&KEY_HEAD);
        } else {
            bytes.push(0x11);
        }
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[self.site, self.layer]);
        bytes.resize(200 + 300 * usize::from(self.layer), 0xaa);
        bytes
    }
}

/// Who sent a payload: site and layer.
pub fn who(payload: &[u8]) -> Option<(u8, u8)> {
    let at = payload.windows(MAGIC.len()).take(40).position(|window| window == MAGIC)?;
    Some((*payload.get(at + 4)?, *payload.get(at + 5)?))
}

/// A voice packet: Opus by name, a site's number by content.
pub fn voice(site: u8) -> Vec<u8> {
    let mut bytes = vec![0xf8];
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[site, 0]);
    bytes.resize(80, 0);
    bytes
}
