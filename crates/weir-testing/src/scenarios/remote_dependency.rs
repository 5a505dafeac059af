//! R6: code that comes from outside the registry, by address or by commit.

use jiff::Timestamp;

use super::{Attack, Expected, Scenario, Twin, history, minutes_before};
use crate::samples::FORMATTER;
use crate::{Package, Registry, Release, Sink};

/// A commit that no branch holds.
const COMMIT: &str = "79ac49eedf774dd4b0cfa308722bc463cfe5885c";

const VERSIONS: [&str; 5] = ["1.8.0", "1.9.0", "1.10.0", "1.11.0", "1.11.1"];

/// Two packages start to pull code from outside: `report-writer` names a tarball by a plain
/// `http://` address, and a patch of `@northwind/grid` names a git commit among its *optional*
/// dependencies, while its siblings stay as they were. Nothing in either tarball is hostile.
///
/// Twin: a package that has had the same git dependency for years.
pub fn remote_dependency(now: Timestamp) -> Scenario {
    let registry = Registry::start();
    let sink = Sink::start();
    registry.set_now_at(now);
    registry.add(
        plain("report-writer", "petra")
            .releases(history(now, &VERSIONS, (800, 70), |version| {
                release(version).dependency("report-layout", "^2.0.0")
            }))
            .release(
                release("1.11.2")
                    .published_at(minutes_before(now, 16))
                    .dependency("report-layout", "^2.0.0")
                    .dependency(
                        "report-fonts",
                        "http://files.example.invalid/report-fonts-1.0.0.tgz",
                    ),
            ),
    );
    registry.add(plain("report-layout", "petra").releases(history(
        now,
        &["2.0.0", "2.1.0"],
        (900, 300),
        release,
    )));
    for sibling in ["@northwind/table", "@northwind/router"] {
        registry.add(northwind(sibling).releases(history(now, &VERSIONS, (700, 20), release)));
    }
    let setup = format!("github:northwind/setup#{COMMIT}");
    registry.add(
        northwind("@northwind/grid")
            .releases(history(now, &VERSIONS, (700, 20), release))
            .release(
                release("1.11.2")
                    .published_at(minutes_before(now, 7))
                    .optional_dependency("@northwind/setup", &setup),
            ),
    );
    registry.add(always_git(now));
    Scenario {
        name: "R6-remote-dependency",
        description: "Patch releases begin to depend on a tarball by address and on a git commit.",
        registry,
        sink,
        now,
        known: Vec::new(),
        attacks: vec![
            Attack {
                name: "report-writer",
                version: "1.11.2",
                good: Some("1.11.1"),
                incidents: &[],
                parts_of: &["I30"],
                separable: true,
                expected: vec![expected(
                    "a dependency by plain http address, new in a patch",
                )],
            },
            Attack {
                name: "@northwind/grid",
                version: "1.11.2",
                good: Some("1.11.1"),
                incidents: &[],
                parts_of: &["I43"],
                separable: true,
                expected: vec![expected(
                    "an optional dependency on a git commit, new in a patch",
                )],
            },
        ],
        twins: vec![
            Twin {
                name: "legacy-charts",
                version: "4.2.1",
                why: "has had the same git dependency for years",
            },
            Twin {
                name: "@northwind/table",
                version: "1.11.1",
                why: "a sibling that did not change",
            },
        ],
    }
}

fn expected(seen: &'static str) -> Expected {
    Expected {
        code: "M9",
        group: "dependency",
        seen,
    }
}

fn release(version: &str) -> Release {
    Release::new(version).file("index.js", FORMATTER)
}

fn plain(name: &str, maintainer: &str) -> Package {
    Package::new(name)
        .maintainer(maintainer)
        .repository(format!("https://git.example.invalid/{maintainer}/{name}"))
}

fn northwind(name: &str) -> Package {
    Package::new(name)
        .maintainer("northwind-ci")
        .repository("https://git.example.invalid/northwind/ui")
}

fn always_git(now: Timestamp) -> Package {
    let build = |version: &str| {
        release(version).dependency(
            "chart-shim",
            &format!("github:charts/shim#{}", "5f".repeat(20)),
        )
    };
    plain("legacy-charts", "charts")
        .releases(history(
            now,
            &["3.0.0", "4.0.0", "4.1.0", "4.2.0"],
            (1500, 90),
            build,
        ))
        .release(build("4.2.1").published_at(minutes_before(now, 40)))
}
