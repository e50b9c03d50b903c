//! Where media goes when addresses change, and when they are forged. The clients are those of the `rtc` crate, which
//! nominate once and never again.

use sfu::event::Event;
use sfu::net::PathKind;
use std::net::SocketAddr;
use std::time::Duration;
use tests::simulation::{LinkModel, Publishes, World};

const SITE: Publishes = Publishes { layers: 3, voice: true };
const SETTLE: Duration = Duration::from_secs(5);
const SEEDS: std::ops::Range<u64> = 0..10;
/// An address that has nothing to do with the meeting.
const BYSTANDER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7)), 53);

/// Three sites that watch each other.
fn meeting(seed: u64, link: LinkModel) -> World {
    let mut world = World::new(seed);
    for _ in 0..3 {
        world.join(SITE, 1, link);
    }
    for viewer in 0..3 {
        world.wish(viewer, 0, Some((viewer + 1) % 3), 360);
    }
    world.run(SETTLE * 2);
    agree(&world, seed, "begun");
    world
}

fn agree(world: &World, seed: u64, when: &str) {
    assert_eq!(world.disagreements(), [] as [String; 0], "seed {seed}, {when}");
    assert_eq!(world.faults, [] as [String; 0], "seed {seed}, {when}");
}

/// Events about site 1's line since `from`.
fn line_events(world: &World, from: usize) -> Vec<&Event> {
    let of_it = |event: &&Event| {
        let (Event::PathChanged { peer, .. }
        | Event::Quiet { peer }
        | Event::Disconnected { peer, .. }
        | Event::Connected { peer, .. }) = event
        else {
            return false;
        };
        *peer == tests::simulation::peer(1)
    };
    world.events[from..].iter().filter(of_it).collect()
}

/// A site that only watches is found by its checks: nothing else comes from it.
#[test]
fn a_site_that_only_watches_is_found_again() {
    let mut world = World::new(1);
    world.join(SITE, 1, LinkModel::clean());
    let viewer = world.join(Publishes { layers: 0, voice: false }, 1, LinkModel::clean());
    world.wish(viewer, 0, Some(0), 360);
    world.run(SETTLE);
    agree(&world, 1, "begun");
    let old = world.rebind(viewer, PathKind::Udp);
    world.run(Duration::from_secs(15));
    agree(&world, 1, "found");
    let lost = world.strays[&old];
    world.run(SETTLE);
    assert_eq!(world.strays[&old], lost);
}

/// Once is enough: what follows is bounded, too.
#[test]
fn one_check_draws_at_most_three_times_its_bytes() {
    let mut world = meeting(1, LinkModel::clean());
    let check = world.sites[1].nomination.clone();
    world.forge(BYSTANDER, check.clone());
    world.run(Duration::from_secs(40));
    let got = world.strays[&BYSTANDER];
    assert!((check.len() / 2..=3 * check.len()).contains(&got), "{got} bytes for {}", check.len());
}

/// A check forged from another site's address took that site's media to the wrong peer, which cannot open it, until the
/// site's next check.
#[test]
fn a_check_takes_no_address_from_another_site() {
    let mut world = meeting(1, LinkModel::clean());
    let (check, victim) = (world.sites[1].nomination.clone(), world.sites[2].seen_at.1);
    let seen = |world: &World| world.sites[1].client.video[&0].packets;
    for _ in 0..40 {
        let before = seen(&world);
        world.forge(victim, check.clone());
        world.run(Duration::from_millis(200));
        assert!(seen(&world) > before, "site 1 goes on seeing site 2");
    }
    agree(&world, 1, "nothing has happened");
}

/// A check from anywhere counted as a sign of life and as consent.
#[test]
fn a_gone_site_is_not_kept_by_checks_sent_again() {
    let mut world = meeting(1, LinkModel::clean());
    let check = world.sites[1].nomination.clone();
    let before = world.events.len();
    world.wire.links[1].cut = true;
    for _ in 0..40 {
        world.forge(BYSTANDER, check.clone());
        world.run(Duration::from_secs(1));
    }
    let line_events: Vec<String> =
        line_events(&world, before).iter().map(|event| format!("{event:?}")).collect();
    assert_eq!(line_events.len(), 2, "{line_events:?}");
    assert!(
        line_events[0].starts_with("Quiet") && line_events[1].contains("ConsentExpired"),
        "{line_events:?}"
    );
}

/// Run for other seeds by `make sweep`.
mod seeded {
    use super::*;
    use tests::simulation::seeds;

    #[test]
    fn a_site_whose_nat_changes_its_mind_goes_on_seeing_and_being_seen() {
        for seed in seeds(SEEDS) {
            let mut world = meeting(seed, LinkModel::hardened());
            for _ in 0..3 {
                let before = world.events.len();
                let old = world.rebind(1, PathKind::Udp);
                world.run(Duration::from_millis(1_000));
                let lost = world.strays[&old];
                world.run(Duration::from_millis(500));
                agree(&world, seed, "1.5 s after");
                assert_eq!(world.strays[&old], lost, "seed {seed}: nothing goes to the dead address");
                let expected = Event::PathChanged { peer: tests::simulation::peer(1), path: PathKind::Udp };
                assert_eq!(line_events(&world, before), [&expected], "seed {seed}");
            }
            // And for longer than a consent lasts.
            world.run(Duration::from_secs(40));
            agree(&world, seed, "after 40 s");
        }
    }

    #[test]
    fn from_udp_to_tcp_and_back() {
        for seed in seeds(SEEDS) {
            let mut world = meeting(seed, LinkModel::clean());
            for kind in [PathKind::Tcp, PathKind::Udp, PathKind::Tcp] {
                let before = world.events.len();
                world.rebind(1, kind);
                world.run(Duration::from_millis(1_500));
                agree(&world, seed, "moved");
                let expected = Event::PathChanged { peer: tests::simulation::peer(1), path: kind };
                assert_eq!(line_events(&world, before), [&expected], "seed {seed}");
            }
        }
    }

    /// A site, or an attacker that has seen a check of it, claims to be where a bystander is. That once moved the
    /// site's media there for as long as the checks lasted.
    #[test]
    fn a_bystander_gets_no_more_than_it_seems_to_have_sent() {
        for seed in seeds(SEEDS) {
            let mut world = meeting(seed, LinkModel::hardened());
            let check = world.sites[1].nomination.clone();
            assert!(!check.is_empty(), "the client has nominated");
            let (before, mut sent) = (world.events.len(), 0);
            for _ in 0..80 {
                world.forge(BYSTANDER, check.clone());
                sent += check.len();
                world.run(Duration::from_millis(500));
            }
            let got = world.strays[&BYSTANDER];
            assert!(got <= 3 * sent, "seed {seed}: {got} bytes for {sent}");
            agree(&world, seed, "the site's own media stays with it");
            assert_eq!(line_events(&world, before), [] as [&Event; 0], "seed {seed}");
        }
    }
}
