//! Letters for the picture: DejaVu Sans Bold cut down to Latin with Vietnamese.

use fontdue::{Font, FontSettings, Metrics};

const FONT: &[u8] = include_bytes!("../assets/font/DejaVuSans-Bold-vi.ttf");

/// Rasterises lines of text at fixed sizes.
pub struct Type {
    font: Font,
}

/// A line of text as coverage, 0 (nothing) to 255 (ink).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ink {
    pub width: usize,
    pub height: usize,
    pub coverage: Vec<u8>,
}

impl Type {
    /// The font is part of the program: the tests read it.
    pub fn new() -> Result<Self, &'static str> {
        Ok(Self { font: Font::from_bytes(FONT, FontSettings::default())? })
    }

    /// Whether every character has a glyph.
    #[cfg(test)]
    pub fn covers(&self, text: &str) -> bool {
        text.chars().all(|letter| self.font.has_glyph(letter))
    }

    /// Width in pixels at `size` pixels.
    pub fn width(&self, text: &str, size: f32) -> usize {
        let advance: f32 = text.chars().map(|letter| self.font.metrics(letter, size).advance_width).sum();
        (advance.ceil() as usize).saturating_add(2)
    }

    /// The largest size not above `size` at which `text` is at most `width` pixels wide.
    pub fn size_to_fit(&self, text: &str, size: f32, width: usize) -> f32 {
        let natural = self.width(text, size);
        if natural <= width { size } else { size * width as f32 / natural as f32 }
    }

    /// One line; the box is as high as the font's ascent and descent.
    pub fn line(&self, text: &str, size: f32) -> Ink {
        let metrics = self.font.horizontal_line_metrics(size);
        let (ascent, descent) = metrics.map_or((size, 0.0), |line| (line.ascent, line.descent));
        let height = ((ascent - descent).ceil() as usize).saturating_add(2);
        let width = self.width(text, size);
        let mut ink = Ink { width, height, coverage: vec![0; width.saturating_mul(height)] };
        let mut pen = 1.0;
        for letter in text.chars() {
            let (glyph, bitmap) = self.font.rasterize(letter, size);
            ink.put(&glyph, &bitmap, pen, ascent);
            pen += glyph.advance_width;
        }
        ink
    }
}

impl Ink {
    fn put(&mut self, glyph: &Metrics, bitmap: &[u8], pen: f32, ascent: f32) {
        if glyph.width == 0 {
            return;
        }
        let left = (pen.round() as isize).saturating_add(glyph.xmin as isize);
        let below = (glyph.height as isize).saturating_add(glyph.ymin as isize);
        let top = (ascent.round() as isize).saturating_sub(below);
        for (row, line) in bitmap.chunks_exact(glyph.width).enumerate() {
            for (column, &coverage) in line.iter().enumerate() {
                let (x, y) = (column.checked_add_signed(left), row.checked_add_signed(top));
                let Some((x, y)) = x.zip(y).filter(|(x, _)| *x < self.width) else {
                    continue;
                };
                if let Some(cell) = self.coverage.get_mut(y.saturating_mul(self.width).saturating_add(x)) {
                    *cell = (*cell).max(coverage);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vietnamese_names_are_covered() {
        let letters = Type::new().expect("a font");
        for name in ["Xã An Phước", "Thị trấn Long Thành", "ẶỘỮỲĐ ặộữỳđ ơƠưƯ", "Hội trường huyện, 00:00:00,0"]
        {
            assert!(letters.covers(name), "{name}");
        }
    }

    #[test]
    fn a_long_name_is_made_smaller_until_it_fits() {
        let letters = Type::new().expect("a font");
        let name = "Hội trường Ủy ban nhân dân huyện Long Thành, tỉnh Đồng Nai";
        let size = letters.size_to_fit(name, 48.0, 600);
        assert!(size < 48.0);
        let ink = letters.line(name, size);
        assert!(ink.width <= 604, "{}", ink.width);
        assert!(ink.coverage.iter().any(|&coverage| coverage > 200));
    }
}
