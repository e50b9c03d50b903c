use super::*;
use crate::{BindError, Protocol, StartError};
use sfu::net::PathKind;
use std::io::ErrorKind;
use std::net::TcpListener;

fn bind_error(config: &WorkersConfig) -> BindError {
    match Workers::start_with(config, Echo::new, |_, _| Ok(())) {
        Err(StartError::Bind(e)) => e,
        Err(e) => panic!("another error: {e}"),
        Ok(_) => panic!("two programs on one port"),
    }
}

#[test]
fn a_taken_port_is_named() {
    let udp = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let tcp = TcpListener::bind((LOOPBACK, 0)).unwrap();
    let cases = [(Protocol::Udp, udp.local_addr().unwrap()), (Protocol::Tcp, tcp.local_addr().unwrap())];
    for (protocol, address) in cases {
        let error = bind_error(&WorkersConfig { port: address.port(), ..one_worker() });
        assert_eq!((error.protocol, error.address), (protocol, address));
        assert_eq!(error.source.kind(), ErrorKind::AddrInUse);
        let text = format!("cannot listen on {protocol} {address}: ");
        assert!(error.to_string().starts_with(&text), "{error}");
    }
}

#[test]
fn an_address_that_is_not_ours_is_named() {
    let foreign: IpAddr = "203.0.113.1".parse().unwrap();
    let error = bind_error(&WorkersConfig { listen: vec![foreign], ..one_worker() });
    assert_eq!(error.source.kind(), ErrorKind::AddrNotAvailable);
    assert_eq!(error.address.ip(), foreign);
}

#[test]
fn ports_that_would_pass_the_last_one_are_refused() {
    let config = WorkersConfig {
        port: 65_535,
        workers: 2,
        listen: vec!["127.0.0.9".parse().unwrap()],
        ..one_worker()
    };
    let error = Workers::start_with(&config, Echo::new, |_, _| Ok(())).err();
    assert_eq!(error.unwrap().to_string(), "2 workers do not fit above port 65535");
}

#[test]
fn every_worker_has_a_port_of_its_own_for_both_protocols() {
    let config = WorkersConfig { workers: 3, ..one_worker() };
    let (workers, _events) = start(&config, 16);
    let addresses = workers.addresses();
    let mut ports: Vec<u16> = addresses.iter().map(|a| a.port).collect();
    ports.dedup();
    assert_eq!(ports.len(), 3);
    for worker in addresses {
        let advertised: Vec<_> = worker.candidates.iter().map(|c| (c.kind, c.address)).collect();
        let address = SocketAddr::new(LOOPBACK, worker.port);
        assert_eq!(advertised, [(PathKind::Udp, address), (PathKind::Tcp, address)]);
    }
}

#[test]
fn several_addresses_share_one_number_and_each_answers() {
    let listen: Vec<IpAddr> = ["127.0.0.1", "127.0.0.3"].map(|t| t.parse().unwrap()).into();
    let config = WorkersConfig { listen: listen.clone(), ..one_worker() };
    let (workers, _events) = start(&config, 16);
    for ip in listen {
        let client = client(SocketAddr::new(ip, port(&workers)));
        let path = String::from_utf8(ask(&client, &echo::PATH)).unwrap();
        assert_eq!(path, format!("{ip} {}", client.local_addr().unwrap()));
    }
}
