//! Copies and the operator's own rules, from the registry to the finding.

use serde_json::Value;

use weir_testing::samples::{NPM_CREDENTIALS, aimed_at};
use weir_testing::{Package, Registry, Release, Sink};

use crate::support::World;

/// A library with enough members and words in it to be told from others.
fn library(addition: &str) -> String {
    let mut text = String::from("'use strict';\n");
    for number in 0..120 {
        text.push_str(&format!(
            "exports.operation{number} = (options) => options.first{number}.map((one) => one.part{number}(\
             'word{number}')).filter(Boolean);\n"
        ));
    }
    text + addition
}

fn finding<'a>(found: &'a Value, signal: &str) -> Option<&'a Value> {
    found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["signal"] == signal)
}

fn inspect(world: &World, registry: &Registry, what: &str) -> Value {
    let run = world.run_before(registry, &["inspect", "--json", what]);
    serde_json::from_str(run.stdout.lines().next().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {}", run.text()))
}

#[test]
fn a_copy_with_a_small_addition_is_compared_with_what_its_name_resembles() {
    let world = World::new();
    let registry = Registry::start();
    registry.add(
        Package::new("cross-env").maintainer("kent").release(
            Release::new("7.0.3")
                .published("2020-01-01T00:00:00Z")
                .file("index.js", library("")),
        ),
    );
    let addition = "require('child_process').exec('true');\n";
    registry.add(
        Package::new("crossenv").maintainer("passer-by").release(
            Release::new("7.0.4")
                .published("2026-11-18T00:00:00Z")
                .script("postinstall", "node index.js")
                .file("index.js", library(addition)),
        ),
    );
    let found = inspect(&world, &registry, "crossenv@7.0.4");
    let copy = finding(&found, "near-copy").unwrap_or_else(|| panic!("{found:#}"));
    let message = copy["message"].as_str().unwrap();
    assert!(message.contains("cross-env@7.0.3"), "{message}");
    assert!(message.contains("the original does not"), "{message}");
    assert_eq!(copy["severity"], "high");
    let original = inspect(&world, &registry, "cross-env@7.0.3");
    assert!(finding(&original, "near-copy").is_none(), "{original:#}");
}

#[test]
fn what_was_refused_is_known_again_under_another_name() {
    let (world, sink) = (World::new(), Sink::start());
    let registry = Registry::start();
    let thief = aimed_at(NPM_CREDENTIALS, &sink.url());
    for (name, file) in [
        ("gauge-thief", "collect.js"),
        ("depth-thief", "lib/setup.js"),
    ] {
        registry.add(
            Package::new(name).release(
                Release::new("1.0.0")
                    .published("2026-11-18T00:00:00Z")
                    .script("postinstall", &format!("node {file}"))
                    .file("index.js", "exports.nothing = 1;\n")
                    .file(file, &thief),
            ),
        );
    }
    let first = inspect(&world, &registry, "gauge-thief@1.0.0");
    assert_eq!(first["decision"]["action"], "block", "{first:#}");
    assert!(finding(&first, "known-bad-content").is_none());
    let second = inspect(&world, &registry, "depth-thief@1.0.0");
    let known = finding(&second, "known-bad-content").unwrap_or_else(|| panic!("{second:#}"));
    let message = known["message"].as_str().unwrap();
    assert!(message.contains("lib/setup.js"), "{message}");
    assert!(message.contains("gauge-thief@1.0.0"), "{message}");
    assert_eq!(known["severity"], "critical");
    // Looked at once more, the first is no copy of itself.
    let again = inspect(&world, &registry, "gauge-thief@1.0.0");
    assert!(finding(&again, "known-bad-content").is_none(), "{again:#}");
    sink.assert_untouched();
}

#[test]
fn own_rules_run_over_every_file_and_changing_them_reads_packages_anew() {
    let world = World::new();
    let registry = Registry::start();
    registry.add(
        Package::new("gauge-reader").release(
            Release::new("1.0.0")
                .published("2020-01-01T00:00:00Z")
                .file("index.js", "exports.read = () => 1;\n")
                .file("data/table.bin", b"\0\x01marker-of-march\0"),
        ),
    );
    let rule = |severity: &str| {
        format!(
            "rule march {{ meta: severity = \"{severity}\" description = \"seen in March\" \
             strings: $a = \"marker-of-march\" condition: $a }}\n"
        )
    };
    let plain = inspect(&world, &registry, "gauge-reader@1.0.0");
    assert!(finding(&plain, "user-rule").is_none());
    world.policy("[rules]\nfolder = \"rules\"\n");
    world.write("work/rules/march.yar", rule("high"));
    let hit = inspect(&world, &registry, "gauge-reader@1.0.0");
    let found = finding(&hit, "user-rule").unwrap_or_else(|| panic!("{hit:#}"));
    assert_eq!(found["severity"], "high");
    assert_eq!(found["evidence"][0]["path"], "data/table.bin");
    assert!(found["message"].as_str().unwrap().contains("seen in March"));
    world.write("work/rules/march.yar", rule("low"));
    let milder = inspect(&world, &registry, "gauge-reader@1.0.0");
    assert_eq!(finding(&milder, "user-rule").unwrap()["severity"], "low");
}

#[test]
fn a_rule_that_does_not_compile_stops_the_start_with_its_place() {
    let world = World::new();
    let registry = Registry::start();
    world.policy("[rules]\nfolder = \"rules\"\n");
    world.write("work/rules/bad.yar", "rule a {\n  condition:\n    $x\n}\n");
    let run = world.run_before(&registry, &["inspect", "--json", "gauge-reader"]);
    assert_ne!(run.code, Some(0));
    assert!(run.text().contains("bad.yar:3:5"), "{}", run.text());
    assert!(registry.requests().is_empty());
}
