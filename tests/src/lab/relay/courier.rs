//! Carries things until their time, in order of it.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Instant;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep_until;

/// What is done when its time has come.
pub type Errand = Box<dyn FnOnce() + Send>;

struct Carried {
    at: Instant,
    number: u64,
    errand: Errand,
}

impl Ord for Carried {
    fn cmp(&self, other: &Carried) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Carried {
    fn partial_cmp(&self, other: &Carried) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Carried {
    fn eq(&self, other: &Carried) -> bool {
        self.number == other.number
    }
}

impl Eq for Carried {}

/// Takes errands; clones take for the same courier.
#[derive(Clone)]
pub struct Courier(UnboundedSender<(Instant, Errand)>);

impl Courier {
    /// Goes for as long as somebody can give errands.
    pub fn start() -> Courier {
        let (give, take) = unbounded_channel();
        tokio::spawn(carry(take));
        Courier(give)
    }

    pub fn carry(&self, at: Instant, errand: impl FnOnce() + Send + 'static) {
        // It goes for as long as this is here.
        let _gone = self.0.send((at, Box::new(errand)));
    }
}

async fn carry(mut take: UnboundedReceiver<(Instant, Errand)>) {
    let mut bag: BinaryHeap<Reverse<Carried>> = BinaryHeap::new();
    let mut number = 0;
    loop {
        let next = bag.peek().map(|Reverse(carried)| carried.at);
        let given = match next {
            Some(at) => tokio::select! {
                biased;
                given = take.recv() => given,
                () = sleep_until(at.into()) => {
                    if let Some(Reverse(carried)) = bag.pop() {
                        (carried.errand)();
                    }
                    continue;
                }
            },
            None => take.recv().await,
        };
        let Some((at, errand)) = given else { return };
        number += 1;
        bag.push(Reverse(Carried { at, number, errand }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn errands_are_done_in_the_order_of_their_times() {
        let (courier, now) = (Courier::start(), Instant::now());
        let (done, mut order) = unbounded_channel();
        for (ms, name) in [(30, "c"), (10, "a"), (20, "b"), (30, "d")] {
            let done = done.clone();
            courier.carry(now + Duration::from_millis(ms), move || done.send(name).expect("a listener"));
        }
        let mut names = Vec::new();
        order.recv_many(&mut names, 1).await;
        while names.len() < 4 {
            order.recv_many(&mut names, 4).await;
        }
        assert_eq!(names, ["a", "b", "c", "d"]);
    }
}
