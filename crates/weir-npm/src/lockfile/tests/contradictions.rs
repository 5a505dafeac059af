//! Two parts of an entry that state the same thing, and one of them edited: either the file is refused with
//! both, or what the client believes is what is told.

use super::{Problem, Source, at, read, refusal};

/// An entry of pnpm's, and what the refusal says of it; none where both sides say the same.
const PNPM: [(&str, &str, &str, Option<[&str; 2]>); 27] = [
    (
        "9.0",
        "silt@1.0.0",
        "version: 2.0.0",
        Some(["silt@1.0.0", "version is \"2.0.0\""]),
    ),
    (
        "9.0",
        "silt@1.0.0",
        "name: ms",
        Some(["silt@1.0.0", "name is \"ms\""]),
    ),
    ("9.0", "silt@1.0.0", "name: silt\n    version: 1.0.0", None),
    ("9.0", "silt@1.0.0", "version: 1.0.0+build", None),
    (
        "9.0",
        "'@s/silt@1.0.0'",
        "name: silt",
        Some(["@s/silt@1.0.0", "name is \"silt\""]),
    ),
    ("9.0", "silt@file:x.tgz", "version: 2.0.0", None),
    (
        "9.0",
        "silt@file:x.tgz",
        "name: ms",
        Some(["silt@file:x.tgz", "name is \"ms\""]),
    ),
    (
        "6.0",
        "/silt@1.0.0",
        "version: 2.0.0",
        Some(["/silt@1.0.0", "version is \"2.0.0\""]),
    ),
    (
        "6.0",
        "/silt@1.0.0(p@2.0.0)",
        "name: ms",
        Some(["/silt@1.0.0(p@2.0.0)", "name is \"ms\""]),
    ),
    ("6.0", "file:x.tgz", "name: silt\n    version: 2.0.0", None),
    (
        "5.4",
        "/silt/1.0.0",
        "version: 2.0.0",
        Some(["/silt/1.0.0", "version is \"2.0.0\""]),
    ),
    (
        "5.4",
        "/@s/silt/1.0.0_p@2.0.0",
        "name: ms",
        Some(["/@s/silt/1.0.0_p@2.0.0", "name is \"ms\""]),
    ),
    (
        "5.4",
        "registry.example.invalid/silt/1.0.0",
        "name: silt\n    version: 1.0.0",
        None,
    ),
    (
        "5.4",
        "registry.example.invalid/silt/1.0.0",
        "name: ms",
        Some(["silt/1.0.0", "name is \"ms\""]),
    ),
    (
        "5.4",
        "'@files.example.invalid/a/1.0.0'",
        "name: silt\n    version: 2.0.0",
        None,
    ),
    (
        "9.0",
        "silt@1.0.0",
        "AT {type: git, repo: https://evil.invalid/x.git, commit: 0a}",
        Some(["silt@1.0.0", "https://evil.invalid/x.git"]),
    ),
    (
        "9.0",
        "silt@1.0.0",
        "AT {gitHosted: true, tarball: https://evil.invalid/0a}",
        Some(["silt@1.0.0", "https://evil.invalid/0a"]),
    ),
    (
        "9.0",
        "silt@1.0.0",
        "AT {tarball: file:x.tgz}",
        Some(["silt@1.0.0", "\"x.tgz\""]),
    ),
    (
        "9.0",
        "silt@1.0.0",
        "AT {type: binary, url: https://evil.invalid/x.tgz}",
        Some(["silt@1.0.0", "\"binary\""]),
    ),
    (
        "9.0",
        "silt@https://a.invalid/x.tgz",
        "AT {tarball: https://evil.invalid/x.tgz}",
        Some(["a.invalid", "https://evil.invalid/x.tgz"]),
    ),
    (
        "9.0",
        "silt@https://a.invalid/x.tgz#path:/p",
        "AT {tarball: https://a.invalid/x.tgz, path: /p}",
        None,
    ),
    (
        "9.0",
        "silt@git+https://a.invalid/x.git#0a",
        "AT {repo: https://a.invalid/x.git, tarball: https://evil.invalid/x.tgz}",
        Some(["https://a.invalid/x.git", "https://evil.invalid/x.tgz"]),
    ),
    (
        "9.0",
        "silt@git+https://a.invalid/x.git#0123456789abcdef0123456789abcdef01234567",
        "AT {type: git, repo: https://a.invalid/x.git, commit: 76543210fedcba9876543210fedcba9876543210}",
        Some(["#0123456789", "76543210fedcba9876543210fedcba9876543210"]),
    ),
    (
        "9.0",
        "silt@git+https://a.invalid/x.git#0123456789abcdef0123456789abcdef01234567",
        "AT {type: git, repo: https://a.invalid/x.git, commit: 0123456789abcdef0123456789abcdef01234567}",
        None,
    ),
    (
        "9.0",
        "silt@git+https://a.invalid/x.git#0123456789abcdef0123456789abcdef01234567",
        "AT {type: git, repo: https://a.invalid/x.git, commit: 0123456789abcdef0123456789abcdef01234567, path: /p}",
        Some(["x.git", "\"/p\""]),
    ),
    (
        "9.0",
        "silt@git+https://a.invalid/x.git#0123456789abcdef0123456789abcdef01234567&path:/p(q@1.0.0)",
        "AT {type: git, repo: https://a.invalid/x.git, commit: 0123456789abcdef0123456789abcdef01234567, path: p}",
        None,
    ),
    (
        "9.0",
        "silt@https://a.invalid/x.tgz#path:/p",
        "AT {tarball: https://a.invalid/x.tgz, path: /evil}",
        Some(["#path:/p", "\"/evil\""]),
    ),
];

/// The other entry that a release has since version 9.
fn placed(version: &str, key: &str) -> String {
    match version {
        "9.0" => format!("snapshots:\n  {key}: {{}}\n"),
        _ => String::new(),
    }
}

#[test]
fn an_entry_of_pnpm_says_one_thing() {
    for (version, key, fields, told) in PNPM {
        let fields = match fields.strip_prefix("AT ") {
            Some(resolution) => format!("resolution: {resolution}"),
            None => format!("resolution: {{integrity: sha512-AAAA}}\n    {fields}"),
        };
        let placed = placed(version, key);
        let text =
            format!("lockfileVersion: '{version}'\npackages:\n  {key}:\n    {fields}\n{placed}");
        let Some([one, other]) = told else {
            read("pnpm-lock.yaml", &text);
            continue;
        };
        let error = refusal("pnpm-lock.yaml", &text);
        let said = error.to_string();
        assert!(
            matches!(error.problem, Problem::Contradiction { .. }),
            "{text}: {said}"
        );
        assert_eq!(error.line, 3, "{text}");
        assert!(said.contains(one) && said.contains(other), "{text}: {said}");
    }
}

/// What is fetched from an address says which version it is, and is no registry's for that.
#[test]
fn a_version_beside_an_address_makes_no_release_of_a_registry() {
    let url = "https://files.invalid/silt/1.0.0";
    let elsewhere = Source::Tarball(url.to_owned());
    let registry = Source::Registry(Some(url.to_owned()));
    for (version, key, source) in [
        ("9.0", "silt@https://files.invalid/silt/1.0.0", &elsewhere),
        ("6.0", "'@files.invalid/silt@1.0.0'", &elsewhere),
        ("5.4", "'@files.invalid/silt/1.0.0'", &elsewhere),
        ("9.0", "silt@1.0.0", &registry),
        ("6.0", "/silt@1.0.0", &registry),
        ("5.4", "/silt/1.0.0", &registry),
    ] {
        let placed = placed(version, key);
        let text = format!(
            "lockfileVersion: '{version}'\npackages:\n  {key}:\n    resolution: {{tarball: {url}}}\n    name: silt\n    \
             version: 1.0.0\n{placed}"
        );
        let lockfile = read("pnpm-lock.yaml", &text);
        let node = at(&lockfile, key.trim_matches('\''));
        assert_eq!(&node.source, source, "{text}");
    }
}

/// Before version 9 a release has an entry for each set of peers, and pnpm follows every one of them.
#[test]
fn the_entries_of_one_release_are_one_tarball() {
    let lock = |resolution: &str| {
        format!(
            "lockfileVersion: '6.0'\npackages:\n  /a@1.0.0(p@1.0.0):\n    resolution: {{integrity: sha512-AAAA}}\n  \
             /a@1.0.0(p@2.0.0):\n    resolution: {{{resolution}}}\n"
        )
    };
    let error = refusal("pnpm-lock.yaml", &lock("integrity: sha512-BBBB")).to_string();
    for side in [
        "/a@1.0.0(p@1.0.0)",
        "sha512-AAAA",
        "/a@1.0.0(p@2.0.0)",
        "sha512-BBBB",
    ] {
        assert!(error.contains(side), "{error}");
    }
    assert_eq!(
        read("pnpm-lock.yaml", &lock("integrity: sha512-AAAA"))
            .nodes
            .len(),
        2
    );
    let evil = "https://evil.invalid/a/-/a-1.0.0.tgz";
    let text = lock(&format!("integrity: sha512-AAAA, tarball: {evil}"));
    let lockfile = read("pnpm-lock.yaml", &text);
    let node = at(&lockfile, "/a@1.0.0(p@2.0.0)");
    assert_eq!(node.source, Source::Registry(Some(evil.to_owned())));
}

/// What the others believe: npm the `name`, bun the first element, yarn 2 and later the resolution, yarn 1 what
/// is asked for; and where the address is another release's, `weir check` compares it with this.
#[test]
fn the_other_clients_believe_one_side() {
    let at_ms = "https://registry.example.invalid/ms/-/ms-2.0.0.tgz";
    for (file, text, key, label) in [
        (
            "package-lock.json",
            format!(
                r#"{{"lockfileVersion": 3, "packages": {{"node_modules/silt": {{"name": "ms", "version": "1.0.0", "resolved": "{at_ms}"}}}}}}"#
            ),
            "node_modules/silt",
            "ms@1.0.0",
        ),
        (
            "package-lock.json",
            format!(
                r#"{{"lockfileVersion": 1, "dependencies": {{"silt": {{"version": "1.0.0", "resolved": "{at_ms}"}}}}}}"#
            ),
            "node_modules/silt",
            "silt@1.0.0",
        ),
        (
            "bun.lock",
            r#"{"lockfileVersion": 2, "packages": {"silt": ["ms@2.0.0", "", {}, "sha512-AAAA"]}}"#
                .to_owned(),
            "silt",
            "ms@2.0.0",
        ),
        (
            "yarn.lock",
            "__metadata:\n  version: 8\n\n\"silt@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"ms@npm:2.0.0\"\n"
                .to_owned(),
            "silt@npm:^1.0.0",
            "ms@2.0.0",
        ),
        (
            "yarn.lock",
            format!("silt@^1.0.0:\n  version \"1.0.0\"\n  resolved \"{at_ms}#00\"\n"),
            "silt@^1.0.0",
            "silt@1.0.0",
        ),
    ] {
        let lockfile = read(file, &text);
        let node = at(&lockfile, key);
        assert_eq!((node.label().as_str(), node.place.as_str()), (label, "silt"), "{text}");
        if text.contains(at_ms) {
            assert_eq!(node.source, Source::Registry(Some(at_ms.to_owned())), "{text}");
        }
    }
}

/// bun 1.4 writes the third version where overrides are for one package or one range.
#[test]
fn overrides_below_one_package_are_read_in_every_version_of_bun() {
    for version in 0..=3 {
        let text = format!(
            r#"{{"lockfileVersion": {version}, "configVersion": 1, "workspaces": {{"": {{"dependencies": {{"a": "1"}}}}}},
            "overrides": {{
                "a": {{ ".": "1.0.1", "b": "2.0.0", }}, "c@1": {{ ".": "1.1.0", }}, "@s/d@2": {{ "b@1": "npm:e@3", }}, "f": "4.0.0",
            }},
            "packages": {{"a": ["a@1.0.1", "", {{}}, "sha512-AAAA"],}},}}"#
        );
        let lockfile = read("bun.lock", &text);
        let table = lockfile.terms.overrides.iter();
        let table: Vec<_> = table.map(|(key, to)| (key.as_str(), to.as_str())).collect();
        let wanted = [
            ("@s/d@2>b@1", "npm:e@3"),
            ("a", "1.0.1"),
            ("a>b", "2.0.0"),
            ("c@1", "1.1.0"),
            ("f", "4.0.0"),
        ];
        assert_eq!(table, wanted);
        assert_eq!(lockfile.version, version.to_string());
        assert_eq!(super::led_to(&lockfile, ""), ["a -> a"]);
    }
}
