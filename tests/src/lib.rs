//! Tools of the tests: simulated meetings in virtual time.

pub mod fuzz;
pub mod simulation;
pub mod stun;
