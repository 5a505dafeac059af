//! Bringing a tarball to a client: verdict first, bytes after, or both at once where a release is
//! long established and nothing speaks against it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use weir_model::Contents;
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;
use weir_npm::packument::tarball_version;
use weir_store::Hashed;
use weir_upstream::UNUSABLE;

use crate::EngineError;
use crate::engine::{Engine, Gated};
use crate::flight::{Announced, BrokenOff, Flight, Start};
use crate::packuments::Held;
use crate::verdicts::{Verdict, Waited};
use crate::worker::Priority;

/// What becomes of a request for a tarball.
#[derive(Debug)]
pub enum Bringing {
    /// It may pass.
    Serve(Tarball),
    /// It may not.
    Refuse(Arc<Verdict>, Waited),
}

/// A tarball that may pass.
#[derive(Debug)]
pub struct Tarball {
    /// Why it may.
    pub verdict: Arc<Verdict>,
    /// Its bytes.
    pub stream: TarballStream,
    /// Whether the bytes were here already.
    pub cached: bool,
    /// Why the packument behind the verdict may be out of date, if it may.
    pub stale: Option<String>,
    /// How long the request waited.
    pub waited: Waited,
}

/// The bytes of a tarball.
#[derive(Debug)]
pub enum TarballStream {
    /// All here.
    Whole(Bytes),
    /// On disk.
    File {
        /// Opened for reading, at its start.
        file: tokio::fs::File,
        /// Its length, in bytes.
        length: u64,
    },
    /// On their way.
    Flight {
        /// The download.
        flight: Arc<Flight>,
        /// What they have to match before the last of them leaves.
        expected: Integrity,
    },
}

/// Tarballs up to this size are read whole rather than streamed, in bytes: nine of ten (PEERS
/// section 6), and one read is cheaper than a stream.
const WHOLE: u64 = 512 << 10;

/// Most tarballs that were served and wait for their turn to be written, together, in KiB: a bound on
/// memory, not on what an install may bring.
pub(crate) const UNWRITTEN: usize = 96 << 10;

/// How long a download may stay silent before it is looked for elsewhere. A registry begins to send
/// within milliseconds, and one that does not keep tarballs where it is asked says so as quickly.
const SILENCE: Duration = Duration::from_secs(5);

/// The pause before a download that broke off is begun once more, as for answers that do not begin.
const BEFORE_ANOTHER: Duration = Duration::from_millis(250);

impl Engine {
    /// Brings the tarball with this file name, or says why it may not pass.
    ///
    /// # Errors
    /// When there is no such release, or upstream or data folder fail.
    pub async fn bring(
        self: &Arc<Self>,
        name: &PackageName,
        file: &str,
    ) -> Result<Bringing, EngineError> {
        let _busy = self.quiet.request();
        let version = tarball_version(name, file);
        if let Some(version) = &version
            && let Some(gated) = self.gated(name, version).await?
            && let Some(stream) = self.open(&gated).await?
        {
            self.look_up_again(name, version, &gated);
            let verdict = Arc::clone(&gated.verdict);
            let waited = Waited::default();
            return Ok(Bringing::Serve(Tarball {
                verdict,
                stream,
                cached: !self.was_fetched_ahead(name, version),
                stale: None,
                waited,
            }));
        }
        self.bring_anew(name, file, version).await
    }

    async fn bring_anew(
        self: &Arc<Self>,
        name: &PackageName,
        file: &str,
        guess: Option<String>,
    ) -> Result<Bringing, EngineError> {
        let started = Instant::now();
        // Both are needed, and neither needs the other: the usual address is tried while the
        // packument is on its way.
        let early = match (&guess, self.packuments.at_hand(name)) {
            (Some(version), None) => self.start_early(name, version, file).await?,
            _ => None,
        };
        let held = self.packuments.get(name).await?;
        let version = held
            .packument
            .version_of_tarball_file(file)
            .map(str::to_owned)
            .ok_or_else(|| EngineError::NoSuchVersion {
                name: name.to_string(),
                version: file.to_owned(),
            })?;
        let fetched_ahead = self.was_fetched_ahead(name, &version);
        let mut waited = Waited {
            upstream: started.elapsed(),
            ..Waited::default()
        };
        let times = self.times_of(&held, &version).await?;
        let metadata = self
            .metadata_verdict(&held, &version, &times, &self.generation())
            .await?;
        let Some(expected) = self.integrity_of(&held, &version) else {
            // Nothing to check the bytes against: the metadata verdict says so and is not served.
            return Ok(Bringing::Refuse(metadata, waited));
        };
        if !metadata.decision.action.serves() && self.refuses_without_contents(&metadata) {
            return Ok(self
                .refuse_or_observe(metadata, waited, &held, early, expected)
                .await);
        }
        // Bytes and contents at hand: nothing to bring, only to decide anew.
        let key = expected.to_string();
        let contents = if self.store.may_have_contents(&key) {
            self.store.contents(&key).await?
        } else {
            None
        };
        let known = contents.is_some();
        if let Some(contents) = contents
            && let Some(gated) = self
                .decide_at_hand(&held, &version, &expected, contents)
                .await?
        {
            let verdict = Arc::clone(&gated.verdict);
            if !verdict.decision.action.serves() && !self.observes() {
                return Ok(Bringing::Refuse(verdict, waited));
            }
            if let Some(stream) = self.open(&gated).await? {
                let stale = held.stale.clone();
                return Ok(Bringing::Serve(Tarball {
                    verdict,
                    stream,
                    cached: !fetched_ahead,
                    stale,
                    waited,
                }));
            }
        }
        let flight = self.flight(&held, &version, &expected, early).await?;
        if !known && !flight.has_failed() && self.passes_early(&metadata, &held, &version).await? {
            self.finish_later(&held, &version, &flight, &expected);
            return Ok(Bringing::Serve(Tarball {
                verdict: preliminary(&metadata),
                stream: TarballStream::Flight { flight, expected },
                cached: false,
                stale: held.stale.clone(),
                waited,
            }));
        }
        tracing::debug!(package.name = %name, package.version = version, known,
            "its contents are read before it is served");
        let started = Instant::now();
        let (flight, verdict) = self
            .judged(&held, &version, &expected, flight, &metadata)
            .await?;
        if !known {
            waited.analysis = started.elapsed();
        }
        if verdict.decision.action.serves() || self.observes() {
            let stream = TarballStream::Flight { flight, expected };
            let stale = held.stale.clone();
            return Ok(Bringing::Serve(Tarball {
                verdict,
                stream,
                cached: false,
                stale,
                waited,
            }));
        }
        Ok(Bringing::Refuse(verdict, waited))
    }

    /// The verdict on a release whose bytes and contents are both kept.
    async fn decide_at_hand(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        expected: &Integrity,
        contents: Contents,
    ) -> Result<Option<Gated>, EngineError> {
        let Some(blob) = self.store.blob(expected).await? else {
            return Ok(None);
        };
        let kept = Some(blob.clone());
        let verdict = self.decide_fully(held, version, Ok(contents), kept).await?;
        let listed = self.listed_by(held.packument.name());
        Ok(Some(Gated {
            verdict,
            blob,
            listed,
        }))
    }

    /// In observe mode a refusal is only written down.
    async fn refuse_or_observe(
        self: &Arc<Self>,
        verdict: Arc<Verdict>,
        waited: Waited,
        held: &Arc<Held>,
        early: Option<Arc<Flight>>,
        expected: Integrity,
    ) -> Bringing {
        if self.observes() {
            let version = verdict.assessment.release.version.clone();
            if let Ok(flight) = self.flight(held, &version, &expected, early).await {
                let stale = held.stale.clone();
                let stream = TarballStream::Flight { flight, expected };
                return Bringing::Serve(Tarball {
                    verdict,
                    stream,
                    cached: false,
                    stale,
                    waited,
                });
            }
        }
        Bringing::Refuse(verdict, waited)
    }

    /// Starts to download from the usual address, before the packument says what it is. Not what was
    /// looked at before: its bytes are here, whatever was decided.
    async fn start_early(
        self: &Arc<Self>,
        name: &PackageName,
        version: &str,
        file: &str,
    ) -> Result<Option<Arc<Flight>>, EngineError> {
        if self.store.has_verdict(name.as_str(), version).await? {
            return Ok(None);
        }
        // A path under the registry: where nearly all of them keep their tarballs.
        let usual = format!("{name}/-/{file}");
        Ok(Some(
            self.join_flight(&(name.clone(), version.to_owned()), &usual),
        ))
    }

    /// The download of a tarball: the one under way, or a new one; bytes on disk count as arrived.
    pub(crate) async fn flight(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        expected: &Integrity,
        early: Option<Arc<Flight>>,
    ) -> Result<Arc<Flight>, EngineError> {
        let key = (held.packument.name().clone(), version.to_owned());
        let under_way = self.flights.get(&key).and_then(|flight| flight.upgrade());
        let under_way = under_way.or(early);
        let longest = self.policy.gate.analysis_budget.get();
        let silence = SILENCE.min(longest / 2);
        if let Some(flight) = &under_way
            && flight.begins_within(silence).await == Start::Begun
        {
            return Ok(Arc::clone(flight));
        }
        if let Some(blob) = self.store.blob(expected).await? {
            let bytes = Bytes::from(blob.read().await?);
            let whole = stream::iter([Ok::<_, std::convert::Infallible>(bytes)]);
            let disk = blob.path().display().to_string();
            let flight = Flight::start(disk, whole, u64::MAX, Announced::default());
            self.flights.insert(key, Arc::downgrade(&flight));
            return Ok(flight);
        }
        // Followers see the bytes as they come; only an address that does not exist or stays silent
        // (the upstream keeps its tarballs elsewhere) sends us to the one in the packument.
        let address = self.manifest(held, version)?.dist.tarball.clone();
        let flight = self.join_flight(&key, &address.unwrap_or_default());
        match flight.begins_within(longest - silence).await {
            Start::Begun => Ok(flight),
            // Whoever waits for all of it hears of it.
            Start::BrokenOff if broke_off_in_the_middle(&flight).is_some() => Ok(flight),
            Start::BrokenOff => self.arrived(held, version, &flight).await.map(|_| flight),
            Start::Waiting => Err(EngineError::Upstream {
                what: tarball_of(held, version),
                why: format!("not a byte of it came within {} s", longest.as_secs()),
            }),
        }
    }

    /// The download from an address: the one under way unless it failed or comes from elsewhere, or a
    /// new one.
    fn join_flight(self: &Arc<Self>, key: &(PackageName, String), address: &str) -> Arc<Flight> {
        let (name, version) = key.clone();
        let upstream = Arc::clone(self.upstreams.upstream_for(&name));
        let mut entry = self.flights.entry(key.clone()).or_default();
        if let Some(flight) = entry.upgrade()
            && !flight.has_failed()
        {
            let places = |address: &str| upstream.tarball_urls(&name, &version, address);
            if flight.address() == address || places(flight.address()) == places(address) {
                return flight;
            }
        }
        let announced = Announced::default();
        let length = Arc::clone(&announced);
        let from = address.to_owned();
        let body = stream::once(async move {
            upstream
                .tarball_of(&name, &version, &from)
                .await
                .map(|tarball| {
                    if let Some(announced) = tarball.content_length {
                        let _ = length.set(announced);
                    }
                    tarball.stream
                })
        })
        .try_flatten()
        .boxed();
        let limit = self.policy.limits.tarball_size.bytes();
        let flight = Flight::start(address.to_owned(), body, limit, announced);
        *entry = Arc::downgrade(&flight);
        flight
    }

    /// The verdict on what a download brings, and that download. One that breaks off in the middle is begun once
    /// more, as the way there may have failed. Where it ends at the same byte again, that is all that the upstream
    /// has: the answer is final then, or clients would ask for a minute and more.
    async fn judged(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        expected: &Integrity,
        first: Arc<Flight>,
        metadata: &Arc<Verdict>,
    ) -> Result<(Arc<Flight>, Arc<Verdict>), EngineError> {
        let started = Instant::now();
        let verdict = self
            .verdict_within_budget(held, version, &first, metadata)
            .await;
        let broken = broke_off_in_the_middle(&first);
        // Clients wait no longer than for one budget and a half.
        let is_time = started.elapsed() < self.policy.gate.analysis_budget.get() / 2;
        let Some(broken) = broken.filter(|_| verdict.is_err() && is_time) else {
            return Ok((first, verdict?));
        };
        tokio::time::sleep(BEFORE_ANOTHER).await;
        let second = self.flight(held, version, expected, None).await?;
        let verdict = self
            .verdict_within_budget(held, version, &second, metadata)
            .await;
        match (verdict, broke_off_in_the_middle(&second)) {
            (Err(_), Some(again)) if again.after == broken.after => Err(EngineError::Declined {
                what: tarball_of(held, version),
                why: format!("{again}; it ended after {} bytes twice", again.after),
                status: UNUSABLE,
            }),
            (verdict, _) => Ok((second, verdict?)),
        }
    }

    /// The verdict on contents too, or within the budget "being examined".
    async fn verdict_within_budget(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        flight: &Arc<Flight>,
        metadata: &Arc<Verdict>,
    ) -> Result<Arc<Verdict>, EngineError> {
        let budget = self.policy.gate.analysis_budget.get();
        let engine = Arc::clone(self);
        let download = Arc::clone(flight);
        let (held, version, flight) = (Arc::clone(held), version.to_owned(), Arc::clone(flight));
        // On a task of its own: an answer that comes too late for this client is kept for the next.
        let task = self
            .tasks
            .spawn(async move { engine.verdict_once(&held, &version, &flight).await });
        match tokio::time::timeout(budget, task).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) => Err(EngineError::Store("an analysis task failed".to_owned())),
            Err(_) => Ok(self.being_examined(metadata, budget, download.has_arrived())),
        }
    }

    /// Waits for the bytes, checks them, has them read, decides, and keeps all of it.
    pub(crate) async fn verdict_of_flight(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        flight: &Arc<Flight>,
    ) -> Result<Arc<Verdict>, EngineError> {
        let arrived = self.arrived(held, version, flight).await?;
        self.verdict_of_bytes(held, version, &arrived).await
    }

    /// The same, once for all who wait for it, as long as they may have it.
    pub(crate) async fn verdict_once(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        flight: &Arc<Flight>,
    ) -> Result<Arc<Verdict>, EngineError> {
        let name = held.packument.name();
        let _deciding = self
            .deciding
            .hold(&(name.clone(), version.to_owned()))
            .await;
        if let Some(gated) = self.gated(name, version).await? {
            return Ok(Arc::clone(&gated.verdict));
        }
        self.verdict_of_flight(held, version, flight).await
    }

    async fn arrived(
        &self,
        held: &Held,
        version: &str,
        flight: &Flight,
    ) -> Result<Arc<Hashed>, EngineError> {
        let arrived = flight.arrived().await;
        arrived.map_err(|broken| EngineError::download(tarball_of(held, version), &broken))
    }

    async fn verdict_of_bytes(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        arrived: &Hashed,
    ) -> Result<Arc<Verdict>, EngineError> {
        let Some(expected) = self.integrity_of(held, version) else {
            let times = self.times_of(held, version).await?;
            return self
                .metadata_verdict(held, version, &times, &self.generation())
                .await;
        };
        if !arrived.matches(&expected) {
            return self.mismatch(held, version, &expected, arrived).await;
        }
        self.forget_damaged(held, version);
        let blob = self.store.keep_blob(arrived, &expected).await;
        let tarball = arrived.bytes();
        let contents = self
            .contents_of(tarball, &expected, Priority::Foreground)
            .await;
        match blob {
            Ok(blob) => self.decide_fully(held, version, contents, Some(blob)).await,
            // What cannot be kept is not served, and is refused all the same where it would be.
            Err(error) => {
                let verdict = self.decide_fully(held, version, contents, None).await?;
                match verdict.decision.action.serves() {
                    true => Err(error.into()),
                    false => Ok(verdict),
                }
            }
        }
    }

    /// The same for a release that is served before: its bytes are kept and read when no client waits, unless by then
    /// nobody wants to know. Those that do not fit into [`UNWRITTEN`] meanwhile are kept at once, so that an install of
    /// a thousand packages is not held in memory.
    pub(crate) async fn verdict_later(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        flight: Arc<Flight>,
        expected: &Integrity,
        unless: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Arc<Verdict>>, EngineError> {
        let since = tokio::time::Instant::now();
        let arrived = self.arrived(held, version, &flight).await?;
        if !arrived.matches(expected) {
            return self
                .mismatch(held, version, expected, &arrived)
                .await
                .map(Some);
        }
        self.forget_damaged(held, version);
        let room = u32::try_from(arrived.length().div_ceil(1024)).unwrap_or(u32::MAX);
        let room = self.unwritten.try_acquire_many(room);
        if room.is_ok() {
            self.quiet.wait(since).await;
        }
        let blob = {
            let _turn = self.writing.acquire().await;
            self.store.keep_blob(&arrived, expected).await?
        };
        drop((arrived, flight, room));
        let _turn = self.later.acquire().await;
        self.quiet.wait(since).await;
        if unless() {
            return Ok(None);
        }
        // Not before its turn: a client that waits for this one is not to wait for others.
        let name = held.packument.name();
        let _deciding = self
            .deciding
            .hold(&(name.clone(), version.to_owned()))
            .await;
        if let Some(gated) = self.gated(name, version).await? {
            return Ok(Some(Arc::clone(&gated.verdict)));
        }
        let tarball = Bytes::from(blob.read().await?);
        let contents = self
            .contents_of(tarball, expected, Priority::Background)
            .await;
        let verdict = self
            .decide_fully(held, version, contents, Some(blob))
            .await?;
        Ok(Some(verdict))
    }

    /// Opens the bytes of a release that may pass.
    pub(crate) async fn open(&self, gated: &Gated) -> Result<Option<TarballStream>, EngineError> {
        if gated.blob.length() <= WHOLE {
            if let Some(bytes) = self.small.get(gated.blob.sha512_hex()) {
                return Ok(Some(TarballStream::Whole(bytes)));
            }
            let path = gated.blob.path().to_owned();
            let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
            let Ok(Ok(bytes)) = read else { return Ok(None) };
            let bytes = Bytes::from(bytes);
            self.small
                .insert(gated.blob.sha512_hex().to_owned(), bytes.clone());
            return Ok(Some(TarballStream::Whole(bytes)));
        }
        match tokio::fs::File::open(gated.blob.path()).await {
            Ok(file) => Ok(Some(TarballStream::File {
                file,
                length: gated.blob.length(),
            })),
            // Cleared away by hand: it is fetched and checked again.
            Err(_) => Ok(None),
        }
    }

    /// Waits until no analysis is under way, for at most `longest`. True when none is.
    pub async fn finish_analyses(&self, longest: Duration) -> bool {
        // Whoever calls this waits for it.
        self.quiet.hurry();
        let deadline = Instant::now() + longest;
        while !self.tasks.is_empty() || self.packuments.is_writing() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        true
    }

    /// How many analyses are under way.
    #[must_use]
    pub fn analyses_under_way(&self) -> usize {
        self.tasks.len()
    }
}

/// How a download broke off after its first bytes, if it did.
fn broke_off_in_the_middle(flight: &Flight) -> Option<BrokenOff> {
    flight.broken_off().filter(BrokenOff::in_the_middle)
}

/// What a download is called in an error.
fn tarball_of(held: &Held, version: &str) -> String {
    format!("the tarball of {}@{version}", held.packument.name())
}

fn preliminary(metadata: &Arc<Verdict>) -> Arc<Verdict> {
    Arc::new(Verdict {
        preliminary: true,
        ..(**metadata).clone()
    })
}
