//! The whole house in virtual time, from one seed: the hall with its meetings, the bridge, two engines, and sites with a
//! page and a peer connection each. Between them lie WebSockets and the wire of `simulation`. The process may die, which
//! loses all it knew, and start again; a worker may hang.
//!
//! What is real: `signaling`'s hall, meetings, bridge, messages, outboxes and the clockwork of connections; `sfu`'s
//! engines; the `rtc` crate at the sites. What stands in: the hosts (`process.rs` for `hall/host.rs` and
//! `ws/connection.rs`, `worker.rs` for `sfu/driver`), and the page (`page.rs` with
//! `attempts.rs`, `media_line.rs` with `pulse.rs` for `web/src/session/`).

mod agreement;
mod attempts;
mod building;
mod chaos;
mod connection;
mod crossing;
mod desk;
mod invitations;
mod media_line;
mod net;
mod page;
mod process;
mod promises;
mod pulse;
mod site;
mod socket;
mod witness;
mod worker;

pub use building::House;
pub use chaos::{Act, HouseChaos};
pub use page::Stop;
pub use site::Site;
