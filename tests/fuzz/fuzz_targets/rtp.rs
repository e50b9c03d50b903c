//! RTP header and header extensions.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::rtp(data));
