//! Answers to NACK (RFC 4585) from the publisher's slab, on the RTX stream (RFC 4588). What a receiver asks
//! for is a wish: it is answered within its budget.
//!
//! Without RTX nothing is resent: the same SRTP packet with another transport-wide number would
//! reuse a nonce.

use rtp::sequence::Sequence;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Numbers of one slot looked at in one turn, in however many NACKs they come; a receiver that lost more needs a key
/// frame. At 2 Mbit/s these are half a second.
pub const MAX_RESENT_PER_TURN: usize = 128;

/// Which numbers of a slot were resent lately: as many as the slab holds, so that no number can be requested from it
/// again and again.
#[derive(Debug)]
pub struct Resent {
    memory: usize,
    /// Of number n at n mod `memory`. Taken with the first answer, then kept: 4 KiB.
    answers: Vec<Option<Answer>>,
    began: Option<Instant>,
    /// The turn answered last, and how many numbers were looked at in it.
    turn: Option<(Instant, usize)>,
    /// The next RTX packet's, in a space of their own.
    next: Sequence,
}

/// The last answer to a number, whose low 32 bits identify it: they take months to repeat.
#[derive(Debug, Clone, Copy)]
struct Answer {
    number: NonZeroU32,
    /// Since the first answer; wraps after 49 days.
    at_ms: u32,
}

impl Resent {
    /// Remembers the last `memory` numbers of the slot, rounded up to a power of two.
    pub fn new(memory: usize) -> Resent {
        Resent {
            memory: memory.max(1).next_power_of_two(),
            answers: Vec::new(),
            began: None,
            turn: None,
            next: Sequence::first(1),
        }
    }

    /// How many of `asked` numbers may be looked at in this turn. A turn is all NACKs that come at one time.
    pub fn open_turn(&mut self, now: Instant, asked: usize) -> usize {
        let used = self.turn.filter(|(turn, _)| *turn == now).map_or(0, |(_, used)| used);
        let open = asked.min(MAX_RESENT_PER_TURN.saturating_sub(used));
        self.turn = Some((now, used.saturating_add(open)));
        open
    }

    /// Whether `sequence_out` is among the last numbers before `next_out`, those that are remembered.
    pub fn reaches(&self, next_out: Sequence, sequence_out: Sequence) -> bool {
        sequence_out < next_out && next_out.since(sequence_out) <= self.memory as u64
    }

    /// Whether `sequence_out` was resent so short a time ago that this may still be on its way. `patience` is
    /// about a round trip.
    pub fn is_on_its_way(&self, now: Instant, sequence_out: Sequence, patience: Duration) -> bool {
        let answer = self.answers.get(sequence_out.place(self.memory)).copied().flatten();
        let answer = answer.filter(|answer| answer.number.get() == sequence_out.low_bits());
        answer.is_some_and(|answer| {
            let passed = self.ms(now).wrapping_sub(answer.at_ms);
            u128::from(passed) < patience.as_millis()
        })
    }

    /// `sequence_out` is resent now.
    pub fn remember(&mut self, now: Instant, sequence_out: Sequence) {
        self.began.get_or_insert(now);
        if self.answers.is_empty() {
            self.answers.resize(self.memory, None);
        }
        let at_ms = self.ms(now);
        let place = sequence_out.place(self.memory);
        if let Some(answer) = self.answers.get_mut(place) {
            *answer = NonZeroU32::new(sequence_out.low_bits()).map(|number| Answer { number, at_ms });
        }
    }

    fn ms(&self, now: Instant) -> u32 {
        self.began.map_or(0, |began| now.saturating_duration_since(began).as_millis() as u32)
    }

    /// The sequence number of the next RTX packet.
    pub fn peek_sequence(&self) -> Sequence {
        self.next
    }

    /// Uses that number up.
    pub fn next_sequence(&mut self) {
        self.next = self.next.next();
    }
}

/// Part of the video bytes sent to a receiver that may be sent to it again: a quarter on top of the media is a
/// fifth of the whole, and repairs a line that loses every fifth packet. One that loses more is too narrow,
/// and more bytes make it worse.
const SHARE: f64 = 0.25;
/// Part of what the line is believed to carry. What is resent beyond it takes the place of what is new.
const SHARE_OF_LINE: f64 = 0.2;
/// In bytes per second, whatever is sent: content that stands still is 40 kbit/s, and a burst of losses in it
/// shall not wait for a key frame, which costs more.
const FLOOR: f64 = 12_500.0;
/// What is not used is forgotten in this time. So the budget holds half a second of the media at most: an
/// outage that long is repaired at once, and what a line lost in a longer one would only keep it full.
const MEMORY: Duration = Duration::from_secs(2);
/// Header, transport-wide number, original number and SRTP's tag, beside the payload that is resent.
const OVERHEAD: usize = 48;
/// Numbers looked at per second, answered or not, and at once. A receiver with 12 Mbit/s gets 1,400 packets a
/// second; one that asks for all of them four times costs half a millisecond here.
const QUESTIONS_PER_S: f64 = 4096.0;
const QUESTIONS_AT_ONCE: f64 = 1024.0;

/// What one receiver may have resent: bytes, earned by what is sent to it, and numbers looked at.
///
/// Whatever it asks, in any time it is resent no more than `SHARE` of the video sent to it, and `FLOOR`, and what
/// was saved up before; and of what its line carries no more than `SHARE_OF_LINE`.
#[derive(Debug)]
pub struct ResendBudget {
    at: Instant,
    /// Of `sent` at `at`.
    counted: u64,
    bytes: f64,
    questions: f64,
}

impl ResendBudget {
    pub fn new(now: Instant) -> ResendBudget {
        let bytes = FLOOR * MEMORY.as_secs_f64();
        ResendBudget { at: now, counted: 0, bytes, questions: QUESTIONS_AT_ONCE }
    }

    /// Refills by the time that has passed, by how many bytes of video have been `sent` to the receiver in all, and by
    /// what its line is believed to carry.
    pub fn refill(&mut self, now: Instant, sent: u64, line_bps: Option<f64>) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        let memory = MEMORY.as_secs_f64();
        let earned = sent.saturating_sub(self.counted) as f64 * SHARE + FLOOR * elapsed;
        let most = line_bps.map_or(f64::INFINITY, |bps| bps / 8.0 * SHARE_OF_LINE);
        let earned = earned.min(most * elapsed);
        (self.at, self.counted) = (now.max(self.at), sent);
        // What was earned before the memory begins is forgotten, as is a part of what was there.
        let kept = (1.0 - elapsed / memory).max(0.0);
        self.bytes = (self.bytes * kept + earned * (memory / elapsed.max(memory))).min(most * memory);
        self.questions = (self.questions + QUESTIONS_PER_S * elapsed).min(QUESTIONS_AT_ONCE);
    }

    /// Whether one more number may be looked at.
    pub fn take_question(&mut self) -> bool {
        let left = self.questions >= 1.0;
        self.questions -= f64::from(u8::from(left));
        left
    }

    /// Whether a packet with so many bytes of payload may be resent; takes it from the budget.
    pub fn take_packet(&mut self, payload: usize) -> bool {
        let bytes = payload.saturating_add(OVERHEAD) as f64;
        let enough = self.bytes >= bytes;
        self.bytes -= if enough { bytes } else { 0.0 };
        enough
    }
}

#[cfg(test)]
#[path = "resend_tests.rs"]
mod tests;
