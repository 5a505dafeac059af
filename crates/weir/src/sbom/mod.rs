//! A bill of materials: what a lockfile locks, in a form of its own, before it is written in anybody's.

pub(crate) mod cyclonedx;
pub(crate) mod licence;
pub(crate) mod spdx;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use weir_model::{Decision, SignatureState, Trust};
use weir_npm::integrity::{Algorithm, Integrity};
use weir_npm::lockfile::{DependencyKind, Flags, Lockfile, Need, Node, NodeId, Source};

use licence::Licence;

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
    /// What names it in this document: its package URL, or the project's folder.
    pub(crate) reference: String,
    /// Whether it is the project itself, or one of its workspaces.
    pub(crate) project: bool,
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: Option<String>,
    /// Its package URL; projects have none, as no registry has them.
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

/// Where a component comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The address of a tarball, without credentials and query.
    Tarball(String),
    /// A git repository, and the commit.
    Git(String, Option<String>),
    /// The lockfile does not say, or it is on the same machine.
    Unsaid,
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
        let references: Vec<Option<String>> = lockfile.nodes.iter().map(reference).collect();
        let mut components: BTreeMap<String, Component> = BTreeMap::new();
        for (id, node) in lockfile.nodes.iter().enumerate() {
            let Some(Some(reference)) = references.get(id) else {
                continue;
            };
            let need = needs.get(id).copied().unwrap_or(Need::Required);
            match components.get_mut(reference) {
                // One release in two places is one component.
                Some(there) => there.merge(node, need, known(node)),
                None => {
                    let component = Component::of(reference, node, need, known(node));
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
    fn of(reference: &str, node: &Node, need: Need, known: Known) -> Self {
        let project = matches!(node.source, Source::Project(_));
        Self {
            reference: reference.to_owned(),
            project,
            name: node.name.clone(),
            version: node.version.clone(),
            purl: (!project).then(|| reference.to_owned()),
            need,
            hashes: hashes(node),
            licence: known.licence,
            origin: Origin::of(&node.source),
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

impl Origin {
    fn of(source: &Source) -> Self {
        match source {
            Source::Registry(Some(url)) | Source::Tarball(url) => {
                tidy(url).map_or(Self::Unsaid, Self::Tarball)
            }
            Source::Git { url, commit } => match tidy(url) {
                Some(url) => Self::Git(url, commit.clone()),
                None => Self::Unsaid,
            },
            Source::Registry(None)
            | Source::Project(_)
            | Source::File(_)
            | Source::Link(_)
            | Source::Patch(_)
            | Source::Other(_) => Self::Unsaid,
        }
    }
}

/// An address without what must not be handed around: passwords, and queries, in which tokens travel.
/// Nothing for what is no address.
fn tidy(address: &str) -> Option<String> {
    let address = address.strip_prefix("git+").unwrap_or(address);
    let mut url = weir_upstream::Url::parse(address).ok()?;
    url.host_str()?;
    if matches!(url.scheme(), "http" | "https") {
        url.set_username("").ok()?;
    }
    // ssh has its user in front of the host, `git` as a rule.
    url.set_password(None).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.to_string())
}

/// What names a node; `None` for a link to something that has a node of its own.
fn reference(node: &Node) -> Option<String> {
    match &node.source {
        Source::Project(folder) if folder.is_empty() => Some(ROOT.to_owned()),
        Source::Project(folder) => Some(format!("project:{folder}")),
        Source::Link(_) => None,
        _ => Some(purl(node)),
    }
}

/// The package URL of a node: `pkg:npm/%40scope/name@version`, with where it comes from if that is not a
/// registry.
fn purl(node: &Node) -> String {
    let name: Vec<String> = node.name.split('/').map(encoded).collect();
    let mut purl = format!("pkg:npm/{}", name.join("/"));
    if let Some(version) = &node.version {
        purl.push('@');
        purl.push_str(&encoded(version));
    }
    match (&node.source, Origin::of(&node.source)) {
        (Source::Tarball(_), Origin::Tarball(url)) => {
            purl.push_str(&format!("?download_url={}", encoded(&url)));
        }
        (_, Origin::Git(url, commit)) => {
            let commit = commit.map_or_else(String::new, |commit| format!("@{commit}"));
            let address = encoded(&format!("git+{url}{commit}"));
            purl.push_str(&format!("?vcs_url={address}"));
        }
        _ => {}
    }
    purl
}

/// A part of a package URL: everything but letters, digits and `-._~:/` in percent form.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'/' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
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
