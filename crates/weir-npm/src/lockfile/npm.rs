//! npm's format: `packages`, keyed by folder (versions 2 and 3), or `dependencies` in `dependencies`
//! (version 1).

mod fields;
mod keys;
mod links;

use std::collections::{HashMap, HashSet};

use super::Format;
use super::error::{LockfileError, Problem};
use super::graph::{DependencyKind, Edge, Flags, Lockfile, Node, NodeId, Source, folder_from};
use super::tree::{Kind, Member, Value};

/// Longest key, in bytes: what file systems take for a path is four times that, and real ones are a tenth.
pub(super) const MAX_KEY: usize = 1024;

/// Most folders in a key. Looking a dependency up tries them all.
pub(super) const MAX_PARTS: usize = 128;

/// The lists of an entry. Later ones give way: npm takes an optional dependency for optional, wherever
/// else it is named.
pub(super) const LISTS: [(&str, DependencyKind); 4] = [
    ("optionalDependencies", DependencyKind::Optional),
    ("dependencies", DependencyKind::Normal),
    ("devDependencies", DependencyKind::Dev),
    ("peerDependencies", DependencyKind::Peer),
];

/// Reads a document.
pub(super) fn read(document: &Value<'_>) -> Result<Lockfile, LockfileError> {
    document.map("")?;
    let version = version(document)?;
    let mut lockfile = Lockfile::new(Format::Npm, version);
    // npm installs from `packages` wherever it is there, also where it is empty, and whatever the version
    // says; `dependencies` counts only where it is missing or null. (In versions 2 and 3, too: but no npm
    // writes these without `packages`, and what no client writes is refused.)
    match document.get("packages") {
        Some(packages) => read_packages(&mut lockfile, packages)?,
        None if version == "1" => {
            read_nested(&mut lockfile, document, "", 0)?;
            link_nested(&mut lockfile, document)?;
        }
        None => return Err(Problem::Missing("packages").at(document.line, None)),
    }
    // npm fetches what is marked at the top or in a workspace like everything else, without a digest where
    // there is none.
    lockfile.judge_bundles(|key| key.rsplit_once("/node_modules/").map(|(above, _)| above));
    Ok(lockfile)
}

/// The version: 1 where the file does not say. One that is there has to be a number that is known; null is
/// none, and no npm writes it.
fn version<'v>(document: &'v Value<'_>) -> Result<&'v str, LockfileError> {
    const KEY: &str = "lockfileVersion";
    let mut members = document.map("")?.iter();
    let Some(member) = members.find(|member| member.key == KEY) else {
        return Ok("1");
    };
    match &member.value.kind {
        Kind::Number(number) if matches!(&**number, "1" | "2" | "3") => Ok(number),
        Kind::Number(number) => {
            Err(Problem::UnknownVersion(number.to_string()).at(member.line, Some(KEY)))
        }
        _ => Err(member.value.wrong(KEY, "a number")),
    }
}

fn read_packages(lockfile: &mut Lockfile, packages: &Value<'_>) -> Result<(), LockfileError> {
    let members = packages.map("packages")?;
    let mut places = HashMap::with_capacity(members.len());
    lockfile.nodes.reserve(members.len());
    for member in members {
        keys::check(member)?;
        let node = package(member)?;
        places.insert(member.key.as_ref(), lockfile.push(node));
    }
    distrust_bundles(lockfile);
    let mut edges = Vec::new();
    let mut through = Vec::new();
    for (from, member) in members.iter().enumerate() {
        let optional_peers = member.value.optional_in("peerDependenciesMeta")?;
        let mut seen: HashSet<&str> = HashSet::new();
        for (list, kind) in LISTS {
            // What lies in node_modules was installed without its development dependencies.
            if kind == DependencyKind::Dev && is_installed(&member.key) {
                continue;
            }
            for dependency in member.value.members(list)? {
                let name = dependency.key.as_ref();
                if kind != DependencyKind::Optional && seen.contains(name) {
                    continue;
                }
                if kind == DependencyKind::Optional {
                    seen.insert(name);
                }
                let found = lookup(&places, &member.key, name);
                let is_brought = is_brought(lockfile, from, name, found);
                let found = found.filter(|_| !is_brought);
                through.push(found);
                edges.push(Edge {
                    from,
                    name: name.to_owned(),
                    spec: dependency.value.as_text(name)?.to_owned(),
                    kind,
                    optional: is_brought
                        || kind == DependencyKind::Optional
                        || (kind == DependencyKind::Peer && optional_peers.contains(name)),
                    to: found.map(|id| target(lockfile, &places, id)),
                    line: dependency.line,
                });
            }
        }
    }
    lockfile.edges = edges;
    name_projects(lockfile);
    // A file without an entry for the root declares nothing and cannot be judged by itself:
    // `Lockfile::judge_links` does that, once the project is known.
    if let Some(root) = members.iter().find(|member| member.key.is_empty()) {
        let workspaces = links::workspaces(&root.value);
        links::distrust(lockfile, &workspaces, &through);
        lockfile.terms.workspaces = Some(workspaces);
    }
    Ok(())
}

/// npm goes by what the packages around an entry say that they bring, and not by what the entry says of itself.
/// What a project says that it brings is fetched for it all the same.
fn distrust_bundles(lockfile: &mut Lockfile) {
    let nodes = lockfile.nodes.iter();
    let bringing = nodes.filter(|node| is_installed(&node.key) && !node.bundles.is_empty());
    let bringing: HashSet<String> = bringing.map(|node| node.key.clone()).collect();
    for node in &mut lockfile.nodes {
        let mut above = node.key.match_indices("/node_modules/");
        let is_inside = |(end, _)| {
            node.key
                .get(..end)
                .is_some_and(|key| bringing.contains(key))
        };
        node.flags.bundled &= above.any(is_inside);
    }
}

/// What an entry says that its package brings inside itself: a list, or the word for all that it depends on.
fn bundles(entry: &Value<'_>) -> Result<Vec<String>, LockfileError> {
    let Some(said) = entry.get("bundleDependencies") else {
        return Ok(Vec::new());
    };
    let mut names = Vec::new();
    match &said.kind {
        Kind::List(list) => names.extend(list.iter().filter_map(|it| match &it.kind {
            Kind::Text(name) => Some(name.to_string()),
            _ => None,
        })),
        Kind::Bool(true) => {
            for list in ["dependencies", "optionalDependencies"] {
                names.extend(entry.members(list)?.iter().map(|it| it.key.to_string()));
            }
        }
        _ => {}
    }
    Ok(names)
}

/// Whether a package brings another inside itself for which it has no entry. npm fetches nothing for it, and
/// whatever lies above is not what it asks for.
fn is_brought(lockfile: &Lockfile, from: NodeId, name: &str, found: Option<NodeId>) -> bool {
    let Some(node) = lockfile.node(from) else {
        return false;
    };
    if !is_installed(&node.key) || !node.bundles.iter().any(|it| it == name) {
        return false;
    }
    let inside = found.and_then(|id| lockfile.node(id)?.key.strip_prefix(node.key.as_str()));
    inside.is_none_or(|rest| !rest.starts_with("/node_modules/"))
}

/// Names the workspaces that have no name of their own in the file: npm leaves it out where it is the
/// folder's, and the link in `node_modules` has it.
fn name_projects(lockfile: &mut Lockfile) {
    let links: HashMap<String, String> = lockfile
        .nodes
        .iter()
        .filter_map(|node| match &node.source {
            Source::Link(folder) => Some((folder_from("", folder), node.place.clone())),
            _ => None,
        })
        .collect();
    for node in &mut lockfile.nodes {
        if let Source::Project(folder) = &node.source
            && node.name.is_empty()
            && let Some(name) = links.get(folder)
        {
            node.name.clone_from(name);
        }
    }
}

fn is_installed(key: &str) -> bool {
    key.starts_with("node_modules/") || key.contains("/node_modules/")
}

/// The name a folder in `node_modules` stands for.
fn place(key: &str) -> Option<&str> {
    let place = match key.rsplit_once("/node_modules/") {
        Some((_, place)) => place,
        None => key.strip_prefix("node_modules/")?,
    };
    (!place.is_empty()).then_some(place)
}

fn package(member: &Member<'_>) -> Result<Node, LockfileError> {
    let (key, entry) = (member.key.as_ref(), &member.value);
    entry.map(key)?;
    let is_link = is_link(entry)?;
    let resolved = if is_link {
        entry.text("resolved")?
    } else {
        fields::believed(entry, "resolved", "_resolved")?
    };
    let place = place(key);
    let name = entry.text("name")?.or(place).unwrap_or_default();
    let flags = flags(entry);
    let source = match (place, resolved) {
        (place, _) if is_link => link(member, place, resolved)?,
        (None, _) => Source::Project(key.to_owned()),
        // npm takes an empty text for none.
        (_, None | Some("")) => Source::Registry(None),
        (_, Some(resolved)) => unlinked(resolved_source(name, resolved)),
    };
    let mut node = Node::new(key, member.line, name, source);
    node.place = place.unwrap_or(name).to_owned();
    node.version = entry.text("version")?.map(str::to_owned);
    node.integrity = fields::believed(entry, "integrity", "_integrity")?.map(str::to_owned);
    // The root's entry is not what its manifest is read from.
    if !key.is_empty() {
        node.unwritten = fields::unwritten(entry);
    }
    // Old packages have objects and lists there; that is no reason to refuse the file.
    if let Some(Kind::Text(licence)) = entry.get("license").map(|it| &it.kind) {
        node.licence = Some(licence.to_string());
    }
    node.bundles = bundles(entry)?;
    node.flags = flags;
    node.flags.scripts = fields::runs(entry);
    Ok(node)
}

/// Whether an entry is a link. npm takes whatever is not false for yes, so nothing but the two words is read.
fn is_link(entry: &Value<'_>) -> Result<bool, LockfileError> {
    match entry.get("link") {
        None => Ok(false),
        Some(value) => match value.kind {
            Kind::Bool(is) => Ok(is),
            _ => Err(value.wrong("link", "true or false")),
        },
    }
}

/// Where a link leads. npm takes whatever is there for a path, an address as well, and never fetches it.
fn link(
    member: &Member<'_>,
    place: Option<&str>,
    resolved: Option<&str>,
) -> Result<Source, LockfileError> {
    let at = |problem: Problem| problem.at(member.line, Some(&member.key));
    if place.is_none() {
        return Err(at(Problem::Wrong("a place for a link")));
    }
    let folder = resolved.ok_or_else(|| at(Problem::Missing("where the link leads")))?;
    if folder.contains("://") || folder.starts_with(['/', '\\']) {
        return Err(at(Problem::Wrong("a link to a folder by a relative path")));
    }
    Ok(Source::Link(folder.to_owned()))
}

/// An entry that is not marked as a link is none, whatever its address begins with: `link:` means nothing
/// to npm.
fn unlinked(source: Source) -> Source {
    match source {
        Source::Link(path) => Source::File(path),
        source => source,
    }
}

fn flags(entry: &Value<'_>) -> Flags {
    let either = entry.is_true("devOptional");
    Flags {
        dev: entry.is_true("dev") || either,
        optional: entry.is_true("optional") || either,
        peer: entry.is_true("peer"),
        bundled: entry.is_true("inBundle") || entry.is_true("bundled"),
        platform: is_limited(entry),
        scripts: entry.is_true("hasInstallScript"),
        patched: entry.get("patched").is_some(),
        shrinkwrap: entry.is_true("hasShrinkwrap"),
    }
}

/// Whether an entry is for some platforms only.
pub(super) fn is_limited(entry: &Value<'_>) -> bool {
    ["os", "cpu", "libc"]
        .iter()
        .any(|key| entry.get(key).is_some())
}

/// What `resolved` says. The address of a tarball is taken for a registry's if it has the form all
/// registries share, `…/name/-/…`; anything else stands for itself.
pub(super) fn resolved_source(name: &str, resolved: &str) -> Source {
    if is_usual_address(name, resolved) {
        return Source::Registry(Some(resolved.to_owned()));
    }
    match Source::of_address(resolved) {
        Some(Source::Tarball(url)) => {
            if is_registry_address(name, &url) {
                Source::Registry(Some(url))
            } else {
                Source::Tarball(url)
            }
        }
        Some(source) => source,
        None => Source::Other(resolved.to_owned()),
    }
}

/// Whether an address needs no closer look, as nearly all in a lockfile: `https://host/…/name/-/file.tgz`, on a
/// host that has no repositories and so no addresses of them.
fn is_usual_address(name: &str, url: &str) -> bool {
    let Some((host, path)) = url
        .strip_prefix("https://")
        .and_then(|rest| rest.split_once('/'))
    else {
        return false;
    };
    let is_host =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || b"@/._-".contains(&byte);
    let of_name = path
        .split_once("/-/")
        .and_then(|(before, _)| before.strip_suffix(name));
    of_name.is_some_and(|before| before.is_empty() || before.ends_with('/'))
        && host.starts_with("registry.")
        && host.bytes().all(is_host)
        && path.bytes().all(is_path)
        && path.ends_with(".tgz")
}

/// Whether an address is one under which a registry has tarballs, of whatever package.
pub(super) fn is_registry_address(name: &str, url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    // GitHub's registry and a few others: /download/@scope/name/version/digest.
    path.contains("/-/") || path.contains(&format!("/download/{name}/"))
}

/// Where Node would find a dependency: beside the package, or in a `node_modules` further up.
fn lookup(places: &HashMap<&str, NodeId>, from: &str, name: &str) -> Option<NodeId> {
    let mut folder = from;
    // One text for all that is tried.
    let mut candidate = String::with_capacity(from.len() + "/node_modules/".len() + name.len());
    loop {
        if !folder.ends_with("node_modules") {
            candidate.clear();
            candidate.push_str(folder);
            if !folder.is_empty() {
                candidate.push('/');
            }
            candidate.push_str("node_modules/");
            candidate.push_str(name);
            if let Some(id) = places.get(candidate.as_str()) {
                return Some(*id);
            }
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
}

/// A link stands for the folder it leads to.
fn target(lockfile: &Lockfile, places: &HashMap<&str, NodeId>, id: NodeId) -> NodeId {
    match lockfile.node(id).map(|node| &node.source) {
        Some(Source::Link(folder)) => {
            let folder = folder_from("", folder);
            places.get(folder.as_str()).copied().unwrap_or(id)
        }
        _ => id,
    }
}

/// Version 1: entries in entries, as folders are in folders.
fn read_nested(
    lockfile: &mut Lockfile,
    entry: &Value<'_>,
    folder: &str,
    depth: usize,
) -> Result<(), LockfileError> {
    for member in entry.members("dependencies")? {
        let slash = if folder.is_empty() { "" } else { "/" };
        let key = format!("{folder}{slash}node_modules/{}", member.key);
        // Version 1 nests at most half as deep as the reader's own limit allows.
        if key.len() > MAX_KEY || depth > MAX_PARTS {
            return Err(Problem::KeyTooLong.at(member.line, Some(&key)));
        }
        keys::check_name(member)?;
        member.value.map(&member.key)?;
        lockfile.push(nested(&key, member)?);
        read_nested(lockfile, &member.value, &key, depth + 1)?;
    }
    Ok(())
}

fn nested(key: &str, member: &Member<'_>) -> Result<Node, LockfileError> {
    let entry = &member.value;
    let place = member.key.as_ref();
    let version = entry.text("version")?.unwrap_or_default();
    let resolved = entry.text("resolved")?.filter(|text| !text.is_empty());
    let (name, version, source) = match version
        .strip_prefix("npm:")
        .and_then(super::graph::split_name)
    {
        Some((name, version)) => (name, Some(version), None),
        None => match Source::of_address(version) {
            Some(source) => (place, None, Some(source)),
            None => (place, Some(version), None),
        },
    };
    let source = source.unwrap_or_else(|| {
        resolved.map_or(Source::Registry(None), |url| resolved_source(name, url))
    });
    let mut node = Node::new(key, member.line, name, unlinked(source));
    place.clone_into(&mut node.place);
    node.version = version.map(str::to_owned);
    node.integrity = entry.text("integrity")?.map(str::to_owned);
    node.flags = flags(entry);
    Ok(node)
}

/// Version 1: who requires whom, once all folders are known.
fn link_nested(lockfile: &mut Lockfile, document: &Value<'_>) -> Result<(), LockfileError> {
    let mut edges = Vec::new();
    {
        let places: HashMap<&str, NodeId> = lockfile
            .nodes
            .iter()
            .enumerate()
            .map(|(id, node)| (node.key.as_str(), id))
            .collect();
        requires(&places, document, "", &mut edges)?;
    }
    lockfile.edges = edges;
    Ok(())
}

fn requires(
    places: &HashMap<&str, NodeId>,
    entry: &Value<'_>,
    folder: &str,
    edges: &mut Vec<Edge>,
) -> Result<(), LockfileError> {
    for member in entry.members("dependencies")? {
        let slash = if folder.is_empty() { "" } else { "/" };
        let key = format!("{folder}{slash}node_modules/{}", member.key);
        // At the top of the document `requires` is the word true.
        if let (Some(from), Some(required)) =
            (places.get(key.as_str()), member.value.get("requires"))
        {
            for dependency in required.map("requires")? {
                let name = dependency.key.as_ref();
                edges.push(Edge {
                    from: *from,
                    name: name.to_owned(),
                    spec: dependency.value.as_text(name)?.to_owned(),
                    kind: DependencyKind::Normal,
                    // Version 1 does not say which of them are optional.
                    optional: false,
                    to: lookup(places, &key, name),
                    line: dependency.line,
                });
            }
        }
        requires(places, &member.value, &key, edges)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The short cut says what the long way says.
    #[test]
    fn usual_addresses_are_of_registries_and_others_are_looked_at() {
        for (name, url, is_usual) in [
            (
                "silt",
                "https://registry.example.invalid/silt/-/silt-1.0.0.tgz",
                true,
            ),
            (
                "@s/silt",
                "https://registry.example.invalid/npm/@s/silt/-/silt-1.0.0.tgz",
                true,
            ),
            (
                "silt",
                "https://registry.example.invalid/mud/-/mud-1.0.0.tgz",
                false,
            ),
            (
                "silt",
                "https://registry.example.invalid/evil-silt/-/silt-1.0.0.tgz",
                false,
            ),
            (
                "silt",
                "https://registry.example.invalid/silt/-/silt-1.0.0.tgz#00",
                false,
            ),
            (
                "silt",
                "https://registry.example.invalid:1/silt/-/silt-1.0.0.tgz",
                false,
            ),
            (
                "silt",
                "https://u@registry.example.invalid/silt/-/silt-1.0.0.tgz",
                false,
            ),
            (
                "silt",
                "http://registry.example.invalid/silt/-/silt-1.0.0.tgz",
                false,
            ),
            ("silt", "https://github.com/silt/-/silt-1.0.0.tgz", false),
            (
                "silt",
                "https://registry.example.invalid/silt/-/silt-1.0.0.tgz?.tgz",
                false,
            ),
        ] {
            assert_eq!(is_usual_address(name, url), is_usual, "{url}");
            let long = Source::of_address(url) == Some(Source::Tarball(url.to_owned()));
            assert!(
                !is_usual || (long && is_registry_address(name, url)),
                "{url}"
            );
        }
    }
}
