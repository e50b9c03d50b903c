//! What a hostile site makes the engine hold. A program of its own with one test: the allocator counts for the
//! whole process.

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::time::Duration;
use tests::simulation::{LinkModel, Publishes, World};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SITE: Publishes = Publishes { layers: 3, voice: true };

/// Bytes the engine holds after a meeting of three in which `act` was done a hundred times a second.
fn held(mut act: impl FnMut(&mut World)) -> usize {
    let mut world = World::new(1);
    for _ in 0..3 {
        world.join(SITE, 2, LinkModel::clean());
    }
    for viewer in [1, 2] {
        world.wish(viewer, 0, Some(0), 720);
    }
    world.run(Duration::from_secs(4));
    for _ in 0..400 {
        act(&mut world);
        world.run(Duration::from_millis(10));
    }
    let region = Region::new(ALLOCATOR);
    drop(world.engine);
    region.change().bytes_deallocated
}

#[test]
fn storms_and_floods_leave_next_to_nothing_behind() {
    let quiet = held(|_| {});
    let asking = held(|world| {
        let (now, client) = (world.now, &mut world.sites[1].client);
        let newest = client.newest(0);
        let nacks = (0..500).rev().map(|ago| newest.wrapping_sub(ago));
        let packets = vec![client.nack(0, nacks), client.pli(0), client.pli(0)];
        client.send_feedback(now, packets);
    });
    // What was resent of the slot, and the layers it asked key frames of; queues have grown a little.
    assert!(asking < quiet + 32 * 1024, "{asking} bytes, {quiet} in a quiet meeting");
    let flooding = held(|world| {
        let now = world.now;
        let mut payload = vec![0x80, 0xe0, 0x80, 1, 1, 0, 0x11];
        payload.resize(1080, 0xaa);
        world.sites[0].client.flood(now, 2, vec![payload; 100]);
    });
    assert!(flooding < quiet + 64 * 1024, "{flooding} bytes, {quiet} in a quiet meeting");
}
