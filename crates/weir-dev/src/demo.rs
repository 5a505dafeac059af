//! `cargo dev demo`: the example project installed through weir, then an imitated attack refused.
//!
//! Everything it writes is under `target/demo`: weir's data folders, npm's cache, the projects.
//! The attack runs against a registry on loopback, and would send what it finds to a sink on
//! loopback, which has to stay untouched.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, ensure};
use weir_testing::scenarios::{self, Scenario};

use crate::{files, programs};

/// What the imitated attacker hopes that somebody types.
const LOOKALIKE: &str = "@tan-stack/react-query";

/// What they meant.
const GENUINE: &str = "@tanstack/react-query";

/// weir's exit code for a release that is blocked (docs/commands.md).
const BLOCKED: i32 = 4;

pub(crate) fn run() -> anyhow::Result<()> {
    programs::version_of("node")?;
    programs::version_of("npm")?;
    heading("Building weir (the first time takes some minutes)");
    let demo = Demo::prepare(build()?)?;
    demo.install_example()?;
    let scenario = scenarios::official_scope_lookalike(scenarios::default_now());
    let id = demo.refuse_attack(&scenario)?;
    demo.explain(&id)?;
    demo.look_inside(&scenario)?;
    demo.install_genuine(&scenario)?;
    heading("What the attack got");
    let connections = scenario.sink.connections();
    ensure!(
        connections == 0,
        "the address that the attack sends secrets to was contacted {connections} time(s)"
    );
    println!("Nothing: nobody ever connected to the address it sends secrets to.");
    println!(
        "\nAll of it went as it should. The files are in {}.",
        demo.folder.display()
    );
    Ok(())
}

fn heading(text: &str) {
    println!("\n=== {text}\n");
}

/// Builds weir as users run it; returns the program.
fn build() -> anyhow::Result<PathBuf> {
    let mut child = programs::cargo()
        .args(["build", "--release", "--locked", "--package=weir"])
        .arg("--message-format=json-render-diagnostics")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("running cargo build")?;
    let messages = child.stdout.take().context("cargo's output")?;
    let mut program = None;
    for line in BufReader::new(messages).lines() {
        let message: serde_json::Value = serde_json::from_str(&line?).unwrap_or_default();
        if message["target"]["name"] == "weir"
            && let Some(path) = message["executable"].as_str()
        {
            program = Some(PathBuf::from(path));
        }
    }
    ensure!(child.wait()?.success(), "weir could not be built");
    program.context("cargo did not say where it put weir")
}

/// The place where it happens.
struct Demo {
    weir: PathBuf,
    folder: PathBuf,
}

impl Demo {
    /// Clears away what an earlier run left, except what weir keeps about the example's packages:
    /// a second run shows that they come from there.
    fn prepare(weir: PathBuf) -> anyhow::Result<Self> {
        let target = weir.parent().and_then(Path::parent);
        let folder = target
            .context("weir was built into no folder")?
            .join("demo");
        for old in ["storefront", "newcomer", "npm-cache", "attack-data"] {
            files::clear(&folder.join(old))?;
        }
        std::fs::create_dir_all(&folder)?;
        // Whatever weir.toml there may be further up or at home, this shows the defaults.
        std::fs::write(folder.join("weir.toml"), "# The defaults.\n")?;
        let trusted = weir_testing::sigstore::Sigstore::of_process().trusted_root();
        std::fs::write(folder.join("trusted-root.json"), trusted)?;
        Ok(Self { weir, folder })
    }

    fn install_example(&self) -> anyhow::Result<()> {
        heading("`weir npm ci` in a copy of examples/storefront");
        let project = self.folder.join("storefront");
        files::copy_project(&files::root().join("examples/storefront"), &project)?;
        let status = self.weir("data", &project).args(["npm", "ci"]).status()?;
        ensure!(status.success(), "weir npm ci ended with {status}");
        ensure!(
            project.join("node_modules/react/package.json").is_file(),
            "weir npm ci was content and installed nothing"
        );
        Ok(())
    }

    /// Somebody mistypes a scope, and a package of that name was published minutes ago. Returns the
    /// refusal's id.
    fn refuse_attack(&self, scenario: &Scenario) -> anyhow::Result<String> {
        heading(&format!(
            "`weir npm install {LOOKALIKE}`: an imitated attack"
        ));
        println!("{}\n", scenario.description);
        let (status, output) = self.newcomer(scenario, LOOKALIKE)?;
        ensure!(!status.success(), "the attack was installed");
        ensure!(
            !self
                .folder
                .join("newcomer/node_modules")
                .join(LOOKALIKE)
                .exists(),
            "the attack was refused and installed nevertheless"
        );
        let id = refusal_id(&output).context("the refusal names no id to look up")?;
        Ok(id.to_owned())
    }

    fn explain(&self, id: &str) -> anyhow::Result<()> {
        heading(&format!("`weir explain {id}`: why it was refused"));
        let mut command = self.weir("attack-data", &self.folder);
        let (status, output) = shown(command.args(["explain", id]))?;
        ensure!(status.success(), "weir explain ended with {status}");
        ensure!(
            output.contains(LOOKALIKE),
            "the explanation is about something else"
        );
        Ok(())
    }

    /// The refusal rests on what the registry says. What is in the tarball is read, never run.
    fn look_inside(&self, scenario: &Scenario) -> anyhow::Result<()> {
        heading(&format!(
            "`weir inspect {LOOKALIKE}`: what is in it, read and not run"
        ));
        let mut command = self.replay(scenario, &self.folder);
        let (status, output) = shown(command.args(["inspect", LOOKALIKE]))?;
        ensure!(
            status.code() == Some(BLOCKED),
            "weir inspect ended with {status}"
        );
        ensure!(
            output.contains("credential-exfiltration"),
            "what the install script does was not seen"
        );
        Ok(())
    }

    fn install_genuine(&self, scenario: &Scenario) -> anyhow::Result<()> {
        heading(&format!(
            "`weir npm install {GENUINE}`: the genuine package passes"
        ));
        let (status, _) = self.newcomer(scenario, GENUINE)?;
        ensure!(status.success(), "the genuine package was refused");
        Ok(())
    }

    /// Installs a package of the scenario's registry in a project that has none yet.
    fn newcomer(&self, scenario: &Scenario, package: &str) -> anyhow::Result<(ExitStatus, String)> {
        let project = self.folder.join("newcomer");
        std::fs::create_dir_all(&project)?;
        std::fs::write(project.join("package.json"), "{ \"private\": true }\n")?;
        let mut command = self.replay(scenario, &project);
        command.args(["npm", "install", package]);
        shown(&mut command)
    }

    /// weir in front of the scenario's registry, at the scenario's moment.
    fn replay(&self, scenario: &Scenario, project: &Path) -> Command {
        let mut command = self.weir("attack-data", project);
        command
            .args(["--upstream", &scenario.registry.url()])
            .args(["--now", &scenario.now.to_string()])
            // What the scenario's registry attests is signed by a Sigstore of its own.
            .env("WEIR_TRUSTED_ROOT", self.folder.join("trusted-root.json"))
            // A proxy of the user's has no business with a registry on loopback.
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1");
        command
    }

    /// weir with a data folder of the demo.
    fn weir(&self, data: &str, project: &Path) -> Command {
        programs::weir(&self.weir, &self.folder, data, project)
    }
}

/// Runs a command, shows what it prints, and returns that too.
fn shown(command: &mut Command) -> anyhow::Result<(ExitStatus, String)> {
    let output = command.output().context("running weir")?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    print!("{text}");
    std::io::stdout().flush()?;
    Ok((output.status, text))
}

/// The id in the words `weir explain w-…`, whatever options stand between.
fn refusal_id(output: &str) -> Option<&str> {
    let (_, rest) = output.split_once(" explain w-")?;
    let length = rest
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(rest.len());
    let start = output.len() - rest.len() - "w-".len();
    output.get(start..start + "w-".len() + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_in_what_a_client_prints() {
        let output =
            "npm error 403 Blocked by weir: a@1.0.0. See weir explain w-3k9x2m4q7c [w-3k9x2m4q7c]";
        assert_eq!(refusal_id(output), Some("w-3k9x2m4q7c"));
        assert_eq!(refusal_id("weir explain w-abc"), Some("w-abc"));
        assert_eq!(refusal_id("npm error 404"), None);
    }
}
