//! One conversation with the bridge: hello → welcome → offer → answer, then all that comes, until the WebSocket or the
//! media is lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use webrtc::peer_connection::RTCPeerConnectionState;

use super::options::{Options, Transport, Video};
use super::picture::Picture;
use super::probe::{self, Reach, TransportKind};
use super::receive::Received;
use super::send::{run_camera, run_microphone};
use super::site::{SharedReceived, Site};
use super::socket::Socket;
use super::wishes::wishes;
use super::{JoinError, JoinLink};
use protocol::Secret;
use protocol::sdp::{MAX_ANSWER_BYTES, fold, unfold};
use protocol::{
    ClientMessage, ClientReport, GoodbyeReason, MeetingView, PING_INTERVAL_S, Sdp, ServerMessage, SiteId,
    SlotWish, VERSION,
};

/// Time from the offer to the answer; the server answers from memory.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Time an ICE restart gets before a new connection is made: as long as the crate's own checks of all pairs take on a
/// slow line.
const RESTART_TIMEOUT: Duration = Duration::from_secs(8);

/// What all sessions of one endpoint share, and its owner may look at.
pub struct Knowledge {
    pub received: SharedReceived,
    facts: Mutex<Facts>,
}

/// What the bridge has sent.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub you: Option<SiteId>,
    pub names: HashMap<SiteId, String>,
    /// Secret that takes the seat again.
    pub seat: Option<Secret>,
    /// Start of the WebSocket connection that the session in use came from.
    pub began_at: Option<Instant>,
    /// Media has been connected at least once.
    pub connected: bool,
    pub reconnections: u32,
    /// Of the WebSocket, for the time before the first RTCP report.
    pub signaling_rtt: Option<Duration>,
    /// Of the newest answer's candidates.
    pub reach: Option<watch::Receiver<Reach>>,
}

impl Facts {
    pub fn reached(&self) -> Reach {
        self.reach.as_ref().map(|reach| *reach.borrow()).unwrap_or_default()
    }
}

impl Knowledge {
    pub fn new(listen: bool) -> Self {
        Self { received: Arc::new(Mutex::new(Received::new(listen))), facts: Mutex::default() }
    }

    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn received(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where this session's media stands.
#[derive(Debug, Clone, Copy)]
enum PathState {
    /// Not up yet.
    Wanted,
    Up,
    /// Was there, and ICE is restarted.
    Restarting {
        until: tokio::time::Instant,
    },
}

impl PathState {
    fn give_up_at(self) -> Option<tokio::time::Instant> {
        match self {
            PathState::Restarting { until } => Some(until),
            PathState::Wanted | PathState::Up => None,
        }
    }
}

/// A session that is in the meeting.
pub struct Session {
    socket: Socket,
    pub site: Arc<Site>,
    path: PathState,
    sources: JoinSet<()>,
    wishes: Vec<Option<SlotWish>>,
    ping: Option<(u32, Instant)>,
}

impl Session {
    /// Takes the seat and sets the media up. When it returns, ICE is on its way.
    pub async fn open(link: &JoinLink, options: &Options, knowledge: &Knowledge) -> Result<Self, JoinError> {
        let began_at = Instant::now();
        let mut socket = Socket::open(link, &options.trust).await?;
        let seat = knowledge.facts().seat.clone();
        // Asked for on the way in only: a device that took the seat later was asked for, too.
        let takeover = options.takeover && seat.is_none();
        let hello = ClientMessage::Hello { version: VERSION, token: link.token.clone(), seat, takeover };
        socket.send(&hello).await?;
        let site = Site::new(options, socket.local_ip, Arc::clone(&knowledge.received)).await?;
        let mut session = Self {
            socket,
            site: Arc::new(site),
            path: PathState::Wanted,
            sources: JoinSet::new(),
            wishes: Vec::new(),
            ping: None,
        };
        session.welcome(knowledge).await?;
        knowledge.facts().began_at = Some(began_at);
        Ok(session)
    }

    /// Offers, applies the answer, starts the sources. Everything else that comes is handled as
    /// always and handed to `messages`.
    pub async fn negotiate(
        &mut self,
        options: &Options,
        knowledge: &Knowledge,
        messages: &broadcast::Sender<ServerMessage>,
    ) -> Result<(), JoinError> {
        let offer = self.site.offer().await?;
        self.socket.send(&ClientMessage::Offer { sdp: fold(offer) }).await?;
        let camera = options.video != Video::None;
        self.socket.send(&ClientMessage::Media { microphone: true, camera, content: false }).await?;
        let deadline = in_time(ANSWER_TIMEOUT);
        loop {
            let next = tokio::time::timeout_at(deadline, self.socket.receive()).await;
            let message = next.map_err(|_| {
                JoinError::new("no_answer", "Máy chủ không trả lời lời mời kết nối hình và tiếng.")
            })??;
            if let ServerMessage::Answer { sdp } = message {
                self.accept(sdp, options, knowledge).await?;
                break;
            }
            if let ServerMessage::Error { code, text } = message {
                return Err(JoinError::refused(code, text));
            }
            self.handle(message, options, knowledge, messages).await?;
        }
        knowledge.received().begin_connection();
        self.start_sources(options, knowledge);
        Ok(())
    }

    /// Runs until something is lost or the server sends `goodbye`; always returns the reason.
    pub async fn run(
        &mut self,
        options: &Options,
        knowledge: &Knowledge,
        commands: &mut mpsc::Receiver<ClientMessage>,
        messages: &broadcast::Sender<ServerMessage>,
    ) -> JoinError {
        let mut state = self.site.state();
        let mut pings = interval(Duration::from_secs(PING_INTERVAL_S));
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                message = self.socket.receive() => match message {
                    Ok(message) => self.handle(message, options, knowledge, messages).await,
                    Err(error) => Err(error),
                },
                command = commands.recv() => match command {
                    Some(command) => self.socket.send(&command).await,
                    None => Err(JoinError::new("stopped", "Điểm cầu đã dừng.")),
                },
                _ = state.changed() => {
                    let now = *state.borrow_and_update();
                    self.media_state(now, knowledge).await
                }
                () = passed(self.path.give_up_at()) => Err(no_path()),
                _ = pings.tick() => self.report(knowledge).await,
            };
            if let Err(reason) = step {
                return reason;
            }
        }
    }

    /// Ends the media and closes the WebSocket.
    pub async fn close(mut self) {
        self.sources.abort_all();
        self.site.close().await;
        self.socket.close().await;
    }

    /// Leaves the meeting; the link stays good, and the seat is free when this returns.
    pub async fn leave(mut self) {
        // Where the server is gone, there is nothing to leave.
        if self.socket.send(&ClientMessage::Leave {}).await.is_ok() {
            self.socket.until_closed().await;
        }
        self.close().await;
    }

    async fn accept(&self, answer: Sdp, options: &Options, knowledge: &Knowledge) -> Result<(), JoinError> {
        let unreadable = |_| JoinError::new("bad_answer", "Máy chủ gửi phần mô tả phiên không đọc được.");
        let answer = unfold(answer, MAX_ANSWER_BYTES).map_err(unreadable)?;
        let kind = self.transport(&answer, options, knowledge).await?;
        self.site.accept(&answer, kind).await
    }

    /// What media is to go over: what is prescribed, else what reaches the server.
    async fn transport(
        &self,
        answer: &str,
        options: &Options,
        knowledge: &Knowledge,
    ) -> Result<TransportKind, JoinError> {
        let kind = match options.transport {
            Transport::Tcp => TransportKind::Tcp,
            Transport::Udp | Transport::Any => TransportKind::Udp,
        };
        let Some(mut reach) = self.site.probe(answer).await else {
            return Ok(kind);
        };
        knowledge.facts().reach = Some(reach.clone());
        let chosen = probe::choose(&mut reach).await;
        chosen.ok_or_else(|| JoinError::media(reach.borrow().sentence()))
    }

    /// A path that was there and is silent is looked for again with new credentials, under the same keys and slots, as
    /// the page does. Only when that fails a new connection is made.
    async fn media_state(
        &mut self,
        state: RTCPeerConnectionState,
        knowledge: &Knowledge,
    ) -> Result<(), JoinError> {
        use RTCPeerConnectionState::{Closed, Connected, Disconnected, Failed};
        match (state, self.path) {
            (Connected, _) => {
                knowledge.facts().connected = true;
                self.path = PathState::Up;
                Ok(())
            }
            // A path lost in the middle of the handshake is not reported as failed by the crate, ever.
            (Disconnected, PathState::Wanted) | (Disconnected | Failed, PathState::Up) => {
                self.path = PathState::Restarting { until: in_time(RESTART_TIMEOUT) };
                let sdp = fold(self.site.restart_offer().await?);
                self.socket.send(&ClientMessage::Offer { sdp }).await
            }
            (Failed | Closed, _) => Err(no_path()),
            _ => Ok(()),
        }
    }

    async fn welcome(&mut self, knowledge: &Knowledge) -> Result<(), JoinError> {
        match self.socket.receive().await? {
            ServerMessage::Welcome { you, seat, .. } => {
                let mut facts = knowledge.facts();
                facts.you = Some(you);
                facts.seat = Some(seat);
                Ok(())
            }
            ServerMessage::Refused { code, text } => Err(JoinError::refused(code, text)),
            _ => Err(JoinError::new("not_a_bridge", "Máy chủ không chào theo giao thức của Nhịp Cầu.")),
        }
    }

    async fn handle(
        &mut self,
        message: ServerMessage,
        options: &Options,
        knowledge: &Knowledge,
        messages: &broadcast::Sender<ServerMessage>,
    ) -> Result<(), JoinError> {
        // There may be no receiver.
        let _ = messages.send(message.clone());
        match message {
            ServerMessage::Ping { n } => self.socket.send(&ClientMessage::Pong { n }).await,
            ServerMessage::Pong { n } => {
                if let Some((_, at)) = self.ping.take_if(|(sent, _)| *sent == n) {
                    knowledge.facts().signaling_rtt = Some(at.elapsed());
                }
                Ok(())
            }
            ServerMessage::Slots { video, audio, .. } => {
                knowledge.received().assign(&video, &audio);
                Ok(())
            }
            ServerMessage::Meeting { meeting } => self.meeting(&meeting, options, knowledge).await,
            // Of an ICE restart: the first answer is awaited.
            ServerMessage::Answer { sdp } => self.accept(sdp, options, knowledge).await,
            ServerMessage::Refused { code, text } => Err(JoinError::refused(code, text)),
            ServerMessage::Goodbye { reason } => Err(goodbye(reason)),
            ServerMessage::MediaMoved => {
                Err(JoinError::new("media_moved", "Máy chủ đã chuyển cuộc họp sang luồng xử lý khác."))
            }
            ServerMessage::Draining { .. } => Err(JoinError::new("draining", "Máy chủ đang khởi động lại.")),
            _ => Ok(()),
        }
    }

    async fn meeting(
        &mut self,
        meeting: &MeetingView,
        options: &Options,
        knowledge: &Knowledge,
    ) -> Result<(), JoinError> {
        let you = {
            let mut facts = knowledge.facts();
            facts.names = meeting.sites.iter().map(|site| (site.id, site.name.clone())).collect();
            facts.you
        };
        let wishes = wishes(meeting, you, options);
        if wishes == self.wishes {
            return Ok(());
        }
        self.wishes = wishes.clone();
        self.socket.send(&ClientMessage::Wishes { slots: wishes }).await
    }

    async fn report(&mut self, knowledge: &Knowledge) -> Result<(), JoinError> {
        let n = self.ping.map_or(1, |(n, _)| n.wrapping_add(1));
        self.ping = Some((n, Instant::now()));
        self.socket.send(&ClientMessage::Ping { n }).await?;
        // Nothing is decoded here: what arrived whole stands for it.
        let frames_decoded = knowledge.received().video_frames() as u32;
        let report = ClientReport { frames_decoded, ..ClientReport::default() };
        self.socket.send(&ClientMessage::Report { report }).await
    }

    /// Sources wait for keys: what is sent before them is thrown away by the crate, with a warning.
    fn start_sources(&mut self, options: &Options, knowledge: &Knowledge) {
        let (ready, microphone, audio) =
            (self.site.connected(), self.site.microphone.clone(), options.audio.clone());
        self.sources.spawn(async move {
            if ready.await {
                run_microphone(microphone, audio).await;
            }
        });
        let Video::Picture { name, number, marker } = &options.video else {
            return;
        };
        let name = name.clone().or_else(|| own_name(&knowledge.facts())).unwrap_or_default();
        let Ok(picture) = Picture::new(&name, *number, *marker) else {
            return tracing::error!("the built-in font cannot be read: this site shows no picture");
        };
        let (ready, camera) = (self.site.connected(), self.site.camera.clone());
        self.sources.spawn(async move {
            if ready.await {
                run_camera(camera, picture).await;
            }
        });
    }
}

/// The name the meeting gives this site.
pub fn own_name(facts: &Facts) -> Option<String> {
    facts.names.get(&facts.you?).cloned()
}

fn no_path() -> JoinError {
    JoinError::media("không có đường đi tới máy chủ")
}

/// Done then; never where there is no then.
fn in_time(patience: Duration) -> tokio::time::Instant {
    let now = tokio::time::Instant::now();
    now.checked_add(patience).unwrap_or(now)
}

async fn passed(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn goodbye(reason: GoodbyeReason) -> JoinError {
    match reason {
        GoodbyeReason::Ended => JoinError::new("ended", "Chủ tọa đã kết thúc cuộc họp."),
        GoodbyeReason::Removed => JoinError::new("removed", "Chủ tọa đã mời điểm cầu ra khỏi phòng họp."),
        GoodbyeReason::TakenOver => {
            JoinError::new("taken_over", "Một thiết bị khác đã vào thay điểm cầu này.")
        }
    }
}
