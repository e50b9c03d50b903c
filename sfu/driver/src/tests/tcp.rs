use super::echo::{ECHO, PATH, media, run};
use super::*;
use crate::connection::{Connection, OPENING_TIMEOUT, Progress};
use crate::tcp::{MAX_PER_ADDRESS, MAX_UNPROVEN, MAX_UNPROVEN_PER_ADDRESS};
use sfu::ids::PeerId;
use sfu::limits::{CONSENT_EXPIRY, MAX_DATAGRAM_BYTES};
use sfu::net::{Path, PathKind};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

fn connect(workers: &Workers) -> TcpStream {
    let stream = TcpStream::connect((LOOPBACK, port(workers))).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&length, payload].concat()
}

fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut frame = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut frame).unwrap();
    frame
}

fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 16]) {
        Ok(read) => read == 0,
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::ConnectionReset, "{e}");
            true
        }
    }
}

#[test]
fn frames_come_whole_however_they_were_written() {
    let (workers, _events) = start(&one_worker(), 16);
    let mut stream = connect(&workers);
    let question = [&ECHO[..], &[5; 300]].concat();

    for byte in framed(&question) {
        stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(read_frame(&mut stream), question, "byte by byte");

    stream.write_all(&framed(&question).repeat(50)).unwrap();
    for _ in 0..50 {
        assert_eq!(read_frame(&mut stream), question, "many in one");
    }

    stream.write_all(&framed(&run(20, 900))).unwrap();
    for n in 0..20 {
        assert_eq!(read_frame(&mut stream), vec![n; 900], "a run");
    }
    assert_eq!(read_frame(&mut stream), vec![20; 450]);
}

#[test]
fn the_path_names_the_connection_and_its_end_is_reported() {
    let (workers, events) = start(&one_worker(), 16);
    let mut stream = connect(&workers);
    let ours = stream.local_addr().unwrap();
    stream.write_all(&framed(&PATH)).unwrap();
    let path = String::from_utf8(read_frame(&mut stream)).unwrap();
    assert_eq!(path, format!("127.0.0.1 {ours}"));

    drop(stream);
    let peer = PeerId(u64::from(ours.port()));
    let (_, event) = events.recv_timeout(PATIENCE).unwrap();
    assert_eq!(event, Event::Restored { peer });
}

#[test]
fn a_client_that_does_not_speak_stun_is_cut_off() {
    let oversized = framed(&vec![0; MAX_DATAGRAM_BYTES + 1]);
    let cases: [(&str, &[u8]); 4] = [
        ("a browser", b"GET / HTTP/1.1\r\n\r\n"),
        ("DTLS first", &[0, 40, 22, 254]),
        ("an empty frame first", &[0, 0]),
        ("a frame too long", &oversized),
    ];
    let (workers, events) = start(&one_worker(), 16);
    for (client, bytes) in cases {
        let mut stream = connect(&workers);
        stream.write_all(bytes).unwrap();
        assert!(is_closed(&mut stream), "{client}");
        let (_, event) = events.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(event, Event::Restored { .. }), "{client}");
    }
}

#[test]
fn a_good_beginning_does_not_excuse_a_frame_too_long() {
    let (workers, _events) = start(&one_worker(), 16);
    let mut stream = connect(&workers);
    stream.write_all(&framed(&ECHO)).unwrap();
    assert_eq!(read_frame(&mut stream), ECHO);
    stream.write_all(&[0xff, 0xff, 0, 0]).unwrap();
    assert!(is_closed(&mut stream));
}

#[test]
fn one_address_gets_its_share_of_connections_and_no_more() {
    let (workers, events) = start(&one_worker(), 16);
    let prove = |_| {
        let mut stream = connect(&workers);
        stream.write_all(&framed(&ECHO)).unwrap();
        assert_eq!(read_frame(&mut stream), ECHO);
        stream
    };
    let mut streams: Vec<TcpStream> = (0..MAX_PER_ADDRESS).map(prove).collect();
    assert!(is_closed(&mut connect(&workers)), "one too many");

    streams.pop();
    events.recv_timeout(PATIENCE).unwrap();
    let mut next = connect(&workers);
    next.write_all(&framed(&ECHO)).unwrap();
    assert_eq!(read_frame(&mut next), ECHO, "a place has become free");
}

#[test]
fn unproven_clients_get_fewer() {
    let (workers, _events) = start(&one_worker(), 16);
    let mut silent: Vec<TcpStream> = (0..MAX_UNPROVEN_PER_ADDRESS).map(|_| connect(&workers)).collect();
    assert!(is_closed(&mut connect(&workers)), "one too many");
    // Frames without an answer prove nothing.
    silent[0].write_all(&framed(&[0, 0, 0])).unwrap();
    assert!(is_closed(&mut connect(&workers)));

    silent[0].write_all(&framed(&ECHO)).unwrap();
    assert_eq!(read_frame(&mut silent[0]), ECHO);
    let mut next = connect(&workers);
    next.write_all(&framed(&ECHO)).unwrap();
    assert_eq!(read_frame(&mut next), ECHO);
}

/// From another address of this machine.
fn connect_from(ip: Ipv4Addr, workers: &Workers) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(ip.into(), 0).into()).unwrap();
    socket.connect(&SocketAddr::new(LOOPBACK, port(workers)).into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn many_unproven_clients_cannot_block_others() {
    let (workers, _events) = start(&one_worker(), 2 * MAX_UNPROVEN);
    let mut proven = connect(&workers);
    proven.write_all(&framed(&ECHO)).unwrap();
    assert_eq!(read_frame(&mut proven), ECHO);
    let crowd = |n: usize| Ipv4Addr::new(127, 0, 1, 1 + (n / MAX_UNPROVEN_PER_ADDRESS) as u8);
    let mut silent: Vec<TcpStream> = (0..MAX_UNPROVEN).map(|n| connect_from(crowd(n), &workers)).collect();

    let mut honest = connect_from(Ipv4Addr::new(127, 0, 2, 1), &workers);
    honest.write_all(&framed(&ECHO)).unwrap();
    assert_eq!(read_frame(&mut honest), ECHO);
    assert!(is_closed(&mut silent[0]), "the oldest of them was closed for it");
    proven.write_all(&framed(&ECHO)).unwrap();
    assert_eq!(read_frame(&mut proven), ECHO);
}

#[test]
fn a_line_that_does_not_read_loses_whole_frames_only() {
    let (workers, _events) = start(&one_worker(), 16);
    let mut stream = connect(&workers);
    let observer = client(SocketAddr::new(LOOPBACK, port(&workers)));
    // Some of this fits the kernel's buffers, and a bounded rest ours.
    let mut asked = 0;
    while failures(&observer).0 == 0 {
        assert!(asked < 4000, "240 MB and nothing was dropped");
        stream.write_all(&framed(&media(60, 1000))).unwrap();
        asked += 1;
    }

    let everything = asked * 60;
    let mut whole = 0;
    while whole < everything - failures(&observer).0 {
        let frame = read_frame(&mut stream);
        assert_eq!(frame.len(), 1000);
        assert!(frame[2..].iter().all(|byte| *byte == frame[2]), "a torn frame");
        whole += 1;
    }
    assert!(whole > 0);
    assert_eq!(failures(&observer).1, 0);
}

#[test]
fn what_waits_on_a_line_that_ends_is_counted() {
    let (workers, _events) = start(&one_worker(), 16);
    let mut stream = connect(&workers);
    let observer = client(SocketAddr::new(LOOPBACK, port(&workers)));
    while failures(&observer).0 == 0 {
        stream.write_all(&framed(&media(60, 1000))).unwrap();
    }
    assert_eq!(failures(&observer).1, 0);
    drop(stream);
    let lost = (0..10_000).map(|_| failures(&observer).1).find(|lost| *lost > 0);
    assert!(lost.is_some_and(|lost| lost > 100), "half a megabyte waited: {lost:?}");
}

/// What the kernel holds for a line cannot be overtaken, so it may not be much.
#[test]
fn control_comes_through_a_line_full_of_media() {
    let (workers, _events) = start(&one_worker(), 16);
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    socket.connect(&SocketAddr::new(LOOPBACK, port(&workers)).into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    let observer = client(SocketAddr::new(LOOPBACK, port(&workers)));
    while failures(&observer).0 == 0 {
        stream.write_all(&framed(&media(60, 1000))).unwrap();
    }
    stream.write_all(&framed(&ECHO)).unwrap();
    let mut ahead = 0;
    while read_frame(&mut stream) != ECHO {
        ahead += 1;
    }
    assert!(ahead > 0, "the line was full");
    // In our stage, not sent, and received: tens of KB, as loopback's large segments fall. Queued behind all media of
    // ours it would be 524, and 4,000 behind what the kernel takes by itself.
    assert!(ahead < 400, "{ahead} KB were in front");
}

#[test]
fn silence_is_bounded_before_and_after_the_first_frame() {
    let listener = TcpListener::bind((LOOPBACK, 0)).unwrap();
    let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, remote) = listener.accept().unwrap();
    near.set_read_timeout(Some(PATIENCE)).unwrap();
    let path = Path { kind: PathKind::Tcp, local: LOOPBACK, remote };
    let start = Instant::now();
    // Left blocking, so that the read below waits for the frame.
    let mut connection = Connection::new(start, mio::net::TcpStream::from_std(near), path);
    let tick = Duration::from_millis(1);
    assert!(!connection.is_overdue(start + OPENING_TIMEOUT - tick));
    assert!(connection.is_overdue(start + OPENING_TIMEOUT));

    far.write_all(&framed(&ECHO)).unwrap();
    let later = start + Duration::from_secs(5);
    let mut frames = 0;
    connection.read(later, &mut [0; 4096], |_, _| frames += 1);
    assert_eq!(frames, 1);
    assert!(connection.is_overdue(start + OPENING_TIMEOUT), "a frame proves nothing");
    assert_eq!(connection.queue(later, &ECHO), 0);
    connection.flush(later).unwrap();
    assert!(!connection.is_overdue(later + CONSENT_EXPIRY - tick));
    assert!(connection.is_overdue(later + CONSENT_EXPIRY));
}

#[test]
fn a_client_that_does_not_read_is_given_up_though_it_sends() {
    let listener = TcpListener::bind((LOOPBACK, 0)).unwrap();
    let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, remote) = listener.accept().unwrap();
    near.set_nonblocking(true).unwrap();
    let path = Path { kind: PathKind::Tcp, local: LOOPBACK, remote };
    let start = Instant::now();
    let mut connection = Connection::new(start, mio::net::TcpStream::from_std(near), path);
    while connection.queue(start, &[0x80; 1000]) == 0 {
        connection.flush(start).unwrap();
    }
    // The kernels move some more between them, but not for long.
    let mut now = start;
    while !connection.is_overdue(now) {
        assert!(now < start + 100 * CONSENT_EXPIRY);
        now += Duration::from_secs(5);
        far.write_all(&framed(&ECHO)).unwrap();
        while connection.read(now, &mut [0; 4096], |_, _| {}) != Progress::Dry {}
        connection.flush(now).unwrap();
    }
    assert!(now >= start + CONSENT_EXPIRY);
}
