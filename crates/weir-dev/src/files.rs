//! Committed files that are made from others: written, or compared.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap_or(Path::new("."))
        .to_owned()
}

/// A file and what it should contain. The path is relative to the root.
pub(crate) struct Output {
    pub(crate) path: PathBuf,
    pub(crate) content: Vec<u8>,
}

impl Output {
    pub(crate) fn new(path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            content: content.into(),
        }
    }
}

/// Writes the files that differ, or, to check, fails and names them. `redo` is the command that
/// writes them. `superfluous` files should not be there at all.
pub(crate) fn settle(
    root: &Path,
    outputs: &[Output],
    superfluous: &[PathBuf],
    check: bool,
    redo: &str,
) -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for output in outputs {
        let path = root.join(&output.path);
        let present = std::fs::read(&path).ok();
        if present.as_deref() == Some(output.content.as_slice()) {
            continue;
        }
        if check {
            let difference = difference(present.as_deref(), &output.content);
            stale.push(format!("{}: {difference}", output.path.display()));
            continue;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, &output.content)
            .with_context(|| format!("writing {}", output.path.display()))?;
        println!("wrote {}", output.path.display());
    }
    for path in superfluous {
        if check {
            stale.push(format!("{}: should not be there", path.display()));
        } else {
            std::fs::remove_file(root.join(path))?;
            println!("removed {}", path.display());
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    bail!("out of date; run `{redo}`:\n  {}", stale.join("\n  "))
}

/// One line on how two contents differ.
fn difference(present: Option<&[u8]>, wanted: &[u8]) -> String {
    let Some(present) = present else {
        return "missing".to_owned();
    };
    let (Ok(present), Ok(wanted)) = (std::str::from_utf8(present), std::str::from_utf8(wanted))
    else {
        return format!("{} bytes, should be {}", present.len(), wanted.len());
    };
    let mut pairs = present.lines().zip(wanted.lines()).zip(1..);
    match pairs.find(|((present, wanted), _)| present != wanted) {
        Some(((present, wanted), line)) => {
            format!("line {line} is {present:?}, should be {wanted:?}")
        }
        None => format!(
            "{} lines, should be {}",
            present.lines().count(),
            wanted.lines().count()
        ),
    }
}

/// Removes a folder with all that is in it, if it is there.
pub(crate) fn clear(folder: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Copies a project's files, without what an install or a build put there.
pub(crate) fn copy_project(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    let entries = std::fs::read_dir(from).with_context(|| format!("reading {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if name == "node_modules" || name == "dist" {
            continue;
        }
        if kind.is_dir() {
            copy_project(&entry.path(), &to.join(name))?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to.join(name))?;
        } else {
            bail!("{} is neither file nor folder", entry.path().display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checking_names_what_differs_and_writing_settles_it() {
        let folder = tempfile::tempdir().unwrap();
        let outputs = [Output::new("docs/a.md", "one\ntwo\n")];
        let check = || settle(folder.path(), &outputs, &[], true, "redo");
        assert!(check().unwrap_err().to_string().contains("missing"));
        settle(folder.path(), &outputs, &[], false, "redo").unwrap();
        check().unwrap();
        std::fs::write(folder.path().join("docs/a.md"), "one\n2\n").unwrap();
        assert!(check().unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn a_project_is_copied_without_what_was_installed() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for file in ["package.json", "src/a.js", "node_modules/x/index.js"] {
            let path = from.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let copied = to.path().join("copy");
        copy_project(from.path(), &copied).unwrap();
        assert!(copied.join("src/a.js").is_file() && copied.join("package.json").is_file());
        assert!(!copied.join("node_modules").exists());
    }
}
