//! Payloads that authenticate, through the whole street of an admitted meeting.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::fuzz::media(data));
