use super::*;

/// What the npm registry serves for a scoped package, every field that is read.
const WHOLE: &str = r#"{
  "_id": "@s/n", "_rev": "3-abc", "name": "@s/n",
  "dist-tags": {"latest": "1.1.0", "next": "2.0.0-rc.1"},
  "versions": {
    "1.0.0": {
      "name": "@s/n", "version": "1.0.0", "deprecated": "old",
      "dist": {"tarball": "https://registry.example.invalid/npm/@s/n/-/n-1.0.0.tgz", "shasum": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}
    },
    "1.1.0": {
      "name": "@s/n", "version": "1.1.0", "gitHead": "abc", "_npmVersion": "11.0.0", "_nodeVersion": "22.0.0",
      "scripts": {"postinstall": "node x.js"}, "hasInstallScript": true, "dependencies": {"x": "^1"},
      "maintainers": [{"name": "a", "email": "a@mail.example"}],
      "_npmUser": {
        "name": "GitHub Actions", "email": "bot@mail.example",
        "trustedPublisher": {"id": "github", "oidcConfigId": "oidc:1"}, "approver": {"name": "a", "email": "a@mail.example"}
      },
      "dist": {
        "tarball": "https://registry.example.invalid/npm/@s/n/-/n-1.1.0.tgz", "fileCount": 3, "unpackedSize": 4096,
        "shasum": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "integrity": "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
        "signatures": [{"keyid": "SHA256:k", "sig": "MEU"}, {"keyid": 1}],
        "attestations": {"url": "https://registry.example.invalid/-/npm/v1/attestations/@s%2fn@1.1.0", "provenance": {"predicateType": "https://slsa.dev/provenance/v1"}}
      }
    },
    "2.0.0-rc.1": {
      "name": "@s/n", "version": "2.0.0-rc.1", "_npmUser": {"name": "b"},
      "dist": {"tarball": "https://registry.example.invalid/npm/@s/n/-/n-2.0.0-rc.1.tgz"}
    }
  },
  "time": {"created": "2020-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
    "1.1.0": "2021-01-01T00:00:00+00:00", "1.0.0": "2020-01-01T00:00:00.500Z", "0.9.0": "2019-01-01T00:00:00.000Z"},
  "maintainers": [{"name": "a", "email": "a@mail.example"}, "b <b@mail.example>", 7],
  "readme": "x"
}"#;

fn whole() -> Packument {
    Packument::parse(
        &PackageName::parse("@s/n").unwrap(),
        Bytes::from_static(WHOLE.as_bytes()),
    )
    .unwrap()
}

#[test]
fn the_index_of_a_whole_document() {
    let packument = whole();
    let versions: Vec<&str> = packument
        .versions()
        .iter()
        .map(|entry| entry.version.as_str())
        .collect();
    assert_eq!(versions, ["1.0.0", "1.1.0", "2.0.0-rc.1"]);
    assert!(packument.has("1.0.0") && !packument.has("0.9.0"));
    assert_eq!(
        (packument.tag("latest"), packument.tag("beta")),
        (Some("1.1.0"), None)
    );
    let time = |time: Option<Timestamp>| time.map(crate::time::format).unwrap_or_default();
    assert_eq!(
        time(packument.published("1.0.0")),
        "2020-01-01T00:00:00.500Z"
    );
    assert_eq!(time(packument.published("2.0.0-rc.1")), "");
    assert_eq!(time(packument.published("0.9.0")), "");
    assert_eq!(time(packument.created()), "2020-01-01T00:00:00.000Z");
    assert_eq!(time(packument.modified()), "2026-01-01T00:00:00.000Z");
    assert!(packument.time_is_partial() && !packument.is_unpublished());
    assert_eq!(
        packument.by_publish_time(),
        ["1.0.0", "1.1.0", "2.0.0-rc.1"]
    );
    assert!(packument.is_deprecated("1.0.0") && !packument.is_deprecated("1.1.0"));
    let person = |name: &str| Person {
        name: name.to_owned(),
        email: Some(format!("{name}@mail.example")),
    };
    assert_eq!(packument.maintainers(), [person("a"), person("b")]);
    assert_eq!(
        packument.public_hosts(),
        ["https://registry.example.invalid/npm/"]
    );
    for entry in packument.versions() {
        let raw = packument.version_raw(&entry.version).unwrap();
        assert_eq!(raw.as_bytes(), &packument.raw()[entry.range()]);
        let value: Value = serde_json::from_str(raw).unwrap();
        assert_eq!(value["version"], entry.version);
    }
}

#[test]
fn the_manifest_of_one_version() {
    let manifest = whole().manifest("1.1.0").unwrap().unwrap();
    insta::assert_debug_snapshot!(manifest.publisher, @r#"
    Some(
        Publisher {
            name: "GitHub Actions",
            email: Some(
                "bot@mail.example",
            ),
            trusted_publisher: true,
            trusted_publisher_id: Some(
                "github",
            ),
            approver: Some(
                Person {
                    name: "a",
                    email: Some(
                        "a@mail.example",
                    ),
                },
            ),
        },
    )
    "#);
    insta::assert_debug_snapshot!(manifest.dist, @r#"
    Dist {
        tarball: Some(
            "https://registry.example.invalid/npm/@s/n/-/n-1.1.0.tgz",
        ),
        integrity: Some(
            sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==,
        ),
        unreadable_integrity: false,
        shasum: Some(
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        ),
        file_count: Some(
            3,
        ),
        unpacked_size: Some(
            4096,
        ),
        signatures: [
            Signature {
                keyid: "SHA256:k",
                sig: "MEU",
            },
        ],
        attestations: Some(
            Attestations {
                url: Some(
                    "https://registry.example.invalid/-/npm/v1/attestations/@s%2fn@1.1.0",
                ),
                provenance: Some(
                    "https://slsa.dev/provenance/v1",
                ),
            },
        ),
    }
    "#);
    assert_eq!(manifest.has_install_script, Some(true));
    assert_eq!(manifest.git_head.as_deref(), Some("abc"));
    assert_eq!(manifest.npm_version.as_deref(), Some("11.0.0"));
    assert_eq!(manifest.node_version.as_deref(), Some("22.0.0"));
    assert_eq!(manifest.maintainers.len(), 1);
    assert_eq!(
        manifest.manifest.install_scripts().collect::<Vec<_>>(),
        [("postinstall", "node x.js")]
    );

    let old = whole().manifest("1.0.0").unwrap().unwrap();
    assert_eq!(old.deprecated.as_deref(), Some("old"));
    assert_eq!(
        old.dist.best_integrity().unwrap().to_string(),
        "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="
    );
    assert!(whole().manifest("9.9.9").is_none());
}

#[test]
fn bare_and_broken_versions() {
    let manifest = |value: &str| {
        let packument = parse(format!(
            r#"{{"name": "n", "versions": {{"1.0.0": {value}}}}}"#
        ))
        .unwrap();
        (
            packument.entry("1.0.0").unwrap().problem(),
            packument.manifest("1.0.0").unwrap(),
        )
    };
    let tarball = r#""dist": {"tarball": "https://t.example/n-1.0.0.tgz"}"#;
    for (value, problem) in [
        (format!("{{{tarball}}}"), None),
        (format!(r#"{{"version": "1.0.0", {tarball}}}"#), None),
        (format!(r#"{{"version": "v1.0.0", {tarball}}}"#), None),
        (
            format!(r#"{{"version": "1.0.1", {tarball}}}"#),
            Some(SkipReason::OtherVersion),
        ),
        (
            format!(r#"{{"version": 1, {tarball}}}"#),
            Some(SkipReason::OtherVersion),
        ),
        ("{}".to_owned(), Some(SkipReason::NoTarball)),
        (r#"{"dist": {}}"#.to_owned(), Some(SkipReason::NoTarball)),
        (r#"{"dist": []}"#.to_owned(), Some(SkipReason::NoTarball)),
        (
            r#"{"dist": {"tarball": 1}}"#.to_owned(),
            Some(SkipReason::NoTarball),
        ),
        (
            r#"{"dist": {"tarball": ""}}"#.to_owned(),
            Some(SkipReason::NoTarball),
        ),
        (
            r#"{"dist": {"tarball": "\ud800"}}"#.to_owned(),
            Some(SkipReason::NoTarball),
        ),
    ] {
        let (got, manifest) = manifest(&value);
        assert_eq!(got, problem, "{value}");
        assert!(manifest.is_ok(), "{value}");
    }
    for value in ["null", "1", "\"x\"", "[]", "true"] {
        let (problem, manifest) = manifest(value);
        assert_eq!(problem, Some(SkipReason::NotAnObject), "{value}");
        assert!(
            matches!(manifest, Err(PackumentError::BadVersion { version, .. }) if version == "1.0.0"),
            "{value}"
        );
    }
    let dist = manifest("{}").1.unwrap().dist;
    assert_eq!(dist, Dist::default());
    assert_eq!(dist.best_integrity(), None);
}

/// A damaged digest is not replaced by the weaker one beside it.
#[test]
fn an_integrity_that_cannot_be_read_is_none() {
    let sha512 = format!("sha512-{}==", "A".repeat(86));
    let sha1 = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
    for (written, wanted) in [
        (format!("\"{sha512}\""), Some(sha512.as_str())),
        ("null".to_owned(), Some(sha1)),
        ("\"\"".to_owned(), Some(sha1)),
        ("false".to_owned(), Some(sha1)),
        // Bits that no digest has: the clients compare texts.
        (format!("\"sha512-{}B==\"", "A".repeat(85)), None),
        ("\"sha512-AAAA\"".to_owned(), None),
        ("\"sha512\"".to_owned(), None),
        ("\"md5-1B2M2Y8AsgTpgAmY7PhCfg==\"".to_owned(), None),
        ("[]".to_owned(), None),
        ("7".to_owned(), None),
    ] {
        let packument = parse(format!(
            r#"{{"name": "n", "versions": {{"1.0.0": {{"dist": {{"integrity": {written},
            "shasum": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}}}}}}}}"#
        ));
        let dist = packument.unwrap().manifest("1.0.0").unwrap().unwrap().dist;
        let read = dist.best_integrity().map(|it| it.to_string());
        assert_eq!(read.as_deref(), wanted, "{written}");
    }
}

#[test]
fn keys_that_are_not_versions() {
    let value = r#"{"dist": {"tarball": "https://t.example/n.tgz"}}"#;
    for (key, problem) in [
        ("1.0.0", None),
        ("1.0.0-rc.1+b", None),
        ("v1.0.0", None),
        ("1.0.0beta", None),
        ("latest", Some(SkipReason::NotAVersion)),
        ("1.0", Some(SkipReason::NotAVersion)),
        ("", Some(SkipReason::NotAVersion)),
        (" 1.0.0", Some(SkipReason::NotAVersion)),
        ("=1.0.0", Some(SkipReason::NotAVersion)),
        ("1.0.0/../../x", Some(SkipReason::NotAVersion)),
        ("__proto__", Some(SkipReason::NotAVersion)),
    ] {
        let packument = parse(format!(r#"{{"versions": {{"{key}": {value}}}}}"#)).unwrap();
        assert_eq!(packument.entry(key).unwrap().problem(), problem, "{key}");
    }
}

#[test]
fn escapes_hide_nothing() {
    let packument = parse(concat!(
        r#"{"n\u0061me": "\u006e", "vers\u0069ons": {"1\u002e0.0": {"d\u0069st": {"tarb\u0061ll": "https:\/\/t.example\/n.tgz"},"#,
        r#""depr\u0065cated": "x", "\ud800": 1}}, "dist\u002dtags": {"lat\u0065st": "\u0031.0.0"}, "t\u0069me": {"1.0.\u0030": "2020-01-01T00:00:00\u005a"}}"#,
    ))
    .unwrap();
    assert_eq!(packument.entry("1.0.0").unwrap().problem(), None);
    assert_eq!(packument.tag("latest"), Some("1.0.0"));
    assert!(packument.is_deprecated("1.0.0") && packument.published("1.0.0").is_some());
    assert_eq!(
        packument
            .manifest("1.0.0")
            .unwrap()
            .unwrap()
            .dist
            .tarball
            .as_deref(),
        Some("https://t.example/n.tgz")
    );
}

#[test]
fn documents_that_are_refused() {
    let duplicate = |key: &str| PackumentError::DuplicateKey(key.to_owned());
    for (text, error) in [
        (
            "<!doctype html><title>Sign in</title>",
            PackumentError::Html,
        ),
        ("  \n<html>", PackumentError::Html),
        ("[]", PackumentError::NotAPackument),
        ("\"x\"", PackumentError::NotAPackument),
        ("null", PackumentError::NotAPackument),
        ("{}", PackumentError::NotAPackument),
        (r#"{"error": "not found"}"#, PackumentError::NotAPackument),
        (r#"{"versions": []}"#, PackumentError::WrongType("versions")),
        (
            r#"{"versions": null}"#,
            PackumentError::WrongType("versions"),
        ),
        (
            r#"{"name": "n", "dist-tags": []}"#,
            PackumentError::WrongType("dist-tags"),
        ),
        (
            r#"{"name": "m", "versions": {}}"#,
            PackumentError::WrongName {
                asked: name(),
                got: "m".to_owned(),
            },
        ),
        (
            r#"{"name": 7, "versions": {}}"#,
            PackumentError::WrongName {
                asked: name(),
                got: "7".to_owned(),
            },
        ),
        (
            r#"{"_id": "m", "versions": {}}"#,
            PackumentError::WrongName {
                asked: name(),
                got: "m".to_owned(),
            },
        ),
        (r#"{"versions": {}, "versions": {}}"#, duplicate("versions")),
        (
            r#"{"versions": {}, "vers\u0069ons": {}}"#,
            duplicate("versions"),
        ),
        (r#"{"name": "n", "name": "n"}"#, duplicate("name")),
        (
            r#"{"name": "n", "time": {}, "time": {}}"#,
            duplicate("time"),
        ),
        (r#"{"name": "n", "time": {}, "time": 1}"#, duplicate("time")),
        (
            r#"{"name": "n", "readme": 1, "readme": 2}"#,
            duplicate("readme"),
        ),
        (
            r#"{"name": "n", "dist-tags": {"a": "1", "a": "2"}}"#,
            duplicate("a"),
        ),
        (
            r#"{"versions": {"1.0.0": {}, "1.0.\u0030": {}}}"#,
            duplicate("1.0.0"),
        ),
        (
            r#"{"versions": {"1.0.0": {"dist": {}, "dist": {}}}}"#,
            duplicate("dist"),
        ),
        (
            r#"{"versions": {"1.0.0": {"dist": 1, "d\u0069st": {}}}}"#,
            duplicate("dist"),
        ),
        (
            r#"{"versions": {"1.0.0": {"dist": {"tarball": "a", "tarball": "b"}}}}"#,
            duplicate("tarball"),
        ),
        (
            r#"{"versions": {"1.0.0": {"dependencies": {}, "dependencies": {}}}}"#,
            duplicate("dependencies"),
        ),
        (
            r#"{"versions": {"1.0.0": {}}, "time": {"1.0.0": "a", "1.0.0": "b"}}"#,
            duplicate("1.0.0"),
        ),
        (
            r#"{"name": "n", "time": {"created": "a", "created": "b"}}"#,
            duplicate("created"),
        ),
    ] {
        assert_eq!(parse(text).map(|_| ()), Err(error), "{text}");
    }
    for text in [
        "",
        "{",
        r#"{"name": "n""#,
        r#"{"name": "n", "versions": {"1.0.0": {"dist": {"tarb"#,
        "{} {}",
        "{'a': 1}",
    ] {
        assert!(
            matches!(parse(text), Err(PackumentError::NotJson(_))),
            "{text}"
        );
    }
    assert_eq!(
        Packument::parse(&name(), Bytes::from_static(b"{\"name\": \"\xff\"}")).map(|_| ()),
        Err(PackumentError::NotUtf8)
    );
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let bomb = format!(
            r#"{{"versions": {{"1.0.0": {{"x": {}1{}}}}}}}"#,
            open.repeat(100_000),
            close.repeat(100_000)
        );
        assert_eq!(parse(bomb).map(|_| ()), Err(PackumentError::TooDeep));
    }
}

#[test]
fn documents_that_are_odd_but_fine() {
    assert!(
        parse(r#"{"versions": {}}"#).is_ok(),
        "the name may be missing"
    );
    assert!(
        parse("\u{feff}{\"versions\": {}}")
            .unwrap()
            .raw()
            .starts_with(b"{")
    );
    let unpublished =
        parse(r#"{"_id": "n", "name": "n", "time": {"unpublished": {"name": "a", "tags": {}}}}"#)
            .unwrap();
    assert!(unpublished.is_unpublished() && unpublished.versions().is_empty());
    for time in [
        "null",
        "[]",
        "\"x\"",
        "{}",
        r#"{"1.0.0": 7}"#,
        r#"{"1.0.0": "yesterday"}"#,
    ] {
        let packument = parse(format!(
            r#"{{"versions": {{"1.0.0": {{}}}}, "time": {time}}}"#
        ))
        .unwrap();
        assert!(
            packument.time_is_partial() && packument.published("1.0.0").is_none(),
            "{time}"
        );
        assert_eq!(packument.created(), None);
    }
    let tags = parse(r#"{"name": "n", "dist-tags": {"latest": 1, "next": "2.0.0"}}"#).unwrap();
    assert_eq!(tags.dist_tags(), [("next".to_owned(), "2.0.0".to_owned())]);
}

#[test]
fn tarball_files() {
    let scoped = PackageName::parse("@s/n").unwrap();
    for (package, file, version) in [
        (name(), "n-1.0.0.tgz", Some("1.0.0")),
        (name(), "n-1.0.0-rc.1+b.tgz", Some("1.0.0-rc.1+b")),
        (name(), "n-1.0.0.tar.gz", None),
        (name(), "n-.tgz", None),
        (name(), "n-latest.tgz", None),
        (name(), "m-1.0.0.tgz", None),
        (name(), "n1.0.0.tgz", None),
        (name(), "n- 1.0.0.tgz", None),
        (name(), "n-../1.0.0.tgz", None),
        (scoped.clone(), "n-1.0.0.tgz", Some("1.0.0")),
        (scoped.clone(), "@s/n-1.0.0.tgz", Some("1.0.0")),
        (scoped, "@other/n-1.0.0.tgz", None),
    ] {
        assert_eq!(
            tarball_version(&package, file).as_deref(),
            version,
            "{package} {file}"
        );
    }
    let packument = parse(
        r#"{"versions": {
            "1.0.0": {"dist": {"tarball": "https://t.example/n/-/n-1.0.1.tgz"}},
            "1.0.1": {"dist": {"tarball": "https://t.example/n/-/final.tgz?x=/y"}},
            "1.0.2": {}
        }}"#,
    )
    .unwrap();
    for (file, version) in [
        ("n-1.0.1.tgz", Some("1.0.1")),
        ("n-1.0.0.tgz", Some("1.0.0")),
        ("final.tgz", Some("1.0.1")),
        ("n-9.9.9.tgz", None),
        ("y", None),
        ("", None),
        ("/", None),
    ] {
        assert_eq!(packument.version_of_tarball_file(file), version, "{file}");
    }
}

#[test]
fn each_tarball_has_the_address_that_it_has_upstream() {
    let name = PackageName::parse("@s/n").unwrap();
    let document = json!({"versions": {
        "1.0.0": {"dist": {"tarball": "https://r.example/download/@s/n/1.0.0/0a1b"}},
        "1.1.0": {"dist": {"tarball": "https://me:secret@r.example/n.tgz"}},
        "1.2.0": {"dist": {"tarball": "n.tgz"}},
        "1.3.0": {"dist": {}},
    }});
    let packument = Packument::parse(&name, document.to_string().into()).unwrap();
    let found: Vec<(String, String)> = packument.tarball_addresses().collect();
    let expected = (
        "@s/n/-/n-1.0.0.tgz",
        "https://r.example/download/@s/n/1.0.0/0a1b",
    );
    assert_eq!(found, [(expected.0.to_owned(), expected.1.to_owned())]);
}

#[test]
fn public_addresses() {
    let host = |package: &str, tarball: &str| {
        let package = PackageName::parse(package).unwrap();
        let document = json!({"versions": {"1.0.0": {"dist": {"tarball": tarball}}}});
        Packument::parse(&package, document.to_string().into())
            .unwrap()
            .public_hosts()
    };
    for (package, tarball, want) in [
        (
            "n",
            "https://r.example/n/-/n-1.0.0.tgz",
            &["https://r.example/"][..],
        ),
        (
            "n",
            "http://r.example:8080/a/b/n/-/n-1.0.0.tgz",
            &["http://r.example:8080/a/b/"],
        ),
        (
            "@s/n",
            "https://r.example/@s/n/-/n-1.0.0.tgz",
            &["https://r.example/"],
        ),
        (
            "@s/n",
            "https://r.example/npm/@s%2fn/-/n-1.0.0.tgz",
            &["https://r.example/npm/"],
        ),
        (
            "@s/n",
            "https://r.example/npm/@s%2Fn/-/n-1.0.0.tgz",
            &["https://r.example/npm/"],
        ),
        ("n", "https://r.example/xn/-/n-1.0.0.tgz", &[]),
        ("n", "https://files.example/n-1.0.0.tgz", &[]),
        ("n", "https://u:p@r.example/n/-/n-1.0.0.tgz", &[]),
        ("n", "ftp://r.example/n/-/n-1.0.0.tgz", &[]),
        ("n", "/n/-/n-1.0.0.tgz", &[]),
    ] {
        assert_eq!(host(package, tarball), want, "{tarball}");
    }
}

/// Two ways to the same words: the spans of the index, and the version read as a whole.
#[test]
fn a_publication_is_what_the_whole_version_says() {
    let said = [
        json!({}),
        json!({"_npmUser": {"name": "mill", "email": "mill@example.invalid"}, "gitHead": "abc"}),
        json!({"_npmUser": {"name": "a", "trustedPublisher": {"id": "github"}, "approver": {"name": "b"}}}),
        json!({"_npmUser": "mill <mill@example.invalid>", "maintainers": ["a", {"name": "b"}, 7]}),
        json!({"_npmUser": 7, "gitHead": {}, "_npmVersion": "10.0.0", "_nodeVersion": "22.0.0"}),
        json!({"dist": {"attestations": {"url": "u", "provenance": {"predicateType": "p"}}}}),
        json!({"dist": {"attestations": {"url": "u"}}}),
        json!({"dist": "none", "maintainers": "a <b>"}),
    ];
    for mut version in said {
        version["version"] = "1.0.0".into();
        let document = json!({"name": "n", "versions": {"1.0.0": version}}).to_string();
        // Escaped keys are the same keys.
        for text in [document.replace("gitHead", "git\\u0048ead"), document] {
            let packument = parse(text.as_str()).unwrap();
            let found = packument.publication("1.0.0").unwrap();
            let whole = packument.manifest("1.0.0").unwrap().unwrap();
            let provenance = whole.dist.attestations.and_then(|it| it.provenance);
            assert_eq!(found.publisher, whole.publisher, "{text}");
            assert_eq!(found.provenance, provenance.is_some(), "{text}");
            assert_eq!(found.maintainers, whole.maintainers, "{text}");
            assert_eq!(found.git_head, whole.git_head, "{text}");
            assert_eq!(found.npm_version, whole.npm_version, "{text}");
            assert_eq!(found.node_version, whole.node_version, "{text}");
        }
    }
    let odd = parse(r#"{"name":"n","versions":{"1.0.0":"no object"}}"#).unwrap();
    assert_eq!(odd.publication("1.0.0"), None);
    assert_eq!(odd.publication("2.0.0"), None);
}

/// Each version is measured by the others: what nobody publishes is not gone through.
#[test]
fn more_versions_than_any_package_has_are_refused() {
    let with = |count: usize| {
        let versions: Vec<String> = (0..count)
            .map(|it| format!(r#""1.0.{it}": {{}}"#))
            .collect();
        parse(format!(
            r#"{{"dist-tags": {{}}, "versions": {{{}}}}}"#,
            versions.join(",")
        ))
    };
    assert_eq!(with(100_000).map(|it| it.versions().len()), Ok(100_000));
    assert_eq!(
        with(100_001).map(|_| ()),
        Err(PackumentError::TooManyVersions(100_000))
    );
}
