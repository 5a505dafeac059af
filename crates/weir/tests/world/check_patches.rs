//! `weir check` on the files of a project that change what packages consist of.

use serde_json::Value;

use crate::check_base::{commit, git};
use crate::support::{World, river};

const MANIFEST: &str = r#"{"name": "app", "dependencies": {"silt": "^1.0.0"}}"#;
const BEFORE: &str = "--- a/index.js\n+++ b/index.js\n@@ -1 +1 @@\n-1\n+2\n";
const AFTER: &str = "--- a/index.js\n+++ b/index.js\n@@ -1 +1 @@\n-1\n+require('./other')\n";
/// sha256 of the two.
const BEFORE_HASH: &str = "5b888b6213cb057ed1075f547ac9255c462b80623ff6fd945d5dd408356b6b97";
const AFTER_HASH: &str = "5010664675f60f7366b94659801cdd1ab9bceb63755f637a834bf76b1a265337";

/// A project of one client: its lockfile by what it says of the patch, and whatever names the patch.
struct Project {
    lockfile: &'static str,
    lock: fn(hash: &str, path: &str) -> String,
    patch: &'static str,
    settings: (&'static str, &'static str),
}

fn pnpm(hash: &str, _: &str) -> String {
    format!(
        "lockfileVersion: '9.0'\npatchedDependencies:\n  silt@1.2.0: {hash}\nimporters:\n  .:\n    dependencies:\n      \
         silt:\n        specifier: ^1.0.0\n        version: 1.2.0(patch_hash={hash})\npackages:\n  silt@1.2.0:\n    \
         resolution: {{integrity: sha512-{}==}}\nsnapshots:\n  silt@1.2.0(patch_hash={hash}): {{}}\n",
        "A".repeat(86)
    )
}

fn older_pnpm(hash: &str, path: &str) -> String {
    let said = format!("silt@1.2.0:\n    hash: {hash}\n    path: {path}\n");
    pnpm(hash, path).replace(&format!("silt@1.2.0: {hash}\n"), &said)
}

fn bun(_: &str, path: &str) -> String {
    format!(
        "{{\"lockfileVersion\": 1, \"workspaces\": {{\"\": {{\"name\": \"app\", \"dependencies\": {{\"silt\": \"^1.0.0\"}}}}}},\n\
         \"patchedDependencies\": {{\n\"silt@1.2.0\": \"{path}\"}},\n\
         \"packages\": {{\n\"silt\": [\"silt@1.2.0\", \"\", {{}}, \"sha512-{}==\"]}}}}\n",
        "A".repeat(86)
    )
}

fn yarn(hash: &str, path: &str) -> String {
    let short = &hash[..6];
    format!(
        "__metadata:\n  version: 8\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n  \
         dependencies:\n    silt: \"patch:silt@npm%3A^1.0.0#~/{path}\"\n\n\"silt@npm:^1.0.0\":\n  version: 1.2.0\n  \
         resolution: \"silt@npm:1.2.0\"\n  checksum: 10c0/aa\n\n\"silt@patch:silt@npm%3A^1.0.0#~/{path}\":\n  \
         version: 1.2.0\n  resolution: \"silt@patch:silt@npm%3A1.2.0#~/{path}::version=1.2.0&hash={short}\"\n  \
         checksum: 10c0/{short}\n"
    )
}

const PATCH: &str = "patches/silt.patch";
const PROJECTS: [Project; 4] = [
    Project {
        lockfile: "pnpm-lock.yaml",
        lock: pnpm,
        patch: PATCH,
        settings: (
            "pnpm-workspace.yaml",
            "patchedDependencies:\n  silt@1.2.0: patches/silt.patch\n",
        ),
    },
    Project {
        lockfile: "pnpm-lock.yaml",
        lock: older_pnpm,
        patch: PATCH,
        settings: (
            "package.json",
            r#"{"name": "app", "dependencies": {"silt": "^1.0.0"},
                "pnpm": {"patchedDependencies": {"silt@1.2.0": "patches/silt.patch"}}}"#,
        ),
    },
    Project {
        lockfile: "bun.lock",
        lock: bun,
        patch: PATCH,
        settings: (
            "package.json",
            r#"{"name": "app", "dependencies": {"silt": "^1.0.0"},
                "patchedDependencies": {"silt@1.2.0": "patches/silt.patch"}}"#,
        ),
    },
    Project {
        lockfile: "yarn.lock",
        lock: yarn,
        patch: PATCH,
        settings: (
            "package.json",
            r#"{"name": "app", "dependencies": {"silt": "patch:silt@npm%3A^1.0.0#~/patches/silt.patch"}}"#,
        ),
    },
];

impl Project {
    fn write(&self, world: &World, hash: &str, patch: &str) {
        world.write("work/package.json", MANIFEST);
        world.write(&format!("work/{}", self.settings.0), self.settings.1);
        world.write(
            &format!("work/{}", self.lockfile),
            (self.lock)(hash, self.patch),
        );
        world.write(&format!("work/{}", self.patch), patch);
    }
}

/// What is told: rule, level and text.
fn told(world: &World, arguments: &[&str]) -> Vec<(String, String, String)> {
    let run = world.run_before(
        &river(),
        &[&["check", "--json", "--offline"], arguments].concat(),
    );
    let report: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.text()));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = report["findings"].as_array().unwrap().iter();
    let all = all.map(|it| (text(&it["rule"]), text(&it["level"]), text(&it["what"])));
    let wanted = [
        "patch-changed",
        "patch-unread",
        "out-of-step",
        "other-package",
        "entry-replaced",
    ];
    all.filter(|(rule, _, _)| wanted.contains(&rule.as_str()))
        .collect()
}

#[test]
fn what_a_patch_changes_is_told_with_a_change() {
    for project in PROJECTS {
        let world = World::new();
        git(&world, &["init", "--quiet"]);
        project.write(&world, BEFORE_HASH, BEFORE);
        assert_eq!(told(&world, &[]), [], "{}", project.lockfile);
        commit(&world);
        assert_eq!(
            told(&world, &["--base", "HEAD"]),
            [],
            "{}",
            project.lockfile
        );
        project.write(&world, AFTER_HASH, AFTER);
        let changed = told(&world, &["--base", "HEAD"]);
        let [(rule, level, what)] = changed.as_slice() else {
            panic!("{}: {changed:?}", project.lockfile);
        };
        assert_eq!(
            (rule.as_str(), level.as_str()),
            ("patch-changed", "warning")
        );
        assert_eq!(
            what,
            "silt@1.2.0 is changed by another patch than before, patches/silt.patch"
        );
        // One that is new, and one that is not there any more.
        world.write("work/package.json", MANIFEST);
        std::fs::remove_file(world.path("work/pnpm-workspace.yaml")).ok();
        std::fs::remove_file(world.path(&format!("work/{}", project.lockfile))).unwrap();
        commit(&world);
        project.write(&world, AFTER_HASH, AFTER);
        let new = told(&world, &["--base", "HEAD"]);
        assert!(
            new.iter().any(|(rule, _, what)| rule == "patch-changed"
                && what == "silt@1.2.0 is changed by a new patch, patches/silt.patch"),
            "{}: {new:?}",
            project.lockfile
        );
    }
}

#[test]
fn a_patch_that_is_none_of_the_lockfiles_is_out_of_step() {
    let step = |world: &World| -> Vec<String> {
        let told = told(world, &[]).into_iter();
        told.filter(|(rule, level, _)| rule == "out-of-step" && level == "error")
            .map(|(_, _, what)| what)
            .collect()
    };
    for project in PROJECTS {
        let world = World::new();
        project.write(&world, BEFORE_HASH, AFTER);
        let is_pnpm = project.lockfile == "pnpm-lock.yaml";
        let other = format!(
            "silt@1.2.0 is changed by patches/silt.patch, which is not the one locked as {BEFORE_HASH}"
        );
        // Only pnpm's digest is one of the file alone.
        let wanted: Vec<String> = is_pnpm.then_some(other).into_iter().collect();
        assert_eq!(step(&world), wanted, "{}", project.lockfile);
        std::fs::remove_file(world.path("work/patches/silt.patch")).unwrap();
        assert_eq!(
            step(&world),
            ["silt@1.2.0 is changed by patches/silt.patch, and there is no such file"],
            "{}",
            project.lockfile
        );
        if project.lockfile == "yarn.lock" {
            continue;
        }
        project.write(&world, BEFORE_HASH, BEFORE);
        world.write("work/package.json", MANIFEST);
        std::fs::remove_file(world.path("work/pnpm-workspace.yaml")).ok();
        assert_eq!(
            step(&world),
            [
                "the lockfile says that silt@1.2.0 is changed by a patch, and no setting of the project does"
            ],
            "{}",
            project.lockfile
        );
    }
}

#[test]
fn a_resolution_to_another_patch_is_another_package() {
    for (from, to) in [
        (
            "silt@patch:silt@npm%3A1.2.0#",
            "silt@patch:reed@npm%3A1.2.0#",
        ),
        (
            "1.2.0#~/patches/silt.patch::",
            "1.2.0#~/patches/evil.patch::",
        ),
    ] {
        let world = World::new();
        let project = &PROJECTS[3];
        project.write(&world, BEFORE_HASH, BEFORE);
        world.write("work/patches/evil.patch", AFTER);
        let text = yarn(BEFORE_HASH, PATCH);
        assert!(text.contains(from));
        world.write("work/yarn.lock", text.replace(from, to));
        let told = told(&world, &[]);
        let [(rule, level, what)] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert_eq!((rule.as_str(), level.as_str()), ("other-package", "error"));
        assert!(
            what.ends_with("and its resolution is to another patch"),
            "{what}"
        );
    }
}

#[test]
fn a_patch_that_cannot_be_looked_at_does_not_pass() {
    let world = World::new();
    let project = &PROJECTS[2];
    git(&world, &["init", "--quiet"]);
    project.write(&world, BEFORE_HASH, BEFORE);
    let outside = "../outside.patch";
    world.write("work/bun.lock", bun("", outside));
    world.write(
        "work/package.json",
        project.settings.1.replace(PATCH, outside),
    );
    commit(&world);
    for arguments in [&[][..], &["--base", "HEAD"]] {
        let told = told(&world, arguments);
        let [(rule, level, what)] = told.as_slice() else {
            panic!("{arguments:?}: {told:?}");
        };
        assert_eq!((rule.as_str(), level.as_str()), ("patch-unread", "warning"));
        assert_eq!(
            what,
            "silt@1.2.0 is changed by ../outside.patch, which could not be read: it is not in the project"
        );
    }
}
