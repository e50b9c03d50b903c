//! A server with meetings in which one site sends 2 Mbit/s and the others watch it.

use crate::crowd::{Crowd, Seat};
use crate::figures::percentile;
use crate::measure;
use crate::options::Options;
use crate::publisher::Camera;
use crate::server::{self, Server};
use crate::window::Window;
use ::protocol::{Action, SlotWish, SourceKind};
use std::time::Duration;

/// For all sites to come in: a second, and what a debug build on a busy machine takes for each.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which site sends in a meeting: in overload the pictures of others are shed first, the floor's last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Chair,
    /// A site on the big screen of all sites.
    Floor,
    Other,
}

impl Sender {
    /// The chair and the floor in a fifth of the meetings each: of half as much again as a core holds, what is to stay
    /// whole has to fit, and with it all voices and reports.
    fn of(meeting: usize) -> Sender {
        [Sender::Chair, Sender::Other, Sender::Floor, Sender::Other, Sender::Other][meeting % 5]
    }

    fn site(self) -> usize {
        match self {
            Sender::Chair => 0,
            Sender::Floor | Sender::Other => 1,
        }
    }
}

/// Site 0 is the chair, site 1 may publish instead; the others watch.
const FIRST_RECEIVER: usize = 2;
const HEIGHT: u16 = 720;

/// One meeting: numbers of sites in the crowd.
struct Room {
    publisher: usize,
    receivers: std::ops::Range<usize>,
    sender: Sender,
}

pub struct Rooms {
    pub server: Server,
    pub crowd: Crowd,
    rooms: Vec<Room>,
    /// Memory of the server before any site came, KiB.
    empty_kib: u64,
}

/// What has arrived of what was sent, 0–1; not a number where nothing was sent.
#[derive(Debug, Clone, Copy)]
pub struct Delivered {
    pub audio: f64,
    pub video: f64,
    /// Part of the voice packets that is missing between those that came. Unlike the others it does
    /// not depend on where in a frame the window begins.
    pub audio_lost: f64,
}

impl Rooms {
    /// Receivers come first, then all publishers.
    pub fn open(options: &Options, receivers: usize, room: usize) -> Result<Rooms, String> {
        let receivers = receivers.max(1);
        let sizes: Vec<usize> =
            (0..receivers).step_by(room).map(|first| room.min(receivers - first)).collect();
        let sites: Vec<usize> = sizes.iter().map(|size| size + FIRST_RECEIVER).collect();
        let server = Server::start(&options.server()?, &sites)?;
        let mut crowd = Crowd::new(server::HTTP)?;
        let empty_kib = measure::resident_kib(server.pid());
        let seats = sizes.iter().enumerate().flat_map(|(meeting, size)| watching(meeting, *size)).collect();
        crowd.join_all(seats, PATIENCE).map_err(|e| server.explain(e))?;
        let publishers = (0..sizes.len()).map(|meeting| Seat {
            token: server::token(meeting, Sender::of(meeting).site()),
            camera: Some(Camera::FULL),
            wishes: Vec::new(),
            act: None,
        });
        let publishers = crowd.join_all(publishers.collect(), PATIENCE).map_err(|e| server.explain(e))?;
        let mut first = 0;
        let rooms = publishers.iter().zip(&sizes).enumerate().map(|(meeting, (publisher, size))| {
            first += size;
            let receivers = first - size..first;
            Room { publisher: *publisher, receivers, sender: Sender::of(meeting) }
        });
        let rooms = rooms.collect();
        Ok(Rooms { server, crowd, rooms, empty_kib })
    }

    /// By how much the server's memory has grown for each receiver, KiB.
    pub fn receiver_kib(&self) -> f64 {
        let receivers: usize = self.rooms.iter().map(|room| room.receivers.len()).sum();
        let grown = measure::resident_kib(self.server.pid()).saturating_sub(self.empty_kib);
        grown as f64 / receivers as f64
    }

    /// Parts of what the publishers would have sent in this time: less than all where the client was late.
    pub fn published(&self, window: &Window) -> f64 {
        let sent = |room: &Room| window.peers[room.publisher].sent;
        let sent: u64 = self.rooms.iter().map(sent).map(|sent| sent.audio + sent.video).sum();
        sent as f64 / (Camera::FULL.per_second() * self.rooms.len() as f64 * window.spent.time.as_secs_f64())
    }

    /// The receiver that got least of its picture, as a part of what was sent.
    pub fn poorest(&self, window: &Window) -> f64 {
        let parts = self.rooms.iter().flat_map(|room| {
            let sent = window.peers[room.publisher].sent.video.max(1) as f64;
            window.peers[room.receivers.clone()].iter().map(move |tally| tally.received.video as f64 / sent)
        });
        parts.fold(f64::INFINITY, f64::min)
    }

    pub fn window(&mut self, options: &Options) -> Result<Window, String> {
        Window::take(options, &self.server, &mut self.crowd)
    }

    /// Of the meetings in which this one sends, or of all.
    pub fn delivered(&self, window: &Window, sender: Option<Sender>) -> Delivered {
        let (mut sent, mut received, mut gaps) = ([0u64; 2], [0u64; 2], 0);
        let wanted = |room: &&Room| sender.is_none_or(|sender| room.sender == sender);
        for room in self.rooms.iter().filter(wanted) {
            let published = window.peers[room.publisher].sent;
            let watchers = room.receivers.len() as u64;
            sent[0] += published.audio * watchers;
            sent[1] += published.video * watchers;
            for tally in &window.peers[room.receivers.clone()] {
                received[0] += tally.received.audio;
                received[1] += tally.received.video;
                gaps += tally.audio_gaps;
            }
        }
        let share = |kind: usize| received[kind] as f64 / sent[kind] as f64;
        let audio_lost = gaps as f64 / (gaps + received[0]) as f64;
        Delivered { audio: share(0), video: share(1), audio_lost }
    }

    /// Loss of everything and delay of what came, in milliseconds.
    pub fn quality(&self, window: &Window) -> (f64, f64) {
        let sent: u64 = self
            .rooms
            .iter()
            .map(|room| {
                let sent = window.peers[room.publisher].sent;
                (sent.audio + sent.video) * room.receivers.len() as u64
            })
            .sum();
        let loss = 1.0 - window.packets() as f64 / sent.max(1) as f64;
        (loss.max(0.0), percentile(&window.delays(), 99.0))
    }
}

/// Where a site has the floor, the chair that gave it is the first of those that watch.
fn watching(meeting: usize, size: usize) -> impl Iterator<Item = Seat> {
    let sender = Sender::of(meeting);
    let site = server::id(sender.site());
    let wish = SlotWish { site, kind: SourceKind::Camera, max_height: HEIGHT };
    (0..size).map(move |receiver| {
        let gives_floor = sender == Sender::Floor && receiver == 0;
        let own = if gives_floor { 0 } else { FIRST_RECEIVER + receiver };
        Seat {
            token: server::token(meeting, own),
            camera: None,
            wishes: vec![wish],
            act: gives_floor.then_some(Action::BigScreen { site: Some(site) }),
        }
    })
}
