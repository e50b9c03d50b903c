//! One run: packets of one subscriber and one size, written from the publishers' slabs and sealed one after the other.

mod padding;

use super::speech::{MAX_PAYLOAD, Voice};
use super::wire::Wire;
use super::work::{AtWork, Work};
use crate::bandwidth::history::Stamp;
use crate::discard::DropReason;
use crate::forward::packet::{Origin, PacketMeta, Pending};
use crate::forward::parameters::RtpParameters;
use crate::forward::write::{Head, MAX_HEADER_BYTES, Parts, Written, write_packet};
use crate::ids::PeerIndex;
#[cfg(debug_assertions)]
use crate::ids::SourceKind;
use crate::limits;
use crate::peer::Table;
use crate::peer::layer::Layer;
use crate::peer::line::Line;
use crate::peer::publisher::Publisher;
use crate::peer::queue::SendRank;
use crate::peer::subscriber::Subscriber;
use crate::stats::WorkerStats;
use crate::transport::SRTP_OVERHEAD;
use rtp::codec::Codec;
use rtp::sequence::Sequence;
use std::collections::VecDeque;
use std::time::Instant;

/// A GSO send carries at most 64 datagrams and 64 KiB; a frame at 2 Mbit/s has 7.5 packets, and a
/// key frame rarely more than 40.
const MAX_RUN: usize = 40;
const MAX_PACKET: usize = limits::MAX_RTP_BYTES + MAX_HEADER_BYTES + SRTP_OVERHEAD;
/// Room for one run.
pub(super) const BUFFER: usize = MAX_RUN * MAX_PACKET;
/// GSO's own bound: the length field of UDP.
const MAX_RUN_BYTES: usize = 65_000;

#[derive(Clone, Copy, Default)]
pub(super) struct Run {
    pub length: usize,
    pub segment: usize,
    pub packets: usize,
    ended: bool,
}

impl Run {
    fn add(&mut self, size: usize) {
        self.segment = if self.packets == 0 { size } else { self.segment };
        self.length = self.length.wrapping_add(size);
        self.packets = self.packets.wrapping_add(1);
        self.ended = size < self.segment;
    }

    /// A shorter packet is the last one of a run.
    fn is_full(&self) -> bool {
        self.ended || self.packets == MAX_RUN
    }
}

/// The subscriber whose turn it is.
pub(super) struct Receiver<'a> {
    pub index: PeerIndex,
    pub line: &'a mut Line,
    pub subscriber: &'a mut Subscriber,
}

/// One subscriber at its turn. What packets of a run have in common is looked up once.
pub(super) struct Sealer<'a> {
    receiver: PeerIndex,
    line: &'a mut Line,
    subscriber: &'a mut Subscriber,
    publishers: &'a Table<Publisher>,
    at_work: &'a mut AtWork,
    rank: SendRank,
    departure: Stamp,
    layer: Option<(Origin, &'a Layer)>,
    wire: Option<Wire>,
    /// Bytes of redundancy in the packet written last.
    redundant: usize,
    /// Of those that leave.
    repeated: u64,
    /// When the oldest packet of the run arrived, resent ones not counted.
    pub oldest: Option<Instant>,
    /// When the newest did.
    pub arrived: Option<Instant>,
    /// A packet of this layer had to be given up.
    pub needs_key: Option<Origin>,
}

impl<'a> Sealer<'a> {
    pub fn new(
        now: Instant,
        rank: SendRank,
        Receiver { index, line, subscriber }: Receiver<'a>,
        publishers: &'a Table<Publisher>,
        at_work: &'a mut AtWork,
    ) -> Sealer<'a> {
        at_work.begin(Work::Peer(index));
        let departure = subscriber.history.stamp(now);
        if rank == SendRank::Audio && !subscriber.redundancy.is_off() {
            subscriber.redundancy.begin_turn(now);
        }
        Sealer {
            receiver: index,
            line,
            subscriber,
            publishers,
            at_work,
            rank,
            departure,
            layer: None,
            wire: None,
            redundant: 0,
            repeated: 0,
            oldest: None,
            arrived: None,
            needs_key: None,
        }
    }

    /// Packets of one size, the last one perhaps shorter, until `most` bytes are reached; `None` when there was nothing
    /// to send.
    pub fn seal_run(
        &mut self,
        waiting: &mut VecDeque<Pending>,
        (buffer, most): (&mut [u8], usize),
        stats: &mut WorkerStats,
    ) -> Option<Run> {
        let mut run = Run::default();
        while let Some(pending) = waiting.front_mut() {
            let at = run.length;
            let Some(room) = buffer.get_mut(at..) else {
                break;
            };
            match self.seal(pending, room, run) {
                Ok(Some(size)) => run.add(size),
                Ok(None) => break,
                Err(reason) => {
                    debug_assert_ne!(reason, DropReason::IndexReused, "decided twice: {pending:?}");
                    stats.drops.count(reason);
                    self.give_up(pending, reason);
                }
            }
            if pending.advance() {
                waiting.pop_front();
            }
            if run.is_full() || run.length >= most {
                break;
            }
        }
        if self.rank != SendRank::Padding {
            stats.packets_forwarded = stats.packets_forwarded.wrapping_add(run.packets as u64);
        }
        stats.redundant_bytes = stats.redundant_bytes.wrapping_add(self.repeated);
        (run.packets > 0).then_some(run)
    }

    /// The receiver will miss a packet that cannot be resent: only a key frame helps, unless the receiver cannot take
    /// the codec at all.
    fn give_up(&mut self, pending: &Pending, reason: DropReason) {
        if self.rank != SendRank::Video {
            return;
        }
        if reason != DropReason::CodecNotNegotiated {
            self.needs_key = Some(pending.origin);
        }
        self.subscriber.give_up(pending.slot);
    }

    /// Writes and seals one packet after `run`; `None` when it does not fit into the run.
    #[inline]
    fn seal(&mut self, pending: &Pending, room: &mut [u8], run: Run) -> Result<Option<usize>, DropReason> {
        if self.rank == SendRank::Padding {
            return self.seal_padding(pending, room, run);
        }
        let layer = self.layer(pending.origin).ok_or(DropReason::TooOld)?;
        let (meta, stored) = layer.slab.get(pending.sequence_in).ok_or(DropReason::TooOld)?;
        let fits_size = |size: usize| {
            run.packets == 0 || (size <= run.segment && run.length.saturating_add(size) <= MAX_RUN_BYTES)
        };
        if !fits_size(stored.len().saturating_add(SRTP_OVERHEAD)) {
            return Ok(None);
        }
        let (written, sequence) = self.write(pending, meta, stored, room)?;
        let size = written.total.saturating_add(self.line.overhead());
        if !fits_size(size) {
            return Ok(None);
        }
        let sealed = self.line.seal_rtp(room, written.header, written.total, sequence)?;
        self.commit(pending, meta, written, size)?;
        if self.redundant > 0 {
            self.spend_redundancy();
        }
        if !self.rank.is_rtx() {
            self.oldest = self.oldest.or(Some(meta.arrived));
            self.arrived = Some(meta.arrived);
        }
        Ok(Some(sealed))
    }

    #[inline]
    fn layer(&mut self, origin: Origin) -> Option<&'a Layer> {
        match self.layer {
            Some((known, layer)) if known == origin => Some(layer),
            _ => {
                let publisher = self.publishers.get(origin.publisher)?;
                let work = Work::Seal { receiver: self.receiver, publisher: origin.publisher };
                self.at_work.begin(work);
                let layer = publisher.layer(origin.kind, origin.layer)?;
                self.layer = Some((origin, layer));
                Some(layer)
            }
        }
    }

    #[inline]
    fn wire(&mut self, pending: &Pending, codec: Codec) -> Result<Wire, DropReason> {
        let asked = (pending.slot, codec, self.rank.is_rtx());
        match self.wire {
            Some(known) if (known.slot, known.codec, known.rtx) == asked => Ok(known),
            _ => {
                let parameters = self.parameters(usize::from(pending.slot)).ok_or(DropReason::UnknownSsrc)?;
                let wire = Wire::of(parameters, asked).ok_or(DropReason::CodecNotNegotiated)?;
                let known = self.is_acknowledged(usize::from(pending.slot)) && !self.rank.is_rtx();
                let wire = Wire { names_section: self.subscriber.extensions.mid.is_some() && !known, ..wire };
                self.wire = Some(wire);
                Ok(wire)
            }
        }
    }

    /// What is written, and its sequence number.
    #[inline]
    fn write(
        &mut self,
        pending: &Pending,
        meta: &PacketMeta,
        stored: &[u8],
        room: &mut [u8],
    ) -> Result<(Written, Sequence), DropReason> {
        let wire = self.wire(pending, meta.codec)?;
        let parts = Parts::of(meta, stored);
        match wire.red.filter(|_| !self.subscriber.redundancy.is_off()) {
            None => self.write_parts(pending, (meta, parts), wire, room),
            Some(red) => self.write_redundant(pending, (meta, parts), (wire, red), room),
        }
    }

    /// The same with copies of earlier packets, where there are any.
    #[cold]
    fn write_redundant(
        &mut self,
        pending: &Pending,
        (meta, parts): (&PacketMeta, Parts<'_>),
        (wire, payload_type): (Wire, u8),
        room: &mut [u8],
    ) -> Result<(Written, Sequence), DropReason> {
        let layer = self.layer(pending.origin).ok_or(DropReason::TooOld)?;
        let audio = self.subscriber.audio.get(usize::from(pending.slot)).ok_or(DropReason::UnknownSsrc)?;
        let voice = Voice { layer, rewriter: &audio.slot.rewriter, payload_type: wire.payload_type };
        let mut made = [0; MAX_PAYLOAD];
        let length = voice.write(&mut made, &self.subscriber.redundancy, (pending, meta), parts.payload);
        let Some(payload) = length.and_then(|length| made.get(..length)) else {
            return self.write_parts(pending, (meta, parts), wire, room);
        };
        self.redundant = payload.len().saturating_sub(parts.payload.len());
        let wire = Wire { payload_type, ..wire };
        self.write_parts(pending, (meta, Parts { payload, ..parts }), wire, room)
    }

    #[inline]
    fn write_parts(
        &self,
        pending: &Pending,
        (meta, parts): (&PacketMeta, Parts<'_>),
        wire: Wire,
        room: &mut [u8],
    ) -> Result<(Written, Sequence), DropReason> {
        let (sequence, original) = match self.rank.is_rtx() {
            false => (pending.sequence_out, None),
            true => {
                let sequence = self.rtx_sequence(pending).ok_or(DropReason::UnknownSsrc)?;
                (sequence, Some(pending.sequence_out.number()))
            }
        };
        let extensions = self.subscriber.extensions;
        let history = &self.subscriber.history;
        let mid = wire.names_section.then(|| self.parameters(usize::from(pending.slot))).flatten();
        let head = Head {
            payload_type: wire.payload_type,
            ssrc: wire.ssrc.0,
            marker: if self.is_audio() { pending.begins } else { meta.marker },
            sequence: sequence.number(),
            timestamp: meta.timestamp.wrapping_add(pending.offsets.timestamp),
            original,
            transport_sequence: extensions.transport_sequence.map(|_| history.peek()),
            mid: mid.map(|parameters| parameters.mid.as_str()),
        };
        let written = write_packet(room, head, pending.offsets, meta, extensions, parts)
            .ok_or(DropReason::Oversized)?;
        Ok((written, sequence))
    }

    #[inline]
    fn is_audio(&self) -> bool {
        self.rank == SendRank::Audio
    }

    fn rtx_sequence(&self, pending: &Pending) -> Option<Sequence> {
        self.subscriber.video.get(usize::from(pending.slot)).map(|video| video.resent.peek_sequence())
    }

    /// The packet leaves: numbers are used up and accounts are kept.
    #[inline]
    fn commit(
        &mut self,
        pending: &Pending,
        meta: &PacketMeta,
        written: Written,
        size: usize,
    ) -> Result<(), DropReason> {
        let subscriber = &mut *self.subscriber;
        if subscriber.extensions.transport_sequence.is_some() {
            subscriber.history.record(self.departure, size, 0);
        }
        let slot = usize::from(pending.slot);
        let account = if self.rank == SendRank::Audio {
            &mut subscriber.audio.get_mut(slot).ok_or(DropReason::UnknownSsrc)?.account
        } else {
            let video = subscriber.video.get_mut(slot).ok_or(DropReason::UnknownSsrc)?;
            if self.rank.is_rtx() {
                video.resent.next_sequence();
                subscriber.rtx_packets = subscriber.rtx_packets.wrapping_add(1);
                return Ok(());
            }
            video.newest_sealed = video.newest_sealed.max(Some(pending.sequence_out));
            &mut video.account
        };
        if self.rank != SendRank::Audio {
            subscriber.video_octets = subscriber.video_octets.wrapping_add(written.total as u64);
        }
        account.packets = account.packets.wrapping_add(1);
        account.octets = account.octets.wrapping_add(written.total as u64);
        account.frames = account.frames.wrapping_add(u64::from(meta.frame_end));
        account.fresh = true;
        #[cfg(debug_assertions)]
        {
            let video = pending.origin.kind != SourceKind::Microphone;
            let timestamp = meta.timestamp.wrapping_add(pending.offsets.timestamp);
            let checked = account.guard.check(pending.sequence_out, timestamp, meta, video);
            debug_assert_eq!(checked, Ok(()), "egress guard: {pending:?}");
        }
        Ok(())
    }

    fn spend_redundancy(&mut self) {
        let redundant = std::mem::take(&mut self.redundant);
        self.subscriber.redundancy.spend(redundant);
        self.repeated = self.repeated.wrapping_add(redundant as u64);
    }

    fn is_acknowledged(&self, slot: usize) -> bool {
        let account = if self.is_audio() {
            self.subscriber.audio.get(slot).map(|audio| &audio.account)
        } else {
            self.subscriber.video.get(slot).map(|video| &video.account)
        };
        account.is_some_and(|account| account.acknowledged)
    }

    fn parameters(&self, slot: usize) -> Option<&RtpParameters> {
        if self.is_audio() {
            self.subscriber.audio.get(slot).map(|audio| &audio.slot.rtp)
        } else {
            self.subscriber.video.get(slot).map(|video| &video.slot.rtp)
        }
    }
}
