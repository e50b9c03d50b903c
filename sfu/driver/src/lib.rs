//! The host of the engines: sockets, threads, clocks and randomness. The only code of the media quarter that touches
//! the world.
//!
//! [`Workers::start`] binds one port (UDP and TCP of the same number) per worker and starts its thread. A turn of a
//! worker: wait until something is readable, a command came or the machine's time-out is due; read the clock once; hand
//! in one batch of datagrams, a bounded part of TCP and of the commands; carry out what the machine orders; again. Each
//! source gets its bounded share of every turn, so none can starve another. A thread that hangs is named by
//! [`Workers::stalled`].

// The engine receives the time and its randomness from this crate, which therefore may ask for them. What is banned for
// `sfu` (its `clippy.toml`, which clippy finds above this folder) is what this crate is for.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
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

mod bind;
mod config;
mod connection;
pub mod frame;
mod gso;
mod interfaces;
mod machine;
mod measure;
mod mixing;
mod outbox;
mod outgoing;
mod overflow;
mod placement;
pub mod priority;
pub mod probe;
mod tcp;
mod udp;
mod watch;
mod worker;
mod workers;

#[cfg(test)]
mod tests;

pub use bind::{BindError, Protocol, listen};
pub use config::WorkersConfig;
pub use machine::{Machine, WorkerContext};
pub use overflow::Overflows;
pub use placement::WorkerId;
pub use tcp::MAX_UNPROVEN as MAX_UNPROVEN_TCP;
pub use udp::canonical;
pub use watch::{STALLED_AFTER, Stall};
pub use worker::WorkerHandle;
pub use workers::{StartError, WorkerAddresses, Workers};
