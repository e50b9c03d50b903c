//! One encoding of a published source: its packets, its losses, and the slots that get it.

use crate::forward::packet::PacketMeta;
use crate::ids::{PeerIndex, SourceKind};
use crate::receive::cache::Slab;
use crate::receive::cap::Cap;
use crate::receive::height::Height;
use crate::receive::keyframe::KeyframeRequester;
use crate::receive::nack::NackGenerator;
use crate::receive::page::Pages;
use crate::receive::rate::RateMeter;
use crate::receive::stream::Stream;
use rtp::codec::{Codec, TemplateStructure};
use rtp::ids::Ssrc;
use rtp::ntp::NtpTime;
use rtp::sequence::Sequence;
use std::time::{Duration, Instant};

/// Packets kept for retransmission and late switches. At 2 Mbit/s (275 packets/s) this is 1.9 s: more than any round
/// trip, and with a key frame every second there is one in it.
pub const VIDEO_SLAB: usize = 512;
/// 64 packets of 20 ms.
const AUDIO_SLAB: usize = 64;
/// A slot does not begin with a key frame older than this: what it shows would jump, and so would its time. One whose
/// first packet is lost and resent over a satellite (600 ms) is younger.
pub const KEY_MAX_AGE: Duration = Duration::from_millis(800);
/// A layer is reported as unwanted only after it had no viewer for this long.
const UNWATCHED_HOLD: Duration = Duration::from_secs(3);

/// A slot that gets a layer's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    pub subscriber: PeerIndex,
    pub slot: u16,
}

/// One encoding of a source.
#[derive(Debug)]
pub struct Layer {
    pub ssrc: Option<Ssrc>,
    pub stream: Stream,
    pub nack: NackGenerator,
    pub keyframe: KeyframeRequester,
    pub slab: Slab<PacketMeta>,
    pub structure: Option<TemplateStructure>,
    /// Of upper temporal layers: what thinning saves.
    pub upper_rate: RateMeter,
    pub height: Height,
    pub pages: Pages,
    pub last_packet: Option<Instant>,
    /// Newest packet; and the first packet of the newest key frame.
    pub newest: Sequence,
    pub last_key: Option<Sequence>,
    pub last_report: Option<(NtpTime, u32)>,
    pub routes: Vec<Route>,
    /// A mixer gets its packets.
    pub is_mixed: bool,
    /// Slots that would show this layer if the worker could keep up.
    pub shed: u64,
    pub active: bool,
    wanted: bool,
    unwanted_since: Option<Instant>,
    pub frames: u64,
    pub cap: Cap,
}

impl Layer {
    /// A layer with so many `above` it.
    pub fn new(now: Instant, kind: SourceKind, above: usize) -> Layer {
        let audio = kind == SourceKind::Microphone;
        let (codec, kept) = if audio { (Codec::Opus, AUDIO_SLAB) } else { (Codec::Vp8, VIDEO_SLAB) };
        Layer {
            ssrc: None,
            stream: Stream::new(codec.clock_rate(), kept, now),
            nack: if audio { NackGenerator::audio() } else { NackGenerator::video() },
            keyframe: KeyframeRequester::default(),
            slab: Slab::new(kept),
            structure: None,
            upper_rate: RateMeter::new(now),
            height: Height::default(),
            pages: Pages::default(),
            last_packet: None,
            newest: Sequence::START,
            last_key: None,
            last_report: None,
            routes: Vec::new(),
            is_mixed: false,
            shed: 0,
            active: false,
            wanted: false,
            unwanted_since: None,
            frames: 0,
            cap: Cap::of_layer(now, kind, above),
        }
    }

    /// How much older a stored packet is than what the source shows now: by the layer's clock up to its newest packet,
    /// since a resent packet arrives late and is old all the same, and from there by ours.
    pub fn age(&self, now: Instant, packet: &PacketMeta) -> Duration {
        let Some((newest, _)) = self.slab.get(self.newest) else {
            return now.saturating_duration_since(packet.arrived);
        };
        let ticks = newest.timestamp.wrapping_sub(packet.timestamp) as i32;
        let older_s = f64::from(ticks.max(0)) / f64::from(packet.codec.clock_rate().max(1));
        now.saturating_duration_since(newest.arrived).saturating_add(Duration::from_secs_f64(older_s))
    }

    /// A stored packet begins a key frame: slots that wait for one are served, unless it is an old one.
    pub fn on_key(&mut self, now: Instant, sequence: Sequence, packet: &PacketMeta) {
        if self.age(now, packet) <= KEY_MAX_AGE {
            self.last_key = self.last_key.max(Some(sequence));
            self.keyframe.on_keyframe();
            self.nack.on_keyframe(sequence);
        }
    }

    /// Starts a round of finding out whether any slot wants this layer.
    pub fn begin_wanted(&mut self) {
        self.shed = 0;
        self.wanted = false;
    }

    pub fn want(&mut self) {
        self.wanted = true;
    }

    /// Wanted now or until a moment ago.
    pub fn settle_wanted(&mut self, now: Instant) -> bool {
        if self.wanted {
            self.unwanted_since = None;
            return true;
        }
        let since = *self.unwanted_since.get_or_insert(now);
        now.saturating_duration_since(since) < UNWATCHED_HOLD
    }

    /// Whether it has had no viewer for long enough to report that.
    pub fn is_unwatched(&self, now: Instant) -> bool {
        self.unwanted_since.is_some_and(|at| now.saturating_duration_since(at) >= UNWATCHED_HOLD)
    }
}
