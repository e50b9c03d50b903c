//! How long a connection counts as alive: when it must have sent `hello`, when it is pinged, and when it counts as
//! lost. The time is passed in.

use protocol::{HELLO_TIMEOUT_S, PING_INTERVAL_S, SILENCE_TIMEOUT_S};
use std::time::{Duration, Instant};

/// When something is due of one connection.
#[derive(Debug)]
pub struct Timeouts {
    opened: Instant,
    heard: Instant,
    greeted: bool,
    pings: u32,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    Nothing,
    /// Asks for a sign of life with this number.
    Ping(u32),
    /// Sent no hello in time.
    NoHello,
    /// Sends nothing any more.
    Silent,
}

impl Timeouts {
    pub fn new(now: Instant) -> Timeouts {
        Timeouts { opened: now, heard: now, greeted: false, pings: 0 }
    }

    /// Something came.
    pub fn hear(&mut self, now: Instant) {
        self.heard = now;
    }

    /// The hello came.
    pub fn greet(&mut self) {
        self.greeted = true;
    }

    pub fn has_greeted(&self) -> bool {
        self.greeted
    }

    /// Looks at the clock, about once a second.
    pub fn look(&mut self, now: Instant) -> Due {
        let open_for = now.saturating_duration_since(self.opened);
        if now.saturating_duration_since(self.heard) >= Duration::from_secs(SILENCE_TIMEOUT_S) {
            return Due::Silent;
        }
        if !self.greeted {
            return match open_for >= Duration::from_secs(HELLO_TIMEOUT_S) {
                true => Due::NoHello,
                false => Due::Nothing,
            };
        }
        let next = self.pings.saturating_add(1);
        if open_for >= Duration::from_secs(PING_INTERVAL_S).saturating_mul(next) {
            self.pings = next;
            return Due::Ping(self.pings);
        }
        Due::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that falls due while the clock runs from one second to another.
    fn watch(
        timeouts: &mut Timeouts,
        start: Instant,
        seconds: std::ops::RangeInclusive<u64>,
    ) -> Vec<(u64, Due)> {
        let looks = seconds.map(|s| (s, timeouts.look(start + Duration::from_secs(s))));
        looks.filter(|(_, due)| *due != Due::Nothing).collect()
    }

    #[test]
    fn a_hello_must_come_in_time_whatever_else_does() {
        let start = Instant::now();
        let mut timeouts = Timeouts::new(start);
        assert_eq!(watch(&mut timeouts, start, 0..=HELLO_TIMEOUT_S - 1), []);
        timeouts.hear(start + Duration::from_secs(HELLO_TIMEOUT_S - 1));
        let late = start + Duration::from_secs(HELLO_TIMEOUT_S);
        assert_eq!(timeouts.look(late), Due::NoHello, "pings are no hello");
        timeouts.greet();
        assert_ne!(timeouts.look(late), Due::NoHello);
    }

    #[test]
    fn a_client_that_answers_is_pinged_for_ever_and_one_that_does_not_is_lost() {
        let start = Instant::now();
        let mut timeouts = Timeouts::new(start);
        timeouts.greet();
        let mut pings = 0;
        for second in 1..=600 {
            let now = start + Duration::from_secs(second);
            match timeouts.look(now) {
                Due::Ping(n) => {
                    pings += 1;
                    assert_eq!(n, pings);
                    timeouts.hear(now);
                }
                due => assert_eq!(due, Due::Nothing, "at {second}"),
            }
        }
        assert_eq!(u64::from(pings), 600 / PING_INTERVAL_S);
        let silent: Vec<_> = watch(&mut timeouts, start, 601..=600 + SILENCE_TIMEOUT_S)
            .into_iter()
            .filter(|(_, due)| *due == Due::Silent)
            .collect();
        assert_eq!(silent, [(600 + SILENCE_TIMEOUT_S, Due::Silent)], "after two pings without an answer");
    }
}
