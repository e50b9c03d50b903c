//! A sequence of what can happen to a meeting.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::meeting(data));
