//! The bridge against a recorder in place of the workers.

mod backlog;
mod stalled;

use super::recorder::{Recorded, Recorder, offer};
use super::*;
use crate::meeting::StageSite;
use protocol::{LimitedBy, SlotLimit, SlotShows, SlotSource, SlotWish};
use sfu::command::{Desired, Permissions, Wish};
use sfu::ids::{SlotId, Source};
use sfu::net::{DisconnectReason, PathKind};
use sfu::sdp::OfferError;
use sfu::shortfall::{self, Less};
use std::sync::MutexGuard;

const MEETING: MeetingId = MeetingId(0);
const A: SiteId = SiteId(0);
const B: SiteId = SiteId(1);
const C: SiteId = SiteId(2);

struct Story {
    bridge: Bridge,
    recorder: Recorder,
}

impl Story {
    fn begins() -> Story {
        let recorder = Recorder::default();
        let bridge = Bridge::new(Box::new(recorder.clone()));
        Story { bridge, recorder }
    }

    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.recorder.recorded()
    }

    fn commands(&self) -> Vec<Command> {
        std::mem::take(&mut self.recorded().commands).into_iter().map(|(_, command)| command).collect()
    }

    fn event(&mut self, event: Event) -> Vec<Effect> {
        self.bridge.handle_event(WorkerEvent { worker: 0, event });
        self.bridge.flush();
        self.bridge.take_effects()
    }

    /// Offers, is answered, and answers with the peer it got.
    fn joins(&mut self, site: SiteId) -> PeerId {
        self.bridge.offer(MEETING, site, offer("first"));
        let peer = self.offered();
        let sdp = "answer".to_owned();
        self.event(Event::Answer { peer, sdp });
        peer
    }

    /// The peer of the newest offer.
    fn offered(&self) -> PeerId {
        let commands = self.commands();
        let found = commands.iter().rev().find_map(|command| match command {
            Command::Offer { peer, .. } => Some(*peer),
            _ => None,
        });
        found.expect("an offer")
    }

    fn desired(&self) -> Desired {
        let found = self.commands().into_iter().rev().find_map(|c| match c {
            Command::Reconcile { desired, .. } => Some(desired),
            _ => None,
        });
        found.expect("a desired state")
    }

    fn slots(&mut self, stage: Stage, receiver: PeerId) -> Vec<Option<Wish>> {
        self.bridge.restage(MEETING, stage);
        let desired = self.desired();
        let found = desired.peers.into_iter().find(|p| p.peer == receiver);
        found.expect("named").video_slots
    }
}

fn wish(site: SiteId) -> Option<SlotWish> {
    Some(SlotWish { site, kind: SourceKind::Camera, max_height: 180 })
}

/// The numbers of a site's line are old.
fn line_ended(site: SiteId) -> Effect {
    Effect::Line { meeting: MEETING, site, stats: None }
}

/// Lines worth sending to the big screen.
const BIG: u16 = 2159;

fn shown(peer: PeerId, kind: sfu::ids::SourceKind, max_height: u16) -> Option<Wish> {
    let source = Source { peer, kind };
    Some(Wish { source, max_height })
}

fn stage(big_screen: Option<SiteId>, b_shares: bool, wishes: &[Option<SlotWish>]) -> Stage {
    let site = |site| StageSite {
        site,
        is_chair: site == A,
        microphone_open: true,
        camera_open: true,
        content_open: true,
        content_active: site == B && b_shares,
        wishes: wishes.to_vec(),
        asks_for_mix: false,
    };
    Stage { big_screen, floor: big_screen, sites: vec![site(A), site(B), site(C)] }
}

/// Its own picture measures a site's line. In every slot it would come back as often as there are slots.
#[test]
fn a_site_sees_itself_in_one_slot_at_most() {
    let mut story = Story::begins();
    let (a, b) = (story.joins(A), story.joins(B));
    let camera = |peer| shown(peer, sfu::ids::SourceKind::Camera, 180);
    let wishes = [wish(A), wish(B), wish(A), wish(A)];
    let slots = story.slots(stage(None, false, &wishes), a);
    assert_eq!(slots, [camera(a), camera(b), None, None]);
    assert_eq!(story.slots(stage(None, false, &wishes), b), [camera(a), camera(b), camera(a), camera(a)]);
}

#[test]
fn the_big_screen_takes_the_first_slot_and_no_second() {
    use sfu::ids::SourceKind::{Camera, Content};
    let mut story = Story::begins();
    let (a, b, c) = (story.joins(A), story.joins(B), story.joins(C));
    let wishes = [wish(C), wish(B), wish(A), wish(SiteId(9))];
    let small = |peer| shown(peer, Camera, 180);
    let table = [
        ("wishes only, oneself too", None, false, a, vec![small(c), small(b), small(a), None]),
        (
            "its camera, and not in a second slot",
            Some(B),
            false,
            a,
            vec![shown(b, Camera, BIG), None, small(a), None],
        ),
        (
            "its content; the camera stays where it was wished",
            Some(B),
            true,
            a,
            vec![shown(b, Content, BIG), small(b), small(a), None],
        ),
        ("who is on it sees the others", Some(B), true, b, vec![small(c), small(b), small(a), None]),
    ];
    for (why, big_screen, shares, receiver, expected) in table {
        let slots = story.slots(stage(big_screen, shares, &wishes), receiver);
        assert_eq!(slots, expected, "{why}");
    }
    let silent = story.slots(stage(Some(B), false, &[]), c);
    assert_eq!(silent, [shown(b, Camera, BIG)], "who has not wished yet sees it too");
    let listens = story.slots(stage(Some(B), true, &[None, None]), a);
    assert_eq!(listens, [None, None], "who wishes for nothing only listens");
}

#[test]
fn the_chair_ranks_first_and_what_is_muted_or_called_off_is_not_let_through() {
    let mut story = Story::begins();
    let (a, b, c) = (story.joins(A), story.joins(B), story.joins(C));
    let mut stage = stage(Some(B), false, &[]);
    stage.sites[1].microphone_open = false;
    (stage.sites[2].camera_open, stage.sites[2].content_open) = (false, false);
    story.bridge.restage(MEETING, stage);
    let desired = story.desired();
    let peers: Vec<(PeerId, bool)> = desired.peers.iter().map(|peer| (peer.peer, peer.has_floor)).collect();
    assert_eq!(peers, [(a, false), (b, true), (c, false)]);
    let ranks = |index: usize| (desired.peers[index].ranks.camera, desired.peers[index].ranks.content);
    let ((chair, content), (big, shared), (other, _)) = (ranks(0), ranks(1), ranks(2));
    assert!(other < chair && chair < content && content < big && big == shared);
    let may_publish: Vec<Permissions> = desired.peers.iter().map(|peer| peer.may_publish).collect();
    let muted = Permissions { microphone: false, ..Permissions::all() };
    let heard_only = Permissions { camera: false, content: false, ..Permissions::all() };
    assert_eq!(may_publish, [Permissions::all(), muted, heard_only]);
}

#[test]
fn a_second_offer_restarts_ice_or_takes_the_peers_place() {
    let mut story = Story::begins();
    let first = story.joins(A);
    story.bridge.offer(MEETING, A, offer("restart"));
    assert_eq!(story.offered(), first, "the same PeerConnection, perhaps");
    let reason = OfferError::Changed;
    let effects = story.event(Event::OfferRefused { peer: first, reason });
    let commands = story.commands();
    assert!(commands.contains(&Command::RemovePeer { peer: first }));
    let again = commands
        .iter()
        .any(|c| matches!(c, Command::Offer { peer, offer: again, .. } if *peer != first && *again == offer("restart")));
    assert!(again, "a new peer with the same offer: {commands:?}");
    let path = MediaPath::Pending;
    let pending = Effect::Path { meeting: MEETING, site: A, path };
    assert_eq!(effects, [line_ended(A), pending], "and no error for the site");
}

#[test]
fn a_refused_first_offer_leaves_nothing_behind() {
    let mut story = Story::begins();
    story.bridge.offer(MEETING, A, offer("other"));
    let peer = story.offered();
    let reason = OfferError::Malformed;
    let effects = story.event(Event::OfferRefused { peer, reason });
    let refusal = ErrorCode::OfferMalformed.into();
    assert!(effects.contains(&Effect::Refuse { meeting: MEETING, site: A, refusal }));
    assert_ne!(story.joins(A), peer, "ids are never used again");
}

/// The engine knows a failed peer no more: the site is lost for the others, builds a new connection, and comes back
/// as another peer.
#[test]
fn a_peer_the_engine_failed_at_comes_back_as_another() {
    let mut story = Story::begins();
    let (a, b) = (story.joins(A), story.joins(B));
    let effects = story.event(Event::Failed { peer: b, cause: "a fault".to_owned() });
    let path = MediaPath::Down;
    let message = crate::error::Refusal::new(ErrorCode::OfferChanged).error();
    let expected = [
        line_ended(B),
        Effect::Path { meeting: MEETING, site: B, path },
        Effect::Send { meeting: MEETING, site: B, message },
    ];
    assert_eq!(effects, expected);
    assert_eq!(story.event(Event::Quiet { peer: b }), [], "gone");
    let again = story.joins(B);
    assert!(again != a && again != b);
    story.bridge.restage(MEETING, stage(None, false, &[]));
    let peers: Vec<PeerId> = story.desired().peers.iter().map(|peer| peer.peer).collect();
    assert_eq!(peers, [a, again]);
}

#[test]
fn a_site_is_told_that_its_voices_are_mixed() {
    let mut story = Story::begins();
    let a = story.joins(A);
    let mixes = |slot, mixes| Event::SlotMixes { peer: a, slot, mixes };
    let told_mixed = |effects: Vec<Effect>| match effects.as_slice() {
        [Effect::Send { site: A, message: ServerMessage::Slots { mixed, .. }, .. }] => *mixed,
        other => panic!("{other:?}"),
    };
    assert!(told_mixed(story.event(mixes(3, true))));
    assert!(told_mixed(story.event(mixes(4, true))), "it has moved to another slot");
    assert!(told_mixed(story.event(mixes(3, false))) && !told_mixed(story.event(mixes(4, false))));
}

#[test]
fn slots_and_paths_are_told_in_sites() {
    let mut story = Story::begins();
    let (a, b) = (story.joins(A), story.joins(B));
    let kind = sfu::ids::SourceKind::Camera;
    let source = Some(Source { peer: b, kind });
    let slot = SlotId::Video(1);
    let effects = story.event(Event::SlotShows { peer: a, slot, source });
    let camera = Some(SlotSource { site: B, kind: SourceKind::Camera });
    let slots = Effect::Send {
        meeting: MEETING,
        site: A,
        message: ServerMessage::Slots {
            video: vec![None, camera],
            audio: Vec::new(),
            limits: Vec::new(),
            mixed: false,
        },
    };
    assert_eq!(effects, [slots]);
    let limit = Some(shortfall::Limit { shows: Less::Stills, by: shortfall::LimitedBy::Viewer });
    let effects = story.event(Event::SlotLimited { peer: a, slot: 1, limit });
    let told = Some(SlotLimit { shows: SlotShows::Stills, by: LimitedBy::Viewer });
    let (video, audio, limits) = (vec![None, camera], Vec::new(), vec![None, told]);
    let message = ServerMessage::Slots { video, audio, limits, mixed: false };
    assert_eq!(effects, [Effect::Send { meeting: MEETING, site: A, message }]);
    let path = |path| Effect::Path { meeting: MEETING, site: B, path };
    let udp = PathKind::Udp;
    let steps = [
        (Event::Connected { peer: b, path: udp }, MediaPath::Up),
        (Event::Quiet { peer: b }, MediaPath::Down),
        (Event::Restored { peer: b }, MediaPath::Up),
        (Event::Disconnected { peer: b, reason: DisconnectReason::ConsentExpired }, MediaPath::Down),
    ];
    for (event, expected) in steps {
        assert_eq!(story.event(event), [path(expected)]);
    }
    story.bridge.remove_site(MEETING, B);
    assert_eq!(story.bridge.take_effects(), [line_ended(B)]);
    assert_eq!(story.event(Event::Quiet { peer: b }), [], "gone is gone");
}
