//! The egress guard: in debug builds and simulations, every packet that leaves a slot is checked. What the guard
//! refuses a decoder would refuse too.

use super::packet::PacketMeta;
use rtp::sequence::Sequence;

/// Numbers remembered to find one used twice.
const WINDOW: usize = 512;

/// What has left one slot so far.
#[derive(Debug, Default)]
pub struct Guard {
    highest: Option<Sequence>,
    seen: Vec<Sequence>,
    timestamp: u32,
    frame_open: bool,
    /// A packet of the slot was given up unsent: what follows may be incomplete until a key frame.
    broken: bool,
}

impl Guard {
    /// The sender knows that a packet is missing, and has asked for a key frame.
    pub fn give_up(&mut self) {
        self.broken = true;
    }

    /// Checks a packet in the order it leaves; `Err` names the broken promise.
    pub fn check(
        &mut self,
        sequence: Sequence,
        timestamp: u32,
        meta: &PacketMeta,
        is_video: bool,
    ) -> Result<(), &'static str> {
        if self.seen.contains(&sequence) {
            return Err("a sequence number is used twice");
        }
        self.remember(sequence);
        let Some(highest) = self.highest else {
            self.accept(sequence, timestamp, meta);
            let begins = !is_video || meta.keyframe || self.broken;
            return begins.then_some(()).ok_or("the first video packet begins no key frame");
        };
        if sequence <= highest {
            return Ok(());
        }
        let next = sequence == highest.next();
        let advanced = timestamp.wrapping_sub(self.timestamp);
        if advanced >= 1 << 31 {
            return Err("time goes backwards");
        }
        self.broken &= !meta.keyframe;
        let torn = next && self.frame_open && advanced != 0 && !meta.keyframe;
        if is_video && torn && !self.broken {
            return Err("a frame is torn");
        }
        self.accept(sequence, timestamp, meta);
        Ok(())
    }

    fn accept(&mut self, sequence: Sequence, timestamp: u32, meta: &PacketMeta) {
        self.highest = Some(sequence);
        self.timestamp = timestamp;
        self.frame_open = !meta.frame_end;
    }

    fn remember(&mut self, sequence: Sequence) {
        self.seen.push(sequence);
        if self.seen.len() > WINDOW {
            self.seen.remove(0);
        }
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
