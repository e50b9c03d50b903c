//! What leaves: control first, then audio, then video. A run of packets of one subscriber that are
//! of one size is sealed into one buffer and leaves as one UDP GSO send.

use super::{Engine, Transmit};
use crate::discard::DropReason;
use crate::forward::packet::{Origin, PacketMeta, PeerIndex, Pending};
use crate::forward::switch::{SlotCodec, SlotLine};
use crate::forward::write::{Head, MAX_HEADER_BYTES, Parts, Written, write_packet};
use crate::ids::{SourceKind, Ssrc};
use crate::limits;
use crate::peer::Table;
use crate::peer::link::Link;
use crate::peer::publisher::Publisher;
use crate::peer::subscriber::{Lane, Subscriber};
use crate::rtp::codec::{Codec, red};
use crate::transport::{Path, SRTP_OVERHEAD};
use std::collections::VecDeque;
use std::time::Instant;

/// A GSO send carries at most 64 datagrams and 64 KiB; a picture at 2 Mbit/s has 7.5 packets, and a
/// key frame rarely more than 40.
const MAX_RUN: usize = 40;
const MAX_PACKET: usize = limits::MAX_RTP_BYTES + MAX_HEADER_BYTES + SRTP_OVERHEAD;
const BUFFER: usize = MAX_RUN * MAX_PACKET;
/// GSO's own bound: the length field of UDP.
const MAX_RUN_BYTES: usize = 65_000;
/// One packet in so many is timed.
const SAMPLE: u64 = 32;

/// Buffers that live as long as the engine.
pub(super) struct Scratch {
    buffer: Box<[u8]>,
    rtcp: VecDeque<(PeerIndex, Vec<u8>)>,
    control: Vec<u8>,
}

/// What lies ready to be sent.
pub(super) struct Sealed {
    path: Path,
    /// In the media buffer, or the control datagram.
    media: Option<Run>,
}

#[derive(Clone, Copy, Default)]
struct Run {
    length: usize,
    segment: usize,
    packets: usize,
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch { buffer: vec![0; BUFFER].into_boxed_slice(), rtcp: VecDeque::new(), control: Vec::new() }
    }
}

impl Scratch {
    pub fn queue_rtcp(&mut self, peer: PeerIndex, packet: Vec<u8>) {
        if !packet.is_empty() {
            self.rtcp.push_back((peer, packet));
        }
    }

    pub fn transmit(&self, sealed: Sealed) -> Transmit<'_> {
        let Sealed { path, media } = sealed;
        match media {
            None => Transmit { path, data: &self.control, segment_size: None },
            Some(run) => Transmit {
                path,
                data: self.buffer.get(..run.length).unwrap_or_default(),
                segment_size: (run.packets > 1).then_some(run.segment),
            },
        }
    }
}

impl Engine {
    /// Seals what is next in the order of the lanes.
    pub(super) fn next_sealed(&mut self, now: Instant) -> Option<Sealed> {
        let sealed = self.next_control().or_else(|| self.next_media(now));
        if let Some(sealed) = &sealed {
            let datagrams = sealed.media.map_or(1, |run| run.packets) as u64;
            self.stats.datagrams_sent = self.stats.datagrams_sent.saturating_add(datagrams);
        }
        sealed
    }

    fn next_control(&mut self) -> Option<Sealed> {
        while let Some((index, mut packet)) = self.scratch.rtcp.pop_front() {
            let Some(link) = self.peers.links.get_mut(index) else {
                continue;
            };
            let Some(path) = link.transport.nominated() else {
                continue;
            };
            if link.transport.seal_rtcp(&mut packet).is_ok() {
                self.scratch.control = packet;
                return Some(Sealed { path, media: None });
            }
        }
        while let Some(index) = self.dirty.control.front().copied() {
            let transmit = self.peers.links.get_mut(index).and_then(|link| link.transport.poll_transmit());
            if let Some((path, packet)) = transmit {
                self.scratch.control = packet;
                return Some(Sealed { path, media: None });
            }
            self.dirty.control.pop_front();
            self.schedule(index);
        }
        None
    }

    fn next_media(&mut self, now: Instant) -> Option<Sealed> {
        while let Some(index) = self.dirty.audio.front().copied() {
            match self.seal_lane(now, index, true) {
                Some(sealed) => return Some(sealed),
                None => self.dirty.audio.pop_front(),
            };
        }
        while let Some(index) = self.dirty.video.front().copied() {
            match self.seal_lane(now, index, false) {
                Some(sealed) => return Some(sealed),
                None => self.dirty.video.pop_front(),
            };
        }
        None
    }

    /// Seals the next run of a subscriber's lane; `None` when nothing waits there any more.
    fn seal_lane(&mut self, now: Instant, index: PeerIndex, audio: bool) -> Option<Sealed> {
        let subscriber = self.peers.subscribers.get_mut(index)?;
        let mut lane =
            std::mem::take(if audio { &mut subscriber.audio_queue } else { &mut subscriber.video_queue });
        let mut needs_key = None;
        let sealed = self.peers.links.get_mut(index).and_then(|link| {
            let path = link.transport.nominated().filter(|_| link.transport.is_connected())?;
            let mut sealer = Sealer {
                now,
                link,
                subscriber,
                publishers: &self.peers.publishers,
                audio,
                arrived: None,
                needs_key: None,
            };
            let run = sealer.seal_run(&mut lane, &mut self.scratch.buffer, &mut self.stats);
            needs_key = sealer.needs_key;
            let run = run?;
            Some(Sealed { path, media: Some(run) })
        });
        if sealed.is_none() {
            lane.packets.clear();
            lane.marked = false;
        }
        if let Some(origin) = needs_key {
            self.request_key(now, origin);
        }
        let subscriber = self.peers.subscribers.get_mut(index)?;
        *(if audio { &mut subscriber.audio_queue } else { &mut subscriber.video_queue }) = lane;
        sealed
    }
}

/// One subscriber at its turn.
struct Sealer<'a> {
    now: Instant,
    link: &'a mut Link,
    subscriber: &'a mut Subscriber,
    publishers: &'a Table<Publisher>,
    audio: bool,
    /// When the newest packet of the run came in.
    arrived: Option<Instant>,
    /// A packet of this layer had to be given up.
    needs_key: Option<Origin>,
}

/// A packet written but not sealed yet.
struct Plain {
    written: Written,
    /// Extended, on `ssrc`.
    sequence: u64,
}

impl Sealer<'_> {
    /// Packets of one size, the last one perhaps shorter; `None` when nothing was left to send.
    fn seal_run(
        &mut self,
        lane: &mut Lane,
        buffer: &mut [u8],
        stats: &mut crate::stats::WorkerStats,
    ) -> Option<Run> {
        let mut run = Run::default();
        while let Some(pending) = lane.packets.front().copied() {
            let at = run.length;
            let Some(room) = buffer.get_mut(at..) else {
                break;
            };
            let size = match self.seal(&pending, room, run) {
                Ok(Some(size)) => size,
                Ok(None) => break,
                Err(reason) => {
                    stats.drops.count(reason);
                    self.give_up(&pending);
                    lane.packets.pop_front();
                    continue;
                }
            };
            lane.packets.pop_front();
            stats.packets_forwarded = stats.packets_forwarded.wrapping_add(1);
            run.length = at.wrapping_add(size);
            run.packets = run.packets.wrapping_add(1);
            if run.packets == 1 {
                run.segment = size;
            }
            if size < run.segment || run.packets == MAX_RUN {
                break;
            }
        }
        if stats.packets_forwarded % SAMPLE < run.packets as u64 {
            self.sample_delay(stats);
        }
        (run.packets > 0).then_some(run)
    }

    /// The receiver will miss a packet that nobody can resend: only a key frame helps.
    fn give_up(&mut self, pending: &Pending) {
        if self.audio || pending.retransmission {
            return;
        }
        self.needs_key = Some(pending.origin);
        if let Some(video) = self.subscriber.video.get_mut(usize::from(pending.slot)) {
            video.account.guard.give_up();
        }
    }

    /// Writes and seals one packet behind `run`; `None` when it does not fit into the run.
    fn seal(&mut self, pending: &Pending, room: &mut [u8], run: Run) -> Result<Option<usize>, DropReason> {
        let origin = pending.origin;
        let layer = self.publishers.get(origin.publisher).and_then(|p| p.layer(origin.kind, origin.layer));
        let (meta, stored) = layer.and_then(|l| l.slab.get(pending.sequence_in)).ok_or(DropReason::TooOld)?;
        let fits_size = |size: usize| {
            run.packets == 0 || (size <= run.segment && run.length.saturating_add(size) <= MAX_RUN_BYTES)
        };
        if !fits_size(stored.len().saturating_add(SRTP_OVERHEAD)) {
            return Ok(None);
        }
        let plain = self.write(pending, meta, stored, room)?;
        let size = plain.written.total.saturating_add(self.link.transport.srtp_overhead());
        if !fits_size(size) {
            return Ok(None);
        }
        self.commit(pending, meta, &plain, size)?;
        self.arrived = Some(meta.arrived);
        // Our extended numbers begin at 2^16, the roll-over counter of SRTP at zero.
        let index = plain.sequence.saturating_sub(65_536);
        let sealed = self.link.transport.seal_rtp(room, plain.written.header, plain.written.total, index);
        sealed.map(Some)
    }

    fn write(
        &mut self,
        pending: &Pending,
        meta: &PacketMeta,
        stored: &[u8],
        room: &mut [u8],
    ) -> Result<Plain, DropReason> {
        let slot = usize::from(pending.slot);
        let line = self.line(slot).ok_or(DropReason::UnknownSsrc)?;
        let mut parts = Parts::of(meta, stored);
        let codec = negotiated(line, meta.codec, &mut parts)?;
        let (ssrc, payload_type) =
            wire(line, codec, pending.retransmission).ok_or(DropReason::CodecNotNegotiated)?;
        let mut pending = *pending;
        let mut sequence = pending.sequence_out;
        if pending.retransmission {
            pending.timestamp = meta.timestamp.wrapping_add(pending.timestamp);
            pending.marker = meta.marker;
            let video = self.subscriber.video.get(slot).ok_or(DropReason::UnknownSsrc)?;
            sequence = video.resent.peek_sequence();
        }
        let head = Head {
            payload_type,
            ssrc: ssrc.0,
            sequence,
            transport_sequence: self
                .subscriber
                .extensions
                .transport_sequence
                .map(|_| self.subscriber.history.peek()),
        };
        let extensions = self.subscriber.extensions;
        let written =
            write_packet(room, head, &pending, meta, extensions, parts).ok_or(DropReason::Oversized)?;
        Ok(Plain { written, sequence })
    }

    /// The packet leaves: numbers are used up and accounts are kept.
    fn commit(
        &mut self,
        pending: &Pending,
        meta: &PacketMeta,
        plain: &Plain,
        size: usize,
    ) -> Result<(), DropReason> {
        let subscriber = &mut *self.subscriber;
        if subscriber.extensions.transport_sequence.is_some() {
            subscriber.history.record(self.now, size);
        }
        let slot = usize::from(pending.slot);
        let account = if self.audio {
            &mut subscriber.audio.get_mut(slot).ok_or(DropReason::UnknownSsrc)?.account
        } else {
            let video = subscriber.video.get_mut(slot).ok_or(DropReason::UnknownSsrc)?;
            if pending.retransmission {
                video.resent.next_sequence();
                subscriber.rtx_packets = subscriber.rtx_packets.wrapping_add(1);
                return Ok(());
            }
            &mut video.account
        };
        account.packets = account.packets.wrapping_add(1);
        account.octets = account.octets.wrapping_add(plain.written.total as u64);
        account.frames = account.frames.wrapping_add(u64::from(meta.frame_end));
        account.fresh = true;
        #[cfg(debug_assertions)]
        {
            let video = pending.origin.kind != SourceKind::Microphone;
            let checked = account.guard.check(pending.sequence_out, pending.timestamp, meta, video);
            debug_assert_eq!(checked, Ok(()), "egress guard: {pending:?}");
        }
        Ok(())
    }

    fn line(&self, slot: usize) -> Option<&SlotLine> {
        if self.audio {
            self.subscriber.audio.get(slot).map(|audio| &audio.slot.line)
        } else {
            self.subscriber.video.get(slot).map(|video| &video.slot.line)
        }
    }

    fn sample_delay(&self, stats: &mut crate::stats::WorkerStats) {
        if let Some(arrived) = self.arrived {
            stats.forward_delay.record(self.now.saturating_duration_since(arrived));
        }
    }
}

/// The receiver's payload type for a codec; RED is unwrapped for those who have only Opus.
fn negotiated(line: &SlotLine, codec: Codec, parts: &mut Parts<'_>) -> Result<SlotCodec, DropReason> {
    if let Some(found) = line.codec(codec) {
        return Ok(found);
    }
    if codec != Codec::Red {
        return Err(DropReason::CodecNotNegotiated);
    }
    let (_, primary) = red::primary(parts.payload)?;
    parts.payload = parts.payload.get(primary).ok_or(DropReason::MalformedPayload)?;
    line.codec(Codec::Opus).ok_or(DropReason::CodecNotNegotiated)
}

/// SSRC and payload type on the wire.
fn wire(line: &SlotLine, codec: SlotCodec, retransmission: bool) -> Option<(Ssrc, u8)> {
    if retransmission {
        return line.rtx_ssrc.zip(codec.rtx_payload_type);
    }
    Some((line.ssrc, codec.payload_type))
}
