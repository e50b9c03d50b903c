//! Datagrams that are too long for a line on the way to a site.

mod namespaces;

use driver::{Machine, WorkerContext, Workers, WorkersConfig};
use namespaces::{End, add, alone, cable, inside, ip, set};
use sfu::engine::{Input, Output, Transmit};
use sfu::net::Path;
use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// A frame: as long as datagrams are on an ordinary line, and as many as one system call takes.
const SIZE: usize = 1_400;
const COUNT: usize = 20;
const FRAME: u8 = b'F';
/// Asks for two datagrams to port 0, after which the socket forgets what it knows of offload.
const NOWHERE: u8 = b'N';
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends a frame to each client that asks.
struct Frames {
    orders: VecDeque<Path>,
    frame: Vec<u8>,
}

impl Frames {
    fn new(_: WorkerContext) -> Frames {
        let frame = (0..COUNT as u8).flat_map(|n| [n; SIZE]).collect();
        Frames { orders: VecDeque::new(), frame }
    }
}

impl Machine for Frames {
    fn handle_input(&mut self, _: Instant, input: Input<'_>) {
        let Input::Datagram { mut path, data, .. } = input else {
            return;
        };
        if data.first() == Some(&NOWHERE) {
            path.remote.set_port(0);
        }
        self.orders.push_back(path);
    }

    fn poll_output(&mut self, now: Instant) -> Output<'_> {
        match self.orders.pop_front() {
            Some(path) => Output::Transmit(Transmit { path, data: &self.frame, segment_size: Some(SIZE) }),
            None => Output::Timeout(now + PATIENCE),
        }
    }
}

/// Asks for a frame; whether all of it came before the line was silent.
fn frame(site: &UdpSocket) -> bool {
    site.send(&[FRAME]).expect("sent");
    let mut datagram = [0; 2 * SIZE];
    let mut came = Vec::new();
    while came.len() < COUNT {
        match site.recv(&mut datagram) {
            Ok(length) => assert_eq!(length, SIZE, "a piece of a datagram"),
            Err(_) => break,
        }
        came.push(datagram[0]);
    }
    came.into_iter().eq(0..COUNT as u8)
}

/// A site asks until a frame arrives whole; returns how many were lost before.
fn lost_before_one_arrives(server: SocketAddr) -> usize {
    let site = UdpSocket::bind(if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).expect("a port");
    site.connect(server).expect("a route");
    site.set_read_timeout(Some(Duration::from_secs(2))).expect("set");
    let end = Instant::now() + PATIENCE;
    let mut lost = 0;
    while !frame(&site) {
        assert!(Instant::now() < end, "{server}: never whole");
        lost += 1;
    }
    site.send(&[NOWHERE]).expect("sent");
    assert!(frame(&site), "{server}: no longer whole after GSO was tried again");
    lost
}

#[test]
fn frames_arrive_whole_over_a_line_narrower_than_their_datagrams() {
    alone("frames_arrive_whole_over_a_line_narrower_than_their_datagrams", || {
        set("net/ipv4/ip_forward", "1");
        set("net/ipv6/conf/all/forwarding", "1");
        add("hall");
        add("site");
        for (name, ours, theirs) in [
            ("hall", ["10.1.0.1/24", "fd01::1/64"], ["10.1.0.2/24", "fd01::2/64"]),
            ("site", ["10.2.0.1/24", "fd02::1/64"], ["10.2.0.2/24", "fd02::2/64"]),
        ] {
            let device = format!("to-{name}");
            let ours = End { namespace: None, device: &device, addresses: &ours };
            cable(&ours, &End { namespace: Some(name), device: "line", addresses: &theirs });
        }
        for (name, router) in [("hall", "1"), ("site", "2")] {
            ip(&format!("-n {name} route add default via 10.{router}.0.1"));
            ip(&format!("-n {name} -6 route add default via fd0{router}::1"));
        }
        ip("-6 route add fd02::2 dev to-site mtu lock 1280");
        let config = WorkersConfig { workers: 1, pin: false, ..WorkersConfig::default() };
        let workers =
            inside("hall", || Workers::start_with(&config, Frames::new, |_, _| Ok(())).expect("a network"));
        let port = workers.addresses()[0].port;
        let at = |ip: &str| SocketAddr::new(ip.parse().expect("an address"), port);
        for mtu in [1_100, 576] {
            ip(&format!("route replace 10.2.0.2 dev to-site mtu lock {mtu}"));
            assert_eq!(inside("site", || lost_before_one_arrives(at("10.1.0.2"))), 0, "the router cuts");
        }
        // No router cuts IPv6: the server learns from what is lost.
        assert!(inside("site", || lost_before_one_arrives(at("fd01::2"))) <= 1);
    });
}
