//! `weir npm …` and its siblings: one run of a client behind a gateway of its own.

mod interrupts;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;
use weir_engine::{Engine, Late};
use weir_gateway::{Gateway, GatewayConfig, Session, Summary};
use weir_npm::name::PackageName;
use weir_npm::npmrc::Npmrc;

use crate::cli::Global;
use crate::clients::{Around, Client, Past, Said, Way, is_by_shell, one_spelling};
use crate::{exit, lockfiles, print, progress, setup};
use interrupts::Interrupts;

/// How long analyses may go on after the client has ended.
const SETTLE: Duration = Duration::from_secs(120);

/// Runs a client through a gateway of its own.
pub(super) async fn run(
    global: &Global,
    client: Client,
    arguments: Vec<String>,
) -> Result<ExitCode> {
    if client.writes(&arguments) {
        return past_the_gateway(client, &arguments).await;
    }
    let said = client.said(&arguments);
    refuse_options(&arguments, &said)?;
    let place = Place::of(client, &said)?;
    let npmrc = place.told(client, &said).npmrc(global)?;
    let scopes: Vec<String> = npmrc
        .scope_registries()
        .map(|(scope, _)| scope.to_owned())
        .collect();
    refuse_bypass(client, &place, &said, &scopes)?;
    let engine = setup::engine_by(global, &place.folder, &npmrc).await?;
    let session = Arc::new(Session::default());
    let config = GatewayConfig {
        public_url: None,
        // Over loopback, compressing and decompressing cost more than copying.
        compress: false,
        cache_bytes: engine.policy().cache.memory.bytes() / 2,
        explain_by_command: true,
    };
    let running = Gateway::new(Arc::clone(&engine), config, Some(Arc::clone(&session)))
        .listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .await
        .context("opening a port on loopback")?;
    let gateway = running.url();
    let way = Way {
        gateway: &gateway,
        scopes: &scopes,
        direct: direct(&npmrc),
        is_proxied: npmrc.proxy().or(npmrc.https_proxy()).is_some(),
    };
    // Before the client runs: a signal in between would end weir and leave the client behind.
    let mut interrupts = Interrupts::listen().context("listening for signals")?;
    let started = Instant::now();
    let status = run_client(client, &arguments, &way, &mut interrupts).await;
    let took = started.elapsed();
    let after = After {
        engine: &engine,
        session: &session,
        project: &place.project,
        gateway: &gateway,
    };
    let (unread, restored) = after.see_to_it(&mut interrupts).await;
    let summary = session.summary();
    let failed = !status.as_ref().is_ok_and(ExitStatus::success);
    anstream::eprint!(
        "{}",
        print::summary(&summary, &unread, took, engine.observes(), failed)
    );
    if restored.is_some() {
        let stop = running.stop(Duration::from_secs(5));
        interrupts.while_closing(stop).await;
    }
    restored.transpose()?;
    if let Some(code) = interrupts.code() {
        return Ok(code);
    }
    Ok(verdict_code(status?, &summary, engine.observes()))
}

/// Runs a client that writes to the registry, which is for the registry itself.
async fn past_the_gateway(client: Client, arguments: &[String]) -> Result<ExitCode> {
    anstream::eprintln!(
        "weir: this writes to the registry: running {} without the gateway",
        client.program()
    );
    let status = Command::new(client.program())
        .args(arguments)
        .status()
        .await
        .with_context(|| missing(client))?;
    Ok(code_of(status))
}

/// The client's own exit code; not zero if it was content with a release that may not pass.
fn verdict_code(status: ExitStatus, summary: &Summary, observes: bool) -> ExitCode {
    let worst = summary
        .seen
        .values()
        .filter(|seen| seen.served)
        .map(|seen| seen.action)
        .max();
    match worst {
        Some(action) if status.success() && !observes && !action.serves() => {
            ExitCode::from(exit::for_action(action))
        }
        _ => code_of(status),
    }
}

fn code_of(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return interrupts::of_signal(signal);
    }
    ExitCode::from(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(exit::FAILED),
    )
}

fn missing(client: Client) -> String {
    format!(
        "starting {0} (is {0} installed and on the PATH?)",
        client.program()
    )
}

/// Refuses options that lead past weir, or to settings that weir would not read as the client does.
fn refuse_options(arguments: &[String], said: &Said) -> Result<()> {
    if Client::names_registry(arguments) {
        bail!(
            "a registry on the command line would go past weir: give it to weir itself, as --upstream <URL>"
        );
    }
    if let Some(option) = &said.unread {
        bail!(
            "{option} names a file of settings, and what it says of registries would go past weir: set \
             npm_config_userconfig in its place, which weir reads too"
        );
    }
    Ok(())
}

/// Where a client works.
struct Place {
    /// The folder it works in: `--prefix`, `-C`, `--dir` or `--cwd` where given, else the current one.
    folder: PathBuf,
    /// The folder whose lockfile and settings count: the root of workspaces, or the nearest upward with a
    /// `package.json`.
    project: PathBuf,
    /// Whether npm was told the folder, and looks for no other.
    exactly: bool,
}

impl Place {
    fn of(client: Client, said: &Said) -> Result<Self> {
        let mut folder = std::env::current_dir().context("finding the current folder")?;
        if let Some(given) = &said.folder {
            let home = std::env::var_os("HOME").filter(|_| client.is_npm());
            folder = match (given.strip_prefix("~/"), home) {
                (Some(inner), Some(home)) => Path::new(&home).join(inner),
                _ => folder.join(given),
            };
            // Upward of `a/../b` is not `a`.
            folder = folder.canonicalize().unwrap_or(folder);
        }
        let exactly = client.is_npm() && said.folder.is_some();
        let of_pnpm = || {
            let mut upward = folder.ancestors();
            upward.find(|upper| upper.join("pnpm-workspace.yaml").is_file())
        };
        let project = match client {
            _ if exactly => folder.clone(),
            Client::Pnpm => {
                of_pnpm().map_or_else(|| weir_upstream::project_root(&folder), Path::to_owned)
            }
            _ => weir_upstream::project_root(&folder),
        };
        Ok(Self {
            folder,
            project,
            exactly,
        })
    }

    fn told(&self, client: Client, said: &Said) -> setup::Told {
        // pnpm's workspaces are nothing that npm would look for upward.
        let folder = match client {
            Client::Pnpm => &self.project,
            _ => &self.folder,
        };
        setup::Told {
            folder: folder.clone(),
            exactly: self.exactly,
            settings: said.settings.clone(),
        }
    }
}

/// Some clients fetch the addresses in their lockfile as they are, and ask registries that only their own
/// settings name: past the gateway, and nobody would hear of it.
fn refuse_bypass(client: Client, place: &Place, said: &Said, known: &[String]) -> Result<()> {
    let variable = |name| {
        let value = std::env::var_os(name).filter(|value: &std::ffi::OsString| !value.is_empty());
        value.map(PathBuf::from)
    };
    let home = variable("HOME");
    let config = variable("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
    let bunfig = said.bunfig.as_ref().map(|file| place.folder.join(file));
    let yarnrc_yml = std::env::var("YARN_RC_FILENAME").unwrap_or_else(|_| ".yarnrc.yml".to_owned());
    let around = Around {
        folder: &place.folder,
        project: &place.project,
        home: home.as_deref(),
        config: config.as_deref(),
        bunfig: bunfig.as_deref(),
        yarnrc_yml: &yarnrc_yml,
        known,
        by_shell: is_by_shell(client.program()),
    };
    let mut past: Vec<Past> = client.bypassing(&place.project).into_iter().collect();
    past.extend(client.past_settings(&around));
    let Some(first) = past.first() else {
        return Ok(());
    };
    if std::env::var_os("WEIR_ALLOW_BYPASS").is_some_and(|value| value == "1") {
        for past in &past {
            anstream::eprintln!("weir: NOT CHECKED: {}, past weir", past.says(client));
        }
        return Ok(());
    }
    let all: Vec<String> = past.iter().map(|past| past.says(client)).collect();
    bail!(
        "{}, past weir. {}, or set WEIR_ALLOW_BYPASS=1 to go on with these unchecked",
        all.join("; "),
        first.todo(client)
    )
}

/// The hosts that a client reaches without a proxy: those of the settings, or of the environment if they name
/// none, and the gateway's.
fn direct(npmrc: &Npmrc) -> String {
    let configured = npmrc.noproxy();
    if !configured.is_empty() {
        return Client::no_proxy(Some(&configured.join(",")));
    }
    let of_environment = ["NO_PROXY", "no_proxy"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    Client::no_proxy(of_environment.as_deref())
}

async fn run_client(
    client: Client,
    arguments: &[String],
    way: &Way<'_>,
    interrupts: &mut Interrupts,
) -> Result<ExitStatus> {
    let mut command = Command::new(client.program());
    command.args(client.leading(way)).args(arguments);
    let set = client.environment(way);
    // Of two spellings of one setting, which one counts depends on their order.
    let is_set = |name: &str| {
        set.iter()
            .any(|(it, _)| one_spelling(it) == one_spelling(name))
    };
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_set) {
            command.env_remove(&name);
        }
    }
    command.envs(set);
    for name in ["NO_PROXY", "no_proxy"] {
        command.env(name, Client::no_proxy(std::env::var(name).ok().as_deref()));
    }
    let mut child = command.spawn().with_context(|| missing(client))?;
    interrupts
        .forward(&mut child)
        .await
        .context("waiting for the client")
}

/// What is left to do when the client has ended.
struct After<'a> {
    engine: &'a Engine,
    session: &'a Session,
    project: &'a Path,
    gateway: &'a str,
}

impl After<'_> {
    /// Waits for what is still being read, until a signal says that nobody does, and puts lockfiles right, which
    /// a second signal ends: what could not be read, and whether the lockfiles are right.
    async fn see_to_it(&self, interrupts: &mut Interrupts) -> (Vec<String>, Option<Result<()>>) {
        let settled = interrupts
            .until_first(settle(self.engine, self.session))
            .await;
        let unread =
            settled.unwrap_or_else(|| late(self.engine, self.session, Some("when weir was ended")));
        let restore = restore_lockfiles(self.engine, self.project, self.gateway);
        (unread, interrupts.until_second(restore).await)
    }
}

/// Waits until the contents of everything that was served have been read. What could not be read is
/// returned.
async fn settle(engine: &Engine, session: &Session) -> Vec<String> {
    let spinner = progress::spinner("weir: reading what was served");
    let finished = engine.finish_analyses(SETTLE).await;
    spinner.finish_and_clear();
    let when = format!("after {} s", SETTLE.as_secs());
    late(engine, session, (!finished).then_some(when.as_str()))
}

/// Takes what was decided after the client had its bytes. `unfinished` says when analyses were given up.
fn late(engine: &Engine, session: &Session, unfinished: Option<&str>) -> Vec<String> {
    let mut unread = Vec::new();
    if let Some(when) = unfinished {
        unread.push(format!(
            "{} analyses were not finished {when}",
            engine.analyses_under_way()
        ));
    }
    for late in engine.take_late() {
        match late {
            Late::Settled(verdict) => session.settled(&verdict),
            Late::Unsettled(name, version, why) => unread.push(format!("{name}@{version}: {why}")),
        }
    }
    unread
}

async fn restore_lockfiles(engine: &Engine, project: &Path, gateway: &str) -> Result<()> {
    for (file, text) in lockfiles::mentioning(project, gateway) {
        let text = match text {
            Ok(text) => text,
            Err(error) => {
                anstream::eprintln!("{}", lockfiles::not_read(&file, &error, gateway));
                continue;
            }
        };
        let mut origins = HashMap::new();
        for name in lockfiles::packages(&text, gateway) {
            if let Some(origin) = public_origin(engine, name).await {
                origins.insert(name.to_owned(), origin);
            }
        }
        let restored = lockfiles::restore(&text, gateway, &origins);
        if let Some(warning) = lockfiles::not_placed(&file, &restored, gateway) {
            anstream::eprintln!("{warning}");
        }
        if restored != text {
            lockfiles::replace(&file, &restored)?;
        }
    }
    Ok(())
}

/// Where the upstream itself says that a package's tarballs are.
async fn public_origin(engine: &Engine, name: &str) -> Option<String> {
    let name = PackageName::parse(name).ok()?;
    let held = engine.packument(&name).await.ok()?;
    held.packument.public_hosts().into_iter().next()
}
