//! Cameras that are turned, or exchanged for others: which layer fits a tile is decided again.

use super::{SETTLE, SITE, agree};
use tests::simulation::{LinkModel, World};

/// A site that watches another one in a tile that at most `max_height` lines are worth sending to.
fn watched(max_height: u16, lines: [u16; 3]) -> World {
    let mut world = World::new(1);
    let viewer = world.join(SITE, 1, LinkModel::clean());
    let camera = world.join(SITE, 1, LinkModel::clean());
    world.sites[camera].client.resize(lines);
    world.wish(viewer, 0, Some(camera), max_height);
    world.run(SETTLE);
    world
}

/// The layer the viewer gets, and those that the camera is asked to send.
fn gets(world: &mut World) -> (Option<u8>, Vec<bool>) {
    agree(world, 1, "settled");
    let shown = world.sites[0].client.video[&0].last.map(|(_, layer)| layer);
    (shown, world.sites[1].client.wanted.to_vec())
}

#[test]
fn a_camera_that_is_turned_upright_sends_less_to_the_same_tile() {
    let mut world = watched(539, [180, 360, 720]);
    assert_eq!(gets(&mut world), (Some(1), vec![true, true, false]));
    world.sites[1].client.resize([320, 640, 1280]);
    world.run(SETTLE * 2);
    assert_eq!(gets(&mut world), (Some(0), vec![true, false, false]));
}

#[test]
fn a_camera_that_becomes_smaller_sends_more_to_the_same_tile() {
    let mut world = watched(539, [320, 640, 1280]);
    assert_eq!(gets(&mut world), (Some(0), vec![true, false, false]));
    // What the upper layers sent before is of no account: they send nothing now.
    world.sites[1].client.resize([120, 240, 480]);
    world.run(SETTLE * 2);
    assert_eq!(gets(&mut world), (Some(2), vec![true, false, true]));
}
