//! A line as the laboratory lays it: what it carries, delays and loses, each direction by itself. Pure: time and seed are
//! handed in. The wire of the simulation asks it in virtual time, the relay between real machines by the clock.

mod bursts;
mod gauge;
mod line;
pub mod relay;
mod trace;
mod way;

pub use bursts::Bursts;
pub use gauge::{Flood, Gauge, percentile};
pub use line::{Direction, Line, LineModel};
pub use trace::Trace;
pub use way::{Capacity, Way, WayModel};
