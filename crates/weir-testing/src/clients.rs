//! The real package managers, run with an environment that holds nothing of this machine.
//!
//! npm comes from `PATH`. The others are installed on demand, each at a pinned version, into
//! `target/clients/` of the workspace, with this machine's npm and its configuration; their install scripts do not
//! run. A client that cannot be had is a reason in words: use [`or_skip`], which says so where the
//! test harness cannot hide it.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fmt::{self, Display};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::Project;

/// A package manager and, but for npm, its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The npm found on `PATH`.
    Npm,
    /// pnpm 10, whose age gate is off by default.
    Pnpm10,
    /// pnpm 12, a native program.
    Pnpm12,
    /// yarn 1.
    Yarn1,
    /// yarn 4, also called berry.
    Yarn4,
    /// bun 1.
    Bun,
}

impl Kind {
    /// Every client.
    pub const ALL: [Kind; 6] = [
        Kind::Npm,
        Kind::Pnpm10,
        Kind::Pnpm12,
        Kind::Yarn1,
        Kind::Yarn4,
        Kind::Bun,
    ];

    /// The npm package and version it comes from; `None` for npm itself.
    pub fn package(self) -> Option<(&'static str, &'static str)> {
        match self {
            Kind::Npm => None,
            Kind::Pnpm10 => Some(("pnpm", "10.34.8")),
            Kind::Pnpm12 => Some(("pnpm", "12.21.0")),
            Kind::Yarn1 => Some(("yarn", "1.22.22")),
            Kind::Yarn4 => Some(("@yarnpkg/cli-dist", "4.18.1")),
            Kind::Bun => Some(("bun", "1.4.5")),
        }
    }

    /// The arguments of a plain install.
    pub fn install(self) -> &'static [&'static str] {
        match self {
            Kind::Yarn4 => &["install", "--no-immutable"],
            Kind::Pnpm10 | Kind::Pnpm12 => &["install", "--no-frozen-lockfile"],
            Kind::Npm | Kind::Yarn1 | Kind::Bun => &["install"],
        }
    }

    /// The arguments of an install that may not change the lockfile.
    pub fn frozen(self) -> &'static [&'static str] {
        match self {
            Kind::Npm => &["ci"],
            Kind::Pnpm10 | Kind::Pnpm12 | Kind::Yarn1 | Kind::Bun => {
                &["install", "--frozen-lockfile"]
            }
            Kind::Yarn4 => &["install", "--immutable"],
        }
    }

    /// The lockfile's name.
    pub fn lockfile(self) -> &'static str {
        match self {
            Kind::Npm => "package-lock.json",
            Kind::Pnpm10 | Kind::Pnpm12 => "pnpm-lock.yaml",
            Kind::Yarn1 | Kind::Yarn4 => "yarn.lock",
            Kind::Bun => "bun.lock",
        }
    }
}

impl Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.package() {
            None => formatter.write_str("npm"),
            Some((name, version)) => write!(formatter, "{name} {version}"),
        }
    }
}

/// Why a client cannot be used here.
#[derive(Debug, Clone)]
pub struct Unavailable {
    /// The client.
    pub kind: Kind,
    /// The reason, one line.
    pub reason: String,
}

impl Display for Unavailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is not available: {}", self.kind, self.reason)
    }
}

impl std::error::Error for Unavailable {}

/// What a run of a client came to.
#[derive(Debug, Clone)]
pub struct Output {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The exit code; `None` when killed, by a signal or because its time was over.
    pub code: Option<i32>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Output {
    /// Whether the exit code is zero.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Standard output and standard error, one after the other.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Whether a text is anywhere in the output once line breaks and runs of blanks (clients wrap
    /// long lines) count as one blank.
    pub fn says(&self, text: &str) -> bool {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        flat(&self.text()).contains(&flat(text))
    }

    /// Asserts success.
    ///
    /// # Panics
    /// With the whole output otherwise.
    pub fn assert_success(&self) -> &Output {
        assert!(
            self.success(),
            "exit code {:?}:\n{}",
            self.code,
            self.text()
        );
        self
    }

    /// Asserts failure.
    ///
    /// # Panics
    /// With the whole output otherwise.
    pub fn assert_failure(&self) -> &Output {
        assert!(!self.success(), "succeeded:\n{}", self.text());
        self
    }
}

/// A package manager ready to run.
#[derive(Debug, Clone)]
pub struct Client {
    kind: Kind,
    program: PathBuf,
    leading: Vec<OsString>,
    node: PathBuf,
}

/// How long a client may run before it is killed: above npm's and pnpm's longest retries
/// (PROTOCOL 3.13 measured 141 s).
const PATIENCE: Duration = Duration::from_secs(240);

impl Client {
    /// Finds a client, installing it once when needed.
    ///
    /// # Errors
    /// [`Unavailable`] with the reason in words.
    pub fn find(kind: Kind) -> Result<Client, Unavailable> {
        let unavailable = |reason: String| Unavailable { kind, reason };
        let node = on_path("node").ok_or_else(|| unavailable("no node on PATH".into()))?;
        let Some((name, version)) = kind.package() else {
            let npm = on_path("npm").ok_or_else(|| unavailable("no npm on PATH".into()))?;
            return Ok(Client {
                kind,
                program: npm,
                leading: Vec::new(),
                node,
            });
        };
        let folder = install(name, version).map_err(unavailable)?;
        let (program, leading) = entry(kind, &folder, &node).map_err(unavailable)?;
        Ok(Client {
            kind,
            program,
            leading,
            node,
        })
    }

    /// Which client this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Runs in a project with nothing but the scrubbed environment.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run(&self, project: &Project, arguments: &[&str]) -> Output {
        self.run_with(project, arguments, &[])
    }

    /// As [`Client::run`], with variables on top.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run_with(
        &self,
        project: &Project,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Output {
        let mut command = Command::new(&self.program);
        command
            .args(&self.leading)
            .args(arguments)
            .current_dir(project.path())
            .env_clear()
            .envs(self.environment(project))
            .envs(variables.iter().copied());
        run(&mut command, PATIENCE).expect("the client starts")
    }

    /// A plain install of the project.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn install(&self, project: &Project) -> Output {
        self.run(project, self.kind.install())
    }

    /// An install that may not change the lockfile.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn install_frozen(&self, project: &Project) -> Output {
        self.run(project, self.kind.frozen())
    }

    /// Writes a program of the client's own name (`pnpm`, `yarn`, ...) that runs this client into a
    /// folder, for a `PATH` under test.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn link_into(&self, folder: &Path) {
        let name = match self.kind {
            Kind::Npm => "npm",
            Kind::Pnpm10 | Kind::Pnpm12 => "pnpm",
            Kind::Yarn1 | Kind::Yarn4 => "yarn",
            Kind::Bun => "bun",
        };
        let mut line = format!("exec '{}'", self.program.display());
        for argument in &self.leading {
            line.push_str(&format!(" '{}'", argument.display()));
        }
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{line} \"$@\"\n")).expect("a writable folder");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&file, mode).expect("a file just written");
    }

    /// The scrubbed environment that clients run with.
    pub fn environment(&self, project: &Project) -> BTreeMap<String, OsString> {
        let home = project.home();
        let node = self.node.parent().unwrap_or(Path::new("/usr/bin"));
        let mut path = node.as_os_str().to_owned();
        path.push(":/usr/bin:/bin");
        let mut variables: BTreeMap<String, OsString> = BTreeMap::new();
        let mut set = |name: &str, value: OsString| variables.insert(name.into(), value);
        set("PATH", path);
        set("HOME", home.clone().into());
        set("TMPDIR", env::temp_dir().into());
        set("LANG", "C.UTF-8".into());
        set("NO_COLOR", "1".into());
        set("XDG_CACHE_HOME", home.join(".cache").into());
        set("XDG_CONFIG_HOME", home.join(".config").into());
        set("XDG_DATA_HOME", home.join(".local/share").into());
        set("XDG_STATE_HOME", home.join(".local/state").into());
        set("npm_config_cache", home.join(".npm").into());
        set("npm_config_userconfig", home.join(".npmrc").into());
        set("npm_config_globalconfig", home.join("global-npmrc").into());
        set("npm_config_audit", "false".into());
        set("npm_config_fund", "false".into());
        set("npm_config_update_notifier", "false".into());
        set("YARN_CACHE_FOLDER", home.join(".yarn-cache").into());
        set("YARN_ENABLE_TELEMETRY", "0".into());
        set("YARN_ENABLE_COLORS", "0".into());
        set("YARN_GLOBAL_FOLDER", home.join(".yarn-global").into());
        set("BUN_INSTALL_CACHE_DIR", home.join(".bun-cache").into());
        set("DO_NOT_TRACK", "1".into());
        variables
    }
}

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// The client, or `None` after saying on standard error, past the harness's capture, that the test
/// is skipped and why.
pub fn or_skip(kind: Kind) -> Option<Client> {
    match Client::find(kind) {
        Ok(client) => Some(client),
        Err(unavailable) => {
            skip(&unavailable.to_string());
            None
        }
    }
}

/// Says that a test is skipped, where the harness cannot hide it, and counts it.
pub fn skip(reason: &str) {
    let count = SKIPPED.fetch_add(1, Ordering::SeqCst) + 1;
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    // One write on a line of its own, or the harness's progress would run through it.
    let line = format!("\nskipped: {name}: {reason} ({count} so far)\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// How many tests of this process were skipped.
pub fn skipped() -> usize {
    SKIPPED.load(Ordering::SeqCst)
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// One installation at a time in this process; between processes the final rename decides.
static INSTALLING: Mutex<()> = Mutex::new(());

/// The folder that holds a client, installed there first when it is missing.
fn install(name: &str, version: &str) -> Result<PathBuf, String> {
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients");
    let plain = name.trim_start_matches('@').replace('/', "-");
    let folder = clients.join(format!("{plain}-{version}"));
    if folder.is_dir() {
        return Ok(folder);
    }
    let staging = clients.join(format!("{plain}-{version}.{}.part", std::process::id()));
    fs::create_dir_all(&staging).map_err(|error| error.to_string())?;
    let result = npm_install(&staging, name, version).and_then(|()| {
        match fs::rename(&staging, &folder) {
            // Another process was faster.
            Err(_) if folder.is_dir() => Ok(()),
            other => other.map_err(|error| error.to_string()),
        }
    });
    let _ = fs::remove_dir_all(&staging);
    result.map(|()| folder)
}

/// Installs with the configuration of whoever runs the tests, since that is what reaches a registry.
fn npm_install(folder: &Path, name: &str, version: &str) -> Result<(), String> {
    let npm = on_path("npm").ok_or("no npm on PATH")?;
    let mut command = Command::new(npm);
    command
        .args(["install", "--no-save", "--ignore-scripts", "--no-audit"])
        .args([
            "--no-fund",
            "--loglevel=error",
            "--fetch-retries=1",
            "--prefix",
        ])
        .arg(folder)
        .arg(format!("{name}@{version}"))
        .current_dir(folder);
    let output = run(&mut command, PATIENCE).map_err(|error| error.to_string())?;
    if output.success() {
        return Ok(());
    }
    let text = output.text();
    let line = text.lines().find(|line| line.contains("npm error"));
    Err(line.unwrap_or("npm install failed").to_owned())
}

/// The program and its leading arguments.
fn entry(kind: Kind, folder: &Path, node: &Path) -> Result<(PathBuf, Vec<OsString>), String> {
    let modules = folder.join("node_modules");
    let script = match kind {
        Kind::Npm => return Err("npm is not installed here".into()),
        Kind::Pnpm10 => "pnpm/bin/pnpm.cjs",
        Kind::Yarn1 => "yarn/bin/yarn.js",
        Kind::Yarn4 => "@yarnpkg/cli-dist/bin/yarn.js",
        Kind::Pnpm12 => return native(&modules.join("@pnpm"), "pnpm"),
        Kind::Bun => return native(&modules.join("@oven"), "bin/bun"),
    };
    let script = modules.join(script);
    if script.is_file() {
        Ok((node.to_owned(), vec![script.into()]))
    } else {
        Err(format!("{} is missing", script.display()))
    }
}

/// The first platform package below `scope` whose program runs here.
fn native(scope: &Path, program: &str) -> Result<(PathBuf, Vec<OsString>), String> {
    let packages = fs::read_dir(scope).map_err(|_| "no build for this platform".to_owned())?;
    let mut programs: Vec<PathBuf> = packages
        .flatten()
        .map(|package| package.path().join(program))
        .filter(|program| program.is_file())
        .collect();
    programs.sort();
    programs
        .into_iter()
        .find(|program| {
            let mut command = Command::new(program);
            command.arg("--version");
            run(&mut command, Duration::from_secs(30)).is_ok_and(|output| output.success())
        })
        .map(|program| (program, Vec::new()))
        .ok_or_else(|| "no build that runs on this platform".into())
}

fn run(command: &mut Command, patience: Duration) -> std::io::Result<Output> {
    let start = Instant::now();
    let mut child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let code = wait(&mut child, start, patience)?;
    let collect = |reader: JoinHandle<String>| reader.join().unwrap_or_default();
    Ok(Output {
        stdout: collect(stdout),
        stderr: collect(stderr),
        code,
        elapsed: start.elapsed(),
    })
}

fn wait(child: &mut Child, start: Instant, patience: Duration) -> std::io::Result<Option<i32>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        if start.elapsed() >= patience {
            // Its whole group: scripts it started hold the pipes open.
            let _ = Command::new("kill")
                .args(["-KILL", "--", &format!("-{}", child.id())])
                .status();
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn drain(stream: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
