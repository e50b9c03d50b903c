//! Places: how many connections there may be, of one address and altogether. A client that opens a connection is a
//! stranger until it has shown a link and got its seat. Strangers share what is not kept for sites, and of one address
//! there are only so many: so no client keeps all others out.

use super::network::Network;
use crate::ids::Link;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// Places kept for each invited site: a browser opens six connections for a page and one for the WebSocket, and
/// the WebSocket it had may not have been missed yet.
const KEPT_PER_SITE: usize = 8;
/// Networks from which a site lately came: its room's, a mobile one as a spare, and both before their addresses
/// changed. What is remembered is bounded by what is in the configuration.
const NETWORKS_PER_SITE: usize = 4;

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Of all, or of those for strangers.
    Server,
    /// Of those for one address.
    Address,
}

/// The places of all listeners together.
#[derive(Debug, Clone)]
pub struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    all: usize,
    for_strangers: usize,
    per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    strangers: usize,
    /// Strangers' again, by network.
    by_network: HashMap<Network, usize>,
    /// Networks each site lately came from, newest last.
    lately: HashMap<Link, VecDeque<Network>>,
    /// The same by network: of how many sites.
    known: HashMap<Network, usize>,
}

impl Places {
    /// `all` places, of which up to half are kept for `sites` invited sites.
    pub fn new(all: usize, per_address: usize, sites: usize) -> Places {
        let kept = sites.saturating_mul(KEPT_PER_SITE).min(all / 2);
        let for_strangers = all.saturating_sub(kept);
        Places(Arc::new(Shared { all, for_strangers, per_address, taken: Mutex::default() }))
    }

    /// A place for a new connection.
    pub fn enter(&self, address: IpAddr) -> Result<Place, Full> {
        let network = Network::of(address);
        let mut taken = self.0.lock();
        let for_strangers = match taken.known.contains_key(&network) {
            true => self.0.all,
            false => self.0.for_strangers,
        };
        if taken.all >= self.0.all || taken.strangers >= for_strangers {
            return Err(Full::Server);
        }
        let of_network = taken.by_network.entry(network).or_default();
        if *of_network >= self.0.per_address {
            return Err(Full::Address);
        }
        *of_network = of_network.saturating_add(1);
        taken.strangers = taken.strangers.saturating_add(1);
        taken.all = taken.all.saturating_add(1);
        drop(taken);
        let held = Held { shared: self.0.clone(), network, seated: AtomicBool::new(false) };
        Ok(Place(Arc::new(held)))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Counters, each changed at once: what a panic left is still right.
        self.taken.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Taken {
    fn strangers_go(&mut self, network: Network) {
        self.strangers = self.strangers.saturating_sub(1);
        forget_one(&mut self.by_network, network);
    }

    fn remember(&mut self, link: Link, network: Network) {
        let lately = self.lately.entry(link).or_default();
        let before = lately.len();
        lately.retain(|other| *other != network);
        let is_new = lately.len() == before;
        lately.push_back(network);
        let oldest = if lately.len() > NETWORKS_PER_SITE { lately.pop_front() } else { None };
        if is_new {
            let sites = self.known.entry(network).or_default();
            *sites = sites.saturating_add(1);
        }
        if let Some(oldest) = oldest {
            forget_one(&mut self.known, oldest);
        }
    }
}

/// One less; what has come to nothing takes no memory.
fn forget_one(counts: &mut HashMap<Network, usize>, network: Network) {
    if let Some(count) = counts.get_mut(&network) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(&network);
        }
    }
}

/// A connection's place; free again when the last clone is dropped. It goes along with each request, for a
/// WebSocket outlives the HTTP connection it came from.
#[derive(Debug, Clone)]
pub struct Place(Arc<Held>);

#[derive(Debug)]
struct Held {
    shared: Arc<Shared>,
    network: Network,
    seated: AtomicBool,
}

impl Place {
    /// The connection got the seat of this link: it is no stranger any more, and its address is known.
    pub fn seat(&self, link: Link) {
        let held = &self.0;
        let mut taken = held.shared.lock();
        if !held.seated.swap(true, Ordering::Relaxed) {
            taken.strangers_go(held.network);
        }
        taken.remember(link, held.network);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = self.shared.lock();
        taken.all = taken.all.saturating_sub(1);
        if !self.seated.load(Ordering::Relaxed) {
            taken.strangers_go(self.network);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::MeetingId;
    use protocol::SiteId;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn link(site: u32) -> Link {
        (MeetingId(0), SiteId(site))
    }

    #[test]
    fn an_address_has_its_places_and_an_ipv6_network_is_one() {
        let places = Places::new(100, 2, 0);
        for (same, other) in [
            (["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.1"], "10.0.0.2"),
            (["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::"], "2001:db8:0:1::1"),
        ] {
            let [one, two, three] = same.map(address);
            let held = [places.enter(one).expect("a place"), places.enter(two).expect("another")];
            assert_eq!(places.enter(three).map(drop), Err(Full::Address));
            places.enter(address(other)).expect("another network");
            drop(held);
            places.enter(three).expect("free again");
        }
        assert!(places.0.lock().by_network.is_empty(), "what is gone is forgotten");
    }

    #[test]
    fn sites_do_not_count_towards_the_places_of_their_address() {
        let places = Places::new(100, 2, 10);
        let nat = address("10.0.0.1");
        let seated: Vec<Place> = (0..10)
            .map(|site| {
                let place = places.enter(nat).expect("a place");
                place.seat(link(site));
                place
            })
            .collect();
        let _strangers = [places.enter(nat).expect("a place"), places.enter(nat).expect("another")];
        assert_eq!(places.enter(nat).map(drop), Err(Full::Address));
        drop(seated);
        assert_eq!(places.enter(nat).map(drop), Err(Full::Address), "those who left had none of them");
    }

    #[test]
    fn strangers_leave_known_addresses_their_places() {
        let places = Places::new(20, 100, 1);
        let home = address("10.0.0.1");
        places.enter(home).expect("a place").seat(link(0));
        let strangers: Vec<Place> =
            (0..12).map(|_| places.enter(address("10.0.0.2")).expect("a place")).collect();
        assert_eq!(places.enter(address("10.0.0.3")).map(drop), Err(Full::Server));
        let kept: Vec<Place> = (0..KEPT_PER_SITE).map(|_| places.enter(home).expect("kept")).collect();
        assert_eq!(places.enter(home).map(drop), Err(Full::Server), "all are taken");
        drop((strangers, kept));
        let taken = places.0.lock();
        assert_eq!((taken.all, taken.strangers), (0, 0));
    }

    #[test]
    fn a_site_has_lately_come_from_a_few_networks() {
        let places = Places::new(20, 20, 1);
        for n in [1, 2, 1, 3, 4, 5] {
            places.enter([10, 0, 0, n].into()).expect("a place").seat(link(0));
        }
        let knows = |n: u8| places.0.lock().known.contains_key(&Network::of([10, 0, 0, n].into()));
        assert_eq!([1, 2, 3, 4, 5].map(knows), [true, false, true, true, true], "2 is the oldest");
        places.enter([10, 0, 0, 2].into()).expect("a place").seat(link(1));
        places.enter([10, 0, 0, 5].into()).expect("a place").seat(link(1));
        for n in 6..10 {
            places.enter([10, 0, 0, n].into()).expect("a place").seat(link(0));
        }
        assert!(knows(5), "another site's, too");
        assert_eq!(places.0.lock().known.len(), 6);
    }
}
