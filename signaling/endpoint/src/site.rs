//! One peer connection of a headless site: sections in the order [`protocol`] asks for, no
//! STUN servers, one codec each (VP8, Opus).

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use peer::codecs::{opus_codec, vp8_codec};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCOfferOptions;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use tokio::sync::watch;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceCandidateInit, RTCIceProtocol, RTCPeerConnectionState,
    RTCSessionDescription, RTCStatsReport, StatsSelector,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit, RtpTransceiver};

use super::JoinError;
use super::options::{Options, Transport};
use super::probe::{self, Reach, TransportKind};
use super::receive::{Arrival, Kind, Received};
use super::send::Outlet;

/// What several tasks know of the media that arrives.
pub type SharedReceived = Arc<Mutex<Received>>;

/// The peer connection and its two outgoing sources.
pub struct Site {
    peer: Arc<dyn PeerConnection>,
    pub microphone: Outlet,
    pub camera: Outlet,
    state: watch::Receiver<RTCPeerConnectionState>,
    transport: Transport,
    local_ip: IpAddr,
}

impl Site {
    /// Builds the connection on this machine's address `local_ip`, towards the server.
    pub async fn new(
        options: &Options,
        local_ip: IpAddr,
        received: SharedReceived,
    ) -> Result<Self, JoinError> {
        let (state_tx, state) = watch::channel(RTCPeerConnectionState::New);
        let doors = Arc::new(Mutex::new(Vec::new()));
        let handler = Arc::new(Handler { state: state_tx, doors: Arc::clone(&doors), received });
        let peer = build(options.transport, local_ip, handler).await.map_err(JoinError::media)?;
        let microphone =
            send_section(&*peer, RtpCodecKind::Audio, opus_codec()).await.map_err(JoinError::media)?;
        let camera =
            send_section(&*peer, RtpCodecKind::Video, vp8_codec()).await.map_err(JoinError::media)?;
        // Content: offered, so that it can be used without another offer; nothing is sent on it.
        send_section(&*peer, RtpCodecKind::Video, vp8_codec()).await.map_err(JoinError::media)?;
        let slots = receive_sections(&*peer, options).await.map_err(JoinError::media)?;
        *doors.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = slots;
        Ok(Self { peer, microphone, camera, state, transport: options.transport, local_ip })
    }

    /// The offer; it is applied locally.
    pub async fn offer(&self) -> Result<String, JoinError> {
        self.offer_with(RTCOfferOptions { ice_restart: false }).await
    }

    /// An offer with new ICE credentials.
    pub async fn restart_offer(&self) -> Result<String, JoinError> {
        self.offer_with(RTCOfferOptions { ice_restart: true }).await
    }

    async fn offer_with(&self, options: RTCOfferOptions) -> Result<String, JoinError> {
        let offer = self.peer.create_offer(Some(options)).await.map_err(JoinError::media)?;
        self.peer.set_local_description(offer).await.map_err(JoinError::media)?;
        let local = self.peer.local_description().await;
        Ok(local.map(|description| description.sdp).unwrap_or_default())
    }

    /// Begins to find out whether UDP and TCP reach the server, unless the transport is prescribed.
    pub async fn probe(&self, answer: &str) -> Option<watch::Receiver<Reach>> {
        let offer = self.peer.local_description().await?.sdp;
        match self.transport {
            Transport::Any => probe::start(&offer, answer, self.local_ip),
            Transport::Udp | Transport::Tcp => None,
        }
    }

    /// The server's answer. From here on media flows by itself, over one kind of transport.
    pub async fn accept(&self, answer: &str, kind: TransportKind) -> Result<(), JoinError> {
        let answer = probe::only(kind, answer);
        let candidates: Vec<String> = passive_tcp(&answer).map(str::to_owned).collect();
        let answer = RTCSessionDescription::answer(answer).map_err(JoinError::media)?;
        let applied = self.peer.set_remote_description(answer).await;
        applied.map_err(JoinError::media)?;
        // The crate dials only TCP candidates that are added one by one, not those of the answer.
        for candidate in candidates {
            let init = RTCIceCandidateInit { candidate, sdp_mline_index: Some(0), ..Default::default() };
            self.peer.add_ice_candidate(init).await.map_err(JoinError::media)?;
        }
        Ok(())
    }

    /// The transport of the candidate pair in use.
    pub async fn transport(&self) -> Option<TransportKind> {
        let sender = self.microphone.transceiver.sender().await.ok()??;
        let dtls = sender.transport().await.ok()??;
        let pair = dtls.ice_transport().get_selected_candidate_pair().await.ok()??;
        let tcp = pair.local().protocol == RTCIceProtocol::Tcp;
        Some(if tcp { TransportKind::Tcp } else { TransportKind::Udp })
    }

    /// Follows the connection's state.
    pub fn state(&self) -> watch::Receiver<RTCPeerConnectionState> {
        self.state.clone()
    }

    /// Becomes true when ICE and DTLS are done, false when they never will be.
    pub fn connected(&self) -> impl Future<Output = bool> + Send + 'static {
        let mut state = self.state.clone();
        async move { state.wait_for(|state| *state == RTCPeerConnectionState::Connected).await.is_ok() }
    }

    pub async fn report(&self) -> RTCStatsReport {
        self.peer.get_stats(Instant::now(), StatsSelector::None).await
    }

    pub async fn close(&self) {
        // Closing twice is the only way it fails.
        let _ = self.peer.close().await;
    }
}

/// Lines of TCP candidates that wait to be dialled, each once.
fn passive_tcp(sdp: &str) -> impl Iterator<Item = &str> {
    let mut seen = HashSet::new();
    sdp.lines()
        .filter_map(|line| line.strip_prefix("a="))
        .filter(|line| line.starts_with("candidate:") && line.contains("tcptype passive"))
        .filter(move |line| seen.insert(*line))
}

/// A receive-only section: its transceiver and its number among the slots of its kind.
type Door = (Arc<dyn RtpTransceiver>, Kind, usize);

struct Handler {
    state: watch::Sender<RTCPeerConnectionState>,
    doors: Arc<Mutex<Vec<Door>>>,
    received: SharedReceived,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let doors = self.doors.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        tokio::spawn(follow(track, doors, Arc::clone(&self.received)));
    }
}

/// Counts one remote track until it ends.
async fn follow(track: Arc<dyn TrackRemote>, doors: Vec<Door>, received: SharedReceived) {
    let Some((kind, index)) = door_of(&track, &doors).await else {
        tracing::warn!("media for a section that was not offered");
        return;
    };
    while let Some(event) = track.poll().await {
        let TrackRemoteEvent::OnRtpPacket(packet) = event else {
            continue;
        };
        let arrival = Arrival {
            at: Instant::now(),
            sequence: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            payload: &packet.payload,
        };
        received.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).packet(kind, index, &arrival);
    }
}

async fn door_of(track: &Arc<dyn TrackRemote>, doors: &[Door]) -> Option<(Kind, usize)> {
    for (transceiver, kind, index) in doors {
        if let Ok(Some(receiver)) = transceiver.receiver().await
            && Arc::ptr_eq(receiver.track(), track)
        {
            return Some((*kind, *index));
        }
    }
    None
}

pub(super) fn build(
    transport: Transport,
    local_ip: IpAddr,
    handler: Arc<dyn PeerConnectionEventHandler>,
) -> peer::Building {
    let addresses = bind_addresses(local_ip);
    let (udp, tcp) = match transport {
        Transport::Any => (addresses.clone(), addresses),
        Transport::Udp => (addresses, Vec::new()),
        Transport::Tcp => (Vec::new(), addresses),
    };
    peer::build(udp, tcp, handler)
}

/// The address that reaches the server. Where that is IPv6, IPv4 too, as the bridge's media
/// addresses may be of the other family.
fn bind_addresses(local_ip: IpAddr) -> Vec<SocketAddr> {
    let mut addresses = vec![SocketAddr::new(local_ip, 0)];
    if local_ip.is_ipv6() {
        let other = if local_ip.is_loopback() { [127, 0, 0, 1] } else { [0, 0, 0, 0] };
        addresses.push(SocketAddr::from((other, 0)));
    }
    addresses
}

pub(super) async fn send_section(
    peer: &dyn PeerConnection,
    kind: RtpCodecKind,
    codec: RTCRtpCodec,
) -> Result<Outlet, webrtc::error::Error> {
    let ssrc = rand::random::<u32>().max(1);
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
        codec,
        ..Default::default()
    };
    let name = format!("{kind}-{ssrc}");
    let track = MediaStreamTrack::new(name.clone(), name.clone(), name, kind, vec![encoding.clone()]);
    let track = Arc::new(TrackLocalStaticRTP::new(track));
    let init = RTCRtpTransceiverInit {
        direction: RTCRtpTransceiverDirection::Sendonly,
        streams: vec![],
        send_encodings: vec![encoding],
    };
    let local: Arc<dyn TrackLocal> = Arc::clone(&track) as Arc<dyn TrackLocal>;
    let transceiver = peer.add_transceiver_from_track(local, Some(init)).await?;
    let sent_as = if kind == RtpCodecKind::Audio { Kind::Audio } else { Kind::Video };
    Ok(Outlet::new(track, transceiver, ssrc, sent_as))
}

/// Pairs first, audio before its video, then the audio-only ones.
async fn receive_sections(
    peer: &dyn PeerConnection,
    options: &Options,
) -> Result<Vec<Door>, webrtc::error::Error> {
    let mut doors = Vec::new();
    for index in 0..options.slots.saturating_add(options.audio_only_slots) {
        let audio = peer.add_transceiver_from_kind(RtpCodecKind::Audio, None).await?;
        doors.push((audio, Kind::Audio, index));
        if index < options.slots {
            let video = peer.add_transceiver_from_kind(RtpCodecKind::Video, None).await?;
            doors.push((video, Kind::Video, index));
        }
    }
    Ok(doors)
}
