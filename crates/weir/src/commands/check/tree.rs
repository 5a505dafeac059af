//! Where a project's files are read from: a folder, or a commit of the repository the folder is in.

use std::path::{Component, Path, PathBuf};
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

    /// Reads a file of the folder that lies so many levels above the project.
    ///
    /// # Errors
    /// Why it is there and cannot be read, in words.
    pub(super) fn read_above(
        &self,
        levels: usize,
        name: &str,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, String> {
        match self {
            Self::Folder(_) => files::read(&self.above(levels, name), limit),
            Self::Commit(commit) => commit
                .read_above(levels, name, limit)
                .map_err(|error| format!("{error:#}")),
        }
    }

    /// How many levels the repository's root lies above the project; none where there is no repository.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Folder(_) => 0,
            Self::Commit(commit) => commit.prefix.matches('/').count(),
        }
    }

    /// How a file of the folder that lies so many levels above the project is called in findings.
    pub(super) fn above(&self, levels: usize, name: &str) -> PathBuf {
        // Without a slash at the end, which would hide that a folder is a link.
        let mut folder: PathBuf = self.path("").components().collect();
        for _ in 0..levels {
            folder = folder_above(&folder);
        }
        folder.join(name)
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
        // Why is known: git has nothing to add.
        let id = git(folder, &["rev-parse", "--verify", "--quiet", &wanted]);
        let Ok(id) = id else {
            bail!(
                "--base: the repository has no commit {name:?}{}; fetch it first, in CI with the history it \
                 takes to compare (`git fetch origin <branch>`)",
                branches(folder)
            );
        };
        Ok(Self {
            folder: folder.to_owned(),
            prefix: text(prefix)?.trim_end_matches('\n').to_owned(),
            id: text(id)?.trim().to_owned(),
        })
    }

    /// Reads a file of the project as the commit has it.
    fn read(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>> {
        self.read_above(0, path, limit)
    }

    /// Reads a file, seen from so many levels above the project. Objects are read as they are: no filter and
    /// no program that the repository names is run.
    fn read_above(&self, levels: usize, path: &str, limit: usize) -> Result<Option<Vec<u8>>> {
        let folders: Vec<&str> = self.prefix.split_inclusive('/').collect();
        let kept = folders.len().saturating_sub(levels);
        let folder: String = folders.into_iter().take(kept).collect();
        let path = format!("{folder}{path}");
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

/// Most folders that are looked into for workspaces. Real projects have a few hundred.
const MOST_FOLDERS: usize = 20_000;

/// How far down workspaces are looked for.
const DEEPEST: usize = 12;

/// What no client takes workspaces from.
fn is_left_out(part: &str) -> bool {
    matches!(part, "node_modules" | "bower_components" | ".git")
}

impl Tree {
    /// The folders of the project that hold a `package.json`. `into` says of a folder whether to look into it;
    /// what no client takes workspaces from is left out, and so are links and what cannot be read.
    pub(super) fn packages(&self, into: &dyn Fn(&str) -> bool) -> Vec<String> {
        match self {
            Self::Folder(folder) => packages_in(folder, into),
            Self::Commit(commit) => commit.packages().unwrap_or_default(),
        }
    }
}

impl Commit {
    /// The folders of the project that held a `package.json`.
    fn packages(&self) -> Result<Vec<String>> {
        let mut arguments = vec![
            "ls-tree",
            "-r",
            "-z",
            "--name-only",
            "--full-tree",
            self.id.as_str(),
        ];
        if !self.prefix.is_empty() {
            arguments.extend(["--", self.prefix.as_str()]);
        }
        let listed = git(&self.folder, &arguments)?;
        let listed = String::from_utf8_lossy(&listed);
        let folders = listed.split('\0').filter_map(|file| {
            let inner = file.strip_prefix(self.prefix.as_str())?;
            inner.strip_suffix("/package.json")
        });
        let wanted = folders.filter(|folder| !folder.split('/').any(is_left_out));
        Ok(wanted.take(MOST_FOLDERS).map(str::to_owned).collect())
    }
}

fn packages_in(root: &Path, into: &dyn Fn(&str) -> bool) -> Vec<String> {
    let root = if root.as_os_str().is_empty() {
        Path::new(".")
    } else {
        root
    };
    let mut found = Vec::new();
    let mut open = vec![(String::new(), 0)];
    let mut seen = 0;
    while let Some((folder, depth)) = open.pop() {
        let entries = std::fs::read_dir(root.join(&folder));
        for entry in entries.into_iter().flatten().flatten() {
            let is_folder = entry.file_type().is_ok_and(|it| it.is_dir());
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if !is_folder || is_left_out(&name) {
                continue;
            }
            seen += 1;
            if seen > MOST_FOLDERS {
                return found;
            }
            let inner = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            if root.join(&inner).join("package.json").is_file() {
                found.push(inner.clone());
            }
            if depth < DEEPEST && into(&inner) {
                open.push((inner, depth + 1));
            }
        }
    }
    found
}

/// The folder above, where that can be said without `..`: above a link lies what its target lies in.
fn folder_above(folder: &Path) -> PathBuf {
    let last = folder.components().next_back();
    match folder.parent() {
        Some(above) if matches!(last, Some(Component::Normal(_))) && !folder.is_symlink() => {
            above.to_owned()
        }
        _ => folder.join(".."),
    }
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).context("git said something that is not UTF-8")
}

/// Some branches of a repository, for who named one that it has not.
fn branches(folder: &Path) -> String {
    let asked = git(
        folder,
        &[
            "for-each-ref",
            "--count=8",
            "--format=%(refname:short)",
            "refs/heads",
            "refs/remotes",
        ],
    );
    let names = String::from_utf8(asked.unwrap_or_default()).unwrap_or_default();
    let names: Vec<&str> = names.lines().collect();
    if names.is_empty() {
        return String::new();
    }
    format!(
        " (it has {})",
        weir_model::finding::printable(&names.join(", "), 300)
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_folder_above_is_said_without_detours_where_that_is_true() {
        let place = tempfile::tempdir().unwrap();
        let real = place.path().join("real/app");
        std::fs::create_dir_all(&real).unwrap();
        let link = place.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        for (folder, levels, above) in [
            (PathBuf::from("."), 1, PathBuf::from("./../weir.toml")),
            ("a/b".into(), 0, "a/b/weir.toml".into()),
            ("a/b/".into(), 2, "weir.toml".into()),
            ("a".into(), 2, "../weir.toml".into()),
            ("../a".into(), 2, "../../weir.toml".into()),
            (real, 1, place.path().join("real/weir.toml")),
            (link.clone(), 1, link.join("../weir.toml")),
        ] {
            let tree = Tree::Folder(folder.clone());
            assert_eq!(tree.above(levels, "weir.toml"), above, "{folder:?}");
        }
    }
}
