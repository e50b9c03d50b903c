//! STUN messages as a client writes them: attributes (RFC 8489 section 14), and binding requests as a
//! browser's ICE agent writes them (RFC 8445 section 7.1) with their answers.

use rtc_crypto::{HmacAlgorithm, RTCCrypto};
use sfu::net::IceCredentials;

/// Bytes of the header.
const HEADER: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLING: u16 = 0x802a;

/// Appends an attribute, padded, and sets the header's length.
pub fn attribute(raw: &mut Vec<u8>, kind: u16, value: &[u8]) {
    raw.extend_from_slice(&kind.to_be_bytes());
    raw.extend_from_slice(&(value.len() as u16).to_be_bytes());
    raw.extend_from_slice(value);
    raw.resize(raw.len().next_multiple_of(4), 0);
    set_length(raw, 0);
}

/// The header's length, with so many bytes that are still to come.
pub fn set_length(raw: &mut [u8], more: usize) {
    let length = (raw.len() - HEADER + more) as u16;
    raw[2..4].copy_from_slice(&length.to_be_bytes());
}

/// A check that nominates; also what keeps consent (RFC 7675).
pub fn check(crypto: &dyn RTCCrypto, own: &IceCredentials, server: &IceCredentials, number: u32) -> Vec<u8> {
    let mut raw = vec![0, 1, 0, 0];
    raw.extend_from_slice(&COOKIE);
    raw.extend_from_slice(&[0; 8]);
    raw.extend_from_slice(&number.to_be_bytes());
    attribute(&mut raw, USERNAME, format!("{}:{}", server.ufrag, own.ufrag).as_bytes());
    attribute(&mut raw, ICE_CONTROLLING, &[7; 8]);
    attribute(&mut raw, USE_CANDIDATE, &[]);
    attribute(&mut raw, PRIORITY, &[0x6e, 0, 1, 0xff]);
    sign(crypto, raw, &server.pwd)
}

/// The answer to a check of the server's. The address in it is of no interest to the server.
pub fn answer(crypto: &dyn RTCCrypto, own: &IceCredentials, check: &[u8]) -> Vec<u8> {
    let mut raw = vec![1, 1, 0, 0];
    raw.extend_from_slice(&check[4..HEADER]);
    attribute(&mut raw, XOR_MAPPED_ADDRESS, &[0, 1, 0, 0, 0, 0, 0, 0]);
    sign(crypto, raw, &own.pwd)
}

fn sign(crypto: &dyn RTCCrypto, mut raw: Vec<u8>, pwd: &str) -> Vec<u8> {
    set_length(&mut raw, 24);
    let mut tag = [0; 20];
    let mac = crypto.new_hmac(HmacAlgorithm::Sha1, pwd.as_bytes());
    mac.and_then(|mut mac| mac.sign(&[&raw], &mut tag)).expect("HMAC-SHA1");
    attribute(&mut raw, MESSAGE_INTEGRITY, &tag);
    set_length(&mut raw, 8);
    let crc = rtc_stun::fingerprint::fingerprint_value(&raw);
    attribute(&mut raw, FINGERPRINT, &crc.to_be_bytes());
    raw
}

/// Whether this is a check of the server's.
pub fn is_check(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER && datagram[..2] == [0, 1] && datagram[4..8] == COOKIE
}

/// Whether this is a success response. Its number shows that it is ours; who signed it is checked by the server's own
/// tests.
pub fn is_success(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER && datagram[..2] == [1, 1] && datagram[4..8] == COOKIE
}
