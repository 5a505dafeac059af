//! Starting a client, as a shell would.

use std::ffi::OsStr;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tokio::process::{Child, Command};

use crate::clients::Client;

/// Bytes that are looked at to tell text from a program, as bash does.
const LOOKED_AT: u64 = 128;

/// Starts a client. One that is text without a first line saying what reads it is read by the shell: so shells do it,
/// and clients whose install script did not run are such files, which tell how to go on.
pub(super) fn start(client: Client, command: &mut Command) -> Result<Child> {
    let error = match command.spawn() {
        Ok(child) => return Ok(child),
        Err(error) => error,
    };
    let program = client.program();
    if error.kind() == ErrorKind::NotFound {
        let hint = format!("starting {program} (is {program} installed and on the PATH?)");
        return Err(error).context(hint);
    }
    let file = has_unknown_format(&error)
        .then(|| found(program, &std::env::var_os("PATH")?))
        .flatten();
    match file {
        None => Err(error).with_context(|| format!("starting {program}")),
        Some(file) if is_text(&file) => by_shell(command, &file)
            .spawn()
            .with_context(|| format!("starting {} with /bin/sh", file.display())),
        Some(file) => Err(error).with_context(|| {
            format!(
                "starting {} (is it whole, and made for this machine?)",
                file.display()
            )
        }),
    }
}

/// Whether a file may be run, and the system does not know how.
fn has_unknown_format(error: &std::io::Error) -> bool {
    #[cfg(unix)]
    let unknown = Some(libc::ENOEXEC);
    #[cfg(not(unix))]
    let unknown = None::<i32>;
    unknown.is_some() && error.raw_os_error() == unknown
}

/// The file that is run for a name.
fn found(program: &str, path: &OsStr) -> Option<PathBuf> {
    let file = std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|file| is_executable(file))?;
    std::path::absolute(file).ok()
}

fn is_executable(file: &Path) -> bool {
    let Ok(found) = file.metadata() else {
        return false;
    };
    #[cfg(unix)]
    let may_run = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let may_run = true;
    found.is_file() && may_run
}

/// Whether the first line of a file is text. A program for another machine is not, and a shell would make anything of it.
fn is_text(file: &Path) -> bool {
    let mut start = Vec::new();
    let read = std::fs::File::open(file).and_then(|it| it.take(LOOKED_AT).read_to_end(&mut start));
    let line = start.split(|byte| *byte == b'\n').next();
    read.is_ok() && !line.unwrap_or_default().contains(&0)
}

/// The same, with the shell reading the file.
fn by_shell(command: &Command, file: &Path) -> Command {
    let command = command.as_std();
    let mut shell = Command::new("/bin/sh");
    shell.arg(file).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_file_that_runs_is_the_first_that_may() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        for (name, mode) in [("one", None), ("two", Some(0o644)), ("three", Some(0o755))] {
            std::fs::create_dir(place(name)).unwrap();
            let Some(mode) = mode else { continue };
            let file = place(name).join("pnpm");
            std::fs::write(&file, "echo").unwrap();
            std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        }
        let path = std::env::join_paths(["one", "two", "three"].map(place)).unwrap();
        assert_eq!(found("pnpm", &path), Some(place("three/pnpm")));
        assert_eq!(found("bun", &path), None);
    }

    #[test]
    fn a_shell_is_given_text_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bun");
        for (content, expected) in [
            (
                &b"echo run the install script first >&2\nexit 1\n"[..],
                true,
            ),
            (b"", true),
            (b"echo\n\0", true),
            (b"\x7fELF\x02\x01\x01\0\0", false),
        ] {
            std::fs::write(&file, content).unwrap();
            assert_eq!(is_text(&file), expected, "{content:?}");
        }
    }
}
