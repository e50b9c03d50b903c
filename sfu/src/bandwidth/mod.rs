//! What the line towards one peer can carry, from transport-wide feedback (draft-ietf-rmcat-gcc-02), and when what waits
//! for it may leave.

mod acked;
mod aimd;
pub mod estimate;
pub mod history;
mod loss;
pub mod losses;
pub mod pacer;
pub mod probe;
mod runs;
mod stream;
mod train;
mod trend;

/// No estimate is lower: one Opus stream with its headers is always tried.
const MIN_BPS: f64 = 30_000.0;
