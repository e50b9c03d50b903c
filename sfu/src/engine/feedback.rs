//! RTCP that comes in: reports, retransmission and key frame requests, transport-wide feedback.

use super::{Engine, speech};
use crate::discard::DropReason;
use crate::forward::packet::{Mapped, Origin, Pending};
use crate::forward::resend::ResendBudget;
use crate::ids::{PeerIndex, SourceKind};
use crate::peer::Table;
use crate::peer::layer::Route;
use crate::peer::publisher::Publisher;
use crate::peer::queue::SendRank;
use crate::peer::subscriber::{Subscriber, Video};
use crate::room::shed::Measure;
use rtp::ids::Ssrc;
use rtp::ntp::NtpTime;
use rtp::rtcp::{self, Feedback, ReportBlock, SenderReport};
use std::time::{Duration, Instant};

impl Engine {
    pub(super) fn handle_rtcp(
        &mut self,
        now: Instant,
        index: PeerIndex,
        packet: &[u8],
    ) -> Result<(), DropReason> {
        for feedback in rtcp::parse_compound(packet)? {
            self.take_feedback(now, index, feedback);
        }
        Ok(())
    }

    fn take_feedback(&mut self, now: Instant, index: PeerIndex, feedback: Feedback) {
        match feedback {
            Feedback::SenderReport(report) => {
                self.on_sender_report(now, index, &report);
                self.on_reports(now, index, &report.reports);
            }
            Feedback::ReceiverReport { reports, .. } => self.on_reports(now, index, &reports),
            Feedback::Nack { media, sequences } => self.on_nack(now, index, media, &sequences),
            Feedback::Pli { media } | Feedback::Fir { media } => self.on_key_request(now, index, media),
            Feedback::TransportFeedback(report) => self.on_arrivals(now, index, &report),
            Feedback::Remb { bps } => self.on_remb(now, index, bps),
            Feedback::Bye { .. } => {}
        }
    }

    /// Ties the layer's timestamps to the publisher's clock, and that clock to ours.
    fn on_sender_report(&mut self, now: Instant, index: PeerIndex, report: &SenderReport) {
        let ours = self.config.clock.ntp(now);
        let Some(publisher) = self.peers.publishers.get_mut(index) else {
            return;
        };
        let Some(stream) = publisher.stream_of(report.ssrc).filter(|stream| !stream.rtx) else {
            return;
        };
        let offset = ours.seconds_since(report.ntp);
        // The report that was fastest on its way gives the best offset; a clock that was set is followed at once.
        let known = publisher.clock_offset_s;
        let jumped = known.is_some_and(|known| (known - offset).abs() > CLOCK_JUMP_S);
        let believed = known.filter(|_| !jumped).map_or(offset, |known| known.min(offset));
        publisher.clock_offset_s = Some(believed);
        let mut news = known.is_some_and(|known| (known - believed).abs() > CLOCK_NEWS_S);
        if let Some(layer) = publisher.layer_mut(stream.kind, stream.layer) {
            layer.stream.on_sender_report(now, report.ntp, report.rtp);
            news |= layer.last_report.replace((report.ntp, report.rtp)).is_none();
        }
        if news {
            self.hurry_reports(now, index);
        }
    }

    /// The capture time of a source was not known until now, or what was reported of it is wrong: every slot that shows
    /// its publisher gets a sender report soon, instead of within a second. A slot that has reports due already gets
    /// those.
    fn hurry_reports(&mut self, now: Instant, index: PeerIndex) {
        let Some(publisher) = self.peers.publishers.get(index) else {
            return;
        };
        let tracks = publisher.tracks.iter().flatten();
        let layers = tracks.flat_map(|track| track.layers.iter().map(|layer| (track.kind, layer)));
        let shown = layers.flat_map(|(kind, layer)| layer.routes.iter().map(move |route| (kind, *route)));
        let routes: Vec<(SourceKind, Route)> = shown.collect();
        for (kind, route) in routes {
            let subscriber = self.peers.subscribers.get_mut(route.subscriber);
            let account = subscriber.and_then(|subscriber| subscriber.account(kind, route.slot));
            if account.is_some_and(|account| account.hurry == 0) {
                self.report_switches(now, kind, &[route]);
            }
        }
    }

    /// The peer's report blocks about what we send it.
    fn on_reports(&mut self, now: Instant, index: PeerIndex, reports: &[ReportBlock]) {
        let ours = self.config.clock.ntp(now);
        let mut rtt = None;
        let Some(subscriber) = self.peers.subscribers.get_mut(index) else {
            return;
        };
        for block in reports {
            rtt = round_trip(ours, block).or(rtt);
            if let Some(account) = subscriber.account_by_ssrc(block.ssrc) {
                account.acknowledged = true;
                let (expected, lost) = speech::since_last(account, block);
                account.reported_lost = i64::from(block.cumulative_lost);
                account.reported_jitter = block.jitter;
                account.reported_fraction = f64::from(block.fraction_lost) / 256.0;
                subscriber.losses.on_report(now, expected, lost);
            }
        }
        speech::follow(now, self.peers.lines.get(index), subscriber);
        if let Some(identity) = self.peers.identities.get_mut(index)
            && let Some(rtt) = rtt
        {
            identity.on_rtt(rtt);
        }
    }

    fn on_nack(&mut self, now: Instant, index: PeerIndex, media: Ssrc, sequences: &[u16]) {
        let patience = Subscriber::resend_patience(self.peers.rtt_or_default(index));
        let Some(subscriber) = self.peers.subscribers.get_mut(index) else {
            return;
        };
        subscriber.nacks = subscriber.nacks.wrapping_add(sequences.len() as u64);
        let Some(slot) = subscriber.video_by_ssrc(media) else {
            return;
        };
        let line = subscriber.line();
        // Nothing new follows on a shed slot, so nothing old is missed. What a line has no room for now is seen until it has.
        let answers = |video: &&mut Video| video.shed != Measure::Held && video.slot.rtp.rtx_ssrc.is_some();
        let Some(video) = subscriber.video.get_mut(slot).filter(answers) else {
            return;
        };
        let line_bps = line.map(|line| line.bps);
        let budget = &mut subscriber.resend_budget;
        budget.refill(now, subscriber.video_octets, line_bps);
        let (asked, refused) = sequences.split_at(video.resent.open_turn(now, sequences.len()));
        self.stats.drops.add(DropReason::ResendRefused, refused.len() as u64);
        for sequence in asked {
            match resend(now, &self.peers.publishers, (slot, &mut *video), *sequence, patience, budget) {
                Ok(Some(pending)) => subscriber.queue.push(SendRank::Resend, pending),
                Ok(None) => {}
                Err(reason) => self.stats.drops.count(reason),
            }
        }
        self.dirty.mark(SendRank::Resend, &mut subscriber.queue, index);
    }

    /// A receiver cannot go on without a key frame.
    fn on_key_request(&mut self, now: Instant, index: PeerIndex, media: Ssrc) {
        let Some(subscriber) = self.peers.subscribers.get_mut(index) else {
            return;
        };
        subscriber.plis = subscriber.plis.wrapping_add(1);
        let Some(slot) = subscriber.video_by_ssrc(media) else {
            return;
        };
        // A still takes its time on a narrow line.
        let waits =
            subscriber.queue.holds(SendRank::Video, slot) || subscriber.queue.holds(SendRank::Resend, slot);
        let Some(video) = subscriber.video.get_mut(slot) else {
            return;
        };
        if !waits && video.slot.still_age(now) > Some(STILL_COMES_WITHIN) {
            video.slot.miss_still();
        }
        // Stills come by themselves, and of what is held nothing comes.
        let moves = video.measure < Measure::Stills;
        if let Some(origin) = video.slot.current().or(video.slot.target()).filter(|_| moves) {
            self.request_key_for(now, index, origin);
        }
    }

    /// Requests a key frame, charged to a receiver's budget. It is free while another receiver waits for one as well.
    /// False when the budget is used up.
    pub(super) fn request_key_for(&mut self, now: Instant, receiver: PeerIndex, origin: Origin) -> bool {
        let Some(layer) = self.peers.publishers.layer(origin) else {
            return true;
        };
        if layer.keyframe.is_wanted() {
            return true;
        }
        let subscriber = self.peers.subscribers.get_mut(receiver);
        if subscriber.is_some_and(|subscriber| !subscriber.key_budget.take(now, origin)) {
            self.stats.drops.count(DropReason::KeyframeRefused);
            return false;
        }
        self.request_key(now, origin);
        true
    }
}

/// During a meeting NTP slews a wall clock that is off by less than this, and does not set it.
const CLOCK_JUMP_S: f64 = 2.0;
/// A clock that moves by more than this is news: half of what lips may be early (ITU-R BT.1359: 45 ms).
const CLOCK_NEWS_S: f64 = 0.02;

/// A receiver that has waited for a packet so long gives the frame up: Chromium asks for a key frame after three seconds
/// without a frame, and the packet still has to cross the line.
const PLAYABLE: Duration = Duration::from_millis(2500);

/// And the still of a slot that shows no more, which takes its time on a narrow line: a page that is presented 6 s at 24
/// kbit/s. It stays of use until the next one.
const STILL_PLAYABLE: Duration = Duration::from_secs(16);
/// A receiver that asks for a key frame so long after a still has not got it.
const STILL_COMES_WITHIN: Duration = Duration::from_secs(3);

/// Round trip from LSR and DLSR, RFC 3550 section 6.4.1.
fn round_trip(now: NtpTime, block: &ReportBlock) -> Option<Duration> {
    if block.last_sr == 0 {
        return None;
    }
    let elapsed = now.middle().wrapping_sub(block.last_sr).wrapping_sub(block.delay_since_last_sr);
    // A difference just below zero is clock granularity; a large one is nonsense from the peer.
    if elapsed >= 1 << 31 {
        return Some(Duration::ZERO);
    }
    let rtt = Duration::from_secs_f64(f64::from(elapsed) / 65_536.0);
    (rtt < Duration::from_secs(60)).then_some(rtt)
}

/// The packet to resend for one NACKed number; `None` where that number was never sent on the slot.
fn resend(
    now: Instant,
    publishers: &Table<Publisher>,
    (slot, video): (usize, &mut Video),
    number: u16,
    patience: Duration,
    budget: &mut ResendBudget,
) -> Result<Option<Pending>, DropReason> {
    if !budget.take_question() {
        return Err(DropReason::ResendRefused);
    }
    let next_out = video.slot.rewriter.next_out();
    let sequence_out = next_out.nearest(number);
    if !video.resent.reaches(next_out, sequence_out) {
        return Err(DropReason::TooOld);
    }
    let Some((origin, sequence_in, offsets)) = video.slot.rewriter.invert(sequence_out) else {
        return Ok(None);
    };
    let layer = publishers.layer(origin).ok_or(DropReason::TooOld)?;
    let (meta, stored) = layer.slab.get(sequence_in).ok_or(DropReason::TooOld)?;
    // A newer key frame has replaced it, or it comes too late to be played. What a slot showed last, before it showed stills
    // or nothing new, is seen until the next one it shows, whichever key frames others ask for; and of what is presented each
    // frame may hold what still stands there.
    let is_seen = origin.kind == SourceKind::Content || video.slot.shows_last(origin, meta.timestamp);
    let stands = video.measure >= Measure::Stills && is_seen;
    let is_replaced = video.slot.current() != Some(origin) || layer.last_key > Some(sequence_in);
    let playable = if stands { STILL_PLAYABLE } else { PLAYABLE };
    if (is_replaced && !stands) || layer.age(now, meta) > playable {
        return Err(DropReason::TooOld);
    }
    if video.resent.is_on_its_way(now, sequence_out, patience) || !budget.take_packet(stored.len()) {
        return Err(DropReason::ResendRefused);
    }
    video.resent.remember(now, sequence_out);
    let mapped = Mapped { sequence_out, offsets };
    Ok(Some(Pending::one(now, origin, sequence_in, slot as u16, mapped)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(last_sr: u32, delay: u32) -> ReportBlock {
        ReportBlock {
            ssrc: Ssrc(1),
            fraction_lost: 0,
            cumulative_lost: 0,
            highest_sequence: 0,
            jitter: 0,
            last_sr,
            delay_since_last_sr: delay,
        }
    }

    #[test]
    fn round_trips_survive_nonsense() {
        let now = NtpTime(100 << 32);
        let sent = (90u32) << 16;
        assert_eq!(round_trip(now, &block(sent, 9 << 16)), Some(Duration::from_secs(1)));
        assert_eq!(round_trip(now, &block(0, 0)), None, "no report seen yet");
        assert_eq!(round_trip(now, &block(sent, 11 << 16)), Some(Duration::ZERO));
        assert_eq!(round_trip(NtpTime(1000 << 32), &block(1, 0)), None, "a quarter of an hour");
    }
}
