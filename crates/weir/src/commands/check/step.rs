//! Whether a lockfile answers what is asked: what `npm ci` and its kin refuse, and what an edited entry
//! gives instead of what was asked for.

mod answer;
mod unclear;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use weir_model::json::v1::CheckLevel;
use weir_npm::lockfile::{DependencyKind, Edge, Format, Lockfile, NodeId, Source};
use weir_npm::manifest::Manifest;
use weir_npm::settings::Setting;
use weir_npm::spec::{DependencySpec, classify};

use self::answer::{Read, answer};
use super::catalogs::{self, Catalogs};
use super::client::ClientFiles;
use super::manifests::Manifests;
use super::overrides::{Asker, Overrides, Wanted};
use super::{Checked, Rule, declared, local, overrides};

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

/// The same where nothing is wrong: what yarn 1 leaves out cannot be compared.
const UNCOMPARED: Rule = Rule {
    id: UNCHECKED_PROJECT.id,
    level: UNCHECKED_PROJECT.level,
    todo: "yarn 1 does not look at them with --frozen-lockfile either: run yarn install, and see whether the lockfile changes",
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
    how: How,
}

/// How a request has come to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// It is what is asked for.
    AsAsked,
    /// The project wants this instead of what is asked for.
    Instead,
    /// It is what is asked for, and the project may want something else.
    Unclear,
}

/// What answers are compared with.
pub(super) struct Project<'a> {
    pub(super) manifests: &'a Manifests,
    pub(super) overrides: &'a Overrides,
    /// What a project asks for by its place. Who asks a registry for it gets the same.
    placed: HashMap<NodeId, BTreeSet<&'a str>>,
    catalogs: Catalogs,
    /// Whether yarn 1 may fetch from copies of its own.
    has_mirror: bool,
}

impl Project<'_> {
    /// Whether a project asks for an entry under this name by its place.
    pub(super) fn places(&self, id: NodeId, name: &str) -> bool {
        self.placed.get(&id).is_some_and(|it| it.contains(name))
    }
}

pub(super) fn check(checked: &mut Checked<'_>, manifests: &Manifests, files: &ClientFiles) {
    let overrides = Overrides::of(manifests, files, checked.lockfile);
    let mut project = Project {
        manifests,
        overrides: &overrides,
        placed: HashMap::new(),
        catalogs: Catalogs::of(files, checked.lockfile.format),
        has_mirror: files.yarnrc.get(&["yarn-offline-mirror"]).is_some(),
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
        checked.add(&UNCOMPARED, 1, None, what);
    }
    declared::check(checked, manifests);
    overrides::check(checked, files);
    catalogs::check(checked, &project.catalogs);
    let lockfile = checked.lockfile;
    let entries = Entries::of(lockfile, &overrides, files);
    let mut requests = Vec::new();
    for (folder, manifest) in manifests.all() {
        match lockfile.project(folder) {
            Some(id) => of_project(checked, id, manifest, &entries, &mut requests),
            None => {
                let what = format!("the project {folder:?} is not in the lockfile");
                checked.add(&OUT_OF_STEP, 1, None, &what);
            }
        }
    }
    project.placed = placed(lockfile, &requests);
    local::below(checked, &project);
    below(lockfile, &entries, &mut requests);
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

/// Where an entry may be that is not found by what is asked for, as the project sets something else.
struct Entries<'a> {
    format: Format,
    overrides: &'a Overrides,
    /// The names of all requests that are answered, in a format that lists them (yarn).
    answered: BTreeSet<&'a str>,
    /// Whether what is asked for as a link has no entry (pnpm's `excludeLinksFromLockfile`).
    without_links: bool,
    /// Whether code of the project may change what it asks for (pnpm).
    is_hooked: bool,
}

impl<'a> Entries<'a> {
    fn of(lockfile: &'a Lockfile, overrides: &'a Overrides, files: &ClientFiles) -> Self {
        let is_pnpm = lockfile.format == Format::Pnpm;
        let said = lockfile.terms.without_links;
        Self {
            format: lockfile.format,
            overrides,
            without_links: is_pnpm && said.unwrap_or_else(|| leaves_links_out(files)),
            is_hooked: lockfile.terms.hooked || files.has_pnpmfile,
            answered: lockfile.requests().map(|(name, _, _)| name).collect(),
        }
    }

    /// Whether what the project sets for a package can have an entry that is not found, or need none. Else a package
    /// without an entry is missing, whatever is set for it: what is installed then comes from no lockfile.
    fn may_be_another(&self, how: How, name: &str, spec: &str) -> bool {
        let any_is = |is: fn(&str) -> bool| {
            let mut texts = self.overrides.texts(name);
            texts.any(|text| text.is_none_or(is))
        };
        let is_left_out = |text: &str| self.without_links && text.starts_with("link:");
        match self.format {
            _ if how == How::AsAsked => is_left_out(spec),
            Format::Pnpm => {
                self.overrides.removes(name)
                    || is_left_out(spec)
                    || (self.without_links && any_is(|text| text.starts_with("link:")))
            }
            // It locks no links.
            Format::YarnClassic => any_is(|text| text.starts_with("link:")),
            // The entry of a patch, say, is under a request that is not written anywhere else.
            Format::YarnBerry if how == How::Unclear || spec.starts_with("catalog:") => {
                self.answered.contains(name) || any_is(|text| text.starts_with("workspace:"))
            }
            Format::Npm | Format::Bun | Format::YarnBerry => false,
        }
    }
}

/// Whether pnpm is set to leave links out, where its lockfile does not say.
fn leaves_links_out(files: &ClientFiles) -> bool {
    let said = [
        files.pnpm.get(&["excludeLinksFromLockfile"]),
        files.npmrc.get(&["exclude-links-from-lockfile"]),
    ];
    let is_on = |it: &Setting| it.is_on() || it.text() == Some("true");
    said.into_iter().flatten().any(is_on)
}

/// What packages ask of each other.
fn below<'a>(lockfile: &'a Lockfile, entries: &Entries<'a>, requests: &mut Vec<Request<'a>>) {
    let overrides = entries.overrides;
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
        let wanted = overrides.wanted(Asker::Package(overrides.asker(from)), &edge.name, spec);
        let got = to.and_then(|to| lockfile.node(to));
        // What a package brings itself is not the project's to set.
        let brought = got.is_some_and(|it| {
            it.flags.bundled || own_lockfiles.iter().any(|above| it.key.starts_with(above))
        });
        let how = match wanted {
            Wanted::Instead(_) | Wanted::Unclear if brought => continue,
            _ if matches!(from.source, Source::Patch(_)) => continue,
            Wanted::Instead(other) => {
                spec = other;
                to = instead_of(lockfile, &edge.name, other, to);
                How::Instead
            }
            // Below its projects pnpm writes what was found, not what was asked for.
            Wanted::AsAsked | Wanted::Unclear if lockfile.format == Format::Pnpm => continue,
            Wanted::AsAsked => How::AsAsked,
            Wanted::Unclear => How::Unclear,
        };
        if to.is_none() && entries.may_be_another(how, &edge.name, spec) {
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
            how,
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
        // It takes the entry of what is set for what is asked for as well.
        Format::YarnClassic => to.or_else(|| lockfile.answering(name, spec)),
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
    entries: &Entries<'m>,
    requests: &mut Vec<Request<'m>>,
) {
    let (lockfile, overrides) = (checked.lockfile, entries.overrides);
    let Some(node) = lockfile.node(id) else {
        return;
    };
    let edges = lockfile
        .edges_of(id)
        .filter(|edge| !matches!(edge.kind, DependencyKind::Peer | DependencyKind::Client));
    let mut edges: HashMap<&str, _> = edges.map(|edge| (edge.name.as_str(), edge)).collect();
    let who = asker(lockfile, id);
    let own = Asker::Project(manifest.name.as_deref().unwrap_or_default());
    let asked = asked_by(manifest, lockfile.format, is_hidden(&checked.file));
    for (name, (spec, optional)) in asked {
        let edge = edges.remove(name);
        let wanted = overrides.wanted(own, name, spec);
        if let Some(edge) = edge
            && is_exact(lockfile.format)
            && wanted == Wanted::AsAsked
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
        let (spec, to, how) = match wanted {
            Wanted::AsAsked => (spec, to, How::AsAsked),
            Wanted::Instead(other) => {
                let to = instead_of(lockfile, name, other, to);
                (other, to, How::Instead)
            }
            Wanted::Unclear => (spec, to, How::Unclear),
        };
        if to.is_none() && entries.may_be_another(how, name, spec) {
            continue;
        }
        // Both lock what is for other platforms as well. What pnpm could not have it leaves out, and then refuses
        // its own lockfile.
        let is_locked = match lockfile.format {
            Format::YarnBerry => how == How::AsAsked,
            Format::Pnpm => {
                how == How::AsAsked && !entries.is_hooked && !lockfile.terms.may_ignore(name)
            }
            Format::Npm | Format::YarnClassic | Format::Bun => false,
        };
        requests.push(Request {
            from: id,
            name,
            spec,
            line: edge.map_or(node.line, |edge| edge.line),
            to,
            optional: optional && !is_locked,
            peer: false,
            how,
        });
    }
    if !is_exact(lockfile.format) {
        return;
    }
    for (name, edge) in edges {
        if lockfile.format == Format::Pnpm
            && let Some(request) = expected((id, own), manifest, edge, overrides)
        {
            requests.push(request);
            continue;
        }
        let what = format!("the lockfile has {name}, which {who} does not ask for");
        checked.add(&OUT_OF_STEP, edge.line, edge.to, &what);
    }
}

/// What a manifest asks for, and whether it may be missing. Where several lists have a name, each client takes
/// it from another.
fn asked_by(manifest: &Manifest, format: Format, is_hidden: bool) -> BTreeMap<&str, (&str, bool)> {
    let normal = (&manifest.dependencies, false);
    let optional = (&manifest.optional_dependencies, true);
    let dev = (&manifest.dev_dependencies, is_hidden);
    // The last one counts.
    let lists = match format {
        Format::YarnBerry => [normal, optional, dev],
        Format::Bun => [normal, dev, optional],
        Format::Npm | Format::YarnClassic | Format::Pnpm => [dev, normal, optional],
    };
    let mut asked = BTreeMap::new();
    for (list, optional) in lists {
        asked.extend(
            list.iter()
                .map(|(name, spec)| (name.as_str(), (spec.as_str(), optional))),
        );
    }
    asked
}

/// What a project expects beside it, where pnpm lists that as if it were asked for: it installs it by itself, and
/// whatever version is locked.
fn expected<'m>(
    (id, own): (NodeId, Asker<'_>),
    manifest: &'m Manifest,
    edge: &Edge,
    overrides: &Overrides,
) -> Option<Request<'m>> {
    let (name, spec) = manifest.peer_dependencies.get_key_value(&edge.name)?;
    let is_as_asked = overrides.wanted(own, name, spec) == Wanted::AsAsked;
    if is_as_asked && plain(&edge.spec) != plain(spec) {
        return None;
    }
    Some(Request {
        from: id,
        name,
        spec,
        line: edge.line,
        to: edge.to,
        optional: true,
        peer: false,
        how: if is_as_asked {
            How::AsAsked
        } else {
            How::Unclear
        },
    })
}

/// Formats whose clients refuse a lockfile that does not repeat what is asked for to the letter.
fn is_exact(format: Format) -> bool {
    matches!(format, Format::YarnBerry | Format::Pnpm | Format::Bun)
}

/// yarn writes the usual protocol where the manifest leaves it out.
fn plain(spec: &str) -> &str {
    spec.strip_prefix("npm:").unwrap_or(spec)
}

/// yarn writes a range and a tag with the usual protocol, `npm:latest`, which elsewhere is the package of that
/// name.
pub(in crate::commands) fn unambiguous(format: Format, spec: &str) -> &str {
    match spec.strip_prefix("npm:") {
        Some(tag) if format == Format::YarnBerry && !tag.contains('@') => tag,
        _ => spec,
    }
}
