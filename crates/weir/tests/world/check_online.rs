//! `weir check --online`: digests beside those of the registry, and what install scripts run.

use serde_json::Value;
use weir_testing::{Package, Registry, Release};

use crate::support::{World, output, river};

/// A registry with a package that runs something at install time.
fn registry() -> Registry {
    let registry = river();
    let dam = Release::new("1.0.0")
        .published("2024-01-02T03:04:05.678Z")
        .script("postinstall", "node setup.js")
        .file("setup.js", "require('child_process').execSync('make');\n");
    registry.add(Package::new("dam").maintainer("mill").release(dam));
    registry
}

/// A pnpm project: the format does not say who has scripts.
fn project(world: &World, registry: &Registry, digests: [&str; 2], extra: &str) {
    world.write(
        "work/package.json",
        r#"{"name": "app", "dependencies": {"dam": "1.0.0", "gauge-reader": "1.0.0"}}"#,
    );
    world.write("work/.npmrc", format!("registry={}\n", registry.url()));
    world.write("work/pnpm-workspace.yaml", extra);
    let [dam, gauge] = digests;
    world.write(
        "work/pnpm-lock.yaml",
        format!(
            "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      dam:\n        specifier: 1.0.0\n        version: 1.0.0\n      \
             gauge-reader:\n        specifier: 1.0.0\n        version: 1.0.0\npackages:\n  dam@1.0.0:\n    resolution: {{integrity: {dam}}}\n  \
             gauge-reader@1.0.0:\n    resolution: {{integrity: {gauge}}}\nsnapshots:\n  dam@1.0.0: {{}}\n  gauge-reader@1.0.0: {{}}\n"
        ),
    );
}

fn check(world: &World, registry: &Registry, arguments: &[&str]) -> (i32, Value) {
    let run = world.run_before(registry, &[&["check", "--json"], arguments].concat());
    let report = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.text()));
    (run.code.unwrap(), report)
}

fn of_rule<'r>(report: &'r Value, rule: &str) -> Vec<&'r Value> {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["rule"] == rule)
        .collect()
}

#[test]
fn digests_are_those_of_the_registry_or_an_error() {
    let (world, registry) = (World::new(), registry());
    let right = ["dam", "gauge-reader"].map(|name| registry.integrity(name, "1.0.0").unwrap());
    let other = format!("sha512-{}==", "A".repeat(86));
    project(&world, &registry, [&right[0], &right[1]], "");
    // Not asked: said so, once.
    let (code, unasked) = check(&world, &registry, &[]);
    assert_eq!(code, 0);
    assert_eq!(of_rule(&unasked, "digests-not-compared").len(), 1);
    assert_eq!(unasked["lockfiles"][0]["digests"]["not_compared"], 2);
    let (code, same) = check(&world, &registry, &["--online"]);
    assert_eq!(code, 0, "{same:#}");
    assert_eq!(same["lockfiles"][0]["digests"]["same"], 2, "{same:#}");
    assert!(of_rule(&same, "digests-not-compared").is_empty());
    project(&world, &registry, [&right[0], &other], "");
    let (code, differs) = check(&world, &registry, &["--online"]);
    assert_eq!(code, 5);
    let found = of_rule(&differs, "other-digest");
    assert_eq!(
        (found.len(), &found[0]["line"]),
        (1, &14.into()),
        "{differs:#}"
    );
    assert_eq!(found[0]["package"], "gauge-reader@1.0.0");
    assert_eq!(differs["lockfiles"][0]["digests"]["different"], 1);
}

#[test]
fn a_release_that_is_not_there_and_a_registry_that_fails_are_no_pass() {
    let (world, registry) = (World::new(), registry());
    let right = ["dam", "gauge-reader"].map(|name| registry.integrity(name, "1.0.0").unwrap());
    project(&world, &registry, [&right[0], &right[1]], "");
    let text = std::fs::read_to_string(world.path("work/pnpm-lock.yaml")).unwrap();
    let got = "gauge-reader:\n        specifier: 1.0.0\n        version: 1.0.";
    let later = text.replace("gauge-reader@1.0.0:", "gauge-reader@1.0.7:");
    world.write(
        "work/pnpm-lock.yaml",
        later.replace(&format!("{got}0"), &format!("{got}7")),
    );
    let (code, missing) = check(&world, &registry, &["--online"]);
    assert_eq!(code, 5);
    assert_eq!(of_rule(&missing, "no-such-release").len(), 1, "{missing:#}");
    // Nobody answers there.
    world.write("work/pnpm-lock.yaml", text);
    let run = world
        .weir()
        .args([
            "--upstream",
            "http://127.0.0.1:9/",
            "check",
            "--json",
            "--online",
        ])
        .output()
        .unwrap();
    let unanswered: Value = serde_json::from_slice(&run.stdout).unwrap();
    let found = of_rule(&unanswered, "digest-not-compared");
    assert_eq!(found.len(), 1, "one cause: {unanswered:#}");
    let what = found[0]["what"].as_str().unwrap();
    let told = "2 of 2 digests could not be compared with the registry; dam@1.0.0 first: ";
    assert!(what.starts_with(told), "{what}");
    let digests = &unanswered["lockfiles"][0]["digests"];
    assert_eq!(
        (&digests["same"], &digests["not_compared"]),
        (&0.into(), &2.into())
    );
    // What was asked for was not done.
    assert_eq!(run.status.code(), Some(1), "{unanswered:#}");
    // Nobody asked for it.
    let unasked = ["--upstream", "http://127.0.0.1:9/", "check"];
    world.run(&unasked).assert_success();
    // What must be put right comes first.
    let text = std::fs::read_to_string(world.path("work/pnpm-lock.yaml")).unwrap();
    world.write("work/pnpm-lock.yaml", text.replace(&right[0], "rubbish"));
    let run = world.run(&[&unasked[..], &["--online"]].concat());
    assert_eq!(run.code, Some(5), "{}", run.text());
}

/// What `weir verify` has learned is compared without asking again.
#[test]
fn what_is_kept_is_compared_offline() {
    let (world, registry) = (World::new(), registry());
    let right = ["dam", "gauge-reader"].map(|name| registry.integrity(name, "1.0.0").unwrap());
    let other = format!("sha512-{}==", "A".repeat(86));
    project(&world, &registry, [&right[0], &right[1]], "");
    world.run_before(&registry, &["verify"]);
    let asked = registry.requests().len();
    let (code, kept) = check(&world, &registry, &["--offline"]);
    assert_eq!(
        (code, &kept["lockfiles"][0]["digests"]["same"]),
        (0, &2.into()),
        "{kept:#}"
    );
    project(&world, &registry, [&right[0], &other], "");
    let (code, differs) = check(&world, &registry, &["--offline"]);
    assert_eq!(code, 5, "{differs:#}");
    assert_eq!(of_rule(&differs, "other-digest").len(), 1);
    assert_eq!(registry.requests().len(), asked);
}

#[test]
fn scripts_are_told_with_what_they_run_and_what_lets_them() {
    let (world, registry) = (World::new(), registry());
    let right = ["dam", "gauge-reader"].map(|name| registry.integrity(name, "1.0.0").unwrap());
    for (extra, words) in [
        ("allowBuilds: {dam: true}\n", "`allowBuilds` lets them run"),
        (
            "allowBuilds: {dam: false}\n",
            "`allowBuilds` does not let them run",
        ),
        (
            "onlyBuiltDependencies: [gauge-reader]\n",
            "`onlyBuiltDependencies` does not let them run",
        ),
        (
            "onlyBuiltDependencies: ['dam@1.0.0']\n",
            "`onlyBuiltDependencies` lets them run",
        ),
        (
            "dangerouslyAllowAllBuilds: true\n",
            "`dangerouslyAllowAllBuilds` lets them run",
        ),
        ("ignoreScripts: true\n", "none runs: `ignoreScripts`"),
        ("", "before 10, and not from 10 on"),
    ] {
        project(&world, &registry, [&right[0], &right[1]], extra);
        let (_, report) = check(&world, &registry, &["--online"]);
        let found = of_rule(&report, "install-script");
        assert_eq!(found.len(), 1, "{extra}: {report:#}");
        let what = found[0]["what"].as_str().unwrap();
        assert!(
            what.starts_with("runs `postinstall: node setup.js`"),
            "{what}"
        );
        assert!(what.contains(words), "{extra}: {what}");
        assert!(
            of_rule(&report, "install-scripts-unknown").is_empty(),
            "{report:#}"
        );
    }
    // Without asking, what lies in node_modules says it.
    world.write(
        "work/node_modules/.pnpm/dam@1.0.0/node_modules/dam/package.json",
        r#"{"name": "dam", "version": "1.0.0", "scripts": {"postinstall": "node setup.js"}}"#,
    );
    let (_, report) = check(
        &World::new(),
        &registry,
        &[&world.path("work").display().to_string(), "--offline"],
    );
    assert_eq!(of_rule(&report, "install-script").len(), 1, "{report:#}");
    let unknown = of_rule(&report, "install-scripts-unknown");
    assert!(
        unknown[0]["what"]
            .as_str()
            .unwrap()
            .contains("of 1 package"),
        "{report:#}"
    );
}

/// The policy is the project's, also for somebody who stands elsewhere; and the default registry hears no name
/// that it says is yours.
#[test]
fn names_that_are_yours_are_not_told_to_the_default_registry() {
    let (world, registry) = (World::new(), registry());
    let right = ["dam", "gauge-reader"].map(|name| registry.integrity(name, "1.0.0").unwrap());
    project(&world, &registry, [&right[0], &right[1]], "");
    world.write("work/weir.toml", "[names]\nown = [\"gauge-*\"]\n");
    world.write("elsewhere/weir.toml", "");
    let mut command = world.weir_before(&registry);
    command
        .args(["check", "--json", "--online"])
        .arg(world.path("work"))
        .current_dir(world.path("elsewhere"));
    let run = output(&mut command);
    assert_eq!(run.code, Some(0), "{}", run.text());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let withheld = of_rule(&report, "names-withheld");
    assert_eq!(withheld.len(), 1, "{report:#}");
    let what = withheld[0]["what"].as_str().unwrap();
    assert!(
        what.contains("about 1 entry") && what.contains("gauge-reader@1.0.0 first"),
        "{what}"
    );
    assert!(
        of_rule(&report, "digests-not-compared").is_empty(),
        "{report:#}"
    );
    assert_eq!(report["lockfiles"][0]["digests"]["same"], 1);
    assert_eq!(report["lockfiles"][0]["digests"]["not_compared"], 1);
    let asked = |name: &str| registry.requests().iter().any(|it| it.path.contains(name));
    assert!(asked("dam") && !asked("gauge-reader"));
}

/// The registry was asked, and yarn's checksum is of another archive than the registry's.
#[test]
fn yarns_own_checksums_are_said_once_to_be_comparable_by_yarn_only() {
    let (world, registry) = (World::new(), registry());
    world.write(
        "work/package.json",
        r#"{"name": "app", "dependencies": {"dam": "1.0.0", "gauge-reader": "1.0.0"}}"#,
    );
    world.write("work/.npmrc", format!("registry={}\n", registry.url()));
    let entry = |name: &str| {
        format!(
            "\n\"{name}@npm:1.0.0\":\n  version: 1.0.0\n  resolution: \"{name}@npm:1.0.0\"\n  checksum: 10c0/ab\n  \
             languageName: node\n  linkType: hard\n"
        )
    };
    world.write(
        "work/yarn.lock",
        format!(
            "__metadata:\n  version: 8\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  \
             resolution: \"app@workspace:.\"\n  dependencies:\n    dam: \"npm:1.0.0\"\n    \
             gauge-reader: \"npm:1.0.0\"\n  languageName: unknown\n  linkType: soft\n{}{}",
            entry("dam"),
            entry("gauge-reader")
        ),
    );
    for arguments in [&[][..], &["--online"]] {
        let (_, report) = check(&world, &registry, arguments);
        let found = of_rule(&report, "digests-not-compared");
        assert_eq!(found.len(), 1, "{report:#}");
        let text = |key: &str| found[0][key].as_str().unwrap();
        assert!(text("what").starts_with("2 of 2 digests"), "{report:#}");
        assert!(text("what").contains("zip archive"), "{report:#}");
        assert!(text("todo").contains("--check-cache"), "{report:#}");
        assert_eq!(report["lockfiles"][0]["digests"]["not_compared"], 2);
    }
}

/// yarn leaves the checksum out for other platforms: the registry knows which releases are for some only.
#[test]
fn a_condition_is_no_word_for_a_checksum_where_the_registry_knows_better() {
    let (world, registry) = (World::new(), registry());
    world.write(
        "work/package.json",
        r#"{"name": "app", "dependencies": {"gauge-reader": "1.0.0"}}"#,
    );
    world.write("work/.npmrc", format!("registry={}\n", registry.url()));
    world.write(
        "work/yarn.lock",
        "__metadata:\n  version: 8\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  \
         resolution: \"app@workspace:.\"\n  dependencies:\n    gauge-reader: \"npm:1.0.0\"\n\n\
         \"gauge-reader@npm:1.0.0\":\n  version: 1.0.0\n  resolution: \"gauge-reader@npm:1.0.0\"\n  \
         conditions: os=linux\n",
    );
    for (arguments, count) in [(&[][..], 0), (&["--online"], 1)] {
        let (_, report) = check(&world, &registry, arguments);
        let found = of_rule(&report, "no-integrity");
        assert_eq!(found.len(), count, "{report:#}");
    }
}
