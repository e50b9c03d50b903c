//! What receivers report of their lines, and what is tried on them.

use super::work::Work;
use super::{Engine, backlog, speech};
use crate::forward::packet::{Origin, Pending};
use crate::ids::PeerIndex;
use crate::net::PathKind;
use crate::peer::line::Line;
use crate::peer::publisher::Publisher;
use crate::peer::queue::SendRank;
use crate::peer::subscriber::Subscriber;
use crate::peer::{Peers, Table};
use rtp::rtcp::TransportReport;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// What a receiver estimates (REMB) is believed between these: a voice has to leave, and no line here carries more.
const REMB_BPS: RangeInclusive<u64> = 30_000..=1_000_000_000;
/// A line is divided among slots no more often than this.
const DIVIDE_EVERY: Duration = Duration::from_millis(200);

impl Engine {
    /// Which of a receiver's packets have arrived, and when.
    pub(super) fn on_arrivals(&mut self, now: Instant, index: PeerIndex, report: &TransportReport) {
        let path = self.peers.lines.get(index).and_then(Line::path);
        let in_order = path.is_some_and(|path| path.kind == PathKind::Tcp);
        let Some(subscriber) = self.peers.subscribers.get_mut(index) else {
            return;
        };
        let summary = subscriber.history.on_feedback(now, report);
        subscriber.estimator.on_feedback(now, &summary, in_order);
        subscriber.losses.on_feedback(now, &summary);
        speech::follow(now, self.peers.lines.get(index), subscriber);
        let waits = subscriber.visit_at.is_some();
        probe(now, subscriber);
        self.dirty.mark(SendRank::Padding, &mut subscriber.queue, index);
        if waits {
            self.visit(now, index);
        }
        self.divide_again(now, index);
    }

    /// A receiver estimates its line by itself: that counts where it reports no arrivals.
    pub(super) fn on_remb(&mut self, now: Instant, index: PeerIndex, bps: u64) {
        if let Some(subscriber) = self.peers.subscribers.get_mut(index) {
            subscriber.remb_bps = Some(bps.clamp(*REMB_BPS.start(), *REMB_BPS.end()));
        }
        self.divide_again(now, index);
    }

    /// A line that is believed to carry something else than before is divided again.
    fn divide_again(&mut self, now: Instant, index: PeerIndex) {
        let Some(subscriber) = self.peers.subscribers.get(index) else {
            return;
        };
        let line_bps = subscriber.line().map(|line| line.bps as u64);
        let divided = subscriber.shared_at.is_some_and(|at| now.saturating_duration_since(at) < DIVIDE_EVERY);
        if line_bps.is_some_and(|bps| !divided && subscriber.share.is_outdated(bps)) {
            self.stale_room_of(index);
        }
    }

    /// Once a second: lines that say nothing, slots that may be raised by now, stills that are due.
    pub(super) fn look_at_lines(&mut self, now: Instant) {
        let indices: Vec<PeerIndex> = self.peers.indices().collect();
        for index in indices {
            let Peers { subscribers, publishers, .. } = &mut self.peers;
            let Some(subscriber) = subscribers.get_mut(index) else {
                continue;
            };
            follow_pages(now, publishers, subscriber);
            self.at_work.begin(Work::Peer(index));
            subscriber.estimator.on_second(now, subscriber.history.in_flight());
            let short = subscriber.share.is_short;
            let still = next_still(now, subscriber);
            if let Some(origin) = still {
                self.request_key_for(now, index, origin);
            }
            if short {
                self.stale_room_of(index);
            }
        }
        self.at_work.resume(Work::Own);
    }
}

/// A still of a page that was turned since is outdated.
fn follow_pages(now: Instant, publishers: &Table<Publisher>, subscriber: &mut Subscriber) {
    for video in &mut subscriber.video {
        let layer = video.slot.target().and_then(|origin| publishers.layer(origin));
        let turned = layer.and_then(|layer| layer.pages.turned_at());
        let since = turned.map(|at| now.saturating_duration_since(at));
        if since.is_some_and(|since| video.slot.still_age(now).is_some_and(|age| since < age)) {
            video.slot.miss_still();
        }
    }
}

/// The layer of which the next still is due: of the highest rank first, then of the slot that has waited longest. Of one at a
/// time, since each fills the line for a while: not while the last one still waits for it.
fn next_still(now: Instant, subscriber: &Subscriber) -> Option<Origin> {
    if backlog::stands(now, subscriber) {
        return None;
    }
    let due = subscriber.video.iter().filter_map(|video| {
        let (origin, (_, standing)) = video.slot.target().zip(video.wanted)?;
        Some((standing.rank(), video.slot.still_due(now)?, origin))
    });
    due.max_by_key(|(rank, age, _)| (*rank, *age)).map(|(_, _, origin)| origin)
}

/// Queues the probe that is due, as padding on the first slot that has RTX. Where none has, frames stand in for it.
fn probe(now: Instant, subscriber: &mut Subscriber) {
    // Frames that wait may fill the line; but at the start they wait because nothing is known of it.
    let waits = backlog::stands(now, subscriber) && !subscriber.estimator.is_in_series();
    if waits || subscriber.queue.age(now, SendRank::Padding).is_some() {
        return;
    }
    let slot = subscriber.video.iter().zip(0..).find(|(video, _)| video.slot.rtp.rtx_ssrc.is_some());
    let padding = slot
        .map(|(video, slot)| Pending::padding(now, slot, video.slot.rewriter.timestamp_by_arrival(now, 0)));
    let share = &subscriber.share;
    let probe = subscriber.estimator.poll_probe(now, share.useful_bps() as f64, share.is_short);
    match (probe, padding) {
        (None, _) => {}
        (Some(probe), Some(padding)) => {
            let count = subscriber.pacer.begin_probe(now, probe);
            subscriber.queue.push(SendRank::Padding, Pending { count, ..padding });
        }
        (Some(_), None) => subscriber.estimator.probe_by_frames(now),
    }
}
