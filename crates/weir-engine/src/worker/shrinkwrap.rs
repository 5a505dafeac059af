//! What a package's own `npm-shrinkwrap.json` leads to. npm follows it below the package, whatever its
//! dependencies ask for: it fetches the addresses that stand there.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::contents::{LockedElsewhere, LockedKind, LockedOrigin, OutOfRange, Shrinkwrap};
use weir_npm::lockfile::{Lockfile, Node, Source};
use weir_npm::manifest::Manifest;
use weir_npm::spec::{DependencySpec, classify};
use weir_npm::version::{Range, Version};

/// The file, at the root of a package.
const FILE: &str = "npm-shrinkwrap.json";

/// What npm reads in its place, where the registry says that there is a shrinkwrap. Clients do not pack it.
const LOCK: &str = "package-lock.json";

/// Largest one that is read, in bytes: those of large command-line tools are about one.
pub(super) const MOST_BYTES: u64 = 8 << 20;

/// Most releases that are listed, most hosts, and most entries that lead elsewhere.
const RELEASES: usize = 2_000;
const ORIGINS: usize = 64;
const ELSEWHERE: usize = 64;

/// Longest address that is kept, in bytes.
const ADDRESS: usize = 512;

/// Whether a file of a package is such a one, by its path.
pub(super) fn is_one(path: &str) -> bool {
    path == FILE || path == LOCK
}

/// What such files of a package with that manifest say, each given by its path; one of which only the name is known
/// is too large.
pub(super) fn of(files: &[(String, Option<Vec<u8>>)], manifest: &Manifest) -> Option<Shrinkwrap> {
    // Of two files of one name extractors keep the last.
    let named = |name: &str| files.iter().rfind(|(path, _)| path == name);
    let (path, text) = named(FILE).or_else(|| named(LOCK))?;
    let found = match text {
        Some(text) => read(text, manifest),
        None => Shrinkwrap {
            unread: Some(format!("larger than {} MiB", MOST_BYTES >> 20)),
            ..Shrinkwrap::default()
        },
    };
    Some(Shrinkwrap {
        is_lock: path == LOCK,
        ..found
    })
}

/// Reads the file of a package with that manifest.
fn read(text: &[u8], manifest: &Manifest) -> Shrinkwrap {
    let lockfile = match Lockfile::parse(FILE, text) {
        Ok(lockfile) => lockfile,
        Err(error) => {
            return Shrinkwrap {
                unread: Some(error.to_string()),
                ..Shrinkwrap::default()
            };
        }
    };
    let mut found = Shrinkwrap::default();
    let mut releases: BTreeSet<String> = BTreeSet::new();
    let mut origins: BTreeMap<String, LockedOrigin> = BTreeMap::new();
    for node in &lockfile.nodes {
        // What lies in a tarball is not fetched.
        if matches!(node.source, Source::Project(_)) || node.flags.bundled {
            continue;
        }
        found.packages = found.packages.saturating_add(1);
        let (kind, from) = match &node.source {
            Source::Registry(address) => {
                let release = release(node);
                if let Some(address) = address {
                    note_origin(&mut origins, address, &release);
                }
                if releases.len() < RELEASES {
                    releases.insert(release);
                }
                match address {
                    Some(address) if is_other(node, address) => {
                        (LockedKind::OtherRelease, address.clone())
                    }
                    _ => continue,
                }
            }
            Source::Git { url, .. } => (LockedKind::Git, url.clone()),
            Source::Tarball(url) => (LockedKind::Address, url.clone()),
            Source::File(path) | Source::Link(path) => (LockedKind::Path, path.clone()),
            Source::Patch(text) | Source::Other(text) => (LockedKind::Unknown, text.clone()),
            Source::Project(_) => continue,
        };
        found.elsewhere.push(LockedElsewhere {
            name: node.place.clone(),
            from: cut(&from),
            kind,
        });
    }
    // What weighs most comes first, should there be more than is kept.
    found.elsewhere.sort_by_key(|one| rank(one.kind));
    found.elsewhere.truncate(ELSEWHERE);
    found.releases = releases.into_iter().collect();
    found.origins = origins.into_values().collect();
    found.out_of_range = out_of_range(&lockfile, manifest);
    found
}

const fn rank(kind: LockedKind) -> u8 {
    match kind {
        LockedKind::OtherRelease => 0,
        LockedKind::Address => 1,
        LockedKind::Git => 2,
        LockedKind::Unknown => 3,
        LockedKind::Path => 4,
    }
}

fn release(node: &Node) -> String {
    let version = node.version.as_deref().unwrap_or("*");
    cut(&format!("{}@{version}", node.name))
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(ADDRESS);
    text.get(..end).unwrap_or_default().to_owned()
}

fn note_origin(origins: &mut BTreeMap<String, LockedOrigin>, address: &str, release: &str) {
    let Some((scheme, rest)) = address.split_once("://") else {
        return;
    };
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    let host = host.rsplit('@').next().unwrap_or(host);
    let origin = cut(&format!("{scheme}://{host}").to_ascii_lowercase());
    if origins.len() >= ORIGINS && !origins.contains_key(&origin) {
        return;
    }
    let known = origins
        .entry(origin.clone())
        .or_insert_with(|| LockedOrigin {
            origin,
            release: release.to_owned(),
            releases: 0,
        });
    known.releases = known.releases.saturating_add(1);
}

/// Whether a registry's address names another package than the entry, or another version of it.
fn is_other(node: &Node, address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let path = path.to_ascii_lowercase().replace("%2f", "/");
    let name = node.name.to_ascii_lowercase();
    let Some((before, file)) = path.split_once("/-/") else {
        // Registries that name package and version in folders: `/download/name/version/digest`.
        return false;
    };
    if !before.ends_with(&format!("/{name}")) {
        return true;
    }
    let base = name.rsplit('/').next().unwrap_or(&name);
    let file = file.rsplit('/').next().unwrap_or(file);
    let stated = file
        .strip_prefix(base)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_suffix(".tgz"))
        .and_then(|text| Version::parse(text).ok());
    let own = node.version.as_deref();
    let own = own.and_then(|text| Version::parse(text).ok());
    // Some registries name files by digests, and old ones leave build metadata out.
    matches!((stated, own), (Some(stated), Some(own)) if stated.precedence(&own).is_ne())
}

/// The dependencies of the package itself whose locked version is none that they ask for.
fn out_of_range(lockfile: &Lockfile, manifest: &Manifest) -> Vec<OutOfRange> {
    let maps = [&manifest.dependencies, &manifest.optional_dependencies];
    let asked: BTreeMap<&str, &str> = maps
        .into_iter()
        .flatten()
        .map(|(name, spec)| (name.as_str(), spec.as_str()))
        .collect();
    let mut found = Vec::new();
    for node in &lockfile.nodes {
        let Some(name) = node.key.strip_prefix("node_modules/") else {
            continue;
        };
        let (Some(spec), Some(version)) = (asked.get(name), node.version.as_deref()) else {
            continue;
        };
        let range = match classify(name, spec) {
            DependencySpec::Range(range) => range,
            DependencySpec::Alias { spec, .. } => match *spec {
                DependencySpec::Range(range) => range,
                _ => continue,
            },
            _ => continue,
        };
        if is_outside(&range, version) && found.len() < ELSEWHERE {
            found.push(OutOfRange {
                name: name.to_owned(),
                range: cut(range.as_str()),
                version: cut(version),
            });
        }
    }
    found
}

fn is_outside(range: &Range, version: &str) -> bool {
    let version = Version::parse(version);
    // What npm itself could not read is not judged.
    range.is_understood() && version.is_ok_and(|version| !range.matches(&version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(packages: &str) -> Shrinkwrap {
        let manifest =
            Manifest::from_json(r#"{"dependencies":{"silt":"^2.0.0","mud":"github:left/mud"}}"#)
                .unwrap();
        let text = format!(
            r#"{{"name":"a","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{{
                "":{{"name":"a","version":"1.0.0","dependencies":{{"silt":"^2.0.0"}}}},{packages}}}}}"#
        );
        read(text.as_bytes(), &manifest)
    }

    /// What an entry leads to, if not to the release it is named after.
    #[test]
    fn entries_that_lead_elsewhere_are_told() {
        use LockedKind::{Address, Git, OtherRelease, Path};
        let at = |path: &str| format!("https://registry.example.invalid/{path}");
        for (resolved, kind) in [
            (at("silt/-/silt-2.0.0.tgz"), None),
            (at("npm/silt/-/silt-2.0.0.tgz#abc"), None),
            (at("silt/-/4f2c.tgz"), None),
            (at("download/silt/2.0.0/4f2c"), None),
            (at("mud/-/mud-2.0.0.tgz"), Some(OtherRelease)),
            (at("not-silt/-/silt-2.0.0.tgz"), Some(OtherRelease)),
            (at("silt/-/silt-2.0.1.tgz"), Some(OtherRelease)),
            (at("silt.tgz"), Some(Address)),
            (
                "git+ssh://git@git.example.invalid/a/silt.git#0123".to_owned(),
                Some(Git),
            ),
            ("file:../silt.tgz".to_owned(), Some(Path)),
        ] {
            let found = with(&format!(
                r#""node_modules/silt":{{"version":"2.0.0","resolved":"{resolved}"}}"#
            ));
            let told = found.elsewhere.first().map(|one| one.kind);
            assert_eq!(told, kind, "{resolved}: {found:?}");
            assert_eq!((found.packages, &found.unread), (1, &None), "{resolved}");
        }
    }

    #[test]
    fn releases_hosts_and_versions_out_of_range_are_listed() {
        let found = with(
            r#""node_modules/silt":{"version":"3.0.0","resolved":"https://One.invalid:1/silt/-/silt-3.0.0.tgz"},
               "node_modules/mud":{"version":"9.0.0","resolved":"https://u@two.invalid/mud/-/mud-9.0.0.tgz"},
               "node_modules/mud/node_modules/silt":{"version":"1.0.0"},
               "node_modules/old":{"version":"1.0.0","name":"new","resolved":"https://two.invalid/new/-/new-1.0.0.tgz"}"#,
        );
        assert_eq!(
            found.releases,
            ["mud@9.0.0", "new@1.0.0", "silt@1.0.0", "silt@3.0.0"]
        );
        let origins = found.origins.iter().map(|it| (&*it.origin, it.releases));
        assert_eq!(
            origins.collect::<Vec<_>>(),
            [("https://one.invalid:1", 1), ("https://two.invalid", 2)]
        );
        assert_eq!(found.elsewhere, []);
        let off: Vec<_> = found.out_of_range.iter().map(|it| &*it.name).collect();
        assert_eq!(off, ["silt"]);
    }

    #[test]
    fn what_is_no_lockfile_is_said() {
        for text in ["", "[]", "{\"lockfileVersion\":3}", "{\"packages\":{}"] {
            let found = read(text.as_bytes(), &Manifest::default());
            assert!(found.unread.is_some(), "{text}");
        }
    }
}
