//! Frames of an ICE-TCP stream (RFC 4571).

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::tcp_frames(data));
