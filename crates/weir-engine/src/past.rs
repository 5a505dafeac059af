//! What earlier releases of a package may excuse: those that were allowed here without a notice, and those that
//! have been out for long. What was refused never teaches, and neither does what is young and not looked at.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use moka::sync::Cache;
use weir_model::Action;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;

use crate::EngineError;
use crate::engine::Engine;
use crate::habits::SETTLED;
use crate::packuments::Held;
use crate::resolution::refuses_for_good;
use crate::runs::{LONGEST, Run};
use crate::together::of_refused;
use crate::verdicts::Verdict;

/// Most releases that are looked at one after the other because a later one is refused unless they are fine.
const CLEARED_UP: usize = 4;

/// Most releases that count as refused because they go on with what a refused one brought.
const FOLLOWED: usize = 500;

/// What is known of the releases of a package, as far as others are measured by them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Past {
    /// Refused here on evidence.
    refused: HashSet<String>,
    /// Decided on here, contents and all, and served without a notice.
    fine: HashSet<String>,
    /// The same, with a notice or without.
    served: HashSet<String>,
    /// Decided on here, whatever came of it.
    known: HashSet<String>,
    /// Not to be named in place of another, whatever else is known.
    unnamed: HashSet<String>,
    /// What was published later than this has not settled.
    settled: Option<Timestamp>,
    /// The digests of the bytes that were decided on, by version.
    judged: HashMap<String, String>,
}

impl Past {
    /// Whether a version was refused here on evidence.
    pub(crate) fn refuses(&self, version: &str) -> bool {
        self.refused.contains(version)
    }

    /// Whether a version is nothing to measure another by, because it was refused. Not for long where nothing came
    /// before it: a package whose first release was refused would never have a past, and each refused release would
    /// bring on the next.
    pub(crate) fn excuses_not(&self, packument: &Packument, judged: &str, other: &str) -> bool {
        self.refuses(other) && !self.is_all_the_past(packument, judged, other)
    }

    /// Whether a refused version is long ago, and none came before it that was not refused.
    fn is_all_the_past(&self, packument: &Packument, judged: &str, other: &str) -> bool {
        let times = (packument.published(judged), packument.published(other));
        let (Some(judged), Some(published)) = times else {
            return false;
        };
        let mut entries = packument.versions().iter();
        judged.duration_since(published) > LONGEST
            && !entries.any(|entry| {
                let is_before = entry.published().is_none_or(|it| it < published);
                is_before && !self.refuses(&entry.version)
            })
    }

    /// Whether nobody knows yet what a version is: it is young, and was not found fine here. One without a
    /// publish time is not called young, or all the versions of a registry without times would be.
    pub(crate) fn is_open(&self, packument: &Packument, version: &str) -> bool {
        let young = |published| self.settled.is_some_and(|settled| published > settled);
        packument.published(version).is_some_and(young) && !self.fine.contains(version)
    }

    /// Whether a version may be recommended: it was found fine here, or has been out for long.
    pub(crate) fn vouches_for(&self, packument: &Packument, version: &str) -> bool {
        let old = |published| self.settled.is_some_and(|settled| published <= settled);
        let known = self.fine.contains(version) || packument.published(version).is_some_and(old);
        known && !self.refuses(version)
    }

    /// Whether a version was found fine here, contents and all.
    pub(crate) fn finds_fine(&self, version: &str) -> bool {
        self.fine.contains(version)
    }

    /// Whether a version was looked at here, contents and all, and is served.
    pub(crate) fn serves(&self, version: &str) -> bool {
        self.served.contains(version)
    }

    /// Whether a version is not to be named in place of another.
    pub(crate) fn withholds(&self, version: &str) -> bool {
        self.unnamed.contains(version)
    }

    /// Adds versions that are not to be named in place of another: what is kept out at present, and what has not
    /// been looked at beside something refused.
    pub(crate) fn withhold<'v>(&mut self, versions: impl Iterator<Item = &'v String>) {
        self.unnamed.extend(versions.cloned());
    }

    /// The digest of the bytes of a version that were decided on here.
    pub(crate) fn judged(&self, version: &str) -> Option<&str> {
        self.judged.get(version).map(String::as_str)
    }

    /// Whether a version was decided on here, whatever came of it.
    pub(crate) fn knows(&self, version: &str) -> bool {
        self.known.contains(version)
    }

    /// The versions that were decided on here.
    pub(crate) fn judged_versions(&self) -> impl Iterator<Item = &String> {
        self.judged.keys()
    }

    /// Whether the same versions are refused.
    pub(crate) fn refuses_as(&self, other: &Self) -> bool {
        self.refused == other.refused
    }

    /// Adds versions that are refused at present.
    pub(crate) fn refuse<'v>(&mut self, versions: impl Iterator<Item = &'v String>) {
        self.refused.extend(versions.cloned());
    }

    /// Counts as refused what goes on with what a refused release brought, as long as nobody has looked at it: else
    /// the third release of an attack were measured by the second. Not once one of them is served: then its owners
    /// have mended it.
    fn refuse_what_goes_on(
        &mut self,
        packument: &Packument,
        verdicts: &OfVersions,
        malware: &dyn Fn(&str) -> bool,
    ) {
        let no_baseline = |version: &str| self.refuses(version) || malware(version);
        let goes_on = |run: &Run, version: &str| {
            run.goes_on_in(packument, version) && run.taints(packument, version)
        };
        let mut runs = of_refused(packument, verdicts.values(), &no_baseline);
        runs.retain(|run| !self.served.iter().any(|version| goes_on(run, version)));
        let versions = packument.versions().iter().map(|entry| &entry.version);
        let going_on: Vec<&String> = versions
            .filter(|version| !verdicts.contains_key(*version))
            .filter(|version| runs.iter().any(|run| goes_on(run, version)))
            .take(FOLLOWED)
            .collect();
        self.refuse(going_on.into_iter());
    }

    /// Adds what a verdict says at a moment.
    fn learn(&mut self, version: &str, verdict: &Verdict, now: Timestamp) {
        self.known.insert(version.to_owned());
        if let Some(integrity) = &verdict.assessment.release.integrity {
            self.judged.insert(version.to_owned(), integrity.clone());
        }
        if verdict.is_settled(now) {
            self.served.insert(version.to_owned());
        }
        // A hold that ends by itself is one for age.
        if refuses_for_good(&verdict.decision) {
            self.refused.insert(version.to_owned());
        } else if excuses(verdict, now) {
            self.fine.insert(version.to_owned());
        }
    }
}

/// Whether a verdict lets a young release excuse a later one: nothing counted against it. One with a notice may be
/// the first half of an attack, which the second half must not be measured by.
fn excuses(verdict: &Verdict, now: Timestamp) -> bool {
    verdict.is_settled(now) && verdict.decision.action == Action::Allow
}

/// Verdicts by version.
type OfVersions = HashMap<String, Arc<Verdict>>;

/// Verdicts of a moment that is only asked about: they are not written down, and count as long as the process
/// lasts.
#[derive(Debug)]
pub(crate) struct Unkept {
    packages: Cache<PackageName, Arc<Mutex<OfVersions>>>,
}

impl Default for Unkept {
    fn default() -> Self {
        Self {
            packages: Cache::new(10_000),
        }
    }
}

impl Unkept {
    pub(crate) fn put(&self, name: &PackageName, verdict: &Arc<Verdict>) {
        let package = self.packages.get_with(name.clone(), Arc::default);
        let mut verdicts = package.lock().unwrap_or_else(PoisonError::into_inner);
        let version = verdict.assessment.release.version.clone();
        verdicts.insert(version, Arc::clone(verdict));
    }

    pub(crate) fn get(&self, name: &PackageName, version: &str) -> Option<Arc<Verdict>> {
        let package = self.packages.get(name)?;
        let verdicts = package.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.get(version).cloned()
    }

    fn remove(&self, name: &PackageName, version: &str) {
        if let Some(package) = self.packages.get(name) {
            let mut verdicts = package.lock().unwrap_or_else(PoisonError::into_inner);
            verdicts.remove(version);
        }
    }

    fn of(&self, name: &PackageName) -> Vec<Arc<Verdict>> {
        let Some(package) = self.packages.get(name) else {
            return Vec::new();
        };
        let verdicts = package.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.values().cloned().collect()
    }
}

impl Engine {
    /// What is known of the releases of a package.
    pub(crate) async fn past(&self, held: &Held) -> Result<Past, EngineError> {
        let now = self.now();
        let mut past = Past {
            settled: now.saturating_sub(SETTLED).ok(),
            ..Past::default()
        };
        let verdicts = self.verdicts_of(held).await?;
        for (version, verdict) in &verdicts {
            past.learn(version, verdict, now);
        }
        if !past.refused.is_empty() {
            let malware = self.known_malware(held.packument.name());
            past.refuse_what_goes_on(&held.packument, &verdicts, &malware);
        }
        Ok(past)
    }

    /// The verdicts on a package's releases under the present policy, advisories and analyser.
    pub(crate) async fn verdicts_of(
        &self,
        held: &Held,
    ) -> Result<HashMap<String, Arc<Verdict>>, EngineError> {
        let name = held.packument.name();
        let versions = held.packument.versions().iter();
        let versions = versions.map(|entry| entry.version.as_str());
        // Nearly always there is none, and then it costs no question.
        if self.store.may_have_verdict_of(name.as_str(), versions) {
            return self.kept_verdicts(name).await;
        }
        Ok(self.unkept_verdicts(name).collect())
    }

    async fn kept_verdicts(
        &self,
        name: &PackageName,
    ) -> Result<HashMap<String, Arc<Verdict>>, EngineError> {
        let generation = self.verdict_generation(name);
        let kept = self.store.verdicts(name.as_str(), &generation).await?;
        let mut found = HashMap::new();
        for (version, json) in kept {
            match serde_json::from_str::<Verdict>(&json) {
                Ok(verdict) => {
                    found.insert(version, Arc::new(verdict));
                }
                Err(error) => {
                    tracing::warn!(package.name = %name, package.version = version, %error,
                        "a kept verdict could not be read; it is decided anew");
                }
            }
        }
        found.extend(self.unkept_verdicts(name));
        Ok(found)
    }

    fn unkept_verdicts(
        &self,
        name: &PackageName,
    ) -> impl Iterator<Item = (String, Arc<Verdict>)> + use<> {
        let generation = self.verdict_generation(name);
        self.unkept
            .of(name)
            .into_iter()
            .filter(move |verdict| verdict.generation == generation)
            .map(|verdict| (verdict.assessment.release.version.clone(), verdict))
    }

    /// Has the releases decided anew that may have been compared with one that was just refused: those that
    /// came out after it and pass.
    pub(crate) async fn reconsider(
        &self,
        name: &PackageName,
        refused: &Verdict,
    ) -> Result<(), EngineError> {
        let is_later = |verdict: &Verdict| match (verdict.published, refused.published) {
            (Some(theirs), Some(ours)) => theirs > ours,
            _ => verdict.assessment.release.version != refused.assessment.release.version,
        };
        for (version, verdict) in self.kept_verdicts(name).await? {
            if !verdict.decision.action.serves() || !is_later(&verdict) {
                continue;
            }
            self.unkept.remove(name, &version);
            if self.records() {
                self.store.outdate_verdict(name.as_str(), &version).await?;
            }
            self.gate.invalidate(&(name.clone(), version));
        }
        Ok(())
    }

    /// Whether the release before, which was left out because nobody had looked at it, is found fine on looking.
    /// Only asked of a release that is refused otherwise: two quick patches of which each is fine are not held
    /// for what they come to together. Boxed, as that one may have to ask the same.
    pub(crate) fn clears_up<'a>(
        self: &'a Arc<Self>,
        held: &'a Arc<Held>,
        version: &'a str,
        past: &'a Past,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async move {
            let malware = self.known_malware(held.packument.name());
            let Some(before) = open_before(&held.packument, version, past, &malware) else {
                return false;
            };
            match self.full_verdict(held, before).await {
                Ok(verdict) => excuses(&verdict, self.now()),
                Err(error) => {
                    tracing::info!(package.name = %held.packument.name(), package.version = before, %error,
                        "the release before could not be looked at");
                    false
                }
            }
        })
    }
}

/// The release before, if nobody has looked at it and there are not too many such.
fn open_before<'p>(
    packument: &'p Packument,
    version: &str,
    past: &Past,
    malware: &dyn Fn(&str) -> bool,
) -> Option<&'p str> {
    let refused = |other: &str| past.excuses_not(packument, version, other) || malware(other);
    let before = weir_signals::previous_version(packument, version, &refused)?;
    if !past.is_open(packument, before) {
        return None;
    }
    let published = packument.published(version);
    let entries = packument.versions().iter();
    let earlier = entries.filter(|entry| entry.published() < published);
    let open = earlier.filter(|entry| past.is_open(packument, &entry.version));
    (open.count() <= CLEARED_UP).then_some(before)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// Two old releases, and two within an hour of the last day.
    fn packument() -> Packument {
        let mut document = serde_json::json!({"name": "sluice", "versions": {}, "time": {}});
        for (version, published) in [
            ("1.8.0", "2025-09-05T09:00:00Z"),
            ("1.9.0", "2025-10-05T09:00:00Z"),
            ("1.10.0", "2026-11-20T10:00:00Z"),
            ("1.10.1", "2026-11-20T11:00:00Z"),
        ] {
            document["versions"][version] =
                serde_json::json!({"name": "sluice", "version": version});
            document["time"][version] = published.into();
        }
        document["versions"]["1.9.9"] = serde_json::json!({"name": "sluice", "version": "1.9.9"});
        let name = PackageName::parse("sluice").unwrap();
        Packument::parse(&name, Bytes::from(document.to_string())).unwrap()
    }

    fn past(refused: &[&str], fine: &[&str]) -> Past {
        let owned = |versions: &[&str]| versions.iter().map(|it| (*it).to_owned()).collect();
        Past {
            refused: owned(refused),
            fine: owned(fine),
            settled: Some("2026-11-13T12:00:00Z".parse().unwrap()),
            ..Past::default()
        }
    }

    #[test]
    fn only_what_settled_or_was_found_fine_excuses_or_is_recommended() {
        let packument = packument();
        for (version, past, open, vouched) in [
            ("1.9.0", past(&[], &[]), false, true),
            ("1.9.0", past(&["1.9.0"], &[]), false, false),
            ("1.10.0", past(&[], &[]), true, false),
            ("1.10.0", past(&[], &["1.10.0"]), false, true),
            ("1.10.0", past(&["1.10.0"], &[]), true, false),
            // Of one without a time nobody knows.
            ("1.9.9", past(&[], &[]), false, false),
            ("1.10.0", Past::default(), false, false),
        ] {
            assert_eq!(
                past.is_open(&packument, version),
                open,
                "{version} {past:?}"
            );
            let vouches = past.vouches_for(&packument, version);
            assert_eq!(vouches, vouched, "{version} {past:?}");
        }
    }

    #[test]
    fn the_release_before_is_looked_at_where_nobody_has() {
        let packument = packument();
        for (past, malware, before) in [
            (past(&[], &[]), false, Some("1.10.0")),
            (past(&[], &["1.10.0"]), false, None),
            (past(&["1.10.0"], &[]), false, None),
            (past(&[], &[]), true, None),
        ] {
            let malware = |version: &str| malware && version == "1.10.0";
            assert_eq!(open_before(&packument, "1.10.1", &past, &malware), before);
        }
    }

    #[test]
    fn a_release_is_measured_by_the_last_one_that_is_known() {
        let packument = packument();
        for (past, measured_by) in [
            (past(&[], &[]), "1.9.0"),
            (past(&[], &["1.10.0"]), "1.10.0"),
            (past(&["1.9.0"], &[]), "1.8.0"),
            // Where nothing is known, by what there is, unless it was refused.
            (past(&["1.8.0", "1.9.0", "1.9.9"], &[]), "1.10.0"),
        ] {
            let found = weir_signals::baseline_version(
                &packument,
                "1.10.1",
                &|version: &str| past.refuses(version),
                &|version: &str| past.is_open(&packument, version),
            );
            assert_eq!(found, Some(measured_by), "{past:?}");
        }
    }

    /// What comes more than 90 days later is measured by it, if there is nothing else; where a time is missing, nothing
    /// is.
    #[test]
    fn what_was_refused_long_ago_is_a_past_again() {
        let packument = packument();
        let past = past(&["1.8.0", "1.9.9"], &[]);
        for (version, counts_not) in [("1.9.0", true), ("1.9.9", true), ("1.10.0", false)] {
            let found = past.excuses_not(&packument, version, "1.8.0");
            assert_eq!(found, counts_not, "{version}");
        }
        assert!(!past.excuses_not(&packument, "1.10.1", "1.9.0"));
        // What came before it was not refused, or nobody knows when it came.
        let past = self::past(&["1.9.0"], &[]);
        assert!(past.excuses_not(&packument, "1.10.1", "1.9.0"));
        let past = self::past(&["1.8.0"], &[]);
        assert!(past.excuses_not(&packument, "1.10.1", "1.8.0"));
    }
}
