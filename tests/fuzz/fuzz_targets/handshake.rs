//! DTLS after a valid check.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::handshake(data));
