//! Finding and layering `.npmrc` files the way npm does.

mod workspaces;

pub use workspaces::project_root;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use weir_model::ordinary::what_else;
use weir_npm::npmrc::{Npmrc, Vouchers};

use crate::UpstreamError;

/// Longest file read, of settings or of a key, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Environment variables, handed in so that tests and other callers choose them. Holds secrets: its
/// `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl Environment {
    /// The environment of this process; variables that are not Unicode are left out.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// A variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A variable whose name may be in upper or lower case, and which is not empty.
    pub(crate) fn either(&self, name: &str) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(found, value)| found.eq_ignore_ascii_case(name) && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// A path with `~/` replaced by the home folder.
    pub(crate) fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), self.home()) {
            (Some(inner), Some(home)) => home.join(inner),
            _ => PathBuf::from(path),
        }
    }

    /// The addresses of proxies.
    fn proxies(&self) -> Vec<&str> {
        let names = ["https_proxy", "http_proxy", "proxy"];
        names.iter().filter_map(|name| self.either(name)).collect()
    }

    fn home(&self) -> Option<PathBuf> {
        let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        self.get(name)
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
    }

    /// An executable in `PATH`, with links resolved.
    fn executable(&self, name: &str) -> Option<PathBuf> {
        std::env::split_paths(self.get("PATH")?)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())?
            .canonicalize()
            .ok()
    }
}

/// Reads and layers npm's settings for a project folder: `overrides` (what a command line said) over
/// the environment over project, user, global and builtin file.
///
/// The project's file is the one npm reads: beside the nearest `package.json` or `node_modules`
/// upward of `folder`, or at the root of the workspaces that this folder belongs to. Where the command line or
/// the environment asks for npm's global mode (`global`, or `location=global`), it reads no project's.
///
/// # Errors
/// When one of the files exists and cannot be read.
pub fn load_npmrc(
    folder: &Path,
    environment: &Environment,
    overrides: Npmrc,
) -> Result<Npmrc, UpstreamError> {
    load(folder, environment, overrides, None)
}

/// What there is to go by where a project's own settings may be a stranger's.
pub struct Guard<'a> {
    /// The text of the project's `.npmrc` before the change that is to be judged.
    pub base: Option<&'a str>,
    /// The registry of whoever names none; asked for only where it matters.
    pub default_registry: &'a dyn Fn() -> Option<String>,
}

impl std::fmt::Debug for Guard<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}

/// The same as [`load_npmrc`] for a project that a stranger may have written: see [`Npmrc::parse_guarded`] for
/// which variables of the environment are put into its settings. A file that the project names as the user's or the
/// machine's is the project's.
///
/// # Errors
/// When one of the files exists and cannot be read.
pub fn load_npmrc_guarded(
    folder: &Path,
    environment: &Environment,
    overrides: Npmrc,
    guard: &Guard<'_>,
) -> Result<Npmrc, UpstreamError> {
    load(folder, environment, overrides, Some(guard))
}

/// One file of settings, unread.
type Text = Option<(PathBuf, String)>;

fn load(
    folder: &Path,
    environment: &Environment,
    overrides: Npmrc,
    guard: Option<&Guard<'_>>,
) -> Result<Npmrc, UpstreamError> {
    let text = |path: Option<PathBuf>| -> Result<Text, UpstreamError> {
        let Some(path) = path else { return Ok(None) };
        Ok(read_file(&path)?.map(|text| (path, text)))
    };
    let plain = |text: &Text| match text {
        Some((path, text)) => {
            Npmrc::parse(text, &environment.0).found_in(&path.display().to_string())
        }
        None => Npmrc::default(),
    };
    // What a project says, as far as others vouch for it.
    let guarded = |text: &Text, own: &Npmrc, base: Option<&str>| match (text, guard) {
        (Some((path, text)), Some(guard)) => {
            let vouchers = Vouchers {
                own,
                base,
                proxies: environment.proxies(),
                default_registry: guard.default_registry,
            };
            let found = Npmrc::parse_guarded(text, &environment.0, &vouchers);
            found.found_in(&path.display().to_string())
        }
        _ => plain(text),
    };
    let base = guard.and_then(|guard| guard.base);
    let setting = |layers: &[&Npmrc], key: &str| -> Option<PathBuf> {
        let found = layers.iter().find_map(|layer| layer.get(key));
        found
            .filter(|path| !path.is_empty())
            .map(|path| environment.expand(path))
    };
    let env = overrides.over(Npmrc::from_env(&environment.0));
    // The folder that an npm installs to for everybody may be one that came with it (Homebrew's does).
    let builtin = plain(&text(builtin_file(environment))?);

    let project_file = workspaces::project_root(folder).join(".npmrc");
    let project_text = match env.is_global() {
        true => None,
        false => text(Some(project_file.clone()))?,
    };
    // It says where other files are, too; what else it says is read once these are.
    let project = guarded(&project_text, &env, base);
    let user_file = setting(&[&env, &project, &builtin], "userconfig")
        .or_else(|| environment.home().map(|home| home.join(".npmrc")));
    let names =
        |key: &str| env.get(key).is_none() && project.get(key).is_some_and(|it| !it.is_empty());
    let (names_user, names_global) = (names("userconfig"), names("globalconfig"));
    // In the home folder the "project" file is the user's own.
    let project_text = project_text.filter(|_| user_file.as_ref() != Some(&project_file));
    let project = match &project_text {
        Some(_) => project,
        None => Npmrc::default(),
    };
    let user_text = text(user_file)?;
    let user = match names_user {
        true => guarded(&user_text, &env, None),
        false => plain(&user_text),
    };
    let global_file = setting(&[&env, &project, &user, &builtin], "globalconfig").or_else(|| {
        let prefix =
            setting(&[&env, &user, &builtin], "prefix").or_else(|| default_prefix(environment));
        prefix.map(|prefix| prefix.join("etc").join("npmrc"))
    });
    let global_text = text(global_file)?;
    // What only a file that the project names says vouches for nothing.
    let known = match names_user {
        true => env.clone(),
        false => env.clone().over(user.clone()),
    };
    let global = match names_global || names_user {
        true => guarded(&global_text, &known, None),
        false => plain(&global_text),
    };
    let known = match names_global || names_user {
        true => known,
        false => known.over(global.clone()),
    };
    let project = guarded(&project_text, &known.over(builtin.clone()), base);
    Ok(Npmrc::merge(project, user, global.over(builtin), env))
}

/// npm's global prefix when nothing sets it: `PREFIX`, or the folder two above node.
fn default_prefix(environment: &Environment) -> Option<PathBuf> {
    if let Some(prefix) = environment
        .get("PREFIX")
        .filter(|prefix| !prefix.is_empty())
    {
        return Some(PathBuf::from(prefix));
    }
    if cfg!(windows) {
        return Some(environment.executable("node.exe")?.parent()?.to_owned());
    }
    Some(
        environment
            .executable("node")?
            .parent()?
            .parent()?
            .to_owned(),
    )
}

/// The file that came with npm: `npmrc` in npm's own folder, two above its command.
fn builtin_file(environment: &Environment) -> Option<PathBuf> {
    let npm = environment.executable("npm")?;
    (npm.extension()? == "js").then_some(())?;
    Some(npm.parent()?.parent()?.join("npmrc"))
}

/// What there is in place of a settings file, found out before it is opened: opening a pipe waits for
/// somebody who writes to it. A folder counts as no file, as npm has it. What is under `/dev` is handed over
/// by a shell (`<(...)`) and has its writer, or is empty (`/dev/null`).
fn in_its_place(path: &Path) -> Option<&'static str> {
    let kind = std::fs::metadata(path).ok()?.file_type();
    what_else(kind).filter(|_| !kind.is_dir() && !path.starts_with("/dev"))
}

/// The text of a settings file; `None` if there is no such file.
fn read_file(path: &Path) -> Result<Option<String>, UpstreamError> {
    let bytes = ordinary(path).map_err(|why| UpstreamError::Settings {
        path: path.to_owned(),
        why,
    })?;
    if bytes.is_some() {
        tracing::debug!(file.path = %path.display(), "read npm settings");
    }
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// What is in a file of settings or of a key; `None` if there is no such file.
///
/// # Errors
/// Says why it cannot be read: it is no ordinary file, too large, or the system does not let us.
pub(crate) fn ordinary(path: &Path) -> Result<Option<Vec<u8>>, String> {
    if let Some(what) = in_its_place(path) {
        return Err(format!("{what}, not an ordinary file"));
    }
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    if file.metadata().is_ok_and(|found| found.is_dir()) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("larger than {MAX_FILE} bytes"));
    }
    Ok(Some(bytes))
}
