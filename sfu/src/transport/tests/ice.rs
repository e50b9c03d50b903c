use super::wire::*;
use crate::limits;
use crate::net::{DisconnectReason, PathKind};
use crate::transport::srtp::{Profile, SealContext};
use crate::transport::*;
use std::net::{IpAddr, SocketAddr};

const CONNECTED: [TransportEvent; 1] = [TransportEvent::Connected {
    path: Path {
        kind: PathKind::Udp,
        local: IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)),
        remote: SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 5)), 1),
    },
}];

pub fn media(seal: &mut SealContext, sequence: u64) -> Vec<u8> {
    let [s0, s1] = (sequence as u16).to_be_bytes();
    let mut packet = vec![0x80, 96, s0, s1, 0, 0, 0, 1, 0, 0, 0, 9, 42];
    packet.resize(13 + SRTP_OVERHEAD, 0);
    seal.seal_rtp(&mut packet, 12, 13, sequence).unwrap();
    packet
}

/// Time passes; returns the events of what was due.
pub fn pass(wire: &mut Wire, time: Duration) -> Vec<TransportEvent> {
    wire.run(time, |_| true);
    wire.take_events()
}

#[test]
fn a_check_without_the_names_or_the_password_gets_no_answer() {
    let mut wire = Wire::connected();
    let (server, client) = (credentials("server"), credentials("client"));
    let good = check(&server, &client, true);
    let wrong_pwd = IceCredentials { pwd: "guess".to_owned(), ..server.clone() };
    let mut bad_crc = good.clone();
    *bad_crc.last_mut().unwrap() ^= 1;
    let mut other_id = good.clone();
    other_id[19] ^= 1;
    let cases = [
        (check(&credentials("other"), &client, true), DropReason::UnknownUfrag),
        (check(&wrong_pwd, &client, true), DropReason::StunIntegrity),
        (bad_crc, DropReason::StunIntegrity),
        (other_id, DropReason::StunIntegrity),
        (good[..good.len() - 4].to_vec(), DropReason::MalformedStun),
        (good[..20].to_vec(), DropReason::MalformedStun),
    ];
    for (mut data, reason) in cases {
        assert_eq!(wire.deliver(path(66), &mut data), Err(reason));
        assert_eq!(wire.server.poll_transmit(), None);
        assert_eq!(wire.server.selected(), Some(path(1)));
    }
}

/// A page that has lost its line looks for it with a connection that it has not announced.
#[test]
fn a_check_under_a_name_of_nobody_is_answered_and_moves_nothing() {
    let mut wire = Wire::connected();
    let mut scout = check(&credentials("server"), &credentials("other"), true);
    let asked = scout.len();
    assert_eq!(wire.deliver(path(66), &mut scout), Ok(Received::Consumed));
    let (to, reply) = wire.server.poll_transmit().expect("an answer");
    assert_eq!(to, path(66));
    assert!(reply.starts_with(&[1, 1]) && reply.len() <= asked, "no larger than the question: {reply:?}");
    assert_eq!(wire.server.poll_transmit(), None, "no check of ours");
    assert_eq!((wire.server.selected(), wire.take_events()), (Some(path(1)), vec![]));
    assert!(!wire.server.has_proved(wire.now, &path(66)));
    pass(&mut wire, limits::CONSENT_EXPIRY / 2);
    assert_eq!(wire.server.selected(), Some(path(1)));
}

#[test]
fn our_ufrag_is_read_from_requests_only() {
    let request = check(&credentials("server"), &credentials("client"), false);
    assert!(stun::is_stun(&request));
    assert_eq!(stun::ufrag_of(&request), Some(b"server-ufrag".as_slice()));
    let mut response = request.clone();
    response[0] = 1;
    assert_eq!(stun::ufrag_of(&response), None);
    assert!(!stun::is_stun(&[0; 20]));
}

/// A check recorded on the way moves nothing when it is replayed from elsewhere, be it to redirect media there or only
/// away from the client.
#[test]
fn a_check_sent_again_from_elsewhere_moves_nothing() {
    let mut wire = Wire::connected();
    wire.deaf.insert(66);
    let check = check(&credentials("server"), &credentials("client"), true);
    for _ in 0..40 {
        wire.deliver(path(66), &mut check.clone()).unwrap();
        pass(&mut wire, Duration::from_secs(1));
        assert_eq!(wire.server.selected(), Some(path(1)));
    }
    let got = wire.received[&66];
    assert!(got <= 3 * 40 * check.len(), "{got} bytes for 40 checks of {}", check.len());
    let mut forged = vec![0x80; 60];
    assert_eq!(wire.deliver(path(66), &mut forged), Err(DropReason::SrtpAuth));
}

#[test]
fn from_wifi_to_4g_and_back() {
    let mut wire = Wire::connected();
    assert_eq!(wire.check(2, false), Ok(Received::Consumed));
    assert!(pass(&mut wire, Duration::from_secs(1)).is_empty());
    assert_eq!(wire.server.selected(), Some(path(1)), "a check is not a nomination");
    for port in [2, 1, 3] {
        wire.check(port, true).unwrap();
        wire.check(port, true).unwrap();
        let changed = TransportEvent::PathChanged { path: path(port) };
        if port == 3 {
            assert!(wire.take_events().is_empty(), "it has yet to answer a check of ours");
            assert_eq!(pass(&mut wire, 2 * DELAY), [changed]);
        } else {
            assert_eq!(wire.take_events(), [changed], "once, though nominated twice");
        }
        assert_eq!(wire.server.selected(), Some(path(port)));
    }
}

#[test]
fn quiet_then_restored_by_media_or_by_a_check() {
    let mut wire = Wire::connected();
    wire.deaf.extend([1, 2]);
    let (mut seal, _) = wire.client.srtp(Profile::AeadAes128Gcm);
    wire.deliver(path(1), &mut media(&mut seal, 0)).unwrap();
    wire.take_events();
    for sequence in [1, 2] {
        assert_eq!(pass(&mut wire, limits::QUIET_AFTER), [TransportEvent::Quiet]);
        assert!(pass(&mut wire, Duration::from_secs(3)).is_empty(), "reported once");
        wire.check(2, false).unwrap();
        assert!(wire.take_events().is_empty(), "it may be a replay from elsewhere");
        if sequence == 1 {
            wire.deliver(path(1), &mut media(&mut seal, sequence)).unwrap();
        } else {
            wire.check(1, false).unwrap();
        }
        assert_eq!(wire.take_events(), [TransportEvent::Restored]);
    }
}

#[test]
fn consent_expires_and_an_answer_brings_the_peer_back_without_a_handshake() {
    let mut wire = Wire::connected();
    wire.deaf.insert(1);
    let (mut seal, _) = wire.client.srtp(Profile::AeadAes128Gcm);
    let expired = TransportEvent::Disconnected(DisconnectReason::ConsentExpired);
    assert_eq!(pass(&mut wire, limits::CONSENT_EXPIRY), [TransportEvent::Quiet, expired]);
    assert_eq!((wire.server.selected(), wire.server.is_connected()), (None, false));
    pass(&mut wire, Duration::from_secs(2));
    assert_eq!(wire.server.poll_timeout(), None, "no timer is pending");
    let late = wire.deliver(path(1), &mut media(&mut seal, 1));
    assert_eq!(late, Err(DropReason::NotConnected), "media is no consent");
    let mut packet = [0x81, 201, 0, 1, 0, 0, 0, 9].to_vec();
    assert_eq!(wire.server.seal_rtcp(&mut packet), Err(DropReason::NotConnected));

    wire.check(1, true).unwrap();
    assert!(pass(&mut wire, 2 * DELAY).is_empty(), "nor is a check, which is not an answer");
    wire.deaf.clear();
    assert_eq!(pass(&mut wire, Duration::from_secs(1)), CONNECTED);
    assert_eq!(wire.deliver(path(1), &mut media(&mut seal, 2)), Ok(Received::Rtp(13)));
    assert!(wire.server.is_connected());
}

#[test]
fn a_peer_that_never_comes_is_missed() {
    let mut wire = Wire::connected();
    let now = wire.now;
    let own = Arc::new(Certificate::generate().unwrap());
    wire.server = Transport::new(now, own, credentials("server"), credentials("client"), vec![], numbers());
    assert_eq!(wire.server.poll_timeout(), Some(now + limits::CONSENT_EXPIRY));
    let expired = TransportEvent::Disconnected(DisconnectReason::ConsentExpired);
    assert_eq!(pass(&mut wire, limits::CONSENT_EXPIRY), [expired]);
}

#[test]
fn an_ice_restart_keeps_media_running_until_the_new_nomination() {
    let mut wire = Wire::connected();
    let (mut seal, mut open) = wire.client.srtp(Profile::AeadAes128Gcm);
    let (server, client) = (credentials("server-2"), credentials("client-2"));
    wire.server.restart(wire.now, server.clone(), client.clone());
    wire.answers_as = client.clone();
    assert_eq!(wire.server.local_credentials(), &server);
    assert_eq!(wire.server.selected(), Some(path(1)));
    assert_eq!(wire.deliver(path(1), &mut media(&mut seal, 1)), Ok(Received::Rtp(13)));
    let mut down = [0x81, 201, 0, 1, 0, 0, 0, 9].to_vec();
    wire.server.seal_rtcp(&mut down).unwrap();
    assert_eq!(open.open_rtcp(&mut down), Ok(8));
    assert_eq!(wire.check(1, true), Err(DropReason::UnknownUfrag), "old credentials");

    let mut first = check(&server, &client, true);
    wire.take_events();
    wire.deliver(path(3), &mut first).unwrap();
    assert_eq!(pass(&mut wire, 2 * DELAY), [TransportEvent::Connected { path: path(3) }]);
    assert_eq!(wire.deliver(path(3), &mut media(&mut seal, 2)), Ok(Received::Rtp(13)));
}

/// UDP is blocked in the middle of a meeting: the client looks for other ways, and nominates the one it finds only when it
/// has waited for the old one for some seconds.
#[test]
fn while_a_client_looks_for_other_ways_a_silent_path_gives_way_without_a_nomination() {
    for (silence, moves) in [(900, false), (1000, true)] {
        let mut wire = Wire::connected();
        let (mut seal, _) = wire.client.srtp(Profile::AeadAes128Gcm);
        wire.deaf.insert(1);
        assert_eq!(wire.deliver(path(1), &mut media(&mut seal, 1)), Ok(Received::Rtp(13)));
        pass(&mut wire, Duration::from_millis(silence));
        let (server, client) = (credentials("server-2"), credentials("client-2"));
        let tcp = Path { kind: PathKind::Tcp, ..path(7) };
        wire.server.restart(wire.now, server.clone(), client.clone());
        wire.deliver(tcp, &mut check(&server, &client, false)).unwrap();
        assert_eq!(wire.server.selected() == Some(tcp), moves, "after {silence} ms");
        wire.deliver(path(3), &mut check(&server, &client, true)).unwrap();
        wire.answers_as = client;
        pass(&mut wire, 2 * DELAY);
        assert_eq!(wire.server.selected(), Some(path(3)), "a nomination counts all the same");
    }
}

#[test]
fn a_restart_after_expiry_waits_for_the_first_check() {
    let mut wire = Wire::connected();
    wire.deaf.insert(1);
    pass(&mut wire, limits::CONSENT_EXPIRY);
    let (server, client) = (credentials("server-2"), credentials("client-2"));
    wire.server.restart(wire.now, server.clone(), client.clone());
    wire.answers_as = client.clone();
    assert_eq!(wire.server.selected(), None);
    wire.deliver(path(4), &mut check(&server, &client, true)).unwrap();
    assert_eq!(pass(&mut wire, 2 * DELAY), [TransportEvent::Connected { path: path(4) }]);
}

#[test]
fn a_closed_tcp_path_gives_way_to_the_proved_one_active_last() {
    let mut wire = Wire::connected();
    let tcp = Path { kind: PathKind::Tcp, ..path(7) };
    let nominate = check(&credentials("server"), &credentials("client"), true);
    wire.deaf.insert(4);
    for port in [2, 3, 4] {
        wire.check(port, false).unwrap();
        pass(&mut wire, Duration::from_millis(100));
    }
    wire.deliver(tcp, &mut nominate.clone()).unwrap();
    assert_eq!(
        wire.take_events(),
        [TransportEvent::PathChanged { path: tcp }],
        "a TCP connection is proved by itself"
    );
    wire.server.path_closed(wire.now, tcp);
    assert_eq!(wire.server.poll_event(), Some(TransportEvent::PathChanged { path: path(3) }));
    for port in [3, 2, 1] {
        wire.server.path_closed(wire.now, path(port));
    }
    assert_eq!(wire.server.selected(), None);
    let left: Vec<_> = std::iter::from_fn(|| wire.server.poll_event()).collect();
    assert_eq!(left.len(), 2, "2, then 1, then none: {left:?}");
    wire.deliver(tcp, &mut nominate.clone()).unwrap();
    assert_eq!(wire.take_events(), [TransportEvent::PathChanged { path: tcp }]);
}

#[test]
fn a_flood_of_addresses_does_not_push_out_the_selected_one() {
    let mut wire = Wire::connected();
    let (mut seal, _) = wire.client.srtp(Profile::AeadAes128Gcm);
    for port in 100..200 {
        wire.now += Duration::from_millis(1);
        wire.check(port, false).unwrap();
    }
    assert_eq!(wire.server.selected(), Some(path(1)));
    assert_eq!(wire.deliver(path(1), &mut media(&mut seal, 1)), Ok(Received::Rtp(13)));
    let waiting = std::iter::from_fn(|| wire.server.poll_transmit()).count();
    assert!(waiting <= 32, "answers wait in a bounded queue: {waiting}");
}
