//! What one package's contents have that another's have not. Facts about two sets of facts: what
//! a difference means is for signals.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use weir_npm::manifest::Manifest;

use crate::Contents;
use crate::contents::{
    Binary, Capability, CapabilityKind, FileDigest, Flow, HiddenText, Host, InstallStep,
    Obfuscated, SinkKind, SourceKind, Surface, Unread,
};

/// What came and what went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a, T> {
    /// There now, and not before.
    pub added: Vec<&'a T>,
    /// There before, and not now.
    pub removed: Vec<&'a T>,
}

impl<'a, T> Change<'a, T> {
    /// Compares two lists by what `key` takes for the same.
    fn by<K: Eq + Hash>(before: &'a [T], after: &'a [T], key: impl Fn(&'a T) -> K) -> Self {
        let without = |list: &'a [T], other: &'a [T]| {
            let known: std::collections::HashSet<K> = other.iter().map(&key).collect();
            list.iter()
                .filter(|item| !known.contains(&key(item)))
                .collect()
        };
        Self {
            added: without(after, before),
            removed: without(before, after),
        }
    }

    /// Whether nothing came and nothing went.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// Files with code that came, went or changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files<'a> {
    /// There now, and their bytes nowhere in the package before.
    pub added: Vec<&'a FileDigest>,
    /// There before, and their bytes nowhere in the package now.
    pub removed: Vec<&'a FileDigest>,
    /// The same bytes under another path: before, after.
    pub moved: Vec<(&'a FileDigest, &'a FileDigest)>,
    /// Other bytes under the same path: before, after.
    pub changed: Vec<(&'a FileDigest, &'a FileDigest)>,
    /// The same bytes under the same path, run from another surface: before, after.
    pub reached: Vec<(&'a FileDigest, &'a FileDigest)>,
}

/// A dependency that came, went or changed its range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyChange<'a> {
    /// The field of `package.json` it is in.
    pub field: &'static str,
    /// Its name.
    pub name: &'a str,
    /// What was asked for before.
    pub before: Option<&'a str>,
    /// What is asked for now.
    pub after: Option<&'a str>,
}

/// What one package's contents have that another's have not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference<'a> {
    /// The earlier contents.
    pub before: &'a Contents,
    /// The later contents.
    pub after: &'a Contents,
    /// Abilities. One on a surface that an earlier one [covers](Surface::covers) is not new.
    pub capabilities: Change<'a, Capability>,
    /// Hosts, by name.
    pub hosts: Change<'a, Host>,
    /// Flows, by what is read, where it goes and from where it runs; not by line.
    pub flows: Change<'a, Flow>,
    /// What runs at install time, by event and command.
    pub install_steps: Change<'a, InstallStep>,
    /// What it depends on.
    pub dependencies: Vec<DependencyChange<'a>>,
    /// Files with code.
    pub files: Files<'a>,
    /// Binaries, by path.
    pub binaries: Change<'a, Binary>,
    /// Binaries that have other bytes now: before, after.
    pub rebuilt: Vec<(&'a Binary, &'a Binary)>,
    /// Hidden text, by kind and file.
    pub hidden: Change<'a, HiddenText>,
    /// Obfuscated files, by path.
    pub obfuscated: Change<'a, Obfuscated>,
    /// What could not be analysed, by path.
    pub unread: Change<'a, Unread>,
}

impl<'a> Difference<'a> {
    /// Compares two packages' contents.
    #[must_use]
    pub fn between(before: &'a Contents, after: &'a Contents) -> Self {
        Self {
            before,
            after,
            capabilities: Change {
                added: not_covered(&after.capabilities, &before.capabilities),
                removed: not_covered(&before.capabilities, &after.capabilities),
            },
            hosts: Change::by(&before.hosts, &after.hosts, |host| host.host.as_str()),
            flows: Change::by(&before.flows, &after.flows, flow_key),
            install_steps: Change::by(&before.install_steps, &after.install_steps, |step| {
                (step.event.as_str(), step.command.trim())
            }),
            dependencies: dependencies(before.manifest.as_ref(), after.manifest.as_ref()),
            files: files(&before.files, &after.files),
            binaries: Change::by(&before.binaries, &after.binaries, |file| file.path.as_str()),
            rebuilt: rebuilt(&before.binaries, &after.binaries),
            hidden: Change::by(&before.hidden, &after.hidden, |hidden| {
                (hidden.kind, hidden.place.path.as_str())
            }),
            obfuscated: Change::by(&before.obfuscated, &after.obfuscated, |file| {
                file.place.path.as_str()
            }),
            unread: Change::by(&before.unread, &after.unread, |unread| unread.path.as_str()),
        }
    }

    /// Whether code that something led to had this ability before, on whatever surface.
    #[must_use]
    pub fn had(&self, kind: CapabilityKind) -> bool {
        let mut before = self.before.capabilities.iter();
        before.any(|one| one.kind == kind && one.surface != Surface::Unreferenced)
    }

    /// Whether nothing at all is different that weir looks at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let files = &self.files;
        self.before.size == self.after.size
            && self.capabilities.is_empty()
            && self.hosts.is_empty()
            && self.flows.is_empty()
            && self.install_steps.is_empty()
            && self.dependencies.is_empty()
            && self.binaries.is_empty()
            && self.rebuilt.is_empty()
            && self.hidden.is_empty()
            && self.obfuscated.is_empty()
            && self.unread.is_empty()
            && files.added.is_empty()
            && files.removed.is_empty()
            && files.changed.is_empty()
            && files.moved.is_empty()
            && files.reached.is_empty()
    }
}

/// Abilities of one list that none of the other covers.
fn not_covered<'a>(list: &'a [Capability], other: &[Capability]) -> Vec<&'a Capability> {
    let covered = |one: &Capability| {
        other
            .iter()
            .any(|old| old.kind == one.kind && old.surface.covers(one.surface))
    };
    list.iter().filter(|one| !covered(one)).collect()
}

fn flow_key(flow: &Flow) -> (SourceKind, &str, SinkKind, &str, Surface) {
    (
        flow.source,
        flow.source_detail.as_str(),
        flow.sink,
        flow.sink_detail.as_str(),
        flow.surface,
    )
}

fn dependencies<'a>(
    before: Option<&'a Manifest>,
    after: Option<&'a Manifest>,
) -> Vec<DependencyChange<'a>> {
    type Field = fn(&Manifest) -> &BTreeMap<String, String>;
    let fields: [(&'static str, Field); 3] = [
        ("dependencies", |manifest| &manifest.dependencies),
        ("optionalDependencies", |manifest| {
            &manifest.optional_dependencies
        }),
        ("peerDependencies", |manifest| &manifest.peer_dependencies),
    ];
    let mut changes = Vec::new();
    for (field, of) in fields {
        let (before, after) = (before.map(of), after.map(of));
        let names: BTreeSet<&String> = [before, after]
            .into_iter()
            .flatten()
            .flat_map(BTreeMap::keys)
            .collect();
        for name in names {
            let range = |side: Option<&'a BTreeMap<String, String>>| {
                side.and_then(|map| map.get(name)).map(String::as_str)
            };
            let (before, after) = (range(before), range(after));
            if before != after {
                changes.push(DependencyChange {
                    field,
                    name,
                    before,
                    after,
                });
            }
        }
    }
    changes
}

fn files<'a>(before: &'a [FileDigest], after: &'a [FileDigest]) -> Files<'a> {
    let by_path = |list: &'a [FileDigest]| -> HashMap<&'a str, &'a FileDigest> {
        list.iter().map(|file| (file.path.as_str(), file)).collect()
    };
    let (old, new) = (by_path(before), by_path(after));
    // Of several files with the same bytes any one will do.
    let gone: HashMap<&str, &FileDigest> = before
        .iter()
        .filter(|file| !new.contains_key(file.path.as_str()))
        .map(|file| (file.digest.as_str(), file))
        .collect();
    let digests = |list: &'a [FileDigest]| list.iter().map(|file| file.digest.as_str()).collect();
    let (old_digests, new_digests): (BTreeSet<&str>, BTreeSet<&str>) =
        (digests(before), digests(after));
    let mut files = Files::default();
    for file in after {
        match old.get(file.path.as_str()) {
            Some(same) if same.digest != file.digest => files.changed.push((same, file)),
            Some(same) if same.surface != file.surface => files.reached.push((same, file)),
            Some(_) => {}
            None => match gone.get(file.digest.as_str()) {
                Some(from) => files.moved.push((from, file)),
                None if old_digests.contains(file.digest.as_str()) => {}
                None => files.added.push(file),
            },
        }
    }
    files.removed = before
        .iter()
        .filter(|file| {
            !new.contains_key(file.path.as_str()) && !new_digests.contains(file.digest.as_str())
        })
        .collect();
    files
}

fn rebuilt<'a>(before: &'a [Binary], after: &'a [Binary]) -> Vec<(&'a Binary, &'a Binary)> {
    let old: HashMap<&str, &Binary> = before
        .iter()
        .map(|file| (file.path.as_str(), file))
        .collect();
    after
        .iter()
        .filter_map(|file| Some((*old.get(file.path.as_str())?, file)))
        .filter(|(old, new)| old.digest != new.digest)
        .collect()
}

#[cfg(test)]
mod tests;
