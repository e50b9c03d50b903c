//! A site that receives: counts by sequence number, reports like a browser, opens a sample.

use crate::publisher::STAMP;
use crate::sdp;
use rtp::ids::Ssrc;
use rtp::packet::FIXED_HEADER;
use rtp::rtcp::{self, Feedback};
use sfu::receive::feedback::ArrivalRecorder;
use sfu::receive::nack::NackGenerator;
use sfu::receive::stream::Stream;
use std::time::{Duration, Instant};
use tests::answer::Slot;
use tests::line::Srtp;

/// libwebrtc sends transport-wide feedback every 50 to 250 ms, 100 by default.
const FEEDBACK_EVERY: Duration = Duration::from_millis(100);
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// One packet in so many is opened. Frames have 15 packets in two, so all places of a frame come up.
const SAMPLE: u16 = 32;
/// Below the shortest time between two questions: what is lost here is asked for every 20 ms.
const ROUND_TRIP: Duration = Duration::from_millis(1);
/// Our own SSRC in reports.
const OWN: Ssrc = Ssrc(1);
/// The report count is five bits.
const MAX_BLOCKS: usize = 31;

/// Unique packets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub audio: u64,
    pub video: u64,
}

impl Counts {
    fn add(&mut self, slot: Slot) {
        match slot.is_video {
            true => self.video += 1,
            false => self.audio += 1,
        }
    }
}

/// What an opened packet shows: how long it took from the publisher's send to this socket.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub delay: Duration,
    /// When it was here, since 1970.
    pub at: Duration,
    pub is_video: bool,
}

struct Track {
    slot: Slot,
    stream: Stream,
    nack: NackGenerator,
    /// So much is missing that only a key frame helps.
    broken: bool,
    opened: bool,
}

impl Track {
    fn new(now: Instant, slot: Slot) -> Track {
        let rate = if slot.is_video { 90_000 } else { 48_000 };
        let stream = Stream::new(rate, 512, now);
        Track { slot, stream, nack: NackGenerator::video(), broken: false, opened: false }
    }

    /// Counts a number if it is new.
    #[inline]
    fn take(&mut self, arrived: Instant, sequence: u16, data: &[u8], repaired: bool) -> Option<()> {
        let timestamp = u32::from_be_bytes(*data.get(4..)?.first_chunk()?);
        let arrival = self.stream.on_packet(arrived, sequence, timestamp, data.len()).ok()?;
        if self.slot.is_video && self.slot.rtx.is_some() {
            self.broken |= self.nack.on_arrival(arrived, arrival.sequence, repaired);
        }
        Some(())
    }
}

pub struct Receiver {
    tracks: Vec<Track>,
    /// Where the last packet belonged.
    last: usize,
    arrivals: ArrivalRecorder,
    next_feedback: Instant,
    next_report: Instant,
    pub counts: Counts,
    pub first_packet: Option<Instant>,
    pub first_key: Option<Instant>,
    pub rejected: u64,
}

impl Receiver {
    pub fn new(now: Instant, slots: &[Slot]) -> Receiver {
        Receiver {
            tracks: slots.iter().map(|slot| Track::new(now, *slot)).collect(),
            last: 0,
            arrivals: ArrivalRecorder::new(now),
            next_feedback: now + FEEDBACK_EVERY,
            next_report: now + REPORT_EVERY,
            counts: Counts::default(),
            first_packet: None,
            first_key: None,
            rejected: 0,
        }
    }

    /// `arrived` is the kernel's stamp, on this program's clock and on the publisher's.
    #[inline]
    pub fn handle_rtp(
        &mut self,
        arrived: Instant,
        stamp: Duration,
        data: &mut [u8],
        srtp: &mut Srtp,
    ) -> Option<Sample> {
        let ssrc = u32::from_be_bytes(*data.get(8..)?.first_chunk()?);
        if let Some(number) = transport_sequence(data) {
            self.arrivals.record(arrived, number, data.len());
        }
        let Some(place) = self.find(ssrc) else {
            self.repair(arrived, ssrc, data, srtp);
            return None;
        };
        let sequence = u16::from_be_bytes(*data.get(2..)?.first_chunk()?);
        let track = &mut self.tracks[place];
        track.take(arrived, sequence, data, false)?;
        self.counts.add(track.slot);
        let wanted = !track.opened || track.slot.is_video && self.first_key.is_none();
        if !wanted && !sequence.is_multiple_of(SAMPLE) {
            return None;
        }
        self.open(place, arrived, stamp, data, srtp)
    }

    /// A retransmission: its payload begins with the number it had (RFC 4588 section 4).
    fn repair(&mut self, arrived: Instant, ssrc: u32, data: &mut [u8], srtp: &mut Srtp) -> Option<()> {
        let place = self.tracks.iter().position(|track| track.slot.rtx == Some(ssrc))?;
        let track = self.tracks.get_mut(place)?;
        let Some(length) = srtp.open_rtp(place, data) else {
            self.rejected += 1;
            return None;
        };
        let packet = data.get(..length)?;
        let payload = rtp::packet::header_len(packet)?;
        let sequence = u16::from_be_bytes(*packet.get(payload..)?.first_chunk()?);
        track.take(arrived, sequence, packet, true)?;
        self.counts.add(track.slot);
        Some(())
    }

    #[inline]
    fn find(&mut self, ssrc: u32) -> Option<usize> {
        if self.tracks.get(self.last).is_some_and(|track| track.slot.ssrc == ssrc) {
            return Some(self.last);
        }
        self.last = self.tracks.iter().position(|track| track.slot.ssrc == ssrc)?;
        Some(self.last)
    }

    fn open(
        &mut self,
        place: usize,
        arrived: Instant,
        stamp: Duration,
        data: &mut [u8],
        srtp: &mut Srtp,
    ) -> Option<Sample> {
        let Some(length) = srtp.open_rtp(place, data) else {
            self.rejected += 1;
            return None;
        };
        let track = &mut self.tracks[place];
        track.opened = true;
        self.first_packet.get_or_insert(arrived);
        let packet = data.get(..length)?;
        let is_video = track.slot.is_video;
        if is_video && is_key(packet) {
            self.first_key.get_or_insert(arrived);
        }
        let sent = packet.len().checked_sub(STAMP).and_then(|at| packet.get(at..)?.first_chunk());
        let sent = Duration::from_nanos(u64::from_be_bytes(*sent?));
        Some(Sample { delay: stamp.saturating_sub(sent), at: stamp, is_video })
    }

    /// A compound of the server's, opened: its sender reports are echoed in ours.
    pub fn handle_feedback(&mut self, now: Instant, feedback: &Feedback) {
        if let Feedback::SenderReport(report) = feedback
            && let Some(place) = self.find(report.ssrc.0)
        {
            self.tracks[place].stream.on_sender_report(now, report.ntp, report.rtp);
        }
    }

    /// Voice packets that never came, though later ones did.
    pub fn audio_gaps(&self) -> u64 {
        let voices = self.tracks.iter().filter(|track| !track.slot.is_video);
        voices.map(|track| track.stream.totals(self.next_report).lost).sum()
    }

    pub fn poll_timeout(&self) -> Instant {
        let questions = self.tracks.iter().filter_map(|track| track.nack.next_timeout()).min();
        let reports = self.next_feedback.min(self.next_report);
        questions.map_or(reports, |at| at.min(reports))
    }

    pub fn handle_timeout(&mut self, now: Instant, srtp: &mut Srtp, mut send: impl FnMut(&[u8])) {
        let mut packet = Vec::new();
        if self.next_report <= now {
            self.next_report = now + REPORT_EVERY;
            let receiving = self.tracks.iter_mut().filter(|track| track.opened).take(MAX_BLOCKS);
            let blocks: Vec<_> =
                receiving.map(|track| track.stream.report(now, Ssrc(track.slot.ssrc))).collect();
            rtcp::write_receiver_report(&mut packet, OWN, &blocks);
            rtcp::write_sdes_cname(&mut packet, OWN, "load");
        }
        if self.next_feedback <= now {
            self.next_feedback = now + FEEDBACK_EVERY;
            if let Some(report) = self.arrivals.take(now) {
                let media = self.tracks.first().map_or(Ssrc(0), |track| Ssrc(track.slot.ssrc));
                rtcp::write_transport_feedback(&mut packet, OWN, media, &report);
            }
        }
        self.ask(now, &mut packet);
        if !packet.is_empty() && srtp.seal.seal_rtcp(&mut packet).is_ok() {
            send(&packet);
        }
    }
}

impl Receiver {
    /// For what is missing, or for a key frame where that is too much.
    fn ask(&mut self, now: Instant, packet: &mut Vec<u8>) {
        for track in &mut self.tracks {
            let (media, mut missing) = (Ssrc(track.slot.ssrc), Vec::new());
            let given_up = track.nack.poll(now, ROUND_TRIP, &mut missing);
            if !missing.is_empty() {
                rtcp::write_nack(packet, OWN, media, &missing);
            }
            if given_up || std::mem::take(&mut track.broken) {
                rtcp::write_pli(packet, OWN, media);
            }
        }
    }
}

/// Of one-byte elements (RFC 8285); SRTP leaves extensions in the clear.
#[inline]
fn transport_sequence(data: &[u8]) -> Option<u16> {
    if data[0] & 0x1f != 0x10 {
        return None;
    }
    let [0xbe, 0xde, w0, w1] = *data.get(FIXED_HEADER..)?.first_chunk()? else {
        return None;
    };
    let words = usize::from(u16::from_be_bytes([w0, w1]));
    let mut block = data.get(FIXED_HEADER + 4..FIXED_HEADER + 4 + words * 4)?;
    while let [head, rest @ ..] = block {
        let length = usize::from(head & 0x0f) + 1;
        match head >> 4 {
            0 => block = rest,
            sdp::TRANSPORT_SEQUENCE => return Some(u16::from_be_bytes(*rest.first_chunk()?)),
            _ => block = rest.get(length..)?,
        }
    }
    None
}

/// The first packet of a key frame, with the descriptor `Publisher` writes.
fn is_key(packet: &[u8]) -> bool {
    let payload = rtp::packet::header_len(packet).and_then(|at| packet.get(at..));
    matches!(payload, Some([first, _, _, _, _, _, tag, ..]) if first & 0x10 != 0 && tag & 1 == 0)
}
