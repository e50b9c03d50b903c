//! What one site may cost: each story has a hostile site, counts what it costs in bytes, packets and memory, and looks
//! at a bystander. Virtual time; nothing depends on how fast the machine is.

use sfu::command::Permissions;
use sfu::discard::DropReason;
use std::time::Duration;
use tests::simulation::{LinkModel, Publishes, World};

const SITE: Publishes = Publishes { layers: 3, voice: true };
const SETTLE: Duration = Duration::from_secs(4);

/// Sites on clean lines: each viewer shows another site in its first slot.
fn meeting(sites: usize, views: &[(usize, usize)]) -> World {
    let mut world = World::new(1);
    for _ in 0..sites {
        world.join(SITE, 2, LinkModel::clean());
    }
    for (viewer, target) in views {
        world.wish(*viewer, 0, Some(*target), 720);
    }
    world.run(SETTLE);
    assert_eq!(world.disagreements(), [] as [String; 0]);
    world
}

/// A publisher (0) and two viewers of it: the second of them is the bystander.
fn two_watch_one() -> World {
    meeting(3, &[(1, 0), (2, 0)])
}

fn steps(world: &mut World, count: usize, every: Duration, mut act: impl FnMut(&mut World)) {
    for _ in 0..count {
        act(world);
        world.run(every);
    }
}

/// What a site calls off is not forwarded, though it goes on sending; and nothing is requested from it.
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
    assert_eq!(world.sites[0].client.key_requests, before[0].1, "no slot waits for a key frame");
    assert!(world.drops(DropReason::Muted) > 100);

    world.sites[0].may = Permissions::all();
    world.reconcile();
    world.run(SETTLE);
    assert_eq!(world.disagreements(), [] as [String; 0], "seen again");
    assert_eq!(world.faults, [] as [String; 0]);
}

/// Pictures a camera takes in so many seconds.
fn pictures_in(seconds: usize) -> u64 {
    seconds as u64 * 1000 / 33
}

/// Viewer 2, which only watches: its pictures, the packets it never got, and how often it was asked for a key frame.
fn bystander(world: &World) -> (u64, u64, u64) {
    let client = &world.sites[2].client;
    let view = &client.video[&0];
    (view.pictures, view.given_up, client.key_requests)
}

/// NACKs without end, of numbers that were all sent and are all in the slab: what is resent is bounded by what is sent
/// anyway, and no other site notices.
#[test]
fn a_storm_of_nacks_draws_no_more_than_a_share_of_what_is_sent_anyway() {
    let mut world = two_watch_one();
    let quiet = two_watch_one();
    let (before, sent) = (world.sites[1].client.traffic, world.sites[1].client.sent);
    let (pictures, ..) = bystander(&world);
    let seconds = 8;
    steps(&mut world, seconds * 100, Duration::from_millis(10), |world| {
        let (now, client) = (world.now, &mut world.sites[1].client);
        let newest = client.newest(0);
        // Those first that could still be played.
        let numbers = || (0..120).rev().chain((120..500).rev()).map(|ago| newest.wrapping_sub(ago));
        let nacks = (0..6).map(|_| client.nack(0, numbers()));
        let nacks = nacks.collect();
        client.send_feedback(now, nacks);
    });
    let drawn = world.sites[1].client.traffic - before;
    let asked = world.sites[1].client.sent - sent;
    assert!(asked.bytes > 8 * 60_000, "half a megabit a second of NACKs: {asked:?}");
    assert!(drawn.video.packets > 600, "the picture goes on: {drawn:?}");
    let most = drawn.video.bytes / 4 + 12_500 * seconds as u64 + 60_000;
    assert!(drawn.resent.bytes <= most, "{} of at most {most}: {drawn:?}", drawn.resent.bytes);
    assert!(drawn.resent.bytes < asked.bytes, "less comes out than went in");
    assert!(drawn.resent.bytes > most / 2, "and what is due is resent: {drawn:?}");
    // Refused without being looked at, but for 128 numbers a turn and 4,096 a second.
    let all = 6 * 500 * 100 * seconds as u64;
    let refused = world.drops(DropReason::ResendRefused);
    assert!(refused > all - 5000 * seconds as u64, "{refused} of {all}");

    let (more, given_up, _) = bystander(&world);
    assert!((more - pictures).abs_diff(pictures_in(seconds)) <= 1, "{} pictures", more - pictures);
    assert_eq!(given_up, 0);
    assert_eq!(world.sites[0].client.key_requests, quiet.sites[0].client.key_requests);
    assert_eq!(world.faults, [] as [String; 0]);
}

/// A line that really loses is repaired within the budget.
#[test]
fn a_line_that_loses_every_tenth_packet_is_repaired() {
    let mut world = two_watch_one();
    world.wire.links[1] = LinkModel { loss: 0.1, ..LinkModel::clean() };
    world.run(Duration::from_secs(20));
    let view = &world.sites[1].client.video[&0];
    assert!(view.pictures > 550, "{} pictures, {} given up", view.pictures, view.given_up);
    assert_eq!(world.faults, [] as [String; 0]);
}

/// Key frame requests without end cost the publisher a few key frames, and its other viewers nothing.
#[test]
fn a_storm_of_key_frame_requests_is_rationed() {
    let mut world = two_watch_one();
    let asked_before = world.sites[0].client.key_requests;
    let (pictures, ..) = bystander(&world);
    let before = world.sites[2].client.traffic;
    let seconds = 20;
    steps(&mut world, seconds * 100, Duration::from_millis(10), |world| {
        let (now, client) = (world.now, &mut world.sites[1].client);
        let plis = (0..20).map(|_| client.pli(0)).collect();
        client.send_feedback(now, plis);
    });
    let asked = world.sites[0].client.key_requests - asked_before;
    assert!((1..=4 + 5).contains(&asked), "four at once and one every four seconds: {asked}");
    let refused = world.drops(DropReason::KeyframeRefused);
    assert!(refused > 20 * 100 * seconds as u64 - 3000, "{refused}");
    let (more, given_up, _) = bystander(&world);
    assert!((more - pictures).abs_diff(pictures_in(seconds)) <= 1);
    assert_eq!(given_up, 0);
    let drawn = world.sites[2].client.traffic - before;
    // A key frame has one packet more than another frame here.
    assert!(drawn.video.packets <= 3 * (pictures_in(seconds) + 1) + asked, "{drawn:?}");
    assert_eq!(world.faults, [] as [String; 0]);
}

/// The same by changing wishes: each change would need a key frame.
#[test]
fn wishes_that_flap_are_rationed_and_settle_in_the_end() {
    let mut world = two_watch_one();
    let asked_before = world.sites[0].client.key_requests;
    let heights = [90, 720, 180, 1080];
    let seconds = 20;
    let mut step = 0;
    steps(&mut world, seconds * 4, Duration::from_millis(250), |world| {
        step += 1;
        world.wish(1, 0, Some(if step % 3 == 0 { 2 } else { 0 }), heights[step % 4]);
    });
    let asked = world.sites[0].client.key_requests - asked_before;
    // Three layers, four at once and one every four seconds each.
    assert!(asked <= 3 * (4 + 5), "{asked}");
    assert!(world.drops(DropReason::KeyframeRefused) > 0, "{asked}");
    world.wish(1, 0, Some(0), 720);
    world.run(Duration::from_secs(6));
    assert_eq!(world.disagreements(), [] as [String; 0], "what was refused is asked for later");
    assert_eq!(world.faults, [] as [String; 0]);
}

/// A packet of VP8 that begins nothing and ends a frame.
fn ballast() -> Vec<u8> {
    let mut payload = vec![0x80, 0xe0, 0x80, 1, 1, 0, 0x11];
    payload.resize(1080, 0xaa);
    payload
}

/// 270 Mbit/s in: what is forwarded is a camera's worth, and viewers of others see them as before.
#[test]
fn a_flood_of_media_is_cut_down_to_what_a_camera_may_send() {
    // 0 floods, 1 watches it; 2 and 3 watch each other.
    let mut world = meeting(4, &[(1, 0), (2, 3), (3, 2)]);
    let before: Vec<_> = world.sites.iter().map(|site| site.client.traffic).collect();
    let (pictures, ..) = bystander(&world);
    let (sent, seconds) = (world.sites[0].client.sent, 4);
    steps(&mut world, seconds * 100, Duration::from_millis(10), |world| {
        let now = world.now;
        world.sites[0].client.flood(now, 2, vec![ballast(); 300]);
    });
    let (more, given_up, _) = bystander(&world);
    assert!((more - pictures).abs_diff(pictures_in(seconds)) <= 3, "{} pictures", more - pictures);
    assert_eq!(given_up, 0);
    let flooded = world.sites[0].client.sent - sent;
    assert!(flooded.bytes * 8 > 250_000_000 * seconds as u64, "{flooded:?}");
    let drawn = world.sites[1].client.traffic - before[1];
    let (bytes, packets) =
        (drawn.video.bytes + drawn.resent.bytes, drawn.video.packets + drawn.resent.packets);
    // 12 Mbit/s and a second of it at once, a quarter for repairs, and the lower layers' own.
    let most = 1_500_000 * (seconds as u64 + 1) * 5 / 4 + 200_000;
    assert!(bytes <= most, "{bytes} of at most {most}: {drawn:?}");
    assert!(bytes * 10 < flooded.bytes, "one in ten, where nine in ten went on before");
    assert!(packets < 2_000 * (seconds as u64 + 1), "{packets}");
    assert!(world.drops(DropReason::PublishLimit) > 100_000);
    assert_eq!(
        world.sites[0].client.layers[2].stream.asked.len(),
        0,
        "what was refused is not asked for again"
    );

    let others: Vec<_> = world.faults.iter().filter(|fault| !fault.contains("site 1 ")).collect();
    assert_eq!(others, [] as [&String; 0]);
}
