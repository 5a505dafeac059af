//! How clients are started.

use crate::support::{World, river};

/// pnpm and bun are such files where their install script did not run. Shells read them.
#[test]
fn a_client_that_says_not_what_reads_it_is_read_by_the_shell() {
    let (world, registry) = (World::new(), river());
    world.program("pnpm", "");
    let text = "echo \"$npm_config_registry: $1: run the install script first\" >&2\nexit 7\n";
    world.write("bin/pnpm", text);
    let run = world.run_before(&registry, &["pnpm", "install"]);
    assert_eq!(run.code, Some(7), "{}", run.text());
    assert!(
        run.says(": install: run the install script first"),
        "{}",
        run.stderr
    );
    assert!(run.says("http://127.0.0.1:"), "{}", run.stderr);
    let run = world.run_before(&registry, &["pnpm", "login"]);
    assert_eq!(run.code, Some(7), "{}", run.text());
    // A program for another machine is no text, and is there.
    world.write("bin/pnpm", b"\x7fELF\x02\x01\x01\0\0\0");
    let run = world.run_before(&registry, &["pnpm", "install"]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    assert!(run.says("made for this machine"), "{}", run.stderr);
    assert!(!run.says("installed"), "{}", run.stderr);
}
