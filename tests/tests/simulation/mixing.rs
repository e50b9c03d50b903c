//! One mix of all voices, where a line does not carry each by itself.

use super::SETTLE;
use sfu::command::Command;
use sfu::event::Event;
use sfu::ids::SlotId;
use std::time::{Duration, Instant};
use tests::simulation::{LinkModel, Publishes, ROOM, Rate, World, peer};

const VOICE: Publishes = Publishes { layers: 0, voice: true };
/// Who listens, and two that speak.
const LISTENER: usize = 0;
const SPEAKERS: [usize; 2] = [1, 2];
/// A mix is up to a tenth of a second later than its voices, and a narrow line takes its time.
const PATIENCE: Duration = Duration::from_millis(300);
const FINDS_OUT: Duration = Duration::from_secs(5);
const LISTENS_FOR: Duration = Duration::from_secs(20);
const QUEUE: Duration = Duration::from_millis(300);
const NARROW: Rate = Rate { bits_per_second: 64_000, queue: QUEUE };

fn conversation(seed: u64) -> World {
    let mut world = World::new(seed);
    for site in 0..3 {
        world.join(VOICE, 1, LinkModel::clean());
        world.sites[site].client.muted = site == LISTENER;
    }
    world.run(SETTLE);
    world
}

/// Who of a site's voices came in time since then, at least.
fn heard(world: &World, listener: usize, since: Instant) -> f64 {
    let others = (0..3).filter(|site| *site != listener && !world.sites[*site].client.muted);
    let share = |site| {
        world.sites[listener].client.heard_share(site as u8 + 1, (since, world.now - PATIENCE), PATIENCE)
    };
    others.map(share).fold(1.0, f64::min)
}

/// Whether a site's voices are mixed, as was last reported; and in no slot besides.
fn is_mixed(world: &World, site: usize) -> bool {
    let mut mixes = world.events.iter().rev().filter_map(|event| match event {
        Event::SlotMixes { peer: of, mixes, .. } if *of == peer(site) => Some(*mixes),
        _ => None,
    });
    let is_mixed = mixes.next().unwrap_or(false);
    let voice = |slot: &SlotId| matches!(slot, SlotId::Audio(_));
    let carried =
        world.shown.iter().filter(|((of, slot), source)| *of == site && voice(slot) && source.is_some());
    assert!(!is_mixed || carried.count() == 0, "a mix, and a voice beside it");
    is_mixed
}

/// Hears all for a while, and returns the bits per second of it.
fn listens(world: &mut World, listener: usize) -> f64 {
    let (since, before) = (world.now, world.sites[listener].client.traffic.audio.bytes);
    world.run(LISTENS_FOR);
    let share = heard(world, listener, since);
    assert!(share >= 0.97, "heard {share}");
    (world.sites[listener].client.traffic.audio.bytes - before) as f64 * 8.0 / LISTENS_FOR.as_secs_f64()
}

fn no_faults(world: &World) {
    assert_eq!(world.faults, [] as [String; 0]);
}

#[test]
fn a_narrow_line_hears_all_voices_and_a_wide_one_each_by_itself_again() {
    let mut world = conversation(1);
    assert!(!is_mixed(&world, LISTENER));
    world.wire.links[LISTENER].rate = Some(NARROW);
    world.run(FINDS_OUT);
    assert!(is_mixed(&world, LISTENER) && SPEAKERS.iter().all(|speaker| !is_mixed(&world, *speaker)));
    let bps = listens(&mut world, LISTENER);
    assert!(bps < 40_000.0, "{bps} for two voices");
    world.wire.links[LISTENER].rate = None;
    world.run(FINDS_OUT * 4);
    assert!(!is_mixed(&world, LISTENER));
    listens(&mut world, LISTENER);
    no_faults(&world);
}

#[test]
fn nobody_hears_itself_in_a_mix() {
    let mut world = conversation(2);
    for site in 0..3 {
        world.sites[site].asks_for_mix = true;
        world.sites[site].client.muted = false;
    }
    world.reconcile();
    world.run(FINDS_OUT);
    for site in 0..3 {
        assert!(is_mixed(&world, site));
        let since = world.now;
        let own = world.sites[site].client.heard.of(site as u8 + 1).count();
        listens(&mut world, site);
        assert!(heard(&world, site, since) >= 0.97);
        assert_eq!(own, 0, "an echo");
    }
    world.sites[LISTENER].asks_for_mix = false;
    world.reconcile();
    world.run(Duration::from_secs(1));
    assert!(!is_mixed(&world, LISTENER), "its line carries the voices, and it does not ask any more");
    assert!(is_mixed(&world, SPEAKERS[0]));
    // Closed while it speaks: what the mixer still has of it is not for itself.
    let speaker = SPEAKERS[0];
    world.sites[speaker].may.microphone = false;
    world.reconcile();
    world.run(FINDS_OUT);
    assert_eq!(world.sites[speaker].client.heard.of(speaker as u8 + 1).count(), 0, "an echo");
    no_faults(&world);
}

#[test]
fn a_mixer_that_begins_anew_is_told_what_is_wanted() {
    let mut world = conversation(3);
    world.sites[LISTENER].asks_for_mix = true;
    world.reconcile();
    world.run(FINDS_OUT);
    world.restart_mixer();
    world.run(Duration::from_millis(1500));
    assert!(is_mixed(&world, LISTENER));
    listens(&mut world, LISTENER);
    no_faults(&world);
}

#[test]
fn a_mix_on_a_line_that_loses_much_is_protected_like_a_voice() {
    let mut world = conversation(4);
    world.wire.links[LISTENER].rate = Some(Rate { bits_per_second: 128_000, queue: QUEUE });
    world.wire.links[LISTENER].loss = 0.3;
    world.run(FINDS_OUT * 4);
    assert!(is_mixed(&world, LISTENER));
    listens(&mut world, LISTENER);
    no_faults(&world);
}

#[test]
fn a_mix_costs_nothing_while_nobody_speaks_and_ends_with_its_room() {
    let mut world = conversation(5);
    world.sites[LISTENER].asks_for_mix = true;
    SPEAKERS.iter().for_each(|speaker| world.sites[*speaker].client.muted = true);
    world.reconcile();
    world.run(FINDS_OUT * 2);
    let before = world.sites[LISTENER].client.traffic.audio.bytes;
    world.run(LISTENS_FOR);
    assert_eq!(world.sites[LISTENER].client.traffic.audio.bytes, before);
    SPEAKERS.iter().for_each(|speaker| world.sites[*speaker].client.muted = false);
    world.run(FINDS_OUT);
    listens(&mut world, LISTENER);
    world.command(Command::CloseRoom { room: ROOM });
    world.sites.iter_mut().for_each(|site| site.in_room = false);
    let now = world.now;
    world.run(Duration::from_secs(2));
    assert!(world.mixer_wakes_at().is_none_or(|at| at > now + LISTENS_FOR), "it goes on mixing");
    no_faults(&world);
}
