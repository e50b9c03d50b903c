//! How connections reach the hall.

use super::outbox::Outbox;
use super::pulse::{Pulse, Stuck};
use super::site_message::SiteMessage;
use crate::meeting::ConnectionId;
use crate::metrics::Board;
use crate::net::{LinkBudget, Place};
use protocol::ErrorCode;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot, watch};

/// Set, before `welcome` is sent, when a hello was accepted: what its link may ask for.
pub type Admission = Arc<OnceLock<LinkBudget>>;

/// A new connection.
#[derive(Debug)]
pub struct NewConnection {
    pub address: IpAddr,
    pub place: Place,
    pub admission: Admission,
    pub outbox: Outbox,
}

#[derive(Debug)]
pub(super) enum DoorMessage {
    Arrived(ConnectionId, NewConnection),
    Message(ConnectionId, SiteMessage),
    Drain(oneshot::Sender<()>),
}

/// Why a server cannot go on. Starting it again helps, and brings every site back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The thread of this media worker has ended by itself.
    MediaWorker(usize),
    /// The hall's task has.
    Hall,
}

/// One of many doors of the hall.
#[derive(Clone)]
pub struct HallDoor {
    sender: mpsc::Sender<DoorMessage>,
    next_id: Arc<AtomicU64>,
    messages_per_second: u32,
    board: Arc<Board>,
    /// A media worker that was lost.
    lost: watch::Receiver<Option<usize>>,
    pulse: Arc<Pulse>,
}

impl HallDoor {
    pub(super) fn new(
        sender: mpsc::Sender<DoorMessage>,
        messages_per_second: u32,
        board: Arc<Board>,
        lost: watch::Receiver<Option<usize>>,
        pulse: Arc<Pulse>,
    ) -> HallDoor {
        HallDoor { sender, next_id: Arc::new(AtomicU64::new(1)), messages_per_second, board, lost, pulse }
    }

    /// Parts of the server that do not turn.
    pub fn stuck(&self) -> Vec<Stuck> {
        self.pulse.stuck(Instant::now())
    }

    /// Done when the server cannot go on.
    pub async fn broken(&self) -> Broken {
        let mut lost = self.lost.clone();
        let known = lost.wait_for(Option::is_some).await;
        known.ok().and_then(|worker| *worker).map_or(Broken::Hall, Broken::MediaWorker)
    }

    /// Announces a connection; `None` when the hall has closed.
    pub async fn open(&self, connection: NewConnection) -> Option<ConnectionId> {
        let id = ConnectionId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let message = DoorMessage::Arrived(id, connection);
        self.sender.send(message).await.ok().map(|()| id)
    }

    /// Waits while the hall is busy: a client that sends too much slows itself down.
    pub async fn tell(&self, id: ConnectionId, message: SiteMessage) {
        // A closed hall also closes the outbox, which ends the connection.
        let _ = self.sender.send(DoorMessage::Message(id, message)).await;
    }

    /// Counts something that was refused before it came to the hall.
    pub fn count(&self, code: ErrorCode) {
        self.board.refused(code);
    }

    pub fn messages_per_second(&self) -> u32 {
        self.messages_per_second
    }

    /// Notifies all sites that the server goes down; done when all connections have gone.
    pub async fn drain(&self) {
        let (done, all_gone) = oneshot::channel();
        if self.sender.send(DoorMessage::Drain(done)).await.is_ok() {
            let _ = all_gone.await;
        }
    }
}
