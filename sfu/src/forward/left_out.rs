//! Packets a slot leaves out (upper temporal layers): which of them leave no gap in the numbers, and which numbers
//! among them may still be wanted.

use super::packet::PacketMeta;
use rtp::codec::Codec;
use rtp::sequence::Sequence;

/// Frames left out in a row that are remembered one by one; more come only where nothing is sent at all.
const MAX_LEFT_OUT: usize = 64;
/// What is known of the packets after the last one sent, while none of them is to be sent.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Numbers `first..end` that have not come: they may be wanted.
    pub gaps: Vec<(Sequence, Sequence)>,
    frames: Vec<LeftOutFrame>,
    /// VP8 frames before those.
    older: u16,
}

/// A frame of which at least one packet was left out.
#[derive(Debug, Clone, Copy)]
struct LeftOutFrame {
    first_in: Sequence,
    timestamp: u32,
    /// 1 where it leaves a gap in VP8 picture ids.
    ids: u16,
}

impl LeftOut {
    /// A left-out packet came; those from `first_missing` up to it are missing, unless they are of the same
    /// frame.
    pub fn take(&mut self, sequence_in: Sequence, first_missing: Sequence, packet: &PacketMeta) {
        let known = self.frames.iter().any(|frame| frame.timestamp == packet.timestamp);
        if sequence_in > first_missing && !known {
            self.gaps.push((first_missing, sequence_in));
        }
        if let Some(gap) = self.gap_of(sequence_in) {
            self.split(gap, sequence_in);
        } else if sequence_in < first_missing {
            return;
        }
        if !known {
            let ids = u16::from(packet.codec == Codec::Vp8 && packet.picture_id.is_some());
            self.frames.push(LeftOutFrame { first_in: sequence_in, timestamp: packet.timestamp, ids });
            self.frames.sort_by_key(|frame| frame.first_in);
        }
        if self.frames.len() > MAX_LEFT_OUT {
            self.older = self.older.wrapping_add(self.frames.remove(0).ids);
        }
    }

    pub fn gap_of(&self, sequence_in: Sequence) -> Option<usize> {
        self.gaps.iter().position(|(first, end)| (*first..*end).contains(&sequence_in))
    }

    /// Takes one number out of a gap.
    fn split(&mut self, gap: usize, sequence_in: Sequence) {
        let (first, end) = self.gaps.remove(gap);
        let after = sequence_in.next();
        if after < end {
            self.gaps.insert(gap, (after, end));
        }
        if first < sequence_in {
            self.gaps.insert(gap, (first, sequence_in));
        }
    }

    /// The first gap has been filled up to there.
    pub fn begin_gap_at(&mut self, first_in: Sequence) {
        if let Some((first, end)) = self.gaps.first_mut() {
            *first = first_in;
            if first_in >= *end {
                self.gaps.remove(0);
            }
        }
    }

    /// How many picture ids were left out before a number; the ids after that number close the gap.
    pub fn forget_before(&mut self, first_in: Sequence) -> u16 {
        let count = self.frames.partition_point(|frame| frame.first_in < first_in);
        let before: u16 = self.frames.drain(..count).map(|frame| frame.ids).sum();
        std::mem::take(&mut self.older).wrapping_add(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn at(index: u64) -> Sequence {
        Sequence::from_index(index)
    }

    fn packet(timestamp: u32) -> PacketMeta {
        PacketMeta {
            timestamp,
            temporal: 2,
            picture_id: Some(1),
            ..PacketMeta::whole_frame(Instant::now(), Codec::Vp8)
        }
    }

    #[test]
    fn only_numbers_that_have_not_come_are_gaps() {
        let mut left_out = LeftOut::default();
        left_out.take(at(10), at(10), &packet(1));
        assert_eq!(left_out.gaps, [], "nothing is missing before the one that was expected");
        left_out.take(at(14), at(11), &packet(2));
        assert_eq!(left_out.gaps, [(at(11), at(14))]);
        left_out.take(at(18), at(15), &packet(2));
        assert_eq!(
            left_out.gaps,
            [(at(11), at(14))],
            "what lies within a frame that is left out is not wanted"
        );
        left_out.take(at(12), at(15), &packet(3));
        assert_eq!(left_out.gaps, [(at(11), at(12)), (at(13), at(14))], "a late one is out of its gap");
        assert_eq!(
            [10, 11, 12, 13, 14].map(|number| left_out.gap_of(at(number))),
            [None, Some(0), None, Some(1), None]
        );
        left_out.take(at(11), at(15), &packet(4));
        assert_eq!(left_out.gaps, [(at(13), at(14))], "and ends it where it was all of it");
    }

    #[test]
    fn a_gap_is_filled_from_its_beginning() {
        let mut left_out = LeftOut::default();
        left_out.take(at(15), at(10), &packet(1));
        left_out.begin_gap_at(at(12));
        assert_eq!(left_out.gaps, [(at(12), at(15))]);
        left_out.begin_gap_at(at(14));
        assert_eq!(left_out.gaps, [(at(14), at(15))]);
        left_out.begin_gap_at(at(15));
        assert_eq!(left_out.gaps, []);
        left_out.begin_gap_at(at(16));
        assert_eq!(left_out.gaps, []);
    }

    #[test]
    fn each_frame_leaves_one_picture_id() {
        let mut left_out = LeftOut::default();
        for (number, timestamp) in [(12, 2), (10, 1), (13, 2), (14, 3)] {
            left_out.take(at(number), at(number), &packet(timestamp));
        }
        left_out.take(at(20), at(20), &PacketMeta { picture_id: None, ..packet(4) });
        left_out.take(at(21), at(21), &PacketMeta { codec: Codec::H264, ..packet(5) });
        // Not noted: it came before what is missing, and is of no gap.
        left_out.take(at(9), at(20), &packet(6));
        assert_eq!(left_out.forget_before(at(10)), 0);
        assert_eq!(left_out.forget_before(at(13)), 2, "the first two frames");
        assert_eq!(left_out.forget_before(at(100)), 1);
        assert_eq!(left_out.forget_before(at(100)), 0, "counted once");
    }

    /// However many are left out in a row, their ids are counted, though only the newest are remembered.
    #[test]
    fn frames_beyond_memory_keep_their_count() {
        let mut left_out = LeftOut::default();
        for number in 0..MAX_LEFT_OUT as u64 {
            left_out.take(at(number), at(number), &packet(number as u32));
        }
        assert_eq!((left_out.frames.len(), left_out.older), (MAX_LEFT_OUT, 0));
        for number in 64..74 {
            left_out.take(at(number), at(number), &packet(number as u32));
        }
        assert_eq!((left_out.frames.len(), left_out.older), (MAX_LEFT_OUT, 10));
        assert_eq!(left_out.forget_before(at(20)), 20);
    }
}
