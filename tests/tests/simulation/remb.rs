//! Receivers that estimate their line by themselves, and report no arrivals (REMB).

use super::SETTLE;
use std::time::Duration;
use tests::simulation::{LinkModel, Publishes, World};

const SENDS: Publishes = Publishes { layers: 3, voice: true };

/// Bits per second that a site gets of pictures while it says this of its line.
fn video_bps(world: &mut World, site: usize, says_bps: Option<u64>) -> f64 {
    let mut before = 0;
    for half in 0..30 {
        if let Some(bps) = says_bps {
            let now = world.now;
            world.sites[site].client.estimate(now, bps);
        }
        if half == 10 {
            before = world.sites[site].client.traffic.video.bytes;
        }
        world.run(Duration::from_millis(500));
    }
    (world.sites[site].client.traffic.video.bytes - before) as f64 * 8.0 / 10.0
}

#[test]
fn what_a_receiver_says_of_its_line_is_what_it_gets() {
    let mut world = World::new(11);
    world.hides_arrivals = true;
    let viewer = world.join_browser((SENDS, 1), LinkModel::clean());
    let camera = world.join_browser((SENDS, 1), LinkModel::clean());
    world.wish(viewer, 0, Some(camera), 720);
    world.run(SETTLE);
    let all = video_bps(&mut world, viewer, None);
    assert!(all > 1_000_000.0, "{all}: nothing is known of the line");
    let little = video_bps(&mut world, viewer, Some(400_000));
    assert!((50_000.0..400_000.0).contains(&little), "{little}");
    let more = video_bps(&mut world, viewer, Some(5_000_000));
    assert!(more > 1_000_000.0, "{more}");
    assert_eq!(world.faults, [] as [String; 0]);
}

#[test]
fn a_receiver_that_says_its_line_carries_no_voices_gets_a_mix() {
    let mut world = World::new(12);
    world.hides_arrivals = true;
    for _ in 0..3 {
        world.join(Publishes { layers: 0, voice: true }, 1, LinkModel::clean());
    }
    world.run(SETTLE);
    let mixed = |world: &World| world.sites[0].client.heard.mixed_packets;
    assert_eq!(mixed(&world), 0, "nothing is known of its line");
    for _ in 0..10 {
        let now = world.now;
        world.sites[0].client.estimate(now, 64_000);
        world.run(Duration::from_millis(500));
    }
    assert!(mixed(&world) > 50, "{}", mixed(&world));
    assert_eq!(world.faults, [] as [String; 0]);
}
