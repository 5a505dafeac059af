//! `weir diff`: two releases of a registry, tarballs and folders side by side.

use serde_json::Value;
use weir_testing::samples::{NPM_CREDENTIALS, aimed_at};
use weir_testing::scenarios::{default_now, first_hook};
use weir_testing::tarball::{Entry, tgz};
use weir_testing::{Package, Registry, Release, Sink};

use crate::support::{World, river};

fn parsed(stdout: &str) -> Value {
    serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"))
}

#[test]
fn an_attack_stands_out_from_the_release_before_it() {
    let (world, scenario) = (World::new(), first_hook(default_now()));
    let pair = ["diff", "ledger-format@1.4.1", "ledger-format@1.4.2"];
    let run = world.run_before(&scenario.registry, &pair);
    assert_eq!(run.code, Some(4), "{}", run.text());
    for words in [
        "ledger-format@1.4.1 -> ledger-format@1.4.2",
        "block",
        "by mara",
        "+ postinstall: node lib/telemetry.js",
        "new-flow",
    ] {
        assert!(run.says(words), "{words}: {}", run.text());
    }
    // What runs comes before which files there are.
    let at = |words: &str| run.stdout.find(words).unwrap();
    assert!(at("runs at install time") < at("files: "), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);

    let json = world.run_before(&scenario.registry, &[&pair[..], &["--json"]].concat());
    assert_eq!(json.code, Some(4));
    let found = parsed(&json.stdout);
    assert_eq!(found["schema"], "weir.diff/v1");
    assert_eq!(found["before"]["release"]["version"], "1.4.1");
    assert_eq!(found["after"]["publisher"], "mara");
    assert_eq!(found["decision"]["action"], "block");
    assert_eq!(found["install_steps"]["added"][0]["event"], "postinstall");
    assert!(
        found["flows"]["added"]
            .as_array()
            .unwrap()
            .iter()
            .any(|flow| flow["surface"] == "install" && flow["sink"] == "http"),
        "{found:#}"
    );
    scenario.sink.assert_untouched();
}

#[test]
fn the_release_before_is_what_one_is_compared_with_by_default() {
    let (world, scenario) = (World::new(), first_hook(default_now()));
    let run = world.run_before(
        &scenario.registry,
        &["diff", "--json", "ledger-format@1.4.2"],
    );
    assert_eq!(run.code, Some(4), "{}", run.text());
    let found = parsed(&run.stdout);
    assert_eq!(found["before"]["release"]["version"], "1.4.1");
    let first = world.run_before(&scenario.registry, &["diff", "ledger-format@1.0.0"]);
    assert_eq!(first.code, Some(1), "{}", first.text());
    assert!(first.says("no release before"), "{}", first.text());
}

#[test]
fn a_native_build_of_years_is_no_difference() {
    let (world, scenario) = (World::new(), first_hook(default_now()));
    let run = world.run_before(
        &scenario.registry,
        &[
            "diff",
            "--json",
            "native-checksum@3.2.0",
            "native-checksum@3.2.1",
        ],
    );
    let found = parsed(&run.stdout);
    for part in ["capabilities", "hosts", "flows", "install_steps"] {
        assert_eq!(found[part]["added"], Value::Array(Vec::new()), "{found:#}");
    }
    assert_eq!(found["findings"], Value::Array(Vec::new()), "{found:#}");
}

#[test]
fn folders_and_tarballs_stand_on_either_side() {
    let (world, registry) = (World::new(), river());
    world.write(
        "work/folder/package.json",
        r#"{"name": "gauge-reader", "version": "1.0.1", "dependencies": {"silt": "^2"}}"#,
    );
    world.write("work/folder/index.js", "module.exports = 1;\n");
    let tarball = tgz(&[
        Entry::file(
            "package/package.json",
            r#"{"name": "gauge-reader", "version": "1.0.0", "dependencies": {"silt": "^1"}}"#,
        ),
        Entry::file("package/index.js", "module.exports = 1;\n"),
    ]);
    world.write("work/old.tgz", &tarball);
    let run = world.run_before(&registry, &["diff", "old.tgz", "./folder"]);
    assert!(run.says("~ silt ^1 -> ^2"), "{}", run.text());
    assert!(run.says("gauge-reader@1.0.0 -> gauge-reader@1.0.1"));
    // A registry's release on one side, files on the other.
    let mixed = world.run_before(
        &registry,
        &["diff", "--json", "gauge-reader@1.0.0", "old.tgz"],
    );
    let found = parsed(&mixed.stdout);
    assert!(found["before"]["published"].is_string(), "{found:#}");
    assert_eq!(found["after"]["published"], Value::Null);
    assert!(found["dependencies"].is_array());
    let same = world.run_before(&registry, &["diff", "old.tgz", "old.tgz"]);
    assert!(
        same.says("nothing that weir looks at is different"),
        "{}",
        same.text()
    );
}

#[test]
fn what_cannot_be_had_is_a_failure() {
    let (world, registry) = (World::new(), river());
    for pair in [
        ["no-such-package-here@1.0.0", "gauge-reader@1.0.0"],
        ["gauge-reader@1.0.0", "gauge-reader@7"],
        ["gauge-reader@1.0.0", "./missing.tgz"],
        ["gauge-reader@1.0.0", "Not A Name"],
    ] {
        let run = world.run_before(&registry, &["diff", pair[0], pair[1]]);
        assert_eq!(run.code, Some(1), "{pair:?}: {}", run.text());
        assert!(run.stderr.contains("weir: "), "{pair:?}: {}", run.stderr);
    }
    // What cannot be read at all is refused, as `weir inspect` does.
    world.write("work/broken.tgz", b"no tarball");
    let run = world.run_before(&registry, &["diff", "gauge-reader@1.0.0", "broken.tgz"]);
    assert_eq!(run.code, Some(4), "{}", run.text());
    assert!(run.says("not an archive"), "{}", run.text());
}

/// The second release of an attack is not excused by the first.
#[test]
fn a_refused_release_is_no_baseline() {
    let (world, registry, sink) = (World::new(), Registry::start(), Sink::start());
    registry.set_now_at(default_now());
    let collect = aimed_at(NPM_CREDENTIALS, &sink.url());
    let hostile = |version: &str, published: &str| {
        Release::new(version)
            .published(published)
            .file("setup.js", &collect)
            .script("postinstall", "node setup.js")
    };
    registry.add(
        Package::new("ledger-copy")
            .release(Release::new("1.4.1").published("2026-01-01T00:00:00.000Z"))
            .release(hostile("1.4.2", "2026-11-20T11:00:00.000Z"))
            .release(hostile("1.4.3", "2026-11-20T11:30:00.000Z")),
    );
    let before = |world: &World| {
        let run = world.run_before(&registry, &["diff", "--json", "ledger-copy@1.4.3"]);
        parsed(&run.stdout)["before"]["release"]["version"].clone()
    };
    // Nobody has looked at 1.4.2 here: young as it is, it excuses nothing either.
    assert_eq!(before(&World::new()), "1.4.1");
    let first = world.run_before(&registry, &["inspect", "ledger-copy@1.4.2"]);
    assert_eq!(first.code, Some(4), "{}", first.text());
    assert_eq!(before(&world), "1.4.1");
    let second = world.run_before(&registry, &["inspect", "--json", "ledger-copy@1.4.3"]);
    let second = parsed(&second.stdout);
    let signals: Vec<&Value> = second["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| &finding["signal"])
        .collect();
    for signal in ["new-install-script", "new-flow"] {
        assert!(signals.iter().any(|it| *it == signal), "{signals:?}");
    }
    sink.assert_untouched();
}

/// A release that talks to nobody costs no second download.
#[test]
fn quiet_releases_cost_one_tarball() {
    let (world, registry) = (World::new(), Registry::start());
    registry.set_now_at(default_now());
    let release = |version: &str, published: &str| Release::new(version).published(published);
    registry.add(
        Package::new("still-water")
            .release(release("1.0.0", "2026-10-01T00:00:00.000Z"))
            .release(release("1.0.1", "2026-11-01T00:00:00.000Z")),
    );
    let run = world.run_before(&registry, &["inspect", "--json", "still-water@1.0.1"]);
    assert_eq!(run.code, Some(0), "{}", run.text());
    assert_eq!(registry.requests_to("*.tgz").len(), 1);
}
