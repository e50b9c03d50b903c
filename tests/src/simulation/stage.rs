//! The world's sites as a meeting would put them on its stage: what the engine shall do is signaling's to say.

use super::world::{Site, World, index, peer};
use protocol::{self, SiteId, SlotWish};
use sfu::command::{Desired, Wish};
use sfu::ids::{PeerId, SourceKind};
use signaling::meeting::{Stage, StageSite};

/// The desired state of the world's room.
pub fn desired(world: &World) -> Desired {
    let inside = world.sites.iter().enumerate().filter(|(_, site)| site.in_room);
    let stage = Stage {
        big_screen: None,
        floor: world.floor.map(site_id),
        sites: inside.map(|(index, site)| on_stage(world, index, site)).collect(),
    };
    signaling::media::desired(&stage, |site| peer_of(world, site))
}

fn on_stage(world: &World, index: usize, site: &Site) -> StageSite {
    StageSite {
        site: site_id(index),
        is_chair: world.chair == Some(index),
        microphone_open: site.may.microphone,
        camera_open: site.may.camera,
        content_open: site.may.content,
        content_active: site.client.shares_content(),
        asks_for_mix: site.asks_for_mix,
        wishes: site.wishes.iter().map(|wish| wish.map(slot_wish)).collect(),
    }
}

fn slot_wish(wish: Wish) -> SlotWish {
    let kind = match wish.source.kind {
        SourceKind::Microphone => protocol::SourceKind::Microphone,
        SourceKind::Camera => protocol::SourceKind::Camera,
        SourceKind::Content => protocol::SourceKind::Content,
    };
    SlotWish { site: site_id(index(wish.source.peer)), kind, max_height: wish.max_height }
}

/// Peers of sites that have left are unknown to the bridge, as they are to the engine.
fn peer_of(world: &World, site: SiteId) -> Option<PeerId> {
    let index = site.0 as usize;
    world.sites.get(index).filter(|site| site.in_room).map(|_| peer(index))
}

fn site_id(index: usize) -> SiteId {
    SiteId(index as u32)
}
