//! Options of an endpoint.

use std::path::PathBuf;
use std::time::Instant;

/// How an endpoint behaves. `Options::default()` is a demo site that comes once.
#[derive(Debug, Clone)]
pub struct Options {
    pub audio: Audio,
    pub video: Video,
    /// Receive-only pairs of audio and video in the offer.
    pub slots: usize,
    /// Receive-only audio sections after the pairs.
    pub audio_only_slots: usize,
    /// Take the seat over from another device that holds it.
    pub takeover: bool,
    pub trust: Trust,
    pub transport: Transport,
    /// Come back for ever after a loss.
    pub reconnect: bool,
    pub watch: Watch,
    /// Decode received Opus and measure it ([`super::level::Listener`]).
    pub listen: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            audio: Audio::Speech { clip: 0, turn: Turn::alone() },
            video: Video::Picture { name: None, number: 0, marker: false },
            slots: 6,
            audio_only_slots: 3,
            takeover: false,
            trust: Trust::System,
            transport: Transport::Any,
            reconnect: false,
            watch: Watch::Others,
            listen: false,
        }
    }
}

/// What the microphone hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Audio {
    /// One of the recorded sentences (taken modulo their number), in its turn.
    Speech { clip: usize, turn: Turn },
    /// A sine of so many hertz at −20 dBov.
    Tone(f32),
    /// An open microphone in a quiet room: comfort noise packets only.
    Silent,
}

/// Whose turn it is to speak: site `index` of `count`, counted from `since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    pub index: u32,
    pub count: u32,
    pub since: Instant,
}

impl Turn {
    /// No other site to wait for.
    pub fn alone() -> Self {
        Self { index: 0, count: 1, since: Instant::now() }
    }
}

/// What the camera sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Video {
    Picture {
        /// Written in the picture; `None` takes the name the meeting gives this site.
        name: Option<String>,
        /// Picks the colour and goes into the marker.
        number: u8,
        /// Machine-readable frame number along the upper edge ([`super::marker`]).
        marker: bool,
    },
    /// The camera section is offered and never used.
    None,
}

/// What a site asks to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Every other site's camera, in the meeting's order, one per slot.
    Others,
    /// The same, and in the last slot its own camera: that measures its own line, whichever others are there.
    OthersAndOneself,
}

/// Which authority must vouch for the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The system's authorities.
    System,
    /// One authority, a PEM file.
    Authority(PathBuf),
    /// None: any certificate. For probes in one's own network.
    Anybody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// UDP, with TCP where UDP does not get through.
    Any,
    Udp,
    Tcp,
}
