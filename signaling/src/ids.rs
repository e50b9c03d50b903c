//! Ids of meetings and sites. They are made of keys in the configuration, a name where there is no other, and not of
//! positions in it: whatever is added, removed or moved there, each means the same as before, also in stored facts.

use aws_lc_rs::digest::{SHA256, digest};
use protocol::SiteId;

/// A meeting's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MeetingId(pub u64);

/// Where a link leads.
pub type Link = (MeetingId, SiteId);

impl MeetingId {
    pub fn of_key(key: &str) -> MeetingId {
        MeetingId(number(key))
    }
}

/// The id of a site within its meeting: 32 bits, as numbers of JavaScript hold it. Two keys of a meeting of 1,000 sites
/// have the same one once in ten thousand meetings; the configuration is refused then.
pub fn site_id(key: &str) -> SiteId {
    SiteId((number(key) >> 32) as u32)
}

/// The first 64 bits of the key's SHA-256: the same in every build.
fn number(key: &str) -> u64 {
    let digest = digest(&SHA256, key.as_bytes());
    digest.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What journals and pages have kept.
    #[test]
    fn an_id_never_changes() {
        assert_eq!(MeetingId::of_key("abc"), MeetingId(0xba78_16bf_8f01_cfea), "FIPS 180-2, B.1");
        assert_eq!(site_id("abc"), SiteId(0xba78_16bf));
    }
}
