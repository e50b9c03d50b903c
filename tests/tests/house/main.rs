//! Stories of the whole house, which end in agreement: what meetings say, what the bridge desires, what engines say,
//! what pages were told and what clients decode are one.

use protocol::{Action, ErrorCode, GoodbyeReason, Presence, Role, SlotWish, SourceKind};
use std::time::Duration;
use tests::house::{House, Stop};
use tests::simulation::LinkModel;

mod found;
mod seeded;

/// Within this a house agrees in which nothing happens any more: a handshake takes up to 5.5 s where one packet of it is
/// lost again and again, and a page tries again after 10 s at most.
const PATIENCE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(250);
/// How long a hall waits at most for all that is to come back after the process has died: its start, a page's third
/// attempt and a handshake on a clean line.
const BACK_WITHIN: Duration = Duration::from_secs(6);

/// Two meetings, of three sites and of two, in which everybody has come and watches the next one.
fn house(seed: u64, link: LinkModel) -> House {
    let mut house = House::new(seed, &[3, 2], link);
    for site in 0..5 {
        house.come(site, true, false);
        let next = [1, 2, 0, 4, 3][site];
        watch(&mut house, site, next);
    }
    agrees(&mut house, "begun");
    house
}

fn watch(house: &mut House, viewer: usize, target: usize) {
    let site = house.sites[target].id;
    let wish = SlotWish { site, kind: SourceKind::Camera, max_height: 720 };
    house.sites[viewer].wishes[1] = Some(wish);
    let now = house.now;
    house.sites[viewer].tell_wishes(now, &mut house.net);
}

/// The chair of a meeting acts.
fn act(house: &mut House, chair: usize, action: Action) {
    let now = house.now;
    house.sites[chair].act(now, &mut house.net, action);
}

/// How long it took until all agreed.
fn agrees(house: &mut House, when: &str) -> Duration {
    let begun = house.now;
    while house.now - begun < PATIENCE {
        house.run(STEP);
        if house.disagreements().is_empty() {
            break;
        }
    }
    assert_eq!(house.disagreements(), [] as [String; 0], "{when}");
    assert_eq!(house.faults, [] as [String; 0], "{when}");
    house.now - begun
}

/// Pictures that came in the second slot of each site, and voices in all of theirs.
fn seen_and_heard(house: &House) -> Vec<(u64, u64)> {
    let clients = house.sites.iter().map(|site| site.client.as_ref().expect("a peer connection"));
    let counts = clients.map(|client| {
        let voices = client.audio.values().map(|view| view.packets).sum();
        (client.video.get(&1).map_or(0, |view| view.pictures), voices)
    });
    counts.collect()
}

#[test]
fn two_meetings_go_on_beside_each_other() {
    let mut house = house(1, LinkModel::clean());
    let before = seen_and_heard(&house);
    house.run(Duration::from_secs(5));
    agrees(&mut house, "after five seconds");
    for (site, (before, after)) in before.iter().zip(seen_and_heard(&house)).enumerate() {
        assert!(after.0 > before.0 + 100 && after.1 > before.1 + 200, "{site}: {before:?} {after:?}");
    }
}

#[test]
fn what_the_chair_puts_on_the_big_screen_is_seen_by_its_meeting_alone() {
    let mut house = house(2, LinkModel::hardened());
    let big = house.sites[1].id;
    act(&mut house, 0, Action::BigScreen { site: Some(big) });
    agrees(&mut house, "on the big screen");
    let first = |house: &House, site: usize| {
        let client = house.sites[site].client.as_ref().expect("a peer connection");
        client.video.get(&0).and_then(|view| view.last).map(|(mark, _)| mark)
    };
    assert_eq!([0, 2].map(|site| first(&house, site)), [Some(2); 2]);
    assert_eq!([1, 3, 4].map(|site| first(&house, site)), [None; 3]);
}

/// The site's client goes on sending, as one would that is not ours.
#[test]
fn who_is_muted_is_not_heard_whatever_it_sends() {
    let mut house = house(3, LinkModel::clean());
    act(&mut house, 0, Action::MuteAll {});
    agrees(&mut house, "muted");
    let before = seen_and_heard(&house);
    house.run(Duration::from_secs(3));
    let after = seen_and_heard(&house);
    let more: Vec<u64> = before.iter().zip(after).map(|(before, after)| after.1 - before.1).collect();
    assert_eq!(more[0], 0, "the chair hears nobody");
    assert!(more[1] >= 149 && more[1] == more[2], "the others hear the chair alone: {more:?}");
    assert!(more[3] >= 149 && more[4] >= 149, "and the other meeting goes on: {more:?}");
    assert!(!house.sites[1].device.microphone, "its page says so");
}

#[test]
fn who_was_removed_or_locked_out_stays_outside_until_the_process_dies() {
    let mut house = House::new(4, &[3, 2], LinkModel::clean());
    (0..2).for_each(|site| house.come(site, true, false));
    agrees(&mut house, "two have come");
    let removed = house.sites[1].id;
    act(&mut house, 0, Action::Remove { site: removed });
    act(&mut house, 0, Action::Lock { locked: true });
    house.run(Duration::from_secs(1));
    assert_eq!(house.sites[1].stopped, Some(Stop::Goodbye(GoodbyeReason::Removed)));
    for (site, code) in [(1, ErrorCode::SiteRemoved), (2, ErrorCode::MeetingLocked)] {
        house.come(site, true, true);
        house.run(Duration::from_secs(1));
        assert_eq!(house.sites[site].stopped, Some(Stop::Refused(code)));
    }
    agrees(&mut house, "the chair is alone");
    house.die();
    house.run(Duration::from_secs(2));
    (1..3).for_each(|site| house.come(site, true, false));
    agrees(&mut house, "a new process knows nothing of it");
}

#[test]
fn all_come_back_by_themselves_when_the_process_dies() {
    for seed in 0..8 {
        let mut house = house(seed, LinkModel::clean());
        act(&mut house, 0, Action::MuteAll {});
        agrees(&mut house, "muted");
        house.die();
        house.run(STEP);
        let view = |house: &House| house.meeting(0).map(|meeting| meeting.view(Role::Chair));
        assert_eq!(view(&house), None);
        let took = agrees(&mut house, "back");
        assert!(took < BACK_WITHIN, "seed {seed}: {took:?}");
        let view = view(&house).expect("a meeting");
        assert!(view.sites.iter().all(|site| site.presence == Presence::Present), "seed {seed}: {view:?}");
    }
}

/// A new connection to the same process knows nothing, and the same peer connection goes on.
#[test]
fn who_was_cut_off_for_a_while_learns_again_what_its_slots_carry() {
    let mut house = house(8, LinkModel::clean());
    let peers: Vec<_> = (0..5).map(|site| house.peer_of(site)).collect();
    house.net.wire.links[1].cut = true;
    house.run(Duration::from_secs(17));
    house.net.wire.links[1].cut = false;
    agrees(&mut house, "back");
    let others = |site: &usize| *site != 1;
    assert!((0..5).filter(others).all(|site| house.peer_of(site) == peers[site]), "only one line was cut");
}

/// Nothing of what it sends comes before its line is back, and its peer connection goes on.
#[test]
fn who_was_cut_off_when_its_handshake_had_just_ended_is_heard_and_seen() {
    // The handshake ends between two of its packets, and over TCP all that was sent would come.
    let mut house = House::new(10, &[2], LinkModel { delay: Duration::from_millis(7), ..LinkModel::clean() });
    house.come(0, true, false);
    watch(&mut house, 0, 1);
    house.come(1, true, false);
    while !house.sites[1].client.as_ref().is_some_and(|client| client.is_open()) {
        house.run(Duration::from_millis(1));
    }
    let peer = house.peer_of(1);
    house.net.wire.links[1].cut = true;
    house.run(Duration::from_secs(20));
    assert_eq!(seen_and_heard(&house)[0], (0, 0), "nothing came");
    house.net.wire.links[1].cut = false;
    agrees(&mut house, "back");
    assert_eq!(house.peer_of(1), peer, "the same peer connection");
}

/// Nobody tells a site whose line was cut meanwhile that its connection is gone.
#[test]
fn who_was_cut_off_while_the_process_died_comes_back_too() {
    let mut house = house(5, LinkModel::hardened());
    house.net.wire.links[1].cut = true;
    house.die();
    house.run(Duration::from_secs(20));
    house.net.wire.links[1].cut = false;
    agrees(&mut house, "back");
}

#[test]
fn a_worker_that_hangs_loses_its_meeting_to_the_other() {
    for worker in 0..2 {
        let mut house = house(6, LinkModel::clean());
        house.hang(worker, true);
        house.run(Duration::from_secs(4));
        assert_eq!(house.witness.moves, 0, "it may come back");
        house.run(Duration::from_secs(4));
        assert_eq!(house.witness.moves, 1, "one of two meetings");
        agrees(&mut house, "moved");
        house.hang(worker, false);
        house.run(Duration::from_secs(2));
        agrees(&mut house, "it turns again, and has no room any more");
    }
}

/// Where no worker turns, only a new process helps.
#[test]
fn when_all_workers_hang_the_process_ends_and_all_come_back() {
    let mut house = house(7, LinkModel::clean());
    (0..2).for_each(|worker| house.hang(worker, true));
    house.run(Duration::from_secs(29));
    let born = house.witness.born;
    house.run(Duration::from_secs(5));
    assert!(house.witness.born > born, "another process");
    assert_eq!(house.witness.moves, 0, "there was nowhere to go");
    agrees(&mut house, "back");
}
