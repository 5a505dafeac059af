//! `weir npm …` and its siblings: one run of a client behind a gateway of its own.

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

use crate::cli::Global;
use crate::clients::Client;
use crate::{exit, lockfiles, print, progress, setup};

/// How long analyses may go on after the client has ended.
const SETTLE: Duration = Duration::from_secs(120);

/// Runs a client through a gateway of its own.
pub(super) async fn run(
    global: &Global,
    client: Client,
    arguments: Vec<String>,
) -> Result<ExitCode> {
    if client.writes(&arguments) {
        anstream::eprintln!(
            "weir: this writes to the registry: running {} without the gateway",
            client.program()
        );
        let status = command(client, &arguments)
            .status()
            .await
            .with_context(|| missing(client))?;
        return Ok(code_of(status));
    }
    if Client::names_registry(&arguments) {
        bail!(
            "a registry on the command line would go past weir: give it to weir itself, as --upstream <URL>"
        );
    }
    let project = project_folder(&arguments)?;
    refuse_bypass(client, &project)?;
    let engine = setup::engine(global).await?;
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
    let started = Instant::now();
    let status = run_client(&engine, client, &arguments, &gateway).await;
    let took = started.elapsed();
    let unread = settle(&engine, &session).await;
    let restored = restore_lockfiles(&engine, &project, &gateway).await;
    let summary = session.summary();
    let failed = !status.as_ref().is_ok_and(ExitStatus::success);
    anstream::eprint!(
        "{}",
        print::summary(&summary, &unread, took, engine.observes(), failed)
    );
    running.stop(Duration::from_secs(5)).await;
    restored?;
    Ok(verdict_code(status?, &summary, engine.observes()))
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
        // As shells report it.
        return ExitCode::from(u8::try_from(128 + signal).unwrap_or(exit::FAILED));
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

fn command(client: Client, arguments: &[String]) -> Command {
    let mut command = Command::new(client.program());
    command.args(arguments);
    command
}

/// The folder whose lockfiles the client works on: `--prefix`, `-C`, `--dir` or `--cwd` where
/// given, else the nearest folder upward with a `package.json`.
fn project_folder(arguments: &[String]) -> Result<PathBuf> {
    let here = std::env::current_dir().context("finding the current folder")?;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        for option in ["--prefix", "--dir", "--cwd", "-C"] {
            if word == option
                && let Some(value) = words.next()
            {
                return Ok(weir_upstream::project_root(&here.join(value)));
            }
            if let Some(value) = word
                .strip_prefix(option)
                .and_then(|rest| rest.strip_prefix('='))
            {
                return Ok(weir_upstream::project_root(&here.join(value)));
            }
        }
    }
    Ok(weir_upstream::project_root(&here))
}

/// yarn classic and bun fetch the addresses in their lockfile as they are, past the gateway.
fn refuse_bypass(client: Client, project: &Path) -> Result<()> {
    let berry = client == Client::Yarn && project.join(".yarnrc.yml").is_file();
    let Some((file, count)) = client.bypassing(project).filter(|_| !berry) else {
        return Ok(());
    };
    if std::env::var_os("WEIR_ALLOW_BYPASS").is_some_and(|value| value == "1") {
        anstream::eprintln!(
            "weir: NOT CHECKED: {count} entries of {file} name an address of their own, which {} \
             fetches past weir",
            client.program()
        );
        return Ok(());
    }
    bail!(
        "{count} entries of {file} name the registry they came from, and {} fetches them from there, \
         past weir. Remove those addresses from {file} (the integrity values stay), or set \
         WEIR_ALLOW_BYPASS=1 to go on with these entries unchecked",
        client.program()
    )
}

async fn run_client(
    engine: &Engine,
    client: Client,
    arguments: &[String],
    gateway: &str,
) -> Result<ExitStatus> {
    let scopes: Vec<String> = engine
        .upstreams()
        .scopes()
        .map(|(scope, _)| scope.to_owned())
        .collect();
    let mut command = command(client, arguments);
    command.envs(client.environment(gateway, &scopes));
    for name in ["NO_PROXY", "no_proxy"] {
        command.env(name, Client::no_proxy(std::env::var(name).ok().as_deref()));
    }
    // Before the client runs: a signal in between would end weir and leave the client behind.
    let signals = Signals::listen().context("listening for signals")?;
    let mut child = command.spawn().with_context(|| missing(client))?;
    wait_forwarding_signals(&mut child, signals)
        .await
        .context("waiting for the client")
}

/// The signals that are passed on to the client.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }
}

/// Waits for the client. Signals sent to weir go to the client; weir ends when the client has.
#[cfg(unix)]
async fn wait_forwarding_signals(
    child: &mut tokio::process::Child,
    mut signals: Signals,
) -> std::io::Result<ExitStatus> {
    use std::io::IsTerminal as _;
    // At a terminal, Ctrl-C reaches the client by itself.
    let at_terminal = std::io::stdin().is_terminal();
    loop {
        let forwarded = tokio::select! {
            status = child.wait() => return status,
            _ = signals.interrupt.recv() => (!at_terminal).then_some(libc::SIGINT),
            _ = signals.terminate.recv() => Some(libc::SIGTERM),
            _ = signals.hangup.recv() => Some(libc::SIGHUP),
        };
        if let (Some(signal), Some(id)) = (forwarded, child.id())
            && let Ok(id) = libc::pid_t::try_from(id)
        {
            send_signal(id, signal);
        }
    }
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "kill has no safe form in std")]
fn send_signal(process: libc::pid_t, signal: libc::c_int) {
    // SAFETY: plain integers, and the process is our own child that was not waited for yet.
    let _ = unsafe { libc::kill(process, signal) };
}

#[cfg(not(unix))]
async fn wait_forwarding_signals(
    child: &mut tokio::process::Child,
    _signals: Signals,
) -> std::io::Result<ExitStatus> {
    child.wait().await
}

/// Waits until the contents of everything that was served have been read. What could not be read is
/// returned.
async fn settle(engine: &Engine, session: &Session) -> Vec<String> {
    let spinner = progress::spinner("weir: reading what was served");
    let finished = engine.finish_analyses(SETTLE).await;
    spinner.finish_and_clear();
    let mut unread = Vec::new();
    if !finished {
        unread.push(format!(
            "{} analyses were not finished after {} s",
            engine.analyses_under_way(),
            SETTLE.as_secs()
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
