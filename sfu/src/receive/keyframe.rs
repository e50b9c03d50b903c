//! Key frame requests of one layer: PLI and FIR of all viewers, merged and throttled.

use std::time::{Duration, Instant};

/// Key frames are large: one asked for more often than this would eat the line it is asked over.
/// Other forwarding servers use 200–1,000 ms.
const MIN_INTERVAL: Duration = Duration::from_millis(400);
/// A request or its key frame may be lost: ask again after this and two round trips.
const RETRY: Duration = Duration::from_millis(400);

#[derive(Debug, Default)]
pub struct KeyframeRequester {
    wanted: bool,
    /// Asked last.
    sent_at: Option<Instant>,
    /// When to ask, or to ask again.
    ask_at: Option<Instant>,
}

impl KeyframeRequester {
    /// A viewer needs a key frame.
    pub fn request(&mut self, now: Instant) {
        if self.wanted {
            return;
        }
        self.wanted = true;
        let earliest = self.sent_at.and_then(|at| at.checked_add(MIN_INTERVAL));
        self.ask_at = Some(earliest.map_or(now, |at| at.max(now)));
    }

    /// A key frame has been asked for and has not come yet.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// One has come: all viewers are served.
    pub fn on_keyframe(&mut self) {
        self.wanted = false;
        self.ask_at = None;
    }

    /// No viewer needs one any more, or the layer has ended.
    pub fn cancel(&mut self) {
        self.wanted = false;
        self.ask_at = None;
    }

    /// Whether to send a PLI now.
    pub fn poll(&mut self, now: Instant, rtt: Duration) -> bool {
        if !self.wanted || self.ask_at.is_none_or(|at| at > now) {
            return false;
        }
        self.sent_at = Some(now);
        let patience = RETRY.saturating_add(rtt.saturating_mul(2));
        self.ask_at = now.checked_add(patience);
        true
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        self.ask_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(50);

    #[test]
    fn the_first_request_goes_at_once_and_others_merge() {
        let start = Instant::now();
        let mut keyframe = KeyframeRequester::default();
        keyframe.request(start);
        keyframe.request(start);
        assert!(keyframe.poll(start, RTT));
        assert!(!keyframe.poll(start, RTT));
        keyframe.request(start + RTT);
        assert!(!keyframe.poll(start + RTT, RTT));
    }

    #[test]
    fn it_asks_again_until_one_comes() {
        let start = Instant::now();
        let mut keyframe = KeyframeRequester::default();
        keyframe.request(start);
        assert!(keyframe.poll(start, RTT));
        let again = keyframe.next_timeout().unwrap();
        assert_eq!(again, start + RETRY + RTT * 2);
        assert!(keyframe.poll(again, RTT));
        keyframe.on_keyframe();
        assert_eq!(keyframe.next_timeout(), None);
    }

    #[test]
    fn a_request_soon_after_a_key_frame_waits() {
        let start = Instant::now();
        let mut keyframe = KeyframeRequester::default();
        keyframe.request(start);
        assert!(keyframe.poll(start, RTT));
        keyframe.on_keyframe();
        keyframe.request(start + RTT);
        assert!(!keyframe.poll(start + RTT, RTT));
        assert!(keyframe.poll(start + MIN_INTERVAL, RTT));
    }

    #[test]
    fn what_is_no_longer_needed_is_not_asked_for() {
        let start = Instant::now();
        let ends: [fn(&mut KeyframeRequester); 2] =
            [KeyframeRequester::cancel, KeyframeRequester::on_keyframe];
        for end in ends {
            let mut keyframe = KeyframeRequester::default();
            assert!(!keyframe.is_wanted());
            keyframe.request(start);
            assert!(keyframe.is_wanted());
            end(&mut keyframe);
            assert_eq!((keyframe.is_wanted(), keyframe.next_timeout()), (false, None));
            assert!(!keyframe.poll(start + RTT, RTT));
        }
    }
}
