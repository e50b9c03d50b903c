//! A meeting in virtual time: the engine, clients of the sans-I/O `rtc` crate, and a wire that
//! delays, loses, reorders and duplicates by seed. No socket, no thread, no sleep: the world jumps to
//! the earliest wake-up.
//!
//! The numbers of the wire come from the seed; keys and ICE credentials of the clients come from
//! their crypto provider and differ from run to run, which changes bytes but no decision.

mod addresses;
mod arrivals;
mod browser;
mod chaos;
mod checks;
mod client;
mod codec;
mod decoder;
mod frame;
mod hearing;
mod incoming;
mod layer;
mod mixing;
mod offered;
mod outgoing;
mod port;
mod receiving;
mod sections;
mod seeds;
mod slots;
mod stack;
mod stage;
mod stream;
mod traffic;
mod voice_gaps;
mod wire;
mod world;

pub use browser::Shown;
pub use chaos::{Chaos, Operation, Sites};
pub use client::{Client, PathState, Publishes, Seen};
pub use codec::VideoCodec;
pub use frame::CONTENT;
pub use incoming::SlotView;
pub use mixing::Mixing;
pub use outgoing::SiteClock;
pub use seeds::{Draws, engine_seed, rng, seeds};
pub use traffic::{Amount, Traffic};
pub use wire::{End, LinkModel, Rate, Wire};
pub use world::{ROOM, Site, World, peer};
