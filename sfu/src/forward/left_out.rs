//! Packets a slot leaves out (upper temporal layers): which of them leave no gap behind, and which numbers
//! among them may still be wanted.

use super::packet::PacketMeta;
use crate::rtp::codec::Codec;

/// Pictures left out in a row that are remembered one by one; more come only where nothing is sent at all.
const MAX_LEFT_OUT: usize = 64;
/// What is known of the packets behind the last one sent, while none of them is to be sent.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Numbers `first..end` that have not come: they may be wanted.
    pub gaps: Vec<(u64, u64)>,
    pictures: Vec<LeftOutPicture>,
    /// VP8 pictures before those.
    older: u16,
}

/// A picture of which at least one packet was left out.
#[derive(Debug, Clone, Copy)]
struct LeftOutPicture {
    first_in: u64,
    timestamp: u32,
    /// 1 where it leaves a gap in VP8 picture ids.
    ids: u16,
}

impl LeftOut {
    /// A left-out packet came; those from `first_missing` up to it are missing, unless they are of the same
    /// picture.
    pub fn take(&mut self, sequence_in: u64, first_missing: u64, packet: &PacketMeta) {
        let known = self.pictures.iter().any(|picture| picture.timestamp == packet.timestamp);
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
            let place = self.pictures.partition_point(|picture| picture.first_in < sequence_in);
            let picture = LeftOutPicture { first_in: sequence_in, timestamp: packet.timestamp, ids };
            self.pictures.insert(place, picture);
        }
        if self.pictures.len() > MAX_LEFT_OUT {
            self.older = self.older.wrapping_add(self.pictures.remove(0).ids);
        }
    }

    pub fn gap_of(&self, sequence_in: u64) -> Option<usize> {
        self.gaps.iter().position(|(first, end)| (*first..*end).contains(&sequence_in))
    }

    /// Takes one number out of a gap.
    fn split(&mut self, gap: usize, sequence_in: u64) {
        let (first, end) = self.gaps.remove(gap);
        let behind = sequence_in.saturating_add(1);
        if behind < end {
            self.gaps.insert(gap, (behind, end));
        }
        if first < sequence_in {
            self.gaps.insert(gap, (first, sequence_in));
        }
    }

    /// The first gap has been filled up to there.
    pub fn begin_gap_at(&mut self, first_in: u64) {
        if let Some((first, end)) = self.gaps.first_mut() {
            *first = first_in;
            if first_in >= *end {
                self.gaps.remove(0);
            }
        }
    }

    /// Picture ids left out before a number, which are closed behind there.
    pub fn forget_before(&mut self, first_in: u64) -> u16 {
        let count = self.pictures.partition_point(|picture| picture.first_in < first_in);
        let before: u16 = self.pictures.drain(..count).map(|picture| picture.ids).sum();
        std::mem::take(&mut self.older).wrapping_add(before)
    }
}
