//! The other side for tests: uses the protocol, answers with a second `webrtc` peer connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceGatheringState, RTCSessionDescription,
};

use super::super::JoinLink;
use super::super::options::{Audio, Transport};
use super::super::picture::{Picture, read_marker};
use super::super::send::{run_camera, run_microphone};
use super::super::site::{build, send_section};
use super::super::vp8::Assembler;
use peer::codecs::{opus_codec, vp8_codec};
use protocol::Secret;
use protocol::sdp::{MAX_ANSWER_BYTES, fold, unfold};
use protocol::*;

/// Time the bridge takes to carry out a leave.
const BUSY: Duration = Duration::from_millis(300);

#[derive(Debug, Clone, Copy)]
pub struct Manners {
    pub refuse: bool,
    pub transport: Transport,
}

impl Default for Manners {
    fn default() -> Self {
        Self { refuse: false, transport: Transport::Udp }
    }
}

/// What the bridge has received of its endpoints.
#[derive(Debug, Default)]
pub struct Heard {
    /// The seat that each hello named, and whether it asked to take one over.
    pub hellos: Vec<(Option<Secret>, bool)>,
    pub marked_frames: u32,
    /// The newest audio level extension with voice in it.
    pub level_byte: u8,
    pub leaves: u32,
}

type SharedHeard = Arc<Mutex<Heard>>;

pub struct Bridge {
    address: SocketAddr,
    received: SharedHeard,
    drops: broadcast::Sender<()>,
    _tasks: JoinSet<()>,
}

impl Bridge {
    pub async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let received = SharedHeard::default();
        let (drops, _) = broadcast::channel(1);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, manners, Arc::clone(&received), drops.clone()));
        Self { address, received, drops, _tasks: tasks }
    }

    pub fn link(&self) -> JoinLink {
        format!("http://{}/#mã", self.address).parse().expect("a link")
    }

    pub fn received(&self) -> MutexGuard<'_, Heard> {
        self.received.lock().expect("no panic")
    }

    /// Cuts every connection without a message.
    pub fn drop_all(&self) {
        self.drops.send(()).expect("a connection is there");
    }
}

async fn accept(
    listener: TcpListener,
    manners: Manners,
    received: SharedHeard,
    drops: broadcast::Sender<()>,
) {
    let mut guests = JoinSet::new();
    while let Ok((tcp, _)) = listener.accept().await {
        let mut dropped = drops.subscribe();
        let received = Arc::clone(&received);
        guests.spawn(async move {
            tokio::select! {
                () = serve(tcp, manners, received) => {}
                _ = dropped.recv() => {}
            }
        });
    }
}

async fn serve(tcp: TcpStream, manners: Manners, received: SharedHeard) {
    let mut socket = tokio_tungstenite::accept_async(tcp).await.expect("an upgrade");
    let mut media = None;
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        match serde_json::from_str(&text).expect("a message of the protocol") {
            ClientMessage::Hello { seat, token, takeover, .. } => {
                assert_eq!(token.reveal(), "mã");
                received.lock().expect("no panic").hellos.push((seat, takeover));
                greet(&mut socket, manners).await;
            }
            ClientMessage::Offer { sdp } => {
                let (answer, running) =
                    answer(unfold(sdp, MAX_ANSWER_BYTES).expect("an offer"), manners.transport, &received)
                        .await;
                media = Some(running);
                say(&mut socket, &ServerMessage::Answer { sdp: fold(answer) }).await;
                let slot = |kind| Some(SlotSource { site: SiteId(1), kind });
                let video = vec![slot(SourceKind::Camera)];
                let audio = vec![slot(SourceKind::Microphone), None];
                say(&mut socket, &ServerMessage::Slots { video, audio, limits: Vec::new(), mixed: false })
                    .await;
            }
            ClientMessage::Wishes { slots } => {
                assert_eq!(slots.first().copied().flatten().map(|wish| wish.site), Some(SiteId(1)));
            }
            ClientMessage::Ping { n } => say(&mut socket, &ServerMessage::Pong { n }).await,
            ClientMessage::Leave {} => {
                tokio::time::sleep(BUSY).await;
                received.lock().expect("no panic").leaves += 1;
                break;
            }
            _ => {}
        }
    }
    drop(media);
}

async fn greet(socket: &mut WebSocketStream<TcpStream>, manners: Manners) {
    if manners.refuse {
        let text = "Không có liên kết họp này.".to_owned();
        return say(socket, &ServerMessage::Refused { code: ErrorCode::UnknownLink, text }).await;
    }
    let seat = "ghế-1".into();
    let welcome =
        ServerMessage::Welcome { version: VERSION, you: SiteId(2), role: Role::Site, seat, actions: vec![] };
    say(socket, &welcome).await;
    let sites = vec![view(1, "Hội trường huyện", Role::Chair), view(2, "Xã An Phước", Role::Site)];
    let meeting = MeetingView {
        title: "Giao ban".into(),
        started_at_ms: None,
        locked: false,
        big_screen: None,
        sites,
        actions: vec![],
    };
    say(socket, &ServerMessage::Meeting { meeting }).await;
}

fn view(id: u32, name: &str, role: Role) -> SiteView {
    SiteView {
        id: SiteId(id),
        name: name.to_owned(),
        role,
        presence: Presence::Present,
        since_ms: None,
        microphone: MicrophoneState::On,
        camera: true,
        content: false,
        reconnections: 0,
        takeovers: 0,
        taken_over_ms: None,
    }
}

async fn say(socket: &mut WebSocketStream<TcpStream>, message: &ServerMessage) {
    let text = serde_json::to_string(message).expect("JSON");
    // The endpoint may be gone in the middle of a test that cuts it.
    let _ = socket.send(Message::text(text)).await;
}

/// A running answer; dropping it ends its sources.
struct Media {
    _peer: Arc<dyn PeerConnection>,
    _sources: JoinSet<()>,
}

async fn answer(offer: String, transport: Transport, received: &SharedHeard) -> (String, Media) {
    let (gathered, mut gathering) = watch::channel(false);
    let ear = Arc::new(Ear { received: Arc::clone(received), gathered });
    let peer = build(transport, Ipv4Addr::LOCALHOST.into(), ear).await.expect("a peer");
    let microphone = send_section(&*peer, RtpCodecKind::Audio, opus_codec()).await.expect("audio");
    let camera = send_section(&*peer, RtpCodecKind::Video, vp8_codec()).await.expect("video");
    peer.set_remote_description(RTCSessionDescription::offer(offer).expect("SDP")).await.expect("an offer");
    let answer = peer.create_answer(None).await.expect("an answer");
    peer.set_local_description(answer).await.expect("applied");
    let complete = gathering.wait_for(|done| *done);
    tokio::time::timeout(Duration::from_secs(5), complete).await.expect("gathered").expect("alive");
    let sdp = peer.local_description().await.expect("a description").sdp;
    let mut sources = JoinSet::new();
    sources.spawn(run_microphone(microphone, Audio::Tone(1000.0)));
    sources.spawn(run_camera(camera, Picture::new("Hội trường huyện", 9, true).expect("a picture")));
    (sdp, Media { _peer: peer, _sources: sources })
}

struct Ear {
    received: SharedHeard,
    gathered: watch::Sender<bool>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Ear {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered.send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        tokio::spawn(hear(track, Arc::clone(&self.received)));
    }
}

async fn hear(track: Arc<dyn TrackRemote>, received: SharedHeard) {
    let mut assembler = Assembler::default();
    let is_video = track.kind().await == RtpCodecKind::Video;
    while let Some(event) = track.poll().await {
        let TrackRemoteEvent::OnRtpPacket(packet) = event else {
            continue;
        };
        let header = &packet.header;
        if !is_video {
            let voiced =
                header.extensions.iter().find(|one| one.payload.len() == 1 && one.payload[0] & 0x80 != 0);
            if let Some(level) = voiced {
                received.lock().expect("no panic").level_byte = level.payload[0];
            }
            continue;
        }
        let frame = assembler.push(header.sequence_number, header.marker, &packet.payload);
        if frame.is_some_and(|frame| read_marker(&frame).is_some_and(|marker| marker.site == 5)) {
            received.lock().expect("no panic").marked_frames += 1;
        }
    }
}
