//! How loud and which note: RFC 6464 levels for what is sent, level and pitch of what is received.

use std::f32::consts::TAU;

/// Samples per second, the only rate Opus has on the wire (RFC 7587 section 4.1).
pub const SAMPLE_RATE: u32 = 48_000;
/// Quieter than this is not speech; for the voice bit of RFC 6464.
const VOICE_FLOOR: u8 = 50;

/// A level as RFC 6464 has it: 0 is full scale, 127 is silence, in −dBov.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioLevel(pub u8);

impl AudioLevel {
    pub const SILENCE: Self = Self(127);

    pub fn of(samples: &[i16]) -> Self {
        if samples.is_empty() {
            return Self::SILENCE;
        }
        let energy: f64 = samples.iter().map(|&sample| f64::from(sample) * f64::from(sample)).sum();
        let rms = (energy / samples.len() as f64).sqrt() / 32768.0;
        if rms <= 0.0 {
            return Self::SILENCE;
        }
        Self((-20.0 * rms.log10()).round().clamp(0.0, 127.0) as u8)
    }

    pub fn is_voice(self) -> bool {
        self.0 < VOICE_FLOOR
    }

    /// The extension's byte for the one-byte header form.
    pub fn to_byte(self) -> u8 {
        self.0 & 0x7f | if self.is_voice() { 0x80 } else { 0 }
    }
}

/// Energy of one frequency by Goertzel's algorithm, as amplitude from 0 to 1 of a full-scale sine.
pub fn amplitude_at(samples: &[i16], hertz: f32) -> f32 {
    let step = TAU * hertz / SAMPLE_RATE as f32;
    let coefficient = 2.0 * step.cos();
    let (mut previous, mut before) = (0.0f32, 0.0f32);
    for &sample in samples {
        let now = f32::from(sample) / 32768.0 + coefficient * previous - before;
        before = previous;
        previous = now;
    }
    let power = previous * previous + before * before - coefficient * previous * before;
    2.0 * power.max(0.0).sqrt() / samples.len().max(1) as f32
}

/// Decodes one received Opus stream and remembers the newest half second.
pub struct Listener {
    decoder: opus::Decoder,
    newest: Vec<i16>,
}

impl Listener {
    /// Half a second: resolves 2 Hz.
    const WINDOW: usize = SAMPLE_RATE as usize / 2;

    pub fn new() -> Result<Self, opus::Error> {
        let decoder = opus::Decoder::new(SAMPLE_RATE, opus::Channels::Mono)?;
        Ok(Self { decoder, newest: Vec::new() })
    }

    /// Takes one Opus packet; broken ones are ignored, as a loudspeaker would.
    pub fn decode(&mut self, packet: &[u8]) {
        let mut pcm = [0i16; 5760];
        let Ok(samples) = self.decoder.decode(packet, &mut pcm, false) else {
            return;
        };
        self.newest.extend_from_slice(pcm.get(..samples).unwrap_or_default());
        let excess = self.newest.len().saturating_sub(Self::WINDOW);
        self.newest.drain(..excess);
    }

    pub fn level(&self) -> AudioLevel {
        AudioLevel::of(&self.newest)
    }

    /// Amplitude (0 to 1) of one frequency in the newest half second.
    pub fn amplitude_at(&self, hertz: f32) -> f32 {
        amplitude_at(&self.newest, hertz)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hertz: f32, amplitude: f32) -> Vec<i16> {
        (0..24_000)
            .map(|at| ((TAU * hertz * at as f32 / 48_000.0).sin() * amplitude * 32767.0) as i16)
            .collect()
    }

    #[test]
    fn levels_are_minus_dbov() {
        assert_eq!(AudioLevel::of(&[]), AudioLevel::SILENCE);
        assert_eq!(AudioLevel::of(&[0; 960]), AudioLevel::SILENCE);
        assert_eq!(AudioLevel::of(&[i16::MIN; 960]), AudioLevel(0));
        assert_eq!(AudioLevel::of(&sine(1000.0, 1.0)), AudioLevel(3));
        assert_eq!(AudioLevel::of(&sine(1000.0, 0.1)), AudioLevel(23));
    }

    #[test]
    fn the_voice_bit_is_the_highest() {
        assert_eq!(AudioLevel(20).to_byte(), 0x80 | 20);
        assert_eq!(AudioLevel::SILENCE.to_byte(), 127);
    }

    #[test]
    fn goertzel_finds_the_note_and_only_it() {
        let samples = sine(1000.0, 0.25);
        assert!((amplitude_at(&samples, 1000.0) - 0.25).abs() < 0.01);
        for other in [440.0, 900.0, 1100.0, 2000.0] {
            assert!(amplitude_at(&samples, other) < 0.01, "{other}");
        }
    }
}
