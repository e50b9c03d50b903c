//! Sites whose pictures are coded differently meet.

use super::{SETTLE, SITE, agree};
use std::time::Duration;
use tests::simulation::{LinkModel, VideoCodec, World, seeds};

/// A site of each codec; everybody watches the next two.
fn meeting(seed: u64, link: LinkModel) -> World {
    let mut world = World::new(seed);
    for codec in VideoCodec::ALL {
        world.join_coded(SITE, codec, 2, link);
    }
    for viewer in 0..4 {
        world.wish(viewer, 0, Some((viewer + 1) % 4), 720);
        world.wish(viewer, 1, Some((viewer + 2) % 4), 180);
    }
    world.run(SETTLE);
    agree(&mut world, seed, "begun");
    world
}

#[test]
fn every_codec_is_seen_and_a_slot_goes_from_one_to_the_other() {
    for seed in seeds(0..4) {
        let mut world = meeting(seed, LinkModel::hardened());
        for step in 0..8 {
            let (viewer, target) = (step % 4, (step + 1 + step / 4) % 4);
            world.wish(viewer, 0, Some(target).filter(|target| *target != viewer), [720, 90][step % 2]);
            world.run(SETTLE / 4);
        }
        world.run(SETTLE);
        agree(&mut world, seed, "after eight changes");
    }
}

/// The foreign stack makes its later offers from our answers.
#[test]
fn who_restarts_ice_keeps_its_codec() {
    let mut world = meeting(1, LinkModel::clean());
    for site in 0..4 {
        world.sites[site].client.restart_ice();
        world.offer(site);
    }
    world.run(SETTLE);
    agree(&mut world, 1, "after a restart");
}

/// Upper temporal layers of VP8, VP9 and AV1 are left out; H.264 has none that anybody could tell.
#[test]
fn every_codec_is_whole_when_it_is_thinned() {
    for seed in seeds(0..4) {
        let mut world = meeting(seed, LinkModel::hardened());
        for _ in 0..6 {
            world.overload(Duration::from_millis(40));
            world.run(SETTLE / 2);
            world.relieve();
            world.run(SETTLE);
        }
        agree(&mut world, seed, "after an overload");
    }
}
