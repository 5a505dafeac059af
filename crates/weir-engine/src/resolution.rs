//! Which versions of a package new resolutions may take: what the packument filter and the words
//! "use this instead" rest on.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use weir_model::{Assessment, Decision, Standing};
use weir_npm::name::PackageName;
use weir_npm::packument::retag;
use weir_npm::version::Version;
use weir_signals::Surroundings;
use weir_store::PackageAdvisories;

use crate::compare::Beside;
use crate::damaged::{Mismatch, is_damaged};
use crate::engine::Engine;
use crate::habits::SETTLED;
use crate::judge::Facts;
use crate::packuments::Held;
use crate::runs::Run;
use crate::verdicts::Verdict;
use crate::{EngineError, assess};

/// Versions published within this time before now are looked at one by one when a packument is
/// filtered; older ones only if their contents were refused here before. The gate on the tarball
/// looks at every version, whatever its age: this bounds the work on packages with thousands of
/// versions, not what may pass.
pub(crate) const RECENT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Packages with at most this many versions are looked at whole: that is where lookalikes and fresh
/// names are, and it costs microseconds.
const FEW_VERSIONS: usize = 40;

/// At most this many recent versions are looked at; some packages publish hundreds of builds a
/// month. Versions that are younger than the policy's age, tagged, or named by an advisory are
/// looked at in any case.
const MOST_VERSIONS: usize = 60;

/// Looking at one version takes longer the more there are, as each is measured by the others: so many versions times
/// versions are gone through at most. That is all of 2,000 new ones of 2,500, and of 100,000 no more than of any package.
/// What is new beyond is hidden until it is older, or asked for by its tarball.
const MOST_COMPARED: usize = 5_000_000;

/// Contents are read ahead of a resolution for at most this many suspicious versions.
pub(crate) const READ_AHEAD: usize = 4;

/// None of them is begun after this many times the budget for one analysis: those that do not fit wait for the gate.
const BUDGETS: u32 = 2;

/// Passes over the versions of a package at most: each but the first because a version was refused in the one
/// before that may have excused others.
const PASSES: usize = READ_AHEAD + 2;

/// What is held because of another release, and was not read, is gone through again after this long: somebody may have
/// looked at it meanwhile, and there is room to read more.
const UNREAD_FOR: SignedDuration = SignedDuration::from_mins(10);

/// What is looked at for a resolution, and what has come of it so far.
pub(crate) struct Look<'l> {
    /// The versions, newest first.
    pub(crate) versions: Vec<String>,
    pub(crate) times: &'l HashMap<String, Timestamp>,
    pub(crate) generation: &'l str,
    /// Versions of which the contents are read ahead.
    pub(crate) inside: HashSet<String>,
    /// Those of them that were read and are served.
    pub(crate) served: HashSet<String>,
    /// Versions that have what a refused one brought: not to be named in its place unless they were found fine.
    pub(crate) alike: HashSet<String>,
    /// When reading ahead has to end.
    pub(crate) deadline: Instant,
    pub(crate) kept_out: BTreeMap<String, Arc<Verdict>>,
    /// Versions that would have to be looked at, and are too many.
    unseen: HashSet<String>,
}

impl Look<'_> {
    /// Whether the contents of a version may still be read ahead, or were.
    pub(crate) fn may_read(&self, version: &str) -> bool {
        let room = self.inside.len() < READ_AHEAD && Instant::now() < self.deadline;
        self.inside.contains(version) || room
    }

    /// Keeps a version out unless its verdict serves. Whether it does.
    pub(crate) fn judge(&mut self, verdict: Arc<Verdict>) -> bool {
        let serves = verdict.decision.action.serves();
        if !serves {
            let version = verdict.assessment.release.version.clone();
            self.kept_out.insert(version, verdict);
        }
        serves
    }
}

/// Why a version is looked at, the strongest reason last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// It is of the last months, or one of few.
    Recent,
    /// It is younger than the policy's age.
    Young,
    /// A tag leads to it.
    Tagged,
    /// An advisory names it.
    Named,
}

/// What came of looking at versions.
struct Passed {
    kept_out: BTreeMap<String, Arc<Verdict>>,
    unseen: HashSet<String>,
    /// Those that were looked at one by one.
    looked: HashSet<String>,
}

/// What new resolutions of a package get.
#[derive(Debug)]
pub struct Resolution {
    /// Versions that are held or blocked, with the verdict.
    pub held: BTreeMap<String, Arc<Verdict>>,
    /// Versions that are new or named by an advisory, and too many to be looked at: they are left out.
    pub unseen: HashSet<String>,
    /// The tags as served: each on a version that may be had.
    pub tags: Vec<(String, String)>,
    /// Publish times for versions that the upstream gives none for: when weir first saw them.
    pub times: HashMap<String, String>,
    /// When it was made. What a clock that ran ahead found old enough may be young still.
    pub made: Timestamp,
    /// When the first hold ends by itself.
    pub ripens: Option<Timestamp>,
    /// What it was decided under.
    pub generation: String,
    revision: u64,
    versions: usize,
    latest: Option<String>,
}

impl Resolution {
    /// The verdict to show when no version at all may be had.
    #[must_use]
    pub fn nothing_left(&self) -> Option<Arc<Verdict>> {
        if self.versions == 0 || self.held.len() + self.unseen.len() < self.versions {
            return None;
        }
        let latest = self
            .latest
            .as_ref()
            .and_then(|latest| self.held.get(latest));
        latest.or_else(|| self.held.values().next()).cloned()
    }

    /// The newest version that is kept out, by semver.
    #[must_use]
    pub fn newest_held(&self) -> Option<(&str, &Arc<Verdict>)> {
        self.held
            .iter()
            .filter_map(|(version, verdict)| {
                Some((Version::parse(version).ok()?, version, verdict))
            })
            .max_by(|(one, ..), (other, ..)| one.cmp(other))
            .map(|(_, version, verdict)| (version.as_str(), verdict))
    }
}

impl Engine {
    /// What new resolutions of a package get at present.
    ///
    /// # Errors
    /// When the data folder fails.
    pub async fn resolution(
        self: &Arc<Self>,
        held: &Arc<Held>,
    ) -> Result<Arc<Resolution>, EngineError> {
        let generation = self.generation();
        let now = self.now();
        if let Some(known) = self.resolutions.get(held.packument.name())
            && known.revision == held.revision
            && known.generation == generation
            && known.made <= now
            && known.ripens.is_none_or(|moment| now < moment)
        {
            return Ok(known);
        }
        let times = self.missing_times(held).await?;
        let (versions, unseen) = self.worth_a_look(held, &times, now);
        if !unseen.is_empty() {
            tracing::warn!(package.name = %held.packument.name(), looked_at = versions.len(), left_out = unseen.len(),
                "a package has more new versions than can be looked at, and some are left out of its packument");
        }
        let mut look = Look {
            versions,
            times: &times,
            generation: &generation,
            inside: HashSet::new(),
            served: HashSet::new(),
            alike: HashSet::new(),
            deadline: Instant::now()
                + self
                    .policy
                    .gate
                    .analysis_budget
                    .get()
                    .saturating_mul(BUDGETS),
            kept_out: self.refused_before(held).await?,
            unseen,
        };
        for damaged in self.damaged_of(held) {
            let version = damaged.verdict.assessment.release.version.clone();
            look.kept_out.entry(version).or_insert(damaged.verdict);
        }
        // It reads suspects itself, and whoever looks at one of them need not.
        crate::unread::without_reading(async {
            for _ in 0..PASSES {
                if !self.look_at_each(held, &mut look).await? {
                    break;
                }
            }
            Ok::<_, EngineError>(())
        })
        .await?;
        self.name_others(held, &mut look).await?;
        let mut kept_out = look.kept_out;
        let mut unseen = look.unseen;
        unseen.retain(|version| !kept_out.contains_key(version));
        let unread = kept_out.values().any(|verdict| verdict.preliminary) || !unseen.is_empty();
        if self.observes() {
            // Only written down: the packument stays as the upstream has it.
            for verdict in std::mem::take(&mut kept_out).into_values() {
                tracing::info!(package.name = %held.packument.name(),
                    package.version = verdict.assessment.release.version,
                    action = %verdict.decision.action, "observed: would be kept out");
                self.keep_refusal(&verdict).await?;
            }
            unseen.clear();
        }
        let looked: HashSet<String> = look.versions.into_iter().collect();
        let passed = Passed {
            kept_out,
            unseen,
            looked,
        };
        let mut resolution = finish(held, passed, times, generation, now);
        // What came damaged is passed over for a while only.
        let damaged = self.damaged_of(held).into_iter().map(|it| it.until);
        let unread = now.checked_add(UNREAD_FOR).ok().filter(|_| unread);
        let ends = resolution.ripens.into_iter().chain(damaged);
        resolution.ripens = ends.chain(unread).min();
        let resolution = Arc::new(resolution);
        self.resolutions
            .insert(held.packument.name().clone(), Arc::clone(&resolution));
        Ok(resolution)
    }

    /// What is named in place of a version that is kept out must not be kept out itself, which was not known yet when
    /// the first of them were decided on.
    async fn name_others(&self, held: &Held, look: &mut Look<'_>) -> Result<(), EngineError> {
        let withheld =
            |version: &String| look.kept_out.contains_key(version) || look.alike.contains(version);
        let wrong: Vec<Arc<Verdict>> = look
            .kept_out
            .values()
            .filter(|it| it.preliminary || it.decision.instead.as_ref().is_some_and(withheld))
            .cloned()
            .collect();
        if wrong.is_empty() {
            return Ok(());
        }
        let mut past = self.past_of_all(held).await?;
        let mut unread: Vec<&String> = look.alike.iter().collect();
        unread.retain(|version| !past.finds_fine(version));
        past.withhold(unread.into_iter().chain(look.kept_out.keys()));
        let beside = Beside::pending(&Arc::new(past));
        let around = Surroundings::default();
        // Where advisories cannot be read, each verdict says so by itself.
        let about = self.about(held.packument.name()).unwrap_or_default();
        for verdict in wrong {
            let version = verdict.assessment.release.version.clone();
            let facts = Facts::on_metadata(held, &version, &beside, &around);
            let below = instead_of(self, &verdict.assessment, &facts, &about, self.now());
            let mut named = (*verdict).clone();
            named.decision.instead = below.recommended;
            look.kept_out.insert(version, Arc::new(named));
        }
        Ok(())
    }

    /// Whether a version was kept out of the last resolution because of another release, without having been read.
    pub(crate) fn holds_unread(&self, name: &PackageName, version: &str) -> bool {
        self.resolutions.get(name).is_some_and(|known| {
            let verdict = known.held.get(version);
            verdict.is_some_and(|verdict| verdict.preliminary)
        })
    }

    /// First-seen times for versions without a publish time (PROTOCOL 3.2).
    async fn missing_times(&self, held: &Held) -> Result<HashMap<String, Timestamp>, EngineError> {
        if !held.packument.time_is_partial() {
            return Ok(HashMap::new());
        }
        let packument = &held.packument;
        let missing: Vec<&str> = packument
            .versions()
            .iter()
            .map(|entry| entry.version.as_str())
            .filter(|version| packument.published(version).is_none())
            .collect();
        let seen = self.first_seen(packument.name(), &missing).await?;
        Ok(missing.into_iter().map(str::to_owned).zip(seen).collect())
    }

    /// Looks at each version that is not kept out so far, and keeps out what may not be served. Whether a version
    /// was refused that others had been measured by: those are to be looked at once more.
    async fn look_at_each(
        self: &Arc<Self>,
        held: &Arc<Held>,
        look: &mut Look<'_>,
    ) -> Result<bool, EngineError> {
        let mut past = self.past_of_all(held).await?;
        past.refuse(refused_for_good(&look.kept_out));
        past.withhold(look.kept_out.keys());
        let past = Arc::new(past);
        // However old they are: nobody has looked at the bytes that are there now, and the gate has the others.
        let replaced = self.replaced_versions(held, &past);
        for version in &replaced {
            if !look.versions.contains(version) {
                look.versions.push(version.clone());
            }
        }
        let mut suspects = Vec::new();
        for version in &look.versions {
            if look.kept_out.contains_key(version) {
                continue;
            }
            let verdict = self
                .metadata_verdict_after(held, version, look.times, look.generation, &past)
                .await?;
            let suspect = verdict.assessment.counted().next().is_some() || is_early_fix(&verdict);
            if suspect || replaced.contains(version) {
                suspects.push(verdict);
            } else if !verdict.decision.action.serves() {
                look.kept_out.insert(version.clone(), verdict);
            }
        }
        let runs = self.look_at_suspects(held, look, suspects, &past).await;
        self.look_at_runs(held, look, runs, &past).await?;
        let malware = self.known_malware(held.packument.name());
        let is_news = |version: &String| !past.refuses(version) && !malware(version);
        Ok(refused_for_good(&look.kept_out).any(is_news))
    }

    /// Verdicts kept from earlier that refuse a version on its contents, if it still has them: what its registry
    /// replaced is looked at anew.
    async fn refused_before(
        &self,
        held: &Held,
    ) -> Result<BTreeMap<String, Arc<Verdict>>, EngineError> {
        let mut kept: BTreeMap<_, _> = self.verdicts_of(held).await?.into_iter().collect();
        kept.retain(|version, verdict| {
            let judged = verdict.assessment.release.integrity.as_deref();
            refuses_for_good(&verdict.decision)
                && !verdict.awaits_earlier()
                && held.packument.has(version)
                && !self.has_other_bytes(held, version, judged)
        });
        Ok(kept)
    }

    /// The versions to look at one by one, newest first; and those for which there is no room, of which nobody can say
    /// that they are fine.
    fn worth_a_look(
        &self,
        held: &Held,
        times: &HashMap<String, Timestamp>,
        now: Timestamp,
    ) -> (Vec<String>, HashSet<String>) {
        let packument = &held.packument;
        let all = packument.versions().len();
        let few = all <= FEW_VERSIONS;
        // Where advisories cannot be read, each verdict says so by itself.
        let named = self.about(packument.name()).unwrap_or_default();
        let tags = packument.dist_tags().iter();
        let tagged: HashSet<&str> = tags.map(|(_, version)| version.as_str()).collect();
        let mut versions: Vec<(Why, Timestamp, &str)> = Vec::new();
        for entry in packument.versions() {
            let version = entry.version.as_str();
            let known = packument
                .published(version)
                .or_else(|| times.get(version).copied());
            let Some(published) = known else { continue };
            let why = if named.standing(version) == Standing::Affected {
                Why::Named
            } else if tagged.contains(version) {
                Why::Tagged
            } else if self.policy.age.minimum.is_running(published, now) {
                Why::Young
            } else {
                Why::Recent
            };
            if few || why != Why::Recent || now.duration_since(published) < RECENT {
                versions.push((why, published, version));
            }
        }
        let is_young = |published| self.policy.age.minimum.is_running(published, now);
        within_room(versions, all, is_young)
    }

    /// Reads the contents of a version that something speaks against, before anybody resolves to it: a range then
    /// falls back at once instead of failing at the tarball, and a person who is refused is told what the release
    /// does, not only how old it is. Nothing where they cannot be read in time.
    pub(crate) async fn look_inside(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
    ) -> Option<Arc<Verdict>> {
        let budget = self.policy.gate.analysis_budget.get();
        match tokio::time::timeout(budget, self.full_verdict(held, version)).await {
            // It is measured without some that there was no room to read, which is no evidence.
            Ok(Ok(full)) if full.awaits_earlier() && !full.decision.action.serves() => None,
            Ok(Ok(full)) => Some(full),
            Ok(Err(error)) => {
                tracing::info!(package.name = %held.packument.name(), package.version = version,
                    %error, "contents not read ahead; the gate will");
                None
            }
            Err(_) => None,
        }
    }
}

/// The versions that there is room to look at, of a package with `all` versions, newest first; and those for which there
/// is none. A tag alone says nothing against a version, and the gate looks at it.
fn within_room(
    mut versions: Vec<(Why, Timestamp, &str)>,
    all: usize,
    is_young: impl Fn(Timestamp) -> bool,
) -> (Vec<String>, HashSet<String>) {
    versions.sort_unstable_by(|one, other| other.cmp(one));
    let musts = versions.iter().filter(|(why, ..)| *why != Why::Recent);
    let room = MOST_COMPARED / all.max(1);
    let room = musts.count().min(room).max(MOST_VERSIONS);
    let beyond = versions.split_off(room.min(versions.len()));
    versions.sort_unstable_by_key(|(_, published, _)| std::cmp::Reverse(*published));
    let unseen = beyond
        .into_iter()
        .filter(|(why, published, _)| *why == Why::Named || is_young(*published));
    (
        versions.iter().map(|(.., it)| (*it).to_owned()).collect(),
        unseen.map(|(.., version)| version.to_owned()).collect(),
    )
}

/// Whether a release is let through before it is old enough because it fixes an advisory. That ends as soon as its
/// contents speak against it.
fn is_early_fix(verdict: &Verdict) -> bool {
    let circumstances = verdict.decision.circumstances.as_ref();
    verdict.decision.action.serves()
        && circumstances.is_some_and(|it| it.fixes_advisory_of.is_some())
}

/// Whether a decision refuses, and not only until the release is older.
pub(crate) fn refuses_for_good(decision: &Decision) -> bool {
    !decision.action.serves() && decision.until.is_none()
}

/// Whether a verdict says what a release is, and refuses it. Wrong bytes say nothing of it, what is held because
/// of another release was not looked at, and what was measured without some that nobody has read may be fine.
pub(crate) fn is_refused(verdict: &Verdict) -> bool {
    refuses_for_good(&verdict.decision)
        && !verdict.preliminary
        && !verdict.awaits_earlier()
        && !is_damaged(verdict)
}

/// The versions among those kept out that were refused, and not only until they are older.
fn refused_for_good(kept_out: &BTreeMap<String, Arc<Verdict>>) -> impl Iterator<Item = &String> {
    kept_out
        .iter()
        .filter(|(_, verdict)| is_refused(verdict))
        .map(|(version, _)| version)
}

/// Of versions that were not looked at one by one a tag moves only to what has been out for long: else it would name one
/// release of a burst after the other, each of which the gate refuses.
fn finish(
    held: &Held,
    passed: Passed,
    times: HashMap<String, Timestamp>,
    generation: String,
    now: Timestamp,
) -> Resolution {
    let Passed {
        kept_out,
        unseen,
        looked,
    } = passed;
    let packument = &held.packument;
    let is_young = |version: &str| {
        let published = packument.published(version);
        published.is_some_and(|published| now.duration_since(published) < SETTLED)
    };
    let tags = retag(packument, |version| {
        !kept_out.contains_key(version)
            && !unseen.contains(version)
            && (looked.contains(version) || !is_young(version))
    });
    let ripens = kept_out
        .values()
        .filter_map(|verdict| verdict.decision.until)
        .min();
    Resolution {
        tags,
        times: times
            .into_iter()
            .map(|(version, time)| (version, weir_npm::time::format(time)))
            .collect(),
        made: now,
        ripens,
        generation,
        revision: held.revision,
        versions: packument.versions().len(),
        latest: packument.tag("latest").map(str::to_owned),
        held: kept_out,
        unseen,
    }
}

/// What there is below a refused version: the highest of its major line, else of those below it.
#[derive(Debug, Default)]
pub(crate) struct Below {
    /// The one that would be served in its place, as its metadata passes and nobody refused it.
    pub(crate) served: Option<String>,
    /// The one to recommend: it was found fine here, or has been out for long.
    pub(crate) recommended: Option<String>,
}

/// The versions to use in place of the refused one that the facts are about.
pub(crate) fn instead_of(
    engine: &Engine,
    assessment: &Assessment,
    facts: &Facts<'_>,
    about: &PackageAdvisories,
    now: Timestamp,
) -> Below {
    let Ok(refused) = Version::parse(facts.version) else {
        return Below::default();
    };
    let packument = &facts.held.packument;
    let past = &facts.beside.past;
    let damaged = engine.damaged_of(facts.held);
    let is_out = |version: &str| {
        let is_damaged = |it: &Mismatch| it.verdict.assessment.release.version == version;
        past.refuses(version) || past.withholds(version) || damaged.iter().any(is_damaged)
    };
    let mut below: Vec<Version> = packument
        .versions()
        .iter()
        .filter(|entry| !is_out(&entry.version))
        .filter_map(|entry| Version::parse(&entry.version).ok())
        .filter(|version| version < &refused)
        .filter(|version| refused.is_prerelease() || !version.is_prerelease())
        .collect();
    below.sort_unstable_by(|one, other| {
        let line = |version: &Version| version.major() == refused.major();
        (line(other), other).cmp(&(line(one), one))
    });
    // Bounded: a package of which the last twenty versions do not pass has nothing to offer.
    let newest = below.iter().take(20).map(Version::as_str);
    let passing: Vec<&str> = newest
        .filter(|version| assess::passes_on_metadata(engine, facts, about, version, now))
        .collect();
    let no_baseline = |version: &str| about.is_malware(version) || past.refuses(version);
    let run = Run::of(packument, facts.version, assessment, &no_baseline);
    // What has the same as the refused one is not named for its age: nobody looked, and it may do the same. No more
    // is what runs anything at install time, where code speaks against the refused one: an old hook that does what
    // the refused one does would be refused in turn.
    let same = |version: &str| {
        let run = run.as_ref();
        run.is_some_and(|run| {
            run.has(packument, version) || run.may_be_repeated_by(packument, version)
        })
    };
    let vouched = |version: &&&str| {
        past.vouches_for(packument, version) && (past.finds_fine(version) || !same(version))
    };
    Below {
        served: passing.first().map(|version| (*version).to_owned()),
        recommended: passing
            .iter()
            .find(vouched)
            .map(|version| (*version).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_no_room_to_look_at_is_left_out_unless_it_is_old() {
        let at = |hour: i64| Timestamp::from_second(hour * 3600).unwrap();
        let now = 1_000_000;
        let is_young = |published: Timestamp| published > at(now - 24);
        let names: Vec<String> = (0..3000).map(|it| format!("1.0.{it}")).collect();
        let (first, last) = ("1.0.0", "1.0.2999");
        let listed = |count: usize, why: Why, hour: i64| -> Vec<(Why, Timestamp, &str)> {
            let names = names.iter().take(count);
            names.map(|name| (why, at(hour), name.as_str())).collect()
        };
        // As ever: all that has to be looked at, and no more of the rest than of any package.
        let (looked, unseen) = within_room(listed(1000, Why::Young, now), 1000, is_young);
        assert_eq!((looked.len(), unseen.len()), (1000, 0));
        let (looked, unseen) = within_room(listed(1000, Why::Recent, 0), 1000, is_young);
        assert_eq!((looked.len(), unseen.len()), (MOST_VERSIONS, 0));
        // Too many: what is named and tagged first.
        let mut versions = listed(2998, Why::Young, now);
        versions.push((Why::Named, at(1), last));
        versions.push((Why::Tagged, at(0), "1.0.2998"));
        let (looked, unseen) = within_room(versions, 50_000, is_young);
        assert_eq!((looked.len(), unseen.len()), (100, 2900));
        assert_eq!(looked.last().map(String::as_str), Some("1.0.2998"));
        assert!(looked.contains(&last.to_owned()));
        assert!(unseen.contains(first) != looked.contains(&first.to_owned()));
        // What is old and tagged is not left out.
        let (looked, unseen) = within_room(listed(3000, Why::Tagged, 0), 1_000_000, is_young);
        assert_eq!((looked.len(), unseen.len()), (MOST_VERSIONS, 0));
        let (_, unseen) = within_room(listed(3000, Why::Named, 0), 1_000_000, is_young);
        assert_eq!(unseen.len(), 3000 - MOST_VERSIONS);
    }
}
