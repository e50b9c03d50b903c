//! What one endpoint receives: its slots, what waits to be sent, what was sent.

use super::ladder::Ladder;
use super::layer::VIDEO_SLAB;
use super::queue::{SendQueue, SendRank};
use super::rtp_codec;
use crate::bandwidth::estimate::Estimator;
use crate::bandwidth::history::SendHistory;
use crate::bandwidth::losses::Losses;
use crate::bandwidth::pacer::{Believed, Pacer};
#[cfg(debug_assertions)]
use crate::forward::guard::Guard;
use crate::forward::key_budget::KeyBudget;
use crate::forward::packet::{Origin, Pending};
use crate::forward::parameters::RtpParameters;
use crate::forward::red::Redundancy;
use crate::forward::resend::{ResendBudget, Resent};
use crate::forward::rewrite::Rewriter;
use crate::forward::switch::{AudioSlot, VideoSlot};
use crate::forward::write::EgressExtensions;
use crate::ids::{SlotId, Source, SourceKind};
use crate::room::allocate::percent;
use crate::room::audio::Carried;
use crate::room::mixing::Mixing;
use crate::room::share::Share;
use crate::room::shed::{Measure, Standing};
use crate::sdp::{Negotiated, Section, SectionRole};
use crate::shortfall::Limit;
use rand::{Rng, RngCore};
use rtp::codec::Codec;
use rtp::ids::Ssrc;
use rtp::sequence::Sequence;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Assumed of a line before its first feedback, as in libwebrtc: one that carries more is found within a second, and one
/// that carries less is not flooded until then.
const START_BPS: u64 = 300_000;
/// Of a line that is known so much, in hundredths; more than the most is found within a second.
const CAREFUL: u64 = 70;
const MOST_START_BPS: u64 = 2_000_000;

/// Sent counters and the receiver's last report of one slot.
#[derive(Debug, Default)]
pub struct SlotAccount {
    pub packets: u64,
    pub octets: u64,
    pub frames: u64,
    /// Octets at the last statistics.
    pub counted: u64,
    pub reported_lost: i64,
    pub reported_jitter: u32,
    pub reported_fraction: f64,
    /// The highest number, with its cycles; none before the first report.
    pub reported_highest: Option<u32>,
    /// The receiver has reported on the slot's SSRC, so it knows which section it belongs to.
    pub acknowledged: bool,
    /// Sent since the last report, so that a silent slot sends no sender reports.
    pub fresh: bool,
    /// Sender reports still to be sent soon, because of a switch.
    pub hurry: u8,
    #[cfg(debug_assertions)]
    pub guard: Guard,
}

#[derive(Debug)]
pub struct Video {
    pub slot: VideoSlot,
    pub resent: Resent,
    pub account: SlotAccount,
    /// The highest number that has left.
    pub newest_sealed: Option<Sequence>,
    /// As reported by `Event::SlotShows`.
    pub shown: Option<Source>,
    /// What it shows when the worker can keep up, and its position in the order in which video is shed.
    pub wanted: Option<(Origin, Standing)>,
    /// What it shows of that, and what the worker would let it show.
    pub measure: Measure,
    pub shed: Measure,
    pub ladder: Ladder,
    /// As reported by `Event::SlotLimited`.
    pub limit: Option<Limit>,
    /// A key frame of this layer has been asked for before the line was there.
    pub asked_ahead: Option<Origin>,
}

impl Video {
    fn give_up(&mut self) {
        #[cfg(debug_assertions)]
        self.account.guard.give_up();
    }
}

#[derive(Debug)]
pub struct Audio {
    pub slot: AudioSlot,
    pub account: SlotAccount,
    pub carries: Option<Carried>,
}

#[derive(Debug)]
pub struct Subscriber {
    pub video: Vec<Video>,
    pub audio: Vec<Audio>,
    /// So many video slots have an audio slot beside them, which carries the same source.
    pub pairs: usize,
    pub extensions: EgressExtensions,
    pub queue: SendQueue,
    pub history: SendHistory,
    pub estimator: Estimator,
    /// It was here before: what its line carries is known from the first packet.
    is_known: bool,
    /// What a receiver that reports no arrivals said last of its line (REMB).
    pub remb_bps: Option<u64>,
    pub pacer: Pacer,
    /// How its line is used, and when that was decided.
    pub share: Share,
    pub shared_at: Option<Instant>,
    /// When it is visited because something waits for its line.
    pub visit_at: Option<Instant>,
    pub losses: Losses,
    pub redundancy: Redundancy,
    pub mixing: Mixing,
    /// SSRC of the first slot, under which everything that concerns no slot is reported.
    pub report_ssrc: Ssrc,
    pub nacks: u64,
    pub plis: u64,
    pub rtx_packets: u64,
    /// Of all video slots, without RTX.
    pub video_octets: u64,
    pub resend_budget: ResendBudget,
    pub key_budget: KeyBudget,
    /// A slot waits for a key frame that the budget did not allow to be asked for.
    pub waits_for_key: bool,
}

/// What is assumed of a line, where it is known what it carried before.
fn start_bps(known_bps: Option<u64>) -> u64 {
    known_bps.map_or(START_BPS, |bps| percent(bps, CAREFUL).min(MOST_START_BPS))
}

impl Subscriber {
    pub fn new(
        now: Instant,
        negotiated: &Negotiated,
        known_bps: Option<u64>,
        rng: &mut dyn RngCore,
    ) -> Subscriber {
        let mut subscriber = Subscriber {
            video: Vec::new(),
            audio: Vec::new(),
            pairs: 0,
            extensions: EgressExtensions::new(&negotiated.slot_extensions()),
            queue: SendQueue::default(),
            history: SendHistory::new(),
            estimator: Estimator::new(start_bps(known_bps)),
            is_known: known_bps.is_some(),
            remb_bps: None,
            pacer: Pacer::default(),
            share: Share::default(),
            shared_at: None,
            visit_at: None,
            losses: Losses::default(),
            redundancy: Redundancy::default(),
            mixing: Mixing::default(),
            report_ssrc: Ssrc(1),
            nacks: 0,
            plis: 0,
            rtx_packets: 0,
            video_octets: 0,
            resend_budget: ResendBudget::new(now),
            key_budget: KeyBudget::default(),
            waits_for_key: false,
        };
        subscriber.extend(negotiated, rng);
        subscriber
    }

    /// Adds the slots a later offer brought; those that exist send on what is negotiated for them now.
    pub fn extend(&mut self, negotiated: &Negotiated, rng: &mut dyn RngCore) {
        self.pairs = usize::from(negotiated.pairs);
        let video = self.video.iter_mut().map(|video| &mut video.slot.rtp).zip((0..).map(SlotId::Video));
        let audio = self.audio.iter_mut().map(|audio| &mut audio.slot.rtp).zip((0..).map(SlotId::Audio));
        for (parameters, slot) in video.chain(audio) {
            if let Some(now) = parameters_of(negotiated, slot) {
                *parameters = now;
            }
        }
        self.extend_video(negotiated, rng);
        self.extend_audio(negotiated, rng);
        let first = negotiated.sections.iter().find_map(|section| section.slot_ssrc);
        self.report_ssrc = first.map_or(Ssrc(1), |(ssrc, _)| ssrc);
    }

    fn extend_video(&mut self, negotiated: &Negotiated, rng: &mut dyn RngCore) {
        while let Some(parameters) = parameters_of(negotiated, SlotId::Video(self.video.len() as u16)) {
            let rewriter = Rewriter::new(Codec::Vp8.clock_rate(), rng.random::<u16>() >> 1);
            self.video.push(Video {
                slot: VideoSlot::new(parameters, rewriter),
                resent: Resent::new(VIDEO_SLAB),
                account: SlotAccount::default(),
                newest_sealed: None,
                shown: None,
                wanted: None,
                measure: Measure::default(),
                shed: Measure::default(),
                ladder: Ladder::default(),
                limit: None,
                asked_ahead: None,
            });
        }
    }

    fn extend_audio(&mut self, negotiated: &Negotiated, rng: &mut dyn RngCore) {
        while let Some(parameters) = parameters_of(negotiated, SlotId::Audio(self.audio.len() as u16)) {
            let rewriter = Rewriter::new(Codec::Opus.clock_rate(), rng.random::<u16>() >> 1);
            self.audio.push(Audio {
                slot: AudioSlot::new(parameters, rewriter),
                account: SlotAccount::default(),
                carries: None,
            });
        }
    }

    /// Sender reports of some slot are due soon.
    pub fn is_hurried(&self) -> bool {
        let video = self.video.iter().map(|video| &video.account);
        video.chain(self.audio.iter().map(|audio| &audio.account)).any(|account| account.hurry > 0)
    }

    /// The line is gone: throws away what waits for it and returns how many packets that was.
    pub fn clear(&mut self) -> u64 {
        let lost = SendRank::ALL.map(|rank| {
            let mut waiting = self.queue.take(rank);
            let lost = self.throw_away(rank, &mut waiting);
            self.queue.give_back(rank, waiting);
            lost
        });
        lost.into_iter().fold(0, u64::saturating_add)
    }

    /// Throws away what waits in this rank of the subscriber's queue, whose numbers are used up, and returns how many
    /// packets that was. They can be NACKed; a receiver that never got the slot's first ones asks for a key frame.
    pub fn throw_away(&mut self, rank: SendRank, waiting: &mut VecDeque<Pending>) -> u64 {
        if rank == SendRank::Video {
            waiting.iter().for_each(|pending| self.give_up(pending.slot));
        }
        let lost = waiting.iter().map(|pending| u64::from(pending.count)).sum();
        waiting.clear();
        lost
    }

    /// Takes back what waits for a video slot, but for the first packets of each entry of its queue that are to be
    /// `kept`; the numbers are given again. True when anything was taken back. What the slot shows next begins with a
    /// key frame.
    pub fn withdraw(&mut self, slot: u16, kept: impl FnMut(&Pending) -> u16) -> bool {
        let (first, last) = self.queue.take_out(SendRank::Video, slot, kept);
        let Some((first, video)) = first.zip(self.video.get_mut(usize::from(slot))) else {
            return false;
        };
        let gone = video.newest_sealed.max(last).map(Sequence::next);
        video.slot.rewriter.rewind(gone.map_or(first, |gone| gone.max(first)));
        true
    }

    /// What waits for a video slot may not leave any more.
    pub fn forget(&mut self, slot: u16) {
        for rank in [SendRank::Resend, SendRank::Padding] {
            self.queue.take_out(rank, slot, |_| 0);
        }
        self.withdraw(slot, |_| 0);
    }

    /// What its line is believed to carry; `None` where the client neither reports arrivals nor estimates by itself.
    #[inline]
    pub fn line(&self) -> Option<Believed> {
        if self.extensions.transport_sequence.is_none() {
            let told = |bps| Believed { bps: bps as f64, most_in_flight: u64::MAX, in_flight: 0 };
            return self.remb_bps.map(told);
        }
        self.estimator.believed(self.history.in_flight())
    }

    /// Whether what its line is believed to carry is more than the guess it begins with: it was known, it is less than the
    /// guess, or probes have looked for more.
    pub fn knows_its_line(&self) -> bool {
        if self.extensions.transport_sequence.is_none() {
            return self.remb_bps.is_some();
        }
        let has_probed = self.estimator.estimate_bps().is_some() && !self.estimator.is_in_series();
        self.is_known || has_probed || self.estimator.bps() < START_BPS as f64
    }

    /// The line's rate, as far as anything is known of it.
    pub fn estimate_bps(&self) -> Option<u64> {
        self.estimator.estimate_bps().or(self.remb_bps)
    }

    /// A number of a video slot is used up and never leaves.
    pub fn give_up(&mut self, slot: u16) {
        if let Some(video) = self.video.get_mut(usize::from(slot)) {
            video.give_up();
        }
    }

    /// The video slot that sends with `ssrc`.
    pub fn video_by_ssrc(&self, ssrc: Ssrc) -> Option<usize> {
        self.video.iter().position(|video| video.slot.rtp.ssrc == ssrc)
    }

    /// The account of a slot, among those that show sources of this kind.
    pub fn account(&mut self, kind: SourceKind, slot: u16) -> Option<&mut SlotAccount> {
        let slot = usize::from(slot);
        match kind {
            SourceKind::Microphone => self.audio.get_mut(slot).map(|audio| &mut audio.account),
            SourceKind::Camera | SourceKind::Content => {
                self.video.get_mut(slot).map(|video| &mut video.account)
            }
        }
    }

    /// The account of the slot that sends media with `ssrc`.
    pub fn account_by_ssrc(&mut self, ssrc: Ssrc) -> Option<&mut SlotAccount> {
        if let Some(index) = self.video_by_ssrc(ssrc) {
            return self.video.get_mut(index).map(|video| &mut video.account);
        }
        let audio = self.audio.iter_mut().find(|audio| audio.slot.rtp.ssrc == ssrc);
        audio.map(|audio| &mut audio.account)
    }

    /// How long a resent packet may still be on its way.
    pub fn resend_patience(rtt: Duration) -> Duration {
        rtt.max(Duration::from_millis(10))
    }
}

/// What the section of a slot sends with: nothing while it is inactive or has no codec of ours.
fn parameters_of(negotiated: &Negotiated, slot: SlotId) -> Option<RtpParameters> {
    let is_slot = |section: &&Section| section.role == SectionRole::Slot(slot);
    let section = negotiated.sections.iter().find(is_slot)?;
    let (ssrc, rtx_ssrc) = section.slot_ssrc?;
    let codecs = section.codecs.iter().filter(|_| section.active).take(8).map(rtp_codec);
    Some(RtpParameters { ssrc, rtx_ssrc, mid: section.mid, codecs: codecs.collect() })
}
