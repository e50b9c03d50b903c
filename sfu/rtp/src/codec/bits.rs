//! Fields that are not whole bytes, highest bit first.

pub struct Bits<'a> {
    bytes: &'a [u8],
    /// Bits read so far.
    at: usize,
}

impl Bits<'_> {
    pub fn new(bytes: &[u8]) -> Bits<'_> {
        Bits { bytes, at: 0 }
    }

    pub fn flag(&mut self) -> Option<bool> {
        let byte = *self.bytes.get(self.at >> 3)?;
        let bit = 0x80u8 >> (self.at & 7);
        self.at = self.at.wrapping_add(1);
        Some(byte & bit != 0)
    }

    /// An unsigned number of `count` bits, at most 32.
    pub fn read(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some((value << 1) | u32::from(self.flag()?)))
    }

    /// `ns(n)`: a number below `n`, in as few bits as it takes (AV1 RTP specification A.8.1).
    pub fn non_symmetric(&mut self, n: u32) -> Option<u32> {
        let width = 32u32.saturating_sub(n.leading_zeros());
        let short = 1u32.checked_shl(width)?.checked_sub(n)?;
        let value = self.read(width.saturating_sub(1))?;
        if value < short {
            return Some(value);
        }
        let longer = (value << 1) | self.read(1)?;
        longer.checked_sub(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_cross_bytes_and_end_with_them() {
        let mut bits = Bits::new(&[0b1010_0000, 0b0111_1111]);
        assert_eq!((bits.flag(), bits.read(9)), (Some(true), Some(0b0_1000_0001)));
        assert_eq!(bits.read(7), None);
    }

    #[test]
    fn a_number_below_five_takes_two_or_three_bits() {
        let table =
            [(0b0000_0000, 0), (0b0100_0000, 1), (0b1000_0000, 2), (0b1100_0000, 3), (0b1110_0000, 4)];
        for (byte, value) in table {
            assert_eq!(Bits::new(&[byte]).non_symmetric(5), Some(value), "{byte:#b}");
        }
        assert_eq!(Bits::new(&[]).non_symmetric(1), Some(0), "no bits for the only number");
    }
}
