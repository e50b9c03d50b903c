//! What waits for a TCP line: control before media, and of media the newest.
//!
//! Over TCP a slow line shows old pictures: everything that is written comes, however late. So little is given to the
//! kernel at a time (`tcp.rs`, `NOTSENT_BYTES`), and what waits here grows old and is dropped, oldest first. Control is
//! dropped only where it alone fills its queue.

use super::frame::{fits_frame, push_header};
use rtp::packet::is_rtcp;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// Media waiting for a slow line: two key frames of a full picture. More would only be older.
pub(super) const MEDIA_BYTES: usize = 512 * 1024;

/// Media is not worth sending after this time. A key frame of a small picture takes half of it on a
/// line of 512 kbit/s; with less than that such a line would never show a picture.
pub(super) const MEDIA_AGE: Duration = Duration::from_secs(1);

/// STUN, DTLS and RTCP for a slow line: some seconds of them. A DTLS flight has 4 KB.
pub(super) const CONTROL_BYTES: usize = 32 * 1024;

/// Taken out at a time and given to the kernel: cannot be dropped or overtaken any more. An eighth of
/// a second at 512 kbit/s, a few frames a system call.
const STAGE_BYTES: usize = 8 * 1024;

/// Whole frames on their way out of one connection.
#[derive(Default)]
pub(super) struct Outgoing {
    /// Framed; the kernel has the first `written` bytes.
    stage: Vec<u8>,
    written: usize,
    /// Frames that are at least partly in `stage`.
    staged: usize,
    control: Frames,
    media: Frames,
}

/// Frames one after the other, with the time each was queued and its length.
#[derive(Default)]
struct Frames {
    bytes: VecDeque<u8>,
    lengths: VecDeque<(Instant, u16)>,
}

impl Outgoing {
    /// Queues one frame; returns how many were dropped: this one, or older media that made room.
    pub fn push(&mut self, now: Instant, frame: &[u8]) -> usize {
        let Some(length) = fits_frame(frame) else {
            return 1;
        };
        if !is_media(frame) {
            let room = self.control.bytes.len().saturating_add(frame.len()) <= CONTROL_BYTES;
            if room {
                self.control.push(now, frame, length);
            }
            return usize::from(!room);
        }
        let room = MEDIA_BYTES.saturating_sub(frame.len());
        let dropped = self.media.drop_oldest(now, room);
        self.media.push(now, frame, length);
        dropped
    }

    /// Frames the kernel has not taken whole.
    pub fn frames(&self) -> usize {
        let staged = if self.written < self.stage.len() { self.staged } else { 0 };
        staged.saturating_add(self.control.lengths.len()).saturating_add(self.media.lengths.len())
    }

    /// Bytes that wait, without those in the kernel.
    pub fn len(&self) -> usize {
        let staged = self.stage.len().saturating_sub(self.written);
        staged.saturating_add(self.control.bytes.len()).saturating_add(self.media.bytes.len())
    }

    /// Writes what `line` takes and returns how much that was. An error means that the connection is gone.
    pub fn write_to(&mut self, line: &mut impl Write) -> io::Result<usize> {
        let mut total = 0_usize;
        loop {
            let rest = self.stage.get(self.written..).unwrap_or_default();
            if rest.is_empty() && !self.refill() {
                return Ok(total);
            }
            let rest = self.stage.get(self.written..).unwrap_or_default();
            match line.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.written = self.written.saturating_add(written);
                    total = total.saturating_add(written);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(total),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// The next frames; false when there are none.
    fn refill(&mut self) -> bool {
        self.stage.clear();
        (self.written, self.staged) = (0, 0);
        while self.stage.len() < STAGE_BYTES {
            if !self.control.pop_into(&mut self.stage) && !self.media.pop_into(&mut self.stage) {
                break;
            }
            self.staged = self.staged.saturating_add(1);
        }
        !self.stage.is_empty()
    }
}

impl Frames {
    fn push(&mut self, now: Instant, frame: &[u8], length: u16) {
        self.bytes.extend(frame);
        self.lengths.push_back((now, length));
    }

    /// Moves the oldest frame to the end of `stage`; false when there is none.
    fn pop_into(&mut self, stage: &mut Vec<u8>) -> bool {
        let Some((_, length)) = self.lengths.pop_front() else {
            return false;
        };
        push_header(stage, length);
        // Reading from memory cannot fail.
        let _ = (&mut self.bytes).take(u64::from(length)).read_to_end(stage);
        true
    }

    /// Drops what is too old, and more until at most `bytes` are left; returns how many frames.
    fn drop_oldest(&mut self, now: Instant, bytes: usize) -> usize {
        let mut dropped = 0_usize;
        while let Some((queued, length)) = self.lengths.front().copied() {
            let old = now.saturating_duration_since(queued) >= MEDIA_AGE;
            if !old && self.bytes.len() <= bytes {
                break;
            }
            self.lengths.pop_front();
            self.bytes.drain(..usize::from(length).min(self.bytes.len()));
            dropped = dropped.saturating_add(1);
        }
        dropped
    }
}

/// RTP (RFC 7983), which a receiver can do without.
fn is_media(frame: &[u8]) -> bool {
    matches!(frame.first(), Some(128..=191)) && !is_rtcp(frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::take_frames;

    /// A line that takes so many bytes and no more.
    struct Line {
        room: usize,
        sent: Vec<u8>,
    }

    impl Write for Line {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.room -= taken;
            self.sent.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Line {
        fn with_room(room: usize) -> Line {
            Line { room, sent: Vec::new() }
        }

        /// Second and third byte of each frame: what `media` and `control` were called with.
        fn numbers(&mut self) -> Vec<(u8, u8)> {
            let mut numbers = Vec::new();
            let taken = take_frames(&mut self.sent, &mut false, |f| numbers.push((f[0], f[2])));
            assert_eq!(taken, Ok(self.sent.len()), "no frame is torn");
            numbers
        }
    }

    fn media(number: u8) -> Vec<u8> {
        let mut frame = vec![0x80; 1000];
        (frame[1], frame[2]) = (96, number);
        frame
    }

    fn control(number: u8) -> Vec<u8> {
        vec![0, 1, number]
    }

    #[test]
    fn control_overtakes_media_that_waits() {
        let now = Instant::now();
        let mut outgoing = Outgoing::default();
        assert_eq!(outgoing.push(now, &media(1)) + outgoing.push(now, &media(2)), 0);
        // RTCP has the first byte of media.
        assert_eq!(outgoing.push(now, &control(3)) + outgoing.push(now, &[0x80, 205, 4]), 0);
        let mut line = Line::with_room(usize::MAX);
        assert_eq!(outgoing.write_to(&mut line).unwrap(), line.sent.len());
        assert_eq!(line.numbers(), [(0, 3), (0x80, 4), (0x80, 1), (0x80, 2)]);
        assert_eq!((outgoing.len(), outgoing.frames()), (0, 0));
    }

    #[test]
    fn a_frame_that_was_begun_is_finished() {
        let now = Instant::now();
        let mut outgoing = Outgoing::default();
        outgoing.push(now, &media(1));
        let mut line = Line::with_room(500);
        assert_eq!(outgoing.write_to(&mut line).unwrap(), 500);
        assert_eq!(outgoing.frames(), 1, "one that has begun has not left");
        let later = now + MEDIA_AGE;
        assert_eq!(outgoing.push(later, &media(2)) + outgoing.push(later, &control(3)), 0);
        line.room = usize::MAX;
        outgoing.write_to(&mut line).unwrap();
        assert_eq!(line.numbers(), [(0x80, 1), (0, 3), (0x80, 2)]);
    }

    #[test]
    fn media_grows_old_and_control_does_not() {
        let now = Instant::now();
        let mut outgoing = Outgoing::default();
        outgoing.push(now, &media(1));
        outgoing.push(now, &control(2));
        assert_eq!(outgoing.frames(), 2);
        assert_eq!(outgoing.push(now + MEDIA_AGE / 2, &media(3)), 0);
        assert_eq!(outgoing.push(now + MEDIA_AGE, &media(4)), 1);
        let mut line = Line::with_room(usize::MAX);
        outgoing.write_to(&mut line).unwrap();
        assert_eq!(line.numbers(), [(0, 2), (0x80, 3), (0x80, 4)]);
    }

    #[test]
    fn of_more_media_than_there_is_room_the_newest_stays() {
        let now = Instant::now();
        let mut outgoing = Outgoing::default();
        outgoing.push(now, &control(7));
        let fit = MEDIA_BYTES / 1000;
        let dropped: usize = (0..fit + 10).map(|n| outgoing.push(now, &media(n as u8))).sum();
        assert_eq!(dropped, 10);
        let mut line = Line::with_room(usize::MAX);
        outgoing.write_to(&mut line).unwrap();
        let numbers = line.numbers();
        assert_eq!((numbers[0], numbers[1], numbers.len()), ((0, 7), (0x80, 10), fit + 1));
    }

    #[test]
    fn control_is_bounded_too() {
        let now = Instant::now();
        let mut outgoing = Outgoing::default();
        let frame = [0; 1024];
        let dropped: usize = (0..40).map(|_| outgoing.push(now, &frame)).sum();
        assert_eq!(dropped, 40 - CONTROL_BYTES / 1024);
        assert_eq!(outgoing.push(now, &vec![0x80; 70_000]), 1, "longer than a frame can be");
    }
}
