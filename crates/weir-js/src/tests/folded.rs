//! Code whose strings are computed: what a public obfuscator makes of one small program, and the
//! decoders that people write by hand.

use weir_model::contents::{SinkKind, SourceKind, Surface};

use super::{installed, run};

/// Outputs of javascript-obfuscator for a program that posts the environment to
/// `collector.invalid`, by the options that were on.
const OBFUSCATED: &[(&str, &str)] = &[
    (
        "default",
        include_str!("fixtures/obfuscator-default.js.txt"),
    ),
    ("base64", include_str!("fixtures/obfuscator-base64.js.txt")),
    ("rc4", include_str!("fixtures/obfuscator-rc4.js.txt")),
    ("wrap", include_str!("fixtures/obfuscator-wrap.js.txt")),
    ("flat", include_str!("fixtures/obfuscator-flat.js.txt")),
    ("split", include_str!("fixtures/obfuscator-split.js.txt")),
    ("high", include_str!("fixtures/obfuscator-high.js.txt")),
];

#[test]
fn string_arrays_of_an_obfuscator_are_read() {
    for (name, code) in OBFUSCATED {
        for facts in [
            installed(&[("index.js", code)]),
            run(&[("index.js", code)], &[], &[(Surface::Import, "index.js")]),
        ] {
            let found = facts.flows.iter().any(|flow| {
                flow.source == SourceKind::Environment
                    && flow.sink == SinkKind::Http
                    && flow.sink_detail.contains("collector.invalid")
            });
            assert!(found, "{name}: {:#?}", facts.flows);
        }
    }
}
