//! From a publisher's packet to a subscriber's packet: select a layer, switch to it, rewrite the numbers, resend what
//! was lost. Nothing here knows of transports.

#[cfg(debug_assertions)]
pub mod guard;
pub mod key_budget;
mod left_out;
pub mod packet;
pub mod parameters;
pub mod red;
pub mod resend;
pub mod rewrite;
pub mod select;
pub mod switch;
pub mod write;
