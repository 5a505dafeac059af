//! The registry npm uses when nobody configured one: npm knows, weir does not.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use weir_upstream::Url;

/// Where the answer is kept in the data folder. What earlier releases kept under another name may be what some
/// project's `.npmrc` said.
const KEPT: &str = "npm-own-registry";

/// The name it was kept under, and not to be believed.
const DISTRUSTED: &str = "npm-default-registry";

/// The variables that npm reads settings from begin like this, in upper or lower case.
const SETTING: &str = "npm_config_";

/// npm's own default. Asking npm takes a third of a second, so the answer is kept in the data folder for as long as
/// npm is the same program. It serves every project from then on: no project has a say in it.
pub(super) fn own_default(data: &Path) -> Option<Url> {
    let npm = Npm::on(&std::env::var_os("PATH")?)?;
    let data = std::path::absolute(data).ok()?;
    let kept = data.join(KEPT);
    if let Ok(text) = std::fs::read_to_string(&kept)
        && let Some((program, url)) = text.split_once('\n')
        && program == npm.identity
        // Without its end it was not written to the end.
        && let Some(url) = url.strip_suffix('\n')
    {
        return Url::parse(url).ok();
    }
    let url = npm.asked(&data)?;
    // Not kept is only slower.
    if private(&data).is_ok() {
        let _ = std::fs::write(&kept, format!("{}\n{url}\n", npm.identity));
        let _ = std::fs::remove_file(data.join(DISTRUSTED));
    }
    Some(url)
}

/// Creates the data folder as the store would: only its owner may enter it.
fn private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// An installed npm.
struct Npm {
    program: PathBuf,
    /// Which program it is, and when it was put there.
    identity: String,
}

impl Npm {
    /// The one that would run. Folders that depend on where somebody stands are passed over, as a project may have
    /// put something there.
    fn on(path: &OsStr) -> Option<Self> {
        let program = std::env::split_paths(path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("npm"))
            .find(|file| file.is_file())?;
        let real = program.canonicalize().ok()?;
        let changed = real.metadata().ok()?.modified().ok()?;
        let changed = changed.duration_since(UNIX_EPOCH).ok()?;
        let identity = format!("{} {}", real.display(), changed.as_secs());
        Some(Self { program, identity })
    }

    /// What it says while nobody tells it anything: as it installs for all projects (`-g`), from a folder that is in no
    /// project, without the user's settings and those of the machine. Where these name a registry, weir has read them.
    fn asked(&self, data: &Path) -> Option<Url> {
        let mut command = Command::new(&self.program);
        command.args(["config", "get", "registry", "-g"]);
        // Files that do not exist; npm takes no file twice.
        for layer in ["userconfig", "globalconfig"] {
            let nowhere = data.join(format!("no-{layer}"));
            command.arg(format!("--{layer}={}", nowhere.display()));
        }
        for (name, _) in std::env::vars_os() {
            let is_setting = |name: &str| name.to_ascii_lowercase().starts_with(SETTING);
            if name.to_str().is_some_and(is_setting) {
                command.env_remove(&name);
            }
        }
        let top = data.ancestors().last().unwrap_or(data);
        let output = command.current_dir(top).stdin(Stdio::null()).output();
        let output = output.ok().filter(|output| output.status.success())?;
        Url::parse(String::from_utf8(output.stdout).ok()?.trim()).ok()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A folder with an npm that runs a script, and that npm.
    fn npm(script: &str) -> (tempfile::TempDir, Npm) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("npm");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let npm = Npm::on(folder.path().as_os_str()).unwrap();
        (folder, npm)
    }

    #[test]
    fn npm_is_asked_where_no_project_has_a_say() {
        let (folder, npm) = npm(
            "for word; do case $word in --*config=*) [ -e \"${word#*=}\" ] && exit 1;; esac; done\n\
             env | grep -qi '^npm_config_' && exit 1\n\
             echo \"http://registry.invalid$PWD?$4\"",
        );
        let url = npm.asked(folder.path()).unwrap();
        assert_eq!(url.as_str(), "http://registry.invalid/?-g");
    }

    #[test]
    fn an_npm_that_fails_says_nothing() {
        let (folder, npm) = npm("echo http://registry.invalid/; exit 1");
        assert_eq!(npm.asked(folder.path()), None);
    }

    #[test]
    fn an_npm_below_the_current_folder_is_none() {
        assert!(Npm::on(OsStr::new("node_modules/.bin:.")).is_none());
    }
}
