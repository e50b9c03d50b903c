//! Looking for what a line carries beyond what is sent: a few packets in a row, faster than the estimate, whose arrival
//! shows it. After libwebrtc's `ProbeController` and `ProbeBitrateEstimator`, from which the constants are where nothing
//! else is said.

use super::history::Acknowledged;
use std::time::{Duration, Instant};

/// A probe lasts for this, and has so many packets at least: fewer say nothing of a rate.
const LASTS: Duration = Duration::from_millis(15);
const LEAST_PACKETS: usize = 5;
/// At the start the line is tried with these multiples of what is assumed.
const FIRST: [f64; 2] = [3.0, 6.0];
/// Later with so much of the estimate, and again with so much of what was found.
const FURTHER: f64 = 2.0;
/// A probe of which less than this share came through is at the line's end.
const CAME: f64 = 0.7;
/// Such a line is used to this share, so that the queue that the probe has left can empty.
const SATURATED: f64 = 0.95;
/// It has to have come slower than this share of the speed at which it was sent.
const SLOWER: f64 = 0.9;
/// A series goes on while each probe finds so much more than the one before, and until so much of what is looked for is
/// known: else a line that carries enough would be probed without an end.
const FOUND_MORE: f64 = 1.1;
const ENOUGH_KNOWN: f64 = 0.85;
/// Of its packets and bytes so much has to arrive, or nothing is said.
const ENOUGH: f64 = 0.8;
/// A probe that was not answered in this time is given up.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a line is tried on which less is sent than it is believed to carry.
const EVERY_LIMITED: Duration = Duration::from_secs(5);
/// And one of which more would be made use of: what is sent goes up in steps, and may fill it at none of them. (Media that
/// adapts in libwebrtc fills a line by itself.)
const EVERY_SHORT: Duration = Duration::from_secs(2);
/// A line that is used up is tried where frames came through so much faster than the estimate, and no sooner than this
/// after the last time. (libwebrtc does not; it climbs by 8 % a second then.)
const FASTER: f64 = 1.3;
const EVERY: Duration = Duration::from_millis(500);
/// After a drop ends the line is tried with this share of what it carried before, not later than so long after it.
const BACK: f64 = 0.85;
const DROP: f64 = 0.66;
const REMEMBERS: Duration = Duration::from_secs(10);

/// What is to be sent in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// Goes into the history of departures; never 0.
    pub id: u8,
    pub bps: f64,
    pub bytes: usize,
    pub packets: usize,
}

/// What is known of a line when it may be time for a probe.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub estimate_bps: f64,
    /// As much as could be made use of: nothing above it is looked for.
    pub wanted_bps: f64,
    /// There is no queue.
    pub calm: bool,
    /// Less is sent than the line is believed to carry.
    pub limited: bool,
    /// More would be sent if the line were believed to carry it.
    pub short: bool,
    /// What frames that left in one burst came through at.
    pub train_bps: Option<f64>,
}

/// What has come of a probe.
#[derive(Debug, Default)]
struct Seen {
    packets: usize,
    bytes: u64,
    /// What left between its packets shares the line with them; after the last one nothing does.
    between: u64,
    waiting: u64,
    sent: Option<(i64, i64)>,
    received: Option<(i64, i64)>,
    first_bytes: u32,
    last_bytes: u32,
}

/// A probe on its way.
#[derive(Debug)]
struct Open {
    probe: Probe,
    at: Instant,
    seen: Seen,
}

#[derive(Debug, Default)]
pub struct Prober {
    /// Still to be tried, the next one first.
    queue: Vec<f64>,
    open: Option<Open>,
    last: Option<Instant>,
    last_id: u8,
    /// What the last probe of this series has found.
    found: f64,
    /// What the line carried before it fell, and when it fell.
    before_drop: Option<(f64, Instant)>,
    began: bool,
}

impl Prober {
    /// The estimate was lowered from `from_bps` because a queue grew.
    pub fn on_drop(&mut self, now: Instant, from_bps: f64, to_bps: f64) {
        self.queue.clear();
        let known = self.before_drop.filter(|(_, at)| is_recent(now, *at));
        let from = known.map_or(from_bps, |(bps, _)| bps.max(from_bps));
        self.before_drop = (to_bps < from * DROP).then_some((from, now)).or(known);
    }

    /// The probe that is due.
    pub fn poll(&mut self, now: Instant, known: Known) -> Option<Probe> {
        if self.open.as_ref().is_some_and(|open| now.saturating_duration_since(open.at) < PATIENCE) {
            return None;
        }
        if self.open.take().is_some() {
            self.queue.clear();
        }
        if !std::mem::replace(&mut self.began, true) {
            self.queue = FIRST.map(|share| share * known.estimate_bps).to_vec();
        }
        if self.queue.is_empty() {
            self.found = 0.0;
            let due = self.due(now, &known);
            self.queue.extend(due);
        }
        let most = known.wanted_bps * FURTHER;
        let bps = (!self.queue.is_empty()).then(|| self.queue.remove(0).min(most))?;
        (bps > known.estimate_bps && known.estimate_bps < most * ENOUGH_KNOWN).then(|| self.begin(now, bps))
    }

    fn due(&mut self, now: Instant, known: &Known) -> Option<f64> {
        let waited = |time| self.last.is_none_or(|last| now.saturating_duration_since(last) >= time);
        if !known.calm || !waited(EVERY) {
            return None;
        }
        let further = known.estimate_bps * FURTHER;
        if let Some((bps, _)) = self.before_drop.take().filter(|(_, at)| is_recent(now, *at)) {
            return Some(bps * BACK);
        }
        let faster = known.train_bps.filter(|bps| *bps >= known.estimate_bps * FASTER);
        match faster {
            Some(bps) if !known.limited => Some(further.min(bps)),
            _ if known.short && waited(EVERY_SHORT) => Some(further),
            _ => (known.limited && waited(EVERY_LIMITED)).then_some(further),
        }
    }

    fn begin(&mut self, now: Instant, bps: f64) -> Probe {
        let bytes = (bps / 8.0 * LASTS.as_secs_f64()) as usize;
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        let probe = Probe { id: self.last_id, bps, bytes, packets: LEAST_PACKETS };
        self.last = Some(now);
        self.open = Some(Open { probe, at: now, seen: Seen::default() });
        probe
    }

    /// Packets that arrived; returns the rate that a probe has proved.
    pub fn on_packets(&mut self, packets: &[Acknowledged]) -> Option<f64> {
        let open = self.open.as_mut()?;
        for packet in packets {
            if packet.probe == open.probe.id {
                open.seen.add(packet);
            } else {
                open.seen.add_between(packet);
            }
        }
        let (found, came) = open.seen.rate(&open.probe)?;
        self.settle(found, came);
        Some(found)
    }

    /// Probes follow each other, or the first is still to come.
    pub fn is_in_series(&self) -> bool {
        !self.began || !self.queue.is_empty()
    }

    /// Frames take the place of the probe that is due, and came through at this rate: of a receiver to which nothing can
    /// be sent but them. Returns what that proves.
    pub fn by_frames(&mut self, train_bps: Option<f64>) -> Option<f64> {
        let asked = self.open.take()?.probe.bps;
        let found = train_bps? * SATURATED;
        self.settle(found.min(asked), found / asked);
        Some(found.min(asked))
    }

    fn settle(&mut self, found: f64, came: f64) {
        self.open = None;
        // What is tried after this one is of the start, and larger.
        let before = std::mem::replace(&mut self.found, found);
        if came < CAME {
            self.queue.clear();
        } else if self.queue.is_empty() && found > before * FOUND_MORE {
            self.queue.push(found * FURTHER);
        }
    }
}

fn is_recent(now: Instant, at: Instant) -> bool {
    now.saturating_duration_since(at) < REMEMBERS
}

impl Seen {
    fn add(&mut self, packet: &Acknowledged) {
        let widen = |span: Option<(i64, i64)>, at: i64| match span {
            Some((from, until)) => Some((from.min(at), until.max(at))),
            None => Some((at, at)),
        };
        if self.packets == 0 {
            self.first_bytes = packet.bytes;
        }
        self.last_bytes = packet.bytes;
        (self.packets, self.bytes) =
            (self.packets.saturating_add(1), self.bytes.saturating_add(u64::from(packet.bytes)));
        self.between = self.between.saturating_add(std::mem::take(&mut self.waiting));
        (self.sent, self.received) =
            (widen(self.sent, packet.sent_us), widen(self.received, packet.received_us));
    }

    fn add_between(&mut self, packet: &Acknowledged) {
        if self.sent.is_some_and(|(first, _)| packet.sent_us >= first) {
            self.waiting = self.waiting.saturating_add(u64::from(packet.bytes));
        }
    }

    /// The rate found, and which share of the speed came through, when enough has arrived.
    fn rate(&self, probe: &Probe) -> Option<(f64, f64)> {
        let enough_packets = self.packets as f64 >= (probe.packets as f64 * ENOUGH).max(2.0);
        if !enough_packets || (self.bytes as f64) < probe.bytes as f64 * ENOUGH {
            return None;
        }
        let all = self.bytes.saturating_add(self.between);
        let speed = |(from, until): (i64, i64), without: u32| {
            let seconds = until.saturating_sub(from).max(1) as f64 / 1e6;
            all.saturating_sub(u64::from(without)) as f64 * 8.0 / seconds
        };
        let sent = speed(self.sent?, self.last_bytes).min(probe.bps * 1.2);
        let received = speed(self.received?, self.first_bytes);
        let came = received / sent;
        let found = if came < SLOWER { received * SATURATED } else { received };
        Some((found.min(probe.bps), came))
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
