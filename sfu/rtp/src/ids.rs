//! Names that come from the wire.
#![warn(missing_docs)]

use arrayvec::ArrayString;

/// Synchronisation source, RFC 3550 section 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ssrc(pub u32);

/// Media identification, RFC 9143; at most 16 bytes so that it fits a one-byte header extension.
pub type Mid = ArrayString<16>;

/// Restriction identifier of a simulcast layer, RFC 8851; same bound as [`Mid`].
pub type Rid = ArrayString<16>;
