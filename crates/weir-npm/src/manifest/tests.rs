use super::*;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn a_whole_manifest() {
    let manifest = Manifest::from_json(
        r#"{
            "name": "@s/n", "version": "1.0.0", "main": "index.js", "type": "module", "gypfile": true,
            "scripts": {"postinstall": "b", "preinstall": "a", "test": "c", "prepare": "d"},
            "dependencies": {"x": "^1", "y": "~2"},
            "optionalDependencies": {"z": "*"},
            "peerDependencies": {"p": ">=1"},
            "devDependencies": {"d": "1"},
            "bundleDependencies": ["x"],
            "bin": "cli.js",
            "directories": {"lib": 1, "bin": "./bin"},
            "module": "esm.js",
            "browser": {"./a.js": "./b.js", "fs": false},
            "exports": {".": {"import": "./esm.js", "require": ["./c.cjs", null]}, "./sub": "./b.js"},
            "react-native": "rn.js",
            "unpkg": "dist/n.min.js",
            "jsdelivr": "dist/n.min.js",
            "cdn": true,
            "svelte": "./esm.js",
            "fesm2020": "fesm/n.mjs",
            "typesVersions": {"*": {"x": ["./x.d.ts"]}},
            "repository": {"type": "git", "url": "git+https://host.example/repo.git"},
            "binary": {"host": "https://files.example", "remote_path": "{version}", "module_name": "n", "napi_versions": [3]},
            "unknown": {"deep": [1, 2, 3]}
        }"#,
    )
    .unwrap();
    let want = Manifest {
        name: Some("@s/n".to_owned()),
        version: Some("1.0.0".to_owned()),
        scripts: map(&[
            ("postinstall", "b"),
            ("preinstall", "a"),
            ("test", "c"),
            ("prepare", "d"),
        ]),
        dependencies: map(&[("x", "^1"), ("y", "~2")]),
        optional_dependencies: map(&[("z", "*")]),
        peer_dependencies: map(&[("p", ">=1")]),
        dev_dependencies: map(&[("d", "1")]),
        bundle_dependencies: vec!["x".to_owned()],
        bin: map(&[("n", "cli.js")]),
        bin_folder: Some("./bin".to_owned()),
        main: Some("index.js".to_owned()),
        entries: [
            "esm.js",
            "./b.js",
            "./esm.js",
            "./c.cjs",
            "rn.js",
            "dist/n.min.js",
            "fesm/n.mjs",
        ]
        .map(str::to_owned)
        .into(),
        module_type: Some("module".to_owned()),
        gypfile: Some(true),
        binary: map(&[
            ("host", "https://files.example"),
            ("remote_path", "{version}"),
        ]),
        repository: Some("git+https://host.example/repo.git".to_owned()),
        odd: Vec::new(),
    };
    assert_eq!(manifest, want);
    let scripts: Vec<_> = manifest.install_scripts().collect();
    assert_eq!(scripts, [("preinstall", "a"), ("postinstall", "b")]);
}

#[test]
fn wrong_types_are_named_and_the_rest_is_read() {
    for (text, odd) in [
        (r#"{"name": 1}"#, &["name"][..]),
        (r#"{"scripts": []}"#, &["scripts"]),
        (r#"{"scripts": {"install": 1, "test": "x"}}"#, &["scripts"]),
        (
            r#"{"scripts": {"install": "a", "install": "b"}}"#,
            &["scripts"],
        ),
        (
            r#"{"dependencies": "x", "bin": 7, "gypfile": "yes"}"#,
            &["dependencies", "gypfile", "bin"],
        ),
        (r#"{"bin": "x.js"}"#, &["bin"]),
        (r#"{"bundleDependencies": "x"}"#, &["bundleDependencies"]),
        (
            r#"{"bundledDependencies": ["x", 1]}"#,
            &["bundledDependencies"],
        ),
        (r#"{"exports": {"a": 1}}"#, &["exports"]),
        (r#"{"exports": true}"#, &["exports"]),
        (r#"{"repository": 1}"#, &["repository"]),
        (r#"{"name": "a", "name": "b"}"#, &["name"]),
        (r#"{"a": 1, "a": 2, "a": 3}"#, &["a"]),
        (r#"{"name": "\ud800"}"#, &["name"]),
        (
            r#"{"name": null, "scripts": null, "bin": null, "exports": null}"#,
            &[],
        ),
        ("{}", &[]),
    ] {
        let manifest = Manifest::from_json(text).unwrap();
        assert_eq!(manifest.odd, odd, "{text}");
    }
    let manifest = Manifest::from_json(r#"{"scripts": {"install": 1, "test": "x"}}"#).unwrap();
    assert_eq!(manifest.scripts, map(&[("test", "x")]));
    let manifest =
        Manifest::from_json(r#"{"scripts": {"install": "a"}, "scripts": {"postinstall": "b"}}"#)
            .unwrap();
    assert_eq!(
        manifest.scripts,
        map(&[("postinstall", "b")]),
        "the last one counts"
    );
    let manifest = Manifest::from_json(r#"{"scr\u0069pts": {"install": "a"}}"#).unwrap();
    assert_eq!(manifest.scripts, map(&[("install", "a")]));
}

#[test]
fn bundles() {
    let bundle = |text: &str| Manifest::from_json(text).unwrap().bundle_dependencies;
    assert_eq!(
        bundle(r#"{"bundledDependencies": true, "dependencies": {"a": "1", "b": "1"}}"#),
        ["a", "b"]
    );
    assert!(bundle(r#"{"bundleDependencies": false, "dependencies": {"a": "1"}}"#).is_empty());
}

#[test]
fn what_is_no_manifest() {
    for text in ["[]", "1", "\"x\"", "null", "true"] {
        assert_eq!(
            Manifest::from_json(text),
            Err(ManifestError::NotAnObject),
            "{text}"
        );
    }
    for text in ["", "{", "{\"a\":}", "{} x", "<html>", "{\"a\":1,}"] {
        assert!(
            matches!(Manifest::from_json(text), Err(ManifestError::NotJson(_))),
            "{text}"
        );
    }
    assert_eq!(
        Manifest::from_json([0xff, 0xfe]),
        Err(ManifestError::NotUtf8)
    );
    assert!(Manifest::from_json("\u{feff}{}").is_ok());
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = format!(
        r#"{{"exports": {}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(Manifest::from_json(&deep).unwrap().odd, ["exports"]);
    let wide = format!(
        r#"{{"exports": [{}"z"]}}"#,
        (0..20_000)
            .map(|at| format!("\"{at}\","))
            .collect::<String>()
    );
    let manifest = Manifest::from_json(&wide).unwrap();
    assert_eq!(
        (manifest.entries.len(), manifest.odd),
        (MAX_ITEMS, vec!["exports".to_owned()])
    );
    let wide: String = (0..20_000).map(|at| format!("\"d{at}\":\"1\",")).collect();
    let manifest =
        Manifest::from_json(format!(r#"{{"dependencies": {{{wide}"z":"1"}}}}"#)).unwrap();
    assert_eq!(
        (manifest.dependencies.len(), manifest.odd),
        (MAX_ITEMS, vec!["dependencies".to_owned()])
    );
}
