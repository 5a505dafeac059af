//! Habits: learned from a project's dependencies and from what passes, kept, and taken back.

use serde_json::{Value, json};
use weir_testing::clients::Output;
use weir_testing::samples::{FORMATTER, NPM_CREDENTIALS, aimed_at};
use weir_testing::{Flavour, Package, Registry, Release, Sink};

use crate::support::{NOW, World};

const PARTS: [&str; 5] = ["charts", "tides", "berths", "pilots", "locks"];

fn harbour(name: &str) -> Package {
    Package::new(format!("@harbour/{name}"))
        .maintainer("lead")
        .repository("https://git.example.invalid/harbour/monorepo")
}

/// Five packages of one scope with four releases each; nothing runs at install.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.set_now(NOW);
    for part in PARTS {
        let mut package = harbour(part);
        for month in 1..=4 {
            package = package.release(
                Release::new(format!("1.{month}.0"))
                    .published(&format!("2026-0{month}-03T09:30:00.000Z")),
            );
        }
        // A week has not passed since this one.
        package = package.release(Release::new("1.5.0").published("2026-11-18T22:00:00.000Z"));
        registry.add(package);
    }
    registry
}

fn lock(world: &World, file: &str) {
    let entries: Vec<String> = PARTS
        .iter()
        .map(|part| {
            format!(
                r#""node_modules/@harbour/{part}": {{"version": "1.4.0", "resolved": "https://registry.example.invalid/@harbour/{part}/-/{part}-1.4.0.tgz"}}"#
            )
        })
        .collect();
    let text = format!(
        r#"{{"name": "app", "lockfileVersion": 3, "packages": {{"": {{"name": "app"}}, {}}}}}"#,
        entries.join(", ")
    );
    world.write(file, text);
}

fn show(world: &World, owner: &str) -> Value {
    let run = world.run(&["baseline", "show", owner, "--json"]);
    serde_json::from_str(&run.assert_success().stdout).unwrap()
}

fn backfill(world: &World, registry: &Registry) -> Output {
    lock(world, "work/package-lock.json");
    world.run_before(registry, &["baseline", "backfill"])
}

#[test]
fn a_backfill_learns_what_has_settled_once() {
    let (world, registry) = (World::new(), registry());
    let run = backfill(&world, &registry);
    assert!(
        run.assert_success()
            .says("5 packages: 20 releases learned, 0 known before"),
        "{}",
        run.text()
    );
    let scope = show(&world, "@harbour");
    assert_eq!(scope["schema"], "weir.baseline/v1");
    assert_eq!(scope["all"]["releases"], 20);
    assert_eq!(scope["all"]["hooks"], 0);
    assert_eq!(scope["all"]["hours"][9], 20);
    assert_eq!(scope["all"]["hours"][22], 0, "what is young does not teach");
    assert_eq!(scope["all"]["publishers"], json!({"~lead": 20}));
    assert_eq!(
        scope["all"]["repositories"],
        json!({"git.example.invalid/harbour": 20})
    );
    assert_eq!(scope["most_within_an_hour"], 5);
    assert_eq!(show(&world, "~lead")["all"]["releases"], 20);
    assert_eq!(
        show(&world, "@harbour/tides")["packages"]
            .as_object()
            .unwrap()
            .len(),
        1
    );
    let again = world.run_before(
        &registry,
        &["baseline", "backfill", "--lockfile", "package-lock.json"],
    );
    assert!(
        again
            .assert_success()
            .says("0 releases learned, 20 known before"),
        "{}",
        again.text()
    );
    assert_eq!(show(&world, "@harbour")["all"]["releases"], 20);
    let text = world.run(&["baseline", "show", "@harbour"]);
    for words in [
        "run at install",
        "never",
        "~lead 20",
        "at most 5 within an hour",
        "09 h 20",
    ] {
        assert!(
            text.assert_success().says(words),
            "{words}: {}",
            text.stdout
        );
    }
}

/// Nobody has asked for it yet, and it would be refused.
#[test]
fn what_would_be_refused_teaches_a_backfill_nothing() {
    let (world, registry) = (World::new(), registry());
    let mut taken = harbour("charts");
    for month in 1..=9 {
        let published = format!("2026-0{month}-03T09:30:00.000Z");
        taken = taken.release(Release::new(format!("1.{month}.0")).published(&published));
    }
    let attack = Release::new("1.9.1")
        .published("2026-11-01T03:00:00.000Z")
        .publisher("rolf")
        .file("x.js", "console.log('built');\n")
        .script("postinstall", "node x.js");
    registry.add(taken.release(attack));
    let run = backfill(&world, &registry);
    assert!(
        run.assert_success().says("1 that is or would be refused"),
        "{}",
        run.text()
    );
    let all = &show(&world, "@harbour")["all"];
    assert_eq!(
        (&all["releases"], &all["hooks"]),
        (&json!(25), &json!(0)),
        "{all}"
    );
}

#[test]
fn what_cannot_be_learned_is_said() {
    let (world, registry) = (World::new(), registry());
    registry.remove("@harbour/tides");
    let run = backfill(&world, &registry);
    assert_eq!(run.code, Some(1), "{}", run.text());
    assert!(run.says("1 package not learned"), "{}", run.stdout);
    assert!(
        run.stderr.contains("not learned: @harbour/tides"),
        "{}",
        run.stderr
    );
    for (arguments, words) in [
        (
            &["baseline", "show", "~nobody"][..],
            "nothing is known of ~nobody",
        ),
        (&["baseline", "show", "@"], "names nobody"),
        (
            &["baseline", "backfill", "no-such-folder"],
            "there is no folder no-such-folder",
        ),
    ] {
        let run = world.run_before(&registry, arguments);
        assert_eq!(run.code, Some(1), "{}", run.text());
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
}

fn findings(run: &Output, signal: &str) -> Vec<Value> {
    let found: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.text()));
    let findings = found["findings"].as_array().unwrap().iter();
    findings
        .filter(|it| it["signal"] == signal)
        .cloned()
        .collect()
}

fn newcomer() -> Package {
    Package::new("@harbour/setup-kit")
        .maintainer("deploy-7731")
        .release(
            Release::new("1.0.0")
                .published("2026-11-20T11:30:00.000Z")
                .file("setup.js", FORMATTER)
                .script("postinstall", "node setup.js"),
        )
}

#[test]
fn a_new_package_is_seen_beside_its_siblings() {
    let (world, registry) = (World::new(), registry());
    registry.add(newcomer());
    let inspect = ["inspect", "--json", "@harbour/setup-kit"];
    let before = world.run_before(&registry, &inspect);
    assert_eq!(findings(&before, "unlike-siblings"), [] as [Value; 0]);
    backfill(&world, &registry).assert_success();
    let after = world.run_before(&registry, &inspect);
    let found = findings(&after, "unlike-siblings");
    let groups: Vec<&str> = found.iter().filter_map(|it| it["group"].as_str()).collect();
    assert!(
        groups.contains(&"execution") && groups.contains(&"identity"),
        "{}",
        after.stdout
    );
}

#[test]
fn a_publisher_that_the_registry_leaves_out_is_not_known_and_never_fine() {
    let (world, registry) = (World::new(), registry());
    registry.add(newcomer());
    backfill(&world, &registry).assert_success();
    registry.set_flavour(Flavour::BareMirror);
    // The packument that was fetched before is still kept: another moment, another data folder.
    let bare = World::new();
    backfill(&bare, &registry).assert_success();
    let run = bare.run_before(&registry, &["inspect", "--json", "@harbour/setup-kit"]);
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    let gaps = found["incomplete"].as_array().unwrap();
    assert!(
        gaps.iter().any(|gap| gap["what"] == "publisher"),
        "{found:#}"
    );
}

/// What was refused does not teach, a week later or ever; what passed does.
#[test]
fn a_gateway_learns_from_what_passes_and_never_from_what_it_refuses() {
    let sink = Sink::start();
    let registry = Registry::start();
    let released = "2026-11-20T11:00:00.000Z";
    registry.set_now(NOW);
    let past = |name: &str| {
        Package::new(name)
            .maintainer("mara")
            .release(Release::new("1.0.0").published("2025-01-01T09:00:00.000Z"))
    };
    registry.add(past("quiet").release(Release::new("1.0.1").published(released)));
    registry.add(
        past("thief").release(
            Release::new("1.0.1")
                .published(released)
                .file("collect.js", aimed_at(NPM_CREDENTIALS, &sink.url()))
                .script("postinstall", "node collect.js"),
        ),
    );
    let world = World::new();
    for release in ["quiet@1.0.0", "quiet@1.0.1", "thief@1.0.0", "thief@1.0.1"] {
        world.run_before(&registry, &["inspect", "--json", release]);
    }
    assert_eq!(
        show(&world, "~mara")["all"]["releases"],
        2,
        "the young ones teach nothing yet"
    );
    registry.set_now("2026-11-30T12:00:00Z");
    let world = world.at("2026-11-30T12:00:00Z");
    // Any command that decides, and a gateway now and then, has teach what has settled.
    world
        .run_before(&registry, &["inspect", "--json", "quiet@1.0.0"])
        .assert_success();
    let account = show(&world, "~mara");
    assert_eq!(account["all"]["releases"], 3);
    assert_eq!(account["packages"]["thief"]["releases"], 1);
    assert_eq!(account["all"]["hooks"], 0);
    // A backfill does not teach it either.
    world.write(
        "work/package-lock.json",
        r#"{"name": "app", "lockfileVersion": 3, "packages": {"": {"name": "app"},
            "node_modules/thief": {"version": "1.0.1", "resolved": "https://registry.example.invalid/thief/-/thief-1.0.1.tgz"}}}"#,
    );
    let run = world.run_before(&registry, &["baseline", "backfill"]);
    assert!(
        run.assert_success()
            .says("1 that is or would be refused and does not teach"),
        "{}",
        run.text()
    );
    assert_eq!(show(&world, "~mara")["all"]["hooks"], 0);
    sink.assert_untouched();
}

/// Without its publisher it is not compared with its siblings, and what runs at its install would become usual.
#[test]
fn what_nobody_could_judge_does_not_become_usual() {
    let (world, registry) = (World::new(), registry());
    backfill(&world, &registry).assert_success();
    let script = "console.log('ready');\n";
    registry.add(
        harbour("quay").release(
            Release::new("1.0.0")
                .published("2026-11-05T09:30:00.000Z")
                .file("setup.js", script)
                .script("postinstall", "node setup.js"),
        ),
    );
    registry.edit_packument("@harbour/quay", |document| {
        let manifest = document["versions"]["1.0.0"].as_object_mut().unwrap();
        for part in ["_npmUser", "maintainers"] {
            manifest.remove(part);
        }
    });
    let run = world.run_before(&registry, &["inspect", "--json", "@harbour/quay"]);
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(found["incomplete"][0]["what"], "publisher", "{found:#}");
    let action = &found["decision"]["action"];
    assert!(action == "allow" || action == "notice", "{found:#}");
    let scope = show(&world, "@harbour");
    assert_eq!(scope["all"]["hooks"], 0);
    assert_eq!(scope["all"]["releases"], 20);
}

/// A gateway must not answer its first requests, nor a command its only one, from half a baseline.
#[test]
fn what_has_settled_teaches_before_anything_is_decided() {
    let (world, registry) = (World::new(), Registry::start());
    registry.set_now(NOW);
    for part in PARTS {
        let first = Release::new("1.0.0").published("2026-11-18T22:00:00.000Z");
        let second = Release::new("1.1.0").published("2026-11-19T22:00:00.000Z");
        registry.add(harbour(part).release(first).release(second));
        for version in ["1.0.0", "1.1.0"] {
            let young = format!("@harbour/{part}@{version}");
            world.run_before(&registry, &["inspect", "--json", &young]);
        }
    }
    let yet = world.run(&["baseline", "show", "@harbour"]);
    assert_eq!(yet.code, Some(1), "{}", yet.text());
    assert!(
        yet.stderr
            .contains("@harbour is not known yet: 10 of its releases"),
        "{}",
        yet.stderr
    );
    let later = "2026-11-30T12:00:00Z";
    registry.set_now(later);
    registry.add(newcomer());
    let world = world.at(later);
    let run = world.run_before(&registry, &["inspect", "--json", "@harbour/setup-kit"]);
    assert_ne!(
        findings(&run, "unlike-siblings"),
        [] as [Value; 0],
        "{}",
        run.text()
    );
}

#[test]
fn an_advisory_takes_back_what_was_learned() {
    let (world, registry) = (World::new(), registry());
    backfill(&world, &registry).assert_success();
    world.write(
        "work/osv/MAL-2026-7.json",
        json!({
            "id": "MAL-2026-7", "modified": "2026-11-19T00:00:00Z", "summary": "steals",
            "affected": [{
                "package": {"ecosystem": "npm", "name": "@harbour/tides"},
                "versions": ["1.3.0", "1.4.0"],
            }],
        })
        .to_string(),
    );
    world.run(&["advisories", "import", "osv"]).assert_success();
    assert_eq!(show(&world, "@harbour")["all"]["releases"], 18);
    let again = world.run_before(&registry, &["baseline", "backfill"]);
    assert!(
        again
            .assert_success()
            .says("0 releases learned, 18 known before, 2 that are or would be refused"),
        "{}",
        again.text()
    );
}

/// A name whose releases are all gone but for a number that somebody else uses again.
#[test]
fn a_number_that_is_used_again_does_not_hide_that_the_name_was_given_up() {
    let (world, registry) = (World::new(), Registry::start());
    registry.set_now(NOW);
    let mut package = Package::new("regiven").maintainer("mara");
    for (version, published) in [
        ("1.0.0", "2025-01-01T09:00:00.000Z"),
        ("1.0.1", "2025-02-01T09:00:00.000Z"),
    ] {
        package = package.release(Release::new(version).published(published).publisher("mara"));
    }
    registry.add(package);
    world.policy("[cache]\npackument_ttl = \"0s\"\n");
    let look = || world.run_before(&registry, &["inspect", "--json", "regiven@1.0.0"]);
    assert_eq!(findings(&look(), "vanished-versions"), [] as [Value; 0]);
    // Another publish time alone is what mirrors do.
    registry.edit_packument("regiven", |document| {
        document["time"]["1.0.0"] = "2026-11-16T09:00:00.000Z".into();
    });
    assert_eq!(findings(&look(), "vanished-versions"), [] as [Value; 0]);
    registry.edit_packument("regiven", |document| {
        document["time"]["1.0.0"] = "2026-11-18T09:00:00.000Z".into();
        document["versions"]["1.0.0"]["_npmUser"]["name"] = "rolf".into();
        for part in ["versions", "time"] {
            document[part].as_object_mut().unwrap().remove("1.0.1");
        }
    });
    let run = look();
    let found = findings(&run, "vanished-versions");
    assert_eq!(found.len(), 1, "{}", run.stdout);
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("given up and taken again"), "{message}");
    assert_eq!(found[0]["group"], "identity", "{}", run.stdout);
}

/// A version that was there yesterday and is gone today.
#[test]
fn a_packument_that_shrinks_is_a_finding() {
    let (world, registry) = (World::new(), Registry::start());
    registry.set_now(NOW);
    let mut package = Package::new("swept").maintainer("mara");
    for (version, published) in [
        ("1.0.0", "2025-01-01T09:00:00.000Z"),
        ("1.0.1", "2026-11-17T09:00:00.000Z"),
        ("1.0.2", "2026-11-18T09:00:00.000Z"),
    ] {
        package = package.release(Release::new(version).published(published));
    }
    registry.add(package);
    world.policy("[cache]\npackument_ttl = \"0s\"\n");
    let look = || world.run_before(&registry, &["inspect", "--json", "swept@1.0.2"]);
    assert_eq!(findings(&look(), "vanished-versions"), [] as [Value; 0]);
    registry.edit_packument("swept", |document| {
        for part in ["versions", "time"] {
            document[part].as_object_mut().unwrap().remove("1.0.1");
        }
    });
    let run = look();
    let found = findings(&run, "vanished-versions");
    assert_eq!(found.len(), 1, "{}", run.stdout);
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("Gone without a trace: 1.0.1"), "{message}");
    // It is remembered: the next look has nothing to compare with any more.
    assert_eq!(findings(&look(), "vanished-versions"), found);
}
