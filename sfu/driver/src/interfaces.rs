//! Which addresses are advertised as candidates.

use super::config::WorkersConfig;
use sfu::net::{Candidate, PathKind};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Interfaces are not read more often: some dozen microseconds, with hundreds of containers a millisecond, in which the
/// meetings wait. A site that comes by an address younger than that has loaded the page and joined meanwhile.
const READ_EVERY: Duration = Duration::from_millis(100);

/// Where this machine is reached, read again while it runs: a server may start before its network, and an address
/// may change.
pub(super) struct Reach {
    listen: Vec<IpAddr>,
    advertise: Vec<IpAddr>,
    include_loopback: bool,
    addresses: Vec<IpAddr>,
    /// For an offer. What was read at the start does not count: the network may come right after it.
    read_at: Option<Instant>,
}

impl Reach {
    pub fn read(config: &WorkersConfig) -> io::Result<Reach> {
        let mut reach = Reach {
            listen: config.listen.clone(),
            advertise: config.advertise.clone(),
            include_loopback: config.include_loopback,
            addresses: Vec::new(),
            read_at: None,
        };
        reach.addresses = reach.advertised(interfaces)?;
        Ok(reach)
    }

    /// As they were read last.
    pub fn known(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// The addresses to advertise to clients now. While the interfaces cannot be read it is those known last.
    pub fn addresses(&mut self, now: Instant) -> &[IpAddr] {
        self.addresses_of(now, interfaces)
    }

    fn addresses_of(&mut self, now: Instant, interfaces: impl Fn() -> io::Result<Vec<IpAddr>>) -> &[IpAddr] {
        if self.read_at.is_none_or(|at| now.saturating_duration_since(at) >= READ_EVERY) {
            self.read_at = Some(now);
            self.addresses = self.advertised(interfaces).unwrap_or(std::mem::take(&mut self.addresses));
        }
        &self.addresses
    }

    /// `advertise` if given, else the addresses listened on, else those of the interfaces. Loopback only if asked
    /// for or if there is nothing else.
    fn advertised(&self, interfaces: impl Fn() -> io::Result<Vec<IpAddr>>) -> io::Result<Vec<IpAddr>> {
        if !self.advertise.is_empty() {
            return Ok(self.advertise.clone());
        }
        let mut addresses = interfaces()?;
        addresses.retain(|ip| reachable_at(*ip, &self.listen));
        // An address listened on that no interface shows (a container, a virtual address) is believed.
        for ip in self.listen.iter().filter(|ip| !ip.is_unspecified()) {
            if !addresses.contains(ip) {
                addresses.push(*ip);
            }
        }
        Ok(choose(addresses, self.include_loopback))
    }
}

fn interfaces() -> io::Result<Vec<IpAddr>> {
    Ok(if_addrs::get_if_addrs()?.into_iter().map(|interface| interface.ip()).collect())
}

fn reachable_at(ip: IpAddr, listen: &[IpAddr]) -> bool {
    // Beside an IPv4 address, [::] is bound for IPv6 alone (`bind.rs`).
    let both = !listen.iter().any(IpAddr::is_ipv4);
    let wildcard = |l: &IpAddr| l.is_unspecified() && (both || l.is_ipv4() == ip.is_ipv4());
    listen.is_empty() || listen.contains(&ip) || listen.iter().any(wildcard)
}

/// Drops what no client can use and puts IPv4 first: a closed state network has IPv6 by accident.
fn choose(mut addresses: Vec<IpAddr>, include_loopback: bool) -> Vec<IpAddr> {
    addresses.retain(|ip| !matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local()));
    let only_loopback = addresses.iter().all(IpAddr::is_loopback);
    if !include_loopback && !only_loopback {
        addresses.retain(|ip| !ip.is_loopback());
    }
    addresses.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6()));
    addresses.dedup();
    addresses
}

/// UDP on every address before TCP on any: TCP is for where UDP does not come through.
pub(super) fn candidates(addresses: &[IpAddr], port: u16, ipv6: bool) -> Vec<Candidate> {
    [PathKind::Udp, PathKind::Tcp]
        .into_iter()
        .flat_map(|kind| addresses.iter().map(move |ip| (kind, *ip)))
        .filter(|(_, ip)| ipv6 || ip.is_ipv4())
        .map(|(kind, ip)| Candidate { kind, address: SocketAddr::new(ip, port) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|t| t.parse().unwrap()).collect()
    }

    #[test]
    fn loopback_is_advertised_only_when_asked_for_or_alone() {
        let all = ips(&["::1", "fe80::1", "2001:db8::1", "127.0.0.1", "10.0.0.1"]);
        assert_eq!(choose(all.clone(), false), ips(&["10.0.0.1", "2001:db8::1"]));
        assert_eq!(choose(all, true), ips(&["10.0.0.1", "2001:db8::1", "127.0.0.1", "::1"]));
        assert_eq!(choose(ips(&["::1", "127.0.0.1"]), false), ips(&["127.0.0.1", "::1"]));
    }

    #[test]
    fn what_is_configured_is_advertised_as_it_is() {
        let config = WorkersConfig {
            listen: ips(&["127.0.0.1"]),
            advertise: ips(&["203.0.113.7"]),
            ..WorkersConfig::default()
        };
        let now = Instant::now();
        let mut reach = Reach::read(&config).unwrap();
        assert_eq!(reach.addresses(now + READ_EVERY), ips(&["203.0.113.7"]));
    }

    #[test]
    fn the_interfaces_are_read_again_at_most_ten_times_a_second() {
        let start = Instant::now();
        let mut reach = Reach::read(&WorkersConfig::default()).unwrap();
        let mut at = |ms, found: io::Result<Vec<IpAddr>>| {
            let found = || found.as_ref().cloned().map_err(|_| io::Error::other("no netlink"));
            reach.addresses_of(start + Duration::from_millis(ms), found).to_vec()
        };
        let [none, first, second] = [&["127.0.0.1"][..], &["127.0.0.1", "10.0.0.1"], &["10.0.0.2"]].map(ips);
        assert_eq!(at(0, Ok(second.clone())), second, "the first offer reads, however soon it comes");
        assert_eq!(at(100, Ok(none.clone())), none, "nothing but loopback");
        assert_eq!(at(150, Ok(first.clone())), none, "read just now");
        assert_eq!(at(200, Ok(first.clone())), ips(&["10.0.0.1"]));
        assert_eq!(at(300, Err(io::Error::other("no netlink"))), ips(&["10.0.0.1"]));
        assert_eq!(at(400, Ok(second.clone())), second);
    }

    #[test]
    fn only_what_is_listened_on_can_be_reached() {
        let [v4, v6] = ["10.0.0.1", "2001:db8::1"].map(|ip| ip.parse().unwrap());
        let table: [(&[&str], bool, bool); 6] = [
            (&[], true, true),
            (&["::"], true, true),
            (&["0.0.0.0"], true, false),
            (&["::", "10.0.0.2"], false, true),
            (&["::", "0.0.0.0"], true, true),
            (&["10.0.0.1"], true, false),
        ];
        for (listen, by_v4, by_v6) in table {
            let found = (reachable_at(v4, &ips(listen)), reachable_at(v6, &ips(listen)));
            assert_eq!(found, (by_v4, by_v6), "{listen:?}");
        }
    }

    #[test]
    fn udp_candidates_come_before_tcp_and_ipv6_only_where_it_is_bound() {
        let advertised = candidates(&ips(&["10.0.0.1", "2001:db8::1"]), 5000, false);
        let kinds: Vec<_> = advertised.iter().map(|c| (c.kind, c.address.to_string())).collect();
        assert_eq!(
            kinds,
            [(PathKind::Udp, "10.0.0.1:5000".to_owned()), (PathKind::Tcp, "10.0.0.1:5000".to_owned())]
        );
    }
}
