//! Workers that hang.

use super::*;

fn hangs(story: &mut Story, stalls: &[(usize, u64)]) -> Vec<Effect> {
    let stall =
        |(worker, seconds): &(usize, u64)| Stall { worker: *worker, lasts: Duration::from_secs(*seconds) };
    story.recorded().stalls = stalls.iter().map(stall).collect();
    story.bridge.watch(Instant::now());
    story.bridge.take_effects()
}

/// What each site was sent.
fn sent(effects: &[Effect]) -> Vec<(SiteId, ServerMessage)> {
    let sent = effects.iter().filter_map(|effect| match effect {
        Effect::Send { site, message, .. } => Some((*site, message.clone())),
        _ => None,
    });
    sent.collect()
}

/// Two meetings on two workers; the first has A and B, which is this peer in this room.
fn two_meetings() -> (Story, PeerId, RoomId) {
    let mut story = Story::begins();
    story.joins(A);
    let peer = story.joins(B);
    story.bridge.restage(MEETING, stage(Some(A), false, &[]));
    story.bridge.offer(MeetingId(1), C, offer("elsewhere"));
    story.recorded().full.insert(0, 0);
    story.commands();
    story.bridge.take_effects();
    let room = story.bridge.rooms[&MEETING].id;
    assert_eq!(story.recorded().placed[&room], 0);
    (story, peer, room)
}

#[test]
fn the_meetings_of_a_worker_that_hangs_move_to_another() {
    let (mut story, peer, old) = two_meetings();
    assert_eq!(hangs(&mut story, &[(0, 2)]), [], "it may come back");
    assert_eq!(story.bridge.stuck(), [0], "and is named already");
    let effects = hangs(&mut story, &[(0, 5)]);
    let nothing = ServerMessage::no_slots();
    let moved = ServerMessage::MediaMoved;
    let expected = [(A, nothing.clone()), (A, moved.clone()), (B, nothing), (B, moved)];
    assert_eq!(sent(&effects), expected, "and no site of the other meeting");
    assert!(effects.contains(&Effect::Path { meeting: MEETING, site: B, path: MediaPath::Pending }));
    assert!(effects.contains(&Effect::Moved { meeting: MEETING, from: 0 }));
    assert_eq!(hangs(&mut story, &[(0, 6)]), [], "once");

    story.bridge.offer(MEETING, B, offer("anew"));
    story.bridge.take_effects();
    let commands = std::mem::take(&mut story.recorded().commands);
    let (room, Command::Offer { peer: fresh, .. }) = &commands[0] else { panic!("{commands:?}") };
    assert!(*room != old && *fresh != peer, "a new room");
    assert_eq!(story.recorded().placed[room], 1);
    story.bridge.restage(MEETING, stage(Some(B), false, &[]));
    let floor = story.desired().peers.into_iter().find(|peer| peer.has_floor).map(|peer| peer.peer);
    assert_eq!(floor, Some(*fresh), "the meeting is what it was");
}

#[test]
fn a_worker_that_turns_again_finds_that_its_rooms_are_over() {
    let (mut story, peer, old) = two_meetings();
    hangs(&mut story, &[(0, 5)]);
    assert_eq!(story.event(Event::Quiet { peer }), [], "its events about them are ignored");
    assert!(story.bridge.retry(), "the end of the room waits for it");
    story.recorded().full.clear();
    assert_eq!(hangs(&mut story, &[]), []);
    assert!(!story.bridge.retry());
    assert_eq!(story.commands(), [Command::CloseRoom { room: old }]);
    assert!(!story.recorded().placed.contains_key(&old));
    assert_eq!(story.bridge.lost_worker(), None);
}

#[test]
fn where_no_worker_turns_the_sites_are_notified_and_in_the_end_the_server_gives_up() {
    let mut story = Story::begins();
    story.joins(A);
    story.bridge.offer(MeetingId(1), C, offer("elsewhere"));
    story.bridge.take_effects();
    assert_eq!(sent(&hangs(&mut story, &[(0, 4), (1, 4)])), []);
    let stalled = ServerMessage::MediaStalled;
    let effects = hangs(&mut story, &[(0, 5), (1, 5)]);
    assert_eq!(sent(&effects), [(A, stalled.clone()), (C, stalled)]);
    assert_eq!(hangs(&mut story, &[(0, 6), (1, 6)]), [], "once");
    assert_eq!(story.bridge.lost_worker(), None);
    hangs(&mut story, &[(0, 30), (1, 29)]);
    assert_eq!(story.bridge.lost_worker(), Some(0));
    hangs(&mut story, &[(0, 30)]);
    assert_eq!(story.bridge.lost_worker(), None, "the other came back, and the meeting moved there");
    assert_eq!(story.bridge.rooms[&MEETING].worker, 1);
}
