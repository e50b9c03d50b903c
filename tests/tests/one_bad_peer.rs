//! A fault of the engine, met while it works for one peer, ends that peer: its room and all others go on. The
//! faults are injected (`sfu::engine::Fault`), which only a debug build can.
#![cfg(debug_assertions)]

use sfu::engine::Fault;
use sfu::event::Event;
use sfu::ids::PeerId;
use std::time::Duration;
use tests::simulation::{LinkModel, Publishes, World, peer};

const SITE: Publishes = Publishes { layers: 3, voice: true };
const SETTLE: Duration = Duration::from_secs(4);

/// Every site watches the next two: 0 sees 1 and 2, and so on around.
fn meeting(count: usize) -> World {
    let mut world = World::new(3);
    for _ in 0..count {
        world.join(SITE, 2, LinkModel::clean());
    }
    for viewer in 0..count {
        world.wish(viewer, 0, Some((viewer + 1) % count), 720);
        world.wish(viewer, 1, Some((viewer + 2) % count), 180);
    }
    world.run(SETTLE);
    assert_eq!(world.disagreements(), [] as [String; 0]);
    world.failed = Some(Vec::new());
    world
}

/// Sites that are gone are wished for no more; what is left agrees, as if they had left by themselves.
fn goes_on_without(world: &mut World, gone: &[usize]) {
    let wishes_of = |world: &World, viewer: usize| world.sites[viewer].wishes.clone();
    for viewer in 0..world.sites.len() {
        for (slot, wish) in wishes_of(world, viewer).into_iter().enumerate() {
            if wish.is_some_and(|wish| gone.iter().any(|site| peer(*site) == wish.source.peer)) {
                world.wish(viewer, slot, None, 0);
            }
        }
    }
    world.reconcile();
    world.run(SETTLE);
    assert_eq!(world.disagreements(), [] as [String; 0]);
    assert_eq!(world.faults, [] as [String; 0]);
}

/// How many frames of its slot 0 site `viewer` has shown.
fn pictures(world: &World, viewer: usize) -> u64 {
    world.sites[viewer].client.video[&0].pictures
}

/// Each kind of work, the site it is broken for, and which may end: that site, and of those that took part in it one at
/// most, since at the first fault it is not known which of them causes it.
#[test]
fn a_fault_ends_one_peer_and_the_others_go_on() {
    type Break = fn(PeerId) -> Fault;
    let table: [(&str, Break, usize); 5] = [
        ("its datagrams and timers", Fault::Of, 1),
        ("deciding what it publishes", Fault::DecideFrom, 1),
        ("deciding what it receives", Fault::DecideTo, 2),
        ("sealing what it publishes", Fault::SealFrom, 2),
        ("sealing what it receives", Fault::SealTo, 1),
    ];
    for (why, fault, most) in table {
        let mut world = meeting(6);
        let bad = 3;
        let before: Vec<u64> = (0..6).map(|viewer| pictures(&world, viewer)).collect();
        world.engine.break_at(fault(peer(bad)));
        world.run(Duration::from_secs(2));
        let failed = world.failed.clone().expect("expected");
        assert!(failed.contains(&bad), "{why}: {failed:?}");
        assert!(failed.len() <= most, "{why}: {failed:?}");
        // No picture stood still for longer than a key frame takes, but those of sites that are gone.
        for viewer in
            (0..6).filter(|viewer| !failed.contains(viewer) && !failed.contains(&((viewer + 1) % 6)))
        {
            let shown = pictures(&world, viewer) - before[viewer];
            assert!(shown >= 55, "{why}: site {viewer} saw {shown} pictures in two seconds");
        }
        goes_on_without(&mut world, &failed);
        let counted = world.events.iter().rev().find_map(|event| match event {
            Event::Stats { worker, .. } => Some(worker.failed_peers),
            _ => None,
        });
        assert_eq!(counted, Some(failed.len() as u64), "{why}");
        // Others may come, into the same places of the tables.
        let left = (0..6).find(|site| !failed.contains(site)).expect("some site");
        let late = world.join(SITE, 2, LinkModel::clean());
        world.wish(late, 0, Some(left), 720);
        world.wish(left, 1, Some(late), 720);
        world.run(SETTLE);
        assert_eq!(world.disagreements(), [] as [String; 0], "{why}");
    }
}

#[test]
fn a_fault_at_an_offer_is_a_refusal_and_the_end_of_that_peer() {
    let mut world = meeting(4);
    // A second offer of a peer that is known; then one of a stranger, which is admitted as soon as it works.
    world.engine.break_at(Fault::Offer(peer(1)));
    world.engine.break_at(Fault::Offer(peer(4)));
    world.sites[1].client.restart_ice();
    world.offer(1);
    let stranger = world.join(SITE, 1, LinkModel::clean());
    let refused = world.events.iter().filter(|event| matches!(event, Event::OfferRefused { .. })).count();
    assert_eq!((stranger, refused), (4, 2));
    assert_eq!(world.failed, Some(vec![1]), "the stranger was no peer yet");
    world.sites[stranger].in_room = false;
    goes_on_without(&mut world, &[1, stranger]);
}

/// A room whose routes cannot be made ends, and no other one.
#[test]
fn a_fault_of_a_room_leaves_the_engine_alive() {
    let mut world = meeting(3);
    world.engine.break_at(Fault::Room(tests::simulation::ROOM));
    world.wish(0, 0, None, 0);
    let mut failed = world.failed.clone().expect("expected");
    failed.sort_unstable();
    assert_eq!(failed, [0, 1, 2]);
    world.run(Duration::from_secs(2));
    let alive = world.events.iter().rev().find_map(|event| match event {
        Event::Stats { worker, peers } => Some((worker.peers, peers.len())),
        _ => None,
    });
    assert_eq!(alive, Some((0, 0)), "it goes on reporting");
}

/// A fault in work for no peer is not survived: the worker ends, as `driver` expects of it.
#[test]
#[should_panic(expected = "a fault for a test")]
fn a_fault_of_the_engine_itself_ends_the_worker() {
    let mut world = meeting(3);
    world.engine.break_at(Fault::Own);
    world.run(Duration::from_secs(1));
}
