//! The `package.json` files a lockfile is for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use weir_npm::lockfile::{DependencyKind, Format, Lockfile, Workspaces};
use weir_npm::manifest::Manifest;
use weir_npm::settings::{self, Setting, Settings};

use super::catalogs::Catalogs;
use super::client::ClientFiles;
use super::tree::Tree;

/// Largest `package.json` that is read. Real ones are a hundredth of it.
const MAX_SIZE: usize = 4 << 20;

/// Most workspaces that are looked for beside those in the lockfile.
const MOST_FOUND: usize = 5_000;

/// Manifests by folder, and what the root's says to clients.
pub(in crate::commands) struct Manifests {
    by_folder: BTreeMap<String, Manifest>,
    /// Workspace folders whose manifest is not there, or that lie outside the project.
    pub(super) missing: Vec<String>,
    /// Which of both are workspaces by the project's patterns.
    declared: BTreeSet<String>,
    /// All folders that are workspaces by these patterns, whatever the lockfile names.
    found: BTreeMap<String, Found>,
    /// Those of them that the lockfile leaves out because they have one of their own (pnpm).
    apart: Vec<String>,
    root: Value,
    /// The catalogs, where the lockfile lists what they stand for only (yarn).
    catalogs: Option<Catalogs>,
}

/// A workspace that is there.
struct Found {
    manifest: Manifest,
    /// Whether all clients take it for one.
    is_sure: bool,
}

impl Manifests {
    /// Reads the manifests that are in a folder now.
    pub(in crate::commands) fn in_folder(
        folder: &Path,
        lockfile: &Lockfile,
    ) -> Result<Self, (PathBuf, String)> {
        Self::read(&Tree::Folder(folder.to_owned()), lockfile)
    }

    /// Reads the manifests of the root and of all projects the lockfile names.
    pub(super) fn read(tree: &Tree, lockfile: &Lockfile) -> Result<Self, (PathBuf, String)> {
        let failed = |why: &dyn std::fmt::Display| (tree.path("package.json"), why.to_string());
        let text = tree
            .read("package.json", MAX_SIZE)
            .map_err(|why| failed(&why))?
            .ok_or_else(|| failed(&"there is no such file"))?;
        let root = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let root: Value = serde_json::from_slice(root).map_err(|error| failed(&error))?;
        let manifest = Manifest::from_json(&text).map_err(|error| failed(&error))?;
        let mut by_folder = BTreeMap::from([(String::new(), manifest)]);
        let mut missing = Vec::new();
        let patterns = patterns(tree, lockfile.format, &root);
        let mut nested = Vec::new();
        for (_, inner) in lockfile.projects().filter(|(_, inner)| !inner.is_empty()) {
            // A lockfile is a stranger's text: it may not lead anywhere else.
            let inside = Path::new(inner)
                .components()
                .all(|it| matches!(it, Component::Normal(_)));
            let read = || tree.read(&format!("{inner}/package.json"), MAX_SIZE).ok()?;
            let text = inside.then(read).flatten();
            if let (Format::YarnBerry, Some(text)) = (lockfile.format, &text) {
                nested.extend(patterns_of(inner, text));
            }
            match text.and_then(|text| Manifest::from_json(text).ok()) {
                Some(manifest) => {
                    by_folder.insert(inner.to_owned(), manifest);
                }
                None => missing.push(inner.to_owned()),
            }
        }
        let found = found(tree, &Workspaces::of(&patterns));
        let apart = apart(tree, lockfile, &found);
        let all = Workspaces::of(&[patterns, nested].concat());
        let mut work = 0;
        let folders = by_folder.keys().chain(&missing);
        let declared = folders.filter(|folder| all.hold(folder, &mut work));
        let has_catalogs = lockfile.format == Format::YarnBerry
            && lockfile
                .edges
                .iter()
                .any(|edge| edge.spec.starts_with("catalog:"));
        let catalogs =
            has_catalogs.then(|| Catalogs::of(&ClientFiles::read(tree), lockfile.format));
        Ok(Self {
            catalogs,
            declared: declared.cloned().collect(),
            by_folder,
            missing,
            found,
            apart,
            root,
        })
    }

    /// The folders of the workspaces that the lockfile leaves out because they have one of their own, as pnpm
    /// writes them with `sharedWorkspaceLockfile: false`.
    pub(in crate::commands) fn apart(&self) -> &[String] {
        &self.apart
    }

    /// The manifest of a folder that is the project's own: the root's, or a workspace's.
    pub(super) fn workspace(&self, folder: &str) -> Option<&Manifest> {
        if folder.is_empty() || self.declared.contains(folder) {
            return self.by_folder.get(folder);
        }
        self.found.get(folder).map(|found| &found.manifest)
    }

    /// Whether a folder is a workspace whose manifest could not be read.
    pub(super) fn is_unread(&self, folder: &str) -> bool {
        self.declared.contains(folder) && !self.by_folder.contains_key(folder)
    }

    /// The workspaces that are there, as far as all clients agree that they are.
    pub(super) fn found(&self) -> impl Iterator<Item = (&str, &Manifest)> {
        let sure = self.found.iter().filter(|(_, found)| found.is_sure);
        sure.map(|(folder, found)| (folder.as_str(), &found.manifest))
    }

    /// What the root's `package.json` says.
    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    /// Adds to a lockfile what its own format leaves out: the root project (yarn 1's workspaces too), which links
    /// it declares, which entries catalogs lead to or stand for links (yarn), and which of a project's
    /// dependencies are for development.
    pub(in crate::commands) fn complete(&self, lockfile: &mut Lockfile) {
        if let Some(root) = self.of("") {
            lockfile.add_project("", root);
        }
        if lockfile.format == Format::YarnClassic {
            for (folder, manifest) in self.found() {
                lockfile.add_project(folder, manifest);
            }
        }
        let linked = self.linked();
        lockfile.learn_links(|name| linked.get(name).copied());
        lockfile.judge_links(&self.workspaces());
        if let Some(catalogs) = &self.catalogs {
            lockfile.answer_catalogs(|name, spec| catalogs.meant(name, spec));
        }
        for (folder, manifest) in self.all() {
            lockfile.learn_development(folder, manifest);
        }
    }

    /// The paths of the links that `resolutions` set, by the packages they set.
    fn linked(&self) -> BTreeMap<&str, &str> {
        let set = self.root.get("resolutions").and_then(Value::as_object);
        let links = set.into_iter().flatten().filter_map(|(key, text)| {
            Some((last_name(key), text.as_str()?.strip_prefix("link:")?))
        });
        links.collect()
    }

    /// The manifest of a project's folder.
    pub(in crate::commands) fn of(&self, folder: &str) -> Option<&Manifest> {
        self.by_folder.get(folder)
    }

    /// All of them, with their folders.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Manifest)> {
        self.by_folder
            .iter()
            .map(|(folder, manifest)| (folder.as_str(), manifest))
    }

    /// Whether the project has workspaces.
    pub(super) fn has_workspaces(&self) -> bool {
        self.root.get("workspaces").is_some_and(|it| !it.is_null())
    }

    /// The patterns of the project's workspaces: a list, which may be in an object.
    pub(super) fn workspaces(&self) -> Vec<String> {
        listed(&self.root)
    }

    /// The same as [`Self::overridden`], and the catalogs of a lockfile's client, with the settings that are
    /// in a folder now.
    pub(in crate::commands) fn settings_in(
        &self,
        folder: &Path,
        format: Format,
    ) -> (BTreeSet<String>, Catalogs) {
        let files = ClientFiles::read(&Tree::Folder(folder.to_owned()));
        (
            self.overridden(&files, format),
            Catalogs::of(&files, format),
        )
    }

    /// Everything that the projects ask for, with the list it is in and its range, without what is one of
    /// the projects itself.
    pub(in crate::commands) fn asked(&self) -> impl Iterator<Item = (DependencyKind, &str, &str)> {
        let own: BTreeSet<&str> = self
            .all()
            .filter_map(|(_, it)| it.name.as_deref())
            .collect();
        let lists = self.by_folder.values().flat_map(|manifest| {
            [
                (DependencyKind::Normal, &manifest.dependencies),
                (DependencyKind::Dev, &manifest.dev_dependencies),
                (DependencyKind::Optional, &manifest.optional_dependencies),
            ]
        });
        let asked = lists.flat_map(|(kind, list)| {
            list.iter()
                .map(move |(name, spec)| (kind, name.as_str(), spec.as_str()))
        });
        asked.filter(move |(_, name, _)| !own.contains(name))
    }

    /// Packages whose versions the project sets for somebody, whatever is asked for: the names in the lists that
    /// a lockfile's client reads, however deep. pnpm reads those in `package.json` up to its version 10.
    fn overridden(&self, files: &ClientFiles, format: Format) -> BTreeSet<String> {
        let in_workspace = files.pnpm.under(&["overrides"]);
        let in_workspace = in_workspace.filter_map(|setting| setting.key.get(1));
        let in_workspace = in_workspace.filter(|_| format == Format::Pnpm);
        let mut names: BTreeSet<String> =
            in_workspace.map(|key| last_name(key).to_owned()).collect();
        let overrides = self.root.get("overrides");
        let resolutions = self.root.get("resolutions");
        let pnpm = self.root.get("pnpm").and_then(|pnpm| pnpm.get("overrides"));
        let lists = match format {
            Format::Npm => [overrides, None],
            Format::YarnClassic | Format::YarnBerry => [None, resolutions],
            Format::Bun => [overrides, resolutions],
            Format::Pnpm => [pnpm, resolutions],
        };
        let mut open: Vec<&Value> = lists.into_iter().flatten().collect();
        while let Some(Value::Object(members)) = open.pop() {
            for (key, value) in members {
                names.insert(last_name(key).to_owned());
                if value.is_object() {
                    open.push(value);
                }
            }
        }
        names
    }
}

/// The patterns in `workspaces`: a list, which may be in an object.
fn listed(manifest: &Value) -> Vec<String> {
    let said = manifest.get("workspaces");
    let list = said.and_then(|it| it.as_array().or_else(|| it.get("packages")?.as_array()));
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// The patterns of the project's workspaces, where the client has them.
fn patterns(tree: &Tree, format: Format, root: &Value) -> Vec<String> {
    const FILE: &str = "pnpm-workspace.yaml";
    if format != Format::Pnpm {
        return listed(root);
    }
    let text = tree.read(FILE, settings::MAX_SIZE).ok().flatten();
    let read = text.and_then(|text| Settings::yaml(FILE, &text).ok());
    let settings = read.unwrap_or_default();
    let texts = settings.under(&["packages"]).filter_map(Setting::text);
    texts.map(str::to_owned).collect()
}

/// The patterns of a workspace that has workspaces itself, which only yarn 2 and later follows.
fn patterns_of(folder: &str, manifest: &[u8]) -> Vec<String> {
    let manifest = manifest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(manifest);
    let patterns = serde_json::from_slice(manifest).map(|it| listed(&it));
    let patterns = patterns.unwrap_or_default().into_iter();
    let inner = patterns.filter(|it| !it.starts_with('!'));
    inner.map(|it| format!("{folder}/{it}")).collect()
}

/// The workspaces that are there.
fn found(tree: &Tree, workspaces: &Workspaces) -> BTreeMap<String, Found> {
    if workspaces.is_empty() {
        return BTreeMap::new();
    }
    let mut work = 0;
    let mut found = BTreeMap::new();
    for folder in tree.packages(&|folder| workspaces.reach_into(folder)) {
        if found.len() >= MOST_FOUND || !workspaces.hold(&folder, &mut work) {
            continue;
        }
        let text = tree.read(&format!("{folder}/package.json"), MAX_SIZE);
        let text = text.ok().flatten();
        if let Some(manifest) = text.and_then(|text| Manifest::from_json(text).ok()) {
            let is_sure = workspaces.surely_hold(&folder, &mut work);
            found.insert(folder, Found { manifest, is_sure });
        }
    }
    found
}

/// The workspaces that a lockfile of pnpm leaves out and that have one of their own.
fn apart(tree: &Tree, lockfile: &Lockfile, found: &BTreeMap<String, Found>) -> Vec<String> {
    if lockfile.format != Format::Pnpm {
        return Vec::new();
    }
    let own = |folder: &&String| {
        let file = format!("{folder}/{}", crate::commands::lockless::PNPMS);
        // One that cannot be read is there as well.
        !matches!(tree.read(&file, weir_npm::lockfile::MAX_SIZE), Ok(None))
    };
    let left_out = found
        .keys()
        .filter(|folder| lockfile.project(folder).is_none());
    left_out.filter(own).cloned().collect()
}

/// The two sides of the last `>` in an override's key that is none of a range: `a>b`, not `b@>=1 <2 || >3`.
fn before_last(key: &str) -> Option<(&str, &str)> {
    let mut signs = key.match_indices('>').map(|(at, _)| at).rev();
    let at = signs.find(|at| {
        let before = key.get(..*at).unwrap_or_default();
        !before.is_empty() && !before.ends_with([' ', '|', '@'])
    })?;
    Some((key.get(..at)?, key.get(at + 1..)?))
}

/// The package an override is for: `a>b@1`, `**/b`, `a/@s/b` and `b@npm:1` all name `b`.
pub(super) fn last_name(key: &str) -> &str {
    let last = before_last(key).map_or(key, |(_, last)| last);
    // The range of the package above, of which another follows: `a@npm:1/b`.
    let is_above = |at: usize| {
        let range = last.get(at + 1..).and_then(|rest| rest.rsplit_once('/'));
        range.is_some_and(|(range, _)| range.starts_with("npm:") || !range.contains(':'))
    };
    let is_scope = |at: usize| last.get(..at).is_none_or(|it| it.ends_with('/'));
    let (start, end) = match last.rfind('@') {
        Some(at) if at > 0 && !is_scope(at) && !is_above(at) => (0, at),
        _ => (0, last.len()),
    };
    let last = last.get(start..end).unwrap_or(last);
    let from = match last.rfind("/@").map(|at| at + 1) {
        Some(at) => at,
        None if last.starts_with('@') && last.matches('/').count() < 2 => 0,
        None => last.rfind('/').map_or(0, |at| at + 1),
    };
    last.get(from..).unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::last_name;

    #[test]
    fn an_override_names_its_last_package() {
        for (key, name) in [
            ("b", "b"),
            ("@s/b", "@s/b"),
            ("b@^1", "b"),
            ("@s/b@^1", "@s/b"),
            ("a>b", "b"),
            ("b@>=1.0.0 <2", "b"),
            ("b@<1 || >3", "b"),
            ("b@<1 ||>3", "b"),
            ("a@>1>@s/b@>=2", "@s/b"),
            ("a@1>@s/b@2", "@s/b"),
            ("**/b", "b"),
            ("a/@s/b", "@s/b"),
            ("a/b", "b"),
            ("a@npm:^1.0.0/b", "b"),
            ("a@^1.0.0/@s/b", "@s/b"),
            ("a@npm:1/b@npm:2", "b"),
            ("@s/a/b", "b"),
            ("@s/a/@t/b", "@t/b"),
            ("b@npm:^1.0.0", "b"),
        ] {
            assert_eq!(last_name(key), name, "{key}");
        }
    }
}
