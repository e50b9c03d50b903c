//! The WebSockets of all sites, on a thread of their own: the protocol as a page uses it.

use ::protocol::{Action, ClientMessage, Sdp, ServerMessage, SlotWish, VERSION, sdp};
use futures_util::{SinkExt, StreamExt};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// One site that comes in.
pub struct Join {
    pub peer: usize,
    pub token: String,
    pub offer: String,
    pub wishes: Vec<Option<SlotWish>>,
    pub act: Option<Action>,
}

enum Order {
    Join(Join),
    Leave(usize),
}

/// What has happened to a site.
#[derive(Debug)]
pub enum News {
    /// `opened` is when its connection was begun.
    Answer { peer: usize, opened: Instant, sdp: String },
    /// It has left, and why.
    Ended { peer: usize, why: String },
}

/// Drop ends all connections.
pub struct Signaling {
    orders: Option<UnboundedSender<Order>>,
    pub news: Receiver<News>,
    thread: Option<JoinHandle<()>>,
}

impl Signaling {
    /// `waker` wakes the thread that takes the news.
    pub fn start(server: SocketAddr, waker: mio::Waker) -> Signaling {
        let (orders, received) = unbounded_channel();
        let (sender, news) = channel();
        let reporter = Reporter { sender, waker: Arc::new(waker) };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(serve(server, received, reporter));
        });
        Signaling { orders: Some(orders), news, thread: Some(thread) }
    }

    pub fn join(&self, join: Join) {
        self.order(Order::Join(join));
    }

    pub fn leave(&self, peer: usize) {
        self.order(Order::Leave(peer));
    }

    fn order(&self, order: Order) {
        let sent = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        assert!(sent, "the thread of the WebSockets runs");
    }
}

impl Drop for Signaling {
    fn drop(&mut self) {
        self.orders.take();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported.
            let _ = thread.join();
        }
    }
}

#[derive(Clone)]
struct Reporter {
    sender: Sender<News>,
    waker: Arc<mio::Waker>,
}

impl Reporter {
    fn report(&self, news: News) {
        // At the end the receiver is gone.
        let _ = self.sender.send(news);
        let _ = self.waker.wake();
    }
}

async fn serve(server: SocketAddr, mut orders: UnboundedReceiver<Order>, reporter: Reporter) {
    let mut leavers = HashMap::new();
    while let Some(order) = orders.recv().await {
        match order {
            Order::Join(join) => {
                let (leave, left) = unbounded_channel();
                leavers.insert(join.peer, leave);
                let (reporter, peer) = (reporter.clone(), join.peer);
                tokio::spawn(async move {
                    let why = sit(server, join, left, &reporter).await;
                    reporter.report(News::Ended { peer, why });
                });
            }
            Order::Leave(peer) => {
                leavers.remove(&peer);
            }
        }
    }
}

/// One site from its first message to its last; returns why it ended.
async fn sit(server: SocketAddr, join: Join, left: UnboundedReceiver<()>, reporter: &Reporter) -> String {
    let opened = Instant::now();
    match Site::enter(server, &join).await {
        Ok(mut site) => site.stay(join, opened, left, reporter).await.unwrap_or_else(|why| why),
        Err(why) => why,
    }
}

struct Site {
    socket: WebSocketStream<TcpStream>,
}

impl Site {
    async fn enter(server: SocketAddr, join: &Join) -> Result<Site, String> {
        let stream = TcpStream::connect(server).await.map_err(|e| e.to_string())?;
        stream.set_nodelay(true).map_err(|e| e.to_string())?;
        let (socket, _) =
            client_async(format!("ws://{server}/ws"), stream).await.map_err(|e| e.to_string())?;
        let mut site = Site { socket };
        let (token, seat) = (join.token.clone().into(), None);
        site.send(&ClientMessage::Hello { version: VERSION, token, seat, takeover: false }).await?;
        Ok(site)
    }

    async fn stay(
        &mut self,
        join: Join,
        opened: Instant,
        mut left: UnboundedReceiver<()>,
        reporter: &Reporter,
    ) -> Result<String, String> {
        loop {
            let message = tokio::select! {
                message = self.socket.next() => message,
                _ = left.recv() => {
                    self.send(&ClientMessage::Leave {}).await?;
                    return Ok("left".to_owned());
                }
            };
            let message = message.ok_or("the server closed")?.map_err(|e| e.to_string())?;
            let Message::Text(text) = message else { continue };
            match understand(&text) {
                Some(ServerMessage::Welcome { .. }) => self.negotiate(&join).await?,
                Some(ServerMessage::Answer { sdp }) => {
                    let sdp = sdp::unfold(sdp, sdp::MAX_ANSWER_BYTES).map_err(|code| code.to_string())?;
                    reporter.report(News::Answer { peer: join.peer, opened, sdp });
                }
                Some(ServerMessage::Ping { n }) => self.send(&ClientMessage::Pong { n }).await?,
                Some(ServerMessage::Refused { code, .. } | ServerMessage::Error { code, .. }) => {
                    return Err(format!("{code:?}"));
                }
                _ => {}
            }
        }
    }

    async fn negotiate(&mut self, join: &Join) -> Result<(), String> {
        self.send(&ClientMessage::Offer { sdp: Sdp::Plain(join.offer.clone()) }).await?;
        self.send(&ClientMessage::Wishes { slots: join.wishes.clone() }).await?;
        match join.act.clone() {
            Some(action) => self.send(&ClientMessage::Act { action }).await,
            None => Ok(()),
        }
    }

    async fn send(&mut self, message: &ClientMessage) -> Result<(), String> {
        let text = serde_json::to_string(message).map_err(|e| e.to_string())?;
        self.socket.send(Message::text(text)).await.map_err(|e| e.to_string())
    }
}

/// Snapshots are not read: of hundreds of sites they are long, and this client must stay cheap.
fn understand(text: &str) -> Option<ServerMessage> {
    let snapshots = ["meeting", "links", "slots", "speakers", "layers"];
    let kind = text.strip_prefix("{\"type\":\"")?;
    if snapshots.iter().any(|snapshot| kind.starts_with(snapshot)) {
        return None;
    }
    serde_json::from_str(text).ok()
}
