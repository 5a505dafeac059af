//! `weir check` on what a project asks for through its catalogs, and on what it sets for everybody: neither lets
//! any package in.

use super::{errors, project};
use crate::support::{World, river};

/// A lockfile of pnpm in which the project asks for silt in these words and gets this.
fn pnpm_lock(asked: &str, got: &str) -> String {
    let digest = format!("sha512-{}==", "A".repeat(86));
    let key = if got.contains('@') {
        got.to_owned()
    } else {
        format!("silt@{got}")
    };
    format!(
        "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      silt:\n        specifier: '{asked}'\n        \
         version: {got}\npackages:\n  {key}:\n    resolution: {{integrity: {digest}}}\nsnapshots:\n  {key}: {{}}\n"
    )
}

/// The rules of the errors in a project with these files, of which the first is the lockfile.
fn rules(manifest: &str, files: &[(&str, &str)]) -> Vec<String> {
    let world = World::new();
    world.write("work/package.json", manifest);
    for (file, text) in files {
        world.write(&format!("work/{file}"), text);
    }
    let (file, lock) = files[0];
    let found = errors(&world, file, lock);
    let rules = found.iter().map(|it| it.split(':').next().unwrap());
    rules.map(str::to_owned).collect()
}

/// What another client reads, or what is for others, leaves the project's own requests as they are; and where it
/// is not plain what counts, another package is another all the same.
#[test]
fn an_override_of_a_name_does_not_let_any_package_in() {
    let digest = format!("sha512-{}==", "A".repeat(86));
    let npm = format!(
        r#"{{"name": "r", "lockfileVersion": 3, "packages": {{
"": {{"name": "r", "dependencies": {{"silt": "^1.0.0"}}}},
"node_modules/silt": {{"name": "mud", "version": "1.0.0", "integrity": "{digest}"}}}}}}"#
    );
    let pnpm = pnpm_lock("^1.0.0", "mud@1.0.0");
    let bun = format!(
        r#"{{"lockfileVersion": 1, "workspaces": {{"": {{"name": "r", "dependencies": {{"silt": "^1.0.0"}}}}}},
"packages": {{"silt": ["mud@1.0.0", "", {{}}, "{digest}"]}}}}"#
    );
    let bad = &["other-package"][..];
    for (file, lock, said, wanted) in [
        (
            "package-lock.json",
            &npm,
            r#""resolutions": {"silt": "1.0.0"}"#,
            bad,
        ),
        (
            "package-lock.json",
            &npm,
            r#""overrides": {"ms": {"silt": "1.0.0"}}"#,
            bad,
        ),
        (
            "package-lock.json",
            &npm,
            r#""overrides": {"silt": {"ms": "1.0.0"}}"#,
            bad,
        ),
        (
            "package-lock.json",
            &npm,
            r#""overrides": {"silt@1": "1.0.0"}"#,
            bad,
        ),
        (
            "package-lock.json",
            &npm,
            r#""overrides": {"silt@1": "npm:mud@1.0.0"}"#,
            &[],
        ),
        (
            "package-lock.json",
            &npm,
            r#""overrides": {"silt": "npm:mud@1.0.0"}"#,
            &[],
        ),
        (
            "pnpm-lock.yaml",
            &pnpm,
            r#""overrides": {"silt": "1.0.0"}"#,
            bad,
        ),
        (
            "pnpm-lock.yaml",
            &pnpm,
            r#""pnpm": {"overrides": {"ms>silt": "1.0.0"}}"#,
            bad,
        ),
        (
            "pnpm-lock.yaml",
            &pnpm,
            r#""pnpm": {"overrides": {"silt@<1 || >1": "1.0.0"}}"#,
            bad,
        ),
        (
            "pnpm-lock.yaml",
            &pnpm,
            r#""pnpm": {"overrides": {"silt@1": "npm:mud@1"}}"#,
            &[],
        ),
        (
            "bun.lock",
            &bun,
            r#""pnpm": {"overrides": {"silt": "1.0.0"}}"#,
            bad,
        ),
        ("bun.lock", &bun, r#""overrides": {"silt@1": "1.0.0"}"#, bad),
    ] {
        let manifest = format!(r#"{{"name": "r", "dependencies": {{"silt": "^1.0.0"}}, {said}}}"#);
        assert_eq!(rules(&manifest, &[(file, lock)]), wanted, "{file} {said}");
    }
}

/// A lockfile of yarn 4 with two releases of silt, and what the project asks for.
fn berry_lock(asked: &str) -> String {
    format!(
        "__metadata:\n  version: 8\n\n\"r@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"r@workspace:.\"\n  \
         dependencies:\n    silt: \"{asked}\"\n\n\"silt@npm:^1.0.0\":\n  version: 1.2.0\n  resolution: \
         \"silt@npm:1.2.0\"\n  checksum: 10c0/ab\n\n\"silt@npm:^2.0.0\":\n  version: 2.0.0\n  resolution: \
         \"silt@npm:2.0.0\"\n  checksum: 10c0/cd\n"
    )
}

/// yarn lists what a catalog stands for, and all that the project asks for, on whatever platform.
#[test]
fn yarn_answers_what_a_catalog_stands_for() {
    let lock = berry_lock("catalog:");
    let mud = lock.replace("silt@npm:1.2.0", "mud@npm:1.2.0");
    let old = lock
        .replace("silt@npm:1.2.0", "silt@npm:0.9.0")
        .replace("1.2.0", "0.9.0");
    for (lock, range, wanted) in [
        (&lock, "^1.0.0", &[][..]),
        (&lock, "^2.0.0", &[]),
        (&lock, "^3.0.0", &["out-of-step"]),
        (&mud, "^1.0.0", &["other-package"]),
        (&old, "^1.0.0", &["out-of-step"]),
    ] {
        for list in ["dependencies", "optionalDependencies"] {
            let manifest = format!(r#"{{"name": "r", "{list}": {{"silt": "catalog:"}}}}"#);
            let lock = match list {
                "dependencies" => lock.clone(),
                _ => lock.replace(
                    "    silt: \"catalog:\"\n",
                    "    silt: \"catalog:\"\n  dependenciesMeta:\n    silt:\n      optional: true\n",
                ),
            };
            let settings = format!("catalog:\n  silt: {range}\n");
            let found = rules(
                &manifest,
                &[("yarn.lock", &lock), (".yarnrc.yml", &settings)],
            );
            assert_eq!(found, wanted, "{list} {range} {lock}");
        }
    }
    // Settings above the project may hold it.
    let manifest = r#"{"name": "r", "dependencies": {"silt": "catalog:"}}"#;
    assert_eq!(rules(manifest, &[("yarn.lock", &lock)]), [""; 0]);
    // Of two lists with a name the one for development counts.
    let both = r#"{"name": "r", "dependencies": {"silt": "^1.0.0"}, "devDependencies": {"silt": "^2.0.0"}}"#;
    assert_eq!(
        rules(both, &[("yarn.lock", &berry_lock("npm:^2.0.0"))]),
        [""; 0]
    );
}

/// Where the catalogs cannot be seen as a whole, nothing is missing in them for sure, and another package is
/// another all the same.
#[test]
fn what_an_unknown_catalog_asks_for_is_of_that_name() {
    let manifest = r#"{"name": "r", "dependencies": {"silt": "catalog:"}}"#;
    let workspace = "pnpm-workspace.yaml";
    let (silt, mud) = (
        pnpm_lock("catalog:", "1.0.0"),
        pnpm_lock("catalog:", "mud@1.0.0"),
    );
    let hooked = |lock: &str| lock.replace("importers:", "pnpmfileChecksum: sha256-x\nimporters:");
    let anchors = "catalog:\n  ms: &v 1.0.0\n  reed: *v\n  silt: ^1.0.0\n";
    let unread = "catalog: &all\n  silt: ^1.0.0\ncatalogs:\n  old: *all\n";
    for (settings, lock, wanted) in [
        (Some(anchors), &silt, &[][..]),
        (Some(anchors), &mud, &["other-package"]),
        (Some(unread), &silt, &[]),
        (Some(unread), &mud, &["other-package"]),
        (Some("packages: [.]\n"), &silt, &["out-of-step"]),
        (Some("packages: [.]\n"), &hooked(&silt), &[]),
        (Some("packages: [.]\n"), &hooked(&mud), &["other-package"]),
        (None, &silt, &[]),
        (None, &mud, &["other-package"]),
    ] {
        let mut files = vec![("pnpm-lock.yaml", lock.as_str())];
        files.extend(settings.map(|text| (workspace, text)));
        if lock.contains("pnpmfileChecksum") {
            files.push((".pnpmfile.cjs", "module.exports = {};\n"));
        }
        assert_eq!(rules(manifest, &files), wanted, "{settings:?} {lock}");
    }
    // What was not compared is told.
    let world = project(manifest);
    world.write(&format!("work/{workspace}"), unread);
    world.write("work/pnpm-lock.yaml", &silt);
    let run = world.run_before(&river(), &["check", "--offline"]);
    assert!(run.stdout.contains("[catalog-unread]"), "{}", run.text());
}

/// pnpm and bun refuse a lockfile that repeats other catalogs, whether its versions are in range or not.
#[test]
fn catalogs_have_to_be_those_that_the_lockfile_repeats() {
    let manifest =
        r#"{"name": "r", "dependencies": {"silt": "catalog:"}, "catalog": {"silt": "RANGE"}}"#;
    let pnpm = pnpm_lock("catalog:", "1.0.0").replace(
        "importers:",
        "catalogs:\n  default:\n    silt:\n      specifier: ^1.0.0\n      version: 1.0.0\nimporters:",
    );
    let digest = format!("sha512-{}==", "A".repeat(86));
    let bun = format!(
        r#"{{"lockfileVersion": 1, "workspaces": {{"": {{"name": "r", "dependencies": {{"silt": "catalog:"}}}}}},
"catalog": {{"silt": "^1.0.0"}}, "packages": {{"silt": ["silt@1.0.0", "", {{}}, "{digest}"]}}}}"#
    );
    for (range, wanted) in [("^1.0.0", &[][..]), ("~1.0.0", &["out-of-step"])] {
        let manifest = manifest.replace("RANGE", range);
        let settings = format!("catalog:\n  silt: {range}\n");
        let workspace = ("pnpm-workspace.yaml", settings.as_str());
        let found = rules(&manifest, &[("pnpm-lock.yaml", &pnpm), workspace]);
        assert_eq!(found, wanted, "{range}");
        assert_eq!(rules(&manifest, &[("bun.lock", &bun)]), wanted, "{range}");
    }
}
