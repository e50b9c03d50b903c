//! Counters and what is reported of them once a second. Values only.
#![warn(missing_docs)]

use crate::discard::DropReason;
use crate::ids::{PeerId, RoomId};
use crate::net::PathKind;
use std::time::Duration;

/// Drops by reason, in the order of `DropReason::ALL`. Totals since start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drops([u64; DropReason::ALL.len()]);

impl Default for Drops {
    fn default() -> Self {
        Drops([0; DropReason::ALL.len()])
    }
}

impl Drops {
    /// One more.
    pub fn count(&mut self, reason: DropReason) {
        self.add(reason, 1);
    }

    /// So many more.
    pub fn add(&mut self, reason: DropReason, packets: u64) {
        if let Some(n) = self.0.get_mut(reason as usize) {
            *n = n.saturating_add(packets);
        }
    }

    /// How many for this reason.
    pub fn get(&self, reason: DropReason) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or_default()
    }

    /// How many for any reason.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// Upper bounds of the delay histograms, in seconds; the last bucket is everything above.
pub const DELAY_BOUNDS_S: [f64; 10] =
    [0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2];

/// A cumulative-since-start histogram over [`DELAY_BOUNDS_S`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DelayHistogram {
    /// Not cumulative over buckets: `counts[i]` fell into bucket *i*.
    pub counts: [u64; DELAY_BOUNDS_S.len() + 1],
    /// Of all delays, in seconds.
    pub sum_s: f64,
}

impl DelayHistogram {
    /// Counts one delay.
    pub fn record(&mut self, delay: Duration) {
        let s = delay.as_secs_f64();
        let bucket = DELAY_BOUNDS_S.iter().position(|bound| s <= *bound).unwrap_or(DELAY_BOUNDS_S.len());
        if let Some(n) = self.counts.get_mut(bucket) {
            *n = n.saturating_add(1);
        }
        self.sum_s += s;
    }
}

/// What the bridge adds to the delay of a forwarded packet, by stages; sampled.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ForwardDelay {
    /// Taken in by the kernel → decided for its slots.
    pub receive_to_ready: DelayHistogram,
    /// → its turn to be sealed.
    pub ready_to_paced: DelayHistogram,
    /// → sealed and handed to the kernel.
    pub paced_to_sent: DelayHistogram,
}

/// What a worker's thread did in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// By the clock.
    pub span: Duration,
    /// CPU time of the thread.
    pub worked: Duration,
    /// Waited because there was nothing to do. What is left of the span others had the core.
    pub slept: Duration,
}

impl Effort {
    /// Share of the time that the worker could have which it used, 0–1.
    pub fn used(&self) -> f64 {
        let could = self.worked.saturating_add(self.slept).as_secs_f64();
        if could > 0.0 { (self.worked.as_secs_f64() / could).min(1.0) } else { 0.0 }
    }
}

/// One worker, totals since start unless said otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorkerStats {
    /// Admitted now.
    pub peers: usize,
    /// There now.
    pub rooms: usize,
    /// Of all kinds, also from strangers.
    pub datagrams_received: u64,
    /// Of all kinds; a run is as many as it holds.
    pub datagrams_sent: u64,
    /// RTP packets sealed for a slot, resent ones among them.
    pub packets_forwarded: u64,
    /// Of copies in voices, for receivers whose lines lose packets (RFC 2198).
    pub redundant_bytes: u64,
    /// Mixes that are made, now.
    pub mixes: usize,
    /// Peers that hear one, now.
    pub mixed_peers: usize,
    /// Packets and datagrams that went no further.
    pub drops: Drops,
    /// Peers ended because work for them panicked.
    pub failed_peers: u64,
    /// What the bridge adds.
    pub forward_delay: ForwardDelay,
    /// Share of the last second that the thread could have and was busy in, 0–1. The driver fills it in.
    pub load: f64,
    /// Slots that get fewer frames because the worker cannot keep up, now.
    pub thinned_slots: usize,
    /// Slots that get none because of that, now.
    pub shed_slots: usize,
}

/// One peer. Totals since it joined unless said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerStats {
    /// The peer.
    pub peer: PeerId,
    /// Its room.
    pub room: RoomId,
    /// The protocol media goes over; `None` while there is no path.
    pub path: Option<PathKind>,
    /// Round trip between server and peer, from RTCP (RFC 3550 section 6.4.1), smoothed.
    pub rtt: Option<Duration>,
    /// What the line towards the peer can carry, estimated from transport-wide feedback.
    pub estimated_bandwidth_bps: Option<u64>,
    /// From the peer to us.
    pub up: DirectionStats,
    /// From us to the peer.
    pub down: DirectionStats,
}

/// One direction of one peer's line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DirectionStats {
    /// Media: of `up` all that came, repaired ones among them; of `down` each once.
    pub packets: u64,
    /// Their bytes, payload and headers without UDP/IP.
    pub bytes: u64,
    /// Over the last second, payload and headers without UDP/IP.
    pub bitrate_bps: u64,
    /// As the receiving side counts (RFC 3550 section 6.4.1).
    pub packets_lost: u64,
    /// Over the last report interval, 0–1.
    pub loss_fraction: f64,
    /// Interarrival jitter, RFC 3550 section 6.4.1, worst stream.
    pub jitter: Duration,
    /// Frames completed (marker bits or descriptors), media only.
    pub frames: u64,
    /// Packets asked for by NACK; like the next, of `down` those that came, of `up` those we sent.
    pub nacks: u64,
    /// Key frames asked for, by PLI or FIR.
    pub plis: u64,
    /// Packets of the RTX stream.
    pub rtx_packets: u64,
}
