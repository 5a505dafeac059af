//! What each entry of a lockfile is needed for.

use super::Format;
use super::graph::{DependencyKind, Edge, Flags, Lockfile, Node, NodeId};
use crate::manifest::Manifest;

/// What an entry is needed for, from the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The project does not install or run without it.
    Required,
    /// It may be left out, as on other platforms.
    Optional,
    /// Only for development.
    Development,
}

impl Lockfile {
    /// What each node is needed for, by the ways that lead to it from the projects.
    ///
    /// - *Required* is a project, and what one comes to without optional and development dependencies. What
    ///   the client itself is set up with (pnpm's config dependencies) counts: it is downloaded and run
    ///   by every install, those for production included.
    /// - *Optional* is what remains without development dependencies.
    /// - *Development* is what remains then.
    /// - What nothing leads to is what its entry says of itself; required, where that says nothing.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let wanted = |edge: &Edge| edge.kind != DependencyKind::Dev;
        let required =
            |edge: &Edge| wanted(edge) && !edge.optional && edge.kind != DependencyKind::Optional;
        let required = self.come_to(&required);
        let wanted = self.come_to(&wanted);
        let known = self.come_to(&|_| true);
        let has = |set: &[bool], id: NodeId| set.get(id).copied().unwrap_or(false);
        let of = |(id, node): (NodeId, &Node)| match (
            has(&required, id),
            has(&wanted, id),
            has(&known, id),
        ) {
            (true, ..) => Need::Required,
            (false, true, _) => Need::Optional,
            (false, false, true) => Need::Development,
            (false, false, false) => said(node.flags),
        };
        self.nodes.iter().enumerate().map(of).collect()
    }

    /// What can be reached from the projects over some of the edges, themselves included.
    fn come_to(&self, over: &dyn Fn(&Edge) -> bool) -> Vec<bool> {
        let mut out: Vec<Vec<NodeId>> = vec![Vec::new(); self.nodes.len()];
        for edge in self.edges.iter().filter(|edge| over(edge)) {
            if let (Some(list), Some(to)) = (out.get_mut(edge.from), edge.to) {
                list.push(to);
            }
        }
        let mut seen = vec![false; self.nodes.len()];
        let mut open: Vec<NodeId> = self.projects().map(|(id, _)| id).collect();
        while let Some(id) = open.pop() {
            if let Some(seen @ false) = seen.get_mut(id) {
                *seen = true;
                open.extend(out.get(id).into_iter().flatten());
            }
        }
        seen
    }

    /// Learns from a project's manifest which of its dependencies are for development only, in a format
    /// that holds all of them in one list (yarn 2 and later).
    pub fn learn_development(&mut self, folder: &str, manifest: &Manifest) {
        let Some(project) = self.project(folder) else {
            return;
        };
        if self.format != Format::YarnBerry {
            return;
        }
        for edge in self.edges.iter_mut().filter(|edge| edge.from == project) {
            let only_development = manifest.dev_dependencies.contains_key(&edge.name)
                && !manifest.dependencies.contains_key(&edge.name)
                && !manifest.optional_dependencies.contains_key(&edge.name);
            if only_development {
                edge.kind = DependencyKind::Dev;
            }
        }
    }
}

const fn said(flags: Flags) -> Need {
    match flags {
        Flags { dev: true, .. } => Need::Development,
        Flags { optional: true, .. } => Need::Optional,
        _ => Need::Required,
    }
}
