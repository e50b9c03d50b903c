//! SDP offers, alone and inside one a browser made.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::sdp_offer(data));
