//! What is said to somebody who typed something else than was meant: the thing, and what to do.

use crate::support::{World, output, river};

#[test]
fn a_clients_command_without_the_client_is_told_with_it() {
    let world = World::new();
    for command in ["install", "ci", "i", "run"] {
        let run = world.run(&[command]);
        assert_eq!(run.code, Some(2), "{}", run.text());
        let told = format!("`weir npm {command}`");
        assert!(run.stderr.contains(&told), "{}", run.text());
    }
    let run = world.run(&["inspekt", "a"]);
    assert_eq!(run.code, Some(2), "{}", run.text());
    assert!(
        run.says("inspect") && !run.says("weir npm"),
        "{}",
        run.text()
    );
    let alone = world.run(&[]);
    assert_eq!(alone.code, Some(2), "{}", alone.text());
    assert!(
        alone.says("Usage: weir") && alone.says("inspect"),
        "{}",
        alone.text()
    );
}

#[test]
fn what_cannot_be_looked_at_is_told_before_anybody_is_asked() {
    let (world, registry) = (World::new(), river());
    world.write("work/notes.json", "{}");
    for (what, told) in [
        ("https://files.example/a.tgz", "addresses are not fetched"),
        ("./notes.json", "is no tarball"),
        ("./nothing.tgz", "there is no such file"),
    ] {
        let run = world.run_before(&registry, &["inspect", what]);
        assert_eq!(run.code, Some(1), "{}", run.text());
        assert!(run.stderr.contains(told), "{}", run.text());
    }
    assert!(registry.requests().is_empty());
    // What is called a tarball is judged as one, whatever it holds.
    world.write("work/a.tgz", "{}");
    let run = world.run_before(&registry, &["inspect", "./a.tgz"]);
    assert_eq!(run.code, Some(4), "{}", run.text());
}

#[test]
fn each_mistake_of_a_policy_has_its_own_hint_below_it() {
    let world = World::new();
    world.policy("[age]\nminimun = \"24h\"\n[gate]\nmode = \"off\"\n[limits]\nwokers = 2\n");
    let run = world.run(&["policy", "check"]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    let lines: Vec<&str> = run.stderr.lines().collect();
    let after = |mistake: &str| {
        let at = lines.iter().position(|line| line.contains(mistake));
        at.and_then(|at| lines.get(at + 1))
            .copied()
            .unwrap_or_default()
    };
    assert!(
        after("age.minimun").contains("hint: did you mean `age.minimum`?"),
        "{}",
        run.stderr
    );
    assert!(
        after("limits.wokers").contains("`limits.workers`"),
        "{}",
        run.stderr
    );
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("weir: ") || line.starts_with("  hint: "))
    );
}

#[test]
fn an_id_that_is_none_is_told_with_where_they_are_listed() {
    let world = World::new();
    let run = world.run(&["explain", "xyz"]);
    assert!(
        run.assert_failure().says("weir ledger --event refused"),
        "{}",
        run.text()
    );
    let run = world.run(&["decide", "gauge-reader"]);
    assert!(run.assert_failure().says("name@1.0.0"), "{}", run.text());
}

/// What the environment gives need not be typed.
#[test]
fn usage_lines_show_what_is_to_be_typed() {
    let world = World::new();
    let why = world.run(&["why"]);
    assert_eq!(why.code, Some(2), "{}", why.text());
    assert!(
        why.says("Usage: weir why <PACKAGE> [DIR]"),
        "{}",
        why.text()
    );
    assert!(!why.says("--data"), "{}", why.text());
    // Nothing but the environment is nothing.
    let mut alone = std::process::Command::new(env!("CARGO_BIN_EXE_weir"));
    let alone = output(alone.env_clear().env("WEIR_DATA", world.path("data")));
    assert_eq!(alone.code, Some(2), "{}", alone.text());
    assert!(
        alone.says("inspect") && !alone.says("worker"),
        "{}",
        alone.text()
    );
    // Help shows it all the same.
    let help = world.run(&["why", "--help"]);
    assert!(help.assert_success().says("WEIR_DATA"), "{}", help.text());
}

#[test]
fn what_is_no_package_is_told_before_it_is_judged() {
    let (world, registry) = (World::new(), river());
    world.write("work/empty/notes.txt", "none");
    world.write(
        "work/p/package.json",
        r#"{"name": "p", "version": "1.0.0"}"#,
    );
    world.write("work/none.tgz", "{}");
    world.write("work/list", "# ours\n\nnot-there\n");
    world.write("work/data.txt", "");
    for (arguments, told) in [
        (
            &["inspect", "./empty"][..],
            "weir: ./empty: there is no package.json in that folder",
        ),
        (
            &["inspect", "gauge-reader@99"],
            "weir: gauge-reader has no version or tag 99 on http://",
        ),
        (
            &["inspect", "not-there"],
            "weir: not-there is not found on http://",
        ),
        (
            &["inspect", "--from", "list"],
            "weir: not-there is not found on http://",
        ),
        (
            &["inspect", "data.txt"],
            "`./data.txt` means the file of that name",
        ),
        (&["diff", "none.tgz", "./p"], "none.tgz holds no file"),
        (
            &["decide", "p/package.json"],
            "is not what `weir inspect --json` prints",
        ),
        (&["explain", "xyz"], "they look like w-3k9x2m4q7c"),
        (
            &["--data", "list", "ledger"],
            "list: it is a file: --data, or WEIR_DATA, names a folder",
        ),
        (
            &["--trusted-root", "nope.json", "trust-root", "show"],
            "--trusted-root: there is no nope.json",
        ),
        (
            &["advisories", "import", "http://osv.example/all.zip"],
            "http://osv.example/all.zip: only https is fetched",
        ),
        (&["policy", "check"], "make a weir.toml, or name the file"),
    ] {
        let run = world.run_before(&registry, arguments);
        assert_eq!(run.code, Some(1), "{arguments:?}: {}", run.text());
        assert!(run.stderr.contains(told), "{arguments:?}: {}", run.text());
        assert!(!run.says("# ours"), "{}", run.text());
    }
    let mut then = world.weir_asked(&registry, "2010-01-01T00:00:00Z");
    let then = output(then.args(["inspect", "gauge-reader"]));
    assert!(
        then.assert_failure()
            .says("no version or tag latest on http://"),
        "{}",
        then.text()
    );
    assert!(then.says("that was out by 2010-01-01"), "{}", then.text());
    let typed = world.run(&["--upstream", "http://u:p@127.0.0.1:9/", "inspect", "a"]);
    assert!(
        typed.assert_failure().says("of --upstream cannot be used"),
        "{}",
        typed.text()
    );
    let known = world.run(&["known-bad", "show"]);
    assert!(
        known.assert_success().says("no malicious content is known"),
        "{}",
        known.text()
    );
}

/// A database would be made at its end.
#[cfg(unix)]
#[test]
fn a_database_that_is_a_link_to_nowhere_is_not_followed() {
    let world = World::new();
    std::fs::create_dir_all(world.path("other")).unwrap();
    let nowhere = world.path("nowhere.db");
    std::os::unix::fs::symlink(&nowhere, world.path("other/weir.db")).unwrap();
    let folder = world.path("other");
    let run = world.run(&["--data", folder.to_str().unwrap(), "ledger"]);
    assert!(run.assert_failure().says("weir.db"), "{}", run.text());
    assert!(!nowhere.exists());
}
