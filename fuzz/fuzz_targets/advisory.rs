#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_store::advisories::fuzz::advisory(data));
