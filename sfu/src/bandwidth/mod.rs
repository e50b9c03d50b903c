//! What the line towards one peer can carry, from transport-wide feedback
//! (draft-ietf-rmcat-gcc-02). It is told to Prometheus; dividing it among slots is the weak links'
//! issue.

mod acked;
mod aimd;
pub mod estimate;
pub mod history;
mod loss;
mod trend;

/// No estimate is lower: one Opus stream with its headers always gets its try.
const MIN_BPS: f64 = 30_000.0;
