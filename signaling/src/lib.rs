//! The meeting quarter of Nhịp Cầu: people, meetings, HTTP and WebSocket.
//!
//! # Map
//! Each line uses only what is below it, and of its own line what is to the right (`RUST_ARROWS` in
//! `tests/tests/tidy.rs`).
//! - [`serve`], [`demo`], [`doctor`], [`join`], [`invite`], [`certificate`], [`cli`]: the commands.
//! - [`http`]: pages, and where WebSockets come from. [`ws`]: one task per connection.
//! - [`hall`]: the machine of meetings, connections and the bridge to media, and the one task that drives it.
//! - [`metrics`]: what Prometheus reads. [`links`]: how good sites' lines are, and what is sent to them of it.
//! - [`media`]: the only place that uses the bridge to `sfu`.
//! - [`meeting`]: the pure machine that knows the procedure.
//! - [`tls`], [`descriptors`], [`listeners`], [`data`], [`config`], [`log`], [`output`]: what every service has.
//! - [`net`]: connections, counted and bounded. [`outgoing`]: messages on their way. [`error`], [`ids`].
//!
//! Crates of their own: [`protocol`], the messages between a site and the bridge (read it first), and [`endpoint`], a
//! headless site, the other side of everything here.
//!
//! # Follow one message
//! `ws/connection.rs` reads it and takes it apart, `hall/core.rs` finds the meeting, `meeting/mod.rs` decides and
//! orders, and `hall/core/carry.rs` hands on: to media through `media/`, and to connections, for which `hall/host.rs`
//! puts it into their `hall/outbox.rs`.

// Both panic where the reader is gone or the disk is full: `log::say` and `output::print` do not.
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
pub mod error;
pub mod hall;
pub mod http;
pub mod ids;
pub mod invite;
pub mod join;
pub mod links;
pub mod listeners;
pub mod log;
pub mod media;
pub mod meeting;
pub mod metrics;
pub mod net;
pub mod outgoing;
pub mod output;
pub mod serve;
pub mod tls;
pub mod ws;

pub use serve::run;
