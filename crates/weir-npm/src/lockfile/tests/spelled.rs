//! Spellings that clients read as something else than they are to whoever compares texts.

use super::{Source, at, read, refusal};

#[test]
fn a_folder_of_npm_has_no_detours() {
    for (key, path) in [
        ("node_modules/debug/node_modules/./ms", "without detours"),
        ("node_modules/debug//node_modules/ms", "without detours"),
        ("node_modules/ms/", "without detours"),
        ("./node_modules/ms", "without detours"),
        ("node_modules/x/../ms", "without detours"),
        ("node_modules\\\\ms", "without detours"),
    ] {
        let text = format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\n\"{key}\": {{\"version\": \"1.0.0\"}}}}}}"
        );
        let error = refusal("package-lock.json", &text).to_string();
        assert!(
            error.starts_with("package-lock.json:2: \""),
            "{key}: {error}"
        );
        assert!(error.contains(path), "{key}: {error}");
    }
    for key in ["", "..", "../tool/node_modules/ms", "node_modules/@s/ms"] {
        let text = format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\"{key}\": {{\"version\": \"1.0.0\"}}}}}}"
        );
        assert_eq!(at(&read("package-lock.json", &text), key).line, 1);
    }
}

#[test]
fn a_name_of_version_1_is_no_path() {
    for key in ["./ms", "x/../ms", "debug/node_modules/ms", "@s/.."] {
        let text = format!(
            "{{\"lockfileVersion\": 1, \"dependencies\": {{\"a\": {{\"version\": \"1.0.0\", \"dependencies\": {{\n\
             \"{key}\": {{\"version\": \"1.0.0\"}}}}}}}}}}"
        );
        let error = refusal("package-lock.json", &text).to_string();
        assert!(
            error.starts_with("package-lock.json:2: \""),
            "{key}: {error}"
        );
        assert!(error.contains("a package's name"), "{key}: {error}");
    }
}

#[test]
fn a_key_of_bun_is_no_path() {
    for key in ["debug/./ms", "debug//ms", "debug/ms/", "x/../ms", "/ms"] {
        let text = format!(
            "{{\"lockfileVersion\": 1, \"packages\": {{\n\"{key}\": [\"ms@2.1.3\", \"\", {{}}, \"sha512-AAAA\"]}}}}"
        );
        let error = refusal("bun.lock", &text).to_string();
        assert!(error.starts_with("bun.lock:2: \""), "{key}: {error}");
        assert!(error.contains("names of packages"), "{key}: {error}");
    }
}

/// npm takes them where the plain ones are missing or empty, and for links never.
#[test]
fn fields_of_npm_with_an_underscore_are_read_as_npm_reads_them() {
    const OTHER: &str = "https://evil.example.invalid/x.tgz";
    let registry = |url: &str| Source::Registry(Some(url.to_owned()));
    let tarball = Source::Tarball(OTHER.to_owned());
    let usual = "https://registry.example.invalid/ms/-/ms-2.1.3.tgz";
    for (fields, source, integrity) in [
        (format!(r#""_resolved": "{OTHER}""#), tarball.clone(), None),
        (
            format!(r#""resolved": "", "_resolved": "{OTHER}", "_integrity": "sha512-B""#),
            tarball,
            Some("sha512-B"),
        ),
        (
            format!(r#""resolved": "{usual}", "_resolved": "{OTHER}""#),
            registry(usual),
            None,
        ),
        (
            r#""resolved": "", "integrity": "sha512-A""#.to_owned(),
            Source::Registry(None),
            Some("sha512-A"),
        ),
        (
            r#""_integrity": "sha512-B", "integrity": "sha512-A""#.to_owned(),
            Source::Registry(None),
            Some("sha512-A"),
        ),
        (
            format!(r#""link": true, "resolved": "tool", "_resolved": "{OTHER}""#),
            Source::Link("tool".to_owned()),
            None,
        ),
    ] {
        let text = format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\"node_modules/ms\": {{{fields}}}}}}}"
        );
        let lockfile = read("package-lock.json", &text);
        let node = at(&lockfile, "node_modules/ms");
        let got = (&node.source, node.integrity.as_deref());
        assert_eq!(got, (&source, integrity), "{fields}");
    }
}

#[test]
fn scripts_in_an_entry_of_npm_are_install_scripts() {
    for (fields, runs) in [
        (r#""hasInstallScript": true"#, true),
        (r#""hasInstallScript": "yes""#, true),
        (r#""hasInstallScript": false"#, false),
        (
            r#""hasInstallScript": false, "scripts": {"install": "x"}"#,
            true,
        ),
        (r#""scripts": {"postinstall": "x"}"#, true),
        (r#""scripts": {"test": "x"}"#, false),
        (r#""version": "1.0.0""#, false),
    ] {
        let text = format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\"node_modules/ms\": {{{fields}}}}}}}"
        );
        let lockfile = read("package-lock.json", &text);
        assert_eq!(
            at(&lockfile, "node_modules/ms").flags.scripts,
            runs,
            "{fields}"
        );
    }
}

fn entry_of_yarn(key: &str, resolution: &str) -> String {
    format!(
        "__metadata:\n  version: 8\n\n\"{key}\":\n  version: 2.1.3\n  resolution: \"{resolution}\"\n"
    )
}

/// yarn decodes names; a name that is there twice is to it a list, and no address.
#[test]
fn what_is_bound_with_yarn_has_one_spelling() {
    const KEY: &str = "ms@npm:^2.1.3";
    const PATCH: &str = "ms@patch:ms@npm%3A2.1.3";
    let inner = "%3A%3A__archive%2555rl%3Dhttps%253A%252F%252Fevil.example.invalid";
    for (key, resolution, is_read) in [
        (KEY, "ms@npm:2.1.3".to_owned(), true),
        (
            KEY,
            "ms@npm:2.1.3::__archiveUrl=https%3A%2F%2Fa.invalid%2Fx.tgz".to_owned(),
            true,
        ),
        (
            KEY,
            "ms@npm:2.1.3::__archive%55rl=https%3A%2F%2Fa.invalid".to_owned(),
            false,
        ),
        (
            KEY,
            "ms@npm:2.1.3::%5F_archiveUrl=https%3A%2F%2Fa.invalid".to_owned(),
            false,
        ),
        (
            KEY,
            "ms@npm:2.1.3::__archiveUrl=a&__archiveUrl=b".to_owned(),
            false,
        ),
        (
            KEY,
            format!("{PATCH}#~/p.patch::version=2.1.3&hash=1c"),
            true,
        ),
        (
            KEY,
            format!("{PATCH}{inner}#~/p.patch::version=2.1.3&hash=1c"),
            false,
        ),
        (
            "ms@file:./ms::loc%61tor=a%40workspace%3A.",
            "ms@file:./ms".to_owned(),
            false,
        ),
        (
            "ms@file:./ms::locator=a%40workspace%3A.",
            "ms@file:./ms".to_owned(),
            true,
        ),
    ] {
        let text = entry_of_yarn(key, &resolution);
        if is_read {
            assert_eq!(read("yarn.lock", &text).nodes.len(), 1, "{resolution}");
            continue;
        }
        let error = refusal("yarn.lock", &text).to_string();
        assert!(
            error.starts_with("yarn.lock:4: \""),
            "{resolution}: {error}"
        );
        assert!(
            error.contains("bound as yarn does it"),
            "{resolution}: {error}"
        );
    }
}

#[test]
fn a_key_of_yarn_is_split_at_every_comma() {
    for key in [
        "ms@npm:2.1.3, silt@npm:^1.0.0",
        "ms@npm:2.1.3,silt@npm:^1.0.0",
        "ms@npm:2.1.3 ,silt@npm:^1.0.0",
        "ms@npm:2.1.3  ,   silt@npm:^1.0.0",
    ] {
        let lockfile = read("yarn.lock", &entry_of_yarn(key, "ms@npm:2.1.3"));
        let mut requests: Vec<_> = lockfile
            .requests()
            .map(|(name, spec, _)| (name, spec))
            .collect();
        requests.sort_unstable();
        assert_eq!(
            requests,
            [("ms", "npm:2.1.3"), ("silt", "npm:^1.0.0")],
            "{key}"
        );
    }
}

/// npm looks it up like what a manifest asks for, and installs that.
#[test]
fn what_is_no_address_and_no_path_is_unclear() {
    for (resolved, is_unclear) in [
        ("npm:evil@6.6.6", true),
        ("npm:evil", true),
        ("NPM:evil@6.6.6", true),
        ("jsr:@evil/x@1.0.0", true),
        ("evil", true),
        ("evil@6.6.6", true),
        ("latest", true),
        ("^1.0.0", true),
        ("1.0.0", true),
        ("workspace:*", true),
        ("weird:x", true),
        ("", false),
        ("file:vendor/ms.tgz", false),
        ("vendor/ms.tgz", false),
        ("github:river/ms#0123abc", false),
        ("git+ssh://git@git.example.invalid/ms.git#0123abc", false),
        ("https://registry.example.invalid/ms/-/ms-2.1.3.tgz", false),
        ("https://files.example.invalid/ms", false),
    ] {
        let entry = format!(r#"{{"version": "2.1.3", "resolved": "{resolved}"}}"#);
        for text in [
            format!(r#"{{"lockfileVersion": 3, "packages": {{"node_modules/ms": {entry}}}}}"#),
            format!(r#"{{"lockfileVersion": 1, "dependencies": {{"ms": {entry}}}}}"#),
        ] {
            let lockfile = read("package-lock.json", &text);
            let node = at(&lockfile, "node_modules/ms");
            assert_eq!(node.is_unclear(lockfile.format), is_unclear, "{text}");
        }
    }
}
