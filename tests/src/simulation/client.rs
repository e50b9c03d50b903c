//! One simulated site: a peer connection of the `rtc` crate that sends synthetic pictures and voice
//! and writes down what arrives in each slot.

use super::incoming::SlotView;
use super::outgoing::{OPUS, Outgoing, RTX, SiteClock, VP8};
use super::picture::{CONTENT, Encoder, Told, voice};
use super::port::{self, Port};
use super::sections::Sections;
use super::traffic::{Amount, Traffic};
use bytes::BytesMut;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rtc::interceptor::{Packet, Registry, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MediaEngine,
};
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{NackPair, TransportLayerNack};
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use sfu::ids::{SlotId, SourceKind};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const PICTURE_EVERY: Duration = Duration::from_millis(33);
const CONTENT_EVERY: Duration = Duration::from_millis(200);
const VOICE_EVERY: Duration = Duration::from_millis(20);
/// How often the receiving side looks at its gaps.
const ASK_EVERY: Duration = Duration::from_millis(10);
/// NTP seconds of the virtual epoch, as the engine's clock has it.
const EPOCH_NTP_S: f64 = 1_800_000_000.0 + 2_208_988_800.0;
/// The sender of our feedback.
const OUR_SSRC: u32 = 1;

/// What a client sends.
#[derive(Debug, Clone, Copy)]
pub struct Publishes {
    /// Layers of the camera: 0 for none, 1, or 3 with rids.
    pub layers: usize,
    pub voice: bool,
}

/// A packet that came in a slot: whom it shows, and when it was sent.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub slot: SlotId,
    pub site: u8,
    pub kind: SourceKind,
    pub sent_at: Instant,
}

pub struct Client {
    pub site: u8,
    pub address: SocketAddr,
    peer: RTCPeerConnection,
    pub(super) port: Port,
    clock: SiteClock,
    rng: StdRng,
    voice: Option<Outgoing>,
    pub layers: Vec<Layer>,
    pub content: Option<Layer>,
    next_picture: Option<Instant>,
    next_content: Option<Instant>,
    next_voice: Option<Instant>,
    next_ask: Instant,
    slots: Slots,
    pub sections: Sections,
    pub video: BTreeMap<usize, SlotView>,
    pub audio: BTreeMap<usize, SlotView>,
    pub seen: Vec<Seen>,
    pub faults: Vec<String>,
    pub key_requests: u64,
    pub muted: bool,
    /// The camera gives nothing.
    pub dark: bool,
    /// Loudness, as RFC 6464 counts it: 0 is loudest.
    pub level: u8,
    /// The bridge wants only these layers; the others are not encoded.
    pub wanted: Vec<bool>,
    /// The bridge may leave out upper temporal layers.
    pub thinned: bool,
    /// What the bridge has sent to this client, and the bytes it has sent itself.
    pub traffic: Traffic,
    pub sent: Amount,
}

pub struct Layer {
    pub stream: Outgoing,
    encoder: Encoder,
    /// The encoder leaves this layer out, as one does that is short of bandwidth.
    pub quiet: bool,
    /// Padding behind every picture, as one that looks for bandwidth.
    pub pads: bool,
}

/// SSRCs of the answer's slots, in order.
#[derive(Default)]
struct Slots {
    /// Media and RTX.
    video: Vec<(u32, Option<u32>)>,
    audio: Vec<u32>,
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
        ("urn:ietf:params:rtp-hdrext:ssrc-audio-level", &[RtpCodecKind::Audio]),
    ] {
        for kind in kinds {
            let capability = RTCRtpHeaderExtensionCapability { uri: uri.to_owned() };
            media.register_header_extension(capability, *kind, None).expect("a fixed extension");
        }
    }
    media
}

fn peer_connection(now: Instant, port: &Port) -> RTCPeerConnection {
    let registry = Registry::new().with(Slot::from(port::SLOT), port.clone());
    RTCPeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_media_engine(media_engine())
        .with_interceptor_registry(registry)
        .build(now)
        .expect("a peer connection")
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
    pub fn new(now: Instant, site: u8, publishes: Publishes, slots: usize, clock: SiteClock) -> Client {
        let port = Port::default();
        let mut client = Client {
            site,
            address: SocketAddr::from(([10, 0, 0, site], 4000)),
            peer: peer_connection(now, &port),
            port,
            clock,
            rng: StdRng::seed_from_u64(u64::from(site)),
            voice: None,
            layers: Vec::new(),
            content: None,
            next_picture: None,
            next_content: None,
            next_voice: None,
            next_ask: now,
            slots: Slots::default(),
            sections: Sections::default(),
            video: BTreeMap::new(),
            audio: BTreeMap::new(),
            seen: Vec::new(),
            faults: Vec::new(),
            key_requests: 0,
            muted: false,
            dark: false,
            level: 30,
            wanted: vec![true; 3],
            thinned: false,
            traffic: Traffic::default(),
            sent: Amount::default(),
        };
        client.add_sources(publishes);
        client.add_slots(slots);
        client.add_candidate();
        client
    }

    fn add_sources(&mut self, publishes: Publishes) {
        let base = u32::from(self.site) * 1000;
        let mut mids = ["0", "1", "2"].into_iter();
        if publishes.voice {
            let ssrc = base + 1;
            let track = track("voice", RtpCodecKind::Audio, vec![encoding("", ssrc, opus())]);
            self.peer.add_transceiver_from_track(track, sendonly()).expect("microphone");
            self.voice = Some(Outgoing::new(ssrc, mids.next().expect("a mid"), "", OPUS));
        }
        if publishes.layers == 0 {
            return;
        }
        let mid = mids.next().expect("a mid");
        let rids = if publishes.layers == 1 { &[""][..] } else { &["l", "m", "h"] };
        for (rid, number) in rids.iter().zip(0u8..) {
            self.layers.push(Layer::new(self.site, number, base + 10 + u32::from(number), mid, rid));
        }
        let encodings = self.layers.iter().map(|layer| encoding(layer.stream.rid, layer.stream.ssrc, vp8()));
        let track = track("camera", RtpCodecKind::Video, encodings.collect());
        self.peer.add_transceiver_from_track(track, sendonly()).expect("camera");
        if publishes.layers > 1 {
            let content = Layer::new(self.site, CONTENT, base + 20, mids.next().expect("a mid"), "");
            let encodings = vec![encoding("", content.stream.ssrc, vp8())];
            let track = self::track("content", RtpCodecKind::Video, encodings);
            self.peer.add_transceiver_from_track(track, sendonly()).expect("content");
            self.content = Some(content);
        }
    }

    fn add_slots(&mut self, slots: usize) {
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

    /// Reports on all that was heard, as a receiver does each second.
    pub fn report(&mut self, now: Instant) {
        let report = self.sections.report(OUR_SSRC);
        self.port.send(now, report);
    }

    pub fn restart_ice(&mut self) {
        self.peer.restart_ice();
    }

    pub fn take_answer(&mut self, now: Instant, sdp: &str) {
        self.slots = slot_ssrcs(sdp);
        self.sections.read(sdp);
        let answer = RTCSessionDescription::answer(sdp.to_owned()).expect("an answer");
        self.peer.set_remote_description(now, answer).expect("a remote description");
    }

    pub fn start_media(&mut self, now: Instant) {
        self.next_picture = (!self.layers.is_empty()).then_some(now);
        self.next_voice = self.voice.as_ref().map(|_| now);
    }

    pub fn share_content(&mut self, now: Instant, shares: bool) {
        self.next_content = self.content.as_ref().filter(|_| shares).map(|_| now);
    }

    pub fn shares_content(&self) -> bool {
        self.next_content.is_some()
    }

    /// The encoder of a layer begins anew under another SSRC, with other numbers of every kind.
    pub fn restart_layer(&mut self, number: usize) {
        let (ssrc, sequence, base): (u32, u16, u32) =
            (self.rng.random(), self.rng.random(), self.rng.random());
        let (picture_id, tl0) = (self.rng.random(), self.rng.random());
        if let Some(layer) = self.layers.get_mut(number) {
            // RTX is found 500,000 above.
            layer.stream.restart(ssrc / 2, sequence, base);
            layer.encoder.restart(picture_id, tl0);
        }
    }

    pub fn restart_voice(&mut self) {
        let (ssrc, sequence, base): (u32, u16, u32) =
            (self.rng.random(), self.rng.random(), self.rng.random());
        if let Some(voice) = &mut self.voice {
            voice.restart(ssrc / 2, sequence, base);
        }
    }

    pub fn next_wake(&mut self) -> Option<Instant> {
        let media = [self.next_picture, self.next_voice, self.next_content, Some(self.next_ask)];
        [self.peer.poll_timeout(), media.into_iter().flatten().min()].into_iter().flatten().min()
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
        if self.next_content.is_some_and(|at| at <= now) {
            self.next_content = Some(now + CONTENT_EVERY);
            if let Some(layer) = &mut self.content {
                layer.show(now, self.clock, &self.port);
            }
        }
        if self.next_ask <= now {
            self.next_ask = now + ASK_EVERY;
            self.ask(now);
        }
        while self.peer.poll_event().is_some() {}
        std::iter::from_fn(|| self.peer.poll_write()).map(|datagram| datagram.message.to_vec()).collect()
    }

    /// A datagram that left the bridge at `sent_at`.
    pub fn receive(&mut self, now: Instant, sent_at: Instant, from: SocketAddr, bytes: &[u8]) {
        let transport = TransportContext {
            local_addr: self.address,
            peer_addr: from,
            ecn: None,
            transport_protocol: TransportProtocol::UDP,
        };
        // What does not authenticate is refused by the stack; that is its business.
        let _refused =
            self.peer.handle_read(TaggedBytesMut { now, transport, message: BytesMut::from(bytes) });
        while self.peer.poll_read().is_some() {}
        while let Some(packet) = self.port.receive() {
            match packet {
                Packet::Rtp(packet) => self.see(now, sent_at, packet),
                Packet::Rtcp(packets) => packets.iter().for_each(|packet| self.hear(now, packet.as_ref())),
                _ => {}
            }
        }
    }

    fn speak(&mut self, now: Instant) {
        let Some(stream) = self.voice.as_mut().filter(|_| !self.muted) else {
            return;
        };
        let payload = voice(self.site, self.clock.ms(now));
        stream.send(now, self.clock, &self.port, false, payload, Some(self.level));
    }

    fn show(&mut self, now: Instant) {
        for (number, layer) in self.layers.iter_mut().enumerate() {
            if self.dark || layer.quiet || !self.wanted.get(number).copied().unwrap_or(true) {
                layer.encoder.want_key();
            } else {
                layer.show(now, self.clock, &self.port);
            }
        }
    }

    /// One picture of the first layer with these payloads, sealed; from now on nothing is sent by
    /// itself. For measurements and for fuzzing what lies behind SRTP.
    pub fn seal_picture(&mut self, now: Instant, payloads: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        (self.next_picture, self.next_voice) = (None, None);
        let count = payloads.len();
        if let Some(layer) = self.layers.first_mut() {
            for (index, payload) in payloads.into_iter().enumerate() {
                layer.stream.send(now, self.clock, &self.port, index + 1 == count, payload, None);
            }
        }
        std::iter::from_fn(|| self.peer.poll_write()).map(|datagram| datagram.message.to_vec()).collect()
    }

    /// Pictures of one layer with these payloads, on top of what the client sends by itself.
    pub fn flood(&mut self, now: Instant, layer: usize, payloads: Vec<Vec<u8>>) {
        if let Some(layer) = self.layers.get_mut(layer) {
            for payload in payloads {
                layer.stream.send(now, self.clock, &self.port, true, payload, None);
            }
        }
    }

    fn hear(&mut self, now: Instant, packet: &dyn rtcp::Packet) {
        let any = packet.as_any();
        if let Some(pli) = any.downcast_ref::<PictureLossIndication>() {
            self.request_key(now, pli.media_ssrc);
        } else if let Some(fir) = any.downcast_ref::<FullIntraRequest>() {
            fir.fir.iter().for_each(|entry| self.request_key(now, entry.ssrc));
        } else if let Some(nack) = any.downcast_ref::<TransportLayerNack>() {
            for sequence in nack.nacks.iter().flat_map(|pair| pair.packet_list()) {
                self.answer(now, nack.media_ssrc, sequence);
            }
        } else if let Some(report) = any.downcast_ref::<SenderReport>() {
            let seconds = report.ntp_time as f64 / 4_294_967_296.0 - EPOCH_NTP_S;
            if let Some(view) = self.view(report.ssrc) {
                view.on_report(seconds, report.rtp_time);
            }
        }
    }

    fn streams(&mut self) -> impl Iterator<Item = &mut Outgoing> {
        let pictures = self.layers.iter_mut().chain(&mut self.content).map(|layer| &mut layer.stream);
        pictures.chain(&mut self.voice)
    }

    fn answer(&mut self, now: Instant, ssrc: u32, sequence: u16) {
        let port = self.port.clone();
        let stream = self.streams().find(|stream| stream.ssrc == ssrc);
        let answered = stream.map_or(Ok(()), |stream| stream.answer(now, &port, sequence));
        self.faults.extend(answered.err());
    }

    fn request_key(&mut self, now: Instant, ssrc: u32) {
        self.key_requests += 1;
        let layers = &mut self.layers.iter_mut().chain(&mut self.content);
        if let Some(layer) = layers.find(|layer| layer.stream.ssrc == ssrc) {
            layer.encoder.want_key();
            layer.stream.key_requests.push(now);
        }
    }

    /// The SSRC a slot's media comes with.
    pub(super) fn slot_ssrc(&self, slot: SlotId) -> Option<u32> {
        match slot {
            SlotId::Video(slot) => self.slots.video.get(usize::from(slot)).map(|(media, _)| *media),
            SlotId::Audio(slot) => self.slots.audio.get(usize::from(slot)).copied(),
        }
    }

    pub(super) fn slot_of(&self, ssrc: u32) -> Option<SlotId> {
        let video = self.slots.video.iter().position(|(media, rtx)| *media == ssrc || *rtx == Some(ssrc));
        let audio = self.slots.audio.iter().position(|known| *known == ssrc);
        video.map(|slot| SlotId::Video(slot as u16)).or(audio.map(|slot| SlotId::Audio(slot as u16)))
    }

    fn view(&mut self, ssrc: u32) -> Option<&mut SlotView> {
        Some(match self.slot_of(ssrc)? {
            SlotId::Video(slot) => self.video.entry(usize::from(slot)).or_default(),
            SlotId::Audio(slot) => self.audio.entry(usize::from(slot)).or_default(),
        })
    }

    fn see(&mut self, now: Instant, sent_at: Instant, mut packet: rtp::Packet) {
        let Some(slot) = self.slot_of(packet.header.ssrc) else {
            self.faults.push(format!("ssrc {} is of no slot", packet.header.ssrc));
            return;
        };
        self.faults.extend(self.sections.check(&packet.header).err());
        let repeated = packet.header.payload_type == RTX;
        if repeated {
            let [high, low, ..] = *packet.payload else { return };
            packet.header.sequence_number = u16::from_be_bytes([high, low]);
            packet.payload = packet.payload.slice(2..);
        }
        let told = Told::read(&packet.payload);
        let (ssrc, thinned) = (packet.header.ssrc, self.thinned);
        let Some(view) = self.view(ssrc) else { return };
        if thinned {
            view.expect_thinning();
        }
        let newest = view.see(now, &packet, matches!(slot, SlotId::Video(_)));
        if let Some(told) = told.filter(|_| newest && !repeated) {
            let kind = match told.layer {
                _ if matches!(slot, SlotId::Audio(_)) => SourceKind::Microphone,
                CONTENT => SourceKind::Content,
                _ => SourceKind::Camera,
            };
            self.seen.push(Seen { slot, site: told.site, kind, sent_at });
        }
    }

    fn ask(&mut self, now: Instant) {
        for (slot, (media, _)) in self.slots.video.iter().enumerate() {
            let Some(view) = self.video.get_mut(&slot) else { continue };
            let asks = view.asks(now);
            let mut packets: Vec<Box<dyn rtcp::Packet>> = Vec::new();
            if !asks.nacks.is_empty() {
                let nacks =
                    asks.nacks.iter().map(|packet_id| NackPair { packet_id: *packet_id, lost_packets: 0 });
                packets.push(Box::new(TransportLayerNack {
                    sender_ssrc: OUR_SSRC,
                    media_ssrc: *media,
                    nacks: nacks.collect(),
                }));
            }
            if asks.pli {
                packets.push(Box::new(PictureLossIndication { sender_ssrc: OUR_SSRC, media_ssrc: *media }));
            }
            if !packets.is_empty() {
                self.port.send(now, Packet::Rtcp(packets));
            }
        }
    }
}

impl Layer {
    fn new(site: u8, number: u8, ssrc: u32, mid: &'static str, rid: &'static str) -> Layer {
        Layer {
            stream: Outgoing::new(ssrc, mid, rid, VP8),
            encoder: Encoder::new(site, number),
            quiet: false,
            pads: false,
        }
    }

    fn show(&mut self, now: Instant, clock: SiteClock, port: &Port) {
        let payloads = self.encoder.next_picture(clock.ms(now));
        let count = payloads.len();
        for (index, payload) in payloads.into_iter().enumerate() {
            self.stream.send(now, clock, port, index + 1 == count, payload, None);
        }
        if self.pads {
            self.stream.pad(now, clock, port);
        }
    }
}

fn track(name: &str, kind: RtpCodecKind, encodings: Vec<RTCRtpEncodingParameters>) -> MediaStreamTrack {
    MediaStreamTrack::new(name.to_owned(), name.to_owned(), name.to_owned(), kind, encodings)
}

/// The slots of an answer: its sections that send.
fn slot_ssrcs(answer: &str) -> Slots {
    let (mut slots, mut only) = (Slots::default(), Vec::new());
    let sections: Vec<&str> = answer.split("m=").skip(1).collect();
    let sends = |section: &&&str| section.contains("a=sendonly");
    for (index, section) in sections.iter().enumerate().filter(|(_, section)| sends(section)) {
        let line = section.lines().find_map(|line| line.strip_prefix("a=ssrc:"));
        let ssrc = line.and_then(|line| line.split(' ').next()?.parse().ok()).expect("a slot's SSRC");
        let group = section.lines().find_map(|line| line.strip_prefix("a=ssrc-group:FID "));
        let rtx = group.and_then(|line| line.split(' ').nth(1)?.trim().parse().ok());
        let paired = sections
            .get(index + 1)
            .is_some_and(|next| next.starts_with("video") && next.contains("a=sendonly"));
        match (section.starts_with("video"), paired) {
            (true, _) => slots.video.push((ssrc, rtx)),
            (false, true) => slots.audio.push(ssrc),
            (false, false) => only.push(ssrc),
        }
    }
    slots.audio.extend(only);
    slots
}
