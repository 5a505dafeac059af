//! A name that looks like an official scope's, beside that scope.

use jiff::Timestamp;

use super::{Attack, Expected, Scenario, Twin, history, minutes_before};
use crate::samples::{FORMATTER, QUERY_LIBRARY, WHOLE_ENVIRONMENT, aimed_at};
use crate::{Package, Registry, Release, Sink};

const REPOSITORY: &str = "https://git.example.invalid/TanStack/query";

const VERSIONS: [&str; 12] = [
    "5.17.0", "5.28.0", "5.40.0", "5.51.0", "5.56.0", "5.59.0", "5.62.0", "5.66.0", "5.74.0",
    "5.81.0", "5.87.0", "5.90.2",
];

/// Two packages appear beside the official `@tanstack` scope: `@tan-stack/react-query` (the scope
/// with a hyphen) and `tanstack-query-core` (the scope folded into the name). Their install hook
/// sends the whole environment to the sink.
///
/// Twins: a genuine new package under the official scope, and a package of long standing whose name
/// is one edit from a popular one.
pub fn official_scope_lookalike(now: Timestamp) -> Scenario {
    let registry = Registry::start();
    let sink = Sink::start();
    registry.set_now_at(now);
    registry.add(
        Package::new("react")
            .maintainer("react-bot")
            .releases(history(
                now,
                &["18.2.0", "18.3.1", "19.0.0", "19.2.0"],
                (900, 50),
                |version| Release::new(version).file("index.js", QUERY_LIBRARY),
            )),
    );
    registry.add(official("@tanstack/query-core").releases(history(
        now,
        &VERSIONS,
        (730, 40),
        official_release,
    )));
    registry.add(official("@tanstack/react-query").releases(history(
        now,
        &VERSIONS,
        (730, 40),
        |version| {
            official_release(version)
                .dependency("@tanstack/query-core", version)
                .peer_dependency("react", "^18 || ^19")
        },
    )));
    registry.add(
        official("@tanstack/react-something").release(
            official_release("0.1.0")
                .published_at(minutes_before(now, 25))
                .dependency("@tanstack/query-core", "^5.90.0"),
        ),
    );
    registry.add(long_standing(now));
    let hook = aimed_at(WHOLE_ENVIRONMENT, &sink.url());
    registry.add(lookalike(
        "@tan-stack/react-query",
        "@tanstack/react-query",
        Release::new("5.90.3").published_at(minutes_before(now, 14)),
        &hook,
    ));
    registry.add(lookalike(
        "tanstack-query-core",
        "@tanstack/query-core",
        Release::new("5.90.3").published_at(minutes_before(now, 9)),
        &hook,
    ));
    Scenario {
        name: "official-scope-lookalike",
        description: "New packages named like an official scope's send the environment away at install.",
        registry,
        sink,
        now,
        known: Vec::new(),
        attacks: vec![
            attack(
                "@tan-stack/react-query",
                "the scope is the official one with a hyphen",
            ),
            attack(
                "tanstack-query-core",
                "the name is the official scope and package joined",
            ),
        ],
        twins: vec![
            Twin {
                name: "@tanstack/react-something",
                version: "0.1.0",
                why: "new, but under the official scope by its usual publisher, without hooks",
            },
            Twin {
                name: "@tanstack/react-query",
                version: "5.90.2",
                why: "the official package itself",
            },
            Twin {
                name: "expresso",
                version: "2.3.0",
                why: "one edit from a popular name and years older than any doubt",
            },
        ],
    }
}

fn official(name: &str) -> Package {
    Package::new(name)
        .maintainer("tan-release")
        .maintainer("query-lead")
        .description("Asynchronous state management")
        .repository(REPOSITORY)
}

fn official_release(version: &str) -> Release {
    Release::new(version)
        .file("index.js", QUERY_LIBRARY)
        .trusted_publisher()
        .attested()
}

fn long_standing(now: Timestamp) -> Package {
    let versions = [
        "0.9.0", "1.0.0", "1.1.0", "1.2.0", "1.2.1", "2.0.0", "2.1.0", "2.2.0", "2.3.0",
    ];
    Package::new("expresso")
        .maintainer("barista")
        .description("Coffee ratios for command lines")
        .repository("https://git.example.invalid/barista/expresso")
        .releases(history(now, &versions, (2900, 210), |version| {
            Release::new(version).file("index.js", FORMATTER)
        }))
}

/// A first release that borrows the target's description and repository.
fn lookalike(name: &str, target: &str, release: Release, hook: &str) -> Package {
    let entry = format!("'use strict';\n\nmodule.exports = require('{target}');\n");
    Package::new(name)
        .maintainer("query-tools-4821")
        .description("Asynchronous state management")
        .repository(REPOSITORY)
        .release(
            release
                .dependency(target, "^5.90.0")
                .file("index.js", entry)
                .file("scripts/setup.js", hook)
                .script("postinstall", "node scripts/setup.js"),
        )
}

fn attack(name: &'static str, seen: &'static str) -> Attack {
    Attack {
        name,
        version: "5.90.3",
        good: None,
        incidents: if name.starts_with('@') { &[] } else { &["I07"] },
        parts_of: &[],
        separable: true,
        expected: vec![
            Expected {
                code: if name.starts_with('@') { "M2" } else { "M1" },
                group: "name",
                seen,
            },
            Expected {
                code: "M7",
                group: "execution",
                seen: "an install hook on a first release",
            },
            Expected {
                code: "B1",
                group: "code",
                seen: "the hook sends process.env over HTTP",
            },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::super::days_before;
    use super::*;

    #[test]
    fn the_official_history_precedes_the_attack() {
        let now = super::super::default_now();
        let scenario = official_scope_lookalike(now);
        let document = scenario
            .registry
            .packument("@tanstack/react-query")
            .unwrap();
        assert_eq!(document["dist-tags"]["latest"], "5.90.2");
        assert_eq!(
            document["versions"].as_object().unwrap().len(),
            VERSIONS.len()
        );
        scenario.registry.set_now_at(days_before(now, 1));
        assert!(
            scenario
                .registry
                .packument("@tan-stack/react-query")
                .is_none()
        );
    }
}
