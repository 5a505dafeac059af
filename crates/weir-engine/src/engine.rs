//! The engine: everything it holds, and how verdicts are made and kept.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use dashmap::DashMap;
use jiff::Timestamp;
use moka::sync::Cache;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use weir_model::contents::ANALYSER_VERSION;
use weir_model::{Advisory, Contents, LedgerEntry};
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;
use weir_npm::packument::VersionManifest;
use weir_policy::Policy;
use weir_policy::config::GateMode;
use weir_signals::Stage;
use weir_signals::names::NameIndex;
use weir_store::{Advisories, Blob, PackageAdvisories, Store};
use weir_upstream::Upstreams;

use crate::EngineError;
use crate::clock::Clock;
use crate::damaged::Damaged;
use crate::download::UNWRITTEN;
use crate::flight::Flight;
use crate::habits::HabitKeeper;
use crate::housekeeping;
use crate::keyed::Keyed;
use crate::late::Late;
use crate::neighbours::Neighbours;
use crate::own_rules::OwnRules;
use crate::packuments::{Held, Packuments};
use crate::past::Unkept;
use crate::quiet::Quiet;
use crate::resolution::{Resolution, is_refused};
use crate::trust::{ReleaseVerifier, TrustSources};
use crate::unread::{AGAIN_AFTER, GoneThrough};
use crate::verdicts::Verdict;
use crate::withdrawn::{self, Listed, Settled};
use crate::worker::{Priority, WorkerPool, WorkerProgram};

/// What an engine is made of.
#[derive(Debug)]
pub struct EngineConfig {
    /// The policy to decide by.
    pub policy: Policy,
    /// Where "now" comes from.
    pub clock: Clock,
    /// The data folder.
    pub store: Store,
    /// The registries behind.
    pub upstreams: Upstreams,
    /// How worker processes are started.
    pub worker: WorkerProgram,
    /// What is trusted besides what comes with weir.
    pub trust: TrustSources,
}

/// A verdict of a release that may pass, with its bytes.
#[derive(Debug)]
pub(crate) struct Gated {
    pub(crate) verdict: Arc<Verdict>,
    pub(crate) blob: Blob,
    pub(crate) listed: Listed,
}

/// From a package name to a decision.
#[derive(Debug)]
pub struct Engine {
    pub(crate) policy: Policy,
    clock: Clock,
    pub(crate) store: Store,
    pub(crate) upstreams: Arc<Upstreams>,
    pub(crate) packuments: Arc<Packuments>,
    pub(crate) trust: Arc<ReleaseVerifier>,
    pub(crate) names: NameIndex,
    advisories: RwLock<Arc<Advisories>>,
    pool: Arc<WorkerPool>,
    pub(crate) resolutions: Cache<PackageName, Arc<Resolution>>,
    /// What the releases that nobody has looked at come to, by package.
    pub(crate) unread: Cache<PackageName, Arc<GoneThrough>>,
    /// Earlier releases that could not be read a moment ago.
    pub(crate) unreadable: Cache<(PackageName, String), ()>,
    /// The packages whose releases are being gone through.
    pub(crate) walking: Keyed<PackageName>,
    pub(crate) gate: Cache<(PackageName, String), Arc<Gated>>,
    pub(crate) small: Cache<String, Bytes>,
    /// How many packages are looked up again at a time, after they were served.
    pub(crate) looking_up: Arc<Semaphore>,
    pub(crate) flights: DashMap<(PackageName, String), Weak<Flight>>,
    reading: Keyed<String>,
    /// Releases that are being decided on, by name and version.
    pub(crate) deciding: Keyed<(PackageName, String)>,
    /// Releases that were fetched before anybody asked, until somebody does. Nothing where nobody looks ahead, as in a
    /// gateway that stays.
    pub(crate) fetched_ahead: OnceLock<Mutex<HashSet<(PackageName, String)>>>,
    pub(crate) neighbours: Neighbours,
    pub(crate) habits: HabitKeeper,
    pub(crate) tasks: TaskTracker,
    pub(crate) quiet: Arc<Quiet>,
    /// How many of those that were served on their metadata are read at a time.
    pub(crate) later: Semaphore,
    /// How many of them are written to disk at a time: more would start a thread each.
    pub(crate) writing: Semaphore,
    /// How many of them have their attestations verified at a time: clients are being answered meanwhile.
    pub(crate) verifying: Semaphore,
    /// Room for those that wait to be written, in KiB.
    pub(crate) unwritten: Semaphore,
    /// Raised when a verdict begins to refuse, so that ready-made answers are made anew.
    refusals: AtomicU64,
    pub(crate) unkept: Unkept,
    pub(crate) damaged: Damaged,
    fingerprint: String,
    pub(crate) late: Mutex<Vec<Late>>,
}

impl Engine {
    /// Puts an engine together.
    ///
    /// # Errors
    /// When the advisories cannot be loaded or the name index is damaged.
    pub async fn new(config: EngineConfig) -> Result<Arc<Self>, EngineError> {
        let EngineConfig {
            policy,
            clock,
            store,
            upstreams,
            worker,
            trust: sources,
        } = config;
        let advisories = Arc::new(Advisories::load(&store).await?);
        let names = crate::names::index(&policy)
            .map_err(|error| EngineError::Store(format!("the name index: {error}")))?;
        let rules = OwnRules::read(policy.rules_folder()).await?;
        store.analysed_under(rules.digest());
        let upstreams = Arc::new(upstreams);
        let cache = policy.cache.memory.bytes();
        let quiet = Arc::new(Quiet::default());
        let gate = Cache::builder()
            .max_capacity(50_000)
            .time_to_idle(Duration::from_secs(600))
            .build();
        let settled = Settled {
            gate: gate.clone(),
            store: store.clone(),
        };
        let packuments = Arc::new(Packuments::new(
            settled,
            Arc::clone(&upstreams),
            Arc::clone(&quiet),
            policy.cache.packument_ttl.get(),
            cache / 2,
        ));
        let trust = Arc::new(ReleaseVerifier::over(
            Arc::clone(&packuments),
            store.clone(),
            Arc::clone(&upstreams),
            &sources,
            &policy,
        )?);
        trust.recall_keys().await?;
        let deadline = crate::worker::Deadline {
            base: policy.limits.worker_time.get(),
            // Reading runs at tens of megabytes a second; a tenth of that speed is still progress.
            per_megabyte: Duration::from_millis(500),
        };
        let workers = match policy.limits.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            set => usize::try_from(set).unwrap_or(1),
        };
        let small = Cache::builder()
            .max_capacity(cache / 2)
            .weigher(|_: &String, bytes: &Bytes| {
                u32::try_from(bytes.len() + 200).unwrap_or(u32::MAX)
            })
            .time_to_idle(Duration::from_secs(60))
            .build();
        let engine = Arc::new(Self {
            fingerprint: format!(
                "{}{}",
                policy.fingerprint(),
                rules.digest().unwrap_or_default()
            ),
            pool: WorkerPool::with_rules(worker, workers, deadline, rules.into_frame()),
            packuments,
            trust,
            names,
            advisories: RwLock::new(advisories),
            resolutions: Cache::builder()
                .max_capacity(20_000)
                .time_to_idle(Duration::from_secs(600))
                .build(),
            unread: Cache::builder()
                .max_capacity(20_000)
                // Going through them again costs less than keeping every version of every package.
                .time_to_idle(Duration::from_secs(60))
                .build(),
            unreadable: Cache::builder()
                .max_capacity(10_000)
                .time_to_live(AGAIN_AFTER)
                .build(),
            gate,
            small,
            looking_up: Arc::new(Semaphore::new(withdrawn::AT_ONCE)),
            flights: DashMap::new(),
            walking: Keyed::default(),
            reading: Keyed::default(),
            deciding: Keyed::default(),
            fetched_ahead: OnceLock::new(),
            neighbours: Neighbours::default(),
            habits: HabitKeeper::open(store.clone()).await?,
            tasks: TaskTracker::new(),
            quiet,
            later: Semaphore::new(workers),
            writing: Semaphore::new(2),
            verifying: Semaphore::new(2),
            unwritten: Semaphore::new(UNWRITTEN),
            refusals: AtomicU64::new(0),
            unkept: Unkept::default(),
            damaged: Damaged::default(),
            late: Mutex::default(),
            policy,
            clock,
            store,
            upstreams,
        });
        engine.learn_first().await;
        tokio::spawn(housekeeping::keep_house(Arc::downgrade(&engine)));
        Ok(engine)
    }

    /// The moment that counts as now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether what is seen and decided is written down: not at a moment that is only asked about.
    pub(crate) fn records(&self) -> bool {
        self.clock.records()
    }

    /// What decisions are made under at present. Another generation means other decisions.
    #[must_use]
    pub fn generation(&self) -> String {
        let advisories = self.advisories().generation();
        let refusals = self.refusals();
        let keys = self.trust.key_changes();
        format!("{}-{advisories}-{refusals}-{keys}", self.rules_generation())
    }

    /// The part of the generation that outlives this process: what kept verdicts depend on.
    pub(crate) fn verdict_generation(&self, name: &PackageName) -> String {
        // Another upstream may have other bytes under the same name and version, and what was verified
        // with other keys or another root is to be verified anew.
        let upstream = self.upstreams.upstream_for(name);
        format!(
            "{}-{}-{}",
            self.rules_generation(),
            self.trust.generation_of(upstream),
            upstream.id()
        )
    }

    fn rules_generation(&self) -> String {
        let advisories = self.advisories().generation();
        format!(
            "{ANALYSER_VERSION}-{}-{advisories}-{}",
            env!("CARGO_PKG_VERSION"),
            self.fingerprint
        )
    }

    /// Whether decisions are only recorded.
    #[must_use]
    pub fn observes(&self) -> bool {
        self.policy.gate.mode == GateMode::Observe
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Where packages come from and how credentials are found.
    #[must_use]
    pub fn upstreams(&self) -> &Upstreams {
        &self.upstreams
    }

    /// What verifies releases, and has the documents for it.
    #[must_use]
    pub fn trust(&self) -> &Arc<ReleaseVerifier> {
        &self.trust
    }

    /// The data folder.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The packument of a package, at hand or from the upstream.
    ///
    /// # Errors
    /// When there is none, or the upstream fails and none is kept.
    pub async fn packument(&self, name: &PackageName) -> Result<Arc<Held>, EngineError> {
        let _busy = self.quiet.request();
        let found = self.packuments.get(name).await;
        if let Err(EngineError::NoSuchPackage { upstream, .. }) = &found {
            self.note_missed(name, upstream).await;
        }
        found
    }

    pub(crate) fn advisories(&self) -> Arc<Advisories> {
        match self.advisories.read() {
            Ok(advisories) => Arc::clone(&advisories),
            Err(poisoned) => Arc::clone(&poisoned.into_inner()),
        }
    }

    /// Loads the advisories anew, after an import by another process.
    ///
    /// # Errors
    /// When the data folder fails; the ones in force stay.
    pub async fn reload_advisories(&self) -> Result<(), EngineError> {
        let fresh = Arc::new(Advisories::load(&self.store).await?);
        if let Ok(mut advisories) = self.advisories.write() {
            *advisories = fresh;
        }
        Ok(())
    }

    pub(crate) fn advisories_for(&self, name: &PackageName, version: &str) -> Stage<Vec<Advisory>> {
        self.about(name).map_or_else(Stage::NotKnown, |about| {
            Stage::Known(about.matching(version))
        })
    }

    /// What advisories say of a package; else why that is not known.
    pub(crate) fn about(&self, name: &PackageName) -> Result<Arc<PackageAdvisories>, String> {
        self.advisories().about(name.as_str()).map_err(|error| {
            tracing::error!(package.name = %name, %error, "the advisories cannot be read");
            error.to_string()
        })
    }

    /// A release that may pass without a further look, with its bytes: from memory, or kept by an
    /// earlier run.
    pub(crate) async fn gated(
        &self,
        name: &PackageName,
        version: &str,
    ) -> Result<Option<Arc<Gated>>, EngineError> {
        let generation = self.verdict_generation(name);
        let key = (name.clone(), version.to_owned());
        let now = self.now();
        if let Some(gated) = self.gate.get(&key)
            && gated.verdict.generation == generation
            && gated.verdict.is_settled(now)
        {
            return Ok(Some(gated));
        }
        if !self.store.may_have_verdict(name.as_str(), version) {
            return Ok(None);
        }
        let refusals = self.refusals();
        let Some(json) = self
            .store
            .verdict(name.as_str(), version, &generation)
            .await?
        else {
            return Ok(None);
        };
        let Ok(verdict) = serde_json::from_str::<Verdict>(&json) else {
            tracing::warn!(package.name = %name, package.version = version,
                "a kept verdict could not be read; it is decided anew");
            return Ok(None);
        };
        if !verdict.is_settled(now) {
            return Ok(None);
        }
        let integrity = verdict.assessment.release.integrity.as_deref();
        let Some(integrity) = integrity.and_then(|text| Integrity::parse(text).ok()) else {
            return Ok(None);
        };
        let Some(blob) = self.store.blob(&integrity).await? else {
            return Ok(None);
        };
        let gated = Arc::new(Gated {
            verdict: Arc::new(verdict),
            blob,
            // By an earlier run: looked up soon.
            listed: Listed::until(Instant::now()),
        });
        // A refusal meanwhile may be what this verdict is to be taken anew for.
        if self.refusals() == refusals {
            self.gate.insert(key, Arc::clone(&gated));
        }
        Ok(Some(gated))
    }

    /// Keeps a verdict, and its bytes at hand if the release may pass. Of a moment that was only asked
    /// about, nothing outlives this process.
    pub(crate) async fn keep(
        &self,
        name: &PackageName,
        verdict: &Arc<Verdict>,
        blob: Option<Blob>,
    ) -> Result<(), EngineError> {
        let version = &verdict.assessment.release.version;
        let json = serde_json::to_string(&**verdict)
            .map_err(|error| EngineError::Store(error.to_string()))?;
        let refuses = !verdict.decision.action.serves();
        let known = refuses && self.is_kept(name, verdict).await?;
        let mut written = Ok(());
        if self.records() {
            let put = self
                .store
                .put_verdict(name.as_str(), version, &verdict.generation, json);
            written = put.await.map_err(EngineError::from);
        } else {
            self.unkept.put(name, verdict);
        }
        // A refusal counts at once, whether or not it could be written down.
        if !refuses {
            written?;
            written = Ok(());
        }
        let key = (name.clone(), version.clone());
        if verdict.is_settled(self.now())
            && let Some(blob) = blob
        {
            self.gate.insert(
                key,
                Arc::new(Gated {
                    verdict: Arc::clone(verdict),
                    blob,
                    listed: self.listed_by(name),
                }),
            );
        } else {
            self.gate.invalidate(&key);
        }
        if refuses && !known {
            self.resolve_anew();
            if is_refused(verdict) {
                let reconsidered = self.reconsider(name, verdict).await;
                written = written.and(reconsidered);
            }
        }
        written
    }

    /// Has resolutions and ready-made answers made anew, as after a refusal.
    pub(crate) fn resolve_anew(&self) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
    }

    /// How often a verdict began to refuse.
    pub(crate) fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }

    /// Whether the same refusal is kept already.
    async fn is_kept(&self, name: &PackageName, verdict: &Verdict) -> Result<bool, EngineError> {
        let version = &verdict.assessment.release.version;
        if let Some(before) = self.unkept.get(name, version) {
            return Ok(before.block_id() == verdict.block_id());
        }
        let before = self
            .store
            .verdict(name.as_str(), version, &verdict.generation)
            .await?
            .and_then(|json| serde_json::from_str::<Verdict>(&json).ok());
        Ok(before.is_some_and(|before| before.block_id() == verdict.block_id()))
    }

    /// What the registry says of one version.
    pub(crate) fn manifest(
        &self,
        held: &Held,
        version: &str,
    ) -> Result<Arc<VersionManifest>, EngineError> {
        held.manifest(version)
    }

    /// What the bytes of a version have to match, if the registry says. Several digests of one
    /// algorithm name no single tarball, and contents are kept by this text: that counts as none.
    pub(crate) fn integrity_of(&self, held: &Held, version: &str) -> Option<Integrity> {
        let integrity = self.manifest(held, version).ok()?.dist.best_integrity();
        integrity.filter(|integrity| !integrity.is_ambiguous())
    }

    /// When weir first saw a version that the registry gives no time for.
    pub(crate) async fn times_of(
        &self,
        held: &Held,
        version: &str,
    ) -> Result<HashMap<String, Timestamp>, EngineError> {
        if held.packument.published(version).is_some() {
            return Ok(HashMap::new());
        }
        let seen = self.first_seen(held.packument.name(), &[version]).await?;
        Ok(seen
            .into_iter()
            .map(|at| (version.to_owned(), at))
            .collect())
    }

    /// When weir first saw these versions, in their order. Those it never saw are seen now, unless that
    /// is a moment somebody only asks about: then it stands in for this once.
    pub(crate) async fn first_seen(
        &self,
        name: &PackageName,
        versions: &[&str],
    ) -> Result<Vec<Timestamp>, EngineError> {
        let (name, now) = (name.as_str(), self.now());
        let seen = match self.records() {
            true => self.store.first_seen_all(name, versions, now).await?,
            false => self.store.first_seen_or(name, versions, now).await?,
        };
        Ok(seen)
    }

    /// The facts about a tarball: kept, or from a worker. Computed once per integrity, also when
    /// many ask at the same time.
    pub(crate) async fn contents_of(
        &self,
        tarball: Bytes,
        expected: &Integrity,
        priority: Priority,
    ) -> Result<Contents, String> {
        let key = expected.to_string();
        let _guard = self.reading.hold(&key).await;
        match self.store.contents(&key).await {
            Ok(Some(contents)) => return Ok(contents),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "kept contents could not be read; read anew"),
        }
        let contents = self.pool.tarball(tarball, priority).await?;
        if let Err(error) = self.store.put_contents(&key, &contents).await {
            tracing::warn!(%error, "contents could not be kept");
        }
        Ok(contents)
    }

    /// Has a tarball or folder on this machine read.
    ///
    /// # Errors
    /// Why there are no facts.
    pub async fn read_local(&self, what: Local) -> Result<Contents, String> {
        match what {
            Local::Tarball(bytes) => self.pool.tarball(bytes, Priority::Foreground).await,
            Local::Folder(path) => self.pool.folder(path).await,
        }
    }

    /// Whether a release counts as long established.
    pub(crate) fn is_established(&self, name: &PackageName, published: Option<Timestamp>) -> bool {
        self.policy
            .is_established(published, self.rank(name), self.now())
    }

    /// The package's rank by downloads, 1 for the most downloaded; absent beyond the list.
    pub(crate) fn rank(&self, name: &PackageName) -> Option<u32> {
        self.names
            .rank(name.as_str())
            .map(|place| place.saturating_add(1))
    }

    /// Keeps the explanation of a refusal.
    ///
    /// # Errors
    /// When the data folder fails.
    pub async fn keep_refusal(&self, verdict: &Verdict) -> Result<(), EngineError> {
        if !self.records() {
            return Ok(());
        }
        let id = verdict.block_id();
        let (assessment, decision) = (&verdict.assessment, &verdict.decision);
        self.store
            .put_refusal(&id, assessment, decision, self.now())
            .await?;
        Ok(())
    }

    /// The explanation behind a refusal's id.
    ///
    /// # Errors
    /// When the data folder fails.
    pub async fn refusal(
        &self,
        id: &str,
    ) -> Result<Option<weir_store::StoredRefusal>, EngineError> {
        Ok(self.store.refusal(id).await?)
    }

    /// Writes one line of the ledger; done when it is on disk.
    ///
    /// # Errors
    /// When the data folder fails.
    pub async fn append(&self, entry: LedgerEntry) -> Result<(), EngineError> {
        if self.records() {
            self.store.ledger().append(entry).await?;
        }
        Ok(())
    }

    /// Relays a `/-/…` read to the default upstream.
    ///
    /// # Errors
    /// When the upstream does not answer.
    pub async fn relay(&self, path: &str) -> Result<weir_upstream::Document, EngineError> {
        let answer = self.upstreams.default_upstream().document(path, None).await;
        answer.map_err(|error| EngineError::Upstream {
            what: path.to_owned(),
            why: error.to_string(),
        })
    }

    /// Whether the data folder can be written.
    ///
    /// # Errors
    /// Why not.
    pub async fn readiness(&self) -> Result<(), String> {
        let tried = self.store.try_to_write().await;
        tried.map_err(|error| error.to_string())
    }

    /// Waits for analyses under way and writes everything down.
    pub async fn close(&self) {
        self.tasks.close();
        self.finish_analyses(Duration::from_secs(30)).await;
        if let Err(error) = self.learn().await {
            tracing::error!(%error, "what is usual could not be learned");
        }
        if let Err(error) = self.store.close().await {
            tracing::error!(%error, "the data folder could not be closed in order");
        }
    }
}

/// Something on this machine to look at.
#[derive(Debug, Clone)]
pub enum Local {
    /// The bytes of a tarball.
    Tarball(Bytes),
    /// A folder, by absolute path.
    Folder(std::path::PathBuf),
}
