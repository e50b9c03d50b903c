use super::echo::{ECHO, PATH, run};
use super::*;
use crate::driver::connection::{Connection, OPENING_TIMEOUT, OUTGOING_BYTES};
use crate::driver::tcp::MAX_PER_ADDRESS;
use crate::event::PathKind;
use crate::ids::PeerId;
use crate::limits::{CONSENT_EXPIRY, MAX_DATAGRAM_BYTES};
use crate::transport::Path;
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
fn who_does_not_speak_stun_is_cut_off() {
    let oversized = framed(&vec![0; MAX_DATAGRAM_BYTES + 1]);
    let cases: [(&str, &[u8]); 4] = [
        ("a browser", b"GET / HTTP/1.1\r\n\r\n"),
        ("DTLS first", &[0, 40, 22, 254]),
        ("an empty frame first", &[0, 0]),
        ("a frame too long", &oversized),
    ];
    let (workers, events) = start(&one_worker(), 16);
    for (who, bytes) in cases {
        let mut stream = connect(&workers);
        stream.write_all(bytes).unwrap();
        assert!(is_closed(&mut stream), "{who}");
        let (_, event) = events.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(event, Event::Restored { .. }), "{who}");
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
    let mut streams: Vec<TcpStream> = (0..MAX_PER_ADDRESS).map(|_| connect(&workers)).collect();
    for stream in &mut streams {
        stream.write_all(&framed(&ECHO)).unwrap();
        assert_eq!(read_frame(stream), ECHO);
    }
    assert!(is_closed(&mut connect(&workers)), "one too many");

    streams.pop();
    events.recv_timeout(PATIENCE).unwrap();
    let mut next = connect(&workers);
    next.write_all(&framed(&ECHO)).unwrap();
    assert_eq!(read_frame(&mut next), ECHO, "a place has become free");
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
        stream.write_all(&framed(&run(60, 1000))).unwrap();
        asked += 1;
    }

    let everything = asked * 61;
    let mut whole = 0;
    while whole < everything - failures(&observer).0 {
        let frame = read_frame(&mut stream);
        assert!(matches!(frame.len(), 1000 | 500), "{}", frame.len());
        assert!(frame.iter().all(|byte| *byte == frame[0]), "a torn frame");
        whole += 1;
    }
    assert!(whole > 0);
    assert_eq!(failures(&observer).1, 0);
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
    assert!(!connection.is_overdue(later + CONSENT_EXPIRY - tick));
    assert!(connection.is_overdue(later + CONSENT_EXPIRY));
}

#[test]
fn the_queue_of_a_connection_is_bounded() {
    let listener = TcpListener::bind((LOOPBACK, 0)).unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let path = Path { kind: PathKind::Tcp, local: LOOPBACK, remote: far.local_addr().unwrap() };
    let stream = mio::net::TcpStream::from_std(far);
    let mut connection = Connection::new(Instant::now(), stream, path);
    let frame = vec![1; 1022];
    let fit = OUTGOING_BYTES / 1024;
    let queued = (0..fit * 2).filter(|_| connection.queue(&frame)).count();
    assert_eq!(queued, fit);
}
