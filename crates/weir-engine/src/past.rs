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
    /// Refused here on evidence, or counted as such.
    refused: HashSet<String>,
    /// Those of them that were blocked here.
    blocked: HashSet<String>,
    /// Something speaks against them, and nobody has looked at them.
    unread: HashSet<String>,
    /// Those of them, and of the refused ones, that have to be looked at before others are decided on for good.
    awaited: HashSet<String>,
    /// Looked at here, and let pass by nothing but a waiver.
    waived: HashSet<String>,
    /// Decided on here, contents and all, and served without a notice.
    fine: HashSet<String>,
    /// The same, with a notice or without.
    served: HashSet<String>,
    /// Decided on here for good, whatever came of it.
    known: HashSet<String>,
    /// Not to be named in place of another, whatever else is known.
    unnamed: HashSet<String>,
    /// What was published later than this has not settled.
    settled: Option<Timestamp>,
    /// The digests of the bytes that were decided on, by version.
    judged: HashMap<String, String>,
}

impl Past {
    /// Nothing known but since when releases have not settled.
    #[cfg(test)]
    pub(crate) fn settled_before(settled: Timestamp) -> Self {
        Self {
            settled: Some(settled),
            ..Self::default()
        }
    }

    /// Whether a version was refused here on evidence.
    pub(crate) fn refuses(&self, version: &str) -> bool {
        self.refused.contains(version)
    }

    /// Whether a version is nothing to measure another by, because it was refused, or because nobody has looked at it
    /// and something speaks against it. Not for long, or whoever took over a package and did no harm would be a
    /// stranger in it for ever. What was blocked is none however long ago it was, unless nothing came before it: a
    /// package whose first release was blocked would never have a past, and each refused release would bring on the
    /// next.
    pub(crate) fn excuses_not(&self, packument: &Packument, judged: &str, other: &str) -> bool {
        if self.blocked.contains(other) {
            return !self.is_all_the_past(packument, judged, other);
        }
        // It may be worse than what it would be refused for so far, and then it is none however long ago it was.
        if self.refuses(other) && self.awaited.contains(other) {
            return true;
        }
        let counts_not = self.refuses(other) || self.unread.contains(other);
        counts_not && !is_long_before(packument, other, judged)
    }

    /// Whether a refused version is long ago, and none came before it that was not refused.
    fn is_all_the_past(&self, packument: &Packument, judged: &str, other: &str) -> bool {
        let Some(published) = packument.published(other) else {
            return false;
        };
        let mut entries = packument.versions().iter();
        is_long_before(packument, other, judged)
            && !entries.any(|entry| {
                let is_before = entry.published().is_none_or(|it| it < published);
                is_before && !self.refuses(&entry.version)
            })
    }

    /// Whether a version is measured without some before it that nobody has looked at. What only a waiver lets pass
    /// was looked at: it excuses nothing, and nobody has to come back to it.
    pub(crate) fn leaves_open(&self, packument: &Packument, judged: &str) -> bool {
        let mut awaited = self.awaited.difference(&self.waived);
        awaited.any(|other| self.excuses_not(packument, judged, other))
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
        known && !self.refuses(version) && !self.unread.contains(version)
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

    /// Whether a version was decided on here for good, whatever came of it: not while a waiver lets it pass, nor while
    /// releases before it wait to be looked at.
    pub(crate) fn knows(&self, version: &str) -> bool {
        self.known.contains(version)
    }

    /// The versions that were decided on here.
    pub(crate) fn judged_versions(&self) -> impl Iterator<Item = &String> {
        self.judged.keys()
    }

    /// Whether nothing but a waiver lets a version pass.
    pub(crate) fn waives(&self, version: &str) -> bool {
        self.waived.contains(version)
    }

    /// How many versions are refused.
    pub(crate) fn count_refused(&self) -> usize {
        self.refused.len()
    }

    /// Has a version excuse nothing, as something speaks against it and nobody has looked at it.
    pub(crate) fn leave_out(&mut self, version: &str) {
        self.unread.insert(version.to_owned());
    }

    /// The same, and what is decided without it is decided anew once somebody has looked at it.
    pub(crate) fn await_reading(&mut self, version: &str) {
        self.leave_out(version);
        self.awaited.insert(version.to_owned());
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
        if let Some(integrity) = &verdict.assessment.release.integrity {
            self.judged.insert(version.to_owned(), integrity.clone());
        }
        // It may come to something else once those before are looked at.
        if verdict.awaits_earlier() {
            self.unnamed.insert(version.to_owned());
            return;
        }
        if verdict.decision.waiver.is_some() {
            self.waived.insert(version.to_owned());
        }
        if verdict.is_settled(now) {
            self.known.insert(version.to_owned());
            self.served.insert(version.to_owned());
        }
        // A hold that ends by itself is one for age.
        if refuses_for_good(&verdict.decision) {
            self.known.insert(version.to_owned());
            self.refused.insert(version.to_owned());
            if verdict.decision.action == Action::Block {
                self.blocked.insert(version.to_owned());
            }
        } else if excuses(verdict, now) {
            self.fine.insert(version.to_owned());
        }
    }
}

/// Whether one version came out so long before another that it is the package's past, whatever it was. Where a time is
/// missing, nothing is.
pub(crate) fn is_long_before(packument: &Packument, one: &str, other: &str) -> bool {
    let times = packument.published(one).zip(packument.published(other));
    times.is_some_and(|(one, other)| other.duration_since(one) > LONGEST)
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
mod tests;
