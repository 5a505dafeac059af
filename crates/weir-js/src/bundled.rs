//! Packages that lie in the tarball of another one, as far as a client runs their hooks.
//!
//! npm takes what is listed as bundled, what lies in folders below that, and what of the rest those depend
//! on, for packages it has installed: their hooks run, and `binding.gyp` is built. What lies there unlisted
//! is unpacked and left alone. pnpm and yarn run none of these. Folders of the package that it names as
//! dependencies (`file:./sub`) are installed by all clients, and yarn runs their hooks.

use std::collections::{BTreeMap, HashSet};

use weir_npm::manifest::Manifest;
use weir_npm::spec::{DependencySpec, classify, inside_package};

use crate::SourceFile;

/// Most packages in a tarball that are looked at, and the largest manifest among them, in bytes.
const PACKAGES: usize = 4_000;
const MANIFEST: usize = 1 << 20;
/// The folder in which packages lie.
const MODULES: &str = "node_modules";

/// A package inside the package, which a client treats as installed.
#[derive(Debug, Clone, Default)]
pub struct Bundled {
    /// Where it lies, without a slash at the end: `node_modules/@scope/name`.
    pub folder: String,
    /// What runs of it at install time, in run order: event and command line.
    pub install_commands: Vec<(String, String)>,
    /// All of its `scripts`.
    pub scripts: BTreeMap<String, String>,
    /// Its `gypfile`; `false` switches the implicit build off.
    pub gypfile: Option<bool>,
}

/// The bundled packages of which something may run at install time, in the order of their folders.
pub(crate) fn packages(files: &[SourceFile<'_>], manifest: &Manifest) -> Vec<Bundled> {
    let own = folders("", manifest);
    if manifest.bundle_dependencies.is_empty() && own.is_empty() {
        return Vec::new();
    }
    let mut found = manifests(files);
    let bundled = manifest.bundle_dependencies.iter();
    let mut wanted: Vec<String> = bundled.map(|name| format!("{MODULES}/{name}")).collect();
    wanted.extend(own);
    let mut seen: HashSet<String> = HashSet::new();
    while let Some(folder) = wanted.pop() {
        if !found.contains_key(folder.as_str())
            && seen.len() < PACKAGES
            && let Some((folder, manifest)) = folder_of(files, &folder)
        {
            found.insert(folder, manifest);
        }
        let Some(inner) = found.get(folder.as_str()) else {
            continue;
        };
        if !seen.insert(folder.clone()) {
            continue;
        }
        let below = format!("{folder}/{MODULES}/");
        let nested = found
            .range(below.as_str()..)
            .take_while(|(path, _)| path.starts_with(&below));
        wanted.extend(nested.map(|(path, _)| (*path).to_owned()));
        wanted.extend(folders(&folder, inner));
        let maps = [
            &inner.dependencies,
            &inner.optional_dependencies,
            &inner.peer_dependencies,
        ];
        for name in maps.into_iter().flat_map(BTreeMap::keys) {
            wanted.extend(nearest(&found, &folder, name));
        }
    }
    let mut packages: Vec<Bundled> = seen
        .into_iter()
        .filter_map(|folder| {
            let inner = found.get(folder.as_str())?;
            Some(Bundled {
                install_commands: crate::install_commands(inner),
                scripts: inner.scripts.clone(),
                gypfile: inner.gypfile,
                folder,
            })
        })
        .collect();
    packages.sort_by(|one, other| one.folder.cmp(&other.folder));
    packages
}

/// Folders of the package that a package in it names as dependencies.
fn folders(from: &str, manifest: &Manifest) -> Vec<String> {
    let maps = [&manifest.dependencies, &manifest.optional_dependencies];
    let paths = maps.into_iter().flatten().filter_map(|(name, spec)| {
        // Few are, and those begin so.
        let is_path = spec.contains([':', '.', '/']);
        match is_path.then(|| classify(name, spec))? {
            DependencySpec::File(path) => within(from, &path),
            _ => None,
        }
    });
    paths.take(PACKAGES).collect()
}

/// The folder that a path means in another one, where it stays in the package.
fn within(from: &str, path: &str) -> Option<String> {
    // A path from the root of a machine is none of the package, whatever stands before it.
    if path.starts_with(['/', '\\', '~']) {
        return None;
    }
    match from {
        "" => inside_package(path),
        from => inside_package(&format!("{from}/{path}")),
    }
}

/// The manifest of a folder that is not in a `node_modules`.
fn folder_of<'a>(files: &[SourceFile<'a>], folder: &str) -> Option<(&'a str, Manifest)> {
    let is_it = |file: &&SourceFile<'a>| file.path.strip_suffix("/package.json") == Some(folder);
    let file = files.iter().rev().find(is_it)?;
    if file.bytes.len() > MANIFEST {
        return None;
    }
    let manifest = Manifest::from_json(file.bytes).ok()?;
    Some((file.path.strip_suffix("/package.json")?, manifest))
}

/// Manifests of packages that lie in a `node_modules`, by their folders.
fn manifests<'a>(files: &[SourceFile<'a>]) -> BTreeMap<&'a str, Manifest> {
    let inner = files.iter().filter_map(|file| {
        let folder = file.path.strip_suffix("/package.json")?;
        let (above, name) = folder.rsplit_once('/')?;
        let above = match above.rsplit_once('/') {
            Some((above, scope)) if scope.starts_with('@') => above,
            _ => above,
        };
        let is_package = above == MODULES || above.ends_with("/node_modules");
        let is_read = is_package && !name.is_empty() && file.bytes.len() <= MANIFEST;
        let manifest = is_read.then(|| Manifest::from_json(file.bytes));
        Some((folder, manifest?.ok()?))
    });
    inner.take(PACKAGES).collect()
}

/// Where a package finds another one: beside what it holds itself, then further up.
fn nearest(found: &BTreeMap<&str, Manifest>, from: &str, name: &str) -> Option<String> {
    let mut above = from;
    loop {
        above = match above.rfind("node_modules/") {
            Some(at) => above.get(..at)?,
            None => return None,
        };
        let folder = format!("{above}{MODULES}/{name}");
        if found.contains_key(folder.as_str()) {
            return Some(folder);
        }
        above = above.trim_end_matches('/');
    }
}

#[cfg(test)]
mod tests;
