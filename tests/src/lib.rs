//! Tools of the tests: simulated meetings in virtual time, a client's end of a line, and what the fuzz targets call.

pub mod fuzz;
pub mod line;
pub mod simulation;
pub mod stun;
