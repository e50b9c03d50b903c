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
