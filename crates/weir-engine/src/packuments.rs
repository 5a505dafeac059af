//! Packuments at hand: fetched once for many askers, kept on disk, stale when the upstream fails.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;
use tokio::sync::{OnceCell, Semaphore};
use tokio_util::task::TaskTracker;
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;
use weir_npm::packument::{Packument, VersionManifest};
use weir_signals::{Gone, Stage, same_bytes};
use weir_store::{KnownBytes, Store, StoreError, StoredPackument, Vanished};
use weir_upstream::{Conditional, PackumentResponse, Upstream, Upstreams};

use crate::EngineError;
use crate::clock::Clock;
use crate::keyed::Keyed;
use crate::quiet::Quiet;
use crate::withdrawn::Settled;

/// A packument at hand.
#[derive(Debug)]
pub struct Held {
    /// Tells one fetched document from another, also of the same package.
    pub revision: u64,
    /// The document.
    pub packument: Packument,
    /// The upstream it came from.
    pub upstream: Arc<str>,
    /// Until when the upstream need not be asked again.
    pub fresh_until: Instant,
    /// Why it may be out of date, if the upstream could not be asked.
    pub stale: Option<String>,
    /// When this gateway was first asked for the package while there was none, if ever.
    pub first_missed: Stage<Option<Timestamp>>,
    /// Who depends on the package, once somebody asked: every version is asked the same.
    dependents: OnceCell<Vec<(String, String)>>,
    /// Versions that earlier documents named and this one does not.
    pub(crate) gone: Vec<Gone>,
    /// The versions that were last looked at, parsed: a request looks at one several times.
    parsed: Mutex<VecDeque<(String, Arc<VersionManifest>)>>,
}

/// What the index of a packument takes for each version, in bytes, roughly.
const ENTRY: usize = 200;

/// Most parsed versions kept with a packument.
const PARSED: usize = 4;

impl Held {
    /// What the registry says of one version.
    pub(crate) fn manifest(&self, version: &str) -> Result<Arc<VersionManifest>, EngineError> {
        if let Some((_, manifest)) = self.parsed().iter().find(|(known, _)| known == version) {
            return Ok(Arc::clone(manifest));
        }
        let name = self.packument.name();
        match self.packument.manifest(version) {
            Some(Ok(manifest)) => {
                let manifest = Arc::new(manifest);
                let mut parsed = self.parsed();
                parsed.truncate(PARSED - 1);
                parsed.push_front((version.to_owned(), Arc::clone(&manifest)));
                Ok(manifest)
            }
            Some(Err(error)) => Err(EngineError::packument(name.as_str(), &error)),
            None => Err(EngineError::NoSuchVersion {
                name: name.to_string(),
                version: version.to_owned(),
            }),
        }
    }

    /// Who depends on the package, from the database the first time. What is noted later counts when
    /// the document is had again: it only ever makes a decision milder.
    pub(crate) async fn dependents(
        &self,
        store: &Store,
    ) -> Result<&[(String, String)], StoreError> {
        let ask = || store.dependents(self.packument.name().as_str());
        self.dependents
            .get_or_try_init(ask)
            .await
            .map(Vec::as_slice)
    }

    fn parsed(&self) -> MutexGuard<'_, VecDeque<(String, Arc<VersionManifest>)>> {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A document that the upstream could not confirm is asked about again after this long, rather than
/// by every request while the upstream is down.
const STALE_RETRY: Duration = Duration::from_secs(10);

/// Publish times of one number that differ by more than this are of two releases.
const ANOTHER: SignedDuration = SignedDuration::from_hours(24);

/// Documents above this size are parsed on a thread of their own, in bytes: below, it takes less
/// than the change of threads is worth (a millisecond per megabyte).
const PARSE_ASIDE: usize = 256 << 10;

/// The packuments at hand.
#[derive(Debug)]
pub(crate) struct Packuments {
    memory: Cache<PackageName, Arc<Held>>,
    loading: Keyed<PackageName>,
    store: Store,
    /// What is put out of date when it is listed no more.
    settled: Settled,
    upstreams: Arc<Upstreams>,
    time_to_live: Duration,
    quiet: Arc<Quiet>,
    writes: TaskTracker,
    /// Packages of which versions were missed, once somebody asked.
    missed: OnceCell<RwLock<HashSet<String>>>,
    /// One write at a time: they are done when nobody waits.
    writing: Arc<Semaphore>,
}

impl Packuments {
    pub(crate) fn new(
        settled: Settled,
        upstreams: Arc<Upstreams>,
        quiet: Arc<Quiet>,
        time_to_live: Duration,
        bytes: u64,
    ) -> Self {
        let memory = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, held: &Arc<Held>| {
                let index = held.packument.versions().len() * ENTRY;
                u32::try_from(held.packument.raw().len() + index).unwrap_or(u32::MAX)
            })
            // Rendered answers and verdicts are what repeated requests need; these only feed them.
            .time_to_idle(Duration::from_secs(60))
            .build();
        Self {
            memory,
            loading: Keyed::default(),
            store: settled.store.clone(),
            settled,
            upstreams,
            time_to_live,
            quiet,
            writes: TaskTracker::new(),
            missed: OnceCell::new(),
            writing: Arc::new(Semaphore::new(1)),
        }
    }

    /// What passes without a further look.
    pub(crate) fn settled(&self) -> &Settled {
        &self.settled
    }

    /// Whether packuments are still being written to disk.
    pub(crate) fn is_writing(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Whether a packument is in memory and need not be asked for.
    pub(crate) fn at_hand(&self, name: &PackageName) -> Option<Arc<Held>> {
        self.memory
            .get(name)
            .filter(|held| Instant::now() < held.fresh_until)
    }

    /// Lets go of what nobody asked for in a while; the cache does that by itself only while it is
    /// used.
    pub(crate) fn tidy(&self) {
        self.memory.run_pending_tasks();
    }

    /// The packument of a package.
    pub(crate) async fn get(&self, name: &PackageName) -> Result<Arc<Held>, EngineError> {
        if let Some(held) = self.at_hand(name) {
            return Ok(held);
        }
        let _guard = self.loading.hold(name).await;
        if let Some(held) = self.at_hand(name) {
            return Ok(held);
        }
        let mut held = self.load(name).await?;
        let missed = self.store.first_missed(name.as_str(), &held.upstream).await;
        held.first_missed = known_or_told(name, missed);
        let held = Arc::new(held);
        self.memory.insert(name.clone(), Arc::clone(&held));
        Ok(held)
    }

    async fn load(&self, name: &PackageName) -> Result<Held, EngineError> {
        let upstream = self.upstreams.upstream_for(name);
        let origin: Arc<str> = Arc::from(upstream.id());
        // Freshness is about the wire, not about the moment being replayed: the system's clock.
        let now = Clock::system().now();
        let stored = self.store.packument(name.as_str(), &origin).await?;
        let was_kept = stored.is_some();
        let mut found = if let Some(stored) = &stored
            && let Some(left) = self.still_fresh(stored.fetched_at, now)
            && let Ok(packument) = parse(name, stored.raw.clone()).await
        {
            held(packument, origin, Instant::now() + left, None)
        } else {
            match self.fetch(upstream, name, stored.as_ref(), now).await {
                Ok(packument) => {
                    let fresh_until = Instant::now() + self.time_to_live;
                    held(packument, origin, fresh_until, None)
                }
                Err(error) => {
                    if matches!(error, EngineError::NoSuchPackage { .. }) {
                        self.settled.withdraw(name, |_| true).await?;
                    }
                    self.fall_back(name, stored, origin, error).await?
                }
            }
        };
        // Where nothing is kept nothing was seen that could be gone.
        if was_kept && self.may_be_gone(name).await? {
            found.gone = self.gone(&found).await?;
        }
        Ok(found)
    }

    /// The versions that earlier documents named. One that is there again with the bytes that it had is the same
    /// release, whatever its time: a mirror dropped it, and fetched it once more.
    async fn gone(&self, held: &Held) -> Result<Vec<Gone>, EngineError> {
        let (packument, name) = (&held.packument, held.packument.name().as_str());
        let mut found = Vec::new();
        for vanished in self.store.vanished(name, &held.upstream).await? {
            let noticed = vanished.noticed;
            let mut gone = gone_of(vanished);
            let published = packument.published(&gone.version);
            let may_be_known = || self.store.may_have_verdict(name, &gone.version);
            if has_moved(gone.published, published) && may_be_known() {
                let known = self.store.known_bytes(name, &gone.version).await?;
                let now = bytes_of(packument, &gone.version);
                if is_back(&known, &held.upstream, noticed, now.as_ref()) {
                    gone.published = published;
                }
            }
            found.push(gone);
        }
        Ok(found)
    }

    /// Whether versions of a package were ever missed. Nearly none were, and the question costs nothing.
    async fn may_be_gone(&self, name: &PackageName) -> Result<bool, EngineError> {
        let missed = self.missed().await?;
        let missed = missed.read().unwrap_or_else(PoisonError::into_inner);
        Ok(missed.contains(name.as_str()))
    }

    async fn missed(&self) -> Result<&RwLock<HashSet<String>>, EngineError> {
        let load = || async {
            let names = self.store.vanished_names().await?;
            Ok::<_, EngineError>(RwLock::new(names.into_iter().collect()))
        };
        self.missed.get_or_try_init(load).await
    }

    /// Notes what the document before named and this one does not.
    async fn compare(
        &self,
        upstream: &Upstream,
        before: &StoredPackument,
        after: &Packument,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let name = after.name();
        let Ok(before) = parse(name, before.raw.clone()).await else {
            return Ok(());
        };
        let stays = |version: &str| after.has(version) && !is_another(&before, after, version);
        let left = before.versions().iter().any(|entry| stays(&entry.version));
        let gone: Vec<Vanished> = before
            .versions()
            .iter()
            .filter(|entry| !stays(&entry.version))
            .map(|entry| Vanished {
                version: entry.version.clone(),
                published: before.published(&entry.version),
                noticed: now,
                whole: !left,
            })
            .collect();
        if !gone.is_empty() {
            tracing::info!(package.name = %name, versions = gone.len(), "versions are gone");
            let noted = self.store.put_vanished(name.as_str(), upstream.id(), &gone);
            noted.await?;
            let missed = self.missed().await?;
            {
                let mut missed = missed.write().unwrap_or_else(PoisonError::into_inner);
                missed.insert(name.as_str().to_owned());
            }
            let withdrawn = |version: &str| gone.iter().any(|it| it.version == version);
            self.settled.withdraw(name, withdrawn).await?;
        }
        Ok(())
    }

    pub(crate) fn still_fresh(&self, fetched_at: Timestamp, now: Timestamp) -> Option<Duration> {
        let age = Duration::try_from(now.duration_since(fetched_at)).ok()?;
        self.time_to_live
            .checked_sub(age)
            .filter(|left| !left.is_zero())
    }

    async fn fetch(
        &self,
        upstream: &Upstream,
        name: &PackageName,
        stored: Option<&StoredPackument>,
        now: Timestamp,
    ) -> Result<Packument, EngineError> {
        let conditional = stored.map_or_else(Conditional::default, |stored| Conditional {
            etag: stored.etag.clone(),
            last_modified: stored.last_modified.clone(),
        });
        let response = upstream
            .packument(name, &conditional)
            .await
            .map_err(|error| EngineError::upstream(name.as_str(), upstream.id(), &error))?;
        match (response, stored) {
            (PackumentResponse::NotModified, Some(stored)) => {
                self.store
                    .touch_packument(name.as_str(), upstream.id(), now)
                    .await?;
                parse(name, stored.raw.clone()).await
            }
            (PackumentResponse::NotModified, None) => Err(EngineError::Upstream {
                what: name.to_string(),
                why: "it answered 304 to an unconditional request".to_owned(),
            }),
            (
                PackumentResponse::Fresh {
                    raw,
                    etag,
                    last_modified,
                },
                _,
            ) => {
                // Only what can be used replaces what is kept.
                let packument = parse(name, raw.clone()).await?;
                if let Some(stored) = stored {
                    self.compare(upstream, stored, &packument, now).await?;
                }
                let fresh = StoredPackument {
                    raw,
                    etag,
                    last_modified,
                    fetched_at: now,
                };
                self.keep(name.clone(), upstream.id().to_owned(), fresh);
                Ok(packument)
            }
        }
    }

    /// Writes a packument to disk when nobody waits. Losing it costs a fetch.
    fn keep(&self, name: PackageName, origin: String, fresh: StoredPackument) {
        let store = self.store.clone();
        let (quiet, writing) = (Arc::clone(&self.quiet), Arc::clone(&self.writing));
        let since = tokio::time::Instant::now();
        self.writes.spawn(async move {
            let _turn = writing.acquire_owned().await;
            quiet.wait(since).await;
            if let Err(error) = store.put_packument(name.as_str(), &origin, &fresh).await {
                tracing::warn!(package.name = %name, %error, "a packument could not be kept");
            }
        });
    }

    /// What is kept on disk, however old it is, without asking anybody.
    pub(crate) async fn kept(&self, name: &PackageName) -> Result<Option<Held>, EngineError> {
        let upstream: Arc<str> = Arc::from(self.upstreams.upstream_for(name).id());
        let Some(stored) = self.store.packument(name.as_str(), &upstream).await? else {
            return Ok(None);
        };
        let packument = parse(name, stored.raw).await?;
        let why = format!("of {}, and the registry is not asked", stored.fetched_at);
        Ok(Some(held(packument, upstream, Instant::now(), Some(why))))
    }

    /// What is kept on disk, where the upstream fails; never where it says that there is none.
    async fn fall_back(
        &self,
        name: &PackageName,
        stored: Option<StoredPackument>,
        upstream: Arc<str>,
        error: EngineError,
    ) -> Result<Held, EngineError> {
        let gone = matches!(
            error,
            EngineError::NoSuchPackage { .. } | EngineError::Denied { .. } | EngineError::Store(_)
        );
        let Some(stored) = stored.filter(|_| !gone) else {
            return Err(error);
        };
        let packument = parse(name, stored.raw).await?;
        tracing::warn!(package.name = %name, %error, fetched_at = %stored.fetched_at,
            "the upstream failed: a stale packument is used");
        let fresh_until = Instant::now() + STALE_RETRY.min(self.time_to_live);
        let why = format!("of {}, because {error}", stored.fetched_at);
        Ok(held(packument, upstream, fresh_until, Some(why)))
    }
}

fn held(
    packument: Packument,
    upstream: Arc<str>,
    fresh_until: Instant,
    stale: Option<String>,
) -> Held {
    static REVISIONS: AtomicU64 = AtomicU64::new(0);
    let revision = REVISIONS.fetch_add(1, Ordering::Relaxed);
    Held {
        revision,
        packument,
        upstream,
        fresh_until,
        stale,
        first_missed: Stage::Known(None),
        dependents: OnceCell::new(),
        gone: Vec::new(),
        parsed: Mutex::default(),
    }
}

/// A hint that cannot be had is not known; the packument is as good as ever.
fn known_or_told(
    name: &PackageName,
    missed: Result<Option<Timestamp>, StoreError>,
) -> Stage<Option<Timestamp>> {
    match missed {
        Ok(missed) => Stage::Known(missed),
        Err(error) => {
            tracing::warn!(package.name = %name, %error, "a name could not be looked up");
            Stage::NotKnown("the database of the data folder failed".to_owned())
        }
    }
}

/// Whether a number names another release than before: published at another time, by another account, with other
/// bytes. Registries let nobody use one twice; a mirror that gives other times changes neither who published nor what,
/// and an account that is renamed leaves the bytes as they are.
fn is_another(before: &Packument, after: &Packument, version: &str) -> bool {
    let by = |packument: &Packument| packument.publication(version)?.publisher;
    let people = || by(before).zip(by(after));
    let bytes = || bytes_of(before, version).zip(bytes_of(after, version));
    has_moved(before.published(version), after.published(version))
        && people().is_some_and(|(then, now)| then.name != now.name)
        && bytes().is_none_or(|(then, now)| same_bytes(&then, &now) != Some(true))
}

/// Whether two publish times of one number are those of two releases.
fn has_moved(then: Option<Timestamp>, now: Option<Timestamp>) -> bool {
    let times = then.zip(now);
    times.is_some_and(|(then, now)| now.duration_since(then).abs() > ANOTHER)
}

/// The bytes that a document names for a version, by their digest.
fn bytes_of(packument: &Packument, version: &str) -> Option<Integrity> {
    packument.manifest(version)?.ok()?.dist.best_integrity()
}

/// Whether the first bytes that the ledger has of a number, from before it was missed, are those that it names now.
fn is_back(
    known: &[KnownBytes],
    upstream: &str,
    missed: Timestamp,
    now: Option<&Integrity>,
) -> bool {
    let of_here = |it: &&KnownBytes| {
        it.upstream
            .as_deref()
            .is_none_or(|theirs| theirs == upstream)
    };
    let first = known.iter().find(of_here).filter(|it| it.first < missed);
    let then = first.and_then(|it| Integrity::parse(&it.integrity).ok());
    then.zip(now)
        .is_some_and(|(then, now)| same_bytes(&then, now) == Some(true))
}

fn gone_of(vanished: Vanished) -> Gone {
    Gone {
        version: vanished.version,
        published: vanished.published,
        missed: Some(vanished.noticed),
        whole: vanished.whole,
    }
}

async fn parse(name: &PackageName, raw: bytes::Bytes) -> Result<Packument, EngineError> {
    let parsed = if raw.len() < PARSE_ASIDE {
        Packument::parse(name, raw)
    } else {
        let own = name.clone();
        let parsed = tokio::task::spawn_blocking(move || Packument::parse(&own, raw)).await;
        parsed.map_err(|_| EngineError::BadPackument {
            name: name.to_string(),
            why: "reading it failed".to_owned(),
        })?
    };
    parsed.map_err(|error| EngineError::packument(name.as_str(), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_that_cannot_be_had_is_not_known_and_no_error() {
        let name = PackageName::parse("left-lib").unwrap();
        let first = Timestamp::UNIX_EPOCH;
        for missed in [None, Some(first)] {
            assert_eq!(known_or_told(&name, Ok(missed)), Stage::Known(missed));
        }
        let error = StoreError::Row {
            table: "missed",
            why: "not a time".to_owned(),
        };
        let failed = known_or_told(&name, Err(error));
        assert!(failed.why_not().is_some_and(|why| why.contains("database")));
    }

    /// A document with one version.
    fn packument(time: &str, by: &str, shasum: &str) -> Packument {
        let name = PackageName::parse("left-lib").unwrap();
        let document = serde_json::json!({
            "name": "left-lib",
            "versions": {"1.0.0": {
                "name": "left-lib", "version": "1.0.0", "_npmUser": {"name": by},
                "dist": {
                    "tarball": "https://registry.example.invalid/left-lib/-/left-lib-1.0.0.tgz",
                    "shasum": shasum,
                },
            }},
            "time": {"1.0.0": time},
        });
        Packument::parse(&name, document.to_string().into()).unwrap()
    }

    #[test]
    fn a_number_names_another_release_only_with_other_bytes_by_another_account_at_another_time() {
        let (then, now) = ("2026-01-01T09:00:00Z", "2026-06-13T09:00:00Z");
        let (old, new) = ("a".repeat(40), "b".repeat(40));
        let before = packument(then, "mara", &old);
        for (time, by, shasum, another) in [
            (now, "lena", &new, true),
            // What cannot be compared is no proof that it is the same.
            (now, "lena", &String::new(), true),
            (now, "lena", &old, false),
            (now, "mara", &new, false),
            (then, "lena", &new, false),
        ] {
            let after = packument(time, by, shasum);
            let case = format!("{time} {by} {shasum}");
            assert_eq!(is_another(&before, &after, "1.0.0"), another, "{case}");
        }
    }

    #[test]
    fn a_number_that_is_back_with_the_bytes_it_had_is_the_same_release() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let digest = |byte: &str| Integrity::from_sha1_hex(&byte.repeat(40)).unwrap();
        let known = |byte: &str, first, upstream: Option<&str>| KnownBytes {
            integrity: digest(byte).to_string(),
            first: at(first),
            upstream: upstream.map(str::to_owned),
        };
        let here = Some("here");
        for (ledger, back) in [
            (vec![known("a", 1, here)], true),
            (vec![known("a", 1, None)], true),
            (vec![known("a", 1, here), known("b", 9, here)], true),
            // Nobody knows what it had, or it had something else.
            (vec![], false),
            (vec![known("a", 1, Some("elsewhere"))], false),
            (vec![known("b", 1, here), known("a", 9, here)], false),
            // Looked at only since it was missed.
            (vec![known("a", 9, here)], false),
        ] {
            let now = digest("a");
            assert_eq!(
                is_back(&ledger, "here", at(5), Some(&now)),
                back,
                "{ledger:?}"
            );
            assert!(!is_back(&ledger, "here", at(5), None), "{ledger:?}");
        }
    }
}
