//! What a check is answered with.

use super::wire::*;
use crate::transport::*;
use rtc_crypto::{RTCCryptoProvider, providers::AwsLcRsProvider};
use rtc_stun::error_code::ErrorCodeAttribute;
use rtc_stun::fingerprint::{FINGERPRINT, fingerprint_value};
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_ERROR, BINDING_SUCCESS, Getter, Message};
use rtc_stun::uattrs::UnknownAttributes;
use rtc_stun::xoraddr::XorMappedAddress;
use std::net::SocketAddr;

/// The answer, under our password and with its FINGERPRINT: what a client believes.
fn believed(wire: &mut Wire, to: Path) -> Message {
    let (sent_to, answer) = wire.server.poll_transmit().unwrap();
    assert_eq!(sent_to, to);
    let more: Vec<_> = std::iter::from_fn(|| wire.server.poll_transmit()).collect();
    assert!(more.len() <= 1 && more.iter().all(|(path, data)| *path == to && is_check(data)), "{more:?}");
    let mut message = Message::new();
    message.unmarshal_binary(&answer).unwrap();
    assert_eq!(message.transaction_id.0.to_vec(), (1..=12).collect::<Vec<u8>>());
    FINGERPRINT.check(&message).unwrap();
    let (provider, key) = (AwsLcRsProvider::new(), credentials("server").pwd);
    MessageIntegrity::check(&mut message, key.as_bytes(), provider.crypto()).unwrap();
    message
}

/// Type and code of a refusal that changed nothing.
fn refused(wire: &mut Wire, request: &CheckRequest) -> (u16, Message) {
    assert_eq!(wire.deliver(path(5), &mut request.write()), Ok(Received::Consumed));
    let answer = believed(wire, path(5));
    assert_eq!(answer.typ, BINDING_ERROR);
    assert_eq!(wire.server.selected(), Some(path(1)));
    assert!(wire.take_events().is_empty());
    let mut error = ErrorCodeAttribute::default();
    error.get_from(&answer).unwrap();
    (error.code.0, answer)
}

fn demanding(more: &[u16]) -> CheckRequest {
    let (local, remote) = (credentials("client"), credentials("server"));
    CheckRequest { local, remote, use_candidate: true, controlled: false, more: more.to_vec() }
}

#[test]
fn a_good_check_is_answered_with_the_address_it_came_from() {
    let mut wire = Wire::new(&ecdsa(), &BROWSER, 1200);
    let answer = believed(&mut wire, path(1));
    assert_eq!(answer.typ, BINDING_SUCCESS);
    let mut seen = XorMappedAddress::default();
    seen.get_from(&answer).unwrap();
    assert_eq!(SocketAddr::new(seen.ip, seen.port), path(1).remote);
}

#[test]
fn a_client_that_wants_us_in_control_is_refused() {
    let mut wire = Wire::connected();
    let request = CheckRequest { controlled: true, ..demanding(&[]) };
    assert_eq!(refused(&mut wire, &request).0, 487);
}

#[test]
fn what_is_demanded_and_not_known_is_named_in_the_refusal() {
    let many: Vec<u16> = (0x4000..0x4010).collect();
    // Demanded and named: 0x8000 and above may be ignored, REALM (0x14) is merely out of place.
    let cases: [(&[u16], &[u16]); 3] =
        [(&[0x7fff], &[0x7fff]), (&[0x0014, 0x0002, 0x8000, 0x001e], &[0x0002, 0x001e]), (&many, &many[..8])];
    for (demanded, named) in cases {
        let mut wire = Wire::connected();
        let (code, answer) = refused(&mut wire, &demanding(demanded));
        assert_eq!(code, 420, "{demanded:x?}");
        let mut unknown = UnknownAttributes(vec![]);
        unknown.get_from(&answer).unwrap();
        let kinds: Vec<u16> = unknown.0.iter().map(|kind| kind.0).collect();
        assert_eq!(kinds, named);
    }
}

#[test]
fn a_stranger_that_demands_something_is_not_answered() {
    let mut wire = Wire::connected();
    let mut stranger = demanding(&[0x7fff]);
    stranger.remote.pwd = "guess".to_owned();
    assert_eq!(wire.deliver(path(5), &mut stranger.write()), Err(DropReason::StunIntegrity));
    assert_eq!(wire.server.poll_transmit(), None);
}

/// Anyone may append an attribute after the signature.
#[test]
fn what_is_not_signed_demands_nothing() {
    let mut wire = Wire::connected();
    let mut request = demanding(&[]).write();
    request.truncate(request.len() - 8);
    request.extend([0x7f, 0xff, 0, 0]);
    let length = (request.len() - 20 + 8) as u16;
    request[2..4].copy_from_slice(&length.to_be_bytes());
    let crc = fingerprint_value(&request).to_be_bytes();
    request.extend([&[0x80, 0x28, 0, 4][..], &crc].concat());
    assert_eq!(wire.deliver(path(5), &mut request), Ok(Received::Consumed));
    assert_eq!(believed(&mut wire, path(5)).typ, BINDING_SUCCESS);
}
