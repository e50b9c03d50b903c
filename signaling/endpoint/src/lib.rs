//! A headless site on the `webrtc` crate: the demo's commune rooms, the link probe `nhipcau join`,
//! the bots of load and interop tests.
//!
//! It is the other side on purpose: an independent WebRTC implementation that uses [`protocol`] like the page does, so
//! that it finds the bridge's mistakes.
//!
//! - [`Endpoint`]: the way in. Connects, comes back after every loss, reports what flowed.
//! - [`demo`]: the sites of `nhipcau demo`.
//! - `link`, `socket`, `session`: join link → WebSocket → one connection's conversation.
//! - `probe`: whether UDP, TCP or both reach the bridge. [`verdict`]: how good the line is by the numbers.
//! - `site`, `codecs`, `send`, `receive`, `stats`: the peer connection, what it sends, counts and reports.
//! - [`picture`], `text`, [`marker`], [`vp8`]: name and clock → VP8 key frame → RTP payloads.
//! - [`speech`], [`tone`], [`level`]: Opus from assets or live, and measuring what arrives.

// Nothing that comes from outside can panic us. Tests may.
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
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod anew;
pub mod client;
pub mod demo;
mod error;
pub mod level;
mod link;
pub mod marker;
mod options;
pub mod picture;
mod probe;
mod receive;
mod schedule;
mod send;
mod session;
mod site;
mod socket;
pub mod speech;
mod stats;
mod text;
pub mod tone;
pub mod verdict;
pub mod vp8;
mod wishes;

#[cfg(test)]
mod tests;

pub use client::Endpoint;
pub use error::JoinError;
pub use link::JoinLink;
pub use options::{Audio, Options, Transport, Trust, Turn, Video, Watch};
pub use probe::{Reach, TransportKind};
pub use stats::{Statistics, TrackStatistics};
