//! Releases in a row that brought the same: a takeover seldom publishes only one, and what its first release brought
//! is nothing new in those after it. They are looked at together, and none of them is recommended in place of another.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use weir_model::{Assessment, Group};
use weir_npm::packument::{Packument, VersionManifest};
use weir_npm::version::Version;

use crate::compare::without_numbers;

/// What came this long before a release is the package's past, not the beginning of the same attack: of the
/// hijacked releases on record the slowest was found within three months (INCIDENTS I03).
pub(crate) const LONGEST: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How many releases make that past: the last ones, of whatever line.
const PAST: usize = 5;

/// Most releases of a run that are followed.
const FOLLOWED: usize = 500;

/// What a release brought that the package had not.
#[derive(Debug, PartialEq, Eq)]
enum Brought {
    /// These steps at install time.
    Steps(BTreeSet<String>),
    /// These dependencies.
    Dependencies(BTreeSet<String>),
    /// Nothing that a manifest tells.
    Nothing,
}

/// The releases that have what one of them brought.
#[derive(Debug)]
pub(crate) struct Run {
    /// The release that it is told by.
    pub(crate) version: String,
    /// When that one was published.
    pub(crate) published: Timestamp,
    /// Nothing that was published before belongs to it.
    since: Timestamp,
    /// What was published later is no part of the same attack: by then it is what the package is like.
    until: Timestamp,
    brought: Brought,
    /// Whether there are releases of before that had it not. Of a package without a past everything would be new.
    is_new: bool,
    /// Whether what its code does speaks against the release.
    by_code: bool,
    bytes: Option<String>,
}

impl Run {
    /// The run of a release that is suspect or refused. None where the registry does not say when it was published.
    /// Of what it brought only that counts which the findings are about: a release that is refused for its
    /// dependencies makes no install step suspect.
    pub(crate) fn of(
        packument: &Packument,
        version: &str,
        assessment: &Assessment,
        no_baseline: &dyn Fn(&str) -> bool,
    ) -> Option<Self> {
        let published = packument.published(version)?;
        let since = published.saturating_sub(LONGEST).ok()?;
        let manifest = packument.manifest(version)?.ok()?;
        let groups = assessment.groups();
        let tells = |group: &Group| is_about_code(group) || *group == Group::Dependency;
        let past = match groups.iter().any(tells) {
            true => past(packument, since, no_baseline),
            false => Vec::new(),
        };
        Some(Self {
            version: version.to_owned(),
            published,
            since,
            until: published.saturating_add(LONGEST).ok()?,
            brought: brought(&manifest, &past, &groups),
            is_new: !past.is_empty(),
            by_code: groups.iter().any(is_about_code),
            bytes: bytes(&manifest),
        })
    }

    /// Whether it is told by what manifests say.
    pub(crate) fn tells(&self) -> bool {
        self.brought != Brought::Nothing
    }

    /// Whether a release belongs to it.
    pub(crate) fn has(&self, packument: &Packument, version: &str) -> bool {
        let published = packument.published(version);
        if published.is_none_or(|published| published <= self.since) {
            return false;
        }
        let Some(Ok(manifest)) = packument.manifest(version) else {
            return false;
        };
        self.has_bytes_of(&manifest)
            || match &self.brought {
                Brought::Steps(brought) => !brought.is_disjoint(&steps(&manifest)),
                Brought::Dependencies(brought) => brought.is_subset(&dependencies(&manifest)),
                Brought::Nothing => false,
            }
    }

    /// Whether a release may do what the code of this one does, for all that its manifest says: it runs something at
    /// install time as well. Only who has read it can tell.
    pub(crate) fn may_be_repeated_by(&self, packument: &Packument, version: &str) -> bool {
        self.by_code
            && match packument.manifest(version) {
                Some(Ok(manifest)) => !steps(&manifest).is_empty(),
                _ => true,
            }
    }

    fn has_bytes_of(&self, manifest: &VersionManifest) -> bool {
        self.bytes.is_some() && bytes(manifest) == self.bytes
    }

    /// Whether a release belongs to it and came out after the one that it is told by.
    pub(crate) fn goes_on_in(&self, packument: &Packument, version: &str) -> bool {
        let published = packument.published(version);
        published.is_some_and(|published| published > self.published)
            && self.has(packument, version)
    }

    /// Whether a release has something of the refused one that the package did not have before, and came out within
    /// the time of one attack: such a release may count as refused before anybody looked at it.
    pub(crate) fn taints(&self, packument: &Packument, version: &str) -> bool {
        let same_bytes = || {
            let manifest = packument.manifest(version).and_then(Result::ok);
            manifest.is_some_and(|manifest| self.has_bytes_of(&manifest))
        };
        self.is_near(packument, version)
            && self.has(packument, version)
            && (self.is_new || same_bytes())
    }

    fn is_near(&self, packument: &Packument, version: &str) -> bool {
        let published = packument.published(version);
        published.is_some_and(|published| self.since < published && published <= self.until)
    }

    /// The other releases to look at once the one that it is told by is refused, the newest first, as its owners may
    /// have mended it; prereleases last, as few resolve to them. Where no manifest tells them, all that came out
    /// about that time, if it is its code that speaks against the refused one.
    pub(crate) fn others(&self, packument: &Packument) -> Vec<String> {
        if !self.tells() && !self.by_code {
            return Vec::new();
        }
        let mut near: Vec<(bool, Reverse<Timestamp>, &str)> = packument
            .versions()
            .iter()
            .map(|entry| entry.version.as_str())
            .filter(|version| *version != self.version && self.is_near(packument, version))
            .filter_map(|version| {
                let published = packument.published(version)?;
                let parsed = Version::parse(version).ok()?;
                Some((parsed.is_prerelease(), Reverse(published), version))
            })
            .collect();
        near.sort_unstable();
        let near = near.into_iter().take(FOLLOWED);
        near.map(|(.., version)| version)
            .filter(|version| !self.tells() || self.has(packument, version))
            .map(str::to_owned)
            .collect()
    }

    /// When the first of the releases in a row came out that lead up to the one that it is told by: those of the
    /// same major line before it, as far back as each belongs to the run.
    pub(crate) fn begins(&self, packument: &Packument) -> Timestamp {
        let Some(line) = stable_line(&self.version) else {
            return self.published;
        };
        let mut before: Vec<(Timestamp, &str)> = packument
            .versions()
            .iter()
            .map(|entry| entry.version.as_str())
            .filter(|version| stable_line(version) == Some(line))
            .filter_map(|version| Some((packument.published(version)?, version)))
            .filter(|(published, _)| self.since < *published && *published < self.published)
            .collect();
        before.sort_unstable_by(|one, other| other.cmp(one));
        before
            .into_iter()
            .take(FOLLOWED)
            .take_while(|(_, version)| self.has(packument, version))
            .last()
            .map_or(self.published, |(published, _)| published)
    }
}

/// The major number of a version that is no prerelease.
fn stable_line(version: &str) -> Option<u64> {
    let version = Version::parse(version).ok()?;
    (!version.is_prerelease()).then(|| version.major())
}

/// The manifests of the last releases that were published no later than `since`.
fn past(
    packument: &Packument,
    since: Timestamp,
    no_baseline: &dyn Fn(&str) -> bool,
) -> Vec<VersionManifest> {
    let mut earlier: Vec<(Timestamp, &str)> = packument
        .versions()
        .iter()
        .filter_map(|entry| {
            let version = entry.version.as_str();
            Some((packument.published(version)?, version))
        })
        .filter(|(published, version)| *published <= since && !no_baseline(version))
        .collect();
    earlier.sort_unstable_by(|one, other| other.cmp(one));
    let last = earlier.into_iter().take(PAST);
    last.filter_map(|(_, version)| packument.manifest(version)?.ok())
        .collect()
}

fn is_about_code(group: &Group) -> bool {
    matches!(
        group,
        Group::Execution | Group::Code | Group::Runtime | Group::Intel
    )
}

fn brought(manifest: &VersionManifest, past: &[VersionManifest], groups: &[Group]) -> Brought {
    if groups.iter().any(is_about_code) {
        let usual: BTreeSet<String> = past.iter().flat_map(steps).collect();
        let new: BTreeSet<String> = steps(manifest).difference(&usual).cloned().collect();
        if !new.is_empty() {
            return Brought::Steps(new);
        }
    }
    if !groups.contains(&Group::Dependency) {
        return Brought::Nothing;
    }
    let usual: BTreeSet<String> = past.iter().flat_map(dependencies).collect();
    let new: BTreeSet<String> = dependencies(manifest).difference(&usual).cloned().collect();
    match past.is_empty() || new.is_empty() {
        true => Brought::Nothing,
        false => Brought::Dependencies(new),
    }
}

/// What a release runs at install time, as its manifest says. Numbers in a command may differ, as when the version
/// is spelled out.
pub(crate) fn steps(manifest: &VersionManifest) -> BTreeSet<String> {
    let scripts = manifest.manifest.install_scripts();
    let mut steps: BTreeSet<String> = scripts
        .map(|(event, command)| format!("{event}: {}", without_numbers(command)))
        .collect();
    if manifest.manifest.gypfile == Some(true) {
        steps.insert("binding.gyp".to_owned());
    }
    if steps.is_empty() && manifest.has_install_script == Some(true) {
        steps.insert("something".to_owned());
    }
    steps
}

pub(crate) fn dependencies(manifest: &VersionManifest) -> BTreeSet<String> {
    let manifest = &manifest.manifest;
    let names = manifest.dependencies.keys();
    let names = names.chain(manifest.optional_dependencies.keys());
    names.cloned().collect()
}

fn bytes(manifest: &VersionManifest) -> Option<String> {
    let integrity = manifest.dist.best_integrity();
    integrity.map(|integrity| integrity.to_string())
}

#[cfg(test)]
mod tests;
