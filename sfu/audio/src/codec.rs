//! What stands between packets and samples. All sound is mono at 48 kHz.

mod opus;

#[cfg(test)]
pub(crate) use opus::tame;
pub use opus::{Opus, OpusEncoder};

/// Samples of a tick: 20 ms at 48 kHz, mono.
pub const FRAME: usize = 960;
/// Samples of a long packet of a mix: 40 ms. On a poor line the headers of a packet (IP, UDP, SRTP and ours, some 75 bytes)
/// cost more than the sound in it; two ticks a packet halve them, for 20 ms of delay. A third tick would
/// cost as much delay again and save a third as much.
pub const PACKET: usize = FRAME * 2;
/// Samples of the longest packet of Opus: 120 ms (RFC 6716 section 3.2.5).
pub const MAX_SAMPLES: usize = FRAME * 6;

/// How voices are decoded and mixes encoded.
///
/// A simulation has one whose samples are marks ([`crate::Marks`]), so all that lies between decoder and encoder is
/// linear: sums and differences, no gain, no fades. Limiting is the encoder's.
pub trait Codec {
    /// What is remembered of a voice from packet to packet.
    type Decoder;
    /// What is remembered of a mix.
    type Encoder;

    /// A decoder for a voice; `None` where there is no memory for one.
    fn decoder(&self) -> Option<Self::Decoder>;

    /// An encoder for a mix of so many bits per second; `None` where there is no memory for one.
    fn encoder(&self, bps: u32) -> Option<Self::Encoder>;

    /// Another bitrate from the next packet on.
    fn set_bps(&self, encoder: &mut Self::Encoder, bps: u32);

    /// Samples in a packet, at most [`MAX_SAMPLES`]; 0 where it is none of this codec.
    fn samples(&self, packet: &[u8]) -> usize;

    /// Decodes a packet, or conceals a lost one of 20 ms where it is `None`, and appends the samples to `out`. Says
    /// whether it could; what was appended is ignored where not.
    fn decode(&self, decoder: &mut Self::Decoder, packet: Option<&[u8]>, out: &mut Vec<f32>) -> bool;

    /// Encodes 20 or 40 ms, which are [`FRAME`] or [`PACKET`] samples.
    fn encode(&self, encoder: &mut Self::Encoder, samples: &[f32]) -> Option<Vec<u8>>;
}
