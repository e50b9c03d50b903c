//! The meeting's stage and all wishes, merged into the desired state of the engine.

use crate::meeting::{Stage, StageSite};
use protocol::{self, SiteId, SlotWish};
use sfu::command::{Desired, DesiredPeer, Permissions, Rank, Ranks, Wish};
use sfu::ids::{PeerId, Source, SourceKind};

/// The big screen is seen from four metres on a TV of 1080 lines, whatever the page asked for. Below twice that is the
/// layer that fills it, also of a camera that stands upright.
const BIG_SCREEN_HEIGHT: u16 = 2 * 1080 - 1;

/// What sources are worth where a worker cannot forward all video, lowest first.
const OTHERS: Rank = Rank(0);
const CHAIR: Rank = Rank(1);
const CONTENT: Rank = Rank(2);
const BIG_SCREEN: Rank = Rank(3);

/// The whole desired state of a room on whose stage these sites are. `peer_of` names the peer of a site that has media.
pub fn desired(stage: &Stage, peer_of: impl Fn(SiteId) -> Option<PeerId>) -> Desired {
    let room = Cast { stage, peer_of };
    let peers = stage.sites.iter().filter_map(|site| {
        Some(DesiredPeer {
            peer: (room.peer_of)(site.site)?,
            may_publish: Permissions {
                microphone: site.microphone_open,
                camera: site.camera_open,
                content: site.content_open,
            },
            ranks: ranks(stage, site),
            has_floor: stage.floor == Some(site.site),
            asks_for_mix: site.asks_for_mix,
            video_slots: room.video_slots(site),
        })
    });
    Desired { peers: peers.collect() }
}

fn ranks(stage: &Stage, site: &StageSite) -> Ranks {
    let stands_out = [stage.big_screen, stage.floor].contains(&Some(site.site));
    match (stands_out, site.is_chair) {
        (true, _) => Ranks { camera: BIG_SCREEN, content: BIG_SCREEN },
        (false, true) => Ranks { camera: CHAIR, content: CONTENT },
        (false, false) => Ranks { camera: OTHERS, content: CONTENT },
    }
}

/// A stage, and who is who in the engine.
struct Cast<'a, F> {
    stage: &'a Stage,
    peer_of: F,
}

impl<F: Fn(SiteId) -> Option<PeerId>> Cast<'_, F> {
    /// What one receiver's slots show: the big screen in the first, its own wishes in the rest. One that wishes for nothing
    /// in any slot only listens, and is shown nothing.
    fn video_slots(&self, receiver: &StageSite) -> Vec<Option<Wish>> {
        let wishes = receiver.wishes.iter();
        let only_listens = !receiver.wishes.is_empty() && wishes.clone().all(Option::is_none);
        let mut slots: Vec<_> = wishes.map(|wish| wish.and_then(|wish| self.granted(wish))).collect();
        keep_one_of_oneself(&mut slots, (self.peer_of)(receiver.site));
        if let Some(big) = self.big_screen().filter(|(site, _)| *site != receiver.site && !only_listens) {
            let (_, wish) = big;
            for slot in &mut slots {
                // One source in two slots would be sent twice over the same line.
                if slot.is_some_and(|other| other.source == wish.source) {
                    *slot = None;
                }
            }
            match slots.first_mut() {
                Some(first) => *first = Some(wish),
                None => slots.push(Some(wish)),
            }
        }
        slots
    }

    /// The site the big screen shows, and which of its sources.
    fn big_screen(&self) -> Option<(SiteId, Wish)> {
        let site = self.stage.big_screen?;
        let shown = self.stage.sites.iter().find(|s| s.site == site)?;
        let kind = match shown.content_active {
            true => SourceKind::Content,
            false => SourceKind::Camera,
        };
        let peer = (self.peer_of)(site)?;
        let wish = Wish { source: Source { peer, kind }, max_height: BIG_SCREEN_HEIGHT };
        Some((site, wish))
    }

    /// A wish in the engine's terms; `None` for a site that is not here.
    fn granted(&self, wish: SlotWish) -> Option<Wish> {
        let source = Source { peer: (self.peer_of)(wish.site)?, kind: kind_of(wish.kind) };
        Some(Wish { source, max_height: wish.max_height })
    }
}

/// Its own picture measures a site's line both ways, and one is enough for that: in more slots what it sends would
/// come back multiplied.
fn keep_one_of_oneself(slots: &mut [Option<Wish>], own: Option<PeerId>) {
    let of_oneself =
        slots.iter_mut().filter(|slot| slot.map(|wish| wish.source.peer) == own && own.is_some());
    of_oneself.skip(1).for_each(|slot| *slot = None);
}

/// The engine's word for a kind of source.
pub(super) fn kind_of(kind: protocol::SourceKind) -> SourceKind {
    match kind {
        protocol::SourceKind::Microphone => SourceKind::Microphone,
        protocol::SourceKind::Camera => SourceKind::Camera,
        protocol::SourceKind::Content => SourceKind::Content,
    }
}

/// The protocol's word for a kind of source.
pub(super) fn kind_for_sites(kind: SourceKind) -> protocol::SourceKind {
    match kind {
        SourceKind::Microphone => protocol::SourceKind::Microphone,
        SourceKind::Camera => protocol::SourceKind::Camera,
        SourceKind::Content => protocol::SourceKind::Content,
    }
}
