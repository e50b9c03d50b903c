//! Over loopback. What takes time is waited for and not measured, but for what a line delays at least.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

const ANY: ([u8; 4], u16) = ([127, 0, 0, 1], 0);
/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

struct Pair {
    relay: Relay,
    client: UdpSocket,
    server: UdpSocket,
}

async fn datagrams() -> Pair {
    let server = UdpSocket::bind(SocketAddr::from(ANY)).await.expect("a port");
    let mut relay = Relay::start(1);
    let door = relay.open_udp(ANY.into(), server.local_addr().expect("an address")).await.expect("a port");
    let client = UdpSocket::bind(SocketAddr::from(ANY)).await.expect("a port");
    client.connect(door).await.expect("an address");
    Pair { relay, client, server }
}

fn tell(relay: &Relay, line: &str) -> Value {
    relay.obey(Order::read(line).expect("an order"))
}

impl Pair {
    /// What the server gets, and from where.
    async fn up(&self, text: &str) -> (String, SocketAddr) {
        self.client.send(text.as_bytes()).await.expect("sent");
        self.arrived().await
    }

    /// Datagrams of the client that the relay has looked at.
    fn seen(&self) -> u64 {
        let report = tell(&self.relay, "report");
        let count = |value: &Value| value.as_u64().expect("a count");
        count(&report["up"]["offered_packets_ever"]) + count(&report["blocked_packets_ever"])
    }

    async fn arrived(&self) -> (String, SocketAddr) {
        let mut bytes = [0; 2000];
        let arrived = timeout(PATIENCE, self.server.recv_from(&mut bytes)).await.expect("in time");
        let (length, from) = arrived.expect("a datagram");
        (String::from_utf8_lossy(&bytes[..length]).into_owned(), from)
    }
}

#[tokio::test]
async fn datagrams_pass_both_ways_and_the_line_delays_them() {
    let pair = datagrams().await;
    tell(&pair.relay, "set down delay 60");
    let began = Instant::now();
    let (text, from) = pair.up("hello").await;
    assert_eq!(text, "hello");
    pair.server.send_to(b"back", from).await.expect("sent");
    let mut bytes = [0; 10];
    let length = timeout(PATIENCE, pair.client.recv(&mut bytes)).await.expect("in time").expect("a datagram");
    assert_eq!(&bytes[..length], b"back");
    assert!(began.elapsed() >= Duration::from_millis(60), "a clock that is late shows more, never less");
}

#[tokio::test]
async fn a_rebound_client_comes_from_another_port_and_is_still_answered() {
    let pair = datagrams().await;
    let (_, before) = pair.up("one").await;
    let (_, same) = pair.up("two").await;
    tell(&pair.relay, "rebind");
    let (_, after) = pair.up("three").await;
    assert_eq!(before, same);
    assert_ne!(before, after);
    pair.server.send_to(b"back", after).await.expect("sent");
    let mut bytes = [0; 10];
    assert_eq!(
        timeout(PATIENCE, pair.client.recv(&mut bytes)).await.expect("in time").expect("a datagram"),
        4
    );
}

#[tokio::test]
async fn what_is_blocked_or_lost_does_not_arrive() {
    let pair = datagrams().await;
    for (seen, (order, restore)) in
        (1..).zip([("udp off", "udp on"), ("set up loss 1", "set up loss 0"), ("black 3600000", "clean")])
    {
        tell(&pair.relay, order);
        pair.client.send(b"lost").await.expect("sent");
        while pair.seen() < seen {
            tokio::task::yield_now().await;
        }
        tell(&pair.relay, restore);
    }
    assert_eq!(pair.up("after").await.0, "after");
}

#[tokio::test]
async fn a_narrow_line_loses_what_its_queue_does_not_hold_and_reports_it() {
    let pair = datagrams().await;
    tell(&pair.relay, "set up rate 100000 queue 200");
    // 2,500 bytes fit into the queue.
    for _ in 0..10 {
        pair.client.send(&[7; 1000]).await.expect("sent");
    }
    let (first, _) = pair.arrived().await;
    let (second, _) = pair.arrived().await;
    assert_eq!((first.len(), second.len()), (1000, 1000));
    tell(&pair.relay, "clean");
    let mut last = String::new();
    while last != "end" {
        last = pair.up("end").await.0;
    }
    let report = tell(&pair.relay, "report");
    assert!(
        report["up"]["carried_packets"].as_u64() < report["up"]["offered_packets_ever"].as_u64(),
        "{report}"
    );
    assert!(report["up"]["queue_ms"]["max"].as_f64() >= Some(80.0), "{report}");
}

#[tokio::test]
async fn connections_pass_whole_over_a_poor_line_and_end_together() {
    let listener = TcpListener::bind(SocketAddr::from(ANY)).await.expect("a port");
    let mut relay = Relay::start(1);
    let target = listener.local_addr().expect("an address");
    let door = relay.open_tcp(ANY.into(), target).await.expect("a port");
    tell(&relay, "set both loss 0.05 delay 5 rate 20000000 queue 200");
    let echo = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.expect("a connection");
        let (mut reads, mut writes) = connection.split();
        tokio::io::copy(&mut reads, &mut writes).await.expect("an echo");
    });
    let client = TcpStream::connect(door).await.expect("a connection");
    let (mut reads, mut writes) = client.into_split();
    let sent: Vec<u8> = (0..100_000u32).map(|number| (number % 251) as u8).collect();
    let expected = sent.clone();
    tokio::spawn(async move {
        writes.write_all(&sent).await.expect("sent");
        writes.shutdown().await.expect("closed");
    });
    let mut came = Vec::new();
    timeout(PATIENCE, reads.read_to_end(&mut came)).await.expect("in time").expect("all of it");
    assert!(came == expected, "{} bytes", came.len());
    echo.await.expect("the server's end");
}
