//! A TCP line as the wire carries it: datagrams in frames of RFC 4571, in order and whole. What is lost comes later,
//! and all that is behind it waits.

use super::traffic::media_ssrc;
use driver::frame::take_frames;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes in a segment.
const SEGMENT: usize = 1200;
/// A lost segment is sent again after so long: the least retransmission timeout of Linux.
pub const REPEAT_AFTER: Duration = Duration::from_millis(200);
/// What the sending side holds at most, a second of what a site sends here; further frames are dropped whole.
const BUFFER: usize = 128 * 1024;
/// While what is before it has waited so long, media is dropped, as the bridge does where a line is slow.
const MEDIA_AGE: Duration = Duration::from_secs(1);

/// One direction of a connection.
#[derive(Default)]
pub struct Stream {
    /// Each with the time it arrives, unless what is before it comes later.
    segments: VecDeque<(Instant, Vec<u8>)>,
    waiting: usize,
    /// When the frames in it were sent.
    sent: VecDeque<Instant>,
    /// What has arrived of a frame whose end has not.
    carry: Vec<u8>,
    ready: VecDeque<(Instant, Vec<u8>)>,
}

impl Stream {
    /// Takes a frame to be sent; its bytes leave in segments, for each of which `arrives` returns when it is there.
    pub fn send(&mut self, now: Instant, datagram: &[u8], mut arrives: impl FnMut(usize) -> Instant) {
        let stuck = self.sent.front().is_some_and(|oldest| now - *oldest > MEDIA_AGE);
        if (stuck && media_ssrc(datagram).is_some()) || self.waiting + datagram.len() > BUFFER {
            return;
        }
        let length = u16::try_from(datagram.len()).expect("a datagram");
        let framed = [&length.to_be_bytes(), datagram].concat();
        for segment in framed.chunks(SEGMENT) {
            self.waiting += segment.len();
            self.segments.push_back((arrives(segment.len()), segment.to_vec()));
        }
        self.sent.push_back(now);
    }

    /// When something is there next; what is there already was there long ago.
    pub fn next(&self) -> Option<Instant> {
        let ready = self.ready.front().map(|(sent_at, _)| *sent_at);
        ready.or(self.segments.front().map(|(arrives, _)| *arrives))
    }

    /// The next frame that is whole, and when it was sent.
    pub fn pop(&mut self, now: Instant, cut: bool) -> Option<(Instant, Vec<u8>)> {
        while self.ready.is_empty() {
            let (arrives, _) = self.segments.front_mut().filter(|(arrives, _)| *arrives <= now)?;
            if cut {
                *arrives = now + REPEAT_AFTER;
                return None;
            }
            let (_, segment) = self.segments.pop_front()?;
            self.waiting -= segment.len();
            self.carry.extend(segment);
            self.unframe();
        }
        self.ready.pop_front()
    }

    fn unframe(&mut self) {
        let Stream { carry, ready, sent, .. } = self;
        let mut each = |frame: &mut [u8]| {
            let sent_at = sent.pop_front().expect("a frame that was sent");
            ready.push_back((sent_at, frame.to_vec()));
        };
        let used = take_frames(carry, &mut false, &mut each).expect("frames of datagrams");
        carry.drain(..used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_whole_and_in_order_whatever_is_lost() {
        let now = Instant::now();
        let mut stream = Stream::default();
        let late = [Duration::from_millis(300), Duration::ZERO, Duration::ZERO];
        for (number, late) in (0u8..).zip(late) {
            stream.send(now, &vec![number; 2000], |_| now + late);
        }
        assert_eq!(stream.pop(now, false), None, "what is behind the lost one waits");
        let later = now + late[0];
        let came = std::iter::from_fn(|| stream.pop(later, false)).map(|(_, frame)| (frame[0], frame.len()));
        assert_eq!(came.collect::<Vec<_>>(), [(0, 2000), (1, 2000), (2, 2000)]);
        stream.send(later, &[7], |_| later);
        assert_eq!(stream.pop(later, true), None);
        assert_eq!(stream.next(), Some(later + REPEAT_AFTER), "after a cut it is sent again");
    }
}
