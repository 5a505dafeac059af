//! Folders and tarballs of the project's own machine that are on a way. No registry has releases of them: what
//! they ask for is changed in their own `package.json`.

use weir_npm::lockfile::{Edge, Format, Node, folder_from};
use weir_npm::spec::{DependencySpec, classify, names_tarball};

use super::super::Audited;
use super::super::tree::Way;
use super::asked::Written;
use crate::sbom::origin::Origin;

/// A folder or a tarball.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Local {
    /// Where it is, seen from the root of the project.
    path: String,
}

impl Local {
    /// The one that a step of a way leads to, if it leads to one.
    pub(super) fn at(audited: &Audited<'_>, way: &Way<'_>, step: &Edge) -> Option<Self> {
        let lockfile = audited.tree.lockfile;
        let mut at = way.project.to_owned();
        for (number, edge) in way.edges.iter().enumerate() {
            let node = lockfile.node(edge.to?)?;
            let local = path_of(node);
            let said = said_path(lockfile.format, number, edge);
            at = match (&local, said) {
                (None, _) => String::new(),
                (Some(_), Some(said)) => joined(&at, &said),
                // What the project sets itself stands in the place of what is asked for.
                (Some(path), None) => joined("", path),
            };
            if std::ptr::eq(*edge, step) {
                return local.map(|_| Self { path: at });
            }
        }
        None
    }

    /// Whether it is packed: then what it asks for cannot be changed where it lies.
    pub(super) fn is_tarball(&self) -> bool {
        names_tarball(&self.path)
    }

    /// Where it says what it asks for, and how, if the lockfile has that.
    pub(super) fn written(&self, audited: &Audited<'_>, edge: &Edge) -> Written {
        let lockfile = audited.tree.lockfile;
        // pnpm installs copies of workspaces under their paths as well.
        let project = lockfile.project(&self.path);
        let own = project.and_then(|id| lockfile.edges_of(id).find(|it| it.name == edge.name));
        if let Some(own) = own {
            return Written::of(audited, &self.path, own);
        }
        let mut written = Written::of(audited, &self.path, edge);
        if self.is_tarball() {
            written.place = format!("the package.json inside {}", self.path);
        }
        // Below the projects pnpm's lockfile only says what it got.
        if lockfile.format == Format::Pnpm {
            written.spec = None;
        }
        written
    }
}

/// The path of a package that no registry has, as the lockfile gives it.
pub(super) fn path_of(node: &Node) -> Option<String> {
    match Origin::of(&node.source) {
        Origin::Local(path) => Some(path),
        _ => None,
    }
}

/// The path that is asked for, seen from who asks. Below the projects pnpm only says what it got.
fn said_path(format: Format, number: usize, edge: &Edge) -> Option<String> {
    if format == Format::Pnpm && number > 0 {
        return None;
    }
    match classify(&edge.name, &edge.spec) {
        DependencySpec::File(path) => Some(path),
        _ => None,
    }
}

/// A path seen from a folder, without detours.
fn joined(folder: &str, path: &str) -> String {
    let path = path.replace('\\', "/");
    let drive = path.as_bytes().get(1) == Some(&b':');
    if drive || path.starts_with(['/', '~']) {
        return path;
    }
    let start = if folder.starts_with('/') { "/" } else { "" };
    format!("{start}{}", folder_from(folder, &path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_the_root() {
        for (folder, path, is) in [
            ("", "./inner", "inner"),
            ("packages/a", "../../inner", "inner"),
            ("packages/a", "inner.tgz", "packages/a/inner.tgz"),
            ("", "../inner", "../inner"),
            ("../outer", "../inner", "../inner"),
            ("packages/a", "/srv/inner", "/srv/inner"),
            ("/srv/outer", "../inner", "/srv/inner"),
            ("", "C:\\inner", "C:/inner"),
            ("", "a\\b", "a/b"),
        ] {
            assert_eq!(joined(folder, path), is, "{folder:?} {path:?}");
        }
    }

    #[test]
    fn a_tarball_is_told_from_a_folder() {
        for (path, is) in [
            ("inner", false),
            ("inner.tgz", true),
            ("a/Inner-1.0.0.TAR.GZ", true),
            ("inner.tgz/folder", false),
        ] {
            let path = path.to_owned();
            assert_eq!(Local { path }.is_tarball(), is);
        }
    }
}
