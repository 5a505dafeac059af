//! `weir inspect`: what it takes, what it prints, how it ends.

use std::collections::BTreeSet;

use serde_json::Value;
use weir_testing::samples::{FORMATTER, NPM_CREDENTIALS, aimed_at};
use weir_testing::tarball::{Entry, tgz};
use weir_testing::{Registry, Sink};

use crate::support::{World, output_with, river};

fn objects(stdout: &str) -> Vec<Value> {
    stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// A package whose install hook sends credentials to a sink.
fn thief(sink: &Sink) -> Vec<u8> {
    tgz(&[
        Entry::file(
            "package/package.json",
            r#"{"name": "quiet-thief", "version": "1.0.0", "scripts": {"postinstall": "node collect.js"}}"#,
        ),
        Entry::file("package/index.js", FORMATTER),
        Entry::file("package/collect.js", aimed_at(NPM_CREDENTIALS, &sink.url())),
    ])
    .to_vec()
}

#[test]
fn the_json_form_has_exactly_the_promised_fields() {
    let (world, sink) = (World::new(), Sink::start());
    let file = world.write("work/thief.tgz", thief(&sink));
    let run = world.run_before(&river(), &["inspect", "--json", file.to_str().unwrap()]);
    assert_eq!(run.code, Some(4), "{}", run.text());
    let found = objects(&run.stdout).remove(0);
    assert_eq!(found["schema"], "weir.assessment/v1");
    assert_eq!(
        keys(&found),
        BTreeSet::from([
            "schema",
            "release",
            "complete",
            "incomplete",
            "findings",
            "decision"
        ])
    );
    assert_eq!(
        keys(&found["release"]),
        BTreeSet::from(["name", "version", "integrity"])
    );
    assert!(
        found["release"]["integrity"]
            .as_str()
            .unwrap()
            .starts_with("sha512-")
    );
    assert_eq!(
        keys(&found["decision"]),
        BTreeSet::from([
            "action",
            "groups",
            "reasons",
            "until",
            "instead",
            "circumstances"
        ])
    );
    let findings = found["findings"].as_array().unwrap();
    let theft = findings
        .iter()
        .find(|finding| finding["signal"] == "credential-exfiltration")
        .unwrap();
    assert_eq!(
        keys(theft),
        BTreeSet::from([
            "signal",
            "group",
            "severity",
            "confidence",
            "decisive",
            "message",
            "evidence"
        ])
    );
    let evidence = theft["evidence"].as_array().unwrap();
    assert!(
        evidence
            .iter()
            .any(|place| place["path"] == "collect.js" && place["line"].is_u64())
    );
    sink.assert_untouched();
}

#[test]
fn a_tarball_or_folder_alone_is_judged_by_its_contents() {
    let (world, sink) = (World::new(), Sink::start());
    // Its history is not known, which is said, and nothing is asked of any registry.
    let registry = Registry::start();
    world.write(
        "work/folder/package.json",
        r#"{"name": "gauge-reader", "version": "1.3.0"}"#,
    );
    world.write("work/folder/index.js", FORMATTER);
    world.write("work/thief.tgz", thief(&sink));
    let run = world.run_before(&registry, &["inspect", "--json", "./folder", "thief.tgz"]);
    assert_eq!(
        run.code,
        Some(4),
        "the strictest decision counts: {}",
        run.text()
    );
    let [folder, tarball] = <[Value; 2]>::try_from(objects(&run.stdout)).unwrap();
    assert_eq!(folder["release"]["name"], "gauge-reader");
    assert_eq!(folder["release"]["version"], "1.3.0");
    assert_eq!(folder["release"]["integrity"], Value::Null);
    assert_eq!(tarball["decision"]["action"], "block");
    for assessment in [&folder, &tarball] {
        assert_eq!(assessment["complete"], false);
        let gaps = assessment["incomplete"].as_array().unwrap();
        assert!(
            gaps.iter()
                .any(|gap| gap["why"].as_str().unwrap().contains("history")),
            "{gaps:?}"
        );
    }
    assert!(registry.requests().is_empty());
    sink.assert_untouched();
}

/// That nothing before it is known holds no tarball or folder: what is in it was read as a whole.
#[test]
fn a_harmless_tarball_or_folder_alone_passes_and_its_gaps_are_told() {
    let (world, registry) = (World::new(), Registry::start());
    let manifest = r#"{"name": "gauge-reader", "version": "1.3.0"}"#;
    let code = "module.exports = 1;\n";
    world.write("work/folder/package.json", manifest);
    world.write("work/folder/index.js", code);
    let packed = tgz(&[
        Entry::file("package/package.json", manifest),
        Entry::file("package/index.js", code),
    ]);
    world.write("work/calm.tgz", packed);
    let run = world.run_before(&registry, &["inspect", "--json", "./folder", "calm.tgz"]);
    assert_eq!(run.code, Some(0), "{}", run.text());
    for assessment in objects(&run.stdout) {
        assert_eq!(assessment["decision"]["action"], "allow", "{assessment:#}");
        assert_eq!(assessment["complete"], false);
        let gaps = assessment["incomplete"].as_array().unwrap();
        let gaps: BTreeSet<&str> = gaps.iter().map(|it| it["what"].as_str().unwrap()).collect();
        let told = ["history", "manifest", "publish time"];
        assert_eq!(gaps, BTreeSet::from(told));
    }
    let run = world.run_before(&registry, &["inspect", "calm.tgz"]);
    assert_eq!(run.code, Some(0), "{}", run.text());
    assert!(run.says("could not check history"), "{}", run.stdout);
    // What is in it and could not be read holds it as ever.
    world.write("work/torn.tgz", packed_in_half());
    let run = world.run_before(&registry, &["inspect", "torn.tgz"]);
    assert_ne!(run.code, Some(0), "{}", run.text());
}

/// A tarball that ends in the middle of its bytes.
fn packed_in_half() -> Vec<u8> {
    let whole = tgz(&[Entry::file("package/package.json", r#"{"name": "torn"}"#)]);
    whole[..whole.len() / 2].to_vec()
}

/// An id that the ledger shows leads to an explanation, whether a gateway refused or a person looked.
#[test]
fn what_the_ledger_refuses_by_id_can_be_explained() {
    let (world, registry, sink) = (World::new(), river(), Sink::start());
    let file = world.write("work/thief.tgz", thief(&sink));
    let thief = file.to_str().unwrap();
    let run = world.run_before(&registry, &["inspect", "gauge-reader@1.2.0", thief]);
    assert_eq!(run.code, Some(4), "{}", run.text());
    let mut explained = BTreeSet::new();
    for entry in world.ledger(&["--event", "decided"]) {
        let Some(id) = entry["block_id"].as_str() else {
            continue;
        };
        let told = world.run(&["explain", id, "--json"]);
        let told: Value = serde_json::from_str(&told.assert_success().stdout).unwrap();
        assert_eq!(told["release"]["name"], entry["name"]);
        assert_eq!(told["decision"]["action"], entry["action"]);
        explained.insert(entry["name"].as_str().unwrap().to_owned());
    }
    let both = ["gauge-reader", "quiet-thief"].map(str::to_owned);
    assert_eq!(explained, BTreeSet::from(both));
}

#[test]
fn names_versions_tags_and_ranges_are_taken_from_the_registry() {
    let (world, registry) = (World::new(), river());
    let releases = [
        "gauge-reader@1.0.0",
        "gauge-reader@^1.0.0",
        "gauge-reader",
        "@millpond/sluice@latest",
    ];
    let mut arguments = vec!["inspect", "--json"];
    arguments.extend(releases);
    let run = world.run_before(&registry, &arguments);
    assert_eq!(run.code, Some(3), "1.2.0 is held: {}", run.text());
    let found = objects(&run.stdout);
    let versions: Vec<&str> = found
        .iter()
        .map(|one| one["release"]["version"].as_str().unwrap())
        .collect();
    assert_eq!(versions, ["1.0.0", "1.2.0", "1.2.0", "2.0.0"]);
    let actions: Vec<&str> = found
        .iter()
        .map(|one| one["decision"]["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["allow", "hold", "hold", "allow"]);
    assert_eq!(found[0]["complete"], true, "{:#}", found[0]);
    assert_eq!(found[1]["decision"]["instead"], "1.1.0");
    assert_eq!(found[1]["decision"]["until"], "2026-11-21T11:00:00Z");
    assert_eq!(world.ledger(&["--event", "decided"]).len(), 4);
}

#[test]
fn exit_codes_tell_the_outcome() {
    let (world, registry, sink) = (World::new(), river(), Sink::start());
    let file = world.write("work/thief.tgz", thief(&sink));
    let thief = file.to_str().unwrap();
    for (releases, code) in [
        (&["gauge-reader@1.0.0"][..], 0),
        (&["gauge-reader@1.2.0"], 3),
        (&["gauge-reader@1.2.0", thief], 4),
        (&["no-such-package-here"], 1),
        (&["gauge-reader@7"], 1),
        (&["Not A Name"], 1),
        (&["./missing.tgz"], 1),
        // A failure is a failure, whatever the others are.
        (&[thief, "no-such-package-here"], 1),
    ] {
        let mut arguments = vec!["inspect"];
        arguments.extend(releases);
        let run = world.run_before(&registry, &arguments);
        assert_eq!(run.code, Some(code), "{releases:?}: {}", run.text());
        assert!(
            code != 1 || run.stderr.contains("weir: "),
            "{releases:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn people_get_the_evidence_in_words() {
    let (world, sink) = (World::new(), Sink::start());
    let file = world.write("work/thief.tgz", thief(&sink));
    let run = world.run_before(&river(), &["inspect", file.to_str().unwrap()]);
    for words in [
        "quiet-thief@1.0.0",
        "block",
        "credential-exfiltration",
        "collect.js:",
        "could not check history",
    ] {
        assert!(run.says(words), "{words}: {}", run.stdout);
    }
    // Colours belong to terminals.
    assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
}

/// When it was first seen is no publish time, and that nobody knows the latter leaves a gap.
#[test]
fn a_release_without_a_publish_time_says_so() {
    let (world, registry) = (World::new(), river());
    registry.edit_packument("gauge-reader", |document| {
        document.as_object_mut().unwrap().remove("time");
    });
    let run = world.run_before(&registry, &["inspect", "gauge-reader@1.0.0"]);
    for words in [
        "publish time not known, first seen 2026-",
        "held: first seen 2026-",
        "  not known: when it was published",
    ] {
        assert!(run.says(words), "{words}: {}", run.stdout);
    }
    assert!(!run.says("published 2026-"), "{}", run.stdout);
    let json = world.run_before(&registry, &["inspect", "--json", "gauge-reader@1.0.0"]);
    assert!(json.says(r#""complete":false"#), "{}", json.stdout);
    assert!(json.says(r#""what":"publish time""#), "{}", json.stdout);
}

/// A look at another time is a question: what comes out of it decides nothing later.
#[test]
fn a_moment_that_is_asked_about_leaves_nothing_behind() {
    let (world, registry) = (World::new(), river());
    let asked = |now: &str, release: &str| {
        let mut command = world.weir_asked(&registry, now);
        crate::support::output(command.args(["inspect", release]))
    };
    let later = asked("2027-06-01T12:00:00Z", "gauge-reader@1.2.0");
    assert_eq!(later.code, Some(0), "{}", later.text());
    assert!(world.ledger(&[]).is_empty());
    assert_eq!(world.run(&["decide", "gauge-reader@1.2.0"]).code, Some(1));
    let mut gateway = world.serve(&registry);
    let held = gateway.get("/gauge-reader/-/gauge-reader-1.2.0.tgz", &[]);
    assert_eq!(held.status, 403, "old enough only for whoever asked");
    gateway.stop();
    registry.edit_packument("@millpond/sluice", |document| {
        document.as_object_mut().unwrap().remove("time");
    });
    let before = asked("2025-01-01T12:00:00Z", "@millpond/sluice");
    assert!(before.says("first seen 2025-01-01"), "{}", before.text());
    let now = world.run_before(&registry, &["inspect", "@millpond/sluice"]);
    assert!(now.says("first seen 2026-11-20"), "{}", now.text());
}

#[test]
fn a_picture_is_of_a_release_among_others_or_there_is_none() {
    let (world, registry) = (World::new(), river());
    let file = world.path("work/past.svg");
    let drawn = |release: &str| {
        let svg = file.to_str().unwrap();
        world.run_before(&registry, &["inspect", release, "--svg", svg])
    };
    assert!(!drawn("gauge-reader@1.1.0").says("nothing to draw"));
    assert!(file.exists());
    std::fs::remove_file(&file).unwrap();
    registry.edit_packument("gauge-reader", |document| {
        document.as_object_mut().unwrap().remove("time");
    });
    let fresh = World::new();
    let svg = file.to_str().unwrap();
    let none = fresh.run_before(&registry, &["inspect", "gauge-reader@1.1.0", "--svg", svg]);
    assert_eq!(none.code, Some(1), "{}", none.text());
    for words in [
        "No history to show: ",
        "nothing to draw: the registry does not say",
    ] {
        assert!(none.says(words), "{words}: {}", none.text());
    }
    assert!(!file.exists());
}

#[test]
fn lists_come_from_files_and_standard_input() {
    let (world, registry) = (World::new(), river());
    let list = world.write(
        "work/list.txt",
        "gauge-reader@1.0.0\n\ngauge-reader@1.1.0\n",
    );
    let mut command = world.weir_before(&registry);
    command.args([
        "inspect",
        "--json",
        "@millpond/sluice",
        "--from",
        list.to_str().unwrap(),
    ]);
    assert_eq!(
        objects(&crate::support::output(&mut command).stdout).len(),
        3
    );
    let mut command = world.weir_before(&registry);
    command.args(["inspect", "--json", "@millpond/sluice", "--from", "-"]);
    assert_eq!(
        objects(&output_with(&mut command, "gauge-reader@1.0.0\n").stdout).len(),
        2
    );
    let mut command = world.weir_before(&registry);
    command.args(["inspect", "--json", "--from", "-"]);
    let only = output_with(&mut command, "gauge-reader@1.0.0\n");
    assert_eq!(objects(&only.stdout).len(), 1, "{}", only.text());
}

/// What wrote the list may have failed.
#[test]
fn a_list_that_names_no_release_is_no_pass() {
    let (world, registry) = (World::new(), river());
    let list = world.write("work/list.txt", "\n  \n");
    let list = list.to_str().unwrap();
    let from_file = world.run_before(&registry, &["inspect", "--from", list]);
    assert_eq!(from_file.code, Some(1), "{}", from_file.text());
    assert!(
        from_file.says("list.txt names no release"),
        "{}",
        from_file.text()
    );
    let beside = world.run_before(&registry, &["inspect", "gauge-reader", "--from", list]);
    assert_eq!(beside.code, Some(1), "{}", beside.text());
    let mut command = world.weir_before(&registry);
    let piped = output_with(command.args(["inspect", "--from", "-"]), "");
    assert_eq!(piped.code, Some(1), "{}", piped.text());
    assert!(
        piped.says("standard input names no release"),
        "{}",
        piped.text()
    );
}

/// Text from packages is printed as text, whatever it holds.
#[test]
fn terminal_escapes_in_packages_stay_escapes() {
    let world = World::new();
    let bytes = tgz(&[
        Entry::file(
            "package/package.json",
            r#"{"name": "gauge\u001b[2J", "version": "1.0.0\u202e", "scripts": {"postinstall": "node a.js \u001b]0;x\u0007"}}"#,
        ),
        Entry::file("package/a.js", "x"),
    ]);
    let file = world.write("work/odd.tgz", &bytes);
    let run = world.run_before(&river(), &["inspect", file.to_str().unwrap()]);
    for hidden in ['\u{1b}', '\u{202e}', '\u{7}'] {
        assert!(!run.text().contains(hidden), "{:?}", run.text());
    }
    assert!(
        run.says("is not a package name") || run.says("name"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_version_that_is_none_could_not_be_checked() {
    let (world, registry) = (World::new(), river());
    for (version, is_told) in [("1.0.0", false), (r"1.0.0\u001b[2J", true), ("one", true)] {
        let manifest = format!(r#"{{"name": "odd", "version": "{version}"}}"#);
        let bytes = tgz(&[Entry::file("package/package.json", manifest)]);
        let file = world.write("work/odd.tgz", &bytes);
        let run = world.run_before(&registry, &["inspect", "--json", file.to_str().unwrap()]);
        let told: Value = serde_json::from_str(run.stdout.trim()).unwrap();
        let gaps = told["incomplete"].as_array().unwrap();
        let gap = gaps.iter().find(|gap| gap["what"] == "version");
        assert_eq!(gap.is_some(), is_told, "{version}: {told:#}");
        assert_eq!(run.code == Some(0), !is_told, "{version}: {told:#}");
    }
}

#[test]
fn an_explanation_can_be_had_as_json_and_an_unknown_id_is_an_error() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    let refused = gateway.get("/gauge-reader/-/gauge-reader-1.2.0.tgz", &[]);
    let id = refused.header("x-weir-block").unwrap();
    let explained = world.run(&["explain", id, "--json"]);
    let explained: Value = serde_json::from_str(&explained.assert_success().stdout).unwrap();
    assert_eq!(explained["schema"], "weir.assessment/v1");
    assert_eq!(explained["release"]["version"], "1.2.0");
    let unknown = world.run(&["explain", "w-0000000000"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.says("there is no refusal"), "{}", unknown.stderr);
}
