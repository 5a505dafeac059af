//! What is said to somebody who typed something else than was meant: the thing, and what to do.

use crate::support::{World, river};

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
