//! The mixer of Nhịp Cầu: one stream of Opus with all voices of a room, as a machine without I/O.
//!
//! **Drive a [`Mixer`] like this: pass it each order with `handle_order` and then, and when its timeout has come, call
//! `poll_output` until it returns [`Output::Timeout`]; nothing else changes it.** It owns no thread and no clock.
//!
//! A voice is a jitter buffer and a decoder that give 20 ms of sound at each tick of a grid that all rooms share; a mix
//! is an encoder that gets the sum of a room's voices, without its listener's own.
#![warn(missing_docs)]
// Tests may read the clock, once: their virtual time begins there.
#![cfg_attr(test, allow(clippy::disallowed_methods))]
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

mod buffer;
mod codec;
mod grid;
mod marks;
mod mix;
mod mixer;
mod room;
mod slack;
mod voice;

#[cfg(test)]
mod tests;

pub use buffer::{MAX_PAYLOAD, MAX_WAITING};
pub use codec::{Codec, FRAME, MAX_SAMPLES, Opus, OpusEncoder, PACKET};
pub use marks::{Mark, Marks};
pub use mixer::{Mixer, Output};
pub use room::{MAX_MIXES, MAX_VOICES};
