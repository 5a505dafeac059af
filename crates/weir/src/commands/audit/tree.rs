//! What a release is needed for, and who brings it in.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::Path;

use weir_model::finding::printable;
use weir_model::json::v1::{AuditPath, Need};
use weir_npm::lockfile::{self, Edge, Lockfile, Node, NodeId, Source};

use super::super::check::{Catalogs, Manifests};
use crate::addresses::without_secrets;
use crate::sbom::origin::Origin;

/// A lockfile's graph, seen from both ends.
pub(super) struct Tree<'l> {
    pub(super) lockfile: &'l Lockfile,
    needs: Vec<Need>,
    /// For each node the edges that lead to it.
    into: Vec<Vec<&'l Edge>>,
    projects: HashMap<NodeId, &'l str>,
    /// Packages whose versions the project sets itself.
    set: BTreeSet<String>,
    pub(super) catalogs: Catalogs,
}

/// A way from a project to a release: the edges, the project's own first.
pub(super) struct Way<'l> {
    pub(super) project: &'l str,
    pub(super) edges: Vec<&'l Edge>,
}

impl<'l> Tree<'l> {
    pub(super) fn of(folder: &Path, lockfile: &'l Lockfile, manifests: &Manifests) -> Self {
        let projects: HashMap<NodeId, &str> = lockfile.projects().collect();
        let mut into: Vec<Vec<&Edge>> = vec![Vec::new(); lockfile.nodes.len()];
        for edge in &lockfile.edges {
            if let Some(list) = edge.to.and_then(|to| into.get_mut(to)) {
                list.push(edge);
            }
        }
        let needs = lockfile.needs().into_iter().map(|need| match need {
            lockfile::Need::Required => Need::Production,
            lockfile::Need::Optional => Need::Optional,
            lockfile::Need::Development => Need::Development,
        });
        let (set, catalogs) = manifests.settings_in(folder, lockfile.format);
        Self {
            lockfile,
            needs: needs.collect(),
            into,
            projects,
            set,
            catalogs,
        }
    }

    /// Whether the project sets a package's version, whatever is asked for.
    pub(super) fn sets(&self, name: &str) -> bool {
        self.set.contains(name)
    }

    pub(super) fn need(&self, id: NodeId) -> Need {
        self.needs.get(id).copied().unwrap_or(Need::Production)
    }

    /// A shortest way to a release through each direct dependency that brings it in, short ones first.
    pub(super) fn ways(&self, id: NodeId) -> Vec<Way<'l>> {
        let next = self.toward(id);
        let mut ways = Vec::new();
        for edge in &self.lockfile.edges {
            let Some(project) = self.projects.get(&edge.from) else {
                continue;
            };
            let Some(mut at) = edge.to.filter(|to| !self.projects.contains_key(to)) else {
                continue;
            };
            let mut edges = vec![edge];
            while at != id {
                let Some(Some(step)) = next.get(at) else {
                    break;
                };
                edges.push(*step);
                at = step.to.unwrap_or(id);
            }
            if at == id {
                ways.push(Way { project, edges });
            }
        }
        ways.sort_by_key(|way| way.edges.len());
        ways
    }

    /// For each node the edge that is the first step of a shortest way to a release.
    fn toward(&self, id: NodeId) -> Vec<Option<&'l Edge>> {
        let mut next: Vec<Option<&Edge>> = vec![None; self.lockfile.nodes.len()];
        let mut queue = VecDeque::from([id]);
        while let Some(at) = queue.pop_front() {
            for edge in self.into.get(at).into_iter().flatten() {
                if edge.from == id || self.projects.contains_key(&edge.from) {
                    continue;
                }
                if let Some(place @ None) = next.get_mut(edge.from) {
                    *place = Some(edge);
                    queue.push_back(edge.from);
                }
            }
        }
        next
    }

    /// The packages on all ways to a release, its own included: those whose versions matter to a fix. What
    /// comes from elsewhere is no business of a registry, where anybody may have taken its name.
    pub(super) fn names_to(&self, id: NodeId) -> BTreeSet<String> {
        let ways = self.ways(id);
        let edges = ways.iter().flat_map(|way| &way.edges);
        let ids = edges.filter_map(|edge| edge.to).chain([id]);
        ids.filter_map(|id| self.lockfile.node(id))
            .filter(|node| from_registry(node))
            .map(|node| node.name.clone())
            .collect()
    }

    /// A way as it is shown.
    pub(super) fn shown(&self, way: &Way<'_>) -> AuditPath {
        let label = |edge: &&Edge| {
            let node = edge.to.and_then(|to| self.lockfile.node(to));
            node.map_or_else(
                || printable(&edge.name, 220),
                |it| printable(&without_secrets(&it.label()), 300),
            )
        };
        AuditPath {
            project: printable(way.project, 300),
            through: way.edges.iter().map(label).collect(),
        }
    }
}

/// Whether a release is one of a registry, or one with the project's own changes.
pub(super) fn from_registry(node: &Node) -> bool {
    match node.source {
        Source::Registry(_) => true,
        Source::Patch(_) => Origin::of(&node.source) == Origin::Unsaid,
        _ => false,
    }
}

/// Whether it lies on the same machine: then no advisory for the package of its name is about it.
pub(super) fn is_local(node: &Node) -> bool {
    matches!(Origin::of(&node.source), Origin::Local(_))
}
