//! Folders of the project in the place of packages. Clients link a workspace where its name is asked of a
//! registry; a lockfile that puts another folder there brings code that no registry has.

use weir_npm::lockfile::{DependencyKind, Format, Lockfile, Node, Source};
use weir_npm::manifest::Manifest;
use weir_npm::version::{Range, Version};

use super::declared::plain_path;
use super::manifests::Manifests;
use super::step::{OTHER_PACKAGE, OUT_OF_STEP, Project, asker};
use super::{Checked, Rule};

/// What is wrong with a folder that answers what a registry is asked for: `range` of the package `name`; none
/// where it does not matter.
pub(super) fn wrong(
    lockfile: &Lockfile,
    manifests: &Manifests,
    node: &Node,
    name: &str,
    range: Option<&Range>,
) -> Option<(&'static Rule, String)> {
    let folder = folder(lockfile, node);
    if folder.as_deref().is_some_and(|it| manifests.is_unread(it)) {
        // Said already: it could not be looked at.
        return None;
    }
    let workspace = folder.and_then(|folder| workspace(lockfile.format, manifests, &folder));
    let Some((folder, manifest)) = workspace else {
        let what = format!("the entry leads elsewhere: {}", place(node));
        return Some((&OTHER_PACKAGE, what));
    };
    if !is_named(manifest, &folder, name) {
        let own = manifest.name.as_deref().unwrap_or_default();
        let what = format!("the entry leads to the folder {folder:?}, which is {own:?}");
        return Some((&OTHER_PACKAGE, what));
    }
    let version = manifest.version.as_deref()?;
    let is_in = range.is_none_or(|range| is_in(lockfile.format, range, version));
    (!is_in).then(|| {
        let what = format!("the workspace {folder:?} is {version}");
        (&OUT_OF_STEP, what)
    })
}

/// Whether a release gets a folder or an archive that did not come with it. By a path it can only name what
/// lies in its own tarball.
pub(super) fn is_beyond(format: Format, from: &Node, node: &Node) -> bool {
    let is_release = matches!(
        from.source,
        Source::Registry(_) | Source::Tarball(_) | Source::Git { .. }
    );
    let comes_with = match format {
        // Only npm's keys are folders.
        Format::Npm => {
            let path = plain_path(place(node));
            let inside = path.strip_prefix(from.key.as_str());
            inside.is_some_and(|rest| rest.starts_with('/'))
                && path.split('/').all(|part| part != "..")
        }
        // yarn binds a path to whoever asks for it, and looks in there.
        Format::YarnBerry => {
            let name = from.name.replace('@', "%40").replace('/', "%2F");
            let bound = node.key.split_once(&format!("locator={name}%40"));
            bound.is_some_and(|(_, rest)| !rest.starts_with("workspace"))
        }
        Format::Pnpm | Format::Bun | Format::YarnClassic => false,
    };
    is_release && !comes_with
}

/// The folder of the project that an entry stands for, where its client links such a one by itself.
fn folder(lockfile: &Lockfile, node: &Node) -> Option<String> {
    // npm's first version writes workspaces like any path, pnpm those that it copies.
    let as_path = match lockfile.format {
        Format::Npm => lockfile.version == "1" && lockfile.terms.workspaces.is_none(),
        format => format == Format::Pnpm,
    };
    match &node.source {
        Source::Project(folder) => Some(folder.clone()),
        Source::Link(folder) => Some(plain_path(folder)),
        Source::File(folder) if as_path => Some(plain_path(folder)),
        _ => None,
    }
}

/// The workspace of a folder; in pnpm also one that publishes a folder inside it and is linked there.
fn workspace<'m>(
    format: Format,
    manifests: &'m Manifests,
    folder: &str,
) -> Option<(String, &'m Manifest)> {
    let mut folder = folder;
    loop {
        match manifests.workspace(folder) {
            Some(manifest) => return Some((folder.to_owned(), manifest)),
            None if format == Format::Pnpm => folder = folder.rsplit_once('/')?.0,
            None => return None,
        }
    }
}

/// Whether a workspace has a name: that of its folder, where it gives itself none.
fn is_named(manifest: &Manifest, folder: &str, name: &str) -> bool {
    match manifest.name.as_deref().filter(|own| !own.is_empty()) {
        Some(own) => own == name,
        None => folder
            .strip_suffix(name)
            .is_some_and(|before| before.is_empty() || before.ends_with('/')),
    }
}

/// Whether a client takes a workspace of this version for what is in a range.
fn is_in(format: Format, range: &Range, version: &str) -> bool {
    let Ok(version) = Version::parse(version) else {
        return true;
    };
    // npm takes any version for these, whatever it is.
    if matches!(range.as_str().trim(), "" | "*") || range.matches(&version) {
        return true;
    }
    match format {
        Format::Npm => false,
        // yarn lets early versions in, and so may bun.
        Format::YarnBerry | Format::Bun => {
            Range::parse_with_prereleases(range.as_str()).is_ok_and(|range| range.matches(&version))
        }
        // pnpm does not look at the version again; yarn 1 has no workspaces in its lockfile.
        Format::Pnpm | Format::YarnClassic => true,
    }
}

/// Looks at what pnpm's packages below the projects got: not what they asked for, which is not there, but
/// whether a folder among it is one that they can have got.
pub(super) fn below(checked: &mut Checked<'_>, project: &Project<'_>) {
    let lockfile = checked.lockfile;
    if lockfile.format != Format::Pnpm {
        return;
    }
    for edge in &lockfile.edges {
        let ends = lockfile.node(edge.from).zip(edge.to);
        let ends = ends.and_then(|(from, to)| Some((from, to, lockfile.node(to)?)));
        let Some((from, id, to)) = ends else { continue };
        if !to.is_local() || from.is_local() || edge.kind == DependencyKind::Client {
            continue;
        }
        if project.overrides.lead_elsewhere(&edge.name) || project.places(id, &edge.name) {
            continue;
        }
        if let Some((rule, what)) = wrong(lockfile, project.manifests, to, &edge.name, None) {
            let who = asker(lockfile, edge.from);
            let what = format!("{who} gets {}, and {what}", edge.name);
            checked.add(rule, edge.line, Some(id), &what);
        }
    }
}

/// Where an entry that is no release comes from.
pub(super) fn place(node: &Node) -> &str {
    match &node.source {
        Source::Tarball(place)
        | Source::File(place)
        | Source::Link(place)
        | Source::Project(place)
        | Source::Other(place)
        | Source::Git { url: place, .. } => place,
        _ => &node.key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_answers_by_its_name() {
        for (manifest, folder, name, is) in [
            (r#"{"name": "a"}"#, "packages/a", "a", true),
            (r#"{"name": "@s/a"}"#, "packages/a", "a", false),
            (r#"{"name": "b"}"#, "packages/a", "a", false),
            ("{}", "packages/a", "a", true),
            ("{}", "packages/@s/a", "@s/a", true),
            ("{}", "packages/aa", "a", false),
        ] {
            let manifest = Manifest::from_json(manifest).unwrap();
            assert_eq!(is_named(&manifest, folder, name), is, "{folder} {name}");
        }
    }

    #[test]
    fn a_release_names_by_a_path_only_what_came_with_it() {
        let lock = |file: &str, text: &str| Lockfile::parse(file, text.as_bytes()).unwrap();
        for (place, folder, is) in [
            ("node_modules/ms", "evil", true),
            ("node_modules/ms", "node_modules/silty/evil", true),
            ("node_modules/ms", "node_modules/silt/../../evil", true),
            ("node_modules/silt/node_modules/ms", "evil", true),
            ("node_modules/ms", "node_modules/silt/vendor/ms", false),
        ] {
            let text = format!(
                r#"{{"lockfileVersion": 3, "packages": {{
                "node_modules/silt": {{"version": "1.0.0"}},
                "{place}": {{"resolved": "{folder}", "link": true}}}}}}"#
            );
            let lockfile = lock("package-lock.json", &text);
            let (from, node) = (lockfile.node(0).unwrap(), lockfile.node(1).unwrap());
            assert_eq!(is_beyond(Format::Npm, from, node), is, "{place} {folder}");
            assert!(!is_beyond(Format::Npm, node, node), "{place} {folder}");
        }
        for (locator, is) in [
            ("silt%40npm%3A1.0.0", false),
            ("silt%40workspace%3A.", true),
            ("root%40workspace%3A.", true),
        ] {
            let text = format!(
                "__metadata:\n  version: 8\n\n\"silt@npm:^1.0.0\":\n  version: 1.0.0\n  \
                 resolution: \"silt@npm:1.0.0\"\n\n\"ms@file:./v::locator={locator}\":\n  \
                 version: 1.0.0\n  resolution: \"ms@file:./v#./v::hash=1c&locator={locator}\"\n"
            );
            let lockfile = lock("yarn.lock", &text);
            let (from, node) = (lockfile.node(0).unwrap(), lockfile.node(1).unwrap());
            let found = is_beyond(Format::YarnBerry, from, node);
            assert_eq!(found, is, "{locator}");
        }
    }

    #[test]
    fn a_version_is_in_a_range_as_the_client_sees_it() {
        for (format, range, version, is) in [
            (Format::Npm, "^1.0.0", "1.2.0", true),
            (Format::Npm, "^1.0.0", "2.0.0", false),
            (Format::Npm, "*", "1.0.0-rc.1", true),
            (Format::Npm, "^1.0.0", "1.2.0-rc.1", false),
            (Format::YarnBerry, "^1.0.0", "1.2.0-rc.1", true),
            (Format::YarnBerry, "^1.0.0", "2.0.0", false),
            (Format::Bun, "^1.0.0", "2.0.0", false),
            (Format::Pnpm, "^1.0.0", "2.0.0", true),
        ] {
            let range = Range::parse_from_npm(range).unwrap();
            assert_eq!(is_in(format, &range, version), is, "{format:?} {version}");
        }
    }
}
