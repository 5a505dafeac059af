//! Whether a lockfile answers what is asked: what `npm ci` and its kin refuse, and what an edited entry
//! gives instead of what was asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use weir_model::json::v1::CheckLevel;
use weir_npm::lockfile::{DependencyKind, Format, Lockfile, Node, NodeId, Source};
use weir_npm::manifest::Manifest;
use weir_npm::spec::{DependencySpec, classify};
use weir_npm::version::Version;

use super::client::ClientFiles;
use super::manifests::Manifests;
use super::{Checked, Rule, declared};

pub(super) const OUT_OF_STEP: Rule = Rule {
    id: "out-of-step",
    level: CheckLevel::Error,
    todo: "run the client's install, look at what changes in the lockfile, and commit it",
};
const OTHER_PACKAGE: Rule = Rule {
    id: "other-package",
    level: CheckLevel::Error,
    todo: "find out who changed this entry, and let the client write it anew",
};
const UNCHECKED_PROJECT: Rule = Rule {
    id: "unchecked-project",
    level: CheckLevel::Warning,
    todo: "check that the folder belongs to the project and holds a package.json",
};

/// One package asks for another.
struct Request<'a> {
    from: NodeId,
    name: &'a str,
    spec: &'a str,
    /// As the lockfile has it, in its own spelling.
    line: u32,
    to: Option<NodeId>,
    optional: bool,
}

/// What is read once for all requests: the same few ranges are asked of the same packages over and over.
#[derive(Default)]
struct Read<'a> {
    /// By the name it is asked for under, where that can make a difference, and the text.
    specs: HashMap<(&'a str, &'a str), DependencySpec>,
    versions: HashMap<NodeId, Option<Version>>,
}

pub(super) fn check(checked: &mut Checked<'_>, manifests: &Manifests, files: &ClientFiles) {
    let overridden = manifests.overridden(files);
    for folder in &manifests.missing {
        let id = checked.lockfile.project(folder);
        let line = id
            .and_then(|id| checked.lockfile.node(id))
            .map_or(1, |node| node.line);
        let what =
            format!("the lockfile names the project {folder:?}, whose package.json cannot be read");
        checked.add(&UNCHECKED_PROJECT, line, None, &what);
    }
    if manifests.has_workspaces() && checked.lockfile.format == Format::YarnClassic {
        let what =
            "this lockfile does not say what its workspaces ask for: only the root was checked";
        checked.add(&UNCHECKED_PROJECT, 1, None, what);
    }
    declared::check(checked, manifests);
    let lockfile = checked.lockfile;
    let mut requests = Vec::new();
    for (folder, manifest) in manifests.all() {
        match lockfile.project(folder) {
            Some(id) => of_project(checked, id, manifest, &overridden, &mut requests),
            None => {
                let what = format!("the project {folder:?} is not in the lockfile");
                checked.add(&OUT_OF_STEP, 1, None, &what);
            }
        }
    }
    let projects: BTreeSet<NodeId> = lockfile.projects().map(|(id, _)| id).collect();
    // Below its projects pnpm writes what was found, not what was asked for.
    let below = |from: &NodeId| !projects.contains(from) && lockfile.format != Format::Pnpm;
    // npm refuses a peer of the wrong version; the others warn when they install, and lock it.
    let binding =
        |kind: DependencyKind| kind != DependencyKind::Peer || lockfile.format == Format::Npm;
    let edges = lockfile
        .edges
        .iter()
        .filter(|edge| below(&edge.from) && binding(edge.kind));
    for edge in edges {
        let patch = matches!(
            lockfile.node(edge.from).map(|it| &it.source),
            Some(Source::Patch(_))
        );
        if overridden.contains(&edge.name) || patch {
            continue;
        }
        requests.push(Request {
            from: edge.from,
            name: &edge.name,
            spec: &edge.spec,
            line: edge.line,
            to: edge.to,
            // Peers are checked where they are there: clients have options to do without.
            optional: edge.optional || edge.kind == DependencyKind::Peer,
        });
    }
    let mut read = Read::default();
    for request in &requests {
        answer(checked, request, &mut read);
    }
}

/// Whether a file is the one npm hides in `node_modules`: what is installed, which may be without what is for
/// development.
fn is_hidden(file: &str) -> bool {
    file.rsplit(['/', '\\']).next() == Some(".package-lock.json")
}

/// How findings call who asks.
pub(super) fn asker(lockfile: &Lockfile, id: NodeId) -> String {
    match lockfile.node(id) {
        Some(node) if node.key.is_empty() => "package.json".to_owned(),
        Some(node) => node.label(),
        None => String::new(),
    }
}

/// What a project's manifest asks for, and what the lockfile says it did.
fn of_project<'m>(
    checked: &mut Checked<'_>,
    id: NodeId,
    manifest: &'m Manifest,
    overridden: &BTreeSet<String>,
    requests: &mut Vec<Request<'m>>,
) {
    let lockfile = checked.lockfile;
    let Some(node) = lockfile.node(id) else {
        return;
    };
    let edges = lockfile
        .edges_of(id)
        .filter(|edge| !matches!(edge.kind, DependencyKind::Peer | DependencyKind::Client));
    let mut edges: HashMap<&str, _> = edges.map(|edge| (edge.name.as_str(), edge)).collect();
    let who = asker(lockfile, id);
    let mut asked: BTreeMap<&str, (&str, bool)> = BTreeMap::new();
    for (list, optional) in [
        (&manifest.dev_dependencies, is_hidden(&checked.file)),
        (&manifest.dependencies, false),
        (&manifest.optional_dependencies, true),
    ] {
        asked.extend(
            list.iter()
                .map(|(name, spec)| (name.as_str(), (spec.as_str(), optional))),
        );
    }
    for (name, (spec, optional)) in asked {
        let edge = edges.remove(name);
        if let Some(edge) = edge
            && is_exact(lockfile.format)
            && !overridden.contains(name)
            && plain(&edge.spec) != plain(spec)
        {
            let what = format!(
                "{who} asks for {name} {spec:?}, the lockfile says {:?}",
                edge.spec
            );
            checked.add(&OUT_OF_STEP, edge.line, edge.to, &what);
            continue;
        }
        if overridden.contains(name) && edge.is_some_and(|edge| edge.to.is_some()) {
            continue;
        }
        requests.push(Request {
            from: id,
            name,
            spec,
            line: edge.map_or(node.line, |edge| edge.line),
            to: edge.and_then(|edge| edge.to),
            optional,
        });
    }
    if is_exact(lockfile.format) {
        for (name, edge) in edges {
            let what = format!("the lockfile has {name}, which {who} does not ask for");
            checked.add(&OUT_OF_STEP, edge.line, edge.to, &what);
        }
    }
}

/// Formats whose clients refuse a lockfile that does not repeat what is asked for to the letter.
fn is_exact(format: Format) -> bool {
    matches!(format, Format::YarnBerry | Format::Pnpm | Format::Bun)
}

/// yarn writes the usual protocol where the manifest leaves it out.
fn plain(spec: &str) -> &str {
    spec.strip_prefix("npm:").unwrap_or(spec)
}

fn answer<'a>(checked: &mut Checked<'_>, request: &Request<'a>, read: &mut Read<'a>) {
    let Request {
        from,
        name,
        spec,
        line,
        ..
    } = *request;
    let lockfile = checked.lockfile;
    let entry = request.to.and_then(|id| Some((id, lockfile.node(id)?)));
    let Some((id, node)) = entry else {
        if !request.optional {
            let who = asker(lockfile, from);
            let what = format!("{who} needs {name} {spec:?}, which the lockfile does not have");
            checked.add(&OUT_OF_STEP, line, None, &what);
        }
        return;
    };
    let Read { specs, versions } = read;
    let text = unambiguous(lockfile.format, spec);
    // A range means the same whatever is asked for by it; `jsr:` and its like may not.
    let own = if text.contains(':') { name } else { "" };
    let asked = specs.entry((own, text));
    let asked = &*asked.or_insert_with(|| classify(own, text));
    let (wanted, range) = match asked {
        DependencySpec::Alias { name, spec } => (name.as_str(), spec.as_ref()),
        other => (name, other),
    };
    let local = matches!(
        node.source,
        Source::Project(_) | Source::Link(_) | Source::File(_)
    );
    if !local && node.name != wanted && !request.spec.starts_with("catalog:") {
        let what = format!(
            "{} asks for {name} {spec:?} and gets another package, {}",
            asker(lockfile, from),
            node.label()
        );
        checked.add(&OTHER_PACKAGE, node.line, request.to, &what);
        return;
    }
    let from_elsewhere = matches!(
        node.source,
        Source::Tarball(_) | Source::Git { .. } | Source::File(_)
    );
    if let DependencySpec::Range(_) | DependencySpec::Tag(_) = range
        && from_elsewhere
    {
        let what = format!(
            "{} asks a registry for {name} {spec:?}, and the entry leads elsewhere: {}",
            asker(lockfile, from),
            place(node)
        );
        checked.add(&OTHER_PACKAGE, node.line, request.to, &what);
        return;
    }
    if let DependencySpec::Range(range) = range
        && !local
        && let Some(version) = &node.version
        && !versions
            .entry(id)
            .or_insert_with(|| Version::parse(version).ok())
            .as_ref()
            .is_some_and(|version| range.matches(version))
    {
        let who = asker(lockfile, from);
        let what = format!("{who} asks for {name} {spec:?}, the lockfile has {version}");
        checked.add(&OUT_OF_STEP, node.line, request.to, &what);
    }
}

/// yarn writes a range and a tag with the usual protocol, `npm:latest`, which elsewhere is the package of that
/// name.
pub(in crate::commands) fn unambiguous(format: Format, spec: &str) -> &str {
    match spec.strip_prefix("npm:") {
        Some(tag) if format == Format::YarnBerry && !tag.contains('@') => tag,
        _ => spec,
    }
}

fn place(node: &Node) -> &str {
    match &node.source {
        Source::Tarball(place) | Source::File(place) | Source::Git { url: place, .. } => place,
        _ => &node.key,
    }
}
