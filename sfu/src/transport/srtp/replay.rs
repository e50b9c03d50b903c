//! Which packet indices were seen or sent (RFC 3711 section 3.3.2) and what the index of the next packet
//! is (section 3.3.1).

use crate::discard::DropReason;
use rtp::sequence::Sequence;

const WORD_BITS: u64 = 64;
/// Of RTP: 2,048 numbers, of which at least 1,984 are remembered at any time. Without RTX a repeated
/// packet keeps its number; at 1,000 packets/s (20 Mbit/s) and a round trip of one second it comes
/// 1,000 numbers late and must still be let in. 256 bytes per SSRC.
pub(super) const RTP_WORDS: usize = 32;
/// Of RTCP: 192 numbers, of which at least 128 are remembered; RFC 3711 section 3.3.2 asks for 64. A
/// sender reports at most every 50 ms, so that is six seconds.
pub(super) const RTCP_WORDS: usize = 3;
/// Of what we send: 1,024 numbers, of which at least 960 are remembered. A packet that comes to us late leaves
/// late under the number kept for it, at most as far back as a publisher's slab of 512 packets reaches and
/// one more slab that was played meanwhile. Libsrtp, which browsers have, lets in no more than 1,024 either.
pub(super) const SENT_WORDS: usize = 16;

/// The highest index accepted and which of those below it were. A ring of bits.
#[derive(Debug, Clone)]
pub(super) struct ReplayWindow<const WORDS: usize> {
    /// Highest index marked; `None` before the first.
    top: Option<u64>,
    bits: [u64; WORDS],
}

impl<const WORDS: usize> ReplayWindow<WORDS> {
    pub(super) fn new() -> Self {
        ReplayWindow { top: None, bits: [0; WORDS] }
    }

    pub(super) fn top(&self) -> Option<u64> {
        self.top
    }

    /// Whether `index` is new. Nothing is remembered until it has authenticated (`mark`).
    #[inline]
    pub(super) fn check(&self, index: u64) -> Result<(), DropReason> {
        let Some(top) = self.top.filter(|top| index <= *top) else {
            return Ok(());
        };
        let too_old = word_number(top).wrapping_sub(word_number(index)) >= WORDS as u64;
        let (word, bit) = place::<WORDS>(index);
        let seen = self.bits.get(word).is_none_or(|word| word & bit != 0);
        if too_old || seen {
            return Err(DropReason::Replay);
        }
        Ok(())
    }

    #[inline]
    pub(super) fn mark(&mut self, index: u64) {
        let top = self.top.unwrap_or(0);
        if index > top {
            self.clear_between(word_number(top), word_number(index));
        }
        self.top = Some(top.max(index));
        let (word, bit) = place::<WORDS>(index);
        if let Some(word) = self.bits.get_mut(word) {
            *word |= bit;
        }
    }

    /// Words that are entered for the first time, at most once around.
    fn clear_between(&mut self, old: u64, new: u64) {
        let steps = new.saturating_sub(old).min(WORDS as u64);
        for step in 0..steps {
            let slot = slot::<WORDS>(new.wrapping_sub(step));
            if let Some(word) = self.bits.get_mut(slot) {
                *word = 0;
            }
        }
    }
}

fn word_number(index: u64) -> u64 {
    index / WORD_BITS
}

/// Where in the ring a word of the endless row is.
fn slot<const WORDS: usize>(word: u64) -> usize {
    (word as usize).checked_rem(WORDS).unwrap_or(0)
}

fn place<const WORDS: usize>(index: u64) -> (usize, u64) {
    let bit = 1u64.wrapping_shl((index % WORD_BITS) as u32);
    (slot::<WORDS>(word_number(index)), bit)
}

/// The 48-bit index of a packet with this sequence number: the one nearest to the highest so far.
/// Before the first packet the roll-over counter is 0. `None` would be before the beginning.
#[inline]
pub(super) fn guess_index(top: Option<u64>, number: u16) -> Option<u64> {
    let first = Sequence::first(number);
    top.map_or(first, |top| Sequence::from_index(top).nearest(number)).index()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn the_index_follows_the_wrap_both_ways() {
        let cases = [
            (None, 60_000, Some(60_000)),
            (Some(65_535), 0, Some(65_536)),
            (Some(65_536), 65_535, Some(65_535)),
            (Some(70_000), 4_465, Some(70_001)),
            (Some(3), 65_530, None),
        ];
        for (top, sequence, index) in cases {
            assert_eq!(guess_index(top, sequence), index, "{top:?} {sequence}");
        }
    }

    #[test]
    fn a_packet_a_thousand_late_is_let_in_once() {
        let mut window = ReplayWindow::<RTP_WORDS>::new();
        window.mark(10_000);
        assert_eq!(window.check(9_000), Ok(()));
        window.mark(9_000);
        assert_eq!(window.check(9_000), Err(DropReason::Replay));
        assert_eq!(window.check(10_000), Err(DropReason::Replay));
        assert_eq!(window.check(7_000), Err(DropReason::Replay), "too old");
    }

    #[test]
    fn a_jump_forgets_everything_before() {
        let mut window = ReplayWindow::<RTP_WORDS>::new();
        (0..2_048).for_each(|index| window.mark(index));
        window.mark(1 << 40);
        assert_eq!(window.check((1 << 40) - 1_900), Ok(()));
        assert_eq!(window.check(5), Err(DropReason::Replay));
    }

    /// Nothing twice, and nothing refused that is less than `remembered` late.
    fn accept<const WORDS: usize>(indices: &[u64], remembered: u64) -> Result<(), TestCaseError> {
        let (mut window, mut seen) = (ReplayWindow::<WORDS>::new(), HashSet::new());
        for index in indices {
            let top = window.top().unwrap_or(0);
            if window.check(*index).is_ok() {
                prop_assert!(seen.insert(*index));
                window.mark(*index);
            } else {
                prop_assert!(seen.contains(index) || index + remembered <= top);
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn nothing_is_accepted_twice(indices in prop::collection::vec(0u64..6_000, 1..400)) {
            accept::<RTP_WORDS>(&indices, 1_984)?;
            accept::<RTCP_WORDS>(&indices, 128)?;
        }
    }
}
