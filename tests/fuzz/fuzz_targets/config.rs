//! The configuration file.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::config(data));
