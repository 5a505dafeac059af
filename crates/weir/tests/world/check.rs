//! `weir check`: a clean project is quiet, and each kind of tampering is found at its line.

use serde_json::Value;
use weir_testing::Registry;

use crate::check_base::{commit, git};
use crate::support::{World, river};

const MANIFEST: &str = r#"{
  "name": "app", "version": "1.0.0", "workspaces": ["packages/*"],
  "dependencies": {"gauge-reader": "^1.0.0", "nick": "npm:silt@^2.0.0"},
  "optionalDependencies": {"only-elsewhere": "1"}
}"#;

const WORKSPACE: &str =
    r#"{"name": "tool", "version": "0.1.0", "dependencies": {"silt": "^1.0.0"}}"#;

/// One entry per line, so that lines are easy to name.
const LOCK: &str = r#"{
  "name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {
    "": {"name": "app", "version": "1.0.0", "workspaces": ["packages/*"], "dependencies": {"gauge-reader": "^1.0.0", "nick": "npm:silt@^2.0.0"}, "optionalDependencies": {"only-elsewhere": "1"}},
    "node_modules/gauge-reader": {"version": "1.0.0", "resolved": "BASE/gauge-reader/-/gauge-reader-1.0.0.tgz", "integrity": "SHA", "dependencies": {"silt": "^1.0.0"}},
    "node_modules/nick": {"name": "silt", "version": "2.0.0", "resolved": "BASE/silt/-/silt-2.0.0.tgz", "integrity": "SHA"},
    "node_modules/silt": {"version": "1.2.0", "resolved": "BASE/silt/-/silt-1.2.0.tgz", "integrity": "SHA"},
    "node_modules/tool": {"resolved": "packages/tool", "link": true},
    "packages/tool": {"name": "tool", "version": "0.1.0", "dependencies": {"silt": "^1.0.0"}}
  }
}
"#;

fn lock(registry: &Registry) -> String {
    let sha = format!("sha512-{}==", "A".repeat(86));
    LOCK.replace("SHA", &sha)
        .replace("BASE", registry.url().trim_end_matches('/'))
}

fn project(world: &World, lock: &str) {
    world.write("work/package.json", MANIFEST);
    world.write("work/packages/tool/package.json", WORKSPACE);
    world.write("work/package-lock.json", lock);
}

/// Said of every project that was not compared with a registry, or that leaves its client's defaults alone;
/// `check_online` and `check_settings` are about these.
const ORDINARY: [&str; 4] = [
    "digests-not-compared",
    "no-release-age",
    "scripts-run",
    "remote-sources",
];

/// What is found otherwise: rule, line.
fn found(world: &World, registry: &Registry, code: i32, arguments: &[&str]) -> Vec<(String, u64)> {
    let run = world.run_before(registry, &[&["check", "--json"], arguments].concat());
    assert_eq!(run.code, Some(code), "{}", run.text());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["schema"], "weir.check/v1");
    let findings = report["findings"].as_array().unwrap().iter();
    let findings = findings.filter(|it| !ORDINARY.contains(&it["rule"].as_str().unwrap()));
    let pair = |it: &Value| {
        (
            it["rule"].as_str().unwrap().to_owned(),
            it["line"].as_u64().unwrap(),
        )
    };
    findings.map(pair).collect()
}

#[test]
fn a_clean_project_is_quiet() {
    let (world, registry) = (World::new(), river());
    project(&world, &lock(&registry));
    let run = world.run_before(&registry, &["check"]);
    assert_eq!(run.code, Some(0), "{}", run.text());
    assert_eq!(
        run.stdout.lines().last(),
        Some(
            "package-lock.json (npm): 3 packages, 0 to be put right, 1 other finding; \
             digests: 0 compared with the registry's, 3 not"
        )
    );
    // From elsewhere, by file, offline.
    let folder = world.path("work").display().to_string();
    assert!(found(&world, &registry, 0, &[&folder, "--offline"]).is_empty());
    assert!(found(&world, &registry, 0, &["--lockfile", "package-lock.json"]).is_empty());
}

/// The lines of the lockfiles do not count what stands elsewhere, and the exit code does.
#[test]
fn what_is_wrong_in_other_files_is_counted_over_all() {
    let (world, registry) = (World::new(), river());
    project(&world, &lock(&registry));
    world.write("work/.npmrc", "strict-ssl=false\n");
    let run = world.run_before(&registry, &["check", "--offline"]);
    assert_eq!(run.code, Some(5), "{}", run.text());
    let last = run.stdout.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("in all: 1 to be put right, "),
        "{}",
        run.text()
    );
}

/// A branch that is not there: what there is, and how it comes.
#[test]
fn a_base_that_is_not_there_is_told_with_those_that_are() {
    let (world, registry) = (World::new(), river());
    project(&world, &lock(&registry));
    git(&world, &["init", "--quiet", "--initial-branch", "trunk"]);
    commit(&world);
    let run = world.run_before(&registry, &["check", "--offline", "--base", "main"]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    let told = "the repository has no commit \"main\" (it has trunk); fetch it first";
    assert!(run.stderr.contains(told), "{}", run.text());
}

#[test]
fn each_tampering_is_found_at_its_line() {
    let (world, registry) = (World::new(), river());
    let clean = lock(&registry);
    let base = registry.url();
    let base = base.trim_end_matches('/');
    let sha = format!("sha512-{}==", "A".repeat(86));
    let silt = format!("{base}/silt/-/silt-1.2.0.tgz");
    let integrity = format!("silt-1.2.0.tgz\", \"integrity\": \"{sha}\"");
    let resolved = format!("\"resolved\": \"{silt}\"");
    let cases: Vec<(&str, &str, String, &str, u64)> = vec![
        (
            "another host",
            &silt,
            "https://evil.example/silt/-/silt-1.2.0.tgz".into(),
            "foreign-registry",
            6,
        ),
        (
            "a host that begins alike",
            &silt,
            format!("{base}.evil.example/silt/-/silt-1.2.0.tgz"),
            "foreign-registry",
            6,
        ),
        (
            "another package",
            &silt,
            format!("{base}/slit/-/slit-1.2.0.tgz"),
            "other-tarball",
            6,
        ),
        (
            "another version",
            &silt,
            format!("{base}/silt/-/silt-1.2.1.tgz"),
            "other-tarball",
            6,
        ),
        (
            "below another path",
            &silt,
            format!("{base}/x/silt/-/silt-1.2.0.tgz"),
            "other-tarball",
            6,
        ),
        (
            "a tarball for a range",
            &silt,
            "https://evil.example/silt.tgz".into(),
            "other-package",
            6,
        ),
        (
            "git for a range",
            &silt,
            "git+ssh://git@evil.example/x/silt.git#main".into(),
            "other-package",
            6,
        ),
        (
            "a branch",
            &silt,
            "git+ssh://git@evil.example/x/silt.git#main".into(),
            "unpinned",
            6,
        ),
        (
            "a file for a range",
            &silt,
            "file:silt-1.2.0.tgz".into(),
            "other-package",
            6,
        ),
        (
            "a link to a folder that is no workspace",
            "node_modules/silt\": {",
            "x/silt\": {\"version\": \"1.2.0\"}, \"node_modules/silt\": {\"link\": true, \"resolved\": \"x/silt\"}, \
             \"node_modules/unused\": {"
                .into(),
            "other-package",
            6,
        ),
        (
            "a link to an address",
            "node_modules/silt\": {",
            "node_modules/silt\": {\"link\": true, ".into(),
            "unreadable",
            6,
        ),
        (
            "an older version before the packages",
            "\"lockfileVersion\": 3, \"requires\": true, \"packages\": {",
            "\"lockfileVersion\": 1, \"requires\": true, \"dependencies\": {}, \"packages\": {\
             \"node_modules/more\": {\"version\": \"1.0.0\"},"
                .into(),
            "no-integrity",
            2,
        ),
        (
            "white space that npm does not read",
            "\"lockfileVersion\": 3,",
            "\"lockfileVersion\": 3,\u{a0}".into(),
            "unreadable",
            2,
        ),
        (
            "an alias nobody asked for",
            "node_modules/silt\": {",
            "node_modules/silt\": {\"name\": \"slit\", ".into(),
            "other-package",
            6,
        ),
        (
            "no digest",
            &integrity,
            "silt-1.2.0.tgz\"".into(),
            "no-integrity",
            6,
        ),
        (
            "a weak digest",
            &integrity,
            "silt-1.2.0.tgz\", \"integrity\": \"sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\"".into(),
            "weak-integrity",
            6,
        ),
        (
            "half a digest",
            &integrity,
            "silt-1.2.0.tgz\", \"integrity\": \"sha512-AAAA\"".into(),
            "broken-integrity",
            6,
        ),
        (
            "a version out of range",
            "\"version\": \"1.2.0\"",
            "\"version\": \"3.0.0\"".into(),
            "out-of-step",
            6,
        ),
        (
            "an entry missing",
            "node_modules/silt\"",
            "node_modules/other\"".into(),
            "out-of-step",
            4,
        ),
        (
            "a direct one missing",
            "node_modules/gauge-reader\"",
            "node_modules/other\"".into(),
            "out-of-step",
            3,
        ),
        (
            "a project elsewhere",
            "\"packages/tool\": {",
            "\"../tool\": {".into(),
            "unchecked-project",
            8,
        ),
        (
            "a digest left out of what is said to be bundled",
            &integrity,
            "silt-1.2.0.tgz\", \"inBundle\": true".into(),
            "no-integrity",
            6,
        ),
        (
            "scripts in an entry",
            "\"version\": \"1.2.0\"",
            "\"version\": \"1.2.0\", \"scripts\": {\"postinstall\": \"node x\"}".into(),
            "unwritten-field",
            6,
        ),
        (
            "scripts in an entry that says it has none",
            "\"version\": \"1.2.0\"",
            "\"version\": \"1.2.0\", \"hasInstallScript\": false, \"scripts\": {\"install\": \"x\"}".into(),
            "install-script",
            6,
        ),
        (
            "another field for the address",
            &resolved,
            "\"_resolved\": \"https://evil.example/silt/-/silt-1.2.0.tgz\"".into(),
            "unwritten-field",
            6,
        ),
        (
            "that address",
            &resolved,
            "\"_resolved\": \"https://evil.example/silt/-/silt-1.2.0.tgz\"".into(),
            "foreign-registry",
            6,
        ),
        (
            "a folder with a detour",
            "node_modules/silt\"",
            "node_modules/./silt\"".into(),
            "unreadable",
            6,
        ),
        (
            "a key twice",
            "node_modules/nick\"",
            "node_modules/silt\"".into(),
            "unreadable",
            6,
        ),
    ];
    for (name, old, new, rule, line) in cases {
        let tampered = clean.replacen(old, &new, 1);
        assert_ne!(tampered, clean, "{name}");
        project(&world, &tampered);
        let code = if rule == "weak-integrity" { 0 } else { 5 };
        let found = found(&world, &registry, code, &[]);
        assert!(
            found.contains(&(rule.to_owned(), line)),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn scripts_are_listed_with_what_the_project_says() {
    let (world, registry) = (World::new(), river());
    let marked = lock(&registry).replace(
        "\"version\": \"1.2.0\"",
        "\"version\": \"1.2.0\", \"hasInstallScript\": true",
    );
    project(&world, &marked);
    assert_eq!(
        found(&world, &registry, 0, &[]),
        [("install-script".to_owned(), 6)]
    );
    for (value, words) in [
        ("true", "lets them run"),
        ("false", "does not let them run"),
    ] {
        let manifest = MANIFEST.replacen(
            '{',
            &format!("{{\"allowScripts\": {{\"silt\": {value}}},"),
            1,
        );
        world.write("work/package.json", manifest);
        let run = world.run_before(&registry, &["check"]);
        assert!(run.says(words), "{}", run.text());
        assert!(
            run.says("package-lock.json:6: note: silt@1.2.0: "),
            "{}",
            run.text()
        );
    }
}

#[test]
fn what_is_not_there_is_an_error() {
    let (world, registry) = (World::new(), river());
    world.write("work/package.json", MANIFEST);
    assert_eq!(
        found(&world, &registry, 5, &[]),
        [("no-lockfile".to_owned(), 1)]
    );
    world.write("work/yarn.lock", "a@1:\n  version \"1\n");
    assert_eq!(
        found(&world, &registry, 5, &[]),
        [("unreadable".to_owned(), 2)]
    );
    project(&world, &lock(&registry));
    let both = found(&world, &registry, 5, &[]);
    assert!(
        both.contains(&("several-lockfiles".to_owned(), 1)),
        "{both:?}"
    );
    world.write("work/package.json", "{");
    let broken = found(&world, &registry, 5, &["--lockfile", "package-lock.json"]);
    assert_eq!(broken, [("unreadable".to_owned(), 1)]);
}

#[test]
fn authorities_that_cannot_be_used_are_told_of_where_somebody_is_asked() {
    let (world, registry) = (World::new(), river());
    let ca = world.write("ca.pem", "no certificate");
    let clean = lock(&registry);
    let here = registry.url();
    let elsewhere = clean.replace(
        here.trim_end_matches('/'),
        "https://registry.example.invalid",
    );
    // The user's: one that only the project names is not believed anyway.
    world.write("home/.npmrc", format!("cafile={}\n", ca.display()));
    let told = "cannot use the certificate authorities of cafile";
    // Addresses that the configuration explains ask nobody, and what is told offline needs no authority.
    for (lock, arguments, code, is_told) in [
        (&clean, &["check", "--offline"][..], 0, false),
        (&clean, &["check"], 0, false),
        (&elsewhere, &["check", "--offline"], 0, false),
        (&elsewhere, &["check"], 0, true),
        (&clean, &["check", "--online"], 5, true),
        (&clean, &["inspect", "silt"], 1, true),
    ] {
        project(&world, lock);
        let run = world.run_before(&registry, arguments);
        assert_eq!(run.code, Some(code), "{arguments:?}: {}", run.text());
        assert_eq!(run.says(told), is_told, "{arguments:?}: {}", run.text());
    }
}

#[test]
fn without_a_registry_the_majority_is_taken_and_said_so() {
    let (world, registry) = (World::new(), river());
    let clean = lock(&registry);
    let here = registry.url();
    let elsewhere = clean.replace(here.trim_end_matches('/'), "https://registry.example");
    let tampered = elsewhere.replacen(
        "registry.example/silt/-/silt-1",
        "evil.example/silt/-/silt-1",
        1,
    );
    project(&world, &tampered);
    assert_eq!(
        found(&world, &registry, 5, &["--offline"]),
        [
            ("registry-assumed".to_owned(), 1),
            ("foreign-registry".to_owned(), 6)
        ]
    );
}

#[test]
fn sarif_names_rules_and_lines() {
    let (world, registry) = (World::new(), river());
    let base = registry.url();
    let tampered = lock(&registry).replacen(
        &format!("{base}silt/-/silt-1"),
        "https://evil.example/silt/-/silt-1",
        1,
    );
    project(&world, &tampered);
    let run = world.run_before(&registry, &["check", "--sarif", "out.sarif"]);
    assert_eq!(run.code, Some(5), "{}", run.text());
    let text = std::fs::read_to_string(world.path("work/out.sarif")).unwrap();
    let sarif: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let result = results
        .iter()
        .find(|it| it["ruleId"] == "foreign-registry")
        .unwrap();
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "package-lock.json");
    assert_eq!(place["region"]["startLine"], 6);
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == "foreign-registry"));
}

/// Real lockfiles hold these, and no client minds: a tag in yarn's spelling, and in bun's a peer of a
/// version that the package did not ask for.
#[test]
fn what_clients_write_themselves_is_fine() {
    let (world, registry) = (World::new(), river());
    world.write(
        "work/package.json",
        r#"{"name": "app", "dependencies": {"a": "^1"}}"#,
    );
    let yarn = "__metadata:\n  version: 8\n\n\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  \
        dependencies:\n    b: \"npm:latest\"\n  checksum: 10c0/a\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  \
        resolution: \"app@workspace:.\"\n  dependencies:\n    a: \"npm:^1\"\n\n\"b@npm:latest\":\n  version: 3.0.0\n  \
        resolution: \"b@npm:3.0.0\"\n  checksum: 10c0/b\n";
    let sha = format!("sha512-{}==", "A".repeat(86));
    let bun = format!(
        r#"{{"lockfileVersion": 1, "workspaces": {{"": {{"name": "app", "dependencies": {{"a": "^1"}}}}}}, "packages": {{
        "a": ["a@1.0.0", "", {{"peerDependencies": {{"b": "^2"}}}}, "{sha}"], "b": ["b@3.0.0", "", {{}}, "{sha}"],
        }}}}"#
    );
    let unknown = [("install-scripts-unknown".to_owned(), 1)];
    for (file, text) in [("yarn.lock", yarn), ("bun.lock", bun.as_str())] {
        world.write(&format!("work/{file}"), text);
        assert_eq!(
            found(&world, &registry, 0, &["--lockfile", file]),
            unknown,
            "{file}"
        );
    }
    world.write(
        "work/yarn.lock",
        yarn.replace("resolution: \"b@npm", "resolution: \"c@npm"),
    );
    let other = found(&world, &registry, 5, &["--lockfile", "yarn.lock"]);
    assert!(
        other.iter().any(|(rule, _)| rule == "other-package"),
        "{other:?}"
    );
}

/// Entries of yarn 1, each with the address of the registry it was fetched from.
fn yarn_lock(registry: &Registry, from: [&str; 3]) -> String {
    let releases = [
        ("@millpond/sluice", "2.0.0"),
        ("gauge-reader", "1.0.0"),
        ("silt", "1.2.0"),
    ];
    let mut text = "# yarn lockfile v1\n".to_owned();
    for ((name, version), from) in releases.into_iter().zip(from) {
        let file = name.rsplit('/').next().unwrap();
        let other = format!("sha512-{}==", "A".repeat(86));
        let integrity = registry.integrity(name, version).unwrap_or(other);
        text.push_str(&format!(
            "\n\"{name}@^{version}\":\n  version \"{version}\"\n  resolved \"{from}{name}/-/{file}-{version}.tgz\"\n  \
             integrity {integrity}\n"
        ));
    }
    text
}

/// yarn 1 has a registry of its own that nobody configures and npm does not know.
#[test]
fn the_registry_yarn_1_has_by_itself_is_taken_from_its_lockfile() {
    let (world, registry) = (World::new(), river());
    world.write(
        "work/package.json",
        r#"{"name": "app", "dependencies": {"@millpond/sluice": "^2.0.0", "gauge-reader": "^1.0.0", "silt": "^1.2.0"}}"#,
    );
    let here = registry.url();
    let (own, evil) = (
        "https://registry.example.invalid/",
        "https://evil.example.invalid/",
    );
    let plain = "http://registry.example.invalid/";
    for (npmrc, yarnrc, from, code, assumed, foreign) in [
        ("", "", [own; 3], 0, 1, 0),
        ("", "", [own, own, evil], 5, 1, 1),
        // Where somebody says which registry it is, no other is.
        (
            "",
            "registry \"https://registry.example.invalid\"\n",
            [own; 3],
            0,
            0,
            0,
        ),
        (
            "",
            "registry \"https://registry.example.invalid/\"\n",
            [evil; 3],
            5,
            0,
            3,
        ),
        (
            "registry=https://npm.example.invalid/\n",
            "",
            [own; 3],
            5,
            0,
            3,
        ),
        // Most are of a registry that is known, or fetched by anybody's leave.
        ("", "", [&*here, evil, evil], 5, 0, 2),
        ("", "", [plain; 3], 5, 0, 3),
        // The names of scopes are asked for where .npmrc says.
        (
            "@millpond:registry=https://mill.example.invalid/\n",
            "",
            ["https://mill.example.invalid/", own, own],
            0,
            1,
            0,
        ),
    ] {
        world.write("work/.npmrc", npmrc);
        world.write("work/.yarnrc", yarnrc);
        world.write("work/yarn.lock", yarn_lock(&registry, from));
        let found = found(&world, &registry, code, &[]);
        let count = |rule: &str| found.iter().filter(|(it, _)| it == rule).count();
        let counts = (count("registry-assumed"), count("foreign-registry"));
        assert_eq!(
            counts,
            (assumed, foreign),
            "{npmrc} {yarnrc} {from:?}: {found:?}"
        );
    }
    world.write("work/.npmrc", "");
    world.write("work/.yarnrc", "");
    world.write("work/yarn.lock", yarn_lock(&registry, [own; 3]));
    let run = world.run_before(&registry, &["check", "--offline"]);
    assert_eq!(run.code, Some(0), "{}", run.text());
    assert!(
        run.says("yarn 1 has by itself is not known"),
        "{}",
        run.text()
    );
    assert!(run.says("--online proves entries"), "{}", run.text());
    // Where some are of a registry that is known, digests tell of the others; it has no silt.
    let mixed = yarn_lock(&registry, [&*here, own, own]);
    for (text, assumed, foreign) in [
        (mixed.clone(), 1, 1),
        (mixed.replace("sha512-", "sha512-A"), 0, 2),
        (yarn_lock(&registry, [&*here, plain, own]), 0, 2),
    ] {
        world.write("work/yarn.lock", text);
        let found = self::found(&world, &registry, 5, &["--online"]);
        let count = |rule: &str| found.iter().filter(|(it, _)| it == rule).count();
        let counts = (count("registry-assumed"), count("foreign-registry"));
        assert_eq!(counts, (assumed, foreign), "{found:?}");
    }
    // npm has no such gap.
    project(
        &world,
        &lock(&registry).replace(here.trim_end_matches('/'), own.trim_end_matches('/')),
    );
    let foreign = self::found(&world, &registry, 5, &["--lockfile", "package-lock.json"]);
    assert!(
        foreign.contains(&("foreign-registry".to_owned(), 6)),
        "{foreign:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_policy_that_is_no_file_is_an_error_that_names_it() {
    let (world, registry) = (World::new(), river());
    project(&world, &lock(&registry));
    std::fs::create_dir_all(world.path("work/weir.toml")).unwrap();
    let run = world.run_before(&registry, &["check", "--offline"]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    assert!(
        run.says("weir.toml is a folder, not an ordinary file"),
        "{}",
        run.text()
    );
    std::fs::remove_dir(world.path("work/weir.toml")).unwrap();
    std::os::unix::fs::symlink("gone", world.path("work/weir.toml")).unwrap();
    let run = world.run_before(&registry, &["check", "--offline"]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    assert!(
        run.says("weir.toml is a link that leads nowhere"),
        "{}",
        run.text()
    );
}
