//! One simulated site: a peer connection of the `rtc` crate that sends synthetic pictures and voice
//! and writes down what arrives in each slot.

use super::picture::{Encoder, voice, who};
use super::requests::{self, ShowRequests};
use bytes::{Bytes, BytesMut};
use rtc::interceptor::{Registry, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::interceptor_registry::register_default_interceptors;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MediaEngine,
};
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpSenderId, RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const OPUS: u8 = 111;
const VP8: u8 = 96;
const RTX: u8 = 97;
const PICTURE_EVERY: Duration = Duration::from_millis(33);
const VOICE_EVERY: Duration = Duration::from_millis(20);

/// What a client sends.
#[derive(Debug, Clone, Copy)]
pub struct Publishes {
    /// Layers of the camera: 0 for none, 1, or 3 with rids.
    pub layers: usize,
    pub voice: bool,
}

/// What has come in one slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlotView {
    pub packets: u64,
    /// Who was seen or heard last: site and layer.
    pub last: Option<(u8, u8)>,
    pub last_at: Option<Instant>,
    newest: Option<u16>,
}

pub struct Client {
    pub site: u8,
    pub address: SocketAddr,
    peer: RTCPeerConnection,
    microphone: Option<(RTCRtpSenderId, u32)>,
    camera: Option<RTCRtpSenderId>,
    camera_mid: &'static str,
    layers: Vec<Layer>,
    voice_sequence: u16,
    voice_timestamp: u32,
    next_picture: Option<Instant>,
    next_voice: Option<Instant>,
    /// SSRCs of the answer's slots.
    video_ssrcs: Vec<u32>,
    audio_ssrcs: Vec<u32>,
    pub video: BTreeMap<usize, SlotView>,
    pub audio: BTreeMap<usize, SlotView>,
    pub key_requests: u64,
    pub muted: bool,
    /// The bridge wants only these layers; the others are not encoded.
    pub wanted: Vec<bool>,
}

struct Layer {
    ssrc: u32,
    rid: &'static str,
    encoder: Encoder,
    sequence: u16,
    timestamp: u32,
}

fn codec(mime: &str, clock_rate: u32, channels: u16, fmtp: &str, feedback: &[(&str, &str)]) -> RTCRtpCodec {
    let feedback = feedback
        .iter()
        .map(|(typ, parameter)| RTCPFeedback { typ: (*typ).to_owned(), parameter: (*parameter).to_owned() });
    RTCRtpCodec {
        mime_type: mime.to_owned(),
        clock_rate,
        channels,
        sdp_fmtp_line: fmtp.to_owned(),
        rtcp_feedback: feedback.collect(),
    }
}

fn vp8() -> RTCRtpCodec {
    codec(
        MIME_TYPE_VP8,
        90_000,
        0,
        "",
        &[("nack", ""), ("nack", "pli"), ("ccm", "fir"), ("transport-cc", "")],
    )
}

fn opus() -> RTCRtpCodec {
    codec(MIME_TYPE_OPUS, 48_000, 2, "minptime=10;useinbandfec=1", &[("transport-cc", "")])
}

fn media_engine() -> MediaEngine {
    let mut media = MediaEngine::default();
    let rtx = codec(MIME_TYPE_RTX, 90_000, 0, "apt=96", &[]);
    let all = [
        (opus(), OPUS, RtpCodecKind::Audio),
        (vp8(), VP8, RtpCodecKind::Video),
        (rtx, RTX, RtpCodecKind::Video),
    ];
    for (rtp_codec, payload_type, kind) in all {
        let parameters = RTCRtpCodecParameters { rtp_codec, payload_type };
        media.register_codec(parameters, kind).expect("a fixed codec");
    }
    for (uri, kinds) in [
        ("urn:ietf:params:rtp-hdrext:sdes:mid", &[RtpCodecKind::Audio, RtpCodecKind::Video][..]),
        ("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", &[RtpCodecKind::Video]),
        ("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", &[RtpCodecKind::Video]),
    ] {
        for kind in kinds {
            let capability = RTCRtpHeaderExtensionCapability { uri: uri.to_owned() };
            media.register_header_extension(capability, *kind, None).expect("a fixed extension");
        }
    }
    media
}

fn encoding(rid: &str, ssrc: u32, codec: RTCRtpCodec) -> RTCRtpEncodingParameters {
    let rtp_coding_parameters =
        RTCRtpCodingParameters { rid: rid.to_owned(), ssrc: Some(ssrc), ..Default::default() };
    RTCRtpEncodingParameters { rtp_coding_parameters, codec, ..Default::default() }
}

fn sendonly() -> Option<RTCRtpTransceiverInit> {
    let direction = RTCRtpTransceiverDirection::Sendonly;
    Some(RTCRtpTransceiverInit { direction, streams: vec![], send_encodings: vec![] })
}

impl Client {
    pub fn new(now: Instant, site: u8, publishes: Publishes, slots: usize) -> Client {
        let mut media = media_engine();
        let registry = Registry::new().with(Slot::from(requests::SLOT), ShowRequests::default());
        let registry = register_default_interceptors(registry, &mut media).expect("defaults");
        let peer = RTCPeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(media)
            .with_interceptor_registry(registry)
            .build(now)
            .expect("a peer connection");
        let address = SocketAddr::from(([10, 0, 0, site], 4000));
        let mut client = Client {
            site,
            address,
            peer,
            microphone: None,
            camera: None,
            camera_mid: if publishes.voice { "1" } else { "0" },
            layers: Vec::new(),
            voice_sequence: 65_500,
            voice_timestamp: 1,
            next_picture: None,
            next_voice: None,
            video_ssrcs: Vec::new(),
            audio_ssrcs: Vec::new(),
            video: BTreeMap::new(),
            audio: BTreeMap::new(),
            key_requests: 0,
            muted: false,
            wanted: vec![true; 3],
        };
        client.add_sections(publishes, slots);
        client.add_candidate();
        client
    }

    fn add_sections(&mut self, publishes: Publishes, slots: usize) {
        let base = u32::from(self.site) * 1000;
        if publishes.voice {
            let ssrc = base + 1;
            let track = track("voice", RtpCodecKind::Audio, vec![encoding("", ssrc, opus())]);
            let transceiver = self.peer.add_transceiver_from_track(track, sendonly()).expect("microphone");
            self.microphone = Some((transceiver.into(), ssrc));
        }
        if publishes.layers > 0 {
            let rids = if publishes.layers == 1 { &[""][..] } else { &["l", "m", "h"] };
            for (rid, number) in rids.iter().zip(0u8..) {
                let ssrc = base + 10 + u32::from(number);
                let encoder = Encoder::new(self.site, number);
                self.layers.push(Layer { ssrc, rid, encoder, sequence: 65_000, timestamp: ssrc });
            }
            let encodings = self.layers.iter().map(|layer| encoding(layer.rid, layer.ssrc, vp8())).collect();
            let track = track("camera", RtpCodecKind::Video, encodings);
            let transceiver = self.peer.add_transceiver_from_track(track, sendonly()).expect("camera");
            self.camera = Some(transceiver.into());
        }
        for _ in 0..slots {
            self.peer.add_transceiver_from_kind(RtpCodecKind::Audio, None).expect("audio slot");
            self.peer.add_transceiver_from_kind(RtpCodecKind::Video, None).expect("video slot");
        }
        self.peer.add_transceiver_from_kind(RtpCodecKind::Audio, None).expect("audio-only slot");
    }

    fn add_candidate(&mut self) {
        let base_config = CandidateConfig {
            network: "udp".to_owned(),
            address: self.address.ip().to_string(),
            port: self.address.port(),
            component: 1,
            ..Default::default()
        };
        let host = CandidateHostConfig { base_config, ..Default::default() };
        let candidate = host.new_candidate_host().expect("a host candidate");
        let json = RTCIceCandidate::from(&candidate).to_json().expect("a candidate line");
        self.peer.add_local_candidate(json).expect("a local candidate");
    }

    pub fn offer(&mut self, now: Instant) -> String {
        let offer = self.peer.create_offer(None).expect("an offer");
        self.peer.set_local_description(now, offer).expect("a local description");
        self.peer.local_description().expect("an offer").sdp
    }

    pub fn restart_ice(&mut self) {
        self.peer.restart_ice();
    }

    pub fn take_answer(&mut self, now: Instant, sdp: &str) {
        (self.video_ssrcs, self.audio_ssrcs) = slot_ssrcs(sdp);
        let answer = RTCSessionDescription::answer(sdp.to_owned()).expect("an answer");
        self.peer.set_remote_description(now, answer).expect("a remote description");
    }

    pub fn start_media(&mut self, now: Instant) {
        self.next_picture = self.camera.map(|_| now);
        self.next_voice = self.microphone.map(|_| now);
    }

    pub fn next_wake(&mut self) -> Option<Instant> {
        let media = [self.next_picture, self.next_voice].into_iter().flatten().min();
        [self.peer.poll_timeout(), media].into_iter().flatten().min()
    }

    /// Everything that is due at `now`; returns what goes onto the wire.
    pub fn run(&mut self, now: Instant) -> Vec<Vec<u8>> {
        if self.peer.poll_timeout().is_some_and(|at| at <= now) {
            self.peer.handle_timeout(now).expect("a timeout");
        }
        if self.next_voice.is_some_and(|at| at <= now) {
            self.next_voice = Some(now + VOICE_EVERY);
            self.speak(now);
        }
        if self.next_picture.is_some_and(|at| at <= now) {
            self.next_picture = Some(now + PICTURE_EVERY);
            self.show(now);
        }
        while self.peer.poll_event().is_some() {}
        while let Some(message) = self.peer.poll_read() {
            self.read(now, message.message);
        }
        std::iter::from_fn(|| self.peer.poll_write()).map(|datagram| datagram.message.to_vec()).collect()
    }

    pub fn receive(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        let transport = TransportContext {
            local_addr: self.address,
            peer_addr: from,
            ecn: None,
            transport_protocol: TransportProtocol::UDP,
        };
        // What does not authenticate is refused by the stack; that is its business.
        let _refused =
            self.peer.handle_read(TaggedBytesMut { now, transport, message: BytesMut::from(bytes) });
    }

    fn speak(&mut self, now: Instant) {
        let Some((sender, ssrc)) = self.microphone else {
            return;
        };
        if self.muted {
            return;
        }
        self.voice_sequence = self.voice_sequence.wrapping_add(1);
        self.voice_timestamp = self.voice_timestamp.wrapping_add(960);
        let header = header(OPUS, self.voice_sequence, self.voice_timestamp, ssrc, false);
        self.write(now, sender, header, voice(self.site));
    }

    fn show(&mut self, now: Instant) {
        let Some(sender) = self.camera else { return };
        for number in 0..self.layers.len() {
            let layer = &mut self.layers[number];
            layer.timestamp = layer.timestamp.wrapping_add(2970);
            if !self.wanted.get(number).copied().unwrap_or(true) {
                layer.encoder.want_key();
                continue;
            }
            let payloads = layer.encoder.next_picture();
            let (ssrc, timestamp, count) = (layer.ssrc, layer.timestamp, payloads.len());
            for (index, payload) in payloads.into_iter().enumerate() {
                let layer = &mut self.layers[number];
                layer.sequence = layer.sequence.wrapping_add(1);
                let mut header = header(VP8, layer.sequence, timestamp, ssrc, index + 1 == count);
                let (mid, rid) = (self.camera_mid, layer.rid);
                name_layer(&mut header, mid, rid);
                self.write(now, sender, header, payload);
            }
        }
    }

    /// One picture of the first layer with these payloads, sealed; from now on nothing is sent by
    /// itself. For measurements and for fuzzing what lies behind SRTP.
    pub fn seal_picture(&mut self, now: Instant, payloads: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        (self.next_picture, self.next_voice) = (None, None);
        let (Some(sender), Some(layer)) = (self.camera, self.layers.first_mut()) else {
            return Vec::new();
        };
        layer.timestamp = layer.timestamp.wrapping_add(2970);
        let (ssrc, rid, timestamp, mut sequence) = (layer.ssrc, layer.rid, layer.timestamp, layer.sequence);
        layer.sequence = sequence.wrapping_add(payloads.len() as u16);
        let count = payloads.len();
        for (index, payload) in payloads.into_iter().enumerate() {
            sequence = sequence.wrapping_add(1);
            let mut header = header(VP8, sequence, timestamp, ssrc, index + 1 == count);
            name_layer(&mut header, self.camera_mid, rid);
            self.write(now, sender, header, payload);
        }
        std::iter::from_fn(|| self.peer.poll_write()).map(|datagram| datagram.message.to_vec()).collect()
    }

    fn write(&mut self, now: Instant, sender: RTCRtpSenderId, header: rtp::Header, payload: Vec<u8>) {
        let packet = rtp::Packet { header, payload: Bytes::from(payload) };
        if let Some(mut sender) = self.peer.rtp_sender(sender) {
            // Before the handshake is done there is nowhere to send to.
            let _early = sender.write_rtp(now, packet);
        }
    }

    fn read(&mut self, now: Instant, message: RTCMessage) {
        match message {
            RTCMessage::RtpPacket(_, packet) => self.see(now, &packet),
            RTCMessage::RtcpPacket(_, packets) => {
                for packet in packets {
                    let any = packet.as_any();
                    if let Some(pli) = any.downcast_ref::<PictureLossIndication>() {
                        self.request_key(pli.media_ssrc);
                    } else if let Some(fir) = any.downcast_ref::<FullIntraRequest>() {
                        fir.fir.iter().for_each(|entry| self.request_key(entry.ssrc));
                    }
                }
            }
            _ => {}
        }
    }

    fn request_key(&mut self, ssrc: u32) {
        self.key_requests += 1;
        if let Some(layer) = self.layers.iter_mut().find(|layer| layer.ssrc == ssrc) {
            layer.encoder.want_key();
        }
    }

    fn see(&mut self, now: Instant, packet: &rtp::Packet) {
        let ssrc = packet.header.ssrc;
        let (slots, order) = if packet.header.payload_type == OPUS {
            (&mut self.audio, &self.audio_ssrcs)
        } else {
            (&mut self.video, &self.video_ssrcs)
        };
        let Some(slot) = order.iter().position(|known| *known == ssrc) else {
            return;
        };
        let view = slots.entry(slot).or_default();
        view.packets += 1;
        // A repeated old packet is not what a decoder shows: this stack asks again for what RTX brought.
        let sequence = packet.header.sequence_number;
        let newer = |newest: u16| sequence != newest && sequence.wrapping_sub(newest) < 1 << 15;
        if !view.newest.is_none_or(newer) {
            return;
        }
        view.newest = Some(sequence);
        if let Some(who) = who(&packet.payload) {
            view.last = Some(who);
            view.last_at = Some(now);
        }
    }
}

fn track(name: &str, kind: RtpCodecKind, encodings: Vec<RTCRtpEncodingParameters>) -> MediaStreamTrack {
    MediaStreamTrack::new(name.to_owned(), name.to_owned(), name.to_owned(), kind, encodings)
}

/// The `rtc` crate leaves MID and RID of its senders to the application. Their ids are those of the
/// order in which `media_engine` registers them.
fn name_layer(header: &mut rtp::Header, mid: &'static str, rid: &'static str) {
    for (id, text) in [(1, mid), (2, rid)] {
        if !text.is_empty() {
            header.set_extension(id, Bytes::from_static(text.as_bytes())).expect("a short extension");
        }
    }
}

fn header(payload_type: u8, sequence_number: u16, timestamp: u32, ssrc: u32, marker: bool) -> rtp::Header {
    rtp::Header { version: 2, marker, payload_type, sequence_number, timestamp, ssrc, ..Default::default() }
}

/// The media SSRC of each slot, in order: of the answer's sections that send.
fn slot_ssrcs(answer: &str) -> (Vec<u32>, Vec<u32>) {
    let (mut video, mut audio, mut only) = (Vec::new(), Vec::new(), Vec::new());
    let sections: Vec<&str> = answer.split("m=").skip(1).collect();
    let sends = |section: &&&str| section.contains("a=sendonly");
    for (index, section) in sections.iter().enumerate().filter(|(_, section)| sends(section)) {
        let line = section.lines().find_map(|line| line.strip_prefix("a=ssrc:"));
        let ssrc = line.and_then(|line| line.split(' ').next()?.parse().ok()).expect("a slot's SSRC");
        let paired = sections
            .get(index + 1)
            .is_some_and(|next| next.starts_with("video") && next.contains("a=sendonly"));
        match (section.starts_with("video"), paired) {
            (true, _) => video.push(ssrc),
            (false, true) => audio.push(ssrc),
            (false, false) => only.push(ssrc),
        }
    }
    audio.extend(only);
    (video, audio)
}
