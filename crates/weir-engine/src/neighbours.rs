//! What packages of one owner added lately: a worm puts one file into all of them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use moka::sync::Cache;
use weir_model::Difference;
use weir_npm::name::PackageName;
use weir_npm::packument::VersionManifest;
use weir_signals::Sibling;

/// Most owners remembered.
const OWNERS: u64 = 5_000;

/// Most releases remembered of one owner; older ones make room.
const RELEASES: usize = 64;

/// Most added files remembered of one release, those that run first.
const FILES: usize = 32;

/// How long an owner is remembered after the last release was noted or asked for.
const IDLE: Duration = Duration::from_secs(24 * 3600);

/// Releases of each owner that were compared with their past lately. In memory only: what is
/// forgotten costs one hint.
#[derive(Debug)]
pub(crate) struct Neighbours {
    owners: Cache<String, Arc<Mutex<Vec<Sibling>>>>,
}

impl Default for Neighbours {
    fn default() -> Self {
        Self {
            owners: Cache::builder()
                .max_capacity(OWNERS)
                .time_to_idle(IDLE)
                .build(),
        }
    }
}

impl Neighbours {
    /// What the packages of these owners added lately, other packages than `name` only.
    pub(crate) fn of(&self, owners: &[String], name: &PackageName) -> Vec<Sibling> {
        let mut found: Vec<Sibling> = Vec::new();
        for list in owners.iter().filter_map(|owner| self.owners.get(owner)) {
            let list = list.lock().unwrap_or_else(PoisonError::into_inner);
            for sibling in list.iter().filter(|it| it.name != name.as_str()) {
                if !found.contains(sibling) {
                    found.push(sibling.clone());
                }
            }
        }
        found
    }

    /// Notes what a release added.
    pub(crate) fn note(
        &self,
        owners: &[String],
        name: &PackageName,
        version: &str,
        published: Timestamp,
        difference: &Difference<'_>,
    ) {
        let mut added = difference.files.added.clone();
        added.sort_by_key(|file| file.surface.is_none());
        added.truncate(FILES);
        if added.is_empty() {
            return;
        }
        let sibling = Sibling {
            name: name.as_str().to_owned(),
            version: version.to_owned(),
            published,
            added: added.into_iter().cloned().collect(),
        };
        for owner in owners {
            let list = self.owners.get_with(owner.clone(), Arc::default);
            let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
            list.retain(|it| (&it.name, &it.version) != (&sibling.name, &sibling.version));
            list.push(sibling.clone());
            if list.len() > RELEASES {
                list.remove(0);
            }
        }
    }
}

/// Who owns a release, as far as that joins it with others: its scope, and the account that
/// published it. What a workflow published names the workflow's host instead of an account.
pub(crate) fn owners(name: &PackageName, manifest: Option<&VersionManifest>) -> Vec<String> {
    let scope = name
        .as_str()
        .split_once('/')
        .map(|(scope, _)| scope.to_owned());
    let publisher = manifest
        .and_then(|manifest| manifest.publisher.as_ref())
        .filter(|publisher| !publisher.trusted_publisher && !publisher.name.is_empty())
        .map(|publisher| format!("by {}", publisher.name));
    let owners: BTreeSet<String> = scope.into_iter().chain(publisher).collect();
    owners.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use weir_model::Contents;
    use weir_model::contents::FileDigest;

    use super::*;

    fn name(text: &str) -> PackageName {
        PackageName::parse(text).unwrap()
    }

    fn with(files: usize) -> Contents {
        Contents {
            files: (0..files)
                .map(|number| FileDigest {
                    path: format!("{number}.js"),
                    bytes: 2_000,
                    digest: number.to_string(),
                    surface: None,
                    longest_line: 80,
                })
                .collect(),
            ..Contents::default()
        }
    }

    #[test]
    fn siblings_are_other_packages_of_the_same_owner() {
        let neighbours = Neighbours::default();
        let (before, after) = (with(0), with(2));
        let difference = Difference::between(&before, &after);
        let owner = vec!["@millpond".to_owned()];
        let at = Timestamp::UNIX_EPOCH;
        for version in ["1.0.0", "1.0.0", "1.0.1"] {
            neighbours.note(&owner, &name("@millpond/sluice"), version, at, &difference);
        }
        let seen = |who: &str, owners: &[String]| neighbours.of(owners, &name(who)).len();
        assert_eq!(seen("@millpond/weir", &owner), 2);
        assert_eq!(seen("@millpond/sluice", &owner), 0);
        assert_eq!(seen("@other/weir", &["@other".to_owned()]), 0);
        // A release that added nothing is nobody's sibling.
        let same = Difference::between(&after, &after);
        neighbours.note(&owner, &name("@millpond/dam"), "1.0.0", at, &same);
        assert_eq!(seen("@millpond/weir", &owner), 2);
    }

    #[test]
    fn an_owner_of_many_releases_costs_no_more_than_the_bound() {
        let neighbours = Neighbours::default();
        let (before, after) = (with(0), with(FILES * 3));
        let difference = Difference::between(&before, &after);
        let owner = vec!["by mara".to_owned()];
        for number in 0..RELEASES * 2 {
            let version = format!("1.0.{number}");
            let at = Timestamp::UNIX_EPOCH;
            neighbours.note(&owner, &name("sluice"), &version, at, &difference);
        }
        let found = neighbours.of(&owner, &name("weir"));
        assert_eq!(found.len(), RELEASES);
        assert_eq!(found[0].added.len(), FILES);
        assert_eq!(found.last().unwrap().version, "1.0.127");
    }
}
