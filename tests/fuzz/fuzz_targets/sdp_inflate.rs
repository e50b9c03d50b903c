//! Deflated SDP as it comes in a message.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::sdp_inflate(data));
