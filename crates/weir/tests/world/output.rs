//! Standard output that cannot be written.

use std::process::{Command, Stdio};

use crate::support::{World, finish, river};

/// Runs a command with a disk that is full as its standard output.
fn onto_a_full_disk(command: &mut Command) -> weir_testing::clients::Output {
    let full = std::fs::File::options().write(true).open("/dev/full");
    let started = std::time::Instant::now();
    let child = command
        .stdin(Stdio::null())
        .stdout(full.unwrap())
        .stderr(Stdio::piped())
        .spawn();
    finish(child.unwrap(), started)
}

#[test]
fn a_full_disk_is_an_error_and_no_panic() {
    let (world, registry) = (World::new(), river());
    world.write("work/package.json", r#"{"name": "app"}"#);
    let lock = r#"{"name": "app", "lockfileVersion": 3, "packages": {"": {"name": "app"}}}"#;
    world.write("work/package-lock.json", lock);
    world.run_before(&registry, &["inspect", "gauge-reader"]);
    for arguments in [
        &["signals", "list"][..],
        &["policy", "show"],
        &["inspect", "--json", "gauge-reader"],
        &["check", "--offline", "--json"],
        &["check", "--offline"],
        &["sbom"],
        &["ledger"],
    ] {
        let run = onto_a_full_disk(world.weir_before(&registry).args(arguments));
        assert_eq!(run.code, Some(1), "{arguments:?}: {}", run.stderr);
        let told: Vec<&str> = run
            .stderr
            .lines()
            .filter(|line| line.starts_with("weir: "))
            .collect();
        assert_eq!(told.len(), 1, "{arguments:?}: {}", run.stderr);
        assert!(told[0].starts_with("weir: writing to standard output: "));
    }
}
