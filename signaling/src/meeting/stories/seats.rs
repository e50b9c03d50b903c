//! Coming in, being lost, coming back.

use super::*;
use crate::meeting::claim::TAKEOVER_COOLDOWN;

#[test]
fn a_site_comes_is_lost_and_comes_back_as_the_same() {
    let mut story = Story::begins(10);
    let first = story.knocks(AN_PHUOC);
    let seat = story.seat(first);
    assert_eq!(story.presence(AN_PHUOC), Presence::Joining);
    story.path(AN_PHUOC, MediaPath::Up);
    assert_eq!(story.presence(AN_PHUOC), Presence::Present);

    story.vanishes(first);
    story.path(AN_PHUOC, MediaPath::Down);
    assert_eq!(story.presence(AN_PHUOC), Presence::Lost);
    let lost_since = story.site(AN_PHUOC).since_ms;
    story.passes(Duration::from_secs(7 * 24 * 3600));
    assert_eq!(story.presence(AN_PHUOC), Presence::Lost, "a seat waits for a week");
    assert_eq!(story.site(AN_PHUOC).since_ms, lost_since, "and shows since when");

    let second = story.hello(AN_PHUOC, Some(seat.clone()), false);
    assert_eq!(story.seat(second), seat, "the same participant");
    let drops = Output::DropMedia { site: AN_PHUOC };
    assert!(!story.orders.contains(&drops), "ICE may be restarted on it");
    story.path(AN_PHUOC, MediaPath::Up);
    assert_eq!(story.presence(AN_PHUOC), Presence::Present);
    assert_eq!(story.site(AN_PHUOC).reconnections, 1);
}

/// On a narrow line the WebSocket stands still behind the media, and is given up by both ends.
#[test]
fn a_site_whose_websocket_breaks_is_there_for_as_long_as_its_media_arrives() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    let site = story.enters(AN_PHUOC);
    story.sends(AN_PHUOC);
    story.passes(CALM);
    story.vanishes(site);
    assert_eq!(story.presence(AN_PHUOC), Presence::Present);
    story.passes(Duration::from_secs(600));
    let back = story.hello(AN_PHUOC, Some(story.meeting_seat(AN_PHUOC)), false);
    assert_eq!(story.presence(AN_PHUOC), Presence::Present);
    assert_eq!(story.site(AN_PHUOC).reconnections, 0, "nobody has missed it");
    story.passes(CALM);
    story.vanishes(back);
    story.path(AN_PHUOC, MediaPath::Down);
    story.passes(LONGEST_SPACING);
    let seen = seen_by(&story, chair).expect("a snapshot");
    assert_eq!(seen.sites[AN_PHUOC.0 as usize].presence, Presence::Lost);
}

/// The tab was closed, or its browser has crashed: the media quarter finds a silent line only later.
#[test]
fn a_page_that_is_gone_is_lost_with_the_last_of_its_sources() {
    let mut story = Story::begins(10);
    let site = story.enters(AN_PHUOC);
    story.sends(AN_PHUOC);
    story.vanishes(site);
    story.stops(AN_PHUOC, SourceKind::Camera);
    assert_eq!(story.presence(AN_PHUOC), Presence::Present, "its camera alone may have been unplugged");
    story.stops(AN_PHUOC, SourceKind::Microphone);
    assert_eq!(story.presence(AN_PHUOC), Presence::Lost);
    story.sends(AN_PHUOC);
    assert_eq!(story.presence(AN_PHUOC), Presence::Present);
}

#[test]
fn who_sends_nothing_by_choice_or_by_order_of_the_chair_is_lost_with_its_line_only() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    let site = story.enters(AN_PHUOC);
    story.sends(AN_PHUOC);
    story.asks(site, Request::Media { microphone: true, camera: false, content: false });
    story.stops(AN_PHUOC, SourceKind::Camera);
    story.acts(chair, Action::Mute { site: AN_PHUOC });
    story.stops(AN_PHUOC, SourceKind::Microphone);
    story.vanishes(site);
    assert_eq!(story.presence(AN_PHUOC), Presence::Present);
    story.path(AN_PHUOC, MediaPath::Down);
    assert_eq!(story.presence(AN_PHUOC), Presence::Lost);
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
    assert_eq!(story.meeting.connection_of(AN_PHUOC), Some(new), "its end changes nothing");
    let back = story.hello(AN_PHUOC, Some(old_seat), false);
    assert_eq!(story.refusal(back), Some(ErrorCode::SeatTaken), "its secret is void");
}

/// Many in a commune know its link; the seat's secret is known only to the machine that held it.
#[test]
fn a_lost_seat_waits_for_its_holder_and_not_for_the_bare_link() {
    let mut story = Story::begins(10);
    let lost = story.enters(AN_PHUOC);
    let seat = story.meeting_seat(AN_PHUOC);
    story.vanishes(lost);
    story.path(AN_PHUOC, MediaPath::Down);
    for secret in [None, Some("a guess".into()), Some(Secret::default())] {
        let stranger = story.hello(AN_PHUOC, secret, false);
        assert_eq!(story.refusal(stranger), Some(ErrorCode::SeatTaken));
        assert!(story.is_closed(stranger));
    }
    assert_eq!(story.presence(AN_PHUOC), Presence::Lost, "nothing of it has changed");
    let back = story.hello(AN_PHUOC, Some(seat.clone()), false);
    assert_eq!(story.seat(back), seat);
    assert_eq!(story.site(AN_PHUOC).takeovers, 0);
}

/// The machine of a commune has died, and the link is opened on another one.
#[test]
fn a_lost_seat_is_taken_over_on_request_and_the_chair_sees_it() {
    let mut story = Story::begins(10);
    story.enters(CHAIR);
    let dead = story.enters(AN_PHUOC);
    let seat = story.meeting_seat(AN_PHUOC);
    story.vanishes(dead);
    story.passes(Duration::from_secs(60));
    let new = story.hello(AN_PHUOC, None, true);
    assert_ne!(story.seat(new), seat);
    assert!(story.orders.contains(&Output::DropMedia { site: AN_PHUOC }));
    let fact = Fact::TakenOver { site: AN_PHUOC, seat: story.meeting_seat(AN_PHUOC) };
    assert_eq!(story.records(), [&Record { at_ms: 1_060_000, by: AN_PHUOC, fact }]);
    let shown = story.site(AN_PHUOC);
    assert_eq!((shown.takeovers, shown.taken_over_ms), (1, Some(1_060_000)));
    story.path(AN_PHUOC, MediaPath::Up);
    story.passes(Duration::from_secs(60));
    let back = story.hello(AN_PHUOC, Some(seat), false);
    assert_eq!(
        story.refusal(back),
        Some(ErrorCode::SeatTaken),
        "it is refused, and may ask for the seat itself"
    );
    assert_eq!(story.meeting.connection_of(AN_PHUOC), Some(new));
}

#[test]
fn takeovers_cool_down_whatever_happens_to_the_seat() {
    let mut story = Story::begins(10);
    let first = story.enters(AN_PHUOC);
    let second = story.hello(AN_PHUOC, None, true);
    assert_eq!(story.goodbye(first), Some(GoodbyeReason::TakenOver));
    let too_soon = Some(ErrorCode::TakeoverTooSoon);
    let again = story.hello(AN_PHUOC, None, true);
    assert_eq!(story.refusal(again), too_soon);
    assert_eq!(story.goodbye(second), None, "its holder notices nothing");
    story.vanishes(second);
    let again = story.hello(AN_PHUOC, None, true);
    assert_eq!(story.refusal(again), too_soon, "a lost seat is no way round it");

    let third = story.hello(AN_PHUOC, Some(story.meeting_seat(AN_PHUOC)), false);
    story.asks(third, Request::Leave);
    let fourth = story.knocks(AN_PHUOC);
    assert_eq!(story.refusal(fourth), None, "a seat that was given up is free");
    let again = story.hello(AN_PHUOC, None, true);
    assert_eq!(story.refusal(again), too_soon, "leaving is no way round it");

    story.passes(TAKEOVER_COOLDOWN);
    let fifth = story.hello(AN_PHUOC, None, true);
    assert_eq!(story.refusal(fifth), None);
    assert_eq!(story.site(AN_PHUOC).takeovers, 2);
    let other = story.enters(BINH_SON);
    let taken = story.hello(BINH_SON, None, true);
    assert_eq!(story.refusal(taken), None, "each link by itself");
    assert_eq!(story.goodbye(other), Some(GoodbyeReason::TakenOver));
}

/// Two dozen a second came through before.
#[test]
fn a_client_that_fights_for_a_seat_gets_it_every_ten_seconds() {
    let mut story = Story::begins(10);
    story.enters(AN_PHUOC);
    let minute = Duration::from_secs(60);
    let step = Duration::from_millis(40);
    for _ in 0..minute.div_duration_f64(step) as u32 {
        story.hello(AN_PHUOC, None, true);
        story.passes(step);
    }
    assert_eq!(story.site(AN_PHUOC).takeovers, 6);
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
fn the_limit_refuses_and_disturbs_no_other_site() {
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
    let back = story.hello(AN_PHUOC, Some(story.meeting_seat(AN_PHUOC)), false);
    assert_eq!(story.refusal(back), None);
    story.asks(back, Request::Leave);
    assert_eq!(story.presence(AN_PHUOC), Presence::Away);
    let next = story.knocks(BINH_SON);
    assert_eq!(story.refusal(next), None, "a site that leaves makes room");
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
    story.acts(stranger, Action::End {});
    assert_eq!(story.refusal(stranger), Some(ErrorCode::OutOfOrder));
}

#[test]
fn the_meeting_knows_which_connection_has_which_seat() {
    let mut story = Story::begins(10);
    let (chair, site) = (story.enters(CHAIR), story.enters(AN_PHUOC));
    assert_eq!(story.meeting.connections().collect::<Vec<_>>(), [chair, site]);
    let held = [CHAIR, AN_PHUOC, BINH_SON, SiteId(77)].map(|site| story.meeting.connection_of(site));
    assert_eq!(held, [Some(chair), Some(site), None, None]);
    story.vanishes(site);
    assert_eq!(story.meeting.connections().collect::<Vec<_>>(), [chair]);
    assert_eq!(story.meeting.title(), "Giao ban");
    let names = [AN_PHUOC, PHUOC_THAI, SiteId(77)].map(|site| story.meeting.name_of(site));
    assert_eq!(names, ["An Phước", "Phước Thái", ""]);
}

#[test]
fn a_seat_is_connected_while_its_media_is_up() {
    let mut story = Story::begins(10);
    let connected = |story: &Story| story.meeting.seats().map(|seat| seat.connected).collect::<Vec<_>>();
    assert!(connected(&story).is_empty(), "no site has a seat");
    let site = story.knocks(AN_PHUOC);
    assert_eq!(connected(&story), [false], "its media is not up yet");
    for (path, up) in [(MediaPath::Up, true), (MediaPath::Down, false), (MediaPath::Up, true)] {
        story.path(AN_PHUOC, path);
        assert_eq!(connected(&story), [up], "{path:?}");
    }
    story.vanishes(site);
    assert_eq!(connected(&story), [true], "whatever becomes of its WebSocket");
    story.path(AN_PHUOC, MediaPath::Down);
    assert_eq!(connected(&story), [false], "it keeps its seat");
}
