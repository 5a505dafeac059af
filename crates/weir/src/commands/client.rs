//! `weir npm …` and its siblings: one run of a client behind a gateway of its own.

mod ahead;
mod bypass;
mod hosts;
mod interrupts;
mod missed;
mod place;
mod start;

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{ExitCode, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::process::Command;
use weir_engine::{Engine, Late};
use weir_gateway::{Gateway, GatewayConfig, Running, Session, Summary};
use weir_model::Action;
use weir_npm::name::PackageName;
use weir_npm::npmrc::Npmrc;

use crate::cli::Global;
use crate::clients::{Client, Doing, Way, is_by_later_yarn, one_spelling};
use crate::lockfiles::classic::{self, Recorded};
use crate::{exit, lockfiles, print, progress, setup};
use hosts::Replaced;
use interrupts::Interrupts;
use place::Place;

/// How long analyses may go on after the client has ended.
const SETTLE: Duration = Duration::from_secs(120);

/// Runs a client through a gateway of its own.
pub(super) async fn run(
    global: &Global,
    client: Client,
    arguments: Vec<String>,
) -> Result<ExitCode> {
    // What it runs with is what was typed.
    let spelled = place::spelled_out(client, &arguments);
    if client.writes(&spelled) {
        return past_the_gateway(client, &arguments).await;
    }
    let said = client.said(&spelled);
    bypass::refuse_options(client, &spelled, &said)?;
    let place = Place::of(client, &said)?;
    let told = place.told(&said);
    let npmrc = told.npmrc(global)?;
    place.refuse_two_answers(&told, global, &npmrc)?;
    let scopes: Vec<String> = npmrc
        .scope_registries()
        .map(|(scope, _)| scope.to_owned())
        .collect();
    let doing = client.doing(&spelled);
    let asked = bypass::Asked {
        client,
        doing,
        arguments: &spelled,
        said: &said,
        place: &place,
        scopes: &scopes,
    };
    asked.refuse_bypass()?;
    let replaced = replaced(global, client, doing, &place, &spelled, &npmrc)?;
    let engine = setup::engine_by(global, &place.folder, &npmrc).await?;
    let session = Arc::new(Session::default());
    let weir = setup::called_again(global);
    let running = open(&engine, &session, &weir).await?;
    let gateway = running.url();
    let way = Way {
        gateway: &gateway,
        scopes: &scopes,
        replaced: &replaced.host,
        direct: direct(&npmrc),
        is_proxied: npmrc.proxy().or(npmrc.https_proxy()).is_some(),
        by_later_yarn: is_by_later_yarn(&place.project),
    };
    // Before the client runs: a signal in between would end weir and leave the client behind.
    let mut interrupts = Interrupts::listen().context("listening for signals")?;
    // A command that reads no lockfile left that as it was.
    let led_past = doing == Doing::Beside || !client.bypassing(&place.project, doing).is_empty();
    let recorded = if client.is_pointed(doing) {
        classic::point(&place.project, &gateway)?
    } else {
        Recorded::new()
    };
    let before = missed::Before::of(client, &place.project);
    let started = Instant::now();
    let asked = ahead::Asked {
        client,
        arguments: arguments.clone(),
        folder: place.folder.clone(),
        project: place.project.clone(),
        npmrc: npmrc.clone(),
    };
    // The lockfile is read while the client starts, and nobody waits for it.
    let ahead = engine.look_ahead(move || asked.releases());
    let status = run_client(client, &arguments, &way, &mut interrupts).await;
    drop(ahead);
    let took = started.elapsed();
    let after = After {
        client,
        recorded: &recorded,
        led_past,
        engine: &engine,
        session: &session,
        project: &place.project,
        gateway: &gateway,
    };
    let (unread, restored) = after.see_to_it(&mut interrupts).await;
    let summary = session.summary();
    let failed = !status.as_ref().is_ok_and(ExitStatus::success);
    // Nobody asked for anything: the client could not be started, or said something of itself.
    let is_idle = status.is_err() || doing == Doing::Says;
    if !(is_idle && summary.is_empty()) {
        let run = print::Ran {
            took,
            observes: engine.observes(),
            failed,
            weir: &weir,
        };
        anstream::eprint!("{}", print::summary(&summary, &unread, &run));
    }
    let missed = before.missed(&engine, &summary).await;
    missed.tell(client, &replaced.by_address, engine.observes(), &weir);
    if restored.is_some() {
        let stop = running.stop(Duration::from_secs(5));
        interrupts.while_closing(stop).await;
    }
    restored.transpose()?;
    if let Some(code) = interrupts.code() {
        return Ok(code);
    }
    let worst = worst_served(&summary).max(missed.worst());
    Ok(verdict_code(status?, worst, engine.observes()))
}

/// The host that npm is to replace by the gateway. Other clients know no such setting, and hand it to an npm inside a
/// script of which nothing is known.
fn replaced(
    global: &Global,
    client: Client,
    doing: Doing,
    place: &Place,
    arguments: &[String],
    npmrc: &Npmrc,
) -> Result<Replaced> {
    if !client.is_npm() || doing == Doing::Says {
        return Ok(Replaced::all());
    }
    let folders = [place.project.as_path(), place.folder.as_path()];
    let several = place.folder != place.project;
    let folders = folders.get(..1 + usize::from(several)).unwrap_or_default();
    let upstream = global.upstream.clone().or_else(|| npmrc.registry());
    let replaced = Replaced::of(folders, arguments, &upstream.unwrap_or_default());
    if doing == Doing::Runs {
        // What is run may fetch nothing at all.
        return Ok(Replaced {
            by_address: BTreeMap::new(),
            ..replaced.unwrap_or_else(|_| Replaced::all())
        });
    }
    let replaced = replaced?;
    replaced.tell();
    Ok(replaced)
}

/// Opens the gateway of one run.
async fn open(engine: &Arc<Engine>, session: &Arc<Session>, weir: &str) -> Result<Running> {
    let config = GatewayConfig {
        public_url: None,
        // Clients are pointed at its address.
        own_names: Vec::new(),
        // Over loopback, compressing and decompressing cost more than copying.
        compress: false,
        cache_bytes: engine.policy().cache.memory.bytes() / 2,
        explain_by_command: Some(format!("{weir} explain")),
    };
    Gateway::new(Arc::clone(engine), config, Some(Arc::clone(session)))
        .listen(&addresses(engine))
        .await
        .context("opening a port on loopback")
}

/// The first port of the gateways of single runs: above those of most services, below those that the system gives out.
const FIRST_PORT: u16 = 20_000;
/// How many there are.
const PORTS: u16 = 8_000;
/// How many are tried, for runs side by side and within each other.
const TRIED: u16 = 4;

/// Where the gateway of a run may listen, best first. Clients keep packuments by the address that they come from, and
/// npm and pnpm never clear them away: with another port each time, their caches would grow by all packuments of a
/// project with every run, and hold nothing that is found again. What two registries have under one name is to be kept
/// apart, and so are data folders.
fn addresses(engine: &Engine) -> Vec<SocketAddr> {
    let upstreams = engine.upstreams();
    let mut hasher = DefaultHasher::new();
    engine.store().folder().hash(&mut hasher);
    upstreams.default_upstream().id().hash(&mut hasher);
    for (scope, upstream) in upstreams.scopes() {
        (scope, upstream.id()).hash(&mut hasher);
    }
    let start = u16::try_from(hasher.finish() % u64::from(PORTS)).unwrap_or_default();
    let ports = (0..TRIED).map(|next| FIRST_PORT + (start + next) % PORTS);
    let ports = ports.chain([0]);
    ports
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .collect()
}

/// Runs a client for what concerns an account or what is published, which is for the registry itself.
async fn past_the_gateway(client: Client, arguments: &[String]) -> Result<ExitCode> {
    anstream::eprintln!(
        "weir: this is about an account or what is published, and for the registry itself: running {} without the gateway",
        client.program()
    );
    let mut child = start::start(client, Command::new(client.program()).args(arguments))?;
    let status = child.wait().await.context("waiting for the client")?;
    Ok(code_of(status))
}

/// The strictest decision on what was served.
fn worst_served(summary: &Summary) -> Option<Action> {
    let served = summary.seen.values().filter(|seen| seen.served);
    served.map(|seen| seen.action).max()
}

/// The client's own exit code; not zero if it was content with a release that may not pass.
fn verdict_code(status: ExitStatus, worst: Option<Action>, observes: bool) -> ExitCode {
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
    command.args(client.leading(way, arguments)).args(arguments);
    let set = client.environment(way);
    // Of two spellings of one setting, which one counts depends on their order.
    let is_set = |name: &str| {
        set.iter()
            .any(|(it, _)| one_spelling(it) == one_spelling(name))
            || Client::TAKEN.contains(&one_spelling(name).as_str())
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
    let mut child = start::start(client, &mut command)?;
    interrupts
        .forward(&mut child)
        .await
        .context("waiting for the client")
}

/// What is left to do when the client has ended.
struct After<'a> {
    client: Client,
    /// The addresses that yarn's lockfile had before the run.
    recorded: &'a Recorded,
    /// Whether the lockfile led past weir before the run.
    led_past: bool,
    engine: &'a Engine,
    session: &'a Session,
    project: &'a Path,
    gateway: &'a str,
}

impl After<'_> {
    /// Waits for what is still being read, until a signal says that nobody does, and puts lockfiles right, which
    /// a second signal ends: what could not be read, and whether the lockfiles are right.
    async fn see_to_it(&self, interrupts: &mut Interrupts) -> (Vec<String>, Option<Result<()>>) {
        // At once, as whoever cannot wait ends weir now. What fails here is told of when the rest is put right.
        let _ = classic::put_back(self.project, self.gateway, self.recorded);
        let settled = interrupts
            .until_first(settle(self.engine, self.session))
            .await;
        let unread =
            settled.unwrap_or_else(|| late(self.engine, self.session, Some("when weir was ended")));
        let restore = restore_lockfiles(self.engine, self.project, self.gateway, self.recorded);
        let restored = interrupts.until_second(restore).await;
        self.foretell();
        (unread, restored)
    }

    /// Says it now if the lockfile as it was just written stops the next run.
    fn foretell(&self) {
        if self.led_past {
            return;
        }
        for past in self.client.bypassing(self.project, Doing::Installs) {
            anstream::eprintln!(
                "weir: {}: the next `weir {} install` stops at that. {}",
                past.says(self.client),
                self.client.program(),
                past.todo(self.client)
            );
        }
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
    // What broke off may have been asked for once more, and read then.
    let mut open = BTreeMap::new();
    for late in engine.take_late() {
        match late {
            Late::Settled(verdict) => {
                let release = &verdict.assessment.release;
                open.remove(&(release.name.clone(), release.version.clone()));
                session.settled(&verdict);
            }
            Late::Unsettled(name, version, why) => {
                open.insert((name, version), why);
            }
        }
    }
    let open = open.into_iter();
    unread.extend(open.map(|((name, version), why)| format!("{name}@{version}: {why}")));
    unread
}

async fn restore_lockfiles(
    engine: &Engine,
    project: &Path,
    gateway: &str,
    recorded: &Recorded,
) -> Result<()> {
    for (file, text) in lockfiles::mentioning(project, gateway) {
        let text = match text {
            Ok(text) => text,
            Err(error) => {
                anstream::eprintln!("{}", lockfiles::not_read(&file, &error, gateway));
                continue;
            }
        };
        let mut origins = HashMap::new();
        let mut recorded = recorded.clone();
        for name in lockfiles::packages(&text, gateway) {
            match public(engine, name).await {
                Some(Public::Below(origin)) => {
                    origins.insert(name.to_owned(), origin);
                }
                Some(Public::Each(addresses)) => recorded.extend(addresses),
                None => {}
            }
        }
        let short = lockfiles::shortened(&file, &text, gateway, &origins);
        let restored = lockfiles::restore(&short, gateway, &origins, &recorded);
        if let Some(warning) = lockfiles::not_placed(&file, &restored, gateway) {
            anstream::eprintln!("{warning}");
        }
        if restored != text {
            lockfiles::replace(&file, &restored)?;
        }
    }
    Ok(())
}

/// Where a package's tarballs are public.
enum Public {
    /// All below one address, as nearly everywhere.
    Below(String),
    /// Each at its own, by its path at the gateway.
    Each(Recorded),
}

/// Where the upstream itself says that a package's tarballs are.
async fn public(engine: &Engine, name: &str) -> Option<Public> {
    let name = PackageName::parse(name).ok()?;
    let held = engine.packument(&name).await.ok()?;
    let below = held.packument.public_hosts().into_iter().next();
    Some(below.map_or_else(
        || Public::Each(held.packument.tarball_addresses().collect()),
        Public::Below,
    ))
}
