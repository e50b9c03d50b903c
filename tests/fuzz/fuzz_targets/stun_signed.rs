//! Attributes of a check that authenticates.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::stun_signed(data));
