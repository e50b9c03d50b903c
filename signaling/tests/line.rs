//! `nhipcau join` over lines of which only a part gets through, in an otherwise empty meeting.
//!
//! The server advertises a media address of loopback that it does not listen on. A relay of this test listens there,
//! which passes TCP on, or UDP, or nothing, and drops the rest silently, as a firewall does.

mod process;

use process::{AN_PHUOC, Folder, PROGRAM, Running};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Output};
use std::thread;

/// Where media is.
const SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// The address the server advertises.
const ADVERTISED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passes {
    Udp,
    Tcp,
    Nothing,
}

/// A server whose media can be reached as given, and `nhipcau join` into its empty meeting.
fn join(name: &str, passes: Passes) -> (Output, Value) {
    let folder = Folder::new(name);
    let (port, _held) = relay(passes);
    let settings = format!(
        "drain_seconds = 1\n[media]\nlisten = [\"{SERVER}\"]\nadvertise = [\"{ADVERTISED}\"]\nport = {port}\nworkers = 1"
    );
    let data = format!("--data={}", folder.0.display());
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--http=127.0.0.1:0", "--https=127.0.0.4:0", "--metrics=127.0.0.5:0", &data]);
    let mut server =
        Running::start(command.arg(folder.meeting(&settings)).stdout(std::process::Stdio::null()));
    let http = server.listens(Ipv4Addr::LOCALHOST);
    let mut command = Command::new(PROGRAM);
    command.args(["join", &format!("http://{http}/#{AN_PHUOC}"), "--seconds", "6", "--report", "json"]);
    let output = command.output().expect("ran");
    let report = serde_json::from_slice(&output.stdout).expect("JSON");
    (output, report)
}

#[test]
fn where_udp_is_dropped_tcp_carries_the_line_and_is_measured() {
    let (output, report) = join("line-tcp", Passes::Tcp);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(report["reached"], serde_json::json!({"udp": false, "tcp": true}), "{report} {said}");
    assert_eq!(report["transport"], "tcp", "{report}");
    measured(&output, &report);
}

#[test]
fn where_tcp_is_dropped_udp_carries_it() {
    let (output, report) = join("line-udp", Passes::Udp);
    assert_eq!(report["reached"], serde_json::json!({"udp": true, "tcp": false}), "{report}");
    assert_eq!(report["transport"], "udp", "{report}");
    measured(&output, &report);
}

#[test]
fn where_nothing_gets_through_both_are_named() {
    let (output, report) = join("line-nothing", Passes::Nothing);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((&report["connected"], &report["error"]["code"]), (&false.into(), &"media_failed".into()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("UDP: không tới được; TCP: không tới được."), "{said}");
}

/// No other site is in the meeting: the line is measured by its own picture, and the verdict is one of three words.
/// Which one depends on how busy the machine is; the exit code follows it.
fn measured(output: &Output, report: &Value) {
    let received = report["received"].as_array().expect("tracks");
    let own: Vec<_> =
        received.iter().filter(|track| track["own"] == true && track["kind"] == "video").collect();
    assert_eq!((own.len(), received.len()), (1, 1), "its own picture and nothing else: {report}");
    assert!(own[0]["frames"].as_u64().is_some_and(|frames| frames > 10), "{report}");
    assert_eq!(own[0]["site"], "An Phước");
    let said = String::from_utf8_lossy(&output.stderr);
    let Some(reason) = report["verdict"]["reason"].as_str() else { panic!("no verdict: {report} {said}") };
    let (word, code) = match report["verdict"]["grade"].as_str().expect("a grade") {
        "good" => ("tốt", 0),
        "fair" => ("trung bình", 0),
        "poor" => ("kém", 20),
        other => panic!("{other}"),
    };
    assert!(reason.starts_with(&format!("Đường truyền {word}: ")), "{reason}");
    assert_eq!(output.status.code(), Some(code), "{report}");
}

/// Its port is free for UDP and TCP on all three addresses, and taken on the advertised one.
fn relay(passes: Passes) -> (u16, Held) {
    loop {
        let tcp = TcpListener::bind((ADVERTISED, 0)).expect("a free port");
        let port = tcp.local_addr().expect("bound").port();
        let Ok(udp) = UdpSocket::bind((ADVERTISED, port)) else { continue };
        if TcpListener::bind((SERVER, port)).is_err() || UdpSocket::bind((SERVER, port)).is_err() {
            continue;
        }
        let target = SocketAddr::from((SERVER, port));
        let held = match passes {
            Passes::Udp => {
                thread::spawn(move || pass_datagrams(&udp, target));
                Held { _tcp: Some(tcp), _udp: None }
            }
            Passes::Tcp => {
                thread::spawn(move || pass_streams(&tcp, target));
                Held { _tcp: None, _udp: Some(udp) }
            }
            Passes::Nothing => Held { _tcp: Some(tcp), _udp: Some(udp) },
        };
        return (port, held);
    }
}

/// Sockets that take everything and answer nothing: what is dropped.
struct Held {
    _tcp: Option<TcpListener>,
    _udp: Option<UdpSocket>,
}

/// Ends with the process.
fn pass_datagrams(outside: &UdpSocket, target: SocketAddr) {
    let mut clients: std::collections::HashMap<SocketAddr, UdpSocket> = std::collections::HashMap::new();
    let mut buffer = [0; 2048];
    while let Ok((length, from)) = outside.recv_from(&mut buffer) {
        let inside = clients.entry(from).or_insert_with(|| {
            let inside = UdpSocket::bind((SERVER, 0)).expect("a free port");
            inside.connect(target).expect("loopback");
            let (back, outside) =
                (inside.try_clone().expect("a socket"), outside.try_clone().expect("a socket"));
            thread::spawn(move || {
                let mut buffer = [0; 2048];
                while let Ok(length) = back.recv(&mut buffer) {
                    // The client may be gone.
                    let _ = outside.send_to(&buffer[..length], from);
                }
            });
            inside
        });
        // As long as the server listens.
        let _ = inside.send(&buffer[..length]);
    }
}

fn pass_streams(outside: &TcpListener, target: SocketAddr) {
    for client in outside.incoming().flatten() {
        let Ok(server) = TcpStream::connect(target) else { continue };
        for (mut from, mut to) in
            [(client.try_clone().expect("a stream"), server.try_clone().expect("a stream")), (server, client)]
        {
            thread::spawn(move || {
                let mut buffer = [0; 16_384];
                while let Ok(length @ 1..) = from.read(&mut buffer) {
                    if to.write_all(&buffer[..length]).is_err() {
                        break;
                    }
                }
                // Either side may have closed already.
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    }
}
