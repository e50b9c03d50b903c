//! What a newcomer is sent at the end of its handshake, and what it may ask for before.

use super::{SETTLE, SITE, agree};
use sfu::event::Event;
use std::time::Duration;
use tests::simulation::{LinkModel, Publishes, World, peer};

const TICK: Duration = Duration::from_millis(1);
const WATCHER: Publishes = Publishes { layers: 0, voice: false };
const CAMERA: Publishes = Publishes { layers: 1, voice: true };

/// A camera with a microphone that has been on for a while; no site watches it.
fn camera() -> World {
    let mut world = World::new(1);
    world.join(CAMERA, 1, LinkModel::clean());
    world.run(SETTLE);
    world
}

fn far(delay_ms: u64) -> LinkModel {
    LinkModel { delay: Duration::from_millis(delay_ms), ..LinkModel::clean() }
}

fn is_connected(world: &World, site: usize) -> bool {
    world.events.iter().any(|event| matches!(event, Event::Connected { peer: p, .. } if *p == peer(site)))
}

fn until_connected(world: &mut World, site: usize) {
    let begun = world.now;
    while !is_connected(world, site) {
        assert!(world.now - begun < SETTLE, "waited in vain for a handshake");
        world.run(TICK);
    }
}

/// A frame comes every 33 ms and a packet of a voice every 20, and the camera is 5 ms away: a site that had to wait for
/// the next ones, or for a key frame asked for now, would get it later at some of these moments.
#[test]
fn a_newcomer_is_sent_voice_and_picture_as_soon_as_the_handshake_is_done() {
    for moment in 0..12 {
        let mut world = camera();
        world.run(Duration::from_millis(3) * moment);
        let newcomer = world.join(WATCHER, 1, far(40));
        world.wish(newcomer, 0, Some(0), 720);
        until_connected(&mut world, newcomer);
        let sent = world.sites[newcomer].client.traffic;
        assert!(sent.audio.packets > 0, "no voice, moment {moment}");
        assert!(sent.video.packets > 0, "no picture, moment {moment}");
        assert_eq!(world.sites[0].client.key_requests, 1, "one key frame for one newcomer");
        world.run(SETTLE);
        agree(&mut world, 1, "at last");
    }
}

/// A link opens the door to offers, not to other people's cameras.
#[test]
fn an_offer_without_a_handshake_asks_for_no_key_frames() {
    let mut world = camera();
    for _ in 0..20 {
        let stranger = world.join(WATCHER, 8, LinkModel { cut: true, ..LinkModel::clean() });
        (0..8).for_each(|slot| world.wish(stranger, slot, Some(0), 720));
        world.run(Duration::from_millis(200));
    }
    assert_eq!(world.sites[0].client.key_requests, 0);
}

/// Over a satellite the key frame that was asked for is too old when the handshake ends. It is not asked for again
/// and again meanwhile, though the room changes all the time.
#[test]
fn a_slow_handshake_asks_once_and_once_more_at_its_end() {
    let mut world = camera();
    let newcomer = world.join(WATCHER, 1, far(350));
    let neighbour = world.join(WATCHER, 1, LinkModel::clean());
    world.wish(newcomer, 0, Some(0), 720);
    while !is_connected(&world, newcomer) {
        let wish = world.sites[neighbour].wishes[0].is_none().then_some(newcomer);
        world.wish(neighbour, 0, wish, 720);
        world.run(TICK);
    }
    assert_eq!(world.sites[0].client.key_requests, 1);
    world.run(SETTLE);
    assert_eq!(world.sites[0].client.key_requests, 2);
    world.wish(neighbour, 0, None, 720);
    agree(&mut world, 1, "at last");
}

/// The packet that makes a voice heard is the first one of its speech.
#[test]
fn the_first_packet_of_a_voice_is_heard() {
    let mut world = World::new(1);
    let listener = world.join(WATCHER, 1, LinkModel::clean());
    let speaker = world.join(SITE, 1, LinkModel::clean());
    world.sites[speaker].client.muted = true;
    world.run(SETTLE);
    world.sites[speaker].client.muted = false;
    let words = 5;
    world.run(Duration::from_millis(20) * words);
    world.sites[speaker].client.muted = true;
    world.run(Duration::from_millis(100));
    let received: u64 = world.sites[listener].client.audio.values().map(|view| view.packets).sum();
    assert_eq!(received, u64::from(words));
    assert_eq!(world.faults, [] as [String; 0]);
}
