//! The way into this crate: an endpoint that is in the meeting and comes back after every loss.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::options::Options;
use super::probe::Reach;
use super::receive::Received;
use super::session::{Knowledge, Session, own_name};
use super::site::Site;
use super::stats::{self, Statistics};
use super::{JoinError, JoinLink};
use protocol::{ClientMessage, ServerMessage, SiteId};

/// First pause before coming back; doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A bridge that was restarted has its sites back within this time, and 40 sites that ask every
/// few seconds are no load.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Messages kept for a reader that is slow; the newest `meeting` replaces older ones anyway.
const MESSAGE_BACKLOG: usize = 256;

/// A headless site. **Connect, look at [`Endpoint::stats`] whenever you like, then [`Endpoint::stop`]**; dropping it
/// leaves the meeting without `leave`.
pub struct Endpoint {
    knowledge: Arc<Knowledge>,
    site: Arc<Mutex<Arc<Site>>>,
    commands: mpsc::Sender<ClientMessage>,
    messages: broadcast::Sender<ServerMessage>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<JoinError>,
}

impl Endpoint {
    /// Joins once and returns the error if that fails. What is lost later comes back by itself with
    /// [`Options::reconnect`].
    pub async fn connect(link: JoinLink, options: Options) -> Result<Self, JoinError> {
        let knowledge = Arc::new(Knowledge::new(options.listen));
        let (messages, _) = broadcast::channel(MESSAGE_BACKLOG);
        let session = open(&link, &options, &knowledge, &messages).await?;
        let site = Arc::new(Mutex::new(Arc::clone(&session.site)));
        let (commands, command_rx) = mpsc::channel(64);
        let (stop, stopped) = oneshot::channel();
        let life = Life {
            link,
            options,
            knowledge: Arc::clone(&knowledge),
            site: Arc::clone(&site),
            commands: command_rx,
            messages: messages.clone(),
        };
        let task = tokio::spawn(life.live(session, stopped));
        Ok(Self { knowledge, site, commands, messages, stop: Some(stop), task })
    }

    /// Sends a message to the bridge. While the connection is lost it waits.
    pub async fn send(&self, message: ClientMessage) -> Result<(), JoinError> {
        let ended = |_| JoinError::new("stopped", "Điểm cầu đã dừng.");
        self.commands.send(message).await.map_err(ended)
    }

    /// All messages of the bridge from now on.
    pub fn messages(&self) -> broadcast::Receiver<ServerMessage> {
        self.messages.subscribe()
    }

    /// The number the meeting has for this site.
    pub fn you(&self) -> Option<SiteId> {
        self.knowledge.facts().you
    }

    /// Media as it arrived: sources, newest frames, what is heard.
    pub fn received(&self) -> MutexGuard<'_, Received> {
        self.knowledge.received()
    }

    /// The endpoint has given up: not asked to come back, or turned away for good.
    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits until it is known which of UDP and TCP reach the bridge: at most a few seconds after it was joined.
    pub async fn reach_is_known(&self) {
        let reach = self.knowledge.facts().reach.clone();
        if let Some(mut reach) = reach {
            // It ends without a result only where the runtime does.
            let _ = reach.wait_for(Reach::is_known).await;
        }
    }

    pub async fn stats(&self) -> Statistics {
        let site = Arc::clone(&self.site.lock().unwrap_or_else(PoisonError::into_inner));
        let report = site.report().await;
        let facts = self.knowledge.facts().clone();
        let (counts, first_frame_at) = {
            let received = self.knowledge.received();
            (received.counts(), received.first_frame_at)
        };
        let transport = site.transport().await;
        let own_name = own_name(&facts);
        let outlets = [&site.microphone, &site.camera];
        let first_frame =
            first_frame_at.zip(facts.began_at).map(|(at, began)| at.saturating_duration_since(began));
        Statistics {
            connected: facts.connected,
            time_to_first_frame_ms: first_frame.map(|time| time.as_secs_f64() * 1000.0),
            rtt_ms: stats::rtt_ms(&report).or(facts.signaling_rtt.map(|rtt| rtt.as_secs_f64() * 1000.0)),
            transport,
            reached: facts.reached(),
            reconnections: facts.reconnections,
            received: counts.iter().map(|count| stats::received(count, facts.you, &facts.names)).collect(),
            sent: outlets
                .into_iter()
                .map(|outlet| stats::sent(outlet, own_name.as_deref(), &report))
                .collect(),
        }
    }

    /// Waits until the endpoint has ended by itself.
    pub async fn ended(mut self) {
        // Only a panic of the task is an error here, and the panic has been reported.
        let _ = (&mut self.task).await;
    }

    /// Leaves the meeting; returns why the endpoint ended where it had ended by itself.
    pub async fn stop(mut self) -> Option<JoinError> {
        let by_itself = self.task.is_finished();
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
        let reason = (&mut self.task).await.ok();
        reason.filter(|_| by_itself)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // A task that is to stop may finish; a dropped one is aborted.
        if self.stop.is_some() {
            self.task.abort();
        }
    }
}

async fn open(
    link: &JoinLink,
    options: &Options,
    knowledge: &Knowledge,
    messages: &broadcast::Sender<ServerMessage>,
) -> Result<Session, JoinError> {
    let mut session = Session::open(link, options, knowledge).await?;
    match session.negotiate(options, knowledge, messages).await {
        Ok(()) => Ok(session),
        Err(error) => {
            session.close().await;
            Err(error)
        }
    }
}

/// The task behind an endpoint.
struct Life {
    link: JoinLink,
    options: Options,
    knowledge: Arc<Knowledge>,
    site: Arc<Mutex<Arc<Site>>>,
    commands: mpsc::Receiver<ClientMessage>,
    messages: broadcast::Sender<ServerMessage>,
}

impl Life {
    async fn live(mut self, mut session: Session, mut stopped: oneshot::Receiver<()>) -> JoinError {
        loop {
            let run = session.run(&self.options, &self.knowledge, &mut self.commands, &self.messages);
            let reason = tokio::select! {
                reason = run => reason,
                _ = &mut stopped => {
                    session.leave().await;
                    return JoinError::new("stopped", "Điểm cầu đã dừng.");
                }
            };
            session.close().await;
            if !self.options.reconnect || reason.is_final() {
                return reason;
            }
            tracing::info!(%reason, "connection lost, coming back");
            session = tokio::select! {
                back = self.come_back() => match back {
                    Ok(session) => session,
                    Err(reason) => return reason,
                },
                _ = &mut stopped => return reason,
            };
        }
    }

    /// Tries for ever with growing pauses; only a final refusal ends it.
    async fn come_back(&mut self) -> Result<Session, JoinError> {
        let (mut pause, mut begun) = (FIRST_PAUSE, tokio::time::Instant::now());
        loop {
            // An attempt that has hung for long has been a pause.
            tokio::time::sleep(jittered(pause).saturating_sub(begun.elapsed())).await;
            begun = tokio::time::Instant::now();
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
            match open(&self.link, &self.options, &self.knowledge, &self.messages).await {
                Ok(session) => {
                    let mut facts = self.knowledge.facts();
                    facts.reconnections = facts.reconnections.saturating_add(1);
                    drop(facts);
                    *self.site.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&session.site);
                    return Ok(session);
                }
                Err(error) if error.is_final() => return Err(error),
                Err(error) => tracing::debug!(%error, "not back yet"),
            }
        }
    }
}

/// Between half and the whole of it, so that forty sites do not come back in one moment.
pub fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.5..=1.0))
}
