//! Connections, whatever they carry: how many there may be and how much each may ask for, of bytes and of messages.

mod bucket;
mod budget;
mod joins;
mod line;
mod network;
mod places;

pub use bucket::Bucket;
pub use budget::{BURST_SECONDS, LinkBudget};
pub use joins::JoinLimit;
pub use line::{Allowance, Line, Spent};
pub use places::{Full, Place, Places};
