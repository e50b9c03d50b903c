//! A voice's jitter buffer: it puts packets into their order and says what is to be played next.
//!
//! What is not there in its turn is lost where something later is there, and concealed; else it may only be late, and is
//! waited for. That much silence is then owed: what turns out lost of it needs no concealment of its own. So a line's
//! jitter makes the delay as long as it needs to be.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::codec::{FRAME, MAX_SAMPLES};

/// A voice begins to play so long after its first packet: two packets of jitter, which most lines do not exceed.
const START_DELAY: Duration = Duration::from_millis(40);
/// What is late is concealed for so many samples, 60 ms; libopus fades out by then. Then the voice has paused.
const PATIENCE: i64 = FRAME as i64 * 3;
/// A timestamp that differs more than this from the newest, 500 ms, is of an encoder that began anew, or of a voice
/// after a pause.
const LEAP: i64 = FRAME as i64 * 25;
/// When more waits than this, 400 ms, nobody could converse: all is left out but the newest 60 ms.
const MAX_WAIT: i64 = FRAME as i64 * 20;
const KEPT: i64 = FRAME as i64 * 3;
/// Packets of a voice that wait, at most. It bounds memory; 400 ms of packets of 10 ms are 40.
pub const MAX_WAITING: usize = 64;
/// Bytes of a voice's packet, at most: what a line carries at once. One frame of Opus has up to 1,275 (RFC 6716 section
/// 3.2.1).
pub const MAX_PAYLOAD: usize = 1_500;

/// A packet of a voice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// How long it sounds, at 48 kHz.
    pub samples: usize,
    /// As it came.
    pub payload: Vec<u8>,
}

/// What is to be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// This packet.
    Packet(Packet),
    /// So many samples, at most a frame, in place of what is not there.
    Conceal(usize),
    /// Nothing: the voice has paused.
    Pause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Paused,
    Starts(Instant),
    Plays,
}

/// Packets that wait, by timestamps that do not wrap.
#[derive(Debug)]
pub struct Buffer {
    state: State,
    waiting: BTreeMap<i64, Packet>,
    /// The highest timestamp that came.
    newest: i64,
    /// Where what was played ends.
    next: i64,
    /// Samples that were concealed while nothing was there.
    owed: i64,
}

impl Buffer {
    /// Of a voice that was not heard yet.
    pub fn new() -> Buffer {
        Buffer { state: State::Paused, waiting: BTreeMap::new(), newest: 0, next: i64::MIN, owed: 0 }
    }

    /// Takes a packet that came at `now`, unless it is too late, a duplicate or beyond bounds.
    pub fn insert(&mut self, now: Instant, timestamp: u32, packet: Packet) {
        if packet.payload.len() > MAX_PAYLOAD || !(1..=MAX_SAMPLES).contains(&packet.samples) {
            return;
        }
        let at = self.extended(timestamp);
        if at < self.next {
            return;
        }
        if self.state == State::Paused {
            self.state = State::Starts(now.checked_add(START_DELAY).unwrap_or(now));
        }
        self.waiting.entry(at).or_insert(packet);
        self.newest = self.newest.max(at);
        self.bound();
    }

    /// Whether there is something to play at `now`. A voice that waited for its start has begun then.
    pub fn plays(&mut self, now: Instant) -> bool {
        match self.state {
            State::Paused => return false,
            State::Starts(at) if now < at => return false,
            State::Starts(_) => {
                self.state = State::Plays;
                self.play_from_first();
            }
            State::Plays => {}
        }
        true
    }

    /// What comes next, where so many samples are needed. A [`Next::Conceal`] of what was lost has as many as are lost.
    pub fn next(&mut self, needed: usize) -> Next {
        // Packets that overlap with what was played.
        while self.waiting.first_key_value().is_some_and(|(at, _)| *at < self.next) {
            self.waiting.pop_first();
        }
        let Some((first, _)) = self.waiting.first_key_value() else { return self.wait(needed) };
        let paid = self.owed.min(first.saturating_sub(self.next));
        self.owed = self.owed.saturating_sub(paid);
        self.next = self.next.saturating_add(paid);
        let lost = first.saturating_sub(self.next).clamp(0, FRAME as i64);
        if lost > 0 {
            self.next = self.next.saturating_add(lost);
            return Next::Conceal(lost as usize);
        }
        let Some((_, packet)) = self.waiting.pop_first() else { return Next::Pause };
        self.next = self.next.saturating_add(packet.samples as i64);
        self.owed = 0;
        Next::Packet(packet)
    }

    /// Samples from what is to be played next to the end of the newest packet.
    pub fn waits(&self) -> usize {
        self.span().max(0) as usize
    }

    /// Something late may come yet, but not for ever.
    fn wait(&mut self, needed: usize) -> Next {
        if self.owed >= PATIENCE {
            self.state = State::Paused;
            return Next::Pause;
        }
        let needed = needed.min(FRAME);
        self.owed = self.owed.saturating_add(needed as i64);
        Next::Conceal(needed)
    }

    /// The timestamp in the order of those before it. One that leaps begins an order of its own.
    fn extended(&mut self, timestamp: u32) -> i64 {
        let leap = i64::from(timestamp.wrapping_sub(self.newest as u32).cast_signed());
        if (-LEAP..=LEAP).contains(&leap) {
            return self.newest.saturating_add(leap);
        }
        *self = Buffer { newest: timestamp.into(), ..Buffer::new() };
        self.newest
    }

    fn span(&self) -> i64 {
        let ends = |(at, packet): (&i64, &Packet)| at.saturating_add(packet.samples as i64);
        let end = self.waiting.last_key_value().map(ends);
        let first = self.waiting.first_key_value().map(|(at, _)| *at);
        let begin = if self.state == State::Plays { Some(self.next) } else { first };
        end.zip(begin).map_or(0, |(end, begin)| end.saturating_sub(begin))
    }

    fn bound(&mut self) {
        let excess = self.span().saturating_sub(MAX_WAIT);
        if excess <= 0 && self.waiting.len() <= MAX_WAITING {
            return;
        }
        if let Some((last, packet)) = self.waiting.last_key_value() {
            let from = last.saturating_add(packet.samples as i64).saturating_sub(KEPT).min(*last);
            self.waiting = self.waiting.split_off(&from);
        }
        while self.waiting.len() > MAX_WAITING {
            self.waiting.pop_first();
        }
        self.play_from_first();
    }

    fn play_from_first(&mut self) {
        if let Some((first, _)) = self.waiting.first_key_value() {
            self.next = *first;
            self.owed = 0;
        }
    }
}

#[cfg(test)]
#[path = "buffer_tests.rs"]
mod tests;
