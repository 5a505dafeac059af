//! Habits at hand: what is usual for whoever publishes is looked up on the way of a request, and learned
//! when nobody waits.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;
use weir_model::habits::{Moment, minute};
use weir_model::{Baseline, Lesson};
use weir_npm::name::PackageName;
use weir_npm::version::Version;
use weir_signals::{Arrival, Known, Surroundings, by, lesson, line_number, moments};
use weir_store::{KeptLesson, Store};

use crate::EngineError;
use crate::engine::Engine;
use crate::packuments::Held;
use crate::teaching::{Teaching, structure, teaching};

/// A release teaches when it is this old. Nearly all hijacks on record were found within days (INCIDENTS),
/// and until then an attacker's first release must not make the second look usual.
pub(crate) const SETTLED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What came out within this time is remembered for the sake of what comes out with it.
const LATELY: SignedDuration = SignedDuration::from_hours(48);

/// Releases older than this are not compared with what is usual: whoever was to be warned has been.
const COMPARED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Releases of one package that a backfill learns, the newest that have settled (DETECTION 4.4).
const BACKFILLED: usize = 30;

/// Owners whose habits and latest releases are kept in memory.
const OWNERS: u64 = 5_000;

/// Releases remembered of one owner; older ones make room.
const ARRIVALS: usize = 256;

/// Another process may have learned: habits are read again after this long.
const REREAD: Duration = Duration::from_secs(60);

/// Releases that wait to be written down. What is beyond costs a lesson.
const WAITING: usize = 20_000;

/// Releases taught at a time, so that others get to write in between.
const AT_A_TIME: u32 = 200;

/// What a backfill learned of a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backfilled {
    /// Releases that taught for the first time.
    pub learned: usize,
    /// Releases that had taught before.
    pub known: usize,
    /// Releases that do not teach: refused here or not judged, or called malware by an advisory.
    pub refused: usize,
    /// Releases that cannot: no publish time, or a manifest that cannot be read.
    pub unreadable: usize,
}

/// A release that waits to be written down.
#[derive(Debug)]
struct Waiting {
    name: String,
    lesson: Lesson,
    judged: Judged,
}

/// What is noted of a release beside what there is to learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    /// It may teach.
    Passes,
    /// Nobody could judge it.
    Unjudged,
    /// It was refused.
    Refused,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct HabitKeeper {
    store: Store,
    /// Those of whom something is known: all others cost no question.
    owners: RwLock<HashSet<String>>,
    baselines: Cache<String, Option<Arc<Baseline>>>,
    arrivals: Cache<String, Arc<Mutex<Vec<Arrival>>>>,
    waiting: Mutex<Vec<Waiting>>,
    /// What was noted lately, and as what: a release is looked at many times.
    noted: Cache<(String, String), (Judged, u64)>,
    /// Tells lessons apart in a few bytes; nobody can make two that look the same.
    hasher: RandomState,
}

impl HabitKeeper {
    /// # Errors
    /// When the data folder cannot be read.
    pub(crate) async fn open(store: Store) -> Result<Self, EngineError> {
        let owners = store.habit_owners().await?.into_iter().collect();
        Ok(Self {
            store,
            owners: RwLock::new(owners),
            baselines: Cache::builder()
                .max_capacity(OWNERS)
                .time_to_live(REREAD)
                .build(),
            arrivals: Cache::builder()
                .max_capacity(OWNERS)
                .time_to_idle(Duration::from_secs(48 * 3600))
                .build(),
            waiting: Mutex::default(),
            noted: Cache::builder()
                .max_capacity(50_000)
                .time_to_idle(Duration::from_secs(3600))
                .build(),
            hasher: RandomState::new(),
        })
    }

    fn is_known(&self, owner: &str) -> bool {
        let owners = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        owners.contains(owner)
    }

    /// What is usual for an owner; nothing where nothing was learned.
    async fn baseline(&self, owner: &str) -> Result<Option<Arc<Baseline>>, EngineError> {
        if !self.is_known(owner) {
            return Ok(None);
        }
        if let Some(baseline) = self.baselines.get(owner) {
            return Ok(baseline);
        }
        let packages = self.store.habits(owner).await?;
        let baseline = (!packages.is_empty()).then(|| Arc::new(Baseline::new(owner, packages)));
        self.baselines.insert(owner.to_owned(), baseline.clone());
        Ok(baseline)
    }

    /// Looks at who is known once more, after something was learned here or by another process.
    async fn refresh(&self) -> Result<(), EngineError> {
        let owners = self.store.habit_owners().await?.into_iter().collect();
        *self.owners.write().unwrap_or_else(PoisonError::into_inner) = owners;
        self.baselines.invalidate_all();
        Ok(())
    }

    /// What came out lately of an owner, other packages than `name` only.
    fn lately(&self, owner: &str, name: &str) -> Vec<Arrival> {
        let Some(list) = self.arrivals.get(owner) else {
            return Vec::new();
        };
        let list = lock(&list);
        list.iter().filter(|it| it.name != name).cloned().collect()
    }

    /// Remembers that a release came out, unless that is known.
    fn arrived(&self, owner: &str, arrival: impl FnOnce() -> Arrival, release: (&str, &str)) {
        let list = self.arrivals.get_with(owner.to_owned(), Arc::default);
        let known = |it: &Arrival| (it.name.as_str(), it.version.as_str()) == release;
        if lock(&list).iter().any(known) {
            return;
        }
        let arrival = arrival();
        let mut list = lock(&list);
        if list.len() >= ARRIVALS {
            list.remove(0);
        }
        list.push(arrival);
    }

    /// Has a release written down when nobody waits.
    pub(crate) fn note(&self, name: &PackageName, lesson: Lesson, judged: Judged) {
        let key = (name.as_str().to_owned(), lesson.version.clone());
        // Other bytes under the same version teach something else.
        let noted = (judged, self.hasher.hash_one(format!("{lesson:?}")));
        if self.noted.get(&key) == Some(noted) {
            return;
        }
        self.noted.insert(key, noted);
        let mut waiting = lock(&self.waiting);
        if waiting.len() < WAITING {
            waiting.push(Waiting {
                name: name.as_str().to_owned(),
                lesson,
                judged,
            });
        }
    }

    /// Writes down what waits.
    async fn write(&self) -> Result<(), EngineError> {
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        if waiting.is_empty() {
            return Ok(());
        }
        let mut noted = Vec::new();
        // In their order: a release may have been refused and then not any more.
        for one in waiting {
            if one.judged == Judged::Passes {
                noted.push((one.name, one.lesson));
                continue;
            }
            if !noted.is_empty() {
                self.store.note_lessons(&std::mem::take(&mut noted)).await?;
            }
            if one.judged == Judged::Unjudged {
                self.store.withhold_lesson(&one.name, &one.lesson).await?;
            } else if self.store.refuse_lesson(&one.name, &one.lesson).await? {
                self.refresh().await?;
            }
        }
        if !noted.is_empty() {
            self.store.note_lessons(&noted).await?;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// What is usual around a release, and what else came out just then. The release itself is
    /// remembered for the others' sake. Old releases are not compared.
    pub(crate) async fn surroundings(
        &self,
        held: &Held,
        version: &str,
    ) -> Result<Surroundings, EngineError> {
        let now = self.now();
        let name = held.packument.name();
        // When weir first saw a release stands in for its age and not for this: everything that is seen
        // for the first time would look like one burst.
        let published = held.packument.published(version);
        let Some(published) = published.filter(|it| now.duration_since(*it) < COMPARED) else {
            return Ok(Surroundings::default());
        };
        let recent = now.duration_since(published) < LATELY;
        // An earlier burst that was refused must not make this one look usual.
        let refused: HashSet<String> = match recent {
            true => self
                .store
                .refused_lessons(name.as_str())
                .await?
                .into_iter()
                .collect(),
            false => HashSet::new(),
        };
        let malware = self.known_malware(name);
        let no_baseline = |version: &str| refused.contains(version) || malware(version);
        let settled = published.saturating_sub(SETTLED).unwrap_or(published);
        let manifest = self.manifest(held, version).ok();
        let publisher = manifest.as_ref().and_then(|it| it.publisher.as_ref());
        // All workflows of a host are one publisher, which tells nothing about any of them.
        let account = publisher
            .filter(|publisher| !publisher.trusted_publisher)
            .and_then(by);
        let mut found = Surroundings {
            before: moments(&held.packument, settled, &no_baseline, None),
            ..Surroundings::default()
        };
        let arrival = |before: &[Moment]| Arrival {
            name: name.as_str().to_owned(),
            version: version.to_owned(),
            published,
            moment: Moment {
                minute: minute(published),
                line: line_number(version),
            },
            first: before.is_empty(),
            before: before.to_vec(),
        };
        let release = (name.as_str(), version);
        if let Some(scope) = name.scope() {
            let owner = format!("@{scope}");
            if recent {
                let before = &found.before;
                self.habits.arrived(&owner, || arrival(before), release);
            }
            found.scope = self.known(&owner, name).await?;
        }
        if let Some(account) = account {
            let owner = account.label();
            if recent {
                found.before_by_account =
                    moments(&held.packument, settled, &no_baseline, Some(&account));
                let before = &found.before_by_account;
                self.habits.arrived(&owner, || arrival(before), release);
            }
            found.account = self.known(&owner, name).await?;
        }
        Ok(found)
    }

    async fn known(&self, owner: &str, name: &PackageName) -> Result<Known, EngineError> {
        Ok(Known {
            baseline: self.habits.baseline(owner).await?,
            arrivals: self.habits.lately(owner, name.as_str()),
        })
    }

    /// Writes down what was seen, and has teach what has settled meanwhile, in rounds until nothing is left.
    /// Returns how many releases taught. Where nothing waits that is one question to an index.
    ///
    /// # Errors
    /// When the data folder fails.
    pub async fn learn(&self) -> Result<usize, EngineError> {
        // What has settled by a moment that is only asked about has not settled.
        if !self.records() {
            return Ok(0);
        }
        self.habits.write().await?;
        let until = self.now().saturating_sub(SETTLED);
        let until = until.map_err(|error| EngineError::Store(error.to_string()))?;
        let mut taught = 0;
        loop {
            let ripe = self.store.ripe_lessons(until, AT_A_TIME).await?;
            if ripe.is_empty() {
                break;
            }
            taught += self.learn_round(ripe).await?;
            self.habits.refresh().await?;
        }
        Ok(taught)
    }

    /// Has releases teach that have settled. None of them is ripe any more afterwards.
    async fn learn_round(&self, ripe: Vec<KeptLesson>) -> Result<usize, EngineError> {
        let mut good = Vec::new();
        for kept in ripe {
            // No package has such a name any more: nobody will ask about it.
            let package = PackageName::parse(&kept.name).ok();
            let version = &kept.lesson.version;
            if package.is_some_and(|package| !self.known_malware(&package)(version)) {
                good.push((kept.name, kept.lesson));
            } else {
                self.store.refuse_lesson(&kept.name, &kept.lesson).await?;
            }
        }
        Ok(self.store.teach(&good).await?)
    }

    /// Learns what the past of a package teaches: its last releases that have settled, as its packument
    /// has them. What was refused here, or is malware, does not teach.
    ///
    /// # Errors
    /// When the packument cannot be had, or the data folder fails.
    pub async fn backfill(self: &Arc<Self>, name: &PackageName) -> Result<Backfilled, EngineError> {
        if !self.records() {
            tracing::warn!(package.name = %name, "nothing is learned with --now: it would be believed later");
            return Ok(Backfilled::default());
        }
        let held = self.packument(name).await?;
        // What is decided but not written down yet may be a refusal.
        self.habits.write().await?;
        let verdicts = self.verdicts_of(&held).await?;
        // What nobody decided on is taken as it is, if nothing that its packument says refuses it.
        let teaches = |version: &str| {
            let verdict = verdicts.get(version);
            verdict.map_or(Teaching::Whole, |verdict| teaching(verdict))
        };
        // Of the last months the packument itself is asked first.
        let past = self.past_of_all(&held).await?;
        let withheld = |version: &str| {
            past.refuses(version)
                || past.withholds(version)
                || matches!(teaches(version), Teaching::Nothing | Teaching::Refused)
        };
        let usual = self.usual(name.as_str()).await?;
        let malware = self.known_malware(name);
        let settled = self.now().saturating_sub(SETTLED);
        let settled = settled.map_err(|error| EngineError::Store(error.to_string()))?;
        let mut done = Backfilled::default();
        let mut times: Vec<(Timestamp, &str)> = Vec::new();
        for entry in held.packument.versions() {
            let version = entry.version.as_str();
            match held.packument.published(version) {
                None => done.unreadable += 1,
                Some(published) if published > settled => {}
                Some(_) if withheld(version) || malware(version) => done.refused += 1,
                Some(published) => times.push((published, version)),
            }
        }
        // Nightly builds would leave no room for what people install.
        let stable =
            |version: &str| Version::parse(version).is_ok_and(|version| !version.is_prerelease());
        if times.iter().any(|(_, version)| stable(version)) {
            times.retain(|(_, version)| stable(version));
        }
        times.sort_unstable_by(|one, other| other.cmp(one));
        let mut lessons = Vec::new();
        for (published, version) in times.into_iter().take(BACKFILLED) {
            match held.packument.manifest(version) {
                Some(Ok(manifest)) => {
                    let lesson = lesson(version, published, &manifest);
                    let lesson = match teaches(version) {
                        Teaching::Structure => structure(lesson, usual.as_deref()),
                        _ => Some(lesson),
                    };
                    match lesson {
                        Some(lesson) => lessons.push((name.to_string(), lesson)),
                        None => done.refused += 1,
                    }
                }
                Some(Err(_)) | None => done.unreadable += 1,
            }
        }
        done.learned = self.store.teach(&lessons).await?;
        let known = self.store.taught_versions(name.as_str()).await?;
        let known: HashSet<&str> = known.iter().map(String::as_str).collect();
        let taught = lessons
            .iter()
            .filter(|it| known.contains(it.1.version.as_str()))
            .count();
        done.known = taught.saturating_sub(done.learned);
        done.refused += lessons.len() - taught;
        if done.learned > 0 {
            self.habits.refresh().await?;
        }
        Ok(done)
    }

    /// What is usual for an owner: `@scope`, `~account` or the name of a package; nothing where nothing
    /// was learned.
    ///
    /// # Errors
    /// When the data folder fails.
    pub async fn usual(&self, owner: &str) -> Result<Option<Arc<Baseline>>, EngineError> {
        self.habits.baseline(owner).await
    }

    /// Learns what has settled since this data folder was last open, before anything is decided.
    pub(crate) async fn learn_first(&self) {
        if let Err(error) = self.learn().await {
            tracing::error!(%error, "what is usual could not be learned");
        }
    }

    /// Keeps habits in order, from time to time.
    pub(crate) async fn keep_habits(&self) {
        let kept = async {
            self.learn().await?;
            self.habits.refresh().await
        };
        if let Err(error) = kept.await {
            tracing::error!(%error, "what is usual could not be learned");
        }
    }
}
