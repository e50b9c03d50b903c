//! What waits to be sent to one connection: bounded, and never more than one of each kind of
//! snapshot. A client that does not keep up is closed; its seat stays.

use crate::outgoing::{Outgoing, Part};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// A page that reads at all is never this far behind: snapshots take one place each, and the rest
/// are answers to what it has sent itself.
pub const CAPACITY: usize = 64;

/// The hall's end puts messages in, the connection's task takes them out.
#[derive(Debug, Clone)]
pub struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<Outgoing>,
    closing: bool,
}

/// What the connection's task is to do next.
#[derive(Debug, PartialEq)]
pub enum Next {
    Send(Outgoing),
    Close,
}

/// What happened to a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Pushed {
    Queued,
    /// Changes of links that were not sent yet have been thrown away with these: all links are needed.
    NeedsLinks,
}

/// The client is too far behind.
#[derive(Debug, PartialEq, Eq)]
pub struct TooSlow;

impl Default for Outbox {
    fn default() -> Outbox {
        Outbox(Arc::new(Shared { inner: Mutex::default(), changed: Notify::new() }))
    }
}

impl Outbox {
    /// Queues a message. A snapshot takes the place of an older one of its kind.
    pub fn push(&self, message: impl Into<Outgoing>) -> Result<Pushed, TooSlow> {
        let message = message.into();
        let mut inner = self.lock();
        if inner.closing {
            return Ok(Pushed::Queued);
        }
        let changes = inner.queue.iter().position(|m| m.part() == Part::LinkChanges);
        if let (Part::Links | Part::LinkChanges, Some(older)) = (message.part(), changes) {
            inner.queue.remove(older);
            if message.part() == Part::LinkChanges {
                return Ok(Pushed::NeedsLinks);
            }
        }
        let full = inner.queue.len() >= CAPACITY;
        let older = inner.queue.iter_mut().find(|m| m.kind() == message.kind());
        match older.filter(|_| matches!(message.part(), Part::Snapshot | Part::Links)) {
            Some(older) => *older = message,
            None if full => {
                inner.queue.clear();
                inner.closing = true;
                self.0.changed.notify_one();
                return Err(TooSlow);
            }
            None => inner.queue.push_back(message),
        }
        self.0.changed.notify_one();
        Ok(Pushed::Queued)
    }

    /// Closes after what is queued.
    pub fn close(&self) {
        self.lock().closing = true;
        self.0.changed.notify_one();
    }

    /// Waits for something to do. Dropping the future loses nothing.
    pub async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.0.changed.notified().await;
        }
    }

    /// What is to be done now, for a host that does not wait here.
    pub fn take(&self) -> Option<Next> {
        let mut inner = self.lock();
        let message = inner.queue.pop_front();
        match message {
            Some(message) => Some(Next::Send(message)),
            None => inner.closing.then_some(Next::Close),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds the lock; and a queue is whole after any of its operations.
        self.0.inner.lock().unwrap_or_else(|e| e.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{LinkGrade, ServerMessage, SiteId, SiteLink};

    fn speakers(site: u32) -> ServerMessage {
        ServerMessage::Speakers { sites: vec![SiteId(site)] }
    }

    #[tokio::test]
    async fn only_the_newest_snapshot_waits() {
        let outbox = Outbox::default();
        for n in 0..1000 {
            outbox.push(speakers(n)).expect("snapshots take one place");
        }
        outbox.push(ServerMessage::Pong { n: 1 }).expect("room");
        outbox.close();
        assert_eq!(outbox.next().await, Next::Send(speakers(999).into()));
        let pong = ServerMessage::Pong { n: 1 };
        assert_eq!(outbox.next().await, Next::Send(pong.into()));
        assert_eq!(outbox.next().await, Next::Close);
    }

    #[tokio::test]
    async fn who_does_not_read_is_closed() {
        let outbox = Outbox::default();
        let n = 1;
        for _ in 0..CAPACITY {
            outbox.push(ServerMessage::Pong { n }).expect("room");
        }
        assert_eq!(outbox.push(ServerMessage::Pong { n }), Err(TooSlow));
        assert_eq!(outbox.next().await, Next::Close, "at once, without the rest");
    }

    #[tokio::test]
    async fn links_take_the_place_of_changes_that_were_not_sent() {
        let link = |site, loss_percent| SiteLink {
            site: SiteId(site),
            grade: LinkGrade::Good,
            loss_percent,
            rtt_ms: None,
        };
        let whole = |loss| ServerMessage::Links { links: vec![link(1, loss), link(2, loss)] };
        let change = |loss| ServerMessage::LinkChanges { links: vec![link(1, loss)] };
        let outbox = Outbox::default();
        assert_eq!(outbox.push(whole(1.0)), Ok(Pushed::Queued));
        assert_eq!(outbox.push(change(2.0)), Ok(Pushed::Queued));
        assert_eq!(outbox.push(change(3.0)), Ok(Pushed::NeedsLinks), "both are thrown away");
        assert_eq!(outbox.push(whole(3.0)), Ok(Pushed::Queued));
        assert_eq!(outbox.push(change(4.0)), Ok(Pushed::Queued));
        assert_eq!(outbox.push(whole(5.0)), Ok(Pushed::Queued), "newer than the change that waits");
        outbox.close();
        assert_eq!(outbox.next().await, Next::Send(whole(5.0).into()));
        assert_eq!(outbox.next().await, Next::Close);
    }
}
