//! What a process has promised and must keep while it lives: a source that is closed is not forwarded, a site that was
//! removed stays outside, and a lock keeps out sites that were not inside. Folded from facts and stages, and compared
//! with what comes.

use super::crossing::LONGEST;
use protocol::{MicrophoneState, Role, SiteId};
use sfu::ids::SourceKind;
use signaling::ids::MeetingId;
use signaling::meeting::{Fact, Meeting};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

const KINDS: [SourceKind; 3] = [SourceKind::Microphone, SourceKind::Camera, SourceKind::Content];

#[derive(Default)]
struct Door {
    locked: bool,
    removed: BTreeSet<SiteId>,
    muted: BTreeSet<SiteId>,
    insiders: BTreeSet<SiteId>,
}

/// See the module.
#[derive(Default)]
pub struct Promises {
    doors: BTreeMap<MeetingId, Door>,
    /// Since when sources have been closed, by site of the house.
    closed: BTreeMap<(usize, SourceKind), Instant>,
}

impl Promises {
    /// Takes a fact in; returns what it breaks.
    pub fn fact(&mut self, meeting: MeetingId, chair: SiteId, fact: &Fact) -> Option<String> {
        let door = self.doors.entry(meeting).or_default();
        match fact {
            Fact::Begun {} => *door = Door::default(),
            Fact::Locked { locked } => door.locked = *locked,
            Fact::Removed { site } => {
                door.removed.insert(*site);
            }
            Fact::Readmitted { site } => {
                door.removed.remove(site);
            }
            Fact::Muted { sites } => door.muted.extend(sites),
            Fact::Unmuted { sites } => door.muted.retain(|site| !sites.contains(site)),
            Fact::Seated { site, .. } | Fact::TakenOver { site, .. } if *site != chair => {
                let was_inside = !door.insiders.insert(*site);
                let removed = door.removed.contains(site);
                if removed || (door.locked && !was_inside) {
                    return Some(format!("{site:?} came in: removed {removed}, locked {}", door.locked));
                }
            }
            _ => {}
        }
        None
    }

    /// Looks at what is open now of a site, as its meeting has it; returns what is broken.
    pub fn look(
        &mut self,
        now: Instant,
        (index, site): (usize, SiteId),
        of: (MeetingId, &Meeting),
    ) -> Option<String> {
        let (id, meeting) = of;
        let (stage, view) = (meeting.stage(), meeting.view(Role::Chair));
        let seat = stage.sites.iter().find(|seat| seat.site == site);
        let shown = view.sites.iter().find(|shown| shown.id == site);
        let microphone = shown.is_some_and(|shown| shown.microphone == MicrophoneState::On);
        let camera = shown.is_some_and(|shown| shown.camera);
        for kind in KINDS {
            let is_open = seat.is_some_and(|seat| match kind {
                SourceKind::Microphone => microphone,
                SourceKind::Camera => camera,
                // It is shown with its first picture, and comes before.
                SourceKind::Content => seat.content_open,
            });
            match is_open {
                true => drop(self.closed.remove(&(index, kind))),
                false => drop(self.closed.entry((index, kind)).or_insert(now)),
            }
        }
        let door = self.doors.get(&id)?;
        let is_muted = door.muted.contains(&site) && seat.is_some_and(|seat| seat.microphone_open);
        let is_removed = door.removed.contains(&site) && seat.is_some();
        (is_muted || is_removed)
            .then(|| format!("{site:?} is on the stage: muted {is_muted}, removed {is_removed}"))
    }

    /// A worker that hung does not know what was closed meanwhile.
    pub fn excuse(&mut self, now: Instant) {
        self.closed.values_mut().for_each(|since| *since = now);
    }

    /// Whether this should not have left the house when it did.
    pub fn is_closed(&self, index: usize, kind: SourceKind, sent_at: Instant) -> bool {
        self.closed.get(&(index, kind)).is_some_and(|since| *since + LONGEST < sent_at)
    }
}
