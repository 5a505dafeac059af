#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_npm::fuzz::settings(data));
