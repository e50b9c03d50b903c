//! A mix: frames become packets of Opus, and silence becomes none.

use crate::codec::{Codec, FRAME, PACKET};
use crate::grid::Tick;
use sfu::mix::MixFormat;

/// A mix without sound for so many ticks, 400 ms, sends nothing: longer than the pauses between words, which would
/// otherwise sound cut.
const SILENCE: u32 = 20;

/// What one kind of listener hears of a room.
pub struct Mix<C: Codec> {
    encoder: C::Encoder,
    format: MixFormat,
    /// Of a packet that is begun.
    samples: Vec<f32>,
    timestamp: u32,
    /// Ticks without sound.
    quiet: u32,
}

impl<C: Codec> Mix<C> {
    /// A mix that is silent as yet; `None` where there is no encoder.
    pub fn new(codec: &C, format: MixFormat) -> Option<Mix<C>> {
        let encoder = codec.encoder(format.bps)?;
        Some(Mix { encoder, format, samples: Vec::with_capacity(PACKET), timestamp: 0, quiet: SILENCE })
    }

    /// Another format from the next packet on.
    pub fn set_format(&mut self, codec: &C, format: MixFormat) {
        if self.format.bps != format.bps {
            codec.set_bps(&mut self.encoder, format.bps);
        }
        self.format = format;
    }

    /// Takes a tick's frame, in which there is sound or not. At the last one of a packet gives that, with its timestamp.
    pub fn take(
        &mut self,
        codec: &C,
        tick: Tick,
        frame: impl Iterator<Item = f32>,
        is_heard: bool,
    ) -> Option<(u32, Vec<u8>)> {
        self.quiet = if is_heard { 0 } else { self.quiet.saturating_add(1) };
        let is_first = !self.format.is_long || tick.is_even();
        if is_first {
            self.samples.clear();
            self.timestamp = tick.timestamp();
        } else if self.samples.len() != FRAME {
            // A mix that was ordered in the middle of a packet, or has become long there.
            return None;
        }
        self.samples.extend(frame);
        if (self.format.is_long && is_first) || self.quiet >= SILENCE {
            return None;
        }
        let payload = codec.encode(&mut self.encoder, &self.samples);
        self.samples.clear();
        payload.map(|payload| (self.timestamp, payload))
    }
}
