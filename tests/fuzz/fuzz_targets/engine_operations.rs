//! A sequence of commands, datagrams, timeouts and steps of the clock.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::engine_operations(data));
