//! A datagram into an engine, before and after its peer has offered.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::datagram(data));
