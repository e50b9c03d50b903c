//! Mixes: one stream of Opus with all voices of a room, for receivers whose line does not carry each by itself. The engine
//! orders them and hands on the voices; a machine outside (the crate `audio`) mixes, and what it makes comes back as
//! `engine::Input::Mixed`.
#![warn(missing_docs)]

use crate::ids::{PeerId, RoomId};
use std::time::Duration;

/// What a mix is of: all voices that are heard in a room, but for the receiver's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MixId {
    /// Whose voices.
    pub room: RoomId,
    /// The voice that is left out, where its site is to hear the mix.
    pub without: Option<PeerId>,
}

/// A mix that somebody listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedMix {
    /// The voice that is left out.
    pub without: Option<PeerId>,
    /// What it costs a line.
    pub format: MixFormat,
}

/// What a mix costs a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MixFormat {
    /// Bits per second of Opus, without headers.
    pub bps: u32,
    /// Packets of 40 ms in place of 20: half as many headers, and what is lost is missed more.
    pub is_long: bool,
}

impl MixFormat {
    /// How long a packet lasts.
    pub fn packet(self) -> Duration {
        Duration::from_millis(if self.is_long { 40 } else { 20 })
    }

    /// What two lines carry.
    pub fn poorer(self, other: MixFormat) -> MixFormat {
        MixFormat { bps: self.bps.min(other.bps), is_long: self.is_long || other.is_long }
    }
}

/// What a mixer is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MixOrder {
    /// The whole desired state of a room: what is not named is over. Idempotent, and repeated once a second, so that a
    /// mixer that begins anew knows it.
    Room {
        /// Which room.
        room: RoomId,
        /// Whose voices are mixed; packets of others are ignored.
        voices: Vec<PeerId>,
        /// One mix for all listeners that are not heard themselves, and one for each that is. None ends the room.
        mixes: Vec<WantedMix>,
    },
    /// A packet of a voice, in the order in which it came.
    Voice {
        /// Where it is heard.
        room: RoomId,
        /// Whose it is.
        voice: PeerId,
        /// Of RTP, at 48 kHz.
        timestamp: u32,
        /// A packet of Opus (RFC 6716).
        payload: Vec<u8>,
    },
}

/// A packet of a mix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mixed {
    /// Which mix.
    pub mix: MixId,
    /// Of its first sample, at 48 kHz, on one timeline for all mixes of a process.
    pub timestamp: u32,
    /// A packet of Opus.
    pub payload: Vec<u8>,
}
