//! The programs that tooling starts: cargo, node, npm.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::files;

/// Variables that would make a run depend on whoever starts it.
const OWN_SETTINGS: &[&str] = &["WEIR_DATA", "WEIR_POLICY", "WEIR_LOG", "WEIR_ALLOW_BYPASS"];

/// The cargo that runs this program, in the repository's root.
pub(crate) fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(files::root());
    without_own_settings(&mut command);
    command
}

/// Takes weir's own variables out of a command's environment.
pub(crate) fn without_own_settings(command: &mut Command) {
    for name in OWN_SETTINGS {
        command.env_remove(name);
    }
}

/// weir with a data folder and the `weir.toml` of `folder`, in a project, away from the user's own files.
pub(crate) fn weir(program: &Path, folder: &Path, data: &str, project: &Path) -> Command {
    let mut command = Command::new(program);
    without_own_settings(&mut command);
    command
        .arg("--data")
        .arg(folder.join(data))
        .arg("--policy")
        .arg(folder.join("weir.toml"))
        .current_dir(project)
        .stdin(Stdio::null())
        .env("npm_config_cache", folder.join("npm-cache"))
        .env("npm_config_update_notifier", "false")
        .env("npm_config_fund", "false");
    command
}

/// What a program says of its version.
///
/// # Errors
/// When it is not installed, with what to do about it.
pub(crate) fn version_of(program: &str) -> anyhow::Result<String> {
    let missing = || {
        format!("{program} is needed and was not found; install Node 20 or later, which brings it")
    };
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .with_context(missing)?;
    if !output.status.success() {
        bail!(missing());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Standard output of a cargo command that has to succeed.
///
/// # Errors
/// With what it printed on standard error.
pub(crate) fn cargo_output(arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let name = arguments.first().copied().unwrap_or_default();
    let output = cargo()
        .args(arguments)
        .output()
        .with_context(|| format!("running cargo {name}"))?;
    if !output.status.success() {
        bail!(
            "cargo {name} failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(output.stdout)
}
