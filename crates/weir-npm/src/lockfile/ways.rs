//! All the ways from the projects to an entry, shortest first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::graph::{Edge, Lockfile, NodeId, Source};

/// Steps taken backwards before the search gives up: graphs of a thousand packages with many ways stay
/// far below it, and a made-up one costs no more.
const MOST_STEPS: usize = 50_000;

/// One edge of a way, and the one that follows it towards the entry.
struct Link {
    edge: usize,
    from: NodeId,
    next: Option<usize>,
}

/// Ways that lead to an entry.
#[derive(Debug, Default)]
pub struct Ways<'l> {
    /// Each from a project to the entry, shortest first.
    pub ways: Vec<Vec<&'l Edge>>,
    /// Whether there are, or may be, more.
    pub more: bool,
}

impl Lockfile {
    /// The shortest ways from any project to an entry, at most `limit`. No way goes through a package
    /// twice. Empty for what no project leads to; a project is led to by others only.
    #[must_use]
    pub fn ways_to(&self, id: NodeId, limit: usize) -> Ways<'_> {
        let mut into: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (number, edge) in self.edges.iter().enumerate() {
            if let Some(list) = edge.to.and_then(|to| into.get_mut(to)) {
                list.push(number);
            }
        }
        let mut found = Ways::default();
        let mut links: Vec<Link> = Vec::new();
        // The shortest whole way first, and of equals the one that is nearest to its end: then the
        // first ways are found at once in a graph that has more of them than can be counted.
        let far = self.steps_from_projects();
        let mut queue = BinaryHeap::from([Reverse((0, 0, 0, id, None))]);
        while let Some(Reverse((_, _, steps, node, next))) = queue.pop() {
            if next.is_some() && self.is_project(node) {
                if found.ways.len() == limit {
                    found.more = true;
                    return found;
                }
                found.ways.push(self.way(&links, next));
                continue;
            }
            for number in into.get(node).into_iter().flatten().copied() {
                let Some(edge) = self.edges.get(number) else {
                    continue;
                };
                if edge.from == id || goes_through(&links, next, edge.from) {
                    continue;
                }
                if links.len() >= MOST_STEPS {
                    found.more = true;
                    return found;
                }
                let Some(left) = far.get(edge.from).copied().flatten() else {
                    continue;
                };
                links.push(Link {
                    edge: number,
                    from: edge.from,
                    next,
                });
                let steps = steps + 1;
                let link = Some(links.len() - 1);
                queue.push(Reverse((steps + left, left, steps, edge.from, link)));
            }
        }
        found
    }

    /// How many steps each entry is away from the nearest project, where one leads to it.
    fn steps_from_projects(&self) -> Vec<Option<usize>> {
        let mut out: Vec<Vec<NodeId>> = vec![Vec::new(); self.nodes.len()];
        for edge in &self.edges {
            if let (Some(list), Some(to)) = (out.get_mut(edge.from), edge.to) {
                list.push(to);
            }
        }
        let mut far = vec![None; self.nodes.len()];
        let mut queue: VecDeque<(NodeId, usize)> =
            self.projects().map(|(project, _)| (project, 0)).collect();
        while let Some((node, steps)) = queue.pop_front() {
            if let Some(far @ None) = far.get_mut(node) {
                *far = Some(steps);
                let next = out.get(node).into_iter().flatten();
                queue.extend(next.map(|next| (*next, steps + 1)));
            }
        }
        far
    }

    fn is_project(&self, id: NodeId) -> bool {
        self.node(id)
            .is_some_and(|node| matches!(node.source, Source::Project(_)))
    }

    fn way(&self, links: &[Link], mut at: Option<usize>) -> Vec<&Edge> {
        let mut way = Vec::new();
        while let Some(link) = at.and_then(|at| links.get(at)) {
            way.extend(self.edges.get(link.edge));
            at = link.next;
        }
        way
    }
}

fn goes_through(links: &[Link], mut at: Option<usize>, node: NodeId) -> bool {
    while let Some(link) = at.and_then(|at| links.get(at)) {
        if link.from == node {
            return true;
        }
        at = link.next;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `app` depends on `a` and `b`, both on `c`, `c` on `a` (a circle), and nothing on `lone`.
    const LOCK: &str = r#"{"name": "app", "lockfileVersion": 3, "packages": {
        "": {"name": "app", "dependencies": {"a": "1", "b": "1"}},
        "node_modules/a": {"version": "1.0.0", "dependencies": {"c": "1"}},
        "node_modules/b": {"version": "1.0.0", "dependencies": {"c": "1"}},
        "node_modules/c": {"version": "1.0.0", "dependencies": {"a": "1"}},
        "node_modules/lone": {"version": "1.0.0"}
    }}"#;

    fn ways(name: &str, limit: usize) -> (Vec<String>, bool) {
        let lockfile = Lockfile::parse("package-lock.json", LOCK.as_bytes()).unwrap();
        let place = lockfile.nodes.iter().position(|node| node.name == name);
        let found = lockfile.ways_to(place.unwrap(), limit);
        let told = |way: &Vec<&Edge>| {
            let names: Vec<&str> = way.iter().map(|edge| edge.name.as_str()).collect();
            names.join(" > ")
        };
        let mut told: Vec<String> = found.ways.iter().map(told).collect();
        told.sort();
        (told, found.more)
    }

    #[test]
    fn every_way_is_told_and_circles_are_not_gone_round() {
        assert_eq!(
            ways("c", 9),
            (vec!["a > c".to_owned(), "b > c".to_owned()], false)
        );
        assert_eq!(
            ways("a", 9),
            (vec!["a".to_owned(), "b > c > a".to_owned()], false)
        );
        assert_eq!(ways("app", 9), (vec![], false));
        assert_eq!(ways("lone", 9), (vec![], false));
        assert_eq!(ways("c", 1).0.len(), 1);
        assert!(ways("c", 1).1);
    }

    #[test]
    fn a_graph_with_a_way_for_every_choice_ends() {
        use std::fmt::Write as _;
        let mut text = String::from(
            "{\"lockfileVersion\": 3, \"packages\": {\"\": {\"dependencies\": {\"n0a\": \"1\", \"n0b\": \"1\"}}",
        );
        for level in 0..40 {
            for side in ["a", "b"] {
                let next = level + 1;
                let _ = write!(
                    text,
                    ", \"node_modules/n{level}{side}\": {{\"version\": \"1.0.0\", \"dependencies\": {{\"n{next}a\": \"1\", \"n{next}b\": \"1\"}}}}"
                );
            }
        }
        text.push_str(", \"node_modules/n40a\": {\"version\": \"1.0.0\"}, \"node_modules/n40b\": {\"version\": \"1.0.0\"}}}");
        let lockfile = Lockfile::parse("package-lock.json", text.as_bytes()).unwrap();
        let last = lockfile.nodes.iter().position(|node| node.name == "n40a");
        let found = lockfile.ways_to(last.unwrap(), 5);
        // Two to the power of forty ways.
        assert!(found.more);
        assert_eq!(found.ways.len(), 5);
        assert!(found.ways.iter().all(|way| way.len() == 41));
    }
}
