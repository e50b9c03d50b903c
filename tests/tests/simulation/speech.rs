//! Speech over lines that lose packets.

use super::SETTLE;
use rand::Rng;
use sfu::discard::DropReason;
use sfu::net::PathKind;
use std::time::{Duration, Instant};
use tests::simulation::{Draws, LinkModel, Publishes, Rate, World, rng};

const VOICE: Publishes = Publishes { layers: 0, voice: true };
/// Sites of a conversation: one that speaks plain Opus and has RED, one that speaks RED, one that has none.
const OPUS: usize = 0;
const RED: usize = 1;
const NO_RED: usize = 2;
/// What a jitter buffer may wait for: the lines' own delays, and a copy that comes five packets later.
const PATIENCE: Duration = Duration::from_millis(150);
const LISTENS_FOR: Duration = Duration::from_secs(30);
/// Redundancy has found its measure by then, and is gone after a longer time without losses.
const MEASURES: Duration = Duration::from_secs(5);
const FORGETS: Duration = Duration::from_secs(20);

/// One speaks, the others listen.
fn conversation(seed: u64, speaker: usize) -> World {
    let mut world = World::new(seed);
    for site in [OPUS, RED, NO_RED] {
        world.join(VOICE, 1, LinkModel::clean());
        world.sites[site].client.muted = site != speaker;
    }
    world.run(SETTLE);
    world
}

/// What a listener could play of a speaker's words since then.
fn heard(world: &World, listener: usize, speaker: usize, since: Instant, patience: Duration) -> f64 {
    let until = world.now - PATIENCE;
    world.sites[listener].client.heard_share(speaker as u8 + 1, (since, until), patience)
}

fn copies(world: &World, listener: usize) -> u64 {
    world.sites[listener].client.heard.redundant_packets
}

#[test]
fn a_clean_line_carries_no_redundancy() {
    let mut world = conversation(1, OPUS);
    let since = world.now;
    world.run(LISTENS_FOR);
    assert!(heard(&world, RED, OPUS, since, PATIENCE) >= 1.0);
    assert_eq!((copies(&world, RED), world.stats().redundant_bytes), (0, 0));
    assert_eq!(world.faults, [] as [String; 0]);
}

#[test]
fn a_line_that_loses_a_third_carries_the_speech_all_the_same() {
    let mut world = conversation(2, OPUS);
    (world.wire.links[RED].loss, world.wire.links[NO_RED].loss) = (0.3, 0.3);
    world.run(MEASURES);
    let since = world.now;
    world.run(LISTENS_FOR);
    let (with, without) =
        (heard(&world, RED, OPUS, since, PATIENCE), heard(&world, NO_RED, OPUS, since, PATIENCE));
    assert!(with >= 0.97 && (0.65..0.75).contains(&without), "heard {with}, without RED {without}");
    assert_eq!(copies(&world, NO_RED), 0, "not negotiated");
    let (sent, came) = (world.stats().redundant_bytes, world.sites[RED].client.heard.redundant_bytes);
    assert!(came > 0 && sent > came, "{sent} bytes sent, of which {came} came");
    // Where the line is well again, it costs nothing any more.
    world.wire.links[RED].loss = 0.0;
    world.run(FORGETS);
    let before = copies(&world, RED);
    world.run(MEASURES);
    assert_eq!(copies(&world, RED), before);
    assert_eq!(world.faults, [] as [String; 0]);
}

/// Nothing comes for 60 ms at a time, a fifth of the time.
#[test]
fn bursts_of_losses_are_bridged() {
    let mut world = conversation(3, OPUS);
    let mut rng = rng(3, Draws::Wire);
    let (mut bad, mut since) = (false, world.now);
    let begins = world.now + MEASURES;
    while world.now < begins + LISTENS_FOR {
        let mean_s = if bad { 0.06 } else { 0.24 };
        let lasts = Duration::from_secs_f64(-mean_s * (1.0 - rng.random::<f64>()).ln());
        let loss = if bad { 1.0 } else { 0.0 };
        (world.wire.links[RED].loss, world.wire.links[NO_RED].loss) = (loss, loss);
        world.run(lasts);
        bad = !bad;
        since = if world.now < begins { world.now } else { since };
    }
    let (with, without) =
        (heard(&world, RED, OPUS, since, PATIENCE), heard(&world, NO_RED, OPUS, since, PATIENCE));
    assert!(with >= 0.9 && without < 0.85, "heard {with}, without RED {without}");
    assert_eq!(world.faults, [] as [String; 0]);
}

/// A publisher is too far away to be asked again; what it lost comes in its next packet.
#[test]
fn what_a_publishers_line_loses_comes_with_its_redundancy() {
    for (speaker, at_least, at_most) in [(RED, 0.97, 1.01), (OPUS, 0.85, 0.95)] {
        let mut world = conversation(4, speaker);
        world.wire.links[speaker].delay = Duration::from_millis(150);
        world.run(MEASURES);
        world.wire.links[speaker].loss = 0.1;
        let since = world.now;
        world.run(LISTENS_FOR);
        let heard = heard(&world, NO_RED, speaker, since, PATIENCE * 2);
        assert!((at_least..at_most).contains(&heard), "heard {heard} of {speaker}");
        assert_eq!(copies(&world, OPUS) + copies(&world, RED), 0, "made anew for each receiver");
        assert_eq!(world.sites[NO_RED].client.heard.overtaken, 0, "in order");
        assert_eq!(world.faults, [] as [String; 0]);
    }
}

/// A fifth of a second of speech stays on its way, and what is asked for meanwhile is lost.
#[test]
fn speech_that_nobody_would_play_is_not_forwarded() {
    let mut world = conversation(5, OPUS);
    let (since, late) = (world.now, Duration::from_millis(400));
    let well = world.wire.links[OPUS];
    world.wire.links[OPUS].delay = late;
    world.run(Duration::from_millis(100));
    world.wire.links[OPUS] = well;
    world.run(Duration::from_millis(25));
    world.wire.links[OPUS].loss = 1.0;
    world.run(Duration::from_millis(275));
    world.wire.links[OPUS] = well;
    world.run(MEASURES);
    let missing = world.drops(DropReason::TooLate);
    assert!(missing >= 3, "{missing}");
    let (in_time, ever) = (heard(&world, RED, OPUS, since, late), heard(&world, RED, OPUS, since, MEASURES));
    assert!(in_time == ever && ever < 1.0, "heard {in_time} in time, {ever} in the end");
    assert_eq!(world.faults, [] as [String; 0]);
}

/// Opus of its own protects those who have nothing else, when its encoder knows that it has to.
#[test]
fn a_speaker_is_told_what_listeners_without_redundancy_lose() {
    for seed in 1..=8 {
        let mut world = conversation(seed, OPUS);
        // One that loses more may be taken for narrow, and then hears a mix.
        world.wire.links[RED].loss = 0.1;
        world.run(MEASURES);
        assert_eq!(world.sites[OPUS].client.voice_lost, 0.0, "RED does it");
        (world.wire.links[RED].loss, world.wire.links[NO_RED].loss) = (0.0, 0.1);
        world.run(MEASURES);
        let told = world.sites[OPUS].client.voice_lost;
        assert!((0.03..0.2).contains(&told), "told {told}");
        assert_eq!(world.faults, [] as [String; 0]);
    }
}

/// A voice and its headers take 52 kbit/s: copies of it would fill the line, and all speech would come late.
#[test]
fn a_narrow_line_is_not_filled_with_redundancy() {
    let mut world = conversation(7, OPUS);
    let rate = Some(Rate { bits_per_second: 64_000, queue: Duration::from_millis(300) });
    world.wire.links[RED] = LinkModel { loss: 0.05, rate, ..world.wire.links[RED] };
    world.run(MEASURES);
    let since = world.now;
    world.run(LISTENS_FOR * 2);
    let heard = heard(&world, RED, OPUS, since, PATIENCE);
    assert!(heard >= 0.9, "heard {heard}");
    assert!(copies(&world, RED) > 0, "there is room for some");
}

/// What does not come over TCP was not sent: its line is slow, and more bytes make it slower.
#[test]
fn a_line_of_tcp_gets_no_redundancy() {
    let mut world = conversation(8, OPUS);
    world.rebind(RED, PathKind::Tcp);
    world.run(SETTLE);
    let rate = Some(Rate { bits_per_second: 32_000, queue: Duration::from_secs(10) });
    world.wire.links[RED] = LinkModel { rate, ..world.wire.links[RED] };
    let came = |world: &World| world.sites[RED].client.audio.values().map(|view| view.packets).sum::<u64>();
    let before = came(&world);
    world.run(LISTENS_FOR);
    let came = came(&world) - before;
    assert!((100..1400).contains(&came), "{came} came, so some did not");
    assert_eq!(copies(&world, RED), 0);
}
