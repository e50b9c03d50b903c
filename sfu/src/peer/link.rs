//! The line to one endpoint: transport, negotiation, round trip.

use crate::ids::{PeerId, RoomId};
use crate::sdp::Negotiated;
use crate::transport::Transport;
use std::time::{Duration, Instant};

/// Share of a new sample in the smoothed round trip, as in RFC 6298.
const RTT_SHARE: f64 = 0.125;
/// Assumed until measured: a line within the country.
const DEFAULT_RTT: Duration = Duration::from_millis(60);

#[derive(Debug)]
pub struct Link {
    pub peer: PeerId,
    pub room: RoomId,
    pub transport: Transport,
    pub negotiated: Negotiated,
    /// When this peer wants to be visited; mirrors the engine's timer queue.
    pub wake_at: Option<Instant>,
    /// Next sender and receiver reports.
    pub report_at: Instant,
    /// Work for another peer has panicked while this one was part of it.
    pub was_at_a_fault: bool,
    /// Next sender reports of slots that switched.
    pub hurry_at: Option<Instant>,
    rtt_s: Option<f64>,
}

impl Link {
    pub fn new(
        now: Instant,
        peer: PeerId,
        room: RoomId,
        transport: Transport,
        negotiated: Negotiated,
    ) -> Link {
        Link {
            peer,
            room,
            transport,
            negotiated,
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

    /// Measured round trip: from RTCP, before that from the DTLS handshake.
    pub fn rtt(&self) -> Option<Duration> {
        self.rtt_s.map(Duration::from_secs_f64).or_else(|| self.transport.initial_rtt())
    }

    pub fn rtt_or_default(&self) -> Duration {
        self.rtt().unwrap_or(DEFAULT_RTT)
    }
}
