//! Limits, pages, numbers and the end of a server.

mod common;

use common::{AN_PHUOC, BINH_SON, CHAIR, PATIENCE, PHUOC_THAI, Server, Site, config, get, id, sdp};
use driver::{Machine, WorkerContext, Workers, WorkersConfig};
use protocol::{MAX_MESSAGE_BYTES, VERSION};
use serde_json::json;
use sfu::engine::{Input, Output};
use sfu::sdp::OfferError;
use signaling::error::StartCode;
use signaling::media::{Command, Event, MediaPlane, MediaPort, RoomId, Stall};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::{Error, Message};

#[tokio::test]
async fn a_message_too_large_ends_the_connection_and_the_seat_stays() {
    let server = Server::start().await;
    let mut chair = server.enter(CHAIR).await;
    let mut site = server.enter(AN_PHUOC).await;
    site.say_text("x".repeat(MAX_MESSAGE_BYTES + 1)).await;
    assert_eq!(site.expect("error").await["code"], "message_too_large");
    site.closes().await;
    chair.sees(id("An Phước"), |s| s["presence"] == "lost").await;
}

#[tokio::test]
async fn a_flood_of_any_kind_is_cut_off_and_nobody_else_notices() {
    let mut limited = config();
    limited.limits.messages_per_second = 1;
    let server = Server::start_with(limited).await;
    let mut other = server.enter(BINH_SON).await;
    let ping = json!({"type": "ping", "n": 1}).to_string();
    let kinds = [Message::text(ping), Message::binary(vec![0; 100]), Message::Ping(vec![0; 100].into())];
    for (kind, token) in kinds.into_iter().zip([AN_PHUOC, PHUOC_THAI, CHAIR]) {
        let mut site = server.enter(token).await;
        for _ in 0..250 {
            if site.try_send(kind.clone()).await.is_err() {
                break;
            }
        }
        site.until("error", |m| m["code"] == "rate_limited").await;
        site.closes().await;
        other.sees(site.id, |s| s["presence"] == "lost").await;
    }
    other.say(json!({"type": "ping", "n": 1})).await;
    other.expect("pong").await;
    let refused = "nhipcau_refusals_total{code=\"rate_limited\"} 3";
    assert!(server.scrape().await.contains(refused));
}

/// Clients that fail share how often that may happen; a site with a link behind the same address comes in.
#[tokio::test]
async fn bad_links_of_an_address_are_counted_and_good_ones_pass() {
    let mut limited = config();
    limited.limits.failed_joins_per_address_per_minute = 2;
    let server = Server::start_with(limited).await;
    let mut inside = server.enter(CHAIR).await;
    let mut told = Vec::new();
    while told.last().is_none_or(|code| code != "too_many_joins") {
        let mut site = server.site().await;
        site.hello("no-such-token-at-all").await;
        told.push(site.is_refused().await);
    }
    assert!(
        told.len() > 2 && told[..2] == ["unknown_link", "unknown_link"],
        "those inside spent none: {told:?}"
    );
    for token in [AN_PHUOC, BINH_SON, PHUOC_THAI] {
        server.enter(token).await;
    }
    inside.say(json!({"type": "ping", "n": 1})).await;
    inside.expect("pong").await;
}

/// Whether a WebSocket opens; where it does not the server has closed the connection.
async fn opens(server: &Server) -> Option<Site> {
    let stream = TcpStream::connect(server.http).await.expect("it listens");
    match timeout(PATIENCE, Site::over(stream)).await.expect("an answer or an end") {
        Ok(site) => Some(site),
        Err(Error::Io(_) | Error::Protocol(ProtocolError::HandshakeIncomplete)) => None,
        Err(e) => panic!("{e}"),
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed() {
    let mut limited = config();
    limited.limits.connections = 2;
    let server = Server::start_with(limited).await;
    let mut chair = server.enter(CHAIR).await;
    let mut site = server.enter(AN_PHUOC).await;
    for _ in 0..10 {
        assert!(opens(&server).await.is_none(), "two places, and both are taken");
    }
    site.say(json!({"type": "leave"})).await;
    site.closes().await;
    // The place is free as soon as the connection's task has ended.
    let freed = async {
        loop {
            if let Some(site) = opens(&server).await {
                return site;
            }
        }
    };
    let mut again = timeout(PATIENCE, freed).await.expect("the place is free again");
    again.comes_in(AN_PHUOC).await;
    assert!(opens(&server).await.is_none(), "one place was free");
    chair.say(json!({"type": "ping", "n": 1})).await;
    chair.expect("pong").await;
}

#[tokio::test]
async fn the_page_is_closed_to_the_outside() {
    let server = Server::start().await;
    let (head, body) = get(server.http, "/healthz", &[]).await;
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("ok"));
    let (head, _) = get(server.http, "/", &[]).await;
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    assert!(head.contains("cache-control: no-"), "{head}");
    let (head, _) = get(server.http, "/../Cargo.toml", &[]).await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    let (head, _) = get(server.http, "/metrics", &[]).await;
    assert!(head.starts_with("HTTP/1.1 404"), "metrics have their own port: {head}");
}

#[tokio::test]
async fn series_come_with_a_site_and_go_with_it() {
    let server = Server::start().await;
    let mut chair = server.enter(CHAIR).await;
    let mut site = server.enter(AN_PHUOC).await;
    let series = "nhipcau_site_connected{meeting=\"Giao ban\",site=\"An Phước\"} 0";
    scrape_shows(&server, |text| text.contains(series)).await;
    site.say(json!({"type": "leave"})).await;
    site.closes().await;
    chair.sees(id("An Phước"), |s| s["presence"] == "away").await;
    scrape_shows(&server, |text| !text.contains("An Phước")).await;
}

/// The hall posts its state with every round of link lights.
async fn scrape_shows(server: &Server, fits: impl Fn(&str) -> bool) {
    let shows = async {
        while !fits(&server.scrape().await) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, shows).await.expect("the series follow");
}

#[tokio::test]
async fn a_server_that_goes_down_says_so_and_waits_a_bounded_time() {
    let server = Server::start().await;
    let address = server.http;
    let mut polite: Site = server.enter(CHAIR).await;
    let _stubborn = server.enter(AN_PHUOC).await;
    let stopped = server.stop();
    let draining = polite.expect("draining").await;
    assert!(draining["retry_after_ms"].as_u64().is_some_and(|ms| ms > 0));
    drop(polite);
    stopped.await.expect("no panic").expect("a clean end");
    let url = format!("ws://{address}/ws");
    assert!(tokio_tungstenite::connect_async(&url).await.is_err());
}

/// A message the bridge sends by itself is no refusal; its answer to an offer was one.
#[tokio::test]
async fn faults_of_the_bridge_are_not_counted_as_refusals_of_the_site() {
    let mut server = Server::start().await;
    let mut site = server.enter(AN_PHUOC).await;
    let offer = json!({"type": "offer", "sdp": {"plain": sdp("mine")}});
    let offered = |command| match command {
        Command::Offer { peer, .. } => Some(peer),
        _ => None,
    };
    site.say(offer.clone()).await;
    let peer = server.command(offered).await;
    server.report(Event::Failed { peer, cause: "a fault that is meant to be".to_owned() }).await;
    assert_eq!(site.expect("error").await["code"], "offer_changed");
    site.say(offer).await;
    let peer = server.command(offered).await;
    server.report(Event::OfferRefused { peer, reason: OfferError::Unsupported }).await;
    assert_eq!(site.expect("error").await["code"], "offer_unsupported");
    let numbers = server.scrape().await;
    let refusals = numbers.lines().filter(|line| line.starts_with("nhipcau_refusals_total"));
    assert_eq!(refusals.collect::<Vec<_>>(), ["nhipcau_refusals_total{code=\"offer_unsupported\"} 1"]);
}

/// A media machine that does not survive its first offer.
struct Mortal;

impl Machine for Mortal {
    fn handle_input(&mut self, _: Instant, input: Input<'_>) {
        assert!(!matches!(input, Input::Command(Command::Offer { .. })), "a machine that is meant to die");
    }

    fn poll_output(&mut self, now: Instant) -> Output<'_> {
        Output::Timeout(now + Duration::from_secs(60))
    }
}

#[tokio::test]
async fn a_server_whose_media_died_tells_the_sites_and_ends() {
    let loopback = [std::net::Ipv4Addr::LOCALHOST.into()].to_vec();
    let workers = WorkersConfig { workers: 2, listen: loopback, pin: false, ..WorkersConfig::default() };
    let workers = Workers::start_with(&workers, |_: WorkerContext| Mortal, |_, _| Ok(())).expect("started");
    let (_events, events) = tokio::sync::mpsc::channel(1);
    let media = MediaPort { plane: Box::new(workers), events, addresses: Vec::new() };
    let mut server = Server::start_on(config(), media).await;
    let mut chair = server.enter(CHAIR).await;
    let mut site = server.enter(AN_PHUOC).await;
    site.say(json!({"type": "offer", "sdp": {"plain": sdp("mine")}})).await;
    site.expect("draining").await;
    chair.expect("draining").await;
    let error = server.ends().await.expect_err("a supervisor shall start it again");
    assert_eq!((error.code, error.exit_code()), (StartCode::MediaWorkerLost, 8));
    assert!(error.to_string().starts_with("E_MEDIA_WORKER_LOST: "), "{error}");
}

/// A plane under which the hall's task dies.
struct Treacherous;

impl MediaPlane for Treacherous {
    fn send(&mut self, _: RoomId, _: Command) -> Result<(), Command> {
        panic!("a plane that is meant to fail");
    }

    fn place(&mut self, _: RoomId) -> usize {
        0
    }

    fn forget(&mut self, _: RoomId) {}

    fn lost(&self) -> Option<usize> {
        None
    }

    fn workers(&self) -> usize {
        1
    }

    fn stalled(&mut self, _: Instant) -> Vec<Stall> {
        Vec::new()
    }
}

#[tokio::test]
async fn a_server_whose_hall_died_ends() {
    let (_events, events) = tokio::sync::mpsc::channel(1);
    let media = MediaPort { plane: Box::new(Treacherous), events, addresses: Vec::new() };
    let mut server = Server::start_on(config(), media).await;
    let mut site = server.enter(AN_PHUOC).await;
    site.say(json!({"type": "offer", "sdp": {"plain": sdp("mine")}})).await;
    let error = server.ends().await.expect_err("a supervisor shall start it again");
    assert_eq!(error.code, StartCode::Internal);
}

/// Random letters do not deflate to nothing.
fn long_text() -> String {
    let letter = |_| char::from(rand::random_range(b'!'..=b'~'));
    (0..MAX_MESSAGE_BYTES / 2).map(letter).collect()
}

#[tokio::test]
async fn who_does_not_read_is_closed_and_keeps_its_seat() {
    let mut server = Server::start().await;
    let mut chair = server.enter(CHAIR).await;
    let mut deaf = server.enter(AN_PHUOC).await;
    let seat = deaf.seat.clone();
    deaf.say(json!({"type": "offer", "sdp": {"plain": sdp("mine")}})).await;
    let peer = server.command(|command| match command {
        Command::Offer { peer, .. } => Some(peer),
        _ => None,
    });
    let peer = peer.await;

    // Answers that are not read fill the sockets, then the outbox; no other site waits meanwhile.
    let sdp = long_text();
    let answers = async {
        loop {
            server.report(Event::Answer { peer, sdp: sdp.clone() }).await;
        }
    };
    tokio::select! {
        () = answers => {}
        lost = chair.sees(id("An Phước"), |s| s["presence"] == "lost") => assert_eq!(lost["name"], "An Phước"),
    }
    chair.say(json!({"type": "ping", "n": 1})).await;
    chair.expect("pong").await;

    let mut back = server.site().await;
    back.say(json!({"type": "hello", "version": VERSION, "token": AN_PHUOC, "seat": seat})).await;
    assert_eq!(back.expect("welcome").await["seat"], json!(seat), "the same participant");
    chair.sees(id("An Phước"), |s| s["reconnections"] == 1).await;
}
