//! STUN before anything is known of the sender.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::stun(data));
