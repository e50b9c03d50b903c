//! Packets, time and feedback for the bandwidth estimator.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::estimator(data));
