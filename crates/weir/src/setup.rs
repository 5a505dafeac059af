//! From options, files and environment to an engine.

mod npms;
mod told;

pub(crate) use told::Told;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use weir_engine::trust::TrustSources;
use weir_engine::worker::WorkerProgram;
use weir_engine::{Clock, Engine, EngineConfig};
use weir_model::ordinary::what_else;
use weir_npm::npmrc::Npmrc;
use weir_policy::Policy;
use weir_store::Store;
use weir_upstream::{
    Elsewhere, Environment, Files, Guard, Options, OwnRegistry, UpstreamError, Upstreams,
    load_npmrc, load_npmrc_guarded,
};

use crate::cli::Global;
use crate::trust_root;

/// How a policy file is called.
pub(crate) const POLICY: &str = "weir.toml";

/// What is logged unless something else is asked for. A slow statement is none of the user's business.
const LOGGED: &str = "warn,sqlx=error";

/// Starts logging to standard error, which clients' own output is not mixed into.
pub(crate) fn logging(global: &Global) {
    let filter = global.log.clone().unwrap_or_else(|| LOGGED.to_owned());
    let filter = tracing_subscriber::EnvFilter::try_new(&filter).unwrap_or_else(|error| {
        anstream::eprintln!(
            "weir: the log filter {filter:?} is not valid ({error}); using {LOGGED}"
        );
        tracing_subscriber::EnvFilter::new(LOGGED)
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// The moment that counts as now. One that is given is asked about, unless a gateway works by it.
pub(crate) fn clock(global: &Global) -> Clock {
    match global.now {
        None => Clock::system(),
        Some(moment) if global.as_it_happens => Clock::standing(moment),
        Some(moment) => Clock::asked(moment),
    }
}

/// The data folder: `--data`, or the platform's place for data.
pub(crate) fn data_folder(global: &Global) -> Result<PathBuf> {
    if let Some(folder) = &global.data {
        return Ok(folder.clone());
    }
    let from = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    if let Some(data) = from("XDG_DATA_HOME") {
        return Ok(data.join("weir"));
    }
    if cfg!(windows)
        && let Some(data) = from("LOCALAPPDATA")
    {
        return Ok(data.join("weir"));
    }
    let home = from("HOME").context("no data folder: set --data, WEIR_DATA or HOME")?;
    let data = if cfg!(target_os = "macos") {
        home.join("Library/Application Support/weir")
    } else {
        home.join(".local/share/weir")
    };
    Ok(data)
}

/// Opens the data folder.
pub(crate) async fn store(global: &Global) -> Result<Store> {
    let folder = data_folder(global)?;
    if folder.metadata().is_ok_and(|it| !it.is_dir()) {
        bail!(
            "opening the data folder {}: it is a file: --data, or WEIR_DATA, names a folder",
            folder.display()
        );
    }
    Store::open(&folder)
        .await
        .with_context(|| format!("opening the data folder {}", folder.display()))
}

/// The policy file in force here: `--policy`, the nearest `weir.toml` upward, or the user's own.
pub(crate) fn policy_file(global: &Global) -> Result<Option<PathBuf>> {
    policy_file_of(global, Path::new("."))
}

/// The policy file in force for a project's folder, upward from there.
pub(crate) fn policy_file_of(global: &Global, folder: &Path) -> Result<Option<PathBuf>> {
    if let Some(file) = &global.policy {
        if !is_policy(file)? {
            bail!("the policy file {} does not exist", file.display());
        }
        return Ok(Some(file.clone()));
    }
    let nearest = nearest_policy(&whole(folder)?)?;
    if nearest.is_some() {
        return Ok(nearest);
    }
    let config = std::env::var_os("XDG_CONFIG_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".config")));
    let Some(config) = config else {
        return Ok(None);
    };
    let file = config.join("weir/weir.toml");
    Ok(is_policy(&file)?.then_some(file))
}

fn nearest_policy(folder: &Path) -> Result<Option<PathBuf>> {
    for above in folder.ancestors() {
        let file = above.join(POLICY);
        if is_policy(&file)? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Whether a place holds a policy file.
///
/// # Errors
/// When something else is there: somebody meant a policy, and another one or none would be in force.
fn is_policy(file: &Path) -> Result<bool> {
    // Nothing there, or in a folder that may not be looked into.
    if file.symlink_metadata().is_err() {
        return Ok(false);
    }
    let found = file
        .metadata()
        .with_context(|| format!("the policy {} is a link that leads nowhere", file.display()))?;
    if let Some(what) = what_else(found.file_type()) {
        bail!(
            "the policy {} is {what}, not an ordinary file",
            file.display()
        );
    }
    Ok(true)
}

/// A folder's whole path, without links and without `..`, which would lead upward through what it steps
/// out of. One that is not there has the path it was given.
fn whole(folder: &Path) -> Result<PathBuf> {
    if folder.as_os_str().is_empty() || folder == Path::new(".") {
        return std::env::current_dir().context("finding the current folder");
    }
    let given = std::path::absolute(folder)
        .with_context(|| format!("finding the folder {}", folder.display()))?;
    Ok(given.canonicalize().unwrap_or(given))
}

/// Reads the policy in force here.
pub(crate) fn policy(global: &Global) -> Result<Policy> {
    policy_of(global, Path::new("."))
}

/// Reads the policy in force for a project's folder.
pub(crate) fn policy_of(global: &Global, folder: &Path) -> Result<Policy> {
    match policy_file_of(global, folder)? {
        None => Ok(Policy::default()),
        Some(file) => read_policy(&file),
    }
}

/// Reads one policy file.
pub(crate) fn read_policy(file: &Path) -> Result<Policy> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let signals: Vec<&str> = weir_signals::CATALOGUE
        .iter()
        .map(|signal| signal.id)
        .collect();
    let name = file.display().to_string();
    let policy = Policy::loader()
        .signals(signals.iter().copied())
        .file(&name, &text)
        .load()?;
    Ok(policy)
}

/// What is trusted besides what comes with weir: the root that `--trusted-root` names, else the one that
/// `weir trust-root refresh` kept; and the copies of registries' keys that came with it.
pub(crate) fn trust(global: &Global) -> Result<TrustSources> {
    let data = data_folder(global)?;
    let kept = trust_root::Kept::read(&data)?;
    let (root, place) = match &global.trusted_root {
        Some(file) => {
            let root = trust_root::text_of(file).context("finding the trusted root")?;
            let root =
                root.with_context(|| format!("--trusted-root: there is no {}", file.display()))?;
            (Some(root), file.display().to_string())
        }
        None => {
            let file = trust_root::file(&data);
            let place = format!(
                "{} (`weir trust-root refresh` writes it anew)",
                file.display()
            );
            (kept.root, place)
        }
    };
    Ok(TrustSources {
        root,
        keys: kept.keys,
        place,
    })
}

/// The registries behind, as npm would know them here, ready to be asked.
pub(crate) fn upstreams(global: &Global, policy: &Policy) -> Result<Upstreams> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    let upstreams = upstreams_of(global, policy, &folder)?;
    prepared(upstreams)
}

/// Registries whose certificate authorities and proxies can be used.
fn prepared(upstreams: Upstreams) -> Result<Upstreams> {
    upstreams
        .prepare()
        .context("setting up the way to the registry behind weir")?;
    Ok(upstreams)
}

/// The registries behind, as npm would know them in a folder. How they are reached is read with the first
/// request.
pub(crate) fn upstreams_of(global: &Global, policy: &Policy, folder: &Path) -> Result<Upstreams> {
    let npmrc = load_npmrc(folder, &Environment::of_process(), command_line(global))
        .context("reading the npm configuration")?;
    upstreams_by(global, policy, &npmrc)
}

/// The registries behind, as npm would know them in a project whose own `.npmrc` may be a stranger's: variables of
/// the environment are put only into what somebody else vouches for. `base` is the text of that file before a
/// change.
pub(crate) fn upstreams_of_project(
    global: &Global,
    policy: &Policy,
    folder: &Path,
    base: Option<&str>,
) -> Result<Upstreams> {
    let npmrc = project_npmrc(global, folder, base).context("reading the npm configuration")?;
    warn_of_ignored(&npmrc);
    upstreams_by(global, policy, &npmrc)
}

/// Says once which settings of a project do not count.
fn warn_of_ignored(npmrc: &Npmrc) {
    static SAID: std::sync::Once = std::sync::Once::new();
    if let Some(ignored) = npmrc.why_ignored() {
        SAID.call_once(|| anstream::eprintln!("weir: {ignored}"));
    }
}

/// The settings of a project's own `.npmrc` that do not count: by which way registries are reached, and who is
/// believed to be one. With the file they are in.
pub(crate) fn ignored_settings(
    global: &Global,
    folder: &Path,
    base: Option<&str>,
) -> Vec<(String, PathBuf)> {
    let Ok(npmrc) = project_npmrc(global, folder, base) else {
        return Vec::new();
    };
    let ignored = npmrc.ignored();
    let ignored = ignored.map(|(key, place)| (key.to_owned(), place.unwrap_or(".npmrc").into()));
    ignored.collect()
}

fn project_npmrc(
    global: &Global,
    folder: &Path,
    base: Option<&str>,
) -> Result<Npmrc, UpstreamError> {
    let default_registry = || {
        let data = data_folder(global).ok()?;
        npms::own_default(&data).map(|url| url.to_string())
    };
    let guard = Guard {
        base,
        default_registry: &default_registry,
    };
    load_npmrc_guarded(
        folder,
        &Environment::of_process(),
        command_line(global),
        &guard,
    )
}

/// The registries behind, as npm's settings have them.
fn upstreams_by(global: &Global, policy: &Policy, npmrc: &Npmrc) -> Result<Upstreams> {
    let mut options = Options {
        environment: Environment::of_process(),
        ..Options::default()
    };
    options.limits.packument = policy.limits.packument_size.bytes();
    options.limits.tarball = policy.limits.tarball_size.bytes();
    if let Ok(data) = data_folder(global) {
        if npmrc.registry().is_none() {
            options.default_registry = npms::own_default(&data);
        }
        options.own_registry = OwnRegistry::by(move || npms::own_default(&data));
    }
    Upstreams::from_npmrc(npmrc, &options)
        .map_err(|error| of_command_line(global, error))
        .context("setting up the registry behind weir (--upstream <URL> names one)")
}

/// An address that was typed is no setting of npm's.
fn of_command_line(global: &Global, error: UpstreamError) -> UpstreamError {
    match error {
        UpstreamError::Address {
            address,
            setting,
            why,
        } if global.upstream.is_some() && setting.starts_with(" of registry ") => {
            UpstreamError::Address {
                address,
                setting: " of --upstream".to_owned(),
                why,
            }
        }
        other => other,
    }
}

/// How weir is called to look at what this run kept. Who named a data folder has to name it again.
pub(crate) fn called_again(global: &Global) -> String {
    let typed = global.data.as_ref();
    let typed = typed
        .filter(|data| std::env::var_os("WEIR_DATA").is_none_or(|set| set != data.as_os_str()));
    match typed.and_then(|data| data.to_str()).and_then(quoted) {
        Some(data) => format!("weir --data {data}"),
        None => "weir".to_owned(),
    }
}

/// A path as a shell takes it, where it fits into a line of an answer. One that does not is left to who typed it.
fn quoted(path: &str) -> Option<String> {
    const LONGEST: usize = 100;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,=".contains(c);
    let is_printable = |c: char| (' '..='~').contains(&c) && !"'\\\"".contains(c);
    if path.is_empty() || path.len() > LONGEST {
        None
    } else if path.chars().all(is_plain) {
        Some(path.to_owned())
    } else if path.chars().all(is_printable) {
        Some(format!("'{path}'"))
    } else {
        None
    }
}

/// The file that keeps npm's settings from being read in a folder, and why.
pub(crate) fn unreadable_settings(global: &Global, folder: &Path) -> Option<(PathBuf, String)> {
    match project_npmrc(global, folder, None) {
        Err(UpstreamError::Settings { path, why }) => Some((path, why)),
        _ => None,
    }
}

/// What fetches from servers that are no registries, by the same settings.
pub(crate) fn elsewhere(global: &Global, policy: &Policy) -> Result<Elsewhere> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    let environment = Environment::of_process();
    let npmrc = load_npmrc(&folder, &environment, command_line(global))
        .context("reading the npm configuration")?;
    let mut options = Options {
        environment,
        ..Options::default()
    };
    options.limits.packument = policy.limits.packument_size.bytes();
    Elsewhere::new(&npmrc, &options).context("setting up HTTP")
}

/// Fetching of files that are no registry's, with npm's settings for the way there.
pub(crate) fn files(global: &Global) -> Result<Files> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    let environment = Environment::of_process();
    let npmrc = load_npmrc(&folder, &environment, command_line(global))
        .context("reading the npm configuration")?;
    let options = Options {
        environment,
        ..Options::default()
    };
    Files::from_npmrc(&npmrc, &options).context("setting up HTTP")
}

/// What the command line says of npm's settings.
fn command_line(global: &Global) -> Npmrc {
    let settings = global
        .upstream
        .as_ref()
        .map(|url| ("npm_config_registry".to_owned(), url.clone()));
    Npmrc::from_env(&settings.into_iter().collect())
}

/// Makes the C library's allocator give memory back: few arenas, and large blocks (packuments,
/// tarballs) as mappings of their own that end when they are freed. An idle service is small.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "mallopt has no safe form")]
pub(crate) fn tame_allocator() {
    // SAFETY: plain integers, before any other thread runs.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 256 << 10);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn tame_allocator() {}

/// Puts everything together.
pub(crate) async fn engine(global: &Global) -> Result<Arc<Engine>> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    engine_of(global, &folder).await
}

/// The same, with the policy that is in force for a folder and the registries that npm would know there.
pub(crate) async fn engine_of(global: &Global, folder: &Path) -> Result<Arc<Engine>> {
    let policy = policy_of(global, folder)?;
    let folder = std::path::absolute(folder).context("finding the project's folder")?;
    let upstreams = upstreams_of(global, &policy, &folder)?;
    engine_before(global, policy, upstreams).await
}

/// The same for a project whose own `.npmrc` may be a stranger's: see [`upstreams_of_project`].
pub(crate) async fn engine_of_project(
    global: &Global,
    folder: &Path,
    base: Option<&str>,
) -> Result<Arc<Engine>> {
    let policy = policy_of(global, folder)?;
    let folder = std::path::absolute(folder).context("finding the project's folder")?;
    let upstreams = upstreams_of_project(global, &policy, &folder, base)?;
    engine_before(global, policy, upstreams).await
}

/// The same; or why the registries cannot be asked, which is the project's doing where its settings are at fault.
///
/// # Errors
/// For what is at fault besides: the policy, the data folder, what is trusted.
pub(crate) async fn engine_or_why(
    global: &Global,
    folder: &Path,
    base: Option<&str>,
) -> Result<std::result::Result<Arc<Engine>, String>> {
    let policy = policy_of(global, folder)?;
    let folder = std::path::absolute(folder).context("finding the project's folder")?;
    match upstreams_of_project(global, &policy, &folder, base).and_then(prepared) {
        Ok(upstreams) => engine_before(global, policy, upstreams).await.map(Ok),
        Err(error) => Ok(Err(format!("{error:#}"))),
    }
}

/// The same, with the policy that is in force for a folder and settings of npm that were read already.
pub(crate) async fn engine_by(
    global: &Global,
    folder: &Path,
    npmrc: &Npmrc,
) -> Result<Arc<Engine>> {
    let policy = policy_of(global, folder)?;
    let upstreams = upstreams_by(global, &policy, npmrc)?;
    engine_before(global, policy, upstreams).await
}

async fn engine_before(
    global: &Global,
    policy: Policy,
    upstreams: Upstreams,
) -> Result<Arc<Engine>> {
    let upstreams = prepared(upstreams)?;
    let store = store(global).await?;
    let worker = WorkerProgram::this_program(&policy.limits)
        .context("finding this program, to start workers")?;
    let clock = clock(global);
    let config = EngineConfig {
        policy,
        clock,
        store,
        upstreams,
        worker,
        trust: trust(global)?,
    };
    Engine::new(config).await.context("starting the engine")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_looked_for_from_the_project_upward() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let place = |path: &str| home.join(path);
        for folder in ["one/inner", "two/inner", "three"] {
            std::fs::create_dir_all(place(folder)).unwrap();
        }
        for file in ["one/weir.toml", "two/weir.toml", "two/inner/weir.toml"] {
            std::fs::write(place(file), "").unwrap();
        }
        for (folder, found) in [
            ("one", "one/weir.toml"),
            ("one/inner", "one/weir.toml"),
            ("two/inner", "two/inner/weir.toml"),
            ("two/inner/../../one", "one/weir.toml"),
            ("two/inner/gone", "two/inner/weir.toml"),
        ] {
            let whole = whole(&place(folder)).unwrap();
            let nearest = nearest_policy(&whole).unwrap();
            assert_eq!(nearest, Some(place(found)), "{folder}");
        }
        assert_eq!(
            whole(Path::new(".")).unwrap(),
            std::env::current_dir().unwrap()
        );
    }

    /// Whoever put it there meant a policy: the one above it, or none, is not what is wanted.
    #[cfg(unix)]
    #[test]
    fn what_is_called_a_policy_and_is_no_file_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let place = |path: &str| home.join(path);
        std::fs::write(place("weir.toml"), "").unwrap();
        std::fs::write(place("other.toml"), "").unwrap();
        for folder in ["folder/weir.toml", "dangling", "link", "pipe", "below/it"] {
            std::fs::create_dir_all(place(folder)).unwrap();
        }
        std::os::unix::fs::symlink(place("gone"), place("dangling/weir.toml")).unwrap();
        std::os::unix::fs::symlink(place("other.toml"), place("link/weir.toml")).unwrap();
        let pipe = std::process::Command::new("mkfifo")
            .arg(place("pipe/weir.toml"))
            .status();
        assert!(pipe.unwrap().success());
        for (folder, found) in [
            ("folder", Err("is a folder, not an ordinary file")),
            ("dangling", Err("is a link that leads nowhere")),
            ("pipe", Err("is a pipe, not an ordinary file")),
            ("link", Ok("link/weir.toml")),
            ("below/it", Ok("weir.toml")),
        ] {
            match (nearest_policy(&place(folder)), found) {
                (Ok(nearest), Ok(file)) => assert_eq!(nearest, Some(place(file)), "{folder}"),
                (Err(error), Err(words)) => {
                    let file = place(folder).join(POLICY).display().to_string();
                    let said = error.to_string();
                    assert!(said.contains(words) && said.contains(&file), "{said}");
                }
                (nearest, _) => panic!("{folder}: {nearest:?}"),
            }
        }
    }
}
