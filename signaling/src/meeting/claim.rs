//! Which device gets a seat. A seat belongs to the device that knows its secret, for as long as it is kept, and its
//! link alone does not open it: many people may know a link. A commune whose machine has died asks for the seat from
//! another machine; that is a takeover, which the chair sees and which cannot be repeated at will.

use super::Now;
use super::apply::Standing;
use super::seat::Site;
use protocol::ErrorCode;
use protocol::Secret;
use std::time::Duration;

/// After a takeover the seat stays where it is for this long, whichever device asks. A takeover ends the site's media,
/// so all sites see a second or two without its picture: of ten seconds that much may be missing, of each second not.
/// The user of the other device has read why and found the button by then, and the chair's notice (7 s) of one takeover
/// is gone before the next one comes.
pub(super) const TAKEOVER_COOLDOWN: Duration = Duration::from_secs(10);

/// Why a device gets the seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// No device has the seat.
    Free,
    /// It knows the secret.
    Holder,
    /// It asked for a seat that another device holds.
    Takeover,
}

/// How a hello means to come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Ordinary,
    Takeover,
}

impl Site {
    /// Whether a hello with this secret gets the seat.
    pub fn claim(
        &self,
        now: Now,
        standing: &Standing,
        secret: Option<&Secret>,
        entry: Entry,
    ) -> Result<Claim, ErrorCode> {
        let Some(seat) = &standing.seat else {
            return Ok(Claim::Free);
        };
        if secret == Some(seat) {
            return Ok(Claim::Holder);
        }
        match entry {
            Entry::Ordinary => Err(ErrorCode::SeatTaken),
            Entry::Takeover if self.was_just_taken_over(now) => Err(ErrorCode::TakeoverTooSoon),
            Entry::Takeover => Ok(Claim::Takeover),
        }
    }

    /// It belongs to the link, not to a connection or a seat: leaving and coming back does not end it.
    fn was_just_taken_over(&self, now: Now) -> bool {
        let last = self.last_takeover;
        last.is_some_and(|last| now.instant.saturating_duration_since(last) < TAKEOVER_COOLDOWN)
    }
}
