//! The fake registry against the real package managers. A client that cannot be had is a visible
//! skip.

use serde_json::{Value, json};
use weir_testing::clients::{self, Kind};
use weir_testing::scenarios::{default_now, first_hook, official_scope_lookalike};
use weir_testing::{Advisory, Package, Project, Registry, Release};

fn world() -> Registry {
    let registry = Registry::start();
    registry.add(
        Package::new("@demo/app").maintainer("alice").release(
            Release::new("1.0.0")
                .published("2024-01-02T03:04:05.678Z")
                .dependency("pad", "^1.0.0")
                .bin("demo", "cli.js")
                .file("cli.js", "#!/usr/bin/env node\nconsole.log('ran');\n"),
        ),
    );
    registry.add(
        Package::new("pad")
            .maintainer("alice")
            .release(Release::new("1.0.0").published("2024-01-02T03:04:05.678Z"))
            .release(Release::new("1.0.1").published("2026-01-02T03:04:05.678Z")),
    );
    registry
}

/// A plain install, then a frozen one from nothing but the lockfile, by every client.
fn installs(kind: Kind) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let registry = world();
    registry.set_now("2025-01-01T00:00:00.000Z");
    let project = Project::new()
        .dependency("@demo/app", "^1.0.0")
        .dependency("pad", "^1.0.0")
        .registry(&registry.url());
    client.install(&project).assert_success();
    assert_eq!(project.installed("pad").as_deref(), Some("1.0.0"));
    assert!(project.exists(kind.lockfile()), "no {}", kind.lockfile());

    registry.set_now("2026-06-01T00:00:00.000Z");
    registry.clear_requests();
    project.forget_modules();
    project.forget_home();
    client.install_frozen(&project).assert_success();
    assert_eq!(project.installed("pad").as_deref(), Some("1.0.0"));
    assert_eq!(registry.requests_to("*/-/pad-1.0.0.tgz").len(), 1);
}

#[test]
fn npm_installs() {
    installs(Kind::Npm);
}

#[test]
fn pnpm_10_installs() {
    installs(Kind::Pnpm10);
}

#[test]
fn pnpm_12_installs() {
    installs(Kind::Pnpm12);
}

#[test]
fn yarn_1_installs() {
    installs(Kind::Yarn1);
}

#[test]
fn yarn_4_installs() {
    installs(Kind::Yarn4);
}

#[test]
fn bun_installs() {
    installs(Kind::Bun);
}

#[test]
fn npm_reads_the_whole_document() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let registry = world();
    let project = Project::new().registry(&registry.url());
    let view = npm.run(&project, &["view", "pad", "--json"]);
    let view: Value = serde_json::from_str(&view.assert_success().stdout).unwrap();
    assert_eq!(view["version"], "1.0.1");
    assert_eq!(view["versions"], json!(["1.0.0", "1.0.1"]));
    assert_eq!(view["time"]["1.0.0"], "2024-01-02T03:04:05.678Z");
    npm.run(&project, &["ping"]).assert_success();
    let search = npm.run(&project, &["search", "pad", "--json"]);
    assert!(
        search.assert_success().says("\"name\":\"pad\""),
        "{}",
        search.text()
    );
}

#[test]
fn npm_sees_advisories_in_the_audit() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let registry = world();
    registry.advise(Advisory::new("pad", "<=1.0.1", ["1.0.1"]).title("pad leaks"));
    let project = Project::new()
        .dependency("pad", "1.0.1")
        .registry(&registry.url());
    npm.install(&project).assert_success();
    let audit = npm.run(&project, &["audit"]);
    assert!(audit.assert_failure().says("pad leaks"), "{}", audit.text());
}

/// The scenarios really do what they say when nothing stands between: their hooks reach the sink
/// and nothing else.
#[test]
fn an_unprotected_install_is_hit() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let scenario = first_hook(default_now());
    let project = Project::new()
        .dependency("ledger-format", "^1.4.0")
        .registry(&scenario.registry.url())
        .home_file(
            ".npmrc",
            "//registry.example.invalid/:_authToken=made-up-token\n",
        );
    npm.install(&project).assert_success();
    assert_eq!(project.installed("ledger-format").as_deref(), Some("1.4.2"));
    assert_eq!(scenario.sink.received().len(), 1);

    let scenario = official_scope_lookalike(default_now());
    let project = Project::new()
        .dependency("@tan-stack/react-query", "^5.90.0")
        .registry(&scenario.registry.url());
    npm.install(&project).assert_success();
    assert_eq!(scenario.sink.received().len(), 1);
    assert_eq!(
        project.installed("@tanstack/react-query").as_deref(),
        Some("5.90.2")
    );
}

#[test]
fn an_install_of_the_good_releases_reaches_nothing() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    for scenario in weir_testing::scenarios::all(default_now()) {
        let mut project = Project::new().registry(&scenario.registry.url());
        let good = scenario
            .attacks
            .iter()
            .filter_map(|attack| Some((attack.name, attack.good?)));
        for (name, version) in good {
            project = project.dependency(name, version);
        }
        npm.install(&project).assert_success();
        scenario.sink.assert_untouched();
    }
}
