//! Which links lead where the project says they do. npm follows a link wherever it leads and takes the
//! version that lies there for an answer, so a link that nobody declared puts a folder of the repository
//! in the place of a package of a registry.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::Format;
use super::super::graph::{Edge, Lockfile, Node, NodeId, Source, folder_from};
use super::super::tree::{Kind, Value};
use super::{MAX_KEY, lookup};
use crate::spec::{DependencySpec, classify};

/// Most patterns of workspaces with wildcards: real projects have a handful.
const MOST_PATTERNS: usize = 256;

/// Work that comparing folders with patterns may cost, in pairs of bytes. Beyond it nothing is declared.
const MOST_WORK: usize = 400_000_000;

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

/// What the project says of its workspaces.
#[derive(Debug, Default)]
struct Workspaces {
    /// Folders that are named.
    named: HashSet<String>,
    patterns: Vec<String>,
    excluded: Vec<String>,
}

impl Workspaces {
    /// Reads the patterns. One longer than any folder's path declares nothing.
    fn of(patterns: &[String]) -> Self {
        let mut read = Self::default();
        for text in patterns.iter().filter(|text| text.len() <= MAX_KEY) {
            read.add(text);
        }
        read
    }

    fn add(&mut self, text: &str) {
        let plain = text.trim_start_matches('!');
        let excluded = (text.len() - plain.len()) % 2 == 1;
        let plain = plain.replace('\\', "/");
        if !excluded && !plain.contains(['*', '?', '[', '(', '{']) {
            self.named.insert(folder_from("", &plain));
        } else if excluded {
            expand(&plain, &mut self.excluded);
        } else {
            expand(&plain, &mut self.patterns);
        }
    }

    /// Whether a folder is one of them.
    fn hold(&self, folder: &str, work: &mut usize) -> bool {
        if folder.split('/').any(|part| part == "node_modules") {
            return false;
        }
        let mut any = |patterns: &[String]| {
            patterns.iter().any(|pattern| {
                *work = work.saturating_add(pattern.len().saturating_mul(folder.len()));
                *work <= MOST_WORK && matches(pattern, folder)
            })
        };
        self.named.contains(folder) || (any(&self.patterns) && !any(&self.excluded))
    }
}

/// `{a,b}/c` is `a/c` and `b/c`.
fn expand(pattern: &str, into: &mut Vec<String>) {
    if into.len() >= MOST_PATTERNS {
        return;
    }
    let braces = pattern.split_once('{').and_then(|(before, rest)| {
        let (choices, after) = rest.split_once('}')?;
        Some((before, choices, after))
    });
    let Some((before, choices, after)) = braces else {
        into.push(pattern.to_owned());
        return;
    };
    for choice in choices.split(',') {
        expand(&format!("{before}{choice}{after}"), into);
    }
}

/// Whether a pattern of paths takes a folder.
fn matches(pattern: &str, folder: &str) -> bool {
    let parts: Vec<&str> = folder.split('/').collect();
    // How many parts what was read of the pattern can take.
    let mut taken = BTreeSet::from([0]);
    for segment in pattern.split('/').filter(|it| !matches!(*it, "" | ".")) {
        let Some(first) = taken.first().copied() else {
            return false;
        };
        taken = if segment == "**" {
            (first..=parts.len()).collect()
        } else {
            let fits = |at: &&usize| parts.get(**at).is_some_and(|part| takes(segment, part));
            taken.iter().filter(fits).map(|at| at + 1).collect()
        };
    }
    taken.contains(&parts.len())
}

/// Whether one segment of a pattern takes one part of a path. Sets and groups count as any text: they are
/// rare, and a folder too many is declared, not one too few.
fn takes(segment: &str, part: &str) -> bool {
    if part.starts_with('.') && !segment.starts_with('.') {
        return false;
    }
    segment.contains(['[', '(']) || wild(segment.as_bytes(), part.as_bytes())
}

/// `*` is any text and `?` one byte. Goes back to the last `*` only, and so needs no more than the product
/// of both lengths.
fn wild(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut back = None;
    while let Some(byte) = text.get(read) {
        match pattern.get(at) {
            Some(b'*') => {
                back = Some((at, read));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted == byte => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((star, from)) = back else {
                    return false;
                };
                back = Some((star, from + 1));
                at = star + 1;
                read = from + 1;
            }
        }
    }
    pattern
        .get(at..)
        .unwrap_or_default()
        .iter()
        .all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::{Workspaces, folder_from};

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

    #[test]
    fn workspaces_are_those_that_npm_finds() {
        for (patterns, folder, is) in [
            (&["packages/*"][..], "packages/a", true),
            (&["packages/*"], "packages/a/b", false),
            (&["packages/*"], "packages/.a", false),
            (&["packages/*"], "packages", false),
            (&["packages/*"], "x/wrappy", false),
            (&["./packages/*/"], "packages/a", true),
            (&["/packages/a"], "packages/a", true),
            (&["packages\\a"], "packages/a", true),
            (&["**"], "a/b/c", true),
            (&["**/c"], "a/b/c", true),
            (&["**/c"], "c", true),
            (&["a/**"], "b/a", false),
            (&["*"], "node_modules", false),
            (&["**"], "node_modules/a", false),
            (&["{apps,packages}/*"], "apps/a", true),
            (&["{apps,packages}/*"], "x/a", false),
            (&["packages/[ab]"], "packages/a", true),
            (&["p?ck*s/a-*-c"], "packages/a-b-b-c", true),
            (&["p?ck*s/a-*-c"], "packages/a-b", false),
            (&["packages/*", "!packages/b"], "packages/b", false),
            (&["packages/*", "!packages/b"], "packages/a", true),
            (&["!packages/*", "packages/b"], "packages/b", true),
            (&["!!packages/*"], "packages/b", true),
            (&[], "packages/a", false),
        ] {
            let mut workspaces = Workspaces::default();
            for pattern in patterns {
                workspaces.add(pattern);
            }
            let held = workspaces.hold(folder, &mut 0);
            assert_eq!(held, is, "{patterns:?} {folder:?}");
        }
    }

    #[test]
    fn patterns_that_would_cost_much_do_not() {
        let mut workspaces = Workspaces::default();
        workspaces.add(&"*a".repeat(500));
        workspaces.add(&"**/".repeat(300));
        workspaces.add(&"{a,b}".repeat(200));
        assert_eq!(workspaces.patterns.len(), super::MOST_PATTERNS);
        let folder = "a/".repeat(127) + &"a".repeat(700);
        let mut work = 0;
        for _ in 0..20 {
            workspaces.hold(&folder, &mut work);
        }
        let mut spent = super::MOST_WORK;
        assert!(!workspaces.hold("a", &mut spent));
    }
}
