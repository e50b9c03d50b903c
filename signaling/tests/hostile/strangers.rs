//! Strangers, which have no link, hold all they may hold; a site with one comes in.

use crate::common::{AN_PHUOC, CHAIR, PATIENCE, Server, Site, config, connect_from};
use crate::process::Folder;
use crate::{HTTP, peak_kib, serve, stays};
use protocol::{MAX_HELLO_BYTES, MAX_MESSAGE_BYTES, VERSION};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use signaling::config::Config;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 1);

fn limited(connections: usize, per_address: usize) -> Config {
    let mut limited = config();
    limited.limits.connections = connections;
    limited.limits.connections_per_address = per_address;
    limited
}

fn question(server: SocketAddr) -> String {
    format!("GET /healthz HTTP/1.1\r\nHost: {server}\r\n\r\n")
}

/// A connection that got its first answer; `None` where there was no place.
async fn holds(source: Ipv4Addr, server: SocketAddr) -> Option<TcpStream> {
    let mut stream = connect_from(source, server).await;
    let mut answer = [0; 12];
    let asked = async {
        stream.write_all(question(server).as_bytes()).await?;
        stream.read_exact(&mut answer).await
    };
    let got = timeout(PATIENCE, asked).await.expect("an answer or an end");
    got.ok().map(|_| {
        assert_eq!(&answer, b"HTTP/1.1 200");
        stream
    })
}

/// All that one address may hold.
async fn holds_all(source: Ipv4Addr, server: SocketAddr) -> Vec<TcpStream> {
    let mut held = Vec::new();
    while let Some(stream) = holds(source, server).await {
        held.push(stream);
    }
    held
}

/// Tries until the server has seen that a place is free.
async fn enters_at_last(server: &Server, token: &str) -> Site {
    let wait = async {
        loop {
            let stream = connect_from(Ipv4Addr::LOCALHOST, server.http).await;
            if let Ok(mut site) = Site::over(stream).await {
                site.comes_in(token).await;
                return site;
            }
        }
    };
    timeout(PATIENCE, wait).await.expect("the place is free")
}

#[tokio::test]
async fn what_one_address_holds_keeps_nobody_out() {
    let server = Server::start_with(limited(40, 4)).await;
    let held = holds_all(STRANGER, server.http).await;
    assert!(held.len() >= 4, "{}", held.len());
    server.enter(CHAIR).await;
    let series = "nhipcau_log_counted_lines_total{kind=\"too_many_of_address\"}";
    assert!(server.scrape().await.contains(series));
}

/// One address may have all places here, as many addresses together always may.
#[tokio::test]
async fn who_was_in_a_meeting_comes_back_though_strangers_hold_all_they_may() {
    let server = Server::start_with(limited(40, 40)).await;
    let mut site = server.enter(AN_PHUOC).await;
    site.say(json!({"type": "leave"})).await;
    site.closes().await;
    let held = holds_all(STRANGER, server.http).await;
    assert!(held.len() >= 40 - 4 * 8 && held.len() < 40, "{}: some are kept", held.len());
    server.enter(AN_PHUOC).await;
}

#[tokio::test]
async fn who_reads_no_answers_loses_its_place() {
    let server = Server::start_with(limited(1, 1)).await;
    let mut deaf = connect_from(STRANGER, server.http).await;
    let questions = question(server.http).repeat(1000);
    // Once both sockets are full this waits, and the stranger sends nothing any more.
    let asks = async { while deaf.write_all(questions.as_bytes()).await.is_ok() {} };
    timeout(PATIENCE, asks).await.expect("closed by the server");
    enters_at_last(&server, CHAIR).await;
}

#[tokio::test]
async fn who_says_nothing_loses_its_place() {
    let server = Server::start_with(limited(40, 4)).await;
    let mut nothing = connect_from(STRANGER, server.http).await;
    let mut no_handshake = connect_from(STRANGER, server.https).await;
    let mut no_more = holds(STRANGER, server.http).await.expect("a place");
    let mut no_hello = Site::over(connect_from(STRANGER, server.http).await).await.expect("a WebSocket");
    let ends = async |stream: &mut TcpStream| {
        // An end or a reset: both are the server's.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await.expect("closed by the server");
    };
    tokio::join!(ends(&mut nothing), ends(&mut no_handshake), ends(&mut no_more), no_hello.closes());
    enters_at_last(&server, CHAIR).await;
}

/// A hello with so many bytes: JSON allows blanks between its parts.
fn hello_of(bytes: usize) -> String {
    let hello = json!({"type": "hello", "version": VERSION, "token": AN_PHUOC}).to_string();
    format!("{hello}{}", " ".repeat(bytes - hello.len()))
}

#[tokio::test]
async fn a_first_message_is_no_larger_than_a_hello_needs() {
    let server = Server::start().await;
    let mut site = server.site().await;
    site.say_text(hello_of(MAX_HELLO_BYTES)).await;
    site.expect("welcome").await;
    for bytes in [MAX_HELLO_BYTES + 1, MAX_MESSAGE_BYTES / 2] {
        let mut stranger = server.site().await;
        stranger.say_text(hello_of(bytes)).await;
        assert_eq!(stranger.is_refused().await, "message_too_large", "{bytes} bytes");
    }
    // After the hello, and before its answer, more may come.
    let mut eager = server.site().await;
    eager.hello(CHAIR).await;
    let offer = format!("v=0\r\n{}", "a=x\r\n".repeat(4000));
    eager.say(json!({"type": "offer", "sdp": {"plain": offer}})).await;
    eager.until("error", |m| m["code"].as_str().is_some_and(|code| code.starts_with("offer_"))).await;
}

/// A WebSocket by hand, and on it the begin of a message of the largest size.
async fn begins_a_message(source: Ipv4Addr, server: SocketAddr, bytes: usize) -> Option<TcpStream> {
    let mut stream = connect_from(source, server).await;
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    // RFC 6455 section 5.2: a masked text, its length in 64 bits, and a mask of zeros.
    let mut frame = vec![0x81, 0xff];
    frame.extend((MAX_MESSAGE_BYTES as u64).to_be_bytes());
    frame.extend([0; 4]);
    frame.resize(frame.len() + bytes, b' ');
    stream.write_all(&frame).await.ok()?;
    Some(stream)
}

#[tokio::test]
async fn a_first_message_that_does_not_end_is_not_waited_for() {
    let server = Server::start().await;
    let mut stream = begins_a_message(STRANGER, server.http, MAX_HELLO_BYTES * 4).await.expect("a WebSocket");
    let mut told = Vec::new();
    // What was not read any more makes a reset of the end.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut told)).await.expect("closed by the server");
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("\"code\":\"message_too_large\""), "{told}");
}

/// As many connections as strangers may have, each with the begin of a message: what they send and what the server
/// keeps of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_first_messages_take_next_to_no_memory() {
    let files = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: files, maximum: files }).expect("up to the maximum");
    let folder = Folder::new("first-messages");
    let mut server = serve(&folder);
    let http = server.listens(HTTP);
    let mut bystander = Site::connect(http).await;
    bystander.comes_in(CHAIR).await;
    let bystander = tokio::spawn(stays(bystander));
    let before = peak_kib(&server);
    let mut held = Vec::new();
    for bytes in [MAX_MESSAGE_BYTES - 1, 4000] {
        for network in 1..=8 {
            for _ in 0..200 {
                held.extend(begins_a_message(Ipv4Addr::new(127, 0, 2, network), http, bytes).await);
            }
        }
    }
    assert!(held.len() > 1500, "{} came to their message", held.len());
    let grown = peak_kib(&server) - before;
    // 160 KB each before; there are 2,000 places.
    assert!(grown < 64 * 1024, "{grown} KiB for {} connections", held.len());
    assert!(!bystander.is_finished(), "the bystander keeps its connection");
    let mut late = Site::connect(http).await;
    late.comes_in(AN_PHUOC).await;
}
