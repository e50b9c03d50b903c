//! What an admitted subscriber weighs: what is freed when the engine is dropped.

use crate::ALLOCATOR;
use stats_alloc::Region;
use std::time::Duration;
use tests::simulation::{LinkModel, Publishes, World};

const SUBSCRIBERS: usize = 40;
const SLOTS: usize = 20;

/// Bytes. Rust's allocations only: the key schedules of the C library (four AES contexts of about
/// half a KiB) come on top.
pub fn per_idle_subscriber() -> usize {
    (engine_bytes(SUBSCRIBERS + 1) - engine_bytes(1)) / SUBSCRIBERS
}

fn engine_bytes(subscribers: usize) -> usize {
    let mut world = World::new(2);
    for _ in 0..subscribers {
        let nothing = Publishes { layers: 0, voice: false };
        world.join(nothing, SLOTS, LinkModel::clean());
    }
    world.run(Duration::from_secs(3));
    let region = Region::new(ALLOCATOR);
    drop(world.engine);
    region.change().bytes_deallocated
}
