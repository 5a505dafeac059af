#![no_main]

use weir_npm::lockfile::Format;

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_npm::fuzz::lockfile_of(Format::Npm, data));
