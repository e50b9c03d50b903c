//! The media quarter behind the bridge: its workers, started from the settings.

use super::{MediaPlane, Stall, WorkerEvent};
use crate::config::Config;
use crate::error::{StartCode, StartError};
use driver::{Overflows, StartError as WorkersError, WorkerId, Workers, WorkersConfig};
use sfu::command::Command;
use sfu::event::Event;
use sfu::ids::RoomId;
use sfu::transport::Certificate;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// Events of all workers that may wait for the hall. A meeting of 40 sites that joins at once brings
/// about 2,000 in the second that matters; a full channel holds a worker's commands back, not its
/// media.
const MAX_EVENTS: usize = 4096;

/// Both directions of the bridge. The plane stops when it is dropped.
pub struct MediaPort {
    pub plane: Box<dyn MediaPlane>,
    pub events: mpsc::Receiver<WorkerEvent>,
    /// The addresses advertised to sites.
    pub addresses: Vec<SocketAddr>,
}

impl MediaPlane for Workers {
    fn place(&mut self, room: RoomId) -> usize {
        Workers::place(self, room).0
    }

    fn send(&mut self, room: RoomId, command: Command) -> Result<(), Command> {
        Workers::send(self, room, command)
    }

    fn forget(&mut self, room: RoomId) {
        Workers::forget(self, room);
    }

    fn lost(&self) -> Option<usize> {
        Workers::lost(self).map(|WorkerId(worker)| worker)
    }

    fn workers(&self) -> usize {
        Workers::addresses(self).len()
    }

    fn stalled(&mut self, now: Instant) -> Vec<Stall> {
        let stalled = Workers::stalled(self, now).into_iter();
        stalled.map(|stall| Stall { worker: stall.worker.0, lasts: stall.lasts }).collect()
    }

    fn overflows(&self) -> Overflows {
        Workers::overflows(self)
    }
}

/// Binds the media ports and starts the workers.
pub fn start(config: &Config) -> Result<MediaPort, StartError> {
    let certificate =
        Certificate::generate().map_err(|error| StartError::new(StartCode::Media, error.to_string()))?;
    let (sender, events) = mpsc::channel(MAX_EVENTS);
    let sink = move |WorkerId(worker): WorkerId, event: Event| {
        match sender.try_send(WorkerEvent { worker, event }) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(back)) => Err(back.event),
            // The hall has ended: there is no receiver.
            Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    };
    let workers = Workers::start(&workers_config(config), Arc::new(certificate), sink);
    let workers = workers.map_err(refused)?;
    let addresses = addresses(&workers);
    Ok(MediaPort { plane: Box::new(workers), events, addresses })
}

/// Each once, though each serves UDP and TCP.
fn addresses(workers: &Workers) -> Vec<SocketAddr> {
    let candidates = workers.addresses().into_iter().flat_map(|worker| worker.candidates);
    let all: BTreeSet<SocketAddr> = candidates.map(|candidate| candidate.address).collect();
    all.into_iter().collect()
}

fn workers_config(config: &Config) -> WorkersConfig {
    WorkersConfig {
        workers: config.media.workers,
        listen: config.media.listen.clone(),
        port: config.media.port,
        advertise: config.media.advertise.clone(),
        // A browser on this machine reaches the bridge without a network.
        include_loopback: true,
        ..WorkersConfig::default()
    }
}

fn refused(error: WorkersError) -> StartError {
    match error {
        WorkersError::Bind(bind) => StartError::cannot_listen("media.port", bind.address, &bind.source),
        WorkersError::PortRange { port, workers } => StartError::config(format!(
            "media.port = {port} không đủ chỗ cho {workers} cổng liên tiếp; chọn số nhỏ hơn"
        )),
        other => StartError::new(
            StartCode::Media,
            format!("không khởi động được phần âm thanh, hình ảnh: {other}"),
        ),
    }
}
