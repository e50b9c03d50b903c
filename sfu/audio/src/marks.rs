//! A codec for simulations: what is heard can be counted.

use crate::codec::{Codec, FRAME};

/// Frames in a second.
const FRAMES: usize = 50;

/// A key and a value below 2^24.
pub type Mark = (u8, u32);

/// Sound is marks: a key of 0 to 255 with a value below 2^24, which is exact as `f32`. A voice's packet has one mark,
/// and is a frame of 20 ms that is silent but for the sample `key`, which is `value`. A mix's packet lists the marks of
/// its frames, earlier ones first. Concealment is silence.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    /// The mark of a voice's packet, key and value; `None` where it is no such packet.
    pub read: fn(&[u8]) -> Option<Mark>,
    /// A mix's packet with these marks, of so many bytes as the bitrate gives in its time.
    pub write: fn(&[Mark], bytes: usize) -> Vec<u8>,
}

impl Codec for Marks {
    type Decoder = ();
    /// Bits per second.
    type Encoder = u32;

    fn decoder(&self) -> Option<()> {
        Some(())
    }

    fn encoder(&self, bps: u32) -> Option<u32> {
        Some(bps)
    }

    fn set_bps(&self, encoder: &mut u32, bps: u32) {
        *encoder = bps;
    }

    fn samples(&self, packet: &[u8]) -> usize {
        (self.read)(packet).map_or(0, |_| FRAME)
    }

    fn decode(&self, (): &mut (), packet: Option<&[u8]>, out: &mut Vec<f32>) -> bool {
        let mut frame = [0.0; FRAME];
        if let Some(packet) = packet {
            let Some((key, value)) = (self.read)(packet) else { return false };
            if let Some(sample) = frame.get_mut(usize::from(key)) {
                *sample = value as f32;
            }
        }
        out.extend(frame);
        true
    }

    fn encode(&self, bps: &mut u32, samples: &[f32]) -> Option<Vec<u8>> {
        let frames = samples.chunks(FRAME);
        let marks: Vec<Mark> = frames
            .flat_map(|frame| (0..=u8::MAX).zip(frame))
            .filter(|(_, sample)| **sample > 0.0)
            .map(|(key, sample)| (key, *sample as u32))
            .collect();
        let bits = samples.len().div_ceil(FRAME).saturating_mul(*bps as usize) / FRAMES;
        Some((self.write)(&marks, bits / 8))
    }
}
