//! What one endpoint publishes: sources, their simulcast layers, and who watches them.

use crate::command::Permissions;
use crate::discard::DropReason;
use crate::forward::packet::PacketMeta;
use crate::forward::select::LayerState;
use crate::ids::{PeerIndex, SourceKind};
use crate::limits;
use crate::receive::cache::Slab;
use crate::receive::cap::Cap;
use crate::receive::feedback::ArrivalRecorder;
use crate::receive::height::Height;
use crate::receive::keyframe::KeyframeRequester;
use crate::receive::nack::NackGenerator;
use crate::receive::rate::RateMeter;
use crate::receive::stream::Stream;
use crate::sdp::{Negotiated, NegotiatedCodec, Section, SectionRole};
use crate::time::earliest;
use arrayvec::ArrayVec;
use rtp::codec::{Codec, TemplateStructure};
use rtp::extension::{ExtensionMap, Extensions};
use rtp::ids::{Rid, Ssrc};
use rtp::ntp::NtpTime;
use rtp::sequence::Sequence;
use std::time::{Duration, Instant};

/// Packets kept for retransmission and late switches. At 2 Mbit/s (275 packets/s) this is 1.9 s:
/// more than any round trip, and a key frame every second lies in it.
pub const VIDEO_SLAB: usize = 512;
/// 64 packets of 20 ms.
const AUDIO_SLAB: usize = 64;
/// A slot does not begin with a key frame older than this: its picture would jump, and so would its time. One
/// whose first packet is lost and comes again by way of a satellite (600 ms) is younger.
pub const KEY_MAX_AGE: Duration = Duration::from_millis(800);
/// A layer is not switched off before nobody has watched it this long.
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
    pub last_packet: Option<Instant>,
    /// Newest packet; and the first packet of the newest key frame.
    pub newest: Sequence,
    pub last_key: Option<Sequence>,
    pub last_report: Option<(NtpTime, u32)>,
    pub routes: Vec<Route>,
    /// Slots that would show this layer if the worker could keep up.
    pub shed: u64,
    pub active: bool,
    wanted: bool,
    unwanted_since: Option<Instant>,
    pub frames: u64,
    cap: Cap,
}

/// One source with its layers, lowest first.
#[derive(Debug)]
pub struct Track {
    pub kind: SourceKind,
    pub section: usize,
    pub rids: Vec<Rid>,
    pub layers: Vec<Layer>,
    pub active: bool,
    pub reported_wanted: Vec<bool>,
    /// Of all layers together.
    cap: Cap,
}

/// Where an SSRC leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamRef {
    pub kind: SourceKind,
    pub layer: u8,
    pub rtx: bool,
}

#[derive(Debug)]
pub struct Publisher {
    pub tracks: [Option<Track>; 3],
    ssrcs: ArrayVec<(Ssrc, StreamRef), { limits::MAX_REMOTE_SSRCS }>,
    /// SSRCs that others have taken over from, the newest last.
    retired: ArrayVec<Ssrc, 8>,
    pub extensions: ExtensionMap,
    pub permissions: Permissions,
    pub arrivals: ArrivalRecorder,
    pub rtx_packets: u64,
    pub nacks_sent: u64,
    pub plis_sent: u64,
    /// A clock offset for all streams of this publisher: ours minus theirs, in NTP seconds. One
    /// value for audio and video keeps lips in sync.
    pub clock_offset_s: Option<f64>,
}

impl Publisher {
    pub fn new(now: Instant, negotiated: &Negotiated) -> Publisher {
        let mut publisher = Publisher {
            tracks: [None, None, None],
            ssrcs: ArrayVec::new(),
            retired: ArrayVec::new(),
            extensions: negotiated.extensions,
            permissions: Permissions::default(),
            arrivals: ArrivalRecorder::new(now),
            rtx_packets: 0,
            nacks_sent: 0,
            plis_sent: 0,
            clock_offset_s: None,
        };
        for (index, section) in negotiated.sections.iter().enumerate() {
            publisher.add_section(now, index, section);
        }
        publisher
    }

    fn add_section(&mut self, now: Instant, index: usize, section: &Section) {
        let SectionRole::Source(kind) = section.role else {
            return;
        };
        let Some(place) = self.tracks.get_mut(kind.index()) else {
            return;
        };
        let announced = if section.rids.is_empty() { section.declared_ssrcs.as_slice() } else { &[] };
        let layers = section.rids.len().max(announced.len()).clamp(1, limits::MAX_LAYERS);
        *place = Some(Track {
            kind,
            section: index,
            rids: section.rids.clone(),
            layers: (0..layers).rev().map(|above| Layer::new(now, kind, above)).collect(),
            active: false,
            reported_wanted: Vec::new(),
            cap: Cap::of_source(now, kind),
        });
        for ((media, rtx), layer) in announced.iter().zip(0u8..) {
            self.bind(*media, StreamRef { kind, layer, rtx: false });
            if let Some(rtx) = rtx {
                self.bind(*rtx, StreamRef { kind, layer, rtx: true });
            }
        }
    }

    fn bind(&mut self, ssrc: Ssrc, to: StreamRef) -> bool {
        if self.stream_of(ssrc).is_some() {
            return true;
        }
        if self.ssrcs.try_push((ssrc, to)).is_err() {
            return false;
        }
        if !to.rtx
            && let Some(layer) = self.layer_mut(to.kind, to.layer)
        {
            if layer.ssrc.is_some_and(|known| known != ssrc) {
                layer.stream.begin_anew();
                layer.last_report = None;
            }
            layer.ssrc = Some(ssrc);
        }
        true
    }

    #[inline]
    pub fn stream_of(&self, ssrc: Ssrc) -> Option<StreamRef> {
        self.ssrcs.iter().find(|(known, _)| *known == ssrc).map(|(_, stream)| *stream)
    }

    /// Learns an SSRC from its MID and RID (RFC 9143 section 9.2, RFC 8852), or from a payload type that only one
    /// section without announced SSRCs has: GStreamer announces none where it offers before it sends, and no MID.
    pub fn learn(
        &mut self,
        ssrc: Ssrc,
        payload_type: u8,
        extensions: &Extensions,
        negotiated: &Negotiated,
    ) -> Result<StreamRef, DropReason> {
        if self.retired.contains(&ssrc) {
            return Err(DropReason::UnknownSsrc);
        }
        let track = self.track_of_packet(payload_type, extensions, negotiated)?;
        // What the section has no codec for must not take over from what it has.
        let wrapped = is_rtx(negotiated, track.section, payload_type);
        if !wrapped && codec_of(negotiated, track.section, payload_type).is_none() {
            return Err(DropReason::UnknownPayloadType);
        }
        let rtx = extensions.repaired_rid.is_some() || wrapped;
        let rid = extensions.repaired_rid.or(extensions.rid);
        let layer = match rid {
            Some(rid) => track.rids.iter().position(|r| *r == rid),
            // Layers without rids are told apart by the SSRCs that were announced, and by nothing else.
            None if track.rids.is_empty() && track.layers.len() == 1 => Some(0),
            None => None,
        };
        let layer = layer.ok_or(DropReason::UnknownSsrc)? as u8;
        let stream = StreamRef { kind: track.kind, layer, rtx };
        // A restarted encoder may bring a new SSRC for a layer: the old one makes room, and its stragglers are
        // not taken for another restart.
        for (old, _) in self.ssrcs.iter().filter(|(_, known)| *known == stream) {
            if self.retired.is_full() {
                self.retired.remove(0);
            }
            self.retired.push(*old);
        }
        self.ssrcs.retain(|(_, known)| *known != stream);
        if self.bind(ssrc, stream) { Ok(stream) } else { Err(DropReason::UnknownSsrc) }
    }

    /// The one track a packet of an unknown SSRC can belong to: by its MID, else by its payload type.
    fn track_of_packet(
        &self,
        payload_type: u8,
        extensions: &Extensions,
        negotiated: &Negotiated,
    ) -> Result<&Track, DropReason> {
        let of_packet = |track: &&Track| match extensions.mid {
            Some(mid) => negotiated.sections.get(track.section).is_some_and(|section| section.mid == mid),
            None => is_told_by(negotiated, track.section, payload_type),
        };
        let mut tracks = self.tracks.iter().flatten().filter(of_packet);
        match (tracks.next(), tracks.next()) {
            (Some(track), None) => Ok(track),
            _ => Err(DropReason::UnknownSsrc),
        }
    }

    #[inline]
    pub fn track(&self, kind: SourceKind) -> Option<&Track> {
        self.tracks.get(kind.index())?.as_ref()
    }

    #[inline]
    pub fn track_mut(&mut self, kind: SourceKind) -> Option<&mut Track> {
        self.tracks.get_mut(kind.index())?.as_mut()
    }

    #[inline]
    pub fn layer(&self, kind: SourceKind, layer: u8) -> Option<&Layer> {
        self.track(kind)?.layers.get(usize::from(layer))
    }

    #[inline]
    pub fn layer_mut(&mut self, kind: SourceKind, layer: u8) -> Option<&mut Layer> {
        self.track_mut(kind)?.layers.get_mut(usize::from(layer))
    }

    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.tracks.iter().flatten().flat_map(|track| track.layers.iter())
    }

    pub fn may_publish(&self, kind: SourceKind) -> bool {
        match kind {
            SourceKind::Microphone => self.permissions.microphone,
            SourceKind::Camera => self.permissions.camera,
            SourceKind::Content => self.permissions.content,
        }
    }

    /// Whether a packet of so many bytes is within what a layer and its source may send.
    #[inline]
    pub fn admits(&mut self, now: Instant, stream: StreamRef, bytes: usize) -> bool {
        let Some(track) = self.track_mut(stream.kind) else {
            return false;
        };
        let layer = track.layers.get_mut(usize::from(stream.layer));
        layer.is_some_and(|layer| layer.cap.take(now, bytes)) && track.cap.take(now, bytes)
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        let layers = self.layers().fold(None, |due, layer| {
            let layer_due = earliest(layer.nack.next_timeout(), layer.keyframe.next_timeout());
            earliest(due, layer_due)
        });
        earliest(layers, self.arrivals.next_timeout())
    }
}

/// The codec a payload type of media means in a section.
pub fn codec_of(negotiated: &Negotiated, section: usize, payload_type: u8) -> Option<&NegotiatedCodec> {
    negotiated.sections.get(section)?.codecs.iter().find(|codec| codec.payload_type == payload_type)
}

/// Whether a payload type may come in a section that announced no SSRC, as media or as RTX.
fn is_told_by(negotiated: &Negotiated, section: usize, payload_type: u8) -> bool {
    let announced = negotiated.sections.get(section).is_none_or(|section| !section.declared_ssrcs.is_empty());
    let carries =
        codec_of(negotiated, section, payload_type).is_some() || is_rtx(negotiated, section, payload_type);
    !announced && carries
}

fn is_rtx(negotiated: &Negotiated, section: usize, payload_type: u8) -> bool {
    let codecs = negotiated.sections.get(section).map(|section| section.codecs.as_slice());
    codecs.unwrap_or_default().iter().any(|codec| codec.rtx_payload_type == Some(payload_type))
}

impl Track {
    pub fn layer_states(&self) -> ArrayVec<LayerState, { limits::MAX_LAYERS }> {
        let state = |layer: &Layer| LayerState { active: layer.active, height: layer.height.lines() };
        self.layers.iter().take(limits::MAX_LAYERS).map(state).collect()
    }

    /// A layer that is reported as watched has had no watcher for long enough to say so.
    pub fn has_unsettled_layers(&self, now: Instant) -> bool {
        self.layers.iter().zip(&self.reported_wanted).any(|(layer, reported)| {
            let since = layer.unwanted_since;
            *reported && since.is_some_and(|at| now.saturating_duration_since(at) >= UNWATCHED_HOLD)
        })
    }
}

impl Layer {
    /// A layer with so many `above` it.
    fn new(now: Instant, kind: SourceKind, above: usize) -> Layer {
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
            last_packet: None,
            newest: Sequence::START,
            last_key: None,
            last_report: None,
            routes: Vec::new(),
            shed: 0,
            active: false,
            wanted: false,
            unwanted_since: None,
            frames: 0,
            cap: Cap::of_layer(now, kind, above),
        }
    }

    /// How far a stored packet lies behind what the source shows now: by the layer's clock up to its newest
    /// packet, since one that was lost and comes again came just now and is old all the same, and from there
    /// by ours.
    pub fn age(&self, now: Instant, packet: &PacketMeta) -> Duration {
        let Some((newest, _)) = self.slab.get(self.newest) else {
            return now.saturating_duration_since(packet.arrived);
        };
        let ticks = newest.timestamp.wrapping_sub(packet.timestamp) as i32;
        let behind = f64::from(ticks.max(0)) / f64::from(packet.codec.clock_rate().max(1));
        now.saturating_duration_since(newest.arrived).saturating_add(Duration::from_secs_f64(behind))
    }

    /// A stored packet begins a key frame: whoever waits for one is served, unless it is an old one.
    pub fn on_key(&mut self, now: Instant, sequence: Sequence, packet: &PacketMeta) {
        if self.age(now, packet) <= KEY_MAX_AGE {
            self.last_key = self.last_key.max(Some(sequence));
            self.keyframe.on_keyframe();
            self.nack.on_keyframe(sequence);
        }
    }

    /// Starts a round of finding out whether anybody wants this layer.
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
}

#[cfg(test)]
#[path = "publisher_tests.rs"]
mod tests;
