//! The media quarter of Nhịp Cầu: a selective forwarding unit as a machine without I/O.
//!
//! **Drive [`engine::Engine`] like this: pass it what happened and when with `handle_input`, then call `poll_output`
//! until it returns [`engine::Output::Timeout`]; nothing else changes it.** It owns no socket, thread or clock; the
//! crate `driver` is the host that does.

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

pub mod bandwidth;
pub mod command;
mod demux;
pub mod discard;
pub mod engine;
pub mod event;
pub mod ids;
pub mod limits;
pub mod mix;
pub mod net;
pub mod receive;
pub mod sdp;
pub mod shortfall;
pub mod stats;
pub mod time;
pub mod transport;

mod forward;
mod peer;
mod room;
