//! Kinds of entries that only some clients write.

use super::{DependencyKind, Source, at, labels, led_to, read, refusal, why};

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
