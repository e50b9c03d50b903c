//! The meeting quarter of Nhịp Cầu: people, meetings, HTTP and WebSocket.
//!
//! # Map
//! - [`protocol`]: what is said between a site and the bridge; read it first.
//! - [`meeting`]: the pure machine that knows the procedure.
//! - [`hall`]: the one task that owns meetings, connections and the bridge to media.
//! - [`media`]: the only place that stands on the bridge to `sfu`.
//! - [`ws`]: one task per connection. [`http`]: pages, and where WebSockets come from. [`places`]: how many of both.
//! - [`config`], [`data`], [`descriptors`], [`error`], [`log`], [`output`], [`secret`], [`tls`], [`metrics`]: what every service has.
//! - [`endpoint`]: a headless site, the other side of everything above.
//! - [`cli`], [`serve`], [`demo`], [`doctor`], [`links`], [`certificate`]: the commands.
//!
//! # Follow one message
//! `ws/connection.rs` reads it and takes it apart, `hall/mod.rs` finds the meeting, `meeting/mod.rs`
//! decides and orders, `hall/carry.rs` carries out: to connections through `ws/outbox.rs`, to media
//! through `media/`.

// Both panic where nobody reads or the disk is full: `log::say` and `output::print` do not.
#![deny(clippy::print_stdout, clippy::print_stderr)]
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

pub mod certificate;
pub mod cli;
pub mod config;
pub mod data;
pub mod demo;
pub mod descriptors;
pub mod doctor;
pub mod endpoint;
pub mod error;
pub mod hall;
pub mod http;
pub mod links;
pub mod listeners;
pub mod log;
pub mod media;
pub mod meeting;
pub mod metrics;
pub mod output;
pub mod places;
pub mod protocol;
pub mod secret;
pub mod serve;
pub mod tls;
pub mod ws;

pub use serve::run;
