//! Facts: what has happened in a meeting and lasts, as plain values that can be written down and read again.
//!
//! They state what has changed, not what was asked for or by which rule, so that they can be folded without the rules
//! of the day they were decided on. What a restart ends anyway (connections, media paths, wishes, what arrives of
//! sources, the pace of snapshots) is no fact.

use protocol::Secret;
use protocol::SiteId;
use serde::{Deserialize, Serialize};

/// One line of a meeting's journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The site through which it came about.
    pub by: SiteId,
    pub fact: Fact,
}

/// Something that is so from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fact {
    /// The first site has come; or the meeting is the next one under the same links, and nothing is left of the last.
    Begun {},
    /// The meeting was ended and goes on as it was.
    GoesOn {},
    /// The chair has ended it: every seat is free.
    Ended {},
    /// The site has got a seat that was free.
    Seated {
        site: SiteId,
        seat: Secret,
    },
    /// The site's seat has gone from the device that had it to another one.
    TakenOver {
        site: SiteId,
        seat: Secret,
    },
    /// The site has given its seat up.
    Left {
        site: SiteId,
    },
    /// The chair has removed the site, and its link lets no device in.
    Removed {
        site: SiteId,
    },
    Readmitted {
        site: SiteId,
    },
    /// The chair has closed the microphones of these sites.
    Muted {
        sites: Vec<SiteId>,
    },
    /// They may open them again.
    Unmuted {
        sites: Vec<SiteId>,
    },
    BigScreen {
        site: Option<SiteId>,
    },
    Locked {
        locked: bool,
    },
}

impl Fact {
    /// Whether it is an act on the meeting, and not the coming or going of a site.
    pub fn is_act(&self) -> bool {
        match self {
            Fact::Ended {}
            | Fact::Removed { .. }
            | Fact::Readmitted { .. }
            | Fact::Muted { .. }
            | Fact::Unmuted { .. }
            | Fact::BigScreen { .. }
            | Fact::Locked { .. } => true,
            Fact::Begun {}
            | Fact::GoesOn {}
            | Fact::Seated { .. }
            | Fact::TakenOver { .. }
            | Fact::Left { .. } => false,
        }
    }
}
