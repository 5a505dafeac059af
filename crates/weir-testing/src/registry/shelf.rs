//! A package as the registry holds it: releases built into tarballs, hashed and signed.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::{Span, Timestamp};
use serde_json::Value;

use super::keys::{sha1, sha512};
use crate::package::{Package, Release, Signed};
use crate::sigstore::SigningKey;
use crate::tarball;
use crate::version_order::{compare, is_prerelease};

pub(super) type Edit = Arc<dyn Fn(&mut Value) + Send + Sync>;

/// A release with everything that is computed once.
pub(super) struct Shelved {
    pub(super) release: Release,
    pub(super) published: Timestamp,
    pub(super) tarball: Bytes,
    pub(super) integrity: String,
    pub(super) shasum: String,
    pub(super) file_count: usize,
    pub(super) unpacked_size: usize,
    pub(super) signature: Option<String>,
}

pub(super) struct Shelf {
    pub(super) package: Package,
    pub(super) releases: Vec<Shelved>,
    pub(super) edits: Vec<Edit>,
}

impl Shelf {
    pub(super) fn build(package: Package, key: &SigningKey) -> Shelf {
        let releases = package
            .releases
            .iter()
            .enumerate()
            .map(|(position, release)| shelve(&package, release, position, key))
            .collect();
        Shelf {
            package,
            releases,
            edits: Vec::new(),
        }
    }

    /// Releases published by `now`, also those taken down since, in document order.
    pub(super) fn published(&self, now: Option<Timestamp>) -> impl Iterator<Item = &Shelved> {
        self.releases
            .iter()
            .filter(move |shelved| now.is_none_or(|now| shelved.published <= now))
    }

    /// Releases that can be installed at `now`, in document order.
    pub(super) fn installable(&self, now: Option<Timestamp>) -> impl Iterator<Item = &Shelved> {
        self.published(now).filter(move |shelved| {
            let gone = shelved.release.unpublished;
            gone.is_none_or(|gone| now.is_some_and(|now| now < gone))
        })
    }

    /// Whether the package exists at `now`.
    pub(super) fn exists(&self, now: Option<Timestamp>) -> bool {
        self.releases.is_empty() || self.published(now).next().is_some()
    }

    pub(super) fn find(&self, version: &str, now: Option<Timestamp>) -> Option<&Shelved> {
        self.installable(now)
            .find(|shelved| shelved.release.version == version)
    }

    /// `dist-tags` at `now`. Publishing moves `latest` unless the release names another tag, is a
    /// prerelease, or is lower than what `latest` points at: npm 11 refuses those without a tag.
    pub(super) fn tags(&self, now: Option<Timestamp>) -> Vec<(String, String)> {
        let mut order: Vec<&Shelved> = self.installable(now).collect();
        order.sort_by_key(|shelved| shelved.published);
        let mut tags: Vec<(String, String)> = Vec::new();
        for shelved in &order {
            let version = shelved.release.version.as_str();
            match &shelved.release.tag {
                Some(tag) => set(&mut tags, tag, version),
                None => {
                    let rises = match get(&tags, "latest") {
                        None => true,
                        Some(latest) => {
                            let upwards = compare(version, latest).is_ge();
                            upwards && (!is_prerelease(version) || is_prerelease(latest))
                        }
                    };
                    if rises {
                        set(&mut tags, "latest", version);
                    }
                }
            }
        }
        for (tag, version) in &self.package.tags {
            if order
                .iter()
                .any(|shelved| shelved.release.version == *version)
            {
                set(&mut tags, tag, version);
            }
        }
        // A package published only under other tags still has a `latest` on the public registry.
        if get(&tags, "latest").is_none()
            && let Some(first) = order.first()
        {
            tags.insert(0, ("latest".into(), first.release.version.clone()));
        }
        tags
    }

    /// The names of the maintainers at a time; a package never has none.
    pub(super) fn maintainers(&self, at: Option<Timestamp>) -> Vec<String> {
        let maintainers = self.package.maintainers.iter();
        let mut names: Vec<String> = maintainers
            .filter(|maintainer| {
                let since = maintainer.since;
                since.is_none_or(|since| at.is_none_or(|at| since <= at))
            })
            .map(|maintainer| maintainer.name.clone())
            .collect();
        if names.is_empty() {
            names.push("someone".into());
        }
        names
    }

    /// `time.created`: as set, or the first release's.
    pub(super) fn created(&self) -> Option<Timestamp> {
        let first = self.releases.iter().map(|shelved| shelved.published).min();
        self.package.created.or(first)
    }

    /// `time.modified`: the last publish or take-down that happened by `now`.
    pub(super) fn modified(&self, now: Option<Timestamp>) -> Option<Timestamp> {
        self.published(now)
            .flat_map(|shelved| {
                let gone = shelved.release.unpublished;
                let gone = gone.filter(|gone| now.is_none_or(|now| *gone <= now));
                [Some(shelved.published), gone]
            })
            .flatten()
            .max()
            .or(self.package.created)
    }
}

fn get<'tags>(tags: &'tags [(String, String)], tag: &str) -> Option<&'tags str> {
    tags.iter()
        .find(|(name, _)| name == tag)
        .map(|(_, version)| version.as_str())
}

fn set(tags: &mut Vec<(String, String)>, tag: &str, version: &str) {
    match tags.iter_mut().find(|(name, _)| name == tag) {
        Some((_, slot)) => version.clone_into(slot),
        None => tags.push((tag.into(), version.into())),
    }
}

fn shelve(package: &Package, release: &Release, position: usize, key: &SigningKey) -> Shelved {
    let (tarball, file_count, unpacked_size) = match &release.raw_tarball {
        Some(bytes) => (bytes.clone(), 1, bytes.len()),
        None => {
            let entries = release.entries(package);
            let size = entries.iter().map(|entry| entry.data.len()).sum();
            (tarball::tgz(&entries), entries.len(), size)
        }
    };
    let integrity = format!("sha512-{}", STANDARD.encode(sha512(&tarball)));
    let message = format!("{}@{}:{integrity}", package.name, release.version);
    let signature = match release.signed {
        Signed::Yes => Some(key.sign(&message)),
        Signed::No => None,
        Signed::Wrongly => Some(key.sign(&format!("{message} "))),
    };
    Shelved {
        published: release.published.unwrap_or_else(|| default_time(position)),
        shasum: hex::encode(sha1(&tarball)),
        release: release.clone(),
        tarball,
        integrity,
        file_count,
        unpacked_size,
        signature,
    }
}

/// 2020-01-01 and a day more per release.
fn default_time(position: usize) -> Timestamp {
    let start = crate::package::timestamp("2020-01-01T00:00:00.000Z");
    let hours = 24 * i64::try_from(position).unwrap_or(i64::MAX);
    start
        .checked_add(Span::new().hours(hours))
        .expect("a date within range")
}
