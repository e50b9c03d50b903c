//! What the line towards one peer can carry, from transport-wide feedback (draft-ietf-rmcat-gcc-02). So far it is only
//! reported to Prometheus: nothing is divided among slots by it, no probe is sent, and the cap on what is in flight
//! holds nothing back.

mod acked;
mod aimd;
pub mod estimate;
pub mod history;
mod loss;
pub mod losses;
pub mod probe;
mod runs;
mod train;
mod trend;

/// No estimate is lower: one Opus stream with its headers is always tried.
const MIN_BPS: f64 = 30_000.0;
