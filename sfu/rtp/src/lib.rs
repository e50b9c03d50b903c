//! Formats only: bytes become values and back. No state, no clock and no I/O.

// Nothing from the network can panic us. Tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod codec;
mod error;
pub mod extension;
pub mod ids;
pub mod ntp;
pub mod packet;
pub mod rtcp;
pub mod sequence;

pub use error::Malformed;
