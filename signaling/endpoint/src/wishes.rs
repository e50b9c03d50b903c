//! What a headless site asks to see.

use super::options::{Options, Watch};
use protocol::{MeetingView, Presence, SiteId, SlotWish, SourceKind};

/// Height of the tiles a headless site asks for: its own picture's.
const WISHED_HEIGHT: u16 = 360;

/// One wish for each slot.
pub fn wishes(meeting: &MeetingView, you: Option<SiteId>, options: &Options) -> Vec<Option<SlotWish>> {
    let wish = |site, kind| SlotWish { site, kind, max_height: WISHED_HEIGHT };
    let (others, own) = match options.watch {
        Watch::Others => (options.slots, None),
        Watch::OthersAndOneself => (options.slots.saturating_sub(1), you),
    };
    let mut wishes: Vec<Option<SlotWish>> =
        inside(meeting, you).take(others).map(|(site, kind)| Some(wish(site, kind))).collect();
    wishes.resize(options.slots, None);
    if let (Some(last), Some(own)) = (wishes.last_mut(), own) {
        *last = Some(wish(own, SourceKind::Camera));
    }
    wishes
}

/// Every other site that is inside, in the meeting's order; content before camera.
fn inside(meeting: &MeetingView, you: Option<SiteId>) -> impl Iterator<Item = (SiteId, SourceKind)> {
    let inside = |presence| matches!(presence, Presence::Present | Presence::Joining);
    let others = meeting.sites.iter().filter(move |site| Some(site.id) != you && inside(site.presence));
    others.map(|site| (site.id, if site.content { SourceKind::Content } else { SourceKind::Camera }))
}
