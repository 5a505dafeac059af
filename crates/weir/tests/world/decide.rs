//! `weir decide`: what is kept is decided again, and nobody is asked.

use serde_json::Value;
use weir_testing::Registry;

use crate::support::{NPM, World, block_id, river};

const HELD: &str = "/gauge-reader/-/gauge-reader-1.2.0.tgz";

/// A world whose gateway refused a young release, and the id that it gave.
fn refused(world: &World, registry: &Registry) -> String {
    let gateway = world.serve(registry);
    let reply = gateway.get(HELD, &[("user-agent", NPM)]);
    assert_eq!(reply.status, 403, "{}", reply.reason);
    block_id(&reply.reason).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text.trim()).unwrap()
}

#[test]
fn a_refusal_is_decided_again_under_another_policy_and_at_another_time() {
    let (world, registry) = (World::new(), river());
    let id = refused(&world, &registry);
    registry.clear_requests();
    let same = world.run(&["decide", &id, "--explain"]);
    assert_eq!(same.code, Some(3), "{}", same.text());
    for words in [
        "gauge-reader@1.2.0  hold",
        "as it was decided",
        "young-release [24h (age.minimum)]: hold, and decides",
        "any-evidence [1 group]: notice",
        "notice if its age did not hold it",
        "notice from 2026-11-21T11:00:00Z on (age.minimum)",
    ] {
        assert!(same.says(words), "{words}: {}", same.stdout);
    }
    let later = world.run(&["decide", &id, "--now", "2026-11-22T12:00:00Z"]);
    assert_eq!(later.code, Some(0), "{}", later.text());
    assert!(later.says("it was decided hold"), "{}", later.stdout);
    let policy = world.write("work/mild.toml", "[age]\nminimum = \"10m\"\n");
    let mild = world.run(&["decide", &id, "--policy", policy.to_str().unwrap()]);
    assert_eq!(mild.code, Some(0), "{}", mild.text());
    assert!(mild.says("mild.toml"), "{}", mild.stdout);
    let release = world.run(&["decide", "gauge-reader@1.2.0", "--json"]);
    assert_eq!(release.code, Some(3), "{}", release.text());
    let found = json(&release.stdout);
    assert_eq!(found["schema"], "weir.decide/v1");
    assert_eq!(found["kept"]["action"], "hold");
    assert_eq!(found["decision"]["action"], "hold");
    assert_eq!(found["trace"]["rules"].as_array().unwrap().len(), 11);
    assert!(registry.requests().is_empty(), "no registry is asked");
    // The explanation of the refusal tells the same, and under which policy.
    let explained = world.run(&["explain", &id]);
    for words in [
        "under the defaults, as it was decided",
        "young-release [24h (age.minimum)]: hold, and decides",
    ] {
        assert!(explained.says(words), "{words}: {}", explained.stdout);
    }
    let elsewhere = world.run(&["explain", &id, "--policy", policy.to_str().unwrap()]);
    for words in [
        "mild.toml, it is notice, and it was decided hold",
        "young-release [10m (age.minimum)]: does not apply",
    ] {
        assert!(elsewhere.says(words), "{words}: {}", elsewhere.stdout);
    }
}

/// A decision that served had no release to use instead looked for: that there is none nobody knows.
#[test]
fn what_was_served_and_is_refused_today_does_not_say_that_there_is_no_other_release() {
    let (world, registry) = (World::new(), river());
    world.policy("[age]\nminimum = \"10m\"\n");
    let gateway = world.serve(&registry);
    let reply = gateway.get(HELD, &[("user-agent", NPM)]);
    assert_eq!(reply.status, 200, "{}", reply.reason);
    world.policy("");
    let again = world.run(&["decide", "gauge-reader@1.2.0"]);
    assert_eq!(again.code, Some(3), "{}", again.text());
    assert!(
        again.says("none was looked for when this was decided"),
        "{}",
        again.stdout
    );
    assert!(!again.says("none below it passes"), "{}", again.stdout);
}

#[test]
fn a_release_without_integrity_is_held_again_and_the_rule_is_told() {
    let (world, registry) = (World::new(), river());
    registry.edit_packument("gauge-reader", |document| {
        let dist = document["versions"]["1.1.0"]["dist"]
            .as_object_mut()
            .unwrap();
        dist.remove("integrity");
        dist.remove("shasum");
    });
    world.policy("[decide]\nincomplete_unseen = \"allow\"\nincomplete_established = \"allow\"\n");
    let gateway = world.serve(&registry);
    let reply = gateway.get(
        "/gauge-reader/-/gauge-reader-1.1.0.tgz",
        &[("user-agent", NPM)],
    );
    assert_eq!(reply.status, 403, "{}", reply.reason);
    let id = block_id(&reply.reason).unwrap();
    let again = world.run(&["decide", &id, "--explain"]);
    assert_eq!(again.code, Some(3), "{}", again.text());
    for words in [
        "as it was decided",
        "no-integrity [hold]: hold, and decides",
        "if everything could be checked (integrity)",
    ] {
        assert!(again.says(words), "{words}: {}", again.stdout);
    }
}

#[test]
fn what_inspect_printed_is_decided_again_from_a_file() {
    let (world, registry) = (World::new(), river());
    let run = world.run_before(
        &registry,
        &[
            "inspect",
            "--json",
            "gauge-reader@1.2.0",
            "gauge-reader@1.1.0",
        ],
    );
    let file = world.write("work/found.jsonl", &run.stdout);
    let again = world.run(&["decide", file.to_str().unwrap(), "--json"]);
    assert_eq!(again.code, run.code, "{}", again.text());
    let decided: Vec<Value> = again.stdout.lines().map(json).collect();
    let printed: Vec<Value> = run.stdout.lines().map(json).collect();
    assert_eq!(decided.len(), 2);
    for (decided, printed) in decided.iter().zip(&printed) {
        assert_eq!(decided["release"], printed["release"]);
        assert_eq!(decided["kept"], printed["decision"]);
        assert_eq!(decided["decision"]["action"], printed["decision"]["action"]);
    }
}

#[test]
fn what_is_not_there_or_no_assessment_is_said_with_its_place() {
    let world = World::new();
    for (text, says) in [
        ("", "there is no assessment in it"),
        ("{\"schema\": \"other/v1\"}", "object 1"),
        (
            "{\"schema\": \"weir.diff/v1\", \"release\": {\"name\": \"a\", \"version\": \"1.0.0\", \"integrity\": null}, \
             \"findings\": [], \"incomplete\": [], \"decision\": null}",
            "is of schema \"weir.diff/v1\"",
        ),
        // As after a program that kept the one and lost the other.
        (
            "{\"schema\": \"weir.assessment/v1\", \"release\": {\"name\": \"a\", \"version\": \"1.0.0\", \
             \"integrity\": null}, \"complete\": false, \"findings\": [], \"incomplete\": [], \"decision\": null}",
            "object 1 contradicts itself: `complete` is false",
        ),
        ("{\"schema\": ", "object 1"),
    ] {
        let file = world.write("work/odd.json", text);
        let run = world.run(&["decide", file.to_str().unwrap()]);
        assert_eq!(run.code, Some(1), "{text}: {}", run.text());
        assert!(run.says(says), "{text}: {}", run.text());
    }
    let run = world.run(&["decide", "w-0000000000"]);
    assert_eq!(run.code, Some(1));
    assert!(run.says("no refusal of that id"), "{}", run.text());
    let run = world.run(&["decide", "left-lib@1.0.0"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.says("nothing was decided on left-lib@1.0.0"),
        "{}",
        run.text()
    );
}
