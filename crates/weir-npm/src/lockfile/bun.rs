//! `bun.lock`: JSON with trailing commas; packages are lists, keyed by where they lie.

use std::collections::{HashMap, HashSet};

use super::Format;
use super::error::{LockfileError, Problem};
use super::graph::{
    DEFAULT_CATALOG, DependencyKind, Edge, Lockfile, Node, NodeId, Patch, Source, split_name,
};
use super::npm::{LISTS, MAX_KEY, MAX_PARTS, is_limited};
use super::tree::{Kind, Member, Value};

/// Reads a document.
pub(super) fn read(document: &Value<'_>) -> Result<Lockfile, LockfileError> {
    document.map("")?;
    let said = document
        .get("lockfileVersion")
        .ok_or_else(|| Problem::Missing("lockfileVersion").at(1, None))?;
    let version = version(said)?;
    let mut lockfile = Lockfile::new(Format::Bun, version);
    terms(&mut lockfile, document)?;
    let workspaces = document.members("workspaces")?;
    let mut folders: HashMap<&str, NodeId> = HashMap::new();
    for workspace in workspaces {
        let name = workspace.value.text("name")?.unwrap_or_default();
        let source = Source::Project(workspace.key.clone().into_owned());
        let mut node = Node::new(&workspace.key, workspace.line, name, source);
        node.version = workspace.value.text("version")?.map(str::to_owned);
        folders.insert(&workspace.key, lockfile.push(node));
    }
    let members = document.members("packages")?;
    let mut places: HashMap<&str, NodeId> = HashMap::with_capacity(members.len());
    for member in members {
        if member.key.len() > MAX_KEY || member.key.split('/').count() > MAX_PARTS {
            return Err(Problem::KeyTooLong.at(member.line, Some(&member.key)));
        }
        if member
            .key
            .split('/')
            .any(|part| matches!(part, "" | "." | ".."))
        {
            let problem = Problem::Wrong("names of packages, which bun has here");
            return Err(problem.at(member.line, Some(&member.key)));
        }
        places.insert(&member.key, package(&mut lockfile, &folders, member)?);
    }
    let mut edges = Vec::new();
    for (from, workspace) in workspaces.iter().enumerate() {
        let name = workspace.value.text("name")?.unwrap_or_default();
        dependencies(&places, (from, name), &workspace.value, &mut edges)?;
    }
    for member in members {
        let information = member.value.list().unwrap_or_default().iter();
        let information = information
            .skip(1)
            .find(|it| matches!(it.kind, Kind::Map(_)));
        let from = places.get(member.key.as_ref()).copied();
        if let (Some(from), Some(information)) = (from, information) {
            dependencies(&places, (from, &member.key), information, &mut edges)?;
        }
    }
    lockfile.edges = edges;
    lockfile.judge_bundles(|key| key.strip_suffix(last_name(key))?.strip_suffix('/'));
    Ok(lockfile)
}

/// The version: 1 no longer repeats what workspaces ask for among the packages (bun 1.2 and 1.3), 2 is as 1,
/// and bun demands more digests of it (1.4), and 3 may have overrides below one package or for one range
/// (1.4). bun reads numbers only.
fn version<'v>(said: &'v Value<'_>) -> Result<&'v str, LockfileError> {
    const KEY: &str = "lockfileVersion";
    match &said.kind {
        Kind::Number(number) if matches!(&**number, "0" | "1" | "2" | "3") => Ok(number),
        Kind::Number(number) => {
            Err(Problem::UnknownVersion(number.to_string()).at(said.line, Some(KEY)))
        }
        _ => Err(said.wrong(KEY, "a number")),
    }
}

/// Overrides by what they are for: `name`, `name@range`, or `asker>name` where they are for what one package
/// asks for. bun nests them once, whatever the version, and writes a package's own as `.` beside those below.
fn overrides(lockfile: &mut Lockfile, document: &Value<'_>) -> Result<(), LockfileError> {
    let table = &mut lockfile.terms.overrides;
    for member in document.members("overrides")? {
        let key = member.key.as_ref();
        match &member.value.kind {
            Kind::Text(to) => {
                table.insert(key.to_owned(), to.clone().into_owned());
            }
            Kind::Map(inner) => {
                for rule in inner {
                    let Kind::Text(to) = &rule.value.kind else {
                        return Err(rule.value.wrong(&rule.key, "text"));
                    };
                    let target = match rule.key.as_ref() {
                        "." => key.to_owned(),
                        name => format!("{key}>{name}"),
                    };
                    table.insert(target, to.clone().into_owned());
                }
            }
            _ => return Err(member.value.wrong(key, "text or an object")),
        }
    }
    Ok(())
}

/// What catalogs ask for: the one without a name, and those with one.
fn catalogs(lockfile: &mut Lockfile, document: &Value<'_>) -> Result<(), LockfileError> {
    let mut add = |catalog: &str, members: &[Member<'_>]| {
        for member in members {
            let key = (catalog.to_owned(), member.key.clone().into_owned());
            let range = member.value.as_text(&member.key)?.to_owned();
            lockfile.terms.catalogs.insert(key, range);
        }
        Ok::<(), LockfileError>(())
    };
    add(DEFAULT_CATALOG, document.members("catalog")?)?;
    for catalog in document.members("catalogs")? {
        add(&catalog.key, catalog.value.map(&catalog.key)?)?;
    }
    Ok(())
}

fn terms(lockfile: &mut Lockfile, document: &Value<'_>) -> Result<(), LockfileError> {
    overrides(lockfile, document)?;
    catalogs(lockfile, document)?;
    if let Some(trusted) = document.get("trustedDependencies") {
        let wrong = || trusted.wrong("trustedDependencies", "a list");
        for name in trusted.list().ok_or_else(wrong)? {
            let name = name.as_text("trustedDependencies")?;
            lockfile.terms.trusted.insert(name.to_owned());
        }
    }
    for member in document.members("patchedDependencies")? {
        let file = member.value.as_text(&member.key)?.to_owned();
        lockfile.terms.patch(Patch {
            release: member.key.clone().into_owned(),
            line: member.line,
            files: vec![file],
            hash: None,
        });
    }
    Ok(())
}

/// A package: the first element says what it is; a registry's address, what the package says, and its
/// digests follow.
fn package(
    lockfile: &mut Lockfile,
    folders: &HashMap<&str, NodeId>,
    member: &Member<'_>,
) -> Result<NodeId, LockfileError> {
    let key = member.key.as_ref();
    let parts = member
        .value
        .list()
        .ok_or_else(|| member.value.wrong(key, "a list"))?;
    let first = parts
        .first()
        .ok_or_else(|| Problem::Missing("what it resolves to").at(member.line, Some(key)))?;
    let first = first.as_text(key)?;
    let (name, reference) = split_name(first)
        .ok_or_else(|| Problem::Wrong("a resolution").at(member.line, Some(key)))?;
    if let Some(folder) = reference.strip_prefix("workspace:")
        && let Some(id) = folders.get(folder)
    {
        return Ok(*id);
    }
    let texts: Vec<&str> = parts
        .iter()
        .skip(1)
        .filter_map(|it| it.as_text(key).ok())
        .collect();
    let source = source(reference, texts.first().copied());
    let is_release = matches!(source, Source::Registry(_));
    let mut node = Node::new(key, member.line, name, source);
    last_name(key).clone_into(&mut node.place);
    node.version = is_release.then(|| reference.to_owned());
    let digest = |text: &&&str| text.starts_with("sha") && text.contains('-');
    node.integrity = texts
        .iter()
        .rev()
        .find(digest)
        .map(|text| (*text).to_owned());
    if let Some(information) = parts.iter().find(|it| matches!(it.kind, Kind::Map(_))) {
        node.flags.platform = is_limited(information);
        // bun keeps a digest of these as well: one that is left out has been taken away.
        node.flags.bundled = information.is_true("bundled") && node.integrity.is_some();
    }
    node.flags.patched = lockfile.terms.patched.contains(first);
    Ok(lockfile.push(node))
}

fn source(reference: &str, registry: Option<&str>) -> Source {
    if reference.strip_prefix("root:").is_some() {
        return Source::Project(String::new());
    }
    if let Some(folder) = reference.strip_prefix("workspace:") {
        return Source::Project(folder.to_owned());
    }
    Source::of_address(reference).unwrap_or_else(|| {
        // Empty for the registry in npm's configuration; a registry's address or the tarball's else.
        Source::Registry(registry.filter(|it| !it.is_empty()).map(str::to_owned))
    })
}

/// The last package of a key like `a/@s/b`.
fn last_name(key: &str) -> &str {
    parts(key).last().copied().unwrap_or(key)
}

/// The packages of a key: a scope and what follows it belong together.
fn parts(key: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = key;
    while !rest.is_empty() {
        let from = if rest.starts_with('@') {
            rest.find('/').map_or(0, |at| at + 1)
        } else {
            0
        };
        let end = rest.get(from..).and_then(|text| text.find('/'));
        let end = end.map_or(rest.len(), |at| from + at);
        parts.push(rest.get(..end).unwrap_or(rest));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    parts
}

fn dependencies(
    places: &HashMap<&str, NodeId>,
    (from, key): (NodeId, &str),
    entry: &Value<'_>,
    edges: &mut Vec<Edge>,
) -> Result<(), LockfileError> {
    let optional_peers = entry
        .get("optionalPeers")
        .and_then(Value::list)
        .unwrap_or_default();
    let optional_peers: HashSet<&str> = optional_peers
        .iter()
        .filter_map(|peer| peer.as_text("optionalPeers").ok())
        .collect();
    for (list, kind) in LISTS {
        for dependency in entry.members(list)? {
            let name = dependency.key.as_ref();
            edges.push(Edge {
                from,
                name: name.to_owned(),
                spec: dependency.value.as_text(name)?.to_owned(),
                kind,
                optional: kind == DependencyKind::Optional
                    || (kind == DependencyKind::Peer && optional_peers.contains(name)),
                to: lookup(places, key, name),
                line: dependency.line,
            });
        }
    }
    Ok(())
}

/// Beside the package, or further up.
fn lookup(places: &HashMap<&str, NodeId>, key: &str, name: &str) -> Option<NodeId> {
    let parts = parts(key);
    (0..=parts.len()).rev().find_map(|count| {
        let mut candidate = parts.get(..count)?.join("/");
        if count > 0 {
            candidate.push('/');
        }
        candidate.push_str(name);
        places.get(candidate.as_str()).copied()
    })
}
#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn scopes_stay_with_their_names() {
        assert_eq!(parts("a/@s/b/c"), ["a", "@s/b", "c"]);
        assert_eq!(parts("@s/b"), ["@s/b"]);
        assert_eq!(parts("@s"), ["@s"]);
        assert_eq!(parts("a//b"), ["a", "", "b"]);
    }
}
