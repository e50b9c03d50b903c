//! Formats only: bytes become values and back. No state.

pub mod codec;
pub mod extension;
pub mod packet;
pub mod rtcp;
pub mod sequence;
