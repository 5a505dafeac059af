//! `cargo dev test`: all tests, with one command on a machine that has Rust and Node.

use std::process::Stdio;

use anyhow::{Context, bail};

use crate::programs;

pub(crate) fn run() -> anyhow::Result<()> {
    let node = programs::version_of("node")?;
    let npm = programs::version_of("npm")?;
    println!("node {node}, npm {npm}");
    println!(
        "tests that drive pnpm, yarn and bun install them once, with your npm, into target/clients\n"
    );
    let nextest = programs::cargo()
        .args(["nextest", "--version"])
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success());
    // One failure should not hide the next.
    let tests: &[&str] = if nextest {
        &[
            "nextest",
            "run",
            "--workspace",
            "--locked",
            "--no-fail-fast",
        ]
    } else {
        &[
            "test",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--all-targets",
        ]
    };
    let examples = ["test", "--workspace", "--locked", "--no-fail-fast", "--doc"];
    let mut failed = Vec::new();
    for arguments in [&examples[..], tests] {
        println!("$ cargo {}", arguments.join(" "));
        let status = programs::cargo()
            .args(arguments)
            .stdin(Stdio::null())
            .status()
            .context("running cargo")?;
        if !status.success() {
            failed.push(format!("`cargo {}`", arguments.join(" ")));
        }
    }
    if !failed.is_empty() {
        bail!("there were failures in {}", failed.join(" and "));
    }
    println!("\nall tests passed");
    Ok(())
}
