//! The thread beside a worker that mixes voices: decoding and encoding take a hundred times as long as forwarding, and
//! nobody else's packets wait for it. It starts with the first mix that is ordered.

use super::placement::WorkerId;
use audio::{Mixer, Opus, Output};
use mio::Waker;
use sfu::mix::{MixOrder, Mixed};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::Builder;
use std::time::Instant;

/// Packets of voices that may wait: a second of forty.
const ORDERS: usize = 2_000;
/// Packets of mixes that may wait for the worker: a second of forty mixes.
const MIXED: usize = 2_000;

/// A worker's mixer, if it has needed one.
pub(super) struct Mixing {
    worker: WorkerId,
    waker: Arc<Waker>,
    /// One timeline for all threads that have mixed for this worker.
    epoch: Instant,
    thread: Option<Thread>,
}

struct Thread {
    orders: SyncSender<MixOrder>,
    mixed: Receiver<Mixed>,
}

impl Mixing {
    pub fn new(epoch: Instant, worker: WorkerId, waker: Arc<Waker>) -> Mixing {
        Mixing { worker, waker, epoch, thread: None }
    }

    /// Never blocks. False where the order is lost: the mixer cannot keep up, or has ended. A new one starts with the
    /// next order, and what is desired of it is repeated each second.
    pub fn order(&mut self, order: MixOrder) -> bool {
        if self.thread.is_none() {
            self.thread = self.start();
        }
        let Some(thread) = &self.thread else {
            return false;
        };
        match thread.orders.try_send(order) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => false,
            Err(TrySendError::Disconnected(_)) => {
                self.thread = None;
                false
            }
        }
    }

    /// What has been mixed meanwhile.
    pub fn next_mixed(&self) -> Option<Mixed> {
        self.thread.as_ref()?.mixed.try_recv().ok()
    }

    fn start(&self) -> Option<Thread> {
        let ((orders, ordered), (made, mixed)) = (sync_channel(ORDERS), sync_channel(MIXED));
        let mixer = Mixer::new(self.epoch, Opus);
        let (waker, name) = (self.waker.clone(), format!("mixer-{}", self.worker.0));
        let started = Builder::new().name(name).spawn(move || run(mixer, &ordered, &made, &waker));
        started.ok().map(|_| Thread { orders, mixed })
    }
}

/// Until the worker is gone.
fn run(mut mixer: Mixer<Opus>, ordered: &Receiver<MixOrder>, made: &SyncSender<Mixed>, waker: &Waker) {
    loop {
        let wake_at = loop {
            match mixer.poll_output(Instant::now()) {
                Output::Timeout(at) => break at,
                Output::Mixed(mixed) => match made.try_send(mixed) {
                    // What a worker does not fetch within a second is too old.
                    Ok(()) | Err(TrySendError::Full(_)) => drop(waker.wake()),
                    Err(TrySendError::Disconnected(_)) => return,
                },
            }
        };
        match ordered.recv_timeout(wake_at.saturating_duration_since(Instant::now())) {
            Ok(order) => mixer.handle_order(Instant::now(), order),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
