//! Whether a lockfile answers what is asked: what `npm ci` and its kin refuse, and what an edited entry
//! gives instead of what was asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use weir_model::json::v1::CheckLevel;
use weir_npm::lockfile::{DependencyKind, Format, Lockfile, NodeId, Source};
use weir_npm::manifest::Manifest;
use weir_npm::spec::{DependencySpec, classify};
use weir_npm::version::Version;

use super::catalogs::Catalogs;
use super::client::ClientFiles;
use super::manifests::Manifests;
use super::overrides::{Overrides, Wanted};
use super::{Checked, Rule, addresses, declared, local, overrides, remote};

pub(super) const OUT_OF_STEP: Rule = Rule {
    id: "out-of-step",
    level: CheckLevel::Error,
    todo: "run the client's install, look at what changes in the lockfile, and commit it",
};
pub(super) const OTHER_PACKAGE: Rule = Rule {
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
    /// Whether it expects the other beside itself only.
    peer: bool,
    /// Whether the project wants this instead of what is asked for.
    instead: bool,
}

/// What answers are compared with.
pub(super) struct Project<'a> {
    pub(super) manifests: &'a Manifests,
    pub(super) overrides: &'a Overrides,
    /// What a project asks for by its place. Who asks a registry for it gets the same.
    placed: HashMap<NodeId, BTreeSet<&'a str>>,
    catalogs: Catalogs,
}

impl Project<'_> {
    /// Whether a project asks for an entry under this name by its place.
    pub(super) fn places(&self, id: NodeId, name: &str) -> bool {
        self.placed.get(&id).is_some_and(|it| it.contains(name))
    }
}

/// What is read once for all requests: the same few ranges are asked of the same packages over and over.
#[derive(Default)]
struct Read<'a> {
    /// By the name it is asked for under, where that can make a difference, and the text.
    specs: HashMap<(&'a str, &'a str), DependencySpec>,
    versions: HashMap<NodeId, Option<Version>>,
}

pub(super) fn check(checked: &mut Checked<'_>, manifests: &Manifests, files: &ClientFiles) {
    let overrides = Overrides::of(manifests, files, checked.lockfile);
    let mut project = Project {
        manifests,
        overrides: &overrides,
        placed: HashMap::new(),
        catalogs: Catalogs::of(files, checked.lockfile.format),
    };
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
    declared::check(checked, manifests, files);
    overrides::check(checked, files);
    let lockfile = checked.lockfile;
    let mut requests = Vec::new();
    for (folder, manifest) in manifests.all() {
        match lockfile.project(folder) {
            Some(id) => of_project(checked, id, manifest, &overrides, &mut requests),
            None => {
                let what = format!("the project {folder:?} is not in the lockfile");
                checked.add(&OUT_OF_STEP, 1, None, &what);
            }
        }
    }
    project.placed = placed(lockfile, &requests);
    local::below(checked, &project);
    below(lockfile, &overrides, &mut requests);
    let mut read = Read::default();
    for request in &requests {
        answer(checked, request, &project, &mut read);
    }
}

/// The entries that projects, and folders that are none, ask for by their places.
fn placed<'a>(
    lockfile: &'a Lockfile,
    requests: &[Request<'a>],
) -> HashMap<NodeId, BTreeSet<&'a str>> {
    let of_projects = requests.iter().map(|it| (it.name, it.spec, it.to));
    let is_folder = |id: NodeId| {
        let source = lockfile.node(id).map(|it| &it.source);
        matches!(source, Some(Source::Link(_) | Source::File(_)))
    };
    let of_folders = lockfile.edges.iter().filter(|it| is_folder(it.from));
    let of_folders = of_folders.map(|it| (it.name.as_str(), it.spec.as_str(), it.to));
    let is_place = |name: &str, spec: &str| {
        matches!(
            classify(name, spec),
            DependencySpec::File(_)
                | DependencySpec::Workspace(_)
                | DependencySpec::Url(_)
                | DependencySpec::Git { .. }
        )
    };
    let mut placed: HashMap<NodeId, BTreeSet<&str>> = HashMap::new();
    for (name, spec, to) in of_projects.chain(of_folders) {
        if let Some(to) = to.filter(|_| is_place(name, spec)) {
            placed.entry(to).or_default().insert(name);
        }
    }
    placed
}

/// What packages ask of each other.
fn below<'a>(lockfile: &'a Lockfile, overrides: &'a Overrides, requests: &mut Vec<Request<'a>>) {
    let projects: BTreeSet<NodeId> = lockfile.projects().map(|(id, _)| id).collect();
    // npm refuses a peer of the wrong version; the others warn when they install, and lock it.
    let binding =
        |kind: DependencyKind| kind != DependencyKind::Peer || lockfile.format == Format::Npm;
    let edges = lockfile
        .edges
        .iter()
        .filter(|edge| !projects.contains(&edge.from) && binding(edge.kind));
    let own_lockfiles = own_lockfiles(lockfile);
    for edge in edges {
        let Some(from) = lockfile.node(edge.from) else {
            continue;
        };
        let (mut spec, mut to) = (edge.spec.as_str(), edge.to);
        let wanted = overrides.wanted(Some(overrides.asker(from)), &edge.name, spec);
        let got = to.and_then(|to| lockfile.node(to));
        // What a package brings itself is not the project's to set.
        let brought = got.is_some_and(|it| {
            it.flags.bundled || own_lockfiles.iter().any(|above| it.key.starts_with(above))
        });
        let instead = match wanted {
            Wanted::Unclear => continue,
            Wanted::Instead(_) if brought || matches!(from.source, Source::Patch(_)) => continue,
            Wanted::Instead(other) => {
                spec = other;
                to = instead_of(lockfile, &edge.name, other, to);
                true
            }
            // Below its projects pnpm writes what was found, not what was asked for.
            Wanted::AsAsked if lockfile.format == Format::Pnpm => continue,
            Wanted::AsAsked if matches!(from.source, Source::Patch(_)) => continue,
            Wanted::AsAsked => false,
        };
        if instead && to.is_none() {
            continue;
        }
        let peer = edge.kind == DependencyKind::Peer;
        requests.push(Request {
            from: edge.from,
            name: &edge.name,
            spec,
            line: edge.line,
            to,
            // Peers are checked where they are there: clients have options to do without.
            optional: edge.optional || peer,
            peer,
            instead,
        });
    }
}

/// The folders of what npm's packages with a lockfile of their own install below themselves.
fn own_lockfiles(lockfile: &Lockfile) -> Vec<String> {
    let nodes = lockfile.nodes.iter().filter(|it| it.flags.shrinkwrap);
    nodes
        .map(|it| format!("{}/node_modules/", it.key))
        .collect()
}

/// The entry for what the project wants instead, where the format lists entries by requests.
fn instead_of(lockfile: &Lockfile, name: &str, spec: &str, to: Option<NodeId>) -> Option<NodeId> {
    match lockfile.format {
        Format::YarnBerry => lockfile.answering(name, spec).or(to),
        _ => to,
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
        // pnpm's lockfile does not name workspaces.
        Some(node) if node.name.is_empty() => format!("{}/package.json", node.key),
        Some(node) => node.label(),
        None => String::new(),
    }
}

/// What a project's manifest asks for, and what the lockfile says it did.
fn of_project<'m>(
    checked: &mut Checked<'_>,
    id: NodeId,
    manifest: &'m Manifest,
    overrides: &'m Overrides,
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
            && !overrides.names(name)
            && plain(&edge.spec) != plain(spec)
        {
            let what = format!(
                "{who} asks for {name} {spec:?}, the lockfile says {:?}",
                edge.spec
            );
            checked.add(&OUT_OF_STEP, edge.line, edge.to, &what);
            continue;
        }
        let to = edge.and_then(|edge| edge.to);
        let (spec, to, instead) = match overrides.wanted(None, name, spec) {
            Wanted::Unclear if to.is_some() => continue,
            Wanted::Instead(other) => (other, instead_of(lockfile, name, other, to), true),
            Wanted::AsAsked | Wanted::Unclear => (spec, to, false),
        };
        requests.push(Request {
            from: id,
            name,
            spec,
            line: edge.map_or(node.line, |edge| edge.line),
            to,
            optional,
            peer: false,
            instead,
        });
    }
    if !is_exact(lockfile.format) {
        return;
    }
    for (name, edge) in edges {
        // pnpm installs by itself what a project expects beside it, and lists it as if it were asked for.
        let expected = manifest.peer_dependencies.get_key_value(name);
        if let (Format::Pnpm, Some((name, spec))) = (lockfile.format, expected)
            && (plain(&edge.spec) == plain(spec) || overrides.names(name))
        {
            requests.push(Request {
                from: id,
                name,
                spec,
                line: edge.line,
                to: edge.to,
                optional: true,
                peer: true,
                instead: false,
            });
            continue;
        }
        let what = format!("the lockfile has {name}, which {who} does not ask for");
        checked.add(&OUT_OF_STEP, edge.line, edge.to, &what);
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

fn answer<'a>(
    checked: &mut Checked<'_>,
    request: &Request<'a>,
    project: &'a Project<'_>,
    read: &mut Read<'a>,
) {
    let Request {
        name, spec, line, ..
    } = *request;
    let lockfile = checked.lockfile;
    let entry = request.to.and_then(|id| Some((id, lockfile.node(id)?)));
    let Some((id, node)) = entry else {
        if !request.optional && !is_unlisted(lockfile, project.manifests, name) {
            let who = asker(lockfile, request.from);
            let what = format!("{who} needs {name} {spec:?}, which the lockfile does not have");
            checked.add(&OUT_OF_STEP, line, None, &what);
        }
        return;
    };
    let Read { specs, versions } = read;
    let is_local = node.is_local();
    let in_catalog = spec
        .strip_prefix("catalog:")
        .filter(|_| is_local)
        .and_then(|catalog| project.catalogs.range(catalog, name));
    let text = unambiguous(lockfile.format, in_catalog.unwrap_or(spec));
    // A range means the same whatever is asked for by it; `jsr:` and its like may not.
    let own = if text.contains(':') { name } else { "" };
    let asked = specs.entry((own, text));
    let asked = &*asked.or_insert_with(|| classify(own, text));
    let (wanted, range) = match asked {
        DependencySpec::Alias { name, spec } => (name.as_str(), spec.as_ref()),
        other => (name, other),
    };
    let is_other = !is_local && node.name != wanted && !spec.starts_with("catalog:");
    if is_other && !addresses::is_asked(lockfile, request.from, asked, node) {
        let what = format!(
            "{} and gets another package, {}",
            asks(lockfile, request),
            node.label()
        );
        checked.add(&OTHER_PACKAGE, node.line, request.to, &what);
        return;
    }
    if leads_elsewhere(lockfile, project, request, asked) {
        let what = format!(
            "{}, the lockfile has {}",
            asks(lockfile, request),
            remote::shown(node)
        );
        checked.add(&OUT_OF_STEP, node.line, request.to, &what);
        return;
    }
    let of_registry = matches!(range, DependencySpec::Range(_) | DependencySpec::Tag(_))
        && !project.places(id, name);
    let by_path = matches!(
        range,
        DependencySpec::File(_) | DependencySpec::Workspace(_)
    ) && !request.instead
        && !project.places(id, name)
        && lockfile
            .node(request.from)
            .is_some_and(|from| local::is_beyond(lockfile.format, from, node));
    if is_local {
        // Who expects another beside itself warns of the wrong version, or was told not to.
        let range = match range {
            DependencySpec::Range(range) if !request.peer => Some(range),
            _ => None,
        };
        let wrong = (of_registry || by_path)
            .then(|| local::wrong(lockfile, project.manifests, node, wanted, range));
        if let Some((rule, what)) = wrong.flatten() {
            let what = format!("{}, and {what}", asks(lockfile, request));
            checked.add(rule, node.line, request.to, &what);
        }
        return;
    }
    if of_registry && matches!(node.source, Source::Tarball(_) | Source::Git { .. }) {
        let what = format!(
            "{}, and the entry leads elsewhere: {}",
            asks(lockfile, request),
            local::place(node)
        );
        checked.add(&OTHER_PACKAGE, node.line, request.to, &what);
        return;
    }
    // Of peers only npm makes more than a warning.
    let is_bound = !request.peer || lockfile.format == Format::Npm;
    if let DependencySpec::Range(range) = range
        && is_bound
        && let Some(version) = &node.version
        && !versions
            .entry(id)
            .or_insert_with(|| Version::parse(version).ok())
            .as_ref()
            .is_some_and(|version| range.matches(version))
    {
        let what = format!("{}, the lockfile has {version}", asks(lockfile, request));
        checked.add(&OUT_OF_STEP, node.line, request.to, &what);
    }
}

/// Whether a project names a repository or an address, and gets what is not from there.
fn leads_elsewhere(
    lockfile: &Lockfile,
    project: &Project<'_>,
    request: &Request<'_>,
    asked: &DependencySpec,
) -> bool {
    let from = lockfile.node(request.from).map(|it| &it.source);
    let is_remote = matches!(asked, DependencySpec::Git { .. } | DependencySpec::Url(_));
    if !is_remote || request.peer || !matches!(from, Some(Source::Project(_))) {
        return false;
    }
    let Some(node) = request.to.and_then(|to| lockfile.node(to)) else {
        return false;
    };
    match &node.source {
        // yarn 1 may write where its own copies are.
        Source::File(_) if lockfile.format == Format::YarnClassic => false,
        Source::File(folder) | Source::Link(folder) => {
            let folder = declared::plain_path(folder);
            let manifests = project.manifests;
            manifests.workspace(&folder).is_none() && !manifests.is_unread(&folder)
        }
        _ => remote::is_another(lockfile.format, asked, node),
    }
}

/// Who asks for what, to begin a sentence with.
fn asks(lockfile: &Lockfile, request: &Request<'_>) -> String {
    let Request { name, spec, .. } = request;
    let who = asker(lockfile, request.from);
    if request.instead {
        format!("the project sets {name} to {spec:?} for {who}")
    } else {
        format!("{who} asks for {name} {spec:?}")
    }
}

/// Whether a package is a workspace of yarn 1, which are not in its lockfile.
fn is_unlisted(lockfile: &Lockfile, manifests: &Manifests, name: &str) -> bool {
    lockfile.format == Format::YarnClassic
        && manifests
            .found()
            .any(|(_, manifest)| manifest.name.as_deref() == Some(name))
}

/// yarn writes a range and a tag with the usual protocol, `npm:latest`, which elsewhere is the package of that
/// name.
pub(in crate::commands) fn unambiguous(format: Format, spec: &str) -> &str {
    match spec.strip_prefix("npm:") {
        Some(tag) if format == Format::YarnBerry && !tag.contains('@') => tag,
        _ => spec,
    }
}
