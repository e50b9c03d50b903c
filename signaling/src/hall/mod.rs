//! The hall: all meetings, all connections and the bridge to media. `core.rs` is a machine that decides what is to be
//! done and is passed the time; `host.rs` is the one task that drives it, with the clock, the channels and the
//! outboxes; `door.rs` is how connections reach that task. Nothing else touches them, so there is no lock and no order
//! of events but the one seen here. A meeting costs it a few messages a second; what is heavy, media, is elsewhere.

mod core;
mod door;
mod host;
mod lines_file;
mod outbox;
mod pulse;
mod site_message;

pub use self::core::{Core, Input, Output};
pub use door::{Admission, Broken, HallDoor, NewConnection};
pub use host::open;
pub use outbox::{Next, Outbox, Pushed};
pub use pulse::Stuck;
pub use site_message::SiteMessage;
