//! pnpm's YAML: `importers`, `packages` and, since version 9, `snapshots`.
//!
//! pnpm 11 and later write a document of their own before the project's when the project asks for a pnpm of
//! its own or for packages that configure pnpm. What is in it is downloaded and run like everything else, so
//! it is read into the same graph.
//!
//! One package is there once per set of peers it was installed with. Here it is one node, and its edges
//! are those of all its sets.

mod complete;
mod contradictions;

use std::collections::{HashMap, HashSet};

use super::error::{LockfileError, Problem};
use super::graph::{
    DependencyKind, Edge, Lockfile, Node, NodeId, Patch, Source, folder_from, split_name,
};
use super::npm::is_limited;
use super::tree::{Kind, Member, Value};
use super::{Extent, Format};

const LISTS: [(&str, DependencyKind); 3] = [
    ("dependencies", DependencyKind::Normal),
    ("optionalDependencies", DependencyKind::Optional),
    ("devDependencies", DependencyKind::Dev),
];

/// What the client itself is set up with, in the document before the project's.
const CLIENT_LISTS: [&str; 2] = ["configDependencies", "packageManagerDependencies"];

/// How a version writes its keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// `/name/1.0.0_peer@2.0.0`: 5.
    Slashes,
    /// `/name@1.0.0(peer@2.0.0)`: 6.
    SlashAt,
    /// `name@1.0.0`, with peers in `snapshots`: 9.
    At,
}

/// Reads the project's document, and the client's before it where there is one.
pub(super) fn read_all(documents: &[Value<'_>], extent: Extent) -> Result<Lockfile, LockfileError> {
    let (client, project) = match documents {
        [] => return Err(Problem::Syntax("the file is empty".to_owned()).at(1, None)),
        [project] if is_clients(project) => (Some(project), None),
        [project] => (None, Some(project)),
        [client, project] if is_clients(client) => (Some(client), Some(project)),
        [_, second] | [_, _, second, ..] => return Err(super::yaml::another(second.line)),
    };
    let project = project.ok_or_else(|| {
        let line = client.map_or(1, |client| client.line);
        Problem::Missing("the project's document").at(line, None)
    })?;
    let (version, keys) = version(project)?;
    let mut reader = Reader {
        lockfile: Lockfile::new(Format::Pnpm, version),
        keys,
        places: HashMap::new(),
        folders: HashMap::new(),
        seen: HashSet::new(),
    };
    for document in client.into_iter().chain([project]) {
        (_, reader.keys) = self::version(document)?;
        reader.terms(document)?;
        let packages = document.members("packages")?;
        let left_out = complete::left_out(reader.keys, document, extent)?;
        for member in packages {
            if !left_out.contains(&*member.key) {
                reader.package(member)?;
            }
        }
        reader.projects(document)?;
        reader.all_dependencies(document)?;
        complete::check(reader.keys, document, extent)?;
    }
    Ok(reader.lockfile)
}

/// Whether a document is the one about the client itself.
fn is_clients(document: &Value<'_>) -> bool {
    let root = document
        .get("importers")
        .and_then(|importers| importers.get("."));
    root.is_some_and(|root| CLIENT_LISTS.iter().any(|list| root.get(list).is_some()))
}

/// The version a document says it has, and how that version writes keys.
fn version<'v>(document: &'v Value<'_>) -> Result<(&'v str, Keys), LockfileError> {
    document.map("")?;
    let said = document
        .get("lockfileVersion")
        .ok_or_else(|| Problem::Missing("lockfileVersion").at(document.line, None))?;
    let version = said.as_text("lockfileVersion")?;
    let keys = match version.split('.').next() {
        Some("5") => Keys::Slashes,
        Some("6") => Keys::SlashAt,
        Some("9") => Keys::At,
        _ => {
            let problem = Problem::UnknownVersion(version.to_owned());
            return Err(problem.at(said.line, Some("lockfileVersion")));
        }
    };
    Ok((version, keys))
}

struct Reader {
    lockfile: Lockfile,
    keys: Keys,
    /// Keys, with and without their peers.
    places: HashMap<String, NodeId>,
    /// Projects by folder.
    folders: HashMap<String, NodeId>,
    seen: HashSet<(NodeId, String, Option<NodeId>)>,
}

impl Reader {
    fn terms(&mut self, document: &Value<'_>) -> Result<(), LockfileError> {
        for member in document.members("overrides")? {
            let to = member.value.as_text(&member.key)?.to_owned();
            self.lockfile
                .terms
                .overrides
                .insert(member.key.clone().into_owned(), to);
        }
        for catalog in document.members("catalogs")? {
            for member in catalog.value.map(&catalog.key)? {
                if let Some(range) = member.value.text("specifier")? {
                    let key = (
                        catalog.key.clone().into_owned(),
                        member.key.clone().into_owned(),
                    );
                    let catalogs = &mut self.lockfile.terms.catalogs;
                    catalogs.insert(key, range.to_owned());
                }
            }
        }
        self.lockfile.terms.hooked |= document.get("pnpmfileChecksum").is_some();
        let settings = document.get("settings");
        let links = settings.and_then(|it| it.get("excludeLinksFromLockfile"));
        if let Some(Kind::Bool(without)) = links.map(|it| &it.kind) {
            self.lockfile.terms.without_links = Some(*without);
        }
        let ignored = document.get("ignoredOptionalDependencies");
        for pattern in ignored.and_then(Value::list).unwrap_or_default() {
            let pattern = pattern.as_text("ignoredOptionalDependencies")?;
            let ignored = &mut self.lockfile.terms.ignored_optional;
            ignored.insert(pattern.to_owned());
        }
        for member in document.members("patchedDependencies")? {
            let release = member.key.clone().into_owned();
            // Later versions of pnpm write the digest alone.
            let (file, hash) = match member.value.kind {
                Kind::Map(_) => (member.value.text("path")?, member.value.text("hash")?),
                _ => (None, Some(member.value.as_text(&member.key)?)),
            };
            self.lockfile.terms.patch(Patch {
                release,
                line: member.line,
                files: file.into_iter().map(str::to_owned).collect(),
                hash: hash.map(str::to_owned),
            });
        }
        Ok(())
    }

    fn package(&mut self, member: &Member<'_>) -> Result<(), LockfileError> {
        let (key, entry) = (member.key.as_ref(), &member.value);
        entry.map(key)?;
        let resolution = entry
            .get("resolution")
            .ok_or_else(|| Problem::Missing("resolution").at(member.line, Some(key)))?;
        resolution.map("resolution")?;
        let bare = without_peers(self.keys, key);
        let stated = self.split(bare);
        let name = entry.text("name")?.or(stated.0).unwrap_or(bare);
        let version = entry.text("version")?.or(stated.1);
        // What is fetched from an address states a version too, and comes from no registry for that.
        let source = source(stated.1, resolution)?;
        contradictions::check(self.keys, member, stated, &source)?;
        let mut node = Node::new(key, member.line, name, source);
        node.version = version.map(str::to_owned);
        node.integrity = resolution.text("integrity")?.map(str::to_owned);
        node.flags.dev = entry.is_true("dev");
        node.flags.optional = entry.is_true("optional");
        node.flags.platform = is_limited(entry);
        node.flags.scripts = entry.is_true("requiresBuild");
        node.flags.bundled = false;
        node.flags.patched = entry.is_true("patched")
            || self.lockfile.terms.patched.contains(&node.label())
            || self.lockfile.terms.patched.contains(name);
        let id = self.known_release(bare, member, node)?;
        self.places.entry(bare.to_owned()).or_insert(id);
        self.places.insert(key.to_owned(), id);
        Ok(())
    }

    /// With several sets of peers the later entries of one release add only their edges; but pnpm fetches each
    /// of them by its own resolution, so one that leads elsewhere is looked at by itself.
    fn known_release(
        &mut self,
        bare: &str,
        member: &Member<'_>,
        node: Node,
    ) -> Result<NodeId, LockfileError> {
        let Some(id) = self.places.get(bare).copied() else {
            return Ok(self.lockfile.push(node));
        };
        if let Some(first) = self.lockfile.node(id) {
            contradictions::check_digests(member, first, &node)?;
            if first.source == node.source && first.integrity == node.integrity {
                return Ok(id);
            }
        }
        Ok(self.lockfile.push(node))
    }

    /// Name and version in a key.
    fn split<'k>(&self, key: &'k str) -> (Option<&'k str>, Option<&'k str>) {
        let key = match self.keys {
            Keys::At => key,
            // An address without its protocol.
            Keys::SlashAt | Keys::Slashes if key.starts_with('@') => return (None, None),
            // A registry may stand before the first slash.
            Keys::SlashAt | Keys::Slashes => {
                let Some((host, rest)) = key.split_once('/') else {
                    return (None, None);
                };
                if !host.is_empty() && !host.contains('.') && !host.contains(':') {
                    return (None, None);
                }
                rest
            }
        };
        let split = match self.keys {
            Keys::At | Keys::SlashAt => split_name(key),
            Keys::Slashes => key.rsplit_once('/'),
        };
        match split {
            Some((name, version)) => (Some(name), Some(version)),
            None => (None, None),
        }
    }

    fn projects(&mut self, document: &Value<'_>) -> Result<(), LockfileError> {
        let importers = document.members("importers")?;
        if importers.is_empty() {
            // A project without workspaces, before version 9.
            return self.project("", document, document.line);
        }
        let folder = |importer: &Member<'_>| match importer.key.as_ref() {
            "." => String::new(),
            folder => folder.to_owned(),
        };
        // All of them first: each may link to any other.
        for importer in importers {
            importer.value.map(&importer.key)?;
            self.known(&folder(importer), importer.line);
        }
        for importer in importers {
            self.project(&folder(importer), &importer.value, importer.line)?;
        }
        Ok(())
    }

    /// The node of a project.
    fn known(&mut self, folder: &str, line: u32) -> NodeId {
        if let Some(id) = self.folders.get(folder) {
            return *id;
        }
        let node = Node::new(folder, line, "", Source::Project(folder.to_owned()));
        let id = self.lockfile.push(node);
        self.folders.insert(folder.to_owned(), id);
        id
    }

    fn project(&mut self, folder: &str, entry: &Value<'_>, line: u32) -> Result<(), LockfileError> {
        let from = self.known(folder, line);
        let specifiers = entry.members("specifiers")?.iter();
        let specifiers: HashMap<&str, &Value<'_>> = specifiers
            .map(|member| (member.key.as_ref(), &member.value))
            .collect();
        let of_client = CLIENT_LISTS.map(|list| (list, DependencyKind::Client));
        for (list, kind) in LISTS.into_iter().chain(of_client) {
            for dependency in entry.members(list)? {
                let name = dependency.key.as_ref();
                // Before 5.4 and in 5.x the ranges are in a list of their own.
                let (spec, got) = if dependency.value.get("version").is_some() {
                    let spec = dependency.value.text("specifier")?;
                    (spec, dependency.value.text("version")?.unwrap_or_default())
                } else {
                    let spec = specifiers.get(name);
                    let spec = spec.map(|it| it.as_text(name)).transpose()?;
                    (spec, dependency.value.as_text(name)?)
                };
                let to = self.find(name, got).or_else(|| self.linked(folder, got));
                self.lockfile.edges.push(Edge {
                    from,
                    name: name.to_owned(),
                    spec: spec.unwrap_or(got).to_owned(),
                    kind,
                    optional: kind == DependencyKind::Optional,
                    to,
                    line: dependency.line,
                });
            }
        }
        Ok(())
    }

    /// The workspace a `link:` leads to; made known when its folder is not an importer of its own yet.
    fn linked(&mut self, from: &str, got: &str) -> Option<NodeId> {
        let path = got.strip_prefix("link:")?;
        let folder = folder_from(from, path);
        let key = format!("link:{folder}");
        let known = self.folders.get(&folder).or_else(|| self.places.get(&key));
        if let Some(id) = known {
            return Some(*id);
        }
        let node = Node::new(&key, 1, "", Source::Link(folder));
        let id = self.lockfile.push(node);
        self.places.insert(key, id);
        Some(id)
    }

    /// The package a dependency got: by version, or by a whole key for an alias or another source.
    fn find(&self, name: &str, got: &str) -> Option<NodeId> {
        let candidates = |got: &str| keys_of(self.keys, name, got);
        let bare = without_peers(self.keys, got);
        let mut keys = candidates(got).into_iter().chain(candidates(bare));
        keys.find_map(|key| self.places.get(&key).copied())
    }

    fn all_dependencies(&mut self, document: &Value<'_>) -> Result<(), LockfileError> {
        let list = if self.keys == Keys::At {
            "snapshots"
        } else {
            "packages"
        };
        for member in document.members(list)? {
            let key = member.key.as_ref();
            let id = self
                .places
                .get(key)
                .or_else(|| self.places.get(without_peers(self.keys, key)));
            let Some(from) = id.copied() else {
                let problem = Problem::Missing("the entry in packages");
                return Err(problem.at(member.line, Some(key)));
            };
            if member.value.is_true("optional")
                && let Some(node) = self.lockfile.nodes.get_mut(from)
            {
                node.flags.optional = true;
            }
            self.dependencies(from, &member.value)?;
        }
        Ok(())
    }

    fn dependencies(&mut self, from: NodeId, entry: &Value<'_>) -> Result<(), LockfileError> {
        for (list, kind) in LISTS {
            for dependency in entry.members(list)? {
                let name = dependency.key.as_ref();
                let got = dependency.value.as_text(name)?;
                let to = self.find(name, got).or_else(|| self.linked("", got));
                if !self.seen.insert((from, name.to_owned(), to)) {
                    continue;
                }
                self.lockfile.edges.push(Edge {
                    from,
                    name: name.to_owned(),
                    spec: got.to_owned(),
                    kind,
                    optional: kind == DependencyKind::Optional,
                    to,
                    line: dependency.line,
                });
            }
        }
        Ok(())
    }
}

/// The keys that may be meant by what a dependency got: its version, or a whole key.
fn keys_of(keys: Keys, name: &str, got: &str) -> [String; 2] {
    match keys {
        Keys::At => [format!("{name}@{got}"), got.to_owned()],
        Keys::SlashAt => [format!("/{name}@{got}"), got.to_owned()],
        Keys::Slashes => [format!("/{name}/{got}"), got.to_owned()],
    }
}

/// A key or version without the peers behind it.
fn without_peers(keys: Keys, key: &str) -> &str {
    match keys {
        Keys::At | Keys::SlashAt => key.split('(').next().unwrap_or(key),
        Keys::Slashes => {
            // Names may hold underscores; versions may not.
            let version = key.rfind('/').map_or(0, |at| at + 1);
            let is_address = key.contains("://") || key.starts_with("file:");
            let peers = key.get(version..).and_then(|text| text.find('_'));
            // Peers have slashes of their own when they are scoped: `/a/1.0.0_@s+p@2.0.0` writes `+`.
            match peers {
                Some(at) if !is_address => key.get(..version + at).unwrap_or(key),
                _ => key,
            }
        }
    }
}

fn source(version: Option<&str>, resolution: &Value<'_>) -> Result<Source, LockfileError> {
    let tarball = resolution.text("tarball")?;
    let repository = resolution.text("repo")?;
    let commit = resolution.text("commit")?;
    if let Some(url) = repository {
        return Ok(Source::Git {
            url: url.strip_prefix("git+").unwrap_or(url).to_owned(),
            commit: commit.map(str::to_owned),
        });
    }
    if let Some(folder) = resolution.text("directory")? {
        return Ok(Source::File(folder.to_owned()));
    }
    let Some(tarball) = tarball else {
        return Ok(Source::Registry(None));
    };
    if let Some(path) = tarball.strip_prefix("file:") {
        return Ok(Source::File(path.to_owned()));
    }
    // The archive of a commit on GitHub, which pnpm fetches instead of cloning.
    if resolution.is_true("gitHosted") {
        let commit = tarball.rsplit('/').next().map(str::to_owned);
        return Ok(Source::Git {
            url: tarball.to_owned(),
            commit,
        });
    }
    let from_registry = version.is_some_and(|it| crate::version::Version::parse(it).is_ok());
    Ok(if from_registry {
        Source::Registry(Some(tarball.to_owned()))
    } else {
        Source::Tarball(tarball.to_owned())
    })
}
