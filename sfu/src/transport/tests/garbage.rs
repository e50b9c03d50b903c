use super::wire::*;
use crate::transport::*;
use proptest::prelude::*;

/// First bytes of the four protocols, and of none.
fn datagram() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![0u8..4, 20u8..64, 128u8..192, any::<u8>()];
    (first, prop::collection::vec(any::<u8>(), 0..120)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        rest
    })
}

/// Records that claim the right length, with garbage in them.
fn record() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![Just(20u8), Just(21), Just(22), Just(22), Just(23), any::<u8>()];
    let body = prop::collection::vec(any::<u8>(), 0..60);
    (kind, 0u8..3, any::<u8>(), body).prop_map(|(kind, epoch, sequence, body)| {
        let mut record = vec![kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, sequence, 0];
        record.push(body.len() as u8);
        record.extend(body);
        record
    })
}

/// Everything a client sent in a handshake, in order.
fn recorded() -> Vec<Vec<u8>> {
    let mut wire = Wire::new(&ecdsa(), &BROWSER, 300);
    let mut recorded = Vec::new();
    for _ in 0..6 {
        while let Some(mut data) = wire.client.send() {
            recorded.push(data.clone());
            wire.deliver(path(1), &mut data).unwrap();
        }
        while let Some(data) = wire.dtls_from_server() {
            wire.client.read(wire.now, &data);
        }
    }
    assert!(wire.server.is_connected());
    recorded
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_panics_and_nothing_connects(
        datagrams in prop::collection::vec(prop_oneof![datagram(), record()], 1..40),
        handshake_first: bool,
    ) {
        let mut wire = if handshake_first {
            Wire::connected()
        } else {
            Wire::new(&ecdsa(), &BROWSER, 1200)
        };
        for mut data in datagrams {
            let _counted = wire.deliver(path(1), &mut data);
            wire.server.handle_timeout(wire.now);
        }
        prop_assert_eq!(wire.server.is_connected(), handshake_first);
        prop_assert!(stun::ufrag_of(&[0; 3]).is_none());
    }

    /// Bytes of a real handshake are changed on the way; whatever the result, the second try of an honest client is not
    /// worse than silence.
    #[test]
    fn a_handshake_with_changed_bytes_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1u8..), 1..6),
    ) {
        let mut recorded = recorded();
        for (which, at, change) in changes {
            let which = which.index(recorded.len());
            let at = at.index(recorded[which].len());
            recorded[which][at] ^= change;
        }
        let mut wire = Wire::new(&ecdsa(), &BROWSER, 300);
        for data in &mut recorded {
            let _counted = wire.deliver(path(1), data);
        }
        prop_assert!(!wire.server.is_connected(), "keys of another handshake");
    }

    #[test]
    fn a_check_with_a_changed_byte_is_not_answered(
        at in any::<prop::sample::Index>(), change in 1u8..
    ) {
        let mut wire = Wire::new(&ecdsa(), &BROWSER, 1200);
        while wire.server.poll_transmit().is_some() {}
        let mut data = check(&credentials("server"), &credentials("client"), true);
        let at = at.index(data.len());
        data[at] ^= change;
        prop_assert!(wire.deliver(path(2), &mut data).is_err());
        prop_assert!(wire.server.poll_transmit().is_none());
    }
}
