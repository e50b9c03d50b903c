//! A site: a link, a page that a user has opened, what the page received, and its peer connection.

use super::invitations::token;
use super::media_line::LineState;
use super::net::{Net, SocketId};
use super::page::{Output, Page, Stop};
use super::socket::{Frame, Side};
use crate::simulation::{Client, PathState, Publishes, SiteClock, VideoCodec};
use protocol::{
    Action, ClientMessage, MeetingView, MicrophoneState, Sdp, Secret, ServerMessage, SiteId, SlotSource,
    SlotWish,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sfu::ids::SourceKind;
use std::net::SocketAddr;
use std::time::Instant;

const SENDS: Publishes = Publishes { layers: 3, voice: true };
pub const VIDEO_SLOTS: usize = 3;

/// Which buttons of the page are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    pub microphone: bool,
    pub camera: bool,
    pub content: bool,
}

/// What the page knows of the meeting.
#[derive(Default)]
pub struct Known {
    pub meeting: Option<MeetingView>,
    pub video: Vec<Option<SlotSource>>,
    pub audio: Vec<Option<SlotSource>>,
    pub speakers: Vec<SiteId>,
}

/// See the module.
pub struct Site {
    /// Among all sites of the house; the frames carry one more.
    pub index: usize,
    pub meeting: usize,
    pub number: usize,
    pub id: SiteId,
    pub page: Option<Page>,
    /// Why the last page stopped by itself.
    pub stopped: Option<Stop>,
    seat: Option<Secret>,
    pub client: Option<Client>,
    attempts: u32,
    pub device: Device,
    pub wishes: Vec<Option<SlotWish>>,
    pub known: Known,
    socket: Option<SocketId>,
    /// The attempt that has not come through.
    opening: Option<SocketId>,
    /// Datagrams.
    arrived: u64,
    /// Where its peer connection sends to.
    server: Option<SocketAddr>,
    /// User fragments of the offers it made, and faults of peer connections that are gone.
    pub fragments: Vec<String>,
    pub faults: Vec<String>,
    clock: SiteClock,
    rng: StdRng,
}

impl Site {
    pub fn new(
        index: usize,
        (meeting, number): (usize, usize),
        id: SiteId,
        epoch: Instant,
        rng: &mut StdRng,
    ) -> Site {
        Site {
            index,
            meeting,
            number,
            id,
            page: None,
            stopped: None,
            seat: None,
            client: None,
            attempts: 0,
            device: Device { microphone: true, camera: true, content: false },
            wishes: vec![None; VIDEO_SLOTS],
            known: Known::default(),
            socket: None,
            opening: None,
            arrived: 0,
            server: None,
            fragments: Vec::new(),
            faults: Vec::new(),
            clock: SiteClock { epoch, wrong_s: index as f64 * 0.37 - 0.5 },
            rng: StdRng::from_rng(rng),
        }
    }

    pub fn is_chair(&self) -> bool {
        self.number == 0
    }

    /// A user opens the link, in the tab that was or in another browser.
    pub fn come(&mut self, now: Instant, net: &mut Net, (remembers, takeover): (bool, bool)) {
        let link = Secret::from(token(self.meeting, self.number));
        if remembers {
            // A page that is loaded again closes what it had.
            self.hang_up(now, net);
        }
        self.vanish(net);
        let seat = self.seat.take().filter(|_| remembers);
        self.stopped = None;
        self.page = Some(Page::open(now, link, seat, takeover, StdRng::from_rng(&mut self.rng)));
        self.obey(now, net);
    }

    /// The button that leaves.
    pub fn leave(&mut self, now: Instant, net: &mut Net) {
        self.say(now, net, ClientMessage::Leave {});
        self.hang_up(now, net);
        self.vanish(net);
        self.seat = None;
    }

    /// The machine dies, without a message.
    pub fn vanish(&mut self, net: &mut Net) {
        self.seat = self.page.take().and_then(|page| page.seat).or(self.seat.take());
        for socket in [self.socket.take(), self.opening.take()].into_iter().flatten() {
            net.fall_silent(socket, Side::Site);
        }
        self.drop_client();
        self.known = Known::default();
    }

    pub fn act(&mut self, now: Instant, net: &mut Net, action: Action) {
        self.say(now, net, ClientMessage::Act { action });
    }

    /// The device's buttons have changed.
    pub fn tell_device(&mut self, now: Instant, net: &mut Net) {
        let Device { microphone, camera, content } = self.device;
        self.say(now, net, ClientMessage::Media { microphone, camera, content });
        self.show_device(now);
    }

    pub fn tell_wishes(&mut self, now: Instant, net: &mut Net) {
        let slots = self.wishes.clone();
        self.say(now, net, ClientMessage::Wishes { slots });
    }

    fn say(&mut self, now: Instant, net: &mut Net, message: ClientMessage) {
        if let Some(page) = &mut self.page {
            page.send(message);
        }
        self.obey(now, net);
    }

    /// What a site calls off, or the chair closes, may come all the same: voices do from each, pictures from every
    /// other one.
    fn show_device(&mut self, now: Instant) {
        if let Some(client) = &mut self.client {
            client.dark = !self.device.camera && self.index.is_multiple_of(2);
            if client.shares_content() != self.device.content {
                client.share_content(now, self.device.content);
            }
        }
    }

    pub fn next_wake(&mut self) -> Option<Instant> {
        let client = self.client.as_mut().and_then(Client::next_wake);
        let page = self.page.as_ref().and_then(Page::wake_at);
        client.into_iter().chain(page).min()
    }

    /// Everything that is due.
    pub fn run(&mut self, now: Instant, net: &mut Net) {
        let state = self.run_client(now, net);
        if let Some(page) = &mut self.page {
            if let Some(state) = state {
                page.line_is(now, state);
            }
            page.tick(now, self.arrived);
        }
        self.obey(now, net);
    }

    fn run_client(&mut self, now: Instant, net: &mut Net) -> Option<LineState> {
        let client = self.client.as_mut()?;
        for datagram in client.run(now) {
            net.send_to_worker(now, self.index, &datagram);
        }
        Some(match client.path {
            _ if client.gave_up => LineState::Failed,
            PathState::Failed => LineState::Failed,
            PathState::Silent => LineState::Disconnected,
            PathState::Up if client.is_open() => LineState::Connected,
            PathState::Up | PathState::New => LineState::New,
        })
    }

    /// A frame of a WebSocket, if it is the one the page listens to.
    pub fn frame(&mut self, now: Instant, net: &mut Net, socket: SocketId, frame: &Frame) {
        if self.opening == Some(socket) && *frame == Frame::Open {
            self.hang_up(now, net);
            self.socket = self.opening.take();
        } else if self.opening != Some(socket) && self.socket != Some(socket) {
            return net.fall_silent(socket, Side::Site);
        }
        let is_attempt = self.opening == Some(socket);
        let Some(page) = &mut self.page else { return };
        match frame {
            Frame::Open => page.opened(now),
            Frame::Close => {
                net.fall_silent(socket, Side::Site);
                if is_attempt { page.attempt_failed(now) } else { page.lost(now) }
            }
            Frame::Text(text) => {
                let message = serde_json::from_str(text).expect("a message of the protocol");
                page.receive(now, &message);
                self.learn(now, net, message);
            }
        }
        self.obey(now, net);
    }

    /// A datagram of the site's line.
    pub fn datagram(&mut self, now: Instant, sent_at: Instant, bytes: &[u8]) {
        if let (Some(client), Some(server)) = (&mut self.client, self.server) {
            self.arrived += 1;
            client.receive(now, sent_at, server, bytes);
        }
    }

    fn learn(&mut self, now: Instant, net: &mut Net, message: ServerMessage) {
        match message {
            ServerMessage::Welcome { .. } => {
                // A new connection knows nothing.
                self.known = Known::default();
                self.tell_device(now, net);
            }
            ServerMessage::Meeting { meeting } => {
                let mine = meeting.sites.iter().find(|site| site.id == self.id);
                let is_muted = mine.is_some_and(|mine| mine.microphone == MicrophoneState::MutedByChair);
                self.known.meeting = Some(meeting);
                if is_muted && self.device.microphone {
                    self.device.microphone = false;
                    self.tell_device(now, net);
                }
            }
            ServerMessage::Slots { video, audio, .. } => {
                (self.known.video, self.known.audio) = (video, audio)
            }
            ServerMessage::Speakers { sites } => self.known.speakers = sites,
            ServerMessage::Layers { kind: protocol::SourceKind::Camera, layers } => {
                if let Some(client) = &mut self.client {
                    client.wanted = layers;
                }
            }
            _ => {}
        }
    }

    fn obey(&mut self, now: Instant, net: &mut Net) {
        while let Some(output) = self.page.as_mut().and_then(Page::poll_output) {
            match output {
                Output::Connect => self.opening = Some(net.open(now, self.index)),
                Output::GiveUp => self.give_up(now, net),
                Output::HangUp => self.hang_up(now, net),
                Output::Kept => self.tell_wishes(now, net),
                Output::Say(message) => self.write(now, net, &message),
                Output::Offer { fresh } => self.offer(now, net, fresh),
                Output::Answer(sdp) => self.answer(now, net, &sdp),
                Output::Stop(why) => {
                    if why == Stop::GaveUp {
                        self.faults.push("and the house do not come together".to_owned());
                    }
                    self.stopped = Some(why);
                    self.vanish(net);
                    self.seat = None;
                }
            }
        }
    }

    fn hang_up(&mut self, now: Instant, net: &mut Net) {
        if let Some(socket) = self.socket.take() {
            net.close(now, socket, Side::Site);
        }
    }

    fn give_up(&mut self, now: Instant, net: &mut Net) {
        if let Some(socket) = self.opening.take() {
            net.close(now, socket, Side::Site);
        }
    }

    fn write(&mut self, now: Instant, net: &mut Net, message: &ClientMessage) {
        if let Some(socket) = self.socket {
            let text = serde_json::to_string(message).expect("a message");
            net.say(now, socket, Side::Server, Frame::Text(text));
        }
    }

    fn offer(&mut self, now: Instant, net: &mut Net, fresh: bool) {
        match &mut self.client {
            Some(client) if !fresh => client.restart_ice(),
            _ => self.build(now, net),
        }
        let Some(client) = &mut self.client else { return };
        let sdp = client.offer(now);
        let line = sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"));
        self.fragments.push(line.expect("a user fragment").to_owned());
        self.write(now, net, &ClientMessage::Offer { sdp: Sdp::Plain(sdp) });
    }

    fn build(&mut self, now: Instant, net: &mut Net) {
        self.drop_client();
        let name = (self.index as u8 + 1, self.attempts);
        self.attempts += 1;
        let mut client = Client::at_attempt(now, name, (SENDS, VideoCodec::Vp8), VIDEO_SLOTS, self.clock);
        client.begin_low();
        client.start_media(now);
        client.level = self.rng.random_range(25..40);
        self.client = Some(client);
        self.show_device(now);
        net.open_port(self.index);
    }

    fn answer(&mut self, now: Instant, net: &mut Net, sdp: &str) {
        let Some(client) = &mut self.client else { return };
        client.take_answer(now, sdp);
        let server = candidate(sdp).expect("a candidate");
        self.server = Some(server);
        net.lead(self.index, server);
        if let Some(page) = &mut self.page {
            page.answered(now, true);
        }
        self.tell_wishes(now, net);
    }

    fn drop_client(&mut self) {
        if let Some(mut client) = self.client.take() {
            self.faults.extend(client.take_faults());
        }
    }

    /// What it should not have been sent, or cannot be decoded.
    pub fn take_faults(&mut self) -> Vec<String> {
        let mut faults = std::mem::take(&mut self.faults);
        faults.extend(self.client.iter_mut().flat_map(Client::take_faults));
        faults
    }

    /// Whether it sends this, as far as it is allowed to.
    pub fn sends(&self, kind: SourceKind) -> bool {
        let Device { microphone, camera, content } = self.device;
        self.client.is_some()
            && match kind {
                SourceKind::Microphone => microphone,
                SourceKind::Camera => camera,
                SourceKind::Content => content,
            }
    }
}

/// The address in the bridge's answer.
fn candidate(sdp: &str) -> Option<SocketAddr> {
    let line = sdp.lines().find_map(|line| line.strip_prefix("a=candidate:"))?;
    let mut words = line.split(' ').skip(4);
    let (ip, port) = (words.next()?, words.next()?);
    Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
}
