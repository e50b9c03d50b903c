//! What one endpoint publishes: sources, their simulcast layers, and which slots show them.

use super::layer::Layer;
use super::rtp_codec;
use crate::command::Permissions;
use crate::discard::DropReason;
use crate::forward::parameters::RtpCodec;
use crate::forward::select::LayerState;
use crate::ids::SourceKind;
use crate::limits;
use crate::receive::cap::Cap;
use crate::receive::feedback::ArrivalRecorder;
use crate::sdp::{Negotiated, Section, SectionRole};
use crate::time::earliest;
use arrayvec::ArrayVec;
use rtp::codec::Codec;
use rtp::extension::{ExtensionMap, Extensions};
use rtp::ids::{Mid, Rid, Ssrc};
use std::time::Instant;

/// One source with its layers, lowest first.
#[derive(Debug)]
pub struct Track {
    pub kind: SourceKind,
    /// Of the section it is sent in, whose codecs it may have.
    mid: Mid,
    codecs: Vec<RtpCodec>,
    /// The section has named its SSRCs.
    is_announced: bool,
    rids: Vec<Rid>,
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
    /// The newest of them, until the line is told.
    pub replaced: Option<Ssrc>,
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
        let mut publisher = Publisher::without_tracks(now, negotiated.extensions);
        for section in &negotiated.sections {
            publisher.add_section(now, section);
        }
        publisher
    }

    fn without_tracks(now: Instant, extensions: ExtensionMap) -> Publisher {
        Publisher {
            tracks: [None, None, None],
            ssrcs: ArrayVec::new(),
            retired: ArrayVec::new(),
            replaced: None,
            extensions,
            permissions: Permissions::default(),
            arrivals: ArrivalRecorder::new(now),
            rtx_packets: 0,
            nacks_sent: 0,
            plis_sent: 0,
            clock_offset_s: None,
        }
    }

    /// A source from inside the process: one microphone, whose packets come from no line. Nothing is learnt of it, since
    /// nothing is received.
    pub fn inside(now: Instant) -> Publisher {
        let mut publisher = Publisher::without_tracks(now, ExtensionMap::default());
        publisher.tracks = [Some(Track::new(now, SourceKind::Microphone, 1)), None, None];
        publisher
    }

    /// A later offer may bring other codecs, or the same in another order.
    pub fn renegotiate(&mut self, negotiated: &Negotiated) {
        for section in &negotiated.sections {
            if let SectionRole::Source(kind) = section.role
                && let Some(track) = self.track_mut(kind)
            {
                track.negotiated(section);
            }
        }
    }

    fn add_section(&mut self, now: Instant, section: &Section) {
        let SectionRole::Source(kind) = section.role else {
            return;
        };
        let Some(place) = self.tracks.get_mut(kind.index()) else {
            return;
        };
        let announced = if section.rids.is_empty() { section.declared_ssrcs.as_slice() } else { &[] };
        let layers = section.rids.len().max(announced.len()).clamp(1, limits::MAX_LAYERS);
        let mut track = Track::new(now, kind, layers);
        (track.mid, track.rids) = (section.mid, section.rids.clone());
        track.negotiated(section);
        *place = Some(track);
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
    ) -> Result<StreamRef, DropReason> {
        if self.retired.contains(&ssrc) {
            return Err(DropReason::UnknownSsrc);
        }
        let track = self.track_of_packet(payload_type, extensions)?;
        // A payload type the section has no codec for must not take over from one it has.
        let wrapped = track.resent_codec(payload_type).is_some();
        if !wrapped && track.codec(payload_type).is_none() {
            return Err(DropReason::UnknownPayloadType);
        }
        let rtx = extensions.repaired_rid.is_some() || wrapped;
        let rid = extensions.repaired_rid.or(extensions.rid);
        let layer = match rid {
            Some(rid) => track.rids.iter().position(|r| *r == rid),
            // Layers without rids are distinguished by the SSRCs that were announced, and by nothing else.
            None if track.rids.is_empty() && track.layers.len() == 1 => Some(0),
            None => None,
        };
        let layer = layer.ok_or(DropReason::UnknownSsrc)? as u8;
        let stream = StreamRef { kind: track.kind, layer, rtx };
        // A restarted encoder may bring a new SSRC for a layer: the old one makes room, and late packets of it are not
        // taken for another restart.
        for (old, _) in self.ssrcs.iter().filter(|(_, known)| *known == stream) {
            if self.retired.is_full() {
                self.retired.remove(0);
            }
            self.retired.push(*old);
            self.replaced = Some(*old);
        }
        self.ssrcs.retain(|(_, known)| *known != stream);
        if self.bind(ssrc, stream) { Ok(stream) } else { Err(DropReason::UnknownSsrc) }
    }

    /// The one track a packet of an unknown SSRC can belong to: by its MID, else by its payload type.
    fn track_of_packet(&self, payload_type: u8, extensions: &Extensions) -> Result<&Track, DropReason> {
        let of_packet = |track: &&Track| match extensions.mid {
            Some(mid) => track.mid == mid,
            None => track.takes_payload_type(payload_type),
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

impl Track {
    fn new(now: Instant, kind: SourceKind, layers: usize) -> Track {
        Track {
            kind,
            mid: Mid::default(),
            codecs: Vec::new(),
            is_announced: false,
            rids: Vec::new(),
            layers: (0..layers).rev().map(|above| Layer::new(now, kind, above)).collect(),
            active: false,
            reported_wanted: Vec::new(),
            cap: Cap::of_source(now, kind),
        }
    }

    fn negotiated(&mut self, section: &Section) {
        self.codecs = section.codecs.iter().map(rtp_codec).collect();
        self.is_announced = !section.declared_ssrcs.is_empty();
    }

    /// The codec a payload type of media means.
    #[inline]
    pub fn codec(&self, payload_type: u8) -> Option<Codec> {
        self.codecs.iter().find(|codec| codec.payload_type == payload_type).map(|codec| codec.codec)
    }

    /// The codec whose retransmissions have this payload type.
    #[inline]
    pub fn resent_codec(&self, payload_type: u8) -> Option<Codec> {
        let is_resent = |codec: &&RtpCodec| codec.rtx_payload_type == Some(payload_type);
        self.codecs.iter().find(is_resent).map(|codec| codec.codec)
    }

    /// Whether an unknown SSRC without a MID may be this track's by its payload type, as media or as RTX: its section
    /// announced no SSRC.
    fn takes_payload_type(&self, payload_type: u8) -> bool {
        let carries = self.codec(payload_type).is_some() || self.resent_codec(payload_type).is_some();
        !self.is_announced && carries
    }

    pub fn layer_states(&self) -> ArrayVec<LayerState, { limits::MAX_LAYERS }> {
        let state = |layer: &Layer| LayerState { active: layer.active, height: layer.height.lines() };
        self.layers.iter().take(limits::MAX_LAYERS).map(state).collect()
    }

    /// A layer that is reported as watched has had no viewer for long enough to report that.
    pub fn has_unsettled_layers(&self, now: Instant) -> bool {
        let mut layers = self.layers.iter().zip(&self.reported_wanted);
        layers.any(|(layer, reported)| *reported && layer.is_unwatched(now))
    }
}

#[cfg(test)]
#[path = "publisher_tests.rs"]
mod tests;
