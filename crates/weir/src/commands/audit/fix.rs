//! The ways out: which versions are fixed, and what to change so that a client takes one of them.
//!
//! Nothing is called a fix that any advisory known still speaks against, or that only lies beyond the last
//! version known to be affected. No range is called a way out if what clients would take of it is affected.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use anyhow::Result;
use weir_model::finding::printable;
use weir_model::json::v1::{AuditChange, AuditChangeKind, AuditFix, AuditedRelease};
use weir_model::{AdvisoryKind, Standing, Told};
use weir_npm::lockfile::{Edge, Format, Node};
use weir_npm::spec::{DependencySpec, classify};
use weir_npm::version::{Range, Version};
use weir_store::{Advisories, PackageAdvisories};

use super::Audited;
use super::registry::{Known, Registry};
use super::tree::{Way, from_registry};

/// Most ways shown for one release. More direct dependencies than this are counted.
const MOST_PATHS: usize = 10;

/// Finds ways out.
pub(super) struct Ways<'a> {
    advisories: &'a Advisories,
    registry: &'a Registry,
}

/// Versions of a package that would do, lowest first.
struct Goal {
    name: String,
    versions: Vec<Version>,
    /// Whether these are all there are, or only those that records name.
    complete: bool,
}

/// How far a range goes toward a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It admits no version that would do.
    Nowhere,
    /// It admits one, and clients would take another.
    NotByItself,
    /// What clients take would do.
    There,
}

impl<'a> Ways<'a> {
    pub(super) fn new(advisories: &'a Advisories, registry: &'a Registry) -> Self {
        Self {
            advisories,
            registry,
        }
    }

    /// A locked release, who brings it in, and the ways out of all that is told of it.
    pub(super) fn out_of(&self, audited: &Audited<'_>, told: &[Told]) -> Result<AuditedRelease> {
        let Audited {
            file,
            tree,
            id,
            node,
            version,
        } = *audited;
        let about = self.advisories.about(&node.name)?;
        let malware = told.iter().any(|it| it.kind == AdvisoryKind::Malware);
        let goal = self.goal(node, version, told, &about, malware);
        let known = self.registry.package(&node.name).is_some();
        let fixes = goal.versions.iter().map(|fix| AuditFix {
            version: fix.as_str().to_owned(),
            published: known.then_some(true),
            breaking: leaves(version, fix),
        });
        let ways = tree.ways(id);
        let mut changes: BTreeSet<AuditChange> = BTreeSet::new();
        for way in &ways {
            changes.insert(self.change(audited, way, &goal)?);
        }
        Ok(AuditedRelease {
            file: file.to_owned(),
            line: node.line,
            version: version.to_owned(),
            need: tree.need(id),
            paths: ways
                .iter()
                .take(MOST_PATHS)
                .map(|way| tree.shown(way))
                .collect(),
            more_paths: ways.len().saturating_sub(MOST_PATHS),
            fixes: shortest(fixes.collect()),
            unconfirmed: self.unconfirmed(node, version, &about),
            changes: changes.into_iter().collect(),
        })
    }

    /// Versions that nothing known speaks against: above the locked one, or, of malware, below it, too.
    fn goal(
        &self,
        node: &Node,
        version: &str,
        told: &[Told],
        about: &PackageAdvisories,
        malware: bool,
    ) -> Goal {
        let locked = Version::parse(version).ok();
        let above = |it: &&Version| match &locked {
            Some(locked) => it.precedence(locked) == Ordering::Greater,
            None => true,
        };
        let early = locked.as_ref().is_some_and(Version::is_prerelease);
        let usable = |it: &&Version| {
            (early || !it.is_prerelease()) && about.standing(it.as_str()) == Standing::Clear
        };
        let name = node.name.clone();
        if let Some(package) = self.registry.package(&node.name) {
            let usable = || package.versions.iter().filter(usable);
            let mut versions: Vec<Version> = usable().filter(above).cloned().collect();
            if malware && versions.is_empty() {
                // What was published before it was taken over is a way out, too.
                versions.extend(usable().next_back().cloned());
            }
            return Goal {
                name,
                versions,
                complete: true,
            };
        }
        let stated = told.iter().flat_map(|it| &it.fixes);
        let stated: BTreeSet<Version> = stated.filter_map(|it| Version::parse(it).ok()).collect();
        Goal {
            name,
            versions: stated
                .iter()
                .filter(above)
                .filter(usable)
                .cloned()
                .collect(),
            complete: false,
        }
    }

    /// The lowest version past the last that is known to be affected.
    fn unconfirmed(&self, node: &Node, version: &str, about: &PackageAdvisories) -> Vec<String> {
        let locked = Version::parse(version).ok();
        let package = self.registry.package(&node.name);
        let versions = package.map(|it| it.versions.as_slice()).unwrap_or_default();
        let beyond = versions.iter().find(|it| {
            locked.as_ref().is_some_and(|locked| *it > locked)
                && !it.is_prerelease()
                && about.standing(it.as_str()) == Standing::Beyond
        });
        beyond
            .map(|it| it.as_str().to_owned())
            .into_iter()
            .collect()
    }

    /// What to change on one way: from the affected release upward, until a range admits what would do.
    fn change(&self, audited: &Audited<'_>, way: &Way<'_>, goal: &Goal) -> Result<AuditChange> {
        if !from_registry(audited.node) {
            return Ok(elsewhere(audited, way));
        }
        let Some(last) = way.edges.last() else {
            return self.no_way(audited, way, goal);
        };
        if goal.versions.is_empty() {
            return self.no_way(audited, way, goal);
        }
        if audited.tree.sets(&audited.node.name) {
            return Ok(own_override(audited, way, goal));
        }
        if let Some(change) = bundled(audited, way) {
            return Ok(change);
        }
        let mut goal = Goal {
            name: goal.name.clone(),
            versions: goal.versions.clone(),
            complete: goal.complete,
        };
        let mut edge: &Edge = last;
        for above in way.edges.iter().rev().skip(1) {
            let parent = above.to.and_then(|to| audited.tree.lockfile.node(to));
            let Some(parent) = parent else { break };
            let package = self.registry.package(&parent.name);
            let reach = declared(audited, edge, parent, package);
            let reach = match reach.map(|range| self.reach(&range, &goal)) {
                None => return Ok(unknown(audited, way, &goal, parent)),
                Some(Reach::There) => return Ok(refresh(audited, way, &goal)),
                Some(reach) => reach,
            };
            let Some(package) = package else {
                return Ok(unknown(audited, way, &goal, parent));
            };
            let versions = self.admitting(parent, package, &edge.name, &goal)?;
            if versions.is_empty() {
                return Ok(overriding(audited, way, &goal, parent, reach));
            }
            goal = Goal {
                name: parent.name.clone(),
                versions,
                complete: true,
            };
            edge = above;
        }
        Ok(
            match range_of(edge).map(|range| self.reach(&range, &goal)) {
                Some(Reach::There) => refresh(audited, way, &goal),
                _ => self.raise(audited, way, edge, &goal),
            },
        )
    }

    /// Whether a range leads to a version that would do.
    fn reach(&self, range: &Range, goal: &Goal) -> Reach {
        if !goal.versions.iter().any(|version| range.matches(version)) {
            return Reach::Nowhere;
        }
        let package = self.registry.package(&goal.name);
        let taken = package.map(|it| it.taken(range)).unwrap_or_default();
        match taken.iter().all(|version| goal.versions.contains(version)) {
            true => Reach::There,
            false => Reach::NotByItself,
        }
    }

    /// No version is known that would do.
    fn no_way(&self, audited: &Audited<'_>, way: &Way<'_>, goal: &Goal) -> Result<AuditChange> {
        let name = &audited.node.name;
        let about = self.advisories.about(name)?;
        let beyond = self.unconfirmed(audited.node, audited.version, &about);
        let (kind, what) = match (beyond.first(), goal.complete) {
            (Some(beyond), _) => (
                AuditChangeKind::Unknown,
                format!(
                    "no record states a fix for {name}: {beyond} is past the last version known to be \
                     affected, and whether it is fixed has to be looked up"
                ),
            ),
            (None, true) => (
                AuditChangeKind::Remove,
                format!(
                    "no published version of {name} is free of what is known: replace or remove it"
                ),
            ),
            (None, false) => (
                AuditChangeKind::Unknown,
                format!(
                    "no record states a fix for {name}, and which versions there are is not known here"
                ),
            ),
        };
        Ok(change(kind, way, name, Some(audited.version), None, what))
    }

    /// The versions of a package, from the locked one on, that take a fixed version of a dependency or none
    /// of it at all, and that nothing known speaks against.
    fn admitting(
        &self,
        parent: &Node,
        package: &Known,
        dependency: &str,
        goal: &Goal,
    ) -> Result<Vec<Version>> {
        let about = self.advisories.about(&parent.name)?;
        let locked = parent
            .version
            .as_deref()
            .and_then(|it| Version::parse(it).ok());
        let above = |it: &&Version| locked.as_ref().is_none_or(|locked| *it > locked);
        let takes = |it: &&Version| match package.asks(it.as_str(), dependency) {
            None => false,
            Some(None) => true,
            Some(Some(spec)) => {
                range(dependency, &spec).is_some_and(|it| self.reach(&it, goal) == Reach::There)
            }
        };
        let versions = package.versions.iter().filter(above);
        Ok(versions
            .filter(|it| !it.is_prerelease() && about.standing(it.as_str()) == Standing::Clear)
            .filter(takes)
            .cloned()
            .collect())
    }

    /// The project's own range is in the way, or lets clients take what is affected.
    fn raise(&self, audited: &Audited<'_>, way: &Way<'_>, edge: &Edge, goal: &Goal) -> AuditChange {
        let near = locked(audited, way, &goal.name);
        let stays = |it: &&Version| near.is_some_and(|near| !leaves(near, it));
        let to = goal.versions.iter().find(stays).or(goal.versions.first());
        let version = to.map_or_else(String::new, |it| it.as_str().to_owned());
        let caret = Range::parse_from_npm(&format!("^{version}"));
        let caret = caret.is_ok_and(|caret| self.reach(&caret, goal) == Reach::There);
        let (sign, exactly) = match caret {
            true => ("^", ""),
            false => (
                "",
                ", no later one, as clients would take one that is affected",
            ),
        };
        let wanted = match classify(&edge.name, &edge.spec) {
            DependencySpec::Alias { .. } => format!("npm:{}@{sign}{version}", goal.name),
            _ => format!("{sign}{version}"),
        };
        let breaking = match (near, to) {
            (Some(near), Some(to)) if leaves(near, to) => ", which may break what relies on it",
            _ => "",
        };
        let lower = near.and_then(|near| Version::parse(near).ok());
        let word = match (lower, to) {
            (Some(near), Some(to)) if *to < near => "lower",
            _ => "raise",
        };
        let what = format!(
            "{word} {} in {} from {:?} to {wanted:?}{exactly}{breaking}",
            edge.name,
            manifest_of(way),
            edge.spec
        );
        AuditChange {
            from: Some(printable(&edge.spec, 100)),
            to: Some(printable(&wanted, 300)),
            breaking: !breaking.is_empty(),
            ..change(AuditChangeKind::Raise, way, &edge.name, None, to, what)
        }
    }
}

/// The lowest fix, and the lowest that stays in reach; of all others nobody needs to be told.
fn shortest(fixes: Vec<AuditFix>) -> Vec<AuditFix> {
    let near = fixes.iter().position(|fix| !fix.breaking);
    let first = (!fixes.is_empty()).then_some(0);
    let wanted: BTreeSet<usize> = [first, near].into_iter().flatten().collect();
    let numbered = fixes.into_iter().enumerate();
    numbered
        .filter(|(number, _)| wanted.contains(number))
        .map(|(_, fix)| fix)
        .collect()
}

/// Whether a version lies outside of `^locked`.
fn leaves(locked: &str, version: &Version) -> bool {
    let range = Range::parse_with_prereleases(&format!("^{locked}"));
    !range.is_ok_and(|range| range.matches(version))
}

/// The range in a dependency's right-hand side, of an alias the one behind it.
fn range(name: &str, spec: &str) -> Option<Range> {
    match classify(name, spec) {
        DependencySpec::Range(range) => Some(range),
        DependencySpec::Alias { spec, .. } => match *spec {
            DependencySpec::Range(range) => Some(range),
            _ => None,
        },
        _ => None,
    }
}

fn range_of(edge: &Edge) -> Option<Range> {
    range(&edge.name, &edge.spec)
}

/// What a package on the way asks for. pnpm's lockfile only says what it got.
fn declared(
    audited: &Audited<'_>,
    edge: &Edge,
    parent: &Node,
    package: Option<&Known>,
) -> Option<Range> {
    if audited.tree.lockfile.format != Format::Pnpm {
        return range_of(edge);
    }
    let asks = package?.asks(parent.version.as_deref()?, &edge.name)??;
    range(&edge.name, &asks)
}

/// A fork or a copy is mended where it comes from. The registry's package of its name may be somebody else's.
fn elsewhere(audited: &Audited<'_>, way: &Way<'_>) -> AuditChange {
    let name = &audited.node.name;
    let what = format!(
        "{name} does not come from a registry: whether it is mended where it comes from has to be looked up"
    );
    change(AuditChangeKind::Unknown, way, name, None, None, what)
}

fn change(
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

fn manifest_of(way: &Way<'_>) -> String {
    match way.project {
        "" => "package.json".to_owned(),
        folder => format!("{folder}/package.json"),
    }
}

/// The locked version of a package that is on the way.
fn locked<'l>(audited: &'l Audited<'_>, way: &Way<'l>, name: &str) -> Option<&'l str> {
    let ids = way.edges.iter().filter_map(|edge| edge.to);
    let mut nodes = ids.filter_map(|id| audited.tree.lockfile.node(id));
    nodes.find(|node| node.name == name)?.version.as_deref()
}

/// The project itself forces a version: no range counts beside that.
fn own_override(audited: &Audited<'_>, way: &Way<'_>, goal: &Goal) -> AuditChange {
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
fn bundled(audited: &Audited<'_>, way: &Way<'_>) -> Option<AuditChange> {
    if !audited.node.flags.bundled {
        return None;
    }
    let above = way.edges.iter().rev().skip(1);
    let mut above = above.filter_map(|edge| audited.tree.lockfile.node(edge.to?));
    let parent = above.find(|node| !node.flags.bundled)?;
    let what = format!(
        "{} comes inside the tarball of {}, and nothing but another release of that changes it: look for one \
         that brings a fixed version",
        audited.node.label(),
        parent.label()
    );
    let (kind, from) = (AuditChangeKind::Unknown, parent.version.as_deref());
    Some(change(kind, way, &parent.name, from, None, what))
}

/// All ranges admit it: the client only has to look again.
fn refresh(audited: &Audited<'_>, way: &Way<'_>, goal: &Goal) -> AuditChange {
    let name = &goal.name;
    let direct = way.edges.len() == 1;
    let lowest = goal.versions.first();
    let how = match audited.tree.lockfile.format {
        Format::Npm => format!("npm update {name}"),
        Format::Pnpm if direct => format!("pnpm update {name}"),
        Format::Pnpm => format!("pnpm update {name} --depth Infinity"),
        Format::YarnBerry => format!("yarn up -R {name}"),
        Format::Bun => format!("bun update {name}"),
        Format::YarnClassic if direct => format!("yarn upgrade {name}"),
        Format::YarnClassic => {
            format!("take the entry of {name} out of yarn.lock and run yarn install")
        }
    };
    let to = lowest.map_or_else(String::new, |it| format!(" to {it} or later"));
    let what =
        format!("the ranges admit a fixed version of {name}: bring the lockfile{to} ({how})");
    let from = locked(audited, way, name);
    change(AuditChangeKind::Refresh, way, name, from, lowest, what)
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

fn overriding(
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
        Reach::Nowhere | Reach::There => format!(
            "{} does not admit a fixed version of {name}, and no later release of it does",
            parent.label()
        ),
    };
    let what = format!(
        "{why}: {}, after a look at whether it works with that",
        override_text(audited, goal)
    );
    let (from, to) = (locked(audited, way, &goal.name), goal.versions.first());
    change(AuditChangeKind::Override, way, &goal.name, from, to, what)
}

fn unknown(audited: &Audited<'_>, way: &Way<'_>, goal: &Goal, parent: &Node) -> AuditChange {
    let what = format!(
        "whether {} or a later release of it admits a fixed version of {} is not known here: run this where \
         the registry answers; else, after a look at whether it works with that, {}",
        parent.label(),
        goal.name,
        override_text(audited, goal)
    );
    let (from, to) = (locked(audited, way, &goal.name), goal.versions.first());
    change(AuditChangeKind::Unknown, way, &goal.name, from, to, what)
}
