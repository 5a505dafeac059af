//! Shared bodies of fuzz targets and property tests.

use crate::{Limits, Package, SourceFile, analyse};
use weir_model::contents::Surface;

/// Analyses `data` as one file, as the command that installs it, and as a `binding.gyp`. Must never
/// panic; the limits keep it short.
pub fn javascript(data: &[u8]) {
    let files = [
        SourceFile {
            path: "index.js",
            bytes: data,
        },
        SourceFile {
            path: "module.mjs",
            bytes: data,
        },
        SourceFile {
            path: "binding.gyp",
            bytes: data,
        },
        SourceFile {
            path: "run.sh",
            bytes: data,
        },
    ];
    let text = String::from_utf8_lossy(data);
    let package = Package {
        files: &files,
        entries: vec![(Surface::Import, "./module.mjs".to_owned())],
        install_commands: vec![
            (
                "install".to_owned(),
                "node index.js && sh run.sh".to_owned(),
            ),
            ("postinstall".to_owned(), text.into_owned()),
        ],
        ..Package::default()
    };
    let limits = Limits {
        file_bytes: 1 << 20,
        flow_steps: 2_000_000,
        ..Limits::default()
    };
    let facts = analyse(&package, &limits);
    assert!(facts.flows.len() <= limits.flows, "flows are capped");
}

/// Reads `data` as a script of each other language. Must never panic, must end, and what it reports is
/// bounded.
pub fn script(data: &[u8]) {
    use crate::script::{Language, read};
    let text = String::from_utf8_lossy(data);
    for language in [Language::Python, Language::PowerShell, Language::Batch] {
        let reading = read(&text, language);
        assert!(
            reading.is_some_and(|reading| reading.hosts.len() <= 256),
            "{language:?} is read, and hosts are capped"
        );
    }
}

/// Reads `data` as shell text. Must never panic, must end, and must not make more text than a bounded
/// multiple of what it was given.
pub fn shell(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let reading = crate::command::read(&text, &std::collections::BTreeMap::new());
    let made: usize = reading.inline.iter().map(String::len).sum();
    assert!(
        made <= (64 + text.len()).saturating_mul(512),
        "{made} bytes of code from {} of shell",
        text.len()
    );
}
