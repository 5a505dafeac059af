//! What every world test stands on.

mod gateway;
pub(crate) mod http;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use weir_testing::clients::{Client, Output};
use weir_testing::sigstore::Sigstore;
use weir_testing::{Package, Project, Registry, Release};

pub(crate) use gateway::Gateway;

/// The moment at which everything happens unless a test says otherwise; that of the scenarios.
pub(crate) const NOW: &str = "2026-11-20T12:00:00Z";

/// Agents as the clients send them (PROTOCOL 3.1).
pub(crate) const NPM: &str = "npm/11.6.0 node/v22.20.0 linux x64 workspaces/false";
pub(crate) const PNPM_10: &str = "pnpm/10.34.8 npm/? node/v22.20.0 linux x64";

/// Longer than any command here takes.
const PATIENCE: Duration = Duration::from_secs(150);

/// A data folder, a home, a working folder with its `weir.toml`, and a folder of programs.
pub(crate) struct World {
    root: TempDir,
    now: String,
}

impl World {
    pub(crate) fn new() -> World {
        let root = TempDir::with_prefix("weir-world-").unwrap();
        for folder in ["data", "home", "work", "bin"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        let trusted = Sigstore::of_process().trusted_root();
        fs::write(root.path().join("root.json"), trusted).unwrap();
        World {
            root,
            now: NOW.to_owned(),
        }
    }

    /// Another moment from here on.
    pub(crate) fn at(mut self, now: &str) -> World {
        self.now = now.to_owned();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes the policy that commands in the working folder find.
    pub(crate) fn policy(&self, text: &str) {
        self.write("work/weir.toml", text);
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes a shell script that stands in for a program on the `PATH`.
    pub(crate) fn program(&self, name: &str, script: &str) {
        let file = self.write(&format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(file, mode).unwrap();
    }

    /// `weir` with nothing of this machine around it. Arguments follow. The world's time is the time: what
    /// happens in it is kept.
    pub(crate) fn weir(&self) -> Command {
        let mut command = self.bare();
        command.args(["--now", &self.now, "--as-it-happens"]);
        command
    }

    /// `weir` before a registry, at a moment that is only asked about.
    pub(crate) fn weir_asked(&self, registry: &Registry, now: &str) -> Command {
        let mut command = self.bare();
        command.args(["--now", now, "--upstream", &registry.url()]);
        command
    }

    fn bare(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", self.path("bin").display()),
            )
            .env("HOME", self.path("home"))
            .env("LANG", "C.UTF-8")
            .env("NO_COLOR", "1")
            .env("WEIR_DATA", self.path("data"))
            // What the fake registry attests is signed by a Sigstore of its own.
            .env("WEIR_TRUSTED_ROOT", self.path("root.json"))
            .current_dir(self.path("work"));
        command
    }

    /// `weir` in front of a registry.
    pub(crate) fn weir_before(&self, registry: &Registry) -> Command {
        let mut command = self.weir();
        command.args(["--upstream", &registry.url()]);
        command
    }

    /// `weir <client>` in a project, with the environment that client tests use. The upstream is
    /// whatever the project's own configuration says.
    pub(crate) fn wrapper(&self, client: &Client, project: &Project) -> Command {
        client.link_into(&self.path("bin"));
        let mut command = self.weir();
        let mut variables = client.environment(project);
        let path = variables.remove("PATH").unwrap_or_default();
        command
            .envs(variables)
            .env(
                "PATH",
                format!("{}:{}", self.path("bin").display(), path.display()),
            )
            .current_dir(project.path());
        command
    }

    /// Runs a command without an upstream to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        output(self.weir().args(arguments))
    }

    /// Runs a command in front of a registry to its end.
    pub(crate) fn run_before(&self, registry: &Registry, arguments: &[&str]) -> Output {
        output(self.weir_before(registry).args(arguments))
    }

    /// Starts the service.
    pub(crate) fn serve(&self, registry: &Registry) -> Gateway {
        Gateway::start(
            self.weir_before(registry)
                .args(["serve", "--listen", "127.0.0.1:0"]),
        )
    }

    /// The ledger's entries, oldest first, as users parse them.
    pub(crate) fn ledger(&self, filters: &[&str]) -> Vec<Value> {
        let output = output(self.weir().args(["ledger", "--json"]).args(filters));
        output.assert_success();
        output
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Runs a command to its end, with nothing on its standard input.
pub(crate) fn output(command: &mut Command) -> Output {
    output_with(command, "")
}

/// Runs a command to its end.
pub(crate) fn output_with(command: &mut Command, input: &str) -> Output {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that ends without reading is no failure of the test.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    finish(child, started)
}

/// Collects what a started command says until it ends.
pub(crate) fn finish(mut child: Child, started: Instant) -> Output {
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let code = wait(&mut child, PATIENCE).and_then(|status| status.code());
    let output = Output {
        stdout: stdout.map_or_else(String::new, |text| text.join().unwrap()),
        stderr: stderr.map_or_else(String::new, |text| text.join().unwrap()),
        code,
        elapsed: started.elapsed(),
    };
    assert!(!output.stderr.contains("panicked at"), "{}", output.stderr);
    output
}

fn drain(stream: Option<impl Read + Send + 'static>) -> Option<std::thread::JoinHandle<String>> {
    let mut stream = stream?;
    Some(std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }))
}

/// Waits for a child; ends it when it takes too long.
pub(crate) fn wait(child: &mut Child, patience: Duration) -> Option<std::process::ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if started.elapsed() > patience {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal by name to a child of ours.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(child.id().to_string())
        .status();
    assert!(sent.unwrap().success());
}

/// Waits until something holds.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(
            started.elapsed() < Duration::from_secs(45),
            "never happened: {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The refusal's id in a text: `w-` and ten characters.
pub(crate) fn block_id(text: &str) -> Option<String> {
    let is_id = |id: &&str| id.len() == 12 && id[2..].bytes().all(|b| b.is_ascii_alphanumeric());
    text.match_indices("w-")
        .filter_map(|(at, _)| text.get(at..at + 12))
        .find(is_id)
        .map(str::to_owned)
}

/// Every id in a text leads somewhere: `weir explain` and `weir ledger --block` know it.
pub(crate) fn assert_explained(world: &World, text: &str, release: &str) {
    let id = block_id(text).unwrap_or_else(|| panic!("no refusal id in: {text}"));
    let explained = world.run(&["explain", &id]);
    assert!(
        explained.assert_success().says(release),
        "{}",
        explained.text()
    );
    let entries = world.ledger(&["--block", &id]);
    assert!(!entries.is_empty(), "the ledger knows nothing of {id}");
    for entry in entries {
        let named = format!(
            "{}@{}",
            entry["name"].as_str().unwrap(),
            entry["version"].as_str().unwrap()
        );
        assert_eq!(named, release);
    }
}

/// Two ordinary packages with years behind them: `gauge-reader` with a release that is an hour old,
/// and `@millpond/sluice`, which depends on it.
pub(crate) fn river() -> Registry {
    let registry = Registry::start();
    registry.set_now(NOW);
    registry.add(gauge_reader());
    registry.add(
        Package::new("@millpond/sluice").maintainer("mill").release(
            Release::new("2.0.0")
                .published("2024-03-02T03:04:05.678Z")
                .dependency("gauge-reader", "^1.0.0"),
        ),
    );
    registry
}

/// As in [`river`].
pub(crate) fn gauge_reader() -> Package {
    Package::new("gauge-reader")
        .maintainer("mill")
        .description("Reads river gauges")
        .release(Release::new("1.0.0").published("2024-01-02T03:04:05.678Z"))
        .release(
            Release::new("1.1.0")
                .published("2025-01-02T03:04:05.678Z")
                .attested(),
        )
        .release(Release::new("1.2.0").published("2026-11-20T11:00:00.000Z"))
}

/// Bytes that gzip cannot shrink, the same each time.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(length)
    .collect()
}

/// Whether a file below `folder` contains a text.
pub(crate) fn found_in(folder: &Path, text: &str) -> Option<PathBuf> {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if let Some(found) = found_in(&path, text) {
                return Some(found);
            }
        } else if let Ok(bytes) = fs::read(&path)
            && bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        {
            return Some(path);
        }
    }
    None
}

/// A lockfile of some releases of a registry, one per line from the third.
pub(crate) fn lockfile(world: &World, registry: &Registry, releases: &[(&str, &str)]) {
    let mut lines = vec![r#"    "": {"name": "app", "version": "1.0.0"}"#.to_owned()];
    for (name, version) in releases {
        let integrity = registry.integrity(name, version).unwrap();
        let base = name.rsplit('/').next().unwrap();
        let url = format!("{}{name}/-/{base}-{version}.tgz", registry.url());
        lines.push(format!(
            r#"    "node_modules/{name}": {{"version": "{version}", "resolved": "{url}", "integrity": "{integrity}"}}"#
        ));
    }
    let text = format!(
        "{{\"name\": \"app\", \"lockfileVersion\": 3, \"packages\": {{\n{}\n}}}}\n",
        lines.join(",\n")
    );
    world.write("work/package-lock.json", text);
    world.write(
        "work/package.json",
        r#"{"name": "app", "version": "1.0.0"}"#,
    );
}
