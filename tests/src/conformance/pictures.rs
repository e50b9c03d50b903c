//! What was seen in one place: decoded frames by time, in milliseconds since the world began.

use std::ops::Range;

/// One frame that was shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    pub at: f64,
    pub layer: u8,
}

/// How a place looked for a while.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pictures {
    pub frames_per_second: f64,
    /// The longest time the same picture stood, in milliseconds; the whole while where there was none.
    pub freeze: f64,
    /// Share of the frames that were of the highest layer.
    pub tallest: f64,
    /// Something had been shown before the end.
    pub is_shown: bool,
}

/// Frames in the order in which they were shown.
pub fn watch(frames: &[Frame], span: Range<f64>) -> Pictures {
    let within: Vec<Frame> = frames.iter().filter(|frame| span.contains(&frame.at)).copied().collect();
    let times = [span.start].into_iter().chain(within.iter().map(|frame| frame.at)).chain([span.end]);
    let times: Vec<f64> = times.collect();
    let tallest = within.iter().filter(|frame| frame.layer == 2).count();
    Pictures {
        frames_per_second: within.len() as f64 * 1000.0 / (span.end - span.start),
        freeze: times.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max),
        tallest: tallest as f64 / within.len().max(1) as f64,
        is_shown: frames.iter().any(|frame| frame.at < span.end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_counted_and_the_longest_freeze_is_found() {
        let at = |at: f64| Frame { at, layer: if at < 3000.0 { 2 } else { 0 } };
        let frames: Vec<Frame> = [500.0, 1100.0, 1200.0, 2800.0, 3200.0].map(at).into();
        let seen = watch(&frames, 1000.0..4000.0);
        assert_eq!(seen.freeze, 1600.0);
        assert_eq!(seen.tallest, 0.75);
        assert!((seen.frames_per_second - 4.0 / 3.0).abs() < 0.01 && seen.is_shown);
        let nothing = watch(&[], 1000.0..4000.0);
        assert_eq!((nothing.frames_per_second, nothing.freeze, nothing.is_shown), (0.0, 3000.0, false));
    }
}
