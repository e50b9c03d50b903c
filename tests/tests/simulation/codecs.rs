//! Sites with different video codecs meet.

use super::{SETTLE, SITE, agree};
use sfu::command::Command;
use sfu::discard::DropReason;
use sfu::sdp::Offer;
use std::time::Duration;
use tests::simulation::{LinkModel, ROOM, VideoCodec, World, peer, seeds};

/// A site of each codec; every site watches the next two.
fn meeting(seed: u64, link: LinkModel) -> World {
    let mut world = World::new(seed);
    for codec in VideoCodec::ALL {
        world.join_coded((SITE, codec), 2, link);
    }
    for viewer in 0..4 {
        world.wish(viewer, 0, Some((viewer + 1) % 4), 720);
        world.wish(viewer, 1, Some((viewer + 2) % 4), 180);
    }
    world.run(SETTLE);
    agree(&mut world, seed, "begun");
    world
}

#[test]
fn every_codec_is_seen_and_a_slot_goes_from_one_to_the_other() {
    for seed in seeds(0..4) {
        let mut world = meeting(seed, LinkModel::hardened());
        for step in 0..8 {
            let (viewer, target) = (step % 4, (step + 1 + step / 4) % 4);
            world.wish(viewer, 0, Some(target).filter(|target| *target != viewer), [720, 90][step % 2]);
            world.run(SETTLE / 4);
        }
        world.run(SETTLE);
        agree(&mut world, seed, "after eight changes");
    }
}

/// The foreign stack makes its later offers from our answers.
#[test]
fn a_site_that_restarts_ice_keeps_its_codec() {
    let mut world = meeting(1, LinkModel::clean());
    for site in 0..4 {
        world.sites[site].client.restart_ice();
        world.offer(site);
    }
    world.run(SETTLE);
    agree(&mut world, 1, "after a restart");
}

/// Upper temporal layers of VP8, VP9 and AV1 are left out; H.264 has none that could be recognised.
#[test]
fn every_codec_is_whole_when_it_is_thinned() {
    for seed in seeds(0..4) {
        let mut world = meeting(seed, LinkModel::hardened());
        for _ in 0..6 {
            world.overload(Duration::from_millis(40));
            world.run(SETTLE / 2);
            world.relieve();
            world.run(SETTLE);
        }
        agree(&mut world, seed, "after an overload");
    }
}

/// An offer from which a codec has gone.
fn without(sdp: &str, codec: VideoCodec) -> String {
    let gone = [codec.payload_type(), codec.rtx_payload_type()].map(|payload_type| payload_type.to_string());
    let is_gone = |word: &str| gone.iter().any(|payload_type| payload_type == word);
    let describes = |line: &str| {
        let value = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"].iter().find_map(|key| line.strip_prefix(key));
        value.and_then(|value| value.split(' ').next()).is_some_and(is_gone)
    };
    let fewer = |line: &str| {
        let words = line.split(' ').filter(|word| !line.starts_with("m=video") || !is_gone(word));
        words.collect::<Vec<_>>().join(" ") + "\r\n"
    };
    sdp.lines().filter(|line| !describes(line)).map(fewer).collect()
}

/// A viewer that lacks the codec of what it wishes for sees nothing of it, and costs its sender nothing: no key frame
/// would help.
#[test]
fn a_codec_that_a_viewer_lacks_costs_no_key_frames() {
    let mut world = meeting(1, LinkModel::clean());
    let offer = without(&world.sites[0].client.offer(world.now), VideoCodec::H264);
    let offer = Box::new(Offer::read(&offer).expect("an offer"));
    world.command(Command::Offer { room: ROOM, peer: peer(0), offer, known_bps: None });
    world.run(SETTLE);
    let seen = |world: &World| (world.sites[0].client.video[&0].packets, world.sites[1].client.key_requests);
    let (packets, asked) = seen(&world);
    world.run(SETTLE);
    assert!(world.drops(DropReason::CodecNotNegotiated) > 100);
    assert_eq!(seen(&world), (packets, asked));
    assert_eq!(world.faults, [] as [String; 0]);
}
