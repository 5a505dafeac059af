//! Which links lead where the project says they do. npm follows a link wherever it leads and takes the
//! version that lies there for an answer, so a link that nobody declared puts a folder of the repository
//! in the place of a package of a registry.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::Format;
use super::super::graph::{Edge, Lockfile, Node, NodeId, Source, folder_from};
use super::super::tree::{Kind, Value};
use super::super::workspaces::Workspaces;
use super::lookup;
use crate::spec::{DependencySpec, classify};

impl Lockfile {
    /// Judges npm's links by the project itself: `workspaces` are the patterns in its `package.json`. What
    /// the root's entry declares was believed when the file was read; a file that has no such entry, or an
    /// empty one, gets its root from [`Lockfile::add_project`] first. Does nothing for other clients.
    pub fn judge_links(&mut self, workspaces: &[String]) {
        let is_link = |node: &Node| matches!(node.source, Source::Link(_));
        if self.format != Format::Npm || !self.nodes.iter().any(is_link) {
            return;
        }
        let through: Vec<Option<NodeId>> = {
            let places = places(self);
            let found = |edge: &Edge| lookup(&places, &self.node(edge.from)?.key, &edge.name);
            self.edges.iter().map(found).collect()
        };
        distrust(self, workspaces, &through);
    }
}

/// The entries by their folders.
fn places(lockfile: &Lockfile) -> HashMap<&str, NodeId> {
    let nodes = lockfile.nodes.iter().enumerate();
    nodes.map(|(id, node)| (node.key.as_str(), id)).collect()
}

/// The patterns of workspaces in the root's entry: a list, which may be in an object. What npm would stop
/// at declares nothing.
pub(super) fn workspaces(root: &Value<'_>) -> Vec<String> {
    let list = root.get("workspaces");
    let list = list.and_then(|it| it.list().or_else(|| it.get("packages")?.list()));
    let text = |value: &Value<'_>| match &value.kind {
        Kind::Text(text) => Some(text.to_string()),
        _ => None,
    };
    list.unwrap_or_default().iter().filter_map(text).collect()
}

/// Turns links that the project does not declare, and that answer what a registry was asked for, into what
/// they are: folders. `through` is what each edge finds before links are followed.
pub(super) fn distrust(lockfile: &mut Lockfile, workspaces: &[String], through: &[Option<NodeId>]) {
    let links: HashMap<NodeId, String> = lockfile
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(id, node)| match &node.source {
            Source::Link(folder) => Some((id, folder_from("", folder))),
            _ => None,
        })
        .collect();
    if links.is_empty() {
        return;
    }
    let declared = declared(lockfile, &Workspaces::of(workspaces), through, &links);
    let mut undeclared = BTreeSet::new();
    for (edge, found) in lockfile.edges.iter_mut().zip(through) {
        let Some(id) = found else { continue };
        let Some(folder) = links.get(id) else {
            continue;
        };
        if !declared.contains(folder) && classify(&edge.name, &edge.spec).is_registry() {
            edge.to = Some(*id);
            undeclared.insert(*id);
        }
    }
    for id in undeclared {
        if let (Some(node), Some(folder)) = (lockfile.nodes.get_mut(id), links.get(&id)) {
            node.source = Source::File(folder.clone());
        }
    }
}

/// The folders that are workspaces, and those that the project, its workspaces or such folders ask for by
/// their paths.
fn declared(
    lockfile: &Lockfile,
    workspaces: &Workspaces,
    through: &[Option<NodeId>],
    links: &HashMap<NodeId, String>,
) -> HashSet<String> {
    let by_path = by_path(lockfile, through, links);
    let places = places(lockfile);
    let mut work = 0;
    let mut folders: BTreeSet<&str> = links.values().map(String::as_str).collect();
    folders.retain(|folder| workspaces.hold(folder, &mut work));
    let mut declared: HashSet<String> = folders.iter().map(|it| (*it).to_owned()).collect();
    let mut open: Vec<NodeId> = places.get("").copied().into_iter().collect();
    open.extend(folders.iter().filter_map(|it| places.get(it).copied()));
    while let Some(from) = open.pop() {
        for folder in by_path.get(&from).into_iter().flatten() {
            if declared.insert((*folder).to_owned()) {
                open.extend(places.get(folder));
            }
        }
    }
    declared
}

/// The linked folders that each entry asks for by their paths.
fn by_path<'l>(
    lockfile: &Lockfile,
    through: &[Option<NodeId>],
    links: &'l HashMap<NodeId, String>,
) -> HashMap<NodeId, Vec<&'l str>> {
    let mut by_path: HashMap<NodeId, Vec<&str>> = HashMap::new();
    for (edge, found) in lockfile.edges.iter().zip(through) {
        let Some(folder) = found.and_then(|id| links.get(&id)) else {
            continue;
        };
        if asks_for(lockfile, edge, folder) {
            by_path.entry(edge.from).or_default().push(folder);
        }
    }
    by_path
}

/// Whether a request names a folder by its path.
fn asks_for(lockfile: &Lockfile, edge: &Edge, folder: &str) -> bool {
    let DependencySpec::File(path) = classify(&edge.name, &edge.spec) else {
        return false;
    };
    let path = path.replace('\\', "/");
    // Where the project itself lies is not in the file: such a path cannot be compared.
    let drive = path.as_bytes().get(1) == Some(&b':');
    if drive || path.starts_with(['/', '~']) {
        return true;
    }
    lockfile
        .node(edge.from)
        .is_some_and(|from| folder_from(&from.key, &path) == folder)
}

#[cfg(test)]
mod tests {
    use super::folder_from;

    #[test]
    fn paths_lose_their_detours() {
        for (from, path, is) in [
            ("", "x/wrappy", "x/wrappy"),
            ("", "./x//wrappy/", "x/wrappy"),
            ("", "x/../packages/a", "packages/a"),
            ("packages/a", "../b", "packages/b"),
            ("packages/a", "../../../b", "../b"),
            ("", "..", ".."),
            ("", ".", ""),
        ] {
            assert_eq!(folder_from(from, path), is, "{from:?} {path:?}");
        }
    }
}
