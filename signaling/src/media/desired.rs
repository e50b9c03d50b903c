//! The meeting's stage and everybody's wishes, merged into what the engine shall do.

use super::Room;
use crate::meeting::StageSite;
use protocol::{self, SiteId, SlotWish};
use sfu::command::{Desired, DesiredPeer, Permissions, Rank, Ranks, Wish};
use sfu::ids::{PeerId, Source, SourceKind};

/// The big screen is seen from four metres on a TV of 1080 lines, whatever the page asked for. Below twice that lies
/// the layer that fills it, also of a camera that stands upright.
const BIG_SCREEN_HEIGHT: u16 = 2 * 1080 - 1;

/// What sources are worth where a worker cannot forward all video, lowest first.
const OTHERS: Rank = Rank(0);
const CHAIR: Rank = Rank(1);
const CONTENT: Rank = Rank(2);
const BIG_SCREEN: Rank = Rank(3);

/// The whole desired state of a room.
pub(super) fn desired(room: &Room) -> Desired {
    let seated = room.stage.sites.iter();
    let peers = seated.filter_map(|site| {
        let peer = room.sites.get(&site.site)?.peer;
        Some(DesiredPeer {
            peer,
            may_publish: Permissions {
                microphone: site.microphone_open,
                camera: site.camera_open,
                content: site.content_open,
            },
            ranks: ranks(room, site),
            // The meeting gives the floor by the big screen, and not yet by itself.
            has_floor: room.stage.big_screen == Some(site.site),
            video_slots: video_slots(room, site),
        })
    });
    Desired { peers: peers.collect() }
}

fn ranks(room: &Room, site: &StageSite) -> Ranks {
    match (room.stage.big_screen == Some(site.site), site.is_chair) {
        (true, _) => Ranks { camera: BIG_SCREEN, content: BIG_SCREEN },
        (false, true) => Ranks { camera: CHAIR, content: CONTENT },
        (false, false) => Ranks { camera: OTHERS, content: CONTENT },
    }
}

/// What one receiver's slots show: the big screen in the first, its own wishes in the rest.
fn video_slots(room: &Room, receiver: &StageSite) -> Vec<Option<Wish>> {
    let wishes = receiver.wishes.iter();
    let mut slots: Vec<_> = wishes.map(|wish| wish.and_then(|wish| granted(room, wish))).collect();
    keep_one_of_oneself(&mut slots, peer_of(room, receiver.site));
    if let Some(big) = big_screen(room).filter(|(site, _)| *site != receiver.site) {
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

/// Whom the big screen shows, and what of him.
fn big_screen(room: &Room) -> Option<(SiteId, Wish)> {
    let site = room.stage.big_screen?;
    let shown = room.stage.sites.iter().find(|s| s.site == site)?;
    let kind = match shown.content_active {
        true => SourceKind::Content,
        false => SourceKind::Camera,
    };
    let peer = peer_of(room, site)?;
    let wish = Wish { source: Source { peer, kind }, max_height: BIG_SCREEN_HEIGHT };
    Some((site, wish))
}

/// Its own picture measures a site's line both ways, and one is enough for that: in more slots what it sends would
/// come back multiplied.
fn keep_one_of_oneself(slots: &mut [Option<Wish>], own: Option<PeerId>) {
    let of_oneself =
        slots.iter_mut().filter(|slot| slot.map(|wish| wish.source.peer) == own && own.is_some());
    of_oneself.skip(1).for_each(|slot| *slot = None);
}

/// A wish in the engine's words; none for somebody who is not here.
fn granted(room: &Room, wish: SlotWish) -> Option<Wish> {
    let source = Source { peer: peer_of(room, wish.site)?, kind: kind_of(wish.kind) };
    Some(Wish { source, max_height: wish.max_height })
}

fn peer_of(room: &Room, site: SiteId) -> Option<PeerId> {
    room.sites.get(&site).map(|media| media.peer)
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
