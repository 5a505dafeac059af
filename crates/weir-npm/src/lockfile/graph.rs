//! The one graph all lockfiles are read into.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::Format;
use super::workspaces::wild;
use super::yarn_classic::as_written;
use crate::manifest::Manifest;

/// Number of a node in [`Lockfile::nodes`].
pub type NodeId = usize;

/// A lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// Which client wrote it.
    pub format: Format,
    /// The format's version, as it is written; empty where the file does not say (yarn 1).
    pub version: String,
    /// What is locked, in the order of the file, and the projects it is locked for.
    pub nodes: Vec<Node>,
    /// Who depends on whom.
    pub edges: Vec<Edge>,
    /// What the lockfile repeats of the project's own settings.
    pub terms: Terms,
    /// Where an entry lists the requests it answers (yarn): the request, and its node.
    pub(super) requests: HashMap<String, NodeId>,
}

/// Settings a lockfile repeats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Packages forced to another version: `overrides` (pnpm, bun), where the file repeats them. What is for
    /// the requests of one package only is under `asker>name`.
    pub overrides: BTreeMap<String, String>,
    /// Packages that may run install scripts (bun's `trustedDependencies`).
    pub trusted: BTreeSet<String>,
    /// Releases whose files are changed after unpacking.
    pub patched: BTreeSet<String>,
    /// What changes them, in the order of the file.
    pub patches: Vec<Patch>,
    /// The patterns of the workspaces, as npm's file repeats them; `None` where it has no entry for the
    /// root, as the one hidden in `node_modules` and those of version 1.
    pub workspaces: Option<Vec<String>>,
    /// What catalogs ask for, by catalog and package, where the file repeats it (pnpm, bun).
    pub catalogs: BTreeMap<(String, String), String>,
    /// Whether code of the project's own may have changed what is asked for (pnpm's `.pnpmfile.cjs`).
    pub hooked: bool,
    /// Whether what is asked for as `link:` is left out (pnpm's `excludeLinksFromLockfile`); `None` where the
    /// file does not say.
    pub without_links: Option<bool>,
    /// Patterns of optional dependencies that are left out (pnpm's `ignoredOptionalDependencies`).
    pub ignored_optional: BTreeSet<String>,
}

/// Files of the project that change a release's own after unpacking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// What is changed: `name` or `name@version`.
    pub release: String,
    /// The line it is named on.
    pub line: u32,
    /// Where the patches are, seen from the lockfile's folder; none where the file does not say.
    pub files: Vec<String>,
    /// The client's digest of them, as written.
    pub hash: Option<String>,
}

/// The catalog that is meant where none is named.
pub const DEFAULT_CATALOG: &str = "default";

/// The catalog that is meant by what follows `catalog:`.
#[must_use]
pub fn named_catalog(text: &str) -> &str {
    match text.trim() {
        "" => DEFAULT_CATALOG,
        catalog => catalog,
    }
}

impl Terms {
    /// Notes what changes a release.
    pub(super) fn patch(&mut self, patch: Patch) {
        self.patched.insert(patch.release.clone());
        self.patches.push(patch);
    }

    /// What the file repeats of a catalog, which is named as after `catalog:`.
    #[must_use]
    pub fn catalog(&self, catalog: &str, package: &str) -> Option<&str> {
        let key = (named_catalog(catalog).to_owned(), package.to_owned());
        self.catalogs.get(&key).map(String::as_str)
    }

    /// Whether an optional dependency may be left out for its name. Among patterns that exclude others it is
    /// not told apart which one counts.
    #[must_use]
    pub fn may_ignore(&self, name: &str) -> bool {
        let takes = |pattern: &String| {
            pattern.starts_with('!') || wild(pattern.as_bytes(), name.as_bytes())
        };
        self.ignored_optional.iter().any(takes)
    }
}

/// An entry of a lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The entry's key, as it is written.
    pub key: String,
    /// The line its key is on.
    pub line: u32,
    /// The name it is installed under: another one than `name` for an alias.
    pub place: String,
    /// The package's name.
    pub name: String,
    /// Its version, where the entry says.
    pub version: Option<String>,
    /// The version the entry says it is, where its resolution is to another, which is what is fetched (yarn).
    pub other_version: Option<String>,
    /// The patch the entry is asked for as, where its resolution is to another (yarn).
    pub other_patch: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// Digests of the tarball, as they are written.
    pub integrity: Option<String>,
    /// yarn's digest of its own archive, made from the tarball: nothing a registry could confirm.
    pub checksum: Option<String>,
    /// Its licence as the entry repeats it from the package; only npm's format does.
    pub licence: Option<String>,
    /// Fields that its client never writes there and would believe all the same (npm).
    pub unwritten: Vec<&'static str>,
    /// The packages that it says it brings inside itself (npm's `bundleDependencies`).
    pub bundles: Vec<String>,
    /// What else the entry says.
    pub flags: Flags,
}

/// What else an entry says of itself. What a format does not say is `false`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// Only needed for development.
    pub dev: bool,
    /// May be left out, as on other platforms.
    pub optional: bool,
    /// There only because another package expects it beside itself.
    pub peer: bool,
    /// Comes inside another package's tarball: only where the entry lies in such a package. See
    /// [`Node::is_served`].
    pub bundled: bool,
    /// Limited to some operating systems, processors or C libraries.
    pub platform: bool,
    /// Has install scripts or builds native code.
    pub scripts: bool,
    /// The project changes its files after unpacking.
    pub patched: bool,
    /// Brings a lockfile of its own, which npm follows for what lies below it.
    pub shrinkwrap: bool,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The project itself or one of its workspaces; its folder, empty for the root.
    Project(String),
    /// A registry; the tarball's address where the entry gives it.
    Registry(Option<String>),
    /// A git repository.
    Git {
        /// Where it is, without the commit.
        url: String,
        /// The commit or branch.
        commit: Option<String>,
    },
    /// A tarball at an address of its own.
    Tarball(String),
    /// A folder or a tarball on the same machine.
    File(String),
    /// A link to a folder.
    Link(String),
    /// Another release with changed files: yarn's `patch:`.
    Patch(String),
    /// Something the reader does not know, as written.
    Other(String),
}

/// In which of its lists a package names another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DependencyKind {
    /// `dependencies`.
    Normal,
    /// `devDependencies`.
    Dev,
    /// `optionalDependencies`.
    Optional,
    /// `peerDependencies`.
    Peer,
    /// What the client itself is set up with: pnpm's `configDependencies`, and the pnpm a project asks for.
    Client,
}

/// One package depends on another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Who.
    pub from: NodeId,
    /// The name it uses.
    pub name: String,
    /// What it asks for; what it got, where the format writes that only (pnpm below the projects).
    pub spec: String,
    /// In which list.
    pub kind: DependencyKind,
    /// Whether it may be missing.
    pub optional: bool,
    /// What it gets; `None` where the lockfile holds nothing for it.
    pub to: Option<NodeId>,
    /// The line it is on.
    pub line: u32,
}

impl Lockfile {
    pub(super) fn new(format: Format, version: &str) -> Self {
        Self {
            format,
            version: version.to_owned(),
            nodes: Vec::new(),
            edges: Vec::new(),
            terms: Terms::default(),
            requests: HashMap::new(),
        }
    }

    pub(super) fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// An entry.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The project of a folder; the root's is the empty text.
    #[must_use]
    pub fn project(&self, folder: &str) -> Option<NodeId> {
        self.nodes
            .iter()
            .position(|node| matches!(&node.source, Source::Project(it) if it == folder))
    }

    /// The projects, with their folders.
    pub fn projects(&self) -> impl Iterator<Item = (NodeId, &str)> {
        self.nodes.iter().enumerate().filter_map(|(id, node)| {
            let Source::Project(folder) = &node.source else {
                return None;
            };
            Some((id, folder.as_str()))
        })
    }

    /// What a node depends on.
    pub fn edges_of(&self, id: NodeId) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.from == id)
    }

    /// The requests that entries answer, in a format that lists them (yarn): name, text, entry.
    pub fn requests(&self) -> impl Iterator<Item = (&str, &str, NodeId)> {
        let all = self.requests.iter();
        all.filter_map(|(request, id)| split_name(request).map(|(name, spec)| (name, spec, *id)))
    }

    /// The entry that answers a request, in a format that lists requests (yarn).
    #[must_use]
    pub fn answering(&self, name: &str, spec: &str) -> Option<NodeId> {
        let exact = |spec: &str| self.requests.get(&format!("{name}@{spec}")).copied();
        exact(spec).or_else(|| exact(&format!("npm:{spec}")))
    }

    /// Adds the project of a folder, for a format that does not hold it (yarn 1, npm's version 1). Does
    /// nothing where it is there with dependencies of its own.
    pub fn add_project(&mut self, folder: &str, manifest: &Manifest) {
        let there = self.project(folder);
        if there.is_some_and(|id| self.edges_of(id).next().is_some()) {
            return;
        }
        let from = there.unwrap_or_else(|| self.push(Node::project(folder, manifest)));
        let top: HashMap<&str, NodeId> = match self.format {
            Format::Npm => self
                .nodes
                .iter()
                .enumerate()
                .filter_map(top_level)
                .collect(),
            _ => HashMap::new(),
        };
        let optional = &manifest.optional_dependencies;
        let lists = [
            (DependencyKind::Optional, optional),
            (DependencyKind::Normal, &manifest.dependencies),
            (DependencyKind::Dev, &manifest.dev_dependencies),
        ];
        let mut edges = Vec::new();
        for (kind, list) in lists {
            for (name, spec) in list {
                if kind != DependencyKind::Optional && optional.contains_key(name) {
                    continue;
                }
                let to = top.get(name.as_str()).copied();
                let written = match self.format {
                    Format::YarnClassic => as_written(folder, spec),
                    _ => None,
                };
                let written = written.and_then(|spec| self.answering(name, &spec));
                let to = to.or(written);
                edges.push(Edge {
                    from,
                    name: name.clone(),
                    spec: spec.clone(),
                    kind,
                    optional: kind == DependencyKind::Optional,
                    to: to.or_else(|| self.answering(name, spec)),
                    line: 1,
                });
            }
        }
        self.edges.extend(edges);
    }

    /// Believes that an entry comes inside another package only where it lies in one that is fetched: a
    /// project and a folder bring nothing. `above` is the key of what an entry with a key lies in.
    pub(super) fn judge_bundles(&mut self, above: fn(&str) -> Option<&str>) {
        let brings = |node: &Node| {
            matches!(
                node.source,
                Source::Registry(_) | Source::Tarball(_) | Source::Git { .. } | Source::File(_)
            )
        };
        let nodes = self.nodes.iter().filter(|node| brings(node));
        let bringing: HashSet<&str> = nodes.map(|node| node.key.as_str()).collect();
        let lone = |node: &Node| {
            node.flags.bundled && !above(&node.key).is_some_and(|key| bringing.contains(key))
        };
        let nodes = self.nodes.iter().enumerate();
        let lone: Vec<NodeId> = nodes
            .filter(|(_, node)| lone(node))
            .map(|(id, _)| id)
            .collect();
        for id in lone {
            if let Some(node) = self.nodes.get_mut(id) {
                node.flags.bundled = false;
            }
        }
    }

    /// The ways from the projects to everything else.
    #[must_use]
    pub fn paths(&self) -> Paths<'_> {
        Paths {
            lockfile: self,
            from: self.reached(),
        }
    }

    /// For each node the edge by which a shortest way from a project first comes to it.
    fn reached(&self) -> Vec<Option<usize>> {
        let mut out: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (number, edge) in self.edges.iter().enumerate() {
            if let Some(list) = out.get_mut(edge.from) {
                list.push(number);
            }
        }
        let mut from = vec![None; self.nodes.len()];
        let mut seen = vec![false; self.nodes.len()];
        let mut queue: VecDeque<NodeId> = self.projects().map(|(id, _)| id).collect();
        for id in &queue {
            if let Some(seen) = seen.get_mut(*id) {
                *seen = true;
            }
        }
        while let Some(id) = queue.pop_front() {
            for number in out.get(id).into_iter().flatten().copied() {
                let to = self.edges.get(number).and_then(|edge| edge.to);
                let Some(to) = to else { continue };
                if let (Some(seen @ false), Some(from)) = (seen.get_mut(to), from.get_mut(to)) {
                    *seen = true;
                    *from = Some(number);
                    queue.push_back(to);
                }
            }
        }
        from
    }

    /// Name and version of everything that is no project, no link and no file: what a registry or another
    /// server is asked for.
    #[must_use]
    pub fn releases(&self) -> BTreeSet<(&str, &str)> {
        self.nodes
            .iter()
            .filter(|node| !node.is_local())
            .filter_map(|node| Some((node.name.as_str(), node.version.as_deref()?)))
            .collect()
    }
}

/// Why things are in a lockfile.
#[derive(Debug)]
pub struct Paths<'l> {
    lockfile: &'l Lockfile,
    from: Vec<Option<usize>>,
}

impl<'l> Paths<'l> {
    /// A shortest way from a project to a node. Empty for a project, and for what no project leads to.
    #[must_use]
    pub fn to(&self, id: NodeId) -> Vec<&'l Edge> {
        let before = |id: NodeId| {
            let number = self.from.get(id).copied().flatten()?;
            self.lockfile.edges.get(number)
        };
        let mut path = Vec::new();
        let mut at = id;
        while let Some(edge) = before(at) {
            path.push(edge);
            at = edge.from;
        }
        path.reverse();
        path
    }
}

/// What lies directly in the root's `node_modules`.
fn top_level((id, node): (NodeId, &Node)) -> Option<(&str, NodeId)> {
    let place = node.key.strip_prefix("node_modules/")?;
    (!place.contains("/node_modules/")).then_some((place, id))
}

impl Node {
    pub(super) fn new(key: &str, line: u32, name: &str, source: Source) -> Self {
        Self {
            key: key.to_owned(),
            line,
            place: name.to_owned(),
            name: name.to_owned(),
            version: None,
            other_version: None,
            other_patch: None,
            source,
            integrity: None,
            checksum: None,
            licence: None,
            unwritten: Vec::new(),
            bundles: Vec::new(),
            flags: Flags::default(),
        }
    }

    fn project(folder: &str, manifest: &Manifest) -> Self {
        let name = manifest.name.as_deref().unwrap_or_default();
        let mut node = Self::new(folder, 1, name, Source::Project(folder.to_owned()));
        node.version.clone_from(&manifest.version);
        node
    }

    /// Whether it is the project, or lies on the same machine.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        matches!(
            self.source,
            Source::Project(_) | Source::Link(_) | Source::File(_)
        )
    }

    /// Whether a client fetches it from a registry. It does not what comes inside another package's tarball,
    /// which that one's digest covers; but an address or a digest beside that word is what is fetched where
    /// the other package does not hold it after all.
    #[must_use]
    pub fn is_served(&self) -> bool {
        match &self.source {
            Source::Registry(address) => {
                !self.flags.bundled || address.is_some() || self.integrity.is_some()
            }
            _ => false,
        }
    }

    /// Whether nobody can say what the entry is of: it leads to what is neither an address nor a path, and no
    /// client writes such a place. What npm makes of it need not be what the entry's name and version say:
    /// `npm:other@1.0.0`, or a tag, is looked up and installed. yarn 2 and later have protocols of their own,
    /// and plugins may add others.
    #[must_use]
    pub fn is_unclear(&self, format: Format) -> bool {
        matches!(self.source, Source::Other(_)) && format != Format::YarnBerry
    }

    /// `name@version`, or the name alone.
    #[must_use]
    pub fn label(&self) -> String {
        self.version.as_ref().map_or_else(
            || self.name.clone(),
            |version| format!("{}@{version}", self.name),
        )
    }
}

impl Source {
    /// What an address says it is: git, a tarball, a file or a link. `None` for a version or a range.
    pub(super) fn of_address(text: &str) -> Option<Self> {
        use crate::spec::{DependencySpec, classify};
        if let Some(path) = text
            .strip_prefix("link:")
            .or_else(|| text.strip_prefix("portal:"))
        {
            return Some(Self::Link(path.to_owned()));
        }
        match classify("", text) {
            DependencySpec::Git { url, committish } => Some(Self::Git {
                url,
                commit: committish.map(|it| it.strip_prefix("commit=").unwrap_or(&it).to_owned()),
            }),
            // yarn pins git over https like this.
            DependencySpec::Url(url) => Some(match url.split_once("#commit=") {
                Some((url, commit)) => Self::Git {
                    url: url.to_owned(),
                    commit: Some(commit.to_owned()),
                },
                None => Self::Tarball(url),
            }),
            DependencySpec::File(path) => Some(Self::File(path)),
            DependencySpec::Range(_) | DependencySpec::Tag(_) | DependencySpec::Alias { .. } => {
                None
            }
            DependencySpec::Workspace(text)
            | DependencySpec::Catalog(text)
            | DependencySpec::Other(text) => Some(Self::Other(text)),
        }
    }
}

/// `name@rest`, where the name may start with an `@` of its own.
pub(super) fn split_name(text: &str) -> Option<(&str, &str)> {
    let scope = usize::from(text.starts_with('@'));
    let at = scope + text.get(scope..)?.find('@')?;
    let (name, rest) = (text.get(..at)?, text.get(at + 1..)?);
    (!name.is_empty()).then_some((name, rest))
}

/// A path inside a project without detours, seen from a folder of it. It has no slash in front, even where the
/// folder has one.
#[must_use]
pub fn folder_from(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
