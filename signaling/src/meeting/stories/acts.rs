//! What the chair does, and what sites may not.

use super::*;
use crate::meeting::decide::GOES_ON_WITHIN;

#[test]
fn the_chair_closes_a_microphone_and_only_the_site_opens_it_again() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    let site = story.enters(AN_PHUOC);
    story.sends(AN_PHUOC);
    assert_eq!(story.microphone(AN_PHUOC), MicrophoneState::On);

    story.acts(chair, Action::Mute { site: AN_PHUOC });
    assert_eq!(story.microphone(AN_PHUOC), MicrophoneState::MutedByChair);
    assert!(!story.may_speak(AN_PHUOC), "enforced, whatever the page does");
    let open = || Request::Media { microphone: true, camera: true, content: false };
    story.asks(site, open());
    assert!(!story.may_speak(AN_PHUOC));

    story.acts(chair, Action::AllowUnmute { site: AN_PHUOC });
    assert_eq!(story.microphone(AN_PHUOC), MicrophoneState::Off, "not by surprise");
    assert!(!story.may_speak(AN_PHUOC));
    story.asks(site, open());
    assert_eq!(story.microphone(AN_PHUOC), MicrophoneState::On);
    assert!(story.may_speak(AN_PHUOC));
}

#[test]
fn mute_all_spares_the_chair_and_reaches_sites_that_come_later() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    story.enters(AN_PHUOC);
    story.acts(chair, Action::MuteAll {});
    assert!(story.may_speak(CHAIR));
    assert!(!story.may_speak(AN_PHUOC));
    story.enters(BINH_SON);
    assert!(!story.may_speak(BINH_SON), "came after the act");
    story.acts(chair, Action::AllowUnmuteAll {});
    assert_eq!(story.microphone(BINH_SON), MicrophoneState::Off);
}

#[test]
fn a_mute_outlives_a_loss() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    let site = story.enters(AN_PHUOC);
    story.acts(chair, Action::Mute { site: AN_PHUOC });
    story.vanishes(site);
    story.returns(AN_PHUOC);
    assert!(!story.may_speak(AN_PHUOC));
    story.hello(AN_PHUOC, None, true);
    assert!(!story.may_speak(AN_PHUOC), "and a takeover");
}

#[test]
fn a_removed_site_stays_out_until_readmitted() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    let site = story.enters(AN_PHUOC);
    story.acts(chair, Action::BigScreen { site: Some(AN_PHUOC) });
    story.acts(chair, Action::Remove { site: AN_PHUOC });
    assert_eq!(story.goodbye(site), Some(GoodbyeReason::Removed));
    assert!(story.orders.contains(&Output::DropMedia { site: AN_PHUOC }));
    assert_eq!(story.presence(AN_PHUOC), Presence::Removed);
    assert_eq!(story.meeting.view(Role::Site).big_screen, None);
    let again = story.knocks(AN_PHUOC);
    assert_eq!(story.refusal(again), Some(ErrorCode::SiteRemoved));
    story.acts(chair, Action::Readmit { site: AN_PHUOC });
    assert_eq!(story.presence(AN_PHUOC), Presence::Away);
    story.enters(AN_PHUOC);
}

#[test]
fn a_lock_keeps_strangers_out_and_lets_the_lost_return() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    let site = story.enters(AN_PHUOC);
    story.acts(chair, Action::Lock { locked: true });
    let stranger = story.knocks(BINH_SON);
    assert_eq!(story.refusal(stranger), Some(ErrorCode::MeetingLocked));
    story.vanishes(site);
    story.returns(AN_PHUOC);
    story.acts(chair, Action::Lock { locked: false });
    story.enters(BINH_SON);
}

#[test]
fn the_end_is_for_all_until_the_chair_opens_again() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    let site = story.enters(AN_PHUOC);
    story.acts(chair, Action::Lock { locked: true });
    story.acts(chair, Action::End {});
    assert_eq!(story.goodbye(chair), Some(GoodbyeReason::Ended));
    assert_eq!(story.goodbye(site), Some(GoodbyeReason::Ended));
    assert!(story.orders.contains(&Output::CloseMedia));
    let late = story.knocks(BINH_SON);
    assert_eq!(story.refusal(late), Some(ErrorCode::MeetingEnded));
    story.passes(GOES_ON_WITHIN);
    story.enters(CHAIR);
    story.enters(BINH_SON);
}

/// The chair has ended it by a slip of the hand, or for a break.
#[test]
fn a_meeting_that_goes_on_keeps_what_the_chair_decided() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    story.enters(AN_PHUOC);
    story.enters(PHUOC_THAI);
    story.acts(chair, Action::Mute { site: PHUOC_THAI });
    story.acts(chair, Action::Remove { site: AN_PHUOC });
    story.acts(chair, Action::Lock { locked: true });
    let began = story.meeting.view(Role::Chair).started_at_ms;
    story.acts(chair, Action::End {});
    story.passes(GOES_ON_WITHIN - Duration::from_secs(1));

    let chair = story.enters(CHAIR);
    let refused = |story: &mut Story, site| {
        let knocking = story.knocks(site);
        story.refusal(knocking)
    };
    assert_eq!(refused(&mut story, AN_PHUOC), Some(ErrorCode::SiteRemoved));
    assert_eq!(refused(&mut story, BINH_SON), Some(ErrorCode::MeetingLocked), "it has never been inside");
    story.enters(PHUOC_THAI);
    assert!(!story.may_speak(PHUOC_THAI));
    let view = story.meeting.view(Role::Chair);
    assert_eq!((view.locked, view.started_at_ms), (true, began));
    assert_eq!(story.presence(AN_PHUOC), Presence::Removed, "the chair sees what was kept");

    story.acts(chair, Action::End {});
    story.passes(GOES_ON_WITHIN);
    story.enters(CHAIR);
    assert_eq!(refused(&mut story, AN_PHUOC), None, "the next meeting knows nothing of it");
    assert_eq!(refused(&mut story, BINH_SON), None);
    story.enters(PHUOC_THAI);
    assert!(story.may_speak(PHUOC_THAI));
}

/// Morning and afternoon are one meeting, two days are two.
#[test]
fn a_meeting_goes_on_after_the_midday_rest_and_not_after_a_night() {
    for (hours, presence) in [(1, Presence::Removed), (3, Presence::Removed), (12, Presence::Away)] {
        let mut story = Story::begins(10);
        let chair = story.enters(CHAIR);
        story.acts(chair, Action::Remove { site: AN_PHUOC });
        story.acts(chair, Action::End {});
        story.passes(Duration::from_hours(hours));
        story.enters(CHAIR);
        assert_eq!(story.presence(AN_PHUOC), presence, "after {hours} hours");
    }
}

/// What was on the big screen, and who was inside, is of the last meeting.
#[test]
fn a_meeting_that_is_opened_again_starts_from_the_beginning() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    story.enters(AN_PHUOC);
    story.acts(chair, Action::BigScreen { site: Some(AN_PHUOC) });
    assert_eq!(story.meeting.stage().big_screen, Some(AN_PHUOC));
    story.acts(chair, Action::End {});
    assert_eq!(story.meeting.stage().big_screen, None);
    assert_eq!(story.meeting.view(Role::Chair).big_screen, None);

    story.passes(GOES_ON_WITHIN);
    let chair = story.enters(CHAIR);
    assert_eq!(story.meeting.stage().big_screen, None);
    story.acts(chair, Action::Lock { locked: true });
    let late = story.knocks(AN_PHUOC);
    assert_eq!(story.refusal(late), Some(ErrorCode::MeetingLocked), "it was inside the last one");
}

/// A site that takes a free seat has reported nothing yet: its sources are let through, but for what the chair has
/// closed.
#[test]
fn a_fresh_seat_is_open_but_for_the_mute() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    let open = |story: &Story| {
        let stage = story.meeting.stage();
        let site = stage.sites.iter().find(|s| s.site == AN_PHUOC).expect("seated");
        (site.microphone_open, site.camera_open, site.content_open)
    };
    let site = story.enters(AN_PHUOC);
    assert_eq!(open(&story), (true, true, true));
    story.asks(site, Request::Media { microphone: false, camera: false, content: false });
    assert_eq!(open(&story), (false, false, false));
    story.asks(site, Request::Leave);
    let site = story.enters(AN_PHUOC);
    assert_eq!(open(&story), (true, true, true), "what the last one reported is forgotten");

    story.acts(chair, Action::Mute { site: AN_PHUOC });
    story.asks(site, Request::Leave);
    story.enters(AN_PHUOC);
    story.acts(chair, Action::AllowUnmute { site: AN_PHUOC });
    assert_eq!(open(&story), (false, true, true), "it was muted when it came, and has not opened since");
}

#[test]
fn sites_may_not_act_and_the_chair_not_on_itself() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    let site = story.enters(AN_PHUOC);
    let before = story.meeting.view(Role::Chair);
    let forbidden = Some(ErrorCode::Forbidden);
    for action in [
        Action::Mute { site: CHAIR },
        Action::MuteAll {},
        Action::BigScreen { site: Some(AN_PHUOC) },
        Action::Remove { site: BINH_SON },
        Action::Lock { locked: true },
        Action::End {},
    ] {
        story.acts(site, action.clone());
        assert_eq!(story.refusal(site), forbidden, "{action:?}");
    }
    for action in [Action::Mute { site: CHAIR }, Action::Remove { site: CHAIR }] {
        story.acts(chair, action.clone());
        assert_eq!(story.refusal(chair), forbidden, "{action:?}");
    }
    story.acts(chair, Action::Mute { site: SiteId(77) });
    assert_eq!(story.refusal(chair), Some(ErrorCode::UnknownSite));
    assert_eq!(story.meeting.view(Role::Chair), before, "nothing happened");
}

#[test]
fn what_is_on_is_what_the_site_reports() {
    let mut story = Story::begins(10);
    let site = story.enters(AN_PHUOC);
    assert!(!story.site(AN_PHUOC).camera, "it has reported nothing, and nothing came yet");
    story.sends(AN_PHUOC);
    assert!(story.site(AN_PHUOC).camera);
    story.stops(AN_PHUOC, SourceKind::Camera);
    assert!(!story.site(AN_PHUOC).camera, "it has reported nothing, and nothing comes any more");
    story.asks(site, Request::Media { microphone: true, camera: true, content: false });
    assert!(story.site(AN_PHUOC).camera, "on by its own report, whatever comes");
    story.sends(AN_PHUOC);
    story.asks(site, Request::Media { microphone: true, camera: false, content: false });
    assert!(!story.site(AN_PHUOC).camera, "off by its own report, at once");
    assert!(story.orders.contains(&Output::Restage), "and closed in the media quarter");
    let stage = story.meeting.stage();
    let open = (stage.sites[0].microphone_open, stage.sites[0].camera_open, stage.sites[0].content_open);
    assert_eq!(open, (true, false, false), "each by itself");
    story.asks(site, Request::Media { microphone: false, camera: true, content: false });
    let stage = story.meeting.stage();
    let open = (stage.sites[0].microphone_open, stage.sites[0].camera_open, stage.sites[0].content_open);
    assert_eq!(open, (false, true, false));
    story.path(AN_PHUOC, MediaPath::Pending);
    assert!(story.site(AN_PHUOC).camera, "a new connection, the same report");
}

fn flow(story: &Story, site: SiteId) -> Flow {
    story.meeting.seats().find(|seat| seat.site == site).expect("seated").flow
}

#[test]
fn a_line_that_stands_still_turns_nothing_off_and_is_reported_as_one() {
    let mut story = Story::begins(10);
    let site = story.enters(AN_PHUOC);
    story.asks(site, Request::Media { microphone: true, camera: true, content: true });
    assert_eq!(flow(&story, AN_PHUOC), Flow::Steady, "nothing has come yet that could have stopped");
    assert!(!story.site(AN_PHUOC).content, "content is reported with its first frame");
    story.sends(AN_PHUOC);
    story.happens(Input::Publishing { site: AN_PHUOC, kind: SourceKind::Content, active: true });
    assert!(story.site(AN_PHUOC).content);
    let before = story.site(AN_PHUOC);
    story.stops(AN_PHUOC, SourceKind::Content);
    assert_eq!(flow(&story, AN_PHUOC), Flow::Steady, "of a document that stands still nothing need come");
    for kind in [SourceKind::Microphone, SourceKind::Camera] {
        story.stops(AN_PHUOC, kind);
        assert_eq!(flow(&story, AN_PHUOC), Flow::Stopped, "{kind:?}");
        assert_eq!(story.site(AN_PHUOC), before);
        assert!(story.meeting.stage().sites[0].content_active);
        story.happens(Input::Publishing { site: AN_PHUOC, kind, active: true });
        assert_eq!(flow(&story, AN_PHUOC), Flow::Steady, "{kind:?} is back");
    }
    story.stops(AN_PHUOC, SourceKind::Camera);
    story.asks(site, Request::Media { microphone: true, camera: false, content: true });
    assert_eq!(flow(&story, AN_PHUOC), Flow::Steady, "what is off cannot stop");
    story.asks(site, Request::Media { microphone: true, camera: true, content: true });
    assert_eq!(flow(&story, AN_PHUOC), Flow::Steady, "on again, and not seen yet");
}

#[test]
fn content_is_shown_again_with_its_next_frame() {
    let mut story = Story::begins(10);
    let site = story.enters(AN_PHUOC);
    let share = |content| Request::Media { microphone: false, camera: false, content };
    let pictures = |active| Input::Publishing { site: AN_PHUOC, kind: SourceKind::Content, active };
    story.asks(site, share(true));
    story.happens(pictures(true));
    story.asks(site, share(false));
    assert!(!story.site(AN_PHUOC).content);
    story.asks(site, share(true));
    assert!(story.site(AN_PHUOC).content, "its frames have never stopped");
    story.asks(site, share(false));
    story.happens(pictures(false));
    story.asks(site, share(true));
    assert!(!story.site(AN_PHUOC).content, "there is none to show");
    story.happens(pictures(true));
    assert!(story.site(AN_PHUOC).content);
}

#[test]
fn a_line_that_stands_still_turns_off_nothing_of_a_client_that_reports_nothing_either() {
    let mut story = Story::begins(10);
    story.enters(AN_PHUOC);
    story.sends(AN_PHUOC);
    story.stops(AN_PHUOC, SourceKind::Camera);
    assert!(!story.site(AN_PHUOC).camera, "its voice still comes");
    story.stops(AN_PHUOC, SourceKind::Microphone);
    assert!(story.site(AN_PHUOC).camera, "nothing comes");
    assert_eq!(flow(&story, AN_PHUOC), Flow::Stopped);
    story.happens(Input::Publishing { site: AN_PHUOC, kind: SourceKind::Microphone, active: true });
    assert!(!story.site(AN_PHUOC).camera, "its line is back, and its camera is not");
}

/// A foreign client that does not report its sources has those that arrive, and on a new connection none has.
#[test]
fn a_new_media_connection_has_brought_nothing_yet() {
    let mut story = Story::begins(10);
    story.enters(AN_PHUOC);
    story.sends(AN_PHUOC);
    story.path(AN_PHUOC, MediaPath::Down);
    story.path(AN_PHUOC, MediaPath::Up);
    assert!(story.site(AN_PHUOC).camera, "the same connection is up again");
    story.path(AN_PHUOC, MediaPath::Pending);
    assert!(!story.site(AN_PHUOC).camera);
}

#[test]
fn the_first_report_is_a_change_though_it_confirms_what_was_assumed() {
    let mut story = Story::begins(10);
    let site = story.enters(AN_PHUOC);
    story.passes(LONGEST_SPACING);
    story.passes(CALM);
    story.asks(site, Request::Media { microphone: true, camera: true, content: true });
    assert!(story.orders.contains(&Output::Restage));
    assert_eq!(story.told(site).count(), 1, "and every site sees it");
    assert!(story.site(AN_PHUOC).camera);
}

#[test]
fn who_may_act_is_known_before_anything_is_done() {
    let story = Story::begins(10);
    let lock = Action::Lock { locked: true };
    let may = [CHAIR, AN_PHUOC, SiteId(77)].map(|site| story.meeting.may_act(site, &lock));
    assert_eq!(may, [true, false, false]);
}
