//! `weir check` on folders of the project in the place of packages, on workspaces that a lockfile lacks, and on
//! versions that the project sets for everybody.

use serde_json::Value;

use crate::support::{World, river};

/// The errors of a project with these files, of which the first is the lockfile: `rule:line`.
fn errors(files: &[(&str, &str)]) -> Vec<String> {
    let world = World::new();
    for (file, text) in files {
        world.write(&format!("work/{file}"), text);
    }
    let run = world.run_before(
        &river(),
        &["check", "--json", "--offline", "--lockfile", files[0].0],
    );
    let report: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.text()));
    let findings = report["findings"].as_array().unwrap().iter();
    let errors = findings.filter(|it| it["level"] == "error");
    let told = errors.map(|it| format!("{}:{}", it["rule"].as_str().unwrap(), it["line"]));
    told.collect()
}

const ROOT: &str =
    r#"{"name": "r", "workspaces": ["packages/*"], "dependencies": {"silt": "^1.0.0"}}"#;
const SILT: &str = r#"{"name": "silt", "version": "1.2.0"}"#;
const PATTERNS: &str = "packages:\n  - packages/*\n";

const NPM: &str = r#"{"name": "r", "lockfileVersion": 3, "packages": {
"": {"name": "r", "workspaces": ["packages/*"], "dependencies": {"silt": "^1.0.0"}},
"node_modules/silt": {"resolved": "packages/silt", "link": true},
"packages/silt": {"version": "1.2.0"}
}}
"#;
const NPM_1: &str = r#"{"name": "r", "lockfileVersion": 1, "dependencies": {
"silt": {"version": "file:packages/silt"}
}}
"#;
const PNPM: &str = "lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      silt:
        specifier: ^1.0.0
        version: link:packages/silt
  packages/silt: {}
";
const BERRY: &str = "__metadata:
  version: 8

\"r@workspace:.\":
  version: 0.0.0-use.local
  resolution: \"r@workspace:.\"
  dependencies:
    silt: \"npm:^1.0.0\"

\"silt@npm:^1.0.0, silt@workspace:packages/silt\":
  version: 0.0.0-use.local
  resolution: \"silt@workspace:packages/silt\"
";
const BUN: &str = r#"{"lockfileVersion": 1, "workspaces": {
"": {"name": "r", "dependencies": {"silt": "^1.0.0"}},
"packages/silt": {"name": "silt", "version": "1.2.0"}}, "packages": {
"silt": ["silt@workspace:packages/silt"],
}}
"#;

const LOCKS: [(&str, &str); 5] = [
    ("package-lock.json", NPM),
    ("package-lock.json", NPM_1),
    ("pnpm-lock.yaml", PNPM),
    ("yarn.lock", BERRY),
    ("bun.lock", BUN),
];

/// What is wrong with each lockfile where the workspace is this.
fn with_workspace(silt: &str) -> Vec<Vec<String>> {
    let told = LOCKS.iter().map(|lock| {
        errors(&[
            *lock,
            ("package.json", ROOT),
            ("pnpm-workspace.yaml", PATTERNS),
            ("packages/silt/package.json", silt),
        ])
    });
    told.collect()
}

#[test]
fn a_workspace_answers_for_its_own_name_and_version() {
    for told in with_workspace(SILT) {
        assert!(told.is_empty(), "{told:?}");
    }
    for told in with_workspace(&SILT.replace("silt", "evil")) {
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("other-package:"), "{told:?}");
    }
    let told = with_workspace(&SILT.replace("1.2.0", "2.0.0"));
    let told: Vec<&str> = told
        .iter()
        .map(|it| it.first().map_or("", String::as_str))
        .collect();
    // pnpm installs it from a frozen lockfile all the same.
    let step = "out-of-step:";
    assert!(
        told[0].starts_with(step) && told[1].starts_with(step),
        "{told:?}"
    );
    assert_eq!(told[2], "");
    assert!(
        told[3].starts_with(step) && told[4].starts_with(step),
        "{told:?}"
    );
}

#[test]
fn a_folder_that_is_no_workspace_answers_nothing() {
    let evil = "evil/package.json";
    for (file, lock, line) in [
        (
            "pnpm-lock.yaml",
            PNPM.replace("link:packages/silt", "link:evil"),
            1,
        ),
        (
            "yarn.lock",
            BERRY.replace(
                "resolution: \"silt@workspace:packages/silt\"",
                "resolution: \"silt@link:./evil::locator=r%40workspace%3A.\"",
            ),
            10,
        ),
    ] {
        let files = [
            (file, lock.as_str()),
            (
                "package.json",
                r#"{"name": "r", "dependencies": {"silt": "^1.0.0"}}"#,
            ),
            ("pnpm-workspace.yaml", PATTERNS),
            ("packages/silt/package.json", SILT),
            (evil, SILT),
        ];
        assert_eq!(errors(&files), [format!("other-package:{line}")], "{file}");
        // What the project itself puts there is wanted.
        let placed = r#"{"name": "r", "dependencies": {"silt": "^1.0.0"}, "pnpm": {"overrides": {"silt": "link:evil"}}, "resolutions": {"silt": "link:./evil"}}"#;
        let mut files = files;
        files[1].1 = placed;
        let found = errors(&files);
        assert!(found.is_empty(), "{file}: {found:?}");
    }
}

/// A release that is said to ask for a folder by its path.
#[test]
fn a_release_asks_for_no_folder_of_the_project() {
    let npm = r#"{"name": "r", "lockfileVersion": 3, "packages": {
"": {"name": "r", "dependencies": {"reed": "^1.0.0"}},
"evil": {"name": "silt", "version": "1.2.0"},
"node_modules/reed": {"version": "1.0.0", "integrity": "DIGEST", "dependencies": {"silt": "file:../../evil"}},
"node_modules/reed/node_modules/silt": {"resolved": "evil", "link": true}
}}
"#;
    let pnpm = "lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      reed:
        specifier: ^1.0.0
        version: 1.0.0
packages:
  reed@1.0.0:
    resolution: {integrity: DIGEST}
  silt@file:evil:
    resolution: {directory: evil, type: directory}
snapshots:
  reed@1.0.0:
    dependencies:
      silt: file:evil
  silt@file:evil: {}
";
    let digest = format!("sha512-{}==", "A".repeat(86));
    let manifest = r#"{"name": "r", "dependencies": {"reed": "^1.0.0"}}"#;
    let placed = r#"{"name": "r", "dependencies": {"reed": "^1.0.0", "silt": "file:evil"}}"#;
    for (file, lock) in [("package-lock.json", npm), ("pnpm-lock.yaml", pnpm)] {
        let lock = lock.replace("DIGEST", &digest);
        let told = |lock: &str, manifest: &str| {
            errors(&[
                (file, lock),
                ("package.json", manifest),
                ("evil/package.json", SILT),
            ])
        };
        let found = told(&lock, manifest);
        let is_told = found.iter().any(|it| it.starts_with("other-package:"));
        assert!(is_told, "{file}: {found:?}");
        // What the project itself asks for is wanted.
        let lock = lock
            .replace(
                r#"{"reed": "^1.0.0"}"#,
                r#"{"reed": "^1.0.0", "silt": "file:evil"}"#,
            )
            .replace(
                "        version: 1.0.0\n",
                "        version: 1.0.0\n      silt:\n        specifier: file:evil\n        version: file:evil\n",
            )
            .replace("node_modules/reed/node_modules/silt", "node_modules/silt");
        let found = told(&lock, placed);
        assert!(found.is_empty(), "{file}: {found:?}");
    }
}

#[test]
fn yarn_fetches_the_version_of_the_resolution() {
    let lock = |version: &str| {
        format!(
            "__metadata:\n  version: 8\n\n\"r@workspace:.\":\n  version: 0.0.0-use.local\n  \
             resolution: \"r@workspace:.\"\n  dependencies:\n    silt: \"npm:^1.0.0\"\n\n\
             \"silt@npm:^1.0.0\":\n  version: {version}\n  resolution: \"silt@npm:1.1.0\"\n  \
             checksum: 10c0/b\n"
        )
    };
    let manifest = r#"{"name": "r", "dependencies": {"silt": "^1.0.0"}}"#;
    for (version, expected) in [("1.1.0", &[] as &[&str]), ("1.2.0", &["other-package:10"])] {
        let lock = lock(version);
        let found = errors(&[("yarn.lock", &lock), ("package.json", manifest)]);
        assert_eq!(found, expected, "{version}");
    }
}

/// Who asks a registry for what the project has by a path gets the same.
#[test]
fn a_path_that_the_project_asks_for_answers_others_as_well() {
    let lock = r#"{"name": "r", "lockfileVersion": 3, "packages": {
"": {"name": "r", "workspaces": ["w"], "dependencies": {"silt": "file:silt"}},
"node_modules/silt": {"resolved": "silt", "link": true},
"node_modules/w": {"resolved": "w", "link": true},
"silt": {"version": "1.2.0"},
"w": {"version": "1.0.0", "dependencies": {"silt": "^1.0.0"}}
}}"#;
    let found = errors(&[
        ("package-lock.json", lock),
        (
            "package.json",
            r#"{"name": "r", "workspaces": ["w"], "dependencies": {"silt": "file:silt"}}"#,
        ),
        ("silt/package.json", SILT),
        (
            "w/package.json",
            r#"{"name": "w", "version": "1.0.0", "dependencies": {"silt": "^1.0.0"}}"#,
        ),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn workspaces_that_are_there_have_to_be_in_the_lockfile() {
    let more = |manifest: &str, place: &str| -> Vec<usize> {
        let place = format!("{place}/package.json");
        let told = LOCKS.iter().map(|lock| {
            let files = [
                *lock,
                ("package.json", ROOT),
                ("pnpm-workspace.yaml", PATTERNS),
                ("packages/silt/package.json", SILT),
                (place.as_str(), manifest),
            ];
            let told = errors(&files);
            assert!(told.iter().all(|it| it == "out-of-step:1"), "{told:?}");
            told.len()
        });
        told.collect()
    };
    let asks = r#"{"name": "dam", "dependencies": {"silt": "^1.0.0"}}"#;
    // npm's first version does not list them, and pnpm does without those that ask for nothing.
    assert_eq!(more(asks, "packages/dam"), [1, 0, 1, 1, 1]);
    assert_eq!(more(r#"{"name": "dam"}"#, "packages/dam"), [1, 0, 0, 1, 1]);
    for place in [
        "dam",
        "packages/silt/dam",
        "packages/node_modules/dam",
        "node_modules/dam",
    ] {
        assert_eq!(more(asks, place), [0; 5], "{place}");
    }
}

#[test]
fn what_the_project_sets_has_to_be_locked() {
    let sha = format!("sha512-{}==", "A".repeat(86));
    let npm = format!(
        r#"{{"name": "r", "lockfileVersion": 3, "packages": {{
"": {{"name": "r", "dependencies": {{"dam": "^1.0.0"}}}},
"node_modules/dam": {{"version": "1.0.0", "integrity": "{sha}", "dependencies": {{"silt": "^1.0.0"}}}},
"node_modules/silt": {{"version": "1.2.0", "integrity": "{sha}"}}
}}}}"#
    );
    let pnpm = format!(
        "lockfileVersion: '9.0'
overrides:
  silt: 2.0.0
importers:
  .:
    dependencies:
      dam:
        specifier: ^1.0.0
        version: 1.0.0
packages:
  dam@1.0.0:
    resolution: {{integrity: {sha}}}
  silt@1.2.0:
    resolution: {{integrity: {sha}}}
snapshots:
  dam@1.0.0:
    dependencies:
      silt: 1.2.0
  silt@1.2.0: {{}}
"
    );
    let berry = "__metadata:\n  version: 8\n\n\"dam@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"dam@npm:1.0.0\"\n  \
        dependencies:\n    silt: \"npm:^1.0.0\"\n  checksum: 10c0/a\n\n\"r@workspace:.\":\n  version: 0.0.0-use.local\n  \
        resolution: \"r@workspace:.\"\n  dependencies:\n    dam: \"npm:^1.0.0\"\n\n\"silt@npm:VERSION\":\n  \
        version: 1.2.0\n  resolution: \"silt@npm:1.2.0\"\n  checksum: 10c0/b\n";
    let berry = berry.replace("VERSION", "^1.0.0");
    let manifest = |version: &str| {
        format!(
            r#"{{"name": "r", "dependencies": {{"dam": "^1.0.0"}}, "overrides": {{"silt": "{version}"}},
            "resolutions": {{"silt": "{version}"}}}}"#
        )
    };
    for (file, lock, line) in [
        ("package-lock.json", &npm, 4),
        ("yarn.lock", &berry, 17),
        ("pnpm-lock.yaml", &pnpm, 13),
    ] {
        for (version, wanted) in [("1.2.0", false), ("^1.0.0", false), ("2.0.0", true)] {
            let lock = lock.replace("silt: 2.0.0", &format!("silt: {version}"));
            let yaml = format!("overrides:\n  silt: {version}\n");
            let manifest = manifest(version);
            let plain = r#"{"name": "r", "dependencies": {"dam": "^1.0.0"}}"#;
            let is_pnpm = file.starts_with("pnpm");
            let told = errors(&[
                (file, lock.as_str()),
                (
                    "package.json",
                    if is_pnpm { plain } else { manifest.as_str() },
                ),
                (
                    "pnpm-workspace.yaml",
                    if is_pnpm { yaml.as_str() } else { "" },
                ),
            ]);
            let wanted: Vec<String> = wanted
                .then(|| format!("out-of-step:{line}"))
                .into_iter()
                .collect();
            assert_eq!(told, wanted, "{file} {version}");
        }
    }
    // pnpm compares its list with the project's.
    let changed = pnpm.replace("silt: 2.0.0", "silt: 1.0.0 - 2");
    let told = errors(&[
        ("pnpm-lock.yaml", changed.as_str()),
        (
            "package.json",
            r#"{"name": "r", "dependencies": {"dam": "^1.0.0"}}"#,
        ),
        ("pnpm-workspace.yaml", "overrides:\n  silt: ^1.0.0\n"),
    ]);
    assert_eq!(told, ["out-of-step:1"]);
}

/// Whatever the project sets for a package, one that has no entry is installed from no lockfile.
#[test]
fn what_the_project_sets_may_not_be_missing() {
    let sha = format!("sha512-{}==", "A".repeat(86));
    let npm = format!(
        r#"{{"name": "r", "lockfileVersion": 3, "packages": {{
"": {{"name": "r", "dependencies": {{"dam": "^1.0.0"}}}},
"node_modules/dam": {{"version": "1.0.0", "integrity": "{sha}", "dependencies": {{"silt": "^1.0.0"}}}}
}}}}"#
    );
    let bun = format!(
        r#"{{"lockfileVersion": 1, "workspaces": {{"": {{"name": "r", "dependencies": {{"dam": "^1.0.0"}}}}}},
"overrides": {{"silt": "1.2.0"}},
"packages": {{"dam": ["dam@1.0.0", "", {{"dependencies": {{"silt": "^1.0.0"}}}}, "{sha}"]}}}}"#
    );
    let berry = "__metadata:\n  version: 8\n\n\"dam@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"dam@npm:1.0.0\"\n  \
        dependencies:\n    silt: \"npm:^1.0.0\"\n  checksum: 10c0/a\n\n\"r@workspace:.\":\n  version: 0.0.0-use.local\n  \
        resolution: \"r@workspace:.\"\n  dependencies:\n    dam: \"npm:^1.0.0\"\n";
    let classic = format!(
        "# yarn lockfile v1\n\n\ndam@^1.0.0:\n  version \"1.0.0\"\n  resolved \"https://registry.example.invalid/dam/-/dam-1.0.0.tgz#00\"\n  \
         integrity {sha}\n  dependencies:\n    silt \"^1.0.0\"\n"
    );
    for (file, lock, keys) in [
        ("package-lock.json", npm.as_str(), ["silt", "silt@1"]),
        ("bun.lock", bun.as_str(), ["silt", "silt@1"]),
        ("yarn.lock", berry, ["silt", "silt@npm:^1.0.0"]),
        ("yarn.lock", classic.as_str(), ["silt", "**/silt"]),
    ] {
        for key in keys {
            let manifest = format!(
                r#"{{"name": "r", "dependencies": {{"dam": "^1.0.0"}}, "overrides": {{"{key}": "1.2.0"}},
                "resolutions": {{"{key}": "1.2.0"}}}}"#
            );
            let told = errors(&[(file, lock), ("package.json", manifest.as_str())]);
            let missing = told.iter().filter(|it| it.starts_with("out-of-step:"));
            assert_eq!(missing.count(), 1, "{file} {key}: {told:?}");
        }
    }
    // yarn 1 locks no links, and finds what it sets under that name.
    let linked = r#"{"name": "r", "dependencies": {"dam": "^1.0.0"}, "resolutions": {"silt": "link:./silt"}}"#;
    let set =
        r#"{"name": "r", "dependencies": {"dam": "^1.0.0"}, "resolutions": {"silt": "1.2.0"}}"#;
    let locked = format!("{classic}\nsilt@1.2.0:\n  version \"1.2.0\"\n  integrity {sha}\n");
    for (lock, manifest) in [(&classic, linked), (&locked, set)] {
        let told = errors(&[("yarn.lock", lock.as_str()), ("package.json", manifest)]);
        let missing = told.iter().filter(|it| it.starts_with("out-of-step:"));
        assert_eq!(missing.count(), 0, "{manifest}: {told:?}");
    }
}

/// pnpm installs what a project expects beside it, and lists it with what the project asks for.
#[test]
fn pnpm_lists_peers_of_the_project() {
    let sha = format!("sha512-{}==", "A".repeat(86));
    let lock = format!(
        "lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      silt:
        specifier: '>=1'
        version: 1.2.0
packages:
  silt@1.2.0:
    resolution: {{integrity: {sha}}}
snapshots:
  silt@1.2.0: {{}}
"
    );
    for (manifest, wanted) in [
        (
            r#"{"name": "r", "peerDependencies": {"silt": ">=1"}}"#,
            &[][..],
        ),
        (
            r#"{"peerDependencies": {"silt": ">=1"}, "peerDependenciesMeta": {"silt": {"optional": true}}}"#,
            &[],
        ),
        (
            r#"{"peerDependencies": {"silt": ">=2"}}"#,
            &["out-of-step:5"],
        ),
        (
            r#"{"peerDependencies": {"dam": ">=1"}}"#,
            &["out-of-step:5"],
        ),
    ] {
        let told = errors(&[
            ("pnpm-lock.yaml", lock.as_str()),
            ("package.json", manifest),
        ]);
        assert_eq!(told, wanted, "{manifest}");
    }
    // It installs whatever version is locked.
    let lock = lock.replace("'>=1'", "'>=2'");
    let told = errors(&[
        ("pnpm-lock.yaml", lock.as_str()),
        ("package.json", r#"{"peerDependencies": {"silt": ">=2"}}"#),
    ]);
    assert_eq!(told, ["out-of-step:9"]);
}

/// npm knows who asks by the name it is asked for under, in its `overrides` too.
#[test]
fn overrides_below_an_alias_are_those_of_the_alias() {
    let sha = format!("sha512-{}==", "A".repeat(86));
    let lock = format!(
        r#"{{"name": "r", "lockfileVersion": 3, "packages": {{
"": {{"name": "r", "dependencies": {{"al": "npm:dam@1.0.0"}}}},
"node_modules/al": {{"name": "dam", "version": "1.0.0", "integrity": "{sha}", "dependencies": {{"silt": "^1.0.0"}}}},
"node_modules/silt": {{"version": "1.2.0", "integrity": "{sha}"}}
}}}}"#
    );
    for (name, wanted) in [("dam", &[][..]), ("al", &["out-of-step:4"])] {
        let manifest = format!(
            r#"{{"name": "r", "dependencies": {{"al": "npm:dam@1.0.0"}}, "overrides": {{"{name}": {{"silt": "2.0.0"}}}}}}"#
        );
        let told = errors(&[
            ("package-lock.json", lock.as_str()),
            ("package.json", manifest.as_str()),
        ]);
        assert_eq!(told, wanted, "{name}");
    }
}

/// The name of what is at an address is not what it is asked for under.
#[test]
fn a_project_may_ask_for_an_address_under_any_name() {
    let sha = format!("sha512-{}==", "A".repeat(86));
    let at = "https://files.example.invalid/silt.tgz";
    let lock = format!(
        r#"{{"name": "r", "lockfileVersion": 3, "packages": {{
"": {{"name": "r", "dependencies": {{"rm": "{at}"}}}},
"node_modules/rm": {{"name": "silt", "version": "1.2.0", "resolved": "{at}", "integrity": "{sha}"}}
}}}}"#
    );
    let manifest = format!(r#"{{"name": "r", "dependencies": {{"rm": "{at}"}}}}"#);
    let told = |lock: &str| {
        errors(&[
            ("package-lock.json", lock),
            ("package.json", manifest.as_str()),
        ])
    };
    assert_eq!(told(&lock), [""; 0]);
    let moved = lock.replace(
        &format!(r#""resolved": "{at}""#),
        r#""resolved": "https://files.example.invalid/evil.tgz""#,
    );
    assert_eq!(told(&moved), ["other-package:3"]);
}
