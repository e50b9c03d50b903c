//! Sequence numbers that do not wrap.

/// A sequence number of 16 bits with the count of its cycles above (RFC 3550 appendix A.1): what is greater was sent
/// later, and none names two packets.
///
/// A stream begins in the second cycle, so that a packet from before its first one has a number as well. Where cycles
/// are reported they are counted from where the stream began:
///
/// | packet | `number` | here | `index` | `reported` |
/// |---|---|---|---|---|
/// | sent before the first, comes late | 65,535 | 65,535 | none | |
/// | the first | 0 | 65,536 | 0 | 0 |
/// | the same number again | 0 | 131,072 | 65,536 | 65,536 |
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

impl Sequence {
    /// Numbers of one cycle.
    pub const CYCLE: u64 = 1 << 16;
    /// Not later than any packet.
    pub const START: Sequence = Sequence(0);
    /// Later than every packet.
    pub const END: Sequence = Sequence(u64::MAX);

    /// Of the first packet of a stream.
    #[inline]
    pub fn first(number: u16) -> Sequence {
        Sequence(Sequence::CYCLE.saturating_add(u64::from(number)))
    }

    /// The number in the header.
    #[inline]
    pub fn number(self) -> u16 {
        self.0 as u16
    }

    /// The one nearest to this with `number` in the header (RFC 3550 appendix A.1, RFC 3711 section 3.3.1). Before the
    /// start there is none.
    #[inline]
    pub fn nearest(self, number: u16) -> Sequence {
        let ahead = number.wrapping_sub(self.number()) as i16;
        Sequence(self.0.saturating_add_signed(i64::from(ahead)))
    }

    /// SRTP's packet index, whose roll-over counter begins at zero (RFC 3711 section 3.3.1); of a packet from
    /// before the first cycle there is none.
    #[inline]
    pub fn index(self) -> Option<u64> {
        self.0.checked_sub(Sequence::CYCLE)
    }

    #[inline]
    pub fn from_index(index: u64) -> Sequence {
        Sequence(index.saturating_add(Sequence::CYCLE))
    }

    /// As reports name the highest one received: 32 bits, cycles counted from zero (RFC 3550 section 6.4.1).
    pub fn reported(self) -> u32 {
        self.0.saturating_sub(Sequence::CYCLE) as u32
    }

    /// Enough to distinguish it from all others of the last 4 billion; never zero for the first 4 billion.
    pub fn low_bits(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    pub fn next(self) -> Sequence {
        self.plus(1)
    }

    #[inline]
    pub fn previous(self) -> Sequence {
        self.minus(1)
    }

    /// So many packets later.
    #[inline]
    pub fn plus(self, packets: u64) -> Sequence {
        Sequence(self.0.saturating_add(packets))
    }

    /// So many packets earlier.
    #[inline]
    pub fn minus(self, packets: u64) -> Sequence {
        Sequence(self.0.saturating_sub(packets))
    }

    /// How many packets later this is; zero where it is earlier.
    #[inline]
    pub fn since(self, earlier: Sequence) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This one and all after it, before `end`.
    #[inline]
    pub fn until(self, end: Sequence) -> impl Iterator<Item = Sequence> {
        (self.0..end.0).map(Sequence)
    }

    /// Its place in a ring of so many, a power of two.
    #[inline]
    pub fn place(self, ring: usize) -> usize {
        debug_assert!(ring.is_power_of_two());
        (self.0 as usize) & ring.wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_lies_across_the_wrap_both_ways() {
        let nearest = |index: u64, number| Sequence::from_index(index).nearest(number).index();
        assert_eq!(nearest(65_535, 0), Some(65_536));
        assert_eq!(nearest(65_536, 65_535), Some(65_535));
        assert_eq!(nearest(70_000, 4_465), Some(70_001));
        assert_eq!(nearest(100, 101), Some(101));
        assert_eq!(nearest(3, 65_530), None, "before the first cycle");
        assert_eq!(Sequence::START.nearest(65_530), Sequence::START, "before the start there is nothing");
    }

    #[test]
    fn a_stream_begins_in_the_second_cycle_and_is_counted_from_there() {
        let first = Sequence::first(1_000);
        assert_eq!((first.number(), first.index(), first.reported()), (1_000, Some(1_000), 1_000));
        let late = Sequence::first(0).previous();
        assert_eq!((late.number(), late.index()), (65_535, None));
        assert_eq!(first.nearest(999), first.previous());
        let wrapped = first.plus(Sequence::CYCLE);
        assert_eq!((wrapped.number(), wrapped.reported()), (1_000, 66_536));
        assert_eq!((wrapped.since(first), first.since(wrapped)), (65_536, 0));
    }

    #[test]
    fn a_ring_has_a_place_for_each_of_as_many_as_it_holds() {
        let first = Sequence::first(65_534);
        let places: Vec<usize> = first.until(first.plus(4)).map(|sequence| sequence.place(4)).collect();
        assert_eq!(places, [2, 3, 0, 1]);
    }
}
