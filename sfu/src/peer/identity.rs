//! Which peer an endpoint is, and when the engine visits it: the same however its packets come.

use crate::ids::{PeerId, RoomId};
use std::time::{Duration, Instant};

/// Share of a new sample in the smoothed round trip, as in RFC 6298.
const RTT_SHARE: f64 = 0.125;

#[derive(Debug)]
pub struct Identity {
    pub peer: PeerId,
    pub room: RoomId,
    /// When this peer is to be visited; mirrors the engine's timer queue.
    pub wake_at: Option<Instant>,
    /// Next sender and receiver reports.
    pub report_at: Instant,
    /// Next sender reports of slots that switched.
    pub hurry_at: Option<Instant>,
    /// Work for another peer has panicked while this one took part in it.
    pub was_at_a_fault: bool,
    rtt_s: Option<f64>,
}

impl Identity {
    pub fn new(now: Instant, peer: PeerId, room: RoomId) -> Identity {
        Identity {
            peer,
            room,
            wake_at: None,
            report_at: now,
            hurry_at: None,
            was_at_a_fault: false,
            rtt_s: None,
        }
    }

    pub fn on_rtt(&mut self, sample: Duration) {
        let sample = sample.as_secs_f64();
        self.rtt_s = Some(self.rtt_s.map_or(sample, |rtt| rtt + RTT_SHARE * (sample - rtt)));
    }

    /// Round trip measured by RTCP reports (RFC 3550 section 6.4.1), smoothed.
    pub fn reported_rtt(&self) -> Option<Duration> {
        self.rtt_s.map(Duration::from_secs_f64)
    }
}
