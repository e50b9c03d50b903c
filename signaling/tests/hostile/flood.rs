//! One invited link floods the server with the costliest offers there may be, also over new connections and as
//! another device.

use crate::common::{AN_PHUOC, BINH_SON, CHAIR, PATIENCE, Server, Site, config, sdp};
use crate::process::Folder;
use crate::{HTTP, peak_kib, serve, stays};
use driver::{Machine, WorkerContext, Workers, WorkersConfig};
use protocol::{MAX_MESSAGE_BYTES, Role, VERSION};
use serde_json::{Value, json};
use sfu::engine::{Input, Output};
use sfu::limits::{MAX_OFFER_BYTES, MAX_OFFER_LINES, MAX_SECTION_LINES};
use signaling::config::{MeetingConfig, SiteConfig};
use signaling::media::{Command, Event, MediaPort, WorkerEvent};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::timeout;

const OTHER_CHAIR: &str = "6c1d0f3a9e8b47258d5af0b3c2e71946";

pub fn other_meeting() -> MeetingConfig {
    let name = "Huyện Nhơn Trạch".to_owned();
    MeetingConfig {
        title: "Họp khẩn".to_owned(),
        key: None,
        sites: vec![SiteConfig { name, key: None, role: Role::Chair, token: OTHER_CHAIR.into() }],
    }
}

/// An offer that is taken, as large as one may be: candidates, which are not read, in every section.
fn largest_offer() -> Value {
    let page = sdp("flood");
    let mut parts = page.trim_end().split("\r\nm=");
    let mut text = parts.next().expect("what comes before the sections").to_owned();
    let sections: Vec<&str> = parts.collect();
    let share = (MAX_OFFER_BYTES - page.len()) / sections.len();
    for section in sections {
        text += &format!("\r\nm={section}");
        let candidate = "\r\na=candidate:1 1 udp 2130706431 10.20.30.40 50000 typ host";
        let fitting = (share / candidate.len()).min(MAX_SECTION_LINES - section.lines().count());
        text += &candidate.repeat(fitting);
    }
    text += "\r\n";
    json!({"type": "offer", "sdp": {"plain": text}})
}

#[test]
fn the_largest_offer_there_may_be_fits_into_a_message() {
    let mut offer = sdp("flood");
    while offer.len() < MAX_OFFER_BYTES - 40 || offer.lines().count() < MAX_OFFER_LINES {
        offer += "a=x:456789012345678901\r\n";
    }
    let offer = json!({"type": "offer", "sdp": {"plain": offer}}).to_string();
    assert!(offer.len() <= MAX_MESSAGE_BYTES, "{}", offer.len());
    assert!(offer.len() > MAX_MESSAGE_BYTES * 3 / 4, "and needs most of it: {}", offer.len());
    let costly = largest_offer().to_string();
    assert!(costly.len() > 125_000 && costly.len() <= MAX_MESSAGE_BYTES, "{}", costly.len());
}

/// Answers and counts offers.
struct Counting {
    events: VecDeque<Event>,
    offers: Arc<AtomicUsize>,
}

impl Machine for Counting {
    fn handle_input(&mut self, _: Instant, input: Input<'_>) {
        if let Input::Command(Command::Offer { peer, .. }) = input {
            self.offers.fetch_add(1, Ordering::SeqCst);
            self.events.push_back(Event::Answer { peer, sdp: "v=0".to_owned() });
        }
    }

    fn poll_output(&mut self, now: Instant) -> Output<'_> {
        match self.events.pop_front() {
            Some(event) => Output::Event(event),
            None => Output::Timeout(now + Duration::from_secs(60)),
        }
    }
}

fn counting_worker() -> (MediaPort, Arc<AtomicUsize>) {
    let offers = Arc::new(AtomicUsize::new(0));
    let counter = offers.clone();
    let make = move |_: WorkerContext| Counting { events: VecDeque::new(), offers: counter.clone() };
    let (sender, events) = mpsc::channel(64);
    let sink = move |worker: driver::WorkerId, event| {
        let sent = sender.try_send(WorkerEvent { worker: worker.0, event });
        sent.map_err(|refused| refused.into_inner().event)
    };
    let listen = [Ipv4Addr::LOCALHOST.into()].to_vec();
    let config = WorkersConfig { workers: 1, listen, pin: false, ..WorkersConfig::default() };
    let workers = Workers::start_with(&config, make, sink).expect("started");
    (MediaPort { plane: Box::new(workers), events, addresses: Vec::new() }, offers)
}

/// Comes over a new connection: with its seat's secret, or as another device where there is none. Returns the result.
async fn knocks(http: SocketAddr, seat: Option<&str>) -> Result<Site, String> {
    let mut site = Site::connect(http).await;
    let mut hello =
        json!({"type": "hello", "version": VERSION, "token": AN_PHUOC, "takeover": seat.is_none()});
    if let Some(seat) = seat {
        hello["seat"] = seat.into();
    }
    site.say(hello).await;
    let first = timeout(PATIENCE, site.next()).await.expect("an answer").expect("in words");
    match first["type"].as_str() {
        Some("welcome") => {
            site.seat = first["seat"].as_str().expect("a seat").to_owned();
            Ok(site)
        }
        _ => Err(first["code"].as_str().expect("a refusal").to_owned()),
    }
}

/// Every connection of a link offers as often as a page never does; what reaches the worker is what the link may have,
/// and a refused offer is answered with the reason.
#[tokio::test]
async fn a_link_has_one_budget_of_offers_over_all_its_connections() {
    let (media, offers) = counting_worker();
    let server = Server::start_on(config(), media).await;
    let mut bystander = server.enter(BINH_SON).await;
    let offer = json!({"type": "offer", "sdp": {"plain": sdp("mine")}});
    let (began, mut seat, mut refused, mut asked) = (Instant::now(), None, 0, 0);
    for round in 0..12 {
        // In turns over its own seat and as another device.
        let known: Option<&str> = seat.as_deref().filter(|_| round % 2 == 0);
        let Ok(mut site) = knocks(server.http, known).await else {
            continue;
        };
        seat = Some(site.seat.clone());
        for _ in 0..4 {
            site.say(offer.clone()).await;
            asked += 1;
            let told = timeout(PATIENCE, async {
                loop {
                    let told = site.next().await.expect("still open");
                    if ["answer", "error"].contains(&told["type"].as_str().expect("a type")) {
                        return told;
                    }
                }
            });
            let told = told.await.expect("an answer or why there is none");
            if told["type"] == "error" {
                assert_eq!(told["code"], "rate_limited");
                refused += 1;
            }
        }
    }
    let reached = offers.load(Ordering::SeqCst);
    assert_eq!(asked, reached + refused);
    let most = 10.0 + 0.5 * began.elapsed().as_secs_f64();
    assert!(reached >= 10 && reached as f64 <= most, "{reached} of {asked}, at most {most}");
    bystander.say(offer).await;
    bystander.expect("answer").await;
}

/// Sends offers without reading until the server has had enough; how many there were.
async fn floods(mut site: Site, offer: &Value) -> usize {
    for sent in 0..400 {
        if site.try_send(offer.to_string().into()).await.is_err() {
            return sent;
        }
    }
    400
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_the_largest_offers_costs_the_server_next_to_nothing() {
    let folder = Folder::new("flood");
    let mut server = serve(&folder);
    let http = server.listens(HTTP);
    let mut bystander = Site::connect(http).await;
    bystander.comes_in(CHAIR).await;
    let bystander = tokio::spawn(stays(bystander));
    let offer = largest_offer();
    let mut first = knocks(http, None).await.expect("the seat is free");
    first.say(offer.clone()).await;
    first.expect("answer").await;
    let seat = first.seat.clone();
    let before = peak_kib(&server);

    let mut sent = floods(first, &offer).await;
    for round in 0..10 {
        if let Ok(site) = knocks(http, Some(seat.as_str()).filter(|_| round % 2 == 0)).await {
            sent += floods(site, &offer).await;
        }
    }
    let bytes = sent * offer.to_string().len();
    assert!(bytes > 50_000_000, "more than may be kept: {sent} offers, {bytes} bytes");
    let grown = peak_kib(&server) - before;
    assert!(grown < 48 * 1024, "{grown} KiB after {sent} offers");

    let mut newcomer = Site::connect(http).await;
    newcomer.comes_in(OTHER_CHAIR).await;
    newcomer.say(json!({"type": "offer", "sdp": {"plain": sdp("newcomer")}})).await;
    newcomer.expect("answer").await;
    assert!(!bystander.is_finished(), "the bystander keeps its connection");
}
