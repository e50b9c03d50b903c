//! The hall in virtual time, with a recorder in place of the workers.

use super::*;
use crate::media::recorder::{Recorder, offer};
use crate::media::{Command, Event};
use crate::meeting::Request;
use protocol::{SlotWish, SourceKind};
use sfu::ids::PeerId;
use sfu::net::PathKind;
use sfu::stats::{DirectionStats, PeerStats};

const CONFIG: &str = r#"
[limits]
failed_joins_per_address_per_minute = 2
[[meetings]]
title = "Giao ban"
sites = [
  { name = "Huyện", role = "chair", token = "chair" },
  { name = "An Phước", token = "an-phuoc" },
  { name = "Bình Sơn", token = "binh-son" },
]
[[meetings]]
title = "Họp khẩn"
sites = [{ name = "Nhơn Trạch", role = "chair", token = "other" }]
"#;

const TOKENS: [&str; 4] = ["chair", "an-phuoc", "binh-son", "other"];

struct Story {
    core: Core,
    recorder: Recorder,
    now: Now,
    connections: u64,
    /// Everything that was ordered since the last look.
    orders: Vec<Output>,
    wake_at: Instant,
}

impl Story {
    fn begins(start: Instant) -> Story {
        let (config, recorder) = (Config::from_toml(CONFIG).expect("settings"), Recorder::default());
        let core = Core::new(&config, Box::new(recorder.clone()), KnownLines::default(), start);
        let now = Now { instant: start, unix_ms: 1_000_000 };
        let mut story = Story { core, recorder, now, connections: 0, orders: Vec::new(), wake_at: start };
        story.settles();
        story
    }

    fn happens(&mut self, input: Input) {
        self.core.handle_input(self.now, input);
        self.settles();
    }

    fn settles(&mut self) {
        loop {
            match self.core.poll_output(self.now) {
                Output::Timeout(at) => {
                    self.wake_at = at;
                    return;
                }
                order => self.orders.push(order),
            }
        }
    }

    /// Wakes the hall whenever it asked for it.
    fn passes(&mut self, time: Duration) {
        let end = self.now.instant + time;
        while self.wake_at <= end {
            assert!(self.wake_at > self.now.instant, "it wakes for something that is still to come");
            self.set(self.wake_at);
            self.settles();
        }
        self.set(end);
    }

    fn set(&mut self, instant: Instant) {
        self.now.unix_ms += (instant - self.now.instant).as_millis() as u64;
        self.now.instant = instant;
    }

    fn arrives(&mut self) -> ConnectionId {
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        self.happens(Input::Arrived { connection, address: [10, 0, 0, 1].into() });
        connection
    }

    fn says(&mut self, connection: ConnectionId, message: SiteMessage) {
        self.happens(Input::Message { connection, message });
    }

    fn hello(&mut self, connection: ConnectionId, token: &str) {
        let fresh_seat = format!("seat {}", connection.0).into();
        self.says(
            connection,
            SiteMessage::Hello { token: token.into(), seat: None, takeover: true, fresh_seat },
        );
    }

    fn enters(&mut self, token: &str) -> ConnectionId {
        let connection = self.arrives();
        self.hello(connection, token);
        assert!(self.core.seat_of(connection).is_some(), "{token} comes in");
        connection
    }

    /// Brings media, and names the peer it got.
    fn offers(&mut self, connection: ConnectionId) -> PeerId {
        self.says(connection, SiteMessage::Offer(offer("first")));
        let commands = std::mem::take(&mut self.recorder.recorded().commands);
        let peer = commands.into_iter().find_map(|(_, command)| match command {
            Command::Offer { peer, .. } => Some(peer),
            _ => None,
        });
        let peer = peer.expect("an offer");
        self.reports(Event::Answer { peer, sdp: "answer".to_owned() });
        self.reports(Event::Connected { peer, path: PathKind::Udp });
        peer
    }

    fn reports(&mut self, event: Event) {
        self.happens(Input::Media(WorkerEvent { worker: 0, event }));
    }

    /// Messages to a connection that begin so, and forgets all orders.
    fn told(&mut self, to: ConnectionId, kind: &str) -> Vec<String> {
        let beginning = format!("{{\"type\":\"{kind}\"");
        let orders = std::mem::take(&mut self.orders).into_iter();
        let texts = orders.filter_map(|order| match order {
            Output::Send { connection, message } if connection == to => Some(message.text().to_string()),
            _ => None,
        });
        texts.filter(|text| text.starts_with(&beginning)).collect()
    }
}

fn stats(peer: PeerId, loss_fraction: f64) -> Event {
    let down = DirectionStats { loss_fraction, ..DirectionStats::default() };
    let peer = PeerStats {
        peer,
        room: crate::media::RoomId(1),
        path: Some(PathKind::Udp),
        rtt: Some(Duration::from_millis(40)),
        estimated_bandwidth_bps: None,
        up: DirectionStats::default(),
        down,
    };
    Event::Stats { worker: Box::default(), peers: vec![peer] }
}

#[test]
fn what_happens_in_a_meeting_is_no_business_of_another() {
    let mut story = Story::begins(Instant::now());
    let (chair, other) = (story.enters("chair"), story.enters("other"));
    // Until the lights of both have been sent.
    story.passes(Duration::from_secs(10));
    story.orders.clear();
    story.enters("an-phuoc");
    story.passes(Duration::from_secs(1));
    let sent = |to: ConnectionId, story: &Story| {
        let to_it = story.orders.iter().filter_map(|order| match order {
            Output::Send { connection, message } if *connection == to => Some(message.text().as_str()),
            _ => None,
        });
        to_it.map(str::to_owned).collect::<Vec<_>>()
    };
    let told = sent(chair, &story);
    assert!(told.iter().any(|text| text.contains("\"meeting\"")), "{told:?}");
    assert_eq!(sent(other, &story), [] as [String; 0]);
}

#[test]
fn a_hall_in_which_nothing_happens_looks_at_its_workers_and_orders_nothing_else() {
    let mut story = Story::begins(Instant::now());
    story.enters("chair");
    story.passes(Duration::from_secs(60));
    story.orders.clear();
    story.passes(Duration::from_secs(60));
    let looks = story.orders.iter().filter(|order| matches!(order, Output::Looked { .. })).count();
    assert_eq!(looks, 120);
    let rest = story.orders.iter().filter(|o| !matches!(o, Output::Looked { .. } | Output::Rows { .. }));
    assert_eq!(rest.count(), 0, "{:?}", story.orders);
}

#[test]
fn numbers_of_a_line_are_handed_in_once_and_become_lights_and_rows() {
    let mut story = Story::begins(Instant::now());
    let (chair, site) = (story.enters("chair"), story.enters("an-phuoc"));
    let peer = story.offers(site);
    let place = story.core.seat_of(site).expect("seated");
    story.reports(stats(peer, 0.2));
    story.passes(Duration::from_secs(3));
    let light = story.told(chair, "link_changes").pop().expect("a light");
    assert!(light.contains("\"poor\"") && light.contains("20"), "{light}");
    assert_eq!(story.core.links.newest(place).stats.expect("measured").down.loss_fraction, 0.2);

    story.reports(Event::Failed { peer, cause: "a fault".to_owned() });
    assert_eq!(story.core.links.newest(place).stats, None, "numbers of a connection end with it");
    story.passes(Duration::from_secs(3));
    let light = story.told(chair, "link_changes").pop().expect("a light");
    assert!(light.contains("\"disconnected\""), "{light}");
}

#[test]
fn a_client_that_cannot_keep_up_loses_its_connection_and_keeps_its_seat() {
    let mut story = Story::begins(Instant::now());
    let (chair, site) = (story.enters("chair"), story.enters("an-phuoc"));
    story.orders.clear();
    story.happens(Input::NeedsLinks { connection: chair });
    assert_eq!(story.told(chair, "links").len(), 1);
    story.happens(Input::TooSlow { connection: site });
    assert_eq!(story.core.seat_of(site), None);
    story.passes(Duration::from_secs(1));
    let meeting = story.told(chair, "meeting").pop().expect("a snapshot");
    assert!(meeting.contains("\"lost\""), "{meeting}");
}

/// What a worker says of a site's line outranks what becomes of its WebSocket.
#[test]
fn a_site_is_lost_when_its_worker_says_so_and_not_with_its_connection() {
    let mut story = Story::begins(Instant::now());
    let (chair, site) = (story.enters("chair"), story.enters("an-phuoc"));
    let peer = story.offers(site);
    let presence = |story: &mut Story| {
        story.passes(Duration::from_secs(1));
        let meeting = story.told(chair, "meeting").pop().unwrap_or_default();
        ["present", "lost"].into_iter().find(|word| meeting.contains(&format!("\"presence\":\"{word}\"")))
    };
    assert_eq!(presence(&mut story), Some("present"));
    story.says(site, SiteMessage::Gone);
    assert_eq!(presence(&mut story), Some("present"));
    story.reports(Event::Quiet { peer });
    assert_eq!(presence(&mut story), Some("lost"));
    story.reports(Event::Restored { peer });
    assert_eq!(presence(&mut story), Some("present"), "its WebSocket is still to come");
}

#[test]
fn a_worker_whose_queue_was_full_is_asked_again_soon() {
    let mut story = Story::begins(Instant::now());
    let site = story.enters("an-phuoc");
    story.recorder.recorded().full.insert(0, 0);
    story.says(site, SiteMessage::Offer(offer("first")));
    assert_eq!(story.wake_at, story.now.instant + RETRY_INTERVAL);
    story.recorder.recorded().full.clear();
    story.passes(RETRY_INTERVAL);
    assert!(!story.recorder.recorded().commands.is_empty());
    assert!(story.wake_at > story.now.instant + RETRY_INTERVAL, "nothing waits any more");
}

#[test]
fn a_draining_hall_notifies_all_and_reports_when_they_have_gone() {
    let mut story = Story::begins(Instant::now());
    let (chair, stranger) = (story.enters("chair"), story.arrives());
    story.happens(Input::Drain);
    assert_eq!(story.told(chair, "draining").len(), 1);
    story.hello(stranger, "an-phuoc");
    assert!(story.orders.iter().any(|o| matches!(o, Output::Refused { code: ErrorCode::Draining, .. })));
    let drained = |story: &Story| story.orders.iter().any(|o| matches!(o, Output::Drained));
    story.says(chair, SiteMessage::Gone);
    assert!(!drained(&story));
    story.says(stranger, SiteMessage::Gone);
    assert!(drained(&story));
}

#[test]
fn guessing_of_links_is_stopped_and_a_known_link_is_not() {
    let mut story = Story::begins(Instant::now());
    for code in [ErrorCode::UnknownLink, ErrorCode::UnknownLink, ErrorCode::TooManyJoins] {
        let stranger = story.arrives();
        story.orders.clear();
        story.hello(stranger, "a guess");
        assert!(matches!(story.orders[0], Output::Refused { code: told, .. } if told == code), "{code:?}");
    }
    story.enters("an-phuoc");
}

/// Random inputs of sixty sites from a seed, twice. Each hash map has another order.
#[test]
fn the_same_inputs_give_the_same_orders() {
    let start = Instant::now();
    let tell = |seed: u64| {
        let mut story = Story::begins(start);
        let (mut dice, mut inside) = (seed, Vec::new());
        let mut next = |most: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % most
        };
        for _ in 0..200 {
            let who = next(inside.len().max(1) as u64) as usize;
            match (next(8), inside.get(who).copied()) {
                (0 | 1, _) | (_, None) => {
                    let connection = story.arrives();
                    story.hello(connection, TOKENS[next(4) as usize]);
                    inside.push(connection);
                }
                (2, Some(site)) => story.says(site, SiteMessage::Gone),
                (3, Some(site)) => story.says(site, SiteMessage::Offer(offer(&format!("ice{who}")))),
                (4, Some(site)) => {
                    let shown = story.core.seat_of(site).map_or(SiteId(0), |(_, site)| site);
                    let wish = SlotWish { site: shown, kind: SourceKind::Camera, max_height: 360 };
                    story.says(site, SiteMessage::Request(Request::Wishes(vec![Some(wish); 3])));
                }
                (5, Some(_)) => {
                    let peer = PeerId(next(20));
                    story.reports(Event::Connected { peer, path: PathKind::Udp });
                    story.reports(stats(peer, next(10) as f64 / 10.0));
                }
                _ => story.passes(Duration::from_millis(next(3_000))),
            }
        }
        story.happens(Input::Drain);
        format!("{:?} {:?}", story.orders, story.recorder.recorded().commands)
    };
    for seed in 0..10 {
        assert!(tell(seed) == tell(seed), "seed {seed}");
    }
}

/// What the newest offer to a worker says of its peer's line.
fn known_of(story: &Story) -> Option<u64> {
    let recorded = story.recorder.recorded();
    let known = |(_, command): &(_, Command)| match command {
        Command::Offer { known_bps, .. } => Some(*known_bps),
        _ => None,
    };
    recorded.commands.iter().rev().find_map(known).expect("an offer")
}

#[test]
fn a_line_is_known_when_its_site_comes_again_and_after_a_restart() {
    let mut story = Story::begins(Instant::now());
    let connection = story.enters("an-phuoc");
    story.says(connection, SiteMessage::Offer(offer("first")));
    assert_eq!(known_of(&story), None, "it was never here");
    let peer = story.offers(connection);
    let Event::Stats { worker, mut peers } = stats(peer, 0.0) else { unreachable!("made so") };
    peers[0].estimated_bandwidth_bps = Some(180_000);
    story.reports(Event::Stats { worker, peers });
    story.passes(KEEP_INTERVAL + LOOK_INTERVAL);
    let kept = story.orders.iter().filter_map(|order| match order {
        Output::Lines { text } => Some(text.clone()),
        _ => None,
    });
    let kept: Vec<String> = kept.collect();
    assert_eq!(kept.len(), 1, "it is written once, since nothing changed after it");
    story.core = Core::new(
        &Config::from_toml(CONFIG).expect("settings"),
        Box::new(story.recorder.clone()),
        KnownLines::read(&kept[0]).expect("our own text"),
        story.now.instant,
    );
    let again = story.enters("an-phuoc");
    story.says(again, SiteMessage::Offer(offer("again")));
    assert_eq!(known_of(&story), Some(180_000));
}
