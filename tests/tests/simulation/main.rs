//! Simulated meetings: each test is a story that ends in agreement: what was wished, what the engine reports and what
//! the clients see are the same. Those that run for many seeds are in `seeded.rs`, on one hardened default line.

use sfu::discard::DropReason;
use sfu::ids::{SlotId, SourceKind};
use std::time::Duration;
use tests::simulation::{LinkModel, Publishes, Site, SlotView, World};

mod codecs;
mod found;
mod frames;
mod joins;
mod mixing;
mod remb;
mod seeded;
mod sizes;
mod speech;
mod time;

const SITE: Publishes = Publishes { layers: 3, voice: true };
const SETTLE: Duration = Duration::from_secs(5);

/// A meeting of `count` sites on the hardened line; every site watches the next two.
fn meeting(seed: u64, count: usize) -> World {
    let mut world = World::new(seed);
    for _ in 0..count {
        world.join(SITE, 2, LinkModel::hardened());
    }
    for viewer in 0..count {
        world.wish(viewer, 0, Some((viewer + 1) % count), 720);
        if count > 2 {
            world.wish(viewer, 1, Some((viewer + 2) % count), 180);
        }
    }
    world.run(SETTLE);
    agree(&mut world, seed, "begun");
    world
}

/// A handshake on the hardened line takes up to 5.5 s where one packet of it is lost again and again (the
/// timers are the client's): what has not settled by now gets twice that.
const PATIENCE: u32 = 24;

fn agree(world: &mut World, seed: u64, when: &str) {
    for _ in 0..PATIENCE {
        if world.disagreements().is_empty() {
            break;
        }
        world.run(Duration::from_millis(500));
    }
    assert_eq!(world.disagreements(), [] as [String; 0], "seed {seed}, {when}");
    assert_eq!(world.faults, [] as [String; 0], "seed {seed}, {when}");
}

#[test]
fn two_sites_on_a_clean_line_see_and_hear_each_other() {
    let mut world = World::new(1);
    let a = world.join(SITE, 2, LinkModel::clean());
    let b = world.join(SITE, 2, LinkModel::clean());
    world.wish(a, 0, Some(b), 720);
    world.wish(b, 0, Some(a), 180);
    world.run(SETTLE);
    agree(&mut world, 1, "settled");
    // The voice comes in the partner of the slot that shows its site.
    assert_eq!(world.sites[a].client.audio[&0].last, Some((2, 0)));
    assert_eq!(world.sites[b].client.audio[&0].last, Some((1, 0)));
    // A large tile gets the highest layer, a small one the lowest.
    assert_eq!(world.sites[a].client.video[&0].last, Some((2, 2)));
    assert_eq!(world.sites[b].client.video[&0].last, Some((1, 0)));
}

#[test]
fn unwatched_layers_are_switched_off_and_on_again() {
    let mut world = meeting(3, 2);
    world.wish(0, 0, Some(1), 90);
    world.run(SETTLE);
    assert_eq!(world.sites[1].client.wanted, [true, false, false]);
    world.wish(0, 0, Some(1), 1080);
    world.run(SETTLE);
    assert_eq!(world.sites[1].client.wanted, [true, false, true]);
    assert_eq!(world.sites[0].client.video[&0].last, Some((2, 2)));
}

#[test]
fn packets_name_their_section_until_the_receiver_has_reported() {
    let mut world = World::new(4);
    for _ in 0..2 {
        world.join(SITE, 1, LinkModel::clean());
    }
    world.wish(0, 0, Some(1), 180);
    world.run(SETTLE);
    // Every packet did, or there would be faults.
    agree(&mut world, 4, "begun");
    let now = world.now;
    world.sites[0].client.report(now);
    world.run(Duration::from_millis(200));
    let named = world.sites[0].client.sections.named;
    let packets = world.sites[0].client.video[&0].packets;
    world.run(SETTLE);
    agree(&mut world, 4, "reported");
    assert!(world.sites[0].client.video[&0].packets > packets + 100);
    assert_eq!(
        world.sites[0].client.sections.named, named,
        "a receiver that knows is not sent the section again"
    );
}

#[test]
fn at_most_five_voices_are_forwarded_and_the_floor() {
    let mut world = World::new(7);
    let listener = Publishes { layers: 0, voice: false };
    let speaker = Publishes { layers: 0, voice: true };
    world.join(listener, 8, LinkModel::clean());
    for _ in 0..8 {
        world.join(speaker, 1, LinkModel::clean());
    }
    world.floor = Some(8);
    world.reconcile();
    world.run(SETTLE);
    let heard: Vec<_> = world
        .shown
        .iter()
        .filter(|((site, slot), source)| *site == 0 && matches!(slot, SlotId::Audio(_)) && source.is_some())
        .filter_map(|(_, source)| *source)
        .collect();
    assert!((5..=6).contains(&heard.len()), "{heard:?}");
    assert!(
        heard.iter().any(|source| source.peer == tests::simulation::peer(8)),
        "the site with the floor is heard"
    );
    assert!(heard.iter().all(|source| source.kind == SourceKind::Microphone));
}

#[test]
fn overload_thins_video_by_priority_and_takes_nothing_from_view() {
    let mut world = meeting(5, 4);
    (world.floor, world.chair) = (Some(1), Some(2));
    world.reconcile();
    world.run(SETTLE);
    // Viewer, source and packets of all slots.
    let packets = |world: &World, kind: SourceKind| -> Vec<(usize, u64, u64)> {
        let views = |(viewer, site): (usize, &Site)| {
            let of = |view: &SlotView| (viewer, u64::from(view.last.unwrap().0), view.packets);
            let views = if kind == SourceKind::Camera { &site.client.video } else { &site.client.audio };
            views.values().map(of).collect::<Vec<_>>()
        };
        world.sites.iter().enumerate().flat_map(views).collect()
    };
    // A little too much work, until the pictures of both others stand still for their two viewers each.
    world.overload(Duration::from_millis(40));
    let others_stand = (0..200).any(|_| {
        world.run(Duration::from_millis(100));
        world.stats().shed_slots >= 4
    });
    assert!(others_stand, "{:?}", world.stats());
    assert_eq!(world.stats().shed_slots, 4);
    let (video, audio) = (packets(&world, SourceKind::Camera), packets(&world, SourceKind::Microphone));
    world.run(Duration::from_millis(300));
    for ((viewer, source, before), (_, _, after)) in video.iter().zip(packets(&world, SourceKind::Camera)) {
        let moves = after > *before;
        assert_eq!([2, 3].contains(source), moves, "floor and chair alone move: {source} at {viewer}");
    }
    for ((viewer, source, before), (_, _, after)) in audio.iter().zip(packets(&world, SourceKind::Microphone))
    {
        assert!(after > *before + 10, "the voice of {source} is never shed, at {viewer}");
    }
    let mut shown = world.shown.iter().filter(|((_, slot), _)| matches!(slot, SlotId::Video(_)));
    assert!(shown.clone().count() == 8 && shown.all(|(_, source)| source.is_some()), "nothing black");
    assert!(world.drops(DropReason::Overload) > 0, "what is shed is counted");
    world.relieve();
    world.run(Duration::from_secs(3));
    assert_eq!((world.stats().thinned_slots, world.stats().shed_slots), (0, 0));
    agree(&mut world, 5, "after the overload");
}

/// A voice that comes 100 packets late is older than what is kept of voices (64), and is of no use: it is counted, not
/// stored and lost.
#[test]
fn a_packet_that_comes_later_than_it_could_be_kept_is_counted() {
    let mut world = World::new(1);
    let (listens, speaks) = (Publishes { layers: 0, voice: false }, Publishes { layers: 0, voice: true });
    let listener = world.join(listens, 1, LinkModel::clean());
    let speaker = world.join(speaks, 1, LinkModel::clean());
    world.run(SETTLE);
    let received =
        |world: &World| world.sites[listener].client.audio.values().map(|view| view.packets).sum::<u64>();
    let before = (world.drops(DropReason::TooOld), received(&world));
    world.sites[speaker].client.forgets = true;
    let line = world.wire.links[speaker];
    world.wire.links[speaker].delay = Duration::from_secs(2);
    world.run(Duration::from_millis(200));
    world.wire.links[speaker] = line;
    world.run(SETTLE);
    let late = world.drops(DropReason::TooOld) - before.0;
    assert_eq!(late, 10, "a packet each 20 ms for 200 ms");
    assert_eq!(received(&world) - before.1, 5200 / 20 - late, "what is not counted has come");
}

/// A site that has joined and has no media yet costs no dropped packet.
#[test]
fn a_seat_without_media_drops_nothing() {
    let mut world = meeting(1, 3);
    let lost = world.join(SITE, 2, LinkModel { cut: true, ..LinkModel::hardened() });
    world.wish(lost, 0, Some(0), 720);
    world.run(SETTLE);
    let reasons = [DropReason::NotConnected, DropReason::ReceiverGone];
    let before = reasons.map(|reason| world.drops(reason));
    world.run(SETTLE);
    assert_eq!(reasons.map(|reason| world.drops(reason)), before);
    world.wire.links[lost].cut = false;
    world.sites[lost].client.restart_ice();
    world.offer(lost);
    agree(&mut world, 1, "and it comes in");
}
