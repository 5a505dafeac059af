//! `weir why`: the ways into a project, and what is known of each step.

use serde_json::Value;
use weir_testing::{Package, Registry, Release};

use crate::support::{NOW, World};

/// `app` depends on `wire`, whose last patch took in `reed`, which takes in `cipher` of yesterday.
fn tree() -> Registry {
    let registry = Registry::start();
    registry.set_now(NOW);
    let release = |version: &str, published: &str| Release::new(version).published(published);
    registry.add(
        Package::new("wire")
            .release(release("1.0.0", "2024-01-01T09:00:00.000Z"))
            .release(release("1.0.1", "2026-11-19T09:00:00.000Z").dependency("reed", "^2.0.0")),
    );
    registry.add(
        Package::new("reed")
            .release(release("2.0.0", "2023-01-01T09:00:00.000Z").dependency("cipher", "^1.0.0")),
    );
    registry.add(Package::new("cipher").release(release("1.0.0", "2026-11-19T08:00:00.000Z")));
    registry
}

fn project(world: &World) {
    world.write(
        "work/package.json",
        r#"{"name": "app", "version": "1.0.0", "dependencies": {"wire": "^1.0.0"}}"#,
    );
    world.write(
        "work/package-lock.json",
        r#"{"name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": {
            "": {"name": "app", "version": "1.0.0", "dependencies": {"wire": "^1.0.0"}},
            "node_modules/wire": {"version": "1.0.1", "resolved": "https://registry.example.invalid/wire/-/wire-1.0.1.tgz", "dependencies": {"reed": "^2.0.0"}},
            "node_modules/reed": {"version": "2.0.0", "resolved": "https://registry.example.invalid/reed/-/reed-2.0.0.tgz", "dependencies": {"cipher": "^1.0.0"}},
            "node_modules/cipher": {"version": "1.0.0", "resolved": "https://registry.example.invalid/cipher/-/cipher-1.0.0.tgz"}
        }}"#,
    );
}

fn why(world: &World, registry: &Registry, arguments: &[&str]) -> Value {
    let mut all = vec!["why", "--json"];
    all.extend(arguments);
    let run = world.run_before(registry, &all);
    serde_json::from_str(&run.assert_success().stdout).unwrap()
}

#[test]
fn each_step_is_told_with_its_age_its_decision_and_since_when_it_is_asked_for() {
    let (world, registry) = (World::new(), tree());
    project(&world);
    let seen = world.run_before(&registry, &["inspect", "--json", "reed@2.0.0"]);
    assert_eq!(seen.code, Some(0), "{}", seen.text());
    let report = why(&world, &registry, &["cipher@^1"]);
    assert_eq!(report["schema"], "weir.why/v1");
    let found = &report["lockfiles"][0]["found"][0];
    assert_eq!(
        (&found["name"], &found["version"]),
        (&"cipher".into(), &"1.0.0".into())
    );
    assert_eq!(found["more"], false);
    let [app, wire, reed, cipher] = found["paths"][0].as_array().unwrap().as_slice() else {
        panic!("{found:#}");
    };
    assert_eq!(
        (&app["name"], &app["release"]),
        (&"app".into(), &Value::Null)
    );
    assert_eq!(
        (&wire["spec"], &wire["list"]),
        (&"^1.0.0".into(), &"dependencies".into())
    );
    assert_eq!(wire["release"]["decision"], Value::Null);
    assert_eq!(wire["release"]["first_seen"], Value::Null);
    assert_eq!(reed["since"]["version"], "1.0.1");
    assert_eq!(
        (&reed["since"]["after"], &reed["since"]["patch"]),
        (&"1.0.0".into(), &true.into())
    );
    assert_eq!(reed["release"]["decision"]["action"], "allow");
    assert_eq!(reed["release"]["first_seen"], "2026-11-20T12:00:00Z");
    assert_eq!(cipher["since"]["after"], Value::Null);
    assert_eq!(cipher["release"]["package_since"], "2026-11-19T08:00:00Z");
    let text = world.run_before(&registry, &["why", "cipher"]);
    for words in [
        "cipher@1.0.0, in package-lock.json: 1 way",
        "! asked for since 1.0.1 (not by 1.0.0, a patch)",
        "! the package is 28 h old",
        "first seen here 2026-11-20",
        "no decision in force here",
    ] {
        assert!(text.says(words), "{words}: {}", text.stdout);
    }
}

#[test]
fn what_is_not_known_is_said() {
    let (world, registry) = (World::new(), tree());
    project(&world);
    registry.remove("reed");
    let report = why(&world, &registry, &["cipher"]);
    let reed = &report["lockfiles"][0]["found"][0]["paths"][0][2];
    assert!(reed["release"]["unknown"].is_string(), "{reed:#}");
    assert_eq!(reed["release"]["published"], Value::Null);
    // Without asking anybody what was said last counts, and of when it is.
    registry.clear_requests();
    let offline = why(&world, &registry, &["cipher", "--offline"]);
    let path = |report: &Value| report["lockfiles"][0]["found"][0]["paths"][0].clone();
    let (online, offline) = (path(&report), path(&offline));
    assert_eq!(offline.as_array().unwrap().len(), 4);
    for (now, then) in online
        .as_array()
        .unwrap()
        .iter()
        .zip(offline.as_array().unwrap())
    {
        assert_eq!(now["since"], then["since"]);
        assert_eq!(
            now["release"]["package_since"],
            then["release"]["package_since"]
        );
    }
    let unknown = offline[3]["release"]["unknown"].as_str().unwrap();
    assert!(unknown.contains("the registry is not asked"), "{unknown}");
    assert!(registry.requests().is_empty());
}

#[test]
fn names_that_are_yours_are_not_told_to_the_default_registry() {
    let (world, registry) = (World::new(), tree());
    project(&world);
    world.write("work/weir.toml", "[names]\nown = [\"reed\"]\n");
    registry.clear_requests();
    let report = why(&world, &registry, &["cipher"]);
    let steps = &report["lockfiles"][0]["found"][0]["paths"][0];
    let unknown = steps[2]["release"]["unknown"].as_str().unwrap();
    assert!(unknown.contains("names.own"), "{unknown}");
    assert_eq!(steps[3]["since"], Value::Null, "its packument would say");
    assert_eq!(steps[3]["release"]["unknown"], Value::Null);
    let asked = registry.requests();
    assert!(
        !asked.iter().any(|it| it.path.contains("reed")),
        "{asked:?}"
    );
}

#[test]
fn what_cannot_be_answered_is_an_error() {
    let (world, registry) = (World::new(), tree());
    let failed = |arguments: &[&str], words: &str| {
        let mut all = vec!["why"];
        all.extend(arguments);
        let run = world.run_before(&registry, &all);
        assert_eq!(run.code, Some(1), "{arguments:?}: {}", run.text());
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
    };
    failed(&["cipher"], "nor a package.json; give the project's folder");
    project(&world);
    failed(
        &["nothing-like-it"],
        "nothing-like-it is not in package-lock.json",
    );
    failed(
        &["cipher@2.0.0"],
        "cipher@2.0.0 is not in package-lock.json",
    );
    failed(&["Not A Name"], "is not a package name");
    failed(&["cipher@latest"], "names a tag");
    world.write("work/package-lock.json", "{\n\"packages\": [");
    failed(&["cipher"], "package-lock.json:");
}

#[test]
fn no_way_at_all_is_no_answer() {
    let (world, registry) = (World::new(), tree());
    project(&world);
    for arguments in [
        &["why", "--limit", "0", "cipher"][..],
        &["why", "--limit", "none", "cipher"],
        &["ledger", "--limit", "0"],
    ] {
        let run = world.run_before(&registry, arguments);
        assert_eq!(run.code, Some(2), "{}", run.text());
        assert!(run.says("is not a number from 1 on"), "{}", run.text());
    }
    let report = why(&world, &registry, &["--limit", "1", "cipher"]);
    let found = &report["lockfiles"][0]["found"][0];
    assert_eq!(found["paths"].as_array().unwrap().len(), 1, "{report:#}");
}

/// pnpm's lockfile names its workspaces by their folders only.
#[test]
fn a_way_says_which_workspace_it_begins_at() {
    let (world, registry) = (World::new(), tree());
    world.write(
        "work/package.json",
        r#"{"name": "app", "version": "1.0.0"}"#,
    );
    world.write(
        "work/a/package.json",
        r#"{"name": "inner", "version": "1.2.0"}"#,
    );
    world.write("work/b/package.json", "{}");
    let asks =
        "    dependencies:\n      cipher:\n        specifier: ^1.0.0\n        version: 1.0.0\n";
    world.write(
        "work/pnpm-lock.yaml",
        format!(
            "lockfileVersion: '9.0'\nimporters:\n  .:\n{asks}  a:\n{asks}  b:\n{asks}packages:\n  cipher@1.0.0:\n    \
             resolution: {{integrity: sha512-AAAA}}\nsnapshots:\n  cipher@1.0.0: {{}}\n"
        ),
    );
    let report = why(&world, &registry, &["cipher", "--offline"]);
    let paths = report["lockfiles"][0]["found"][0]["paths"]
        .as_array()
        .unwrap();
    let first = |path: &Value| {
        let step = &path[0];
        [&step["name"], &step["version"], &step["folder"]]
            .map(|it| it.as_str().unwrap_or("-").to_owned())
    };
    let mut begin: Vec<[String; 3]> = paths.iter().map(first).collect();
    begin.sort();
    assert_eq!(
        begin,
        [
            ["app", "1.0.0", ""],
            ["b", "-", "b"],
            ["inner", "1.2.0", "a"]
        ]
    );
}

/// The name that a project uses need not be the package's, and a workspace is asked for by others.
#[test]
fn a_package_is_found_by_the_name_it_is_asked_for_under() {
    let (world, registry) = (World::new(), tree());
    let root = r#"{"name": "app", "version": "1.0.0", "workspaces": ["p/*"], "dependencies": {"cipher2": "npm:cipher@1.0.0"}}"#;
    world.write("work/package.json", root);
    world.write(
        "work/p/a/package.json",
        r#"{"name": "@m/a", "version": "1.0.0", "dependencies": {"@m/b": "1.0.0"}}"#,
    );
    world.write(
        "work/p/b/package.json",
        r#"{"name": "@m/b", "version": "1.0.0"}"#,
    );
    let npm = r#"{"name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": {
        "": {"name": "app", "version": "1.0.0", "workspaces": ["p/*"], "dependencies": {"cipher2": "npm:cipher@1.0.0"}},
        "node_modules/@m/a": {"resolved": "p/a", "link": true},
        "node_modules/@m/b": {"resolved": "p/b", "link": true},
        "node_modules/cipher2": {"name": "cipher", "version": "1.0.0"},
        "p/a": {"name": "@m/a", "version": "1.0.0", "dependencies": {"@m/b": "1.0.0"}},
        "p/b": {"name": "@m/b", "version": "1.0.0"}}}"#;
    let pnpm = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      cipher2:\n        \
        specifier: npm:cipher@1.0.0\n        version: cipher@1.0.0\n  p/a:\n    dependencies:\n      '@m/b':\n        \
        specifier: 1.0.0\n        version: link:../b\n  p/b: {}\npackages:\n  cipher@1.0.0:\n    \
        resolution: {integrity: sha512-AAAA}\nsnapshots:\n  cipher@1.0.0: {}\n";
    let yarn = "# yarn lockfile v1\n\n\n\"cipher2@npm:cipher@1.0.0\":\n  version \"1.0.0\"\n";
    let bun = r#"{"lockfileVersion": 1, "workspaces": {
        "": {"name": "app", "dependencies": {"cipher2": "npm:cipher@1.0.0"}},
        "p/a": {"name": "@m/a", "version": "1.0.0", "dependencies": {"@m/b": "1.0.0"}},
        "p/b": {"name": "@m/b", "version": "1.0.0"}},
        "packages": {"@m/a": ["@m/a@workspace:p/a"], "@m/b": ["@m/b@workspace:p/b"],
        "cipher2": ["cipher@1.0.0", "", {}, "sha512-AAAA"]}}"#;
    for (file, text) in [
        ("package-lock.json", npm),
        ("pnpm-lock.yaml", pnpm),
        ("yarn.lock", yarn),
        ("bun.lock", bun),
    ] {
        world.write(&format!("work/{file}"), text);
        for (asked, name, first) in [("cipher2", "cipher", "app"), ("@m/b", "@m/b", "@m/a")] {
            let report = why(&world, &registry, &[asked, "--offline"]);
            let found = report["lockfiles"][0]["found"].as_array().unwrap();
            assert_eq!(found.len(), 1, "{file} {asked}: {report:#}");
            assert_eq!(found[0]["name"], name, "{file} {asked}: {report:#}");
            assert_eq!(
                found[0]["paths"][0][0]["name"], first,
                "{file} {asked}: {report:#}"
            );
        }
        // Near miss: nothing is called like this, and no version of it is another.
        for asked in ["cipher3", "cipher2@2.0.0", "app"] {
            let run = world.run_before(&registry, &["why", asked, "--offline"]);
            assert_eq!(run.code, Some(1), "{file} {asked}: {}", run.text());
        }
        std::fs::remove_file(world.path(&format!("work/{file}"))).unwrap();
    }
}
