//! Releases that nobody has looked at yet. A later one must not be measured by what would have been refused, whichever
//! of them is asked for first: a weir that is asked for the second release of an attack alone says what one says that
//! resolved the package before.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use weir_npm::packument::{Packument, VersionManifest};
use weir_npm::version::Version;

use crate::EngineError;
use crate::engine::Engine;
use crate::packuments::Held;
use crate::past::Past;
use crate::resolution::{FEW_VERSIONS, READ_AHEAD, RECENT, refuses_for_good};
use crate::runs::{LONGEST, dependencies, steps};

/// Most releases before one that are gone through, the newest: a package that publishes ten builds a day has as many
/// in three months. Those that differ in nothing from one that was gone through cost little.
const GONE_THROUGH: usize = 1_000;

/// So many earlier releases tell what is usual.
const USUAL: usize = 20;

/// What the unread releases before one come to.
pub(crate) struct Unread {
    /// What is known of the package, with those counted as refused that the packument speaks against.
    pub(crate) past: Past,
    /// Those that only their contents could refuse, oldest first.
    suspects: Vec<String>,
}

/// What of a release can be told apart without judging it: two that are alike differ in nothing that speaks against
/// only one of them, but for times and numbers.
#[derive(PartialEq, Eq, Hash)]
struct Profile {
    publisher: Option<(String, Option<String>)>,
    provenance: bool,
    maintainers: BTreeSet<String>,
    steps: BTreeSet<String>,
    dependencies: BTreeSet<String>,
}

impl Profile {
    fn of(manifest: &VersionManifest) -> Self {
        let attestations = manifest.dist.attestations.as_ref();
        let publisher = manifest.publisher.as_ref();
        let maintainers = manifest.maintainers.iter().map(|it| it.name.clone());
        let fetched = |(name, spec): (&String, &String)| {
            // What does not come from the registry is told by where it comes from.
            let is_elsewhere = spec.contains('/') || spec.contains(':');
            is_elsewhere.then(|| format!("{name}@{spec}"))
        };
        let asked = &manifest.manifest;
        let elsewhere = asked.dependencies.iter();
        let elsewhere = elsewhere.chain(&asked.optional_dependencies);
        let mut dependencies = dependencies(manifest);
        dependencies.extend(elsewhere.filter_map(fetched));
        Self {
            publisher: publisher.map(|it| (it.name.clone(), it.trusted_publisher_id.clone())),
            provenance: attestations.is_some_and(|it| it.provenance.is_some()),
            maintainers: maintainers.collect(),
            steps: steps(manifest),
            dependencies,
        }
    }
}

impl Engine {
    /// What is known of the releases of a package, to judge one of them by.
    pub(crate) async fn past_of(&self, held: &Held, version: &str) -> Result<Past, EngineError> {
        Ok(self.unread_of(held, version).await?.past)
    }

    /// The same, with those that would have to be read.
    pub(crate) async fn unread_of(
        &self,
        held: &Held,
        version: &str,
    ) -> Result<Unread, EngineError> {
        let past = self.past(held).await?;
        let unread = unread_before(&held.packument, version, &past, self.now());
        self.refuse_unread(held, &unread, past).await
    }

    /// What is known of the releases of a package, to judge all of them by.
    pub(crate) async fn past_of_all(&self, held: &Held) -> Result<Past, EngineError> {
        let past = self.past(held).await?;
        let unread = unread_lately(&held.packument, &past, self.now());
        Ok(self.refuse_unread(held, &unread, past).await?.past)
    }

    /// Counts as refused what would be refused for what the packument says. Oldest first, as each may have excused the
    /// next.
    async fn refuse_unread(
        &self,
        held: &Held,
        unread: &[String],
        past: Past,
    ) -> Result<Unread, EngineError> {
        let mut suspects = Vec::new();
        if unread.is_empty() {
            return Ok(Unread { past, suspects });
        }
        let packument = &held.packument;
        let mut fine = usual(packument, unread, &past);
        let mut refused = HashSet::new();
        let mut past = Arc::new(past);
        let (times, generation) = (HashMap::new(), self.generation());
        for version in unread {
            // What cannot be read is nothing that another could be measured by.
            let Some(Ok(manifest)) = packument.manifest(version) else {
                continue;
            };
            let profile = Profile::of(&manifest);
            if fine.contains(&profile) {
                continue;
            }
            if !refused.contains(&profile) {
                let verdict = self
                    .metadata_verdict_after(held, version, &times, &generation, &past)
                    .await?;
                if !refuses_for_good(&verdict.decision) {
                    if verdict.assessment.counted().next().is_some() {
                        suspects.push(version.clone());
                    }
                    fine.insert(profile);
                    continue;
                }
                refused.insert(profile);
            }
            Arc::make_mut(&mut past).refuse(std::iter::once(version));
        }
        Ok(Unread {
            past: Arc::unwrap_or_clone(past),
            suspects,
        })
    }

    /// Reads the contents of suspects that came out before a release that is served otherwise, oldest first, as a
    /// resolution does, and says what is known then. Nothing where there are none, or a resolution has been at it.
    /// Boxed, as each of them may have to ask the same.
    pub(crate) fn read_unread<'a>(
        self: &'a Arc<Self>,
        held: &'a Arc<Held>,
        version: &'a str,
        unread: Unread,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Past>, EngineError>> + Send + 'a>> {
        Box::pin(async move {
            let mut tried: HashSet<String> = HashSet::new();
            let mut unread = unread;
            while tried.len() < READ_AHEAD && !self.is_listed(held) {
                let packument = &held.packument;
                let readable = |other: &&String| {
                    !tried.contains(*other) && may_be_read_for(packument, other, version)
                };
                let Some(suspect) = unread.suspects.iter().find(readable).cloned() else {
                    break;
                };
                if let Err(error) = self.full_verdict(held, &suspect).await {
                    tracing::info!(package.name = %packument.name(), package.version = suspect, %error,
                        "an earlier release could not be looked at");
                }
                tried.insert(suspect);
                unread = self.unread_of(held, version).await?;
            }
            Ok((!tried.is_empty()).then_some(unread.past))
        })
    }
}

/// Whether a suspect is read for the sake of another release: what came long before is no part of the same attack.
/// Where one waits for the other, none may wait for it in turn: those with a publish time wait for such alone.
fn may_be_read_for(packument: &Packument, suspect: &str, version: &str) -> bool {
    match (packument.published(suspect), packument.published(version)) {
        (Some(theirs), Some(own)) => own.duration_since(theirs) <= LONGEST,
        (None, Some(_)) => false,
        (_, None) => true,
    }
}

/// Whether one release came before another: by publish times, and by numbers where those are the same or not known.
fn came_before(packument: &Packument, one: &str, other: &str) -> bool {
    let by_number = || match (Version::parse(one), Version::parse(other)) {
        (Ok(one), Ok(other)) => one < other,
        _ => false,
    };
    match (packument.published(one), packument.published(other)) {
        (Some(theirs), Some(own)) => match theirs.cmp(&own) {
            Ordering::Less => true,
            Ordering::Equal => by_number(),
            Ordering::Greater => false,
        },
        _ => by_number(),
    }
}

/// Those before a version that could excuse it, oldest first: nobody has looked at them, and they are not open. None
/// where it has been out for long itself. Of a package with many versions none that came long before.
fn unread_before(packument: &Packument, version: &str, past: &Past, now: Timestamp) -> Vec<String> {
    let published = packument.published(version);
    if published.is_some_and(|published| now.duration_since(published) >= RECENT) {
        return Vec::new();
    }
    // A stable release is not measured by prereleases.
    let is_stable = !is_prerelease(version);
    let since = published.unwrap_or(now).saturating_sub(LONGEST).ok();
    let unread = |other: &str| {
        other != version
            && !(is_stable && is_prerelease(other))
            && came_before(packument, other, version)
    };
    gathered(packument, past, since, unread)
}

/// Those that could excuse any release of the last months.
fn unread_lately(packument: &Packument, past: &Past, now: Timestamp) -> Vec<String> {
    let since = now.saturating_sub(RECENT + LONGEST).ok();
    gathered(packument, past, since, |_| true)
}

fn gathered(
    packument: &Packument,
    past: &Past,
    since: Option<Timestamp>,
    wanted: impl Fn(&str) -> bool,
) -> Vec<String> {
    let few = packument.versions().len() <= FEW_VERSIONS;
    let is_near = |published: Timestamp| few || since.is_some_and(|since| published > since);
    let versions = packument.versions().iter();
    let mut unread: Vec<&str> = versions
        .map(|entry| entry.version.as_str())
        .filter(|version| packument.published(version).is_none_or(is_near))
        .filter(|version| !past.knows(version) && !past.refuses(version))
        .filter(|version| !past.is_open(packument, version) && wanted(version))
        .collect();
    sort(packument, &mut unread);
    let surplus = unread.len().saturating_sub(GONE_THROUGH);
    unread.drain(..surplus);
    unread.into_iter().map(str::to_owned).collect()
}

/// Oldest first; those without a publish time first of all, by number.
fn sort(packument: &Packument, versions: &mut [&str]) {
    versions.sort_by_cached_key(|version| {
        let parsed = Version::parse(version).ok();
        (packument.published(version), parsed, (*version).to_owned())
    });
}

/// How the releases are that the first of the unread ones is measured by.
fn usual(packument: &Packument, unread: &[String], past: &Past) -> HashSet<Profile> {
    let Some(first) = unread.first() else {
        return HashSet::new();
    };
    let among: HashSet<&str> = unread.iter().map(String::as_str).collect();
    let versions = packument.versions().iter();
    let mut before: Vec<&str> = versions
        .map(|entry| entry.version.as_str())
        .filter(|version| !among.contains(version) && !past.refuses(version))
        .filter(|version| past.serves(version) || came_before(packument, version, first))
        .collect();
    sort(packument, &mut before);
    let last = before.iter().rev().take(USUAL);
    let manifests = last.filter_map(|version| packument.manifest(version)?.ok());
    manifests.map(|manifest| Profile::of(&manifest)).collect()
}

fn is_prerelease(version: &str) -> bool {
    Version::parse(version).is_ok_and(|version| version.is_prerelease())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use weir_npm::name::PackageName;

    use super::*;

    fn packument(versions: &[(&str, Option<&str>)]) -> Packument {
        let mut document = serde_json::json!({"name": "sluice", "versions": {}, "time": {}});
        for (version, published) in versions {
            document["versions"][version] =
                serde_json::json!({"name": "sluice", "version": version});
            if let Some(published) = published {
                document["time"][version] = (*published).into();
            }
        }
        let name = PackageName::parse("sluice").unwrap();
        Packument::parse(&name, Bytes::from(document.to_string())).unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn what_could_excuse_a_release_is_what_came_before_it() {
        let (old, month, week) = (
            Some("2025-01-05T09:00:00Z"),
            Some("2026-10-20T09:00:00Z"),
            Some("2026-11-10T09:00:00Z"),
        );
        let several = [
            ("1.0.0", old),
            ("1.0.1", month),
            ("1.0.2", month),
            ("1.1.0-rc.1", month),
            ("1.0.3", None),
            ("1.1.0", week),
            ("2.0.0", None),
        ];
        for (version, before) in [
            // Those of one time by their numbers.
            ("1.0.1", &["1.0.0"][..]),
            ("1.0.2", &["1.0.0", "1.0.1"]),
            // One without a time by its number.
            ("1.0.3", &["1.0.0", "1.0.1", "1.0.2"]),
            ("1.1.0", &["1.0.3", "1.0.0", "1.0.1", "1.0.2"]),
            ("1.1.0-rc.1", &["1.0.3", "1.0.0", "1.0.1", "1.0.2"]),
            // Out for long itself.
            ("1.0.0", &[]),
        ] {
            let found = unread_before(&packument(&several), version, &Past::default(), now());
            assert_eq!(found, before, "{version}");
        }
    }

    /// Of a package with many versions what came long before the release is not gone through.
    #[test]
    fn of_many_versions_only_the_last_months_count() {
        let numbers: Vec<String> = (0..50).map(|patch| format!("0.9.{patch}")).collect();
        let mut versions: Vec<(&str, Option<&str>)> = numbers
            .iter()
            .map(|version| (version.as_str(), Some("2024-01-05T09:00:00Z")))
            .collect();
        versions.push(("1.0.0", Some("2026-08-20T09:00:00Z")));
        versions.push(("1.0.1", Some("2026-11-17T09:00:00Z")));
        let found = unread_before(&packument(&versions), "1.0.1", &Past::default(), now());
        assert_eq!(found, ["1.0.0"]);
    }

    /// None waits for one that may wait for it.
    #[test]
    fn what_has_a_time_is_read_for_what_has_one_alone() {
        let versions = [
            ("1.0.0", Some("2026-10-20T09:00:00Z")),
            ("1.0.1", None),
            ("1.0.2", Some("2026-11-10T09:00:00Z")),
            ("0.1.0", Some("2025-01-10T09:00:00Z")),
        ];
        let packument = packument(&versions);
        for (suspect, version, may) in [
            ("1.0.0", "1.0.2", true),
            ("1.0.0", "1.0.1", true),
            ("1.0.1", "1.0.2", false),
            ("0.1.0", "1.0.2", false),
        ] {
            let found = may_be_read_for(&packument, suspect, version);
            assert_eq!(found, may, "{suspect} for {version}");
        }
    }
}
