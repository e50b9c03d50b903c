//! What lasts is what the facts state, and nothing else.

use super::*;
use proptest::prelude::*;

const SITES: [SiteId; 4] = [CHAIR, AN_PHUOC, BINH_SON, PHUOC_THAI];

/// One step of all that may happen, by numbers that a shrunk case can be read in.
#[derive(Debug, Clone)]
enum Step {
    Hello { site: SiteId, knows_seat: bool, takeover: bool },
    Vanishes(usize),
    Asks(usize, Request),
    Path(SiteId, MediaPath),
    Publishing(SiteId, SourceKind, bool),
    Passes(Duration),
}

fn site() -> impl Strategy<Value = SiteId> {
    prop::sample::select(SITES.to_vec())
}

fn action() -> impl Strategy<Value = Action> {
    // The last one was never invited.
    let somebody = prop_oneof![4 => site(), 1 => Just(SiteId(77))];
    prop_oneof![
        somebody.clone().prop_map(|site| Action::Mute { site }),
        somebody.clone().prop_map(|site| Action::AllowUnmute { site }),
        Just(Action::MuteAll {}),
        Just(Action::AllowUnmuteAll {}),
        prop::option::of(somebody.clone()).prop_map(|site| Action::BigScreen { site }),
        somebody.clone().prop_map(|site| Action::Remove { site }),
        somebody.prop_map(|site| Action::Readmit { site }),
        any::<bool>().prop_map(|locked| Action::Lock { locked }),
        Just(Action::End {}),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let wish = site().prop_map(|site| SlotWish { site, kind: SourceKind::Camera, max_height: 360 });
    prop_oneof![
        6 => action().prop_map(Request::Act),
        1 => Just(Request::Leave),
        1 => prop::collection::vec(prop::option::of(wish), 0..3).prop_map(Request::Wishes),
        2 => any::<[bool; 3]>().prop_map(|[microphone, camera, content]| {
            Request::Media { microphone, camera, content }
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let path = prop::sample::select(vec![MediaPath::Pending, MediaPath::Up, MediaPath::Down]);
    let kind = prop::sample::select(vec![SourceKind::Microphone, SourceKind::Camera, SourceKind::Content]);
    let hours = prop::sample::select(vec![0, 1, 10, 3_600, 5 * 3_600]).prop_map(Duration::from_secs);
    let hello = (site(), any::<bool>(), any::<bool>());
    prop_oneof![
        4 => hello.prop_map(|(site, knows_seat, takeover)| Step::Hello { site, knows_seat, takeover }),
        1 => (0..8usize).prop_map(Step::Vanishes),
        // The chair's link is the first to come in, mostly.
        6 => (0..8usize, request()).prop_map(|(who, request)| Step::Asks(who, request)),
        1 => (site(), path).prop_map(|(site, path)| Step::Path(site, path)),
        1 => (site(), kind, any::<bool>()).prop_map(|(site, kind, on)| Step::Publishing(site, kind, on)),
        1 => hours.prop_map(Step::Passes),
    ]
}

impl Story {
    fn takes(&mut self, step: Step) {
        match step {
            Step::Hello { site, knows_seat, takeover } => {
                let seat = self.meeting.lasting.of(site).seat.clone();
                self.hello(site, seat.filter(|_| knows_seat), takeover);
            }
            Step::Vanishes(who) => self.vanishes(self.somebody(who)),
            Step::Asks(who, request) => self.asks(self.somebody(who), request),
            Step::Path(site, path) => self.path(site, path),
            Step::Publishing(site, kind, active) => self.happens(Input::Publishing { site, kind, active }),
            Step::Passes(time) => self.passes(time),
        }
    }

    /// One of those inside, the chair more often than the others; or a connection that is not.
    fn somebody(&self, who: usize) -> ConnectionId {
        let inside: Vec<_> = self.meeting.connections().collect();
        let chair = self.meeting.connection_of(CHAIR).filter(|_| who < 4);
        chair.or_else(|| inside.get(who).copied()).unwrap_or(ConnectionId(u64::MAX))
    }
}

/// As a journal keeps them.
fn kept(records: &[Record]) -> Vec<Record> {
    let lines = records.iter().map(|record| serde_json::to_string(record).expect("JSON"));
    lines.map(|line| serde_json::from_str(&line).expect("what was written")).collect()
}

proptest! {
    #[test]
    fn facts_that_were_kept_make_the_same_meeting(steps in prop::collection::vec(step(), 0..60)) {
        let mut story = Story::begins(3);
        for step in steps {
            let (before, written) = (story.meeting.lasting.clone(), story.journal.len());
            story.takes(step);
            let is_news = story.journal.len() > written;
            prop_assert!(is_news || before == story.meeting.lasting, "only a fact changes what lasts");
        }
        let restored = Meeting::restored(invitation(3), kept(&story.journal));
        prop_assert_eq!(&restored.lasting, &story.meeting.lasting);
        for seat in restored.stage().sites {
            let muted = restored.lasting.of(seat.site).muted;
            prop_assert!(!(muted && seat.microphone_open), "no microphone opens by a restart");
        }
    }
}

#[test]
fn after_a_restart_a_seat_waits_for_its_holder_and_the_chairs_acts_hold() {
    let mut story = Story::begins(10);
    let chair = story.enters(CHAIR);
    story.enters(AN_PHUOC);
    story.enters(BINH_SON);
    let seat = story.meeting_seat(AN_PHUOC);
    story.acts(chair, Action::Mute { site: AN_PHUOC });
    story.acts(chair, Action::Remove { site: BINH_SON });
    story.acts(chair, Action::Lock { locked: true });

    story.meeting = Meeting::restored(invitation(10), kept(&story.journal));
    assert_eq!(story.presence(AN_PHUOC), Presence::Lost);
    assert_eq!(story.microphone(AN_PHUOC), MicrophoneState::MutedByChair);
    let expected = [
        (AN_PHUOC, ErrorCode::SeatTaken),
        (BINH_SON, ErrorCode::SiteRemoved),
        (PHUOC_THAI, ErrorCode::MeetingLocked),
    ];
    for (site, code) in expected {
        let stranger = story.knocks(site);
        assert_eq!(story.refusal(stranger), Some(code));
    }
    let back = story.hello(AN_PHUOC, Some(seat), false);
    assert_eq!(story.refusal(back), None);
    assert!(!story.may_speak(AN_PHUOC));
    let chair = story.hello(CHAIR, Some(story.meeting_seat(CHAIR)), false);
    story.acts(chair, Action::AllowUnmute { site: AN_PHUOC });
    assert!(!story.may_speak(AN_PHUOC), "it opens its microphone itself");
}
