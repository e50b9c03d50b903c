//! Names of what the parts of the meeting quarter have in common.

use crate::protocol::SiteId;

/// A meeting's place in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MeetingId(pub usize);

/// Where a link leads.
pub type Link = (MeetingId, SiteId);
