//! A datagram comes in: to its peer, through its transport, into the publisher's slab.

use super::Engine;
use super::recover::{MAX_RECOVERED, recover};
use super::work::Work;
use crate::discard::DropReason;
use crate::forward::packet::{Origin, PacketMeta};
use crate::ids::{PeerIndex, SourceKind};
use crate::limits;
use crate::net::Path;
use crate::peer::layer::Layer;
use crate::peer::line::Line;
use crate::peer::publisher::{Publisher, StreamRef, Track};
use crate::receive::stream::Arrival;
use crate::room::plan::LineState;
use crate::transport::Received;
use arrayvec::ArrayVec;
use rtp::codec::{self, Codec, red};
use rtp::extension::Extensions;
use rtp::packet::Header;
use rtp::sequence::Sequence;
use std::time::Instant;

/// When a datagram was handed in, and when the kernel had received it: measurements of the line use the latter.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub now: Instant,
    pub arrived: Instant,
}

/// A packet after its header, its stream and its retransmission wrapping are understood.
struct Media<'a> {
    stream: StreamRef,
    codec: Codec,
    sequence: u16,
    timestamp: u32,
    marker: bool,
    datagram: &'a [u8],
    payload: &'a [u8],
    /// Of redundant audio all blocks; `payload` is the primary one alone.
    redundant: Option<&'a [u8]>,
    extensions: Extensions,
}

/// The result of storing a packet.
struct Stored {
    sequence: Sequence,
    meta: PacketMeta,
    /// The layer began to send.
    awoke: bool,
    audio_level: Option<u8>,
}

impl Engine {
    pub(super) fn handle_datagram(
        &mut self,
        times: Times,
        path: Path,
        data: &mut [u8],
    ) -> Result<(), DropReason> {
        let now = times.now;
        let index = self.demux.find(&path, data)?;
        self.at_work.begin(Work::Peer(index));
        let line = self.peers.lines.get_mut(index).ok_or(DropReason::UnknownAddress)?;
        let before = line.state();
        let received = line.receive(now, path, data);
        self.take_transport_events(now, index);
        match received? {
            Received::Consumed => {
                self.decide_burst(now);
                let line = self.peers.lines.get(index);
                match line.is_some_and(|line| line.has_proved(now, &path)) {
                    true => self.demux.add_path(path, index),
                    false => self.demux.claim_path(path, index),
                }
                let arrives = line.is_some_and(|line| line.state() == LineState::Arriving);
                if arrives && before != LineState::Arriving {
                    self.stale_room_of(index);
                }
                self.touch(index);
                Ok(())
            }
            Received::Rtp(length) => {
                let packet = data.get(..length).ok_or(DropReason::MalformedRtp)?;
                self.handle_rtp(times, index, packet)
            }
            Received::Rtcp(length) => {
                self.decide_burst(now);
                let packet = data.get(..length).ok_or(DropReason::MalformedRtcp)?;
                self.handle_rtcp(now, index, packet)
            }
        }
    }

    fn handle_rtp(&mut self, times: Times, index: PeerIndex, datagram: &[u8]) -> Result<(), DropReason> {
        if datagram.len() > limits::MAX_RTP_BYTES {
            return Err(DropReason::Oversized);
        }
        let publisher = self.peers.publishers.get_mut(index).ok_or(DropReason::UnknownAddress)?;
        let media = understand(times.arrived, publisher, datagram);
        end_replaced(publisher, self.peers.lines.get_mut(index));
        let media = media?;
        if !publisher.may_publish(media.stream.kind) {
            pass_over(times, publisher, &media);
            return Err(DropReason::Muted);
        }
        let origin = Origin { publisher: index, kind: media.stream.kind, layer: media.stream.layer };
        self.decide_before(times.now, origin, &media);
        let identity = self.peers.identities.get(index).ok_or(DropReason::UnknownAddress)?;
        let publisher = self.peers.publishers.get_mut(index).ok_or(DropReason::UnknownAddress)?;
        if !publisher.admits(times.now, media.stream, datagram.len()) {
            return Err(refuse_excess(times, publisher, &media));
        }
        let stored = store(times, publisher, &media)?;
        let recovered = recover_before(times.now, publisher, &media, &stored);
        let due = publisher.next_timeout();
        let visit = due.is_some_and(|due| identity.wake_at.is_none_or(|at| due < at));
        if visit {
            self.schedule(index);
        }
        if stored.awoke {
            self.on_layer_awake(index, origin.kind);
        }
        if origin.kind == SourceKind::Microphone {
            self.on_audio_level(times.now, index, stored.audio_level);
        }
        if media.payload.is_empty() {
            self.skip_padding(origin, stored.sequence, &stored.meta);
            return Err(DropReason::Padding);
        }
        recovered.into_iter().chain([stored.sequence]).for_each(|sequence| self.forward(origin, sequence));
        Ok(())
    }

    /// Decides what waits, unless this packet joins it. **Before it is put into the slab**: a switch plays all that is
    /// there, and a packet that is played and then offered leaves twice under one number.
    fn decide_before(&mut self, now: Instant, origin: Origin, media: &Media<'_>) {
        let packets = if media.redundant.is_some() { 1 + MAX_RECOVERED } else { 1 };
        if media.payload.is_empty() || !self.burst.takes(origin, packets) {
            self.decide_burst(now);
        }
    }
}

/// Tells the line which SSRC the last packet has replaced, also where there was no media in it: a new repair stream may
/// begin with padding.
fn end_replaced(publisher: &mut Publisher, line: Option<&mut Line>) {
    if let (Some(replaced), Some(line)) = (publisher.replaced.take(), line) {
        line.end_ssrc(replaced);
    }
}

/// Header, extensions, stream, retransmission.
fn understand<'a>(
    arrived: Instant,
    publisher: &mut Publisher,
    datagram: &'a [u8],
) -> Result<Media<'a>, DropReason> {
    let header = Header::parse(datagram)?;
    let extensions = Extensions::parse(datagram, &header, &publisher.extensions);
    if let Some(sequence) = extensions.transport_sequence {
        publisher.arrivals.record(arrived, sequence, datagram.len());
    }
    let stream = match publisher.stream_of(header.ssrc) {
        Some(stream) => stream,
        None => publisher.learn(header.ssrc, header.payload_type, &extensions)?,
    };
    let payload = datagram.get(header.payload.clone()).ok_or(DropReason::MalformedRtp)?;
    let mut media = Media {
        stream,
        codec: Codec::Opus,
        sequence: header.sequence,
        timestamp: header.timestamp,
        marker: header.marker,
        datagram,
        payload,
        redundant: None,
        extensions,
    };
    if stream.rtx {
        publisher.rtx_packets = publisher.rtx_packets.wrapping_add(1);
        unwrap_rtx(&mut media)?;
    }
    let track = publisher.track(stream.kind).ok_or(DropReason::UnknownSsrc)?;
    let codec =
        if stream.rtx { track.resent_codec(header.payload_type) } else { track.codec(header.payload_type) };
    media.codec = codec.ok_or(DropReason::UnknownPayloadType)?;
    if media.codec == Codec::Red {
        unwrap_red(track, &mut media)?;
    }
    Ok(media)
}

/// RFC 2198: what is kept is plain Opus. What a receiver gets is decided for each.
fn unwrap_red(track: &Track, media: &mut Media<'_>) -> Result<(), DropReason> {
    let primary = red::primary(media.payload)?;
    media.codec = track.codec(primary.payload_type).ok_or(DropReason::UnknownPayloadType)?;
    if media.codec != Codec::Opus {
        return Err(DropReason::UnknownPayloadType);
    }
    media.redundant = Some(media.payload);
    media.payload = primary.data;
    Ok(())
}

/// RFC 4588: the original sequence number leads the payload.
fn unwrap_rtx(media: &mut Media<'_>) -> Result<(), DropReason> {
    let Some((osn, payload)) = media.payload.split_first_chunk::<2>() else {
        return Err(DropReason::Padding);
    };
    if payload.is_empty() {
        return Err(DropReason::Padding);
    }
    media.sequence = u16::from_be_bytes(*osn);
    media.payload = payload;
    Ok(())
}

/// A packet that may not be published uses up its number: it counts as no loss, is not requested again, and no key
/// frame before it is played any more.
fn pass_over(times: Times, publisher: &mut Publisher, media: &Media<'_>) {
    let StreamRef { kind, layer: number, .. } = media.stream;
    let Some(layer) = publisher.layer_mut(kind, number) else {
        return;
    };
    let bytes = media.datagram.len();
    let arrival = layer.stream.on_packet(times.arrived, media.sequence, media.timestamp, bytes);
    if let Ok(arrival) = arrival {
        layer.nack.begin_at(arrival.sequence);
    }
    layer.last_key = None;
}

/// What is sent beyond the limit is reported to the sender as lost, whose congestion control then slows down; it is not
/// requested again.
fn refuse_excess(times: Times, publisher: &mut Publisher, media: &Media<'_>) -> DropReason {
    if let Some(sequence) = media.extensions.transport_sequence {
        publisher.arrivals.forget(sequence);
    }
    let layer = publisher.layer_mut(media.stream.kind, media.stream.layer);
    let taken = layer.map(|layer| take_number(times, layer, media));
    taken.and_then(Result::err).unwrap_or(DropReason::PublishLimit)
}

/// Order and losses: what is missing before a packet is requested again, the packet itself no more, whether it is
/// stored or not.
fn take_number(times: Times, layer: &mut Layer, media: &Media<'_>) -> Result<Arrival, DropReason> {
    let StreamRef { kind, rtx, .. } = media.stream;
    let Times { now, arrived } = times;
    let bytes = media.datagram.len();
    let arrival = layer.stream.on_packet(arrived, media.sequence, media.timestamp, bytes)?;
    if arrival.restarted {
        layer.nack.begin_at(arrival.sequence);
        layer.last_key = None;
        layer.newest = Sequence::START;
        if kind != SourceKind::Microphone {
            layer.keyframe.request(now);
        }
    }
    let lost_too_much = layer.nack.on_arrival(now, arrival.sequence, rtx);
    if lost_too_much && kind != SourceKind::Microphone {
        layer.keyframe.request(now);
    }
    Ok(arrival)
}

fn store(times: Times, publisher: &mut Publisher, media: &Media<'_>) -> Result<Stored, DropReason> {
    let StreamRef { kind, layer: number, .. } = media.stream;
    let layer = publisher.layer_mut(kind, number).ok_or(DropReason::UnknownSsrc)?;
    let arrival = take_number(times, layer, media)?;
    let meta = describe(times.arrived, layer, media)?;
    let is_voice = kind == SourceKind::Microphone;
    if is_voice && !arrival.newest && layer.age(times.now, &meta) > limits::SPEECH_MAX_AGE {
        return Err(DropReason::TooLate);
    }
    remember(layer, arrival.sequence, &meta, media)?;
    layer.newest = layer.newest.max(arrival.sequence);
    if meta.keyframe {
        layer.on_key(times.now, arrival.sequence, &meta);
    }
    if kind == SourceKind::Content && arrival.newest {
        layer.pages.see(meta.arrived, meta.timestamp, meta.frame_start.then_some(meta.keyframe));
    }
    layer.last_packet = Some(times.now);
    let awoke = !layer.active;
    layer.active = true;
    Ok(Stored { sequence: arrival.sequence, meta, awoke, audio_level: media.extensions.audio_level })
}

/// What was lost before a packet and comes again in it.
fn recover_before(
    now: Instant,
    publisher: &mut Publisher,
    media: &Media<'_>,
    stored: &Stored,
) -> ArrayVec<Sequence, MAX_RECOVERED> {
    let StreamRef { kind, layer, .. } = media.stream;
    let layer = publisher.layer_mut(kind, layer).filter(|_| !media.payload.is_empty());
    let redundant = layer.zip(media.redundant);
    redundant.map_or_else(ArrayVec::new, |(layer, payload)| {
        recover(now, layer, (stored.sequence, &stored.meta), payload)
    })
}

fn describe(arrived: Instant, layer: &mut Layer, media: &Media<'_>) -> Result<PacketMeta, DropReason> {
    let range = media.extensions.dependency_descriptor.clone();
    let dependency = range.and_then(|range| media.datagram.get(range));
    let capture_time = media.extensions.abs_capture_time.as_ref().map_or(0, |range| range.len());
    let mut meta = PacketMeta {
        codec: media.codec,
        marker: media.marker,
        dependency_len: dependency.map_or(0, |bytes| u8::try_from(bytes.len()).unwrap_or(0)),
        capture_time_len: u8::try_from(capture_time).unwrap_or(0),
        ..PacketMeta::of_speech(arrived, media.timestamp)
    };
    if !media.codec.is_video() || media.payload.is_empty() {
        return Ok(meta);
    }
    let descriptor =
        codec::describe(media.codec, media.marker, media.payload, dependency, &mut layer.structure)?;
    meta.keyframe = descriptor.keyframe;
    meta.frame_start = descriptor.frame_start;
    meta.frame_end = descriptor.frame_end;
    meta.temporal = descriptor.temporal;
    meta.switching_point = descriptor.switching_point;
    meta.opens_upper = descriptor.opens_upper;
    meta.picture_id = descriptor.picture_id;
    meta.tl0_pic_idx = descriptor.tl0_pic_idx;
    meta.frame_number = descriptor.frame_number;
    layer.height.update(descriptor.height);
    count(layer, &meta, media.datagram.len());
    Ok(meta)
}

fn count(layer: &mut Layer, meta: &PacketMeta, bytes: usize) {
    if meta.temporal > 0 {
        layer.upper_rate.add(meta.arrived, bytes);
    }
    layer.frames = layer.frames.wrapping_add(u64::from(meta.frame_end));
}

/// Into the slab: descriptor, capture time and payload, one after the other.
fn remember(
    layer: &mut Layer,
    sequence: Sequence,
    meta: &PacketMeta,
    media: &Media<'_>,
) -> Result<(), DropReason> {
    if meta.dependency_len == 0 && meta.capture_time_len == 0 {
        layer.slab.insert(sequence, media.payload, *meta)?;
    } else {
        let mut bytes: ArrayVec<u8, { limits::MAX_RTP_BYTES }> = ArrayVec::new();
        let ranges = [&media.extensions.dependency_descriptor, &media.extensions.abs_capture_time];
        let before = ranges.into_iter().flatten();
        let parts = before.map(|range| media.datagram.get(range.clone()).unwrap_or_default());
        for part in parts.chain([media.payload]) {
            bytes.try_extend_from_slice(part).map_err(|_| DropReason::Oversized)?;
        }
        layer.slab.insert(sequence, &bytes, *meta)?;
    }
    Ok(())
}
