//! What a lockfile has of the project's own folders, compared with what is there: the workspaces, and what
//! npm's repeats of `package.json`. npm takes the lockfile at its word: a workspace or a path that is only
//! there puts a folder of the repository in the place of a package, and `npm ci` installs it where its version
//! is in the range.
//!
//! Ordinary requests are not compared: npm asks only whether the locked version is in the range of
//! `package.json`, which `step` does.

use std::collections::BTreeSet;

use weir_npm::lockfile::{Format, NodeId};
use weir_npm::manifest::Manifest;
use weir_npm::spec::{DependencySpec, classify};

use super::Checked;
use super::manifests::Manifests;
use super::step::{OUT_OF_STEP, asker};

pub(super) fn check(checked: &mut Checked<'_>, manifests: &Manifests) {
    there(checked, manifests);
    if checked.lockfile.format != Format::Npm {
        return;
    }
    workspaces(checked, &manifests.workspaces());
    for (folder, manifest) in manifests.all() {
        if let Some(id) = checked.lockfile.project(folder) {
            paths(checked, id, manifest);
        }
    }
}

/// Whether the workspaces that are there are in the lockfile, where its client refuses one without them.
fn there(checked: &mut Checked<'_>, manifests: &Manifests) {
    let lockfile = checked.lockfile;
    let is_needed = |folder: &str, manifest: &Manifest| match lockfile.format {
        Format::Npm => lockfile.terms.workspaces.is_some(),
        Format::YarnBerry | Format::Bun => true,
        Format::YarnClassic => false,
        // pnpm does without those that ask for nothing, and those that have a lockfile each are told as such.
        Format::Pnpm => {
            let apart = manifests.apart().iter().any(|it| it == folder);
            let lists = [
                &manifest.dependencies,
                &manifest.dev_dependencies,
                &manifest.optional_dependencies,
            ];
            !apart && lists.iter().any(|list| !list.is_empty())
        }
    };
    let projects: BTreeSet<&str> = lockfile.projects().map(|(_, folder)| folder).collect();
    let missing = manifests
        .found()
        .filter(|&(folder, manifest)| !projects.contains(folder) && is_needed(folder, manifest));
    for (folder, _) in missing {
        let what = format!("the workspace {folder:?} is not in the lockfile");
        checked.add(&OUT_OF_STEP, 1, None, &what);
    }
}

/// Compares the patterns of workspaces, where the lockfile repeats them.
fn workspaces(checked: &mut Checked<'_>, asked: &[String]) {
    let lockfile = checked.lockfile;
    let Some(said) = &lockfile.terms.workspaces else {
        return;
    };
    let line = lockfile
        .project("")
        .and_then(|id| lockfile.node(id))
        .map_or(1, |node| node.line);
    let (asked, said) = (plain_patterns(asked), plain_patterns(said));
    let only = |these: &BTreeSet<String>, others: &BTreeSet<String>| {
        let only: Vec<String> = these
            .difference(others)
            .map(|it| format!("{it:?}"))
            .collect();
        (!only.is_empty()).then(|| only.join(", "))
    };
    if let Some(more) = only(&said, &asked) {
        let what = format!("the lockfile has the workspaces {more}, which package.json has not");
        checked.add(&OUT_OF_STEP, line, None, &what);
    }
    if let Some(fewer) = only(&asked, &said) {
        let what = format!("package.json has the workspaces {fewer}, which the lockfile has not");
        checked.add(&OUT_OF_STEP, line, None, &what);
    }
}

fn plain_patterns(patterns: &[String]) -> BTreeSet<String> {
    patterns
        .iter()
        .map(|pattern| plain_pattern(pattern))
        .collect()
}

/// A pattern without what makes no difference: `./`, slashes around it, and pairs of `!`.
fn plain_pattern(pattern: &str) -> String {
    let inner = pattern.trim_start_matches('!');
    let excludes = (pattern.len() - inner.len()) % 2 == 1;
    let inner = plain_path(&inner.replace('\\', "/"));
    format!("{}{inner}", if excludes { "!" } else { "" })
}

pub(super) fn plain_path(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.collect::<Vec<_>>().join("/")
}

/// Compares the requests for folders and archives on the same machine, in either of the two.
fn paths(checked: &mut Checked<'_>, id: NodeId, manifest: &Manifest) {
    let lockfile = checked.lockfile;
    let who = asker(lockfile, id);
    for edge in lockfile.edges_of(id) {
        let (name, spec) = (edge.name.as_str(), edge.spec.as_str());
        let asked = requests(manifest, name);
        let here = place(name, spec);
        let is_local = here.is_some() || asked.iter().any(|it| place(name, it).is_some());
        let is_same = |it: &&str| *it == spec || (here.is_some() && place(name, it) == here);
        if !is_local || asked.iter().any(is_same) {
            continue;
        }
        let what = match asked.first() {
            Some(asked) => {
                format!("{who} asks for {name} {asked:?}, the lockfile says {spec:?}")
            }
            None => format!("the lockfile has {name} {spec:?}, which {who} does not ask for"),
        };
        checked.add(&OUT_OF_STEP, edge.line, edge.to, &what);
    }
}

/// What a manifest asks for under a name: first what counts for npm where several lists have it.
fn requests<'m>(manifest: &'m Manifest, name: &str) -> Vec<&'m str> {
    let lists = [
        &manifest.optional_dependencies,
        &manifest.dependencies,
        &manifest.dev_dependencies,
        &manifest.peer_dependencies,
    ];
    let said = lists.into_iter().filter_map(|list| list.get(name));
    said.map(String::as_str).collect()
}

/// The path a request names, without what makes no difference; `None` for any other request.
fn place(name: &str, spec: &str) -> Option<String> {
    let DependencySpec::File(path) = classify(name, spec) else {
        return None;
    };
    let path = path.replace('\\', "/");
    let inner = path.trim_start_matches('/');
    // From the root of the machine, or from that of an address, is another place.
    let slashes = path.get(..path.len() - inner.len()).unwrap_or_default();
    Some(format!("{slashes}{}", plain_path(inner)))
}

#[cfg(test)]
mod tests {
    use super::{place, plain_pattern};

    #[test]
    fn patterns_differ_where_they_mean_something_else() {
        for (one, other, same) in [
            ("packages/*", "./packages/*/", true),
            ("packages/*", "packages\\*", true),
            ("packages/*", "!!packages/*", true),
            ("packages/*", "!packages/*", false),
            ("packages/*", "packages/**", false),
            ("packages/*", "*", false),
            ("packages/a", "x/a", false),
        ] {
            let is_same = plain_pattern(one) == plain_pattern(other);
            assert_eq!(is_same, same, "{one:?} {other:?}");
        }
    }

    #[test]
    fn paths_differ_where_they_lead_elsewhere() {
        for (one, other, same) in [
            ("file:x", "file:./x/", true),
            ("file:x", "./x", true),
            ("file:x", "link:x", true),
            ("file:x.tgz", "./x.tgz", true),
            ("file:x", "file:y", false),
            ("file:x", "file:../x", false),
            ("file:x", "file:/x", false),
            ("file:x", "^1.0.0", false),
            ("file:x", "npm:x@1", false),
        ] {
            assert_eq!(place("x", one) == place("x", other), same, "{one} {other}");
        }
        assert_eq!(place("x", "^1.0.0"), None);
        assert_eq!(place("x", "workspace:*"), None);
    }
}
