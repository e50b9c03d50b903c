//! Destinations that take no runs of datagrams.
//!
//! Whether segmentation offload works is a matter of the interface and of the path: a driver may have none (EIO), and a
//! packet that is too long for the path is cut by the kernel alone, not in a run (EMSGSIZE, EINVAL). It shows only when
//! a run is sent. A refusal for one destination means nothing for the others.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// After this a run is tried again: the kernel forgets what it learnt of a path after ten minutes, a route may change
/// at any time, and an attempt in vain costs one system call.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// As many as a worker has peers. Should there be more, all are tried again.
const MAX_DESTINATIONS: usize = sfu::limits::MAX_PEERS_PER_WORKER;

/// Which destinations have refused a run, and until when no run is tried there.
#[derive(Default)]
pub(super) struct Refusals(HashMap<IpAddr, Instant>);

impl Refusals {
    pub fn add(&mut self, now: Instant, destination: IpAddr) {
        if self.0.len() >= MAX_DESTINATIONS {
            self.0.clear();
        }
        if let Some(until) = now.checked_add(RETRY_AFTER) {
            self.0.insert(network(destination), until);
        }
    }

    /// Whether a run to there is not worth trying now.
    pub fn has(&mut self, now: Instant, destination: IpAddr) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let network = network(destination);
        match self.0.get(&network) {
            Some(until) if now < *until => true,
            Some(_) => {
                self.0.remove(&network);
                false
            }
            None => false,
        }
    }
}

/// The same path leads to all of an IPv6 /64, of which one site may have as many addresses as it likes.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_refusal_counts_for_one_network_and_a_minute() {
        let start = Instant::now();
        let [far, same, other] =
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|ip| ip.parse().unwrap());
        let mut refusals = Refusals::default();
        assert!(!refusals.has(start, far));
        refusals.add(start, far);
        assert_eq!([far, same, other].map(|ip| refusals.has(start, ip)), [true, true, false]);
        let later = start + RETRY_AFTER;
        assert!(refusals.has(later - Duration::from_millis(1), far));
        assert!(!refusals.has(later, far));
        assert!(refusals.0.is_empty());
    }

    #[test]
    fn refusals_are_bounded() {
        let start = Instant::now();
        let mut refusals = Refusals::default();
        for n in 0..3 * MAX_DESTINATIONS as u32 {
            refusals.add(start, Ipv4Addr::from_bits(n).into());
            assert!(refusals.0.len() <= MAX_DESTINATIONS);
            assert!(refusals.has(start, Ipv4Addr::from_bits(n).into()));
        }
    }
}
