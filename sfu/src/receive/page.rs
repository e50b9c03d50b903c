//! When what is presented has last changed as a whole: a page was turned. Browsers send that as one large frame, which is no
//! key frame.

use std::time::Instant;

/// A frame of so many packets is another page: a key frame of one has twice as many at half the size, and what moves on it
/// one or two.
const PACKETS: u32 = 8;

#[derive(Debug, Default)]
pub struct Pages {
    /// The newest frame, and how many packets of it have come; none of a key frame, and none without its first.
    timestamp: u32,
    packets: Option<u32>,
    turned_at: Option<Instant>,
}

impl Pages {
    /// A packet has come, of the frame with this timestamp; `begins` is whether that is a key frame, in its first packet.
    pub fn see(&mut self, arrived: Instant, timestamp: u32, begins: Option<bool>) {
        if let Some(is_key) = begins {
            (self.timestamp, self.packets) = (timestamp, (!is_key).then_some(0));
        }
        let Some(packets) = self.packets.as_mut().filter(|_| self.timestamp == timestamp) else {
            return;
        };
        *packets = packets.saturating_add(1);
        if *packets == PACKETS {
            self.turned_at = Some(arrived);
        }
    }

    pub fn turned_at(&self) -> Option<Instant> {
        self.turned_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::test_start;
    use std::time::Duration;

    #[test]
    fn a_large_frame_that_is_no_key_frame_is_another_page() {
        let (start, mut pages) = (test_start(), Pages::default());
        let mut frame = |number: u32, packets: u32, is_key: bool| {
            for packet in 0..packets {
                let at = start + Duration::from_millis(u64::from(number * 200 + packet));
                pages.see(at, number * 18_000, (packet == 0).then_some(is_key));
            }
            pages.turned_at().map(|at| (at - start).as_millis())
        };
        assert_eq!(frame(0, 17, true), None, "a key frame shows what was there");
        assert_eq!(frame(1, 2, false), None);
        assert_eq!(frame(2, 17, false), Some(407));
        assert_eq!(frame(3, 7, false), Some(407), "something moves on it");
    }
}
