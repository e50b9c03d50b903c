//! Compound RTCP.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::rtcp(data));
