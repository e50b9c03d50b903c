//! Old frames, and where the frames of a slot are in time.

use super::{SETTLE, agree};
use std::time::Duration;
use tests::simulation::{LinkModel, Publishes, World};

const CAMERA: Publishes = Publishes { layers: 1, voice: false };

/// A key frame is lost whole, and then the camera is dark for a minute. Only what comes then shows the gap, and what is
/// asked for again is a frame of a minute ago; it comes before the first packet of the new one, which is lost, too. No
/// slot begins with it.
#[test]
fn a_lost_key_frame_of_long_ago_is_not_shown() {
    let mut world = World::new(1);
    let viewer = world.join(CAMERA, 1, LinkModel::clean());
    let camera = world.join(CAMERA, 1, LinkModel::clean());
    world.wish(viewer, 0, Some(camera), 720);
    world.run(SETTLE);
    // The first frame after the dark is a key frame.
    world.sites[camera].client.dark = true;
    world.run(Duration::from_millis(40));
    world.sites[camera].client.dark = false;
    world.wire.links[camera].cut = true;
    world.run(Duration::from_millis(33));
    world.sites[camera].client.dark = true;
    world.wire.links[camera].cut = false;
    world.run(Duration::from_secs(60));
    let before = world.sites[viewer].client.video[&0].pictures;
    world.sites[camera].client.dark = false;
    world.wire.swallow(camera, 1);
    world.run(SETTLE);
    agree(&mut world, 1, "lit again");
    assert!(world.sites[viewer].client.video[&0].pictures > before + 100, "shown within a second");
}

/// A sender report may be lost, most of all after the burst of a key frame.
#[test]
fn a_switch_is_reported_more_than_once() {
    let mut world = World::new(1);
    for _ in 0..3 {
        world.join(Publishes { layers: 1, voice: true }, 1, LinkModel::clean());
    }
    world.wish(0, 0, Some(1), 720);
    world.run(SETTLE);
    let reports = |world: &World| world.sites[0].client.video[&0].reports;
    let before = reports(&world);
    world.wish(0, 0, Some(2), 720);
    world.run(Duration::from_millis(500));
    assert!(reports(&world) >= before + 3, "within half a second");
    world.run(SETTLE);
    let regular = reports(&world);
    world.run(SETTLE);
    assert_eq!(reports(&world), regular + 5, "then one a second");
}

/// A site begins to watch, and the camera's line is cut before the key frame that was asked for has come. After the cut
/// it is resent, with all that was lost: five seconds old, and no slot begins with it.
#[test]
fn a_key_frame_lost_in_a_cut_is_not_shown() {
    let mut world = World::new(1);
    for _ in 0..2 {
        world.join(CAMERA, 1, LinkModel::clean());
    }
    world.run(SETTLE);
    world.wish(0, 0, Some(1), 720);
    // The request is on its way, and the key frame is not.
    world.run(Duration::from_millis(8));
    world.wire.links[1].cut = true;
    world.run(Duration::from_secs(5));
    assert_eq!(world.sites[0].client.video.get(&0).map_or(0, |view| view.pictures), 0);
    world.wire.links[1].cut = false;
    world.run(SETTLE);
    agree(&mut world, 1, "after the cut");
}
