//! What an admitted peer can make a handshake cost.

use super::wire::*;
use crate::transport::*;

/// Handshake records of epoch 0, each with one byte of a message that never ends.
fn crumbs(offsets: std::ops::Range<u32>) -> Vec<u8> {
    let crumb = |offset: u32| {
        let [_, o0, o1, o2] = offset.to_be_bytes();
        let [s0, s1] = (offset as u16 + 1).to_be_bytes();
        let record = [22, 254, 253, 0, 0, 0, 0, 0, 0, s0, s1, 0, 13];
        let fragment = [1, 0, 0xff, 0xff, 0, 1, o0, o1, o2, 0, 0, 1, 0];
        [record, fragment].concat()
    };
    offsets.flat_map(crumb).collect()
}

#[test]
fn crumbs_of_a_message_end_in_drops() {
    let mut wire = Wire::new(&ecdsa(), &BROWSER, 1200);
    let mut hello = wire.client.send().unwrap();
    wire.deliver(path(1), &mut hello).unwrap();
    let mut dropped = 0;
    for n in 0..100u32 {
        let mut data = crumbs(n * 75..n * 75 + 75);
        dropped += usize::from(wire.deliver(path(1), &mut data) == Err(DropReason::Dtls));
    }
    assert!(dropped > 90, "{dropped}");
}

/// An attacker that forges the client's address could otherwise end a handshake with fifteen bytes.
#[test]
fn an_alert_in_the_clear_ends_nothing() {
    let mut wire = Wire::new(&ecdsa(), &BROWSER, 300);
    for number in 0..20u8 {
        wire.run(DELAY / 4, |_| true);
        let mut close_notify = [21, 254, 253, 0, 0, 0, 0, 0, 9, 0, number, 0, 2, 1, 0];
        assert_eq!(wire.deliver(path(1), &mut close_notify), Err(DropReason::Dtls));
    }
    wire.run(Duration::from_secs(1), |_| true);
    assert_eq!(wire.take_events(), [TransportEvent::Connected { path: path(1) }]);
}
