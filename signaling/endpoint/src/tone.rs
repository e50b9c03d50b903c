//! A sine, encoded live: what a test can recognise at the far end.

use std::f32::consts::TAU;

use super::level::{AudioLevel, SAMPLE_RATE};
use super::speech::AudioPacket;

/// Samples of one packet, 20 ms.
const FRAME: usize = 960;
/// Loud enough to count as speech, far from clipping: −23 dBov.
const AMPLITUDE: f32 = 0.1;

/// A tone without end.
pub struct Tone {
    encoder: opus::Encoder,
    hertz: f32,
    phase: f32,
    first: bool,
}

impl Tone {
    pub fn new(hertz: f32) -> Result<Self, opus::Error> {
        let mut encoder = opus::Encoder::new(SAMPLE_RATE, opus::Channels::Mono, opus::Application::Audio)?;
        encoder.set_bitrate(opus::Bitrate::Bits(32_000))?;
        encoder.set_complexity(1)?;
        Ok(Self { encoder, hertz, phase: 0.0, first: true })
    }

    pub fn next_packet(&mut self) -> AudioPacket {
        let mut pcm = [0i16; FRAME];
        for sample in &mut pcm {
            *sample = (self.phase.sin() * AMPLITUDE * 32767.0) as i16;
            self.phase = (self.phase + TAU * self.hertz / SAMPLE_RATE as f32) % TAU;
        }
        let Ok(payload) = self.encoder.encode_vec(&pcm, 400) else {
            return AudioPacket::quiet();
        };
        let begins_talk = std::mem::take(&mut self.first);
        let level = AudioLevel::of(&pcm);
        AudioPacket { payload: payload.into(), samples: FRAME as u32, level, begins_talk }
    }
}

#[cfg(test)]
mod tests {
    use super::super::level::Listener;
    use super::*;

    #[test]
    fn a_listener_hears_the_note_that_was_played() {
        let mut tone = Tone::new(1000.0).unwrap();
        let mut listener = Listener::new().unwrap();
        for _ in 0..50 {
            listener.decode(&tone.next_packet().payload);
        }
        assert!((listener.amplitude_at(1000.0) - AMPLITUDE).abs() < 0.02);
        assert!(listener.amplitude_at(1500.0) < 0.01);
        assert_eq!(listener.level(), AudioLevel(23));
    }
}
