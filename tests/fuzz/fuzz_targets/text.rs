#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tests::foreign::text(data));
