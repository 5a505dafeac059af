//! Which packages in a tarball npm takes for installed, as npm 11 was seen to do it.

use weir_npm::manifest::Manifest;

use super::packages;
use crate::tests::given;

const HOOK: &str = r#"{"scripts": {"postinstall": "node x.js"}}"#;

fn found(manifest: &str, files: &[(&str, &str)]) -> Vec<String> {
    let files = given(files);
    let manifest = Manifest::from_json(manifest).unwrap();
    packages(&files, &manifest)
        .into_iter()
        .filter(|one| !one.install_commands.is_empty())
        .map(|one| one.folder)
        .collect()
}

#[test]
fn what_is_bundled_is_installed() {
    let listed = r#"{"bundleDependencies": ["foo"], "dependencies": {"foo": "1"}}"#;
    for manifest in [
        listed,
        r#"{"bundledDependencies": true, "dependencies": {"foo": "1"}}"#,
        r#"{"bundleDependencies": ["foo"]}"#,
    ] {
        let hook = [("node_modules/foo/package.json", HOOK)];
        assert_eq!(found(manifest, &hook), ["node_modules/foo"], "{manifest}");
    }
    let scoped = r#"{"bundleDependencies": ["@s/foo"]}"#;
    let hook = [("node_modules/@s/foo/package.json", HOOK)];
    assert_eq!(found(scoped, &hook), ["node_modules/@s/foo"]);
    let depends = r#"{"dependencies": {"bar": "1"}}"#;
    let beside = [
        ("node_modules/foo/package.json", depends),
        ("node_modules/bar/package.json", HOOK),
    ];
    assert_eq!(found(listed, &beside), ["node_modules/bar"]);
    let below = [
        ("node_modules/foo/package.json", "{}"),
        ("node_modules/foo/node_modules/@s/bar/package.json", HOOK),
    ];
    let folder = ["node_modules/foo/node_modules/@s/bar"];
    assert_eq!(found(listed, &below), folder);
}

#[test]
fn what_only_lies_there_is_not() {
    let hook = [("node_modules/foo/package.json", HOOK)];
    assert!(found(r#"{"dependencies": {"foo": "1"}}"#, &hook).is_empty());
    let listed = r#"{"bundleDependencies": ["foo"], "dependencies": {"foo": "1"}}"#;
    for path in [
        "node_modules/bar/package.json",
        "node_modules/foo/lib/package.json",
        "test/node_modules/foo/package.json",
    ] {
        let files = [("node_modules/foo/package.json", "{}"), (path, HOOK)];
        assert!(found(listed, &files).is_empty(), "{path}");
    }
    let prepared = r#"{"scripts": {"prepare": "node x.js"}}"#;
    assert!(found(listed, &[("node_modules/foo/package.json", prepared)]).is_empty());
}

#[test]
fn folders_that_the_package_depends_on_are_installed() {
    let files = [
        (
            "sub/package.json",
            r#"{"dependencies": {"deep": "file:../lib/deep"}, "scripts": {"install": "node x.js"}}"#,
        ),
        ("lib/deep/package.json", HOOK),
        ("other/package.json", HOOK),
    ];
    for (spec, expected) in [
        ("file:./sub", &["lib/deep", "sub"][..]),
        ("link:sub/", &["lib/deep", "sub"]),
        ("portal:./lib/../sub", &["lib/deep", "sub"]),
        ("file:../sub", &[]),
        ("file:/sub", &[]),
        ("^1.0.0", &[]),
    ] {
        let manifest = format!(r#"{{"dependencies": {{"sub": "{spec}"}}}}"#);
        assert_eq!(found(&manifest, &files), expected, "{spec}");
        let developed = format!(r#"{{"devDependencies": {{"sub": "{spec}"}}}}"#);
        assert!(found(&developed, &files).is_empty(), "{spec}");
    }
}
