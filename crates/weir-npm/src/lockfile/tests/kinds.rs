//! Kinds of entries that only some clients write.

use super::{DependencyKind, Problem, Source, at, labels, led_to, read, refusal, why};
use crate::manifest::Manifest;

/// What pnpm 11 and later write for a project that asks for a pnpm and for a package that configures it.
pub(super) const PNPM_11: &str = "---
lockfileVersion: '9.0'

importers:

  .:
    configDependencies:
      '@s/pnpm-config':
        specifier: 1.0.0
        version: 1.0.0
    packageManagerDependencies:
      pnpm:
        specifier: 12.1.0
        version: 12.1.0

packages:

  '@s/pnpm-config@1.0.0':
    resolution: {integrity: sha512-AAAA}

  pnpm-native@12.1.0:
    resolution: {integrity: sha512-AAAA}
    os: [linux]

  pnpm@12.1.0:
    resolution: {integrity: sha512-AAAA}

snapshots:

  '@s/pnpm-config@1.0.0': {}

  pnpm-native@12.1.0:
    optional: true

  pnpm@12.1.0:
    optionalDependencies:
      pnpm-native: 12.1.0

---
lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      a:
        specifier: ^1.0.0
        version: 1.0.0

packages:

  a@1.0.0:
    resolution: {integrity: sha512-AAAA}

snapshots:

  a@1.0.0: {}
";

#[test]
fn both_documents_of_pnpm_are_read() {
    let lock = read("pnpm-lock.yaml", PNPM_11);
    assert_eq!(
        labels(&lock).into_iter().collect::<Vec<_>>(),
        [
            "@s/pnpm-config@1.0.0",
            "a@1.0.0",
            "pnpm-native@12.1.0",
            "pnpm@12.1.0"
        ]
    );
    assert_eq!(
        led_to(&lock, ""),
        [
            "@s/pnpm-config -> @s/pnpm-config@1.0.0",
            "pnpm -> pnpm@12.1.0",
            "a -> a@1.0.0"
        ]
    );
    assert_eq!(why(&lock, "pnpm-native@12.1.0"), ["pnpm", "pnpm-native"]);
    assert_eq!(at(&lock, "a@1.0.0").line, 52);
    let of_client = lock
        .edges
        .iter()
        .filter(|edge| edge.kind == DependencyKind::Client);
    assert_eq!(of_client.count(), 2);
    assert_eq!(lock.projects().count(), 1);
}

#[test]
fn documents_that_pnpm_does_not_write_are_refused() {
    let project = "lockfileVersion: '9.0'\nimporters:\n  .: {}\n";
    let (client, _) = PNPM_11.split_at(PNPM_11.rfind("---").unwrap());
    for (text, line, words) in [
        // A project hidden behind another one.
        (format!("{project}---\n{project}"), 5, "more than one"),
        (format!("{PNPM_11}---\n{project}"), 59, "more than one"),
        (client.to_owned(), 2, "the project's document is missing"),
        (
            client.replace("'9.0'", "'8.0'") + "---\n" + project,
            2,
            "version \"8.0\"",
        ),
        ("---\n---\n".to_owned(), 2, "more than one"),
    ] {
        let error = refusal("pnpm-lock.yaml", &text);
        let said = error.to_string();
        assert!(said.contains(words) && error.line == line, "{said}: {text}");
    }
    // An end that nothing follows is none.
    read("pnpm-lock.yaml", &format!("{project}...\n"));
}

/// Version 2 repeats itself for npm 6; what newer ones read counts.
#[test]
fn npm_2_is_read_by_its_packages() {
    let text = r#"{"name": "app", "lockfileVersion": 2, "requires": true, "packages": {
        "": {"dependencies": {"a": "^1"}},
        "node_modules/a": {"version": "1.0.0", "resolved": "https://registry.example/a/-/a-1.0.0.tgz"}},
        "dependencies": {"a": {"version": "0.9.0"}}}"#;
    for file in [
        "package-lock.json",
        "npm-shrinkwrap.json",
        "node_modules/.package-lock.json",
    ] {
        let lock = read(file, text);
        assert_eq!(labels(&lock).into_iter().collect::<Vec<_>>(), ["a@1.0.0"]);
        assert_eq!(led_to(&lock, ""), ["a -> node_modules/a"]);
    }
}

/// npm installs from `packages` where it is there, whatever the version says: what `dependencies` holds
/// beside it hides nothing.
#[test]
fn npm_reads_packages_in_any_version() {
    let packages = r#""packages": {"": {"dependencies": {"a": "1"}},
        "node_modules/a": {"version": "1.6.0", "dependencies": {"b": "1"}},
        "node_modules/b": {"version": "1.0.0"}}"#;
    let dependencies = r#""dependencies": {"a": {"version": "1.6.0"}}"#;
    for (version, packages, is) in [
        (
            "\"lockfileVersion\": 1,",
            packages,
            &["a@1.6.0", "b@1.0.0"][..],
        ),
        ("\"lockfileVersion\": 2,", packages, &["a@1.6.0", "b@1.0.0"]),
        ("", packages, &["a@1.6.0", "b@1.0.0"]),
        ("\"lockfileVersion\": 1,", "\"packages\": {}", &[]),
        (
            "\"lockfileVersion\": 1,",
            "\"packages\": null",
            &["a@1.6.0"],
        ),
        ("\"lockfileVersion\": 1,", "\"x\": 1", &["a@1.6.0"]),
        ("", "\"x\": 1", &["a@1.6.0"]),
    ] {
        let text = format!("{{{version} {packages}, {dependencies}}}");
        let lock = read("package-lock.json", &text);
        assert_eq!(labels(&lock).into_iter().collect::<Vec<_>>(), is, "{text}");
    }
}

/// A link is what it says where the project declares the folder; otherwise it is a folder that answers in
/// the place of a registry.
#[test]
fn a_link_nobody_declared_is_a_folder() {
    let workspaces = r#""workspaces": ["x/*"]"#;
    let in_object = r#""workspaces": {"packages": ["x/w"]}"#;
    let elsewhere = r#""workspaces": ["packages/*"]"#;
    let by_path = r#""dependencies": {"w": "file:x/w"}"#;
    let by_other_path = r#""dependencies": {"w": "file:x/v"}"#;
    let by_range = r#""dependencies": {"w": "1"}"#;
    for (root, resolved, spec, is_link) in [
        (workspaces, "x/w", "1", true),
        (workspaces, "./y/../x/w", "1", true),
        (in_object, "x/w", "1", true),
        (by_path, "x/w", "1", true),
        (elsewhere, "x/w", "1", false),
        (elsewhere, "x/w", "latest", false),
        (elsewhere, "x/w", "npm:w@1", false),
        (elsewhere, "packages/../x/w", "1", false),
        // npm takes it for a folder of that name.
        (workspaces, "file:x/w", "1", false),
        (by_other_path, "x/w", "1", false),
        (by_range, "x/w", "file:../../x/w", false),
        (r#""name": "app""#, "x/w", "1", false),
        // Asked for by its path only: nobody expects a registry's.
        (r#""name": "app""#, "x/w", "file:../../x/w", true),
    ] {
        let text = format!(
            r#"{{"lockfileVersion": 3, "packages": {{"": {{{root}}},
            "node_modules/a": {{"version": "1.0.0", "dependencies": {{"w": "{spec}"}}}},
            "node_modules/w": {{"link": true, "resolved": "{resolved}"}}, "x/w": {{"version": "1.0.2"}}}}}}"#
        );
        let lock = read("package-lock.json", &text);
        let source = &at(&lock, "node_modules/w").source;
        assert_eq!(matches!(source, Source::Link(_)), is_link, "{text}");
        assert_eq!(matches!(source, Source::File(_)), !is_link, "{text}");
        if !is_link && spec == "1" {
            assert_eq!(led_to(&lock, "node_modules/a"), ["w -> node_modules/w"]);
        }
        if is_link {
            assert_eq!(led_to(&lock, "node_modules/a"), ["w -> x/w"], "{text}");
        }
    }
}

/// What a declared folder asks for by its path is declared, too; what a package asks for so is not.
#[test]
fn paths_are_followed_from_the_project_only() {
    let lock = |root: &str| {
        let text = format!(
            r#"{{"lockfileVersion": 3, "packages": {{"": {{"dependencies": {{"a": "1", {root}}}}},
            "node_modules/a": {{"version": "1.0.0", "dependencies": {{"v": "1", "w": "file:../../x/w"}}}},
            "node_modules/w": {{"link": true, "resolved": "x/w"}},
            "node_modules/v": {{"link": true, "resolved": "x/v"}},
            "x/w": {{"version": "1.0.0", "dependencies": {{"v": "file:../v"}}}}, "x/v": {{"version": "1.0.0"}}}}}}"#
        );
        read("package-lock.json", &text)
    };
    let declared = lock(r#""w": "file:x/w""#);
    assert_eq!(
        led_to(&declared, "node_modules/a"),
        ["v -> x/v", "w -> x/w"]
    );
    let by_package = lock(r#""b": "1""#);
    assert_eq!(
        at(&by_package, "node_modules/v").source,
        Source::File("x/v".to_owned())
    );
    // Without a mark, `link:` is no link.
    for text in [
        r#"{"lockfileVersion": 3, "packages": {"node_modules/w": {"resolved": "link:x/w"}}}"#,
        r#"{"lockfileVersion": 1, "dependencies": {"w": {"version": "link:x/w"}}}"#,
    ] {
        let lock = read("package-lock.json", text);
        let source = &at(&lock, "node_modules/w").source;
        assert_eq!(source, &Source::File("x/w".to_owned()), "{text}");
    }
}

/// The file that npm hides in `node_modules` has no entry for the root, and an empty one declares nothing.
#[test]
fn links_that_the_file_itself_does_not_declare_are_judged_by_the_project() {
    for entry in ["", r#""": {}, "#] {
        for (asked, workspaces, is_link) in [
            ("1", &["x/*"][..], true),
            ("1", &["./x/w/"], true),
            ("file:x/w", &[], true),
            ("1", &[], false),
            ("latest", &["packages/*"], false),
            ("1", &["x/*", "!x/w"], false),
            ("file:y/w", &[], true),
        ] {
            let text = format!(
                r#"{{"lockfileVersion": 3, "packages": {{{entry}
                "node_modules/w": {{"link": true, "resolved": "x/w"}}, "x/w": {{"version": "1.0.0"}}}}}}"#
            );
            let mut lock = read("package-lock.json", &text);
            let manifest = format!(r#"{{"dependencies": {{"w": "{asked}"}}}}"#);
            lock.add_project("", &Manifest::from_json(manifest.as_bytes()).unwrap());
            let patterns: Vec<String> = workspaces.iter().map(|it| (*it).to_owned()).collect();
            lock.judge_links(&patterns);
            let source = &at(&lock, "node_modules/w").source;
            let context = format!("{text} {asked} {workspaces:?}");
            assert_eq!(matches!(source, Source::Link(_)), is_link, "{context}");
            assert_eq!(led_to(&lock, ""), ["w -> node_modules/w"], "{context}");
        }
    }
}

#[test]
fn what_npm_repeats_of_the_workspaces() {
    let cases: [(&str, Option<&[&str]>); 5] = [
        (r#""": {"workspaces": ["a", "b/*"]}"#, Some(&["a", "b/*"])),
        (
            r#""": {"workspaces": {"packages": ["a"], "nohoist": ["b"]}}"#,
            Some(&["a"]),
        ),
        (r#""": {"workspaces": "a"}"#, Some(&[])),
        (r#""": {}"#, Some(&[])),
        (r#""packages/a": {"workspaces": ["a"]}"#, None),
    ];
    for (root, workspaces) in cases {
        let text = format!(r#"{{"lockfileVersion": 3, "packages": {{{root}}}}}"#);
        let said = read("package-lock.json", &text).terms.workspaces;
        let owned =
            |list: &[&str]| -> Vec<String> { list.iter().map(|it| (*it).to_owned()).collect() };
        assert_eq!(said, workspaces.map(owned), "{text}");
    }
}

/// Packages of JSR come from a registry under a name of their own: as an alias with npm, and as such with
/// pnpm and yarn.
#[test]
fn packages_of_jsr_are_packages_of_a_registry() {
    let npm = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"@std/bytes": "npm:@jsr/std__bytes@^1"}},
        "node_modules/@std/bytes": {"name": "@jsr/std__bytes", "version": "1.0.0",
            "resolved": "https://jsr.example/~/11/@jsr/std__bytes/1.0.0.tgz"}}}"#;
    let lock = read("package-lock.json", npm);
    let node = at(&lock, "node_modules/@std/bytes");
    assert_eq!(
        (node.place.as_str(), node.label().as_str()),
        ("@std/bytes", "@jsr/std__bytes@1.0.0")
    );
    let pnpm = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      '@std/bytes':\n        specifier: jsr:^1.0.0\n        \
        version: '@jsr/std__bytes@1.0.0'\npackages:\n  '@jsr/std__bytes@1.0.0':\n    resolution: {integrity: sha512-AAAA, tarball: https://jsr.example/~/11/@jsr/std__bytes/1.0.0.tgz}\nsnapshots:\n  '@jsr/std__bytes@1.0.0': {}\n";
    let lock = read("pnpm-lock.yaml", pnpm);
    let node = at(&lock, "@jsr/std__bytes@1.0.0");
    assert!(matches!(node.source, Source::Registry(Some(_))), "{node:?}");
    assert_eq!(led_to(&lock, ""), ["@std/bytes -> @jsr/std__bytes@1.0.0"]);
    let berry = "__metadata:\n  version: 8\n\n\"@std/bytes@jsr:^1.0.0\":\n  version: 1.0.0\n  resolution: \"@jsr/std__bytes@npm:1.0.0\"\n\n\
        \"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n  dependencies:\n    \"@std/bytes\": \"jsr:^1.0.0\"\n";
    let lock = read("yarn.lock", berry);
    assert_eq!(why(&lock, "@std/bytes@jsr:^1.0.0"), ["@std/bytes"]);
    assert_eq!(
        at(&lock, "@std/bytes@jsr:^1.0.0").label(),
        "@jsr/std__bytes@1.0.0"
    );
}

/// yarn's `resolutions` change requests, and the file has only what came of it.
#[test]
fn what_a_resolution_changed_is_found_by_its_name() {
    let text = "__metadata:\n  version: 8\n\n\"a@npm:1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    \
        b: \"npm:^1.0.0\"\n    c: \"npm:^9\"\n\n\"b@npm:1.0.0\":\n  version: 1.0.0\n  resolution: \"b@npm:1.0.0\"\n\n\
        \"c@npm:1\":\n  version: 1.0.0\n  resolution: \"c@npm:1.0.0\"\n\n\"c@npm:2\":\n  version: 2.0.0\n  resolution: \"c@npm:2.0.0\"\n";
    let lock = read("yarn.lock", text);
    assert_eq!(led_to(&lock, "a@npm:1"), ["b -> b@npm:1.0.0", "c -> ?"]);
}

/// What is inside another package is not fetched; the word for it alone makes nothing so.
#[test]
fn what_is_said_to_be_bundled_lies_in_a_package_that_is_fetched() {
    let npm = |entries: &str| {
        format!(
            r#"{{"lockfileVersion": 3, "packages": {{"": {{}}, "w": {{}}, "node_modules/w": {{"resolved": "w", "link": true}},
            "node_modules/a": {{"version": "1.0.0", "integrity": "sha512-AAAA", "bundleDependencies": ["b"]}},
            "node_modules/d": {{"version": "1.0.0", "integrity": "sha512-AAAA", "bundleDependencies": []}},
            {entries}}}}}"#
        )
    };
    let bun = |entry: &str| {
        format!(
            r#"{{"lockfileVersion": 1, "workspaces": {{"": {{}}, "w": {{"name": "w"}}}}, "packages": {{
            "w": ["w@workspace:w"], "a": ["a@1.0.0", "", {{}}, "sha512-AAAA"], {entry}}}}}"#
        )
    };
    let address = r#""resolved": "https://registry.example.invalid/b/-/b-1.0.0.tgz""#;
    let inside = |place: &str, more: &str| {
        npm(&format!(
            r#""{place}node_modules/b": {{"version": "1.0.0", "inBundle": true{more}}}"#
        ))
    };
    let listed = |key: &str, digest: &str| {
        bun(&format!(
            r#""{key}": ["b@1.0.0", "", {{"bundled": true}}, "{digest}"]"#
        ))
    };
    for (file, text, bundled, served) in [
        (
            "package-lock.json",
            inside("node_modules/a/", ""),
            true,
            false,
        ),
        (
            "package-lock.json",
            inside("node_modules/a/", &format!(", {address}")),
            true,
            true,
        ),
        ("package-lock.json", inside("", ""), false, true),
        ("package-lock.json", inside("w/", ""), false, true),
        (
            "package-lock.json",
            inside("node_modules/d/", ""),
            false,
            true,
        ),
        (
            "package-lock.json",
            inside("node_modules/w/", ""),
            false,
            true,
        ),
        (
            "package-lock.json",
            inside("node_modules/c/", ""),
            false,
            true,
        ),
        ("bun.lock", listed("a/b", "sha512-AAAA"), true, true),
        ("bun.lock", listed("a/b", ""), false, true),
        ("bun.lock", listed("w/b", "sha512-AAAA"), false, true),
        ("bun.lock", listed("b", ""), false, true),
    ] {
        let lock = read(file, &text);
        let node = lock.nodes.iter().find(|node| node.name == "b").unwrap();
        assert_eq!(
            (node.flags.bundled, node.is_served()),
            (bundled, served),
            "{text}"
        );
    }
}

/// npm writes none of them with `install-strategy=linked`, and fetches nothing for them: what lies above is
/// another package's.
#[test]
fn what_a_package_brings_inside_itself_need_not_have_an_entry() {
    for (entry, inside, leads_to, may_be_missing) in [
        (r#", "bundleDependencies": ["b"]"#, "", "?", true),
        (r#", "bundleDependencies": true"#, "", "?", true),
        (
            r#", "bundleDependencies": ["c"]"#,
            "",
            "node_modules/b",
            false,
        ),
        (
            r#", "bundleDependencies": false"#,
            "",
            "node_modules/b",
            false,
        ),
        ("", "", "node_modules/b", false),
        (
            r#", "bundleDependencies": ["b"]"#,
            r#", "node_modules/a/node_modules/b": {"version": "1.0.0", "inBundle": true}"#,
            "node_modules/a/node_modules/b",
            false,
        ),
    ] {
        let text = format!(
            r#"{{"lockfileVersion": 3, "packages": {{"": {{}}, "node_modules/b": {{"version": "2.0.0"}},
            "node_modules/a": {{"version": "1.0.0", "dependencies": {{"b": "^1.0.0"}}{entry}}}{inside}}}}}"#
        );
        let lock = read("package-lock.json", &text);
        let led = led_to(&lock, "node_modules/a");
        assert_eq!(led, [format!("b -> {leads_to}")], "{text}");
        assert_eq!(lock.edges[0].optional, may_be_missing, "{text}");
    }
    // What a project lists is fetched for it.
    let text = r#"{"lockfileVersion": 3, "packages": {"": {"bundleDependencies": ["b"], "dependencies": {"b": "1"}},
        "w": {"bundleDependencies": ["a"]}, "w/node_modules/a": {"version": "1.0.0", "integrity": "sha512-AAAA"},
        "w/node_modules/a/node_modules/c": {"version": "1.0.0", "inBundle": true}}}"#;
    let lock = read("package-lock.json", text);
    assert!(!lock.edges[0].optional);
    assert!(at(&lock, "w/node_modules/a/node_modules/c").is_served());
}

#[test]
fn the_layout_that_npm_links_is_refused_once() {
    let text = r#"{"lockfileVersion": 3, "packages": {
"node_modules/.store/ms@1.0.0-ab": {},
"node_modules/.store/ms@1.0.0-ab/node_modules/ms": {"version": "1.0.0"},
"node_modules/ms": {"resolved": "node_modules/.store/ms@1.0.0-ab/node_modules/ms", "link": true}}}"#;
    let error = refusal(".package-lock.json", text);
    assert_eq!((error.line, error.problem), (2, Problem::LinkedLayout));
}

#[test]
fn pnpm_says_what_it_leaves_out() {
    for (text, without_links, ignored) in [
        ("", None, [false, false]),
        (
            "settings:\n  excludeLinksFromLockfile: true\n",
            Some(true),
            [false, false],
        ),
        (
            "settings:\n  excludeLinksFromLockfile: false\nignoredOptionalDependencies:\n  - silt\n",
            Some(false),
            [true, false],
        ),
        (
            "ignoredOptionalDependencies:\n  - '@s/*'\n",
            None,
            [false, true],
        ),
        (
            "ignoredOptionalDependencies:\n  - '!silt'\n",
            None,
            [true, true],
        ),
    ] {
        let text = format!("lockfileVersion: '9.0'\n{text}importers:\n  .: {{}}\n");
        let terms = read("pnpm-lock.yaml", &text).terms;
        assert_eq!(terms.without_links, without_links, "{text}");
        let found = ["silt", "@s/silt"].map(|name| terms.may_ignore(name));
        assert_eq!(found, ignored, "{text}");
    }
}
