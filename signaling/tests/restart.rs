//! A headless site whose media path dies while its WebSocket lives, against a whole server.

mod common;

use common::{AN_PHUOC, CHAIR, Server, config, id};
use endpoint::{Audio, Endpoint, Options, Transport};
use signaling::config::MediaConfig;
use signaling::media;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Where the server listens, and what is advertised to sites instead.
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const TOLD: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// What the line between site and server has seen.
#[derive(Debug, Default)]
struct Line {
    /// Dies with the first datagram of a handshake.
    fragile: bool,
    /// Nothing passes until a check with other credentials comes, as when a NAT has lost its mapping.
    dead: bool,
    /// USERNAMEs of the site's checks, each once: each ICE generation has one.
    generations: Vec<Vec<u8>>,
    /// Since the line works again.
    handshakes: usize,
    media_up: usize,
    media_down: usize,
}

type SharedLine = Arc<Mutex<Line>>;

fn line(shared: &SharedLine) -> MutexGuard<'_, Line> {
    shared.lock().expect("no panic")
}

impl Line {
    /// Whether a datagram of the site passes.
    fn up(&mut self, datagram: &[u8]) -> bool {
        if let Some(username) = username(datagram)
            && !self.generations.iter().any(|known| known == username)
        {
            self.generations.push(username.to_vec());
            self.dead = false;
        }
        // A DTLS record of type `handshake`.
        let is_handshake = datagram.first() == Some(&22);
        self.dead |= is_handshake && std::mem::take(&mut self.fragile);
        let restarted = self.generations.len() > 1 && !self.dead;
        self.handshakes += usize::from(restarted && is_handshake);
        self.media_up += usize::from(restarted && is_media(datagram));
        !self.dead
    }

    fn down(&mut self, datagram: &[u8]) -> bool {
        let restarted = self.generations.len() > 1 && !self.dead;
        self.media_down += usize::from(restarted && is_media(datagram));
        !self.dead
    }
}

/// RTP and RTCP (RFC 7983).
fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(128..=191))
}

/// The USERNAME of a STUN binding request.
fn username(datagram: &[u8]) -> Option<&[u8]> {
    let mut rest = datagram.strip_prefix(&[0, 1])?.get(18..)?;
    loop {
        let (head, after) = rest.split_at_checked(4)?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if head[..2] == [0, 6] {
            return after.get(..length);
        }
        rest = after.get(length.next_multiple_of(4)..)?;
    }
}

/// Carries datagrams between one site and the server, as the line allows.
async fn relay(server: SocketAddr, shared: SharedLine) -> JoinHandle<()> {
    let front = UdpSocket::bind((TOLD, server.port())).await.expect("an address for the line");
    let back = UdpSocket::bind((SERVER, 0)).await.expect("a free port");
    back.connect(server).await.expect("loopback");
    tokio::spawn(async move {
        let (mut up, mut down) = (vec![0; 2048], vec![0; 2048]);
        let mut site = None;
        loop {
            tokio::select! {
                Ok((length, from)) = front.recv_from(&mut up) => {
                    site = Some(from);
                    if line(&shared).up(&up[..length]) {
                        back.send(&up[..length]).await.expect("loopback");
                    }
                }
                Ok(length) = back.recv(&mut down) => {
                    if let Some(site) = site
                        && line(&shared).down(&down[..length])
                    {
                        front.send_to(&down[..length], site).await.expect("loopback");
                    }
                }
            }
        }
    })
}

/// Looks until it holds; what comes from real sockets has no virtual time.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// A server behind a line, a chair that watches, and a site that came over that line.
struct Story {
    line: SharedLine,
    relay: JoinHandle<()>,
    chair: common::Site,
    endpoint: Endpoint,
    _server: Server,
}

impl Story {
    async fn begins(new: Line) -> Story {
        let mut config = config();
        config.media = MediaConfig { port: 0, listen: vec![SERVER], advertise: vec![TOLD], workers: 1 };
        let media = media::start(&config).expect("started");
        let [told] = media.addresses[..] else { panic!("one worker: {:?}", media.addresses) };
        let line = Arc::new(Mutex::new(new));
        let relay = relay(SocketAddr::new(SERVER, told.port()), line.clone()).await;
        let server = Server::start_on(config, media).await;
        let chair = server.enter(CHAIR).await;
        let link = format!("http://{}/#{AN_PHUOC}", server.http).parse().expect("a link");
        let options = Options {
            transport: Transport::Udp,
            audio: Audio::Tone(700.0),
            reconnect: true,
            slots: 1,
            ..Options::default()
        };
        let endpoint = Endpoint::connect(link, options).await.expect("joined");
        Story { line, relay, chair, endpoint, _server: server }
    }

    async fn ends_with_media_after_one_restart(mut self) {
        until("an ICE restart", async || line(&self.line).generations.len() == 2).await;
        until("media both ways", async || {
            let line = line(&self.line);
            line.media_up > 50 && line.media_down > 2
        })
        .await;
        self.chair.sees(id("An Phước"), |s| s["presence"] == "present").await;
        assert_eq!(self.endpoint.stats().await.reconnections, 0, "no new connection was needed");
        assert_eq!(self.endpoint.stop().await, None);
        self.relay.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_dies_comes_back_by_an_ice_restart_under_the_same_keys() {
    let story = Story::begins(Line::default()).await;
    until("the connection", async || story.endpoint.stats().await.connected).await;
    line(&story.line).dead = true;
    let shared = story.line.clone();
    story.ends_with_media_after_one_restart().await;
    assert_eq!(line(&shared).handshakes, 0, "the keys are the old ones");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_dies_in_the_handshake_comes_back_too() {
    let story = Story::begins(Line { fragile: true, ..Line::default() }).await;
    let shared = story.line.clone();
    story.ends_with_media_after_one_restart().await;
    assert!(line(&shared).handshakes > 0, "the handshake went on");
}
