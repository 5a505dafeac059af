//! Where a project's files are read from: a folder, or a commit of the repository the folder is in.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::files;

/// A project's files.
#[derive(Debug)]
pub(super) enum Tree {
    /// As they are in a folder.
    Folder(PathBuf),
    /// As they were in a commit.
    Commit(Commit),
}

/// A commit, seen from one folder of its repository.
#[derive(Debug)]
pub(super) struct Commit {
    /// A folder inside the repository, for git to start from.
    folder: PathBuf,
    /// The folder's path in the repository: empty, or with a slash at the end.
    prefix: String,
    /// The commit's id.
    pub(super) id: String,
}

impl Tree {
    /// Reads a file by its path in the project, with slashes; `None` if there is none.
    ///
    /// # Errors
    /// Why it is there and cannot be read, in words.
    pub(super) fn read(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, String> {
        match self {
            Self::Folder(folder) => files::read(&folder.join(path), limit),
            Self::Commit(commit) => commit
                .read(path, limit)
                .map_err(|error| format!("{error:#}")),
        }
    }

    /// How a file of the project is called in findings.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(path),
            Self::Commit(commit) => commit.folder.join(path),
        }
    }
}

impl Commit {
    /// Finds what a person calls a commit.
    ///
    /// # Errors
    /// When the folder is in no repository, or the repository has no such commit.
    pub(super) fn find(folder: &Path, name: &str) -> Result<Self> {
        ensure!(
            !name.is_empty() && !name.starts_with('-'),
            "{name:?} does not name a commit"
        );
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let prefix = git(folder, &["rev-parse", "--show-prefix"])
            .with_context(|| format!("--base: {} is in no git repository", folder.display()))?;
        let wanted = format!("{name}^{{commit}}");
        let id = git(folder, &["rev-parse", "--verify", "--quiet", &wanted])
            .with_context(|| format!("--base: the repository has no commit {name:?}"))?;
        Ok(Self {
            folder: folder.to_owned(),
            prefix: text(prefix)?.trim_end_matches('\n').to_owned(),
            id: text(id)?.trim().to_owned(),
        })
    }

    /// Reads a file as the commit has it. Objects are read as they are: no filter and no program that the
    /// repository names is run.
    fn read(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>> {
        let path = format!("{}{path}", self.prefix);
        let listed = git(
            &self.folder,
            &["ls-tree", "-z", "-l", "--full-tree", &self.id, "--", &path],
        )
        .with_context(|| format!("looking for {path} in {}", self.id))?;
        let listed = text(listed)?;
        // Mode, kind, id, size, then a tab and the path.
        let Some((entry, _)) = listed.split_once('\t') else {
            return Ok(None);
        };
        let fields: Vec<&str> = entry.split_whitespace().collect();
        let [mode, kind, id, size] = fields.as_slice() else {
            bail!("git said {entry:?} of {path}");
        };
        ensure!(
            *kind == "blob" && *mode != "120000",
            "{path} is no ordinary file in {}",
            self.id
        );
        let size = size
            .parse()
            .with_context(|| format!("git said {entry:?} of {path}"))?;
        files::check_size(size, limit).map_err(anyhow::Error::msg)?;
        git(&self.folder, &["cat-file", "blob", id]).map(Some)
    }
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).context("git said something that is not UTF-8")
}

/// Runs git and gives what it prints.
fn git(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new("git")
        // Nothing that a repository's own configuration names is run, and nothing is written.
        .args(["--no-pager", "--no-optional-locks", "--literal-pathspecs"])
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(std::process::Stdio::null())
        .output()
        .context("running git")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = weir_model::finding::printable(said.trim(), 300);
        bail!("git {}: {said}", arguments.join(" "));
    }
    Ok(output.stdout)
}
