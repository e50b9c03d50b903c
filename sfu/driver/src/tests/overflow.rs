use super::*;
use crate::bind::bind_udp;
use crate::overflow::Overflows;
use std::collections::BTreeMap;

const SENT: u64 = 2_000;

/// Every datagram is either received or counted.
#[test]
fn what_a_full_socket_drops_is_counted() {
    for ip in ["127.0.0.1", "::"] {
        let listens = SocketAddr::new(ip.parse().unwrap(), 0);
        let Ok(socket) = bind_udp(listens, false) else {
            eprintln!("skipped {ip}: this machine has no IPv6");
            continue;
        };
        socket2::SockRef::from(socket.plain()).set_recv_buffer_size(16 * 1024).unwrap();
        let mut overflows = Overflows::default();
        overflows.watch(WorkerId(3), socket.plain()).unwrap();
        assert_eq!(overflows.read().unwrap(), BTreeMap::from([(WorkerId(3), 0)]));

        let client = client(SocketAddr::new(LOOPBACK, socket.port()));
        (0..SENT).for_each(|_| assert_eq!(client.send(&[7; 1_000]).unwrap(), 1_000));
        let mut received = 0;
        while socket.plain().recv(&mut [0; 2_000]).is_ok() {
            received += 1;
        }
        assert!((1..SENT).contains(&received), "{received}");
        assert_eq!(overflows.read().unwrap(), BTreeMap::from([(WorkerId(3), SENT - received)]), "{ip}");
    }
}

#[test]
fn the_workers_sockets_are_watched() {
    let config = WorkersConfig { workers: 2, ..one_worker() };
    let (workers, _events) = start(&config, 16);
    let counted = workers.overflows().read().unwrap();
    assert_eq!(counted, BTreeMap::from([(WorkerId(0), 0), (WorkerId(1), 0)]));
}
