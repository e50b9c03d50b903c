//! A sequence of changed offers of a connected peer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::reoffers(data));
