//! Finding and layering `.npmrc` files the way npm does.

mod workspaces;

pub use workspaces::project_root;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use weir_model::ordinary::what_else;
use weir_npm::npmrc::Npmrc;

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
    let read = |path: Option<PathBuf>| -> Result<Npmrc, UpstreamError> {
        let Some(path) = path else {
            return Ok(Npmrc::default());
        };
        Ok(match read_file(&path)? {
            Some(text) => Npmrc::parse(&text, &environment.0).found_in(&path.display().to_string()),
            None => Npmrc::default(),
        })
    };
    let setting = |layers: &[&Npmrc], key: &str| -> Option<PathBuf> {
        let found = layers.iter().find_map(|layer| layer.get(key));
        found
            .filter(|path| !path.is_empty())
            .map(|path| environment.expand(path))
    };
    let env = overrides.over(Npmrc::from_env(&environment.0));
    // The folder that an npm installs to for everybody may be one that came with it (Homebrew's does).
    let builtin = read(builtin_file(environment))?;

    let project_file = workspaces::project_root(folder).join(".npmrc");
    let project = if env.is_global() {
        Npmrc::default()
    } else {
        read(Some(project_file.clone()))?
    };
    let user_file = setting(&[&env, &project, &builtin], "userconfig")
        .or_else(|| environment.home().map(|home| home.join(".npmrc")));
    // In the home folder the "project" file is the user's own.
    let project = if user_file.as_ref() == Some(&project_file) {
        Npmrc::default()
    } else {
        project
    };
    let user = read(user_file)?;
    let global_file = setting(&[&env, &project, &user, &builtin], "globalconfig").or_else(|| {
        let prefix =
            setting(&[&env, &user, &builtin], "prefix").or_else(|| default_prefix(environment));
        prefix.map(|prefix| prefix.join("etc").join("npmrc"))
    });
    let global = read(global_file)?;
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
