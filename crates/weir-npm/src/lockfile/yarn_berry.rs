//! The YAML of yarn 2 and later: entries keyed by all the requests they answer, each with a resolution.

use std::collections::HashMap;

use super::Format;
use super::error::{LockfileError, Problem};
use super::graph::{DependencyKind, Edge, Lockfile, Node, NodeId, Source, split_name};
use super::tree::{Member, Value};
use crate::name::percent_decode;

/// Reads a document.
pub(super) fn read(document: &Value<'_>) -> Result<Lockfile, LockfileError> {
    let members = document.map("")?;
    let metadata = document
        .get("__metadata")
        .ok_or_else(|| Problem::Missing("__metadata").at(1, None))?;
    let version = metadata
        .text("version")?
        .ok_or_else(|| Problem::Missing("version").at(metadata.line, Some("__metadata")))?;
    if !version.bytes().all(|byte| byte.is_ascii_digit()) {
        let problem = Problem::UnknownVersion(version.to_owned());
        return Err(problem.at(metadata.line, Some("__metadata")));
    }
    let mut lockfile = Lockfile::new(Format::YarnBerry, version);
    let entries = || members.iter().filter(|member| member.key != "__metadata");
    for member in entries() {
        entry(&mut lockfile, member)?;
    }
    let patched = patched(&lockfile);
    // A patch names what it changes by resolution, not by request.
    for (id, member) in entries().enumerate() {
        if let Some(resolution) = member.value.text("resolution")? {
            lockfile.requests.entry(resolution.to_owned()).or_insert(id);
        }
    }
    let mut edges = Vec::new();
    let single = single(&lockfile);
    for (from, member) in entries().enumerate() {
        let answers = (&patched, &single);
        dependencies(&lockfile, answers, from, &member.value, &mut edges)?;
        if let Some(Source::Patch(base)) = lockfile.node(from).map(|node| &node.source)
            && let Some((name, spec)) = split_name(base)
        {
            edges.push(Edge {
                from,
                name: name.to_owned(),
                spec: spec.to_owned(),
                kind: DependencyKind::Normal,
                optional: false,
                to: lockfile.answering(name, spec),
                line: member.line,
            });
        }
    }
    lockfile.edges = edges;
    Ok(lockfile)
}

fn entry(lockfile: &mut Lockfile, member: &Member<'_>) -> Result<(), LockfileError> {
    let (key, entry) = (member.key.as_ref(), &member.value);
    entry.map(key)?;
    let missing = |what| Problem::Missing(what).at(member.line, Some(key));
    let resolution = entry
        .text("resolution")?
        .ok_or_else(|| missing("resolution"))?;
    let (name, reference) = split_name(resolution)
        .ok_or_else(|| Problem::Wrong("a resolution").at(member.line, Some(resolution)))?;
    let source = source(reference);
    let mut node = Node::new(key, member.line, name, source);
    let first = key.split(", ").next().and_then(split_name);
    first
        .map_or(name, |(place, _)| place)
        .clone_into(&mut node.place);
    node.version = entry.text("version")?.map(str::to_owned);
    node.checksum = entry.text("checksum")?.map(str::to_owned);
    node.flags.platform = entry.get("conditions").is_some();
    node.flags.patched = matches!(node.source, Source::Patch(_));
    let id = lockfile.push(node);
    for request in key.split(", ") {
        if lockfile.requests.insert(request.to_owned(), id).is_some() {
            return Err(Problem::DuplicateKey.at(member.line, Some(request)));
        }
    }
    Ok(())
}

/// What comes after the name in a resolution: a protocol, and behind `::` what was bound to it.
fn source(reference: &str) -> Source {
    let (plain, bound) = reference.split_once("::").unwrap_or((reference, ""));
    if plain.starts_with("npm:") {
        let archive = bound
            .split('&')
            .find_map(|pair| pair.strip_prefix("__archiveUrl="));
        return Source::Registry(archive.map(decoded));
    }
    if let Some(folder) = plain.strip_prefix("workspace:") {
        let folder = if folder == "." { "" } else { folder };
        return Source::Project(folder.to_owned());
    }
    if let Some(patch) = plain.strip_prefix("patch:") {
        let base = patch.split('#').next().unwrap_or(patch);
        return Source::Patch(decoded(base));
    }
    Source::of_address(plain).unwrap_or_else(|| Source::Other(reference.to_owned()))
}

fn decoded(text: &str) -> String {
    percent_decode(text).unwrap_or_else(|| text.to_owned())
}

/// Requests answered by a patched package: `name@patch:name@npm%3Arange#…` under `name@npm:range`.
fn patched(lockfile: &Lockfile) -> HashMap<String, NodeId> {
    let of = |(request, id): (&String, &NodeId)| {
        let (_, reference) = split_name(request)?;
        let base = reference.strip_prefix("patch:")?.split('#').next()?;
        Some((decoded(base), *id))
    };
    lockfile.requests.iter().filter_map(of).collect()
}

/// Names with one entry only. The project's `resolutions` change what is asked for, and the file does not
/// repeat them: a request that nothing answers is then answered by the one entry of its name. Whether that
/// one is in the range is for whoever checks it.
fn single(lockfile: &Lockfile) -> HashMap<String, Option<NodeId>> {
    let mut single: HashMap<String, Option<NodeId>> = HashMap::new();
    for (id, node) in lockfile.nodes.iter().enumerate() {
        let first = single.entry(node.place.clone());
        first.and_modify(|it| *it = None).or_insert(Some(id));
    }
    single
}

fn dependencies(
    lockfile: &Lockfile,
    (patched, single): (&HashMap<String, NodeId>, &HashMap<String, Option<NodeId>>),
    from: NodeId,
    entry: &Value<'_>,
    edges: &mut Vec<Edge>,
) -> Result<(), LockfileError> {
    let may_be_missing = entry.optional_in("dependenciesMeta")?;
    for dependency in entry.members("dependencies")? {
        let name = dependency.key.as_ref();
        let spec = dependency.value.as_text(name)?;
        let optional = may_be_missing.contains(name);
        let exact = patched
            .get(&format!("{name}@{spec}"))
            .or_else(|| patched.get(&format!("{name}@npm:{spec}")))
            .copied();
        edges.push(Edge {
            from,
            name: name.to_owned(),
            spec: spec.to_owned(),
            kind: if optional {
                DependencyKind::Optional
            } else {
                DependencyKind::Normal
            },
            optional,
            to: exact
                .or_else(|| lockfile.answering(name, spec))
                .or_else(|| single.get(name).copied().flatten().filter(|_| !optional)),
            line: dependency.line,
        });
    }
    Ok(())
}
