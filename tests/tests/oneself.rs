//! A site that watches itself, as `nhipcau join` does to measure its line, alone or beside others.

use std::time::Duration;
use tests::simulation::{LinkModel, Publishes, World};

const SITE: Publishes = Publishes { layers: 3, voice: true };

#[test]
fn a_site_sees_its_own_picture_whole_alone_or_with_others() {
    for seed in 0..5 {
        let mut world = World::new(seed);
        let probe = world.join(SITE, 2, LinkModel::hardened());
        world.wish(probe, 1, Some(probe), 360);
        world.run(Duration::from_secs(8));
        agrees(&world, seed, "alone");
        let alone = world.sites[probe].client.video[&1].packets;
        assert!(alone > 100, "seed {seed}: {alone} packets of its own picture");

        let other = world.join(SITE, 1, LinkModel::hardened());
        world.wish(probe, 0, Some(other), 360);
        world.wish(other, 0, Some(probe), 180);
        world.run(Duration::from_secs(8));
        agrees(&world, seed, "with another");
        assert!(world.sites[probe].client.video[&1].packets > alone, "seed {seed}: it goes on");
        assert!(world.sites[probe].client.video[&0].packets > 100, "seed {seed}: and the other is seen");
    }
}

fn agrees(world: &World, seed: u64, when: &str) {
    assert_eq!(world.disagreements(), [] as [String; 0], "seed {seed}, {when}");
    assert_eq!(world.faults, [] as [String; 0], "seed {seed}, {when}");
}
