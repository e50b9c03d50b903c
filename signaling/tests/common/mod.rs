//! A whole server on loopback with a recorder in place of the media workers, and a site that talks
//! to it over a real WebSocket.

#![allow(dead_code, reason = "each test binary uses its part")]

use futures_util::{SinkExt, StreamExt};
use protocol::{Role, VERSION};
use serde_json::{Value, json};
use signaling::config::{Config, MediaConfig, MeetingConfig, SiteConfig};
use signaling::ids::site_id;
use signaling::listeners::Listeners;
use signaling::media::{Command, Event, MediaPlane, MediaPort, RoomId, Stall, WorkerEvent};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

pub const CHAIR: &str = "token-of-the-chair-00-for-tests";
pub const AN_PHUOC: &str = "token-of-an-phuoc-000-for-tests";
pub const BINH_SON: &str = "token-of-binh-son-000-for-tests";
pub const PHUOC_THAI: &str = "token-of-phuoc-thai-0-for-tests";

/// Longer than anything here takes on a machine that has other work: a worker that hangs is left after five
/// seconds.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn config() -> Config {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let site = |name: &str, token: &str, role| SiteConfig {
        name: name.to_owned(),
        key: None,
        role,
        token: token.into(),
    };
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    Config {
        http: anywhere,
        https: anywhere,
        metrics: anywhere,
        data: std::env::temp_dir().join(format!("nhipcau-test-{}-{run}", std::process::id())),
        drain_seconds: 1,
        media: MediaConfig { port: 0, ..MediaConfig::default() },
        meetings: vec![MeetingConfig {
            title: "Giao ban".to_owned(),
            key: None,
            sites: vec![
                site("Huyện Long Thành", CHAIR, Role::Chair),
                site("An Phước", AN_PHUOC, Role::Site),
                site("Bình Sơn", BINH_SON, Role::Site),
                site("Phước Thái", PHUOC_THAI, Role::Site),
            ],
        }],
        ..Config::default()
    }
}

/// The SDP of a page's offer under these ICE credentials.
pub fn sdp(ufrag: &str) -> String {
    let recorded = include_str!("../../../tests/golden/chromium-limited.offer.sdp");
    let lines = recorded.lines().map(|line| match line.starts_with("a=ice-ufrag:") {
        true => format!("a=ice-ufrag:{ufrag}\r\n"),
        false => format!("{line}\r\n"),
    });
    lines.collect()
}

/// Takes every order and shows it to the test.
struct Recorder(mpsc::UnboundedSender<Command>);

impl MediaPlane for Recorder {
    fn send(&mut self, _: RoomId, command: Command) -> Result<(), Command> {
        // A test that does not look at commands has dropped its end.
        let _ = self.0.send(command);
        Ok(())
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

pub struct Server {
    pub http: SocketAddr,
    pub https: SocketAddr,
    pub metrics: SocketAddr,
    pub commands: mpsc::UnboundedReceiver<Command>,
    pub events: mpsc::Sender<WorkerEvent>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<(), signaling::error::StartError>>,
    data: Folder,
}

/// The server's data; goes when the test does.
struct Folder(PathBuf);

impl Server {
    pub async fn start() -> Server {
        Server::start_with(config()).await
    }

    pub async fn start_with(config: Config) -> Server {
        let (recorder, commands) = mpsc::unbounded_channel();
        let (events, incoming) = mpsc::channel(64);
        let media =
            MediaPort { plane: Box::new(Recorder(recorder)), events: incoming, addresses: Vec::new() };
        Server { commands, events, ..Server::start_on(config, media).await }
    }

    /// On real media workers: the test sees no commands and adds no events.
    pub async fn start_on(config: Config, media: MediaPort) -> Server {
        config.check().expect("a good configuration");
        let listeners = Listeners::open(&config).await.expect("free ports");
        let (_, commands) = mpsc::unbounded_channel();
        let (events, _) = mpsc::channel(1);
        let (stop, stopped) = oneshot::channel();
        let address = |l: &tokio::net::TcpListener| l.local_addr().expect("bound");
        Server {
            http: address(&listeners.http),
            https: address(&listeners.https),
            metrics: address(&listeners.metrics),
            commands,
            events,
            stop: Some(stop),
            data: Folder(config.data.clone()),
            running: tokio::spawn(signaling::run(config, listeners, media, async {
                // A test that ends without stopping drops the sender: that is a stop too.
                let _ = stopped.await;
            })),
        }
    }

    pub async fn site(&self) -> Site {
        Site::connect(self.http).await
    }

    /// Comes in, and has read welcome and the first meeting.
    pub async fn enter(&self, token: &str) -> Site {
        let mut site = self.site().await;
        site.comes_in(token).await;
        site
    }

    pub async fn report(&self, event: Event) {
        let event = WorkerEvent { worker: 0, event };
        self.events.send(event).await.expect("the hall listens");
    }

    /// The next order the test asks for.
    pub async fn command<T>(&mut self, pick: impl Fn(Command) -> Option<T>) -> T {
        let wait = async {
            loop {
                let command = self.commands.recv().await.expect("the server runs");
                if let Some(found) = pick(command) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, wait).await.expect("the order came")
    }

    pub async fn scrape(&self) -> String {
        let (_, body) = get(self.metrics, "/metrics", &[]).await;
        body
    }

    /// The certificate it serves HTTPS with, as PEM.
    pub fn certificate(&self) -> String {
        let file = self.data.0.join(signaling::tls::kept::FILE);
        let kept = std::fs::read(file).expect("kept");
        let kept: Value = serde_json::from_slice(&kept).expect("JSON");
        kept["certificate_pem"].as_str().expect("PEM").to_owned()
    }

    /// Waits until the server has ended by itself.
    pub async fn ends(&mut self) -> Result<(), signaling::error::StartError> {
        let ended = timeout(PATIENCE, &mut self.running).await;
        ended.expect("it ends").expect("no panic")
    }

    /// Asks the server to stop; returns when it has.
    pub fn stop(mut self) -> JoinHandle<Result<(), signaling::error::StartError>> {
        self.stop.take().expect("once").send(()).expect("running");
        std::mem::replace(&mut self.running, tokio::spawn(async { Ok(()) }))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What a test leaves in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A connection from any address of loopback: each counts as another client's.
pub async fn connect_from(source: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((source, 0).into()).expect("an address of loopback");
    socket.connect(to).await.expect("the server listens")
}

/// One GET; returns head and body.
pub async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let names_host = headers.iter().any(|(name, _)| *name == "Host");
    let host = if names_host { String::new() } else { format!("Host: {address}\r\n") };
    let mut request = format!("GET {path} HTTP/1.1\r\n{host}");
    let close = [("Connection", "close")];
    let names_connection = headers.iter().any(|(name, _)| *name == "Connection");
    let closing = if names_connection { &[][..] } else { &close };
    for (name, value) in headers.iter().chain(closing) {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("answered");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect("HTTP");
    (head.to_owned(), body.to_owned())
}

/// The id of a site that is known by its name.
pub fn id(name: &str) -> u64 {
    site_id(name).0.into()
}

/// What a page does, in JSON.
pub struct Site {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub seat: String,
    pub id: u64,
}

impl Site {
    pub async fn connect(address: SocketAddr) -> Site {
        let url = format!("ws://{address}/ws");
        let (socket, _) = connect_async(url).await.expect("a WebSocket");
        Site { socket, seat: String::new(), id: 0 }
    }

    /// Over a connection that is there; fails where the server has closed it.
    pub async fn over(stream: TcpStream) -> Result<Site, tungstenite::Error> {
        let url = format!("ws://{}/ws", stream.peer_addr()?);
        let (socket, _) = client_async(url, MaybeTlsStream::Plain(stream)).await?;
        Ok(Site { socket, seat: String::new(), id: 0 })
    }

    /// Greets, and has read welcome and the first meeting.
    pub async fn comes_in(&mut self, token: &str) {
        self.hello(token).await;
        let welcome = self.expect("welcome").await;
        self.seat = welcome["seat"].as_str().expect("a seat").to_owned();
        self.id = welcome["you"].as_u64().expect("a number");
        self.expect("meeting").await;
    }

    pub async fn hello(&mut self, token: &str) {
        self.say(json!({"type": "hello", "version": VERSION, "token": token})).await;
    }

    pub async fn act(&mut self, action: Value) {
        self.say(json!({"type": "act", "action": action})).await;
    }

    pub async fn say(&mut self, message: Value) {
        self.say_text(message.to_string()).await;
    }

    pub async fn say_text(&mut self, text: String) {
        self.try_send(Message::text(text)).await.expect("sent");
    }

    /// Fails once the server has closed.
    pub async fn try_send(&mut self, message: Message) -> Result<(), tungstenite::Error> {
        self.socket.send(message).await
    }

    /// The next message of this type; others are skipped.
    pub async fn expect(&mut self, kind: &str) -> Value {
        self.until(kind, |_| true).await
    }

    /// The first message of this type that fits.
    pub async fn until(&mut self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let wait = async {
            loop {
                let message = self.next().await;
                let message = message.unwrap_or_else(|| panic!("closed before {kind}"));
                if message["type"] == kind && fits(&message) {
                    return message;
                }
            }
        };
        let came = timeout(PATIENCE, wait).await;
        came.unwrap_or_else(|_| panic!("no {kind} came"))
    }

    /// A meeting in which the site with this id fits.
    pub async fn sees(&mut self, id: u64, fits: impl Fn(&Value) -> bool) -> Value {
        let site = |message: &Value| {
            let sites = message["meeting"]["sites"].as_array();
            sites.and_then(|sites| sites.iter().find(|site| site["id"] == id)).cloned().unwrap_or_default()
        };
        let seen = self.until("meeting", |message| fits(&site(message))).await;
        site(&seen)
    }

    /// The next message; `None` once closed.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Text(text)) => {
                    return Some(serde_json::from_str(&text).expect("JSON"));
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Reads to the end of the connection.
    pub async fn closes(&mut self) {
        let read = async { while self.next().await.is_some() {} };
        timeout(PATIENCE, read).await.expect("the connection closed");
    }

    /// The code of a refusal, after which the connection closes.
    pub async fn is_refused(&mut self) -> String {
        let refused = self.expect("refused").await;
        assert!(refused["text"].as_str().is_some_and(|t| t.ends_with('.')));
        self.closes().await;
        refused["code"].as_str().expect("a code").to_owned()
    }
}
