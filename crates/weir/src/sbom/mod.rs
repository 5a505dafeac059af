//! A bill of materials: what a lockfile locks, in a form of its own, before it is written in anybody's.

pub(crate) mod cyclonedx;
mod entry;
pub(crate) mod licence;
pub(crate) mod origin;
pub(crate) mod spdx;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use weir_model::{Decision, SignatureState, Trust};
use weir_npm::integrity::{Algorithm, Integrity};
use weir_npm::lockfile::{DependencyKind, Flags, Lockfile, Need, Node, NodeId, Source};

use entry::{Entry, entries};
use licence::Licence;
use origin::Origin;

/// Everything that is written down.
#[derive(Debug)]
pub(crate) struct Bill {
    /// What the document is called: the root project, or its folder.
    pub(crate) name: String,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// The client whose lockfile it is made from.
    pub(crate) client: &'static str,
    /// Projects and packages, by reference; the root is the first.
    pub(crate) components: Vec<Component>,
    /// Who depends on whom, by reference.
    pub(crate) dependencies: BTreeMap<String, BTreeSet<(String, DependencyKind)>>,
}

/// A project, or a package it is made of.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    /// What names it in this document: its package URL; or where it is, if it has none.
    pub(crate) reference: String,
    /// Whether it is the project itself, or one of its workspaces.
    pub(crate) project: bool,
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: Option<String>,
    /// Its package URL. What no registry has, and no address tells apart from what one has, has none: its name
    /// and version would be those of a stranger's release.
    pub(crate) purl: Option<String>,
    /// What it is there for.
    pub(crate) need: Need,
    /// Digests of its tarball.
    pub(crate) hashes: Vec<(Algorithm, String)>,
    /// Its licence.
    pub(crate) licence: Licence,
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// yarn's own digest of its own archive.
    pub(crate) checksum: Option<String>,
    /// What else the lockfile says.
    pub(crate) flags: Flags,
    /// What weir decided, if it has and nothing has changed since.
    pub(crate) decision: Option<Decision>,
    /// What verifying it came to.
    pub(crate) trust: Option<Trust>,
}

/// What is known of a release beside the lockfile.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) licence: Licence,
    pub(crate) decision: Option<Decision>,
    pub(crate) trust: Option<Trust>,
}

impl Bill {
    /// Makes a bill of a lockfile. `known` says more of a node.
    pub(crate) fn of(
        name: &str,
        lockfile: &Lockfile,
        created: Timestamp,
        known: &dyn Fn(&Node) -> Known,
    ) -> Self {
        let needs = lockfile.needs();
        let entries = entries(lockfile);
        let references: Vec<Option<String>> = entries
            .iter()
            .map(|entry| entry.as_ref().map(Entry::reference))
            .collect();
        let mut components: BTreeMap<String, Component> = BTreeMap::new();
        for (id, entry) in entries.iter().enumerate() {
            let (Some(entry), Some(Some(reference))) = (entry, references.get(id)) else {
                continue;
            };
            let node = entry.node;
            let need = needs.get(id).copied().unwrap_or(Need::Required);
            match components.get_mut(reference) {
                // One release in two places is one component.
                Some(there) => there.merge(node, need, known(node)),
                None => {
                    let component = Component::of(reference, entry, need, known(node));
                    components.insert(reference.clone(), component);
                }
            }
        }
        let mut dependencies: BTreeMap<String, BTreeSet<(String, DependencyKind)>> = components
            .keys()
            .map(|reference| (reference.clone(), BTreeSet::new()))
            .collect();
        for edge in &lockfile.edges {
            let at = |id: NodeId| references.get(id).and_then(Option::as_ref);
            if let (Some(from), Some(to)) = (at(edge.from), edge.to.and_then(at))
                && from != to
                && let Some(list) = dependencies.get_mut(from)
            {
                list.insert((to.clone(), edge.kind));
            }
        }
        let mut components: Vec<Component> = components.into_values().collect();
        // The root first, then the other projects, then packages.
        components.sort_by_key(|it| (it.reference != ROOT, !it.project));
        if let Some(root) = components.first_mut().filter(|it| it.reference == ROOT)
            && root.name.is_empty()
        {
            name.clone_into(&mut root.name);
        }
        Self {
            name: name.to_owned(),
            created,
            client: lockfile.format.client(),
            components,
            dependencies,
        }
    }

    /// The root project.
    pub(crate) fn root(&self) -> Option<&Component> {
        self.components.first().filter(|it| it.reference == ROOT)
    }
}

/// The root's reference.
pub(crate) const ROOT: &str = "project:.";

impl Component {
    fn of(reference: &str, entry: &Entry<'_>, need: Need, known: Known) -> Self {
        let node = entry.node;
        Self {
            reference: reference.to_owned(),
            project: matches!(node.source, Source::Project(_)),
            name: entry.name.to_owned(),
            // For a folder pnpm writes its place, `file:lib`.
            version: node.version.clone().filter(|it| !it.contains(':')),
            purl: entry.purl(),
            need,
            hashes: hashes(node),
            licence: known.licence,
            origin: entry.origin.clone(),
            checksum: node.checksum.clone(),
            flags: node.flags,
            decision: known.decision,
            trust: known.trust,
        }
    }

    fn merge(&mut self, node: &Node, need: Need, known: Known) {
        // Of two places, one of which records other bytes than were verified, the worse one is told, with
        // its own digests.
        let takes = match (&self.trust, &known.trust) {
            (None, Some(_)) => true,
            (Some(here), Some(there)) => is_signed(here) && !is_signed(there),
            (_, None) => false,
        };
        if takes {
            self.hashes = hashes(node);
            self.trust = known.trust;
        }
        self.need = self.need.min(need);
        // What is bundled in one place and not in the other comes from the registry as well.
        self.flags.bundled &= node.flags.bundled;
        self.flags.patched |= node.flags.patched;
        self.flags.scripts |= node.flags.scripts;
    }
}

fn is_signed(trust: &Trust) -> bool {
    matches!(trust.signature, SignatureState::Verified { .. })
}

/// The digests that an entry records of its tarball.
fn hashes(node: &Node) -> Vec<(Algorithm, String)> {
    let integrity = node.integrity.as_deref();
    let integrity = integrity.and_then(|text| Integrity::parse(text).ok());
    let hashes = integrity.iter().flat_map(|integrity| {
        let digests = integrity.digests();
        digests.map(|(algorithm, digest)| (algorithm, weir_provenance::hexadecimal(digest)))
    });
    hashes.collect()
}

/// A number that is the same for the same text: a UUID of version 8 (RFC 9562) from its SHA-256.
fn uuid(text: &str) -> String {
    let digest = weir_provenance::digest(text.as_bytes());
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-8{}-8{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 15),
        part(15, 18),
        part(18, 30)
    )
}

#[cfg(test)]
mod tests;
