//! RTP and RTCP through a connected engine, sealed with the right keys.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::connected(data));
