//! What one site may cost: each story has a hostile site, counts what it draws in bytes, packets and memory,
//! and looks at a bystander. Virtual time; nothing depends on how fast the machine is.

use sfu::command::Permissions;
use sfu::discard::DropReason;
use std::time::Duration;
use tests::simulation::{LinkModel, Publishes, World};

const SITE: Publishes = Publishes { layers: 3, voice: true };
const SETTLE: Duration = Duration::from_secs(4);

/// A publisher (0) and two who watch it, on clean lines: the second is nobody's fault.
fn two_watch_one() -> World {
    let mut world = World::new(1);
    for _ in 0..3 {
        world.join(SITE, 2, LinkModel::clean());
    }
    for viewer in [1, 2] {
        world.wish(viewer, 0, Some(0), 720);
    }
    world.run(SETTLE);
    assert_eq!(world.disagreements(), [] as [String; 0]);
    world
}

fn steps(world: &mut World, count: usize, every: Duration, mut act: impl FnMut(&mut World)) {
    for _ in 0..count {
        act(world);
        world.run(every);
    }
}

/// What a site calls off goes to nobody, though it goes on sending; and nobody asks it for anything.
#[test]
fn a_source_that_is_called_off_is_not_forwarded() {
    let mut world = two_watch_one();
    let now = world.now;
    world.sites[0].client.share_content(now, true);
    world.wish_for(2, 1, Some((0, sfu::ids::SourceKind::Content)), 1080);
    world.run(SETTLE);
    assert_eq!(world.disagreements(), [] as [String; 0]);

    world.sites[0].may = Permissions { microphone: true, camera: false, content: false };
    world.reconcile();
    // What had left already is on its way.
    world.run(Duration::from_millis(50));
    let before: Vec<_> =
        world.sites.iter().map(|site| (site.client.traffic, site.client.key_requests)).collect();
    world.run(SETTLE);
    for viewer in [1, 2] {
        let traffic = world.sites[viewer].client.traffic - before[viewer].0;
        assert_eq!((traffic.video.packets, traffic.resent.packets), (0, 0), "viewer {viewer}");
        assert!(traffic.audio.packets > 100, "the voice goes on");
    }
    assert_eq!(world.sites[0].client.key_requests, before[0].1, "nobody waits for a key frame");
    assert!(world.drops(DropReason::Muted) > 100);

    world.sites[0].may = Permissions::all();
    world.reconcile();
    world.run(SETTLE);
    assert_eq!(world.disagreements(), [] as [String; 0], "seen again");
    assert_eq!(world.faults, [] as [String; 0]);
}
