//! New addresses: proved before they get media, found without a nomination, and consent for each.

use super::ice::{media, pass};
use super::wire::*;
use crate::limits;
use crate::net::PathKind;
use crate::transport::srtp::{Profile, SealContext};
use crate::transport::*;

const VOICE: Duration = Duration::from_millis(20);

/// Sends voice from `port` for a while: returns the events meanwhile, and the first number not used.
fn speak(
    wire: &mut Wire,
    seal: &mut SealContext,
    port: u16,
    (first, packets): (u64, u64),
) -> Vec<TransportEvent> {
    let mut events = Vec::new();
    for sequence in first..first + packets {
        assert_eq!(wire.deliver(path(port), &mut media(seal, sequence)), Ok(Received::Rtp(13)));
        events.append(&mut wire.take_events());
        events.append(&mut pass(wire, VOICE));
    }
    events.retain(|event| !matches!(event, TransportEvent::NewSsrc { .. }));
    events
}

/// A NAT gave the site another address, and the client, which does not know, repeats no nomination.
#[test]
fn media_from_a_new_address_takes_the_peer_there_within_a_quarter_of_a_second() {
    let mut wire = Wire::connected();
    let (mut seal, _) = wire.client.srtp(Profile::AeadAes128Gcm);
    assert!(speak(&mut wire, &mut seal, 1, (0, 50)).is_empty());
    wire.deaf.insert(1);
    let events = speak(&mut wire, &mut seal, 9, (50, 12));
    let (found, moved) = (TransportEvent::PathFound { path: path(9) }, path(9));
    assert_eq!(events, [found, TransportEvent::PathChanged { path: moved }]);
    // And there it stays, with a consent of its own.
    let quiet = speak(&mut wire, &mut seal, 9, (62, 40 * 50));
    assert!(quiet.is_empty(), "{quiet:?}");
}

/// The same for a sender that forges its address: the media is accepted, it is the site's; but the bystander at that
/// address gets checks and nothing else.
#[test]
fn media_from_an_address_that_does_not_answer_moves_nothing() {
    let mut wire = Wire::connected();
    let (mut seal, _) = wire.client.srtp(Profile::AeadAes128Gcm);
    wire.deaf.insert(66);
    let events = speak(&mut wire, &mut seal, 66, (0, 20 * 50));
    assert_eq!(events, [TransportEvent::PathFound { path: path(66) }]);
    assert_eq!(wire.server.selected(), Some(path(1)));
    let sent = 20 * 50 * media(&mut seal, 9_000).len();
    assert!(wire.received[&66] * 10 < sent, "{} of {sent} bytes", wire.received[&66]);
}

#[test]
fn what_is_still_on_its_way_does_not_move_the_peer_back() {
    let mut wire = Wire::connected();
    let (mut seal, _) = wire.client.srtp(Profile::AeadAes128Gcm);
    wire.check(2, true).unwrap();
    assert_eq!(pass(&mut wire, 2 * DELAY), [TransportEvent::PathChanged { path: path(2) }]);
    for sequence in 0..100 {
        wire.deliver(path(2), &mut media(&mut seal, 2 * sequence)).unwrap();
        pass(&mut wire, VOICE);
        wire.deliver(path(1), &mut media(&mut seal, 2 * sequence + 1)).unwrap();
        assert_eq!(wire.server.selected(), Some(path(2)));
    }
    // But a client that goes on sending on the old path alone wants it.
    let events = speak(&mut wire, &mut seal, 1, (200, 12));
    assert_eq!(events, [TransportEvent::PathChanged { path: path(1) }]);
}

#[test]
fn consent_is_a_paths_own() {
    let mut wire = Wire::connected();
    wire.check(2, false).unwrap();
    pass(&mut wire, Duration::from_secs(1));
    wire.deaf.insert(1);
    let mut events = Vec::new();
    // Checks on both; the answers of the first do not come any more.
    for _ in 0..60 {
        wire.check(1, false).unwrap();
        wire.check(2, false).unwrap();
        events.append(&mut pass(&mut wire, Duration::from_secs(1)));
    }
    assert_eq!(events, [TransportEvent::PathChanged { path: path(2) }], "and never disconnected");
    wire.deaf.insert(2);
    for _ in 0..60 {
        wire.check(1, false).unwrap();
        wire.check(2, false).unwrap();
        events.append(&mut pass(&mut wire, Duration::from_secs(1)));
    }
    let expired = TransportEvent::Disconnected(DisconnectReason::ConsentExpired);
    assert_eq!(events[1..], [expired], "checks alone are no consent");
}

#[test]
fn consent_outlives_the_loss_of_most_checks() {
    let mut wire = Wire::connected();
    let mut events = Vec::new();
    for second in 0..600u32 {
        // Of thirty seconds, twenty are lost.
        if second % 30 < 20 {
            wire.deaf.insert(1)
        } else {
            wire.deaf.remove(&1)
        };
        wire.check(1, false).unwrap();
        events.append(&mut pass(&mut wire, Duration::from_secs(1)));
    }
    assert!(events.is_empty(), "{events:?}");
}

#[test]
fn only_the_answer_to_our_check_from_where_it_went_proves_a_path() {
    let mut wire = Wire::connected();
    while wire.server.poll_transmit().is_some() {}
    wire.check(2, true).unwrap();
    let (reply, check) = (wire.server.poll_transmit(), wire.server.poll_transmit());
    let (to, check) = check.filter(|(_, data)| is_check(data)).unwrap();
    assert_eq!((reply.unwrap().0, to), (path(2), path(2)));
    assert_eq!(stun::tag_of_answer(&answer(&check, &credentials("client"))), Some(7), "the peer's tag");
    let mut other = check.clone();
    other[19] ^= 1;
    let of = |check: &[u8], name: &str| answer(check, &credentials(name));
    let mut error = of(&check, "client");
    error[1] = 0x11;
    let unsigned = [&[1, 1, 0, 0][..], &check[4..20]].concat();
    let cases = [
        (3, of(&check, "client"), DropReason::UnknownTransaction),
        (1, of(&check, "client"), DropReason::UnknownTransaction),
        (2, of(&other, "client"), DropReason::UnknownTransaction),
        (2, of(&check, "guess"), DropReason::StunIntegrity),
        (2, error, DropReason::MalformedStun),
        (2, unsigned, DropReason::MalformedStun),
    ];
    for (port, mut data, reason) in cases {
        assert_eq!(wire.deliver(path(port), &mut data), Err(reason));
        assert_eq!(wire.server.selected(), Some(path(1)));
    }
    for _ in 0..2 {
        assert_eq!(wire.deliver(path(2), &mut of(&check, "client")), Ok(Received::Consumed));
        assert_eq!(wire.server.selected(), Some(path(2)));
    }
    assert_eq!(wire.take_events(), [TransportEvent::PathChanged { path: path(2) }], "once");
}

/// The last part of a hello seems to come from a bystander, which then gets the certificate, again and again: no more
/// than three times what it seems to have sent.
#[test]
fn a_handshake_pointed_at_a_bystander_stays_small() {
    let mut wire = Wire::new(&ecdsa(), &BROWSER, 1200);
    wire.deaf.extend([1, 66]);
    let mut hello = wire.client.send().unwrap();
    wire.deliver(path(1), &mut hello).unwrap();
    while let Some((_, data)) = wire.server.poll_transmit() {
        wire.client.read(wire.now, &data);
    }
    let mut nominate = check(&credentials("server"), &credentials("client"), true);
    let mut with_cookie = wire.client.send().unwrap();
    let sent = nominate.len() + with_cookie.len();
    wire.deliver(path(66), &mut nominate).unwrap();
    wire.deliver(path(66), &mut with_cookie).unwrap();
    let end = wire.now + limits::DTLS_TIMEOUT;
    while wire.now < end {
        wire.now += Duration::from_millis(100);
        wire.server.handle_timeout(wire.now);
        while let Some((to, data)) = wire.server.poll_transmit() {
            *wire.received.entry(to.remote.port()).or_default() += data.len();
        }
    }
    let got = wire.received[&66];
    assert!((500..=3 * sent).contains(&got), "{got} bytes for {sent}");
    let [_, (reason, withheld)] = wire.server.take_drops();
    assert!(reason == DropReason::Unproved && withheld > 0, "what it does not get is counted: {withheld}");
}

#[test]
fn a_flood_of_claims_does_not_push_out_the_address_media_comes_from() {
    let mut wire = Wire::connected();
    let (mut seal, _) = wire.client.srtp(Profile::AeadAes128Gcm);
    wire.deaf.extend(100..200);
    for sequence in 0..40u64 {
        for port in 100..200 {
            wire.check(port, true).unwrap();
        }
        wire.deliver(path(9), &mut media(&mut seal, sequence)).unwrap();
        pass(&mut wire, VOICE);
    }
    assert_eq!(wire.server.selected(), Some(path(9)));
}

#[test]
fn a_tcp_connection_is_proved_by_itself_and_asked_for_consent_all_the_same() {
    let mut wire = Wire::connected();
    let tcp = Path { kind: PathKind::Tcp, ..path(7) };
    let mut nominate = check(&credentials("server"), &credentials("client"), true);
    wire.deaf.insert(7);
    wire.deliver(tcp, &mut nominate).unwrap();
    assert_eq!(wire.take_events(), [TransportEvent::PathChanged { path: tcp }]);
    let mut events = Vec::new();
    for _ in 0..40 {
        wire.check(1, false).unwrap();
        events.append(&mut pass(&mut wire, Duration::from_secs(1)));
    }
    assert_eq!(events, [TransportEvent::PathChanged { path: path(1) }]);
    assert_eq!(limits::CONSENT_EXPIRY, Duration::from_secs(30));
}
