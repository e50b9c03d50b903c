//! What one link may ask for, over whichever connection: coming back and taking over refills nothing.

use super::bucket::Bucket;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// A page that opens sends its first offer, wishes, media state and a few acts at once.
pub const BURST_SECONDS: f64 = 4.0;
/// Times a link may come in within a short time. A page comes back after a second at the soonest; a device that is
/// turned off and on, or two that take the seat from each other, join no more often.
const JOINS: f64 = 30.0;
const JOINS_PER_SECOND: f64 = 1.0;
/// Offers at once: a page makes one for each connection to the server and each attempt at media, and one where slots
/// are added.
const OFFERS: f64 = 10.0;
/// A page's attempts at media last six seconds and longer, three times as long. The largest offer costs 5 ms to read
/// and to answer: a flood of them is a hundredth of a core.
const OFFERS_PER_SECOND: f64 = 0.5;

/// One link's budget, shared by its connections.
#[derive(Debug, Clone)]
pub struct LinkBudget(Arc<Mutex<Buckets>>);

#[derive(Debug)]
struct Buckets {
    joins: Bucket,
    messages: Bucket,
    offers: Bucket,
}

impl LinkBudget {
    pub fn new(messages_per_second: u32, now: Instant) -> LinkBudget {
        let messages = f64::from(messages_per_second);
        LinkBudget(Arc::new(Mutex::new(Buckets {
            joins: Bucket::new(JOINS, JOINS_PER_SECOND, now),
            messages: Bucket::new(messages * BURST_SECONDS, messages, now),
            offers: Bucket::new(OFFERS, OFFERS_PER_SECOND, now),
        })))
    }

    pub fn take_join(&self, now: Instant) -> bool {
        self.lock().joins.take(now)
    }

    pub fn take_message(&self, now: Instant) -> bool {
        self.lock().messages.take(now)
    }

    pub fn take_offer(&self, now: Instant) -> bool {
        self.lock().offers.take(now)
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        // Numbers, each right by itself: what a panic left is good enough to go on counting.
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn connections_of_a_link_share_its_budget() {
        let start = Instant::now();
        let (one, other) = (LinkBudget::new(20, start), LinkBudget::new(20, start));
        let again = one.clone();
        let offers = (0..100).filter(|_| one.take_offer(start) || again.take_offer(start)).count();
        assert_eq!(offers, OFFERS as usize);
        assert!(other.take_offer(start), "another link's");
        assert!(again.take_join(start) && again.take_message(start), "of other kinds there are more");
        let minute = Duration::from_secs(60);
        let offers = (0..100).filter(|_| one.take_offer(start + minute)).count();
        assert_eq!(offers, OFFERS as usize, "no more than at first, however long it waited");
    }
}
