//! Datagrams no client should send, one after the other into a running meeting: each ends in a counted drop, and no
//! other site notices.

use sfu::discard::DropReason;
use sfu::engine::Input;
use sfu::event::Event;
use sfu::net::{Path, PathKind};
use sfu::stats::Drops;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tests::simulation::{Client, LinkModel, Publishes, World};

const SITE: Publishes = Publishes { layers: 3, voice: true };
const SETTLE: Duration = Duration::from_secs(5);

/// A binding request with this USERNAME of sixteen bytes; signature and checksum are nonsense.
fn check_of(username: &[u8; 16]) -> Vec<u8> {
    let header = [0, 1, 0, 52, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let integrity = [&[0, 8, 0, 20][..], &[0; 20]].concat();
    [&header, &[0, 6, 0, 16][..], username, &integrity, &[0x80, 0x28, 0, 4, 0, 0, 0, 0]].concat()
}

/// What was dropped so far, as the last report has it; reports come every second.
fn drops(world: &mut World) -> Drops {
    world.run(Duration::from_millis(1_100));
    let reports = world.events.iter().rev().filter_map(|event| match event {
        Event::Stats { worker, .. } => Some(worker.drops.clone()),
        _ => None,
    });
    reports.take(1).next().expect("a report")
}

/// From where, what, and what it is dropped for. What `bad` seals authenticates.
fn bad_datagrams(now: Instant, bad: &mut Client) -> Vec<(SocketAddr, Vec<u8>, Option<DropReason>)> {
    use DropReason::*;
    let (known, stranger) = (bad.address, SocketAddr::from(([198, 51, 100, 9], 9)));
    let delta = || vec![0x10, 1, 0, 0];
    let sealed = bad.seal_frame(now, vec![delta(), delta(), delta(), vec![0; 1_600]]);
    let [good, cut, mut changed, long] = <[Vec<u8>; 4]>::try_from(sealed).expect("four packets");
    *changed.last_mut().expect("a tag") ^= 1;
    let check = check_of(b"notours0:nothere");
    let mut answer_to_nothing = check.clone();
    answer_to_nothing[0] = 1;
    vec![
        (known, good.clone(), None),
        (known, good.clone(), Some(Replay)),
        (stranger, good, Some(Replay)),
        (stranger, [&[0x80; 12][..], &[0; 30]].concat(), Some(UnknownAddress)),
        (known, cut[..cut.len() - 3].to_vec(), Some(SrtpAuth)),
        (known, cut[..10].to_vec(), Some(MalformedRtp)),
        (known, changed, Some(SrtpAuth)),
        (known, long, Some(Oversized)),
        (known, vec![], Some(UnknownProtocol)),
        (known, vec![0x55; 40], Some(UnknownProtocol)),
        (known, vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 50, 1], Some(Dtls)),
        (known, vec![21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0], Some(Dtls)),
        (stranger, check[..60].to_vec(), Some(MalformedStun)),
        (stranger, check, Some(UnknownUfrag)),
        (known, answer_to_nothing, Some(UnknownTransaction)),
    ]
}

#[test]
fn bad_datagrams_end_in_counted_drops_and_no_other_site_notices() {
    let mut world = World::new(1);
    for _ in 0..3 {
        world.join(SITE, 1, LinkModel::clean());
    }
    world.wish(0, 0, Some(1), 720);
    world.wish(1, 0, Some(0), 180);
    world.run(SETTLE);
    let datagrams = bad_datagrams(world.now, &mut world.sites[2].client);
    let mut expected = drops(&mut world);
    for (remote, mut data, reason) in datagrams {
        let path = Path { kind: PathKind::Udp, local: [10, 0, 1, 1].into(), remote };
        world.engine.handle_input(world.now, Input::Datagram { path, data: &mut data, arrived: world.now });
        reason.into_iter().for_each(|reason| expected.count(reason));
    }
    let after = drops(&mut world);
    for reason in DropReason::ALL {
        assert_eq!(after.get(*reason), expected.get(*reason), "{}", reason.label());
    }
    world.run(SETTLE);
    assert_eq!(world.disagreements(), [] as [String; 0]);
}
