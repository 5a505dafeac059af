//! `weir check` on what npm's lockfiles repeat of the project's own folders: a workspace or a path that
//! `package.json` does not have puts a folder in the place of a package.

mod catalogs;

use serde_json::Value;

use crate::support::{World, river};

const MANIFEST: &str = r#"{"name": "app", "workspaces": ["packages/*"], "dependencies": {"a": "^1.0.0", "tool": "file:tool"}}"#;

/// One entry per line.
const LOCK: &str = r#"{"name": "app", "lockfileVersion": 3, "requires": true, "packages": {
"": {"name": "app", "workspaces": ["packages/*"], "dependencies": {"a": "^1.0.0", "tool": "file:tool"}},
"node_modules/a": {"resolved": "packages/a", "link": true},
"node_modules/b": {"resolved": "packages/b", "link": true},
"node_modules/tool": {"resolved": "tool", "link": true},
"packages/a": {"version": "1.0.0", "devDependencies": {"left-out": "^1.0.0"}},
"packages/b": {"version": "1.0.0", "dependencies": {"a": "^1"}},
"tool": {"version": "1.0.0"}
}}
"#;

/// A project whose development dependencies are not installed.
fn project(manifest: &str) -> World {
    let world = World::new();
    world.write("work/package.json", manifest);
    for (folder, text) in [
        (
            "packages/a",
            r#"{"name": "a", "version": "1.0.0", "devDependencies": {"left-out": "^1.0.0"}}"#,
        ),
        (
            "packages/b",
            r#"{"name": "b", "version": "1.0.0", "dependencies": {"a": "^1"}}"#,
        ),
        ("tool", r#"{"name": "tool", "version": "1.0.0"}"#),
    ] {
        world.write(&format!("work/{folder}/package.json"), text);
    }
    world
}

/// The errors in a lockfile: `rule:line`.
fn errors(world: &World, file: &str, lock: &str) -> Vec<String> {
    world.write(&format!("work/{file}"), lock);
    let run = world.run_before(
        &river(),
        &["check", "--json", "--offline", "--lockfile", file],
    );
    let report: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.text()));
    let findings = report["findings"].as_array().unwrap().iter();
    let errors = findings.filter(|it| it["level"] == "error");
    let told = errors.map(|it| format!("{}:{}", it["rule"].as_str().unwrap(), it["line"]));
    told.collect()
}

/// The lockfile without what an install for production leaves out of the hidden one.
fn whole() -> String {
    LOCK.replace(r#", "devDependencies": {"left-out": "^1.0.0"}"#, "")
}

#[test]
fn workspaces_and_paths_have_to_be_those_of_package_json() {
    let cases: [(&str, &str, &str, &[&str]); 11] = [
        ("the same", "", "", &[]),
        (
            "spelled otherwise",
            r#"["packages/*"], "dependencies": {"a": "^1.0.0", "tool": "file:tool"}"#,
            r#"{"packages": ["./packages/*/"]}, "dependencies": {"a": "^1.0.0", "tool": "./tool/"}"#,
            &[],
        ),
        (
            "another range, which npm does not mind",
            r#"{"a": "^1.0.0""#,
            r#"{"a": "~1.0.0""#,
            &[],
        ),
        (
            "a workspace more",
            r#"["packages/*"]"#,
            r#"["packages/*", "x/silt"]"#,
            &["out-of-step:2"],
        ),
        (
            "a pattern for another",
            r#"["packages/*"]"#,
            r#"["packages/**"]"#,
            &["out-of-step:2", "out-of-step:2"],
        ),
        (
            "a folder that is left out",
            r#"["packages/*"]"#,
            r#"["packages/*", "!x/*"]"#,
            &["out-of-step:2"],
        ),
        (
            "no workspaces",
            r#""workspaces": ["packages/*"], "#,
            "",
            &["out-of-step:2", "other-package:3", "other-package:3"],
        ),
        (
            "a path for a range",
            r#""a": "^1.0.0""#,
            r#""a": "file:packages/a""#,
            &["out-of-step:2"],
        ),
        (
            "a range for a path",
            r#""file:tool""#,
            r#""^1.0.0""#,
            &["out-of-step:2"],
        ),
        (
            "another path",
            r#""file:tool""#,
            r#""file:x/tool""#,
            &["out-of-step:2"],
        ),
        (
            "a path that nobody asks for",
            r#""tool": "file:tool"}"#,
            r#""tool": "file:tool"}, "peerDependencies": {"silt": "file:x/silt"}"#,
            &["out-of-step:2"],
        ),
    ];
    let world = project(MANIFEST);
    world.write(
        "work/packages/a/package.json",
        r#"{"name": "a", "version": "1.0.0"}"#,
    );
    let clean = whole();
    for (name, old, new, wanted) in cases {
        let lock = clean.replacen(old, new, 1);
        assert_eq!(old.is_empty(), lock == clean, "{name}");
        assert_eq!(errors(&world, "package-lock.json", &lock), wanted, "{name}");
    }
}

/// An entry for the root that says nothing declares nothing.
#[test]
fn a_link_for_a_package_needs_a_word_in_package_json() {
    let manifest = r#"{"name": "app", "dependencies": {"tool": "^1.0.0"}}"#;
    let lock = r#"{"name": "app", "lockfileVersion": 3, "packages": {"": {"name": "app"},
"node_modules/tool": {"resolved": "tool", "link": true},
"tool": {"version": "1.0.0"}}}"#;
    let found = errors(&project(manifest), "package-lock.json", lock);
    assert_eq!(found, ["other-package:2"]);
    let declared = manifest.replace("^1.0.0", "file:tool");
    let found = errors(&project(&declared), "package-lock.json", lock);
    assert!(found.is_empty(), "{found:?}");
}

/// The hidden one has no entry for the root, and holds what is installed only.
#[test]
fn the_hidden_lockfile_is_judged_by_package_json() {
    let hidden = "node_modules/.package-lock.json";
    let root = LOCK.lines().nth(1).unwrap();
    // An empty line, so that the others keep their numbers.
    let lock = LOCK.replace(root, "");
    assert_eq!(errors(&project(MANIFEST), hidden, &lock), [""; 0]);
    for (old, new, wanted) in [
        (
            r#""workspaces": ["packages/*"], "#,
            "",
            &["other-package:3", "other-package:3"][..],
        ),
        ("file:tool", "^1.0.0", &["other-package:5"]),
        (
            "\"tool\"",
            "\"silt\": \"^1.0.0\", \"tool\"",
            &["out-of-step:1"],
        ),
    ] {
        let manifest = MANIFEST.replacen(old, new, 1);
        let found = errors(&project(&manifest), hidden, &lock);
        assert_eq!(found, wanted, "{manifest}");
    }
    // Of any other file `npm ci` wants what is for development as well.
    let found = errors(&project(MANIFEST), "package-lock.json", LOCK);
    assert_eq!(found, ["out-of-step:6"]);
}

const PIN: &str = "0123456789abcdef0123456789abcdef01234567";

/// What each client writes for the package that is asked for as `ASKED` and was found at `AT`.
const REMOTE: [(&str, &str); 5] = [
    (
        "package-lock.json",
        r#"{"name": "app", "lockfileVersion": 3, "packages": {
"": {"name": "app", "dependencies": {"silt": "ASKED"}},
"node_modules/silt": {"version": "1.0.0", "resolved": "AT", "integrity": "DIGEST"}}}"#,
    ),
    (
        "yarn.lock",
        "# yarn lockfile v1\n\n\n\"silt@ASKED\":\n  version \"1.0.0\"\n  resolved \"AT\"\n",
    ),
    (
        "yarn.lock",
        "__metadata:\n  version: 8\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n  \
         dependencies:\n    silt: \"ASKED\"\n  languageName: unknown\n  linkType: soft\n\n\"silt@ASKED\":\n  version: 1.0.0\n  \
         resolution: \"silt@AT\"\n  checksum: 10c0/ab\n  languageName: node\n  linkType: hard\n",
    ),
    (
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      silt:\n        specifier: ASKED\n        version: AT\n\
         packages:\n  silt@AT:\n    resolution: {integrity: DIGEST, tarball: AT}\n    version: 1.0.0\nsnapshots:\n  silt@AT: {}\n",
    ),
    (
        "bun.lock",
        r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "app", "dependencies": {"silt": "ASKED"}}},
"packages": {"silt": ["silt@AT", {}, "DIGEST"]}}"#,
    ),
];

/// The findings of a lockfile, of all five formats, that says an address answers another.
fn out_of_step(asked: &str, at: [&str; 5]) -> [usize; 5] {
    let manifest = format!(r#"{{"name": "app", "dependencies": {{"silt": "{asked}"}}}}"#);
    let digest = format!("sha512-{}==", "A".repeat(86));
    let mut places = at.into_iter();
    REMOTE.map(|(file, lock)| {
        let at = places.next().unwrap().replace("PIN", PIN);
        let lock = lock.replace("ASKED", asked).replace("AT", &at);
        let found = errors(&project(&manifest), file, &lock.replace("DIGEST", &digest));
        let steps = found.iter().filter(|it| it.starts_with("out-of-step:"));
        steps.count()
    })
}

#[test]
fn a_commit_and_an_archive_have_to_be_those_of_package_json() {
    let hub = [
        "git+ssh://git@github.com/river/silt.git#PIN",
        "https://codeload.github.com/river/silt/tar.gz/PIN",
        "https://github.com/river/silt.git#commit=PIN",
        "https://codeload.github.com/river/silt/tar.gz/PIN",
        "github:river/silt#0123456",
    ];
    let other = PIN.chars().rev().collect::<String>();
    for (asked, wanted) in [
        (format!("github:river/silt#{PIN}"), 0),
        (format!("git+https://github.com/River/silt.git#{PIN}"), 0),
        ("github:river/silt#main".to_owned(), 0),
        (format!("github:river/silt#{other}"), 1),
        ("github:river/silt#76543210fe".to_owned(), 1),
        ("github:mud/silt#main".to_owned(), 1),
    ] {
        assert_eq!(out_of_step(&asked, hub), [wanted; 5], "{asked}");
    }
    let archive = "https://files.example.invalid/silt-1.0.0.tgz";
    assert_eq!(out_of_step(archive, [archive; 5]), [0; 5]);
    let here = ["file:silt-1.0.0.tgz"; 5];
    assert_eq!(out_of_step(archive, here), [1; 5]);
    let newer = "https://files.example.invalid/silt-1.0.1.tgz";
    assert_eq!(out_of_step(newer, [archive; 5]), [1; 5]);
}

/// yarn 1 may write where its own copy of a tarball is, if it was told to keep copies.
#[test]
fn a_copy_on_this_machine_is_for_projects_with_a_mirror() {
    let archive = "https://files.example.invalid/silt-1.0.0.tgz";
    let manifest = format!(r#"{{"name": "app", "dependencies": {{"silt": "{archive}"}}}}"#);
    let (file, lock) = REMOTE[1];
    let lock = lock.replace("ASKED", archive);
    let lock = lock.replace("AT", "file:silt-1.0.0.tgz#00");
    for (yarnrc, wanted) in [
        ("", &["out-of-step:4"][..]),
        (
            "registry \"https://registry.example.invalid\"\n",
            &["out-of-step:4"],
        ),
        ("yarn-offline-mirror \"./mirror\"\n", &[]),
    ] {
        let world = project(&manifest);
        world.write("work/.yarnrc", yarnrc);
        assert_eq!(errors(&world, file, &lock), wanted, "{yarnrc}");
    }
}

/// What a catalog asks for, where three clients have theirs: a range, another package, a repository.
#[test]
fn what_a_catalog_asks_for_is_compared() {
    let hub = format!("github:river/silt#{PIN}");
    let load = format!("https://codeload.github.com/river/silt/tar.gz/{PIN}");
    let registry = "1.0.0";
    for (catalog, at, wanted) in [
        ("silt: ^1.0.0", registry, &[""; 0][..]),
        ("silt: ^2.0.0", registry, &["out-of-step"]),
        ("silt: npm:silt@^1.0.0", registry, &[]),
        ("silt: npm:ms@^1.0.0", registry, &["other-package"]),
        ("ms: ^1.0.0", registry, &["out-of-step"]),
        (&*format!("silt: {hub}"), &*load, &[]),
        ("silt: github:mud/silt", &load, &["out-of-step"]),
        ("silt: ^1.0.0", &load, &["other-package"]),
    ] {
        let digest = format!("sha512-{}==", "A".repeat(86));
        let (file, lock) = REMOTE[3];
        let lock = match at.strip_prefix("https:") {
            Some(_) => lock.to_owned(),
            None => lock.replace(", tarball: AT", ""),
        };
        let lock = lock.replace("ASKED", "'catalog:'").replace("AT", at);
        let world = project(r#"{"name": "app", "dependencies": {"silt": "catalog:"}}"#);
        world.write(
            "work/pnpm-workspace.yaml",
            format!("catalog:\n  {catalog}\n"),
        );
        let found = errors(&world, file, &lock.replace("DIGEST", &digest));
        let rules = found.iter().map(|it| it.split(':').next().unwrap());
        assert_eq!(rules.collect::<Vec<_>>(), wanted, "{catalog} {at}");
    }
}

#[test]
fn what_pnpm_leaves_out_of_its_lockfile_is_not_missing() {
    let link = r#""dependencies": {"tool": "link:tool"}"#;
    let optional = r#""optionalDependencies": {"silt": "^1.0.0"}"#;
    let without_links = "settings:\n  excludeLinksFromLockfile: true\n";
    for (settings, asked, is_missing) in [
        (without_links, link, false),
        ("", link, true),
        (
            without_links,
            r#""dependencies": {"tool": "file:tool"}"#,
            true,
        ),
        (
            without_links,
            r#""optionalDependencies": {"tool": "link:tool"}"#,
            false,
        ),
        ("", optional, true),
        ("ignoredOptionalDependencies:\n  - silt\n", optional, false),
        ("ignoredOptionalDependencies:\n  - tool\n", optional, true),
        ("pnpmfileChecksum: sha256-ab\n", optional, false),
    ] {
        let world = project(&format!(r#"{{"name": "app", {asked}}}"#));
        let lock = format!("lockfileVersion: '9.0'\n{settings}importers:\n  .: {{}}\n");
        let found = errors(&world, "pnpm-lock.yaml", &lock);
        let is_told = found.iter().any(|it| it.starts_with("out-of-step"));
        assert_eq!(is_told, is_missing, "{settings} {asked}: {found:?}");
    }
    // Where the lockfile does not say it, as those of older versions, the project does.
    let world = project(&format!(r#"{{"name": "app", {link}}}"#));
    world.write("work/.npmrc", "exclude-links-from-lockfile=true\n");
    let lock = "lockfileVersion: '6.0'\nimporters:\n  .: {}\n";
    assert_eq!(errors(&world, "pnpm-lock.yaml", lock), [""; 0]);
}

/// yarn 1 writes nothing of where such a link leads.
#[test]
fn a_link_that_resolutions_set_needs_no_digest() {
    let lock = format!(
        "# yarn lockfile v1\n\n\ngauge-reader@1.0.0:\n  version \"1.0.0\"\n  integrity sha512-{}==\n  dependencies:\n    \
         silt \"^1.0.0\"\n\nsilt@^1.0.0:\n  version \"0.0.0\"\n  uid \"\"\n",
        "A".repeat(86)
    );
    for (set, is_told) in [
        (r#"{"silt": "link:./tool"}"#, false),
        (r#"{"**/silt": "link:./tool"}"#, false),
        (r#"{"tool": "link:./tool"}"#, true),
        ("{}", true),
    ] {
        let manifest =
            r#"{"name": "app", "dependencies": {"gauge-reader": "1.0.0"}, "resolutions": "#;
        let world = project(&format!("{manifest}{set}}}"));
        let found = errors(&world, "yarn.lock", &lock);
        let has = |rule: &str| found.iter().any(|it| it.starts_with(rule));
        assert_eq!(has("no-integrity"), is_told, "{set}: {found:?}");
        assert!(!has("other-package"), "{set}: {found:?}");
    }
}
