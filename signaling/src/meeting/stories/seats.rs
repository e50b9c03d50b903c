//! Coming in, being lost, coming back.

use super::*;

#[test]
fn a_site_comes_is_lost_and_comes_back_as_the_same() {
    let mut story = Story::begins(10);
    let first = story.knocks(AN_PHUOC);
    let seat = story.seat(first);
    assert_eq!(story.presence(AN_PHUOC), Presence::Joining);
    story.path(AN_PHUOC, MediaPath::Up);
    assert_eq!(story.presence(AN_PHUOC), Presence::Present);

    story.vanishes(first);
    assert_eq!(story.presence(AN_PHUOC), Presence::Lost);
    let lost_since = story.site(AN_PHUOC).since_ms;
    story.passes(Duration::from_secs(7 * 24 * 3600));
    assert_eq!(story.presence(AN_PHUOC), Presence::Lost, "a seat waits for a week");
    assert_eq!(story.site(AN_PHUOC).since_ms, lost_since, "and tells since when");

    let second = story.hello(AN_PHUOC, Some(seat.clone()), false);
    assert_eq!(story.seat(second), seat, "the same participant");
    assert_eq!(story.presence(AN_PHUOC), Presence::Present, "its media never stopped");
    assert_eq!(story.site(AN_PHUOC).reconnections, 1);
    let drops = Output::DropMedia { site: AN_PHUOC };
    assert!(!story.orders.contains(&drops), "ICE may be restarted on it");
}

#[test]
fn media_that_falls_silent_counts_as_lost() {
    let mut story = Story::begins(10);
    story.enters(AN_PHUOC);
    story.path(AN_PHUOC, MediaPath::Down);
    assert_eq!(story.presence(AN_PHUOC), Presence::Lost);
    story.path(AN_PHUOC, MediaPath::Up);
    assert_eq!(story.presence(AN_PHUOC), Presence::Present);
    assert_eq!(story.site(AN_PHUOC).reconnections, 1);
}

#[test]
fn a_second_device_is_offered_a_takeover() {
    let mut story = Story::begins(10);
    let old = story.knocks(AN_PHUOC);
    let old_seat = story.seat(old);
    let refused = story.knocks(AN_PHUOC);
    assert_eq!(story.refusal(refused), Some(ErrorCode::SeatTaken));
    assert!(story.is_closed(refused));
    assert_eq!(story.goodbye(old), None, "the first notices nothing");

    let new = story.hello(AN_PHUOC, None, true);
    assert_eq!(story.goodbye(old), Some(GoodbyeReason::TakenOver));
    assert!(story.is_closed(old));
    assert!(story.orders.contains(&Output::DropMedia { site: AN_PHUOC }));
    story.vanishes(old);
    assert_eq!(story.meeting.connection_of(AN_PHUOC), Some(new), "its end moves nobody");
    let back = story.hello(AN_PHUOC, Some(old_seat), false);
    assert_eq!(story.refusal(back), Some(ErrorCode::SeatTaken), "its secret is void");
}

#[test]
fn a_page_that_comes_back_before_its_end_was_noticed_gets_its_seat() {
    let mut story = Story::begins(10);
    let old = story.knocks(AN_PHUOC);
    let seat = story.seat(old);
    let new = story.hello(AN_PHUOC, Some(seat), false);
    assert_eq!(story.refusal(new), None);
    assert_eq!(story.goodbye(old), Some(GoodbyeReason::TakenOver), "a doubled tab stops");
    assert!(!story.orders.contains(&Output::DropMedia { site: AN_PHUOC }));
}

#[test]
fn the_limit_refuses_and_disturbs_nobody() {
    let mut story = Story::begins(2);
    let chair = story.enters(CHAIR);
    let inside = story.enters(AN_PHUOC);
    story.passes(SNAPSHOT_SPACING);
    let beyond = story.knocks(BINH_SON);
    assert_eq!(story.refusal(beyond), Some(ErrorCode::MeetingFull));
    assert_eq!(story.told(chair).count() + story.told(inside).count(), 0);

    story.vanishes(inside);
    let beyond = story.knocks(BINH_SON);
    let full = Some(ErrorCode::MeetingFull);
    assert_eq!(story.refusal(beyond), full, "a lost site keeps its seat");
    let back = story.knocks(AN_PHUOC);
    assert_eq!(story.refusal(back), None);
    story.asks(back, Request::Leave);
    assert_eq!(story.presence(AN_PHUOC), Presence::Away);
    let next = story.knocks(BINH_SON);
    assert_eq!(story.refusal(next), None, "who leaves makes room");
}

#[test]
fn the_chair_always_finds_a_seat() {
    let mut story = Story::begins(1);
    story.enters(AN_PHUOC);
    let chair = story.knocks(CHAIR);
    assert_eq!(story.refusal(chair), None);
}

#[test]
fn before_the_welcome_nothing_is_accepted() {
    let mut story = Story::begins(10);
    let stranger = ConnectionId(99);
    story.acts(stranger, Action::End);
    assert_eq!(story.refusal(stranger), Some(ErrorCode::OutOfOrder));
}
