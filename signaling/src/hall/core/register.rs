//! Which links there are, and what each may ask for.

use crate::config::Config;
use crate::ids::Link;
use crate::net::{JoinLimit, LinkBudget};
use protocol::ErrorCode;
use protocol::Secret;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

/// What a link is for.
#[derive(Debug, Clone)]
pub(super) struct KnownLink {
    pub place: Link,
    pub budget: LinkBudget,
}

/// All links, by their secrets.
pub(super) struct Register {
    /// Only ever looked up: its order reaches no output, and how long a search takes reveals nothing of other secrets.
    links: HashMap<Secret, KnownLink>,
    failures: JoinLimit,
}

impl Register {
    pub fn new(config: &Config, now: Instant) -> Register {
        let sites = config.meetings.iter().flat_map(|m| m.sites.iter().map(move |site| (m.id(), site)));
        let links = sites.map(|(meeting, site)| {
            let budget = LinkBudget::new(config.limits.messages_per_second, now);
            (site.token.clone(), KnownLink { place: (meeting, site.id()), budget })
        });
        let failures = JoinLimit::new(config.limits.failed_joins_per_address_per_minute);
        Register { links: links.collect(), failures }
    }

    /// The link of this secret, if it may be used once more. An address may guess only so often.
    pub fn find(&mut self, now: Instant, token: &Secret, address: IpAddr) -> Result<KnownLink, ErrorCode> {
        let Some(link) = self.links.get(token) else {
            return Err(match self.failures.admit(now, address) {
                true => ErrorCode::UnknownLink,
                false => ErrorCode::TooManyJoins,
            });
        };
        match link.budget.take_join(now) {
            true => Ok(link.clone()),
            false => Err(ErrorCode::TooManyJoins),
        }
    }
}
