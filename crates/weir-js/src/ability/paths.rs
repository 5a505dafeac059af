//! What it means to write or remove a path.

use weir_model::contents::CapabilityKind;

use super::fold::OWN;
use super::{Act, Sure};
use crate::flow::UNKNOWN;
use crate::tables::writes::{self, Trusted};

/// What is done to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Written, appended to, replaced.
    Write,
    /// Removed; a whole tree or not.
    Remove {
        /// With everything below.
        tree: bool,
    },
}

/// A path that a call writes or removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touch {
    /// What is done.
    pub(crate) verb: Verb,
    /// The folded path. [`OWN`] stands for the folder of the file, `~` for the home folder.
    pub(crate) path: String,
    /// The function that does it.
    pub(crate) by: String,
    /// Byte offset in the file.
    pub(crate) offset: u32,
}

/// Where a path lies, seen from a file of the package.
enum Where {
    /// In the package, by its path there.
    Own(String),
    /// In another installed package.
    Sibling(String),
    /// Somewhere else.
    Elsewhere(String),
}

/// Where code runs that touches a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stand<'a> {
    /// The file.
    pub(crate) file: &'a str,
    /// Whether the working folder is the package's own.
    pub(crate) at_install: bool,
    /// Name of the package.
    pub(crate) package: Option<&'a str>,
}

impl Stand<'_> {
    /// Where a command runs of which only that is known: at the package's root, by whoever calls it.
    pub(crate) const COMMAND: Self = Self {
        file: "package.json",
        at_install: false,
        package: None,
    };
}

/// The ability that a touched path shows.
pub(crate) fn judge(touch: &Touch, stand: Stand<'_>) -> Option<Act> {
    let Stand {
        file, at_install, ..
    } = stand;
    let shown = |path: &str| {
        let path = path.replace(UNKNOWN, "…").replace('\u{f8fd}', "itself");
        format!("{} by {}", path, touch.by)
    };
    let act = |kind, detail: String| {
        Some(Act {
            kind,
            detail: detail.into(),
            offset: touch.offset,
            sure: Sure::Exact,
        })
    };
    let moves = ["rename", "move", "mv"]
        .iter()
        .any(|it| touch.by.starts_with(it));
    let places = moves
        || ["symlink", "link"]
            .iter()
            .any(|it| touch.by.starts_with(it));
    if places
        && touch.verb == Verb::Write
        && let Some(package) = whole_package(&touch.path)
    {
        return act(CapabilityKind::WritesPackages, shown(&package));
    }
    let place = locate(&touch.path, file, at_install);
    match (touch.verb, place) {
        (Verb::Write, Where::Own(path)) if path == "package.json" => act(
            CapabilityKind::WritesPackages,
            format!("its own package.json by {}", touch.by),
        ),
        (Verb::Write, Where::Sibling(path)) if !at_install && is_own_data(&path, stand.package) => {
            None
        }
        (Verb::Write, Where::Sibling(path)) => act(CapabilityKind::WritesPackages, shown(&path)),
        // The running file, replaced by another text.
        (Verb::Write, Where::Own(path)) if path.contains('\u{f8fd}') => {
            act(CapabilityKind::RemovesItself, shown(&path))
        }
        (Verb::Write, Where::Own(_)) => None,
        (Verb::Write, Where::Elsewhere(path)) => {
            // Every file of a folder of the user's is written over.
            if path.ends_with("/*") && is_everything(&path) {
                return act(CapabilityKind::RemovesHome, shown(&path));
            }
            if let Some(row) = writes::find(&path) {
                let kind = match row.trusted {
                    Trusted::Agent => CapabilityKind::DrivesAgents,
                    Trusted::Packages | Trusted::Lockfile => CapabilityKind::WritesPackages,
                    _ => CapabilityKind::Persists,
                };
                let detail = format!("{}, {}", row.trusted.in_words(), shown(&path));
                // Tools that manage git hooks or lockfiles write them: where something else of the kind
                // is written too, that is what is told.
                let sure = match row.trusted {
                    Trusted::GitHook | Trusted::Lockfile => Sure::Loaded,
                    _ => Sure::Exact,
                };
                return act(kind, detail).map(|act| Act { sure, ..act });
            }
            let is_outside = (path.starts_with("~/") || path.starts_with('/'))
                && !["/tmp", "/dev/", "/proc/"]
                    .iter()
                    .any(|start| path.starts_with(start));
            if is_outside {
                return act(CapabilityKind::WritesOutside, shown(&path));
            }
            None
        }
        (Verb::Remove { .. }, Where::Own(path))
            if path == file || path == "package.json" || path.contains('\u{f8fd}') =>
        {
            act(CapabilityKind::RemovesItself, shown(&path))
        }
        (Verb::Remove { .. }, Where::Sibling(path)) => {
            act(CapabilityKind::WritesPackages, shown(&path))
        }
        (Verb::Remove { tree: true }, Where::Elsewhere(path)) => {
            let kind = if is_everything(&path) {
                CapabilityKind::RemovesHome
            } else {
                CapabilityKind::Removes
            };
            act(kind, shown(&path))
        }
        // What a person put there is gone from where it was, with everything below.
        (Verb::Remove { tree: false }, Where::Elsewhere(path))
            if moves && is_named_personal(&path) =>
        {
            act(CapabilityKind::RemovesHome, shown(&path))
        }
        (Verb::Remove { .. }, _) => None,
    }
}

/// Whether a path is a home folder, a drive or the root: nothing that a package may remove.
pub(crate) fn is_everything(path: &str) -> bool {
    let path = path.trim_end_matches("/*").trim_end_matches("/.");
    let bare = path.trim_end_matches('/');
    let is_root = matches!(
        bare,
        "" | "~"
            | "$HOME"
            | "${HOME}"
            | "%USERPROFILE%"
            | "$env:USERPROFILE"
            | "/home"
            | "/Users"
            | "/root"
            | "/etc"
            | "/usr"
            | "/var"
            | "~/Documents"
            | "~/Desktop"
            | "~/.ssh"
    );
    let is_drive = bare.len() == 2
        && bare.ends_with(':')
        && bare.starts_with(|c: char| c.is_ascii_alphabetic());
    (is_root && !path.is_empty()) || is_drive || is_personal(bare)
}

/// Whether a path is a visible folder right in the home folder: what a person put there. Programs
/// keep their own in folders that begin with a dot, or in those of the system.
fn is_personal(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("~/") else {
        return false;
    };
    let last = rest.rsplit('/').next().unwrap_or(rest);
    let is_visible = !rest.contains(['/', UNKNOWN, '$', '%'])
        && !rest.starts_with('.')
        && !matches!(rest, "AppData" | "Library" | "snap" | "node_modules");
    is_visible || PERSONAL.contains(&last)
}

/// Folders that every home folder has, and whose contents are a person's.
const PERSONAL: [&str; 6] = [
    "Documents",
    "Desktop",
    "Downloads",
    "Pictures",
    ".ssh",
    ".gnupg",
];

/// Whether a path is one of those.
fn is_named_personal(path: &str) -> bool {
    path.strip_prefix("~/")
        .and_then(|rest| rest.rsplit('/').next())
        .is_some_and(|last| PERSONAL.contains(&last))
}

fn locate(path: &str, file: &str, at_install: bool) -> Where {
    if let Some(rest) = path.strip_prefix(OWN) {
        return from_own(rest, file);
    }
    if let Some(other) = other_package(path) {
        return Where::Sibling(other);
    }
    if at_install && matches!(path, "package.json" | "./package.json") {
        return Where::Own("package.json".to_owned());
    }
    Where::Elsewhere(path.to_owned())
}

/// A path relative to the folder of `file`.
fn from_own(rest: &str, file: &str) -> Where {
    let mut folder: Vec<&str> = file.split('/').collect();
    folder.pop();
    let mut outside = 0_usize;
    for component in rest.split('/').filter(|component| !component.is_empty()) {
        match component {
            ".." if folder.pop().is_none() => outside += 1,
            ".." => {}
            // Outside of the package only what names another package matters.
            other => folder.push(other),
        }
    }
    let inside = folder.join("/");
    if let Some(other) = other_package(&inside) {
        return Where::Sibling(other);
    }
    match outside {
        0 => Where::Own(inside),
        // `node_modules`, or the scope's folder in it.
        1 | 2 if is_package_file(&inside) && !is_part(&inside) => {
            Where::Sibling(format!("../{inside}"))
        }
        _ => Where::Elsewhere(format!("../{inside}")),
    }
}

/// What folders of a package are called. Code that goes up one folder too many, as it lies elsewhere
/// in the project that it is built from, means its own.
const PARTS: [&str; 9] = [
    "bin", "build", "dist", "docs", "lib", "out", "scripts", "src", "test",
];

/// Whether a path beside the package begins with what its own folders are called.
fn is_part(path: &str) -> bool {
    let first = path.split('/').next();
    first.is_some_and(|first| PARTS.contains(&first))
}

/// Whether `path` names a file of a package that lies beside ours.
fn is_package_file(path: &str) -> bool {
    path.split_once('/').is_some_and(|(name, rest)| {
        // Whichever package it is: only its manifest says that it is one.
        let is_named = !name.contains(UNKNOWN) || rest == "package.json";
        !name.starts_with('.') && is_named && !rest.is_empty()
    })
}

/// The part of a path from the last `node_modules/` on, where it names a package. Folders that begin
/// with a dot are caches and generated clients.
fn other_package(path: &str) -> Option<String> {
    let at = path.rfind("node_modules/")?;
    let rest = path.get(at + "node_modules/".len()..)?;
    is_package_file(rest).then(|| format!("node_modules/{rest}"))
}

/// Endings of files that hold data and no code.
const DATA: [&str; 9] = [
    ".css", ".html", ".json", ".log", ".map", ".toml", ".txt", ".yaml", ".yml",
];

/// Whether a path leads to data in the folder of a package, where that lies once installed: to a package of that name
/// these are its own files. Its manifest and its code decide what runs next time, whoever writes them.
pub(crate) fn is_own_data(path: &str, package: Option<&str>) -> bool {
    let installed = path.rsplit_once("node_modules/").map(|(_, rest)| rest);
    let inside = installed
        .zip(package)
        .and_then(|(rest, name)| rest.strip_prefix(name)?.strip_prefix('/'));
    inside.is_some_and(|inside| {
        let is_data = DATA.iter().any(|ending| inside.ends_with(ending));
        is_data && !inside.contains("..") && inside != "package.json"
    })
}

/// The package whose whole folder a path is, by its name: `node_modules/ethers`, `node_modules/@a/b`.
fn whole_package(path: &str) -> Option<String> {
    let (_, name) = path.trim_end_matches('/').rsplit_once("node_modules/")?;
    let is_scoped = name.starts_with('@');
    let parts = name.split('/').count();
    let is_whole = parts == 1 + usize::from(is_scoped);
    let is_named =
        !name.is_empty() && !name.starts_with('.') && !name.contains([UNKNOWN, '$', '*']);
    // In the folder where it runs it is a package's own arrangement.
    let is_own = path.trim_start_matches("./").starts_with("node_modules/");
    (is_whole && is_named && !is_own).then(|| format!("node_modules/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(file: &str) -> Stand<'_> {
        Stand {
            file,
            at_install: true,
            package: Some("own"),
        }
    }

    fn kind(verb: Verb, path: &str, file: &str) -> Option<CapabilityKind> {
        let touch = Touch {
            verb,
            path: path.to_owned(),
            by: "f".to_owned(),
            offset: 0,
        };
        judge(&touch, installed(file)).map(|act| act.kind)
    }

    #[test]
    fn a_package_knows_its_own_data_by_name() {
        for (path, own) in [
            ("node_modules/@acme/tool/__dev/w.json", true),
            ("/srv/app/node_modules/@acme/tool/w.json", true),
            ("node_modules/@acme/tool/package.json", false),
            ("node_modules/@acme/tool/index.js", false),
            ("node_modules/@acme/tool/../../x/w.json", false),
            ("node_modules/@acme/tools/w.json", false),
            ("@acme/tool/w.json", false),
        ] {
            assert_eq!(is_own_data(path, Some("@acme/tool")), own, "{path}");
            assert!(!is_own_data(path, None), "{path}");
        }
    }

    #[test]
    fn paths_are_told_apart() {
        use CapabilityKind::*;
        let tree = Verb::Remove { tree: true };
        let one = Verb::Remove { tree: false };
        let own = |rest: &str| format!("{OWN}{rest}");
        for (verb, path, file, expected) in [
            (
                Verb::Write,
                own("/../package.json"),
                "lib/a.js",
                Some(WritesPackages),
            ),
            (Verb::Write, own("/package.json"), "lib/a.js", None),
            (
                Verb::Write,
                own("/../ethers/lib/x.js"),
                "a.js",
                Some(WritesPackages),
            ),
            (Verb::Write, own("/../../dist/x.js"), "lib/a/b.js", None),
            (Verb::Write, own("/../bin/.tool"), "a.js", None),
            (
                Verb::Write,
                own("/../binary/.tool"),
                "a.js",
                Some(WritesPackages),
            ),
            (
                Verb::Write,
                "x/node_modules/ethers/i.js".to_owned(),
                "a.js",
                Some(WritesPackages),
            ),
            (
                Verb::Write,
                "node_modules/.cache/i.js".to_owned(),
                "a.js",
                None,
            ),
            (Verb::Write, "~/.bashrc".to_owned(), "a.js", Some(Persists)),
            (
                Verb::Write,
                "~/.claude/settings.json".to_owned(),
                "a.js",
                Some(DrivesAgents),
            ),
            (
                Verb::Write,
                "~/notes".to_owned(),
                "a.js",
                Some(WritesOutside),
            ),
            (Verb::Write, "dist/x".to_owned(), "a.js", None),
            (Verb::Write, "/tmp/x".to_owned(), "a.js", None),
            (tree, "~".to_owned(), "a.js", Some(RemovesHome)),
            (tree, "/".to_owned(), "a.js", Some(RemovesHome)),
            (tree, "C:\\".replace('\\', "/"), "a.js", Some(RemovesHome)),
            (tree, "~/projects/*".to_owned(), "a.js", Some(RemovesHome)),
            (tree, "~/x/Documents".to_owned(), "a.js", Some(RemovesHome)),
            (tree, "~/.cache".to_owned(), "a.js", Some(Removes)),
            (tree, "~/.cache/tool".to_owned(), "a.js", Some(Removes)),
            (
                tree,
                "~/projects/tool/cache".to_owned(),
                "a.js",
                Some(Removes),
            ),
            (tree, format!("~/{UNKNOWN}"), "a.js", Some(Removes)),
            (
                Verb::Write,
                format!("../node_modules/{UNKNOWN}/package.json"),
                "a.js",
                Some(WritesPackages),
            ),
            (
                Verb::Write,
                format!("../node_modules/{UNKNOWN}/index.js"),
                "a.js",
                None,
            ),
            (Verb::Write, own("/\u{f8fd}"), "a.js", Some(RemovesItself)),
            (tree, "dist".to_owned(), "a.js", Some(Removes)),
            (one, "dist/x".to_owned(), "a.js", None),
            (one, own("/\u{f8fd}"), "a.js", Some(RemovesItself)),
            (one, own("/a.js"), "a.js", Some(RemovesItself)),
            (one, own("/b.js"), "a.js", None),
            (
                Verb::Write,
                "/srv/x/package-lock.json".to_owned(),
                "a.js",
                Some(WritesPackages),
            ),
            (Verb::Write, "package-lock.json".to_owned(), "a.js", None),
            (Verb::Write, own("/package-lock.json"), "a.js", None),
            (
                Verb::Write,
                "~/.npm/_cacache/index-v5/x".to_owned(),
                "a.js",
                Some(WritesPackages),
            ),
            (
                Verb::Write,
                "/srv/x/.envrc".to_owned(),
                "a.js",
                Some(Persists),
            ),
            (
                Verb::Write,
                "~/projects/*".to_owned(),
                "a.js",
                Some(RemovesHome),
            ),
        ] {
            assert_eq!(kind(verb, &path, file), expected, "{path}");
        }
    }

    #[test]
    fn whole_folders_are_moved_and_linked() {
        use CapabilityKind::*;
        let kind = |verb, path: &str, by: &str| {
            let touch = Touch {
                verb,
                path: path.to_owned(),
                by: by.to_owned(),
                offset: 0,
            };
            // Where it lies outside of all that is known it may be told for that.
            judge(&touch, installed("a.js"))
                .map(|act| act.kind)
                .filter(|kind| *kind != WritesOutside)
        };
        let one = Verb::Remove { tree: false };
        for (verb, path, by, expected) in [
            (one, "~/Documents", "renameSync", Some(RemovesHome)),
            (one, "~/x/.ssh", "mv", Some(RemovesHome)),
            (one, "~/.cache/tool/old", "renameSync", None),
            (one, "~/tool", "renameSync", None),
            (one, "~/Documents", "unlinkSync", None),
            (
                Verb::Write,
                "/x/node_modules/ethers",
                "symlinkSync",
                Some(WritesPackages),
            ),
            (
                Verb::Write,
                "../../node_modules/@a/b",
                "renameSync",
                Some(WritesPackages),
            ),
            (Verb::Write, "/x/node_modules/@a", "symlinkSync", None),
            (Verb::Write, "/x/node_modules/.bin", "symlinkSync", None),
            (Verb::Write, "node_modules/src", "symlinkSync", None),
            (Verb::Write, "/x/node_modules/\u{f8ff}", "symlinkSync", None),
        ] {
            assert_eq!(kind(verb, path, by), expected, "{path} by {by}");
        }
    }
}
