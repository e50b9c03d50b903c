//! One simulated site: a peer connection of the `rtc` crate that sends synthetic video and voice and records what
//! arrives in each slot.

use super::arrivals::Arrivals;
use super::browser::Browser;
use super::codec::{Payload, VideoCodec};
use super::frame::{voice, with_copy};
use super::hearing::{Heard, offers_red, sends_red};
use super::incoming::SlotView;
use super::layer::{Layer, content_layers, encode};
use super::outgoing::{OPUS, Outgoing, RED, SiteClock};
use super::port::Port;
use super::sections::Sections;
use super::slots::Slots;
use super::stack::{self, encoding, opus, sendonly, video};
use super::traffic::{Amount, Traffic};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rtc::peer_connection::RTCPeerConnection;
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCIceConnectionState;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::sansio::Protocol;
use sfu::ids::{SlotId, SourceKind};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const FRAME_EVERY: Duration = Duration::from_millis(33);
const CONTENT_EVERY: Duration = Duration::from_millis(200);
const VOICE_EVERY: Duration = Duration::from_millis(20);
/// How often the receiving side looks at its gaps.
const ASK_EVERY: Duration = Duration::from_millis(10);
/// RTX is found 500,000 above its media.
const SSRCS_OF_AN_ATTEMPT: u32 = 1_000_000;
/// The sender of our feedback.
pub(super) const OUR_SSRC: u32 = 1;

/// What a client sends.
#[derive(Debug, Clone, Copy)]
pub struct Publishes {
    /// Layers of the camera: 0 for none, 1, or 3 with rids, which a codec without simulcast makes one; with more than
    /// 1 there is content, too.
    pub layers: usize,
    pub voice: bool,
}

/// A packet that came in a slot: the site it is of, and when it was sent.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub slot: SlotId,
    pub site: u8,
    pub kind: SourceKind,
    pub sent_at: Instant,
}

/// Whether a client's checks are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathState {
    New,
    Up,
    /// Not for some seconds: a page waits a little and restarts ICE.
    Silent,
    Failed,
}

impl PathState {
    fn of(state: RTCIceConnectionState) -> PathState {
        match state {
            RTCIceConnectionState::Connected | RTCIceConnectionState::Completed => PathState::Up,
            RTCIceConnectionState::Disconnected => PathState::Silent,
            RTCIceConnectionState::Failed | RTCIceConnectionState::Closed => PathState::Failed,
            _ => PathState::New,
        }
    }
}

pub struct Client {
    pub site: u8,
    pub address: SocketAddr,
    pub(super) peer: RTCPeerConnection,
    pub(super) port: Port,
    pub(super) clock: SiteClock,
    rng: StdRng,
    pub(super) voice: Option<Outgoing>,
    pub layers: Vec<Layer>,
    pub content: Vec<Layer>,
    next_frame: Option<Instant>,
    next_content: Option<Instant>,
    next_voice: Option<Instant>,
    next_ask: Instant,
    pub(super) arrivals: Arrivals,
    pub heard: Heard,
    /// What it said last, and when: where it sends RED, that is in the next packet, too.
    said: Option<(u32, Vec<u8>)>,
    pub(super) slots: Slots,
    pub sections: Sections,
    pub video: BTreeMap<usize, SlotView>,
    pub audio: BTreeMap<usize, SlotView>,
    pub seen: Vec<Seen>,
    pub faults: Vec<String>,
    pub key_requests: u64,
    /// The share of its voice that is lost, as it is told.
    pub voice_lost: f64,
    pub muted: bool,
    /// It sends nothing again that it is asked for.
    pub forgets: bool,
    /// The camera gives nothing.
    pub dark: bool,
    /// Loudness, as RFC 6464 counts it: 0 is loudest.
    pub level: u8,
    /// The bridge wants only these layers; the others are not encoded.
    pub wanted: Vec<bool>,
    pub wanted_content: Vec<bool>,
    /// Its stack has given the handshake up: after seven seconds without an answer, where browsers go on.
    pub gave_up: bool,
    pub path: PathState,
    /// What the bridge has sent to this client, and the bytes it has sent itself.
    pub traffic: Traffic,
    pub sent: Amount,
    /// What it does where it is like a browser.
    pub(super) browser: Option<Browser>,
}

impl Client {
    /// One whose video is VP8.
    pub fn new(now: Instant, site: u8, publishes: Publishes, slots: usize, clock: SiteClock) -> Client {
        Client::coded(now, site, (publishes, VideoCodec::Vp8), slots, clock)
    }

    pub fn coded(
        now: Instant,
        site: u8,
        (publishes, codec): (Publishes, VideoCodec),
        slots: usize,
        clock: SiteClock,
    ) -> Client {
        Client::at_attempt(now, (site, 0), (publishes, codec), slots, clock)
    }

    /// One of several that a site makes one after the other. Each has SSRCs of its own, as those of browsers have.
    pub fn at_attempt(
        now: Instant,
        (site, attempt): (u8, u32),
        (publishes, codec): (Publishes, VideoCodec),
        slots: usize,
        clock: SiteClock,
    ) -> Client {
        let mut client = Client::bare(now, site, clock);
        client.add_sources(attempt * SSRCS_OF_AN_ATTEMPT + u32::from(site) * 1000, publishes, codec);
        client.add_slots(slots);
        client
    }

    /// One that neither sends nor receives.
    pub(super) fn bare(now: Instant, site: u8, clock: SiteClock) -> Client {
        let port = Port::default();
        Client {
            site,
            address: SocketAddr::from(([10, 0, 0, site], 4000)),
            peer: stack::peer_connection(now, &port, offers_red(site)),
            port,
            clock,
            rng: StdRng::seed_from_u64(u64::from(site)),
            voice: None,
            layers: Vec::new(),
            content: Vec::new(),
            next_frame: None,
            next_content: None,
            next_voice: None,
            next_ask: now,
            arrivals: Arrivals::new(now),
            heard: Heard::default(),
            said: None,
            slots: Slots::default(),
            sections: Sections::default(),
            video: BTreeMap::new(),
            audio: BTreeMap::new(),
            seen: Vec::new(),
            faults: Vec::new(),
            key_requests: 0,
            voice_lost: 0.0,
            muted: false,
            forgets: false,
            dark: false,
            level: 30,
            wanted: vec![true; 3],
            wanted_content: vec![true; 2],
            gave_up: false,
            path: PathState::New,
            traffic: Traffic::default(),
            sent: Amount::default(),
            browser: None,
        }
    }

    pub(super) fn add_sources(&mut self, base: u32, publishes: Publishes, codec: VideoCodec) {
        let mut mids = ["0", "1", "2"].into_iter();
        if publishes.voice {
            let ssrc = base + 1;
            let track = stack::track("voice", RtpCodecKind::Audio, vec![encoding("", ssrc, opus())]);
            self.peer.add_transceiver_from_track(track, sendonly()).expect("microphone");
            let payload_type = if sends_red(self.site) { RED } else { OPUS };
            self.voice = Some(Outgoing::new(ssrc, mids.next().expect("a mid"), "", payload_type));
        }
        if publishes.layers == 0 {
            return;
        }
        let mid = mids.next().expect("a mid");
        let rids = if publishes.layers == 1 || !codec.is_simulcast() { &[""][..] } else { &["l", "m", "h"] };
        for (rid, number) in rids.iter().zip(0u8..) {
            let ssrc = base + 10 + u32::from(number);
            self.layers.push(Layer::new((self.site, number), codec, ssrc, mid, rid));
        }
        let coded = video(codec);
        let of = |layer: &Layer| encoding(layer.stream.rid, layer.stream.ssrc, coded.clone());
        let encodings = self.layers.iter().map(of);
        stack::add_video(&mut self.peer, "camera", codec, encodings.collect());
        if publishes.layers > 1 {
            let mid = mids.next().expect("a mid");
            self.content = content_layers(self.site, codec, base + 20, mid);
            let encodings = self.content.iter().map(of);
            stack::add_video(&mut self.peer, "content", codec, encodings.collect());
        }
    }

    pub(super) fn add_slots(&mut self, slots: usize) {
        for _ in 0..slots {
            self.peer.add_transceiver_from_kind(RtpCodecKind::Audio, None).expect("audio slot");
            self.peer.add_transceiver_from_kind(RtpCodecKind::Video, None).expect("video slot");
        }
        self.peer.add_transceiver_from_kind(RtpCodecKind::Audio, None).expect("audio-only slot");
    }

    pub fn offer(&mut self, now: Instant) -> String {
        let offer = self.peer.create_offer(None).expect("an offer");
        self.peer.set_local_description(now, offer).expect("a local description");
        // A connection that has failed has forgotten its addresses.
        stack::add_candidate(&mut self.peer, self.address);
        self.peer.local_description().expect("an offer").sdp
    }

    /// Reports on all that was received, as a receiver does each second.
    pub fn report(&mut self, now: Instant) {
        let report = self.sections.report(OUR_SSRC);
        self.port.send(now, report);
    }

    pub fn restart_ice(&mut self) {
        self.peer.restart_ice();
    }

    pub fn take_answer(&mut self, now: Instant, sdp: &str) {
        self.slots = Slots::read(sdp);
        self.sections.read(sdp);
        self.browser.iter_mut().for_each(|browser| browser.read(sdp));
        let answer = RTCSessionDescription::answer(sdp.to_owned()).expect("an answer");
        self.peer.set_remote_description(now, answer).expect("a remote description");
    }

    pub fn start_media(&mut self, now: Instant) {
        self.next_frame = (!self.layers.is_empty()).then_some(now);
        self.next_voice = self.voice.as_ref().map(|_| now);
    }

    /// For a line that may be cut off for long when the handshake has just ended.
    pub fn begin_low(&mut self) {
        self.streams().for_each(Outgoing::begin_low);
    }

    pub fn share_content(&mut self, now: Instant, shares: bool) {
        self.next_content = self.content.first().filter(|_| shares).map(|_| now);
    }

    pub fn shares_content(&self) -> bool {
        self.next_content.is_some()
    }

    /// The camera's layers have other sizes, lowest first.
    pub fn resize(&mut self, lines: [u16; 3]) {
        for (layer, lines) in self.layers.iter_mut().zip(lines) {
            layer.encoder.resize(lines);
        }
    }

    /// The encoder of a layer restarts under another SSRC, with other numbers of every kind.
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
        let reports = self.arrivals.next_timeout();
        let media = [self.next_frame, self.next_voice, self.next_content, Some(self.next_ask), reports];
        [self.peer.poll_timeout(), media.into_iter().flatten().min()].into_iter().flatten().min()
    }

    /// Everything that is due at `now`; returns what goes onto the wire.
    pub fn run(&mut self, now: Instant) -> Vec<Vec<u8>> {
        if self.peer.poll_timeout().is_some_and(|at| at <= now) {
            self.gave_up |= self.peer.handle_timeout(now).is_err();
        }
        if self.next_voice.is_some_and(|at| at <= now) {
            self.next_voice = Some(now + VOICE_EVERY);
            self.speak(now);
        }
        if self.next_frame.is_some_and(|at| at <= now) {
            self.next_frame = Some(now + FRAME_EVERY);
            self.show(now);
        }
        if self.next_content.is_some_and(|at| at <= now) {
            self.next_content = Some(now + CONTENT_EVERY);
            let Client { content, wanted_content, .. } = self;
            encode(now, self.clock, &self.port, content, wanted_content);
        }
        if self.next_ask <= now {
            self.next_ask = now + ASK_EVERY;
            self.ask(now);
            self.act_as_browser(now);
        }
        if let Some(report) = self.arrivals.report(now, OUR_SSRC) {
            self.port.send(now, report);
        }
        while let Some(event) = self.peer.poll_event() {
            if let RTCPeerConnectionEvent::OnIceConnectionStateChangeEvent(state) = event {
                self.path = PathState::of(state);
            }
        }
        std::iter::from_fn(|| self.peer.poll_write()).map(|datagram| datagram.message.to_vec()).collect()
    }

    fn speak(&mut self, now: Instant) {
        let Some(stream) = self.voice.as_mut().filter(|_| !self.muted) else {
            return;
        };
        let captured_ms = self.clock.ms(now);
        let said = voice(self.site, captured_ms);
        let payload = match self.said.replace((captured_ms, said.clone())) {
            Some(before) if stream.payload_type == RED => with_copy((captured_ms, &said), &before),
            _ if stream.payload_type == RED => [&[OPUS], &said[..]].concat(),
            _ => said,
        };
        stream.send(now, self.clock, &self.port, false, Payload::from(payload), Some(self.level));
    }

    fn show(&mut self, now: Instant) {
        let none = [false; 3];
        let wanted = if self.dark { &none[..] } else { &self.wanted };
        encode(now, self.clock, &self.port, &mut self.layers, wanted);
    }

    /// One frame of the first layer with these payloads, sealed; from now on the client sends nothing by itself. For
    /// measurements and for fuzzing what is under SRTP.
    pub fn seal_frame(&mut self, now: Instant, payloads: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        (self.next_frame, self.next_voice) = (None, None);
        let count = payloads.len();
        if let Some(layer) = self.layers.first_mut() {
            for (index, payload) in payloads.into_iter().enumerate() {
                layer.stream.send(
                    now,
                    self.clock,
                    &self.port,
                    index + 1 == count,
                    Payload::from(payload),
                    None,
                );
            }
        }
        std::iter::from_fn(|| self.peer.poll_write()).map(|datagram| datagram.message.to_vec()).collect()
    }

    /// Frames of one layer with these payloads, on top of what the client sends by itself.
    pub fn flood(&mut self, now: Instant, layer: usize, payloads: Vec<Vec<u8>>) {
        if let Some(layer) = self.layers.get_mut(layer) {
            for payload in payloads {
                layer.stream.send(now, self.clock, &self.port, true, Payload::from(payload), None);
            }
        }
    }
}
