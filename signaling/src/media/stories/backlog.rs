//! Workers that take no orders for a while, and what waits meanwhile.

use super::super::orders::MAX_WAITING_BYTES;
use super::*;

const OTHER: MeetingId = MeetingId(1);

/// What was ordered, one word each.
fn words(story: &Story) -> Vec<String> {
    let word = |command: Command| match command {
        Command::Offer { offer, .. } => format!("offer {}", offer.credentials().ufrag),
        Command::RemovePeer { .. } => "remove".to_owned(),
        Command::Reconcile { .. } => "reconcile".to_owned(),
        Command::CloseRoom { .. } => "close".to_owned(),
        Command::Advertise { .. } => "advertise".to_owned(),
    };
    story.commands().into_iter().map(word).collect()
}

/// The first worker takes so many orders more, or no end of them.
fn takes(story: &Story, orders: Option<usize>) {
    story.recorded().full = orders.into_iter().map(|orders| (0, orders)).collect();
}

#[test]
fn a_full_worker_loses_no_order_and_gets_the_newest_state() {
    let mut story = Story::begins();
    story.joins(A);
    story.commands();
    takes(&story, Some(0));
    story.bridge.restage(MEETING, stage(None, false, &[]));
    story.bridge.offer(MEETING, B, offer("other"));
    story.bridge.restage(MEETING, stage(Some(A), false, &[]));
    assert!(story.bridge.retry(), "still full");
    takes(&story, None);
    assert!(!story.bridge.retry());
    let commands = story.commands();
    assert!(matches!(commands[0], Command::Offer { .. }), "{commands:?}");
    let Command::Reconcile { desired, .. } = &commands[1] else {
        panic!("{commands:?}");
    };
    assert!(desired.peers.iter().any(|peer| peer.has_floor), "the newer of two states");
    assert_eq!(commands.len(), 2);
}

#[test]
fn no_meeting_waits_for_the_worker_of_another() {
    let mut story = Story::begins();
    story.joins(A);
    takes(&story, Some(0));
    story.bridge.offer(MEETING, B, offer("stuck"));
    story.commands();
    story.bridge.offer(OTHER, A, offer("free"));
    story.bridge.restage(OTHER, stage(None, false, &[]));
    assert_eq!(words(&story), ["offer free", "reconcile"], "its worker is another");
    assert!(story.bridge.retry());
    story.bridge.close(OTHER);
    assert_eq!(words(&story), ["close"]);
}

#[test]
fn meetings_that_wait_for_one_worker_take_turns() {
    let mut story = Story::begins();
    story.joins(A);
    let third = MeetingId(2);
    story.bridge.offer(OTHER, A, offer("elsewhere"));
    story.commands();
    takes(&story, Some(0));
    for site in [B, C] {
        story.bridge.offer(MEETING, site, offer("first"));
    }
    story.bridge.offer(third, A, offer("third"));
    assert_eq!(story.recorded().placed.values().filter(|worker| **worker == 0).count(), 2);
    // A place becomes free now and then.
    let mut order = Vec::new();
    for _ in 0..3 {
        takes(&story, Some(1));
        story.bridge.retry();
        order.extend(words(&story));
    }
    assert_eq!(order, ["offer first", "offer third", "offer first"]);
}

/// One link brought a server from 19 MB to 5.4 GB in 15 seconds: each offer waited twice.
#[test]
fn of_one_site_one_offer_is_with_the_worker_and_the_newest_waits() {
    let mut story = Story::begins();
    story.bridge.offer(MEETING, A, offer("with0the0worker"));
    let peer = story.offered();
    let older = offer("older");
    for _ in 0..10_000 {
        story.bridge.offer(MEETING, A, older.clone());
    }
    story.bridge.offer(MEETING, A, offer("newest"));
    assert_eq!(words(&story), [] as [String; 0]);
    let effects = story.event(Event::Answer { peer, sdp: "old".to_owned() });
    assert!(!effects.iter().any(|e| matches!(e, Effect::Send { message: ServerMessage::Answer { .. }, .. })));
    assert_eq!(words(&story), ["offer newest", "reconcile"]);
    let effects = story.event(Event::Answer { peer, sdp: "new".to_owned() });
    assert!(effects.iter().any(|e| matches!(e, Effect::Send { message: ServerMessage::Answer { .. }, .. })));
}

#[test]
fn what_never_went_to_the_worker_is_not_taken_back_from_it() {
    let mut story = Story::begins();
    story.joins(B);
    story.commands();
    story.recorded().full = [(0, 0), (1, 0)].into();
    let again = offer("again");
    for _ in 0..1_000 {
        story.bridge.offer(MEETING, A, again.clone());
        story.bridge.remove_site(MEETING, A);
    }
    for meeting in (1..1_000).map(MeetingId) {
        story.bridge.offer(meeting, A, again.clone());
        story.bridge.close(meeting);
    }
    takes(&story, None);
    while story.bridge.retry() {}
    assert_eq!(words(&story).len(), 0);
    assert_eq!(story.recorded().placed.len(), 1, "only the room that is there");
}

#[test]
fn the_offers_of_a_meeting_that_wait_have_a_bound_in_bytes() {
    let mut story = Story::begins();
    story.joins(A);
    takes(&story, Some(0));
    story.commands();
    let one = offer("full");
    let fitting = MAX_WAITING_BYTES / one.bytes();
    for site in 1..=fitting as u32 {
        story.bridge.offer(MEETING, SiteId(site), one.clone());
    }
    story.bridge.take_effects();
    story.bridge.offer(MEETING, SiteId(1), one.clone());
    assert_eq!(story.bridge.take_effects(), [], "in place of its older one");
    let beyond = SiteId(fitting as u32 + 1);
    story.bridge.offer(MEETING, beyond, one.clone());
    let refusal = ErrorCode::WorkerFull.into();
    assert_eq!(story.bridge.take_effects(), [Effect::Refuse { meeting: MEETING, site: beyond, refusal }]);
    story.bridge.offer(OTHER, A, one);
    assert_eq!(words(&story), ["offer full"], "another meeting has its own");
}
