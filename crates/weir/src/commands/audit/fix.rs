//! The ways out: which versions are fixed, and what to change so that a client takes one of them.
//!
//! Nothing is called a way out that any advisory known still speaks against, or that only lies beyond the last
//! version known to be affected, and nothing a fix that records do not call fixed. No range is called a way out if what clients would take of it is affected,
//! or if what they would take is not known.

mod asked;
mod goal;
mod local;
mod words;

use std::collections::BTreeSet;

use anyhow::Result;
use weir_model::Standing;
use weir_model::finding::printable;
use weir_model::json::v1::{AuditChange, AuditChangeKind, AuditedRelease};
use weir_npm::lockfile::{Edge, Node};
use weir_npm::spec::{DependencySpec, classify};
use weir_npm::version::Version;
use weir_store::{Advisories, PackageAdvisories};

pub(super) use self::asked::Asked;
use self::asked::Written;
use self::goal::{Goal, is_lower, leaves};
use self::local::Local;
use self::words::{
    bundled, change, elsewhere, install_anew, locked, overriding, own_override, refresh, repack,
    unknown,
};
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

/// How far what is asked for goes toward a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It admits no version that would do.
    Nowhere,
    /// It admits one, and clients would take another.
    NotByItself,
    /// It admits one, and which versions there are is not known.
    NotKnown,
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
    pub(super) fn out_of(&self, audited: &Audited<'_>) -> Result<AuditedRelease> {
        let Audited {
            file,
            tree,
            id,
            node,
            version,
        } = *audited;
        let about = self.advisories.about(&node.name)?;
        let package = self.registry.package(&node.name);
        let goal = Goal::of(&node.name, version, &about, package);
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
            fixes: goal.fixes(version, &about),
            unconfirmed: self.unconfirmed(node, version, &about),
            changes: changes.into_iter().collect(),
        })
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

    /// What to change on one way.
    fn change(&self, audited: &Audited<'_>, way: &Way<'_>, goal: &Goal) -> Result<AuditChange> {
        if !from_registry(audited.node) {
            return Ok(elsewhere(audited, way));
        }
        if goal.versions.is_empty() || way.edges.is_empty() {
            return self.no_way(audited, way, goal);
        }
        let mut change = if audited.tree.sets(&audited.node.name) {
            own_override(audited, way, goal)
        } else if let Some(change) = bundled(audited, way) {
            return Ok(change);
        } else {
            self.upward(audited, way, goal)?
        };
        if let Some(lead) = goal.lead(audited.version) {
            change.what = printable(&format!("{lead}{}", change.what), 600);
        }
        Ok(change)
    }

    /// From the affected release upward, until a range leads to what would do.
    fn upward(&self, audited: &Audited<'_>, way: &Way<'_>, goal: &Goal) -> Result<AuditChange> {
        let mut goal = goal.clone();
        let mut steps = way.edges.iter().rev().peekable();
        while let Some(edge) = steps.next() {
            let Some(above) = steps.peek() else {
                return Ok(self.at_the_project(audited, way, edge, &goal));
            };
            let parent = above.to.and_then(|to| audited.tree.lockfile.node(to));
            let Some(parent) = parent else { break };
            if let Some(local) = Local::at(audited, way, above) {
                return Ok(self.at_a_folder(audited, way, edge, &goal, &local));
            }
            // What a registry has under the name of a fork is another package.
            let package = self.registry.package(&parent.name);
            let package = package.filter(|_| from_registry(parent));
            let asked = Asked::by(audited, edge, parent, package);
            let reach = asked.map(|asked| self.reach(&asked, &goal));
            if reach == Some(Reach::There) {
                return Ok(refresh(audited, way, edge, &goal));
            }
            let (Some(reach), Some(package)) = (reach, package) else {
                return Ok(unknown(audited, way, &goal, parent, reach));
            };
            if self.registry.package(&goal.name).is_none() {
                return Ok(unknown(audited, way, &goal, parent, Some(reach)));
            }
            let versions = self.admitting(parent, package, &edge.name, &goal)?;
            if versions.is_empty() {
                return Ok(overriding(audited, way, &goal, parent, reach));
            }
            goal = Goal {
                name: parent.name.clone(),
                versions,
                toward: goal::Toward::Later,
                complete: true,
                stated: goal.stated,
            };
        }
        self.no_way(audited, way, &goal)
    }

    /// What the project itself has to do.
    fn at_the_project(
        &self,
        audited: &Audited<'_>,
        way: &Way<'_>,
        edge: &Edge,
        goal: &Goal,
    ) -> AuditChange {
        let written = Written::of(audited, way.project, edge);
        self.refresh_or_raise(audited, way, edge, goal, &written)
    }

    /// What a folder or a tarball on the way has to do. There are no later releases of it that could.
    fn at_a_folder(
        &self,
        audited: &Audited<'_>,
        way: &Way<'_>,
        edge: &Edge,
        goal: &Goal,
        local: &Local,
    ) -> AuditChange {
        let written = local.written(audited, edge);
        let change = self.refresh_or_raise(audited, way, edge, goal, &written);
        match change.kind {
            AuditChangeKind::Raise if local.is_tarball() => repack(way, change),
            AuditChangeKind::Raise => install_anew(audited, change),
            _ => change,
        }
    }

    fn refresh_or_raise(
        &self,
        audited: &Audited<'_>,
        way: &Way<'_>,
        edge: &Edge,
        goal: &Goal,
        written: &Written,
    ) -> AuditChange {
        let asked = written.spec.as_deref();
        let asked = asked.and_then(|spec| Asked::of(&edge.name, spec));
        let reach = asked.as_ref().map(|asked| self.reach(asked, goal));
        if reach == Some(Reach::There) {
            return refresh(audited, way, edge, goal);
        }
        self.raise(audited, way, edge, goal, written, asked.as_ref())
    }

    /// Whether what is asked for leads to a version that would do.
    fn reach(&self, asked: &Asked, goal: &Goal) -> Reach {
        let admitted = |version: &Version| match asked {
            Asked::Range(range) => range.matches(version),
            Asked::Tag(_) => true,
        };
        if !goal.versions.iter().any(admitted) {
            return Reach::Nowhere;
        }
        let Some(package) = self.registry.package(&goal.name) else {
            return Reach::NotKnown;
        };
        let taken = package.taken(asked);
        if taken.is_empty() {
            return Reach::Nowhere;
        }
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
        let stated = || of_fixes(name, &about.named_fixes(audited.version));
        let (kind, what) = match (beyond.first(), goal.complete) {
            (Some(beyond), _) => (
                AuditChangeKind::Unknown,
                format!(
                    "{}: {beyond} is past the last version known to be affected, and whether it is fixed has \
                     to be looked up",
                    stated()
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
                    "{}, and which versions there are is not known here",
                    stated()
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
                let asked = Asked::of(dependency, &spec);
                asked.is_some_and(|it| self.reach(&it, goal) == Reach::There)
            }
        };
        let versions = package.versions.iter().filter(above);
        Ok(versions
            .filter(|it| !it.is_prerelease() && about.standing(it.as_str()) == Standing::Clear)
            .filter(takes)
            .cloned()
            .collect())
    }

    /// What the project itself asks for is in the way, or lets clients take what is affected.
    fn raise(
        &self,
        audited: &Audited<'_>,
        way: &Way<'_>,
        edge: &Edge,
        goal: &Goal,
        written: &Written,
        asked: Option<&Asked>,
    ) -> AuditChange {
        let near = locked(audited, way, &goal.name);
        let stays = |it: &&Version| near.is_some_and(|near| !leaves(near, it));
        let to = goal.versions.iter().find(stays).or(goal.versions.first());
        let version = to.map_or_else(String::new, |it| it.as_str().to_owned());
        let (sign, exactly) = self.sign(goal, &version);
        // Under another name, by an alias or by an address, a range alone would be of a stranger's package. pnpm
        // lists an alias under the package's own name.
        let spec = written.spec.as_deref();
        let is_alias = spec
            .is_some_and(|spec| matches!(classify(&edge.name, spec), DependencySpec::Alias { .. }));
        let wanted = if is_alias || edge.name != goal.name.as_str() {
            format!("npm:{}@{sign}{version}", goal.name)
        } else {
            format!("{sign}{version}")
        };
        let known = self.registry.package(&goal.name).is_some();
        let tag = match asked {
            Some(Asked::Tag(tag)) if known => {
                let wanted = if goal.stated { "fixed" } else { "unaffected" };
                format!(", as the tag {tag:?} leads to no version that is {wanted}")
            }
            _ => String::new(),
        };
        let breaking = match (near, to) {
            (Some(near), Some(to)) if leaves(near, to) => ", which may break what relies on it",
            _ => "",
        };
        let word = match (near, to, asked) {
            _ if spec.is_none() => "set",
            (Some(near), Some(to), _) if is_lower(near, to) => "lower",
            (.., Some(Asked::Tag(_))) => "set",
            (.., Some(asked)) if self.reach(asked, goal) == Reach::NotKnown => "set",
            _ => "raise",
        };
        let from = spec.map_or_else(String::new, |spec| format!(" from {spec:?}"));
        let what = format!(
            "{word} {} in {}{from} to {wanted:?}{exactly}{tag}{breaking}",
            edge.name, written.place
        );
        AuditChange {
            project: printable(&written.project, 300),
            from: spec.map(|spec| printable(spec, 100)),
            to: Some(printable(&wanted, 300)),
            breaking: !breaking.is_empty(),
            ..change(AuditChangeKind::Raise, way, &edge.name, None, to, what)
        }
    }

    /// How to ask for a version: from it on, or for it alone, and then why.
    fn sign(&self, goal: &Goal, version: &str) -> (&'static str, String) {
        let caret = Asked::of(&goal.name, &format!("^{version}"));
        if caret.is_some_and(|caret| self.reach(&caret, goal) == Reach::There) {
            return ("^", String::new());
        }
        let why = match self.registry.package(&goal.name) {
            Some(_) => ", no later one, as clients would take one that is affected".to_owned(),
            None => format!(
                ", {}: what clients take of a range could not be looked up",
                goal.said()
            ),
        };
        ("", why)
    }
}

/// What records state of fixes, where no version is known that would do.
fn of_fixes(name: &str, named: &[Version]) -> String {
    let Some((first, more)) = named.split_first() else {
        return format!("no record states a fix for {name}");
    };
    let more = match more.len() {
        0 => String::new(),
        count => format!(" (and {count} later ones)"),
    };
    format!("a record names {first}{more} as fixed for {name}, and others do not confirm it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_that_others_speak_against_is_not_passed_over() {
        for (named, said) in [
            ("", "no record states a fix for reed"),
            (
                "1.1.0",
                "a record names 1.1.0 as fixed for reed, and others do not confirm it",
            ),
            (
                "1.1.0 1.2.0 2.0.0",
                "a record names 1.1.0 (and 2 later ones) as fixed for reed, and others do not confirm it",
            ),
        ] {
            let named = named.split_whitespace();
            let named: Vec<Version> = named.map(|it| Version::parse(it).unwrap()).collect();
            assert_eq!(of_fixes("reed", &named), said);
        }
    }
}
