//! One WebSocket connection: reads, limits, pings, and writes what the hall puts into its outbox.

use super::timeouts::{Due, Timeouts};
use crate::error::Refusal;
use crate::hall::{Admission, HallDoor, NewConnection, Next, Outbox, SiteMessage};
use crate::meeting::ConnectionId;
use crate::net::{Allowance, BURST_SECONDS, Bucket, Place, Spent};
use crate::outgoing::Outgoing;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use protocol::Secret;
use protocol::{ClientMessage, ErrorCode, MAX_HELLO_BYTES, Sdp, ServerMessage, VERSION, sdp};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite;

/// A client whose socket takes nothing for this long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Read of a stranger at most: its hello, its frames' headers, and some pings that libraries send by themselves.
const STRANGER_BYTES: usize = MAX_HELLO_BYTES + 1024;
/// Messages dropped for the rate before the connection is closed: this is no page any more.
const MAX_DROPPED: u32 = 200;

/// Where the connection comes from, and what bounds it.
pub struct Visit {
    pub address: SocketAddr,
    pub place: Place,
    pub allowance: Allowance,
}

/// Serves one connection until it closes, and reports that to the hall.
pub async fn run(socket: WebSocket, visit: Visit, door: HallDoor) {
    let Visit { address, place, allowance } = visit;
    allowance.restrict(STRANGER_BYTES);
    // The hall drops its clone when it learns of the end; the socket is open until then and a little longer.
    let _held = place.clone();
    let (outbox, admission) = (Outbox::default(), Admission::default());
    let arrival =
        NewConnection { address: address.ip(), place, outbox: outbox.clone(), admission: admission.clone() };
    let Some(id) = door.open(arrival).await else {
        return;
    };
    let now = Instant::now();
    let per_second = f64::from(door.messages_per_second());
    let mut connection = Connection {
        id,
        socket,
        outbox,
        admission,
        allowance,
        bucket: Bucket::new(per_second * BURST_SECONDS, per_second, now),
        dropped: 0,
        timeouts: Timeouts::new(now),
        packs: false,
        door,
    };
    let why = connection.serve().await;
    tracing::debug!(connection = id.0, %address, ?why, "connection closed");
    connection.door.tell(id, SiteMessage::Gone).await;
    // What is still to be sent is sent within bounds; a dead socket is simply dropped.
    let _ = timeout(WRITE_TIMEOUT, connection.socket.send(Message::Close(None))).await;
}

struct Connection {
    id: ConnectionId,
    socket: WebSocket,
    door: HallDoor,
    outbox: Outbox,
    admission: Admission,
    allowance: Allowance,
    /// For what comes before the hello is accepted; then the link has one.
    bucket: Bucket,
    dropped: u32,
    timeouts: Timeouts,
    /// The newest offer came deflated: a client that can deflate can inflate, and no other has to.
    packs: bool,
}

/// Why a connection ends.
#[derive(Debug)]
enum End {
    ByClient,
    ByHall,
    NoHello,
    Silent,
    CannotWrite,
    Flooding,
    TooLarge,
    Malformed,
}

impl Connection {
    async fn serve(&mut self) -> End {
        let mut tick = interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let listens = self.listens();
            let step = tokio::select! {
                next = self.outbox.next() => self.carry_out(next).await,
                received = self.socket.recv(), if listens => self.received(received).await,
                _ = tick.tick() => self.tick().await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Whether more may be read. Between a hello and its acceptance nothing is, however much follows it.
    fn listens(&self) -> bool {
        match self.admission.get() {
            Some(_) => {
                self.allowance.lift();
                true
            }
            None => !self.timeouts.has_greeted(),
        }
    }

    async fn carry_out(&mut self, next: Next) -> Result<(), End> {
        match next {
            Next::Send(message) => self.send(self.packed(message)).await,
            Next::Close => Err(End::ByHall),
        }
    }

    async fn received(&mut self, received: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let now = Instant::now();
        self.timeouts.hear(now);
        let message = match received {
            Some(Ok(Message::Close(_))) | None => return Err(End::ByClient),
            Some(Ok(message)) => message,
            Some(Err(e)) => return self.unread(e).await,
        };
        // Every kind of frame counts: each costs us, and most are answered.
        let enough = match self.admission.get() {
            Some(link) => link.take_message(now),
            None => self.bucket.take(now),
        };
        if !enough {
            return self.too_fast().await;
        }
        match message {
            Message::Text(text) => self.text(text).await,
            Message::Binary(_) => self.refuse(ErrorCode::MalformedMessage).await,
            _ => Ok(()),
        }
    }

    async fn unread(&mut self, error: axum::Error) -> Result<(), End> {
        match is_too_large(error) {
            true => self.refuse(ErrorCode::MessageTooLarge).await.and(Err(End::TooLarge)),
            false => Err(End::ByClient),
        }
    }

    /// One answer is enough: a flood must not make us flood.
    async fn too_fast(&mut self) -> Result<(), End> {
        self.dropped = self.dropped.saturating_add(1);
        match self.dropped {
            1 => self.refuse(ErrorCode::RateLimited).await,
            MAX_DROPPED => Err(End::Flooding),
            _ => Ok(()),
        }
    }

    async fn text(&mut self, text: Utf8Bytes) -> Result<(), End> {
        if !self.timeouts.has_greeted() && text.len() > MAX_HELLO_BYTES {
            return self.refuse(ErrorCode::MessageTooLarge).await;
        }
        match serde_json::from_str(&text) {
            Ok(message) => self.message(message).await,
            Err(_) => self.refuse(code_for_unreadable(&text, self.timeouts.has_greeted())).await,
        }
    }

    async fn message(&mut self, message: ClientMessage) -> Result<(), End> {
        let said = match message {
            ClientMessage::Ping { n } => return self.write(&ServerMessage::Pong { n }).await,
            ClientMessage::Pong { .. } => return Ok(()),
            ClientMessage::Hello { version, .. } if version != VERSION => {
                Err(Refusal::new(ErrorCode::Version))
            }
            // One hello, and it comes first.
            message if matches!(message, ClientMessage::Hello { .. }) == self.timeouts.has_greeted() => {
                Err(Refusal::new(ErrorCode::OutOfOrder))
            }
            message => match &message {
                ClientMessage::Offer { sdp } if self.may_offer() => {
                    self.packs = matches!(sdp, Sdp::Deflated(_));
                    SiteMessage::read(message, Secret::fresh)
                }
                ClientMessage::Offer { .. } => Err(Refusal::new(ErrorCode::RateLimited)),
                _ => SiteMessage::read(message, Secret::fresh),
            },
        };
        match said {
            Ok(said) => {
                self.timeouts.greet();
                self.door.tell(self.id, said).await;
                Ok(())
            }
            Err(refusal) => self.refuse(refusal.code).await,
        }
    }

    /// Asked before an offer is read: reading is most of what it costs.
    fn may_offer(&self) -> bool {
        self.admission.get().is_some_and(|link| link.take_offer(Instant::now()))
    }

    /// Sends what is wrong. Before the hello that is also the end.
    async fn refuse(&mut self, code: ErrorCode) -> Result<(), End> {
        let refusal = Refusal::new(code);
        self.door.count(code);
        if self.timeouts.has_greeted() {
            return self.write(&refusal.error()).await;
        }
        self.write(&refusal.refused()).await?;
        Err(End::Malformed)
    }

    async fn tick(&mut self) -> Result<(), End> {
        match self.timeouts.look(Instant::now()) {
            Due::Nothing => Ok(()),
            Due::Ping(n) => self.write(&ServerMessage::Ping { n }).await,
            Due::NoHello => Err(End::NoHello),
            Due::Silent => Err(End::Silent),
        }
    }

    /// An answer goes as its offer came.
    fn packed(&self, message: Outgoing) -> Outgoing {
        match message.answer() {
            Some(text) if self.packs => {
                Outgoing::of(&ServerMessage::Answer { sdp: sdp::fold(text.to_owned()) })
            }
            _ => message,
        }
    }

    async fn write(&mut self, message: &ServerMessage) -> Result<(), End> {
        self.send(Outgoing::of(message)).await
    }

    async fn send(&mut self, message: Outgoing) -> Result<(), End> {
        let text = message.text().clone();
        let sent = timeout(WRITE_TIMEOUT, self.socket.send(Message::Text(text))).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::CannotWrite),
        }
    }
}

/// A page of another version may send what we cannot read; it is to learn that it is old.
fn code_for_unreadable(text: &str, greeted: bool) -> ErrorCode {
    #[derive(serde::Deserialize)]
    struct AnyHello {
        r#type: String,
        version: u32,
    }
    match serde_json::from_str::<AnyHello>(text) {
        Ok(hello) if !greeted && hello.r#type == "hello" && hello.version != VERSION => ErrorCode::Version,
        _ => ErrorCode::MalformedMessage,
    }
}

/// Whether more came than may: of one message, or of a stranger altogether. What axum hides is the WebSocket
/// library's error.
fn is_too_large(error: axum::Error) -> bool {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => true,
        Some(tungstenite::Error::Io(e)) => e.get_ref().is_some_and(|e| e.is::<Spent>()),
        _ => false,
    }
}
