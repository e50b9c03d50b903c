use super::wire::*;
use crate::limits;
use crate::net::DisconnectReason;
use crate::transport::srtp::Profile;
use crate::transport::*;

const PLAIN: &[u8; 24] = b"\x80\x60\x00\x07\x00\x00\x00\x01\x00\x00\x00\x09xin chao moi";

/// One packet each way, and feedback each way.
fn assert_media_flows(wire: &mut Wire, profile: Profile) {
    let (mut seal, mut open) = wire.client.srtp(profile);
    let mut up = [PLAIN.as_slice(), &[0; SRTP_OVERHEAD]].concat();
    let sealed = seal.seal_rtp(&mut up, 12, PLAIN.len(), 7).unwrap();
    assert_eq!(wire.deliver(path(1), &mut up[..sealed]), Ok(Received::Rtp(PLAIN.len())));
    assert_eq!(up[..PLAIN.len()], *PLAIN);

    let mut down = [PLAIN.as_slice(), &[0; SRTP_OVERHEAD]].concat();
    let sealed = wire.server.seal_rtp(&mut down, 12, PLAIN.len(), Sequence::from_index(7)).unwrap();
    assert_eq!(sealed, PLAIN.len() + wire.server.srtp_overhead());
    assert_eq!(open.open_rtp(&mut down[..sealed]), Ok(PLAIN.len()));
    assert_eq!(down[..PLAIN.len()], *PLAIN);

    let report = [0x81, 201, 0, 1, 0, 0, 0, 9].to_vec();
    let mut packet = report.clone();
    seal.seal_rtcp(&mut packet).unwrap();
    assert_eq!(wire.deliver(path(1), &mut packet), Ok(Received::Rtcp(8)));
    let mut packet = report.clone();
    wire.server.seal_rtcp(&mut packet).unwrap();
    assert_eq!(open.open_rtcp(&mut packet), Ok(8));
}

#[test]
fn gcm_is_taken_where_the_client_lists_it_and_cm_otherwise() {
    let cases = [
        (BROWSER.as_slice(), Profile::AeadAes128Gcm),
        // As the `rtc` and `webrtc` crates list them by themselves.
        (&[GCM, GCM256, CM, CM32], Profile::AeadAes128Gcm),
        (&[CM, GCM], Profile::AeadAes128Gcm),
        (&[GCM256, CM], Profile::Aes128CmSha1_80),
        (&[CM], Profile::Aes128CmSha1_80),
    ];
    for (listed, expected) in cases {
        let mut wire = Wire::new(&ecdsa(), listed, 1200);
        wire.run(Duration::from_secs(1), |_| true);
        assert_eq!(wire.take_events(), [TransportEvent::Connected { path: path(1) }]);
        assert_eq!(wire.server.srtp_overhead(), expected.rtp_overhead(), "{listed:?}");
        assert_media_flows(&mut wire, expected);
        assert_eq!(wire.server.initial_rtt(), Some(DELAY * 2));
        assert!(wire.largest_from_server <= 1200);
    }
}

#[test]
fn a_client_with_an_rsa_certificate_is_welcome() {
    let provider = rtc_crypto::providers::AwsLcRsProvider::new();
    let crypto = rtc_crypto::RTCCryptoProvider::crypto(&provider);
    let names = vec!["gstreamer".to_owned()];
    let rsa = &rcgen::PKCS_RSA_SHA256;
    let certificate = DtlsCertificate::generate_self_signed_with_alg(names, rsa, crypto).unwrap();
    let mut wire = Wire::new(&certificate, &BROWSER, 1200);
    wire.run(Duration::from_secs(1), |_| true);
    assert_eq!(wire.take_events(), [TransportEvent::Connected { path: path(1) }]);
    assert_media_flows(&mut wire, Profile::AeadAes128Gcm);
}

#[test]
fn another_certificate_than_the_offered_one_is_refused() {
    for expected in [vec![fingerprint_of(&ecdsa())], vec![]] {
        let mut wire = Wire::expecting(expected, &ecdsa(), &BROWSER, 1200);
        wire.run(Duration::from_secs(2), |_| true);
        let reason = DisconnectReason::WrongFingerprint;
        assert_eq!(wire.take_events(), [TransportEvent::Disconnected(reason)]);
        assert!(!wire.server.is_connected());
        assert_eq!(wire.check(1, true), Ok(Received::Consumed));
        assert!(wire.take_events().is_empty(), "a check does not help");
        wire.run(limits::CONSENT_EXPIRY * 2, |_| true);
        assert!(wire.take_events().is_empty(), "it had ended already");
    }
}

#[test]
fn a_client_without_srtp_is_refused() {
    let mut wire = Wire::new(&ecdsa(), &[], 1200);
    wire.run(Duration::from_secs(2), |_| true);
    let reason = DisconnectReason::Dtls;
    assert_eq!(wire.take_events(), [TransportEvent::Disconnected(reason)]);
}

#[test]
fn small_fragments_are_put_together() {
    for mtu in [64, 100, 200, 500] {
        let mut wire = Wire::new(&ecdsa(), &BROWSER, mtu);
        wire.run(Duration::from_secs(3), |_| true);
        assert_eq!(wire.take_events(), [TransportEvent::Connected { path: path(1) }], "{mtu}");
        assert_media_flows(&mut wire, Profile::AeadAes128Gcm);
    }
}

#[test]
fn a_hello_in_fragments_may_come_in_any_order_and_twice() {
    let mut wire = Wire::new(&ecdsa(), &BROWSER, 60);
    let mut fragments: Vec<_> = std::iter::from_fn(|| wire.client.send()).collect();
    assert!(fragments.len() > 2);
    fragments.reverse();
    let first = fragments[0].clone();
    fragments.insert(1, first);
    for fragment in &mut fragments {
        assert_eq!(wire.deliver(path(1), fragment), Ok(Received::Consumed));
    }
    wire.run(Duration::from_secs(3), |_| true);
    assert_eq!(wire.take_events(), [TransportEvent::Connected { path: path(1) }]);
    assert_eq!(wire.server.srtp_overhead(), Profile::AeadAes128Gcm.rtp_overhead());
}

#[test]
fn any_one_datagram_may_be_lost() {
    for lost in 0..12 {
        let mut wire = Wire::new(&ecdsa(), &BROWSER, 300);
        wire.run(Duration::from_secs(8), |number| number != lost);
        assert!(wire.server.is_connected() && wire.client.done, "without {lost}");
        assert_media_flows(&mut wire, Profile::AeadAes128Gcm);
    }
}

/// The server's flight is lost four times while the client repeats its hello: `rtc-dtls` alone
/// would wait for ever here.
#[test]
fn the_server_repeats_its_flight_though_the_client_repeats_its_hello() {
    let mut wire = Wire::new(&ecdsa(), &BROWSER, 1200);
    let (mut sent_after_flight, mut lost) = (0, 0);
    for _ in 0..400 {
        while let Some(mut data) = wire.client.send() {
            sent_after_flight += usize::from(lost > 0 && !wire.client.done);
            let _counted = wire.deliver(path(1), &mut data);
        }
        while let Some(data) = wire.dtls_from_server() {
            let flight = data[0] == 22 && data[13] != 3;
            if flight && lost < 4 {
                lost += 1;
            } else {
                wire.client.read(wire.now, &data);
            }
        }
        wire.now += Duration::from_millis(20);
        wire.server.handle_timeout(wire.now);
        wire.client.handle_timeout(wire.now);
    }
    assert_eq!(lost, 4);
    assert!(sent_after_flight > 1, "the client repeated its hello");
    assert!(wire.client.done && wire.server.is_connected());
}

#[test]
fn a_third_of_all_datagrams_may_be_lost() {
    let mut connected = 0;
    for seed in 0..20u64 {
        let mut wire = Wire::new(&ecdsa(), &BROWSER, 1200);
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
        wire.run(limits::DTLS_TIMEOUT, |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % 10 >= 3
        });
        connected += usize::from(wire.server.is_connected());
    }
    assert!(connected >= 19, "{connected} of 20");
}

#[test]
fn a_handshake_that_stops_has_failed_in_the_end() {
    let mut wire = Wire::new(&ecdsa(), &BROWSER, 1200);
    wire.run(limits::DTLS_TIMEOUT - Duration::from_secs(1), |number| number < 3);
    assert!(wire.take_events().is_empty());
    wire.run(Duration::from_secs(2), |_| false);
    let reason = DisconnectReason::Dtls;
    assert_eq!(wire.take_events(), [TransportEvent::Disconnected(reason)]);
}

#[test]
fn a_close_notify_disconnects() {
    let mut wire = Wire::connected();
    wire.client.close(wire.now);
    wire.run(Duration::from_secs(1), |_| true);
    let reason = DisconnectReason::Closed;
    assert_eq!(wire.take_events(), [TransportEvent::Disconnected(reason)]);
    let mut packet = [0x81, 201, 0, 1, 0, 0, 0, 9].to_vec();
    assert_eq!(wire.server.seal_rtcp(&mut packet), Err(DropReason::NotConnected));
}

#[test]
fn dtls_from_a_path_without_a_check_is_ignored() {
    let mut wire = Wire::new(&ecdsa(), &BROWSER, 1200);
    let mut hello = wire.client.send().unwrap();
    assert_eq!(wire.deliver(path(2), &mut hello), Err(DropReason::NotConnected));
}

/// A NAT gives the client another address in the middle of the handshake. The client does not know: it checks as
/// before, nominates nothing, and repeats its flight.
#[test]
fn a_handshake_goes_on_from_another_address() {
    let mut wire = Wire::new(&ecdsa(), &BROWSER, 1200);
    wire.run(3 * DELAY, |_| true);
    assert!(wire.server.selected() == Some(path(1)) && !wire.client.done);
    wire.port = 2;
    wire.deaf.insert(1);
    wire.check(2, false).unwrap();
    wire.run(Duration::from_secs(4), |_| true);
    assert!(wire.client.done && wire.server.is_connected());
    assert_eq!(wire.server.selected(), Some(path(2)));
}
