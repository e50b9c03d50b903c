//! Frames on their way to many.

use super::SETTLE;
use std::time::Duration;
use tests::simulation::{LinkModel, Publishes, Rate, World};

const CAMERA: Publishes = Publishes { layers: 3, voice: false };
const NOTHING: Publishes = Publishes { layers: 0, voice: false };

/// How many packets leave in one send, on average, when so many watch a camera whose packets come one after the other.
fn packets_per_send(viewers: usize) -> f64 {
    let mut world = World::new(1);
    let camera = world.join_browser((CAMERA, 0), LinkModel::clean());
    for _ in 0..viewers {
        let viewer = world.join_browser((NOTHING, 1), LinkModel::clean());
        world.wish(viewer, 0, Some(camera), 720);
    }
    // A packet takes 88 microseconds, a frame of 720 lines 0.6 ms.
    let rate = Rate { bits_per_second: 100_000_000, queue: Duration::from_millis(300) };
    world.wire.links[camera].rate = Some(rate);
    world.run(SETTLE * 3);
    let (sends, packets) = (world.sends, world.stats().packets_forwarded);
    world.run(SETTLE);
    assert_eq!(world.faults, [] as [String; 0]);
    (world.stats().packets_forwarded - packets) as f64 / (world.sends - sends) as f64
}

#[test]
fn a_frame_to_many_leaves_in_one_send() {
    let (few, many) = (packets_per_send(3), packets_per_send(16));
    assert!(few < 1.5, "{few}: at once where that costs little");
    assert!(many > 3.0, "{many}");
}
