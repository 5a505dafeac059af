//! `weir audit` of the lockfiles that real clients write, and of what lies in folders beside the project.

use serde_json::{Value, json};
use weir_testing::Project;
use weir_testing::clients::{self, Kind};

use crate::audit::{audit, change, changes, flaw, import, pond, reed_flaw};
use crate::support::World;

/// The same tree locked by each client gives the same report.
fn every_lockfile(kind: Kind) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let project = Project::new()
        .registry(&registry.url())
        .package_json(&json!({
            "name": "p", "version": "1.0.0",
            "dependencies": {"stalk": "1.0.0"},
            "devDependencies": {"mud": "1.0.0"},
        }));
    client.install(&project).assert_success();
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(run.code, Some(5), "{kind}: {}", run.text());
    let locked = &report["findings"][0]["locked"][0];
    assert_eq!(locked["version"], "1.0.0", "{kind}");
    assert_eq!(locked["need"], "production", "{kind}");
    assert_eq!(
        locked["paths"][0]["through"],
        json!(["stalk@1.0.0", "reed@1.0.0"]),
        "{kind}"
    );
    assert_eq!(
        changes(&report),
        [change("raise", "stalk", "^2.0.0")],
        "{kind}"
    );
}

#[test]
fn of_npm() {
    every_lockfile(Kind::Npm);
}

#[test]
fn of_pnpm() {
    every_lockfile(Kind::Pnpm12);
}

#[test]
fn of_yarn_1() {
    every_lockfile(Kind::Yarn1);
}

#[test]
fn of_yarn_4() {
    every_lockfile(Kind::Yarn4);
}

#[test]
fn of_bun() {
    every_lockfile(Kind::Bun);
}

/// What is said of each way: the kind, the folder, what is asked for now and then, and the sentence.
fn told(report: &Value) -> Vec<[String; 5]> {
    let findings = report["findings"].as_array().unwrap().iter();
    let locked = findings.flat_map(|it| it["locked"].as_array().unwrap());
    let changes = locked.flat_map(|it| it["changes"].as_array().unwrap());
    let said = |change: &Value| {
        ["kind", "project", "from", "to", "what"]
            .map(|key| change[key].as_str().unwrap_or("-").to_owned())
    };
    changes.map(said).collect()
}

const YARN: &str = "# yarn lockfile v1\n\n\n\"inner@file:./inner\":\n  version \"1.0.0\"\n  dependencies:\n    reed \"~1.0.0\"\n\nreed@~1.0.0:\n  version \"1.0.0\"\n  resolved \"https://registry.example.invalid/reed/-/reed-1.0.0.tgz\"\n";

const BERRY: &str = r#"__metadata:
  version: 8

"inner@file:./inner::locator=p%40workspace%3A.":
  version: 1.0.0
  resolution: "inner@file:./inner#./inner::hash=abc&locator=p%40workspace%3A."
  dependencies:
    reed: "npm:~1.0.0"

"p@workspace:.":
  version: 0.0.0-use.local
  resolution: "p@workspace:."
  dependencies:
    inner: "file:./inner"

"reed@npm:~1.0.0":
  version: 1.0.0
  resolution: "reed@npm:1.0.0"
"#;

const PNPM: &str = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      inner:\n        specifier: file:./inner\n        version: file:inner\n\npackages:\n\n  inner@file:inner:\n    resolution: {directory: inner, type: directory}\n\n  reed@1.0.0:\n    resolution: {integrity: sha512-AAAA}\n\nsnapshots:\n\n  inner@file:inner:\n    dependencies:\n      reed: 1.0.0\n\n  reed@1.0.0: {}\n";

const BUN: &str = r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "p", "dependencies": {"inner": "file:./inner"}}},
"packages": {"inner": ["inner@file:inner", {"dependencies": {"reed": "~1.0.0"}}],
"reed": ["reed@1.0.0", "", {}, "sha512-AAAA"]}}"#;

const NPM: &str = r#"{"lockfileVersion": 3, "packages": {"": {"name": "p", "dependencies": {"inner": "file:lib/inner.tgz"}},
"node_modules/inner": {"version": "1.0.0", "resolved": "file:lib/inner.tgz", "dependencies": {"reed": "~1.0.0"}},
"node_modules/reed": {"version": "1.0.0", "resolved": "https://registry.example.invalid/reed/-/reed-1.0.0.tgz"}}}"#;

/// A folder has no releases, so it is not told that a later one would do.
#[test]
fn what_a_folder_asks_for_is_changed_in_its_own_manifest() {
    let raise = "raise reed in inner/package.json from \"~1.0.0\" to \"^1.2.0\"";
    let wanted = |kind: &str, project: &str, from: &str, what: String| {
        [kind, project, from, "^1.2.0", what.as_str()].map(str::to_owned)
    };
    for (file, text, told_of) in [
        (
            "yarn.lock",
            YARN,
            wanted(
                "raise",
                "inner",
                "~1.0.0",
                format!(
                    "{raise}, and run yarn install --force, as yarn 1 does not look into folders without that"
                ),
            ),
        ),
        (
            "yarn.lock",
            BERRY,
            wanted(
                "raise",
                "inner",
                "~1.0.0",
                format!("{raise}, and run yarn install"),
            ),
        ),
        (
            "bun.lock",
            BUN,
            wanted(
                "raise",
                "inner",
                "~1.0.0",
                format!("{raise}, and run bun install"),
            ),
        ),
        (
            "pnpm-lock.yaml",
            PNPM,
            wanted(
                "raise",
                "inner",
                "-",
                "set reed in inner/package.json to \"^1.2.0\", and run pnpm install".to_owned(),
            ),
        ),
        (
            "package-lock.json",
            NPM,
            wanted(
                "unknown",
                "",
                "~1.0.0",
                "raise reed in the package.json inside lib/inner.tgz from \"~1.0.0\" to \"^1.2.0\": only \
                 another tarball can say so"
                    .to_owned(),
            ),
        ),
    ] {
        let (world, registry) = (World::new(), pond());
        import(&world, "osv", &[reed_flaw()]);
        let inner = if file == "package-lock.json" {
            "file:lib/inner.tgz"
        } else {
            "file:./inner"
        };
        let project = Project::new()
            .package_json(&json!({"name": "p", "dependencies": {"inner": inner}}))
            .file(file, text);
        let (report, run) = audit(&world, &registry, &project, &[]);
        assert_eq!(told(&report), [told_of], "{text}: {}", run.text());
        let asked = registry.requests();
        assert!(
            asked.iter().all(|request| !request.path.contains("inner")),
            "{asked:?}"
        );
    }
}

/// A folder may have the name of a package that is told of: it is not that package.
#[test]
fn a_folder_is_not_the_package_of_its_name() {
    let patched = r#"__metadata:
  version: 8

"inner@file:./inner::locator=p%40workspace%3A.":
  version: 1.0.0
  resolution: "inner@file:./inner#./inner::hash=abc&locator=p%40workspace%3A."

"inner@patch:inner@file%3A./inner%3A%3Alocator=p%2540workspace%253A.#~/inner.patch":
  version: 1.0.0
  resolution: "inner@patch:inner@file%3A./inner%23./inner%3A%3Ahash=abc&locator=p%2540workspace%253A.#~/inner.patch::version=1.0.0&hash=def"
"#;
    for (file, text) in [
        ("yarn.lock", YARN),
        ("yarn.lock", BERRY),
        ("yarn.lock", patched),
        ("bun.lock", BUN),
        ("pnpm-lock.yaml", PNPM),
        ("package-lock.json", NPM),
    ] {
        let (world, registry) = (World::new(), pond());
        let events = json!([{"introduced": "0"}]);
        import(
            &world,
            "osv",
            &[flaw("GHSA-inner-0000-0001", "inner", events)],
        );
        let project = Project::new()
            .package_json(&json!({"name": "p", "dependencies": {"inner": "file:./inner"}}))
            .file(file, text);
        let (report, run) = audit(&world, &registry, &project, &[]);
        assert_eq!(report["findings"], json!([]), "{text}: {}", run.text());
    }
}

/// What each client really does with the changed folder.
fn followed(kind: Kind, manifest: &str, install: &[&str]) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let inner = |range: &str| {
        json!({"name": "inner", "version": "1.0.0", "dependencies": {"reed": range}}).to_string()
    };
    let project = Project::new()
        .registry(&registry.url())
        .package_json(
            &json!({"name": "p", "version": "1.0.0", "dependencies": {"inner": "file:./inner"}}),
        )
        .file("inner/package.json", inner("~1.0.0"));
    client.install(&project).assert_success();
    let (report, run) = audit(&world, &registry, &project, &[]);
    let told = told(&report);
    assert!(
        told.iter().all(|it| it[4].contains(manifest)) && told.len() == 1,
        "{kind}: {}",
        run.text()
    );
    project.write("inner/package.json", inner("^1.2.0"));
    client.run(&project, install).assert_success();
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(report["findings"], json!([]), "{kind}: {}", run.text());
}

#[test]
fn each_client_follows_a_changed_folder() {
    let manifest = "reed in inner/package.json";
    for kind in Kind::ALL {
        let install = match kind {
            Kind::Yarn1 => &["install", "--force"][..],
            other => other.install(),
        };
        followed(kind, manifest, install);
    }
}
