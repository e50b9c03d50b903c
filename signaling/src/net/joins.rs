//! How often an address may try unknown links.

use super::bucket::Bucket;
use super::network::Network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Failed attempts to join, per address. A client with a valid link is never refused for this: others behind its
/// address may fail as often as they like.
#[derive(Debug)]
pub struct JoinLimit {
    per_minute: u32,
    buckets: HashMap<Network, Bucket>,
}

/// Above this many addresses those that have been quiet for a minute are forgotten.
const REMEMBERED: usize = 10_000;
/// How far back the limit looks.
const WINDOW: Duration = Duration::from_secs(60);

impl JoinLimit {
    pub fn new(per_minute: u32) -> JoinLimit {
        JoinLimit { per_minute, buckets: HashMap::new() }
    }

    /// Counts a failed attempt from `address`; false where there were too many.
    pub fn admit(&mut self, now: Instant, address: IpAddr) -> bool {
        if self.buckets.len() >= REMEMBERED {
            self.buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        let capacity = f64::from(self.per_minute);
        let per_second = capacity / WINDOW.as_secs_f64();
        let bucket = self.buckets.entry(Network::of(address));
        bucket.or_insert_with(|| Bucket::new(capacity, per_second, now)).take(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_counted_apart_and_an_ipv6_network_as_one() {
        let start = Instant::now();
        let mut limit = JoinLimit::new(1);
        let address = |text: &str| -> IpAddr { text.parse().expect("an address") };
        assert!(limit.admit(start, address("10.0.0.1")));
        assert!(!limit.admit(start, address("::ffff:10.0.0.1")), "the same, mapped");
        assert!(limit.admit(start, address("10.0.0.2")));
        assert!(limit.admit(start, address("2001:db8::1")));
        assert!(!limit.admit(start, address("2001:db8::2")));
        assert!(limit.admit(start + WINDOW, address("10.0.0.1")));
    }

    #[test]
    fn the_memory_for_addresses_is_bounded() {
        let start = Instant::now();
        let mut limit = JoinLimit::new(1);
        for n in 0..REMEMBERED as u32 {
            limit.admit(start, IpAddr::from((0x0a00_0000 + n).to_be_bytes()));
        }
        let later = start + WINDOW;
        limit.admit(later, IpAddr::from([192, 168, 0, 1]));
        assert_eq!(limit.buckets.len(), 1);
    }
}
