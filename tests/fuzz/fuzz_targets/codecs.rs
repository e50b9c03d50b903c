//! Payload and dependency descriptors of all codecs.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::codecs(data));
