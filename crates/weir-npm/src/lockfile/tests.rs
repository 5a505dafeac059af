//! The formats, one table each, and what is refused.

use std::collections::BTreeSet;

use super::{DependencyKind, Edge, Format, Lockfile, LockfileError, Node, Problem, Source};

mod contradictions;
mod damaged;
pub(super) mod formats;
mod kinds;
mod needs;
mod projects;
mod refused;
mod spelled;

fn read(file: &str, text: &str) -> Lockfile {
    Lockfile::parse(file, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(file: &str, text: &str) -> LockfileError {
    Lockfile::parse(file, text.as_bytes()).unwrap_err()
}

/// The entry under a key.
#[track_caller]
fn at<'l>(lockfile: &'l Lockfile, key: &str) -> &'l Node {
    let node = lockfile.nodes.iter().find(|node| node.key == key);
    node.unwrap_or_else(|| panic!("no {key:?} in {:#?}", lockfile.nodes))
}

fn labels(lockfile: &Lockfile) -> BTreeSet<String> {
    let releases = lockfile.releases().into_iter();
    releases
        .map(|(name, version)| format!("{name}@{version}"))
        .collect()
}

/// What a node's dependencies lead to: `name -> key`.
fn led_to(lockfile: &Lockfile, key: &str) -> Vec<String> {
    let id = lockfile
        .nodes
        .iter()
        .position(|node| node.key == key)
        .unwrap();
    let to = |edge: &Edge| {
        edge.to
            .and_then(|id| lockfile.node(id))
            .map_or("?", |node| &node.key)
    };
    lockfile
        .edges_of(id)
        .map(|edge| format!("{} -> {}", edge.name, to(edge)))
        .collect()
}

#[track_caller]
fn why(lockfile: &Lockfile, key: &str) -> Vec<String> {
    let id = lockfile
        .nodes
        .iter()
        .position(|node| node.key == key)
        .unwrap();
    lockfile
        .paths()
        .to(id)
        .iter()
        .map(|edge| edge.name.clone())
        .collect()
}
