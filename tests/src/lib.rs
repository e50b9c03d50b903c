//! Tools of the tests: simulated meetings in virtual time, a client's end of a line, what a client reads of an answer, and what the fuzz targets call.

pub mod answer;
pub mod conformance;
pub mod fuzz;
pub mod house;
pub mod lab;
pub mod line;
pub mod simulation;
pub mod stun;
