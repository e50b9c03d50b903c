//! A frame number in the picture that machines can read after any codec and any scaling.
//!
//! Along the upper edge are [`CELLS`] cells of equal width, white for one and black for zero, most significant bit
//! first: 16 bits of frame number, 8 of site number, 8 of check (the exclusive or of the three bytes and `0x5A`). A
//! cell is `width / 32` wide and `height * 32 / 360` high; read the luma at its centre.

/// Bits in the marker.
pub const CELLS: usize = 32;
const HALF_CELLS: usize = 2 * CELLS;
/// The bit of the cell at the left.
const FIRST_CELL: u32 = 1 << 31;
/// Height of the strip in a picture 360 lines high.
const STRIP_LINES: usize = 32;
/// Makes an all-black or all-white strip invalid.
const CHECK: u8 = 0x5A;

/// The values in the marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// Counts frames, wraps.
    pub frame: u16,
    pub site: u8,
}

impl Marker {
    fn bits(self) -> u32 {
        let [high, low] = self.frame.to_be_bytes();
        u32::from_be_bytes([high, low, self.site, high ^ low ^ self.site ^ CHECK])
    }

    fn from_bits(bits: u32) -> Option<Self> {
        let [high, low, site, check] = bits.to_be_bytes();
        (check == high ^ low ^ site ^ CHECK).then_some(Self { frame: u16::from_be_bytes([high, low]), site })
    }

    /// Draws into a picture of three bytes a pixel.
    pub fn draw(self, rgb: &mut [u8], width: usize, height: usize) {
        let bits = self.bits();
        for row in rgb.chunks_exact_mut(width.saturating_mul(3).max(1)).take(strip_height(height)) {
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                let cell = x.saturating_mul(CELLS).checked_div(width).unwrap_or(0);
                let is_one = bits.unbounded_shl(cell as u32) & FIRST_CELL != 0;
                pixel.fill(if is_one { 235 } else { 16 });
            }
        }
    }

    /// Reads a picture of three bytes a pixel, of any size. `None`: no marker in it.
    pub fn read(rgb: &[u8], width: usize, height: usize) -> Option<Self> {
        let y = strip_height(height) / 2;
        let mut bits = 0u32;
        for cell in 0..CELLS {
            let x = cell.saturating_mul(2).saturating_add(1).saturating_mul(width) / HALF_CELLS;
            let at = y.saturating_mul(width).saturating_add(x).saturating_mul(3);
            let pixel = rgb.get(at..)?.get(..3)?;
            let bright = pixel.iter().map(|&value| u32::from(value)).sum::<u32>() > 3 * 128;
            bits = bits << 1 | u32::from(bright);
        }
        Self::from_bits(bits)
    }
}

fn strip_height(height: usize) -> usize {
    (height.saturating_mul(STRIP_LINES) / 360).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_is_read_as_it_was_drawn_at_several_sizes() {
        for (width, height) in [(640, 360), (320, 180), (1280, 720), (160, 90)] {
            let mut rgb = vec![90u8; width * height * 3];
            for (frame, site) in [(0, 0), (1, 7), (0x8000, 255), (u16::MAX, 3), (0x5A5A, 0x5A)] {
                let marker = Marker { frame, site };
                marker.draw(&mut rgb, width, height);
                assert_eq!(Marker::read(&rgb, width, height), Some(marker), "{width}x{height}");
            }
        }
    }

    #[test]
    fn a_picture_without_marker_has_no_values() {
        for grey in [0u8, 100, 255] {
            assert_eq!(Marker::read(&vec![grey; 640 * 360 * 3], 640, 360), None);
        }
        assert_eq!(Marker::read(&[], 640, 360), None);
    }
}
