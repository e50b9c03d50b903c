//! RTCP that goes out: NACK, PLI and transport-wide feedback to publishers when due; sender and
//! receiver reports once a second; and the statistics of the worker.

use super::work::Work;
use super::{Engine, STATS_EVERY, speech};
use crate::event::Event;
use crate::ids::{PeerIndex, SourceKind};
use crate::peer::Peers;
use crate::peer::layer::Layer;
use crate::peer::publisher::Publisher;
use crate::peer::subscriber::{SlotAccount, Subscriber};
use crate::time::{Clock, after};
use arrayvec::ArrayVec;
use rtp::ids::Ssrc;
use rtp::ntp::NtpTime;
use rtp::rtcp::{self, ReportBlock};
use std::time::{Duration, Instant};

/// RFC 3550 section 6.2 allows less than five seconds where bandwidth permits; browsers send one a
/// second, and link lights want them fresh.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// After a switch a slot's sender report is sent this many times, and this far apart: a datagram in fifty is lost on a
/// poor line, most often just after the burst of a key frame, and the regular report is up to a second away.
pub(super) const HURRIED_REPORTS: u8 = 3;
const HURRY_EVERY: Duration = Duration::from_millis(150);
/// The report count is five bits (RFC 3550 section 6.4.1).
const MAX_BLOCKS: usize = 31;
/// One RTCP datagram.
const MAX_RTCP_BYTES: usize = 1100;

impl Engine {
    /// NACK, PLI and TWCC towards a publisher, each by its own timer.
    pub(super) fn send_due_feedback(&mut self, now: Instant, index: PeerIndex) {
        let (rtt, is_up) = (self.peers.rtt_or_default(index), self.peers.is_up(index));
        let Some(subscriber) = self.peers.subscribers.get(index) else {
            return;
        };
        let sender = subscriber.report_ssrc;
        let Some(publisher) = self.peers.publishers.get_mut(index) else {
            return;
        };
        let mut packets = Vec::new();
        write_layer_feedback(now, publisher, sender, rtt, &mut packets);
        if let Some(report) = publisher.arrivals.take(now) {
            let media = publisher.layers().find_map(|layer| layer.ssrc).unwrap_or(Ssrc(0));
            rtcp::write_transport_feedback(&mut packets, sender, media, &report);
        }
        // The timers go on while the publisher cannot be asked.
        if is_up {
            self.scratch.queue_rtcp(index, packets);
        }
    }

    pub(super) fn send_due_reports(&mut self, now: Instant, index: PeerIndex) {
        self.send_hurried_reports(now, index);
        let Some(identity) = self.peers.identities.get_mut(index) else {
            return;
        };
        if identity.report_at > now {
            return;
        }
        identity.report_at = after(now, REPORT_EVERY);
        if !self.peers.is_up(index) {
            return;
        }
        for packet in build_reports(now, self.config.clock, &mut self.peers, index) {
            self.scratch.queue_rtcp(index, packet);
        }
    }

    /// Sender reports of slots that switched lately, while any are due.
    fn send_hurried_reports(&mut self, now: Instant, index: PeerIndex) {
        let hurry_at = self.peers.identities.get(index).and_then(|identity| identity.hurry_at);
        let due = hurry_at.is_some_and(|at| at <= now);
        if !due {
            return;
        }
        let reports = sender_reports(now, self.config.clock, &mut self.peers, index, Which::Hurried);
        let more = self.peers.subscribers.get(index).is_some_and(Subscriber::is_hurried);
        let Some(identity) = self.peers.identities.get_mut(index) else {
            return;
        };
        identity.hurry_at = more.then(|| after(now, HURRY_EVERY));
        if self.peers.is_up(index) {
            for packet in write_sender_reports(Vec::new(), &reports) {
                self.scratch.queue_rtcp(index, packet);
            }
        }
    }

    /// Once a second: silence is looked for, and statistics are reported.
    pub(super) fn report_stats(&mut self, now: Instant) {
        self.look_for_silence(now);
        self.look_at_lines(now);
        self.repeat_mix_orders();
        let elapsed = now.saturating_duration_since(self.last_stats);
        self.last_stats = now;
        self.next_stats = after(now, STATS_EVERY);
        self.stats.peers = self.peers.len();
        self.stats.rooms = self.rooms.len();
        self.count_shed();
        self.count_mixes();
        let indices: Vec<PeerIndex> = self.peers.indices().collect();
        let peers = indices.iter().filter_map(|index| {
            self.at_work.begin(Work::Peer(*index));
            account::of(now, elapsed, &mut self.peers, *index)
        });
        let peers = peers.collect();
        self.at_work.resume(Work::Own);
        self.events.push_back(Event::Stats { worker: Box::new(self.stats.clone()), peers });
    }
}

use super::account;

fn write_layer_feedback(
    now: Instant,
    publisher: &mut Publisher,
    sender: Ssrc,
    rtt: Duration,
    out: &mut Vec<u8>,
) {
    let (mut nacks, mut plis) = (0u64, 0u64);
    for track in publisher.tracks.iter_mut().flatten() {
        for layer in &mut track.layers {
            let Some(media) = layer.ssrc else {
                // No SSRC of the layer is known yet that could be asked; a timer that cannot be served must not stay
                // due.
                layer.keyframe.cancel();
                layer.nack.forget();
                continue;
            };
            let mut missing = Vec::new();
            if layer.nack.poll(now, rtt, &mut missing) && track.kind != SourceKind::Microphone {
                layer.keyframe.request(now);
            }
            if !missing.is_empty() {
                nacks = nacks.wrapping_add(missing.len() as u64);
                rtcp::write_nack(out, sender, media, &missing);
            }
            if layer.keyframe.poll(now, rtt) {
                plis = plis.wrapping_add(1);
                rtcp::write_pli(out, sender, media);
            }
        }
    }
    publisher.nacks_sent = publisher.nacks_sent.wrapping_add(nacks);
    publisher.plis_sent = publisher.plis_sent.wrapping_add(plis);
}

/// Sender reports for every slot that sent since the last ones, a receiver report for what comes
/// in, split into datagrams.
fn build_reports(now: Instant, clock: Clock, peers: &mut Peers, index: PeerIndex) -> Vec<Vec<u8>> {
    let blocks = reception_blocks(now, peers, index);
    let mut packet = Vec::new();
    let Some(subscriber) = peers.subscribers.get(index) else {
        return Vec::new();
    };
    rtcp::write_receiver_report(&mut packet, subscriber.report_ssrc, &blocks);
    rtcp::write_sdes_cname(&mut packet, subscriber.report_ssrc, "nhipcau");
    write_sender_reports(packet, &sender_reports(now, clock, peers, index, Which::Fresh))
}

/// Appended to `packet`, and in as many further ones as it takes.
fn write_sender_reports(mut packet: Vec<u8>, reports: &[SlotReport]) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for report in reports {
        if packet.len() > MAX_RTCP_BYTES {
            packets.push(std::mem::take(&mut packet));
        }
        let SlotReport { ssrc, ntp, rtp, packets: count, octets } = *report;
        rtcp::write_sender_report(&mut packet, ssrc, ntp, rtp, count, octets);
    }
    packets.push(packet);
    packets
}

fn reception_blocks(now: Instant, peers: &mut Peers, index: PeerIndex) -> ArrayVec<ReportBlock, MAX_BLOCKS> {
    let Some(publisher) = peers.publishers.get_mut(index) else {
        return ArrayVec::new();
    };
    let layers = publisher.tracks.iter_mut().flatten().flat_map(|track| {
        let kind = track.kind;
        track.layers.iter_mut().map(move |layer| (kind, layer))
    });
    let receiving = layers.filter(|(_, layer)| layer.active);
    let blocks = receiving.filter_map(|(kind, layer)| {
        let mut block = layer.stream.report(now, layer.ssrc?);
        if kind == SourceKind::Microphone {
            speech::tell_losses(&mut block, &peers.subscribers, &layer.routes);
        }
        Some(block)
    });
    blocks.take(MAX_BLOCKS).collect()
}

struct SlotReport {
    ssrc: Ssrc,
    ntp: NtpTime,
    rtp: u32,
    packets: u32,
    octets: u32,
}

/// Which slots are reported on.
#[derive(Clone, Copy)]
enum Which {
    /// Those that sent since the last report.
    Fresh,
    /// Those that switched.
    Hurried,
}

impl Which {
    fn takes(self, account: &mut SlotAccount) -> bool {
        match self {
            Which::Fresh => {
                let fresh = std::mem::take(&mut account.fresh);
                if !fresh {
                    // The receiver's last report was of a time when something came.
                    (account.reported_jitter, account.reported_fraction) = (0, 0.0);
                }
                fresh
            }
            Which::Hurried => {
                let owed = account.hurry > 0;
                account.hurry = account.hurry.saturating_sub(1);
                owed
            }
        }
    }
}

fn sender_reports(
    now: Instant,
    clock: Clock,
    peers: &mut Peers,
    index: PeerIndex,
    which: Which,
) -> Vec<SlotReport> {
    let ntp = clock.ntp(now);
    let Some(Subscriber { video, audio, .. }) = peers.subscribers.get_mut(index) else {
        return Vec::new();
    };
    let video = video.iter_mut().map(|video| {
        let slot = &video.slot;
        // What began and was taken back before it left is on no timeline yet.
        let current = slot.current().filter(|origin| slot.rewriter.origin() == Some(*origin));
        (slot.rtp.ssrc, current, slot.rewriter.timestamp_offset(), &mut video.account, 90_000)
    });
    let audio = audio.iter_mut().map(|audio| {
        let slot = &audio.slot;
        (slot.rtp.ssrc, slot.current(), slot.rewriter.timestamp_offset(), &mut audio.account, 48_000)
    });
    let mut reports = Vec::new();
    for (ssrc, origin, offset, account, rate) in video.chain(audio) {
        if !which.takes(account) {
            continue;
        }
        let publisher = origin.and_then(|origin| peers.publishers.get(origin.publisher));
        let layer = origin.zip(publisher).and_then(|(o, p)| p.layer(o.kind, o.layer));
        let Some((timestamp, offset)) = capture_timestamp(ntp, publisher, layer, rate).zip(offset) else {
            continue;
        };
        let (packets, octets) = (account.packets as u32, account.octets as u32);
        reports.push(SlotReport { ssrc, ntp, rtp: timestamp.wrapping_add(offset), packets, octets });
    }
    reports
}

/// The layer's own timestamp at our time `ntp`: through the publisher's clock where its reports have given it. All
/// streams of a publisher share one clock offset, so lips stay in sync.
fn capture_timestamp(
    ntp: NtpTime,
    publisher: Option<&Publisher>,
    layer: Option<&Layer>,
    rate: u32,
) -> Option<u32> {
    let offset = publisher?.clock_offset_s?;
    let (report_ntp, report_rtp) = layer?.last_report?;
    let since_report = ntp.seconds_since(report_ntp) - offset;
    Some(report_rtp.wrapping_add((since_report * f64::from(rate)) as i64 as u32))
}
