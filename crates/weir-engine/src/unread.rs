//! Releases that nobody has looked at yet. A later one must not be measured by what would have been refused, whichever
//! of them is asked for first: a weir that is asked for the second release of an attack alone says what one says that
//! resolved the package before.

use std::collections::{BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use weir_npm::packument::{Packument, VersionManifest};
use weir_npm::version::Version;
use weir_signals::is_before;

use crate::EngineError;
use crate::engine::Engine;
use crate::packuments::Held;
use crate::past::Past;
use crate::resolution::{READ_AHEAD, RECENT, refuses_for_good};
use crate::runs::{LONGEST, dependencies, steps};

/// Most releases that are judged for it, the oldest: the first one of an attack cannot hide behind those after it.
/// Whoever changes more often than that in half a year has a past that tells little.
const JUDGED: usize = 100;

/// Another week may have passed for some of them after this long.
const CURRENT_FOR: SignedDuration = SignedDuration::from_hours(1);

tokio::task_local! {
    /// Set where suspects are being read already.
    static READING: ();
}

/// Runs something that looks at releases without reading those before each.
pub(crate) async fn without_reading<T>(work: impl Future<Output = T>) -> T {
    READING.scope((), work).await
}

/// What a release that nobody has looked at comes to by what its packument says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It would be refused.
    Refused,
    /// Something speaks against it, and only its contents could refuse it.
    Suspect,
}

/// What the next release of a kind is compared with.
#[derive(Debug)]
struct Track {
    /// How the last one was that is not refused.
    fine: Option<Profile>,
    /// How the one right before was, where it is.
    refused: Option<Profile>,
}

impl Track {
    fn passes(&mut self, profile: Option<Profile>) {
        (self.fine, self.refused) = (profile, None);
    }
}

/// The releases of the last months, gone through once.
#[derive(Debug)]
pub(crate) struct GoneThrough {
    revision: u64,
    generation: String,
    at: Timestamp,
    /// Those that something speaks against, oldest first.
    found: Vec<(String, Outcome)>,
}

/// What the unread releases before one come to.
pub(crate) struct Unread {
    /// What is known of the package, with those counted as refused that the packument speaks against.
    pub(crate) past: Past,
    /// Those that only their contents could refuse, oldest first.
    suspects: Vec<String>,
}

/// What of a release can be told apart without judging it: two that are alike differ in nothing that speaks against
/// only one of them, but for times and numbers.
#[derive(Debug, PartialEq, Eq)]
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
        let mut past = self.past(held).await?;
        let mut suspects = Vec::new();
        if !is_recent(&held.packument, version, self.now()) {
            return Ok(Unread { past, suspects });
        }
        let gone_through = self.gone_through(held, &past).await?;
        for (other, outcome) in &gone_through.found {
            if past.knows(other) || !could_excuse(&held.packument, other, version) {
                continue;
            }
            match outcome {
                Outcome::Refused => past.refuse(std::iter::once(other)),
                Outcome::Suspect => suspects.push(other.clone()),
            }
        }
        Ok(Unread { past, suspects })
    }

    /// What is known of the releases of a package, to judge all of them by.
    pub(crate) async fn past_of_all(&self, held: &Held) -> Result<Past, EngineError> {
        let mut past = self.past(held).await?;
        let gone_through = self.gone_through(held, &past).await?;
        for (version, outcome) in &gone_through.found {
            if *outcome == Outcome::Refused && !past.knows(version) {
                past.refuse(std::iter::once(version));
            }
        }
        Ok(past)
    }

    /// Goes through the releases of the last months, unless that was done.
    async fn gone_through(
        &self,
        held: &Held,
        past: &Past,
    ) -> Result<Arc<GoneThrough>, EngineError> {
        let (name, now, generation) = (held.packument.name(), self.now(), self.generation());
        if let Some(known) = self.unread.get(name)
            && known.revision == held.revision
            && known.generation == generation
            && (SignedDuration::ZERO..CURRENT_FOR).contains(&now.duration_since(known.at))
        {
            return Ok(known);
        }
        let found = self.go_through(held, past, &generation).await?;
        let gone_through = Arc::new(GoneThrough {
            revision: held.revision,
            generation,
            at: now,
            found,
        });
        self.unread.insert(name.clone(), Arc::clone(&gone_through));
        Ok(gone_through)
    }

    /// Oldest first, as each may have excused the next. What differs in nothing from the one before it that was not
    /// refused is not judged, and what differs in nothing from a refused one right before it is refused, too.
    async fn go_through(
        &self,
        held: &Held,
        past: &Past,
        generation: &str,
    ) -> Result<Vec<(String, Outcome)>, EngineError> {
        let packument = &held.packument;
        let lately = lately(packument, past, self.now());
        if lately.iter().all(|version| past.knows(version)) {
            return Ok(Vec::new());
        }
        let (mut found, mut judged) = (Vec::new(), 0);
        let mut past = Arc::new(past.clone());
        let times = HashMap::new();
        // Stable releases are measured by stable ones, and between them nightlies come out by other hands.
        let mut tracks = [false, true].map(|kind| Track {
            fine: before_all(packument, lately.first(), kind, &past),
            refused: None,
        });
        for version in lately {
            // What cannot be read is nothing that another could be measured by.
            let Some(Ok(manifest)) = packument.manifest(version) else {
                continue;
            };
            let profile = Some(Profile::of(&manifest));
            let [stable, prereleases] = &mut tracks;
            let track = if is_prerelease(version) {
                prereleases
            } else {
                stable
            };
            if past.refuses(version) {
                track.refused = profile;
                continue;
            }
            if past.knows(version) || profile == track.fine {
                track.passes(profile);
                continue;
            }
            if profile != track.refused {
                if judged == JUDGED {
                    break;
                }
                judged += 1;
                let verdict = self
                    .metadata_verdict_after(held, version, &times, generation, &past)
                    .await?;
                if !refuses_for_good(&verdict.decision) {
                    if verdict.assessment.counted().next().is_some() {
                        found.push((version.to_owned(), Outcome::Suspect));
                    }
                    track.passes(profile);
                    continue;
                }
            }
            found.push((version.to_owned(), Outcome::Refused));
            Arc::make_mut(&mut past).refuse(std::iter::once(&version.to_owned()));
            track.refused = profile;
        }
        Ok(found)
    }

    /// Reads the contents of suspects that came out before a release that is served otherwise, as a resolution does,
    /// and says what is known then. Nothing where there are none, or somebody is at it. Boxed, as each of them may
    /// have to ask the same.
    pub(crate) fn read_unread<'a>(
        self: &'a Arc<Self>,
        held: &'a Arc<Held>,
        version: &'a str,
        unread: Unread,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Past>, EngineError>> + Send + 'a>> {
        Box::pin(async move {
            if unread.suspects.is_empty() || READING.try_with(|()| ()).is_ok() {
                return Ok(None);
            }
            let chosen = chosen(&held.packument, unread.suspects, version);
            without_reading(async {
                for suspect in &chosen {
                    if let Err(error) = self.full_verdict(held, suspect).await {
                        tracing::info!(package.name = %held.packument.name(), package.version = suspect,
                            %error, "an earlier release could not be looked at");
                    }
                }
            })
            .await;
            Ok(Some(self.past_of(held, version).await?))
        })
    }
}

/// Those to read, oldest first: of the same account as the release in question, then of the same steps, then the
/// newest.
fn chosen(packument: &Packument, suspects: Vec<String>, version: &str) -> Vec<String> {
    let profile = |version: &str| {
        let manifest = packument.manifest(version)?.ok()?;
        Some(Profile::of(&manifest))
    };
    let own = profile(version);
    let nearness = |other: &str| match (&own, profile(other)) {
        (Some(own), Some(other)) => (
            own.publisher == other.publisher,
            !own.steps.is_disjoint(&other.steps),
        ),
        _ => (false, false),
    };
    let mut ranked: Vec<(usize, String)> = suspects.into_iter().enumerate().collect();
    ranked.sort_by_cached_key(|(at, other)| std::cmp::Reverse((nearness(other), *at)));
    ranked.truncate(READ_AHEAD);
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, version)| version).collect()
}

/// Whether a release is young enough that what came right before it could be the beginning of the same attack, for all
/// that anybody knows.
fn is_recent(packument: &Packument, version: &str, now: Timestamp) -> bool {
    let published = packument.published(version);
    published.is_none_or(|published| now.duration_since(published) < RECENT)
}

/// Whether an unread release could excuse another: it came before it, and not so long before that it is the package's
/// past. A stable release is not measured by prereleases.
fn could_excuse(packument: &Packument, one: &str, other: &str) -> bool {
    let is_near = match (packument.published(one), packument.published(other)) {
        (Some(theirs), Some(own)) => own.duration_since(theirs) <= LONGEST,
        _ => true,
    };
    // Of a version that none can order it would be said that it came before itself.
    one != other
        && is_near
        && (is_prerelease(other) || !is_prerelease(one))
        && came_before(packument, one, other)
}

/// Whether one release came before another: as signals order them, and by numbers where times are not known.
fn came_before(packument: &Packument, one: &str, other: &str) -> bool {
    let number = |version: &str| Version::parse(version).ok();
    let (theirs, own) = (number(one), number(other));
    match (packument.published(one), packument.published(other)) {
        (Some(before), Some(after)) => is_before((before, theirs.as_ref()), (after, own.as_ref())),
        _ => theirs.zip(own).is_some_and(|(theirs, own)| theirs < own),
    }
}

/// The releases that could excuse one of the last months, oldest first. What has no publish time counts as old: on a
/// registry without times whoever took over a package years ago would be a stranger for ever.
fn lately<'p>(packument: &'p Packument, past: &Past, now: Timestamp) -> Vec<&'p str> {
    let Ok(since) = now.saturating_sub(RECENT + LONGEST) else {
        return Vec::new();
    };
    let entries = packument.versions().iter();
    let mut found: Vec<(Timestamp, Option<Version>, &str)> = entries
        .filter_map(|entry| Some((entry.published()?, entry.version.as_str())))
        .filter(|(published, _)| *published > since)
        .filter(|(_, version)| !past.is_open(packument, version))
        .map(|(published, version)| (published, Version::parse(version).ok(), version))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(.., version)| version).collect()
}

/// How the release of a kind was, stable or not, that the first of them is measured by.
fn before_all(
    packument: &Packument,
    first: Option<&&str>,
    prerelease: bool,
    past: &Past,
) -> Option<Profile> {
    let first = packument.published(first?)?;
    let entries = packument.versions().iter();
    let earlier = entries.filter_map(|entry| Some((entry.published()?, entry.version.as_str())));
    let last = earlier
        .filter(|(published, version)| *published < first && !past.refuses(version))
        .filter(|(_, version)| is_prerelease(version) == prerelease)
        .max()?;
    let manifest = packument.manifest(last.1)?.ok()?;
    Some(Profile::of(&manifest))
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

    const OLD: Option<&str> = Some("2025-01-05T09:00:00Z");
    const MONTH: Option<&str> = Some("2026-10-20T09:00:00Z");
    const WEEK: Option<&str> = Some("2026-11-10T09:00:00Z");

    #[test]
    fn what_could_excuse_a_release_came_right_before_it() {
        let packument = packument(&[
            ("1.0.0", OLD),
            ("1.0.1", MONTH),
            ("1.0.2", MONTH),
            ("1.1.0-rc.1", MONTH),
            ("1.0.3", None),
            ("1.1.0", WEEK),
        ]);
        assert_eq!(
            lately(&packument, &Past::default(), now()),
            ["1.0.1", "1.0.2", "1.1.0-rc.1", "1.1.0"]
        );
        for (version, before) in [
            // Those of one time by their numbers.
            ("1.0.1", &[][..]),
            ("1.0.2", &["1.0.1"]),
            // One without a time by its number.
            ("1.0.3", &["1.0.1", "1.0.2"]),
            ("1.1.0", &["1.0.1", "1.0.2"]),
            ("1.1.0-rc.1", &["1.0.1", "1.0.2"]),
        ] {
            let mut found = lately(&packument, &Past::default(), now());
            found.retain(|other| could_excuse(&packument, other, version));
            assert_eq!(found, before, "{version}");
        }
        for (version, is_young) in [("1.0.0", false), ("1.0.1", true), ("1.0.3", true)] {
            assert_eq!(is_recent(&packument, version, now()), is_young, "{version}");
        }
    }

    #[test]
    fn what_came_long_before_is_the_past() {
        for (published, could) in [
            ("2026-08-20T09:00:00Z", true),
            ("2026-08-01T09:00:00Z", false),
        ] {
            let packument = packument(&[("1.0.0", Some(published)), ("1.0.1", WEEK)]);
            assert_eq!(
                could_excuse(&packument, "1.0.0", "1.0.1"),
                could,
                "{published}"
            );
        }
    }

    #[test]
    fn a_version_that_is_none_comes_after_those_of_its_time_and_not_before_itself() {
        let packument = packument(&[("1.0.0", MONTH), ("1.0.0.1", MONTH)]);
        for (one, other, could) in [
            ("1.0.0", "1.0.0.1", true),
            ("1.0.0.1", "1.0.0", false),
            ("1.0.0.1", "1.0.0.1", false),
        ] {
            assert_eq!(could_excuse(&packument, one, other), could, "{one} {other}");
        }
    }

    /// Decoys do not keep those from being read that look like the release in question.
    #[test]
    fn the_likest_are_read_and_the_oldest_first() {
        let mut document = serde_json::json!({"name": "sluice", "versions": {}, "time": {}});
        for (version, publisher) in [
            ("1.0.0", "rolf"),
            ("1.0.1", "ana"),
            ("1.0.2", "bo"),
            ("1.0.3", "cy"),
            ("1.0.4", "dee"),
            ("1.0.5", "rolf"),
        ] {
            document["versions"][version] = serde_json::json!({
                "name": "sluice", "version": version, "_npmUser": {"name": publisher},
            });
        }
        let name = PackageName::parse("sluice").unwrap();
        let packument = Packument::parse(&name, Bytes::from(document.to_string())).unwrap();
        let suspects = (0..5).map(|patch| format!("1.0.{patch}")).collect();
        assert_eq!(
            chosen(&packument, suspects, "1.0.5"),
            ["1.0.0", "1.0.2", "1.0.3", "1.0.4"]
        );
    }
}
