//! The lockfiles of a project, and what is said where there is none that can be read.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use weir_model::json::v1::{CheckFinding, CheckLevel};
use weir_npm::lockfile::Format;

use super::check::{Rule, about_file, shown};

/// What clients read, in the order in which npm prefers its two.
const NAMES: [&str; 5] = [
    "npm-shrinkwrap.json",
    "package-lock.json",
    "yarn.lock",
    PNPMS,
    "bun.lock",
];

pub(super) const PNPMS: &str = "pnpm-lock.yaml";

const NO_LOCKFILE: Rule = Rule {
    id: "no-lockfile",
    level: CheckLevel::Error,
    todo: "run the client's install once and commit the lockfile it writes",
};

/// What other clients wrote, or write where they are told to: its name, why it is not read, and what makes one of it
/// that is.
const UNREAD: [(&str, &str, &str); 2] = [
    (
        "bun.lockb",
        "binary, which weir does not read",
        "`bun install --save-text-lockfile --lockfile-only` makes a bun.lock of it: commit that",
    ),
    (
        "shrinkwrap.yaml",
        "what pnpm wrote before 3, which weir does not read",
        "run the install of a later pnpm once and commit the pnpm-lock.yaml it writes",
    ),
];

/// The lockfiles of a folder, or the one that is named.
///
/// # Errors
/// What was given is no folder, or has not the name of a lockfile: that is a slip, and says nothing of a project.
pub(super) fn find(folder: &Path, named: Option<&PathBuf>) -> Result<Vec<PathBuf>> {
    if let Some(file) = named {
        has_a_name(file)?;
    }
    match folder.metadata() {
        Ok(it) if it.is_dir() => {}
        Ok(_) => bail!(
            "{} is no folder: give the project's, and --lockfile for a file of it",
            shown(folder)
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no folder {}", shown(folder))
        }
        Err(error) => bail!("{} could not be looked at: {error}", shown(folder)),
    }
    if let Some(file) = named {
        return Ok(vec![file.clone()]);
    }
    let here = NAMES.iter().map(|name| folder.join(name));
    let mut files: Vec<PathBuf> = here.filter(|file| is_there(file)).collect();
    // npm reads its shrinkwrap and not the other, when both are there.
    if files
        .first()
        .is_some_and(|file| file.ends_with("npm-shrinkwrap.json"))
    {
        files.retain(|file| !file.ends_with("package-lock.json"));
    }
    Ok(files)
}

/// Fails where a file has not the name of a lockfile that is read.
///
/// # Errors
/// Which names they have.
pub(super) fn has_a_name(file: &Path) -> Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if Format::of(&name, b"").is_some() {
        return Ok(());
    }
    if let Some((_, what, todo)) = UNREAD.iter().find(|(it, ..)| *it == name) {
        bail!("--lockfile {}: it is {what}; {todo}", shown(file));
    }
    bail!(
        "--lockfile {}: that is not the name of a lockfile weir reads, which are {}",
        shown(file),
        NAMES.join(", ")
    )
}

/// That there is no lockfile in a folder, as a finding.
pub(super) fn finding(folder: &Path) -> CheckFinding {
    let (what, todo) = why(folder);
    let rule = Rule {
        todo,
        ..NO_LOCKFILE
    };
    about_file(&rule, &folder.join("package.json"), 1, &what)
}

/// That there is no lockfile in a folder, as an error.
pub(super) fn error(folder: &Path) -> anyhow::Error {
    let (what, todo) = why(folder);
    anyhow!("{what}; {todo}")
}

/// Why nothing in a folder is read, and what to do. The folder is named whole: in the log of a job nobody knows what
/// `.` was.
fn why(folder: &Path) -> (String, &'static str) {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let whole = shown(&whole);
    for (name, what, todo) in UNREAD {
        if is_there(&folder.join(name)) {
            return (
                format!("there is no lockfile in {whole} but {name}: it is {what}"),
                todo,
            );
        }
    }
    if !is_there(&folder.join("package.json")) {
        return (
            format!("there is no lockfile in {whole}, nor a package.json"),
            "give the project's folder, where both are",
        );
    }
    (format!("there is no lockfile in {whole}"), NO_LOCKFILE.todo)
}

fn is_there(file: &Path) -> bool {
    file.symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_instead_is_named_with_what_helps() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path();
        let told = || format!("{:#}", error(place));
        let whole = place.display();
        let none = format!("there is no lockfile in {whole}");
        assert_eq!(
            told(),
            format!("{none}, nor a package.json; give the project's folder, where both are")
        );
        std::fs::write(place.join("package.json"), "{}").unwrap();
        assert_eq!(told(), format!("{none}; {}", NO_LOCKFILE.todo));
        std::fs::write(place.join("shrinkwrap.yaml"), "").unwrap();
        assert!(told().contains("but shrinkwrap.yaml: "), "{}", told());
        std::fs::write(place.join("bun.lockb"), "").unwrap();
        assert!(told().contains("--save-text-lockfile"), "{}", told());
        assert_eq!(find(place, None).unwrap(), [] as [PathBuf; 0]);
        std::fs::write(place.join("bun.lock"), "").unwrap();
        assert_eq!(find(place, None).unwrap(), [place.join("bun.lock")]);
    }

    #[test]
    fn a_slip_is_no_project_without_a_lockfile() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path();
        let file = place.join("package.json");
        std::fs::write(&file, "{}").unwrap();
        let told = |folder: &Path, named: Option<&str>| {
            let named = named.map(PathBuf::from);
            find(folder, named.as_ref()).unwrap_err().to_string()
        };
        assert!(told(&file, None).contains("is no folder"));
        assert!(told(&place.join("not"), None).starts_with("there is no folder "));
        let other = told(place, Some("/etc/passwd"));
        assert!(NAMES.iter().all(|name| other.contains(name)), "{other}");
        let binary = told(place, Some("app/bun.lockb"));
        assert!(binary.contains("makes a bun.lock of it"), "{binary}");
        // It may be gone: whoever looks into it says so.
        let gone = PathBuf::from("node_modules/.package-lock.json");
        assert_eq!(find(place, Some(&gone)).unwrap(), [gone]);
    }
}
