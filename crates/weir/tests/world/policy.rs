//! `weir policy`, waivers, observe mode, own names.

use serde_json::Value;

use crate::support::{NPM, World, output, river};

const HELD: &str = "/gauge-reader/-/gauge-reader-1.2.0.tgz";

#[test]
fn it_shows_each_key_with_where_its_value_comes_from() {
    let world = World::new();
    let defaults = world.run(&["policy", "show"]);
    let minimum = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("age.minimum"))
            .unwrap()
            .to_owned()
    };
    assert!(
        minimum(&defaults.assert_success().stdout).contains("default"),
        "{}",
        defaults.stdout
    );
    world.policy("[age]\nminimum = \"48h\"\n");
    let set = world.run(&["policy", "show"]);
    let line = minimum(&set.stdout);
    assert!(line.contains("48h") && line.contains("weir.toml"), "{line}");
    // Found upward from a folder below, and not where --policy names another.
    let below = world.path("work/packages/app");
    std::fs::create_dir_all(&below).unwrap();
    let mut command = world.weir();
    let nested = crate::support::output(command.current_dir(&below).args(["policy", "show"]));
    assert_eq!(nested.stdout.contains("48h"), set.stdout.contains("48h"));
    let other = world.write("other.toml", "[age]\nminimum = \"2h\"\n");
    let named = world.run(&["--policy", other.to_str().unwrap(), "policy", "show"]);
    assert!(minimum(&named.stdout).contains("2h") && !named.stdout.contains("48h"));
}

#[test]
fn mistakes_point_at_the_line_and_stop_everything() {
    let (world, registry) = (World::new(), river());
    for (text, line, words) in [
        ("[age]\n\nminimun = \"24h\"\n", 3, "minimum"),
        ("[agee]\n", 1, "age"),
        ("[age]\nminimum = 24\n", 2, "duration"),
        ("[gate]\nmode = \"off\"\n", 2, "observe"),
        ("[signals]\nno-such-signal = \"off\"\n", 2, "no-such-signal"),
        (
            "[signals]\nintegrity-mismatch = \"off\"\n",
            2,
            "integrity-mismatch",
        ),
        ("[[waiver]]\npackage = \"gauge-reader\"\n", 1, "expires"),
        ("[age\n", 1, ""),
    ] {
        world.policy(text);
        let check = world.run(&["policy", "check"]);
        assert_eq!(check.code, Some(1), "{text}: {}", check.text());
        assert!(
            check.stderr.contains(&format!("weir.toml:{line}")),
            "{text}: {}",
            check.stderr
        );
        assert!(check.says(words), "{text}: {}", check.stderr);
        // Nothing runs under a policy that cannot be read.
        for arguments in [
            &["inspect", "gauge-reader"][..],
            &["serve", "--listen", "127.0.0.1:0"],
        ] {
            let refused = world.run_before(&registry, arguments);
            assert_eq!(refused.code, Some(1), "{}", refused.text());
        }
    }
    assert!(registry.requests().is_empty());
    world.policy("[age]\nminimum = \"24h\"\n");
    assert!(
        world
            .run(&["policy", "check"])
            .assert_success()
            .says("no mistakes")
    );
    let missing = world.run(&["--policy", "nowhere.toml", "policy", "show"]);
    assert!(missing.assert_failure().says("does not exist"));
}

/// An engine does not start with them, so a policy with them has mistakes.
#[test]
fn rules_that_cannot_be_used_are_mistakes_of_the_policy() {
    let (world, registry) = (World::new(), river());
    world.policy("[rules]\nfolder = \"yara\"\n");
    let check = |words: &[&str]| {
        let check = world.run(&["policy", "check"]);
        assert_eq!(check.code, Some(1), "{}", check.text());
        assert!(!check.says("no mistakes"), "{}", check.text());
        for words in words {
            assert!(check.says(words), "{words}: {}", check.text());
        }
        let refused = world.run_before(&registry, &["inspect", "gauge-reader"]);
        assert_eq!(refused.code, Some(1), "{}", refused.text());
    };
    check(&["weir.toml:2:1: rules.folder: ", "yara"]);
    world.write("work/yara/a.yar", "rule a { condition: nothing }");
    world.write("work/yara/b.yar", "rule b { condition: ");
    check(&["rules.folder: a.yar:1:", "rules.folder: b.yar:1:"]);
    world.write("work/yara/a.yar", "rule a { condition: false }");
    world.write("work/yara/b.yar", "rule b { condition: false }");
    let fine = world.run(&["policy", "check"]);
    assert!(fine.assert_success().says("no mistakes"));
}

#[test]
fn the_schema_is_json_and_knows_the_sections() {
    let world = World::new();
    let schema: Value =
        serde_json::from_str(&world.run(&["policy", "schema"]).assert_success().stdout).unwrap();
    for section in [
        "age",
        "decide",
        "established",
        "gate",
        "names",
        "signals",
        "limits",
        "cache",
        "expect",
        "waiver",
    ] {
        assert!(schema["properties"][section].is_object(), "{section}");
    }
}

fn waive(world: &World, version: &str, expires: &str) {
    world.policy(&format!(
        "[[waiver]]\npackage = \"gauge-reader\"\nversions = \"{version}\"\nsignals = [\"young-release\"]\n\
         action = \"notice\"\nreason = \"the flood is tomorrow\"\nauthor = \"mara\"\nexpires = \"{expires}\"\n"
    ));
}

#[test]
fn a_waiver_lets_a_held_release_through_and_is_named() {
    let (world, registry) = (World::new(), river());
    waive(&world, "1.2.0", "2026-11-25");
    let gateway = world.serve(&registry);
    let reply = gateway.get(HELD, &[("user-agent", NPM)]);
    assert_eq!(
        (reply.status, reply.header("x-weir-decision")),
        (200, Some("notice")),
        "{}",
        reply.reason
    );
    assert_eq!(
        gateway.packument(NPM, "gauge-reader")["dist-tags"]["latest"],
        "1.2.0"
    );
    drop(gateway);
    // Somewhere that has not served it yet.
    let fresh = World::new();
    std::fs::copy(world.path("work/weir.toml"), fresh.path("work/weir.toml")).unwrap();
    let inspected = fresh.run_before(&registry, &["inspect", "--json", "gauge-reader@1.2.0"]);
    let inspected: Value = serde_json::from_str(&inspected.stdout).unwrap();
    assert_eq!(inspected["decision"]["action"], "notice", "{inspected:#}");
    assert!(
        inspected["decision"]["waiver"]
            .as_str()
            .unwrap()
            .contains("the flood is tomorrow")
    );

    // Another version, or a date that is over, and the hold is back.
    for (version, expires) in [("1.1.9", "2026-11-25"), ("1.2.0", "2026-11-19")] {
        let fresh = World::new();
        waive(&fresh, version, expires);
        let gateway = fresh.serve(&registry);
        let document = gateway.packument(NPM, "gauge-reader");
        assert_eq!(
            document["dist-tags"]["latest"], "1.1.0",
            "{version} until {expires}"
        );
    }
    waive(&world, "1.2.0", "2026-11-19");
    let expired = world.run(&["policy", "check"]);
    assert_eq!(expired.code, Some(1));
    assert!(expired.says("gauge-reader"), "{}", expired.stderr);
}

#[test]
fn observe_mode_refuses_nothing_and_records_everything() {
    let (world, registry) = (World::new(), river());
    world.policy("[gate]\nmode = \"observe\"\n");
    let gateway = world.serve(&registry);
    let reply = gateway.get(HELD, &[("user-agent", NPM)]);
    assert_eq!(reply.status, 200, "{}", reply.reason);
    assert_eq!(
        reply.body,
        registry.tarball("gauge-reader", "1.2.0").unwrap()
    );
    assert_eq!(reply.header("x-weir-decision"), Some("hold"));
    let document = gateway.packument(NPM, "gauge-reader");
    assert_eq!(
        document["dist-tags"]["latest"], "1.2.0",
        "resolution is as without weir"
    );
    assert!(document["versions"]["1.2.0"].get("deprecated").is_none());
    let entries = world.ledger(&["--event", "served", "--package", "gauge-reader"]);
    assert_eq!(entries[0]["action"], "hold");
    crate::support::assert_explained(
        &world,
        entries[0]["block_id"].as_str().unwrap(),
        "gauge-reader@1.2.0",
    );

    // Nobody is told that it was refused.
    let id = entries[0]["block_id"].as_str().unwrap();
    let page = gateway.get(&format!("/-/weir/why/{id}"), &[]).text();
    let explained = world.run(&["explain", id]).stdout;
    for text in [&page, &explained] {
        let became =
            "gauge-reader@1.2.0 was served in observe mode, and would be refused otherwise";
        assert!(text.contains(became), "{text}");
        assert!(
            text.contains("would be held, and observe mode serves it"),
            "{text}"
        );
    }

    // What only observing let through is no reason to let it through once the policy is enforced.
    drop(gateway);
    world.policy("[gate]\nmode = \"enforce\"\n");
    let gateway = world.serve(&registry);
    assert_eq!(gateway.get(HELD, &[("user-agent", NPM)]).status, 403);
    let explained = world.run(&["explain", id]).stdout;
    assert!(
        explained.contains("gauge-reader@1.2.0 was refused"),
        "{explained}"
    );
}

#[test]
fn age_can_be_switched_off_and_excluded() {
    let registry = river();
    for text in [
        "[age]\nminimum = \"0h\"\n",
        "[age]\nexclude = [\"gauge-*\"]\n",
        "[age]\nexclude = [\"gauge-reader@1.2.0\"]\n",
        "[signals]\nyoung-release = \"off\"\n",
    ] {
        let world = World::new();
        world.policy(text);
        let gateway = world.serve(&registry);
        assert_eq!(gateway.get(HELD, &[]).status, 200, "{text}");
    }
}

#[test]
fn signals_are_listed_and_explained() {
    let world = World::new();
    let list = world.run(&["signals", "list"]);
    for id in [
        "credential-exfiltration",
        "lookalike-name",
        "new-install-script",
        "remote-dependency",
    ] {
        assert!(list.assert_success().stdout.contains(id), "{}", list.stdout);
        let page = world.run(&["signals", "show", id]);
        assert!(
            page.assert_success().says("When it is wrong"),
            "{}",
            page.stdout
        );
    }
    assert_eq!(world.run(&["signals", "show", "nonsense"]).code, Some(1));
}

/// What an unset variable of a CI system becomes.
#[test]
fn a_variable_that_is_set_to_nothing_counts_as_not_set() {
    let world = World::new();
    let mut weir = world.weir();
    for name in ["WEIR_DATA", "WEIR_POLICY", "WEIR_TRUSTED_ROOT", "WEIR_LOG"] {
        weir.env(name, "");
    }
    output(weir.args(["ledger"])).assert_success();
    assert!(world.path("home/.local/share/weir").is_dir());
    // Typed, it is a mistake.
    let typed = output(world.weir().args(["--policy", "", "policy", "show"]));
    assert_eq!(typed.code, Some(2), "{}", typed.text());
}
