//! Events on their way to the meeting: in order, none lost, and never blocking.

use sfu::event::Event;
use sfu::limits::MAX_PEERS_PER_WORKER;
use std::collections::VecDeque;

/// Events that may wait: sixteen for each peer, which is a whole meeting leaving and coming back. A meeting quarter
/// that takes none for so long is not alive, and the worker stops rather than lose one.
pub(super) const CAPACITY: usize = 16 * MAX_PEERS_PER_WORKER;

/// Holds back what the channel refuses.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Event>,
}

impl Outbox {
    /// Delivers at once if nothing waits, else queues behind what does. A `Stats` that still waits
    /// is replaced: it is a snapshot, of a second that is over.
    pub fn push(&mut self, event: Event, deliver: impl FnMut(Event) -> Result<(), Event>) {
        if matches!(event, Event::Stats { .. }) {
            self.waiting.retain(|e| !matches!(e, Event::Stats { .. }));
        }
        self.waiting.push_back(event);
        self.deliver(deliver);
    }

    /// Delivers in order until one is refused.
    pub fn deliver(&mut self, mut deliver: impl FnMut(Event) -> Result<(), Event>) {
        while let Some(event) = self.waiting.pop_front() {
            if let Err(refused) = deliver(event) {
                self.waiting.push_front(refused);
                return;
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether the worker must stop turning until some are delivered.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= CAPACITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sfu::ids::PeerId;
    use sfu::stats::WorkerStats;

    fn quiet(n: u64) -> Event {
        Event::Quiet { peer: PeerId(n) }
    }

    fn stats(load: f64) -> Event {
        Event::Stats { worker: Box::new(WorkerStats { load, ..WorkerStats::default() }), peers: Vec::new() }
    }

    #[test]
    fn what_is_refused_waits_in_order_and_the_latest_stats_win() {
        let mut outbox = Outbox::default();
        outbox.push(quiet(1), Err);
        outbox.push(stats(0.1), Err);
        outbox.push(quiet(2), Err);
        outbox.push(stats(0.2), Err);
        outbox.push(quiet(3), Err);

        let mut delivered = Vec::new();
        let mut room = 2;
        let mut sink = |event| {
            if room == 0 {
                return Err(event);
            }
            room -= 1;
            delivered.push(event);
            Ok(())
        };
        outbox.deliver(&mut sink);
        assert!(!outbox.is_empty(), "the channel had room for two");
        outbox.deliver(|event| {
            delivered.push(event);
            Ok(())
        });
        assert_eq!(delivered, [quiet(1), quiet(2), stats(0.2), quiet(3)]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn it_is_full_at_its_capacity_and_no_longer_after_one_delivery() {
        let mut outbox = Outbox::default();
        for n in 0..CAPACITY {
            assert!(!outbox.is_full());
            outbox.push(quiet(n as u64), Err);
        }
        assert!(outbox.is_full());
        let mut first = true;
        outbox.deliver(|event| match std::mem::take(&mut first) {
            true => Ok(()),
            false => Err(event),
        });
        assert!(!outbox.is_full());
    }
}
