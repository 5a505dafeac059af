//! What a release brings into a tree that the one before it did not, looked up as a client would resolve
//! it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use weir_model::Contents;
use weir_model::contents::Shrinkwrap;
use weir_npm::manifest::Manifest;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_npm::spec::{DependencySpec, classify};
use weir_npm::version::{Range, Version, satisfying_max};
use weir_signals::{Brought, PublishedBy, Stage, Subject, is_stamped};

use crate::EngineError;
use crate::engine::Engine;
use crate::packuments::Held;

/// Packuments looked at for one release: a release that brings more has made its point with these.
const PACKUMENTS: usize = 24;

/// How deep is looked: the bait on record lay one or two steps down (INCIDENTS I03, I38).
const DEPTH: usize = 4;

/// Releases older than this have been taken by everybody who would take them.
const COMPARED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A dependency still to be looked at.
pub(crate) struct Next {
    name: PackageName,
    spec: String,
    path: Vec<String>,
}

impl Engine {
    /// The packages that come along with a release and did not with the one before, each with the way
    /// to it. Asks the registry for their packuments.
    pub(crate) async fn brought(self: &Arc<Self>, held: &Held, start: Vec<Next>) -> Vec<Brought> {
        let mut found = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::from([held.packument.name().to_string()]);
        let mut queue: VecDeque<Next> = start.into();
        while let Some(next) = queue.pop_front() {
            if !seen.insert(next.name.to_string()) {
                continue;
            }
            if seen.len() > PACKUMENTS {
                break;
            }
            let deeper = self.look_at(&next, &mut found).await;
            if next.path.len() < DEPTH {
                queue.extend(deeper);
            }
        }
        found
    }

    /// The dependencies of a young release that are new, or of which something else is asked than
    /// before, and the releases that its own shrinkwrap begins to name. `read` is what lies in it, and in the one before
    /// it where that is known.
    pub(crate) fn asked_anew(
        &self,
        held: &Held,
        version: &str,
        no_baseline: &dyn Fn(&str) -> bool,
        open: &dyn Fn(&str) -> bool,
        read: (Option<&Contents>, Option<&Contents>),
    ) -> Vec<Next> {
        let published = held.packument.published(version);
        if published.is_some_and(|published| self.now().duration_since(published) > COMPARED) {
            return Vec::new();
        }
        let name = held.packument.name();
        let mut subject = Subject::new(name, version, &self.names, self.now());
        subject.packument = Stage::Known(&held.packument);
        let (contents, earlier) = read;
        let subject = subject.without_refused(no_baseline).without_open(open);
        let Ok(manifest) = subject.manifest() else {
            return Vec::new();
        };
        let Some((previous_version, previous)) = subject.previous_manifest() else {
            // What a first release depends on is its beginning, and no deviation.
            return Vec::new();
        };
        let raw = |version| held.packument.version_raw(version);
        let before = installed(&previous.manifest, raw(previous_version), earlier);
        let after = installed(&manifest.manifest, raw(version), contents);
        let changed = after
            .into_iter()
            .filter(|(key, spec)| before.get(key) != Some(spec));
        let asked = changed.filter_map(|(key, spec)| self.step(key, spec, &[]));
        let own = contents.and_then(|it| it.shrinkwrap.as_ref());
        let own = own.filter(|own| weir_signals::follows_shrinkwrap(&subject, own));
        let earlier = earlier.and_then(|it| it.shrinkwrap.as_ref());
        let named = own.into_iter().flat_map(|own| begun(own, earlier));
        let named = named.filter_map(|(name, version)| self.step(name, version, &[]));
        asked.chain(named).collect()
    }

    /// A dependency as the next thing to look at. Widely used ones have been looked at by everybody.
    fn step(&self, key: &str, spec: &str, path: &[String]) -> Option<Next> {
        let (name, spec) = match classify(key, spec) {
            DependencySpec::Alias { name, spec } => match *spec {
                DependencySpec::Range(range) => (name, range.as_str().to_owned()),
                DependencySpec::Tag(tag) => (name, tag),
                _ => return None,
            },
            known if known.is_registry() => (PackageName::parse(key).ok()?, spec.to_owned()),
            _ => return None,
        };
        if self.names.rank(name.as_str()).is_some() {
            return None;
        }
        let mut path = path.to_vec();
        path.push(name.to_string());
        Some(Next { name, spec, path })
    }

    /// Looks at one dependency, and says what it depends on itself.
    async fn look_at(self: &Arc<Self>, next: &Next, found: &mut Vec<Brought>) -> Vec<Next> {
        let mut brought = Brought::new(next.path.clone(), &next.spec);
        let held = match self.packuments.get(&next.name).await {
            Ok(held) => held,
            Err(EngineError::NoSuchPackage { .. }) => {
                brought.missing = true;
                found.push(brought);
                return Vec::new();
            }
            Err(error) => {
                brought.unknown = Some(error.to_string());
                found.push(brought);
                return Vec::new();
            }
        };
        let packument = &held.packument;
        let now = self.now();
        let times = packument.versions().iter();
        let times = times.filter_map(|entry| packument.published(&entry.version));
        brought.package_since = times.min();
        brought.releases = packument.versions().len();
        let maintainers = packument.maintainers().iter();
        brought.maintainers = maintainers.map(|person| person.name.clone()).collect();
        let version = match resolve(packument, &next.spec, now) {
            Answer::Version(version) => version,
            Answer::None => {
                brought.unanswered = true;
                found.push(brought);
                return Vec::new();
            }
            Answer::Unknown(why) => {
                brought.unknown = Some(why);
                found.push(brought);
                return Vec::new();
            }
        };
        brought.published = packument.published(&version);
        brought.stamped = is_stamped(packument);
        let publication = packument.publication(&version);
        let manifest = held.manifest(&version);
        let repository = manifest.as_ref().ok();
        let repository = repository.and_then(|it| it.manifest.repository.as_deref());
        brought.by = PublishedBy::of(publication.as_ref(), repository);
        let raw = packument.version_raw(&version);
        brought.version = Some(version);
        let mut deeper = Vec::new();
        match &manifest {
            Ok(manifest) => {
                brought.hooks = manifest.manifest.install_scripts().next().is_some()
                    || manifest.manifest.gypfile == Some(true);
                let steps = installed(&manifest.manifest, raw, None).into_iter();
                deeper = steps
                    .filter_map(|(key, spec)| self.step(key, spec, &next.path))
                    .collect();
            }
            Err(error) => brought.unknown = Some(error.to_string()),
        }
        found.push(brought);
        deeper
    }
}

/// The releases that a package's own shrinkwrap names, and that of the release before did not.
fn begun<'s>(
    own: &'s Shrinkwrap,
    earlier: Option<&'s Shrinkwrap>,
) -> impl Iterator<Item = (&'s str, &'s str)> {
    let known: BTreeSet<&String> = earlier.into_iter().flat_map(|it| &it.releases).collect();
    let new = own.releases.iter().filter(move |it| !known.contains(it));
    new.filter_map(|release| release.rsplit_once('@'))
}

/// What is installed along: names and what is asked of them, peers that are not optional among them. `raw`
/// is the version as its registry has it. What is said to be bundled is left out unless it is known not to lie in the
/// tarball.
fn installed<'m>(
    manifest: &'m Manifest,
    raw: Option<&str>,
    contents: Option<&Contents>,
) -> BTreeMap<&'m str, &'m str> {
    let inside = contents.and_then(|it| it.bundled.as_ref());
    let is_bundled = |name: &String| {
        let lies_there = inside.is_none_or(|inside| inside.contains(name));
        manifest.bundle_dependencies.contains(name) && lies_there
    };
    manifest
        .dependencies
        .iter()
        .chain(&manifest.optional_dependencies)
        .filter(|(name, _)| !is_bundled(name))
        .map(|(name, spec)| (name.as_str(), spec.as_str()))
        .chain(weir_signals::required_peers(manifest, raw))
        .collect()
}

/// What a client would take.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Version(String),
    /// The registry has no version that could be meant.
    None,
    /// Not known, and why.
    Unknown(String),
}

/// The version that a client would take at that moment: a tag, or the highest in the range.
fn resolve(packument: &Packument, spec: &str, now: Timestamp) -> Answer {
    let Ok(range) = Range::parse_from_npm(spec) else {
        return Answer::Unknown(format!("{spec:?} is neither a range nor a tag"));
    };
    if range.is_tag() {
        let tagged = packument.tag(spec).map(str::to_owned);
        return tagged.map_or(Answer::None, Answer::Version);
    }
    let (mut out, mut later) = (Vec::new(), Vec::new());
    for entry in packument.versions() {
        let Ok(version) = Version::parse(&entry.version) else {
            continue;
        };
        let is_out = packument
            .published(&entry.version)
            .is_none_or(|time| time <= now);
        if is_out { &mut out } else { &mut later }.push(version);
    }
    match satisfying_max(&range, &out) {
        Some(best) => Answer::Version(best.as_str().to_owned()),
        // A client takes a release whatever time its registry claims for it.
        None => match satisfying_max(&range, &later) {
            Some(best) => Answer::Unknown(format!(
                "only {} answers {spec:?}, which is said to be published later than now",
                best.as_str()
            )),
            None => Answer::None,
        },
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn what_no_release_answers_is_told_from_what_is_not_known() {
        let document = serde_json::json!({
            "name": "sluice",
            "dist-tags": {"latest": "1.1.0"},
            "versions": {
                "1.0.0": {"name": "sluice", "version": "1.0.0"},
                "1.1.0": {"name": "sluice", "version": "1.1.0"},
                "2.0.0": {"name": "sluice", "version": "2.0.0"},
                "3.0.0": {"name": "sluice", "version": "3.0.0"},
            },
            "time": {
                "1.0.0": "2026-01-05T09:00:00Z",
                "1.1.0": "2026-02-05T09:00:00Z",
                "3.0.0": "2027-01-05T09:00:00Z",
            },
        });
        let name = PackageName::parse("sluice").unwrap();
        let packument = Packument::parse(&name, Bytes::from(document.to_string())).unwrap();
        let now = "2026-06-14T09:00:00Z".parse().unwrap();
        let version = |text: &str| Answer::Version(text.to_owned());
        for (spec, expected) in [
            ("^1.0.0", version("1.1.0")),
            ("latest", version("1.1.0")),
            // It is there, and nothing says since when.
            ("2.x", version("2.0.0")),
            ("1.2.0", Answer::None),
            ("next", Answer::None),
        ] {
            assert_eq!(resolve(&packument, spec, now), expected, "{spec}");
        }
        let later = resolve(&packument, "3.0.0", now);
        assert!(
            matches!(&later, Answer::Unknown(why) if why.contains("published later than now")),
            "{later:?}"
        );
    }
}
