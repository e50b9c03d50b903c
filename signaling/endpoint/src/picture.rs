//! The moving picture of a headless site: its name, a running clock with tenths, a disc that walks.
//!
//! The name is drawn once. A frame restores only what moved from that background, draws clock and
//! disc again and is encoded as lossy WebP, which *is* a VP8 key frame (RFC 9649 section 2.5). As
//! every frame is a key frame, nothing has to be kept for PLI or for late comers.

use webp::{Encoder, PixelLayout, WebPConfig};

use super::marker::Marker;
use super::text::{Ink, Type};

pub const WIDTH: usize = 640;
pub const HEIGHT: usize = 360;
pub const FRAMES_PER_SECOND: u32 = 15;
/// Quality of libwebp. Measured at method 2 on these flat pictures with an optimised libwebp: 600
/// kbit/s at 15 frames a second and 4.5 ms of CPU a frame; at 45 it is 683 kbit/s and 5.0 ms.
const QUALITY: f32 = 30.0;
/// Effort of libwebp, 0 to 6. Method 0 saves 0.8 ms a frame and costs 1,170 kbit/s; 3 doubles the time.
const METHOD: i32 = 2;
/// Calm, dark enough for white letters, far apart from each other.
const COLOURS: [[u8; 3]; 8] = [
    [31, 78, 121],
    [46, 97, 70],
    [112, 66, 32],
    [84, 58, 112],
    [120, 46, 62],
    [28, 94, 102],
    [92, 84, 36],
    [70, 76, 88],
];
const INK: [u8; 3] = [245, 245, 240];
const NAME_TOP: usize = 96;
const CLOCK_TOP: usize = 176;
const CLOCK_SIZE: f32 = 64.0;
const DISC_TOP: usize = 292;
const DISC_SIZE: usize = 36;
/// Vietnam's clock; the country has one, without summer time.
const UTC_OFFSET_MS: u64 = 7 * 3600 * 1000;
const DIGITS: &str = "0123456789:,";
/// Three bytes a pixel.
const PICTURE_BYTES: usize = WIDTH * HEIGHT * 3;
const NAME_WIDTH: usize = WIDTH - 40;
/// How far the disc walks.
const DISC_WAY: usize = WIDTH - DISC_SIZE;

/// Renders and encodes; keeps its buffers.
pub struct Picture {
    background: Vec<u8>,
    rgb: Vec<u8>,
    digits: Vec<Ink>,
    clock_left: usize,
    disc_left: usize,
    frame: u16,
    number: u8,
    marker: bool,
    /// Without one there are no frames.
    config: Option<WebPConfig>,
}

impl Picture {
    /// `number` picks the colour and goes into the marker.
    pub fn new(name: &str, number: u8, marker: bool) -> Result<Self, &'static str> {
        let letters = Type::new()?;
        let colour = COLOURS.iter().cycle().nth(usize::from(number)).copied().unwrap_or_default();
        let mut background: Vec<u8> = colour.into_iter().cycle().take(PICTURE_BYTES).collect();
        let line = letters.line(name, letters.size_to_fit(name, 52.0, NAME_WIDTH));
        blend(&mut background, &line, WIDTH.saturating_sub(line.width) / 2, NAME_TOP);
        let digits: Vec<Ink> =
            DIGITS.chars().map(|digit| letters.line(&digit.to_string(), CLOCK_SIZE)).collect();
        let clock_left = WIDTH.saturating_sub(letters.width("00:00:00,0", CLOCK_SIZE)) / 2;
        Ok(Self {
            rgb: background.clone(),
            background,
            digits,
            clock_left,
            disc_left: 0,
            frame: 0,
            number,
            marker,
            config: encoder_config(),
        })
    }

    /// The frame for this time (milliseconds since 1970) as a VP8 key frame.
    pub fn next_frame(&mut self, now_ms: u64) -> Vec<u8> {
        self.render(now_ms);
        let encoder = Encoder::new(&self.rgb, PixelLayout::Rgb, WIDTH as u32, HEIGHT as u32);
        let webp = self.config.as_ref().and_then(|config| encoder.encode_advanced(config).ok());
        webp.and_then(|webp| vp8_chunk(&webp).map(<[u8]>::to_vec)).unwrap_or_default()
    }

    fn render(&mut self, now_ms: u64) {
        let clock_height = self.digits.first().map_or(0, |ink| ink.height);
        self.restore(0, CLOCK_TOP, WIDTH, clock_height);
        self.draw_clock(now_ms);
        self.restore(self.disc_left, DISC_TOP, DISC_SIZE, DISC_SIZE);
        // Across the picture in four seconds, in steps of whole macroblocks' quarters.
        self.disc_left = (((now_ms % 4000) as usize).saturating_mul(DISC_WAY) / 4000) & !3;
        self.draw_disc();
        if self.marker {
            Marker { frame: self.frame, site: self.number }.draw(&mut self.rgb, WIDTH, HEIGHT);
        }
        self.frame = self.frame.wrapping_add(1);
    }

    fn draw_clock(&mut self, now_ms: u64) {
        let mut left = self.clock_left;
        for character in clock(now_ms).chars() {
            let Some(ink) = DIGITS.find(character).and_then(|index| self.digits.get(index)) else {
                continue;
            };
            blend(&mut self.rgb, ink, left, CLOCK_TOP);
            left = left.saturating_add(ink.width).saturating_sub(2);
        }
    }

    fn draw_disc(&mut self) {
        const RADIUS: usize = DISC_SIZE / 2;
        let square = |distance: usize| distance.saturating_mul(distance);
        for y in 0..DISC_SIZE {
            for x in 0..DISC_SIZE {
                let distance = square(x.abs_diff(RADIUS)).saturating_add(square(y.abs_diff(RADIUS)));
                let (x, y) = (self.disc_left.saturating_add(x), DISC_TOP.saturating_add(y));
                if distance < square(RADIUS)
                    && let Some(pixel) = pixel_at(&mut self.rgb, x, y)
                {
                    *pixel = INK;
                }
            }
        }
    }

    fn restore(&mut self, left: usize, top: usize, width: usize, height: usize) {
        for y in top..top.saturating_add(height) {
            let from = offset(left, y);
            let row = from..from.saturating_add(width.saturating_mul(3));
            if let (Some(to), Some(from)) = (self.rgb.get_mut(row.clone()), self.background.get(row)) {
                to.copy_from_slice(from);
            }
        }
    }
}

/// Where a pixel begins.
fn offset(x: usize, y: usize) -> usize {
    y.saturating_mul(WIDTH).saturating_add(x).saturating_mul(3)
}

fn pixel_at(rgb: &mut [u8], x: usize, y: usize) -> Option<&mut [u8; 3]> {
    rgb.get_mut(offset(x, y)..)?.first_chunk_mut()
}

/// `HH:MM:SS,t`, the decimal comma being Vietnamese.
fn clock(now_ms: u64) -> String {
    let tenths = now_ms.saturating_add(UTC_OFFSET_MS) / 100;
    let seconds = tenths / 10;
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02},{}", seconds % 60, tenths % 10)
}

fn blend(rgb: &mut [u8], ink: &Ink, left: usize, top: usize) {
    for (y, line) in ink.coverage.chunks_exact(ink.width.max(1)).enumerate() {
        for (x, &coverage) in line.iter().enumerate() {
            let (x, y) = (left.saturating_add(x), top.saturating_add(y));
            if coverage == 0 || x >= WIDTH {
                continue;
            }
            for (value, ink) in pixel_at(rgb, x, y).into_iter().flatten().zip(INK) {
                let share = |value: u8, of: u8| u32::from(value).saturating_mul(u32::from(of));
                let mixed = share(*value, !coverage).saturating_add(share(ink, coverage));
                *value = (mixed / 255) as u8;
            }
        }
    }
}

/// One segment, one pass, no search for a filter.
fn encoder_config() -> Option<WebPConfig> {
    // It fails where libwebp's header and library differ.
    let mut config = WebPConfig::new().ok()?;
    config.quality = QUALITY;
    config.method = METHOD;
    config.segments = 1;
    config.pass = 1;
    config.autofilter = 0;
    config.alpha_compression = 0;
    Some(config)
}

/// The VP8 frame in a WebP file: RIFF header, then chunks of name, little-endian size and body.
fn vp8_chunk(webp: &[u8]) -> Option<&[u8]> {
    let mut rest = webp.get(12..)?;
    loop {
        let size = u32::from_le_bytes(rest.get(4..8)?.try_into().ok()?) as usize;
        let end = size.checked_add(8)?;
        let body = rest.get(8..end)?;
        if rest.starts_with(b"VP8 ") {
            return Some(body);
        }
        rest = rest.get(end.checked_add(size % 2)?..)?;
    }
}

/// The reverse, so that tests (here and elsewhere) can decode what they received.
pub fn webp_from_vp8(frame: &[u8]) -> Vec<u8> {
    let padded = frame.len().saturating_add(frame.len() % 2);
    let mut webp = Vec::with_capacity(padded.saturating_add(20));
    webp.extend_from_slice(b"RIFF");
    webp.extend_from_slice(&(padded as u32).saturating_add(12).to_le_bytes());
    webp.extend_from_slice(b"WEBPVP8 ");
    webp.extend_from_slice(&(frame.len() as u32).to_le_bytes());
    webp.extend_from_slice(frame);
    webp.resize(padded.saturating_add(20), 0);
    webp
}

/// Decodes a VP8 key frame and reads its marker.
pub fn read_marker(frame: &[u8]) -> Option<Marker> {
    let image = webp::Decoder::new(&webp_from_vp8(frame)).decode()?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    if image.is_alpha() {
        let rgb: Vec<u8> = image.chunks_exact(4).flat_map(|pixel| pixel.iter().take(3).copied()).collect();
        return Marker::read(&rgb, width, height);
    }
    Marker::read(&image, width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_MS: u64 = 1_700_000_000_000;

    #[test]
    fn the_marker_survives_encoding_and_counts() {
        let mut picture = Picture::new("Xã An Phước", 3, true).expect("a picture");
        for frame in 0..3 {
            let encoded = picture.next_frame(NOON_MS + 66 * u64::from(frame));
            assert_eq!(read_marker(&encoded), Some(Marker { frame, site: 3 }));
        }
    }

    #[test]
    fn every_frame_is_a_key_frame_of_the_right_size_and_rate() {
        let mut picture = Picture::new("Thị trấn Long Thành", 1, true).expect("a picture");
        let mut bytes = 0;
        for number in 0..u64::from(FRAMES_PER_SECOND) {
            let frame = picture.next_frame(NOON_MS + number * 67);
            // RFC 6386 section 9.1: key frame bit clear, start code, 14 bits each of width and height.
            assert_eq!(frame[0] & 1, 0);
            assert_eq!(frame[3..6], [0x9d, 0x01, 0x2a]);
            assert_eq!(u16::from_le_bytes([frame[6], frame[7]]), WIDTH as u16);
            assert_eq!(u16::from_le_bytes([frame[8], frame[9]]), HEIGHT as u16);
            bytes += frame.len();
        }
        assert!(bytes * 8 < 800_000, "{} kbit/s", bytes * 8 / 1000);
    }

    #[test]
    fn only_what_moved_differs_and_the_old_disc_is_gone() {
        let mut travelled = Picture::new("Xã Bình Sơn", 0, false).expect("a picture");
        for step in 0..20 {
            travelled.render(NOON_MS + step * 67);
        }
        let mut fresh = Picture::new("Xã Bình Sơn", 0, false).expect("a picture");
        fresh.render(NOON_MS + 19 * 67);
        assert!(travelled.rgb == fresh.rgb, "traces of earlier frames are left");
    }

    #[test]
    fn the_clock_is_vietnams_with_tenths() {
        assert_eq!(clock(0), "07:00:00,0");
        assert_eq!(clock(NOON_MS + 250), "05:13:20,2");
    }
}
