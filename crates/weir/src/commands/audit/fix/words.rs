//! What a person is told to do, as sentences.

use weir_model::finding::printable;
use weir_model::json::v1::{AuditChange, AuditChangeKind};
use weir_npm::lockfile::{Edge, Format, Node};
use weir_npm::version::Version;

use super::super::Audited;
use super::super::tree::{Way, from_registry};
use super::Reach;
use super::goal::{Goal, Toward, leaves};
use super::local::path_of;

/// A fork or a copy is mended where it comes from. The registry's package of its name may be somebody else's.
pub(super) fn elsewhere(audited: &Audited<'_>, way: &Way<'_>) -> AuditChange {
    let name = &audited.node.name;
    let what = format!(
        "{name} does not come from a registry: whether it is mended where it comes from has to be looked up"
    );
    change(AuditChangeKind::Unknown, way, name, None, None, what)
}

pub(super) fn change(
    kind: AuditChangeKind,
    way: &Way<'_>,
    package: &str,
    from: Option<&str>,
    to: Option<&Version>,
    what: String,
) -> AuditChange {
    let breaking = match (from, to) {
        (Some(from), Some(to)) => leaves(from, to),
        _ => false,
    };
    AuditChange {
        kind,
        project: printable(way.project, 300),
        package: printable(package, 220),
        from: from.map(|it| printable(it, 100)),
        to: to.map(|it| it.as_str().to_owned()),
        breaking,
        what: printable(&what, 600),
    }
}

/// The locked version of a package that is on the way. A folder of its name is another package.
pub(super) fn locked<'l>(audited: &'l Audited<'_>, way: &Way<'l>, name: &str) -> Option<&'l str> {
    let ids = way.edges.iter().filter_map(|edge| edge.to);
    let mut nodes = ids.filter_map(|id| audited.tree.lockfile.node(id));
    let node = nodes.find(|node| node.name == name && from_registry(node))?;
    node.version.as_deref()
}

/// The project itself forces a version: no range counts beside that.
pub(super) fn own_override(audited: &Audited<'_>, way: &Way<'_>, goal: &Goal) -> AuditChange {
    let what = format!(
        "the project itself sets the version of {}: set {}",
        goal.name,
        override_text(audited, goal)
    );
    let to = goal.versions.first();
    let kind = AuditChangeKind::Override;
    change(kind, way, &goal.name, Some(audited.version), to, what)
}

/// What comes inside another package's tarball only changes with that.
pub(super) fn bundled(audited: &Audited<'_>, way: &Way<'_>) -> Option<AuditChange> {
    if !audited.node.flags.bundled {
        return None;
    }
    let above = way.edges.iter().rev().skip(1);
    let mut above = above.filter_map(|edge| audited.tree.lockfile.node(edge.to?));
    let parent = above.find(|node| !node.flags.bundled)?;
    let what = match path_of(parent) {
        Some(path) => format!(
            "{} comes inside {path}, and nothing but another tarball changes it: pack one that brings a fixed \
             version",
            audited.node.label()
        ),
        None => format!(
            "{} comes inside the tarball of {}, and nothing but another release of that changes it: look for \
             one that brings a fixed version",
            audited.node.label(),
            parent.label()
        ),
    };
    let (kind, from) = (AuditChangeKind::Unknown, parent.version.as_deref());
    Some(change(kind, way, &parent.name, from, None, what))
}

/// All ranges admit it: the client only has to look again. Clients know a package by the name that the
/// project or its parent uses, which is another one for an alias; pnpm by its own.
pub(super) fn refresh(
    audited: &Audited<'_>,
    way: &Way<'_>,
    edge: &Edge,
    goal: &Goal,
) -> AuditChange {
    let name = &goal.name;
    let known_as = match audited.tree.lockfile.format {
        Format::Pnpm => name,
        Format::Npm | Format::YarnClassic | Format::YarnBerry | Format::Bun => &edge.name,
    };
    let direct = way
        .edges
        .first()
        .is_some_and(|first| std::ptr::eq(*first, edge));
    let nearest = goal.versions.first();
    let how = match audited.tree.lockfile.format {
        Format::Npm => format!("npm update {known_as}"),
        Format::Pnpm if direct => format!("pnpm update {known_as}"),
        Format::Pnpm => format!("pnpm update {known_as} --depth Infinity"),
        Format::YarnBerry => format!("yarn up -R {known_as}"),
        Format::Bun => format!("bun update {known_as}"),
        Format::YarnClassic if direct => format!("yarn upgrade {known_as}"),
        Format::YarnClassic => {
            format!("take the entry of {known_as} out of yarn.lock and run yarn install")
        }
    };
    let kind = goal.kind();
    let or_later = match goal.toward {
        Toward::Later => " or later",
        Toward::Lower | Toward::Prerelease => "",
    };
    let to = nearest.map_or_else(String::new, |it| format!(" to {it}{or_later}"));
    let what = format!("the ranges admit {kind} of {name}: bring the lockfile{to} ({how})");
    let from = locked(audited, way, name);
    change(AuditChangeKind::Refresh, way, name, from, nearest, what)
}

/// A change in the `package.json` of a folder, and what makes the lockfile follow it.
pub(super) fn install_anew(audited: &Audited<'_>, change: AuditChange) -> AuditChange {
    let what = match audited.tree.lockfile.format {
        Format::YarnClassic => format!(
            "{}, and run yarn install --force, as yarn 1 does not look into folders without that",
            change.what
        ),
        other => format!("{}, and run {} install", change.what, other.client()),
    };
    AuditChange {
        what: printable(&what, 600),
        ..change
    }
}

/// A change in the `package.json` of a tarball, which has to be packed by whoever packs it.
pub(super) fn repack(way: &Way<'_>, change: AuditChange) -> AuditChange {
    let what = format!("{}: only another tarball can say so", change.what);
    AuditChange {
        kind: AuditChangeKind::Unknown,
        project: printable(way.project, 300),
        what: printable(&what, 600),
        ..change
    }
}

/// How a project forces a version.
fn override_text(audited: &Audited<'_>, goal: &Goal) -> String {
    let to = goal.versions.first().map_or("", Version::as_str);
    let pair = format!("{:?}: {to:?}", goal.name);
    match audited.tree.lockfile.format {
        Format::Npm | Format::Bun => format!("\"overrides\": {{ {pair} }} in package.json"),
        Format::Pnpm => format!("overrides: {{ {pair} }} in pnpm-workspace.yaml"),
        Format::YarnClassic | Format::YarnBerry => {
            format!("\"resolutions\": {{ {pair} }} in package.json")
        }
    }
}

pub(super) fn overriding(
    audited: &Audited<'_>,
    way: &Way<'_>,
    goal: &Goal,
    parent: &Node,
    reach: Reach,
) -> AuditChange {
    let name = &goal.name;
    let why = match reach {
        Reach::NotByItself => format!(
            "of the versions of {name} that {} admits, clients would take one that is affected, and no later \
             release of it changes that",
            parent.label()
        ),
        Reach::Nowhere | Reach::NotKnown | Reach::There => format!(
            "{} does not admit {} of {name}, and no later release of it does",
            parent.label(),
            goal.kind()
        ),
    };
    let what = format!(
        "{why}: {}, after a look at whether it works with that",
        override_text(audited, goal)
    );
    let (from, to) = (locked(audited, way, &goal.name), goal.versions.first());
    change(AuditChangeKind::Override, way, &goal.name, from, to, what)
}

pub(super) fn unknown(
    audited: &Audited<'_>,
    way: &Way<'_>,
    goal: &Goal,
    parent: &Node,
    reach: Option<Reach>,
) -> AuditChange {
    let (name, label) = (&goal.name, parent.label());
    let registry = "run this where the registry answers";
    let (why, how) = match (reach, goal.versions.first()) {
        (Some(Reach::NotKnown), Some(nearest)) => {
            let (who, what) = match goal.stated {
                true => ("records name", " as fixed"),
                false => ("no record calls", " affected"),
            };
            let why = format!(
                "{who} {nearest}{what}, which {label} admits, and whether clients take it could not be looked up"
            );
            (why, registry)
        }
        _ => {
            let (later, how) = match from_registry(parent) {
                true => ("or a later release of it", registry),
                false => ("or what follows it where it comes from", "look there"),
            };
            let kind = goal.kind();
            let why = format!("whether {label} {later} admits {kind} of {name} is not known here");
            (why, how)
        }
    };
    let what = format!(
        "{why}: {how}; else, after a look at whether it works with that, {}",
        override_text(audited, goal)
    );
    let (from, to) = (locked(audited, way, name), goal.versions.first());
    change(AuditChangeKind::Unknown, way, name, from, to, what)
}
