//! The folders of pnpm's workspaces: each has a lockfile of its own with `sharedWorkspaceLockfile: false`, which may
//! be said in several files, a variable or an argument.

use std::path::{Component, Path, PathBuf};

use weir_npm::lockfile::Workspaces;
use weir_npm::settings::{MAX_SIZE, Settings};

use crate::files;

/// Most folders that are gone through.
const MOST_FOLDERS: usize = 50_000;

/// How deep folders are gone into.
const DEEPEST: usize = 16;

/// Work, as patterns count it, from which on every folder is a member: no more than that up to which they say what is
/// one.
const MOST_WORK: usize = 300_000_000;

/// Patterns that are compared. With more of them, every folder is a member.
const MOST_PATTERNS: usize = 200;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Folders, the root not among them.
    pub folders: Vec<PathBuf>,
    /// Whether there may be more.
    pub cut: bool,
}

/// The members of the workspaces at a root. In doubt a folder is one.
pub(super) fn of(root: &Path) -> Members {
    let mut members = Members::default();
    let text = files::read(&root.join("pnpm-workspace.yaml"), MAX_SIZE);
    let text = match text {
        Ok(None) => return members,
        Ok(Some(text)) => text,
        Err(_) => Vec::new(),
    };
    let patterns = Settings::yaml("pnpm-workspace.yaml", &text).map(|it| {
        let listed = it.under(&["packages"]).filter_map(|it| it.text());
        listed.map(str::to_owned).collect::<Vec<String>>()
    });
    let Ok(patterns) = patterns.map(|it| it.iter().map(|it| upward(it)).collect::<Vec<_>>()) else {
        members.walk(root, &|_| true, &mut |_| true);
        return members;
    };
    let highest = patterns.iter().map(|(up, _)| *up).max().unwrap_or_default();
    for (up, top) in root.ancestors().enumerate().take(highest + 1) {
        let here = patterns.iter().filter(|(it, _)| *it == up);
        let here: Vec<String> = here.map(|(_, pattern)| pattern.clone()).collect();
        if here.is_empty() {
            continue;
        }
        let workspaces = Workspaces::of(&here);
        let everything = !are_plain(&here);
        let mut work = 0;
        members.walk(
            top,
            &|folder| everything || workspaces.reach_into(folder),
            &mut |folder| everything || workspaces.hold(folder, &mut work) || work > MOST_WORK,
        );
    }
    members
}

/// How far above the root a pattern begins, and the pattern from there.
fn upward(pattern: &str) -> (usize, String) {
    let plain = pattern.trim_start_matches('!');
    let (marks, _) = pattern.split_at(pattern.len() - plain.len());
    let mut components = Path::new(plain).components().peekable();
    let is_up = |it: &Component<'_>| matches!(it, Component::ParentDir | Component::CurDir);
    let mut up = 0;
    while let Some(component) = components.next_if(is_up) {
        up += usize::from(component == Component::ParentDir);
    }
    let rest: PathBuf = components.collect();
    (up, format!("{marks}{}", rest.display()))
}

/// Whether patterns are few, and none of them is one that stands for many.
fn are_plain(patterns: &[String]) -> bool {
    let choices: usize = patterns.iter().map(|it| it.matches(',').count()).sum();
    let is_odd = |it: &String| it.matches('{').count() > 1 || it.starts_with("!(");
    patterns.len() + choices <= MOST_PATTERNS && !patterns.iter().any(is_odd)
}

impl Members {
    fn walk(
        &mut self,
        top: &Path,
        into: &dyn Fn(&str) -> bool,
        is_member: &mut dyn FnMut(&str) -> bool,
    ) {
        let mut open = vec![(String::new(), 0)];
        let mut seen = 0;
        while let Some((folder, depth)) = open.pop() {
            let entries = std::fs::read_dir(top.join(&folder)).into_iter();
            for entry in entries.flatten().flatten() {
                let Ok(name) = entry.file_name().into_string() else {
                    continue;
                };
                if matches!(name.as_str(), "node_modules" | "bower_components" | ".git")
                    || !is_folder(&entry)
                {
                    continue;
                }
                seen += 1;
                if seen > MOST_FOLDERS {
                    self.cut = true;
                    return;
                }
                let inner = match folder.as_str() {
                    "" => name,
                    outer => format!("{outer}/{name}"),
                };
                if is_member(&inner) {
                    self.folders.push(top.join(&inner));
                }
                if depth < DEEPEST && into(&inner) {
                    open.push((inner, depth + 1));
                }
            }
        }
    }
}

/// Whether an entry is a folder, or a link to one that it does not lie in itself.
fn is_folder(entry: &std::fs::DirEntry) -> bool {
    let Ok(kind) = entry.file_type() else {
        return false;
    };
    if !kind.is_symlink() {
        return kind.is_dir();
    }
    let path = entry.path();
    let place = path.parent().and_then(|folder| folder.canonicalize().ok());
    match (path.canonicalize(), place) {
        (Ok(target), Some(place)) => target.is_dir() && !place.starts_with(target),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_that_patterns_name() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        for folder in [
            "root/packages/a/node_modules/x",
            "root/packages/b",
            "root/docs",
            "near",
        ] {
            std::fs::create_dir_all(outer.path().join(folder)).unwrap();
        }
        std::os::unix::fs::symlink(&root, root.join("packages/loop")).unwrap();
        std::os::unix::fs::symlink("../docs", root.join("packages/link")).unwrap();
        let many: String = (0..300)
            .map(|number| format!("  - none{number}/*\n"))
            .collect();
        for (text, expected) in [
            (None, ""),
            (Some("minimumReleaseAge: 0\n"), ""),
            (
                Some("packages: [packages/*]\n"),
                "packages/a packages/b packages/link",
            ),
            (
                Some("packages: [packages/*, '!packages/b']\n"),
                "packages/a packages/link",
            ),
            (
                Some("packages: [./packages/a, ../near]\n"),
                "../near packages/a",
            ),
            // What cannot be read, or stands for more than is compared, may be anything.
            (
                Some("packages: [\n"),
                "docs packages packages/a packages/b packages/link",
            ),
            (
                Some(&*format!("packages:\n{many}")),
                "docs packages packages/a packages/b packages/link",
            ),
        ] {
            let file = root.join("pnpm-workspace.yaml");
            match text {
                Some(text) => std::fs::write(&file, text).unwrap(),
                None => assert!(!file.exists()),
            }
            let found = of(&root);
            assert!(!found.cut);
            let mut names: Vec<String> = found
                .folders
                .iter()
                .map(|it| match it.strip_prefix(&root) {
                    Ok(inner) => inner.display().to_string(),
                    Err(_) => format!("../{}", it.strip_prefix(outer.path()).unwrap().display()),
                })
                .collect();
            names.sort();
            assert_eq!(names.join(" "), expected, "{text:?}");
        }
    }
}
