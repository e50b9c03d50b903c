//! Opus (RFC 6716), by libopus.

use opus::{Application, Bitrate, Channels, Decoder, Encoder, Result, Signal, SoftClip};

use super::{Codec, FRAME, MAX_SAMPLES};

const SAMPLE_RATE: u32 = 48_000;
/// Of 0 to 10. A packet of speech takes 0.3 to 0.5 ms of a processor's time at 5, and half as much again at 10 (12 to 24
/// kbit/s, two cores of an AMD EPYC), where it gains little; a machine may have to encode for poor sites of many rooms.
const COMPLEXITY: i32 = 5;
/// What libopus can make of speech: below 6 kbit/s it is not understood, above 128 kbit/s mono gains nothing.
const LEAST_BPS: u32 = 6_000;
const MOST_BPS: u32 = 128_000;
/// The longest packet of a mix, in bytes. Twice what the highest bitrate gives in 40 ms, and fits every MTU.
const MAX_PACKET: usize = 1_200;
/// Decoded samples are held to this: full scale is 1, and honest packets seldom leave it. Far louder ones would take
/// the precision of the other voices from the sum.
const LOUDEST: f32 = 2.0;

/// Mono at 48 kHz, for speech.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opus;

/// An encoder, and the limiter before it: a sum of voices may be louder than full scale.
#[derive(Debug)]
pub struct OpusEncoder {
    encoder: Encoder,
    limiter: SoftClip,
}

impl OpusEncoder {
    fn new(bps: u32) -> Result<OpusEncoder> {
        let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
        encoder.set_signal(Signal::Voice)?;
        encoder.set_complexity(COMPLEXITY)?;
        // The line is narrow: it may vary, but not beyond what was promised.
        encoder.set_vbr(true)?;
        encoder.set_vbr_constraint(true)?;
        encoder.set_bitrate(bitrate(bps))?;
        Ok(OpusEncoder { encoder, limiter: SoftClip::new(Channels::Mono) })
    }
}

fn bitrate(bps: u32) -> Bitrate {
    Bitrate::Bits(bps.clamp(LEAST_BPS, MOST_BPS) as i32)
}

pub(crate) fn tame(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-LOUDEST, LOUDEST) } else { 0.0 }
}

impl Codec for Opus {
    type Decoder = Decoder;
    type Encoder = OpusEncoder;

    fn decoder(&self) -> Option<Decoder> {
        Decoder::new(SAMPLE_RATE, Channels::Mono).ok()
    }

    fn encoder(&self, bps: u32) -> Option<OpusEncoder> {
        OpusEncoder::new(bps).ok()
    }

    fn set_bps(&self, encoder: &mut OpusEncoder, bps: u32) {
        let done = encoder.encoder.set_bitrate(bitrate(bps));
        debug_assert!(done.is_ok(), "{done:?}");
    }

    fn samples(&self, packet: &[u8]) -> usize {
        opus::packet::get_nb_samples(packet, SAMPLE_RATE).unwrap_or(0)
    }

    fn decode(&self, decoder: &mut Decoder, packet: Option<&[u8]>, out: &mut Vec<f32>) -> bool {
        let mut decoded = [0.0; MAX_SAMPLES];
        // libopus conceals as much as there is room for, where there is no packet.
        let (packet, room) = packet.map_or((&[][..], FRAME), |packet| (packet, MAX_SAMPLES));
        let Some(room) = decoded.get_mut(..room) else { return false };
        let Ok(samples) = decoder.decode_float(packet, room, false) else { return false };
        out.extend(decoded.iter().take(samples).copied().map(tame));
        true
    }

    fn encode(&self, encoder: &mut OpusEncoder, samples: &[f32]) -> Option<Vec<u8>> {
        let mut limited = samples.to_vec();
        encoder.limiter.apply(&mut limited);
        encoder.encoder.encode_vec_float(&limited, MAX_PACKET).ok()
    }
}
