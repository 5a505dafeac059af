//! R2, R3, R4, R14, R15, R16: releases whose code is harmless and whose history is not. What there is
//! to see is in the packument alone.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Attack, Expected, Scenario, Twin, days_before, history, minutes_before};
use crate::samples::FORMATTER;
use crate::{Package, Registry, Release, Sink};

/// Somebody's machine that is not the usual one: no project folder, so no commit, and an older client.
pub(super) fn elsewhere(release: Release) -> Release {
    release
        .packument_field("gitHead", Value::Null)
        .packument_field("_npmVersion", json!("6.14.18"))
        .packument_field("_nodeVersion", json!("14.21.3"))
}

pub(super) fn release(version: &str) -> Release {
    Release::new(version).file("index.js", FORMATTER)
}

pub(super) fn from_workflow(version: &str) -> Release {
    release(version).trusted_publisher().attested()
}

pub(super) fn package(name: &str, maintainer: &str) -> Package {
    Package::new(name)
        .maintainer(maintainer)
        .repository(format!("https://git.example.invalid/{maintainer}/{name}"))
}

pub(super) fn begun(now: Timestamp) -> (Registry, Sink) {
    let registry = Registry::start();
    registry.set_now_at(now);
    (registry, Sink::start())
}

pub(super) fn expected(code: &'static str, group: &'static str, seen: &'static str) -> Expected {
    Expected { code, group, seen }
}

/// R2: `argument-coat` slept for two years; within forty minutes three of its lines are patched from
/// another machine.
///
/// Twin: a back-port day of a package that is alive, by its usual publisher, commits named.
pub fn woken_lines(now: Timestamp) -> Scenario {
    let (registry, sink) = begun(now);
    let mut asleep = package("argument-coat", "vera").releases(history(
        now,
        &["1.0.0", "1.0.1", "2.0.0", "2.0.1", "3.0.0", "3.0.1"],
        (2400, 800),
        release,
    ));
    for (version, minutes) in [("1.0.2", 48), ("2.0.2", 30), ("3.0.2", 9)] {
        asleep =
            asleep.release(elsewhere(release(version)).published_at(minutes_before(now, minutes)));
    }
    registry.add(asleep);
    let mut alive = package("argument-vest", "otto").releases(history(
        now,
        &["1.0.0", "1.1.0", "2.0.0", "2.1.0", "3.0.0", "3.1.0"],
        (1200, 30),
        release,
    ));
    for (version, minutes) in [("1.1.1", 50), ("2.1.1", 40), ("3.1.1", 20)] {
        alive = alive.release(release(version).published_at(minutes_before(now, minutes)));
    }
    registry.add(alive);
    Scenario {
        name: "R2-woken-lines",
        description: "A package that slept for two years has three of its lines patched in forty minutes.",
        registry,
        sink,
        now,
        known: Vec::new(),
        attacks: vec![Attack {
            name: "argument-coat",
            version: "3.0.2",
            good: Some("3.0.1"),
            incidents: &[],
            parts_of: &["I08", "I09", "I23"],
            separable: true,
            expected: vec![
                expected(
                    "M11",
                    "identity",
                    "two years of rest, then three lines at once",
                ),
                expected("M10", "shape", "three major lines within an hour"),
            ],
        }],
        twins: vec![Twin {
            name: "argument-vest",
            version: "3.1.1",
            why: "a back-port day by the usual publisher of a package that is alive",
        }],
    }
}

/// R3: releases of `@kiln/tasks` come from a workflow with provenance, until one comes from the account
/// of a maintainer who never published before.
///
/// Twins: a move from a token to a workflow, and a back-port to a line that never had provenance.
pub fn lost_provenance(now: Timestamp) -> Scenario {
    let (registry, sink) = begun(now);
    let versions = ["4.0.0", "4.1.0", "4.2.0", "4.3.0", "4.4.0"];
    registry.add(
        package("@kiln/tasks", "kiln-bot")
            .maintainer("jonas")
            .releases(history(now, &versions, (500, 12), from_workflow))
            .release(
                elsewhere(release("4.4.1"))
                    .published_at(minutes_before(now, 13))
                    .publisher("jonas"),
            ),
    );
    registry.add(
        package("kiln-colors", "ines")
            .releases(history(now, &versions, (500, 12), release))
            .release(from_workflow("4.4.1").published_at(minutes_before(now, 21))),
    );
    registry.add(
        package("kiln-tables", "ines")
            .releases(history(
                now,
                &["1.0.0", "1.1.0", "1.2.0"],
                (1500, 600),
                release,
            ))
            .releases(history(now, &["2.0.0", "2.1.0"], (400, 20), from_workflow))
            .release(
                release("1.2.1")
                    .tag("previous")
                    .published_at(minutes_before(now, 33)),
            ),
    );
    Scenario {
        name: "R3-lost-provenance",
        description: "A release without provenance by a person, after releases from a workflow with it.",
        registry,
        sink,
        now,
        known: Vec::new(),
        attacks: vec![Attack {
            name: "@kiln/tasks",
            version: "4.4.1",
            good: Some("4.4.0"),
            incidents: &[],
            parts_of: &["I26"],
            separable: true,
            expected: vec![expected(
                "M5",
                "trust",
                "provenance and workflow gone, a person published",
            )],
        }],
        twins: vec![
            Twin {
                name: "kiln-colors",
                version: "4.4.1",
                why: "moves from a token to a workflow with provenance",
            },
            Twin {
                name: "kiln-tables",
                version: "1.2.1",
                why: "a back-port to a line that never had provenance",
            },
        ],
    }
}

/// R4: two lines of `wire-client`, published from a workflow until now, get a dependency that is named
/// after a popular package and that nothing imports.
///
/// Twin: a package that splits a part of itself off.
pub fn bait_dependency(now: Timestamp) -> Scenario {
    let (registry, sink) = begun(now);
    registry.add(package("plain-crypto-js", "nrwise").releases([
        release("4.2.0").published_at(days_before(now, 1)),
        release("4.2.1").published_at(minutes_before(now, 90)),
    ]));
    let bad = |version: &str, minutes| {
        elsewhere(release(version))
            .dependency("plain-crypto-js", "^4.2.1")
            .published_at(minutes_before(now, minutes))
            .publisher("jason")
    };
    registry.add(
        package("wire-client", "jason")
            .releases(history(
                now,
                &["0.30.1", "0.30.2", "1.12.0", "1.13.0", "1.14.0"],
                (700, 9),
                from_workflow,
            ))
            .release(bad("0.30.3", 44))
            .release(bad("1.14.1", 5)),
    );
    registry.add(
        package("form-parts", "petra")
            .release(release("1.0.0").published_at(minutes_before(now, 31))),
    );
    registry.add(
        package("form", "petra")
            .releases(history(now, &["2.0.0", "2.1.0"], (500, 40), release))
            .release(
                release("2.1.1")
                    .dependency("form-parts", "^1.0.0")
                    .published_at(minutes_before(now, 30)),
            ),
    );
    Scenario {
        name: "R4-bait-dependency",
        description: "Two lines get a dependency named after a popular package, published by hand.",
        registry,
        sink,
        now,
        known: Vec::new(),
        attacks: vec![Attack {
            name: "wire-client",
            version: "1.14.1",
            good: Some("1.14.0"),
            incidents: &["I38"],
            parts_of: &[],
            separable: true,
            expected: vec![
                expected(
                    "M8",
                    "dependency",
                    "a new dependency in a patch, named after crypto-js",
                ),
                expected("M5", "trust", "provenance and workflow gone"),
            ],
        }],
        twins: vec![Twin {
            name: "form",
            version: "2.1.1",
            why: "splits a part of itself off, of its own name",
        }],
    }
}

/// R14 and R15: `ledger-tables` gets a co-maintainer who publishes after a quiet quarter;
/// `socket-bridge` is published by a co-maintainer who had not done so for four years.
///
/// Twins: two maintainers who take turns, and one who comes back to a package at rest.
pub fn other_hands(now: Timestamp) -> Scenario {
    let (registry, sink) = begun(now);
    let added = days_before(now, 95).to_string();
    registry.add(
        package("ledger-tables", "mara")
            .maintainer_since("right9ctrl", &added)
            .releases(history(
                now,
                &["1.0.0", "1.1.0", "1.2.0", "1.3.0"],
                (900, 100),
                release,
            ))
            .release(
                release("1.3.1")
                    .published_at(minutes_before(now, 19))
                    .publisher("right9ctrl"),
            ),
    );
    let turns = |version: &str| {
        let publisher = if version.ends_with(".1") {
            "otto"
        } else {
            "vera"
        };
        release(version).publisher(publisher)
    };
    registry.add(
        package("socket-bridge", "vera")
            .maintainer("otto")
            .release(
                release("9.0.0")
                    .publisher("otto")
                    .published_at(days_before(now, 1500)),
            )
            .releases(history(
                now,
                &["9.1.0", "9.2.0", "10.0.0", "11.0.0", "12.0.0"],
                (1200, 25),
                |version| release(version).publisher("vera"),
            ))
            .release(
                release("12.0.1")
                    .published_at(minutes_before(now, 8))
                    .publisher("otto"),
            ),
    );
    registry.add(
        package("socket-turns", "vera")
            .maintainer("otto")
            .releases(history(
                now,
                &["1.0.0", "1.0.1", "1.1.0", "1.1.1", "1.2.0"],
                (800, 30),
                turns,
            ))
            .release(turns("1.2.1").published_at(minutes_before(now, 17))),
    );
    registry.add(
        package("finished-thing", "ines")
            .releases(history(
                now,
                &["1.0.0", "1.1.0", "1.1.1"],
                (2500, 1400),
                release,
            ))
            .release(release("1.1.2").published_at(minutes_before(now, 26))),
    );
    let attack = |name, version, good, parts_of, seen| Attack {
        name,
        version,
        good: Some(good),
        incidents: &[],
        parts_of,
        separable: true,
        expected: vec![expected("M4", "identity", seen)],
    };
    Scenario {
        name: "R14-R15-other-hands",
        description: "Packages are published by somebody new, and by somebody long gone.",
        registry,
        sink,
        now,
        known: Vec::new(),
        attacks: vec![
            attack(
                "ledger-tables",
                "1.3.1",
                "1.3.0",
                &["I03", "I05", "I24", "I34"],
                "a co-maintainer who was not one at the last release",
            ),
            attack(
                "socket-bridge",
                "12.0.1",
                "12.0.0",
                &["I14", "I44"],
                "a co-maintainer idle for four years",
            ),
        ],
        twins: vec![
            Twin {
                name: "socket-turns",
                version: "1.2.1",
                why: "two maintainers who take turns",
            },
            Twin {
                name: "finished-thing",
                version: "1.1.2",
                why: "its owner comes back after years with one fix",
            },
        ],
    }
}

/// R16: a first release with a number that wins every comparison, and a hook.
///
/// Twins: first releases numbered by date, and like the rest of their family.
pub fn winning_number(now: Timestamp) -> Scenario {
    let (registry, sink) = begun(now);
    registry.add(
        package("northwind-billing-internal", "probe-88213").release(
            release("99.0.3")
                .script("preinstall", "node index.js")
                .published_at(minutes_before(now, 22)),
        ),
    );
    registry.add(
        package("calendar-holidays", "ines")
            .release(release("2026.11.0").published_at(minutes_before(now, 22))),
    );
    registry.add(
        package("@kiln/forms", "kiln-bot")
            .release(release("14.2.0").published_at(minutes_before(now, 27))),
    );
    Scenario {
        name: "R16-winning-number",
        description: "A first release numbered 99.0.3 under a name that sounds internal, with a hook.",
        registry,
        sink,
        now,
        known: Vec::new(),
        attacks: vec![Attack {
            name: "northwind-billing-internal",
            version: "99.0.3",
            good: None,
            incidents: &["I06", "I33"],
            parts_of: &[],
            separable: true,
            expected: vec![expected("M10", "shape", "a first release of 99.0.3")],
        }],
        twins: vec![
            Twin {
                name: "calendar-holidays",
                version: "2026.11.0",
                why: "counts by date",
            },
            Twin {
                name: "@kiln/forms",
                version: "14.2.0",
                why: "shares the number of its family",
            },
        ],
    }
}
