//! A voice: its packets become 20 ms of sound at each tick.

use std::time::Instant;

use crate::buffer::{Buffer, Next, Packet};
use crate::codec::{Codec, FRAME};
use crate::slack::Slack;

/// What stays below this all the time, −60 dB of full scale, is no sound: noise that a quiet microphone or an encoder in a
/// pause leaves.
const AUDIBLE: f32 = 0.001;

/// One of the voices of a room.
pub struct Voice<C: Codec> {
    decoder: C::Decoder,
    buffer: Buffer,
    slack: Slack,
    /// Decoded and not yet played: a packet may be longer than a tick.
    decoded: Vec<f32>,
    frame: [f32; FRAME],
    is_heard: bool,
}

impl<C: Codec> Voice<C> {
    /// A voice that was not heard yet; `None` where there is no decoder.
    pub fn new(codec: &C) -> Option<Voice<C>> {
        Some(Voice {
            decoder: codec.decoder()?,
            buffer: Buffer::new(),
            slack: Slack::new(),
            decoded: Vec::new(),
            frame: [0.0; FRAME],
            is_heard: false,
        })
    }

    /// A packet that came at `now`, with its timestamp at 48 kHz.
    pub fn receive(&mut self, codec: &C, now: Instant, timestamp: u32, payload: Vec<u8>) {
        let samples = codec.samples(&payload);
        self.buffer.insert(now, timestamp, Packet { samples, payload });
    }

    /// Makes the frame of the tick at `now`.
    pub fn tick(&mut self, codec: &C, now: Instant) {
        if self.buffer.plays(now) {
            if self.slack.note(self.buffer.waits().saturating_add(self.decoded.len())) {
                self.fill(codec);
                self.take_frame();
            }
            self.fill(codec);
        } else {
            self.slack = Slack::new();
        }
        self.take_frame();
        self.is_heard = self.frame.iter().any(|sample| sample.abs() >= AUDIBLE);
    }

    /// The 20 ms of the last tick.
    pub fn frame(&self) -> &[f32; FRAME] {
        &self.frame
    }

    /// Whether there is sound in them.
    pub fn is_heard(&self) -> bool {
        self.is_heard
    }

    /// Decodes until there is a frame, or the voice pauses.
    fn fill(&mut self, codec: &C) {
        while self.decoded.len() < FRAME {
            match self.buffer.next(FRAME.saturating_sub(self.decoded.len())) {
                Next::Packet(packet) => self.decode(codec, &packet),
                Next::Conceal(samples) => self.conceal(codec, samples),
                Next::Pause => return,
            }
        }
    }

    fn decode(&mut self, codec: &C, packet: &Packet) {
        let before = self.decoded.len();
        if codec.decode(&mut self.decoder, Some(&packet.payload), &mut self.decoded) {
            self.decoded.resize(before.saturating_add(packet.samples), 0.0);
        } else {
            self.decoded.truncate(before);
            self.conceal(codec, packet.samples);
        }
    }

    fn conceal(&mut self, codec: &C, samples: usize) {
        let wanted = self.decoded.len().saturating_add(samples);
        for _ in 0..samples.div_ceil(FRAME) {
            codec.decode(&mut self.decoder, None, &mut self.decoded);
        }
        self.decoded.resize(wanted, 0.0);
    }

    /// Plays what is decoded, and silence where that is too little.
    fn take_frame(&mut self) {
        self.frame.fill(0.0);
        let there = self.decoded.len().min(FRAME);
        for (to, from) in self.frame.iter_mut().zip(self.decoded.drain(..there)) {
            *to = from;
        }
    }
}

#[cfg(test)]
#[path = "voice_tests.rs"]
mod tests;
