//! The publisher's slab: the newest packets of one layer, read by every subscriber that shows it.
//!
//! A ring of entries found by number, and a ring of bytes they point into. Strides of a full packet
//! would take 750 KiB for 512 packets where 2 Mbit/s of video (900 bytes on average) fill 450: with
//! 160 layers on a core that is 120 MB against 80. The rings overwrite the oldest independently;
//! an entry knows from its offset whether its bytes are still there. Packets are not aligned: one
//! thread reads and writes, and a pad to the cache line would cost 3 % of the depth.

use crate::discard::DropReason;
use crate::limits;
use rtp::sequence::Sequence;
use std::cmp::Ordering;
use std::fmt;

/// Bytes of the ring per entry: a little above the mean of a 2 Mbit/s camera. Packets at the MTU
/// all the time (content) shorten the reach to 85 % of the entries, still above a second.
const BYTES_PER_ENTRY: usize = 1024;
/// No fewer than this, so that the largest packet fits even with the rest of a lap skipped.
const MIN_RING_BYTES: usize = 4096;
/// Bound on what a caller may ask for: numbers repeat in RTP after this many.
const MAX_ENTRIES: usize = 65_536;

#[derive(Debug, Clone, Copy)]
struct Entry<M> {
    sequence: Sequence,
    /// Position in the endless run of bytes; modulo the ring's size, where they are.
    start: u64,
    length: u16,
    meta: M,
}

/// Packets with what is known of them, by sequence number.
pub struct Slab<M: Copy> {
    capacity: usize,
    entries: Vec<Option<Entry<M>>>,
    bytes: Vec<u8>,
    /// Where the next packet begins, in the endless run.
    head: u64,
}

impl<M: Copy> Slab<M> {
    /// Room for up to `entries` packets, rounded up to a power of two. Takes no memory before the
    /// first packet.
    pub fn new(entries: usize) -> Slab<M> {
        Slab {
            capacity: entries.clamp(1, MAX_ENTRIES).next_power_of_two(),
            entries: Vec::new(),
            bytes: Vec::new(),
            head: 0,
        }
    }

    /// Keeps a copy of a packet. One that is not kept is `Oversized`, longer than `limits::MAX_RTP_BYTES`; a
    /// `Duplicate`; or `TooOld`, its place being a newer packet's.
    pub fn insert(&mut self, sequence: Sequence, bytes: &[u8], meta: M) -> Result<(), DropReason> {
        if bytes.len() > limits::MAX_RTP_BYTES {
            return Err(DropReason::Oversized);
        }
        self.allocate();
        let place = self.place(sequence);
        let held = self.entries.get(place).copied().flatten();
        match held.map(|held| held.sequence.cmp(&sequence)) {
            Some(Ordering::Equal) => return Err(DropReason::Duplicate),
            Some(Ordering::Greater) => return Err(DropReason::TooOld),
            Some(Ordering::Less) | None => {}
        }
        let start = self.room_for(bytes.len());
        let offset = self.offset(start);
        let target = self.bytes.get_mut(offset..offset.saturating_add(bytes.len()));
        let (Some(target), Some(entry)) = (target, self.entries.get_mut(place)) else {
            return Err(DropReason::Oversized);
        };
        target.copy_from_slice(bytes);
        self.head = start.saturating_add(bytes.len() as u64);
        *entry = Some(Entry { sequence, start, length: bytes.len() as u16, meta });
        Ok(())
    }

    /// The packet of that number, unless it never came or has been overwritten.
    #[inline]
    pub fn get(&self, sequence: Sequence) -> Option<(&M, &[u8])> {
        let entry = self.entries.get(self.place(sequence))?.as_ref()?;
        let alive = self.head.saturating_sub(entry.start) <= self.bytes.len() as u64;
        if entry.sequence != sequence || !alive {
            return None;
        }
        let offset = self.offset(entry.start);
        let end = offset.saturating_add(usize::from(entry.length));
        Some((&entry.meta, self.bytes.get(offset..end)?))
    }

    /// Bytes of heap held.
    pub fn memory(&self) -> usize {
        let entries = self.entries.capacity().saturating_mul(size_of::<Option<Entry<M>>>());
        entries.saturating_add(self.bytes.capacity())
    }

    fn allocate(&mut self) {
        if self.entries.is_empty() {
            self.entries = vec![None; self.capacity];
            let bytes = self.capacity.saturating_mul(BYTES_PER_ENTRY);
            self.bytes = vec![0; bytes.max(MIN_RING_BYTES)];
        }
    }

    fn place(&self, sequence: Sequence) -> usize {
        sequence.place(self.capacity)
    }

    /// Where in the ring a position of the endless run is; the ring's size is a power of two.
    fn offset(&self, position: u64) -> usize {
        (position as usize) & self.bytes.len().saturating_sub(1)
    }

    /// Where `length` bytes fit in one piece: at the head, or at the start of the next lap.
    fn room_for(&self, length: usize) -> u64 {
        let left = self.bytes.len().saturating_sub(self.offset(self.head));
        if length <= left { self.head } else { self.head.saturating_add(left as u64) }
    }
}

/// Half a megabyte of video is of no use in a log.
impl<M: Copy> fmt::Debug for Slab<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slab")
            .field("capacity", &self.capacity)
            .field("memory", &self.memory())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn at(index: u64) -> Sequence {
        Sequence::from_index(index)
    }

    fn packet(sequence: Sequence, length: usize) -> Vec<u8> {
        (0..length).map(|i| (usize::from(sequence.number()) * 31 + i) as u8).collect()
    }

    #[test]
    fn an_unused_slab_takes_no_memory_and_a_used_one_its_share() {
        let mut slab: Slab<[u64; 7]> = Slab::new(512);
        assert_eq!(slab.memory(), 0);
        assert!(slab.get(at(5)).is_none());
        slab.insert(at(5), &[1, 2, 3], [0; 7]).unwrap();
        // 512 KiB of packets; 56 bytes of meta bring an entry to 88 at most.
        assert!(slab.memory() >= 512 * 1024);
        assert!(slab.memory() <= 512 * (1024 + 88), "{}", slab.memory());
        let before = slab.memory();
        (6..5000).for_each(|n| slab.insert(at(n), &[0; 1200], [0; 7]).unwrap());
        assert_eq!(slab.memory(), before, "never more");
    }

    /// Full packets all the time: the reach is bytes, not entries.
    #[test]
    fn the_reach_with_full_packets_is_over_a_second_of_video() {
        let mut slab = Slab::new(512);
        (0..2000u64).for_each(|n| slab.insert(at(n), &packet(at(n), 1200), ()).unwrap());
        let kept = (0..2000).filter(|n| slab.get(at(*n)).is_some()).count();
        assert!((430..=437).contains(&kept), "{kept}");
        assert!(slab.get(at(2000 - 430)).is_some_and(|(_, bytes)| bytes == packet(at(2000 - 430), 1200)));
    }

    #[test]
    fn small_packets_are_kept_to_the_number_of_entries() {
        let mut slab = Slab::new(50);
        (100..300u64).for_each(|n| slab.insert(at(n), &packet(at(n), 90), n).unwrap());
        assert!(slab.get(at(235)).is_none(), "64 entries hold 236 to 299");
        for n in 236..300 {
            assert_eq!(slab.get(at(n)), Some((&n, packet(at(n), 90).as_slice())));
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        let mut slab = Slab::new(4);
        assert_eq!(slab.insert(at(1), &[0; limits::MAX_RTP_BYTES + 1], ()), Err(DropReason::Oversized));
        assert_eq!(slab.insert(at(1), &[7; limits::MAX_RTP_BYTES], ()), Ok(()));
        assert_eq!(slab.insert(at(1), &[8], ()), Err(DropReason::Duplicate));
        assert_eq!(slab.insert(at(5), &[9], ()), Ok(()), "takes the place of 1");
        assert_eq!(slab.insert(at(1), &[8], ()), Err(DropReason::TooOld), "older than what holds its place");
        assert_eq!(slab.insert(at(3), &[], ()), Ok(()), "empty is a packet too");
        assert_eq!(slab.get(at(3)).map(|(_, bytes)| bytes.len()), Some(0));
    }

    proptest! {
        /// Against a map that forgets nothing: the slab never returns wrong bytes, and forgets only what a newer packet
        /// in the same place or a lap of the ring explains.
        #[test]
        fn agrees_with_a_map(steps in prop::collection::vec((0u64..40, 0usize..1500), 1..300)) {
            let mut slab = Slab::new(16);
            let mut model: HashMap<u64, (Vec<u8>, usize)> = HashMap::new();
            let mut written = 0usize;
            let mut place = [0u64; 16];
            for (n, (jump, length)) in steps.into_iter().enumerate() {
                let index = 70_000 + n as u64 * 4 + jump;
                let bytes = packet(at(index), length);
                if slab.insert(at(index), &bytes, length).is_ok() {
                    written += length;
                    model.insert(index, (bytes, written));
                    place[(index % 16) as usize] = index;
                }
                for (known, (bytes, end)) in &model {
                    let held = slab.get(at(*known));
                    if let Some((meta, got)) = held {
                        prop_assert_eq!(got, bytes.as_slice());
                        prop_assert_eq!(*meta, bytes.len());
                    }
                    // One skipped end of a lap may add a packet's length to what was written since.
                    let written_since = written - end + bytes.len() + limits::MAX_RTP_BYTES;
                    let current = place[(known % 16) as usize] == *known;
                    prop_assert!(held.is_some() || !current || written_since > 16 * 1024, "{} lost", known);
                    prop_assert!(held.is_none() || current);
                }
            }
        }
    }
}
