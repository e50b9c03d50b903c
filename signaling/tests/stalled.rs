//! A media worker that hangs: sites on another one go on, and its own sites move there.

mod common;

use common::{AN_PHUOC, CHAIR, Server, Site, config, get, sdp};
use driver::{Machine, WorkerContext, Workers, WorkersConfig};
use protocol::Role;
use serde_json::json;
use sfu::engine::{Input, Output};
use signaling::config::{Config, MeetingConfig, SiteConfig};
use signaling::media::{Command, Event, MediaPort, WorkerEvent};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const OTHER_CHAIR: &str = "6c1d0f3a9e8b47258d5af0b3c2e71946";
/// An offer of a site with this ufrag makes its worker hang.
const POISON: &str = "poison";

/// Answers offers, and hangs at a poisoned one until it is let go.
struct Sticky {
    events: VecDeque<Event>,
    gate: Arc<Mutex<Receiver<()>>>,
}

impl Machine for Sticky {
    fn handle_input(&mut self, _: Instant, input: Input<'_>) {
        let Input::Command(Command::Offer { peer, offer, .. }) = input else {
            return;
        };
        if offer.credentials().ufrag == POISON {
            // The test's end lets it go, too.
            let _ = self.gate.lock().expect("whole").recv();
        }
        self.events.push_back(Event::Answer { peer, sdp: "v=0".to_owned() });
    }

    fn poll_output(&mut self, now: Instant) -> Output<'_> {
        match self.events.pop_front() {
            Some(event) => Output::Event(event),
            None => Output::Timeout(now + Duration::from_secs(60)),
        }
    }
}

/// Two workers that hang at poison, and how one is let go.
fn sticky_workers() -> (MediaPort, Sender<()>) {
    let (gate, opens) = channel();
    let opens = Arc::new(Mutex::new(opens));
    let make = move |_: WorkerContext| Sticky { events: VecDeque::new(), gate: opens.clone() };
    let (sender, events) = mpsc::channel(64);
    let sink = move |worker: driver::WorkerId, event| {
        let sent = sender.try_send(WorkerEvent { worker: worker.0, event });
        sent.map_err(|refused| refused.into_inner().event)
    };
    let listen = [std::net::Ipv4Addr::LOCALHOST.into()].to_vec();
    let config = WorkersConfig { workers: 2, listen, pin: false, ..WorkersConfig::default() };
    let workers = Workers::start_with(&config, make, sink).expect("started");
    (MediaPort { plane: Box::new(workers), events, addresses: Vec::new() }, gate)
}

fn two_meetings() -> Config {
    let mut config = config();
    config.meetings.push(MeetingConfig {
        title: "Họp khẩn".to_owned(),
        key: None,
        sites: vec![SiteConfig {
            name: "Huyện Nhơn Trạch".to_owned(),
            key: None,
            role: Role::Chair,
            token: OTHER_CHAIR.to_owned().into(),
        }],
    });
    config
}

async fn offers(site: &mut Site, ufrag: &str) {
    site.say(json!({"type": "offer", "sdp": {"plain": sdp(ufrag)}})).await;
}

#[tokio::test]
async fn a_worker_that_hangs_is_named_and_its_meeting_goes_on_elsewhere() {
    let (media, gate) = sticky_workers();
    let server = Server::start_on(two_meetings(), media).await;
    let mut chair = server.enter(CHAIR).await;
    let mut site = server.enter(AN_PHUOC).await;
    offers(&mut chair, "first").await;
    chair.expect("answer").await;
    offers(&mut site, POISON).await;

    // A meeting on the other worker begins as if nothing were wrong.
    let mut other = server.enter(OTHER_CHAIR).await;
    offers(&mut other, "other").await;
    other.expect("answer").await;

    // All sites of the first get `media_moved`, also one that offers to the worker that hangs.
    chair.expect("media_moved").await;
    site.expect("media_moved").await;
    let (head, body) = get(server.http, "/healthz", &[]).await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert_eq!(body, "media worker 0 does not turn\n");
    offers(&mut chair, "anew").await;
    offers(&mut site, "anew").await;
    chair.expect("answer").await;
    site.expect("answer").await;
    other.say(json!({"type": "ping", "n": 1})).await;
    other.until("pong", |_| true).await;

    gate.send(()).expect("it hangs");
    while !get(server.http, "/healthz", &[]).await.0.starts_with("HTTP/1.1 200") {}
    drop(gate);
    server.stop().await.expect("no panic").expect("a clean end");
}
