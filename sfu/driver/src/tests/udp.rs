use super::echo::{ECHO, NOWHERE, PATH, run};
use super::*;
use crate::bind::bind_udp;
use crate::udp::{Failures, canonical};
use sfu::engine::Transmit;
use sfu::limits::MAX_DATAGRAM_BYTES;
use sfu::net::{Path, PathKind};
use std::time::Instant;

#[test]
fn one_dual_stack_socket_answers_both_families_from_the_address_asked() {
    let everywhere = WorkersConfig { listen: Vec::new(), ..one_worker() };
    let (workers, _events) = start(&everywhere, 16);
    let port = port(&workers);
    for ip in ["127.0.0.1", "127.0.0.2", "::1"] {
        if ip == "::1" && UdpSocket::bind("[::1]:0").is_err() {
            eprintln!("skipped {ip}: this machine has no IPv6");
            continue;
        }
        // A connected socket receives nothing from any other address.
        let client = client(SocketAddr::new(ip.parse().unwrap(), port));
        assert_eq!(ask(&client, &[0, b'E', 7]), [0, b'E', 7], "{ip}");
        let path = String::from_utf8(ask(&client, &PATH)).unwrap();
        let ours = client.local_addr().unwrap();
        assert_eq!(path, format!("{ip} {ours}"), "addresses are canonical");
    }
}

#[test]
fn a_run_arrives_as_separate_datagrams_with_and_without_gso() {
    for gso in [true, false] {
        let (workers, _events) = start(&WorkersConfig { gso, ..one_worker() }, 16);
        let client = client(SocketAddr::new(LOOPBACK, port(&workers)));
        // More than one GSO send takes, and less than the client's default receive buffer.
        client.send(&run(100, 300)).unwrap();
        for n in 0..100 {
            assert_eq!(receive(&client), vec![n; 300], "gso {gso}");
        }
        assert_eq!(receive(&client), vec![100; 150], "gso {gso}");
        assert_eq!(failures(&client), (0, 0));
    }
}

#[test]
fn a_datagram_longer_than_any_of_ours_is_cut() {
    let (workers, _events) = start(&one_worker(), 16);
    let client = client(SocketAddr::new(LOOPBACK, port(&workers)));
    let mut long = vec![9; MAX_DATAGRAM_BYTES + 1000];
    long[..2].copy_from_slice(&ECHO);
    assert_eq!(ask(&client, &long), long[..MAX_DATAGRAM_BYTES]);
}

#[test]
fn a_failed_send_is_counted_and_harms_no_other_peer() {
    let (workers, _events) = start(&one_worker(), 16);
    let client = client(SocketAddr::new(LOOPBACK, port(&workers)));
    client.send(&NOWHERE).unwrap();
    assert_eq!(failures(&client), (0, 2), "two datagrams went nowhere");
    client.send(&run(3, 100)).unwrap();
    for n in 0..3 {
        assert_eq!(receive(&client), vec![n; 100]);
    }
}

/// A bound socket of ours, a receiver, and the path between them.
fn pair() -> (crate::udp::UdpSocket, UdpSocket, Path) {
    let ours = bind_udp(SocketAddr::new(LOOPBACK, 0), true).unwrap();
    let receiver = client(SocketAddr::new(LOOPBACK, ours.port()));
    let path = Path { kind: PathKind::Udp, local: LOOPBACK, remote: receiver.local_addr().unwrap() };
    (ours, receiver, path)
}

#[test]
fn a_run_the_kernel_refuses_is_sent_one_by_one() {
    let (mut ours, receiver, path) = pair();
    let mut failures = Failures::default();
    // More than a UDP payload can hold: GSO cannot take it.
    let data: Vec<u8> = (0..70_u8).flat_map(|n| vec![n; 1000]).collect();
    ours.send_run(Instant::now(), path, &data, 1000, &mut failures);
    assert_eq!(failures, Failures::default());
    for n in 0..70 {
        assert_eq!(receive(&receiver), vec![n; 1000]);
    }
}

#[test]
fn a_bad_destination_does_not_cost_us_gso() {
    let (mut ours, receiver, path) = pair();
    let before = ours.max_gso_segments();
    let mut nowhere = path;
    nowhere.remote.set_port(0);
    let data = [7; 300];
    let mut transmit = Transmit { path: nowhere, data: &data, segment_size: Some(100) };
    let refused = Failures { buffer_full: 0, error: 3 };
    assert_eq!(ours.send(Instant::now(), &transmit), refused);
    assert_eq!(ours.max_gso_segments(), before);
    transmit.path = path;
    assert_eq!(ours.send(Instant::now(), &transmit), Failures::default());
    for _ in 0..3 {
        assert_eq!(receive(&receiver), [7; 100]);
    }
}

/// One destination that took no run once cost all others of the socket their runs, for ever.
#[test]
fn a_destination_that_refuses_a_run_gets_single_datagrams_for_a_while_and_no_other() {
    let (mut ours, receiver, path) = pair();
    let before = ours.max_gso_segments();
    let (other, now) = (IpAddr::from([127, 0, 0, 7]), Instant::now());
    let runs = [path.remote.ip(), other].map(|to| ours.run_of(now, to, 1));
    assert_eq!(runs, [before; 2]);
    let mut failures = Failures::default();
    // More segments than the kernel has in a run: EINVAL, which older ones return for a narrow path.
    let data: Vec<u8> = (0..200).collect();
    ours.send_run(now, path, &data, 1, &mut failures);
    assert_eq!(failures, Failures::default());
    for n in 0..200 {
        assert_eq!(receive(&receiver), [n]);
    }
    assert_eq!(ours.max_gso_segments(), before);
    let minute = now + Duration::from_secs(60);
    let runs = [(now, other), (now, path.remote.ip()), (minute, path.remote.ip())];
    assert_eq!(runs.map(|(now, to)| ours.run_of(now, to, 1)), [before, 1, before]);
}

/// A narrow line on the way cuts what is too long for it; also after GSO was given up and tried again.
#[test]
fn datagrams_may_be_cut_on_the_way() {
    // Of <linux/in.h> and <linux/in6.h>.
    let (omit, want) = (5, 1);
    let (mut ours, _, path) = pair();
    assert_eq!(ours.cutting(), (omit, None));
    let mut nowhere = path;
    nowhere.remote.set_port(0);
    ours.send(Instant::now(), &Transmit { path: nowhere, data: &[7; 300], segment_size: Some(100) });
    assert_eq!(ours.cutting(), (omit, None), "after GSO was tried again");
    if let Ok(both) = bind_udp("[::]:0".parse().unwrap(), false) {
        assert_eq!(both.cutting(), (omit, Some((want, true))));
    }
}

#[test]
fn a_flow_label_is_no_part_of_an_address() {
    let cases = [
        ("[::ffff:10.0.0.1]:9", "10.0.0.1:9"),
        ("10.0.0.1:9", "10.0.0.1:9"),
        ("[2001:db8::1]:9", "[2001:db8::1]:9"),
        ("[fe80::1%3]:9", "[fe80::1%3]:9"),
    ];
    for (from, to) in cases {
        let mut from: SocketAddr = from.parse().unwrap();
        if let SocketAddr::V6(v6) = &mut from {
            v6.set_flowinfo(5);
        }
        assert_eq!(canonical(from).to_string(), to);
    }
}
