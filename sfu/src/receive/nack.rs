//! Which lost packets to ask for again, and when (RFC 4585 section 6.2.1).
//!
//! A gap waits a moment for reordering, is asked for, and again each round trip until it is filled
//! or no longer worth it. What is given up in video leaves a frame no decoder can finish: the
//! answer then is "a key frame is needed".

use crate::limits::SPEECH_MAX_AGE;
use crate::time::{after, earliest};
use rtp::sequence::Sequence;
use std::time::{Duration, Instant};

/// Waited before the first question, unless one more packet comes first. Packets of one frame leave within 0.2 ms and
/// swap neighbours at most, so the second packet after a gap proves the loss; 10 ms is half the interval of audio and
/// costs nothing against the round trip.
const GRACE: Duration = Duration::from_millis(10);
/// Asked again after this many round trips: an answer that is on its way is not asked for twice.
const RTT_FACTOR: f64 = 1.1;
/// Shortest time between questions: below it a sender's pacing looks like loss.
const MIN_INTERVAL: Duration = Duration::from_millis(20);
/// An RTT beyond this is an error of measurement, and every packet would be too old by then.
const MAX_RTT: Duration = Duration::from_secs(1);
/// As in libwebrtc (kMaxNackRetries).
const MAX_TRIES: u8 = 10;
/// A second of 2 Mbit/s video. More missing is an outage, and a key frame is cheaper.
const MAX_OUTSTANDING: usize = 256;
/// The layer's slab holds about 1.5 s of video, and no viewer waits longer.
const VIDEO_MAX_AGE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
struct Missing {
    sequence: Sequence,
    since: Instant,
    ask_at: Instant,
    tries: u8,
}

/// The questions of one layer.
#[derive(Debug)]
pub struct NackGenerator {
    video: bool,
    newest: Option<Sequence>,
    /// First packet of the newest key frame: what is lost before it needs no other.
    key: Sequence,
    /// In ascending order; never more than `MAX_OUTSTANDING`.
    missing: Vec<Missing>,
    /// Not later than the first thing to do; exact after `poll`.
    due: Option<Instant>,
}

impl NackGenerator {
    pub fn video() -> NackGenerator {
        NackGenerator::new(true)
    }

    pub fn audio() -> NackGenerator {
        NackGenerator::new(false)
    }

    fn new(video: bool) -> NackGenerator {
        NackGenerator { video, newest: None, key: Sequence::START, missing: Vec::new(), due: None }
    }

    /// Nothing before `sequence` is asked for any more: the stream restarted there, or it is not published and only
    /// uses up its numbers. A late packet from before opens no gap up to what came since.
    pub fn begin_at(&mut self, sequence: Sequence) {
        self.newest = self.newest.max(Some(sequence));
        self.forget();
    }

    /// Nothing of what is missing now is asked for any more.
    pub fn forget(&mut self) {
        self.missing.clear();
        self.due = None;
    }

    /// Takes the number of each accepted packet. True when so much is missing that only a key frame helps (video).
    #[must_use]
    pub fn on_arrival(&mut self, now: Instant, sequence: Sequence, is_retransmission: bool) -> bool {
        let Some(newest) = self.newest else {
            self.newest = Some(sequence);
            return false;
        };
        if sequence <= newest {
            self.fill(sequence);
            return false;
        }
        self.newest = Some(sequence);
        if !is_retransmission {
            self.end_grace(now);
        }
        self.add_gap(now, newest.next(), sequence)
    }

    /// Takes the number of a key frame's first packet: giving up on anything older is no reason to ask for another. It
    /// is still asked for, since viewers with deep buffers play it.
    pub fn on_keyframe(&mut self, sequence: Sequence) {
        self.key = self.key.max(sequence);
    }

    /// Appends the numbers to ask for now. True when something was given up that only a key frame
    /// can repair (video).
    #[must_use]
    pub fn poll(&mut self, now: Instant, rtt: Duration, out: &mut Vec<u16>) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        let again = after(now, rtt.min(MAX_RTT).mul_f64(RTT_FACTOR).max(MIN_INTERVAL));
        let (max_age, key, video) = (self.max_age(), self.key, self.video);
        let (mut hurts, mut due) = (false, None);
        self.missing.retain_mut(|missing| {
            let expires = after(missing.since, max_age);
            let asks = missing.ask_at <= now;
            if expires <= now || (asks && missing.tries >= MAX_TRIES) {
                hurts |= missing.sequence >= key;
                return false;
            }
            if asks && !video && after(now, rtt) >= expires {
                // The answer would be too late. It may still come by itself, or as redundancy.
                missing.ask_at = expires;
            } else if asks {
                out.push(missing.sequence.number());
                missing.tries = missing.tries.saturating_add(1);
                missing.ask_at = again;
            }
            due = earliest(due, Some(missing.ask_at.min(expires)));
            true
        });
        self.due = due;
        hurts && self.video
    }

    /// When to `poll`; `None` while nothing is missing.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.due
    }

    fn max_age(&self) -> Duration {
        if self.video { VIDEO_MAX_AGE } else { SPEECH_MAX_AGE }
    }

    /// Whether a packet has not come and is not given up.
    pub fn is_missing(&self, sequence: Sequence) -> bool {
        self.missing.binary_search_by_key(&sequence, |missing| missing.sequence).is_ok()
    }

    /// A packet is there, in whatever way it came.
    pub fn fill(&mut self, sequence: Sequence) {
        let found = self.missing.binary_search_by_key(&sequence, |missing| missing.sequence);
        if let Ok(place) = found {
            self.missing.remove(place);
        }
        if self.missing.is_empty() {
            self.due = None;
        }
    }

    /// A later packet came: gaps that only waited for reordering, the last ones, are asked for.
    fn end_grace(&mut self, now: Instant) {
        for missing in self.missing.iter_mut().rev().take_while(|missing| missing.tries == 0) {
            missing.ask_at = missing.ask_at.min(now);
            self.due = earliest(self.due, Some(now));
        }
    }

    fn add_gap(&mut self, now: Instant, first: Sequence, end: Sequence) -> bool {
        let gap = end.since(first);
        if gap == 0 {
            return false;
        }
        let free = MAX_OUTSTANDING.saturating_sub(self.missing.len());
        if gap > free as u64 {
            self.forget();
            return self.video;
        }
        let ask_at = after(now, GRACE);
        let missing = |sequence| Missing { sequence, since: now, ask_at, tries: 0 };
        self.missing.extend(first.until(end).map(missing));
        self.due = earliest(self.due, Some(ask_at));
        false
    }
}

#[cfg(test)]
#[path = "nack_tests.rs"]
mod tests;
